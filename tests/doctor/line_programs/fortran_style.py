import numpy as np
NETWORK_SIZES = (4, 5, 3)
network = "4-5-3"
activation = "tanh"

def GRADIENTS(W1, B1, W2, B2, X, IY, N, GW1, GB1, GW2, GB2):
    GW1[:, :] = 0.0; GB1[:] = 0.0; GW2[:, :] = 0.0; GB2[:] = 0.0
    for I in range(N):
        H = np.tanh(X[I, :] @ W1 + B1)
        S = H @ W2 + B2
        S = S - S.max()
        P = np.exp(S); P = P / P.sum()
        D2 = P; D2[IY[I]] = D2[IY[I]] - 1.0
        D1 = (W2 @ D2) * (1.0 - H**2)
        GW2[:, :] = GW2[:, :] + np.outer(H, D2)
        GB2[:] = GB2[:] + D2
        GW1[:, :] = GW1[:, :] + np.outer(X[I, :], D1)
        GB1[:] = GB1[:] + D1
    GW1 /= N; GB1 /= N; GW2 /= N; GB2 /= N

def gradients(p, X, y):
    G = {k: np.empty_like(v) for k, v in p.items()}
    GRADIENTS(p["W1"], p["b1"], p["W2"], p["b2"], X, y, len(X), G["W1"], G["b1"], G["W2"], G["b2"])
    return G
