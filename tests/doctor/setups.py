"""The networks and data that the learners' programs are about."""

import numpy as np

import glassmax as gm


def data(n=8, d=4, k=3, seed=0):
    """Rows and labels; every class is there, unequally often."""
    draw = np.random.default_rng(seed)
    return draw.normal(size=(n, d)), np.concatenate([np.arange(k), draw.integers(0, k, n - k)])


def moved(net, seed=1):
    """Give a network weights of order 1 and biases that are not 0."""
    draw = np.random.default_rng(seed)
    net.theta = draw.normal(size=net.theta.shape) * 0.7
    return net


def tutorial():
    X, y = data()
    return {"network": moved(gm.Network([4, 6, 3], activation="tanh")), "X": X, "y": y}


def assignment():
    X, y = data()
    return {"network": moved(gm.Network([4, 7, 5, 3], activation="sigmoid", l2=0.1)), "X": X, "y": y}


def loops():
    X, y = data()
    net = gm.Network([4, 5, 3], activation="sigmoid", output="sigmoid", loss="squared_error")
    return {"network": moved(net), "X": X, "y": np.eye(3)[y]}


def jacobian():
    X, y = data()
    net = gm.Network([4, 5, 3], activation="tanh", output="softmax", loss="squared_error")
    return {"network": moved(net), "X": X, "y": np.eye(3)[y]}


def layers():
    X, y = data()
    return {"network": moved(gm.Network([4, 6, 3], activation="sigmoid")), "X": X, "y": y}


def binary():
    X, y = data(k=2)
    net = gm.Network([4, 5, 1], activation="relu", output="sigmoid", loss="binary_cross_entropy")
    return {"network": moved(net), "X": X, "y": y}


def regression():
    X, _ = data()
    net = gm.Network([4, 5, 2], activation="tanh", output="identity", loss="squared_error")
    return {"network": moved(net), "X": X, "y": np.random.default_rng(5).normal(size=(8, 2))}


def columns():
    X, y = data(n=8, d=5)
    draw = np.random.default_rng(2)
    parameters = {
        "w_hidden": draw.normal(size=(6, 5)),
        "bias_hidden": draw.normal(size=(6, 1)),
        "w_out": draw.normal(size=(3, 6)),
        "bias_out": draw.normal(size=(3, 1)),
    }
    return {"parameters": parameters, "X": X.T.copy(), "y": np.eye(3)[y].T.copy()}


def linear():
    X, y = data(n=10, d=5, k=4)
    draw = np.random.default_rng(3)
    return {"parameters": [draw.normal(size=(5, 4)), draw.normal(size=4)], "X": X, "y": y}


def vectors():
    draw = np.random.default_rng(4)
    parameters = {
        "V": draw.normal(size=(5, 4)),
        "c": draw.normal(size=5),
        "U": draw.normal(size=(3, 5)),
        "d": draw.normal(size=3),
    }
    return {"parameters": parameters, "X": draw.normal(size=4), "y": np.array([0.0, 1.0, 0.0])}


SETUPS = {
    "TUTORIAL": tutorial,
    "ASSIGNMENT": assignment,
    "COLUMNS": columns,
    "LOOPS": loops,
    "JACOBIAN": jacobian,
    "LAYERS": layers,
    "LINEAR": linear,
    "VECTORS": vectors,
    "BINARY": binary,
    "REGRESSION": regression,
}
