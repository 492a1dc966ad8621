"""Hold every gradient of glassmax to PyTorch's and JAX's automatic differentiation, in float64.

Every activation x output x loss x 0 to 4 hidden layers; the kinds of target (class indices, one-hot, soft rows), sample
weights and the penalty take turns. Then `softmax_cross_entropy` and its pullback against
``torch.nn.functional.cross_entropy``, with class weights, class probabilities and label smoothing.

The error of a gradient is the largest difference of an entry over the largest entry of that array. Exits with 1 when
one is above 1e-10.
"""

import sys
from collections import defaultdict
from itertools import cycle, product

import jax
import numpy as np
import torch
from record import table, write

from glassmax import Network
from glassmax.functional import ACTIVATIONS, softmax_cross_entropy, softmax_cross_entropy_vjp

jax.config.update("jax_enable_x64", True)

BOUND = 1e-10
SIZES = [(4, 3), (4, 6, 3), (4, 6, 5, 3), (4, 6, 5, 7, 3), (4, 6, 5, 7, 8, 3)]
OUTPUTS = ["softmax", "sigmoid", "identity", "relu"]
LOSSES = ["cross_entropy", "squared_error", "binary_cross_entropy"]
KINDS = ["indices", "one-hot", "soft"]

TORCH = {
    "identity": lambda Z: Z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.nn.functional.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
    "softplus": torch.nn.functional.softplus,
}
JAX = {
    "identity": lambda Z: Z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jax.numpy.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": lambda Z: jax.nn.gelu(Z, approximate=False),
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "softplus": jax.nn.softplus,
}


def loss_of(peer, f, log_softmax, parameters, X, Y, w, case, l2):
    """Return the loss in the peer's own operations; it differentiates them."""
    sizes, activation, output, loss = case
    A, depth = X, len(sizes) - 1
    for layer in range(1, depth + 1):
        Z = A @ parameters[f"W{layer}"] + parameters[f"b{layer}"]
        A = f[activation](Z) if layer < depth else Z
    if output == "softmax":
        log_P = log_softmax(Z)
        P = peer.exp(log_P)
    else:
        P = f[output](Z)
    if loss == "cross_entropy":
        rows = -(Y * (log_P if output == "softmax" else peer.log(P))).sum(1)
    elif loss == "squared_error":
        rows = 0.5 * ((P - Y) ** 2).sum(1)
    else:
        rows = -(Y * peer.log(P) + (1 - Y) * peer.log(1 - P)).sum(1)
    penalty = sum((parameters[f"W{layer}"] ** 2).sum() for layer in range(1, depth + 1))
    return (w * rows).sum() / w.sum() + l2 / 2 * penalty


def by_torch(parameters, X, Y, w, case, l2):
    leaves = {name: torch.tensor(values, requires_grad=True) for name, values in parameters.items()}
    X, Y, w = torch.tensor(X), torch.tensor(Y), torch.tensor(w)
    loss = loss_of(torch, TORCH, lambda Z: torch.log_softmax(Z, 1), leaves, X, Y, w, case, l2)
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


def by_jax(parameters, X, Y, w, case, l2):
    def loss(leaves):
        return loss_of(jax.numpy, JAX, jax.nn.log_softmax, leaves, X, Y, w, case, l2)

    value, gradients = jax.value_and_grad(loss)({name: jax.numpy.array(values) for name, values in parameters.items()})
    return float(value), {name: np.asarray(values) for name, values in gradients.items()}


def error(ours, theirs):
    """Return the largest difference of an entry, over the largest entry; inf where one is not finite."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return np.inf
    difference, size = np.abs(ours - theirs).max(), np.abs(theirs).max()
    return 0.0 if difference == 0 else float(difference / size)


def drawn(case, kind, weighted, l2, draw):
    """Return a network and data; where a loss takes the logarithm of raw outputs, these lie about 1/2."""
    sizes, activation, output, loss = case
    net = Network(sizes, activation=activation, output=output, loss=loss, l2=l2, random_state=draw)
    if output in ("identity", "relu") and loss != "squared_error":
        last = net.depth
        net.parameters[f"W{last}"] = 0.02 * net.parameters[f"W{last}"]
        net.parameters[f"b{last}"] = 0.02 * net.parameters[f"b{last}"] + 0.5
    X, y = draw.standard_normal((12, sizes[0])), draw.integers(sizes[-1], size=12)
    Y = draw.uniform(0, 1, (12, sizes[-1])) if kind == "soft" else np.eye(sizes[-1])[y]
    w = draw.uniform(0, 3, 12) if weighted else np.ones(12)
    return net, X, y if kind == "indices" else Y, Y, w


def networks():
    """Return the largest error against each peer, by activation, head and depth, and the number of networks."""
    worst, count = {"torch": defaultdict(float), "jax": defaultdict(float)}, 0
    turns = cycle(product(KINDS, [False, True], [0.0, 0.1]))
    draw = np.random.default_rng(0)
    for case in product(SIZES, ACTIVATIONS, OUTPUTS, LOSSES):
        sizes, activation, output, loss = case
        if len(sizes) == 2 and activation != "identity":
            continue  # no hidden layer, no activation
        kind, weighted, l2 = next(turns)
        net, X, target, Y, w = drawn(case, kind, weighted, l2, draw)
        value, gradients = net.loss_and_gradients(X, target, w if weighted else None)
        groups = [f"head: {output}, {loss}", f"hidden layers: {len(sizes) - 2}"]
        groups += [f"activation: {activation}"] if len(sizes) > 2 else []
        for peer, differentiate in (("torch", by_torch), ("jax", by_jax)):
            their_value, theirs = differentiate(net.parameters, X, Y, w, case, l2)
            errors = [error(value, their_value), *(error(gradients[name], theirs[name]) for name in theirs)]
            for group in groups:
                worst[peer][group] = max(worst[peer][group], *errors)
        count += 1
    return worst, count


def fused():
    """Return the errors of softmax_cross_entropy and its pullback against torch.nn.functional.cross_entropy."""
    draw, errors = np.random.default_rng(1), {}
    Z, y, Y = 4 * draw.standard_normal((50, 7)), draw.integers(7, size=50), draw.dirichlet(np.ones(7), 50)
    of_class = draw.uniform(0.2, 3, 7)
    cases = {
        "class indices": (y, None, {}, {}),
        "class indices, label smoothing": (y, None, {"label_smoothing": 0.1}, {"label_smoothing": 0.1}),
        "class indices, class weights": (y, of_class[y], {}, {"weight": torch.tensor(of_class)}),
        "class probabilities": (Y, None, {}, {}),
        "class probabilities, label smoothing": (Y, None, {"label_smoothing": 0.3}, {"label_smoothing": 0.3}),
        "class probabilities, class weights": (Y * of_class, None, {}, {"weight": torch.tensor(of_class)}),
    }
    for name, (target, w, ours, theirs) in cases.items():
        for reduction in ("mean", "sum"):
            options = {"sample_weight": w, "reduction": reduction, **ours}
            value = softmax_cross_entropy(Z, target, **options)
            dZ = softmax_cross_entropy_vjp(1.0, Z, target, **options)
            leaf = torch.tensor(Z, requires_grad=True)
            labels = torch.tensor(y if "indices" in name else Y)
            loss = torch.nn.functional.cross_entropy(leaf, labels, reduction=reduction, **theirs)
            loss.backward()
            worst = max(error(value, loss.item()), error(dZ, leaf.grad.numpy()))
            errors[name] = max(errors.get(name, 0.0), worst)
    return errors


def main():
    worst, count = networks()
    groups = sorted(worst["torch"])
    rows = [[group, f"{worst['torch'][group]:.1e}", f"{worst['jax'][group]:.1e}"] for group in groups]
    table(
        f"Gradients of {count} networks in float64: largest relative error",
        ["", "against PyTorch", "against JAX"],
        rows,
    )
    errors = fused()
    table(
        "softmax_cross_entropy and its pullback against torch.nn.functional.cross_entropy",
        ["", "largest relative error"],
        [[name, f"{found:.1e}"] for name, found in errors.items()],
    )
    largest = {peer: max(found.values()) for peer, found in worst.items()} | {
        "torch cross_entropy": max(errors.values())
    }
    write(
        "gradients",
        ["torch", "jax"],
        {
            "networks": count,
            "largest_relative_error": largest,
            "by_group": {group: {peer: worst[peer][group] for peer in worst} for group in groups},
            "softmax_cross_entropy": errors,
        },
    )
    if max(largest.values()) > BOUND:
        sys.exit(f"An error is above {BOUND:g}.")
    print(f"All errors are below {BOUND:g}.")


if __name__ == "__main__":
    main()
