"""Which array of the exact pass an array is: by all its numbers on several probes, up to turns, factors and choices."""

import numpy as np
import pytest

from glassmax.doctor.exact_pass import Architecture, Pass
from glassmax.doctor.lines.recognise import Recognition, times

SIZES = (4, 6, 3)


def passes(
    sizes=SIZES, activation="tanh", output="softmax", loss="cross_entropy", rows=(8, 8, 5, 2, 1), l2=0.0, mean=True
):
    """Passes of random data, the first with the learner's number of rows."""
    made = []
    for seed, n in enumerate(rows):
        draw = np.random.default_rng(seed)
        layers = range(1, len(sizes))
        W = {layer: draw.normal(size=(sizes[layer - 1], sizes[layer])) * 0.7 for layer in layers}
        b = {layer: draw.normal(size=sizes[layer]) * 0.5 for layer in layers}
        architecture = Architecture(sizes, (activation,) * (len(sizes) - 2), output, loss, (True,) * (len(sizes) - 1))
        Y = np.eye(sizes[-1])[draw.integers(0, sizes[-1], n)] if sizes[-1] > 1 else draw.integers(0, 2, (n, 1)) * 1.0
        X = draw.normal(size=(n, sizes[0]))
        made.append(Pass(architecture, W, b, X, Y, scale=1 / n if mean else 1.0, l2=l2))
    return made


PROBES = passes()


def told(array_of, probes=PROBES, **how):
    """What the array is that a function makes of each pass."""
    found = Recognition(probes, **how).best([array_of(p) for p in probes])
    return found and found.told(probes[0].n)


def softmax_of(Z, axis=1):
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


NAMES = {
    "X": lambda p: p.X,
    "Y": lambda p: p.Y,
    "y": lambda p: p.Y.argmax(axis=1),
    "W1": lambda p: p.W[1],
    "b2": lambda p: p.b[2],
    "Z1": lambda p: p.X @ p.W[1] + p.b[1],
    "X W1": lambda p: p.X @ p.W[1],
    "A1": lambda p: np.tanh(p.Z[1]),
    "Z2": lambda p: np.tanh(p.Z[1]) @ p.W[2] + p.b[2],
    "P": lambda p: softmax_of(p.Z[2]),
    "exp(Z2)": lambda p: np.exp(p.Z[2]),
    "rowsum(exp(Z2))": lambda p: np.exp(p.Z[2]).sum(axis=1, keepdims=True),
    "rowmax(Z2)": lambda p: p.Z[2].max(axis=1),
    "Z2 - rowmax(Z2)": lambda p: p.Z[2] - p.Z[2].max(axis=1, keepdims=True),
    "log(P)": lambda p: np.log(softmax_of(p.Z[2])),
    "L_i": lambda p: -np.log((softmax_of(p.Z[2]) * p.Y).sum(axis=1)),
    "L": lambda p: -np.log((softmax_of(p.Z[2]) * p.Y).sum(axis=1)).mean(),
    "dP": lambda p: -p.Y / softmax_of(p.Z[2]) / p.n,
    "the Jacobian of softmax": lambda p: np.array([np.diag(q) - np.outer(q, q) for q in softmax_of(p.Z[2])]),
    "dZ2": lambda p: (softmax_of(p.Z[2]) - p.Y) / p.n,
    "dA1": lambda p: (softmax_of(p.Z[2]) - p.Y) @ p.W[2].T / p.n,
    "tanh'(Z1)": lambda p: 1 - np.tanh(p.Z[1]) ** 2,
    "dZ1": lambda p: (softmax_of(p.Z[2]) - p.Y) @ p.W[2].T * (1 - np.tanh(p.Z[1]) ** 2) / p.n,
    "dW2": lambda p: np.tanh(p.Z[1]).T @ (softmax_of(p.Z[2]) - p.Y) / p.n,
    "db2": lambda p: (softmax_of(p.Z[2]) - p.Y).mean(axis=0),
    "dW1 of each sample": lambda p: np.einsum("iu,iv->iuv", p.X, p.dZ[1]),
    "X with a column of ones last": lambda p: np.c_[p.X, np.ones(p.n)],
    "X with a column of ones first": lambda p: np.c_[np.ones(p.n), p.X],
    "W1 with b1 as its last row": lambda p: np.vstack([p.W[1], p.b[1]]),
    "all gradients in one vector": lambda p: np.concatenate(
        [p.truth["W", 1].ravel(), p.truth["b", 1], p.truth["W", 2].ravel(), p.truth["b", 2]]
    ),
    "W1 - 0.1 dW1": lambda p: p.W[1] - 0.1 * p.truth["W", 1],
    "n": lambda p: p.n,
    "zeros": lambda p: np.zeros((p.n, 3)),
    "numbers from 0": lambda p: np.arange(p.n + 1),
    "identity matrix": lambda p: np.eye(3),
}


@pytest.mark.parametrize("name", NAMES)
def test_an_array_gets_its_name(name):
    assert told(NAMES[name]) == name


@pytest.mark.parametrize("name", [name for name in NAMES if name[:1] in "XYWZAPd" and " " not in name])
def test_an_array_with_one_wrong_cell_gets_none(name):
    def nearly(p):
        array = np.array(NAMES[name](p), float)
        array.flat[-1] += 0.01 * (1 + np.abs(array).max())
        return array

    assert told(nearly) is None


TURNED = ["X", "W1", "Z1", "A1", "P", "dZ2", "dW2", "dW1 of each sample", "X with a column of ones last"]


@pytest.mark.parametrize("name", TURNED)
def test_an_array_may_be_turned(name):
    found = Recognition(PROBES).best([np.swapaxes(NAMES[name](p), -1, -2) for p in PROBES])
    assert (found.name, found.transposed) == (name, True)


@pytest.mark.parametrize(("shape", "words"), [((-1, 1), "db2"), ((1, -1), "db2"), ((-1, 1, 1), "db2")])
def test_axes_of_length_1_do_not_matter(shape, words):
    assert told(lambda p: NAMES["db2"](p).reshape(shape)) == words


def test_an_array_may_be_one_vector():
    found = Recognition(PROBES).best([NAMES["dW2"](p).ravel() for p in PROBES])
    assert (found.name, found.flat, found.transposed) == ("dW2", True, False)
    found = Recognition(PROBES).best([NAMES["dW2"](p).T.ravel() for p in PROBES])
    assert (found.name, found.flat, found.transposed) == ("dW2", True, True)


FACTORS = [
    ("8 dZ2", lambda p: p.n * p.dZ[2]),
    ("-dZ2", lambda p: -p.dZ[2]),
    ("0.01 dW1", lambda p: 0.01 * p.truth["W", 1]),
    ("dW1 / 8", lambda p: p.truth["W", 1] / p.n),
    ("0.35 dW1", lambda p: 0.35 * p.truth["W", 1]),
    ("0.0123 W2", lambda p: 0.0123 * p.W[2]),
    ("-Z1", lambda p: -p.Z[1]),
    ("2 dZ1", lambda p: 2 * p.dZ[1]),
]


@pytest.mark.parametrize(("words", "array_of"), FACTORS, ids=[words for words, _ in FACTORS])
def test_a_factor_is_named(words, array_of):
    assert told(array_of) == words


def test_a_factor_must_be_the_same_for_all_data():
    assert told(lambda p: p.X[0, 0] * p.dZ[1]) is None


def test_a_forward_array_with_an_odd_factor_is_another_array():
    assert told(lambda p: 0.37 * p.A[1]) is None


def test_the_loss_may_be_a_sum():
    probes = passes(mean=False)
    assert told(lambda p: p.P - p.Y, probes) == "dZ2"
    assert told(lambda p: (p.P - p.Y) / p.n, probes) == "dZ2 / 8"


def test_of_several_names_the_others_are_told():
    found = Recognition(PROBES).best([p.P - p.Y for p in PROBES])
    assert (found.told(8), found.other) == ("8 dZ2", ("P - Y",))


def test_one_sample_is_a_row_and_says_which():
    found = Recognition(PROBES).best([p.A[1][-1] for p in PROBES])
    assert (found.name, found.kind, found.sample) == ("A1", "row", 7)
    found = Recognition(PROBES).best([(p.n * p.dZ[2][0]).reshape(-1, 1) for p in PROBES])
    assert (found.told(8), found.kind) == ("8 dZ2", "row")
    found = Recognition(PROBES).best([np.outer(p.dZ[1][0], p.X[0]) for p in PROBES])
    assert (found.name, found.kind, found.transposed) == ("dW1 of each sample", "row", True)


def test_a_column_of_a_matrix():
    found = Recognition(PROBES).best([p.A[1][:, 2] for p in PROBES])
    assert (found.name, found.kind, found.transposed) == ("A1", "slice", True)
    found = Recognition(PROBES).best([p.W[2][1] for p in PROBES])
    assert (found.name, found.kind, found.transposed) == ("W2", "slice", False)


def test_samples_in_another_order_and_a_part_of_them():
    recognition = Recognition(PROBES)
    orders = [np.random.default_rng(p.n).permutation(p.n) for p in PROBES]
    assert recognition.best([p.A[1][order] for p, order in zip(PROBES, orders, strict=True)]) is None
    found = recognition.best([p.X[order] for p, order in zip(PROBES, orders, strict=True)])
    assert (found.name, found.samples) == ("X", tuple(orders[0]))
    found = recognition.best([p.A[1][order].T for p, order in zip(PROBES, orders, strict=True)])
    assert (found.name, found.samples, found.transposed) == ("A1", tuple(orders[0]), True)
    recognition = Recognition(PROBES[:3])
    assert recognition.best([p.X[:3] for p in PROBES[:3]]).samples == (0, 1, 2)
    part = recognition.best([p.X[:3].T @ p.dZ[1][:3] for p in PROBES[:3]])
    assert (part.name, part.samples) == ("dW1", (0, 1, 2))


def test_single_numbers_are_those_of_one_array():
    recognition = Recognition(PROBES)
    numbers = [[float(p.n * p.dA_1) for p.dA_1 in (p.dZ[2] @ p.W[2].T).ravel()[:4]] for p in PROBES]
    found = recognition.cells(numbers)
    assert (found.told(8), found.kind) == ("8 dA1", "cell")
    numbers[0][1] += 1e-4
    assert recognition.cells(numbers) is None
    assert recognition.cells([[float(PROBES[0].A[1][0, 0])]] + [[]] * 4) is None  # one number could be anything


def test_probes_may_be_missing():
    values = [p.A[1] for p in PROBES]
    recognition = Recognition(PROBES)
    assert recognition.best([values[0], None, None, None, None]).name == "A1"
    assert recognition.best([None, None, values[2], None, values[4]]).name == "A1"
    assert recognition.best([None] * 5) is None


def test_float32_is_recognized_and_a_larger_error_is_not():
    assert told(lambda p: p.A[1].astype(np.float32), single_precision=True) == "A1"
    assert told(lambda p: p.truth["W", 1].astype(np.float32)) == "dW1"
    assert told(lambda p: p.A[1] + 1e-3) is None


def test_a_single_number_is_not_named_by_chance():
    recognition = Recognition(PROBES[:1])
    loss = NAMES["L"](PROBES[0])
    assert recognition.best([loss]).name == "L"
    assert recognition.best([loss * 8]).told(8) == "8 L"
    assert recognition.best([loss * 0.3]) is None
    assert Recognition(PROBES).best([NAMES["L"](p) * 0.3 for p in PROBES]).told(8) == "0.3 L"


HOSTILE = {
    "NaN": lambda p: p.A[1] * np.nan,
    "infinity": lambda p: np.where(p.A[1] > 0, np.inf, 0),
    "text": lambda p: np.array(["a", "b"]),
    "objects": lambda p: np.array([object(), 1]),
    "complex numbers": lambda p: p.A[1] * 1j,
    "no numbers": lambda p: np.zeros((0, 3)),
    "five axes": lambda p: np.ones((1, 2, 3, 1, 2)) * 0.3,
    "one number": lambda p: 0.731,
    "a truth value": lambda p: np.array([True, False, True]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_array_of_the_pass_is_nothing(name):
    assert told(HOSTILE[name]) is None


def test_an_array_that_is_0_on_one_probe_only():
    """Dead units: any factor would do there, so the other probes decide."""
    probes = passes(activation="relu")
    probes[1].W[1][:], probes[1].b[1][:] = 0.0, -1.0
    probes[1] = Pass(probes[1].architecture, probes[1].W, probes[1].b, probes[1].X, probes[1].Y, scale=1 / 8)
    assert not probes[1].A[1].any()
    assert told(lambda p: p.A[1], probes) == "A1"
    assert told(lambda p: p.n * p.dZ[1], probes) == "8 dZ1"


def test_other_networks():
    sigmoid = passes(activation="sigmoid", output="sigmoid", loss="squared_error")
    assert told(lambda p: p.A[1] * (1 - p.A[1]), sigmoid) == "sigmoid'(Z1)"
    assert told(lambda p: 1 + np.exp(-p.Z[1]), sigmoid) == "1 + exp(-Z1)"
    assert told(lambda p: (p.P - p.Y) / p.n, sigmoid) == "dP"
    assert told(lambda p: (p.P - p.Y) * p.P * (1 - p.P), sigmoid) == "8 dZ2"
    deep = passes(sizes=(3, 5, 4, 2), activation="relu", l2=0.2)
    assert told(lambda p: (p.Z[2] > 0) * 1, deep) == "relu'(Z2)"
    assert told(lambda p: p.truth["W", 2] - 0.2 * p.W[2], deep) == "dW2 without the penalty"
    assert told(lambda p: p.truth["W", 2], deep) == "dW2"
    binary = passes(sizes=(3, 4, 1), activation="relu", output="sigmoid", loss="binary_cross_entropy")
    assert told(lambda p: p.P - p.Y, binary) == "8 dZ2"
    assert told(lambda p: p.Y[:, 0], binary) == "Y"
    regression = passes(sizes=(3, 4, 2), output="identity", loss="squared_error")
    found = Recognition(regression).best([p.P for p in regression])
    assert (found.name, found.other) == ("Z2", ("P",))


def test_a_single_sample_alone():
    one = passes(rows=(1, 1))
    assert told(lambda p: p.A[1][0], one) == "A1"
    found = Recognition(one).best([p.dZ[2][0] for p in one])
    assert (found.name, found.other) == ("dZ2", ("db2", "P - Y"))


@pytest.mark.parametrize(
    ("factor", "name", "written"),
    [
        ("1", "P - Y", "P - Y"),
        ("-1", "P - Y", "-(P - Y)"),
        ("n", "P - Y", "n (P - Y)"),
        ("1/n", "(P - Y)^2", "(P - Y)^2 / n"),
        ("-1/n", "Y / P", "-Y / P / n"),
        ("0.1", "exp(Z2 - rowmax(Z2))", "0.1 exp(Z2 - rowmax(Z2))"),
    ],
)
def test_a_factor_before_a_name(factor, name, written):
    assert times(factor, name) == written
