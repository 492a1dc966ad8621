"""The proof can fail: a wrong line, a wrong result or a wrong matrix is caught, said, and never passes."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from glassmax import calculus
from glassmax.calculus import derive, differentiate
from glassmax.calculus.expression import ONE, Add, Call, Mul, Num, Pow, Tensor
from glassmax.calculus.matrix import Scaled
from glassmax.calculus.simplifying import simplifier
from glassmax.cli import main

SOFTMAX = "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"
TWO = Num(Fraction(2))


def softmax():
    return derive(SOFTMAX, "z", assume="sum_k y_k = 1")


def fails(derivation):
    assert not derivation.verify()
    assert not derivation.proved
    assert "FAILED" in derivation.text()
    assert derivation.verdict.startswith("FAILED")
    assert derivation.verdict in repr(derivation)
    assert derivation.json()["proved"] is False


def test_an_untouched_derivation_is_proved_again_with_other_numbers():
    derivation = softmax()
    assert all(derivation.verify(seed) for seed in range(20))
    assert "FAILED" not in derivation.text()


@pytest.mark.parametrize("number", range(9))
def test_a_wrong_line_is_caught_wherever_it_stands(number):
    derivation = softmax()
    line = derivation.steps[number]
    line.expression = Mul((TWO, line.expression))
    fails(derivation)
    assert line.error > 0.1


def test_a_line_that_is_nearly_right_is_caught():
    derivation = softmax()
    line = derivation.steps[-1]
    line.expression = Mul((Num(Fraction(1_000_001, 1_000_000)), line.expression))
    fails(derivation)


def test_a_wrong_result_is_caught_though_all_lines_are_right():
    derivation = softmax()
    derivation.expression = Mul((TWO, derivation.expression))
    derivation.matrix = None
    fails(derivation)
    assert all(line.error <= derivation.tolerance for line in derivation.steps)


def test_a_wrong_matrix_is_caught_though_the_index_form_is_right():
    derivation = softmax()
    derivation.matrix = Scaled(Fraction(2), derivation.matrix, derivation.matrix.axes)
    fails(derivation)
    assert derivation.error <= derivation.tolerance < derivation.matrix_error


def test_a_transposed_matrix_is_caught_as_no_two_sizes_are_equal():
    derivation = derive("L = sum_{i,j} x_i A_ij y_j", "A")
    derivation.matrix = replace(derivation.matrix, factors=derivation.matrix.factors[::-1])
    fails(derivation)


def test_a_line_that_holds_under_an_assumption_alone_fails_without_it():
    derivation = softmax()
    derivation.assumptions = ()
    fails(derivation)


def test_what_is_not_measured_is_not_proved():
    derivation = softmax()
    derivation.steps[0].error = math.nan
    assert not derivation.proved
    assert derivation.verdict.startswith("Not proved yet")


def wrong_tanh(monkeypatch):
    right = differentiate.function_derivative

    def wrong(function, x, order=0):
        if (function, order) == ("tanh", 0):
            return Add((ONE, Pow(Call("tanh", x), TWO)))
        return right(function, x, order)

    monkeypatch.setattr(differentiate, "function_derivative", wrong)


def test_a_wrong_rule_of_differentiation_is_caught(monkeypatch):
    wrong_tanh(monkeypatch)
    derivation = calculus.derive("a_i = tanh(z_i); L = sum_i g_i a_i", "z")
    assert not derivation.proved
    assert "FAILED" in str(derivation)


def test_a_wrong_simplification_is_caught(monkeypatch):
    right = simplifier.collect
    monkeypatch.setattr(simplifier, "collect", lambda terms, style: right(terms[:1], style))
    derivation = calculus.derive("L = sum_i x_i^2 + sum_i a_i x_i", "x")
    assert not derivation.proved
    assert "FAILED" in str(derivation)


def test_a_wrong_name_for_a_part_is_caught():
    derivation = derive("y_i = x_i^2; L = sum_i g_i y_i", "x")
    derivation.expression = Mul((TWO, Tensor("g", ("i",)), Tensor("y", ("i",))))
    fails(derivation)


@pytest.mark.parametrize("form", [[], ["--latex"], ["--numpy"], ["--html"]])
def test_the_command_exits_1_and_says_so_when_a_line_fails(monkeypatch, capsys, form):
    wrong_tanh(monkeypatch)
    monkeypatch.setattr("sys.argv", ["glassmax", "derive", "L = sum_i tanh(z_i)", "--wrt", "z", *form])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "FAILED" in capsys.readouterr().out


def test_the_json_of_a_failed_derivation_says_so(monkeypatch, capsys):
    wrong_tanh(monkeypatch)
    monkeypatch.setattr("sys.argv", ["glassmax", "derive", "L = sum_i tanh(z_i)", "--wrt", "z", "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert '"proved": false' in capsys.readouterr().out
