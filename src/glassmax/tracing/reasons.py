"""Why each array is what it is: the sentences of a trace, where a sum, a transpose or a 1/n comes from."""

from __future__ import annotations

__all__ = ["reason"]

REASONS = {
    # given
    "X": "The rows are samples, the columns are inputs.",
    "embedding": "A parameter of the embedding, which turns columns of X into inputs of the first layer.",
    "W": "The weights of layer {l}: row k belongs to {below} k, column j to unit j of this layer.",
    "b": "The biases of layer {l}, one for each unit.",
    "mask": "The dropout mask of layer {l}: 0 for a unit that is dropped, 1/(1 - rate) for a unit that is kept.",
    "constant": "A constant of the activation {f}.",
    "one-hot Y": "The targets as rows: 1 at the class of the sample, 0 elsewhere.",
    "Y": "The targets as rows: one number for each class.",
    "candidates": "The candidates of each sample: 1 for each class that the sample may have, 0 elsewhere.",
    "w": "The weight of each sample.",
    "n": "The number of samples in the batch.",
    "l2": "The strength of the L2 penalty.",
    "softcap": "The bound of the scores that softmax takes.",
    "temperature": "The scores are divided by the temperature.",
    "zloss": "The strength of the z-loss.",
    # forward
    "A0": "The embedding turns the columns of X into the inputs of the first layer, and the trace goes on from there.",
    "Z": (
        "The index k, {below}, is in both factors and not in {V}: {A} times {W} is a matrix product. "
        "Every row gets the same {b}."
    ),
    "A": "The activation {f} acts entry by entry: nothing is summed.",
    "masked A": "The activation {f} and the dropout mask act entry by entry: nothing is summed.",
    "U": "The scores that softmax takes, entry by entry from those of the last layer: nothing is summed.",
    "m": "Without m, exp would leave the range of the numbers. Subtracting m from a row of scores cancels in P.",
    "E": (
        "The unnormalized probabilities: positive, but a row doesn't sum to 1 yet. The network first subtracts the "
        "largest score of each row, which cancels in P."
    ),
    "shifted E": "The unnormalized probabilities: positive, but a row doesn't sum to 1 yet.",
    "S": "The sum of each row of E.",
    "P softmax": (
        "Each row of E is divided by its own sum, so that the row sums to 1: every probability of a row depends on "
        "every score of that row."
    ),
    "P sigmoid": "Each probability depends on its own score alone: nothing is summed.",
    "P identity": "The output is the score itself.",
    "P relu": "Each output depends on its own score alone: nothing is summed.",
    # the loss
    "rows cross_entropy": "The loss of each sample; only classes with a target above 0 count.",
    "rows squared_error": "The loss of each sample: half the squared distance from the target.",
    "rows binary_cross_entropy": "The loss of each sample: every output is a yes-or-no decision of its own.",
    "rows candidate_cross_entropy": "The loss of each sample: minus the logarithm of the candidates' probability.",
    "rows z_loss": "The z-loss is added: the square of the logarithm of the row sum that softmax divides by.",
    "s": "The total weight, which takes the place of n in the weighted mean.",
    "R": "The penalty is added once for the whole batch; biases are left out.",
    "L": "The loss is the mean over the samples. This is the only place where 1/n enters.",
    "weighted L": "The loss is the weighted mean over the samples. This is the only place where w_i/s enters.",
    # backward
    "dP": "The derivative of L by each output. The 1/n of the mean is in dP, and so in every derivative that follows.",
    "weighted dP": (
        "The derivative of L by each output. The w_i/s of the mean is in dP, and so in every derivative that follows."
    ),
    "J": (
        "Softmax has one Jacobian for each sample i, because every probability l of a row depends on every score j. "
        "The Jacobian is contracted with dP. The rows of the Jacobian are never summed alone, because every row sums "
        "to 0."
    ),
    "dZ softmax": (
        "The score j changes every probability l of its row, so l is summed: row i of dP times the Jacobian of "
        "sample i."
    ),
    "dZ softmax cancels": "The factor P of the Jacobian cancels the 1/P of dP, which leaves P - Y.",
    "dZ softmax cancels by rows": (
        "The factor P of the Jacobian cancels the 1/P of dP. What is left is P - Y where a row of Y sums to 1; here, P "
        "is multiplied by the sum of the row."
    ),
    "dZ z_loss": "The derivative of the z-loss is added: it is in proportion to P.",
    "dZ bounded": "Each score depends on its own entry of {Z} alone: dU times the derivative, entry by entry.",
    "frozen": "{V} is frozen: training doesn't move it, so its gradient counts as 0.",
    "dZ entry by entry": (
        "Each output depends on its own score alone, so nothing is summed: dP times the derivative of the output, "
        "entry by entry."
    ),
    "dZ sigmoid cancels": "The derivative P (1 - P) of the sigmoid cancels the denominators of dP, which leaves P - Y.",
    "dW": (
        "The index i, a sample, is in both factors and not in the result, so i is summed and must be the inner index. "
        "In {A}, i comes first: hence the transpose."
    ),
    "penalty": "The penalty adds l2 {W}.",
    "db": "Every sample uses the same {b}, so its derivative is the sum over the samples.",
    "dA": (
        "{V} goes into every unit j of layer {l}, so j is summed and must be the inner index. In {W}, j comes second: "
        "hence the transpose."
    ),
    "dX": (
        "The inputs go into every unit j of layer 1, so j is summed: the same rule as for dA. No weight needs dX; it "
        "says which inputs would change the loss."
    ),
    "dZ": (
        "Both indices are in every factor and in the result: nothing is summed, the product is entry by entry. The "
        "derivative of the activation is that at {Z}, its input; it may be written with {A}."
    ),
    "masked dZ": (
        "Both indices are in every factor and in the result: nothing is summed, the product is entry by entry. A "
        "dropped unit passes nothing down. The derivative of the activation is that at {Z}, its input."
    ),
    "embedding gradient": "The gradient of the embedding's {V}, from dA0.",
    # the update
    "update eta": "The learning rate of this step.",
    "update default eta": "The learning rate of gradient descent, because no optimizer is given.",
    "update c": "The factor that shortens all gradients, because together they are longer than the maximum norm.",
    "update lambda": "The weight decay, which shrinks weights before the step; biases are left out.",
    "update mu": "The share of the velocity that is kept from step to step.",
    "update beta1": "The share of the first moment that is kept from step to step.",
    "update beta2": "The share of the second moment that is kept from step to step.",
    "update epsilon": "A small number that keeps the denominator away from 0.",
    "update ell": "The learning rate of Adam at this step: eta sqrt(1 - beta2^t)/(1 - beta1^t) at step t.",
    "update factor": "The factor of the learning rate for one parameter.",
    "update velocity": "The velocity before the step.",
    "update new velocity": "The velocity after the step.",
    "update first moment": "The first moment of Adam before the step: the running mean of the gradient.",
    "update new first moment": "The first moment of Adam after the step: the running mean of the gradient.",
    "update second moment": "The second moment of Adam before the step: the running mean of the squared gradient.",
    "update new second moment": "The second moment of Adam after the step: the running mean of the squared gradient.",
    "update frozen": "{V} after the step: a frozen parameter stays as it is.",
    "update update": "{V} after the step. Every gradient was computed before any parameter moved.",
}


def reason(kind: str, **names: object) -> str:
    """Return the sentence for one kind of array, with its names filled in.

    Examples
    --------
    >>> reason("db", b="b2")
    'Every sample uses the same b2, so its derivative is the sum over the samples.'
    """
    return REASONS[kind].format(**names)


def __dir__() -> list[str]:
    return __all__
