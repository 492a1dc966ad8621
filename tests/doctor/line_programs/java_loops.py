import math

import numpy as np

network = "3-4-3"
activation = "tanh"


class NeuralNetwork:
    def __init__(self, weightsIH, biasH, weightsHO, biasO):
        self.weightsIH = weightsIH
        self.biasH = biasH
        self.weightsHO = weightsHO
        self.biasO = biasO
        self.numInput = weightsIH.shape[0]
        self.numHidden = weightsIH.shape[1]
        self.numOutput = weightsHO.shape[1]

    def feedForward(self, input):
        self.hidden = np.zeros(self.numHidden)
        for j in range(self.numHidden):
            sum = 0.0
            for i in range(self.numInput):
                sum += input[i] * self.weightsIH[i][j]
            sum += self.biasH[j]
            self.hidden[j] = math.tanh(sum)
        self.output = np.zeros(self.numOutput)
        total = 0.0
        for k in range(self.numOutput):
            sum = 0.0
            for j in range(self.numHidden):
                sum += self.hidden[j] * self.weightsHO[j][k]
            sum += self.biasO[k]
            self.output[k] = math.exp(sum)
            total += self.output[k]
        for k in range(self.numOutput):
            self.output[k] = self.output[k] / total

    def backPropagate(self, input, target, gradIH, gradH, gradHO, gradO, numSamples):
        outputSignal = np.zeros(self.numOutput)
        for k in range(self.numOutput):
            outputSignal[k] = self.output[k] - (1.0 if k == target else 0.0)
        hiddenSignal = np.zeros(self.numHidden)
        for j in range(self.numHidden):
            derivative = (1 + self.hidden[j]) * (1 - self.hidden[j])
            sum = 0.0
            for k in range(self.numOutput):
                sum += outputSignal[k] * self.weightsHO[j][k]
            hiddenSignal[j] = derivative * sum
        for j in range(self.numHidden):
            for k in range(self.numOutput):
                gradHO[j][k] += outputSignal[k] * self.hidden[j] / numSamples
        for k in range(self.numOutput):
            gradO[k] += outputSignal[k] / numSamples
        for i in range(self.numInput):
            for j in range(self.numHidden):
                gradIH[i][j] += hiddenSignal[j] * input[i] / numSamples
        for j in range(self.numHidden):
            gradH[j] += hiddenSignal[j] / numSamples


def gradients(parameters, X, y):
    nn = NeuralNetwork(parameters["W1"], parameters["b1"], parameters["W2"], parameters["b2"])
    gradIH = np.zeros((nn.numInput, nn.numHidden))
    gradH = np.zeros(nn.numHidden)
    gradHO = np.zeros((nn.numHidden, nn.numOutput))
    gradO = np.zeros(nn.numOutput)
    for s in range(len(X)):
        nn.feedForward(X[s])
        nn.backPropagate(X[s], y[s], gradIH, gradH, gradHO, gradO, len(X))
    return {"W1": gradIH, "b1": gradH, "W2": gradHO, "b2": gradO}
