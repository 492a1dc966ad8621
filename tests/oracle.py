"""The oracle: every formula once more, by scalar loops in many digits, straight from its definition.

It imports nothing of glassmax, and nothing here is clever: no shift of the logits, no fused derivative, no matrix.
Numbers are mpmath's, with 120 digits, so that what cancels in the plain formulas (44 digits in the loss of a margin
of 100) leaves more than 50. Numbers come in as floats and go out as mpmath's `mpf`.
"""

from collections import Counter

from mpmath import mp, mpf

mp.dps = 120


def numbers(values):
    """Read a sequence of floats exactly."""
    return [mpf(float(value)) for value in values]


def relative_error(got, true):
    """|got - true| / |true| of two scalars; 0 where both are the same number, infinities included."""
    got, true = mpf(float(got)), mpf(true)
    return 0.0 if got == true else float(abs(got - true) / abs(true)) if true else float("inf")


# --- Softmax ---


def softmax(row):
    """p_i = exp(z_i) / sum_m exp(z_m), one exponential for each distinct logit."""
    counts = Counter(float(z) for z in row)
    E = {z: mp.exp(mpf(z)) for z in counts}
    total = mp.fsum(count * E[z] for z, count in counts.items())
    P = {z: E[z] / total for z in counts}
    return [P[float(z)] for z in row]


def log_softmax(row):
    """q_i = log p_i."""
    Q = {}
    return [Q[p] if p in Q else Q.setdefault(p, mp.log(p)) for p in softmax(row)]


def softmax_jacobian(row):
    """J_ij = p_i (delta_ij - p_j)."""
    p = softmax(row)
    return [[p[i] * ((i == j) - p[j]) for j in range(len(p))] for i in range(len(p))]


# --- Activations ---

SELU_ALPHA = mpf("1.6732632423543772848170429916717")
SELU_SCALE = mpf("1.0507009873554804934193349852946")

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": lambda z: (mp.exp(2 * z) - 1) / (mp.exp(2 * z) + 1),
    "relu": lambda z: z if z > 0 else mpf(0),
    "leaky_relu": lambda z: z if z > 0 else mpf(0.01) * z,
    "elu": lambda z: z if z > 0 else mp.exp(z) - 1,
    "selu": lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * (mp.exp(z) - 1)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "mish": lambda z: z * mp.tanh(mp.log(1 + mp.exp(z))),
    "softplus": lambda z: mp.log(1 + mp.exp(z)),
}


def derivative(name, z, order=1):
    """The derivative of an activation, measured on the side of z that is away from the kink at 0."""
    return mp.diff(ACTIVATIONS[name], z, order, direction=1 if z > 0 else -1)


# --- Losses of one row ---


def cross_entropy(p, y):
    """- sum_c y_c log p_c, where 0 log 0 = 0."""
    return -mp.fsum(y[c] * mp.log(p[c]) for c in range(len(p)) if y[c] != 0)


def squared_error(p, y):
    """1/2 sum_c (p_c - y_c)^2."""
    return mp.fsum((p[c] - y[c]) ** 2 for c in range(len(p))) / 2


def binary_cross_entropy(p, y):
    """- sum_c [y_c log p_c + (1 - y_c) log(1 - p_c)], where 0 log 0 = 0."""
    return cross_entropy(p, y) + cross_entropy([1 - p_c for p_c in p], [1 - y_c for y_c in y])


def candidate_cross_entropy(p, y):
    """- log sum_c y_c p_c."""
    return -mp.log(mp.fsum(y[c] * p[c] for c in range(len(p))))


LOSSES = {
    "cross_entropy": (cross_entropy, lambda p, y, c: -y[c] / p[c]),
    "squared_error": (squared_error, lambda p, y, c: p[c] - y[c]),
    "binary_cross_entropy": (binary_cross_entropy, lambda p, y, c: (1 - y[c]) / (1 - p[c]) - y[c] / p[c]),
    "candidate_cross_entropy": (
        candidate_cross_entropy,
        lambda p, y, c: -y[c] / mp.fsum(y[m] * p[m] for m in range(len(p))),
    ),
}
"""Each loss of a row, and its derivative by p_c."""


def softmax_cross_entropy(row, y):
    """The loss of one row of logits: - sum_c y_c log p_c."""
    return cross_entropy(softmax(row), numbers(y))


def softmax_candidate_cross_entropy(row, y):
    """The loss of one row of logits: - log sum_c y_c p_c."""
    return candidate_cross_entropy(softmax(row), numbers(y))


def sigmoid_cross_entropy(row, y):
    """The loss of one row of logits, a yes-or-no question each."""
    return binary_cross_entropy([ACTIVATIONS["sigmoid"](z) for z in numbers(row)], numbers(y))


# --- An affine layer under softmax and cross-entropy ---


def capped(z, softcap, temperature):
    """u = c tanh(z / (t c)), or z / t without a cap; and its derivative."""
    z, t = mpf(z), mpf(temperature)
    if softcap is None:
        return z / t, 1 / t
    c = mpf(softcap)
    return c * mp.tanh(z / t / c), mp.sech(z / t / c) ** 2 / t


def linear_softmax_cross_entropy(A, W, b, Y, weights, softcap=None, z_loss=0.0, temperature=1.0):
    """Return the weighted mean loss, dA, dW and db, in index notation."""
    rows, columns = range(len(W)), range(len(W[0]))
    w = numbers(weights)
    W, b, L = [numbers(row) for row in W], numbers(b), mpf(0)
    dA, dW, db = [], [[mpf(0)] * len(b) for _ in rows], [mpf(0)] * len(b)
    for i in range(len(A)):
        a, y = numbers(A[i]), numbers(Y[i])
        z = [b[c] + mp.fsum(a[j] * W[j][c] for j in rows) for c in columns]
        u = [capped(z_c, softcap, temperature) for z_c in z]
        total = mp.fsum(mp.exp(u_c) for u_c, _ in u)
        p, lse = [mp.exp(u_c) / total for u_c, _ in u], mp.log(total)
        loss = cross_entropy(p, y) + mpf(z_loss) * lse**2
        L += w[i] * loss / sum(w)
        dz = [
            w[i] / sum(w) * slope * (sum(y) * p[c] - y[c] + 2 * mpf(z_loss) * lse * p[c])
            for c, (_, slope) in enumerate(u)
        ]
        dA.append([mp.fsum(dz[c] * W[j][c] for c in columns) for j in rows])
        for c in columns:
            db[c] += dz[c]
            for j in rows:
                dW[j][c] += a[j] * dz[c]
    return L, dA, dW, db


# --- A dense network ---


def network(parameters, activation, output, loss, X, Y, weights, l2):
    """Return the loss of a dense network and its gradients, in index notation.

    `parameters` maps W1, b1, ... to nested sequences; Y holds rows. Gradients come back as nested lists by name.
    """
    depth = len(parameters) // 2
    layers = range(1, depth + 1)
    W = {m: [numbers(row) for row in parameters[f"W{m}"]] for m in layers}
    b = {m: numbers(parameters[f"b{m}"]) for m in layers}
    dW = {m: [[mpf(0)] * len(b[m]) for _ in W[m]] for m in layers}
    db = {m: [mpf(0)] * len(b[m]) for m in layers}
    f, (loss_of, dloss) = ACTIVATIONS[activation], LOSSES[loss]
    w = numbers(weights)
    L = mpf(0)
    for i in range(len(X)):
        y = numbers(Y[i])
        a, z = {0: numbers(X[i])}, {}
        for m in layers:
            z[m] = [b[m][k] + mp.fsum(a[m - 1][j] * W[m][j][k] for j in range(len(a[m - 1]))) for k in range(len(b[m]))]
            a[m] = [f(z_k) for z_k in z[m]]
        p, J = _output(output, z[depth])
        L += w[i] * loss_of(p, y) / sum(w)
        dp = [dloss(p, y, c) for c in range(len(p))]
        dz = [w[i] / sum(w) * mp.fsum(dp[c] * J[c][k] for c in range(len(p))) for k in range(len(p))]
        for m in reversed(layers):
            for k in range(len(dz)):
                db[m][k] += dz[k]
                for j in range(len(a[m - 1])):
                    dW[m][j][k] += a[m - 1][j] * dz[k]
            da = [mp.fsum(W[m][j][k] * dz[k] for k in range(len(dz))) for j in range(len(a[m - 1]))]
            dz = [da[j] * derivative(activation, z[m - 1][j]) for j in range(len(da))] if m > 1 else []
    for m in layers:
        for j, row in enumerate(W[m]):
            for k, weight in enumerate(row):
                L += mpf(l2) * weight**2 / 2
                dW[m][j][k] += mpf(l2) * weight
    return L, {f"W{m}": dW[m] for m in layers} | {f"b{m}": db[m] for m in layers}


def _output(output, z):
    """The predictions of one row, and the matrix of their derivatives by the logits."""
    if output == "softmax":
        return softmax(z), softmax_jacobian(z)
    p = [ACTIVATIONS[output](z_c) for z_c in z]
    return p, [[derivative(output, z[c]) if c == k else mpf(0) for k in range(len(z))] for c in range(len(z))]
