"""What the learner handed in: the arrays, the network and its loss, and the function, which is called on copies.

::

    input_arrays      arrays of finite numbers, or an error that names the cell
    parameter_order   which weights follow which, and which bias belongs to which weights
    nested            parameters nested in mappings and sequences, flattened and rebuilt
    layout            names, order and orientation of the learner's arrays, and the way back to them
    targets           y as class indices, one-hot rows or numbers
    loss_screening    the networks whose loss may be the learner's, all tried at once
    loss_fit          the factor and the penalty with which a network's loss is the learner's
    problem           network, data and loss brought together
    answers           what the learner returned, matched with the parameters
    function          the learner's function, called on copies and watched
    probes            further data, which separate mistakes that give the same numbers on the learner's own
"""
