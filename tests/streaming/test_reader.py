"""Reading ahead: in order, bounded, and nothing is left running."""

import gc
import threading
from contextlib import closing

import pytest

from glassmax.streaming.reader import read_ahead


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "glassmax reader"]


@pytest.fixture(autouse=True)
def _nothing_runs_before_and_after():
    assert readers() == []
    yield
    gc.collect()
    assert readers() == []


def test_windows_come_in_order():
    assert list(read_ahead(lambda number: number**2, range(100))) == [number**2 for number in range(100)]
    assert list(read_ahead(str, [])) == []


def test_at_most_so_many_windows_are_read_ahead():
    read, taken = [], 0
    most = 0
    with closing(read_ahead(lambda number: read.append(number), range(50), ahead=2)) as windows:
        for _ in windows:
            taken += 1
            most = max(most, len(read) - taken)
    assert taken == 50
    assert most <= 3  # two wait, and one is in the hand of the thread


def test_an_error_comes_after_the_windows_before_it():
    def read(number):
        if number == 3:
            raise ValueError("three")
        return number

    windows = read_ahead(read, range(10))
    assert [next(windows) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(windows)
    with pytest.raises(StopIteration):
        next(windows)


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_whoever_stops_ends_the_thread(taken):
    windows = read_ahead(lambda number: number, range(10**9))
    for _ in range(taken):
        next(windows)
    windows.close()
    assert readers() == []


def test_an_interruption_where_windows_are_taken_ends_the_thread():
    def take():
        with closing(read_ahead(lambda number: number, range(10**9))) as windows:
            for number in windows:
                if number == 4:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take()
    assert readers() == []


def test_numbers_that_cant_be_made_are_an_error_too():
    def numbers():
        yield 1
        raise OSError("no more")

    windows = read_ahead(lambda number: number, numbers())
    assert next(windows) == 1
    with pytest.raises(OSError, match="no more"):
        next(windows)
