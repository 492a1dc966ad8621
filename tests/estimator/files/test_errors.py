"""What a fit on files refuses: every message word for word, every raise reached."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest

import glassmax.estimator
from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.errors import DataError, OptionError
from glassmax.estimator.files.available import check_network_on_files
from glassmax.estimator.files.rows import RowsHere
from glassmax.streaming import Sources
from tests.estimator.raises import raises_that_are_missed

from .rows_on_disk import cut, frame, quick

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FOLDER = Path(tempfile.mkdtemp(prefix="glassmax-tests-"))


@pytest.fixture(scope="module", autouse=True)
def _files():
    cut(frame(900), FOLDER / "rows", [400], "csv")
    cut(frame(900).with_columns(x3=pl.lit(1.5) * pl.Series(np.arange(900) % 7)), FOLDER / "other", [], "csv")
    cut(frame(900).filter(pl.col("y") != "c"), FOLDER / "two", [], "csv")
    cut(frame(900).with_columns(y=pl.col("y").replace("c", "d")), FOLDER / "renamed", [], "csv")
    cut(frame(12), FOLDER / "few", [], "csv")
    cut(frame(12).with_columns(y=pl.lit(None, pl.String)), FOLDER / "unlabelled", [5], "csv")
    (FOLDER / "empty").mkdir()
    for name in ("a", "b"):
        (FOLDER / "empty" / f"{name}.csv").write_text("x0,x1,x2,word,w,y\n")
    yield
    for path in sorted(FOLDER.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    FOLDER.rmdir()


def fit(X="rows", y=None, w=None, fitting=None, target="y", **options):
    X = FOLDER / X if isinstance(X, str) else X
    return lambda: SoftmaxClassifier(**quick(**options)).fit(X, y, w, target=target, **(fitting or {}))


def table(fitting=None, w=None, **options):
    return lambda: TableClassifier(random_state=0, **options).fit(
        FOLDER / "rows", None, w, target="y", **(fitting or {})
    )


def again(other, first="rows"):
    def call():
        classifier = SoftmaxClassifier(**quick(warm_start=True))
        if first == "arrays":
            classifier.fit(np.eye(3), [0, 1, 2])
        else:
            classifier.fit(FOLDER / first, target="y")
        classifier.fit(FOLDER / other, target="y")

    return call


def with_callbacks():
    classifier = SoftmaxClassifier(**quick())
    classifier._skl_callbacks = [object()]
    check_network_on_files(classifier)


IN_MEMORY = "Read the files into one table, if the table fits into memory, or leave the argument out."
ON_FILES = "is given, but is not supported on files, expected None. " + IN_MEMORY
PASS = "Pass the path of the files as X, and the column to predict as target."
ONE = "a row of a file has one class."
WARM = "warm_start=True continues from the weights of the last fit, but "
SCORES = "other possible values are 'accuracy' and 'top_5_accuracy', with any number in place of 5."

TABLE = {
    OptionError: {
        # what names the files
        "target is 3, expected the name of a column of the files.": fit(target=3),
        "target='y' names the column to predict, so y must be None. Pass only one of the two.": fit(y=[0, 1]),
        "sample_weight is of type list, expected the name of a column of the files, or None.": fit(w=[1.0]),
        "X is of type ndarray, expected a path, a folder, a glob or a list of paths with target='y'. Pass y, and not "
        "target, for rows in memory.": fit(np.eye(3)),
        "X is an empty list, expected a path, a folder, a glob or a list of paths with target='y'. Pass y, and not "
        "target, for rows in memory.": fit([]),
        # what can't be had
        "shuffle is False, expected True on files: the rows are taken in a seeded order.": fit(shuffle=False),
        "min_count is 5, expected 1 on files: rare classes are not put together.": fit(min_count=5),
        f"output is 'sigmoid', expected 'softmax' on files: {ONE}": fit(output="sigmoid"),
        f"loss is 'candidate_cross_entropy', expected 'cross_entropy' on files: {ONE}": fit(
            loss="candidate_cross_entropy"
        ),
        f"scoring is 'f1', expected 'log_loss' on files: {SCORES}": fit(scoring="f1", early_stopping=True),
        f"X_val {ON_FILES}": fit(fitting={"X_val": np.eye(3)}),
        f"classes {ON_FILES}": fit(fitting={"classes": ["a", "b"]}),
        f"groups {ON_FILES}": table({"groups": "word"}),
        f"time {ON_FILES}": table({"time": "x0"}),
        f"candidates is '|', expected None on files: {ONE}": table(candidates="|"),
        "time_limit is 3, expected None on files: only a preset has a time limit.": table(time_limit=3),
        "Callbacks are not supported on files, expected none. Use fit_epochs, which yields each epoch.": with_callbacks,
        # too few rows, too many at once
        "validation_fraction=0.01 of 12 rows holds out none. Pass more rows, or early_stopping=False.": fit(
            "few", early_stopping=True, validation_fraction=0.01, random_state=0
        ),
        "held_out=0.999 of 12 rows leaves none to train on. Hold out fewer rows.": lambda: TableClassifier(
            held_out=0.999, random_state=0
        ).fit(FOLDER / "few", target="y"),
        "batch_size is 600, expected at most 448 on files, where a batch is drawn from a window of 448 rows. For all "
        "rows at once, use solver='lbfgs'.": fit(batch_size=600),
        # warm start
        WARM + "the last fit was on arrays, whose columns have no encoding. Fit with warm_start=False.": again(
            "rows", "arrays"
        ),
        WARM + "the columns of these files have another encoding than those of the last fit. Fit with "
        "warm_start=False.": again("other"),
        WARM + "these files have other classes than those of the last fit. Fit with warm_start=False.": again(
            "renamed"
        ),
        # workers
        "engine is 'rya', expected one of processes, ray, mpi. Did you mean 'ray'?": fit(fitting={"engine": "rya"}),
        "averaging_steps is 4, expected None without averaging='local_sgd'.": fit(fitting={"averaging_steps": 4}),
        "averaging is 'sgd', expected one of local_sgd.": fit(fitting={"averaging": "sgd"}),
        "averaging is 'local_sgd', expected None without engine: one process has nothing to average.": fit(
            fitting={"averaging": "local_sgd"}
        ),
        "averaging_steps is 0, expected a whole number >= 1 or None.": fit(
            fitting={"averaging": "local_sgd", "averaging_steps": 0, "engine": "processes"}
        ),
        "solver is 'lbfgs', expected another one with averaging='local_sgd': L-BFGS takes all rows in each step.": fit(
            fitting={"averaging": "local_sgd", "engine": "processes"}, solver="lbfgs"
        ),
    },
}  # fmt: skip
NEXT_TIME = "so it would be read as data the next time. Pass another checkpoint_path."
INSIDE, GLOB, ONE_FILE = FOLDER / "rows" / "run.ckpt", FOLDER / "rows" / "run.csv", FOLDER / "rows" / "part-0.csv"
TABLE[DataError] = {
    f"{INSIDE} is in the folder {FOLDER / 'rows'}, {NEXT_TIME}": fit(checkpoint_path=INSIDE),
    f"{GLOB} matches {FOLDER}/rows/*.csv, {NEXT_TIME}": fit(Path(f"{FOLDER}/rows/*.csv"), checkpoint_path=str(GLOB)),
    f"{INSIDE} matches {FOLDER}/ro*, {NEXT_TIME}": fit(Path(f"{FOLDER}/ro*"), checkpoint_path=INSIDE),
    f"{ONE_FILE} is one of the files, {NEXT_TIME}": fit([ONE_FILE], checkpoint_path=ONE_FILE),
    f"The cache folder {INSIDE} is in the folder {FOLDER / 'rows'}, so its files would be read as data the next time. "
    "Pass another cache_folder.": fit(fitting={"cache_folder": INSIDE}),
    f"{ONE_FILE} is a file, expected a folder. Pass another cache_folder.": fit(fitting={"cache_folder": ONE_FILE}),
}


def score(X, weight=None):
    """Return a call that scores files after a fit."""
    return lambda: SoftmaxClassifier(**quick()).fit(FOLDER / "rows", target="y").score(FOLDER / X, "y", weight)


TABLE[OptionError]["sample_weight is of type tuple, expected the name of a column of the files, or None."] = score(
    "rows", (1.0,)
)
TABLE[DataError] |= {
    f"{FOLDER / 'empty'}: no file has a row, expected at least one row.": score("empty"),
    f"{FOLDER / 'unlabelled'}: no row that counts has a value in the target column 'y'.": score("unlabelled"),
}
CASES = [(kind, message, call) for kind, of_kind in TABLE.items() for message, call in of_kind.items()]


@pytest.mark.parametrize(
    ("kind", "message", "call"), CASES, ids=[message.replace(str(FOLDER), "FOLDER") for _, message, _ in CASES]
)
def test_the_message_is_word_for_word(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def interrupted(seen):
    """Return a call in which Ctrl-C is pressed after so many windows."""

    def call():
        left = [seen]

        def pressed(self, steps, real=RowsHere.train):
            def told(done):
                left[0] -= 1
                if not left[0]:
                    raise KeyboardInterrupt

            if not seen:
                raise KeyboardInterrupt
            yield from real(self, steps._replace(on_window=lambda done: (steps.on_window(done), told(done))))

        with patch.object(RowsHere, "train", pressed):
            list(SoftmaxClassifier(**quick()).fit_epochs(FOLDER / "rows", target="y"))

    return call


def test_every_raise_of_a_fit_on_files_is_in_the_table():
    paths = (Path(glassmax.estimator.__file__).parent / "files").glob("*.py")
    cases = [*CASES, *((KeyboardInterrupt, "", interrupted(seen)) for seen in (0, 2))]
    assert raises_that_are_missed(paths, cases, 14, left_out="_InterruptedError") == []


def test_a_refused_fit_changes_nothing_and_reads_nothing():
    classifier = SoftmaxClassifier(**quick()).fit(FOLDER / "rows", target="y")
    before = dict(vars(classifier))
    with patch.object(Sources, "pieces", side_effect=AssertionError), pytest.raises(OptionError):
        classifier.set_params(shuffle=False).fit(FOLDER / "rows", target="y")
    assert {name: value for name, value in vars(classifier).items() if name != "shuffle"} == {
        name: value for name, value in before.items() if name != "shuffle"
    }


@pytest.mark.parametrize("of_network", [False, True])
def test_a_checkpoint_of_a_table_classifier_among_the_files_is_refused_before_they_are_read(of_network):
    own = {"checkpoint_path": INSIDE}
    classifier = TableClassifier(network=SoftmaxClassifier(**own)) if of_network else TableClassifier(**own)
    refused = pytest.raises(DataError, match="so it would be read as data the next time")
    with patch.object(Sources, "__init__", side_effect=AssertionError), refused:
        classifier.fit(FOLDER / "rows", target="y")


@pytest.mark.parametrize("name", ["_run.ckpt", ".run.ckpt"])
def test_a_checkpoint_whose_name_says_that_it_is_no_table_may_be_in_the_folder(name):
    first = SoftmaxClassifier(**quick(checkpoint_path=FOLDER / "rows" / name)).fit(FOLDER / "rows", target="y")
    again = SoftmaxClassifier(**quick(checkpoint_path=FOLDER / "rows" / name)).fit(FOLDER / "rows", target="y")
    assert again.network_.theta.tobytes() == first.network_.theta.tobytes()


def test_faults_of_files_are_those_of_sources():
    with pytest.raises(DataError, match="matches no file"):
        fit(FOLDER / "nothing" / "*.csv")()
    with pytest.raises(DataError, match=r"has no column 'z'|'z' is no"):
        fit(target="z")()


@pytest.mark.parametrize("classifier", [SoftmaxClassifier(), TableClassifier()], ids=["softmax", "table"])
def test_a_folder_a_glob_and_a_list_of_paths_need_a_target(classifier):
    for X in (FOLDER / "rows", f"{FOLDER}/rows/*.csv", [FOLDER / "rows" / "part-0.csv"]):
        message = "target is None, expected the name of the column to predict: X names files."
        with pytest.raises(OptionError) as error:
            classifier.fit(X, "y")
        assert str(error.value) == f"{message} Pass target='y' in place of y."
        with pytest.raises(OptionError) as error:
            classifier.fit(X, [0, 1])
        assert str(error.value) == message
