"""Backpropagation as learners write it, each program in a style of its own: rows or columns, loops or products,
classes, one sample, their own names. All of them are right; `program` makes a mistake by putting one line for another.
"""

import numpy as np

# A tutorial's toy network: tanh, softmax, cross-entropy; rows; gradient of the mean.
TUTORIAL = """
def gradients(model, X, y):
    W1, b1, W2, b2 = model['W1'], model['b1'], model['W2'], model['b2']
    num_examples = len(X)
    z1 = X.dot(W1) + b1
    a1 = np.tanh(z1)
    z2 = a1.dot(W2) + b2
    exp_scores = np.exp(z2)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    delta3 = probs.copy()
    delta3[range(num_examples), y] -= 1
    delta3 /= num_examples
    dW2 = (a1.T).dot(delta3)
    db2 = np.sum(delta3, axis=0)
    delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
    dW1 = np.dot(X.T, delta2)
    db1 = np.sum(delta2, axis=0)
    return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}
"""

# A course's assignment: two sigmoid layers, the penalty, one-hot targets, a list of layers.
ASSIGNMENT = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def gradients(params, X, y, reg=0.1):
    N = X.shape[0]
    Y = np.zeros((N, 3))
    Y[np.arange(N), y] = 1
    Z1 = X @ params['W1'] + params['b1']
    A1 = sigmoid(Z1)
    Z2 = A1 @ params['W2'] + params['b2']
    A2 = sigmoid(Z2)
    Z3 = A2 @ params['W3'] + params['b3']
    P = softmax(Z3)
    dZ3 = (P - Y) / N
    grads = {}
    grads['W3'] = A2.T @ dZ3 + reg * params['W3']
    grads['b3'] = dZ3.sum(axis=0)
    dA2 = dZ3 @ params['W3'].T
    dZ2 = dA2 * A2 * (1 - A2)
    grads['W2'] = A1.T @ dZ2 + reg * params['W2']
    grads['b2'] = dZ2.sum(axis=0)
    dA1 = dZ2 @ params['W2'].T
    dZ1 = dA1 * A1 * (1 - A1)
    grads['W1'] = X.T @ dZ1 + reg * params['W1']
    grads['b1'] = dZ1.sum(axis=0)
    return grads
"""

# A video course: samples in columns, weights (out, in), relu, biases (h, 1), the cost given.
COLUMNS = """
def forward(parameters, X):
    Z1 = parameters["w_hidden"] @ X + parameters["bias_hidden"]
    A1 = np.maximum(0, Z1)
    Z2 = parameters["w_out"] @ A1 + parameters["bias_out"]
    E = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
    A2 = E / E.sum(axis=0, keepdims=True)
    return Z1, A1, Z2, A2

def loss(parameters, X, Y):
    m = X.shape[1]
    A2 = forward(parameters, X)[3]
    lambd = 0.7
    cost = -np.sum(Y * np.log(A2)) / m
    return cost + lambd / (2 * m) * (np.sum(parameters["w_hidden"] ** 2) + np.sum(parameters["w_out"] ** 2))

def gradients(parameters, X, Y):
    m = X.shape[1]
    lambd = 0.7
    Z1, A1, Z2, A2 = forward(parameters, X)
    dZ2 = A2 - Y
    dW2 = 1 / m * dZ2 @ A1.T + lambd / m * parameters["w_out"]
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = parameters["w_out"].T @ dZ2
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1 / m * dZ1 @ X.T + lambd / m * parameters["w_hidden"]
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dw_hidden": dW1, "dbias_hidden": db1, "dw_out": dW2, "dbias_out": db2}
"""

# Loops over samples, units and inputs, squared error, everything sigmoid: as in a textbook of the nineties.
LOOPS = """
import math

def sig(v):
    return 1.0 / (1.0 + math.exp(-v))

def gradients(weights, X, T):
    W1, b1, W2, b2 = weights['W1'], weights['b1'], weights['W2'], weights['b2']
    n, d = X.shape
    h, k = W2.shape
    gW1, gb1 = np.zeros((d, h)), np.zeros(h)
    gW2, gb2 = np.zeros((h, k)), np.zeros(k)
    for i in range(n):
        hidden = [sig(sum(X[i][j] * W1[j][m] for j in range(d)) + b1[m]) for m in range(h)]
        out = [sig(sum(hidden[m] * W2[m][c] for m in range(h)) + b2[c]) for c in range(k)]
        err_out = []
        for c in range(k):
            err_out.append((out[c] - T[i][c]) * out[c] * (1 - out[c]))
        err_hid = []
        for m in range(h):
            s = sum(err_out[c] * W2[m][c] for c in range(k))
            err_hid.append(s * hidden[m] * (1 - hidden[m]))
        for c in range(k):
            gb2[c] += err_out[c] / n
            for m in range(h):
                gW2[m][c] += err_out[c] * hidden[m] / n
        for m in range(h):
            gb1[m] += err_hid[m] / n
            for j in range(d):
                gW1[j][m] += err_hid[m] * X[i][j] / n
    return {'W1': gW1, 'b1': gb1, 'W2': gW2, 'b2': gb2}
"""

# Softmax under squared error, one Jacobian a sample.
JACOBIAN = """
def softmax(Z):
    E = np.exp(Z - Z.max(1, keepdims=True))
    return E / E.sum(1, keepdims=True)

def gradients(p, X, Y):
    N = len(X)
    H = np.tanh(X @ p['W1'] + p['b1'])
    P = softmax(H @ p['W2'] + p['b2'])
    dP = (P - Y) / N
    dZ = np.empty_like(P)
    for i in range(N):
        J = np.diag(P[i]) - np.outer(P[i], P[i])
        dZ[i] = J @ dP[i]
    dW2 = H.T @ dZ
    db2 = dZ.sum(0)
    dH = dZ @ p['W2'].T
    dpre = dH * (1 - H * H)
    return {'W1': X.T @ dpre, 'b1': dpre.sum(0), 'W2': dW2, 'b2': db2}
"""

# A library of layers: forward and backward methods, what they need kept in self.
LAYERS = """
class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(axis=0)
        return g @ self.W.T

class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out
    def backward(self, g):
        return g * self.out * (1 - self.out)

class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.out = e / e.sum(axis=-1, keepdims=True)
        return self.out
    def backward(self, g):
        return self.out * (g - (g * self.out).sum(axis=-1, keepdims=True))

def gradients(p, X, y):
    onehot = np.eye(p['b2'].size)[y]
    net = [Dense(p['W1'], p['b1']), Sigmoid(), Dense(p['W2'], p['b2']), Softmax()]
    out = X
    for layer in net:
        out = layer.forward(out)
    grad = -onehot / out / len(X)
    for layer in reversed(net):
        grad = layer.backward(grad)
    return [net[0].dW, net[0].db, net[2].dW, net[2].db]
"""

# Softmax regression with a loss of its own and no hidden layer.
LINEAR = """
def loss(theta, X, y, lam=0.05):
    W, b = theta
    scores = X @ W + b
    scores = scores - scores.max(axis=1, keepdims=True)
    logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean() + lam * (W * W).sum()

def gradients(theta, X, y, lam=0.05):
    W, b = theta
    scores = X @ W + b
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    d = p
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    gW = X.T @ d + 2 * lam * W
    gb = d.sum(axis=0)
    return gW, gb
"""

# One sample, vectors, outer products.
VECTORS = """
def gradients(w, x, t):
    z1 = w['V'] @ x + w['c']
    h = 1 / (1 + np.exp(-z1))
    z2 = w['U'] @ h + w['d']
    e = np.exp(z2 - z2.max())
    p = e / e.sum()
    delta = p - t
    gU = np.outer(delta, h)
    gd = delta
    back = w['U'].T @ delta
    dz1 = back * h * (1 - h)
    gV = np.outer(dz1, x)
    gc = dz1
    return {'V': gV, 'c': gc, 'U': gU, 'd': gd}

def loss(w, x, t):
    h = 1 / (1 + np.exp(-(w['V'] @ x + w['c'])))
    z = w['U'] @ h + w['d']
    return float(np.log(np.exp(z).sum()) - t @ z)
"""

# Binary: one sigmoid output, binary cross-entropy.
BINARY = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def gradients(params, X, y):
    n = X.shape[0]
    y = y.reshape(-1, 1)
    Z1 = X @ params['W1'] + params['b1']
    A1 = np.maximum(Z1, 0)
    A2 = sigmoid(A1 @ params['W2'] + params['b2'])
    dZ2 = A2 - y
    dW2 = A1.T @ dZ2 / n
    db2 = np.sum(dZ2, axis=0) / n
    dA1 = dZ2 @ params['W2'].T
    dZ1 = dA1 * (Z1 > 0)
    dW1 = X.T @ dZ1 / n
    db1 = np.sum(dZ1, axis=0) / n
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2)
"""

# Regression: identity output, squared error.
REGRESSION = """
def gradients(params, X, T):
    m = len(X)
    h = np.tanh(X @ params['W1'] + params['b1'])
    out = h @ params['W2'] + params['b2']
    d_out = (out - T) / m
    d_h = (d_out @ params['W2'].T) * (1 - h ** 2)
    return {'dW1': X.T @ d_h, 'db1': d_h.sum(axis=0), 'dW2': h.T @ d_out, 'db2': d_out.sum(axis=0)}
"""


def program(source, *changes):
    """Run a learner's program, some of its lines changed, and return its names."""
    for old, new in changes:
        assert source.count(old) >= 1, f"{old!r} is not in the program"
        source = source.replace(old, new)
    names = {"np": np}
    exec(compile(source, "learner.py", "exec"), names)
    return names
