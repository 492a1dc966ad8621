"""The value of a tree on random numbers, and of a derivative by the definitions."""

from fractions import Fraction

import numpy as np
import pytest

from glassmax.proofreading.formula.tree import (
    Add,
    Call,
    Condition,
    Derivative,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)
from glassmax.proofreading.numbers import CountFault, Equation, ShapeFault, contexts


def n(base, *below, above=()):
    return Name(base, tuple(i if not isinstance(i, str) else Name(i) for i in below), above)


def times(*factors, sign=""):
    return Product(factors, (sign,) * (len(factors) - 1))


def log(x):
    return Call(Name("log"), (x,))


def exp(x):
    return Power(Name("e"), x)


def minus(a, b):
    return Add((a, Negative(b)))


ONE = Number(Fraction(1))
LOSS = Equation((n("L"), Negative(Summation(("k",), times(n("y", "k"), log(n("p", "k")))))))
SOFTMAX = Equation((n("p", "j"), Quotient(exp(n("z", "j")), Summation(("k",), exp(n("z", "k"))))))


def d(of, *by):
    return Derivative(of, by)


def delta(i, j):
    return n("delta", i, j)


CLAIMS = [
    (d(n("p", "i"), n("z", "j")), times(n("p", "i"), minus(delta("i", "j"), n("p", "j"))), "same"),
    (d(n("p", "i"), n("z", "i")), times(n("p", "i"), minus(delta("i", "j"), n("p", "j"))), ""),
    (d(n("L"), n("z", "i")), minus(n("p", "i"), n("y", "i")), ""),
    (
        d(n("L"), n("z", "i")),
        minus(times(n("p", "i"), Summation(("k",), n("y", "k"))), n("y", "i")),
        "same",
    ),
    (d(n("L"), n("z")), minus(times(n("p", "i"), Summation(("k",), n("y", "k"))), n("y", "i")), "component"),
    (d(n("L"), n("z"), n("z")), minus(times(n("p", "i"), delta("i", "j")), times(n("p", "i"), n("p", "j"))), ""),
    (d(n("L"), n("p", "k")), Negative(Quotient(n("y", "k"), n("p", "k"))), "same"),
    (d(n("p", "i"), n("z", "i")), times(n("p", "i"), minus(ONE, n("p", "i"))), "same"),
]


@pytest.mark.parametrize(("left", "right", "kind"), CLAIMS)
def test_a_claim_by_indices_is_compared_with_the_measured_derivative(left, right, kind):
    context = contexts([LOSS, SOFTMAX, Equation((left, right))])[0]
    assert context.compare(left, right) == kind


def test_an_assumption_makes_a_line_right():
    context = contexts([LOSS, SOFTMAX])[0]
    left, right = d(n("L"), n("z", "i")), minus(n("p", "i"), n("y", "i"))
    assert context.compare(left, right, adjusted=[("sum to one", "y")]) == "same"
    assert context.compare(left, right, adjusted=[("one-hot", "y")]) == "same"
    hessian = d(n("L"), n("z", "i"), n("z", "j"))
    second = times(n("p", "i"), minus(delta("i", "j"), n("p", "j")))
    assert context.compare(hessian, second, adjusted=[("sum to one", "y")]) == "same"
    nested = d(left, n("z", "j"))
    assert context.compare(nested, second, adjusted=[("sum to one", "y")]) == "same"
    assert context.compare(nested, Negative(second), adjusted=[("sum to one", "y")]) == ""


def test_a_condition_limits_the_cells():
    left = d(n("p", "i"), n("z", "j"))
    context = contexts([LOSS, SOFTMAX])[0]
    same = Condition(Name("i"), "=", Name("j"))
    other = Condition(Name("i"), "!=", Name("j"))
    assert context.compare(left, times(n("p", "i"), minus(ONE, n("p", "i"))), same) == "same"
    assert context.compare(left, Negative(times(n("p", "i"), n("p", "j"))), other) == "same"
    assert context.compare(left, Negative(times(n("p", "i"), n("p", "j"))), same) == ""


def test_a_sum_over_a_letter_that_nothing_has_is_a_fault():
    context = contexts([LOSS, SOFTMAX])[0]
    wrong = Negative(Summation(("q",), times(n("y", "k"), log(n("p", "k")))))
    with pytest.raises(CountFault, match="the sum runs over q, and nothing in it has the index q"):
        context.compare(n("L"), wrong)


COLUMNS = [
    Equation((n("z"), Add((times(n("W"), n("a")), n("b"))))),
    Equation((n("p"), Call(Name("softmax"), (n("z"),)))),
    LOSS,
]


def test_matrix_notation_has_an_order_and_transposes():
    context = contexts(COLUMNS)[0]
    assert (context.rank("W"), context.rank("a"), context.rank("b"), context.rank("z")) == (2, 1, 1, 1)
    error = minus(n("p"), n("y"))
    one = [("sum to one", "y")]
    assert context.compare(d(n("L"), n("z")), error, adjusted=one) == "same"
    assert context.compare(d(n("L"), n("W")), times(error, Transpose(n("a"))), adjusted=one) == "same"
    assert context.compare(d(n("L"), n("a")), times(Transpose(n("W")), error), adjusted=one) == "same"
    assert context.compare(d(n("L"), n("b")), error, adjusted=one) == "same"
    assert context.compare(d(n("L"), n("W")), times(n("a"), Transpose(error)), adjusted=one) == "transposed"
    assert context.compare(d(n("z"), n("a")), n("W")) == "same"
    assert context.compare(d(n("z"), n("W")), n("a")) == "implied"
    for wrong in (times(n("W"), error), times(error, n("a"))):
        with pytest.raises(ShapeFault):
            context.compare(d(n("L"), n("a")), wrong)


def test_the_chain_rule_of_whole_arrays_is_right_in_either_order():
    context = contexts(COLUMNS)[0]
    for factors in ((d(n("L"), n("z")), d(n("z"), n("a"))), (d(n("z"), n("a")), d(n("L"), n("z")))):
        assert context.compare(d(n("L"), n("a")), times(*factors)) == "same"
    assert context.compare(d(n("L"), n("W")), times(d(n("L"), n("z")), d(n("z"), n("W")), sign="cdot")) == "same"


def test_scalars_and_open_functions():
    equations = [
        Equation((n("z"), Add((times(n("w"), n("x")), n("b"))))),
        Equation((n("a"), Call(Name("sigma"), (n("z"),)))),
        Equation(
            (n("L"), times(Quotient(ONE, Number(Fraction(2))), Power(minus(n("a"), n("y")), Number(Fraction(2)))))
        ),
    ]
    primed = Call(Name("sigma", primes=1), (n("z"),))
    right = times(minus(n("a"), n("y")), primed, n("x"))
    kinds = []
    for context in contexts([*equations, Equation((d(n("L"), n("w")), right))]):
        try:
            kinds.append(context.compare(d(n("L"), n("w")), right))
        except ShapeFault:
            kinds.append("fault")
    assert kinds[0] == "same"


def test_layers_are_separate_arrays():
    layer = Name("l")
    before = Add((layer, Negative(ONE)))
    z, a, w, b = (n(base, above=(layer,)) for base in "zawb")
    a1 = n("a", above=(before,))
    equations = [
        Equation((z, Add((times(w, a1), b)))),
        Equation((a, Call(Name("sigma"), (z,)))),
        Equation((n("L"), Summation(("k",), Power(n("a", "k", above=(Name("L"),)), Number(Fraction(2)))))),
    ]
    later = n("z", above=(Add((layer, ONE)),))
    w1 = n("w", above=(Add((layer, ONE)),))
    right = Product(
        (Transpose(w1), d(n("L"), later), Call(Name("sigma", primes=1), (z,))),
        ("", "odot"),
    )
    context = contexts([*equations, Equation((d(n("L"), z), right))])[0]
    assert context.compare(d(n("L"), z), right) == "same"
    assert context.compare(d(n("L"), w), times(d(n("L"), z), Transpose(a1))) == "same"
    with pytest.raises(ShapeFault):
        context.compare(d(n("L"), z), Product((w1, *right.factors[1:]), right.signs))


def test_every_size_is_different():
    context = contexts(COLUMNS)[0]
    for turn in range(3):
        shapes = context.value(n("W"), context.draw(turn)).shape
        assert len(set(shapes)) == 2
        assert np.isfinite(context.value(n("L"), context.draw(turn)).array)
