"""glassmax derive, as a person runs it: what it prints, where, and with which exit code."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from glassmax.calculus.functional import FUNCTIONAL_EQUATIONS
from glassmax.cli import main

SOFTMAX = "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"
ONE_SUM = ["--assume", "sum_k y_k = 1"]
CELLS = "S_ij = sum_k O1_ik W2_kj + b2_j; P_ij = softmax_j(S_ij); L = -1/N sum_i log P[i, y_i]"


@pytest.fixture
def derive(monkeypatch, capsys):
    """Run the command; return its exit code, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["glassmax", "derive", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        assert "Traceback" not in written.out + written.err
        return end.value.code, written.out, written.err

    return run


def test_the_softmax_gradient_prints_its_steps_and_both_forms(derive):
    code, out, err = derive(SOFTMAX, "--wrt", "z", *ONE_SUM)
    assert (code, err) == (0, "")
    assert "index form   dL/dz_i = p_i - y_i" in out
    assert "matrix form  dL/dz = p - y" in out
    for word in ("Understood as", "assuming", "chain rule through p", "quotient rule", "assumption used", "proved"):
        assert word in out
    assert "of the shape of z" in out
    assert "Proved:" in out.splitlines()[-1]


def test_numpy_is_source_that_runs(derive):
    code, out, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--numpy")
    assert code == 0
    scope = {}
    exec(out, scope)
    z, y = np.array([0.3, -1.0, 2.0]), np.array([0.0, 1.0, 0.0])
    p = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(scope["dL_dz"](y=y, z=z), p - y)


def test_latex_is_the_result(derive):
    code, out, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--latex")
    assert (code, out.strip()) == (0, "p - y")


def test_mathml_is_well_formed(derive):
    code, out, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--mathml")
    assert code == 0
    assert ElementTree.fromstring(out).tag.endswith("math")


def test_html_and_markdown_show_every_line(derive):
    _, html, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--html")
    assert html.startswith("<!doctype html>")
    assert html.count("<tr>") > 6
    assert "chain rule through p" in html
    _, markdown, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--markdown")
    assert markdown.count("\n- $") > 6
    assert "Matrix form: $p - y$" in markdown


def test_json_holds_everything(derive):
    code, out, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM, "--json")
    data = json.loads(out)
    assert code == 0
    assert (data["index_form"], data["matrix_form"], data["proved"]) == ("p_i - y_i", "p - y", True)
    assert data["assumptions"] == ["sum_k y_k = 1"]
    assert {"left", "right", "rule", "error"} == set(data["steps"][0])
    assert "def dL_dz" in data["numpy"]


def test_cases_show_a_delta_as_equal_and_not_equal(derive):
    code, out, _ = derive(CELLS, "--cell", "W2[m,n]", "--cases")
    assert code == 0
    assert "dL/dW2_mn" in out
    assert re.search(r"y_i = \w: ", out)
    assert re.search(r"y_i != \w: ", out)
    assert "O1ᵀ(P - Y)/N" in out
    assert "Y is one-hot" in out


def test_wrt_twice_is_a_hessian_and_times_multiplies_it(derive):
    _, out, _ = derive(SOFTMAX, "--wrt", "z", "--wrt", "z", *ONE_SUM)
    assert "diag(p) - p pᵀ" in out
    _, out, _ = derive(SOFTMAX, "--wrt", "z", "--wrt", "z", "--times", "v", *ONE_SUM)
    assert "p ⊙ v - (pᵀv) p" in out


def test_einstein_sums_what_stands_twice(derive):
    code, out, _ = derive("L = x_i A_ij x_j", "--wrt", "x", "--einstein")
    assert code == 0
    assert "(A + Aᵀ) x" in out


def test_matrix_notation_is_read(derive):
    code, out, _ = derive("--matrix", "L = sum((X @ w - y)^2)", "--wrt", "w")
    assert code == 0
    assert "2 Xᵀ(X w - y)" in out


def test_of_names_what_is_differentiated(derive):
    code, out, _ = derive("y_i = x_i^2; L = sum_i y_i", "--of", "y", "--wrt", "x")
    assert code == 0
    assert "2 diag(x)" in out


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "gelu", "f"])
def test_a_network_is_derived_from_its_sizes(derive, activation):
    code, out, err = derive("--network", "4-10-3", "--activation", activation, "--wrt", "W1")
    assert (code, err) == (0, "")
    assert "XᵀdZ1" in out
    assert "dZ1 = " in out


@pytest.mark.parametrize("name", ["softmax_vjp", "affine_vjp", "gelu_second", "softmax_jacobian"])
def test_a_rule_of_functional_is_derived_by_its_name(derive, name):
    code, out, _ = derive("--rule", name)
    assert code == 0
    assert out.count("Proved:") == len(FUNCTIONAL_EQUATIONS[name].wrt)


@pytest.mark.parametrize(
    ("equations", "place"),
    [
        ("L = (sum_k y_k", 4),
        ("L = sum_k y_k)", 13),
        ("L = x_i", 4),
        ("L = sum_k y_k +", 15),
        ("a = b; b = a", 0),
    ],
)
def test_malformed_equations_exit_2_with_a_caret_under_the_place(derive, equations, place):
    code, out, err = derive(equations, "--wrt", "x")
    assert (code, out) == (2, "")
    lines = err.rstrip().splitlines()
    assert len(lines) <= 3
    assert lines[-1].strip() == "^"
    assert lines[-2].strip() == equations
    assert abs(lines[-1].index("^") - lines[-2].index(equations[0]) - place) <= 3


def test_an_index_three_times_under_einstein_is_refused(derive):
    code, _, err = derive("L = a_i b_i c_i", "--wrt", "a", "--einstein")
    assert code == 2
    assert err.rstrip().endswith("^")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SOFTMAX,), "--wrt"),
        ((), "--network"),
        ((SOFTMAX, "--network", "4-3", "--wrt", "z"), "exactly one"),
        (("--network", "4", "--wrt", "W1"), "4-10-3"),
        (("--network", "4-x-3", "--wrt", "W1"), "4-10-3"),
        (("--network", "4-3", "--wrt", "W1", "--wrt", "b1"), "Give --wrt or --cell once."),
        (("--network", "4-3", "--wrt", "W1", "--of", "L"), "--of changes nothing without equations. Leave it out."),
        ((SOFTMAX, "--wrt", "z", "--output", "sigmoid"), "--output changes nothing without --network. Leave it out."),
        ((SOFTMAX, "--wrt", "z", "--shapes", "z: k"), "--shapes changes nothing without --matrix. Leave it out."),
        (
            ("--rule", "softmax_vjp", "--wrt", "Z"),
            "--wrt changes nothing without equations or --network. Leave it out.",
        ),
        ((SOFTMAX, "--wrt", "z", "--numpy", "--latex"), "--numpy and --latex can't be combined."),
        ((SOFTMAX, "--wrt", "z", "--latex", "--cases"), "--latex and --cases can't be combined."),
    ],
)
def test_a_command_line_that_asks_for_nothing_clear_exits_2(derive, arguments, message):
    code, out, err = derive(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SOFTMAX, "--wrt", "q"), "--wrt is 'q', expected one of the arrays: L, p, y, z."),
        (
            (SOFTMAX, "--wrt", "z", "--of", "M"),
            "--of is 'M', expected one of the arrays that an equation defines: p, L.",
        ),
        (("y_i = x_i; w_i = 2 x_i", "--wrt", "x"), "say which one, such as --of y."),
        (("L = sum_i x_i", "--wrt", "L"), "or say what to differentiate with --of."),
        (("L = x_i y_i", "--wrt", "x"), "write sum_i, or use --einstein"),
        (("--matrix", "L = sum(foo)", "--wrt", "foo"), "declare it: --shapes 'foo: n,d'"),
        ((SOFTMAX, "--wrt", "z", "--assume", "sum_k w_k = 1"), "--assume 'sum_k w_k = 1': there is no w in the equa"),
        (
            (SOFTMAX, "--wrt", "z", "--assume", "sum_k p_k = 3"),
            "The assumption sum_k p_k = 3 contradicts the equations",
        ),
        (("--rule", "softmx"), "--rule is 'softmx'. Did you mean 'softmax_vjp'? Expected one of affine_vjp, "),
        (("--network", "4-3-2", "--activation", "tahn", "--wrt", "W1"), "'tanh'"),
        (("--network", "4-3-2", "--wrt", "W7"), "W7"),
        ((SOFTMAX, "--cell", "z[m,n]"), "z_mn has 2 indices, but z has 1 index."),
        (("L = sum_i x_i", "--wrt", "x", "--assume", "sum_i x_i = 1", "--assume", "sum_i x_i = 2"), "can't all hold"),
    ],
)
def test_a_name_that_is_not_there_is_one_line_on_stderr(derive, arguments, message):
    code, out, err = derive(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) <= 3


def test_an_assumption_that_contradicts_the_equations_leaves_nothing_else_on_stderr(capfd, monkeypatch):
    monkeypatch.setattr("sys.argv", ["glassmax", "derive", SOFTMAX, "--wrt", "z", "--assume", "sum_k p_k = 3"])
    with pytest.raises(SystemExit):
        main()
    assert capfd.readouterr().err.splitlines() == [
        "Error: The assumption sum_k p_k = 3 contradicts the equations: no numbers were found that satisfy both. "
        "Leave the assumption out, or correct it."
    ]


def test_an_assumption_that_no_line_uses_is_marked(derive):
    _, out, _ = derive(SOFTMAX, "--wrt", "z", "--assume", "z_i = 0")
    assert "  assuming z_i = 0 (not used)" in out.splitlines()
    _, out, _ = derive(SOFTMAX, "--wrt", "z", *ONE_SUM)
    assert "  assuming sum_k y_k = 1" in out.splitlines()


def test_a_product_with_an_array_has_its_sum_on_the_left(derive):
    _, out, _ = derive("L = sum_i x_i^2", "--wrt", "x", "--times", "v")
    assert "index form   sum_i dL/dx_i v_i = 2 sum_i x_i v_i" in out


def test_help_shows_an_example_the_defaults_and_the_exit_codes(derive):
    code, out, _ = derive("--help")
    assert code == 0
    assert "glassmax derive 'L = " in out
    assert "[default: sigmoid; relu in gm.Network]" in " ".join(out.split())
    assert "Exit codes:" in out
