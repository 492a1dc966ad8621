"""The corpus proved without the doctor: right programs are right, wrong ones are wrong, each in its own way."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from tests.learners.programs import CASES
from tests.learners.proving import common_factor, distances, family, gradient, misbehaves, truth

pytestmark = pytest.mark.slow

KINK = {"W1": np.s_[:, 0], "b1": np.s_[:2]}


def accumulates(case):
    return any("accumulates" in causes for causes in case.expect)


RIGHT = [case for case in CASES if case.group in ("control", "note")]
MISBEHAVING = [case for case in CASES if case.group == "misbehaving"]
WRONG = [case for case in CASES if case not in RIGHT + MISBEHAVING and not accumulates(case)]
ACCUMULATING = [case for case in CASES if case not in RIGHT + MISBEHAVING and accumulates(case)]
FAMILIES = defaultdict(list)
for _case in WRONG:
    FAMILIES[family(_case)].append(_case)


def both(case):
    """Return the gradient of a case and the truth, the cells at a kink left out."""
    g, t = gradient(case), {name: values.copy() for name, values in truth(case).items()}
    if getattr(case.setup, "kink", False):
        for name, part in KINK.items():
            g[name][part] = t[name][part] = 0
    return g, t


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.id)
def test_a_right_program_gives_the_derivative_of_its_loss(case):
    g, t = both(case)
    scaled = {name: case.scale * values for name, values in t.items()}
    whole = max(np.linalg.norm(values) for values in scaled.values())
    for name, values in scaled.items():
        assert g[name].shape == values.shape
        assert np.linalg.norm(g[name] - values) < case.tolerance * max(np.linalg.norm(values), 1e-3 * whole)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_a_mistake_is_more_than_rounding_and_more_than_a_common_factor(case):
    g, t = both(case)
    factor = 1.0 if case.declared else common_factor(g, t)
    if abs(factor) > 1e-9:  # or nothing comes out, which is no factor of anything
        assert max(distances(g, {name: factor * values for name, values in t.items()}).values()) > 1e-4


@pytest.mark.parametrize("case", ACCUMULATING, ids=lambda case: case.id)
def test_the_second_call_of_a_program_that_accumulates_gives_something_else(case):
    first = gradient(case)
    assert max(distances(gradient(case), first).values()) > 1e-4


@pytest.mark.parametrize("case", MISBEHAVING, ids=lambda case: case.id)
def test_a_program_that_misbehaves_shows_it(case):
    assert misbehaves(case)


@pytest.mark.parametrize("cases", [cases for cases in FAMILIES.values() if len(cases) > 1], ids=lambda c: c[0].id)
def test_mistakes_that_give_the_same_numbers_expect_the_same_causes(cases):
    for one, other in combinations(cases, 2):
        try:
            a, b = gradient(one), gradient(other, problem_of=one)
        except Exception:
            continue  # shapes are written into the program
        if same_up_to_a_factor(a, b, free=not (one.declared and other.declared)):
            assert sorted(map(sorted, one.expect)) == sorted(map(sorted, other.expect)), (one.id, other.id)


def same_up_to_a_factor(a, b, free):
    if any(a[name].shape != b[name].shape for name in a):
        return False
    factor = common_factor(b, a) if free else 1.0
    size = max(np.linalg.norm(values) for values in a.values())
    return abs(factor) > 1e-9 and all(
        np.linalg.norm(b[name] - factor * a[name])
        <= 1e-9 * abs(factor) * max(np.linalg.norm(a[name]), 1e-6 * size) + 1e-15
        for name in a
    )
