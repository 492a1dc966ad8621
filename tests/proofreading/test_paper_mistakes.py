"""The mistakes of paper: each is planted into a right line and named, and the right line stays right."""

from importlib import import_module

import pytest

from glassmax import check_derivation
from glassmax.doctor.mistakes import causes as programs
from glassmax.proofreading.checked import ASSUMED, FOLLOWS, INDICES, LUCK, WRONG
from glassmax.proofreading.document import statements_of
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.judging import judge
from glassmax.proofreading.mistakes import brackets, chains, indices, products, quantities, rules, sums
from glassmax.proofreading.mistakes.causes import CAUSES, SHARED, meaning
from glassmax.proofreading.mistakes.correction import Equation, Setting
from glassmax.proofreading.mistakes.effort import Effort
from glassmax.proofreading.mistakes.places import places, with_part
from glassmax.proofreading.mistakes.search import MISTAKES, explanation

from .planted import PLANTED, SOFTMAX

effort_module = import_module("glassmax.proofreading.mistakes.effort")
judge_module = import_module("glassmax.proofreading.judging.judge")

MODULES = (brackets, chains, indices, products, quantities, rules, sums)


def last_line(text):
    return judge(statements_of(text, "text")).lines[-1]


@pytest.mark.parametrize(("definitions", "right"), sorted({(one, right) for one, right, *_ in PLANTED}))
def test_the_right_line_is_right(definitions, right):
    line = last_line(definitions + right)
    assert line.verdict in (FOLLOWS, ASSUMED), line.says
    assert (line.cause, line.write) == ("", "")


@pytest.mark.parametrize(("definitions", "right", "wrong", "cause"), PLANTED)
def test_the_planted_mistake_is_named(definitions, right, wrong, cause):
    line = last_line(definitions + wrong)
    assert (line.verdict, line.cause) == (INDICES if cause in ONLY_INDICES else WRONG, cause), line.says
    assert line.proved
    corrected = last_line(definitions + line.write)
    assert corrected.verdict in (FOLLOWS, ASSUMED), line.write


ONLY_INDICES = ("outer_product", "component_for_vector")


@pytest.mark.parametrize(
    ("wrong", "write"),
    [
        ("dp_i/dz_i = p_i (delta_ij + p_j)", "dp_i/dz_j = p_i (δ_ij - p_j)"),
        ("dL/dz_i = sum_j y_k (1/p_k) dp_k/dz_i", "dL/dz_i = -Σ_k y_k (1/p_k) dp_k/dz_i"),
    ],
)
def test_two_mistakes_in_one_line_are_both_said(wrong, write):
    line = last_line(SOFTMAX + wrong)
    assert (line.verdict, line.write) == (WRONG, write)
    assert ";" in line.says


def test_each_cause_has_one_sentence_in_one_of_the_two_tables():
    assert not set(CAUSES) & set(programs.CAUSES)
    assert set(SHARED) <= set(programs.CAUSES)
    for cause in [*CAUSES, *SHARED]:
        assert meaning(cause).endswith(".")


def test_every_cause_that_a_mistake_can_have_is_in_a_table():
    setting = Setting(
        letters=("i", "j", "k"),
        quantities=tuple(parse(name) for name in ("p_i", "y_i", "b", "W_1", "W_2", "z_i")),
        calls=(parse("sigma(z)"),),
        axes=lambda name: 1 - len(name.below),
        sizes=(parse("N"),),
        left_letters=frozenset("ij"),
        right_letters=frozenset("ijk"),
    )
    formulas = "p_i (delta_ij - p_j)", "sum_k y_k log p_k", "1/2 y W_1 x^2", "sigma'(z) sigma(z)", "sum_k p_k^2"
    found = {
        correction.cause
        for formula in formulas
        for place in places(parse(formula))
        for mistake in MISTAKES
        for correction in mistake(place.node, setting)
    }
    assert len(found) > 20
    assert found <= set(CAUSES) | set(SHARED)


def test_every_mistake_is_searched():
    defined = {name for module in MODULES for name in module.__all__ if name not in ("count_of", "without_letter")}
    assert {mistake.__name__ for mistake in MISTAKES} == defined


def test_a_part_is_put_where_it_was():
    tree = parse("p_i (delta_ij - sum_k p_k W_kj) / sigma(z)")
    for place in places(tree):
        assert with_part(tree, place.path, place.node) == tree
    changed = {with_part(tree, place.path, parse("q")) for place in places(tree)}
    assert len(changed) == len({place.path for place in places(tree)})


def test_indices_and_names_of_functions_are_no_parts():
    names = [place.node for place in places(parse("sum_k p_k sigma(z_i)"))]
    assert parse("k") not in names
    assert parse("sigma") not in names


def test_nothing_is_found_when_nothing_is_right():
    equation = Equation(parse("p_i"), parse("sum_k y_k p_k"))
    assert explanation(equation, Setting(letters=("i", "k")), lambda candidate: False, Effort(5000)) is None


@pytest.mark.parametrize("steps", [0, 40, 400])
def test_the_search_ends_with_its_steps(steps):
    equation = Equation(parse("p_i"), parse("sum_k y_k p_k"))
    tried = []

    def never(candidate):
        tried.append(candidate)
        return False

    effort = Effort(steps)
    assert explanation(equation, Setting(letters=("i", "k")), never, effort) is None
    assert effort.left == 0
    assert len(tried) <= steps // 8


def test_the_clock_decides_nothing(monkeypatch):
    text = "L = -sum_k y_k log p_k\np_i = exp(z_i) / sum_k exp(z_k)\ndp_i/dz_j = p_k (delta_ij + p_j)\n"
    usual = check_derivation(text).to_json()
    clock = iter(range(10**9))
    monkeypatch.setattr(effort_module, "thread_time", lambda: next(clock) * 1e-4)  # a machine that is very slow
    assert check_derivation(text).to_json() == usual


def test_a_page_of_wrong_lines_takes_few_steps():
    wrong = ["p_i (delta_ij + p_j)", "p_i - p_i p_j", "p_j (delta_ij - p_i) p_i^2 + 3", "sum_k p_k^3 p_i p_j"]
    lines = ["p_i = exp(z_i) / sum_k exp(z_k)", *(f"dp_i/dz_j = {wrong[n % 4]} + {n}" for n in range(39))]
    taken = []

    class Counted(Effort):
        def spend(self, steps):
            taken.append(steps)
            return super().spend(steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_module, "Effort", Counted)
        patch.setattr(effort_module, "Effort", Counted)
        checked = check_derivation("\n".join(lines))
    assert len(checked.wrong) == 39
    assert sum(taken) <= 110_000
    assert len(taken) > 39


SUMS = "L = 1/N sum_n (y_n - t_n)^2\n"


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("p_i = exp(z_i)/sum_k exp(z_k)\nsum_k p_k^2 = 1 - 2 p_1 p_2\n", "p has two entries"),
        ("p_i = exp(z_i)/sum_k exp(z_k)\nsum_i p_i (1 - p_i) = 2 prod_i p_i\n", "p has two entries"),
        (SUMS + "dL/dy_n = 2 (y_n - t_n) N^2 + N - 1\n", "N = 1"),
    ],
)
def test_a_line_that_is_right_for_special_sizes_alone_is_right_by_luck(text, sizes):
    line = last_line(text)
    assert (line.verdict, line.cause, line.write) == (LUCK, "right_for_sizes", "")
    assert line.says == f"the two sides are equal only if {sizes}"


def test_a_line_that_is_wrong_for_every_size_is_no_luck():
    assert last_line(SUMS + "dL/dy_n = 7 (y_n - t_n)^3 / N + y_n^2 t_n\n").verdict == WRONG


@pytest.mark.parametrize(
    ("definitions", "right", "wrong"),
    [
        ("z = w x + b\na = max(0, z)\n", "da/db = 1{z > 0}", "da/db = 1"),
        ("z = w x + b\na = |z|\n", "da/db = z/|z|", "da/db = 1"),
        ("l = max(0, 1 - y s)\nL = 3 l\n", "dL/ds = -3 y 1{1 - y s > 0}", "dL/ds = -3 y"),
    ],
)
def test_a_number_is_seen_on_each_side_of_a_kink(definitions, right, wrong):
    assert last_line(definitions + right).verdict == FOLLOWS
    assert last_line(definitions + wrong).verdict == WRONG


def test_a_lost_factor_of_a_penalty_is_said_to_be_one():
    line = last_line("L = 1/2 (w x - y)^2 + lambda w^2\ndL/dw = (w x - y) x + lambda w\n")
    assert line.says == "the factor 2 is missing in the derivative of the penalty, λ w"
    assert line.write == "dL/dw = (w x - y) x + 2 λ w"


def test_a_missing_number_is_multiplied_into_the_one_that_stands_there():
    line = last_line("f = x^4\ndf/dx = 2 x^3\n")
    assert line.write == "df/dx = 4 x³"
