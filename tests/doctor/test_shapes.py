"""Gradients of a wrong shape, products that fit by chance, rows that disturb one another, arrays written as lists."""

import numpy as np
import pytest

import glassmax as gm
from tests.doctor import programs
from tests.doctor.setups import moved

PROGRAM = """
def softmax(Z):
    E = np.exp(Z - Z.max(1, keepdims=True))
    return E / E.sum(1, keepdims=True)

def gradients(p, X, y):
    n = len(X)
    Y = np.eye(p['b2'].size)[y]
    Z1 = X @ p['W1'] + p['b1']
    A1 = np.tanh(Z1)
    Z2 = A1 @ p['W2'] + p['b2']
    P = softmax(Z2)
    dZ2 = (P - Y) / n
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2 @ p['W2'].T
    dZ1 = dA1 * (1 - A1**2)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}
"""
RETURN = "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}"
BOTH = pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])


def asked(changes, sizes=(4, 6, 3), n=8, arrays=False, **how):
    """Diagnose the program with some of its lines changed."""
    gradients = programs.program(PROGRAM, *changes)["gradients"]
    draw = np.random.default_rng(0)
    net = moved(gm.Network(list(sizes), activation="tanh"))
    X, k = draw.normal(size=(n, sizes[0])), sizes[-1]
    y = np.concatenate([np.arange(k), draw.integers(0, k, max(0, n - k))])[:n]
    handed = gradients(dict(net.parameters), X.copy(), y.copy()) if arrays else gradients
    return gm.diagnose(handed, X, y, network=net, **({"loss": "network"} | how))


def ids(rows):
    return [row[0] for row in rows]


# shapes that can't be right

W2, B2, W1, B1 = "dW2 = A1.T @ dZ2", "db2 = dZ2.sum(axis=0)", "dW1 = X.T @ dZ1", "db1 = dZ1.sum(axis=0)"
TOP = "dZ2 = (P - Y) / n"
JACOBIANS = f"""{TOP}
    J = np.einsum('ni,ij->nij', P, np.eye(P.shape[1])) - np.einsum('ni,nj->nij', P, P)
    kept = J * (-Y / P / n)[:, None, :]"""

SHAPES = [
    ("a column is missing", [(W2, f"dW2 = ({W2[6:]})[:, :-1]")], "wrong_shapes", "dW2", "column is missing"),
    ("a row is missing", [(W1, f"dW1 = ({W1[6:]})[1:]")], "wrong_shapes", "dW1", "row is missing"),
    ("a row too many", [(W1, f"dW1 = np.vstack([{W1[6:]}, p['b1']])")], "wrong_shapes", "dW1", "too many"),
    ("one number for all", [(W2, "dW2 = (A1.T @ dZ2).sum()")], "wrong_shapes", "dW2", "one number"),
    ("samples for units", [(W2, "dW2 = np.exp(dZ2)")], "wrong_shapes", "dW2", "(8, 3), expected (6, 3)"),
    ("half of it, in one row", [(W1, "dW1 = (X.T @ dZ1).ravel()[:12]")], "wrong_shapes", "dW1", "(12,)"),
    ("a bias too long", [(B1, "db1 = np.append(dZ1.sum(axis=0), 0)")], "wrong_shapes", "db1", "(7,), expected (6,)"),
    ("rows kept and spoilt", [(B1, "db1 = np.sin(dZ1)")], "bias_not_summed", "db1", "(8, 6)"),
    (
        "a Jacobian for each sample and unit",
        [(TOP, JACOBIANS), (W2, "dW2 = np.einsum('nh,nij->hij', A1, kept)"), (B2, "db2 = kept.sum(axis=0)")],
        "jacobian_not_contracted",
        "dZ2",
        "(6, 3, 3)",
    ),
    (
        "a Jacobian in the bias",
        [(TOP, JACOBIANS), (B2, "db2 = kept")],
        "jacobian_not_contracted",
        "db2",
        "(8, 3, 3)",
    ),
    (
        "the Jacobians summed for the weights",
        [(TOP, JACOBIANS), (W2, "dW2 = J.sum(axis=0)")],
        "jacobian_not_contracted",
        "dW2",
        "(3, 3)",
    ),
]


@BOTH
@pytest.mark.parametrize("row", SHAPES, ids=ids(SHAPES))
def test_a_shape_that_cannot_be_right_is_named(row, arrays):
    _, changes, cause, where, words = row
    diagnosis = asked(changes, arrays=arrays)
    assert (diagnosis.verdict, diagnosis.causes, diagnosis.first_wrong) == ("wrong", (cause,), where), str(diagnosis)
    finding = diagnosis.findings[0]
    assert words in finding.says
    assert all((finding.where, finding.parameters, finding.line, finding.reason, finding.cell))


def test_two_wrong_shapes_and_a_wrong_derivative_are_three_findings():
    changes = [(W2, "dW2 = np.ones((2, 2))"), ("(1 - A1**2)", "(1 - Z1**2)"), (B1, "db1 = np.ones((2, 5))")]
    causes = asked(changes).causes
    assert sorted(causes) == ["activation_of_z", "wrong_shapes", "wrong_shapes"]


# * for @

DOWN = "dA1 = dZ2 @ p['W2'].T"
PRODUCTS = [
    ("X * dZ1", [(W1, "dW1 = X * dZ1")], (4, 4, 3), 4, "W1"),
    ("X.T * dZ1", [(W1, "dW1 = X.T * dZ1")], (4, 4, 3), 4, "W1"),
    ("the mean of X * dZ1", [(W1, "dW1 = (X * dZ1).mean(axis=0)")], (4, 4, 3), 8, "W1"),
    ("the mean of X * dZ1 in each row", [(W1, "dW1 = 0 * p['W1'] + (X * dZ1).mean(axis=0)")], (4, 4, 3), 8, "W1"),
    ("A1 * dZ2, all square", [(W2, "dW2 = A1 * dZ2")], (4, 4, 4), 4, "W2"),
    ("dZ2 * W2, all square", [(DOWN, "dA1 = dZ2 * p['W2']")], (4, 4, 4), 4, "dA1"),
    ("dZ2 * W2.T, all square", [(DOWN, "dA1 = dZ2 * p['W2'].T")], (5, 4, 4), 4, "dA1"),
    ("dZ2 * W2 summed, n = h", [(DOWN, "dA1 = (dZ2 * p['W2']).sum(axis=1)")], (4, 6, 3), 6, "dA1"),
    (
        "dZ2 * W2 summed to a column, n = h",
        [(DOWN, "dA1 = (dZ2 * p['W2']).sum(axis=1, keepdims=True)")],
        (4, 6, 3),
        6,
        "dA1",
    ),
    ("dZ2 times the sums of W2", [(DOWN, "dA1 = dZ2 * p['W2'].sum(axis=0)")], (4, 4, 4), 8, "dA1"),
]


@BOTH
@pytest.mark.parametrize("row", PRODUCTS, ids=ids(PRODUCTS))
def test_a_product_that_fits_by_chance_is_named(row, arrays):
    _, changes, sizes, n, where = row
    diagnosis = asked(changes, sizes, n, arrays)
    assert diagnosis.causes == ("elementwise_product",), str(diagnosis)
    assert diagnosis.findings[0].where == where


@BOTH
@pytest.mark.parametrize(
    ("sizes", "n"), [((4, 4, 4), 4), ((4, 4, 4), 1), ((1, 1, 2), 1), ((3, 5, 2), 5), ((4, 4, 3), 4)]
)
def test_right_code_is_right_where_sizes_agree(sizes, n, arrays):
    assert asked([], sizes, n, arrays).verdict == "correct"


# rows that disturb one another

SOFTMAX = "P = softmax(Z2)"
COUPLED = [
    ("logits less their column means", [(SOFTMAX, "P = softmax(Z2 - Z2.mean(axis=0))")], "dZ2"),
    ("logits standardized", [(SOFTMAX, "P = softmax((Z2 - Z2.mean(axis=0)) / Z2.std(axis=0))")], "dZ2"),
    ("logits of a batch norm", [(SOFTMAX, "P = softmax((Z2 - Z2.mean(0)) / np.sqrt(Z2.var(0) + 1e-5))")], "dZ2"),
    ("P over its largest", [(SOFTMAX, SOFTMAX + "; P = P / P.max(axis=0)")], "dZ2"),
    ("dZ2 less its mean", [(W2, "dZ2 = dZ2 - dZ2.mean(axis=0)\n    " + W2)], "dZ2"),
    ("dZ1 less its mean", [(W1, "dZ1 = dZ1 - dZ1.mean(axis=0)\n    " + W1)], "dZ1"),
    ("dA1 less its mean", [("dZ1 = dA1 *", "dZ1 = (dA1 - dA1.mean(axis=0)) *")], "dZ1"),
    ("the mean of X times that of dZ1", [(W1, "dW1 = X.mean(axis=0)[:, None] * dZ1.mean(axis=0)")], "dW1"),
    ("the mean of A1 times that of dZ2", [(W2, "dW2 = np.outer(A1.mean(axis=0), dZ2.sum(axis=0))")], "dW2"),
]


@BOTH
@pytest.mark.parametrize("row", COUPLED, ids=ids(COUPLED))
def test_a_step_over_the_batch_is_named(row, arrays):
    _, changes, where = row
    diagnosis = asked(changes, arrays=arrays)
    assert diagnosis.causes == ("batch_coupling",), str(diagnosis)
    assert diagnosis.first_wrong == where
    assert diagnosis.findings[0].line
    assert diagnosis.findings[0].reason


UNKNOWN_COUPLING = [
    ("X centred", [("    Z1 =", "    X = X - X.mean(axis=0)\n    Z1 =")]),
    ("X over its largest", [("    Z1 =", "    X = X / np.abs(X).max()\n    Z1 =")]),
    ("A1 centred", [("A1 = np.tanh(Z1)", "A1 = np.tanh(Z1) - np.tanh(Z1).mean(axis=0)")]),
    ("Z1 standardized", [("A1 = np.tanh(Z1)", "Z1 = (Z1 - Z1.mean(0)) / Z1.std(0); A1 = np.tanh(Z1)")]),
    ("dZ1 over its spread", [(W1, "dZ1 = dZ1 / dZ1.std(axis=0)\n    " + W1)]),
    ("rows weighted by their place", [(TOP, TOP + " * np.arange(n)[:, None]")]),
]


@pytest.mark.parametrize("row", UNKNOWN_COUPLING, ids=ids(UNKNOWN_COUPLING))
def test_a_coupling_outside_the_catalogue_is_measured(row):
    diagnosis = asked(row[1])
    assert diagnosis.causes[0] == "batch_coupling", str(diagnosis)
    finding = diagnosis.findings[0]
    assert all((finding.where, finding.parameters, finding.says, finding.line, finding.reason, finding.cell))


@pytest.mark.parametrize("change", ["np.cos(3 * Z1)", "(1 - A1**2 + 0.1 * Z1)", "np.sqrt(1 + A1)"])
def test_a_strange_step_within_a_row_is_no_coupling(change):
    assert asked([("(1 - A1**2)", change)]).causes == ("not_in_catalogue",)


# what is read as an array

LISTS = "(a.tolist() for a in (dW1, db1, dW2, db2))"
READ = [
    ("a tuple of lists", f"return tuple{LISTS}"),
    ("a list of lists", f"return list{LISTS}"),
    ("lists by layers", "return [[dW1.tolist(), db1.tolist()], [dW2.tolist(), db2.tolist()]]"),
    ("tuples by layers", "return (dW1, db1), (dW2, db2)"),
    ("the loss, then lists", f"return 0.7, tuple{LISTS}"),
    ("the loss, then lists by layers", "return 0.7, [[dW1.tolist(), db1.tolist()], [dW2.tolist(), db2.tolist()]]"),
    ("the loss among lists", f"return [0.7, *{LISTS}]"),
    ("rows in lists, by name", "return {'W1': list(dW1), 'b1': list(db1), 'W2': list(dW2), 'b2': db2}"),
]


@BOTH
@pytest.mark.parametrize("sizes", [(4, 6, 3), (3, 3, 3)])
@pytest.mark.parametrize("row", READ, ids=ids(READ))
def test_lists_are_read_as_arrays(row, sizes, arrays):
    diagnosis = asked([(RETURN, row[1])], sizes, arrays=arrays)
    assert diagnosis.verdict == "correct", str(diagnosis)


@BOTH
def test_a_mistake_is_found_in_lists(arrays):
    changes = [(RETURN, READ[0][1]), ("(1 - A1**2)", "(1 - Z1**2)")]
    assert asked(changes, arrays=arrays).causes == ("activation_of_z",)


@BOTH
def test_a_bias_with_an_axis_more_is_a_convention(arrays):
    diagnosis = asked([("db1 = dZ1.sum(axis=0)", "db1 = dZ1.sum(axis=0, keepdims=True)")], arrays=arrays)
    assert diagnosis.verdict == "correct"
    assert "b1 has shape (1, 6), the bias (6,)" in diagnosis.conventions[-1]


# what is refused, and numbers that are no gradients


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.ones((0, 4)), [], "X is (0, 4), expected at least one sample. Pass"),
        ([], [], "X is (0,), expected at least one sample"),
        ([[1.0, 2.0, 3.0, 4.0], [1.0]], [0, 1], "X has rows of different lengths, expected an array. Give"),
        (np.ones((2, 4)), [[0, 1], [1]], "y has rows of different lengths"),
        (np.ones((2, 4)), [], "y is (0,), expected at least one sample"),
        ([["a"] * 4], [0], "X holds <U1 values, expected numbers. Pass"),
    ],
)
def test_data_that_are_none_are_refused(X, y, words):
    net = gm.Network([4, 6, 3])
    with pytest.raises(gm.errors.ShapeError) as caught:
        gm.diagnose(dict(net.parameters), X, y, network=net)
    assert words in str(caught.value)


@BOTH
@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_numbers_whose_squares_overflow_are_wrong(name, arrays):
    diagnosis = asked([(RETURN, f"d{name} = d{name} + 1e308\n    {RETURN}")], arrays=arrays)
    assert diagnosis.verdict == "wrong"
    assert diagnosis.findings[0].where in (name, f"dZ{name[1]}")


def test_a_question_ends_with_its_own_mark():
    text = str(asked([(RETURN, "pass")]))
    assert "missing?" in text
    assert "?." not in text


def test_findings_about_the_function_say_what_to_do():
    for change in ("raise ValueError('no')", "pass", "return {'W1': dW1}", "dW1[0] = np.nan; " + RETURN):
        finding = asked([(RETURN, change)]).findings[0]
        assert finding.line
        assert finding.reason


# coincidences, where the likelier name comes first

PREFERRED = [
    ("P - 1", [(TOP, "dZ2 = (P - 1) / n")], "true_class_for_all", "index_for_one_hot"),
    ("labels + 1", [("[y]", "[(y + 1) % 3]")], "labels_from_one", "class_shifted"),
    ("labels - 1", [("[y]", "[y - 1]")], "labels_from_one", "class_shifted"),
]


@pytest.mark.parametrize("row", PREFERRED, ids=ids(PREFERRED))
def test_of_two_names_that_fit_the_likelier_comes_first(row):
    _, changes, cause, other = row
    finding = asked(changes, arrays=True).findings[0]
    assert finding.cause == cause
    assert other in finding.indistinguishable


# a page of a notebook


def test_a_page_has_the_errors_of_the_parameters():
    page = asked([("(1 - A1**2)", "(1 - Z1**2)")])._repr_html_()
    for words in ('<p class="verdict bad"><b>wrong</b>', "<code>W1</code>", '"bad">wrong</td>', '"good">right</td>'):
        assert words in page


# float32 on the way

SINGLE = [
    ("A1", [("A1 = np.tanh(Z1)", "A1 = np.tanh(Z1).astype(np.float32).astype(float)")]),
    ("P", [(SOFTMAX, "P = softmax(Z2.astype(np.float32)).astype(float)")]),
    ("X", [("    Z1 =", "    X = X.astype(np.float32).astype(float)\n    Z1 =")]),
    ("the weights", [("    Z1 =", "    p = {k: v.astype(np.float32).astype(float) for k, v in p.items()}\n    Z1 =")]),
    ("one gradient", [(RETURN, f"dW1 = dW1.astype(np.float32).astype(float); {RETURN}")]),
]


@BOTH
@pytest.mark.parametrize("row", SINGLE, ids=ids(SINGLE))
def test_float32_on_the_way_is_told_and_is_no_fault(row, arrays):
    diagnosis = asked(row[1], arrays=arrays)
    assert (diagnosis.verdict, diagnosis.causes) == ("correct", ("float32",)), str(diagnosis)
    assert diagnosis.findings[0].reason


@pytest.mark.parametrize(
    "change",
    [
        (TOP, "dZ2 = (P - Y * P / (P + 1e-8)) / n"),
        (TOP, "dZ2 = (P - Y + 1e-7) / n"),
        ("(1 - A1**2)", "(np.tanh(Z1 + 1e-4) - np.tanh(Z1 - 1e-4)) / 2e-4"),
        ("(1 - A1**2)", "(np.tanh(Z1 + 1e-8) - np.tanh(Z1 - 1e-8)) / 2e-8"),
    ],
)
def test_another_deviation_is_not_called_float32(change):
    diagnosis = asked([change])
    assert (diagnosis.verdict, diagnosis.causes) == ("correct", ())
    assert "epsilon" in diagnosis.conventions[-1]


def test_a_mistake_as_small_as_float32_is_a_mistake():
    draw = np.random.default_rng(0)
    net = moved(gm.Network([4, 6, 3], activation="tanh", l2=1e-7))
    X, y = draw.normal(size=(8, 4)), np.array([0, 1, 2, 0, 1, 1, 2, 0])
    gradients = programs.program(PROGRAM)["gradients"]
    assert gm.diagnose(gradients, X, y, network=net).causes == ("regulariser_missing",)


# another forward pass

FORWARDS = [
    ("sigmoid", [("np.tanh(Z1)", "1 / (1 + np.exp(-Z1))"), ("(1 - A1**2)", "A1 * (1 - A1)")], "A1", "forward pass too"),
    (
        "relu",
        [("np.tanh(Z1)", "np.maximum(Z1, 0)"), ("(1 - A1**2)", "(Z1 > 0)")],
        "A1",
        "relu was used instead of tanh",
    ),
    ("none", [("np.tanh(Z1)", "Z1"), ("(1 - A1**2)", "1")], "A1", "identity was used instead of tanh"),
    ("no b1", [(" + p['b1']", "")], "Z1", "b1 was left out"),
    ("no b2", [(" + p['b2']", "")], "Z2", "b2 was left out"),
    ("no biases", [(" + p['b1']", ""), (" + p['b2']", "")], "Z1", "the biases were left out"),
]


@BOTH
@pytest.mark.parametrize("row", FORWARDS, ids=ids(FORWARDS))
def test_a_mistake_of_the_forward_pass_is_named(row, arrays):
    _, changes, where, words = row
    diagnosis = asked(changes, arrays=arrays)
    assert diagnosis.causes == ("activation_other_function" if where == "A1" else "wrong_operand",), str(diagnosis)
    finding = diagnosis.findings[0]
    assert (finding.where, words in finding.says) == (where, True)
    assert all((finding.parameters, finding.line, finding.reason, finding.cell))


@BOTH
def test_inputs_centred_inside_the_function_are_a_coupling(arrays):
    changes = [("    Z1 =", "    X = (X - X.mean(axis=0)) / X.std(axis=0)\n    Z1 =")]
    finding = asked(changes, arrays=arrays).findings[0]
    assert finding.cause == "batch_coupling"
    assert "standardized" in finding.says


def test_a_forward_pass_that_is_not_finite_explains_nothing():
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(6, 4)), np.arange(6) % 3
    X[:, 1] = 1.0  # its standard deviation is 0
    gradients = {name: draw.normal(size=array.shape) for name, array in LEAKY.parameters.items()}
    assert gm.diagnose(gradients, X, y, network=LEAKY).causes == ("not_in_catalogue",)


# the slope of leaky relu


def leaky(slope, wrong=None):
    """Loss and gradients of a leaky relu of this slope, another in the backward pass."""
    changes = [
        ("np.tanh(Z1)", f"np.where(Z1 > 0, Z1, {slope} * Z1)"),
        ("(1 - A1**2)", f"np.where(Z1 > 0, 1, {wrong or slope})"),
        ("def gradients", "def loss(p, X, y):\n    return gradients(p, X, y, True)\n\ndef gradients"),
        ("(p, X, y):\n    n", "(p, X, y, only_loss=False):\n    n"),
        (TOP, f"if only_loss:\n        return -np.log(P[np.arange(n), y]).mean()\n    {TOP}"),
    ]
    names = programs.program(PROGRAM, *changes)
    return names["loss"], names["gradients"]


LEAKY = gm.Network([4, 6, 3], activation="leaky_relu")


@pytest.mark.parametrize("slope", [0.1, 0.2, 0.05])
def test_another_slope_is_right_where_the_loss_has_it(slope):
    loss, gradients = leaky(slope)
    draw = np.random.default_rng(0)
    X, y, parameters = draw.normal(size=(8, 4)), np.arange(8) % 3, dict(moved(LEAKY).parameters)
    assert gm.diagnose(gradients, X, y, loss=loss, parameters=parameters).verdict == "correct"
    _, wrong = leaky(slope, 0.5)
    assert gm.diagnose(wrong, X, y, loss=loss, parameters=parameters).verdict == "wrong"


@pytest.mark.parametrize("slope", [0.1, 0.2])
def test_another_slope_is_a_mistake_where_the_network_says_which(slope):
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(8, 4)), np.arange(8) % 3
    _, gradients = leaky(0.01, slope)
    diagnosis = gm.diagnose(gradients, X, y, network=moved(LEAKY))
    assert diagnosis.causes == ("activation_other_function",)
    assert f"slope {slope}" in diagnosis.findings[0].says


# never guess


@BOTH
def test_the_sign_of_the_error_is_the_gradient_of_another_loss(arrays):
    changes = [("np.eye(p['b2'].size)[y]", "y"), (SOFTMAX, "P = Z2"), (TOP, "dZ2 = np.sign(P - Y) / n")]
    gradients = programs.program(PROGRAM, *changes)["gradients"]
    draw = np.random.default_rng(0)
    net = moved(gm.Network([4, 6, 3], activation="tanh", output="identity", loss="squared_error"))
    X, T = draw.normal(size=(8, 4)), draw.normal(size=(8, 3))
    handed = gradients(dict(net.parameters), X, T) if arrays else gradients
    finding = gm.diagnose(handed, X, T, network=net).findings[0]
    assert finding.cause == "other_loss"
    assert "absolute error" in finding.says


# no false alarms

NETWORKS = [
    (sizes, activation, output, loss, n)
    for sizes in ((4, 6, 3), (4, 4, 4), (1, 1, 1), (3, 2), (3, 3, 3, 3))
    for activation in ("tanh", "relu", "gelu")
    for output, loss in (
        ("softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
        ("identity", "squared_error"),
    )
    for n in (1, 2, 4, 9)
    if output != "softmax" or sizes[-1] > 1
]


@pytest.mark.parametrize("single", [False, True], ids=["float64", "float32 on the way"])
@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_exact_gradients_are_right_whatever_the_network(case, single):
    sizes, activation, output, loss, n = case
    draw = np.random.default_rng([*sizes, n])
    net = gm.Network(list(sizes), activation=activation, output=output, loss=loss, l2=0.1 * (n % 2))
    net.theta = draw.normal(size=net.theta.shape)
    X, Y = 3 * draw.normal(size=(n, sizes[0])), draw.integers(0, 2, (n, sizes[-1])).astype(float)
    if output == "softmax":
        Y = np.eye(sizes[-1])[draw.integers(0, sizes[-1], n)]

    def rounded(a):
        return np.asarray(a).astype(np.float32).astype(float) if single else a

    def gradients(p, X, Y):
        other = gm.Network(list(sizes), activation=activation, output=output, loss=loss, l2=net.l2)
        other.theta = np.concatenate([np.ravel(rounded(p[name])) for name in net.parameters])
        return {name: rounded(g) for name, g in other.loss_and_gradients(rounded(X), Y)[1].items()}

    diagnosis = gm.diagnose(gradients, X, Y, network=net, loss="network")
    assert diagnosis.verdict == "correct", str(diagnosis)
