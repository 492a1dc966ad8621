import numpy as np
from numpy import einsum, newaxis

network = "4-5-6-3"
activation = "tanh"


def gradients(theta, X, y):
    w, v, u = theta["W1"], theta["W2"], theta["W3"]
    a, b, c = theta["b1"], theta["b2"], theta["b3"]
    B = X.shape[0]
    f = np.tanh(einsum("bi,ij->bj", X, w) + a)
    g = np.tanh(einsum("bj,jk->bk", f, v) + b)
    o = einsum("bk,kl->bl", g, u) + c
    o = o - o.max(axis=-1)[:, newaxis]
    logZ = np.log(np.exp(o).sum(axis=-1))[:, newaxis]
    p = np.exp(o - logZ)
    one = (np.arange(c.shape[0])[newaxis, :] == y[:, newaxis]).astype(float)
    e = (p - one) / B
    du = einsum("bk,bl->kl", g, e)
    dc = einsum("bl->l", e)
    eg = einsum("bl,kl->bk", e, u) * (1 - g**2)
    dv = einsum("bj,bk->jk", f, eg)
    db = einsum("bk->k", eg)
    ef = einsum("bk,jk->bj", eg, v) * (1 - f**2)
    dw = einsum("bi,bj->ij", X, ef)
    da = einsum("bj->j", ef)
    return {"W1": dw, "b1": da, "W2": dv, "b2": db, "W3": du, "b3": dc}
