"""The catalogue: each known mistake once, as a wrong version of one step of the backward pass.

A mistake is a record with its cause, its words and its formula; the formula makes the array that a learner gets who
makes the mistake. Where a mistake belongs:

::

    formulas          head              dZ of the last layer, from P, Y and dP
                      ingredients       P, Y and dP themselves
                      hidden            the error passed down, the activation's derivative, weights already updated
                      weights           dW of a layer, given its dZ; transposes
                      biases            db of a layer, given its dZ
                      products          ``*`` in place of ``@``
                      activation_forms  an activation's derivative written in terms of A, as in sigmoid' = A (1 - A)
    factors           factors           a sign, 1/n, or another number
    penalties         penalties         the part of the penalty in dW, and in db
    forward pass      forward_pass      mistakes that the backward pass follows faithfully
    shapes            shapes            what the shape of a gradient alone tells
    no gradients      not_gradients     the parameters, the parameters after a step, zeros
    memory            ingredients, weights, hidden have what is overwritten in place within a call
    behaviour         see `glassmax.doctor.behaviour` for what a second call, or the arguments after it, show

    causes            the table of causes: what follows from the name of a mistake alone
    mistake           the record; `step` is a mistake made at one node, `site` a layer where it is made, `top` the top

To add one, see CONTRIBUTING.md.
"""
