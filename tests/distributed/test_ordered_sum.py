"""Sums over shards: the same bits however the shards are cut among workers, and all of them once."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassmax.distributed import OrderedSum, PartialSum, split_shards
from glassmax.distributed.operations import message_of_parts, parts_of_message, sum_of_messages
from glassmax.distributed.ordered_sum import summed

NUMBERS = st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=70)


def one_by_one(numbers):
    total = OrderedSum()
    for shard, number in enumerate(numbers):
        total.add(PartialSum(shard, 0, {"x": np.array([number, 1.0])}))
    return total


def by_definition(numbers):
    """Return the sum as the docstring defines it."""
    if len(numbers) == 1:
        return numbers[0]
    m = 1 << (len(numbers) - 1).bit_length() - 1
    return by_definition(numbers[:m]) + by_definition(numbers[m:])


@given(NUMBERS)
def test_the_sum_is_that_of_its_definition(numbers):
    assert one_by_one(numbers).total()["x"].tolist() == [by_definition(numbers), len(numbers)]


@given(NUMBERS, st.lists(st.integers(0, 70), max_size=6))
def test_any_cut_among_workers_gives_the_same_bits(numbers, cuts):
    ends = sorted({0, len(numbers), *(cut for cut in cuts if cut < len(numbers))})
    messages = []
    for start, end in pairwise(ends):
        worker = OrderedSum()
        for shard in range(start, end):
            worker.add(PartialSum(shard, 0, {"x": np.array([numbers[shard], 1.0])}))
        assert len(worker.parts) <= 2 * (end - start).bit_length()
        messages.append(message_of_parts(worker.parts))
    assert sum_of_messages(messages)["x"].tobytes() == one_by_one(numbers).total()["x"].tobytes()


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=70))
def test_whole_numbers_are_summed_exactly(numbers):
    assert Fraction(float(one_by_one([float(n) for n in numbers]).total()["x"][0])) == sum(numbers)


@given(st.integers(1, 500), st.integers(1, 40))
def test_shards_are_split_evenly_and_each_goes_to_one_worker(n_shards, n_workers):
    parts = split_shards(n_shards, n_workers)
    assert len(parts) == n_workers
    assert [shard for part in parts for shard in part] == list(range(n_shards))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("order", [[0, 2], [0, 1, 1], [0, 1, 0]])
def test_a_shard_that_is_missing_or_there_twice_is_an_error(order):
    parts = [PartialSum(shard, 0, {"x": np.zeros(1)}) for shard in order]
    with pytest.raises(ValueError, match="is not the next one"):
        summed(parts)


def test_a_sum_without_its_first_shard_is_an_error():
    for total in (OrderedSum(), OrderedSum()):
        with pytest.raises(ValueError, match="shard 0 is missing"):
            total.total()
        total.add(PartialSum(1, 0, {"x": np.zeros(1)}))
    with pytest.raises(ValueError, match="shard 0 is missing"):
        total.total()


def test_parts_come_back_from_their_message():
    parts = one_by_one([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).parts
    again = parts_of_message(message_of_parts(parts))
    assert [(p.first, p.level, p.arrays["x"].tolist()) for p in again] == [
        (0, 2, [10.0, 4.0]), (4, 1, [11.0, 2.0]), (6, 0, [7.0, 1.0])
    ]  # fmt: skip
