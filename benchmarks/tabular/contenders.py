"""The classifiers, each with its defaults, on one thread.

Each has `fit(X, y)` and `predict_proba(X)` for a frame of numbers and categories. To add a contender, add a line to
`CONTENDERS`.
"""

import importlib.metadata
from collections.abc import Callable
from typing import NamedTuple

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def table_classifier(preset):
    """Return a maker of `TableClassifier`, which takes the frame as it is."""

    def make(seed):
        from glassmax import TableClassifier

        return TableClassifier(preset=preset, n_threads=1, random_state=seed)

    return make


def softmax_classifier(seed):
    from glassmax import SoftmaxClassifier

    return scaled(SoftmaxClassifier(n_threads=1, random_state=seed))


def scaled(classifier):
    """Put standard scaling of the numbers and one-hot encoding of the categories before a classifier."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (encoder, make_column_selector(dtype_include="category")),
    )
    return make_pipeline(columns, classifier)


def mlp(seed):
    from sklearn.neural_network import MLPClassifier

    return scaled(MLPClassifier(random_state=seed))


def hist_boosting(seed):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed, categorical_features="from_dtype")


def lightgbm(seed):
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1)


def xgboost(seed):
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=seed, n_jobs=1, enable_categorical=True)


class CatBoost:
    """CatBoost, which wants the names of the categorical columns."""

    def __init__(self, seed):
        from catboost import CatBoostClassifier

        self.classifier = CatBoostClassifier(random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False)

    def fit(self, X, y):
        """Fit with the columns of text named."""
        self.classifier.fit(X, y, cat_features=list(X.select_dtypes("category")))
        return self

    def predict_proba(self, X):
        """Return the probabilities."""
        return self.classifier.predict_proba(X)


def pytabkit(name):
    """Return a maker of a classifier of pytabkit, on one thread of the processor."""

    def make(seed):
        import pytabkit
        import torch

        torch.set_num_threads(1)
        return getattr(pytabkit, name)(random_state=seed, device="cpu", n_threads=1, verbosity=0)

    return make


class Contender(NamedTuple):
    """A classifier, its name in the tables, and the distributions that must be installed (one of each group)."""

    title: str
    distributions: tuple[str, ...]
    make: Callable

    def versions(self):
        """Return the installed distributions with their versions; None if one is missing."""
        found = {}
        for group in self.distributions:
            installed = [name for name in group.split("|") if version(name)]
            if not installed:
                return None
            found[installed[0]] = version(installed[0])
        return found


def version(distribution):
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


CONTENDERS = {
    "softmax": Contender("SoftmaxClassifier", ("glassmax",), softmax_classifier),
    "fast": Contender("TableClassifier, fast", ("glassmax",), table_classifier("fast")),
    "default": Contender("TableClassifier", ("glassmax",), table_classifier("default")),
    "best": Contender("TableClassifier, best", ("glassmax",), table_classifier("best")),
    "mlp": Contender("MLPClassifier", ("scikit-learn",), mlp),
    "histgb": Contender("HistGradientBoosting", ("scikit-learn",), hist_boosting),
    "lightgbm": Contender("LightGBM", ("lightgbm",), lightgbm),
    "xgboost": Contender("XGBoost", ("xgboost|xgboost-cpu",), xgboost),
    "catboost": Contender("CatBoost", ("catboost",), CatBoost),
    "realmlp": Contender("RealMLP-TD-S", ("pytabkit", "torch"), pytabkit("RealMLP_TD_S_Classifier")),
    "tabm": Contender("TabM-D", ("pytabkit", "torch"), pytabkit("TabM_D_Classifier")),
}


def available():
    """Return the names of the contenders whose packages are installed."""
    import glassmax

    ours = {"fast", "default", "best"}
    return [
        name
        for name, contender in CONTENDERS.items()
        if contender.versions() and (name not in ours or "TableClassifier" in glassmax.__all__)
    ]
