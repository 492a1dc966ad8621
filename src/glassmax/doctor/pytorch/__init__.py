"""A model of PyTorch, diagnosed.

::

    layers            the layers and the loss, read: softmax twice, a logarithm that is missing
    batch             one batch through a copy of the model, forwards and back, in double precision
    model             the verdict: layers, loss and gradients held against central differences
"""
