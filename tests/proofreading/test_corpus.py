"""Derivations in the styles of public write-ups and textbooks: what is said of each line is right.

`KNOWN` lists the derivations of which something false is said, with the reason; once all is right, the test fails
until the entry is removed.
"""

import pytest

from .corpus.gold import GOLD
from .corpus.rates import outcome, rates

QUICK = [
    "steps_of_gradient.md",
    "two_sections.md",
    "three_layers_slips.md",
    "bullet_steps_slips.txt",
    "newcommands_slips.tex",
    "row_convention_slips.md",
    "two_layer_numpy.txt",
]
"""One of each kind, which every run of the tests goes through."""

KNOWN: dict[str, str] = {}


@pytest.mark.parametrize("name", QUICK)
def test_what_is_said_of_one_of_each_kind_is_right(name):
    assert outcome(name).faults() == []
    assert outcome(name).unread == []


@pytest.mark.slow
@pytest.mark.parametrize("name", GOLD)
def test_what_is_said_of_a_derivation_is_right(name):
    assert bool(outcome(name).faults()) == (name in KNOWN), outcome(name).faults()


@pytest.mark.slow
def test_the_rates_over_all_derivations():
    found = rates([name for name in GOLD if name not in KNOWN])
    assert found["read"] >= 0.98
    assert found["first"] >= 0.98
    assert found["cause"] >= 0.98
    assert found["false alarms"] == 0


def test_the_derivations_are_right_wrong_in_one_place_and_wrong_in_two():
    assert len(GOLD) >= 40
    counts = [len(wrong) for wrong in GOLD.values()]
    assert min(counts.count(0), counts.count(1), sum(count > 1 for count in counts)) >= 30
