"""The layers of a PyTorch model and its loss: what the last layers and the loss do together.

CrossEntropyLoss takes logits and has softmax and logarithm in it; NLLLoss takes logarithms of probabilities; BCELoss
probabilities; BCEWithLogitsLoss logits. A layer too many or too few raises no error, and the model trains badly. The
model is not run here: only types and options are read. torch is imported only where a torch object was handed in.
"""

import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from ...errors import OptionError

__all__ = [
    "Criterion",
    "ModuleLayer",
    "Remark",
    "criterion_of",
    "layers_of",
    "module_parameters",
    "remarks_on",
    "with_mean",
]

FUNCTIONS = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "mse_loss": "MSELoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
}
TRANSPARENT = ("Identity", "Dropout", "AlphaDropout", "Flatten", "Unflatten")
ONE_TOO_MANY = {
    ("softmax", "softmax"): "softmax_twice",
    ("sigmoid", "sigmoid"): "sigmoid_twice",
    ("softmax", "sigmoid"): "softmax_before_sigmoid",
    ("sigmoid", "softmax"): "sigmoid_before_softmax",
}
SQUASHING = ("ReLU", "Tanh", "ReLU6", "Hardtanh", "GELU", "LeakyReLU", "ELU", "SELU", "SiLU", "Mish", "Softplus")


class ModuleLayer(NamedTuple):
    """A layer of a Sequential: its place as PyTorch names it, its kind, and itself."""

    place: str
    kind: str
    module: Any

    def __str__(self) -> str:
        return f"layer {self.place} ({self.kind})"


class Criterion(NamedTuple):
    """A loss: the name of its class, how it brings the rows together, and itself."""

    kind: str
    reduction: str | None
    call: Callable[[Any, Any], Any]


class Remark(NamedTuple):
    """The effect of two neighboring layers, or of the last layer and the loss, together.

    `cause` is empty for a remark that is no fault. `mended` has the place of a layer, and a function from that layer to
    the one that belongs there. `bounded` says whether the mistake keeps the loss above 0, however well the model fits.
    """

    cause: str
    where: str
    says: str
    line: str = ""
    reason: str = ""
    mended: tuple[str, Callable[[Any], Any]] | None = None
    bounded: bool = False


def layers_of(model: Any) -> list[ModuleLayer]:
    """Return the layers of a Sequential in order, those of Sequentials inside it in their place.

    The list is empty for a model that is no Sequential: what its forward does can't be read.
    """
    from torch import nn

    found: list[ModuleLayer] = []

    def collect(module: Any, prefix: str) -> None:
        for name, child in module.named_children():
            if type(child) is nn.Sequential:
                collect(child, f"{prefix}{name}.")
            else:
                kind = type(child).__name__
                ours = type(child).__module__.startswith("torch.nn")
                found.append(ModuleLayer(f"{prefix}{name}", kind if ours else f"your own {kind}", child))

    if isinstance(model, nn.Sequential):
        collect(model, "")
    return found


def module_parameters(model: Any) -> dict[str, Any]:
    """Return the parameters of a model by PyTorch's names, such as "0.weight" and "0.bias".

    A layer with ``bias=False`` has a weight alone, an activation has nothing. A parameter that two layers share counts
    once, under its first name.
    """
    return dict(model.named_parameters())


def criterion_of(loss: Any) -> Criterion:
    """Return what a loss is: a module of torch.nn, a function of torch.nn.functional, or the learner's own."""
    if not callable(loss) or isinstance(loss, type):
        raise OptionError(
            f"loss is {loss!r}, expected the loss of your training, such as loss=nn.CrossEntropyLoss(): "
            "its softmax and its mean are part of the gradient."
        )
    given = loss.keywords if isinstance(loss, partial) else {}
    function = loss.func if isinstance(loss, partial) else loss
    name = getattr(function, "__name__", "")
    if name in FUNCTIONS and str(getattr(function, "__module__", "")).startswith("torch"):
        return Criterion(FUNCTIONS[name], given.get("reduction", "mean"), loss)
    kind = type(loss).__name__
    ours = type(loss).__module__.startswith("torch.nn")
    return Criterion(kind if ours else "your own loss", getattr(loss, "reduction", None) if ours else None, loss)


def with_mean(criterion: Criterion) -> Criterion:
    """Return a loss of PyTorch's own kinds with the mean instead of the sum."""
    if isinstance(criterion.call, partial):
        call: Any = partial(criterion.call, reduction="mean")
    else:
        call = copy.copy(criterion.call)
        call.reduction = "mean"
    return Criterion(criterion.kind, "mean", call)


def remarks_on(layers: list[ModuleLayer], criterion: Criterion) -> list[Remark]:
    """Say what the last layers and the loss do to one another, faults first."""
    rest = [layer for layer in layers if layer.kind not in TRANSPARENT]
    remarks = _wrong_axis(rest) + _twice(rest, criterion)
    if rest and not remarks:
        remarks += _against_the_loss(rest[-1], criterion)
    return sorted(remarks, key=lambda remark: not remark.cause)


def _wrong_axis(layers: list[ModuleLayer]) -> list[Remark]:
    return [
        Remark(
            "softmax_axis",
            str(layer),
            f"{layer.kind} has dim=0: each column sums to 1 over the samples of the batch",
            f"nn.{layer.kind}(dim=1)",
            "p_i = exp(z_i)/sum_k exp(z_k): k runs over the classes of one sample, and rows are samples",
            (layer.place, lambda layer: type(layer)(dim=1)),
        )
        for layer in layers
        if layer.kind in ("Softmax", "LogSoftmax") and layer.module.dim == 0
    ]


def _twice(layers: list[ModuleLayer], criterion: Criterion) -> list[Remark]:
    """Find a softmax or a sigmoid, also that of the loss, that is applied to probabilities."""
    own = {"CrossEntropyLoss": "softmax", "BCEWithLogitsLoss": "sigmoid"}.get(criterion.kind)
    steps = [(layer, _normaliser(layer.kind), str(layer)) for layer in layers]
    if own:
        steps.append((layers[-1] if layers else None, own, criterion.kind))  # type: ignore[arg-type]
    remarks = []
    for (first, below, _), (_, above, name) in pairwise(steps):
        if below in ("softmax", "sigmoid") and above in ("softmax", "log_softmax", "sigmoid") and first is not None:
            remarks.append(_one_too_many(first, below, above.removeprefix("log_"), name, name == criterion.kind))
        if below == "log_softmax" and above in ("softmax", "log_softmax") and first is not None:
            remarks.append(
                Remark(
                    "",
                    str(first),
                    f"{first} before {name} is harmless: log-probabilities are logits minus a number that is the same "
                    "for the whole row, which softmax ignores. Values and gradients are the same without it",
                )
            )
    return remarks


def _one_too_many(first: ModuleLayer, below: str, above: str, name: str, in_loss: bool) -> Remark:
    from torch import nn

    has = f"{name} applies {above} itself" if in_loss else f"{name} follows"
    says = (
        f"{has}, so {below} is applied twice"
        if below == above
        else f"{has}, and is applied to the output of {below}, not to logits"
    )
    if (below, above) == ("softmax", "softmax"):
        reason = (
            "dL/dz_j = sum_i (q_i - y_i) p_i (delta_ij - p_j)/n with q = softmax(p), where (p_j - y_j)/n belongs: "
            "the Jacobian is applied once too often, and the gradient fades"
        )
    else:
        reason = f"the numbers that {above} takes for logits lie between 0 and 1, and p - y is multiplied by {below}'"
    mended = (first.place, lambda layer: nn.Identity())
    cause, line = ONE_TOO_MANY[below, above], f"leave out {first} and pass on the logits"
    return Remark(cause, str(first), says, line, reason, mended, bounded=(below, above) == ("softmax", "softmax"))


def _normaliser(kind: str) -> str:
    return {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}.get(kind, "")


def _against_the_loss(last: ModuleLayer, criterion: Criterion) -> list[Remark]:
    """Find a loss that expects other numbers than the last layer gives."""
    from torch import nn

    if criterion.kind == "NLLLoss" and last.kind in ("Softmax", "Sigmoid"):
        return [
            Remark(
                "log_missing",
                str(last),
                "NLLLoss takes logarithms of probabilities and gets the probabilities: the logarithm is missing",
                f"nn.LogSoftmax(dim=1) instead of {last}",
                "L_i is -p_y instead of -log p_y, and its derivative by p_y is -1 instead of -1/p_y: the gradient "
                "of a sample that is badly wrong is much too small",
                (last.place, lambda layer: nn.LogSoftmax(dim=1)),
            )
        ]
    if criterion.kind == "NLLLoss" and last.kind in ("Linear", *SQUASHING):
        return [
            Remark(
                "log_missing",
                str(last),
                "NLLLoss takes logarithms of probabilities and gets logits: softmax and logarithm are missing",
                "add nn.LogSoftmax(dim=1), or take nn.CrossEntropyLoss()",
                "L_i is -z_y, which has no lower bound: dL/dz_j is -y_j/n where (p_j - y_j)/n belongs",
                (last.place, lambda layer: nn.Sequential(layer, nn.LogSoftmax(dim=1))),
            )
        ]
    if criterion.kind == "BCELoss" and last.kind in ("Linear", *SQUASHING):
        return [
            Remark(
                "activation_missing",
                str(last),
                f"BCELoss takes probabilities and gets the output of {last}, which may lie outside 0..1",
                "add nn.Sigmoid(), or take nn.BCEWithLogitsLoss()",
                "L_i = -y log p - (1 - y) log(1 - p) is a number for 0 < p < 1 only",
                (last.place, lambda layer: nn.Sequential(layer, nn.Sigmoid())),
            )
        ]
    if criterion.kind in ("CrossEntropyLoss", "BCEWithLogitsLoss") and last.kind in SQUASHING:
        return [
            Remark(
                "",
                str(last),
                f"{last} stands between the last weights and {criterion.kind}: the gradients are right for this model, "
                "but usually the logits are passed to the loss unchanged",
            )
        ]
    return []
