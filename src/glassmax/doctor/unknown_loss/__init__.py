"""A loss that none of the known networks has: its gradient is measured, and only simple mistakes can be named.

::

    judge_measured     the verdict: each gradient beside the slopes of the learner's own loss
    slopes             central differences, their rounding, and the size below which a gradient is 0
    simple_mistakes    a factor, a sign, a transpose, a missing penalty
    wrong_layer        the first layer whose gradients are wrong, if the parameters are those of layers
"""

from .judge_measured import judge_measured as judge_measured
