"""A model of PyTorch, diagnosed.

::

    layers            the layers and the loss: softmax applied twice, a missing logarithm
    batch             one batch through a copy of the model, forward and backward, in double precision
    model             the verdict: layers and loss, and the gradients compared with central differences
"""
