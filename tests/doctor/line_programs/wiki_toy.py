import numpy as np
network = "6-5-3"
activation = "tanh"
def gradients(model, inp, tgt):
    wxh, bh, why, by = model['W1'], model['b1'], model['W2'], model['b2']
    dwxh, dwhy = np.zeros_like(wxh), np.zeros_like(why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    loss = 0
    for t in range(len(inp)):
        xs = inp[t].reshape(-1, 1)
        hs = np.tanh(np.dot(wxh.T, xs) + bh.reshape(-1, 1))
        ys = np.dot(why.T, hs) + by.reshape(-1, 1)
        ps = np.exp(ys) / np.sum(np.exp(ys))
        loss += -np.log(ps[tgt[t], 0])
        dy = np.copy(ps)
        dy[tgt[t]] -= 1
        dwhy += np.dot(hs, dy.T)
        dby += dy.ravel()
        dh = np.dot(why, dy)
        dhraw = (1 - hs * hs) * dh
        dbh += dhraw.ravel()
        dwxh += np.dot(xs, dhraw.T)
    for dparam in [dwxh, dwhy, dbh, dby]:
        dparam /= len(inp)
    return loss / len(inp), {'W1': dwxh, 'b1': dbh, 'W2': dwhy, 'b2': dby}
