"""notation.md: every equation, derivation and rule is glassmax's own array, and every name on the page exists."""

import re

import numpy as np
import pytest

from glassmax import Network, functional, gradcheck
from tests.pages.equations import any_row_sums_world, check_equation, equations, one_hidden_layer, steps
from tests.pages.notation import blocks, by_index_form, by_matrix_form, name_of, text_of

NOTATION = text_of("notation.md")


@pytest.mark.parametrize(("kind", "line"), list(equations(NOTATION)), ids=lambda text: text.split(" ")[0])
def test_index_form_and_matrix_form_are_the_same_array_and_glassmaxs(kind, line):
    check_equation(kind, line)


def test_the_notation_page_has_all_the_equations():
    lefts = [name_of(re.split(" = | ← ", line)[0]) for kind, line in equations(NOTATION) if kind == "equations"]
    expected = "Z_here A_here P losses L jacobians dZ dP dZ dZ dW_here db_here dA_below dZ_below W_here b_here"
    assert lefts == expected.split()
    assert len(list(equations(NOTATION))) == 29


def test_the_general_form_of_dZ_holds_for_rows_of_any_sum_and_the_short_one_does_not():
    long, short = (line for _, line in equations(NOTATION) if line.startswith("dZ[i,m] = (P"))
    assert "rowsum(Y)" in long
    check_equation("equations", long, any_row_sums_world())
    with pytest.raises(AssertionError):
        check_equation("equations", short, any_row_sums_world())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("A_{l-1}ᵀ dZ_l ", "A_{l-1} dZ_l "),
        ("Σ_v dZ_l[i,v]·W_l[u,v]", "Σ_v dZ_l[i,v]·W_l[v,u]"),
        ("dA_{l-1} ⊙ f'(Z_{l-1})", "dA_{l-1} ⊙ f'(Z_l)"),
        ("(P[i,m] - Y[i,m])/n", "(Y[i,m] - P[i,m])/n"),
        ("-Σ_c Y[i,c]·log(P[i,c])", "Σ_c Y[i,c]·log(P[i,c])"),
        ("(δ[c,m] - P[i,m])", "(δ[c,m] - P[i,c])"),
        ("diag(p) - p pᵀ", "diag(p) - p ⊙ p"),
        ("rowsum(dP ⊙ P))       (n, k)", "rowsum(dP ⊙ P))       (n,)"),
    ],
)
def test_a_wrong_equation_on_the_notation_page_would_be_found(right, wrong):
    kind, line = next((kind, line) for kind, line in equations(NOTATION) if right in line)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check_equation(kind, line.replace(right, wrong))


def embedded():
    """Return the arrays of an embedding, by the library."""
    draw, size = np.random.default_rng(0), {"i": 5, "j": 2, "k": 3, "e": 4}
    F, H = draw.normal(size=(2, 2, 3))
    X, V, C, dA = (draw.normal(size=shape) for shape in ((5, 2), (2, 3, 4), (2, 4), (5, 2, 4)))
    _, dF, dH, dV, dC = functional.periodic_vjp(dA, X, F, H, V)
    U = X[..., None] * F + H
    numbers = {"X": X, "F": F, "H": H, "V": V, "C": C, "dA": dA, "dF": dF, "dH": dH, "dV": dV, "dC": dC, "U": U}
    numbers |= {"A": functional.periodic(X, F, H, V, C), "dU": -np.sin(U) * np.einsum("ije,jke->ijk", dA, V)}
    G, E, dB = draw.normal(size=(5, 3)), draw.normal(size=(3, 4)), draw.normal(size=(5, 4))
    _, dE, _ = functional.affine_vjp(dB, G, E)
    return numbers | {"G": G, "E": E, "dB": dB, "dE": dE, "B": G @ E, "size": size, "cos": np.cos, "sin": np.sin}


EMBEDDING = [line.split(" = ") for block in blocks(NOTATION, "embedding") for line in block.splitlines()]


@pytest.mark.parametrize(("left", "right"), EMBEDDING, ids=[left for left, _ in EMBEDDING])
def test_each_equation_of_an_embedding_is_glassmaxs_array(left, right):
    world = embedded()
    np.testing.assert_allclose(by_index_form(left, right, world), world[left.partition("[")[0]], rtol=0, atol=1e-12)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(by_index_form(left, f"2*({right})", world), world[left.partition("[")[0]], atol=1e-6)


@pytest.mark.parametrize(("left", "right"), [step for block in blocks(NOTATION, "derivation") for step in steps(block)])
def test_each_line_of_a_derivation_is_the_same_array_and_glassmaxs(left, right):
    world = one_hidden_layer()
    np.testing.assert_allclose(by_index_form(left, right, world), world[name_of(left)], rtol=0, atol=1e-12)


def matrix_remarks():
    """Yield the matrix forms that the rules and the derivations arrive at, as ``dW_2 = A_1ᵀ dZ_2``."""
    for block in blocks(NOTATION, "(?:text|derivation)"):
        for line in re.findall(r"(?:^| {2,})(d?[A-Zb]_?\d? = [^\[\],:]+?)(?= {2,}|$)", block, re.M):
            left, *rights = line.split(" = ")
            yield from ((left, right) for right in rights)


@pytest.mark.parametrize(("left", "right"), list(matrix_remarks()))
def test_each_matrix_form_that_a_rule_arrives_at_is_glassmaxs_array(left, right):
    world = one_hidden_layer()
    np.testing.assert_allclose(by_matrix_form(right, world).squeeze(), world[left], rtol=0, atol=1e-12)


def test_the_rules_and_derivations_of_the_notation_page_are_all_read():
    arrived = ["Z_2", "dW_2", "dA_1", "dZ_1", "db_2", "db_2", "dZ", "dA_1", "dZ_1", "dW_1"]
    assert sorted(left for left, _ in matrix_remarks()) == sorted(arrived)
    assert [left for block in blocks(NOTATION, "derivation") for left, _ in steps(block)] == [
        "J_i[c,m]",
        *["dZ[i,m]"] * 4,
        *["dW_1[u,v]"] * 5,
    ]


def test_every_function_that_the_notation_page_names_exists():
    named = re.findall(r"`(functional|Network|gradcheck)\.(\w+)`", NOTATION)
    assert len(named) > 30
    homes = {"functional": functional, "Network": Network, "gradcheck": gradcheck}
    assert [f"{home}.{name}" for home, name in named if not callable(getattr(homes[home], name, None))] == []


def test_the_table_of_the_notation_page_puts_each_vjp_beside_its_function():
    for row in re.findall(r"^\|.*_vjp`.*\|$", NOTATION, re.M):
        forward, backward = (re.findall(r"`functional\.(\w+)`", cell) for cell in row.split("|")[2:4])
        assert [name for name in backward if name.endswith("_vjp")] == [f"{name}_vjp" for name in forward]
