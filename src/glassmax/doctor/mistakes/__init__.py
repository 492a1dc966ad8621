"""The catalogue: each known mistake once, as a wrong version of one step of the backward pass.

::

    head              dZ of the last layer: softmax, its Jacobian, labels, the loss
    hidden            dA and dZ of a hidden layer: the error passed down, the activation's derivative
    weights           dW of a layer, given its dZ
    biases            db of a layer, given its dZ
    ingredients       what dZ of the last layer is made of: P, Y and dP, right and wrong
    products          ``*`` in place of ``@``
    activation_forms  an activation's derivative written in terms of A, as in sigmoid' = A (1 - A)
    forward_pass      mistakes in the forward pass that the backward pass follows faithfully
    shapes            what the shape of a gradient alone tells
    not_gradients     arrays that are no gradients: the parameters, a step, zeros
    mistake           the record: a stable name, and what is said of the mistake

A mistake is a formula, not a description of its symptom: it makes the array that a learner who makes it would get.
"""
