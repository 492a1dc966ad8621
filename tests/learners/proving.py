"""The corpus without the doctor: what a program gives, and what it should give.

The truth is central differences of a loss written here, from the specification of the setup, or of the learner's own
loss where the setup has one. glassmax only carries the numbers of the parameters.
"""

import contextlib
import io
import warnings

import numpy as np

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
    """Return parameters, X, y and loss(p, X, y), all fresh."""
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
    """Return the gradient by central differences of the fourth order."""
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


def gradient(case, problem_of=None):
    """Return what the program gives, on its own problem or on that of another case."""
    p, X, y, _ = problem(problem_of or case)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = case.function(p, X, y)
    names = list(p)
    if isinstance(g, (list, tuple)):
        assert len(g) == len(names), (case.id, len(g))
        g = dict(zip(names, g, strict=True))
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
    """Return the factor of t that fits g best."""
    if any(g[k].shape != t[k].shape for k in t):
        return 1.0
    a, b = (np.concatenate([np.ravel(v[k]) for k in t]) for v in (g, t))
    return float(a @ b / (b @ b))


def misbehaves(case):
    """Whether a program does one of the things that are expected of it."""
    p, X, y, _ = problem(case)
    before = [np.array(v) for v in (X, y, *p.values())]

    def copy():
        return {k: v.copy() for k, v in p.items()}, X.copy(), y.copy()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            first, again = case.function(*copy()), case.function(*copy())
            case.function(p, X, y)
        except BaseException:
            return "raises" in case.expect[0]
    seen = set()
    if any(not np.array_equal(a, b) for a, b in zip(before, (X, y, *p.values()), strict=True)):
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


def family(case):
    """Name the problems that a case may share with others: the same network up to its sizes."""
    spec = getattr(case.setup, "spec", None)
    if spec is None:
        return case.key
    sizes = spec["sizes"]
    targets = case.key.split("'")[-2] if "'" in case.key else case.key
    return repr((spec["activation"], spec["output"], spec["loss"], spec["l2"] > 0, len(sizes), sizes[-1], targets))
