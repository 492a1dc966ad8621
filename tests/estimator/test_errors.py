"""What SoftmaxClassifier refuses: every message word for word, every wrong combination of parameters."""

from datetime import date
from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score

import glassmax.estimator
from glassmax import Model, Network, SoftmaxClassifier, TableClassifier, not_class
from glassmax.embedding import Periodic
from glassmax.errors import DataError, LabelError, OptionError
from glassmax.estimator.candidates import read_sets
from tests.estimator.iris import IRIS, NAMES, SPECIES, small
from tests.estimator.raises import raises_that_are_missed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ONE_HOT = np.eye(3)[SPECIES]
SOFT = 0.9 * ONE_HOT + 0.1 / 3
SEVERAL = np.c_[SPECIES > 0, SPECIES > 1, IRIS[:, 0] > 0].astype(int)


def changed(array, place, value):
    """Return a copy with one entry changed."""
    copy = array.copy()
    copy[place] = value
    return copy


SETS = [{label, (label + i) % 3} for i, label in enumerate(SPECIES.tolist())]
ONE = dict.fromkeys(range(3), 1.0)


def fit(X=IRIS, y=SPECIES, w=None, fitting=None, **options):
    return lambda: small(**options).fit(X, y, w, **(fitting or {}))


def go_on(change, *arguments):
    def call():
        classifier = small().partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
        classifier.set_params(**change).partial_fit(IRIS, SPECIES, None, *arguments)

    return call


ACTIVATIONS = "identity, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, silu, mish, softplus, logistic"
WHOLE_NUMBERS = "expected whole numbers >= 1, as (100,) or ()."

TABLE = {
    OptionError: {
        "target is None, expected the name of the column to predict: X names files.": fit([Path("a.csv")]),
        "engine is 'ray', expected None without target: this argument is for rows that are read from files. Pass the "
        "path of the files as X, and the column to predict as target.": fit(fitting={"engine": "ray"}),
        "solver is 'adm', expected one of adam, adamw, sgd, lbfgs. Did you mean 'adam'?": fit(solver="adm"),
        "solver is None, expected one of adam, adamw, sgd, lbfgs.": fit(solver=None),
        f"activation is 'rleu', expected one of {ACTIVATIONS}. Did you mean 'relu'?": fit(activation="rleu"),
        f"activation is 'logistics', expected one of {ACTIVATIONS}. Did you mean 'logistic'?": fit(
            activation="logistics"
        ),
        f"activation is None, expected one of {ACTIVATIONS}.": fit(activation=None),
        "class_weight is 'balance', expected a dict of weights by class, 'balanced' or None.": fit(
            class_weight="balance"
        ),
        "z_loss is -1, expected a number >= 0.": fit(z_loss=-1),
        "softcap is 0, expected a number > 0 or None.": fit(softcap=0),
        "softmax_temperature is 0, expected a number > 0.": fit(softmax_temperature=0),
        "output_bias is 2, expected True or False.": fit(output_bias=2),
        "softcap is 3.0, expected None with sigmoid output: a row has several labels.": fit(
            output="sigmoid", softcap=3.0
        ),
        "z_loss is 0.1, expected 0 with sigmoid output: a row has several labels.": fit(IRIS, SEVERAL, z_loss=0.1),
        "class_embeddings is given, expected None with sigmoid output: a row has several labels.": fit(
            output="sigmoid", class_embeddings=np.ones((3, 6))
        ),
        (
            "class_embeddings is of shape (2, 6), expected (3, 6): a row for each of the 3 classes, in the order of "
            "classes_, as wide as the last hidden layer."
        ): fit(class_embeddings=np.ones((2, 6))),
        (
            "class_embeddings is of shape (3, 6), expected (3, 4): a row for each of the 3 classes, in the order of "
            "classes_, as wide as X."
        ): fit(hidden_layer_sizes=(), class_embeddings=np.ones((3, 6))),
        (
            "class_embeddings is no array of numbers, expected (3, 6): a row for each of the 3 classes, in the order "
            "of classes_, as wide as the last hidden layer."
        ): fit(class_embeddings="words"),
        "class_embeddings holds NaN, inf or what is too large for float64 in row 1, expected finite numbers.": fit(
            class_embeddings=np.diag([0, np.nan, 1]) @ np.ones((3, 6))
        ),
        (
            "input_scale_rate is 6.0, expected None with class_embeddings and no hidden layer: the scale would move "
            "them."
        ): fit(hidden_layer_sizes=(), class_embeddings=np.ones((3, 4)), input_scale_rate=6.0),
        "min_count is 0, expected a whole number >= 1.": fit(min_count=0),
        "min_count is 2.0, expected a whole number >= 1.": fit(min_count=2.0),
        "other_label is None, expected a label: text or a whole number.": fit(other_label=None),
        (
            "other_label is 'other', expected a whole number, as the labels are, such as -1, which is not a label yet."
        ): fit(min_count=2),
        "other_label is -1, expected text, as the labels are.": fit(
            IRIS, SPECIES.astype(str), min_count=2, other_label=-1
        ),
        "min_count is > 1, expected 1 for boolean labels, which are two classes.": fit(IRIS, SPECIES == 0, min_count=2),
        (
            "min_count is 2, expected 1 where y is a matrix or holds sets, because a row then has no single class to "
            "count."
        ): fit(IRIS, np.eye(3)[SPECIES] * 0.8 + 0.2 / 3, min_count=2),
        "scoring is 'top_5_accuracy', expected another score: top-5 accuracy needs 5 classes or more.": fit(
            scoring="top_5_accuracy", early_stopping=True
        ),
        "scoring is 'top_2_accuracy', expected another score: top-2 accuracy needs softmax output.": fit(
            IRIS, SEVERAL, scoring="top_2_accuracy", early_stopping=True
        ),
        (
            "scoring is 'auc', expected a score for 5,000 classes: auc takes fewer than 4,096, because it needs the "
            "probability of each class for each row. Pass scoring='top_5_accuracy', or put rare classes together with "
            "min_count."
        ): fit(fitting={"classes": np.arange(5000)}, scoring="auc", early_stopping=True),
        "max_iter is 0, expected a whole number >= 1.": fit(max_iter=0),
        "max_iter is 2.5, expected a whole number >= 1.": fit(max_iter=2.5),
        "max_iter is True, expected a whole number >= 1.": fit(max_iter=True),
        "n_iter_no_change is -1, expected a whole number >= 1 or numpy.inf.": fit(n_iter_no_change=-1),
        'batch_size is 0, expected a whole number >= 1 or "auto".': fit(batch_size=0),
        "batch_size is 'all', expected a whole number >= 1 or \"auto\".": fit(batch_size="all"),
        "alpha is -0.1, expected a number >= 0.": fit(alpha=-0.1),
        "alpha is inf, expected a number >= 0.": fit(alpha=np.inf),
        "alpha is '0.1', expected a number >= 0.": fit(alpha="0.1"),
        "tol is nan, expected a number >= 0.": fit(tol=np.nan),
        "tol is None, expected a number >= 0.": fit(tol=None),
        "validation_fraction is 1, expected a number between 0 and 1.": fit(validation_fraction=1),
        "validation_fraction is None, expected a number between 0 and 1.": fit(validation_fraction=None),
        f"hidden_layer_sizes is (10, 0), {WHOLE_NUMBERS}": fit(hidden_layer_sizes=(10, 0)),
        f"hidden_layer_sizes is [2.0], {WHOLE_NUMBERS}": fit(hidden_layer_sizes=[2.0]),
        f"hidden_layer_sizes is '100', {WHOLE_NUMBERS}": fit(hidden_layer_sizes="100"),
        f"hidden_layer_sizes is None, {WHOLE_NUMBERS}": fit(hidden_layer_sizes=None),
        "learning_rate_init is 0, expected a number > 0.": fit(learning_rate_init=0),
        "momentum is 2, expected a number from 0 to 1.": fit(solver="sgd", momentum=2),
        "beta_1 is 1.0, expected a number from 0 up to, not including, 1.": fit(beta_1=1.0),
        "class_weight is {0: -1.0, 1: 1.0, 2: 1.0}, expected numbers >= 0.": fit(class_weight={**ONE, 0: -1.0}),
        "class_weight is {0: nan, 1: 1.0, 2: 1.0}, expected numbers >= 0.": fit(class_weight={**ONE, 0: np.nan}),
        (
            "validation_fraction=0.1 of 3 rows holds out none, because every class must keep a row. "
            "Pass more rows, or early_stopping=False."
        ): fit(IRIS[::50], SPECIES[::50], early_stopping=True),
        (
            "sample_weight leaves no class a weight held out, by validation_fraction=0.1. "
            "Pass more rows with a weight, or early_stopping=False."
        ): fit(w=np.eye(150)[0], early_stopping=True, random_state=0),
        (
            "The model is Network(2-2, output='identity', loss='cross_entropy', 6 parameters), "
            "expected softmax or sigmoid output with a loss of its own."
        ): lambda: SoftmaxClassifier.from_model(Model(Network([2, 2], output="identity"), np.array([0, 1]))),
        "classes is None, expected all labels of all calls at the first call of partial_fit.": (
            lambda: small().partial_fit(IRIS, SPECIES)
        ),
        (
            "hidden_layer_sizes=(7,), activation='relu', output='auto', loss='cross_entropy' describe another "
            "network than the one to go on with, "
            "Network(4-6-3, activation='relu', output='softmax', loss='cross_entropy', 51 parameters). "
            "Put them back, or fit with warm_start=False."
        ): go_on({"hidden_layer_sizes": (7,)}),
        (
            "hidden_layer_sizes=(6,), activation='tanh', output='auto', loss='cross_entropy' describe another "
            "network than the one to go on with, "
            "Network(4-6-3, activation='relu', output='softmax', loss='cross_entropy', 51 parameters). "
            "Put them back, or fit with warm_start=False."
        ): go_on({"activation": "tanh"}),
        "loss is 'log_loss', expected one of cross_entropy, squared_error, candidate_cross_entropy.": fit(
            loss="log_loss"
        ),
        (
            "output is 'sigmoid', expected 'softmax' or 'auto' where labels are sets: a row has one class, and the set "
            "says which it may be."
        ): fit(y=SETS, output="sigmoid"),
        "loss is 'squared_error', expected 'cross_entropy' or 'candidate_cross_entropy' where labels are sets.": fit(
            y=SETS, loss="squared_error"
        ),
        (
            "label_smoothing is 0.1, expected 0 where labels are sets: it gives a share to the classes that a set "
            "rules out."
        ): fit(loss="candidate_cross_entropy", label_smoothing=0.1),
        (
            "scoring is 'f1', expected 'log_loss' or 'accuracy' where labels are sets: other scores need the class of "
            "each row."
        ): fit(y=SETS, early_stopping=True, scoring="f1"),
        "output is 'sotfmax', expected one of auto, softmax, sigmoid. Did you mean 'softmax'?": fit(output="sotfmax"),
        (
            "learning_rate is 'cosin', expected one of constant, invscaling, adaptive, cosine, one_cycle, step. "
            "Did you mean 'cosine'?"
        ): fit(learning_rate="cosin"),
        (
            "init is 'he', expected one of mlp, auto, glorot_uniform, glorot_normal, he_uniform, he_normal, "
            "lecun_uniform, lecun_normal, normal."
        ): fit(init="he"),
        "checkpoint_path is 5, expected the path of a file, or None.": fit(checkpoint_path=5),
        "max_fun is 0, expected a whole number >= 1.": fit(max_fun=0),
        "n_threads is 0, expected a whole number >= 1 or None.": fit(n_threads=0),
        "n_threads is 'all', expected a whole number >= 1 or None.": fit(n_threads="all"),
        "memory_limit is 1000000, expected a whole number of bytes >= 16000000 (16 MB), or None.": fit(
            memory_limit=1_000_000
        ),
        "memory_limit is '64MB', expected a whole number of bytes >= 16000000 (16 MB), or None.": fit(
            memory_limit="64MB"
        ),
        "weight_decay is -0.1, expected a number >= 0 or None.": fit(weight_decay=-0.1),
        "early_stopping is 'False', expected True or False.": fit(early_stopping="False"),
        "shuffle is 2, expected True or False.": fit(shuffle=2),
        "class_weight is [1, 2, 3], expected a dict of weights by class, 'balanced' or None.": fit(
            class_weight=[1, 2, 3]
        ),
        "class_weight is {0: 'x'}, expected numbers >= 0.": fit(class_weight={0: "x"}),
        "class_weight has the unknown classes ['zz']; the classes are ['setosa', 'versicolor', 'virginica'].": fit(
            y=NAMES, class_weight={"setosa": 2.0, "zz": 3.0}
        ),
        (
            "scoring is 'roc', expected one of log_loss, accuracy, balanced_accuracy, f1, auc, top_5_accuracy, "
            "the name of a scorer of scikit-learn's, or a callable. Did you mean 'roc_auc'?"
        ): fit(scoring="roc"),
        (
            "scoring is the metric f1_score, expected scorer(classifier, X, y) -> float: pass "
            "sklearn.metrics.make_scorer(f1_score)."
        ): fit(scoring=f1_score),
        (
            "scoring is 'auc', which can't be computed on the validation rows: it takes rows with and without a class. "
            "They hold [0] of 3 classes. Pass X_val and y_val with rows of every class, or scoring='log_loss'."
        ): fit(scoring="auc", fitting={"X_val": IRIS[:50], "y_val": SPECIES[:50]}),
        (
            "scoring is 'roc_auc', which can't be computed on the validation rows: multi_class must be in "
            "('ovo', 'ovr'). Pass another scoring: of glassmax's own, log_loss, accuracy, balanced_accuracy, f1, "
            "auc can always be."
        ): fit(scoring="roc_auc", fitting={"X_val": IRIS, "y_val": SPECIES}),
        "model is 'iris.safetensors', expected a Model: load_model(path) reads one from a file.": (
            lambda: SoftmaxClassifier.from_model("iris.safetensors")
        ),
        (
            "model is a model of 2 networks, expected one network. Model(model.networks[0], model.classes) is a model "
            "of the first."
        ): lambda: SoftmaxClassifier.from_model(Model([Network([2, 2])] * 2, np.array([0, 1]))),
        "activation is given, expected none: the model brings its own.": (
            lambda: SoftmaxClassifier.from_model(Model(Network([2, 2]), np.array([0, 1])), activation="tanh")
        ),
        (
            "learning_rate is 0.01, expected one of constant, invscaling, adaptive, cosine, one_cycle, step. The "
            "number goes into learning_rate_init."
        ): fit(learning_rate=0.01),
        "solver is 'SGD', expected one of adam, adamw, sgd, lbfgs. Did you mean 'sgd'?": fit(solver="SGD"),
        "clip_norm is 0, expected a number > 0 or None.": fit(clip_norm=0),
        "label_smoothing is 1, expected a number from 0 up to, not including, 1.": fit(label_smoothing=1),
        "power_t is -1, expected a number >= 0.": fit(power_t=-1),
        "warmup is 1, expected a number from 0 up to, not including, 1.": fit(warmup=1),
        "step_every is 0, expected a whole number of epochs >= 1.": fit(step_every=0),
        "step_factor is 0, expected a number > 0, at most 1.": fit(step_factor=0),
        "parametrization is 'NTK', expected one of standard, ntk. Did you mean 'ntk'?": fit(parametrization="NTK"),
        "bias_rate is -1, expected a number >= 0.": fit(bias_rate=-1),
        "input_scale_rate is 0, expected a number > 0 or None.": fit(input_scale_rate=0),
        "embedding is 'PLE', expected one of periodic, piecewise_linear.": fit(embedding="PLE"),
        "mixup is 1.5, expected a number from 0 to 1.": fit(mixup=1.5),
        "mixup_share is -0.5, expected a number from 0 to 1.": fit(mixup_share=-0.5),
        ("dropout is 1.0, expected a number from 0 up to, not including, 1, or one for each hidden layer."): fit(
            dropout=1.0
        ),
        "dropout has 2 entries, expected 1: one for each hidden layer.": fit(dropout=[0.1, 0.2]),
        "activation has 2 entries, expected 1: one for each hidden layer.": fit(activation=["relu", "tanh"]),
        f"activation is 'rleu', expected one of {ACTIVATIONS}. Did you mean 'relu'? ": fit(activation=["rleu"]),
        ("warmup is 0.1 with the schedule 'one_cycle', expected 0: the cycle has a rise of its own."): fit(
            learning_rate="one_cycle", warmup=0.1
        ),
        (
            "dropout is 0.5, expected 0 with solver='lbfgs': its line search needs the same loss at each call. Use "
            "solver='adam'."
        ): fit(solver="lbfgs", dropout=0.5),
        (
            "mixup is 0.3, expected 0 with solver='lbfgs': its line search needs the same loss at each call. Use "
            "solver='adam'."
        ): fit(solver="lbfgs", mixup=0.3),
        (
            "parametrization is 'ntk', expected 'standard' with solver='lbfgs': it chooses its own steps. Use "
            "solver='adam'."
        ): fit(solver="lbfgs", parametrization="ntk"),
        (
            "input_scale_rate is 6.0, expected None with solver='lbfgs': it chooses its own steps. Use solver='adam'."
        ): fit(solver="lbfgs", input_scale_rate=6.0),
        "bias_rate is 0.1, expected 1 with solver='lbfgs': it chooses its own steps. Use solver='adam'.": fit(
            solver="lbfgs", bias_rate=0.1
        ),
        "clip_norm is 1.0, expected None with solver='lbfgs': it chooses its own steps. Use solver='adam'.": fit(
            solver="lbfgs", clip_norm=1.0
        ),
        (
            "weight_decay is 0.1, expected None with solver='lbfgs': it chooses its own steps. Use alpha, or "
            "solver='adam'."
        ): fit(solver="lbfgs", weight_decay=0.1),
        (
            "learning_rate is 'cosine', expected 'constant' with solver='lbfgs': it chooses its own steps. Use "
            "solver='adam'."
        ): fit(solver="lbfgs", learning_rate="cosine"),
        "warmup is 0.1, expected 0 with solver='lbfgs': it chooses its own steps. Use solver='adam'.": fit(
            solver="lbfgs", warmup=0.1
        ),
        (
            "checkpoint_path is 'run.checkpoint', expected None with solver='lbfgs': SciPy keeps its memory to itself. "
            "Use solver='adam'."
        ): fit(solver="lbfgs", checkpoint_path="run.checkpoint"),
        "scoring gave 'good', expected a number: scorer(classifier, X, y) -> float.": fit(
            early_stopping=True, scoring=lambda classifier, X, y: "good"
        ),
        "X_val is given without y_val. Pass both, or none.": fit(fitting={"X_val": IRIS}),
        "y_val is given without X_val. Pass both, or none.": fit(fitting={"y_val": SPECIES}),
        "sample_weight_val is given without X_val and y_val. Pass all three, or none.": fit(
            fitting={"sample_weight_val": np.ones(150)}
        ),
        "class_weight is 'balanced', expected None where a row has several labels. Pass sample_weight.": fit(
            y=SEVERAL, class_weight="balanced"
        ),
        ("class_weight names 'setosa', but the columns of y have no names. Pass them: fit(..., classes=[...])."): fit(
            y=SOFT, class_weight={"setosa": 2.0}
        ),
        (
            "partial_fit does not support early_stopping=True: it sees one batch of rows at a time, so there are "
            "none to hold out."
        ): go_on({"early_stopping": True}),
        (
            "partial_fit does not support mixup=0.3: it sees one batch of rows at a time and doesn't know how many "
            "there will be, and mixup fades in the second half of them."
        ): go_on({"mixup": 0.3}),
        (
            "partial_fit does not support embedding='periodic': it sees one batch of rows at a time and doesn't know "
            "the values of the columns. Use Periodic with columns=[...], or an Embedding."
        ): go_on({"embedding": "periodic"}),
        (
            "embedding=Periodic(columns=[0], frequencies=16, size=3, scale=0.1) describes another network than the one "
            "to go on with, Network(4-6-3, activation='relu', output='softmax', loss='cross_entropy', 51 parameters). "
            "Put it back, or fit with warm_start=False."
        ): go_on({"embedding": Periodic(columns=[0])}),
        (
            "hidden_layer_sizes=(6,), activation='relu', output='auto', loss='squared_error' describe another "
            "network than the one to go on with, Network(4-6-3, activation='relu', output='softmax', "
            "loss='cross_entropy', 51 parameters). Put them back, or fit with warm_start=False."
        ): go_on({"loss": "squared_error"}),
    },
    LabelError: {
        "min_count=100 leaves no class: each of the 3 classes has fewer rows. Pass a smaller min_count.": fit(
            min_count=100, other_label=-1
        ),
        "y is (150, 3) and holds complex128 values, expected numbers.": (
            lambda: small().fit(IRIS, SPECIES).score(IRIS, csr_matrix(np.eye(3)[SPECIES] * 1j))
        ),
        "classes has 2 entries, expected 3: one for each column of y. ": lambda: small(output="softmax").fit(
            IRIS, csr_matrix(np.eye(3)[SPECIES]), classes=["a", "b"]
        ),
        "Row 0 of y holds -1, expected numbers >= 0.": fit(IRIS, csr_matrix(-np.eye(3)[SPECIES]), output="softmax"),
        "Row 3 of y sums to 0.5, expected 1: the probabilities of the classes. For several labels a row pass "
        "output='sigmoid'.": fit(IRIS, csr_matrix(np.eye(3)[SPECIES] * np.where(np.arange(150) == 3, 0.5, 1)[:, None])),
        "Row 149 of y is an empty set, expected at least one class.": fit(y=[*SETS[:149], set()]),
        (
            "y holds sets of labels, and there are 5,000 classes, expected fewer than 4,096: sets take a number for "
            "each row and class. Give each row one label, or soft labels as a sparse matrix."
        ): fit(y=SETS, fitting={"classes": np.arange(5000)}),
        "Row 0 of y is not_class(0, 1, 2), which leaves no class, expected at least one.": fit(
            y=[not_class(0, 1, 2), *SETS[1:]]
        ),
        "Row 0 of y names None, expected classes: texts or whole numbers.": fit(y=[{0, None}, *SETS[1:]]),
        (
            "y holds the label 1180591620717411303424, expected whole numbers of at most 64 bits. Convert them to "
            "text: [str(label) for label in y]."
        ): fit(y=np.where(SPECIES == 0, 2**70, SPECIES.astype(object))),
        "Row 0 of y names 1.5, expected classes: texts or whole numbers.": fit(y=[1.5, *SETS[1:]]),
        "y holds labels of type bytes, str, expected all of one type.": fit(y=[{"a", b"b"}] * 150),
        "y names every class in every row, expected rows that rule out a class.": fit(y=[{0, 1, 2}] * 150),
        "y names every class in every row, expected rows that rule out a class. ": lambda: read_sets(
            np.array([{0, 1}, {0, 1}]), np.arange(2), "y"
        ),
        "Row 3 of y holds 0.5, expected 0 or 1: 1 for each candidate.": fit(
            y=changed(ONE_HOT, 3, 0.5), loss="candidate_cross_entropy"
        ),
        "Row 3 of y has no candidate, expected at least one class.": fit(
            y=changed(ONE_HOT, 3, 0), loss="candidate_cross_entropy"
        ),
        "y_val holds class probabilities and y sets of labels, expected one of both.": fit(
            y=SETS, fitting={"X_val": IRIS, "y_val": SOFT}
        ),
        "y holds sets of labels, expected a matrix (n, k) of 0 and 1, as in the first call.": (
            lambda: small(output="sigmoid").fit(IRIS, SEVERAL).score(IRIS, SETS)
        ),
        (
            "y is (150, 2) and holds whole numbers from 0 to 2, expected (n,): one label a row. "
            "Several labels a row are a matrix of 0 and 1."
        ): fit(y=np.c_[SPECIES, SPECIES]),
        "y holds one class, 0, expected at least two different labels.": fit(IRIS[:50], SPECIES[:50]),
        "y holds one class, 'setosa', expected at least two different labels.": fit(IRIS[:50], NAMES[:50]),
        "classes holds one class, 0, expected at least two different labels.": (
            lambda: small().partial_fit(IRIS[:50], SPECIES[:50], classes=[0])
        ),
        (
            "y holds 2, expected only the classes [0, 1]. "
            "A network can't grow classes: name them all at the first fit, classes=[...]."
        ): lambda: small().partial_fit(IRIS, SPECIES, classes=[0, 1]),
        (
            "y holds 6, 7, 8, 9, 10, expected only the classes [0, 1]. "
            "A network can't grow classes: name them all at the first fit, classes=[...]."
        ): lambda: small().partial_fit(IRIS, np.arange(150) % 12 + 6, classes=[0, 1]),
        "Unknown label type: continuous. Row 1 of y is 0.5, expected a class: text or a whole number. glassmax "
        "predicts classes, not measurements.": fit(y=SPECIES + 0.5 * (np.arange(150) == 1)),
        "Input y contains NaN: row 3. Leave out the rows without a label.": fit(
            y=changed(SPECIES.astype(float), 3, np.nan)
        ),
        "y holds timedelta64[D], expected labels: text, whole numbers or booleans. Convert them first.": fit(
            y=SPECIES.astype("m8[D]")
        ),
        (
            "y has rows of different lengths, expected (n,): one label a row. Of several labels, of which one is the "
            "class, pass sets."
        ): fit(y=[[0], [1, 2], [2]] * 50),
        "Row 2 of sample_weight is -1.0, expected a number >= 0.": fit(w=changed(np.ones(150), 2, -1.0)),
        "classes are [0, 1, 2, 3], expected those of the first call: [0, 1, 2].": go_on({}, [0, 1, 2, 3]),
        "sample_weight is zero for every row, expected at least one number > 0.": fit(w=np.zeros(150)),
        "class_weight leaves no row a weight, expected at least one number > 0.": fit(
            w=(SPECIES == 0).astype(float), class_weight={0: 0.0}
        ),
        (
            "y is (150,), expected a matrix (n, k) of 0 and 1 for output='sigmoid': a column for each label. "
            "For one class a row pass output='softmax'."
        ): fit(output="sigmoid"),
        "y is (150, 2) and holds object values, expected numbers in a matrix, or one label a row.": fit(
            y=np.c_[NAMES, NAMES].astype(object)
        ),
        "classes has 2 entries, expected 3: one for each column of y.": fit(y=SOFT, fitting={"classes": ["a", "b"]}),
        "classes is ['a', 'b', 'b'], expected a list of different labels.": fit(
            y=SOFT, fitting={"classes": ["a", "b", "b"]}
        ),
        "Row 7 of y holds -0.1, expected numbers >= 0.": fit(y=changed(SOFT, (7, 1), -0.1)),
        "Row 9 of y holds 1.5, expected numbers from 0 to 1.": fit(y=changed(SOFT, (9, 1), 1.5), output="sigmoid"),
        (
            "Row 3 of y sums to 0.966667, expected 1: the probabilities of the classes. "
            "For several labels a row pass output='sigmoid'."
        ): fit(y=changed(SOFT, (3, 1), 0)),
        "Row 3 of y sums to 2.96667, expected 1: the probabilities of the classes.": fit(y=changed(SOFT, (3, 1), 2)),
        (
            "Row 4 of y sums to 0, expected 1: the probabilities of the classes. "
            "For several labels a row pass output='sigmoid'."
        ): fit(y=changed(ONE_HOT, 4, 0), output="softmax"),
        (
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously got "
            "[0 1 2], `y` has [0 1]. Pass classes=[0, 1, 2] if y may lack some of them. To train on other classes, "
            "pass warm_start=False."
        ): lambda: small(warm_start=True).fit(IRIS, SPECIES).fit(IRIS[:100], SPECIES[:100]),
        "y_val holds 3, expected only the classes [0, 1, 2]. A network can't grow classes: name them all at the first "
        "fit, classes=[...].": fit(fitting={"X_val": IRIS, "y_val": SPECIES + 1}),
        "y holds labels of type int, str, expected all of one type: text, whole numbers or booleans. Convert them "
        "first, to text for instance: [str(label) for label in y].": fit(y=["a", 1] * 75),
        "y holds labels of type date, expected all of one type: text, whole numbers or booleans. Convert them "
        "first, to text for instance: [str(label) for label in y].": fit(
            y=np.array([date(2024, 1, 1), date(2024, 1, 2)] * 75)
        ),
        "Row 1 of y has no label, and 74 more. Leave these rows out.": fit(y=["a", None] * 75),
    },
    DataError: {
        "X is an array of datetime64[s], expected numbers. Convert them to numbers first, such as the days since a "
        "first date, or use TableClassifier, which reads dates as they are.": fit(IRIS.astype("M8[s]")),
        "X has columns that are not numbers: 'day' (Datetime). Convert them to numbers first, such as the days since a "
        "first date, or use TableClassifier, which reads dates as they are.": fit(
            pd.DataFrame({"day": pd.date_range("2024-01-01", periods=150)})
        ),
        "X holds a date: row 0, column 'day', expected numbers. Convert them to numbers first, such as the days since "
        "a first date, or use TableClassifier, which reads dates as they are.": fit(
            pd.DataFrame({"day": [date(2024, 1, 1)] * 150})
        ),
        "X holds values of type list: row 0, column 'a', expected numbers. Give each number a column of its own.": fit(
            pd.DataFrame({"a": [[1, 2]] * 150})
        ),
        "X has columns that are not numbers: 'a' (List). Give each number a column of its own.": fit(
            pl.DataFrame({"a": [[1, 2]] * 150})
        ),
        (
            "X has rows of different lengths, expected (n, d) numbers: as many in each row. Give each number a column "
            "of its own."
        ): fit([[1, [2, 3]]] * 150),
        "X is the text 'iris.csv', expected an array or a frame of numbers. TableClassifier reads a file. To "
        "train on one or more files, pass target='...', the column to predict, to fit.": fit("iris.csv"),
        "Input X contains NaN: row 3, column 1, expected finite numbers. Leave out these rows, or fill the cells, with "
        "sklearn.impute.SimpleImputer for instance.": fit(changed(IRIS, (3, 1), np.nan)),
        "Input X contains infinity: row 3, column 1, expected finite numbers. Leave out these rows, or fill the cells, "
        "with sklearn.impute.SimpleImputer for instance.": lambda: (
            small().fit(IRIS, SPECIES).predict(changed(IRIS, (3, 1), np.inf))
        ),
        "X holds text: row 149, column 2, expected numbers. Encode columns of text first, with "
        "sklearn.preprocessing.OneHotEncoder for instance.": fit([*IRIS[:-1].tolist(), [1, 2, "three", 4]]),
        "In X_val, y_val: sample_weight is zero for every row, expected at least one number > 0.": fit(
            fitting={"X_val": IRIS, "y_val": SPECIES, "sample_weight_val": np.zeros(150)}
        ),
        "X holds numbers too large for float32, in which the classifier was fitted.": (
            lambda: small().fit(IRIS.astype(np.float32), SPECIES).predict(IRIS * 1e39)
        ),
        "X is a lazy frame, expected one that is in memory: pass X.collect().": lambda: small().fit(
            pl.DataFrame(IRIS).lazy(), SPECIES
        ),
        (
            "X has columns that are not numbers: 'name' (String), 'day' (Date). "
            "Encode them first, with sklearn.preprocessing.OneHotEncoder for instance, or use TableClassifier, which "
            "reads text as it is."
        ): lambda: small().fit(
            pl.DataFrame({"size": [1.0, 2.0], "name": ["a", "b"], "day": [date(2026, 1, 1), date(2026, 1, 2)]}), [0, 1]
        ),
    },
    AttributeError: {
        "This SoftmaxClassifier is not fitted yet. Call fit first.": lambda: SoftmaxClassifier().coefs_,
    },
    NotFittedError: {
        "This SoftmaxClassifier is not fitted yet. Call fit first.": lambda: SoftmaxClassifier().predict(IRIS),
        "This SoftmaxClassifier is not fitted yet. Call fit first. ": (
            lambda: SoftmaxClassifier().check_gradients(IRIS, SPECIES)
        ),
    },
}
"""What is raised, with which message, by which call."""

CASES = [(kind, message.rstrip(), call) for kind, table in TABLE.items() for message, call in table.items()]


@pytest.mark.parametrize(("kind", "message", "call"), CASES, ids=[message for _, message, _ in CASES])
def test_the_message_is_word_for_word(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert kind in caught.type.__mro__[:3]
    assert str(caught.value) == message


PARAMETERS = {
    parameter
    for method in ("__init__", "fit", "partial_fit", "from_model")
    for parameter in signature(getattr(SoftmaxClassifier, method)).parameters
}


@pytest.mark.parametrize(("message", "call"), TABLE[OptionError].items(), ids=TABLE[OptionError])
def test_an_error_about_a_parameter_carries_its_name(message, call):
    with pytest.raises(OptionError) as caught:
        call()
    assert caught.value.parameter in PARAMETERS
    assert caught.value.parameter in message


def unexpected():
    small().fit(IRIS, SPECIES, n_jobs=2)


def test_an_unexpected_argument_is_named():
    with pytest.raises(TypeError, match=r"^fit\(\) got an unexpected keyword argument 'n_jobs'$"):
        unexpected()


def test_every_raise_of_the_estimator_is_in_the_table():
    elsewhere = {
        "cross_validation.py",
        "fold_metrics.py",
        "on_workers.py",
        "plain_parameters.py",
    }  # in test_cross_validation.py
    paths = [path for path in Path(glassmax.estimator.__file__).parent.glob("*.py") if path.name not in elsewhere]
    cases = [*CASES, (TypeError, "", unexpected)]
    assert raises_that_are_missed(paths, cases, 35, left_out="CheckpointError") == []  # in test_checkpoint.py


HOSTILE = {
    "NaN in X": (fit(np.where(IRIS > 2, np.nan, IRIS)), r"^Input X contains NaN: row 14, column 1, expected finite"),
    "inf in X": (fit(np.where(IRIS > 2, np.inf, IRIS)), r"^Input X contains infinity: row 14, column 1, expected"),
    "NaN in the rows to predict": (lambda: small().fit(IRIS, SPECIES).predict(IRIS * np.nan), r"NaN: row 0, column 0,"),
    "inf in a sparse X": (fit(csr_matrix(np.where(IRIS > 2, np.inf, IRIS))), r"contains infinity: row 14, column 1,"),
    "text in X": (fit([*IRIS[:-1].tolist(), [1, 2, "three", 4]]), r"^X holds text: row 149, column 2, expected num"),
    "NaN in y": (fit(y=np.where(SPECIES > 1, np.nan, SPECIES)), r"^Input y contains NaN: row 100\. Leave out"),
    "no labels": (fit(y=None), r"requires y to be passed"),
    "measurements for labels": (fit(y=IRIS[:, 0]), r"^Unknown label type: continuous\. Row 0 of y is -0\.9"),
    "X and y of different lengths": (fit(y=SPECIES[:-1]), r"inconsistent numbers of samples: \[150, 149\]"),
    "one row as a vector": (fit(IRIS[0], SPECIES[:1]), r"^Expected 2D array, got 1D array instead"),
    "no rows": (fit(IRIS[:0], SPECIES[:0]), r"0 sample\(s\)"),
    "a negative sample weight": (fit(w=SPECIES - 1.0), r"^Row 0 of sample_weight is -1\.0, expected a number >= 0"),
    "NaN among sample weights": (fit(w=np.full(150, np.nan)), r"^Row 0 of sample_weight is nan, expected a number >="),
    "text among sample weights": (fit(w=["1"] * 149 + ["u"]), r"^Row 149 of sample_weight is 'u', expected a number"),
    "a missing sample weight": (fit(w=[None] + [1] * 149), r"^Row 0 of sample_weight is None, expected a number >= 0"),
    "complex labels": (fit(y=SPECIES + 0j), r"^y holds complex128, expected labels: text, whole numbers or booleans"),
    "a dict in a column": (fit(pd.DataFrame({"a": [{}] * 150})), r"^X holds values of type dict: row 0, column 'a', "),
    "an array in a column": (fit(pd.DataFrame({"a": [IRIS[0]] * 150})), r"^X holds values of type ndarray: row 0, "),
    "a list in the rows to predict": (
        lambda: small().fit(pd.DataFrame({"a": IRIS[:, 0]}), SPECIES).predict(pd.DataFrame({"a": [[1.0]] * 2})),
        r"^X holds values of type list: row 0, column 'a', expected numbers\. Give",
    ),
    "too few sample weights": (fit(w=np.ones(3)), r"sample_weight.shape == \(3,\), expected \(150,\)"),
}


@pytest.mark.parametrize(("call", "message"), HOSTILE.values(), ids=HOSTILE)
def test_faulty_data_are_a_value_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


BYTES = [name.encode() for name in NAMES]


@pytest.mark.parametrize("y", [BYTES, np.array(BYTES), np.array(BYTES, object), np.array(BYTES)[:, None]])
@pytest.mark.parametrize("train", [small().fit, TableClassifier("fast").fit], ids=["rows", "table"])
def test_labels_of_bytes_are_refused_with_the_way_to_make_them_text(train, y):
    with pytest.raises(LabelError) as raised:
        train(IRIS, y)
    assert str(raised.value) == (
        "y holds labels of type bytes, expected all of one type: text, whole numbers or booleans. Convert them first, "
        "to text for instance: [label.decode() for label in y]."
    )


@pytest.mark.parametrize(
    "y",
    [
        *(lambda y: y, lambda y: np.array(y, object), lambda y: pd.Series(y, dtype="category"), pd.Series),
        lambda y: [None if label != label else label for label in y],
        lambda y: pd.to_datetime(pd.Series([None if label != label else "2024-01-01" for label in y])),
    ],
)
@pytest.mark.parametrize("missing", [(3,), (3, 7)])
def test_a_missing_label_among_texts_is_named(y, missing):
    labels = [float("nan") if row in missing else name for row, name in enumerate(NAMES.tolist())]
    for train in (small().fit, lambda X, y: small().partial_fit(X, y, classes=np.unique(NAMES))):
        with pytest.raises(LabelError) as raised:
            train(IRIS, y(labels))
        more = ", and 1 more" if len(missing) == 2 else ""
        assert str(raised.value) == f"Row 3 of y has no label{more}. Leave these rows out."
