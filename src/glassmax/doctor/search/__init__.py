"""Which wrong steps of the backward pass give exactly the numbers that the learner got.

::

    explanations      the search, from the last layer down; the cheapest explanation wins
    candidates        dZ of a layer as each mistake, or two of them, would make it
    applied_mistakes  mistakes applied to the probes, each computed once
    one_layer         how dW and db of a layer follow from a candidate together
    simulation        a candidate's dZ on every probe, with the learning rate if there is one
    own_mistakes      how dW, or db, follows from dZ: as it should, or with a mistake of its own
    layer_evidence    one layer: what its dW and db are compared with
    evidence          the learner's gradients on every probe, beside the exact pass; their own dZ, solved for
    matching          whether one array is another up to a factor and a penalty
"""
