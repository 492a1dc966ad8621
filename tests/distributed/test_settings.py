"""Settings of workers: checked, each mistake in one sentence."""

import re
from pathlib import Path
from unittest.mock import Mock

import pytest

from glassmax.distributed import WorkerSettings, open_workers, read_settings, settings
from glassmax.errors import OptionError

from ..estimator.raises import raises_that_are_missed

ONE_PROCESS = (
    "expected None without an engine: everything runs in one process. Name an engine, such as engine='processes'."
)
WHOLE = "expected a whole number >= 1 or None."
CASES = [
    ({"engine": "proceses"}, "engine is 'proceses', expected one of processes, ray, mpi. Did you mean 'processes'?"),
    ({"engine": 3}, "engine is 3, expected one of processes, ray, mpi."),
    ({"engine": None, "n_workers": 2}, f"n_workers is 2, {ONE_PROCESS}"),
    ({"engine": None, "address": "auto"}, f"address is 'auto', {ONE_PROCESS}"),
    ({"engine": None, "resources": {"CPU": 1}}, f"resources is {{'CPU': 1}}, {ONE_PROCESS}"),
    ({"engine": None, "wait_limit": 5}, f"wait_limit is 5, {ONE_PROCESS}"),
    ({"n_workers": 0}, f"n_workers is 0, {WHOLE}"),
    ({"n_workers": 1.5}, f"n_workers is 1.5, {WHOLE}"),
    ({"n_workers": True}, f"n_workers is True, {WHOLE}"),
    ({"n_workers": "2"}, f"n_workers is '2', {WHOLE}"),
    ({"wait_limit": 0}, "wait_limit is 0, expected a number > 0 or None."),
    ({"wait_limit": float("nan")}, "wait_limit is nan, expected a number > 0 or None."),
    ({"wait_limit": float("inf")}, "wait_limit is inf, expected a number > 0 or None."),
    ({"wait_limit": "60"}, "wait_limit is '60', expected a number > 0 or None."),
    ({"address": "auto"}, "address is 'auto', expected None with engine='processes': only Ray has it."),
    ({"engine": "mpi", "resources": {}}, "resources is {}, expected None with engine='mpi': only Ray has it."),
    ({"engine": "ray", "address": ""}, "address is '', expected the address of a Ray cluster, or None."),
    ({"engine": "ray", "address": 6379}, "address is 6379, expected the address of a Ray cluster, or None."),
    ({"engine": "ray", "resources": [1]}, "resources is [1], expected a dict of amounts by name, as {'CPU': 2}."),
    ({"engine": "ray", "resources": {1: 2}}, "resources is {1: 2}, expected a dict of amounts by name, as {'CPU': 2}."),
    ({"engine": "ray", "resources": {"CPU": -1}}, "resources['CPU'] is -1, expected a number >= 0."),
    ({"engine": "ray", "resources": {"CPU": "2"}}, "resources['CPU'] is '2', expected a number >= 0."),
]


def read(**given):
    return read_settings(**{"engine": "processes", **given})


@pytest.mark.parametrize(("given", "message"), CASES)
def test_a_mistake_is_one_sentence(given, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$") as caught:
        read(**given)
    assert caught.value.parameter in message


def test_every_raise_of_the_settings_is_in_the_table():
    cases = [(OptionError, message, lambda given=given: read(**given)) for given, message in CASES]
    returned = "engine is a function that returns None, without"
    cases.append((OptionError, returned, lambda: open_workers(read(engine=lambda asked: None))))
    assert raises_that_are_missed([Path(settings.__file__)], cases, 3) == []


def test_settings_are_what_was_given():
    assert read_settings(None) is None
    assert read() == WorkerSettings("processes", None, None, None, 300.0, 1)
    assert read(n_workers=3, wait_limit=5, n_threads=8) == WorkerSettings("processes", 3, None, None, 5.0, 2)
    assert read(n_workers=3, n_threads=2).worker_threads == 1
    found = read(engine="ray", address="auto", resources={"CPU": 2}, n_workers=2)
    assert found == WorkerSettings("ray", 2, "auto", {"CPU": 2}, 300.0, 1)


def test_threads_without_a_number_of_workers_are_processes(monkeypatch):
    monkeypatch.setattr(settings, "processors", lambda: 6)
    assert [read(n_threads=n)[1::4] for n in (1, 2, 6)] == [(1, 1), (2, 1), (6, 1)]
    assert read(n_threads=12)[1::4] == (6, 2)
    assert [read(n_threads=n).n_workers for n in (None, 0, -1)] == [None] * 3
    assert read(engine="ray", n_threads=4)[1::4] == (None, 1)


def test_an_engine_of_ones_own_is_called_with_the_settings():
    opened = []

    def engine(asked):
        opened.append(asked)
        return own

    own = Mock(spec=settings.METHODS)
    given = read(engine=engine, n_workers=3, address="here", resources={"slots": 1})
    assert open_workers(given) is own
    assert opened == [given]


@pytest.mark.parametrize(
    ("returned", "lacking"),
    [(None, "broadcast, map_shards, sum_in_order, close"), (Mock(spec=settings.METHODS[:2]), "sum_in_order, close")],
)
def test_an_engine_of_ones_own_that_returns_something_else_is_one_sentence(returned, lacking):
    with pytest.raises(OptionError) as error:
        open_workers(read(engine=lambda asked: returned))
    assert str(error.value) == (
        f"engine is a function that returns {type(returned).__name__}, without {lacking}, expected a function that "
        "returns workers, with the methods broadcast, map_shards, sum_in_order, close."
    )
