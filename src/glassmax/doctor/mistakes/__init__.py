"""The catalogue: each known mistake once, as a wrong version of one step of the backward pass.

A mistake is a record with its cause, its words and its formula; the formula makes the array that a learner gets who
makes the mistake. The catalogue, by what goes wrong::

    formulas          head              dZ of the last layer, from P, Y and dP
                      ingredients       P, Y and dP themselves
                      hidden            the error passed down, the activation's derivative, weights already updated
                      weights           dW of a layer, given its dZ; transposes
                      biases            db of a layer, given its dZ
                      products          ``*`` instead of ``@``
    factors           factors           a sign, 1/n, or another number
    penalties         penalties         the part of the penalty in dW, and in db
    forward pass      forward_pass      mistakes that the backward pass follows faithfully
    shapes            shapes            what the shape of a gradient alone tells
    update            update            the parameters, before or after a step, instead of the gradients
    memory            ingredients, weights, hidden have what is overwritten in place within a call
    behaviour         see `glassmax.doctor.behaviour` for what a second call, or the arguments after it, show

The machinery, which holds no mistake::

    mistake           the record of a mistake: cause, words, formula
    placed            a record made at one node of a pass, with its cost
    site              the layer where a mistake is made: the letters of the formulas
    last_layer        the same for the last layer, where P, Y and dP become dZ, and the right way to do it
    causes            the table of causes: what follows from the name of a mistake alone

To add a mistake, see CONTRIBUTING.md.
"""
