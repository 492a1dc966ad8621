"""What TableClassifier and its ensembles refuse: every message word for word, every raise reached."""

import contextlib
import sys
import tempfile
from dataclasses import replace
from inspect import signature
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError

import glassmax.estimator
from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.errors import CheckpointError, DataError, DivergenceError, LabelError, OptionError
from glassmax.estimator.ensemble import (
    EnsembleCheckpoint,
    MemberType,
    Numbers,
    Preset,
    Rows,
    StudyFile,
    Trainer,
    Trial,
    assign_blocks,
    train_ensemble,
    tuning,
)
from glassmax.estimator.ensemble.checkpoint import MemberFacts, SavedMember
from glassmax.estimator.ensemble.presets import NETWORK
from glassmax.estimator.ensemble.selection import Judgement
from glassmax.estimator.tables.rows import TableRows
from glassmax.table import as_table
from tests.estimator.iris import IRIS, SPECIES
from tests.estimator.raises import raises_that_are_missed
from tests.estimator.test_table_rows import N, frame

pytest.importorskip("optuna")

NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (4,)}, 2, 4)
TINY = Preset((NET,), members=3, blocks=3)
PARAMETER_NAMES = {
    parameter
    for method in ("__init__", "fit", "tune")
    for parameter in signature(getattr(TableClassifier, method)).parameters
}
WILD = MemberType("wild", {"hidden_layer_sizes": (8,), "learning_rate_init": 1e30, "activation": "identity"}, 4, 20)
SEEDS = "expected a whole number from 0 to 4294967295, a RandomState or None."


# --- rows and labels -------------------------------------------------------------------------------------------------


ROWS = {
    "labels_of_another_length": (
        lambda: TableRows(frame(), [0, 1]),
        LabelError("y has 2 labels, expected 40: one for each row of X."),
    ),
    "no_label": (lambda: TableRows(frame(), [None] * N), LabelError("y has no labels: all 40 are missing.")),
    "measurements": (
        lambda: TableRows(frame(), np.linspace(0, 1, N)),
        LabelError(
            "Unknown label type: continuous. Row 1 of y is 0.025641, expected a class: text or a whole number. "
            "glassmax predicts classes, not measurements."
        ),
    ),
    "labels_of_two_kinds": (
        lambda: TableRows(frame(), ["a", 1] * 20),
        LabelError(
            "y holds labels of type int, str, expected all of one type: text, whole numbers or booleans. Convert them "
            "first, to text for instance: [str(label) for label in y]."
        ),
    ),
    "one_class_in_a_column": (
        lambda: TableRows({"x": range(3), "y": ["a"] * 3}, "y"),
        DataError("X: target 'y' is 'a' in every row, expected at least two different classes."),
    ),
    "a_row_of_classes": (
        lambda: TableRows(frame(), np.full((N, 2), 0.5)),
        LabelError("target is (40, 2), expected (n,): one label a row."),
    ),
    "weights_below_0": (
        lambda: TableRows(frame(), "y", -np.ones(N)),
        LabelError("Row 0 of sample_weight is -1, expected a number >= 0."),
    ),
    "weights_of_another_length": (
        lambda: TableRows(frame(), "y", [1.0]),
        LabelError("sample_weight has the shape (1,), expected (40,): one for each row."),
    ),
    "no_weight_at_all": (
        lambda: TableRows(frame(), "y", np.zeros(N)),
        LabelError("sample_weight is zero for every row, expected at least one number > 0."),
    ),
    "groups_of_another_length": (
        lambda: TableRows(frame(), "y", groups=[1]),
        LabelError("groups has the shape (1,), expected (40,): one for each row."),
    ),
    "a_time_that_is_text": (
        lambda: TableRows(frame(), "y", time="color"),
        DataError(
            "Column 'color' of X holds neither numbers nor dates, so it can't order the rows by time. Expected "
            "numbers, or dates as 2024-05-31."
        ),
    ),
    "a_time_that_is_missing": (
        lambda: TableRows(frame(), "y", time=[None, *range(N - 1)]),
        DataError("Row 1 of X: the time 'time' is missing, expected a number or a date in every row."),
    ),
    "times_of_another_length": (
        lambda: TableRows(frame(), "y", time=[1]),
        LabelError("time has 1 entries, expected 40: one for each row."),
    ),
    "an_unknown_class_to_weigh": (
        lambda: TableRows(frame(), "y").class_weight({"maybe": 2}),
        OptionError("class_weight has the unknown class 'maybe'; the classes are no, yes."),
    ),
    "no_class_of_any_weight": (
        lambda: TableRows(frame(), "y").class_weight({"no": 0, "yes": 0}),
        OptionError("class_weight gives every class the weight 0, expected at least one weight > 0."),
    ),
    "a_class_that_no_training_row_has": (
        lambda: _validation(["maybe"]),
        DataError("Row 1 of X_val: y_val is 'maybe', expected a class of the training rows: 0, 1."),
    ),
    "columns_of_two_lengths": (
        lambda: as_table({"x": [1, 2], "z": [1]}),
        DataError("X has columns of 1, 2 rows, expected one length >= 1."),
    ),
    "columns_of_one_name": (
        lambda: as_table({1: [1, 2], "1": [3, 4]}),
        DataError("X has columns of the same name: '1'. Rename them."),
    ),
    "infinite_labels": (
        lambda: TableRows(frame(), [np.inf, None, *range(36), -np.inf, np.inf]),
        LabelError("Input y contains infinity: row 0 and 2 more of the 40 rows. Leave out the rows without a label."),
    ),
    "infinite_labels_in_a_column": (
        lambda: TableRows({"x": range(4), "y": [1.0, np.inf, np.inf, 2.0]}, "y"),
        DataError(
            "Row 2 of X: 'y' is inf, expected the name of a class. The same holds for 1 more of the 4 rows. Correct "
            "the cell, or predict another column."
        ),
    ),
    "one_class_in_the_rows_that_count": (
        lambda: TableRows({"x": range(3), "y": list("aab"), "w": [1, 1, 0]}, "y", "w"),
        DataError("X: target 'y' is 'a' in every row whose w isn't 0, expected at least two different classes."),
    ),
    "validation_rows_without_weight": (
        lambda: _validation([0, None], [0, 1]),
        LabelError("sample_weight_val is zero for every row with a label, expected at least one number > 0."),
    ),
    "a_sparse_matrix": (
        lambda: as_table(csr_matrix(np.eye(3))),
        DataError(
            "X is a sparse matrix, expected a frame, a dict of columns or a dense array. Pass X.toarray(), or use "
            "SoftmaxClassifier, which trains on sparse matrices."
        ),
    ),
}


def _validation(labels, weight=None):
    rows = TableRows(frame(), [0, 1] * 20)
    rows.learn_encoding()
    return rows.encoded_validation(frame()[: len(labels)], labels, weight)


# --- parameters and arguments ----------------------------------------------------------------------------------------


def fast(**parameters):
    return TableClassifier(**{"preset": TINY, "random_state": 0, "n_threads": 1, **parameters})


def fit(arguments=None, **parameters):
    return lambda: fast(**parameters).fit(IRIS, SPECIES, **(arguments or {}))


def tune(network=None, **asked):
    return lambda: fast(network=network).tune(IRIS, SPECIES, **asked)


def of_little_memory():
    with patch("os.sysconf", lambda _: 8):
        rows = TableRows(frame(), "y")
        rows.learn_encoding()
        rows.encoded()


def without_optuna():
    with patch.dict(sys.modules, {"optuna": None}):
        tune(trials=1)()


VALIDATION = {"X_val": IRIS, "y_val": SPECIES}
NO_FOLDS = "but with X_val all rows are trained on and the validation rows are judged. Pass one of the two."
OPTIONS = {
    "preset is 'fastest', expected one of fast, default, best. Did you mean 'fast'?": fit(preset="fastest"),
    "network is 'mlp', expected a SoftmaxClassifier, or None for a preset.": fit(network="mlp"),
    "network has min_count=2, expected 1. Pass min_count to TableClassifier instead.": fit(
        network=SoftmaxClassifier(min_count=2)
    ),
    "held_out is 1.0, expected a number from 0 up to, not including, 1.": fit(held_out=1.0),
    "dtype is 'float16', expected one of float64, float32. Did you mean 'float64'?": fit(dtype="float16"),
    "time_limit is 0, expected a number > 0 or None.": fit(time_limit=0),
    "time_limit is 5, expected None with network: only a preset has a time limit and a checkpoint.": fit(
        network=SoftmaxClassifier(), time_limit=5
    ),
    "engine is 'ray', expected None with network: workers train the networks of a preset.": lambda: TableClassifier(
        network=SoftmaxClassifier()
    ).fit(IRIS, SPECIES, engine="ray"),
    "n_threads is 0, expected a whole number >= 1 or None.": fit(n_threads=0),
    "n_threads is True, expected a whole number >= 1 or None.": fit(n_threads=True),
    "memory_limit is True, expected a whole number of bytes >= 16000000 (16 MB), or None.": fit(memory_limit=True),
    f"random_state is -1, {SEEDS}": fit(random_state=-1),
    f"random_state is True, {SEEDS}": fit(random_state=True),
    f"random_state is 4294967296, {SEEDS}": fit(random_state=2**32),
    "ignore is 'day', expected a list of names of columns.": fit(ignore="day"),
    "keep is 3, expected a list of names of columns.": fit(keep=3),
    "types is ['day'], expected a dict from names of columns to their kinds, or None.": fit(types=["day"]),
    "class_weight is 3, expected a dict of weights by class, 'balanced' or None.": fit(class_weight=3),
    "candidates is 'a!', expected the text between classes in a cell, such as '|', without '!'; or None.": fit(
        candidates="a!"
    ),
    "checkpoint_path is 3, expected the path of a file, or None.": fit(checkpoint_path=3),
    "X_val is given without y_val. Pass both, or none.": fit({"X_val": IRIS}),
    "y_val is given without X_val. Pass both, or none.": fit({"y_val": SPECIES}),
    f"groups says which rows are judged together, {NO_FOLDS}": fit(VALIDATION | {"groups": SPECIES}),
    f"time says which rows are judged together, {NO_FOLDS}": fit(VALIDATION | {"time": SPECIES}),
    "groups is the same in every row, expected at least two different ones, so that rows can be left out.": fit(
        {"groups": np.zeros(150)}
    ),
    "groups and time are both given, expected one.": fit({"groups": SPECIES, "time": SPECIES}),
    "budget and trials are both None, expected at least one.": tune(),
    "budget is 0, expected a number > 0 or None.": tune(budget=0),
    "trials is 0, expected a whole number >= 1 or None.": tune(trials=0),
    "study_path is 3, expected the path of a file, or None.": tune(trials=1, study_path=3),
    "network is given, but tune searches for types of networks that join a preset. Leave it out.": tune(
        SoftmaxClassifier(), trials=1
    ),
    "To search for types of networks, Optuna is needed. Install it: pip install 'glassmax[tune]'": without_optuna,
}


# --- ensembles, their checkpoints and studies ------------------------------------------------------------------------


def train(kind):
    y = np.arange(60) % 3
    folds = assign_blocks(y, np.random.RandomState(0), 3)
    trainer = Trainer(Rows(IRIS[:60].astype(np.float32), y), 3, folds, validation=None, seed=0, n_threads=1)
    for _ in train_ensemble(trainer, Preset((kind,), members=1, blocks=3)):
        pass


def judged_by_none():
    with patch.object(tuning, "judge", lambda *_: Judgement(np.nan, np.nan, 1.0, 0)):
        narrow = patch.object(tuning, "FIRST", (tuning.FIRST[1] | {"width": 4, "epochs": 1},))
        with narrow, patch.object(tuning, "FEWEST_STEPS", 1), patch.object(tuning, "MOST_STEPS", 2):
            tune(trials=1)()


def in_a_folder(call):
    """Call in an empty folder."""

    def inside():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            call()

    return inside


FACTS = MemberFacts(0, 0, 1, 60, 0.1, "tol")
IDENTITY = {"preset": "'fast'"}
PARAMETERS = tuning.FIRST[0]
TRIAL = Trial(1, PARAMETERS, 0.5, 0.1, 1.0, "complete", tuning._seed(0, 1), [0.5])


def checkpoint_in_place_of_a_folder():
    checkpoint = EnsembleCheckpoint(Path("c"), IDENTITY)
    Path("c").mkdir()
    checkpoint.add(SavedMember(np.zeros(3), [1.0], FACTS))


def checkpoint_of(theta):
    def call():
        EnsembleCheckpoint(Path("c"), IDENTITY).add(SavedMember(theta, [1.0], FACTS))
        EnsembleCheckpoint(Path("c"), IDENTITY)

    return call


def study_in_place_of_a_folder():
    study = StudyFile(Path("s"), IDENTITY)
    Path("s").unlink()
    Path("s").mkdir()
    study.add(TRIAL)


def study_of(*lines, identity=IDENTITY):
    """Read a study that holds other lines."""

    def call():
        study = StudyFile(Path("s"), IDENTITY)
        for line in lines:
            if isinstance(line, Trial):
                study.add(line)
            else:
                Path("s").write_bytes(Path("s").read_bytes() + line)
        StudyFile(Path("s"), identity)

    return call


def check(**changed):
    """Check a trial of a study."""
    trial = replace(TRIAL, **changed)
    space = tuning._space(Numbers((0,), 1))
    return lambda: tuning._check(trial, space, 0, StudyFile(Path("s"), IDENTITY))


def refused_by_optuna():
    with patch.object(tuning, "_frozen", side_effect=ValueError("layers can't be 9.")):
        check()()


DELETE = "Delete this line and those after it, and the search goes on from the lines before."
FILES = {
    "checkpoint_path c can't be written: Is a directory.": checkpoint_in_place_of_a_folder,
    "checkpoint_path c lacks what a run needs: the weights of member 0.0. Delete it to begin anew.": checkpoint_of(
        np.full(3, np.nan)
    ),
    "study_path no/s: the folder no doesn't exist. Make it first.": lambda: StudyFile(Path("no/s"), {}),
    "study_path . can't be read and written: Is a directory.": lambda: StudyFile(Path(), {}),
    "study_path s can't be written: Is a directory.": study_in_place_of_a_folder,
    "study_path s is not a study of glassmax. Pass another study_path.": lambda: (
        Path("s").write_text("a,b\n1,2\n"),
        StudyFile(Path("s"), {}),
    ),
    (
        "study_path s belongs to another search: preset is 'best', the file has 'fast'. Pass what it was begun with, "
        "or another study_path; or delete it to begin anew."
    ): study_of(identity={"preset": "'best'"}),
    (f"study_path s, line 2, is damaged: JSON is malformed: invalid character (byte 0). {DELETE}"): study_of(b"x\n"),
    f"study_path s, line 3, is damaged: it is trial 1, expected trial 2. {DELETE}": study_of(TRIAL, TRIAL),
    (f"study_path s, line 2, is damaged: its seed or its parameters are not those of this search. {DELETE}"): check(
        seed=5
    ),
    f"study_path s, line 2, is damaged: its log-loss is not the last one of its members. {DELETE}": check(log_loss=0.1),
    f"study_path s, line 2, is damaged: layers can't be 9. {DELETE}": refused_by_optuna,
}

TABLE = {
    OptionError: OPTIONS,
    CheckpointError: {message: in_a_folder(call) for message, call in FILES.items()},
    DataError: {
        (
            "X becomes 40 rows of 13 numbers, 0.0 GB; this machine has 0.0 GB. Pass dtype='float32', ignore columns of "
            "many categories, or fewer rows."
        ): of_little_memory,
        "X has 3 features, but TableClassifier is expecting 4 features as input.": lambda: fit()().predict(IRIS[:, :3]),
        "No type of the preset suits 60 rows. Change its fewest_rows or most_rows.": lambda: train(
            replace(NET, fewest_rows=100)
        ),
        (
            "The table has no rows on which a trial could be judged. Pass rows for validation, X_val and y_val, or "
            "more rows."
        ): judged_by_none,
    },
    LabelError: {
        (
            "y is None, expected an array of labels or the name of a column of X: TableClassifier requires y to be "
            "passed, but the target y is None."
        ): lambda: fast().fit(IRIS, None),
    },
    DivergenceError: {
        "No member of the ensemble ended with finite weights. Look for columns with far too large numbers.": lambda: (
            train(WILD)
        ),
    },
    TypeError: {
        (
            "'n_worker' is an unexpected keyword argument, expected one of n_workers, address, resources, wait_limit"
        ): lambda: fast().tune(IRIS, SPECIES, trials=1, engine="processes", n_worker=2),
        "fit() got an unexpected keyword argument 'n_worker'": lambda: fast().fit(
            IRIS, SPECIES, engine="processes", n_worker=2
        ),
    },
    NotFittedError: {
        "This TableClassifier is not fitted yet. Call fit first.": lambda: fast().predict(IRIS),
    },
}
"""What is raised, with which message, by which call."""

CASES = [(kind, message, call) for kind, table in TABLE.items() for message, call in table.items()]
CASES += [(type(expected), str(expected), call) for call, expected in ROWS.values()]


@pytest.mark.parametrize(("kind", "message", "call"), CASES, ids=[message for _, message, _ in CASES])
def test_the_message_is_word_for_word(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert (caught.type, str(caught.value)) == (kind, message)


@pytest.mark.parametrize(("message", "call"), OPTIONS.items(), ids=OPTIONS)
def test_an_error_about_a_parameter_carries_its_name(message, call):
    with pytest.raises(OptionError) as caught:
        call()
    assert caught.value.parameter in {"", *PARAMETER_NAMES}
    assert caught.value.parameter in message


def test_every_raise_of_tables_and_ensembles_is_in_the_table():
    paths = [path for path in Path(glassmax.estimator.__file__).parent.glob("*/*.py") if path.parent.name != "files"]
    assert raises_that_are_missed(paths, CASES, 45) == []
