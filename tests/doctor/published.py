"""The published mistakes, each put into a learner's program: what was written, and what the doctor should call it.

A row: what it is about, the program, the lines that were changed, the causes that are right (all of them give the very
same numbers), where, and what else the case needs.
"""

MISTAKES = [
    # softmax's Jacobian
    (
        "only h(1-h) of softmax is used",
        "JACOBIAN",
        [("J = np.diag(P[i]) - np.outer(P[i], P[i])", "J = np.diag(P[i] * (1 - P[i]))")],
        {"jacobian_diagonal_only"},
        "dZ2",
    ),
    (
        "the rows of the Jacobian are summed",
        "JACOBIAN",
        [("dZ[i] = J @ dP[i]", "dZ[i] = J.sum(axis=1)")],
        {"jacobian_rows_summed"},
        "dZ2",
    ),
    (
        "p(1-p) and the rolled products: row sums again",
        "JACOBIAN",
        [("dZ[i] = J @ dP[i]", "dZ[i] = P[i] * (1 - P[i]) + sum(-P[i] * np.roll(P[i], s) for s in (1, 2))")],
        {"jacobian_rows_summed"},
        "dZ2",
    ),
    (
        "a double loop overwrites the gradient with the last column",
        "JACOBIAN",
        [
            (
                "dZ[i] = J @ dP[i]",
                """for a in range(3):
            for b in range(3):
                if a == b:
                    dZ[i, a] = P[i, a] * (1 - P[i, a]) * dP[i, a]
                else:
                    dZ[i, a] = -P[i, a] * P[i, b] * dP[i, a]""",
            )
        ],
        {"jacobian_not_contracted"},
        "dZ2",
    ),
    (
        "softmax' is p(1-p), element by element, in a library of layers",
        "LAYERS",
        [
            (
                "return self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))",
                "return g * self.out * (1 - self.out)",
            )
        ],
        {"jacobian_diagonal_only"},
        "dZ2",
    ),
    (
        "softmax' is 1 - p: the factor p is lost",
        "LAYERS",
        [("return self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))", "return g * (1 - self.out)")],
        {"jacobian_diagonal_only"},
        "dZ2",
    ),
    (
        "softmax as an activation of one input",
        "JACOBIAN",
        [
            (
                "for i in range(N):\n        J = np.diag(P[i]) - np.outer(P[i], P[i])\n        dZ[i] = J @ dP[i]",
                "dZ = dP * (P - P ** 2)",
            )
        ],
        {"jacobian_diagonal_only"},
        "dZ2",
    ),
    (
        "the dot term is missing: s * g",
        "LAYERS",
        [("return self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))", "return self.out * g")],
        {"jacobian_dot_term_missing"},
        "dZ2",
    ),
    (
        "sigmoid's form under squared error",
        "JACOBIAN",
        [("dZ[i] = J @ dP[i]", "dZ[i] = P[i] * (1 - P[i]) * dP[i]")],
        {"jacobian_diagonal_only"},
        "dZ2",
    ),
    # the activation's derivative
    (
        "no sigmoid' in the hidden layer",
        "ASSIGNMENT",
        [("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1")],
        {"activation_missing"},
        "dZ1",
    ),
    (
        "a - y without sigmoid' under squared error",
        "LOOPS",
        [("err_out.append((out[c] - T[i][c]) * out[c] * (1 - out[c]))", "err_out.append(out[c] - T[i][c])")],
        {"activation_missing", "other_loss"},
        "dZ2",
    ),
    (
        "no activation' in any delta",
        "ASSIGNMENT",
        [("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1"), ("dZ2 = dA2 * A2 * (1 - A2)", "dZ2 = dA2")],
        {"activation_missing"},
        "dZ2",
    ),
    (
        "relu's class returns sigmoid'",
        "BINARY",
        [("dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * sigmoid(Z1) * (1 - sigmoid(Z1))")],
        {"activation_other_function"},
        "dZ1",
    ),
    (
        "1 - tanh(output)^2",
        "TUTORIAL",
        [("(1 - np.power(a1, 2))", "(1 - np.power(np.tanh(a1), 2))")],
        {"activation_of_a"},
        "dZ1",
    ),
    (
        "the output's delta times a, without 1 - a",
        "LOOPS",
        [("* out[c] * (1 - out[c]))", "* out[c])")],
        {"activation_other_function"},
        "dZ2",
    ),
    (
        "tanh' = -tanh^2",
        "TUTORIAL",
        [("(1 - np.power(a1, 2))", "(-np.power(a1, 2))")],
        {"activation_other_function"},
        "dZ1",
    ),
    (
        "tanh' = 1 + tanh^2",
        "TUTORIAL",
        [("(1 - np.power(a1, 2))", "(1 + np.power(a1, 2))")],
        {"activation_other_function"},
        "dZ1",
    ),
    # factors
    ("summed where the loss is a mean", "TUTORIAL", [("    delta3 /= num_examples\n", "")], {"factor"}, "dZ2"),
    (
        "averaged twice",
        "ASSIGNMENT",
        [("dZ3 = (P - Y) / N", "dZ3 = (P - Y) / N / N"), ("reg=0.1", "reg=0.0")],
        {"factor"},
        "dZ3",
        {"l2": 0.0},
    ),
    (
        "1/n where the loss has 2/n",
        "REGRESSION",
        [
            (
                "def gradients(",
                """def loss(params, X, T):
    h = np.tanh(X @ params['W1'] + params['b1'])
    return ((h @ params['W2'] + params['b2'] - T) ** 2).sum(axis=1).mean()

def gradients(""",
            )
        ],
        {"factor"},
        "dZ2",
        {"own_loss": True},
    ),
    (
        "off by exactly 2",
        "LAYERS",
        [("grad = -onehot / out / len(X)", "grad = -2 * onehot / out / len(X)")],
        {"factor"},
        "dZ2",
    ),
    (
        "the mean over classes too",
        "LAYERS",
        [("grad = -onehot / out / len(X)", "grad = -onehot / out / out.size")],
        {"factor"},
        "dZ2",
    ),
    # biases
    (
        "db is the mean where dZ holds 1/N",
        "ASSIGNMENT",
        [("grads['b2'] = dZ2.sum(axis=0)", "grads['b2'] = dZ2.mean(axis=0)")],
        {"bias_averaged"},
        "b2",
    ),
    (
        "db is left as one value a sample",
        "LAYERS",
        [("self.db = g.sum(axis=0)", "self.db = g")],
        {"bias_not_summed"},
        "b2",
    ),
    (
        "db keeps the shape (N, K)",
        "TUTORIAL",
        [("db2 = np.sum(delta3, axis=0)", "db2 = delta3 * np.ones_like(b2)")],
        {"bias_not_summed"},
        "b2",
    ),
    (
        "db is multiplied by the inputs",
        "COLUMNS",
        [
            (
                "db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)",
                "db1 = 1 / m * np.sum(dZ1 @ X.T, axis=1, keepdims=True)",
            )
        ],
        {"bias_times_input"},
        "bias_hidden",
    ),
    # signs
    ("labels - output used as the gradient", "BINARY", [("dZ2 = A2 - y", "dZ2 = y - A2")], {"sign"}, "dZ2"),
    (
        "the sign is lost",
        "ASSIGNMENT",
        [("dZ3 = (P - Y) / N", "dZ3 = (Y - P) / N"), ("reg=0.1", "reg=0.0")],
        {"sign"},
        "dZ3",
        {"l2": 0.0},
    ),
    ("y - p, added", "VECTORS", [("delta = p - t", "delta = t - p")], {"sign"}, "dZ2"),
    (
        "-1/5 in front of the product of the last layer",
        "TUTORIAL",
        [("dW2 = (a1.T).dot(delta3)", "dW2 = -(a1.T).dot(delta3)")],
        {"sign"},
        "W2",
    ),
    # updated weights
    (
        "W is updated, then used to pass the error down",
        "ASSIGNMENT",
        [
            (
                "dA2 = dZ3 @ params['W3'].T",
                "params = {**params, 'W3': params['W3'] - 0.5 * grads['W3']}\n    dA2 = dZ3 @ params['W3'].T",
            )
        ],
        {"updated_weights"},
        "dA2",
    ),
    (
        "the update stands inside the loop over the layers",
        "LAYERS",
        [("return g @ self.W.T", "self.W = self.W - 0.01 * self.dW\n        return g @ self.W.T")],
        {"updated_weights"},
        "dA1",
    ),
    # products
    (
        "g * d @ W.T multiplies first",
        "ASSIGNMENT",
        [("dA1 = dZ2 @ params['W2'].T\n    dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = (A1 * (1 - A1)) * dZ2 @ params['W2'].T")],
        {"precedence"},
        "dZ1",
        {"sizes": [4, 6, 6, 3]},
    ),
    (
        "delta2 as matrix products only",
        "COLUMNS",
        [("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dZ1 = dA1 @ np.int64(A1 > 0).T @ A1 / (A1 ** 2).sum()")],
        {"batch_coupling"},
        "dZ1",
    ),
    (
        "-x * (t - p), element by element, without a sum over the samples",
        "BINARY",
        [("dW1 = X.T @ dZ1 / n", "dW1 = X[:, :, None] * dZ1[:, None, :] / n")],
        {"elementwise_product"},
        "W1",
    ),
    (
        "the inverse of W in place of its transpose",
        "REGRESSION",
        [("(d_out @ params['W2'].T)", "(d_out @ np.linalg.pinv(params['W2']))")],
        {"transposed"},
        "dA1",
    ),
    # softmax
    (
        "softmax over the whole array",
        "TUTORIAL",
        [("np.sum(exp_scores, axis=1, keepdims=True)", "np.sum(exp_scores)")],
        {"softmax_whole_array"},
        "dZ2",
    ),
    (
        "softmax over the samples",
        "LAYERS",
        [
            (
                "out = layer.forward(out)",
                "out = layer.forward(out)\n    out = np.exp(net[2].x @ p['W2'] + p['b2']); out = out / out.sum(axis=0)",
            ),
            (
                "for layer in reversed(net):\n        grad = layer.backward(grad)",
                """grad = (out - onehot) / len(X)
    for layer in reversed(net[:3]):
        grad = layer.backward(grad)""",
            ),
        ],
        {"softmax_axis"},
        "dZ2",
    ),
    (
        "softmax, then a loss that takes softmax again",
        "ASSIGNMENT",
        [("P = softmax(Z3)", "P = softmax(softmax(Z3))")],
        {"softmax_twice"},
        "dZ3",
    ),
    (
        "softmax twice, differentiated through both",
        "JACOBIAN",
        [("dP = (P - Y) / N", "Q = softmax(P)\n    dP = (Q - Y) / N")],
        {"softmax_twice", "other_loss"},
        "dZ2",
        {"loss": "cross_entropy"},
    ),
    # the penalty
    (
        "g -= decay * p",
        "ASSIGNMENT",
        [
            ("+ reg * params['W3']", "- reg * params['W3']"),
            ("+ reg * params['W2']", "- reg * params['W2']"),
            ("+ reg * params['W1']", "- reg * params['W1']"),
        ],
        {"regulariser_sign"},
        "W3",
    ),
    (
        "the loss penalises biases, the gradient does not",
        "LINEAR",
        [("lam * (W * W).sum()", "lam * (W * W).sum() + lam * (b * b).sum()")],
        {"regulariser_missing"},
        "parameters[1]",
    ),
    (
        "0.5 reg W^2 against reg W^2",
        "LINEAR",
        [("gW = X.T @ d + 2 * lam * W", "gW = X.T @ d + lam * W")],
        {"regulariser_factor"},
        "parameters[0]",
    ),
    # the error from above
    (
        "softmax' multiplied by the upstream a second time",
        "LAYERS",
        [
            (
                "return self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))",
                "return g * self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))",
            )
        ],
        {"upstream_twice"},
        "dZ2",
    ),
    (
        "the local derivative is returned, the upstream dropped",
        "LAYERS",
        [("return g * self.out * (1 - self.out)", "return self.out * (1 - self.out)")],
        {"upstream_dropped"},
        "dZ1",
    ),
    (
        "backward(x, output): the output fed as the upstream",
        "LAYERS",
        [("grad = -onehot / out / len(X)", "grad = out")],
        {"upstream_dropped"},
        "dZ2",
    ),
    # layers mixed up
    (
        "1 - tanh^2(z2) in layer 1",
        "ASSIGNMENT",
        [("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1 * A2 * (1 - A2)")],
        {"activation_other_layer"},
        "dZ1",
        {"sizes": [4, 6, 6, 3]},
    ),
    (
        "the derivative of a neighbouring layer",
        "ASSIGNMENT",
        [("dZ2 = dA2 * A2 * (1 - A2)", "dZ2 = dA2 * A1 * (1 - A1)")],
        {"activation_other_layer"},
        "dZ2",
        {"sizes": [4, 6, 6, 3]},
    ),
    (
        "-t/r: divided by the wrong array",
        "LAYERS",
        [("grad = -onehot / out / len(X)", "grad = -onehot / (1 - out) / len(X)")],
        {"other_loss", "wrong_operand"},
        "dZ2",
    ),
    # memory
    (
        "dS = P, then -= 1: P changes as well",
        "JACOBIAN",
        [("dP = (P - Y) / N", "dP = P\n    dP -= Y\n    dP /= N")],
        {"in_place"},
        "dZ2",
    ),
    (
        "the saved activation is overwritten by its derivative",
        "ASSIGNMENT",
        [
            ("dA2 = dZ3 @ params['W3'].T", "A1 *= 1 - A1\n    dA2 = dZ3 @ params['W3'].T"),
            ("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1 * A1"),
        ],
        {"in_place", "wrong_operand"},
        "W2",
    ),
    (
        "a second backward pass adds to old gradients",
        "TUTORIAL",
        [
            ("def gradients(", "total = {}\n\ndef gradients("),
            (
                "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}",
                """for name, g in {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}.items():
        total[name] = total.get(name, 0) + g
    return total""",
            ),
        ],
        {"accumulates"},
        "W1",
    ),
    # labels
    (
        "labels from 1",
        "TUTORIAL",
        [("delta3[range(num_examples), y] -= 1", "delta3[range(num_examples), y - 1] -= 1")],
        {"labels_from_one"},
        "dZ2",
    ),
    (
        "the index taken for a one-hot row",
        "ASSIGNMENT",
        [("dZ3 = (P - Y) / N", "dZ3 = (P - y[:, None]) / N")],
        {"index_for_one_hot"},
        "dZ3",
    ),
    # loss and gradient of different losses
    (
        "p - y kept while the loss is squared error",
        "JACOBIAN",
        [("dZ[i] = J @ dP[i]", "dZ[i] = dP[i]")],
        {"jacobian_ignored", "other_loss"},
        "dZ2",
    ),
]

CONTROLS = [
    ("no softmax' at the output under cross-entropy", "TUTORIAL", []),
    (
        "x (1 - x), fed with activations",
        "ASSIGNMENT",
        [("dZ1 = dA1 * A1 * (1 - A1)", "deriv = lambda x: x * (1 - x)\n    dZ1 = dA1 * deriv(A1)")],
    ),
    ("relu' of the layer's output", "BINARY", [("dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1.copy()\n    dZ1[A1 <= 0] = 0")]),
    (
        "the maximum of the whole array, for stability",
        "ASSIGNMENT",
        [("np.exp(s - s.max(axis=1, keepdims=True))", "np.exp(s - s.max())")],
    ),
    (
        "softmax's Jacobian transposed: it is symmetric",
        "JACOBIAN",
        [("dZ[i] = J @ dP[i]", "dZ[i] = dP[i] @ J.T")],
    ),
    (
        "one einsum over all Jacobians",
        "JACOBIAN",
        [
            (
                "for i in range(N):\n        J = np.diag(P[i]) - np.outer(P[i], P[i])\n        dZ[i] = J @ dP[i]",
                "J = np.einsum('ni,ij->nij', P, np.eye(3)) - np.einsum('ni,nj->nij', P, P)\n"
                "    dZ = np.einsum('nij,nj->ni', J, dP)",
            )
        ],
    ),
    ("a small number inside the logarithm", "LAYERS", [("-onehot / out / len(X)", "-onehot / (out + 1e-9) / len(X)")]),
    ("the number of rows written out", "TUTORIAL", [("delta3 /= num_examples", "delta3 /= 8")]),
    (
        "float32 from end to end",
        "TUTORIAL",
        [
            (
                "z1 = X.dot(W1) + b1",
                "X, W1, b1, W2, b2 = (a.astype(np.float32) for a in (X, W1, b1, W2, b2))\n    z1 = X.dot(W1) + b1",
            )
        ],
    ),
    (
        "float32 on the way only",
        "TUTORIAL",
        [("a1 = np.tanh(z1)", "a1 = np.tanh(z1).astype(np.float32).astype(float)")],
    ),
    (
        "gradients as a list, the last layer first",
        "TUTORIAL",
        [("return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}", "return [dW2, db2, dW1, db1]")],
    ),
    (
        "the loss beside the gradients",
        "TUTORIAL",
        [
            (
                "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}",
                "data_loss = -np.log(probs[range(num_examples), y]).mean()\n"
                "    return data_loss, {'dW1': dW1, 'db1': db1, 'dW2': dW2, 'db2': db2}",
            )
        ],
    ),
    (
        "prints as it goes",
        "TUTORIAL",
        [("z1 = X.dot(W1) + b1", "z1 = X.dot(W1) + b1\n    print('z1', z1)")],
    ),
    (
        "db keeps its axis",
        "TUTORIAL",
        [("db2 = np.sum(delta3, axis=0)", "db2 = np.sum(delta3, axis=0, keepdims=True)")],
    ),
    (
        "central differences in place of formulas",
        "TUTORIAL",
        [
            (
                "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}",
                """
    def cost(q):
        h = np.tanh(X @ q['W1'] + q['b1'])
        s = h @ q['W2'] + q['b2']
        return (np.log(np.exp(s).sum(1)) - s[range(num_examples), y]).mean()

    found = {}
    for name in ('W1', 'b1', 'W2', 'b2'):
        found[name] = np.zeros_like(model[name])
        for cell in np.ndindex(found[name].shape):
            q = {key: np.array(value) for key, value in model.items()}
            q[name][cell] += 1e-5
            up = cost(q)
            q[name][cell] -= 2e-5
            found[name][cell] = (up - cost(q)) / 2e-5
    return found""",
            )
        ],
    ),
]

CONVENTIONS = [
    ("the sum over the samples", "TUTORIAL", [("    delta3 /= num_examples\n", "")], "sum over the samples"),
    ("t - y, to be added", "BINARY", [("dZ2 = A2 - y", "dZ2 = y - A2")], "step to add"),
    (
        "the step with its learning rate",
        "LAYERS",
        [("grad = -onehot / out / len(X)", "grad = 0.1 * onehot / out / len(X)")],
        "learning rate of 0.1",
    ),
    ("squared error without 1/2", "REGRESSION", [("(out - T) / m", "2 * (out - T) / m")], "no 1/2"),
    ("the mean over the outputs too", "REGRESSION", [("(out - T) / m", "(out - T) / m / 2")], "mean over the outputs"),
]
