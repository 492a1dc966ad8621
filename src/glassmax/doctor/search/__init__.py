"""Which wrong steps of the backward pass give exactly the numbers that the learner got.

::

    explanations      the search, from the last layer down; the cheapest explanation wins
    candidates        dZ of a layer as each mistake, or two of them, would make it
    one_layer         whether dW and db follow from such a dZ, and with what mistakes of their own
    solve_dz          the learner's own dZ, solved for from their dW and db
    evidence          the learner's gradients on every probe, beside the exact pass
    matching          whether one array is another up to a factor and a penalty
    steps             a wrong step, and what an explanation costs that is made of such steps
"""
