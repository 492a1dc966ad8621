"""The catalogue: each known mistake once, as a wrong version of one step of the backward pass.

::

    head       dZ of the last layer: softmax, its Jacobian, labels, the loss
    hidden     dA and dZ of a hidden layer: the error passed down, the activation's derivative
    weights    dW of a layer, given its dZ
    biases     db of a layer, given its dZ

A mistake is a formula, not a description of its symptom: it makes the array that a learner who makes it would get. This
package refuses to look at what the learner got.
"""
