"""A model of PyTorch, diagnosed.

::

    layers            the layers, their parameters (weight, bias or none) and the loss: softmax applied twice
    batch             one batch through a copy of the model, forward and backward, in double precision
    diagnose_module   the verdict: layers and loss, and the gradients compared with central differences
"""
