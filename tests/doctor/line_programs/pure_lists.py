# no numpy in the maths: lists only
from math import exp

import numpy as np

network = "4-5-3"
activation = "relu"


def dot(u, v):
    return sum(a * b for a, b in zip(u, v))


def softmax(v):
    biggest = max(v)
    exps = [exp(t - biggest) for t in v]
    s = sum(exps)
    return [t / s for t in exps]


def gradients(p, data, labels):
    w1, bias1 = p["W1"].tolist(), p["b1"].tolist()
    w2, bias2 = p["W2"].tolist(), p["b2"].tolist()
    ninputs, nhidden, noutputs = len(w1), len(bias1), len(bias2)
    N = len(data)
    gw1 = [[0.0] * nhidden for _ in range(ninputs)]
    gb1 = [0.0] * nhidden
    gw2 = [[0.0] * noutputs for _ in range(nhidden)]
    gb2 = [0.0] * noutputs
    for row, label in zip(data.tolist(), labels.tolist()):
        pre = [dot(row, [w1[i][j] for i in range(ninputs)]) + bias1[j] for j in range(nhidden)]
        act = [t if t > 0 else 0.0 for t in pre]
        logits = [dot(act, [w2[j][k] for j in range(nhidden)]) + bias2[k] for k in range(noutputs)]
        probs = softmax(logits)
        dlogits = [q / N for q in probs]
        dlogits[label] -= 1.0 / N
        dact = [dot(dlogits, w2[j]) for j in range(nhidden)]
        dpre = [dact[j] if pre[j] > 0 else 0.0 for j in range(nhidden)]
        for k in range(noutputs):
            gb2[k] += dlogits[k]
            for j in range(nhidden):
                gw2[j][k] += act[j] * dlogits[k]
        for j in range(nhidden):
            gb1[j] += dpre[j]
            for i in range(ninputs):
                gw1[i][j] += row[i] * dpre[j]
    return {"W1": np.array(gw1), "b1": np.array(gb1), "W2": np.array(gw2), "b2": np.array(gb2)}
