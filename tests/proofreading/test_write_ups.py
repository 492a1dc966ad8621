"""Three public write-ups of backpropagation through softmax, formula by formula: each error is named at its line."""

from functools import cache
from pathlib import Path

import pytest

from glassmax.proofreading.checked import ASSUMED, FOLLOWS, GIVEN, INDICES, NOT_READ, WRONG, CheckedLine
from glassmax.proofreading.document import statements_of
from glassmax.proofreading.judging import judge

FOLDER = Path(__file__).parent / "write_ups"

NAMED = [
    ("A", 18, WRONG, "two_letters_for_one", "∂L/∂z_i = ∂(-Σ_k y_k log p_k)/∂z_i"),
    ("A", 20, WRONG, "two_letters_for_one", "= -Σ_k y_k ∂(log p_k)/∂z_i"),
    ("A", 28, WRONG, "index_on_one_side", "∂p_i/∂z_j = p_i (δ_ij - p_j)"),
    ("A", 37, WRONG, "index_on_one_side", "= -Σ_k y_k * 1/p_k * p_i (δ_ik - p_k)"),
    ("A", 41, WRONG, "delta_wrong_pair", "δ_ik = 1"),
    ("A", 42, WRONG, "stray_sum", "= [-y_i * 1/p_i * p_i (1 - p_i)] + [-Σ_{k≠i} y_k * 1/p_k * p_k (0 - p_i)]"),
    ("A", 50, INDICES, "component_for_vector", "∂L/∂z^l = p - y"),
    ("A", 57, INDICES, "component_for_vector", ""),
    ("A", 59, INDICES, "outer_product", "∂L/∂w^l = (p - y) (a^{l-1})ᵀ"),
    ("A", 64, WRONG, "index_on_one_side", "w^l = w^l - α * ∂L/∂w^l"),
    ("A", 72, INDICES, "component_for_vector", "∂L/∂z^l = (p - y)"),
    ("A", 76, WRONG, "order_of_factors", "∂L/∂z^{l-1} = (w^l)ᵀ (p - y) . σ'(z^{l-1})"),
    ("A", 77, INDICES, "component_for_vector", ""),
    ("A", 78, WRONG, "order_of_factors", "= (w^l)ᵀ (p - y) . σ'(z^{l-1}) (a^{l-2})ᵀ"),
    ("B", 9, WRONG, "index_missing", "∂y/∂z = y_i (δ_ij - y_j)"),
    ("B", 13, WRONG, "index_missing", "matrix_a = [y1 (1 - y1), 0, 0; 0, y2 (1 - y2), 0; 0, 0, y3 (1 - y3)]"),
    ("B", 23, WRONG, "jacobian_rows_summed", None),
    ("C", 38, WRONG, "sum_of_squares", None),
    ("C", 59, FOLLOWS, "in_place", ""),
    ("C", 60, WRONG, "sign", "dL_by_dW2 = 1.0 / 5 * (O_1.T @ dL_by_dS)"),
]
"""The errors of formulas: write-up, line, verdict, cause, the line as it should read (None: any)."""
SUM_TO_ONE = {("A", 49): "Σ_k y_k = 1"}
UNREAD = {("B", 55)}
"""A formula about shapes alone."""


@cache
def checked(name: str) -> list[CheckedLine]:
    return judge(statements_of((FOLDER / f"{name}.md").read_text(), "markdown")).lines


@pytest.mark.parametrize(("name", "number", "verdict", "cause", "write"), NAMED)
def test_each_error_is_named_at_its_line_with_its_cause(name, number, verdict, cause, write):
    lines = [line for line in checked(name) if line.number == number and line.cause]
    assert [(line.verdict, line.cause) for line in lines[:1]] == [(verdict, cause)]
    assert all(line.says or line.notation for line in lines)
    if write is not None:
        assert lines[0].write == write


@pytest.mark.parametrize("name", "ABC")
def test_no_right_line_is_called_wrong(name):
    named = {(each, number) for each, number, *_ in NAMED}
    others = [line for line in checked(name) if (name, line.number) not in named]
    assert len(others) > 5
    assert [line for line in others if line.verdict not in (FOLLOWS, ASSUMED, GIVEN, NOT_READ)] == []


@pytest.mark.parametrize("name", "ABC")
def test_every_formula_about_values_is_read(name):
    assert {(name, line.number) for line in checked(name) if line.verdict == NOT_READ} == {
        place for place in UNREAD if place[0] == name
    }


def test_the_unsaid_assumption_is_said():
    for (name, number), words in SUM_TO_ONE.items():
        (line,) = [line for line in checked(name) if line.number == number]
        assert (line.verdict, line.says) == (ASSUMED, words)


def test_both_cases_of_the_delta_are_told_apart():
    assert [line.verdict for line in checked("A") if line.number in (29, 30)] == [FOLLOWS, FOLLOWS]
    assert [line.write for line in checked("A") if line.number == 41] == ["δ_ik = 1", "δ_ik = 0"]


def test_errors_are_not_carried_on():
    after = {line.number: line for line in checked("A")}
    assert (after[20].follows_before, after[22].verdict, after[39].verdict, after[43].verdict) == (
        True,
        FOLLOWS,
        FOLLOWS,
        FOLLOWS,
    )


def test_the_rows_of_the_summed_jacobian_become_a_matrix():
    (line,) = [line for line in checked("B") if line.number == 23]
    assert line.write.count(";") == 2
    assert line.proved


def test_the_squared_sum_is_written_as_its_author_would():
    (line,) = [line for line in checked("C") if line.number == 38]
    assert "(Σ_{p=1}^3 U[i, p])²" in line.write
    assert r"\left(" in line.write_latex or "(" in line.write_latex
