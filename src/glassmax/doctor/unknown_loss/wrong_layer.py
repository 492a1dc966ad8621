"""The first wrong layer of a loss that is measured: a mask, or a slope of its own, is a factor that dZ there lacks.

Where the parameters are those of layers, and all gradients of one layer and of each below are wrong while those above
are right, the error lies in dZ of that layer: in what the layer's activation does to the error that is passed down.
"""

from collections.abc import Sequence
from dataclasses import replace

from ...errors import ShapeError
from ...functional.arrays import Array
from ..mistakes.causes import NOT_IN_CATALOGUE
from ..reading.layout import Layout, Role, layouts
from ..reading.problem import Given
from ..telling.diagnosis import Finding
from ..telling.error_pattern import described
from .slopes import Slopes

__all__ = ["in_layers"]

REASON = (
    "dL/dz_j = sum_i dL/da_i da_i/dz_j: whatever the forward pass does between Z{l} and Z{above} is a factor here, "
    "such as the activation's own slope, or the mask and the divisor of dropout"
)


def in_layers(
    given: Given, findings: Sequence[Finding], measured: Sequence[Slopes]
) -> tuple[list[Finding], str | None]:
    """Return the findings, the most upstream first, and the first wrong array; None if the network has no layers.

    The gradients that are wrong without a known mistake, all from one layer down, become one finding of that layer.
    """
    try:
        layout = layouts(given.named, given.X)[0]
    except ShapeError:
        return list(findings), None
    roles = {role.name: role for role in layout.roles}
    unknown = {finding.where for finding in findings if finding.cause == NOT_IN_CATALOGUE}
    layer = max((roles[name].layer for name in unknown), default=0)
    upstream = sorted(findings, key=lambda finding: -roles[finding.where].layer if finding.where in roles else 1)
    if not layer or not _is_dZ(layout, unknown, layer):
        first = upstream[0].where if upstream else ""
        return upstream, f"d{first}" if first in roles else None
    merged = [finding for finding in upstream if finding.where in unknown]
    found = _of_layer(layout, merged, layer, {each.name: each for each in measured})
    others = [finding for finding in upstream if finding.where not in unknown]
    above = [finding for finding in others if finding.where in roles and roles[finding.where].layer > layer]
    below = [finding for finding in others if finding not in above]
    return [*above, found, *below], f"d{above[0].where}" if above else found.where


def _is_dZ(layout: Layout, unknown: set[str], layer: int) -> bool:
    """Whether every gradient from this layer down is wrong, and there are at least two."""
    reached = [role.name for role in layout.roles if role.layer <= layer]
    return len(reached) > 1 and {*reached} <= unknown


def _of_layer(layout: Layout, findings: list[Finding], layer: int, measured: dict[str, Slopes]) -> Finding:
    names = tuple(finding.where for finding in findings)
    right = [role.name for role in layout.roles if role.layer > layer]
    says = f"dZ{layer} is the first wrong array: the gradients of {', '.join(names)} are wrong"
    says += f", and those of {', '.join(right)} are right" if right else ""
    W = next(role for role in layout.roles if role.kind == "W" and role.layer == layer)
    T: Array | None = measured[W.name].by_cell
    says += f"; d{W.name} {described(measured[W.name].G, T)}" if T is not None else ""
    shown = next(finding for finding in findings if finding.where == W.name)
    line, reason = "", ""
    if right:
        above = next(role for role in layout.roles if role.kind == "W" and role.layer == layer + 1)
        line, reason = _line(layout, above, layer), REASON.format(l=layer, above=layer + 1)
    return replace(shown, where=f"dZ{layer}", parameters=names, says=says, line=line, reason=reason)


def _line(layout: Layout, above: Role, layer: int) -> str:
    W, D = above.name, f"dZ{layer + 1}"
    if layout.columns:
        product = f"{W}.T @ {D}" if above.transposed else f"{W} @ {D}"
    else:
        product = f"{D} @ {W}" if above.transposed else f"{D} @ {W}.T"
    return (
        f"dA{layer} = {product}\n"
        f"dZ{layer} = dA{layer} * slope    # of your forward pass, with every mask and factor between Z{layer} and {W}"
    )
