"""What to write, and why, where a finding is about the function or its precision and not about a step of the pass."""

from dataclasses import replace

from .diagnosis import Diagnosis, Finding

__all__ = ["completed"]

SHAPE = "a gradient has one number for each cell of its parameter, d L / d W_jk, so it has the parameter's shape"
REMEDIES = {
    "raises": (
        "f(parameters, X, y)    # must return for the data that are given here",
        "nothing can be said of gradients that were never returned",
    ),
    "wrong_keys": (
        "return {name: gradient of it, for each parameter}",
        "each gradient is held against the parameter of the same name, or of the same place in the order",
    ),
    "wrong_shapes": ("assert gradient.shape == parameter.shape", SHAPE),
    "not_finite": (
        "Z - Z.max(axis=1, keepdims=True)    # before exp",
        "exp overflows above 709 and log(0) is -inf: a gradient of finite parameters is finite",
    ),
    "nondeterministic": (
        "rng = np.random.default_rng(0)    # inside the function, or no randomness at all",
        "a gradient belongs to one point: the same parameters, X and y give the same numbers",
    ),
    "writes_inputs": (
        "parameter = parameter.copy()    # before anything is written into it",
        "all gradients are taken at one point: nothing may move before the last of them is computed",
    ),
    "float32": ("a.astype(np.float64)    # where you want to check to more digits", "float32 keeps 24 bits: 6e-8"),
    "kink": ("", "at z = 0 the slopes from the left and from the right differ, and any number between them will do"),
    "sign": ("", "the gradient points where the loss grows; it is the step that has the other sign"),
    "factor": ("", "a factor of the loss is a factor of each gradient, once"),
    "transposed": ("", SHAPE),
    "not_in_catalogue": ("", "measured by differences of your loss: (L(w + h v) - L(w - h v)) / 2h is v times dL/dw"),
}


def completed(diagnosis: Diagnosis) -> Diagnosis:
    """Fill what a finding leaves open.

    Parameters
    ----------
    diagnosis : Diagnosis

    Returns
    -------
    Diagnosis
    """
    return replace(diagnosis, findings=tuple(_completed(finding) for finding in diagnosis.findings))


def _completed(finding: Finding) -> Finding:
    line, reason = REMEDIES.get(finding.cause, ("", ""))
    return replace(finding, line=finding.line or line, reason=finding.reason or reason)
