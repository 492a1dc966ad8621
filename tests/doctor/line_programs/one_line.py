import numpy as np
network = "4-6-3"; activation = "tanh"
def gradients(p, X, y):
    W1, b1, W2, b2 = p["W1"], p["b1"], p["W2"], p["b2"]; n = len(y); T = np.eye(b2.size)[y]
    h = np.tanh(X @ W1 + b1); s = h @ W2 + b2; e = np.exp(s); q = e / e.sum(1, keepdims=True)
    d2 = (q - T) / n; d1 = d2 @ W2.T * (1 - h * h); return dict(W1=X.T @ d1, b1=d1.sum(0), W2=h.T @ d2, b2=d2.sum(0))
