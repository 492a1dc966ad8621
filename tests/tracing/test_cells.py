"""A cell is the sum of its products; a nudge, the update and the naive views say what plain NumPy says."""

from dataclasses import replace

import numpy as np
import pytest

from glassmax import Network, trace
from glassmax.errors import DataError
from glassmax.functional.masks import dropout_mask
from glassmax.optimizers import SGD, Adam
from glassmax.tracing import toy
from tests.tracing.cases import FEW
from tests.tracing.plain import jacobian


@pytest.fixture(scope="module")
def box():
    """The trace of the toy system."""
    return trace(*toy())


@pytest.mark.parametrize("case", FEW, ids=str)
def test_every_cell_of_every_array_is_the_sum_of_its_products(case):
    traced = case.trace()
    for name, entry in traced.items():
        corners = [
            index
            for index in np.ndindex(*entry.shape)
            if all(i in (0, n - 1) for i, n in zip(index, entry.shape, strict=True))
        ]
        for index in corners:
            cell = traced.cell(name, *index)
            value = traced.jacobian(index[0])[index[1:]] if entry.value is None else entry.value[index]
            assert cell.value == pytest.approx(float(value), rel=0 if entry.value is not None else 1e-14)
            np.testing.assert_allclose(cell.sum, cell.value, rtol=1e-10, atol=1e-14, err_msg=cell.label)
            for term in cell.terms:
                product = np.prod([factor for _, factor in term.factors])
                np.testing.assert_allclose(product, term.value, rtol=1e-12, atol=1e-300, err_msg=cell.label)
            assert bool(cell.parts) == bool(entry.equations)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_the_factors_of_a_product_are_the_cells_that_they_name(case):
    traced, seen = case.trace(), 0
    arrays = {name: np.asarray(value) for name, value in traced.arrays.items()}
    for name, entry in traced.items():
        for term in traced.cell(name, *(0 for _ in entry.shape)).terms:
            for label, value in term.factors:
                array, bracket, index = label.partition("[")
                if array == "J":
                    i, *rest = map(int, index[:-1].split(","))
                    assert traced.jacobian(i)[tuple(rest)] == pytest.approx(value, rel=1e-12, abs=1e-16)
                elif array in arrays and label.count("[") <= 1 and label.endswith(("]", array)):
                    at = tuple(map(int, index[:-1].split(","))) if bracket else ()
                    assert arrays[array][at] == value
                    seen += 1
    assert seen > 20


def test_a_cell_of_dW_is_made_of_one_product_for_each_sample(box):
    cell = box.cell("dW2", 3, 1)
    assert [term.at for term in cell.terms] == [{"i": i} for i in range(5)]
    for i, term in enumerate(cell.terms):
        assert dict(term.factors) == {f"dZ2[{i},1]": box["dZ2"][i, 1], f"A1[{i},3]": box["A1"][i, 3]}
    assert repr(cell).splitlines() == [
        "dW2[3,1] = sum_i dZ2[i,1] A1[i,3]",
        "  i = 0   dZ2[0,1] = 0.0489376   A1[0,3] = 0.425557    0.0208258",
        "  i = 1   dZ2[1,1] = -0.108413   A1[1,3] = 0.598688   -0.0649055",
        "  i = 2   dZ2[2,1] = 0.0318105   A1[2,3] = 0.450166      0.01432",
        "  i = 3   dZ2[3,1] = 0.0757611   A1[3,3] = 0.524979     0.039773",
        "  i = 4   dZ2[4,1] = -0.115269        A1[4,3] = 0.5   -0.0576343",
        "sum  -0.047621",
    ]


def test_a_cell_of_dZ_is_a_row_of_dP_times_a_column_of_the_jacobian(box):
    cell = box.cell("dZ2", 0, 1)
    J = jacobian(box["P"].value[0])
    assert [dict(term.factors) for term in cell.terms] == [
        {f"dP[0,{c}]": box["dP"][0, c], f"J[0,{c},1]": pytest.approx(J[c, 1], rel=1e-12)} for c in range(3)
    ]


def test_a_penalty_is_a_part_of_its_own():
    network, X, y = toy()
    network.l2 = 0.5
    cell = trace(network, X, y).cell("dW1", 0, 2)
    assert [part.formula for part in cell.parts] == ["l2 W1[0,2]", "sum_i dZ1[i,2] X[i,0]"]
    assert cell.parts[0].sum == 0.5 * network.parameters["W1"][0, 2]


def test_of_many_products_the_largest_are_shown_and_the_others_are_counted():
    rng = np.random.default_rng(0)
    cell = trace(Network([3, 2]), rng.standard_normal((50, 3)), rng.integers(2, size=50)).cell("dW1", 0, 0)
    lines = repr(cell).splitlines()
    shown = sorted(abs(term.value) for term in cell.parts[0].largest(12))
    hidden = sorted(abs(term.value) for term in cell.terms)[:-12]
    assert len(cell.terms) == 50
    assert hidden[-1] <= shown[0]
    assert lines[13].startswith("  The 38 smaller products are not shown; their sum is ")
    rest = cell.sum - sum(term.value for term in cell.parts[0].largest(12))
    assert float(lines[13].split()[-1].rstrip(".")) == pytest.approx(rest, rel=1e-5)


def test_negative_indices_count_from_the_end(box):
    assert box.cell("dW2", -1, -2).index == (9, 1)
    assert box.nudge("W2", (-1, 1)).index == (9, 1)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_a_nudge_predicts_the_loss_up_to_the_curvature(case):
    traced = case.trace()
    for name in ["X", *traced.network.parameters]:
        index = tuple(n - 1 for n in traced[name].shape)
        nudge = traced.nudge(name, index, 1e-4)
        assert nudge.slope == traced[f"d{name}"][index]
        assert nudge.predicted == 1e-4 * nudge.slope
        np.testing.assert_allclose(nudge.difference, nudge.by_curvature, rtol=1e-2, atol=2e-13)
        back = traced.nudge(name, index, -1e-4)
        np.testing.assert_allclose(back.curvature, nudge.curvature, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("case", [case for case in FEW if not case.masked], ids=str)
def test_the_curvature_is_that_of_the_hessian(case):
    traced, network, (X, y, w) = case.trace(), case.case.network(), case.case.data()
    direction = np.zeros_like(network.theta)
    direction[1] = 1.0  # W1[0,1]
    H = network.hessian_vector_product(X, y, direction, w)
    np.testing.assert_allclose(traced.nudge("W1", (0, 1)).curvature, H[1], rtol=1e-9, atol=1e-14)


def test_the_loss_of_a_nudge_is_the_networks(box):
    network, X, y = toy()
    network.parameters["W2"][3, 1] += 0.25
    nudge = box.nudge("W2", (3, 1), 0.25)
    assert nudge.measured == pytest.approx(network.loss(X, y) - box.loss, rel=1e-12)


def test_a_nudge_of_a_float32_network_is_measured_in_double_precision():
    network, X, y = toy()
    nudge = trace(network.astype("float32"), X, y).nudge("W2", (3, 1), 1e-5)
    assert nudge.measured == pytest.approx(nudge.predicted, rel=1e-4)


@pytest.mark.parametrize("step", [1e160, -1e300])
def test_a_nudge_whose_square_overflows_has_every_number(box, step):
    nudge = box.nudge("W2", (3, 1), step)
    assert nudge.by_curvature == np.inf
    assert nudge.to_dict()["by_curvature"] == "inf"
    assert "inf   1/2 step^2" in repr(nudge)
    slow = replace(nudge, curvature=4e-200, step=1e160)
    assert slow.by_curvature == pytest.approx(2e120, rel=1e-15)


def test_the_row_sums_of_a_jacobian_are_0_and_its_diagonal_is_another_gradient(box):
    sums, diagonal, entries, *layers = box.naive(1)
    J, dp, dz = jacobian(box["P"].value[1]), box["dP"].value[1], box["dZ2"].value[1]
    np.testing.assert_allclose(dp @ J, dz, rtol=1e-12)
    np.testing.assert_allclose(sums.value, np.zeros(3), atol=1e-15)
    np.testing.assert_allclose(diagonal.value, dp * np.diag(J), rtol=1e-12)
    np.testing.assert_allclose(entries.value, dp * J, rtol=1e-12)
    assert [view.name for view in layers] == ["missing transpose"] * 3
    assert [view.of for view in layers] == ["dW2", "dA1", "dW1"]
    assert all(view.value is None and view.error == np.inf for view in layers)
    for view in (sums, diagonal):
        np.testing.assert_array_equal(view.right, dz)
        assert view.error > 0.01


def test_a_missing_transpose_that_fits_by_chance_gives_wrong_numbers():
    rng = np.random.default_rng(0)
    traced = trace(Network([3, 3, 3], activation="tanh"), rng.standard_normal((3, 3)), [0, 1, 2])
    views = [view for view in traced.naive() if view.name == "missing transpose"]
    np.testing.assert_array_equal(views[0].value, traced["A1"].value @ traced["dZ2"].value)
    assert all(view.error > 1e-3 and "fits only by chance" in view.why for view in views)


def test_the_jacobian_of_an_output_without_softmax_is_diagonal_and_has_no_naive_view():
    traced = FEW[4].trace()
    P = traced["P"].value
    np.testing.assert_allclose(traced.jacobian(2), np.diag(P[2] * (1 - P[2])), rtol=1e-12)
    assert "J" not in traced
    assert {view.name for view in traced.naive()} == {"missing transpose"}


def step_by_hand(rule, state, W, g):
    """One step of a rule from the state of one parameter."""
    if isinstance(rule, Adam):
        m, v = state["m"], state["v"]
        m = rule.beta_1 * m + (1 - rule.beta_1) * g
        v = rule.beta_2 * v + (1 - rule.beta_2) * g**2
        rate = rule.learning_rate * np.sqrt(1 - rule.beta_2) / (1 - rule.beta_1)
        return W - rate * m / (np.sqrt(v) + rule.epsilon)
    v = rule.momentum * state["velocity"] - rule.learning_rate * g
    return W + (rule.momentum * v - rule.learning_rate * g if rule.nesterov else v)


@pytest.mark.parametrize("rule", [SGD(0.3), SGD(0.3, 0.9), SGD(0.3, 0.9, nesterov=True), Adam(0.01)], ids=repr)
def test_the_update_is_the_step_of_the_optimizer(rule):
    network, X, y = toy()
    traced = trace(network, X, y, optimizer=rule)
    zeros = dict.fromkeys(("m", "v", "velocity"), 0.0)
    stepped, gradient = network.theta.copy(), network.loss_and_gradients(X, y)[1].flat
    rule.step(stepped, gradient, rule.init(network.theta))
    after = network.parameters.of(stepped)
    for name, W in network.parameters.items():
        np.testing.assert_allclose(traced[f"{name}'"], after[name], rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(
            traced[f"{name}'"], step_by_hand(rule, zeros, W, traced[f"d{name}"].value), rtol=1e-12
        )
    for name, entry in traced.items():
        for equation in entry.equations if entry.stage == "update" else ():
            np.testing.assert_allclose(
                equation.evaluate(traced.arrays), entry.value, rtol=1e-12, atol=1e-18, err_msg=name
            )


def test_a_trace_doesnt_change_when_the_network_is_trained_on():
    network, X, y = toy()
    traced = trace(network, X, y)
    before = traced["W1"].value.copy()
    network.step(network.loss_and_gradients(X, y)[1], 1.0)
    np.testing.assert_array_equal(traced["W1"], before)
    assert traced.cell("dW2", 3, 1).sum == pytest.approx(traced["dW2"][3, 1], rel=1e-12)


def test_a_dropped_unit_passes_nothing_down():
    network, X, y = toy()
    masks = {1: dropout_mask(0, 0, 1, np.arange(5), 10, 0.5)}
    traced = trace(network, X, y, masks=masks)
    dropped = masks[1] == 0
    assert dropped.any()
    assert not traced["A1"].value[dropped].any()
    assert not traced["dZ1"].value[dropped].any()
    assert traced["A1"].index_form == "A1_ij = D1_ij sigmoid(Z1_ij)"


def test_the_jacobians_are_never_formed_whole(box):
    with pytest.raises(DataError, match=r"^J has the shape \(5, 3, 3\), and is never formed whole"):
        np.asarray(box["J"])
    wide = trace(Network([1, 3000]), [[1.0], [2.0]], [0, 2999])
    assert wide["J"].shape == (2, 3000, 3000)
    assert "too large to be shown" in wide.text()
    assert len(wide.naive()) == 1
    cell = wide.cell("dZ1", 1, 7)
    assert cell.sum == pytest.approx(wide["dZ1"][1, 7], rel=1e-9)
