"""Mistakes in the programs of `line_programs`, each one piece of text in place of another, with what is to be found.

The programs are right as they stand. A `Fault` has the text that is replaced, the text that takes its place, and the
causes that name the mistake, any of which is right. The first line that the new text stands in is the line to be named;
where the mistake may as well be seen in another line, `also` has a piece of that line.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "line_programs"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py"))


@dataclass(frozen=True)
class Fault:
    old: str
    new: str
    causes: str
    also: tuple[str, ...] = ()


def source(program, faults=()):
    """Return the text of a program with some faults, and for each fault the numbers of the lines that may be named."""
    text = (FOLDER / f"{program}.py").read_text(encoding="utf-8")
    for number, fault in enumerate(faults):
        assert text.count(fault.old) == 1, (program, fault.old, text.count(fault.old))
        text = text.replace(fault.old, f"\0{number}{fault.new}")
    lines = []
    for number, fault in enumerate(faults):
        pieces = [f"\0{number}", *fault.also]
        assert all(text.count(piece) == 1 for piece in pieces), (program, pieces)
        lines.append({text[: text.index(piece)].count("\n") + 1 for piece in pieces})
    return re.sub(r"\0\d", "", text), lines


SINGLES = {
    "bias_as_column": [
        Fault("GS = GH * H * (1 - H)", "GS = GH * H", "activation_other_function|activation_missing"),
        Fault("gV = Xb.T @ GS", "gV = -Xb.T @ GS", "sign"),
        Fault(
            'return {"W1": gV[:-1], "b1": gV[-1]',
            'return {"W1": gV[1:], "b1": gV[0]',
            "wrong_operand|not_in_catalogue|bias_last_row",
        ),
        Fault("GH = G @ W[:-1].T", "GH = G @ W[1:].T", "wrong_operand|not_in_catalogue"),
    ],
    "chain_of_functions": [
        Fault("return s * (dout - inner)", "return s * (1 - s) * dout", "jacobian_diagonal_only"),
        Fault("return dout * s * (1 - s)", "return s * (1 - s)", "upstream_dropped"),
        Fault("db = np.sum(dout, axis=0)", "db = np.sum(dout, axis=0, keepdims=True) / len(x)", "bias_averaged|factor"),
        Fault("dz2 = softmax_backward(dprob, soft_cache)", "dz2 = dprob", "jacobian_ignored|other_loss"),
        Fault(
            "_, dw1, db1 = affine_backward(dz1, fc1_cache)",
            "_, dw1, db1 = affine_backward(da1, fc1_cache)",
            "activation_missing|wrong_operand",
        ),
        Fault(
            "da1, dw2, db2 = affine_backward(dz2, fc2_cache)",
            "da1, dw2, db2 = affine_backward(dprob, fc2_cache)",
            "jacobian_ignored|wrong_operand|other_loss",
        ),
    ],
    "chinese_book": [
        Fault("self.dW = np.dot(self.x.T, dout)", "self.dW = np.dot(self.x.T, dout) / len(dout)", "factor"),
        Fault("dout[self.mask] = 0", "dout[~self.mask] = 0", "activation_other_function"),
        Fault("self.db = np.sum(dout, axis=0)", "self.db = np.average(dout, axis=0)", "bias_averaged|factor"),
    ],
    "columns_list": [
        Fault(
            "G = W[i].T @ G\n        G = G * (layers[i] * (1 - layers[i]))",
            "G = W[i].T @ G\n        G = G * layers[i]",
            "activation_other_function|activation_missing",
            ("G = G * layers[i]",),
        ),
        Fault("/ N + lamb * W[i])", "/ N + 2 * lamb * W[i])", "regulariser_factor"),
        Fault(
            "grad_b.insert(0, G @ np.ones((N, 1)) / N)", "grad_b.insert(0, G @ np.ones((N, 1)))", "factor|bias_averaged"
        ),
    ],
    "comprehension_rows": [
        Fault(
            '(p["W2"] @ d) * step(v)',
            '(p["W2"] @ d) * step(v) * v',
            "activation_other_function|upstream_twice|wrong_operand|not_in_catalogue",
        ),
        Fault('low = [(p["W2"] @ d)', 'low = [-(p["W2"] @ d)', "sign"),
    ],
    "cpp_port": [
        Fault(
            "dz1[i][j] = da1[i][j] * a1[i][j] * (1.0 - a1[i][j])",
            "dz1[i][j] = da1[i][j] * a1[i][j]",
            "activation_other_function|activation_missing",
        ),
        Fault(
            "da1 = mat_mul(dz2, transpose(w2))",
            "da1 = mat_mul(probs, transpose(w2))",
            "wrong_operand|upstream_dropped|wrong_layer",
        ),
        Fault("db2[j] += dz2[i][j]", "db2[j] = dz2[i][j]", "bias_last_row"),
        Fault(
            "ex = [np.exp(v - m) for v in z2[i]]",
            "ex = [np.exp(2 * (v - m)) for v in z2[i]]",
            "not_in_catalogue|wrong_operand|factor|softmax_twice|other_loss",
        ),
    ],
    "deutsch": [
        Fault('+ lam * gewichte["W1"]', "", "regulariser_missing"),
        Fault("ableitung = verborgen * (1 - verborgen)", "ableitung = netto1 * (1 - netto1)", "activation_of_z"),
        Fault("nenner = zaehler.sum(axis=1, keepdims=True)", "nenner = zaehler.sum()", "softmax_whole_array"),
        Fault(
            "ziel[np.arange(anzahl), klasse] = 1.0",
            "ziel[np.arange(anzahl), klasse - 1] = 1.0",
            "class_shifted|labels_from_one|wrong_operand",
        ),
        Fault(
            "fehler2 = (ausgabe - ziel) / anzahl",
            "fehler2 = (ausgabe - ziel) * ausgabe * (1 - ausgabe) / anzahl",
            "jacobian_on_top|other_loss|jacobian_diagonal_only|upstream_twice",
        ),
        Fault(
            'grad["b1"] = fehler1.sum(axis=0)',
            'grad["b1"] = fehler1.sum(axis=1)',
            "wrong_shapes|bias_summed_over_all|bias_not_summed|transposed",
        ),
    ],
    "einsum_style": [
        Fault(
            'eg = einsum("bl,kl->bk", e, u) * (1 - g**2)',
            'eg = einsum("bl,kl->bk", e, u) * (1 - f.mean() * g**2)',
            "not_in_catalogue|activation_other_function|batch_coupling",
        ),
        Fault("* (1 - f**2)", "* (1 - f)**2", "activation_other_function|precedence"),
        Fault('dv = einsum("bj,bk->jk", f, eg)', 'dv = einsum("bj,bk->jk", f, eg) / B', "factor"),
        Fault(
            'dv = einsum("bj,bk->jk", f, eg)',
            'dv = einsum("bj,bk->jk", g[:, :5], eg)',
            "wrong_layer|wrong_operand|not_in_catalogue",
        ),
        Fault(
            'ef = einsum("bk,jk->bj", eg, v) * (1 - f**2)',
            'ef = einsum("bk,jk->bj", eg, v) * (1 - f**2) * f',
            "upstream_twice|activation_other_function|not_in_catalogue|wrong_operand",
        ),
    ],
    "fortran_style": [
        Fault("D1 = (W2 @ D2) * (1.0 - H**2)", "D1 = (W2 @ P) * (1.0 - H)**2", "activation_other_function|precedence"),
        Fault(
            "GW1[:, :] = GW1[:, :] + np.outer(X[I, :], D1)",
            "GW1[:, :] = np.outer(X[I, :], D1)",
            "bias_last_row|wrong_operand|not_in_catalogue|batch_coupling",
        ),
        Fault("GB1 /= N;", "", "factor|bias_averaged", ("GB1[:] = GB1[:] + D1",)),
    ],
    "functional_reduce": [
        Fault(
            "delta = (delta @ W.T) * (1 - A * A)", "delta = (delta @ W.T) * A * (1 - A)", "activation_other_function"
        ),
        Fault("delta = (delta @ W.T) * (1 - A * A)", "delta = (delta @ W.T)", "activation_missing"),
        Fault(
            "grads.append((A.T @ delta, delta.sum(axis=0)))", "grads.append((A.T @ delta, -delta.sum(axis=0)))", "sign"
        ),
    ],
    "giant_expression": [
        Fault("hid(p, X) * (1 - hid(p, X))", "(1 - hid(p, X))", "activation_other_function|activation_missing"),
        Fault('"b2": err(p, X, y).sum(axis=0)', '"b2": err(p, X, y).mean(axis=0)', "bias_averaged|factor"),
    ],
    "jacobian_by_sample": [
        Fault("np.diagflat(s) - np.dot(s, s.T)", "np.diagflat(s * (1 - s))", "jacobian_diagonal_only"),
        Fault(
            "dL_dyhat = (yhat - Y) / N\n",
            "dL_dyhat = yhat\n    dL_dyhat -= Y\n    dL_dyhat /= N\n",
            "in_place",
            ("dL_dyhat -= Y",),
        ),
        Fault(
            "dL_dz2[i, :] = dL_dyhat[i, :].dot(J)",
            "dL_dz2[i, :] = J.sum(axis=0)",
            "jacobian_rows_summed|upstream_dropped",
        ),
        Fault("dL_dz1 = dL_da1 * (1.0 - a1 ** 2)", "dL_dz1 = dL_da1 * (1.0 - z1 ** 2)", "activation_of_z"),
        Fault("dL_dw1 = X.T.dot(dL_dz1)", "dL_dw1 = dL_dz1.T.dot(X)", "transposed|wrong_shapes"),
        Fault(
            "dL_dyhat = (yhat - Y) / N",
            "dL_dyhat = (yhat - Y)**2 / N",
            "other_loss|not_in_catalogue|wrong_operand|upstream_twice",
        ),
        Fault(
            "J = softmax_jacobian(yhat[i])",
            "J = softmax_jacobian(yhat[0])",
            "bias_last_row|wrong_operand|not_in_catalogue|batch_coupling",
        ),
    ],
    "java_loops": [
        Fault(
            "(1 + self.hidden[j]) * (1 - self.hidden[j])",
            "self.hidden[j] * (1 - self.hidden[j])",
            "activation_other_function",
        ),
        Fault("hiddenSignal[j] = derivative * sum", "hiddenSignal[j] = sum", "activation_missing"),
        Fault("gradH[j] += hiddenSignal[j] / numSamples", "gradH[j] = hiddenSignal[j] / numSamples", "bias_last_row"),
    ],
    "jax_like": [
        Fault("return y, lambda g: g * (x > 0)", "return y, lambda g: g * y", "activation_other_function"),
        Fault(
            "lambda g: (g @ w.T, x.T @ g, g.sum(0))", "lambda g: (g @ w.T, x.T @ g, g.mean(0))", "bias_averaged|factor"
        ),
        Fault("g = vjp_r2(g)", "pass", "activation_missing", ("g, dw2, db2 = vjp_d2(g)", "g, dw3, db3 = vjp_d3(g)")),
    ],
    "keras_like": [
        Fault(
            "upstream = upstream * self.outputs * (1 - self.outputs)",
            "upstream = upstream * self.inputs.mean() * (1 - self.outputs)",
            "not_in_catalogue|activation_other_function|wrong_operand|batch_coupling|activation_missing",
        ),
        Fault("self.d_bias = upstream.sum(0)", "self.d_bias = upstream.sum()", "bias_summed_over_all"),
        Fault(
            "upstream = upstream * self.outputs * (1 - self.outputs)",
            "upstream = upstream * (1 - self.outputs)",
            "activation_other_function|activation_missing",
        ),
    ],
    "l_layer_dicts": [
        Fault("dZ[Z <= 0] = 0", "dZ[Z <= 0] = 1", "activation_other_function|not_in_catalogue|activation_missing"),
        Fault("db = 1. / m * np.sum(dZ, axis=1, keepdims=True)", "db = 1. / m * np.sum(dZ)", "bias_summed_over_all"),
        Fault("dA_prev = np.dot(W.T, dZ)", "dA_prev = -np.dot(W.T, dZ)", "sign"),
    ],
    "layer_classes": [
        Fault("return grad_out @ self.weight.T", "return grad_out @ self.weight.T / len(grad_out)", "factor"),
        Fault(
            'self.grads["bias"] = grad_out.sum(axis=0)',
            'self.grads["bias"] = grad_out.mean(axis=0)',
            "bias_averaged|factor",
        ),
        Fault("exps / exps.sum(axis=1, keepdims=True)", "exps / exps.sum(axis=0, keepdims=True)", "softmax_axis"),
        Fault(
            "return inp @ self.weight + self.bias",
            "return inp @ self.weight - self.bias",
            "sign|wrong_operand|not_in_catalogue",
        ),
        Fault("return grad_out * self.mask", "grad_out *= self.mask\n        return grad_out", "none"),
    ],
    "list_of_layers": [
        Fault("db[l] = dz[l].sum(axis=0) / m", "db[l] = dz[l].sum(axis=0)", "factor|bias_averaged"),
        Fault("* (1 - a[l - 1] ** 2)", "* (1 - a[l - 1])", "activation_other_function"),
        Fault(
            "z[l] = a[l - 1].dot(W[l]) + b[l]",
            "z[l] = a[l - 1].dot(W[l])",
            "wrong_operand|not_in_catalogue",
        ),
    ],
    "matlab_columns": [
        Fault(
            "Delta_1 = np.dot(delta_2, a_1.T)",
            "Delta_1 = np.dot(delta_2, a_1.T) / m",
            "factor",
            ("Theta1_grad = Delta_1 / m",),
        ),
        Fault(
            "np.dot(Theta2.T, delta_3), sigmoidGradient(z_2))",
            "np.dot(Theta2.T, delta_3), sigmoidGradient(a_2))",
            "activation_of_z|activation_of_a|wrong_operand",
        ),
        Fault("np.tile(np.sum(e, axis=0), (num_labels, 1))", "np.tile(np.sum(e, axis=1), (m, 1)).T", "softmax_axis"),
        Fault(
            "b1_grad = np.sum(delta_2, axis=1) / m", "b1_grad = np.mean(delta_2, axis=1) / m", "bias_averaged|factor"
        ),
    ],
    "multilabel": [
        Fault("dlogit = dprob * prob * (1 - prob)", "dlogit = dprob", "activation_missing|jacobian_ignored|other_loss"),
        Fault(
            'dhidden = dlogit @ model["W2"].T',
            'dhidden = dprob @ model["W2"].T',
            "wrong_operand|activation_missing_below|activation_missing|jacobian_ignored|wrong_layer",
        ),
        Fault(
            "prob = 1.0 / (1.0 + np.exp(-logit))",
            "prob = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)",
            "activation_other_function|other_loss|not_in_catalogue|wrong_operand",
        ),
        Fault(
            '"W2": cache["hidden"].T @ dlogit',
            '"W2": cache["hidden"].T @ dprob',
            "wrong_operand|activation_missing|jacobian_ignored|other_loss",
        ),
    ],
    "nabla_lists": [
        Fault(
            "delta = (activations[-1] - y) * sigmoid_prime(zs[-1])",
            "delta = (activations[-1] - y)",
            "activation_missing|jacobian_ignored|other_loss",
        ),
        Fault(
            "sp = sigmoid_prime(z)",
            "sp = sigmoid_prime(activations[-l])",
            "activation_of_z|activation_of_a|wrong_operand",
        ),
        Fault(
            "delta = np.dot(weights[-l + 1].transpose(), delta) * sp",
            "delta = np.dot(weights[-l + 1].transpose(), delta) + sp",
            "not_in_catalogue|wrong_operand|activation_missing",
        ),
        Fault(
            "nabla_b[-l] = delta",
            "nabla_b[-l] = delta.mean() * np.ones(delta.shape)",
            "bias_summed_over_all|bias_averaged|not_in_catalogue",
        ),
        Fault(
            "activations[-l - 1].transpose())\n    return",
            "activations[-l].transpose().mean() * np.ones((1, 4)))\n    return",
            "not_in_catalogue|wrong_operand|input_missing|wrong_layer",
        ),
        Fault("sum_w = [nw + dnw for", "sum_w = [nw - dnw for", "sign"),
        Fault("sum_b = [nb + dnb for", "sum_b = [dnb for", "bias_last_row"),
    ],
    "one_line": [
        Fault("d1 = d2 @ W2.T * (1 - h * h)", "d1 = d2 @ W2.T * h * (1 - h)", "activation_other_function"),
        Fault("W2=h.T @ d2", "W2=-h.T @ d2", "sign"),
        Fault("q = e / e.sum(1, keepdims=True)", "q = e / e.sum(0)", "softmax_axis"),
        Fault("d1 = d2 @ W2.T * (1 - h * h)", "d1 = d2 @ W2.T", "activation_missing"),
        Fault(
            "d2 = (q - T) / n",
            "d2 = q; d2 -= T; d2 *= q; d2 /= n",
            "not_in_catalogue|jacobian_on_top|in_place|other_loss|upstream_twice|jacobian_diagonal_only",
        ),
    ],
    "preallocated": [
        Fault("back *= 1.0 - hid * hid", "back *= 1.0 - hid", "activation_other_function"),
        Fault("delta = np.empty((n, k))\n    delta[:] = out\n", "delta = out\n    delta *= 1.0\n", "none"),
        Fault("gb1 += back[i]", "gb1 = back[i]", "bias_last_row"),
        Fault(
            "out -= out.max(axis=1).reshape(n, 1)",
            "out -= out.max(axis=0)",
            "softmax_axis|wrong_operand|not_in_catalogue|batch_coupling",
        ),
        Fault("np.tanh(hid, out=hid)", 'p["b1"] *= 2\n    np.tanh(hid, out=hid)', "writes_inputs"),
        Fault(
            'np.dot(delta, p["W2"].T, out=back)',
            'p["W2"] -= 0.1 * gW2\n    np.dot(delta, p["W2"].T, out=back)',
            "updated_weights|writes_inputs",
            ('np.dot(delta, p["W2"].T, out=back)',),
        ),
        Fault(
            "gW1 += np.outer(X[i], back[i])",
            "gW1 += np.outer(X[i], delta[i].sum() * back[i])",
            "not_in_catalogue|wrong_operand|upstream_twice",
        ),
    ],
    "pure_lists": [
        Fault("dlogits[label] -= 1.0 / N", "dlogits[label] -= 1.0", "factor|wrong_operand|labels_smoothed|other_loss"),
        Fault(
            "dpre = [dact[j] if pre[j] > 0 else 0.0 for j in range(nhidden)]",
            "dpre = [dact[j] for j in range(nhidden)]",
            "activation_missing",
        ),
    ],
    "rowloop_append": [
        Fault("delta_o = dE_dout * dout_dnet", "delta_o = dE_dout", "activation_missing|jacobian_ignored|other_loss"),
        Fault("delta_h = dE_douth * (1 - out_h ** 2)", "delta_h = dE_douth * (1 - net_h ** 2)", "activation_of_z"),
        Fault('"b1": np.mean(bh, axis=0)', '"b1": np.sum(bh, axis=0)', "factor|bias_averaged"),
    ],
    "softmax_regression": [
        Fault("dW += reg * W", "dW += 2 * reg * W", "regulariser_factor"),
        Fault(
            "db[j] += softmax_output\n",
            "pass\n",
            "true_class_for_all|not_in_catalogue|wrong_operand",
            ("db[j] += -1 + softmax_output",),
        ),
    ],
    "svm_style_names": [
        Fault(
            "thetagrad = -1 / m * data.T @ (groundTruth - H) + lam * Theta",
            "thetagrad = 1 / m * data.T @ (groundTruth - H) + lam * Theta",
            "sign",
        ),
        Fault("+ lam * Theta", "+ lam / 2 * Theta", "regulariser_factor"),
        Fault("+ lam * Theta", "- lam * Theta", "regulariser_sign"),
    ],
    "tape": [
        Fault("row.grad += out.grad.sum(axis=0)", "row.grad += out.grad.mean(axis=0)", "bias_averaged|factor"),
        Fault("self.grad += (1 - t ** 2) * out.grad", "self.grad += (1 - t) * out.grad", "activation_other_function"),
        Fault("other.grad += self.data.T @ out.grad", "other.grad = self.data.T @ out.grad * 2", "factor"),
        Fault("self.grad += out.grad @ other.data.T", "self.grad -= out.grad @ other.data.T", "sign"),
    ],
    "two_layer_net": [
        Fault("grads['W1'] += reg * W1", "grads['W1'] += reg * W1 * 2", "regulariser_factor"),
        Fault("grads['W2'] += reg * W2", "grads['W2'] -= reg * W2", "regulariser_sign"),
        Fault(
            "dhidden[hidden_layer <= 0] = 0",
            "dhidden[X @ W1 <= 0] = 0",
            "activation_other_function|wrong_operand|not_in_catalogue",
        ),
        Fault("np.sum(exp_scores, axis=1, keepdims=True)", "np.sum(exp_scores, axis=0, keepdims=True)", "softmax_axis"),
        Fault(
            "np.maximum(0, np.dot(X, W1) + b1)",
            "np.maximum(0, np.dot(X, W1))",
            "wrong_operand|not_in_catalogue|other_loss",
        ),
        Fault(
            "np.maximum(0, np.dot(X, W1) + b1)",
            "np.tanh(np.dot(X, W1) + b1)",
            "activation_other_function",
        ),
        Fault(
            "dhidden = np.dot(dscores, W2.T)",
            "dhidden = np.dot(dscores, W1.T.dot(W1).dot(W2).T[:, :8])",
            "wrong_operand|not_in_catalogue|wrong_layer",
        ),
        Fault(
            "grads['b1'] = np.sum(dhidden, axis=0)",
            "grads['b1'] = np.sum(dhidden, axis=0) + reg * b1",
            "regulariser_on_biases",
        ),
    ],
    "wiki_toy": [
        Fault("dhraw = (1 - hs * hs) * dh", "dhraw = (1 - hs) * dh", "activation_other_function"),
        Fault("dbh += dhraw.ravel()", "dbh += dh.ravel()", "activation_missing|wrong_operand"),
        Fault(
            "for dparam in [dwxh, dwhy, dbh, dby]:",
            "for dparam in [dwxh, dwhy, dbh]:",
            "factor|bias_averaged",
            ("dby += dy.ravel()",),
        ),
    ],
}

DOUBLES = {
    "chain_of_functions": [
        (
            Fault("return s * (dout - inner)", "return dout", "jacobian_ignored"),
            Fault("return dout * s * (1 - s)", "return dout * s", "activation_other_function"),
        ),
        (
            Fault("return s * (dout - inner)", "return s * (1 - s) * dout", "jacobian_diagonal_only"),
            Fault("dx = dout.dot(w.T)", "dx = -dout.dot(w.T)", "sign"),
        ),
    ],
    "chinese_book": [
        (
            Fault("dout[self.mask] = 0\n        dx = dout", "dx = dout", "activation_missing"),
            Fault("self.db = np.sum(dout, axis=0)", "self.db = np.mean(dout, axis=0)", "bias_averaged|factor"),
        ),
    ],
    "cpp_port": [
        (
            Fault("dz1[i][j] = da1[i][j] * a1[i][j] * (1.0 - a1[i][j])", "dz1[i][j] = da1[i][j]", "activation_missing"),
            Fault("db2[j] += dz2[i][j]", "db2[j] -= dz2[i][j]", "sign"),
        ),
    ],
    "deutsch": [
        (
            Fault(
                'fehler1 = fehler2 @ gewichte["W2"].T * ableitung',
                'fehler1 = fehler2 @ gewichte["W2"].T',
                "activation_missing",
            ),
            Fault('+ lam * gewichte["W2"]', '+ lam / 2 * gewichte["W2"]', "regulariser_factor"),
        ),
    ],
    "einsum_style": [
        (
            Fault('dc = einsum("bl->l", e)', 'dc = einsum("bl->l", e) / B', "bias_averaged|factor"),
            Fault('dw = einsum("bi,bj->ij", X, ef)', 'dw = -einsum("bi,bj->ij", X, ef)', "sign"),
        ),
    ],
    "functional_reduce": [
        (
            Fault(
                "delta = (delta @ W.T) * (1 - A * A)", "delta = (delta @ W.T) * (1 - A)", "activation_other_function"
            ),
            Fault(
                "grads.append((A.T @ delta, delta.sum(axis=0)))",
                "grads.append((A.T @ delta, delta.mean(axis=0)))",
                "bias_averaged|factor",
            ),
        ),
    ],
    "jacobian_by_sample": [
        (
            Fault(
                "np.diagflat(s) - np.dot(s, s.T)", "np.diagflat(s)", "jacobian_dot_term_missing|jacobian_diagonal_only"
            ),
            Fault("dL_dz1 = dL_da1 * (1.0 - a1 ** 2)", "dL_dz1 = dL_da1", "activation_missing"),
        ),
    ],
    "java_loops": [
        (
            Fault("hiddenSignal[j] = derivative * sum", "hiddenSignal[j] = sum", "activation_missing"),
            Fault("gradO[k] += outputSignal[k] / numSamples", "gradO[k] += outputSignal[k]", "factor|bias_averaged"),
        ),
        (
            Fault("outputSignal[k] * self.hidden[j] / numSamples", "outputSignal[k] * self.hidden[j]", "factor"),
            Fault("gradH[j] += hiddenSignal[j] / numSamples", "gradH[j] -= hiddenSignal[j] / numSamples", "sign"),
        ),
    ],
    "jax_like": [
        (
            Fault("return y, lambda g: g * (x > 0)", "return y, lambda g: g", "activation_missing"),
            Fault("lambda g: (g @ w.T, x.T @ g, g.sum(0))", "lambda g: (g @ w.T, -x.T @ g, g.sum(0))", "sign"),
        ),
    ],
    "l_layer_dicts": [
        (
            Fault(
                "dZ[Z <= 0] = 0",
                "pass",
                "activation_missing",
                ("dZ = np.array(dA, copy=True)", "return dZ\n", "dZ = relu_backward("),
            ),
            Fault(
                "db = 1. / m * np.sum(dZ, axis=1, keepdims=True)",
                "db = np.sum(dZ, axis=1, keepdims=True)",
                "factor|bias_averaged",
            ),
        ),
    ],
    "layer_classes": [
        (
            Fault("return grad_out * self.mask", "return grad_out", "activation_missing"),
            Fault('self.grads["bias"] = grad_out.sum(axis=0)', 'self.grads["bias"] = grad_out[-1]', "bias_last_row"),
        ),
    ],
    "list_of_layers": [
        (
            Fault("dW[l] = a[l - 1].T.dot(dz[l]) / m", "dW[l] = a[l - 1].T.dot(dz[l])", "factor"),
            Fault("* (1 - a[l - 1] ** 2)", "* (1 - z[l - 1] ** 2)", "activation_of_z|activation_of_a"),
        ),
        (
            Fault("dW[l] = a[l - 1].T.dot(dz[l]) / m", "dW[l] = a[l - 1].T.dot(dz[l]) / m ** 2", "factor"),
            Fault("db[l] = dz[l].sum(axis=0) / m", "db[l] = -dz[l].sum(axis=0) / m", "sign"),
        ),
    ],
    "matlab_columns": [
        (
            Fault("delta_3 = h - yk", "delta_3 = yk - h", "sign"),
            Fault(
                "b2_grad = np.sum(delta_3, axis=1) / m", "b2_grad = np.sum(h - yk, axis=1)", "factor|sign|bias_averaged"
            ),
        ),
        (
            Fault(
                "np.dot(Theta2.T, delta_3), sigmoidGradient(z_2))",
                "np.dot(Theta2.T, delta_3), a_2)",
                "activation_other_function|activation_missing|wrong_operand",
            ),
            Fault("Theta2_grad = Delta_2 / m", "Theta2_grad = -Delta_2 / m", "sign"),
        ),
    ],
    "multilabel": [
        (
            Fault(
                'dpre = dhidden * (1 - cache["hidden"] ** 2)',
                'dpre = dhidden * (1 - cache["hidden"]) ** 2',
                "activation_other_function|precedence",
            ),
            Fault('"b2": dlogit.sum(axis=0)', '"b2": dlogit.sum(axis=0) / batch_size', "bias_averaged|factor"),
        ),
    ],
    "nabla_lists": [
        (
            Fault(
                "delta = (activations[-1] - y) * sigmoid_prime(zs[-1])",
                "delta = (activations[-1] - y)",
                "activation_missing|jacobian_ignored|other_loss",
            ),
            Fault("sp = sigmoid_prime(z)", "sp = sigmoid(z)", "activation_other_function"),
        ),
    ],
    "one_line": [
        (
            Fault("(1 - h * h)", "(1 - h)", "activation_other_function"),
            Fault("b2=d2.sum(0)", "b2=d2.mean(0)", "bias_averaged|factor"),
        ),
        (Fault("W1=X.T @ d1", "W1=-X.T @ d1", "sign"), Fault("W2=h.T @ d2", "W2=h.T @ d2 * n", "factor")),
    ],
    "preallocated": [
        (
            Fault("back *= 1.0 - hid * hid", "back *= hid", "activation_other_function"),
            Fault("gb2 += delta[i]", "gb2 -= delta[i]", "sign"),
        ),
    ],
    "pure_lists": [
        (
            Fault(
                "dpre = [dact[j] if pre[j] > 0 else 0.0 for j in range(nhidden)]",
                "dpre = [dact[j] * act[j] for j in range(nhidden)]",
                "activation_other_function",
            ),
            Fault("gb2[k] += dlogits[k]", "gb2[k] -= dlogits[k]", "sign"),
        ),
    ],
    "rowloop_append": [
        (
            Fault(
                "dout_dnet = out_o * (1 - out_o)",
                "dout_dnet = out_o",
                "activation_other_function|jacobian_diagonal_only|other_loss|activation_missing|jacobian_ignored",
            ),
            Fault(
                "delta_h = dE_douth * (1 - out_h ** 2)", "delta_h = dE_douth * (1 - out_h)", "activation_other_function"
            ),
        ),
    ],
    "tape": [
        (
            Fault("row.grad += out.grad.sum(axis=0)", "row.grad += out.grad.mean(axis=0)", "bias_averaged|factor"),
            Fault("self.grad += (1 - t ** 2) * out.grad", "self.grad += out.grad", "activation_missing"),
        ),
    ],
    "two_layer_net": [
        (
            Fault("dhidden[hidden_layer <= 0] = 0", "dhidden *= hidden_layer", "activation_other_function"),
            Fault("grads['W2'] += reg * W2", "grads['W2'] += reg * W2 / N", "regulariser_divided|regulariser_factor"),
        ),
        (
            Fault(
                "np.sum(exp_scores, axis=1, keepdims=True)", "np.sum(exp_scores, axis=0, keepdims=True)", "softmax_axis"
            ),
            Fault(
                "grads['b2'] = np.sum(dscores, axis=0)",
                "grads['b2'] = np.mean(dscores, axis=0)",
                "bias_averaged|factor",
            ),
        ),
    ],
    "wiki_toy": [
        (
            Fault("dhraw = (1 - hs * hs) * dh", "dhraw = dh", "activation_missing"),
            Fault("dwhy += np.dot(hs, dy.T)", "dwhy -= np.dot(hs, dy.T)", "sign"),
        ),
    ],
}
