"""The words of a finding: the line as it should be, why, and one cell in numbers.

Lines are written in the learner's own layout: samples in rows or columns, weights (in, out) or (out, in), their names.
"""

from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from ..learners_activations import DERIVATIVES
from ..mistakes.causes import CAUSES
from ..mistakes.placed import PlacedMistake
from ..reading.layout import Layout, gradient_of
from ..reading.loss_fit import even_target
from .reasons import reason

__all__ = ["CorrectionWriter"]


@dataclass(frozen=True)
class CorrectionWriter:
    """Writes for one learner, of whose own data `p` is the pass.

    `divisor` is what the derivative of the summed loss is divided by or multiplied with: " / n" for a mean, "" for a
    sum. `l2` is the penalty's coefficient, as written. `smoothing` is what the labels of the loss are made of: so much
    of `labels`, the line that makes them of the learner's y, and so much spread over the classes; (1, 0) if they are
    not smoothed.
    """

    p: Pass
    layout: Layout
    divisor: str
    l2: str
    smoothing: tuple[float, float] = (1.0, 0.0)
    labels: str = ""

    def name(self, kind: str, layer: int) -> str:
        """The learner's name of a parameter."""
        for role in self.layout.roles:
            if (role.kind, role.layer) == (kind, layer):
                return role.name
        return f"{kind}{layer}"

    def where(self, mistake: PlacedMistake) -> str:
        """The place of a mistake: the learner's name of a parameter, or a node."""
        return self.name(mistake.kind[1], mistake.layer) if mistake.kind in ("dW", "db") else mistake.node

    def line(self, mistake: PlacedMistake) -> str:
        """The line as it should be, with what the cause adds to it."""
        written = {"dA": self._dA, "dZ": self._dZ, "dW": self._dW, "db": self._db}[mistake.kind](mistake.layer)
        template = CAUSES[mistake.cause].step_line.get(mistake.kind, "{line}")
        filled = template.format(
            line=written,
            softmax=self._softmax(),
            one_hot="" if self._is_smooth else f"Y = {self.labels}",
            dZ_above=self._dZ(min(mistake.layer + 1, self.p.depth)),
            W_above=self.name("W", mistake.layer + 1),
            where_n_is=self._where_n_is(mistake),
        )
        return filled.removeprefix("\n")

    def reason(self, mistake: PlacedMistake) -> str:
        """Why the line is right, in index form: the reason of the cause, otherwise the derivation of the node."""
        own = CAUSES[mistake.cause].step_reason.get(mistake.kind)
        if own == "smoothed" and abs(sum(self.smoothing) - 1) > 1e-6:
            return reason("fused with any sum")
        if own or mistake.kind != "dZ" or mistake.layer < self.p.depth:
            return reason(own or mistake.kind)
        output, loss = self.p.architecture.output, self.p.architecture.loss
        if output == "softmax" and loss == "cross_entropy":
            if abs(sum(self.smoothing) - 1) > 1e-6:
                return reason("fused with any sum")
            return reason("fused") + (" Here y is a row of smoothed labels." if self._is_smooth else "")
        if output == "softmax":
            return reason("jacobian")
        return reason("sigmoid fused" if (output, loss) == ("sigmoid", "binary_cross_entropy") else "elementwise")

    def cell(self, kind: str, layer: int, G: Array) -> str:
        """The cell of a gradient that is farthest off, in numbers; for a wrong shape, the two shapes."""
        T, gradient = self.p.truth[kind, layer], gradient_of(self.name(kind, layer))
        if G.shape != T.shape:
            return f"{self.name(kind, layer)} has shape {T.shape}, but your {gradient} has shape {G.shape}"
        off = np.where(np.isfinite(G), np.abs(G - T), np.inf)
        j = tuple(int(i) for i in np.unravel_index(int(off.argmax()), T.shape))
        D = self.p.dZ[layer][:, j[-1]]
        terms = self.p.A[layer - 1][:, j[0]] * D if kind == "W" else D
        shown = self._terms(kind, layer, j, terms)
        shape = next((role.shape for role in self.layout.roles if (role.kind, role.layer) == (kind, layer)), T.shape)
        index = self._index(kind, j, shape)
        yours = 0.0 if abs(G[j]) < 1e-12 * abs(T[j]) else G[j]
        return f"{gradient}{index}: yours is {yours:.4g}, the correct value is {T[j]:.4g}, {shown}"

    def _terms(self, kind: str, layer: int, j: tuple[int, ...], terms: Array) -> str:
        coefficient = self.p.l2 if kind == "W" else self.p.l2_bias
        parameter = (self.p.W if kind == "W" else self.p.b)[layer][j]
        penalty = f" + {coefficient:.4g} ({parameter:.3g})" if coefficient else ""
        if len(terms) > 3:
            factors = (
                f"A{layer - 1}[i, {j[0]}] " if kind == "W" and layer > 1 else f"X[i, {j[0]}] " if kind == "W" else ""
            )
            return f"the sum over {len(terms)} samples of {factors}dZ{layer}[i, {j[-1]}]{penalty}"
        if kind == "b":
            return "which is " + " + ".join(f"({term:.3g})" for term in terms) + penalty
        A, D = self.p.A[layer - 1][:, j[0]], self.p.dZ[layer][:, j[-1]]
        return "which is " + " + ".join(f"({a:.3g})({d:.3g})" for a, d in zip(A, D, strict=True)) + penalty

    def _index(self, kind: str, j: tuple[int, ...], shape: tuple[int, ...]) -> str:
        if kind == "W":
            i = j[::-1] if self.layout.transposed else j
            return f"[{i[0]}, {i[1]}]" if len(shape) == 2 else f"[{max(i)}]"
        if len(shape) == 2:
            return f"[{j[0]}, 0]" if shape[1] == 1 else f"[0, {j[0]}]"
        return f"[{j[0]}]" if shape else ""

    # lines

    def _below(self, layer: int) -> str:
        return f"A{layer - 1}" if layer > 1 else "X"

    def _dW(self, layer: int) -> str:
        A, D, columns = self._below(layer), f"dZ{layer}", self.layout.columns
        if self.layout.single:
            product = f"np.outer({D}, {A})" if self.layout.transposed else f"np.outer({A}, {D})"
        elif columns:
            product = f"{D} @ {A}.T" if self.layout.transposed else f"{A} @ {D}.T"
        else:
            product = f"{D}.T @ {A}" if self.layout.transposed else f"{A}.T @ {D}"
        W = self.name("W", layer)
        return f"{gradient_of(W)} = {product}" + (f" + {self.l2} * {W}" if self.p.l2 else "")

    def _db(self, layer: int) -> str:
        shape = next((role.shape for role in self.layout.roles if (role.kind, role.layer) == ("b", layer)), (1,))
        b = self.name("b", layer)
        penalty = f" + {self.p.l2_bias:.4g} * {b}" if self.p.l2_bias else ""
        return f"{gradient_of(b)} = {self._summed(f'dZ{layer}', shape)}{penalty}"

    def _summed(self, D: str, shape: tuple[int, ...]) -> str:
        """The sum of D over the samples, in the shape of the learner's bias."""
        if self.layout.single:
            return D if len(shape) == 1 else f"{D}.reshape({shape})"
        if not shape:
            return f"{D}.sum()"
        axis = 1 if self.layout.columns else 0
        if len(shape) == 1:
            return f"{D}.sum(axis={axis})"
        if shape[axis] == 1:
            return f"{D}.sum(axis={axis}, keepdims=True)"
        return f"{D}.sum(axis={axis})" + ("[:, None]" if axis == 0 else "[None, :]")

    def _where_n_is(self, mistake: PlacedMistake) -> str:
        """A comment on the place of 1/n, if only that is wrong: learners divide dZ, or each gradient at the end."""
        c = mistake.constant
        other_number = c is not None and (abs(c.power) != 1 or abs(c.multiple - 1) >= 1e-6)
        if other_number or not self.divisor.startswith(" / n"):
            return ""
        once = ", once" if c is not None and c.power == -1 else ""
        return f"    # dZ{mistake.layer} holds 1/n; if yours doesn't, divide here{once}"

    def _dA(self, layer: int) -> str:
        W, D = self.name("W", layer + 1), f"dZ{layer + 1}"
        if self.layout.columns:
            product = f"{W}.T @ {D}" if self.layout.transposed else f"{W} @ {D}"
        else:
            product = f"{D} @ {W}" if self.layout.transposed else f"{D} @ {W}.T"
        return f"dA{layer} = {product}"

    def _dZ(self, layer: int) -> str:
        if layer == self.p.depth:
            return self._head_lines()
        f = self.p.f(layer)
        written = DERIVATIVES.get(f, f + "_derivative({Z})").format(A=f"A{layer}", Z=f"Z{layer}")
        return f"dZ{layer} = dA{layer} * {written}"

    def _head_lines(self) -> str:
        output, loss = self.p.architecture.output, self.p.architecture.loss
        Z, last = f"dZ{self.p.depth}", self.p.depth
        axis = 0 if self.layout.columns else 1
        Y = "smoothed" if self._is_smooth else "Y"
        if (output, loss) in {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}:
            P = f"P * smoothed.sum(axis={axis}, keepdims=True)" if abs(sum(self.smoothing) - 1) > 1e-6 else "P"
            line = f"{Z} = ({P} - {Y}){self.divisor}" if self.divisor else f"{Z} = {P} - {Y}"
            return self._smoothed_labels() + line
        dP = {
            "squared_error": f"P - {Y}",
            "cross_entropy": f"-{Y} / P",
            "binary_cross_entropy": f"(1 - {Y}) / (1 - P) - {Y} / P",
        }[loss]
        dP = f"({dP}){self.divisor}" if self.divisor else dP
        if output == "softmax":
            lines = f"dP = {dP}\n{Z} = P * (dP - (dP * P).sum(axis={axis}, keepdims=True))"
        elif output == "identity":
            lines = f"{Z} = {dP}"
        else:
            written = DERIVATIVES[output].format(A="P", Z=f"Z{last}")
            lines = f"{Z} = ({dP}) * {written}" if not self.divisor else f"{Z} = {dP} * {written}"
        return self._smoothed_labels() + lines

    @property
    def _is_smooth(self) -> bool:
        return self.smoothing != (1.0, 0.0)

    def _smoothed_labels(self) -> str:
        """The line of the smoothed labels; "" if the loss has none."""
        if not self._is_smooth:
            return ""
        of_true, share = self.smoothing
        even = even_target(self.p.architecture.loss, self.p.k) or 1.0
        return f"smoothed = {of_true:.10g} * {self.labels} + {share:.10g} / {1 / even:.0f}\n"

    def _softmax(self) -> str:
        axis, Z = (0 if self.layout.columns else 1), f"Z{self.p.depth}"
        return f"E = np.exp({Z} - {Z}.max(axis={axis}, keepdims=True))\nP = E / E.sum(axis={axis}, keepdims=True)"
