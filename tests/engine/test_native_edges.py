"""The native engine at its edges: arrays of every layout, what is refused, what the environment says."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from glassmax import Network
from glassmax.engine import Data, Regularization
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import ACTIVATIONS
from glassmax.functional.heads import LOSSES, OUTPUTS
from glassmax.optimizers import Adam
from tests.engine.test_native import ENGINES, INSTRUCTION_SETS, REFERENCE
from tests.grid import DTYPES

native = pytest.importorskip("glassmax.engine.native")
native_arguments = pytest.importorskip("glassmax.engine.native_arguments")

DRAW = np.random.default_rng(0)
X = DRAW.integers(-9, 9, (12, 4)) / 4.0  # exact in every float dtype
Y = np.arange(12) % 3
W = np.arange(12) % 5 / 2.0
ORDER = DRAW.permutation(12)
RATES = np.full(3, 0.125)
NOTHING = Regularization()

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)


def epoch(network, rule=None, state=None, *, engine=ENGINES[-1], **changed):
    """Run an epoch of three steps, with something changed."""
    rule = rule or Adam(0.1)
    state = rule.init(network.theta) if state is None else state
    given = {"X": X, "y": Y, "weight": W, "order": ORDER, "rates": RATES, "batch_size": 4, **changed}
    data = Data(given.pop("X"), given.pop("y"), given.pop("weight"))
    return engine.epoch(network, data, rule, state, regularization=NOTHING, first_step=0, **given)


# layouts


def unaligned(array):
    shifted = np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)
    assert not shifted.flags.aligned
    return shifted


def strided(array):
    return (
        np.repeat(np.repeat(array, 2, axis=0), 3, axis=-1)[::2, ..., ::3]
        if array.ndim > 1
        else np.repeat(array, 2)[::2]
    )


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "strided": strided,
    "backwards": lambda array: array[::-1].copy()[::-1],
    "unaligned": unaligned,
    "byte-swapped": lambda array: array.astype(array.dtype.newbyteorder()),
    "read-only": read_only,
    "float16 or int8": lambda array: array.astype(np.int8 if array.dtype.kind == "i" else np.float16),
    "longdouble or uint64": lambda array: array.astype(np.uint64 if array.dtype.kind == "i" else np.longdouble),
    "float32 or int32": lambda array: array.astype(np.int32 if array.dtype.kind == "i" else np.float32),
    "a subclass": lambda array: array.view(type("Sub", (np.ndarray,), {})),
}


@every_dtype
@pytest.mark.parametrize("what", ["X", "y", "rows", "weight", "order", "rates"])
@pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS)
def test_no_bit_depends_on_the_layout_and_no_input_changes(lay, what, dtype):
    plain = {"X": X, "y": Y, "weight": W, "order": ORDER, "rates": RATES}
    if what == "rows":
        plain["y"], what = np.eye(3)[Y] / 2, "y"
    given = {**plain, what: lay(plain[what])}
    before = {name: array.copy() for name, array in given.items()}
    results = []
    for arrays in (plain, given):
        network = Network((4, 5, 3), dtype=dtype)
        said = epoch(network, **arrays)
        data = Data(arrays["X"], arrays["y"], arrays["weight"])
        loss, gradient = ENGINES[-1].loss_and_gradient(network, data, NOTHING)
        predicted = ENGINES[-1].logits(network, arrays["X"]), ENGINES[-1].probabilities(network, arrays["X"])
        results.append([network.theta, np.array([*said, loss]), gradient, *predicted])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    for name, array in given.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("values", [X.astype(int), X > 0, X.astype(np.float32)], ids=["int", "bool", "float32"])
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.coo_matrix, sparse.lil_matrix])
def test_sparse_matrices_of_other_kinds_are_read_as_they_are_meant(make, values):
    network, expected = Network((4, 5, 3)), REFERENCE.logits(Network((4, 5, 3)), values.astype(float))
    np.testing.assert_allclose(ENGINES[-1].logits(network, make(values)), expected, atol=1e-14)


@pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS)
def test_a_state_of_another_layout_is_moved_in_place(lay):
    network, other, rule = Network((4, 5, 3)), Network((4, 5, 3)), Adam(0.1)
    plain = rule.init(network.theta)
    laid = {"t": 0, **{name: np.require(lay(plain[name].copy()), requirements="W") for name in ("m", "v")}}
    epoch(network, rule, plain)
    epoch(other, rule, laid)
    np.testing.assert_array_equal(network.theta, other.theta)
    assert laid["t"] == 3
    for name in ("m", "v"):
        np.testing.assert_array_equal(laid[name], plain[name].astype(laid[name].dtype))


@every_dtype
def test_read_only_weights_are_enough_where_nothing_is_moved(dtype):
    network = Network((4, 5, 3), dtype=dtype)
    expected = [ENGINES[-1].loss_and_gradient(network, Data(X, Y), NOTHING)[1], ENGINES[-1].logits(network, X)]
    network.theta.flags.writeable = False
    np.testing.assert_array_equal(ENGINES[-1].loss_and_gradient(network, Data(X, Y), NOTHING)[1], expected[0])
    np.testing.assert_array_equal(ENGINES[-1].logits(network, X), expected[1])


# what is refused


def changed(array, at, value):
    array = array.copy()
    array[at] = value
    return array


def broken(indices, starts):
    made = sparse.csr_array(X)
    made.indices, made.indptr = made.indices.copy(), made.indptr.copy()
    if indices is not None:
        made.indices[3] = indices
    if starts is not None:
        made.indptr[2] = starts
    return made


class MyAdam(Adam):
    """A rule of the user's own."""


REFUSED = {
    "columns": ({"X": X[:, :3]}, ShapeError, r"X is \(12, 3\), expected \(n, 4\): rows are samples"),
    "one row": ({"X": X[0]}, ShapeError, r"X is \(4,\), expected \(n, 4\)"),
    "sparse columns": ({"X": sparse.csr_array(X[:, :3])}, ShapeError, r"X is \(12, 3\), expected \(n, 4\)"),
    "complex": ({"X": X + 1j}, Exception, "complex"),
    "text": ({"X": X.astype(str)}, ShapeError, "X holds <U32 values, expected numbers"),
    "objects": ({"X": X.astype(object)}, ShapeError, "X holds object values, expected numbers"),
    "a column too far": ({"X": broken(4, None)}, ValueError, "column"),
    "a column before the first": ({"X": broken(-1, None)}, ValueError, "column"),
    "starts that go down": ({"X": broken(None, 40)}, ValueError, "row starts"),
    "fewer rows": ({"X": X[:11]}, ValueError, "y has another number of rows than X"),
    "label too large": ({"y": changed(Y, 7, 3)}, LabelError, r"Label of row 7 is 3, expected 0\.\.2"),
    "label below 0": ({"y": changed(Y, 7, -1)}, LabelError, r"Label of row 7 is -1, expected 0\.\.2"),
    "label of 0.5": ({"y": changed(Y * 1.0, 7, 0.5)}, LabelError, r"Label of row 7 is 0.5"),
    "a column of labels": ({"y": Y[:, None]}, ShapeError, r"Labels have shape \(12, 1\)"),
    "fewer labels": ({"y": Y[:11], "weight": None}, ValueError, "y has another number of rows than X"),
    "rows below 0": ({"y": changed(np.eye(3)[Y], (7, 1), -0.1)}, LabelError, "Label of row 7, class 1, is -0.1"),
    "rows of nan": ({"y": changed(np.eye(3)[Y], (7, 1), np.nan)}, LabelError, "Label of row 7, class 1, is nan"),
    "fewer weights": ({"weight": W[:11]}, ShapeError, r"sample_weight has shape \(11,\), expected \(12,\)"),
    "weight of nan": ({"weight": changed(W, 7, np.nan)}, LabelError, "sample_weight of row 7 is nan"),
    "weight of inf": ({"weight": changed(W, 7, np.inf)}, LabelError, "sample_weight of row 7 is inf"),
    "weight below 0": ({"weight": changed(W, 7, -1)}, LabelError, "sample_weight of row 7 is -1"),
    "order too far": ({"order": changed(ORDER, 11, 12)}, ValueError, "the order names a row that isn't there"),
    "order below 0": ({"order": changed(ORDER, 11, -1)}, ValueError, "the order names a row that isn't there"),
    "rates": ({"rates": RATES[:2]}, ValueError, "there are fewer rates than steps"),
    "batch size": ({"batch_size": 0}, ValueError, "batch_size is less than 1"),
    "a rule of one's own": ({"rule": MyAdam(0.1)}, OptionError, "The rule is MyAdam, and .*ReferenceEngine"),
}


@pytest.mark.parametrize(("change", "error", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("error")
def test_what_is_refused_leaves_everything_as_it_was(change, error, said):
    network, change = Network((4, 5, 3)), dict(change)
    rule = change.pop("rule", Adam(0.1))
    state = rule.init(network.theta)
    before = network.theta.copy()
    with pytest.raises(error, match=said):
        epoch(network, rule, state, **change)
    np.testing.assert_array_equal(network.theta, before)
    assert state["t"] == 0
    assert not np.concatenate([state["m"], state["v"]]).any()


@pytest.mark.parametrize("which", ["theta", "m", "v"])
def test_what_can_not_be_moved_is_refused_before_anything_is(which):
    network, rule = Network((4, 5, 3)), Adam(0.1)
    state = rule.init(network.theta)
    before, arrays = network.theta.copy(), {"theta": network.theta, **state}
    arrays[which].flags.writeable = False
    with pytest.raises(ShapeError, match=f"{which} is read-only, and an epoch moves it in place: pass a copy"):
        epoch(network, rule, state)
    np.testing.assert_array_equal(network.theta, before)
    assert not np.concatenate([[state["t"]], state["m"], state["v"]]).any()


@pytest.mark.parametrize("dtype", ["longdouble", "complex128"])
def test_a_network_of_another_dtype_is_refused(dtype):
    network = Network((4, 5, 3), dtype=dtype)
    for call in (
        lambda: epoch(network),
        lambda: ENGINES[-1].loss_and_gradient(network, Data(X, Y), NOTHING),
        lambda: ENGINES[-1].logits(network, X),
        lambda: ENGINES[-1].probabilities(network, X),
    ):
        with pytest.raises(OptionError, match=r"The network is \w+, and the native engine computes in float32 and"):
            call()


# nothing at all


@every_engine
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_no_rows_give_no_logits_no_loss_and_move_nothing(engine, make):
    network = Network((4, 5, 3))
    none, before = make(np.zeros((0, 4))), network.theta.copy()
    assert engine.logits(network, none).shape == engine.probabilities(network, none).shape == (0, 3)
    loss, gradient = engine.loss_and_gradient(network, Data(none, np.zeros(0, int)), NOTHING)
    assert (loss, gradient.any()) == (0, False)
    assert epoch(network, engine=engine, order=ORDER[:0]).steps == 0
    np.testing.assert_array_equal(network.theta, before)


# the environment


def says(program, **environment):
    start = "from glassmax.engine import best_engine, build_facts\nfrom glassmax.errors import OptionError\n"
    own = {name: value for name, value in os.environ.items() if not name.startswith("GLASSMAX_")}
    program = f"{start}try:\n    {program}\nexcept OptionError as error:\n    print(error)"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=own | environment).stdout.strip()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, f"native {INSTRUCTION_SETS[-1]}"),
        ({"GLASSMAX_ENGINE": "native", "GLASSMAX_ISA": "baseline"}, "native baseline"),
        ({"GLASSMAX_ENGINE": "reference", "GLASSMAX_ISA": "sse9"}, "reference none"),
        ({"GLASSMAX_ENGINE": "fast"}, "GLASSMAX_ENGINE is 'fast', expected 'native' or 'reference'."),
        ({"GLASSMAX_ISA": "sse9"}, "GLASSMAX_ISA is 'sse9', expected one of baseline"),
    ],
    ids=str,
)
def test_the_environment_names_engine_and_instruction_set(variables, said):
    program = "engine = best_engine(); print(engine.name, getattr(engine, 'isa', 'none'))"
    assert says(program, **variables).startswith(said)


@pytest.mark.parametrize(
    ("cap", "said"),
    [("1", "1 1"), ("3", "3 2"), ("0", "GLASSMAX_NUM_THREADS is '0', expected a whole number >= 1."), ("-1", "GLASSM")]
    + [(wrong, f"GLASSMAX_NUM_THREADS is {wrong!r}, expected a whole number >= 1.") for wrong in ("two", "1.5", "٣")],
)
def test_the_environment_caps_the_threads(cap, said):
    program = "print(best_engine(7).n_threads, best_engine(2).n_threads)"
    assert says(program, GLASSMAX_NUM_THREADS=cap).startswith(said)


def test_the_engine_knows_every_name_and_refuses_others():
    assert set(native_arguments.ACTIVATION) == set(ACTIVATIONS)
    assert set(native_arguments.OUTPUT) == set(OUTPUTS)
    assert set(native_arguments.LOSS) == set(LOSSES)
    for activation, output, loss in [("new", "softmax", "cross_entropy"), ("relu", "new", "cross_entropy")]:
        with pytest.raises(OptionError, match=r"^The native engine knows no 'new'\. Take glassmax\.engine\.Ref"):
            native_arguments.spec_of_shape((2, 3, 2), (activation,), output, loss)
