"""What the learner handed in, read: their arrays, their network and loss, and their function, called with care.

::

    input_arrays      arrays of finite numbers, or an error that names the cell
    parameter_order   which weights follow which, and which bias belongs to which weights
    layout            names, order and orientation of the learner's arrays, and the way back to them
    targets           y as class indices, one-hot rows or numbers
    loss_screening    the networks whose loss the learner's can be, all tried at once
    loss_fit          the network and the loss, with factor and penalty, that the values of the learner's loss fit
    problem           network, data and loss brought together
    answers           what the learner returned, matched with the parameters
    function          the learner's function, called on copies and watched
    probes            data of our choosing, on which mistakes differ that agree on the learner's own
"""
