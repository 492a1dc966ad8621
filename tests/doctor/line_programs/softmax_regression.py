import numpy as np

network = "5-4"
l2 = 0.2


def softmax_loss_naive(W, b, X, y, reg):
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    num_train = X.shape[0]
    num_classes = W.shape[1]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W) + b
        scores -= np.max(scores)
        sum_exp = np.sum(np.exp(scores))
        loss += -scores[y[i]] + np.log(sum_exp)
        for j in range(num_classes):
            softmax_output = np.exp(scores[j]) / sum_exp
            if j == y[i]:
                dW[:, j] += (-1 + softmax_output) * X[i]
                db[j] += -1 + softmax_output
            else:
                dW[:, j] += softmax_output * X[i]
                db[j] += softmax_output
    loss /= num_train
    dW /= num_train
    db /= num_train
    loss += 0.5 * reg * np.sum(W * W)
    dW += reg * W
    return loss, dW, db


def gradients(p, X, y):
    loss, dW, db = softmax_loss_naive(p["W1"], p["b1"], X, y, 0.2)
    return {"W1": dW, "b1": db}
