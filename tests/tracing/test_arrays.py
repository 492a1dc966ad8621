"""Every array of a trace is that of plain NumPy, and every equation shown gives the array that it is shown with."""

import numpy as np
import pytest

from glassmax import Network, trace
from glassmax.tracing.equations import derived
from tests.grid import networks
from tests.tracing.cases import CASES, FEW, Traced

FROM_PLAIN = {"slope", "scale", "alpha", "eta"}


def check_arrays(traced, plain, rtol=1e-9, atol=1e-12):
    """Hold every array of the two passes against plain NumPy; return the names."""
    found = [name for name, entry in traced.items() if entry.stage != "update" and entry.value is not None]
    compared = [name for name in found if name not in FROM_PLAIN]
    for name in compared:
        np.testing.assert_allclose(traced[name].value, plain[name], rtol=rtol, atol=atol, err_msg=name)
    return compared


def values_of(traced):
    """Return every array of a trace, with the Jacobians of all rows."""
    arrays = dict(traced.arrays)
    if "J" in traced:
        arrays["J"] = np.stack([traced.jacobian(row) for row in range(len(traced.rows))])
    return arrays


def check_equations(traced, arrays, rtol=1e-9, atol=1e-12):
    """Evaluate every equation in both notations; return how many there are."""
    count = 0
    for name, entry in traced.items():
        for equation in entry.equations:
            value = arrays[name]
            np.testing.assert_allclose(equation.evaluate(arrays), value, rtol=rtol, atol=atol, err_msg=name)
            if equation.matrix is not None:
                matrix = equation.evaluate_matrix(arrays)
                np.testing.assert_allclose(matrix, value, rtol=rtol, atol=atol, err_msg=name)
            count += 1
    return count


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_array_and_every_equation_is_that_of_plain_numpy(case):
    traced, plain = case.trace(), case.plain()
    assert {*check_arrays(traced, plain), "R"} >= {*plain}
    check_equations(traced, values_of(traced))


@pytest.mark.slow
@pytest.mark.parametrize("case", [*map(Traced, networks())], ids=str)
def test_every_network_of_the_grid_has_the_arrays_and_equations_of_plain_numpy(case):
    traced, plain = case.trace(), case.plain()
    check_arrays(traced, plain)
    check_equations(traced, values_of(traced))


@pytest.mark.parametrize("case", FEW, ids=str)
def test_float32_arrays_are_those_of_plain_numpy_to_single_precision(case):
    traced, plain = case.trace("float32"), case.plain()
    assert traced["dW1"].value.dtype == np.float32
    check_arrays(traced, plain, rtol=2e-4, atol=2e-6)
    check_equations(traced, values_of(traced), rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_the_gradients_and_the_loss_are_the_networks_bit_for_bit(case):
    traced, network, (X, y, w) = case.trace(), case.case.network(), case.case.data()
    loss, gradients = network.loss_and_gradients(X, y, w, masks=case.masks())
    assert traced.loss == loss
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(traced[f"d{name}"].value, gradient)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_a_planted_wrong_entry_fails(case):
    plain = case.plain()
    names = check_arrays(case.trace(), plain)
    assert len(names) > 10
    for name in names:
        traced = case.trace()
        value = np.array(traced[name].value, float)
        value.flat[-1] += 1e-6
        traced[name].value = value
        with pytest.raises(AssertionError, match=name):
            check_arrays(traced, plain)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_an_equation_of_another_array_fails(case):
    """Each array is made wrong in one cell: the equations on whose left it stands no longer hold."""
    traced = case.trace()
    arrays = values_of(traced)
    for name, entry in traced.items():
        if not entry.equations:
            continue
        wrong = np.array(arrays[name], float)
        wrong.flat[0] += 1e-6 * (1 + abs(wrong.flat[0]))
        with pytest.raises(AssertionError, match=name):
            check_equations(traced, {**arrays, name: wrong})


def test_a_wrong_equation_fails():
    traced = FEW[0].trace()
    layer = "Z_ij = sum_k A_ik W_kj + b_j; L = sum_{i,j} dZ_ij Z_ij"
    names = {"A": "A1", "W": "W2", "b": "b2", "Z": "Z2", "dZ": "dZ2"}
    wrong = derived(layer, "W", "dW2", {**names, "dZ": "P"})  # P in the place of dZ2
    traced["dW2"].__dict__["equations"] = (wrong,)
    with pytest.raises(AssertionError, match="dW2"):
        check_equations(traced, values_of(traced))


def test_the_shapes_under_the_letters_are_those_of_the_arrays():
    rng = np.random.default_rng(0)
    net = Network([4, 10, 3], activation="sigmoid", l2=0.1)
    traced = trace(net, rng.standard_normal((5, 4)), [0, 1, 2, 0, 1], [1, 2, 1, 1, 3])
    shown = {name: entry.with_shapes for name, entry in traced.items() if entry.with_shapes}
    assert shown == {
        "Z1": "Z1 (5,10) = X (5,4) · W1 (4,10) + 1 (5,1) · b1ᵀ (1,10)",
        "A1": "A1 (5,10) = sigmoid(Z1 (5,10))",
        "Z2": "Z2 (5,3) = A1 (5,10) · W2 (10,3) + 1 (5,1) · b2ᵀ (1,3)",
        "E": "E (5,3) = exp(Z2 (5,3))",
        "S": "S (5,) = E (5,3) · 1 (3,1)",
        "P": "P (5,3) = diag(1 ⊘ S) (5,5) · E (5,3)",
        "L_i": "L_i (5,) = -(Y (5,3) ⊙ log(P (5,3))) 1 (3,1)",
        "s": "s = 1ᵀ (1,5) · w (5,1)",
        "R": shown["R"],
        "L": "L = wᵀ (1,5) · L_i (5,1)/s + R",
        "dP": "dP (5,3) = -diag(w) (5,5) · (Y (5,3) ⊘ P (5,3))/s",
        "dZ2": "dZ2 (5,3) = diag(w) (5,5) · (P (5,3) - Y (5,3))/s",
        "dW2": "dW2 (10,3) = l2 W2 (10,3) + A1ᵀ (10,5) · dZ2 (5,3)",
        "db2": "db2 (3,) = dZ2ᵀ (3,5) · 1 (5,1)",
        "dA1": "dA1 (5,10) = dZ2 (5,3) · W2ᵀ (3,10)",
        "dZ1": "dZ1 (5,10) = dA1 (5,10) ⊙ A1 (5,10) ⊙ (1 (5,10) - A1 (5,10))",
        "dW1": "dW1 (4,10) = l2 W1 (4,10) + Xᵀ (4,5) · dZ1 (5,10)",
        "db1": "db1 (10,) = dZ1ᵀ (10,5) · 1 (5,1)",
        "dX": "dX (5,4) = dZ1 (5,10) · W1ᵀ (10,4)",
        "W1'": "W1' (4,10) = W1 (4,10) - eta dW1 (4,10)",
        "b1'": "b1' (10,) = b1 (10,) - eta db1 (10,)",
        "W2'": "W2' (10,3) = W2 (10,3) - eta dW2 (10,3)",
        "b2'": "b2' (3,) = b2 (3,) - eta db2 (3,)",
    }


def test_inputs_far_outside_are_traced_without_a_warning():
    box = trace(Network([2, 3]), np.array([[1e200, -2e200]]), np.array([1]))
    assert np.isfinite(box["dW1"].value).all()
    np.testing.assert_array_equal(box["W1'"].value, box["W1"].value - box["eta"].value * box["dW1"].value)


def test_scores_that_would_overflow_are_shown_without_a_warning():
    net = Network.from_parameters({"W1": [[2000.0, -2000.0, 0.0]], "b1": [0.0, 0.0, 0.0]})
    traced = trace(net, [[1.0], [-1.0]], [1, 1])
    np.testing.assert_array_equal(traced["m"], [2000, 2000])
    assert traced["E"].with_shapes == "E (2,3) = exp(Z1 (2,3) - m (2,1) · 1ᵀ (1,3))"
    np.testing.assert_array_equal(traced["P"], [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(traced["dZ1"], [[0.5, -0.5, 0], [0, 0, 0]])
    assert traced.loss == 2000
    cell = traced.cell("dZ1", 0, 1)  # dP is infinite there: the cell is taken apart in the form that is finite
    assert (cell.value, cell.sum, cell.equation.index_form) == (-0.5, -0.5, "dZ1_ij = (P_ij - Y_ij)/n")
    assert "inf" in repr(traced["dP"])


@pytest.mark.parametrize("scale", [800.0, -800.0])
def test_the_largest_score_is_subtracted_where_exp_would_leave_the_range(scale):
    net = Network.from_parameters({"W1": [[1.0, 1.001, 0.999]], "b1": [0.0, 0.0, 0.0]})
    traced = trace(net, [[scale], [1.0]], [1, 2])
    Z = traced["Z1"].value
    np.testing.assert_array_equal(traced["m"], Z.max(axis=1))
    np.testing.assert_allclose(traced["E"], np.exp(Z - Z.max(axis=1, keepdims=True)))
    assert check_equations(traced, values_of(traced), rtol=1e-8) > 10
    assert "m" not in trace(net, [[1.0], [2.0]], [1, 2])
