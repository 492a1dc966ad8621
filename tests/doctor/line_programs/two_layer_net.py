import numpy as np

network = "4-8-3"
activation = "relu"
l2 = 0.3


class TwoLayerNet(object):
    def __init__(self, params, reg):
        self.params = params
        self.reg = reg

    def loss(self, X, y):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N, D = X.shape
        reg = self.reg
        hidden_layer = np.maximum(0, np.dot(X, W1) + b1)
        scores = np.dot(hidden_layer, W2) + b2
        exp_scores = np.exp(scores)
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        correct_logprobs = -np.log(probs[range(N), y])
        data_loss = np.sum(correct_logprobs) / N
        reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
        loss = data_loss + reg_loss
        dscores = probs.copy()
        dscores[range(N), y] -= 1
        dscores /= N
        grads = {}
        grads['W2'] = np.dot(hidden_layer.T, dscores)
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = np.dot(dscores, W2.T)
        dhidden[hidden_layer <= 0] = 0
        grads['W1'] = np.dot(X.T, dhidden)
        grads['b1'] = np.sum(dhidden, axis=0)
        grads['W2'] += reg * W2
        grads['W1'] += reg * W1
        return loss, grads


def gradients(params, X, y):
    return TwoLayerNet(params, reg=0.3).loss(X, y)
