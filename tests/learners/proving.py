"""Prove the corpus without the doctor: controls are right, mistakes are wrong, and differ from one another.

Central differences (fourth order) of a loss written here, from the specification of the setup, or of the learner's own
loss where the setup has one. glassmax only carries the numbers of the parameters.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings

import numpy as np

from cases import CASES

H = 1e-5


def activation(name, z):
    return {
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.where(z > 0, z, 0.0),
        "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
        "softplus": lambda z: np.logaddexp(0, z),
    }[name](z)


def independent_loss(spec, p, X, y):
    depth = len(spec["sizes"]) - 1
    names = spec["activation"] if isinstance(spec["activation"], list) else [spec["activation"]] * (depth - 1)
    a = X
    for layer in range(1, depth):
        a = activation(names[layer - 1], a @ p[f"W{layer}"] + p[f"b{layer}"])
    z = a @ p[f"W{depth}"] + p[f"b{depth}"]
    Y = np.eye(z.shape[1])[y] if np.ndim(y) == 1 else y
    n = len(X)
    if spec["output"] == "softmax":
        top = z.max(1, keepdims=True)
        logp = z - top - np.log(np.exp(z - top).sum(1, keepdims=True))
        out = np.exp(logp)
    else:
        out = {"sigmoid": lambda: 1 / (1 + np.exp(-z)), "identity": lambda: z, "relu": lambda: np.where(z > 0, z, 0.0)}[
            spec["output"]
        ]()
        logp = None
    if spec["loss"] == "cross_entropy":
        data = -(Y * logp).sum() / n
    elif spec["loss"] == "squared_error":
        data = 0.5 * ((out - Y) ** 2).sum() / n
    else:
        data = -(Y * np.log(out) + (1 - Y) * np.log(1 - out)).sum() / n
    return data + spec["l2"] / 2 * sum((p[k] ** 2).sum() for k in p if k.startswith("W"))


def problem(case):
    """-> parameters, X, y, loss(p, X, y): fresh."""
    s = case.setup()
    if "parameters" in s:
        loss = s.get("loss") or s["_loss"]
        return {k: np.array(v, float) for k, v in s["parameters"].items()}, s["X"], s["y"], loss
    p = {k: np.array(v) for k, v in s["network"].parameters.items()}
    spec = dict(case.setup.spec)
    assert abs(s["network"].loss(s["X"], s["y"]) - independent_loss(spec, p, s["X"], s["y"])) < 1e-12, case.id
    return p, s["X"], s["y"], lambda p, X, y: independent_loss(spec, p, X, y)


_truths = {}


def truth(case):
    if case.key not in _truths:
        p, X, y, loss = problem(case)
        g = {}
        for name in p:
            g[name] = np.zeros_like(p[name])
            for i in range(p[name].size):
                keep = p[name].flat[i]
                f = []
                for step in (-2, -1, 1, 2):
                    p[name].flat[i] = keep + step * H
                    f.append(float(loss(p, X, y)))
                p[name].flat[i] = keep
                g[name].flat[i] = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * H)
        _truths[case.key] = g
    return _truths[case.key]


def answer(case, function=None, problem_of=None):
    p, X, y, _ = problem(problem_of or case)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = (function or case.function)(p, X, y)
    names = list(p)
    if isinstance(g, (list, tuple)):
        assert len(g) == len(names), (case.id, len(g))
        g = dict(zip(names, g))
    if set(g) == {"d" + k for k in names}:
        g = {k: g["d" + k] for k in names}
    if case.note and "(1, h)" in case.note:
        g = {k: np.reshape(v, p[k].shape) for k, v in g.items()}
    return {k: np.array(g[k], float) for k in names}


def distances(g, t):
    """Relative error of each parameter; inf where the shape differs."""
    return {
        k: np.inf if g[k].shape != t[k].shape else np.linalg.norm(g[k] - t[k]) / max(np.linalg.norm(t[k]), 1e-9)
        for k in t
    }


def common_factor(g, t):
    if any(g[k].shape != t[k].shape for k in t):
        return 1.0
    a, b = (np.concatenate([np.ravel(v[k]) for k in t]) for v in (g, t))
    return float(a @ b / (b @ b))


def misbehaves(case):
    p, X, y, _ = problem(case)
    before = [np.array(v) for v in (X, y, *p.values())]
    copy = lambda: ({k: v.copy() for k, v in p.items()}, X.copy(), y.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            first, again = case.function(*copy()), case.function(*copy())
            case.function(p, X, y)
        except BaseException:  # noqa: BLE001
            return "raises" in case.expect[0]
    seen = set()
    if any(not np.array_equal(a, b) for a, b in zip(before, (X, y, *p.values()))):
        seen.add("writes_inputs")
    if not isinstance(first, dict):
        seen |= {"wrong_keys", "wrong_shapes"}
    elif set(first) != set(p):
        seen.add("wrong_keys")
    else:
        if any(np.shape(first[k]) != p[k].shape for k in p):
            seen.add("wrong_shapes")
        if any(not np.isfinite(first[k]).all() for k in p):
            seen.add("not_finite")
        elif any(not np.array_equal(first[k], again[k]) for k in p):
            seen |= {"nondeterministic", "accumulates"}
    return bool(seen & case.expect[0])


KINK = {"W1": np.s_[:, 0], "b1": np.s_[:2]}


def family(case):
    spec = getattr(case.setup, "spec", None)
    if spec is None:
        return case.key
    sizes = spec["sizes"]
    targets = case.key.split("'")[-2] if "'" in case.key else case.key
    return repr((spec["activation"], spec["output"], spec["loss"], spec["l2"] > 0, len(sizes), sizes[-1], targets))


def main():
    faults, smallest = [], []
    for case in CASES:
        if case.group == "misbehaving":
            continue
        try:
            t, g = truth(case), answer(case)
        except Exception as error:  # noqa: BLE001
            faults.append((case.id, f"check itself failed: {type(error).__name__}: {error}"))
            continue
        if getattr(case.setup, "kink", False):
            for name, part in KINK.items():
                g[name][part] = t[name][part] = 0
        if case.group in ("control", "note"):
            scaled = {k: case.scale * v for k, v in t.items()}
            whole = max(np.linalg.norm(v) for v in scaled.values())
            worst = max(np.linalg.norm(g[k] - scaled[k]) / max(np.linalg.norm(scaled[k]), 1e-3 * whole) for k in t)
            if not worst < case.tolerance or any(g[k].shape != t[k].shape for k in t):
                faults.append((case.id, f"control is off by {worst:.2g} (tolerance {case.tolerance:g})"))
            continue
        if any("accumulates" in c for c in case.expect):
            t, g = g, answer(case)  # the second call against the first
            worst = max(distances(g, t).values())
            if not worst > 1e-4:
                faults.append((case.id, "the second call gives what the first gave"))
            continue
        c = 1.0 if case.declared else common_factor(g, t)
        c = c if abs(c) > 1e-9 else 0.0  # nothing comes out: no factor of anything
        worst = max(distances(g, {k: c * v for k, v in t.items()}).values()) if c else np.inf
        smallest.append((worst, case.id))
        if not worst > 1e-4:
            faults.append((case.id, f"the mistake makes no difference: {worst:.2g}"))

    for case in CASES:
        if case.group == "misbehaving" and not misbehaves(case):
            faults.append((case.id, f"does not show {sorted(case.expect[0])}"))

    # mistakes that give the same numbers must have the same expectation
    wrong = [
        c for c in CASES if c.group in ("single", "double", "strange") and not any("accumulates" in k for k in c.expect)
    ]
    collisions = compared = 0
    for i, one in enumerate(wrong):
        for other in wrong[i + 1 :]:
            if family(one) != family(other):
                continue
            try:
                a, b = answer(one), answer(other, problem_of=one)
            except Exception:  # noqa: BLE001  (shapes written into the code)
                continue
            compared += 1
            if any(a[k].shape != b[k].shape for k in a):
                continue
            free = not (one.declared and other.declared)
            c = common_factor(b, a) if free else 1.0
            size = max(np.linalg.norm(a[k]) for k in a)
            same = abs(c) > 1e-9 and all(
                np.linalg.norm(b[k] - c * a[k]) <= 1e-9 * abs(c) * max(np.linalg.norm(a[k]), 1e-6 * size) + 1e-15
                for k in a
            )
            if same and sorted(map(sorted, one.expect)) != sorted(map(sorted, other.expect)):
                collisions += 1
                faults.append((one.id, f"same numbers (x {c:.3g}) as {other.id}, other expectation"))

    kinks = []
    for case in CASES:
        spec = getattr(case.setup, "spec", None)
        if (
            spec
            and "relu" in str(spec["activation"])
            and not getattr(case.setup, "kink", False)
            and len(spec["sizes"]) > 2
        ):
            p, X, y, _ = problem(case)
            a, least = X, np.inf
            for layer in range(1, len(spec["sizes"]) - 1):
                z = a @ p[f"W{layer}"] + p[f"b{layer}"]
                least = min(least, abs(z).min())
                a = np.where(z > 0, z, 0)
            if least < 3e-3 and case.key not in [k for _, k in kinks]:
                kinks.append((least, case.key))
    print(f"{len(CASES)} cases, {compared} pairs compared, {collisions} collisions")
    print("smallest differences from the truth:", *(f"\n  {w:.3g}  {i}" for w, i in sorted(smallest)[:8]))
    for least, key in kinks:
        print(f"near a kink: |z| = {least:.2g} in {key}")
    for id_, what in faults:
        print("FAULT", id_, "-", what)
    print("faults:", len(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
