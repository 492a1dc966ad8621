"""TableClassifier and SoftmaxClassifier: softmax networks as scikit-learn estimators.

A network on numbers::

    classifier        SoftmaxClassifier: the public face
    options           the parameters of its constructor, checked
    preparation       from the arguments of a fit to what it trains
    inputs            X, y and weights as users give them: arrays, sparse matrices, frames
    labels            y encoded: classes, class probabilities, or several labels
    rare_classes      classes with few rows put together as one class
    candidates        y encoded where labels are sets: "a or b", "not a"
    run               the epochs of one fit: recorded, committed, watched by early stopping
    fitted_state      what a fit learns, committed to the classifier after its first epoch
    from_model        a fitted classifier made from a model
    scoring           the scores that early stopping watches
    outcome           warnings about how a fit has turned out
    cost              the memory and the time that a fit needs, computed before it begins
    identity          what identifies a run, for its checkpoint
    linear            the linear model that a network is compared with
    availability      whether there is a `partial_fit`
    callbacks         scikit-learn's callbacks, from version 1.9
    user_warnings     warnings that point at the user's own line

Several fits::

    cross_validation  the metrics of a classifier on rows that it has not seen
    fold_metrics      one fold of it: a clone trained on some rows, and judged on others
    on_workers        the members of an ensemble, trained on workers
    plain_parameters  parameters and tables as they travel to workers

Tables::

    tables/           TableClassifier: from a table as it is to a calibrated ensemble
    ensemble/         several networks on folds of the rows, and what is fitted out of fold

No gradient is computed here: the arithmetic is in `network`, `optimizers` and `engine`.
"""

from .classifier import SoftmaxClassifier
from .cross_validation import CrossValidation, cross_validate
from .tables.classifier import TableClassifier

__all__ = ["CrossValidation", "SoftmaxClassifier", "TableClassifier", "cross_validate"]


def __dir__() -> list[str]:
    return __all__
