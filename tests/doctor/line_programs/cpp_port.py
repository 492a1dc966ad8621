import numpy as np

network = "4-3-3"
activation = "sigmoid"


def mat_mul(A, B):
    n, m, q = len(A), len(B), len(B[0])
    C = [[0.0 for _ in range(q)] for _ in range(n)]
    for i in range(n):
        for j in range(q):
            for k in range(m):
                C[i][j] += A[i][k] * B[k][j]
    return C


def transpose(A):
    return [[A[i][j] for i in range(len(A))] for j in range(len(A[0]))]


def gradients(p, X, y):
    w1 = p["W1"].tolist(); w2 = p["W2"].tolist(); b1 = p["b1"].tolist(); b2 = p["b2"].tolist()
    x = X.tolist()
    n = len(x)
    z1 = mat_mul(x, w1)
    for i in range(n):
        for j in range(len(b1)):
            z1[i][j] += b1[j]
    a1 = [[1.0 / (1.0 + np.exp(-v)) for v in row] for row in z1]
    z2 = mat_mul(a1, w2)
    for i in range(n):
        for j in range(len(b2)):
            z2[i][j] += b2[j]
    probs = []
    for i in range(n):
        m = max(z2[i])
        ex = [np.exp(v - m) for v in z2[i]]
        s = 0.0
        for v in ex:
            s += v
        probs.append([v / s for v in ex])
    dz2 = []
    for i in range(n):
        dz2.append([(probs[i][j] - (1.0 if y[i] == j else 0.0)) / n for j in range(len(b2))])
    dw2 = mat_mul(transpose(a1), dz2)
    db2 = [0.0] * len(b2)
    for i in range(n):
        for j in range(len(b2)):
            db2[j] += dz2[i][j]
    da1 = mat_mul(dz2, transpose(w2))
    dz1 = [[0.0] * len(b1) for _ in range(n)]
    for i in range(n):
        for j in range(len(b1)):
            dz1[i][j] = da1[i][j] * a1[i][j] * (1.0 - a1[i][j])
    dw1 = mat_mul(transpose(x), dz1)
    db1 = [0.0] * len(b1)
    for i in range(n):
        for j in range(len(b1)):
            db1[j] += dz1[i][j]
    return np.array(dw1), np.array(db1), np.array(dw2), np.array(db2)
