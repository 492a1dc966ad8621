"""The first wrong layer of a loss that is measured: a mask, or a slope of its own, is a factor that dZ there lacks.

Where the parameters are those of layers, and all gradients of one layer and of each below are wrong while those above
are right, the error lies in dZ of that layer: in what the layer's activation does to the error that is passed down.
"""

from collections.abc import Sequence
from dataclasses import replace

from ...errors import ShapeError
from ..mistakes.causes import CAUSES, FACTORS, NOT_IN_CATALOGUE
from ..reading.layout import Layout, layouts
from ..reading.problem import Given
from ..telling.diagnosis import Finding
from ..telling.error_pattern import described
from .slopes import Slopes

__all__ = ["in_layers"]

REASON = (
    "dL/dz_j = dL/da_j da_j/dz_j: whatever your forward pass does between Z{l} and the product with {above} is a "
    "factor of dZ{l}, such as the slope of the activation, or the mask of dropout and its divisor"
)


def in_layers(
    given: Given, findings: Sequence[Finding], measured: Sequence[Slopes]
) -> tuple[list[Finding], str | None]:
    """Return the findings, the most upstream first, and the first wrong array; None if the network has no layers.

    The gradients that are wrong without a known mistake, all from one layer down, become one finding of that layer. So
    does a factor that they all have.
    """
    try:
        layout = layouts(given.named, given.X)[0]
    except ShapeError:
        return list(findings), None
    W = next((each for each in measured if each.name == _highest_weights(layout, findings)), None)
    unknown = [finding for finding in findings if finding.cause == NOT_IN_CATALOGUE]
    kept = [_of_dZ(layout, finding) for finding in findings if finding not in unknown]
    kept += _of_layer(layout, unknown, W) if W is not None else unknown
    ranked = sorted(kept, key=lambda finding: -_layer(layout, finding))
    return ranked, next((_node(layout, finding) for finding in ranked), None)


def _layer(layout: Layout, finding: Finding) -> int:
    """The highest layer that a finding is about."""
    return max((role.layer for role in layout.roles if role.name in finding.parameters), default=0)


def _node(layout: Layout, finding: Finding) -> str | None:
    named = any(role.name == finding.where for role in layout.roles)
    return f"d{finding.where}" if named else finding.where or None


def _highest_weights(layout: Layout, findings: Sequence[Finding]) -> str:
    """The weights of the highest layer that is wrong without a known mistake."""
    unknown = [_layer(layout, finding) for finding in findings if finding.cause == NOT_IN_CATALOGUE]
    return next((r.name for r in layout.roles if r.kind == "W" and r.layer == max(unknown, default=0)), "")


def _is_dZ(layout: Layout, names: Sequence[str], layer: int) -> bool:
    """Whether these are all gradients from a layer down, and at least two."""
    return len(names) > 1 and {*names} == {role.name for role in layout.roles if role.layer <= layer}


def _of_dZ(layout: Layout, finding: Finding) -> Finding:
    """A factor of all gradients from a hidden layer down is one of its dZ."""
    layer = _layer(layout, finding)
    if CAUSES[finding.cause].group != FACTORS or layer == len(layout.sizes) - 1:
        return finding
    if not _is_dZ(layout, finding.parameters, layer):
        return finding
    factor = finding.evidence.get("factor")
    says = f"dZ{layer} is {factor} times what it should be" if factor else f"dZ{layer} has the wrong sign"
    line, reason = _written(layout, layer)
    return replace(finding, where=f"dZ{layer}", says=says, line=line, reason=reason)


def _of_layer(layout: Layout, findings: list[Finding], W: Slopes) -> list[Finding]:
    """The findings of gradients that no known mistake explains: one of dZ, if dZ is what is wrong."""
    names = tuple(finding.where for finding in findings)
    layer = max(_layer(layout, finding) for finding in findings)
    if not _is_dZ(layout, names, layer):
        return findings
    right = [role.name for role in layout.roles if role.layer > layer]
    says = f"dZ{layer} is the first wrong array: the gradients of {', '.join(names)} are wrong"
    says += f", and those of {', '.join(right)} are right" if right else ""
    says += f"; d{W.name} {described(W.G, W.by_cell)}" if W.by_cell is not None else ""
    shown = next(finding for finding in findings if finding.where == W.name)
    line, reason = _written(layout, layer) if right else (shown.line, shown.reason)
    return [replace(shown, where=f"dZ{layer}", parameters=names, says=says, line=line, reason=reason)]


def _written(layout: Layout, layer: int) -> tuple[str, str]:
    """The line of a hidden dZ and its reason."""
    above = next(role for role in layout.roles if role.kind == "W" and role.layer == layer + 1)
    W, D = above.name, f"dZ{layer + 1}"
    if layout.columns:
        product = f"{W}.T @ {D}" if above.transposed else f"{W} @ {D}"
    else:
        product = f"{D} @ {W}" if above.transposed else f"{D} @ {W}.T"
    line = f"dA{layer} = {product}\ndZ{layer} = dA{layer} * f'(Z{layer}) * mask    # each as in your forward pass"
    return line, REASON.format(l=layer, above=W)
