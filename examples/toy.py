"""The toy system, with every array from the data to the update: run this script and read its output.

Five samples, four features, ten hidden sigmoid units, three classes. Each array is computed in plain NumPy and printed
with its equation, its index form, the reason and its shape. If it differs from glassmax's array, the script stops.

    python examples/toy.py
"""

import numpy as np

from glassmax import Network, functional

# fmt: off
X = np.array([[1.0, 0.5, -1.0, 2.0],
              [0.5, -1.5, 1.0, 0.0],
              [-1.0, 1.0, 0.5, -0.5],
              [2.0, 0.0, -0.5, 1.5],
              [0.0, -1.0, 1.5, 0.5]])
y = np.array([0, 1, 2, 0, 1])  # the classes a, b, c
Y = np.eye(3)[y]
W1 = np.array([[-0.2, -0.3, -0.4, 0.2, 0.1, -0.6, 0.2, 0.2, -0.2, -0.2],
               [-0.1, 0.5, -0.5, -0.2, -0.3, 0.3, -0.4, -0.4, 0.6, -0.3],
               [0.1, -0.2, -0.2, -0.1, -0.5, 0.1, 0.4, 0.6, -0.5, -0.6],
               [0.1, -0.2, 0.5, -0.3, 0.4, -0.2, 0.1, 0.3, 0.5, -0.6]])
b1 = np.array([0.3, -0.2, 0.3, 0.1, -0.3, -0.3, -0.1, 0.2, -0.3, -0.3])
W2 = np.array([[-0.6, -0.4, 0.1], [0.4, -0.9, 0.4], [-0.3, -0.6, 0.1], [-0.3, 0.5, 0.2], [-0.8, 0.8, 0.6],
               [-0.1, -0.7, -0.6], [-0.9, -0.7, -0.7], [0.3, 0.4, -0.8], [0.1, -0.8, 0.3], [0.6, -0.6, -0.3]])
b2 = np.array([-0.2, 0.3, -0.1])
# fmt: on
WEIGHTS = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

INTRODUCTION = """\
Rows are samples. Layers count from 1, indices from 0. dV is always the derivative of the loss L.
Indices: i sample, u feature, v hidden unit, c and m class. "equal to" names the array of glassmax;
tape is net.forward(X), gradients are net.loss_and_gradients(X, y)[1], functions are in functional."""


def heading(title):
    print(f"\n{title}\n{'=' * len(title)}")


def explain(equation, index_form, why):
    print(f"\n{equation:<42}{index_form}\n  {why}")


def show(value, name=None, theirs=None):
    """Print an array and its shape; stop if glassmax's array of that name differs."""
    if name is not None:
        same(value, theirs)
    print(f"  shape {np.shape(value)}" + (f", equal to {name}" if name else ""))
    print(np.round(value, 4) + 0.0)  # + 0.0 turns a -0.0 into 0.0


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def forward(tape):
    """Run the forward pass: X, Z1, A1, Z2, P. Return the arrays that the backward pass needs."""
    heading("Forward: from the samples to the probabilities")
    explain("X = A0", "X[i,u]", "Row i is sample i, column u is feature u. Nothing is computed yet.")
    show(X, "tape.A[0]", tape.A[0])
    why = "u is in both factors and not in Z1: a matrix product. b1 has no i: every row gets the same b1."
    explain("Z1 = X @ W1 + b1", "Z1[i,v] = sum_u X[i,u] * W1[u,v] + b1[v]", why)
    Z1 = X @ W1 + b1
    show(Z1, "tape.Z[1]", tape.Z[1])
    explain("A1 = sigmoid(Z1)", "A1[i,v] = 1 / (1 + exp(-Z1[i,v]))", "Entry by entry: nothing is summed.")
    A1 = 1 / (1 + np.exp(-Z1))
    show(A1, "tape.A[1]", tape.A[1])
    why = "The scores, one for each class c. The sum runs over the 10 hidden units v."
    explain("Z2 = A1 @ W2 + b2", "Z2[i,c] = sum_v A1[i,v] * W2[v,c] + b2[c]", why)
    Z2 = A1 @ W2 + b2
    show(Z2, "tape.Z[2]", tape.Z[2])
    explain("E = exp(Z2)", "E[i,c] = exp(Z2[i,c])", "Positive, but not yet normalized: a row does not sum to 1.")
    E = np.exp(Z2)
    show(E)
    why = "Each row is divided by its own sum, so it sums to 1. P[i,c] depends on every score of row i."
    explain("P = softmax(Z2)", "P[i,c] = E[i,c] / sum_m E[i,m]", why)
    P = E / E.sum(axis=1, keepdims=True)
    show(P, "tape.P", tape.P)
    return Z1, A1, Z2, P


def losses(net, P):
    heading("The loss")
    why = f"Y has a single 1 in row i, at the sample's class, y = {y}: one term of the sum is left."
    explain("L_i", "L_i = -sum_c Y[i,c] * log(P[i,c])", why)
    L_rows = -(Y * np.log(P)).sum(axis=1)
    show(L_rows, "cross_entropy(P, y, reduction='none')", functional.cross_entropy(P, y, reduction="none"))
    explain("L", "L = 1/5 * sum_i L_i", "The mean over the samples, a single number.")
    show(L_rows.mean(), "net.loss(X, y)", net.loss(X, y))


def one_jacobian(dP, P, Z2):
    """Contract the Jacobian of sample 0 with ones, which gives 0, and with the derivative of L_0, which gives p - y."""
    p, dL0_dp, ones = P[0], 5 * dP[0], np.ones(3)
    why = "Only sample 0, p = P[0]. Row c: the probability that changes. Column m: the score that changes it."
    explain("J = diag(p) - outer(p, p)", "J[c,m] = dp[c]/dz[m] = p[c] * (delta[c,m] - p[m])", why)
    J = np.diag(p) - np.outer(p, p)
    show(J, "softmax_jacobian(Z2[0])", functional.softmax_jacobian(Z2[0]))
    why = """NOT a gradient: it is 0 for any label. The sum of row c is the change of p[c] when all scores
  rise equally, which softmax ignores. J is symmetric, so its column sums are 0 too: they are the
  change of the sum of p, which is always 1. Contract J with dL_0/dp, not with ones."""
    explain("J @ ones, the row sums", "sum_m J[c,m] = p[c] * (1 - sum_m p[m]) = 0", why)
    show(J @ ones, "softmax_vjp(ones, p)", functional.softmax_vjp(ones, p))
    why = "The derivative of L_0, this sample's loss. L is the mean of five losses: dP[0] is a fifth of this."
    explain("dL0_dp = -Y[0] / p", "dL_0/dp[c] = -Y[0,c] / p[c]", why)
    show(dL0_dp)
    why = "c is summed: z[m] changes every p[c], and each of them changes L_0. p[c] in J cancels 1/p[c]."
    explain("dL0_dp @ J = p - Y[0]", "dL_0/dz[m] = sum_c dL_0/dp[c] * J[c,m]", why)
    show(dL0_dp @ J, "softmax_vjp(dL0_dp, p)", functional.softmax_vjp(dL0_dp, p))
    same(dL0_dp @ J, p - Y[0])


def through_softmax(P, Z2):
    """Go back from L to the scores: dP, the Jacobian of one sample in detail, and dZ2, which is returned."""
    heading("Backward through softmax: one Jacobian for each sample, contracted with dP")
    why = "The loss depends only on the probability of the true class. The 5 comes from the mean."
    explain("dP = -Y / (5 * P)", "dP[i,c] = -Y[i,c] / (5 * P[i,c])", why)
    dP = -Y / (5 * P)
    show(dP, "cross_entropy_vjp(1, P, y)", functional.cross_entropy_vjp(1, P, y))
    one_jacobian(dP, P, Z2)
    why = "All samples: row i of dP times the Jacobian of sample i. Only this step divides by 5."
    explain("dZ2 = (P - Y) / 5", "dZ2[i,m] = sum_c dP[i,c] * J_i[c,m]", why)
    dZ2 = (P - Y) / 5
    show(dZ2, "softmax_cross_entropy_vjp(1, Z2, y)", functional.softmax_cross_entropy_vjp(1, Z2, y))
    same(dZ2, [dp_row @ (np.diag(p) - np.outer(p, p)) for dp_row, p in zip(dP, P, strict=True)])
    return dZ2


def through_layers(gradients, Z1, A1, dZ2):
    """Go back from dZ2 to the weights of both layers. Return the gradients by name."""
    heading("Backward through the layers")
    why = "i is summed, so it must be the inner index. In A1 it comes first: hence the transpose."
    explain("dW2 = A1.T @ dZ2", "dW2[v,c] = sum_i A1[i,v] * dZ2[i,c]", why)
    dW2 = A1.T @ dZ2
    show(dW2, 'gradients["W2"]', gradients["W2"])
    why = "Every row uses the same b2, so its derivative is the sum over all rows: column sums."
    explain("db2 = column sums of dZ2", "db2[c] = sum_i dZ2[i,c]", why)
    db2 = dZ2.sum(axis=0)
    show(db2, 'gradients["b2"]', gradients["b2"])
    why = "c is summed, so it must be the inner index. In W2 it comes second: hence the transpose."
    explain("dA1 = dZ2 @ W2.T", "dA1[i,v] = sum_c dZ2[i,c] * W2[v,c]", why)
    dA1 = dZ2 @ W2.T
    show(dA1, "affine_vjp(dZ2, A1, W2)[0]", functional.affine_vjp(dZ2, A1, W2)[0])
    why = "i and v are in every factor and in the result: no sum, but a Hadamard product, entry by entry."
    explain("dZ1 = dA1 * A1 * (1 - A1)", "dZ1[i,v] = dA1[i,v] * A1[i,v] * (1 - A1[i,v])", why)
    dZ1 = dA1 * A1 * (1 - A1)
    show(dZ1, "sigmoid_vjp(dA1, Z1)", functional.sigmoid_vjp(dA1, Z1))
    explain(
        "dW1 = X.T @ dZ1", "dW1[u,v] = sum_i X[i,u] * dZ1[i,v]", "Like dW2, one layer below: X takes the place of A1."
    )
    dW1 = X.T @ dZ1
    show(dW1, 'gradients["W1"]', gradients["W1"])
    explain("db1 = column sums of dZ1", "db1[v] = sum_i dZ1[i,v]", "Like db2, one layer below.")
    db1 = dZ1.sum(axis=0)
    show(db1, 'gradients["b1"]', gradients["b1"])
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def one_weight(net, gradients):
    """Change a single weight, and compare the change of the loss with the prediction of the gradient."""
    slope, before = gradients["W2"][4, 0], net.loss(X, y)
    heading("What one entry says: change W2[4, 0] alone")
    print(f"\ndW2[4, 0] = {slope:.4f}. Predicted: dW2[4, 0] times the step. Measured: L after the step - L before it.")
    print("With a tenth of the step, the difference is about a hundredth: it comes from the curvature.\n")
    print("      step    predicted     measured   difference")
    for step in (1.0, 0.1, 0.01):
        net.parameters["W2"][4, 0] = W2[4, 0] + step
        measured = net.loss(X, y) - before
        print(f"{step:10.2f}{slope * step:13.6f}{measured:13.6f}{measured - slope * step:13.6f}")
    net.parameters["W2"][4, 0] = W2[4, 0]


def update(net, gradients, learning_rate=0.5):
    """Update all weights at once, with gradients that were computed before any weight changed."""
    heading(f"One update: subtract {learning_rate} times its gradient from each W and b")
    print(f"\nL before  {net.loss(X, y):.4f}")
    net.step(gradients, learning_rate)
    print(f"L after   {net.loss(X, y):.4f}")
    for name, weights in WEIGHTS.items():
        same(weights - learning_rate * gradients[name], net.parameters[name])


def main():
    np.set_printoptions(precision=4, suppress=True, floatmode="fixed", linewidth=100)
    print(INTRODUCTION)
    net = Network.from_parameters(WEIGHTS, activation="sigmoid", output="softmax", loss="cross_entropy")
    Z1, A1, Z2, P = forward(net.forward(X))
    losses(net, P)
    dZ2 = through_softmax(P, Z2)
    gradients = through_layers(net.loss_and_gradients(X, y)[1], Z1, A1, dZ2)
    heading("Are they right? Measured from the loss alone, without the formulas above")
    print(f"\n{net.check_gradients(X, y)}")
    one_weight(net, gradients)
    update(net, gradients)


if __name__ == "__main__":
    main()
