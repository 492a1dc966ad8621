"""Smoothed labels: the line to write smooths them, and a share that is spread wrongly is named."""

import numpy as np
import pytest

import glassmax as gm

E = 0.1


def softmax(Z):
    exp = np.exp(Z - Z.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


class Learner:
    """A loss with its labels, and gradients with theirs."""

    def __init__(self, k, of_loss, of_gradient, seed=0, row_sum=False, mean=True):
        draw = np.random.default_rng(seed)
        self.k, self.of_loss, self.of_gradient, self.row_sum, self.mean = k, of_loss, of_gradient, row_sum, mean
        self.X, self.y = draw.normal(size=(12, 4)), np.arange(12) % k
        shapes = {"W1": (4, 5), "b1": 5, "W2": (5, k), "b2": k}
        self.p = {name: draw.normal(size=shape) for name, shape in shapes.items()}

    def forward(self, p, X):
        A = np.tanh(X @ p["W1"] + p["b1"])
        return A, softmax(A @ p["W2"] + p["b2"])

    def loss(self, p, X, y):
        P = self.forward(p, X)[1]
        return -(self.of_loss(np.eye(self.k)[y]) * np.log(P)).sum() / (len(y) if self.mean else 1)

    def gradients(self, p, X, y):
        (A, P), Y = self.forward(p, X), self.of_gradient(np.eye(self.k)[y])
        return self.backward(p, X, A, (P * Y.sum(axis=1, keepdims=True) if self.row_sum else P) - Y)

    def backward(self, p, X, A, d):
        d = d / (len(X) if self.mean else 1)
        below = d @ p["W2"].T * (1 - A**2)
        return {"W1": X.T @ below, "b1": below.sum(axis=0), "W2": A.T @ d, "b2": d.sum(axis=0)}

    def diagnose(self, arrays=False):
        handed = self.gradients(self.p, self.X, self.y) if arrays else self.gradients
        return gm.diagnose(handed, self.X, self.y, loss=self.loss, parameters=self.p)

    def corrected(self, line):
        """The gradients with the line that the doctor wrote."""
        names = {"np": np, "y": self.y, "n": len(self.y)}
        A, names["P"] = self.forward(self.p, self.X)
        exec(line, names)
        return self.backward(self.p, self.X, A, names["dZ2"] * (len(self.y) if self.mean else 1))

    def right(self):
        truth = Learner.__new__(Learner)
        truth.__dict__ |= self.__dict__ | {"of_gradient": self.of_loss, "row_sum": True}
        return truth.gradients(self.p, self.X, self.y)


def hard(H):
    return H


def smooth(H, e=E):
    return (1 - e) * H + e / H.shape[1]


SPREAD = {
    "1/K for e/K": (lambda H: (1 - E) * H + 1 / H.shape[1], "1/k was added to the label of each class, not 0.1/k"),
    "K - 1 for K": (lambda H: (1 - E) * H + E / (H.shape[1] - 1), "0.1/(k - 1) was added to the label of each class"),
    "e for e/K": (lambda H: (1 - E) * H + E, "0.1 was added to the label of each class, not 0.1/k"),
    "1 - e forgotten": (lambda H: H + E / H.shape[1], "but 0.1 was not taken from the true class"),
    "e/K forgotten": (lambda H: (1 - E) * H, "0.1 was taken from the label of the true class and given to no class"),
    "e for e/(K - 1)": (lambda H: (1 - E) * H + E * (1 - H), "the label of each other class is 0.1, not 0.1/(k - 1)"),
    "others e/K": (lambda H: (1 - E) * H + E / H.shape[1] * (1 - H), "0.1/k is missing from that of the true class"),
    "n for K": (lambda H: (1 - E) * H + E / len(H), "0.1 was divided by the number of samples, not of classes"),
}


def near(a, b):
    return all(np.allclose(a[name], b[name], rtol=1e-9, atol=1e-12) for name in b)


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("k", [3, 4])
@pytest.mark.parametrize("name", SPREAD)
def test_a_share_that_is_spread_wrongly_is_named(name, k, arrays):
    spread, says = SPREAD[name]
    learner = Learner(k, smooth, spread)
    diagnosis = learner.diagnose(arrays)
    (finding,) = diagnosis.findings
    assert (finding.cause, finding.where, finding.evidence["smoothing"]) == ("smoothing_spread", "dZ2", "0.1")
    assert says in finding.says
    assert finding.line == f"smoothed = 0.9 * np.eye({k})[y] + 0.1 / {k}\ndZ2 = (P - smoothed) / n"
    assert "a row of y sums to 1" in finding.reason
    assert near(learner.corrected(finding.line), learner.right())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [2, 3, 5])
def test_labels_smoothed_alike_are_right(k, seed):
    diagnosis = Learner(k, smooth, smooth, seed).diagnose()
    assert diagnosis.verdict == "correct"
    assert "your loss: the mean over the samples of cross-entropy, labels smoothed by 0.1" in diagnosis.conventions


@pytest.mark.parametrize("name", sorted({*SPREAD} - {"K - 1 for K", "e for e/(K - 1)"}))
def test_two_classes_are_told_apart_as_far_as_they_can(name):
    (finding,) = Learner(2, smooth, SPREAD[name][0]).diagnose().findings
    assert finding.cause == "smoothing_spread"
    assert SPREAD[name][1] in finding.says


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("mean", [False, True])
def test_the_line_for_labels_that_were_not_smoothed_is_not_that_of_hard_labels(arrays, mean):
    learner = Learner(3, smooth, hard, mean=mean)
    (finding,) = learner.diagnose(arrays).findings
    assert finding.cause == "other_loss"
    assert finding.says == "the labels are not smoothed, but the labels of the loss are"
    assert "P - Y" not in finding.line
    assert finding.line.startswith("smoothed = 0.9 * np.eye(3)[y] + 0.1 / 3\n")
    assert finding.reason.endswith("Here y is a row of smoothed labels.")
    assert near(learner.corrected(finding.line), learner.right())


@pytest.mark.parametrize("e", [0.2, 0.05, 0.123])
def test_another_share_is_named_beside_that_of_the_loss(e):
    (finding,) = Learner(3, smooth, lambda H: smooth(H, e)).diagnose().findings
    assert finding.cause == "labels_smoothed"
    assert finding.says == (
        f"the labels were smoothed by {e:g}, which leaves 1 - {e * 2 / 3:.4g} to the true class, "
        "but the loss smooths them by 0.1"
    )


def test_a_share_over_the_other_classes_alone_is_another_share_over_all():
    """1 - e for the true class and e/(k - 1) for the others sum to 1: in a loss that is right."""
    others = lambda H: (1 - E) * H + E / (H.shape[1] - 1) * (1 - H)
    assert Learner(3, others, others).diagnose().verdict == "correct"
    (finding,) = Learner(3, smooth, others).diagnose().findings
    assert "smoothed by 0.15, which leaves 1 - 0.1 to the true class" in finding.says


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("mean", [False, True])
def test_labels_that_the_loss_does_not_smooth_at_all_are_named(arrays, mean):
    """Without a loss of the learner's own a factor is a convention, also beside this."""
    learner = Learner(3, hard, smooth, mean=mean)
    net = gm.Network.from_parameters(learner.p, activation="tanh")
    handed = learner.gradients(learner.p, learner.X, learner.y) if arrays else learner.gradients
    diagnosis = gm.diagnose(handed, learner.X, learner.y, network=net)
    (finding,) = diagnosis.findings
    assert finding.cause == "labels_smoothed"
    assert finding.says.endswith("but the loss does not smooth labels")
    assert finding.line == "Y = np.eye(3)[y]\ndZ2 = (P - Y) / n"
    assert any("sum over the samples" in words for words in diagnosis.conventions) == (not mean)


@pytest.mark.parametrize("name", [name for name in SPREAD if name != "n for K"])
def test_a_wrong_spread_in_both_is_said_and_the_sum_of_a_row_is_part_of_the_gradient(name):
    spread = SPREAD[name][0]
    total = float(spread(np.eye(3)).sum(axis=1)[0])
    right = Learner(3, spread, spread, row_sum=True).diagnose()
    assert right.verdict == "correct"
    if name == "e/K forgotten":  # a factor 0.9 of the loss with hard labels
        assert "your loss: 0.075 times the sum over the samples of cross-entropy" in right.conventions
        return
    assert any(words.endswith(f"a row sums to {total:.4g}, which is usually 1") for words in right.conventions)
    learner = Learner(3, spread, spread)
    (finding,) = learner.diagnose().findings
    assert finding.cause == "smoothing_spread"
    assert finding.says.startswith(f"the smoothed labels of the loss sum to {total:.4g} in each row")
    assert "P * smoothed.sum(axis=1, keepdims=True) - smoothed" in finding.line
    assert "p_i sum_j y_j - y_i" in finding.reason
    assert near(learner.corrected(finding.line), learner.right())


def test_smoothed_labels_that_were_handed_in_as_rows_are_the_labels():
    learner = Learner(3, hard, hard)
    Y = smooth(np.eye(3)[learner.y])
    net = gm.Network.from_parameters(learner.p, activation="tanh")

    def gradients(p, X, Y, spoil=lambda Y: Y):
        A, P = learner.forward(p, X)
        return learner.backward(p, X, A, P - spoil(Y))

    assert gm.diagnose(gradients, learner.X, Y, network=net, loss="network").verdict == "correct"
    again = lambda p, X, Y: gradients(p, X, Y, smooth)
    (finding,) = gm.diagnose(again, learner.X, Y, network=net, loss="network").findings
    assert "the labels were smoothed by 0.19" in finding.says
    assert finding.line == "Y = y\ndZ2 = (P - Y) / n"


def test_a_mistake_of_another_kind_under_smoothed_labels_has_their_line_too():
    learner = Learner(3, smooth, smooth)
    learner.gradients = lambda p, X, y: {
        name: -G if name in ("W2", "b2") else G for name, G in Learner.gradients(learner, p, X, y).items()
    }
    findings = learner.diagnose().findings
    assert all(finding.cause == "sign" for finding in findings)
    twice = Learner(3, smooth, smooth)
    twice.backward = lambda p, X, A, d: Learner.backward(twice, p, X, A, 2 * d)
    (finding,) = twice.diagnose().findings
    assert (finding.cause, finding.line.splitlines()[0]) == ("factor", "smoothed = 0.9 * np.eye(3)[y] + 0.1 / 3")


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("k", [1, 3])
def test_smoothed_labels_of_binary_cross_entropy_are_read_from_the_loss(k, wrong):
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(9, 4)), draw.integers(0, 2, (9, k)).astype(float)
    p = {"W1": draw.normal(size=(4, k)), "b1": draw.normal(size=k)}
    soft = lambda Y: (1 - E) * Y + E / 2

    def loss(p, X, Y):
        P = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
        return -(soft(Y) * np.log(P) + (1 - soft(Y)) * np.log(1 - P)).sum(axis=1).mean()

    def gradients(p, X, Y):
        d = (1 / (1 + np.exp(-(X @ p["W1"] + p["b1"]))) - (Y if wrong else soft(Y))) / len(X)
        return {"W1": X.T @ d, "b1": d.sum(axis=0)}

    diagnosis = gm.diagnose(gradients, X, Y, loss=loss, parameters=p)
    assert any("binary cross-entropy, labels smoothed by 0.1" in words for words in diagnosis.conventions)
    assert diagnosis.causes == (("other_loss",) if wrong else ())
    if wrong:
        assert diagnosis.findings[0].line == "smoothed = 0.9 * y + 0.1 / 2\ndZ1 = (P - smoothed) / n"
