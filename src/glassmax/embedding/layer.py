"""Embedding: the columns of X as the first layer of a network takes them, some of them embedded.

::

    A0 = [ the other columns of X, in their order | periodic | piecewise linear | categories ]

    periodic            cos(x_j F_j + H_j) V_j + C_j            for each column j in `periodic`: e columns
    piecewise linear    2 clip((x_j - t_b)/(t_{b+1} - t_b), 0, 1) - 1       for each column with edges t: B columns
    categories          X[:, start:stop] E                      for each block: its own number of columns

A column that is embedded periodically or piecewise linearly also stays as it is, beside its embedding. The columns of
a block, usually the one-hot columns of a category, are replaced by their product with E. F, H, V, C and the matrices E
are parameters of the network and follow its weights in theta; the edges are fixed. The formulas are in
`glassmax.functional.embeddings`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, between, is_whole
from ..functional.arrays import Array, square_lengths
from ..functional.embeddings import periodic, periodic_jvp, periodic_vjp, piecewise_linear, piecewise_linear_vjp

__all__ = ["Embedding"]


class Embedding:
    """An embedding of the d columns of X, the first step of a `Network`.

    Parameters
    ----------
    d : int
        The number of columns of X, >= 1.
    periodic : sequence of int, default=()
        Columns that get a periodic embedding, increasing, counted from 0.
    frequencies : int, default=16
        K, the number of cosines of each of these columns, >= 1.
    size : int, default=3
        e, the number of outputs of each of these columns, >= 1.
    scale : float, default=0.1
        > 0: the frequencies start from a normal distribution of standard deviation ``2 pi scale``, in radians per unit
        of X.
    edges : mapping of int to (B + 1,) array, default={}
        Columns that get a piecewise linear embedding, each with its edges: two or more finite numbers that increase.
    blocks : sequence of (start, stop, size), default=()
        Categories: columns start to stop - 1, as many as there are levels, become `size` columns.

    Attributes
    ----------
    width : int
        The number of columns of A0.
    shapes : dict of str to tuple of int
        The shapes of the parameters: "F", "H", "V", "C" if a column is periodic, then "E1", "E2", ...

    Raises
    ------
    OptionError
        If a number is out of range, or a column of a block is embedded twice.

    Examples
    --------
    >>> embedding = Embedding(5, periodic=[0], edges={1: [0.0, 1.0, 2.0]}, blocks=[(2, 5, 2)])
    >>> embedding
    Embedding(5 columns -> 9: periodic 1 x 3, piecewise linear 1 x 2, categories 1 x 2)
    >>> embedding.shapes
    {'F': (1, 16), 'H': (1, 16), 'V': (1, 16, 3), 'C': (1, 3), 'E1': (3, 2)}
    """

    def __init__(
        self,
        d: int,
        *,
        periodic: Sequence[int] = (),
        frequencies: int = 16,
        size: int = 3,
        scale: float = 0.1,
        edges: Mapping[int, npt.ArrayLike] | None = None,
        blocks: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.d = whole_number("d", d, 1)
        self.periodic = tuple(column_numbers("periodic", periodic, self.d))
        self.frequencies, self.size = whole_number("frequencies", frequencies, 1), whole_number("size", size, 1)
        between("scale", scale, 0, open_below=True)
        self.scale = float(scale)
        by_column = {} if edges is None else dict(edges)
        self.edges = {j: _edges(j, by_column[j]) for j in column_numbers("edges", sorted(by_column), self.d)}
        self.blocks = _blocks(blocks, self.d)
        free = np.ones(self.d, bool)
        for start, stop, _ in self.blocks:
            free[start:stop] = False
        self.plain = np.flatnonzero(free)
        for what, columns in (("periodic", self.periodic), ("edges", self.edges)):
            if both := [j for j in columns if not free[j]]:
                expected = "columns outside the blocks, whose columns are replaced"
                raise OptionError(parameter=what, came=f"column {both[0]}", expected=expected)
        self.shapes = self._shapes()
        widths = [len(t) - 1 for t in self.edges.values()], [size for *_, size in self.blocks]
        self.width = len(self.plain) + len(self.periodic) * self.size + sum(map(sum, widths))
        self._hash = hash(self._key())  # the native engine looks an embedding up in every call

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        q, K, e = len(self.periodic), self.frequencies, self.size
        numbers = {"F": (q, K), "H": (q, K), "V": (q, K, e), "C": (q, e)} if q else {}
        return numbers | {f"E{i}": (stop - start, size) for i, (start, stop, size) in enumerate(self.blocks, start=1)}

    def __repr__(self) -> str:
        bins = sorted({len(t) - 1 for t in self.edges.values()})
        sizes = sorted({size for *_, size in self.blocks})
        parts = [
            f"periodic {len(self.periodic)} x {self.size}" if self.periodic else "",
            f"piecewise linear {len(self.edges)} x {_range(bins)}" if self.edges else "",
            f"categories {len(self.blocks)} x {_range(sizes)}" if self.blocks else "",
        ]
        return f"Embedding({self.d} columns -> {self.width}: {', '.join(filter(None, parts)) or 'as they are'})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Embedding) and self._key() == other._key()

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by the description: a hash is another one in every process."""
        return Embedding.from_plain, (self.to_plain(),)

    def _key(self) -> tuple[Any, ...]:
        edges = tuple((j, t.tobytes()) for j, t in self.edges.items())
        return self.d, self.periodic, self.frequencies, self.size, self.scale, edges, self.blocks

    def to_plain(self) -> dict[str, Any]:
        """Return the embedding as numbers, lists and a dict, without its parameters: what a model file holds of it.

        Examples
        --------
        >>> Embedding(3, edges={1: [0.0, 0.5, 2.0]}).to_plain()["edges"]
        [[1, [0.0, 0.5, 2.0]]]
        """
        return {
            "d": self.d,
            "periodic": list(self.periodic),
            "frequencies": self.frequencies,
            "size": self.size,
            "scale": self.scale,
            "edges": [[j, t.tolist()] for j, t in self.edges.items()],
            "blocks": [list(block) for block in self.blocks],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Embedding:
        """Return the embedding that `to_plain` has described.

        Raises
        ------
        OptionError
            If an entry is missing, unknown or out of range.

        Examples
        --------
        >>> embedding = Embedding(3, periodic=[0, 2])
        >>> Embedding.from_plain(embedding.to_plain()) == embedding
        True
        """
        names = ("d", "periodic", "frequencies", "size", "scale", "edges", "blocks")
        if set(plain) != set(names):
            came = ", ".join(map(str, plain))
            raise OptionError(parameter="embedding", came=came, expected=f"the entries {', '.join(names)}")
        edges = plain["edges"]
        if not isinstance(edges, Sequence) or not all(isinstance(e, Sequence) and len(e) == 2 for e in edges):
            raise OptionError(parameter="edges", came=repr(edges), expected="pairs of a column and its edges")
        columns = [j for j, _ in edges]
        if columns != sorted(set(columns)):
            raise OptionError(parameter="edges", came=repr(columns), expected="increasing columns")
        return cls(**{**plain, "edges": dict(edges)})

    def check_dtype(self, dtype: npt.DTypeLike) -> None:
        """Raise if edges of a column are no longer distinct in a dtype."""
        for j, t in self.edges.items():
            with np.errstate(over="ignore"):
                rounded = t.astype(np.zeros((), dtype).real.dtype)
            if not ((rounded[1:] > rounded[:-1]).all() and np.isfinite(rounded).all()):
                remedy = "Subtract the column's median and divide by its spread first."
                expected = f"edges that are distinct in {dtype}"
                raise OptionError(parameter="edges", came=f"{t!r} for column {j}", expected=expected, remedy=remedy)

    def forward(self, X: Any, parameters: Mapping[str, Array]) -> Array:
        """Return A0, (n, width), dense.

        Parameters
        ----------
        X : (n, d) array or CSR matrix
        parameters : mapping of str to array
            F, H, V, C, E1, ..., as many as `shapes` lists.
        """
        parts = [dense_columns(X, self.plain)]
        n = X.shape[0]
        if self.periodic:
            F, H, V, C = (parameters[name] for name in "FHVC")
            parts.append(periodic(dense_columns(X, self.periodic), F, H, V, C).reshape(n, C.size))
        parts += [piecewise_linear(dense_columns(X, [j])[:, 0], t) for j, t in self.edges.items()]
        parts += [X[:, start:stop] @ E for start, stop, E in self._matrices(parameters)]
        return np.concatenate(parts, axis=1)

    def backward(self, dA0: Array, X: Any, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Write dL/dF, dL/dH, ... into the arrays of `gradients`, from dL/dA0, (n, width)."""
        if self.periodic:
            F, H, V = (parameters[name] for name in "FHV")
            _, *found = periodic_vjp(self._of_periodic(dA0), dense_columns(X, self.periodic), F, H, V)
            for name, values in zip("FHVC", found, strict=True):
                gradients[name][...] = values
        for i, (start, stop, columns) in enumerate(self._of_blocks(), start=1):
            gradients[f"E{i}"][...] = X[:, start:stop].T @ dA0[:, columns]

    def inputs_vjp(self, dA0: Array, X: Array, parameters: Mapping[str, Array]) -> Array:
        """Return dL/dX from dL/dA0; both may have axes between the rows and the columns."""
        dX = np.zeros((*dA0.shape[:-1], self.d), dA0.dtype)
        dX[..., self.plain] = dA0[..., : len(self.plain)]
        apart = (slice(None), *(None for _ in dA0.shape[2:]))  # rows of X against the axes between
        if self.periodic:
            F, H, V = (parameters[name] for name in "FHV")
            x = dense_columns(X, self.periodic)
            dF, dH, dV, dC = (np.zeros_like(parameters[name]) for name in "FHVC")
            slope = periodic_jvp(np.ones_like(x), dF, dH, dV, dC, x, F, H, V)
            dX[..., self.periodic] += (self._of_periodic(dA0) * slope[apart]).sum(axis=-1)
        start = len(self.plain) + len(self.periodic) * self.size
        for j, t in self.edges.items():
            x = np.broadcast_to(X[:, j][apart], dA0.shape[:-1])
            dX[..., j] += piecewise_linear_vjp(dA0[..., start : start + len(t) - 1], x, t)
            start += len(t) - 1
        for (_, _, E), (first, last, columns) in zip(self._matrices(parameters), self._of_blocks(), strict=True):
            dX[..., first:last] = dA0[..., columns] @ E.T
        return dX

    def square_norms(self, dA0: Array, X: Any, parameters: Mapping[str, Array], frozen: Sequence[str] = ()) -> Array:
        """Return the square length of each row's own gradient with respect to F, H, V, C, E1, ...: (n,).

        The parameters whose names are in `frozen` don't count.
        """
        total = np.zeros(len(dA0))
        if self.periodic:
            F, H, V = (parameters[name] for name in "FHV")
            x, d = dense_columns(X, self.periodic), self._of_periodic(dA0)
            U = x[..., None] * F + H
            dU = np.sin(U) * np.einsum("ije,jke->ijk", d, V)
            of_F, of_H, of_V, of_C = (name not in frozen for name in "FHVC")
            of_columns = (of_V * (np.cos(U) ** 2).sum(axis=2) + of_C) * (d**2).sum(axis=2)
            total += (of_columns + (dU**2).sum(axis=2) * (of_H + of_F * x**2)).sum(axis=1)
        for number, (start, stop, columns) in enumerate(self._of_blocks(), 1):
            if f"E{number}" not in frozen:
                total += square_lengths(X[:, start:stop]) * square_lengths(dA0[:, columns])
        return total

    def jvp(self, X: Any, parameters: Mapping[str, Array], change: Mapping[str, Array]) -> Array:
        """Return the change of A0, (n, width), for a change of F, H, V, C, E1, ...; X doesn't change."""
        n = X.shape[0]
        parts = [np.zeros((n, len(self.plain)), X.dtype)]
        if self.periodic:
            F, H, V = (parameters[name] for name in "FHV")
            dF, dH, dV, dC = (change[name] for name in "FHVC")
            moved = periodic_jvp(None, dF, dH, dV, dC, dense_columns(X, self.periodic), F, H, V)
            parts.append(moved.reshape(n, dC.size))
        parts.append(np.zeros((n, sum(len(t) - 1 for t in self.edges.values())), X.dtype))
        parts += [X[:, start:stop] @ dE for start, stop, dE in self._matrices(change)]
        return np.concatenate(parts, axis=1)

    def backward_jvp(
        self,
        dA0: Array,
        RdA0: Array,
        X: Any,
        parameters: Mapping[str, Array],
        change: Mapping[str, Array],
        out: Mapping[str, Array],
    ) -> None:
        """Write the change of what `backward` returns into `out`, for a change of the parameters and of dA0.

        ::

            R dU = -cos(U) RU (dOut Vᵀ) - sin(U) (RdOut Vᵀ + dOut RVᵀ)        RU = X RF + RH
            R dV = cos(U)ᵀ RdOut - (sin(U) RU)ᵀ dOut                          R dE = Xᵀ RdOut

        Source: Pearlmutter (1994), as for `Network.hessian_vector_product`.
        """
        if self.periodic:
            (F, H, V), (RF, RH, RV) = ([arrays[name] for name in "FHV"] for arrays in (parameters, change))
            x, d, Rd = dense_columns(X, self.periodic), self._of_periodic(dA0), self._of_periodic(RdA0)
            U, RU = x[..., None] * F + H, x[..., None] * RF + RH
            back = np.einsum("ije,jke->ijk", d, V)
            R_back = np.einsum("ije,jke->ijk", Rd, V) + np.einsum("ije,jke->ijk", d, RV)
            RdU = -np.cos(U) * RU * back - np.sin(U) * R_back
            out["F"][...], out["H"][...] = (x[..., None] * RdU).sum(axis=0), RdU.sum(axis=0)
            of_cosines, of_errors = (
                np.einsum("ijk,ije->jke", -np.sin(U) * RU, d),
                np.einsum("ijk,ije->jke", np.cos(U), Rd),
            )
            out["V"][...], out["C"][...] = of_cosines + of_errors, Rd.sum(axis=0)
        for i, (start, stop, columns) in enumerate(self._of_blocks(), start=1):
            out[f"E{i}"][...] = X[:, start:stop].T @ RdA0[:, columns]

    def _of_periodic(self, dA0: Array) -> Array:
        """Return the part of A0, or of a derivative by it, that is periodic, (..., q, e)."""
        start, q = len(self.plain), len(self.periodic)
        return dA0[..., start : start + q * self.size].reshape(*dA0.shape[:-1], q, self.size)

    def _of_blocks(self) -> list[tuple[int, int, slice]]:
        """Return the columns of X of each block, and its columns of A0."""
        end, found = self.width, []
        for start, stop, size in reversed(self.blocks):
            found.append((start, stop, slice(end - size, end)))
            end -= size
        return found[::-1]

    def _matrices(self, parameters: Mapping[str, Array]) -> list[tuple[int, int, Array]]:
        return [(start, stop, parameters[f"E{i}"]) for i, (start, stop, _) in enumerate(self.blocks, start=1)]


def dense_columns(X: Any, columns: Any) -> Array:
    """Return some columns of a dense or sparse array as a dense array."""
    chosen = X[:, np.asarray(columns, np.intp)]
    dense: Array = chosen if isinstance(chosen, np.ndarray) else chosen.toarray()
    return dense


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def is_number(value: Any) -> bool:
    """Return whether a value is a real number; booleans are none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def whole_number(what: str, value: Any, least: int) -> int:
    """Return a whole number that is at least `least`, or raise an OptionError."""
    if not is_whole(value) or value < least:
        raise OptionError(parameter=what, came=repr(value), expected=f"a whole number >= {least}")
    return int(value)


def column_numbers(what: str, columns: Any, d: int) -> list[int]:
    """Return increasing column numbers below d, or raise an OptionError."""
    given: list[Any] = [None]
    if isinstance(columns, Sequence | np.ndarray) and not isinstance(columns, str):
        given = list(columns)
    if not all(is_whole(j) and 0 <= j < d for j in given) or given != sorted(set(given)):
        expected = f"column numbers from 0 to {d - 1} that increase"
        raise OptionError(parameter=what, came=repr(columns), expected=expected)
    return [int(j) for j in given]


def _edges(j: int, edges: npt.ArrayLike) -> Array:
    try:
        t = np.array(edges, np.float64)
    except (TypeError, ValueError):
        t = np.zeros(0)
    if t.ndim != 1 or len(t) < 2 or not np.isfinite(t).all() or not (t[1:] > t[:-1]).all():
        expected = "two or more finite numbers that increase"
        raise OptionError(parameter="edges", came=f"{edges!r} for column {j}", expected=expected)
    t.flags.writeable = False
    return t


def _blocks(blocks: Any, d: int) -> tuple[tuple[int, int, int], ...]:
    found: list[tuple[int, int, int]] = []
    before = 0
    for block in blocks:
        given = tuple(block) if isinstance(block, Sequence | np.ndarray) else ()
        whole = len(given) == 3 and all(map(is_whole, given))
        if not (whole and before <= given[0] < given[1] <= d and given[2] >= 1):
            expected = f"(start, stop, size): columns from {before} to {d}, in order and apart, and a size >= 1"
            raise OptionError(parameter="blocks", came=repr(block), expected=expected)
        found.append((int(given[0]), int(given[1]), int(given[2])))
        before = int(given[1])
    return tuple(found)


def __dir__() -> list[str]:
    return __all__
