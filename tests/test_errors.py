"""Every error message of the mathematics, word for word, and no `raise` without a line in this table."""

import ast
import importlib
import pickle
import pkgutil
import re
import traceback
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import glassmax.functional as F
from glassmax import Network, SoftmaxClassifier, errors, gradcheck, load_model, not_class, read_table
from glassmax.cli.wording import option_of, worded_error
from glassmax.embedding import Embedding
from glassmax.errors import DataError, GlassmaxError, LabelError, OptionError, Setting, ShapeError, between, one_of
from glassmax.estimator.options import make_plan
from glassmax.functional.softmax import exponentials
from glassmax.parameters import Parameters
from glassmax.table import Encoding, Table, infer

inf, nan = np.inf, np.nan

MODULES = ["errors", "gradcheck", "architecture", "network", "parameters", "functional"]
"""The modules whose every `raise` must be reached from the table."""

EMBEDDING = Embedding(4, periodic=[0])
C3, K2 = np.zeros((5, 3)), np.zeros((3, 2))
Z = np.zeros((3, 4))
NET = Network([4, 5, 3])
X, y = np.zeros((6, 4)), np.zeros(6, int)
NAMES = "identity, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, silu, mish, softplus"
WORDS = "SoftmaxClassifier takes labels of any kind; here, number them 0, 1, 2, ... first."


def f_and_vjp(vjp):
    return lambda: gradcheck.check_vjp(np.sin, vjp, [1.0, 2.0])


def made_of(**arrays):
    return lambda: Network.from_parameters({name: np.zeros(shape) for name, shape in arrays.items()})


def with_option(**options):
    return lambda: Network([4, 5, 3], **options)


def sampled(**options):
    return lambda: F.sampled_softmax_cross_entropy(X, np.zeros((4, 3)), None, y, **{"samples": 5, **options})


def sparse_target(target, loss=F.softmax_cross_entropy):
    return lambda: loss(Z, sparse.csr_array(target))


def set_theta():
    NET.theta = np.zeros(3)


def set_parameter(name, values):
    Parameters([2, 2])[name] = values


TABLE = {
    ShapeError: {
        "proposal is (2,), expected (3,): one frequency for each class.": sampled(proposal=[1.0, 2.0]),
        "Labels have shape (3, 5), expected (3,) class indices or (3, 4) rows.": sparse_target(np.ones((3, 5))),
        "There is no parameter called v; there are w.": lambda: gradcheck.check_gradients(
            np.sum, {"w": 1.0}, {"w": 1.0, "v": 1.0}
        ),
        "gradients is a tuple, expected the second value that loss_and_gradients returns.": (
            lambda: NET.step(NET.loss_and_gradients(X, y), 0.1)
        ),
        "The parameters are called W1, b1, and the embedding's F is missing.": lambda: Parameters.from_mapping(
            {"W1": np.zeros((7, 3)), "b1": np.zeros(3)}, embedding_shapes=EMBEDDING.shapes
        ),
        "F is (3,), expected two axes: (columns of X, frequencies).": (
            lambda: F.periodic(C3, K2[:, 0], K2, K2[..., None], K2)
        ),
        "X is (3, 4) and F is (3, 2): expected as many columns in X as rows in F.": (
            lambda: F.periodic(Z, K2, K2, K2[..., None], K2)
        ),
        "H is (2, 3), expected (3, 2): one phase for each frequency.": (
            lambda: F.periodic(C3, K2, K2.T, K2[..., None], K2)
        ),
        "V is (3, 2), expected (3, 2) and the number of outputs of a column as third axis.": (
            lambda: F.periodic(C3, K2, K2, K2, K2)
        ),
        "C is (3, 2), expected (3, 1): one row for each column of X.": (
            lambda: F.periodic(C3, K2, K2, K2[..., None], K2)
        ),
        "dOut is (5, 3), expected (5, 3, 1): the shape of the embedding.": (
            lambda: F.periodic_vjp(C3, C3, K2, K2, K2[..., None])
        ),
        "dOut is (5, 3), expected (5, 3, 2): the shape of the embedding.": (
            lambda: F.piecewise_linear_vjp(C3, C3, [0.0, 1.0, 2.0])
        ),
        "edges is array([1., 0.]), expected two or more finite numbers in increasing order.": (
            lambda: F.piecewise_linear(C3, [1.0, 0.0])
        ),
        "There are no parameters, expected at least one array.": lambda: gradcheck.check_gradients(np.sum, {}, {}),
        "Z holds <U1 values, expected numbers. Convert it to floats first.": lambda: F.relu(["a"]),
        "Z has rows of different lengths, expected a rectangular array.": lambda: F.relu([[1.0], [1.0, 2.0]]),
        "dA is (4,), expected the shape of Z, (3, 4).": lambda: F.relu_vjp(np.zeros(4), Z),
        "W is (4,), expected two axes: (inputs, outputs).": lambda: F.affine(Z, np.zeros(4), np.zeros(4)),
        "X is (3, 4) and W is (3, 2): expected as many columns in X as rows in W.": lambda: F.affine(
            Z, np.zeros((3, 2)), np.zeros(2)
        ),
        (
            "X is (3, 4) and W is (2, 4): expected as many columns in X as rows in W. W looks transposed: pass W.T."
        ): lambda: F.affine(Z, np.zeros((2, 4)), np.zeros(4)),
        "b is (1, 2), expected (2,): one bias for each column of W.": lambda: F.affine(
            Z, np.zeros((4, 2)), np.zeros((1, 2))
        ),
        "dZ is (3, 3), expected (3, 2) for Z = X W + b.": lambda: F.affine_vjp(np.zeros((3, 3)), Z, np.zeros((4, 2))),
        "Z is (3, 0), expected (..., k) with at least one class.": lambda: F.softmax(np.zeros((3, 0))),
        "Z is (), expected (..., k) with at least one class.": lambda: exponentials(np.float64(1.0)),
        "axis is 2, expected -2..1: Z is (3, 4).": lambda: F.softmax(Z, axis=2),
        "dP is (4,), expected the shape of P, (3, 4).": lambda: F.softmax_vjp(np.zeros(4), Z),
        "dQ is (4,), expected the shape of Q, (3, 4).": lambda: F.log_softmax_vjp(np.zeros(4), Z),
        "P is (3, 0), expected (..., k) with at least one class.": lambda: F.cross_entropy(np.zeros((3, 0)), [0, 0, 0]),
        "Labels have shape (2,), expected (3,) class indices or (3, 4) rows.": lambda: F.cross_entropy(Z, [0, 1]),
        (
            "Labels have shape (3, 1), expected (3,) class indices or (3, 4) rows. "
            "Pass y.ravel(): a column would broadcast against every class."
        ): lambda: F.softmax_cross_entropy(Z, [[0], [1], [2]]),
        ("Labels have rows of different lengths, expected (3,) class indices or (3, 4) rows."): lambda: F.cross_entropy(
            Z, [[1, 0, 0, 0], [0, 1], [1]]
        ),
        "sample_weight has shape (2,), expected (3,): one number a row.": lambda: F.squared_error(
            Z, Z, sample_weight=[1, 1]
        ),
        "dL is (2,), expected () for reduction='mean'.": lambda: F.squared_error_vjp([1.0, 1.0], Z, Z),
        "dL is (), expected (3,) for reduction='none'.": lambda: F.squared_error_vjp(1.0, Z, Z, reduction="none"),
        "The vector of parameters is (14,), expected (15,) for (4, 3).": lambda: Parameters([4, 3], np.zeros(14)),
        "b1 is (), expected (2,).": lambda: set_parameter("b1", 0.0),
        "The parameters are called nothing, expected W1, b1, W2, b2, ... without a gap.": made_of(),
        (
            "The parameters are called W1, expected W1, b1, W2, b2, ... without a gap: b1 is missing. "
            "A layer without biases takes zeros."
        ): made_of(W1=(4, 3)),
        "The parameters are called W1, b1, c, expected W1, b1, W2, b2, ... without a gap.": made_of(
            W1=(4, 3), b1=(3,), c=(3,)
        ),
        "W1 is (4, 0), expected two axes, (inputs, outputs), neither empty.": made_of(W1=(4, 0), b1=(0,)),
        "W2 is (4, 3), expected 5 rows: W1 has 5 columns.": made_of(W1=(4, 5), b1=(5,), W2=(4, 3), b2=(3,)),
        "W2 is (3, 5), expected 5 rows: W1 has 5 columns. W2.T would fit.": made_of(
            W1=(4, 5), b1=(5,), W2=(3, 5), b2=(3,)
        ),
        "b1 is (4,), expected (5,): one for each column of W1.": made_of(W1=(4, 5), b1=(4,)),
        "theta is (3,), expected (43,).": set_theta,
        "The mask of layer 1 is (6, 1), expected (6, 5).": lambda: NET.loss(X, y, masks={1: np.ones((6, 1))}),
        "The mask of layer 1 is missing, expected (6, 5).": lambda: NET.loss(X, y, masks={2: np.ones((6, 5))}),
        "X is (6, 5), expected (n, 4): rows are samples.": lambda: NET.loss(np.zeros((6, 5)), y),
        "X is (4,), expected (n, 4): rows are samples. One sample is a row: pass x[None, :].": lambda: NET.predictions(
            np.zeros(4)
        ),
        "v is (1,), expected the shape of theta, (43,).": lambda: NET.hessian_vector_product(X, y, [1.0]),
        "The gradients are called W1, expected W1, b1, W2, b2.": lambda: NET.step({"W1": np.zeros((4, 5))}, 0.1),
        "W1 is (4, 6), expected (4, 5).": lambda: NET.step(Parameters([4, 6, 3]), 0.1),
        "There is no gradient called w; there are none.": lambda: gradcheck.check_gradients(np.sum, {"w": 1.0}, {}),
        "The gradient of w is (1, 2), expected its shape, (2,).": lambda: gradcheck.check_gradients(
            np.sum, {"w": [1.0, 2.0]}, {"w": [[1.0, 2.0]]}
        ),
        "f_vjp returned 2 arrays, expected 1: one for each input.": f_and_vjp(lambda dOut, x: (dOut, dOut)),
        "f_vjp returned (1,) for input 0, expected its shape, (2,).": f_and_vjp(lambda dOut, x: dOut[:1]),
    },
    LabelError: {
        (
            "proposal[1] is 0, expected a finite number > 0: a network can't learn to reject a class that is never "
            "drawn. Add 1 to every count."
        ): sampled(proposal=[1.0, 0.0, 2.0]),
        "Labels are of type complex128, expected rows of numbers.": sparse_target(np.ones((3, 4), complex)),
        "Label of row 2, class 1, is -0.5, expected a finite number >= 0.": sparse_target(
            [[1, 0, 0, 0], [1, 0, 0, 0], [1.5, -0.5, 0, 0]]
        ),
        "Label of row 2 has no candidate, expected at least one class.": sparse_target(
            [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], F.softmax_candidate_cross_entropy
        ),
        "not_class has no label, expected at least one class that is ruled out.": not_class,
        "Label of row 1 has no candidate, expected at least one class.": lambda: F.softmax_candidate_cross_entropy(
            np.zeros((2, 3)), [[1, 0, 0], [0, 0, 0]]
        ),
        "Label of row 0, class 1, is 0.5, expected 0 or 1: 1 for each candidate of the row.": (
            lambda: F.candidate_cross_entropy(np.ones((1, 2)) / 2, [[1, 0.5]])
        ),
        "Label is 5, expected 0..1.": lambda: F.softmax_cross_entropy([1.0, 2.0], 5),
        f"Labels are of type <U1, expected class indices or rows of numbers. {WORDS}": lambda: F.cross_entropy(
            Z, ["a", "b", "c"]
        ),
        "Label of row 1 is 1.5, expected a whole number 0..3.": lambda: F.softmax_cross_entropy(Z, [0, 1.5, nan]),
        "Label of row 1 is 7, expected 0..3.": lambda: F.softmax_cross_entropy(Z, [0, 7, -1]),
        "Label of row 1 is 4, expected 0..3. Labels count from 0: subtract 1.": lambda: F.softmax_cross_entropy(
            Z, [1, 4, 2]
        ),
        "Label of row (1, 1) is 9, expected 0..3.": lambda: F.softmax_cross_entropy(
            np.zeros((2, 3, 4)), [[0, 0, 0], [0, 9, 0]]
        ),
        "Label of row 0, class 2, is -0.5, expected a finite number >= 0.": lambda: F.softmax_cross_entropy(
            Z, np.eye(4)[:3] - 0.5 * np.eye(4)[[2, 2, 1]]
        ),
        "Label of row 0, class 0, is 2, expected a number from 0 to 1.": lambda: F.sigmoid_cross_entropy(Z, Z + 2),
        "Label of row 0, class 0, is inf, expected a finite number.": lambda: F.squared_error(Z, Z + inf),
        "sample_weight of row 1 is nan, expected a finite number >= 0.": lambda: F.squared_error(
            Z, Z, sample_weight=[1, nan, -1]
        ),
        "Label of row 0 is 3, expected 0..2.": lambda: NET.loss(X, y + 3),
        "sample_weight of row 0 is -1, expected a finite number >= 0.": lambda: NET.loss_and_gradients(
            X, y, -np.ones(6)
        ),
    },
    OptionError: {
        "samples is 0, expected a whole number >= 1.": sampled(samples=0),
        "seed is -1, expected a whole number >= 0.": sampled(seed=-1),
        "proposal is 'zipf', expected 'log_uniform' or one frequency for each class.": sampled(proposal="zipf"),
        "softcap is 30, expected None with output='sigmoid': only softmax has this option.": with_option(
            output="sigmoid", loss="binary_cross_entropy", softcap=30.0
        ),
        "output_bias is False, expected True, because b1 holds numbers other than 0.": lambda: Network.from_parameters(
            {"W1": np.zeros((2, 3)), "b1": np.ones(3)}, output_bias=False
        ),
        "embedding is 'periodic', expected an Embedding, or None.": with_option(embedding="periodic"),
        "layer_sizes starts with 4, expected 7, the width of Embedding(4 columns -> 7: periodic 1 x 3).": with_option(
            embedding=EMBEDDING
        ),
        "alpha is -1, expected a number >= 0.": lambda: between("alpha", -1, 0),
        "share is 1, expected a number between 0 and 1.": lambda: between("share", 1, 0, 1, open_below=True),
        "clip is '1', expected a number > 0 or None.": lambda: between("clip", "1", 0, open_below=True, other="None"),
        "activation is 'tahn', expected one of relu, tanh. Did you mean 'tanh'?": lambda: one_of(
            "activation", "tahn", ["relu", "tanh"]
        ),
        "loss is None, expected one of a, b.": lambda: one_of("loss", None, ["a", "b"]),
        f"activation is 'tahn', expected one of {NAMES}. Did you mean 'tanh'?": with_option(activation="tahn"),
        f"activation is 'relux', expected one of {NAMES}. Did you mean 'relu'?": with_option(activation=["relux"]),
        "output is 'logistic', expected one of softmax, sigmoid, identity, relu.": with_option(output="logistic"),
        (
            "loss is 'crossentropy', expected one of cross_entropy, squared_error, binary_cross_entropy, "
            "candidate_cross_entropy. Did you mean 'cross_entropy'?"
        ): with_option(loss="crossentropy"),
        (
            "output is 'relu', expected 'softmax' with loss='candidate_cross_entropy': only the probabilities of "
            "classes that exclude one another may be added."
        ): with_option(output="relu", loss="candidate_cross_entropy"),
        "reduction is 'average', expected one of mean, sum, none.": lambda: F.squared_error(Z, Z, reduction="average"),
        "method is 'forward', expected one of complex, central.": lambda: gradcheck.numeric_gradient(
            np.sum, [1.0], method="forward"
        ),
        "label_smoothing is 1.5, expected a number from 0 to 1.": lambda: F.cross_entropy(
            Z, [0, 0, 0], label_smoothing=1.5
        ),
        "layer_sizes is [4, 0, 3], expected two or more whole numbers >= 1, as [4, 10, 3].": lambda: Network([4, 0, 3]),
        "activation has 2 entries, expected 1: one for each hidden layer.": lambda: Network(
            [4, 5, 3], activation=["relu", "tanh"]
        ),
        "learning_rate is -1, expected a number > 0.": lambda: NET.step(NET.parameters, -1),
        "learning_rate is nan, expected a number > 0.": lambda: NET.step(NET.parameters, float("nan")),
        "random_state is 'a', expected a whole number from 0 to 2^32 - 1, None, or a generator.": with_option(
            random_state="a"
        ),
        "random_state is -1, expected a whole number from 0 to 2^32 - 1, None, or a generator.": with_option(
            random_state=-1
        ),
        f"activation is None, expected one of {NAMES}.": with_option(activation=None),
        "dtype is 'flot32', expected a float dtype such as 'float32' or 'float64'.": with_option(dtype="flot32"),
        "label_smoothing is 'a', expected a number from 0 to 1.": lambda: F.cross_entropy(
            Z, [0, 0, 0], label_smoothing="a"
        ),
        "step is 0, expected a number > 0.": lambda: gradcheck.numeric_gradient(np.sum, [1.0], step=0),
        "tolerance is 0, expected a number > 0.": lambda: gradcheck.check_vjp(
            np.sin, lambda dOut, x: dOut * np.cos(x), [1.0], tolerance=0
        ),
        "l2 is -0.5, expected a number >= 0.": with_option(l2=-0.5),
        "l2 is 'a', expected a number >= 0.": with_option(l2="a"),
        "dtype is 'int64', expected a float dtype such as 'float32' or 'float64'.": with_option(dtype="int64"),
        (
            "method is 'complex', but the function returned real numbers for complex input: "
            "somewhere it drops the imaginary part, or doesn't depend on it. Use method='central'."
        ): lambda: gradcheck.check_vjp(np.abs, lambda dOut, x: dOut, [1.0]),
        "directions is 0, expected a whole number >= 1.": lambda: gradcheck.check_vjp(
            np.sin, lambda dOut, x: dOut, [1.0], directions=0
        ),
    },
    DataError: {
        "Row 0 of X holds NaN or inf, expected finite numbers.": lambda: NET.check_gradients(X + inf, y),
    },
    KeyError: {
        "'W2'; there are W1, b1": lambda: set_parameter("W2", 0.0),
    },
}
"""What is raised, with which message, by which call."""

CASES = [(kind, message, call) for kind, table in TABLE.items() for message, call in table.items()]


@pytest.mark.parametrize(("kind", "message", "call"), CASES, ids=[message for _, message, _ in CASES])
def test_the_message_is_word_for_word(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.args == (message,)
    assert caught.type is kind


@pytest.mark.parametrize(("message", "call"), TABLE[OptionError].items(), ids=TABLE[OptionError])
def test_an_error_about_a_parameter_carries_its_name(message, call):
    with pytest.raises(OptionError) as caught:
        call()
    assert caught.value.parameter == message.split()[0]


def sources():
    """The files of `MODULES`, as installed."""
    for name in MODULES:
        module = importlib.import_module(f"glassmax.{name}")
        names = [name, *(f"{name}.{sub.name}" for sub in pkgutil.iter_modules(getattr(module, "__path__", [])))]
        for submodule in names:
            yield Path(importlib.import_module(f"glassmax.{submodule}").__file__)


def test_every_raise_of_the_mathematics_is_in_the_table():
    reached = set()
    for kind, _, call in CASES:
        with pytest.raises(kind) as caught:
            call()
        frame = traceback.extract_tb(caught.value.__traceback__)[-1]
        reached.add((Path(frame.filename), frame.lineno))
    raises = [
        (path, node.lineno, node.end_lineno)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
    ]
    assert len(raises) > 20
    missed = [
        f"{path.name}, line {first}"
        for path, first, last in raises
        if not any((path, line) in reached for line in range(first, last + 1))
    ]
    assert missed == []


def test_messages_open_with_a_word_and_end_with_a_sentence():
    for kind, message, _ in CASES:
        assert kind is KeyError or re.fullmatch(r"\w.*[.?]", message), message


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error") and n != "GlassmaxError"])
def test_every_error_is_a_glassmax_error_and_one_of_pythons_own(name):
    error = getattr(errors, name)
    assert issubclass(error, GlassmaxError)
    own = {"DivergenceError": ArithmeticError, "WorkerError": RuntimeError}
    assert issubclass(error, own.get(name, ValueError))


def test_a_name_that_is_allowed_is_returned_as_it_is():
    assert one_of("activation", "relu", ["relu", "tanh"]) == "relu"


# --- messages as data ------------------------------------------------------------------------------------------------

WITH_UNITS = Table("t", {"full size": np.array([f"{i} cm" for i in range(40)], object)})
COUNTED = Table("t", {"id": np.arange(40.0)})
CODES = Table("t", {"zip": np.array(["007", "123", "007"] * 20, object)})


def checked(**options):
    return lambda: make_plan(SoftmaxClassifier(**options))


def fitted(X_val=None, y_val=None, **options):
    return lambda: SoftmaxClassifier(**options).fit(ROWS, [0, 1], X_val=X_val, y_val=y_val)


ROWS = np.eye(2)
SCORINGS = (
    "expected one of log_loss, accuracy, balanced_accuracy, f1, auc, top_5_accuracy, "
    "the name of a scorer of scikit-learn's, or a callable."
)

VOICES = {
    checked(activation="tahn"): (
        f"activation is 'tahn', expected one of {NAMES}, logistic. Did you mean 'tanh'?",
        f"--activation is 'tahn', expected one of {NAMES}, logistic. Did you mean 'tanh'?",
    ),
    checked(learning_rate_init=-1): (
        "learning_rate_init is -1, expected a number > 0.",
        "--learning-rate is -1, expected a number > 0.",
    ),
    checked(activation=["relu", "tanh"]): (
        "activation has 2 entries, expected 1: one for each hidden layer.",
        "--activation has 2 entries, expected 1: one for each hidden layer.",
    ),
    checked(solver="lbfgs", weight_decay=0.1): (
        "weight_decay is 0.1, expected None with solver='lbfgs': it chooses its own steps. "
        "Use alpha, or solver='adam'.",
        "--weight-decay is 0.1, expected None with --solver lbfgs: it chooses its own steps. "
        "Use --alpha, or --solver adam.",
    ),
    checked(learning_rate="step", step_every=0): (
        "step_every is 0, expected a whole number of epochs >= 1.",
        "--step-every is 0, expected a whole number of epochs >= 1.",
    ),
    checked(learning_rate="one_cycle", warmup=0.1): (
        "warmup is 0.1 with the schedule 'one_cycle', expected 0: the cycle has a rise of its own.",
        "--warmup is 0.1 with the schedule 'one_cycle', expected 0: the cycle has a rise of its own.",
    ),
    checked(scoring="roc"): (
        f"scoring is 'roc', {SCORINGS} Did you mean 'roc_auc'?",
        f"--metric is 'roc', {SCORINGS} Did you mean 'roc_auc'?",
    ),
    fitted(class_weight={0: -1.0, 1: 1.0}): (
        "class_weight is {0: -1.0, 1: 1.0}, expected numbers >= 0.",
        "--class-weight is {0: -1.0, 1: 1.0}, expected numbers >= 0.",
    ),
    fitted(early_stopping=True): (
        "validation_fraction=0.1 of 2 rows holds out none, because every class must keep a row. "
        "Pass more rows, or early_stopping=False.",
        "--validation 0.1 of 2 rows holds out none, because every class must keep a row. "
        "Pass more rows, or no --early-stopping.",
    ),
    fitted(scoring="auc", early_stopping=True, X_val=ROWS[:1], y_val=[0]): (
        "scoring is 'auc', which can't be computed on the validation rows: it takes rows with and without a class. "
        "They hold [0] of 2 classes. Pass X_val and y_val with rows of every class, or scoring='log_loss'.",
        "--metric is 'auc', which can't be computed on the validation rows: it takes rows with and without a class. "
        "They hold [0] of 2 classes. Pass --validation with rows of every class, or --metric log_loss.",
    ),
    lambda: read_table("iris", decimal="'"): (
        """decimal is "'", expected '.' or ','.""",
        """--decimal is "'", expected '.' or ','.""",
    ),
    lambda: infer(WITH_UNITS, ()): (
        "Column 'full size' of t holds numbers with a unit, such as '0 cm', expected numbers alone, as 1234.5. Write "
        "the unit into the name of the column. Leave it out with ignore=['full size'].",
        "Column 'full size' of t holds numbers with a unit, such as '0 cm', expected numbers alone, as 1234.5. Write "
        "the unit into the name of the column. Leave it out with --ignore 'full size'.",
    ),
    lambda: Encoding.learn(COUNTED, "y"): (
        "t has no column 'y'. There are 'id'.",
        "t has no column 'y'. There are 'id'.",
    ),
    lambda: load_model("/nowhere"): (
        "/nowhere: there is no such file. Train one with: SoftmaxClassifier(...).fit(X, y).save(path)",
        "/nowhere: there is no such file. Train one with: glassmax train DATA --target COLUMN",
    ),
}
"""What is raised, and its message in Python and on the command line."""


@pytest.mark.parametrize(("call", "voices"), VOICES.items(), ids=[typed for _, typed in VOICES.values()])
def test_a_message_names_arguments_in_python_and_options_on_the_command_line(call, voices):
    with pytest.raises(GlassmaxError) as caught:
        call()
    assert (str(caught.value), worded_error(caught.value)) == voices


def test_a_note_names_arguments_in_python_and_options_on_the_command_line():
    notes = [*infer(COUNTED, ()).notes, *infer(CODES, ()).notes]
    ends = [
        ("To learn from it all the same: keep=['id'].", "To learn from it all the same: --keep id."),
        ("If they are numbers: types={'zip': 'number'}.", "If they are numbers: --type zip=number."),
    ]
    for note, (python, typed) in zip(notes, ends, strict=True):
        assert str(note).endswith(python)
        assert errors.worded(note.text, option_of).endswith(typed)


def test_an_error_carries_its_parts():
    with pytest.raises(OptionError) as caught:
        one_of("solver", "adma", ["adam", "sgd"])
    error = caught.value
    assert (error.parameter, error.came, error.expected) == ("solver", "'adma'", "one of adam, sgd")
    assert error.remedy == "Did you mean 'adam'?"


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error")])
def test_an_error_goes_to_another_process_and_back_whole(name):
    kind = getattr(errors, name)
    one = kind("what is wrong", "y = x +", 7) if name in ("ExpressionError", "LearnerFileError") else kind("wrong")
    many = (
        kind(parameter="alpha", came="-1", expected="a number >= 0", remedy=("Pass ", Setting("alpha", 0), "."))
        if kind is OptionError
        else one
    )
    for error in (one, many):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.__dict__) == (kind, str(error), error.__dict__)
