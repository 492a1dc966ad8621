"""The budget of a search: the number of tries follows from the program, the same on every machine."""

from types import SimpleNamespace

import pytest

from glassmax.doctor.exact_pass import Architecture
from glassmax.doctor.lines.budget import FEWEST, MOST, Budget, call_length
from glassmax.learner.line_watch import watch_lines


def test_short_programs_have_the_most_calls_and_long_ones_the_fewest():
    assert Budget.of(1.0, 9.0) == Budget(MOST, False, 9.0)
    assert Budget.of(1e9, 9.0) == Budget(FEWEST, True, 9.0)
    assert FEWEST < Budget.of(5000.0, 9.0).calls < MOST


def _pass(n, *sizes):
    return SimpleNamespace(n=n, architecture=Architecture(sizes, (), "softmax", "cross_entropy", ()))


def looped(n):
    total = 0.0
    for i in range(n):
        total += i
    return total


@pytest.mark.parametrize("n", [10, 1000])
def test_the_length_of_a_call_grows_with_its_statements_and_with_the_network(n):
    small, large = _pass(5, 2, 3), _pass(1000, 784, 512, 10)
    (_, once), (_, again), (_, more) = (watch_lines(looped, (times,)) for times in (n, n, 2 * n))
    assert call_length(once, small) == call_length(again, small) < call_length(more, small)
    assert call_length(once, small) < call_length(once, large)
