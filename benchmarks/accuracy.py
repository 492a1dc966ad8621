"""Count the digits that survive: tiny losses and gradients against 50 digits, beside PyTorch and JAX.

A row is sure of its class by a margin: the logits are (margin, 0, 0), the first class is the true one. Its loss is
log(1 + 2 exp(-margin)) and its gradient by the true logit is minus the sum of the other probabilities: tiny, never 0.
Every library is called as its users call it; the true values come from mpmath.
"""

import jax
import mpmath
import numpy as np
import torch
from record import table, write

from glassmax import functional as F

jax.config.update("jax_enable_x64", True)
mpmath.mp.dps = 50

MARGINS = [10, 17, 20, 50, 100]
DTYPES = ["float32", "float64"]


def true_values(margin):
    """Return what each quantity is, to 50 digits."""
    e = mpmath.exp(-mpmath.mpf(margin))
    return {
        "softmax, other class": e / (1 + 2 * e),
        "log_softmax, true class": -mpmath.log1p(2 * e),
        "cross-entropy": mpmath.log1p(2 * e),
        "its gradient, true class": -2 * e / (1 + 2 * e),
        "its gradient, other class": e / (1 + 2 * e),
        "binary cross-entropy": mpmath.log1p(e),
        "its gradient": -e / (1 + e),
        "sigmoid, other side": e / (1 + e),
    }


def by_glassmax(margin, dtype):
    Z, z = np.array([[margin, 0, 0]], dtype), np.array([[margin]], dtype)
    dZ = F.softmax_cross_entropy_vjp(1.0, Z, [0])[0]
    return [
        F.softmax(Z)[0, 1],
        F.log_softmax(Z)[0, 0],
        F.softmax_cross_entropy(Z, [0]),
        dZ[0],
        dZ[1],
        F.sigmoid_cross_entropy(z, [[1]]),
        F.sigmoid_cross_entropy_vjp(1.0, z, [[1]])[0, 0],
        F.sigmoid(-z)[0, 0],
    ]


def by_torch(margin, dtype):
    dtype = getattr(torch, dtype)
    Z = torch.tensor([[margin, 0, 0]], dtype=dtype, requires_grad=True)
    z = torch.tensor([[margin]], dtype=dtype, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(Z, torch.tensor([0]))
    binary = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.ones_like(z))
    loss.backward()
    binary.backward()
    return [
        torch.softmax(Z, 1)[0, 1].item(),
        torch.log_softmax(Z, 1)[0, 0].item(),
        loss.item(),
        Z.grad[0, 0].item(),
        Z.grad[0, 1].item(),
        binary.item(),
        z.grad[0, 0].item(),
        torch.sigmoid(-z)[0, 0].item(),
    ]


def by_jax(margin, dtype):
    Z, z = jax.numpy.array([margin, 0, 0], dtype), jax.numpy.array(margin, dtype)
    loss, dZ = jax.value_and_grad(lambda Z: -jax.nn.log_softmax(Z)[0])(Z)
    binary, dz = jax.value_and_grad(lambda z: -jax.nn.log_sigmoid(z))(z)
    return [jax.nn.softmax(Z)[1], jax.nn.log_softmax(Z)[0], loss, dZ[0], dZ[1], binary, dz, jax.nn.sigmoid(-z)]


LIBRARIES = {"glassmax": by_glassmax, "torch": by_torch, "jax": by_jax}


def show(found, true):
    if float(found) == 0:
        return "returns 0"
    return f"{float(abs(mpmath.mpf(float(found)) / true - 1)):.0e}"


def main():
    figures, zeros = [], dict.fromkeys(LIBRARIES, 0)
    for dtype in DTYPES:
        rows = []
        for margin in MARGINS:
            true = true_values(margin)
            found = {library: values(margin, dtype) for library, values in LIBRARIES.items()}
            for number, (quantity, value) in enumerate(true.items()):
                shown = {library: show(found[library][number], value) for library in LIBRARIES}
                for library, text in shown.items():
                    zeros[library] += text == "returns 0"
                rows.append([quantity, margin, mpmath.nstr(value, 3), *shown.values()])
                figures.append(
                    {"dtype": dtype, "margin": margin, "quantity": quantity, "true": float(value), "error": shown}
                )
        rows.sort(key=lambda row: list(true).index(row[0]))
        title = f"{dtype}: relative error against 50 digits (1e-7 is float32's best, 1e-16 float64's)"
        table(title, ["", "margin", "true value", *LIBRARIES], rows)
    print("\nTimes a library returned 0 for what is not 0:", ", ".join(f"{name} {n}" for name, n in zeros.items()))
    assert zeros["glassmax"] == 0
    assert all(float(row["error"]["glassmax"]) < 1e-6 for row in figures if row["margin"] < 100)
    write("accuracy", ["mpmath", "torch", "jax"], {"returned_0": zeros, "rows": figures})


if __name__ == "__main__":
    main()
