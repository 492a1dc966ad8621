"""SoftmaxClassifier: the scikit-learn face of a softmax network.

::

    classifier   SoftmaxClassifier: what users call
    options      what its constructor takes, checked
    inputs       X, y and weights as users give them: arrays, sparse matrices, frames
    labels       what y says: classes, class probabilities, or several labels
    scoring      what early stopping watches
    run          one fit: the stream of epochs and its readers
    callbacks    scikit-learn's callbacks, where its version has them

The arithmetic is in `network`, `optimizers` and `engine`; nothing here computes a gradient.
"""

from .classifier import SoftmaxClassifier

__all__ = ["SoftmaxClassifier"]
