"""SoftmaxClassifier: the scikit-learn face of a softmax network.

::

    classifier   SoftmaxClassifier: what users call
    options      what its constructor takes, checked
    inputs       X, y and weights as users give them: arrays, sparse matrices, frames
    labels       what y says: classes, class probabilities, or several labels
    scoring      what early stopping watches
    run          one fit: the stream of epochs and its readers
    linear       the linear model that a network is compared with
    identity     what a run is, for its checkpoint
    fitted       what a fitted classifier has besides its predictions
    availability whether there is a `partial_fit`
    callbacks    scikit-learn's callbacks, where its version has them
    notices      warnings that point at the user's own line

The arithmetic is in `network`, `optimizers` and `engine`; nothing here computes a gradient.
"""

from .classifier import SoftmaxClassifier

__all__ = ["SoftmaxClassifier"]
