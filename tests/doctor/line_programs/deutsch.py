import numpy as np

network = "4-6-3"
activation = "sigmoid"
l2 = 0.1


def logistisch(t):
    return 1 / (1 + np.exp(-t))


def vorwaerts(gewichte, eingabe):
    netto1 = eingabe @ gewichte["W1"] + gewichte["b1"]
    verborgen = logistisch(netto1)
    netto2 = verborgen @ gewichte["W2"] + gewichte["b2"]
    zaehler = np.exp(netto2 - netto2.max(axis=1, keepdims=True))
    nenner = zaehler.sum(axis=1, keepdims=True)
    ausgabe = zaehler / nenner
    return netto1, verborgen, ausgabe


def gradients(gewichte, eingabe, klasse):
    anzahl = len(eingabe)
    netto1, verborgen, ausgabe = vorwaerts(gewichte, eingabe)
    ziel = np.zeros_like(ausgabe)
    ziel[np.arange(anzahl), klasse] = 1.0
    fehler2 = (ausgabe - ziel) / anzahl
    ableitung = verborgen * (1 - verborgen)
    fehler1 = fehler2 @ gewichte["W2"].T * ableitung
    lam = 0.1
    grad = {}
    grad["W2"] = verborgen.T @ fehler2 + lam * gewichte["W2"]
    grad["b2"] = fehler2.sum(axis=0)
    grad["W1"] = eingabe.T @ fehler1 + lam * gewichte["W1"]
    grad["b1"] = fehler1.sum(axis=0)
    return grad
