"""The causes: one row for each stable name that a diagnosis can print, with all that depends on that name alone.

`docs/doctor.md` lists this table. A test compares the two, and the table with the names in the source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "BIASES",
    "CAUSES",
    "FACTORS",
    "FUNCTION",
    "HEAD",
    "JACOBIAN",
    "NOT_IN_CATALOGUE",
    "PENALTY",
    "PRODUCTS",
    "Cause",
]

NOT_IN_CATALOGUE = "not_in_catalogue"

FACTORS, PENALTY, PYTORCH = "Factors", "The penalty", "A PyTorch model"
JACOBIAN, HEAD, LABELS = "Softmax's Jacobian", "Softmax and the loss", "Labels"
ACTIVATION, UPSTREAM = "The activation's derivative", "The error from the layer above"
PRODUCTS, BIASES, MEMORY = "Products", "Biases", "Memory and batch"
FUNCTION, NO_FAULT, OTHER = "The function itself", "Deviations that are no mistake", "Everything else"

SHAPE = "a gradient has one number for each cell of its parameter, d L / d W_jk, so it has the parameter's shape"
SOFTMAX_LINE, LABELS_LINE = {"dZ": "{softmax}\n{line}"}, {"dZ": "{one_hot}\n{line}"}
SOFTMAX_REASON, LABELS_REASON = {"dZ": "softmax"}, {"dZ": "labels"}
PENALTY_REASON = {"dW": "penalty", "db": "penalty"}


@dataclass(frozen=True)
class Cause:
    """The words and rules that depend on a cause alone.

    Attributes
    ----------
    group : str
        The heading in the documentation's catalogue.
    means : str
        One sentence: the mistake.
    step_line : mapping of str to str
        The corrected line of a wrong step, by kind of node ("dZ", "dA", "dW", "db"), if the right line of that
        node alone is not enough. The fields are those of `CorrectionWriter.line`.
    step_reason : mapping of str to str
        The name of the reason in `telling.reasons`, if it isn't the reason of the node.
    line, reason : str
        The corrected line and the reason, if no step of the backward pass is wrong.
    fitted : str
        Name of the fitted constant; empty if it is not shown.
    vague : bool
        Whether the cause names no wrong step, so that what the function itself does is reported first.
    explains : str
        A cause in the behavior of the function that follows from this cause.
    """

    group: str
    means: str
    step_line: Mapping[str, str] = field(default_factory=dict)
    step_reason: Mapping[str, str] = field(default_factory=dict)
    line: str = ""
    reason: str = ""
    fitted: str = "factor"
    vague: bool = False
    explains: str = ""


CAUSES = {
    "sign": Cause(
        FACTORS,
        "The gradient has the wrong sign.",
        reason="the gradient points where the loss grows; the update has the opposite sign",
    ),
    "factor": Cause(
        FACTORS,
        "The gradient is a constant times what it should be: n, 1/n, 2, a learning rate.",
        step_line={"dW": "{line}{where_n_is}", "db": "{line}{where_n_is}"},
        step_reason={"dZ": "scale"},
        reason="a factor of the loss is a factor of each gradient, once",
    ),
    "jacobian_diagonal_only": Cause(JACOBIAN, "Only the diagonal, p_i (1 - p_i), was used."),
    "jacobian_rows_summed": Cause(
        JACOBIAN, "The rows of the Jacobian were summed on their own.", step_reason={"dZ": "rows"}
    ),
    "jacobian_not_contracted": Cause(
        JACOBIAN,
        "The Jacobian was multiplied by dL/dP, but not summed over the outputs.",
        reason="dL/dz_i = sum_j dL/dp_j dp_j/dz_i: the sum over j leaves one axis of the Jacobian, that of z",
    ),
    "jacobian_dot_term_missing": Cause(JACOBIAN, "The term that subtracts sum_j p_j dL/dp_j is missing or wrong."),
    "jacobian_on_top": Cause(JACOBIAN, "The Jacobian was applied to P - Y, which already contains it."),
    "jacobian_ignored": Cause(JACOBIAN, "The Jacobian was left out."),
    "true_class_for_all": Cause(
        JACOBIAN, "The true class and the other classes were not told apart: one formula was used for both."
    ),
    "softmax_axis": Cause(HEAD, "Softmax was taken over the samples.", SOFTMAX_LINE, SOFTMAX_REASON),
    "softmax_whole_array": Cause(HEAD, "Softmax was taken over the whole array.", SOFTMAX_LINE, SOFTMAX_REASON),
    "softmax_twice": Cause(HEAD, "Softmax was applied to its own output.", SOFTMAX_LINE, SOFTMAX_REASON),
    "other_loss": Cause(HEAD, "The derivative is that of another loss."),
    "activation_missing": Cause(ACTIVATION, "The derivative was left out."),
    "activation_other_function": Cause(ACTIVATION, "The derivative of another function was used."),
    "activation_other_layer": Cause(ACTIVATION, "The derivative was evaluated at another layer."),
    "activation_of_a": Cause(ACTIVATION, "The formula in terms of Z was applied to A."),
    "activation_of_z": Cause(ACTIVATION, "The formula in terms of A was applied to Z."),
    "activation_missing_below": Cause(
        ACTIVATION,
        "The derivative is missing from the error that is passed down, and only there.",
        {"dZ": "{dZ_above}\n{line}", "dA": "{dZ_above}\n{line}"},
    ),
    "upstream_dropped": Cause(UPSTREAM, "The error from above was left out."),
    "upstream_twice": Cause(UPSTREAM, "A factor of the chain rule was multiplied in twice."),
    "updated_weights": Cause(
        UPSTREAM,
        "The weights had already been updated when the error was passed down.",
        {"dA": "{line}    # before {W_above} is updated"},
        fitted="learning rate",
        explains="writes_inputs",
    ),
    "wrong_layer": Cause(UPSTREAM, "An array of another layer was used."),
    "wrong_operand": Cause(UPSTREAM, "The wrong array was used."),
    "transposed": Cause(PRODUCTS, "The gradient is transposed.", reason=SHAPE),
    "elementwise_product": Cause(PRODUCTS, "`*` was used instead of `@`."),
    "precedence": Cause(PRODUCTS, "An operator was evaluated too early or too late: parentheses are missing."),
    "input_missing": Cause(PRODUCTS, "The input of the layer was left out of dW."),
    "weights_for_input": Cause(PRODUCTS, "The weights were used instead of the input of the layer."),
    "bias_not_summed": Cause(BIASES, "dZ was not summed over the samples.", reason=SHAPE),
    "bias_averaged": Cause(BIASES, "dZ was averaged over the samples, not summed.", {"db": "{line}{where_n_is}"}),
    "bias_summed_over_all": Cause(BIASES, "dZ was summed over the units too, not over the samples alone."),
    "bias_times_input": Cause(BIASES, "db was multiplied by the input, as if it were dW."),
    "bias_last_row": Cause(BIASES, "One sample was used instead of the sum over all samples."),
    "regulariser_missing": Cause(
        PENALTY, "The derivative of the penalty is missing.", step_reason=PENALTY_REASON, fitted=""
    ),
    "regulariser_factor": Cause(
        PENALTY, "The derivative of the penalty has the wrong coefficient.", step_reason=PENALTY_REASON
    ),
    "regulariser_sign": Cause(
        PENALTY, "The derivative of the penalty was subtracted, not added.", step_reason=PENALTY_REASON
    ),
    "regulariser_on_biases": Cause(PENALTY, "The penalty was applied to the biases too.", step_reason=PENALTY_REASON),
    "regulariser_divided": Cause(
        PENALTY, "The derivative of the penalty was divided or multiplied by n.", step_reason=PENALTY_REASON
    ),
    "in_place": Cause(
        MEMORY,
        "An array that is still needed was overwritten.",
        {"dZ": "dP = P.copy(); dP -= Y        # P itself must stay as it is\n{line}"},
    ),
    "accumulates": Cause(MEMORY, "The gradients of earlier calls are added to those of this one."),
    "batch_coupling": Cause(
        MEMORY, "The gradient of one sample depends on the other samples of the batch.", vague=True
    ),
    "labels_from_one": Cause(LABELS, "Labels that count from 1 were used as if from 0.", LABELS_LINE, LABELS_REASON),
    "labels_smoothed": Cause(
        LABELS,
        "The labels are smoothed by another number than that of the loss, or the loss does not smooth.",
        LABELS_LINE,
        {"dZ": "smoothed"},
        fitted="smoothing",
    ),
    "smoothing_spread": Cause(
        LABELS,
        "The share that label smoothing takes from the true class is spread wrongly over the classes.",
        LABELS_LINE,
        {"dZ": "smoothed"},
        fitted="smoothing",
    ),
    "index_for_one_hot": Cause(LABELS, "Class indices were used instead of one-hot rows.", LABELS_LINE, LABELS_REASON),
    "class_shifted": Cause(LABELS, "The labels are those of another class or row.", LABELS_LINE, LABELS_REASON),
    "log_missing": Cause(PYTORCH, "The loss takes log-probabilities and gets something else."),
    "sigmoid_twice": Cause(PYTORCH, "Sigmoid was applied to its own output."),
    "softmax_before_sigmoid": Cause(PYTORCH, "Sigmoid was applied to the output of softmax."),
    "sigmoid_before_softmax": Cause(PYTORCH, "Softmax was applied to the output of sigmoid."),
    "detached": Cause(PYTORCH, "Backpropagation is cut off before it reaches some parameters."),
    "frozen": Cause(PYTORCH, "Some parameters have `requires_grad=False`; this may be intended."),
    "raises": Cause(
        FUNCTION,
        "The function raises an exception.",
        line="f(parameters, X, y)    # must return gradients for these data",
        reason="gradients that were never returned can't be checked",
    ),
    "never_returns": Cause(FUNCTION, "The function does not return within the time limit."),
    "wrong_keys": Cause(
        FUNCTION,
        "The function does not return one array for each parameter.",
        line="return {name: gradient}    # one for each parameter",
        reason="each gradient is compared with the parameter of the same name, or at the same position",
    ),
    "wrong_shapes": Cause(
        FUNCTION,
        "A gradient does not have the shape of its parameter.",
        line="assert gradient.shape == parameter.shape",
        reason=SHAPE,
    ),
    "writes_inputs": Cause(
        FUNCTION,
        "The function changes its arguments.",
        line="parameter = parameter.copy()    # before anything is written into it",
        reason="all gradients belong to one point: no parameter may change before the last gradient is computed",
    ),
    "not_finite": Cause(
        FUNCTION,
        "A gradient contains infinity or NaN.",
        line="Z - Z.max(axis=1, keepdims=True)    # before exp",
        reason="exp overflows above 709 and log(0) is -inf: a gradient of finite parameters is finite",
    ),
    "nondeterministic": Cause(
        FUNCTION,
        "Two calls with the same arguments return different gradients.",
        line="rng = np.random.default_rng(0)    # inside the function, or use no random numbers",
        reason="a gradient belongs to one point: the same parameters, X and y give the same gradient",
    ),
    "float32": Cause(
        NO_FAULT,
        "The gradients are right up to rounding in float32.",
        line="a.astype(np.float64)    # to check to more digits",
        reason="float32 has 24 significant bits: a relative rounding error of 6e-8",
    ),
    "kink": Cause(
        NO_FAULT,
        "The gradients are right; an activation was differentiated at its kink.",
        reason="at z = 0 the derivatives from both sides differ, and any number between them is a valid choice",
    ),
    NOT_IN_CATALOGUE: Cause(
        OTHER,
        "The gradients are wrong, and no mistake of this catalogue gives them.",
        reason="measured by central differences of your loss: (L(w + h v) - L(w - h v)) / 2h is v times dL/dw",
        vague=True,
    ),
    "not_measured": Cause(
        OTHER,
        "The gradient could not be judged: the loss is not finite beside the parameter.",
        reason="a central difference needs a finite loss on both sides: (L(w + h v) - L(w - h v)) / 2h",
    ),
}
"""Each cause by its name, in the order of the documentation."""
