"""The notebook softmax_backprop.ipynb as a marimo script: `marimo edit examples/softmax_backprop.py`."""

import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import marimo as mo

    return (mo,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Backpropagation through softmax, from p - y to every matrix

    This notebook follows the gradient of the softmax cross-entropy through one batch: first for one sample, then
    for all samples at once, then down to every weight. Each step is computed by hand in NumPy and compared with
    glassmax.

    The network has four inputs, ten hidden units with a sigmoid, and three classes; there are five samples. All
    sizes differ, so that a lost transpose shows in the shapes. Rows are samples, and `dV` is always the derivative
    of the loss with respect to `V`.
    """)
    return


@app.cell
def _():
    import numpy as np

    import glassmax as gm
    from glassmax.tracing import toy

    network, X, y = toy()
    Y = np.eye(3)[y]
    {name: value.shape for name, value in network.parameters.items()}
    return X, Y, gm, network, np, y


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## One sample

    The scores `z` of the first sample become probabilities `p`. The loss is minus the logarithm of the probability
    of the true class.
    """)
    return


@app.cell
def _(X, network, np, y):
    tape = network.forward(X)
    z = tape.Z[2][0]
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    loss = -np.log(p[y[0]])
    p.round(4), round(float(loss), 4)
    return p, tape


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ### Softmax has a matrix of derivatives

    Each probability depends on every score, because all scores are in the denominator. The derivative is therefore
    a matrix, the Jacobian, with `J[i, j] = dp_i/dz_j = p_i (delta_ij - p_j)`.
    """)
    return


@app.cell
def _(np, p):
    J = np.diag(p) - np.outer(p, p)
    J.round(4)
    return (J,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The rows of `J` must not be summed into a vector. The sum of a row says how one probability changes when all
    scores rise by the same amount, and softmax ignores such a shift: every sum is zero.
    """)
    return


@app.cell
def _(J, np):
    np.abs(J.sum(axis=1)).round(12)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The diagonal alone is wrong too: it treats softmax as if each probability depended on its own score only, as a
    sigmoid does. The right way is to contract `J` with the derivative of the loss, `dp_i = -y_i / p_i`. The sum
    over `i` is a matrix product. The factor `p` cancels, and what remains is `p - y`.
    """)
    return


@app.cell
def _(J, Y, np, p):
    dp = -Y[0] / p
    dz = dp @ J
    dz.round(4), (p - Y[0]).round(4), (dp * np.diag(J)).round(4)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    `gm.derive` derives the same result from the equations, and checks each line on random numbers.
    """)
    return


@app.cell
def _(gm):
    softmax = "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"
    derivation = gm.derive(softmax, wrt="z", assume="sum_k y_k = 1")
    derivation
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The batch

    The loss of a batch is the mean over its samples. Its `1/n` enters once, here, and is then part of every
    derivative.
    """)
    return


@app.cell
def _(X, Y, tape):
    P = tape.P
    n = len(X)
    dZ2 = (P - Y) / n
    dZ2.round(4)
    return (dZ2,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ### Where the transposes come from

    In index notation, the gradient of a weight is `dW2[k, j] = sum_i A1[i, k] dZ2[i, j]`. The index `i`, the
    sample, is in both factors and not in the result: it is summed, and a matrix product sums over the last axis of
    its left factor. In `A1` the index `i` is the first axis. Hence the transpose.
    """)
    return


@app.cell
def _(dZ2, np, tape):
    A1 = tape.A[1]
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dW2.shape, bool(np.allclose(dW2, np.einsum("ik,ij->kj", A1, dZ2)))
    return A1, dW2, db2


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    On the way down, the derivative of a hidden unit sums over the units `j` of the layer above: `dA1[i, k] = sum_j
    dZ2[i, j] W2[k, j]`. This time the summed index is the second axis of `W2`, so `W2` is transposed. The sigmoid
    acts on each number alone: nothing is summed, and its derivative is a product entry by entry, a Hadamard
    product.
    """)
    return


@app.cell
def _(A1, X, dW2, dZ2, db2, network, np, y):
    dA1 = dZ2 @ network.parameters["W2"].T
    dZ1 = dA1 * A1 * (1 - A1)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    _, gradients = network.loss_and_gradients(X, y)
    own = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    {name: bool(np.allclose(own[name], gradients[name])) for name in own}
    return dA1, own


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## A mistake, and what the doctor says

    This gradient forgets the derivative of the sigmoid. `gm.diagnose` takes the arrays, and says what is wrong,
    where, and why.
    """)
    return


@app.cell
def _(X, dA1, gm, network, own, y):
    wrong = {**own, "W1": X.T @ dA1, "b1": dA1.sum(axis=0)}
    diagnosis = gm.diagnose(wrong, network=network, X=X, y=y)
    diagnosis
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The trace: every array at once

    `gm.trace` computes all of this in one call, and keeps every array with its equation, its shape and the reason
    for it.
    """)
    return


@app.cell
def _(X, gm, network, y):
    batch = gm.trace(network, X, y)
    batch["dW2"].with_shapes, batch["dA1"].with_shapes
    return (batch,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Any cell can be taken apart into the products that make it, sample by sample.
    """)
    return


@app.cell
def _(batch):
    batch.cell("dW2", 3, 1)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    A nudge changes one number and compares the change of the loss that the gradient predicts with the change that
    comes out. The difference is explained by the curvature.
    """)
    return


@app.cell
def _(batch):
    batch.nudge("W2", (3, 1), 0.001)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    These are the shortcuts that fail, each beside the right contraction.
    """)
    return


@app.cell
def _(batch):
    [(view.name, view.of, round(view.error, 4)) for view in batch.naive()]
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The whole ledger, from the data to the update:
    """)
    return


@app.cell
def _(batch):
    batch
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    `batch.to_html("toy.html")` writes the same as a page: one file that opens in any browser, offline. There you
    can walk through the steps, point at a cell and see its row and its column light up, switch between index and
    matrix notation, and drag a weight. `glassmax explain toy --html toy.html` does it from the command line.
    """)
    return


if __name__ == "__main__":
    app.run()
