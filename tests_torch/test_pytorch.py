"""`glassmax.diagnose` on PyTorch models: the faults it finds, and the models that it has to leave alone.

Run by ``make test-torch``: the ordinary tests need no PyTorch.
"""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import glassmax as gm
from glassmax.doctor.pytorch.layers import module_parameters

torch.manual_seed(0)
X = torch.randn(7, 4)
y = torch.arange(7) % 3
Y = torch.eye(3)[y]


def model(*tail, hidden=nn.Tanh):
    """A 4-10-3 network with some layers behind it; the same weights each time."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 10), hidden(), nn.Linear(10, 3), *tail)


def causes(diagnosis):
    return [finding.cause for finding in diagnosis.findings]


class Detach(nn.Module):
    def forward(self, x):
        return x.detach()


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.relu()

    @staticmethod
    def backward(ctx, dA):
        return dA


class OwnReLU(nn.Module):
    def forward(self, x):
        return WrongBackward.apply(x)


# --- models that are right -------------------------------------------------------------------------------------------

SILENT = {
    "logits_into_cross_entropy": (model(), y, nn.CrossEntropyLoss()),
    "soft_rows": (model(), Y, nn.CrossEntropyLoss()),
    "label_smoothing": (model(), y, nn.CrossEntropyLoss(label_smoothing=0.1)),
    "class_weights": (model(), y, nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))),
    "class_weights_of_the_function": (model(), y, partial(F.cross_entropy, weight=torch.tensor([1.0, 2.0, 3.0]))),
    "a_loss_in_single_precision": (model(), y, lambda output, target: F.cross_entropy(output + torch.ones(3), target)),
    "a_loss_that_refuses_double": (model(), y, lambda out, t: F.cross_entropy(out, t, torch.tensor([1.0, 2.0, 3.0]))),
    "the_function": (model(), y, F.cross_entropy),
    "a_function_of_ones_own": (model(), y, lambda output, target: F.cross_entropy(output, target)),
    "log_softmax_into_nll": (model(nn.LogSoftmax(dim=1)), y, nn.NLLLoss()),
    "softmax_into_squared_error": (model(nn.Softmax(dim=-1)), Y, nn.MSELoss()),
    "sigmoid_into_binary_cross_entropy": (model(nn.Sigmoid()), Y, nn.BCELoss()),
    "logits_into_binary_cross_entropy": (model(), Y, nn.BCEWithLogitsLoss()),
    "sigmoid_inside": (model(hidden=nn.Sigmoid), y, nn.CrossEntropyLoss()),
    "relu_inside": (model(hidden=nn.ReLU), y, nn.CrossEntropyLoss()),
    "gelu_inside": (model(hidden=nn.GELU), y, nn.CrossEntropyLoss()),
    "softmax_inside": (nn.Sequential(nn.Linear(4, 5), nn.Softmax(1), nn.Linear(5, 3)), y, nn.CrossEntropyLoss()),
    "dropout": (model(nn.Dropout(0.5)), y, nn.CrossEntropyLoss()),
    "batch_norm": (model(nn.BatchNorm1d(3)), y, nn.CrossEntropyLoss()),
    "layers_in_layers": (nn.Sequential(model(), nn.Sequential(nn.LogSoftmax(1))), y, nn.NLLLoss()),
    "regression": (nn.Sequential(nn.Linear(4, 1)), torch.randn(7, 1), nn.MSELoss()),
    "one_layer": (nn.Sequential(nn.Linear(4, 3)), y, nn.CrossEntropyLoss()),
    "double": (model().double(), y, nn.CrossEntropyLoss()),
}


@pytest.mark.parametrize("case", SILENT)
def test_a_model_that_is_right_is_left_alone(case):
    sequential, target, loss = SILENT[case]
    diagnosis = gm.diagnose(sequential, X, target, loss=loss)
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct", [])


def test_one_sample_without_a_batch_is_left_alone():
    diagnosis = gm.diagnose(model(nn.Softmax(dim=0)), X[0], Y[0], loss=nn.MSELoss())
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct", [])


def test_indices_go_into_an_embedding():
    sequential = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))
    assert gm.diagnose(sequential, torch.arange(5), torch.arange(5) % 3, loss=nn.CrossEntropyLoss()).correct


def test_a_gradient_that_was_clipped_is_a_convention():
    sequential, loss = model(), nn.CrossEntropyLoss()
    loss(sequential(X), y).backward()
    nn.utils.clip_grad_norm_(sequential.parameters(), 0.01)
    diagnosis = gm.diagnose(sequential, X, y, loss=loss)
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct under another convention", [])
    assert "clipping" in str(diagnosis)


def test_the_gradient_of_one_output_is_left_alone():
    sequential, target, loss = nn.Sequential(nn.Linear(4, 1)), torch.randn(7, 1), nn.MSELoss()
    loss(sequential(X), target).backward()
    assert gm.diagnose(sequential, X, target, loss=loss).verdict == "correct"


def test_arrays_do_for_tensors():
    diagnosis = gm.diagnose(model(), X.numpy(), y.numpy(), loss=nn.CrossEntropyLoss())
    assert diagnosis.verdict == "correct"


def test_log_softmax_before_cross_entropy_is_said_to_be_harmless():
    diagnosis = gm.diagnose(model(nn.LogSoftmax(dim=1)), X, y, loss=nn.CrossEntropyLoss())
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct", [])
    assert "harmless" in str(diagnosis)


def test_the_gradient_of_the_last_backward_is_left_alone():
    sequential, loss = model(), nn.CrossEntropyLoss()
    loss(sequential(X), y).backward()
    assert gm.diagnose(sequential, X, y, loss=loss).verdict == "correct"


def test_a_gradient_from_before_the_last_step_is_no_fault():
    sequential, loss = model(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(sequential.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss(sequential(X), y).backward()
        optimizer.step()
    diagnosis = gm.diagnose(sequential, X, y, loss=loss)
    assert diagnosis.correct
    assert "zero_grad" in str(diagnosis)


def test_a_penalty_in_the_gradient_is_a_convention():
    sequential, loss = model(), nn.CrossEntropyLoss()
    penalty = 0.05 * sum((p**2).sum() for name, p in sequential.named_parameters() if "weight" in name)
    (loss(sequential(X), y) + penalty).backward()
    diagnosis = gm.diagnose(sequential, X, y, loss=loss)
    assert diagnosis.correct
    assert "0.05 W^2" in str(diagnosis)


# --- faults ----------------------------------------------------------------------------------------------------------

FAULTS = {
    "softmax_twice": (model(nn.Softmax(dim=1)), y, nn.CrossEntropyLoss(), "softmax_twice"),
    "softmax_twice_by_the_function": (model(nn.Softmax(dim=1)), y, F.cross_entropy, "softmax_twice"),
    "softmax_twice_in_the_model": (model(nn.Softmax(1), nn.LogSoftmax(1)), y, nn.NLLLoss(), "softmax_twice"),
    "softmax_twice_behind_dropout": (model(nn.Softmax(1), nn.Dropout()), y, nn.CrossEntropyLoss(), "softmax_twice"),
    "softmax_twice_in_a_layer": (nn.Sequential(model(nn.Softmax(1))), y, nn.CrossEntropyLoss(), "softmax_twice"),
    "sigmoid_twice": (model(nn.Sigmoid()), Y, nn.BCEWithLogitsLoss(), "sigmoid_twice"),
    "softmax_into_nll": (model(nn.Softmax(dim=1)), y, nn.NLLLoss(), "log_missing"),
    "logits_into_nll": (model(), y, nn.NLLLoss(), "log_missing"),
    "logits_into_bce": (model(), Y, nn.BCELoss(), "activation_missing"),
    "softmax_over_the_samples": (model(nn.Softmax(dim=0)), Y, nn.MSELoss(), "softmax_axis"),
    "log_softmax_over_the_samples": (model(nn.LogSoftmax(dim=0)), y, nn.NLLLoss(), "softmax_axis"),
    "a_detached_layer": (model(Detach(), nn.Linear(3, 3)), y, nn.CrossEntropyLoss(), "detached"),
    "a_detached_output": (model(Detach()), y, nn.CrossEntropyLoss(), "detached"),
    "a_wrong_backward": (model(hidden=OwnReLU), y, nn.CrossEntropyLoss(), "not_in_catalogue"),
    "a_target_without_its_axis": (nn.Sequential(nn.Linear(4, 1)), torch.randn(7), nn.MSELoss(), "wrong_shapes"),
    "labels_from_one": (model(), y + 1, nn.CrossEntropyLoss(), "raises"),
    "labels_that_are_no_indices": (model(), y.float(), nn.CrossEntropyLoss(), "raises"),
    "a_loss_that_is_no_number": (model(), torch.full((7, 3), torch.nan), nn.MSELoss(), "not_finite"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_named_first(case):
    sequential, target, loss, cause = FAULTS[case]
    diagnosis = gm.diagnose(sequential, X, target, loss=loss)
    assert (diagnosis.verdict, causes(diagnosis)[0]) == ("wrong", cause)
    finding = diagnosis.findings[0]
    assert finding.where
    assert finding.says
    assert len(str(diagnosis).splitlines()) <= 40


def test_softmax_twice_tells_the_layer_and_the_floor_of_the_loss():
    diagnosis = gm.diagnose(model(nn.Softmax(dim=1)), X, y, loss=nn.CrossEntropyLoss())
    finding = diagnosis.findings[0]
    assert finding.where == "layer 3 (Softmax)"
    assert f"{math.log1p(2 / math.e):.4f}" in finding.cell
    assert finding.evidence["error_before"] > 0.1


def test_what_is_mended_is_the_gradient_of_the_mended_model():
    right = model()
    nn.CrossEntropyLoss()(right(X), y).backward()
    finding = gm.diagnose(model(nn.Softmax(dim=1)), X, y, loss=nn.CrossEntropyLoss()).findings[0]
    mended = float(finding.cell.split("corrected it is ")[1].split(" ")[0].rstrip("."))
    assert np.isclose(right[2].bias.grad.numpy(), mended, rtol=1e-3).any()


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(reduction="sum"), partial(F.cross_entropy, reduction="sum")])
def test_a_sum_in_place_of_the_mean_is_found_and_may_be_meant(loss):
    diagnosis = gm.diagnose(model(), X, y, loss=loss)
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct under another convention", ["factor"])
    assert any("sum over the 7 samples" in said for said in diagnosis.conventions)
    assert diagnosis.findings[0].evidence["factor"] == "7"


def test_a_sum_over_samples_and_outputs_is_measured():
    diagnosis = gm.diagnose(model(), X, Y, loss=nn.MSELoss(reduction="sum"))
    assert diagnosis.findings[0].evidence["factor"] == "21"


def test_frozen_layers_are_found_and_may_be_meant():
    sequential = model()
    sequential[0].requires_grad_(False)
    diagnosis = gm.diagnose(sequential, X, y, loss=nn.CrossEntropyLoss())
    assert (diagnosis.verdict, causes(diagnosis)) == ("correct under another convention", ["frozen"])
    assert diagnosis.findings[0].parameters == ("0.weight", "0.bias")


@pytest.mark.parametrize("times", [2, 3])
def test_gradients_that_were_not_zeroed_are_counted(times):
    sequential, loss = model(), nn.CrossEntropyLoss()
    for _ in range(times):
        loss(sequential(X), y).backward()
    diagnosis = gm.diagnose(sequential, X, y, loss=loss)
    assert (diagnosis.verdict, causes(diagnosis)) == ("wrong", ["accumulates"])
    assert f"{times} times" in diagnosis.findings[0].says
    assert "zero_grad" in diagnosis.findings[0].line


def test_a_layer_that_the_optimizer_does_not_know_is_found_by_what_it_has_gathered():
    sequential, loss = model(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(sequential[2].parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        loss(sequential(X), y).backward()
    diagnosis = gm.diagnose(sequential, X, y, loss=loss)
    assert causes(diagnosis) == ["accumulates"]
    assert diagnosis.findings[0].parameters == ("0.weight", "0.bias")


def test_a_gradient_of_the_sum_under_a_loss_of_the_mean_is_a_factor():
    sequential = model()
    nn.CrossEntropyLoss(reduction="sum")(sequential(X), y).backward()
    diagnosis = gm.diagnose(sequential, X, y, loss=nn.CrossEntropyLoss())
    assert causes(diagnosis) == ["factor"]
    assert "accumulates" in diagnosis.findings[0].indistinguishable


def test_a_module_of_ones_own_is_run_though_it_cannot_be_read():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, x):
            return self.two(torch.relu(self.one(x).detach()))

    diagnosis = gm.diagnose(Net(), X, y, loss=nn.CrossEntropyLoss())
    assert causes(diagnosis) == ["detached"]
    assert diagnosis.findings[0].parameters == ("one.weight", "one.bias")


def without_biases(*tail):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 10, bias=False), nn.Tanh(), nn.Linear(10, 3, bias=False), *tail)


def test_a_layer_without_a_bias_has_a_weight_alone():
    sequential, loss = without_biases(), nn.CrossEntropyLoss()
    assert [*module_parameters(sequential)] == ["0.weight", "2.weight"]
    assert gm.diagnose(sequential, X, y, loss=loss).verdict == "correct"
    for _ in range(2):
        loss(sequential(X), y).backward()
    finding = gm.diagnose(sequential, X, y, loss=loss).findings[0]
    assert (finding.cause, finding.evidence["factor"]) == ("accumulates", "2")
    finding = gm.diagnose(without_biases(nn.Softmax(dim=1)), X, y, loss=loss).findings[0]
    assert (finding.cause, finding.parameters) == ("softmax_twice", ("0.weight", "2.weight"))
    assert finding.cell.startswith("2.weight.grad[")


def test_two_faults_are_both_found():
    sequential = model(nn.Softmax(dim=1))
    for _ in range(2):
        nn.CrossEntropyLoss()(sequential(X), y).backward()
    assert causes(gm.diagnose(sequential, X, y, loss=nn.CrossEntropyLoss())) == ["softmax_twice", "accumulates"]


# --- manners ---------------------------------------------------------------------------------------------------------


def test_the_model_and_the_random_numbers_are_left_as_they_were():
    sequential = model(nn.Dropout(0.5)).train()
    nn.CrossEntropyLoss()(sequential(X), y).backward()
    before = copy.deepcopy(sequential.state_dict())
    gradients = [parameter.grad.clone() for parameter in sequential.parameters()]
    state = torch.get_rng_state()
    gm.diagnose(sequential, X, y, loss=nn.CrossEntropyLoss())
    assert sequential.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in sequential.state_dict().items())
    assert all(torch.equal(g, p.grad) for g, p in zip(gradients, sequential.parameters(), strict=True))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"X": X, "y": y}, "expected the loss of your training, such as loss=nn.CrossEntropyLoss()"),
        ({"X": X, "y": y, "loss": nn.CrossEntropyLoss}, "expected the loss of your training"),
        ({"X": X, "loss": nn.CrossEntropyLoss()}, "y is missing"),
        ({"y": y, "loss": nn.CrossEntropyLoss()}, "X is missing"),
    ],
)
def test_what_is_missing_is_asked_for(given, words):
    with pytest.raises(gm.errors.OptionError, match=words.replace("(", r"\(").replace(")", r"\)")):
        gm.diagnose(model(), **given)
