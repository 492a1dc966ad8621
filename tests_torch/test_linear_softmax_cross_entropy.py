"""`glassmax.torch.linear_softmax_cross_entropy` against PyTorch's own cross-entropy of all logits."""

import copy

import pytest
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import nn

from glassmax.engine import ReferenceEngine, best_engine
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.torch import linear_softmax_cross_entropy

D, K = 13, 301
pytestmark = pytest.mark.skipif(best_engine().name != "native", reason="the native engine was not built")
DTYPES = [torch.float32, torch.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def problem(*rows, dtype=torch.float64, k=K, seed=0):
    draw = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((*rows, D), (k, D), (k,))]
    y = torch.randint(0, k, rows, generator=draw)
    return *(tensor.to(dtype).requires_grad_() for tensor in tensors), y


def plain(input, weight, target, *, bias=None, class_weight=None, z_loss=0.0, softcap=None, temperature=1.0, **how):
    U = F.linear(input, weight, bias).reshape(-1, len(weight)) / temperature
    U = U if softcap is None else softcap * torch.tanh(U / softcap)
    loss = F.cross_entropy(U, target.reshape(-1), class_weight, **how)
    penalty = z_loss * torch.logsumexp(U, 1) ** 2
    if how.get("reduction") == "none":
        return (loss + penalty).reshape(target.shape)
    return loss + (penalty.mean() if how.get("reduction", "mean") == "mean" else penalty.sum())


OPTIONS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.1},
    "z_loss": {"z_loss": 0.01},
    "softcap": {"softcap": 5.0},
    "temperature": {"temperature": 2.0},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "all": {"label_smoothing": 0.1, "z_loss": 0.01, "softcap": 5.0, "temperature": 0.5, "reduction": "none"},
}


@every_dtype
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("rows", [(1,), (70,), (3, 50), (2, 3, 4), (1200,)])
def test_loss_and_gradients_are_those_of_pytorch(rows, option, dtype):
    input, weight, bias, y = problem(*rows, dtype=dtype)
    how = OPTIONS[option]
    loss = linear_softmax_cross_entropy(input, weight, y, bias=bias, **how)
    wide = [tensor.detach().double().requires_grad_() for tensor in (input, weight, bias)]
    right = plain(wide[0], wide[1], y, bias=wide[2], **how)
    above = torch.linspace(0.5, 3, loss.numel(), dtype=torch.float64).reshape(loss.shape)
    loss.backward(above.to(dtype))
    right.backward(above)
    assert loss.dtype == dtype
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-11, "atol": 1e-11}
    torch.testing.assert_close(loss.double(), right, **close)
    for ours, theirs in zip((input, weight, bias), wide, strict=True):
        scale = theirs.grad.abs().max()
        torch.testing.assert_close(ours.grad.double() / scale, theirs.grad / scale, rtol=0, atol=close["atol"])


@pytest.mark.parametrize("option", OPTIONS)
def test_gradcheck_passes_and_finds_a_wrong_gradient(option):
    input, weight, bias, y = problem(7, k=20)
    f = lambda input, weight, bias: linear_softmax_cross_entropy(input, weight, y, bias=bias, **OPTIONS[option])
    assert torch.autograd.gradcheck(f, (input, weight, bias))

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, dx):
            return 1.01 * dx

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda w: f(input, Wrong.apply(w), bias), (weight,))


def test_class_weights_and_ignored_labels_are_those_of_pytorch():
    input, weight, bias, y = problem(70)
    y[::3] = -100
    of_classes = torch.rand(K, dtype=torch.float64)
    for reduction in ("mean", "sum", "none"):
        ours = linear_softmax_cross_entropy(input, weight, y, bias=bias, class_weight=of_classes, reduction=reduction)
        right = plain(input, weight, y, bias=bias, class_weight=of_classes, reduction=reduction)
        torch.testing.assert_close(ours, right)
        pairs = (torch.autograd.grad(loss.sum(), (input, weight, bias)) for loss in (ours, right))
        for gradient, other in zip(*pairs, strict=True):
            torch.testing.assert_close(gradient, other)
    other = torch.where(y == -100, 7, y)
    same = linear_softmax_cross_entropy(input, weight, other, bias=bias, ignore_index=7)
    torch.testing.assert_close(same, plain(input, weight, other, bias=bias, ignore_index=7))


def test_sample_weights_weigh_rows():
    input, weight, _, y = problem(3, 20)
    w = torch.rand(3, 20)
    loss = linear_softmax_cross_entropy(input, weight, y, sample_weight=w)
    right = (plain(input, weight, y, reduction="none") * w).sum() / w.sum()
    torch.testing.assert_close(loss, right)
    torch.testing.assert_close(torch.autograd.grad(loss, weight), torch.autograd.grad(right, weight))


def test_soft_labels_are_a_csr_matrix():
    input, weight, _, _ = problem(5, k=20)
    Y = torch.rand(5, 20, dtype=torch.float64)
    Y = torch.where(Y > 0.5, Y, 0)
    Y /= Y.sum(1, keepdim=True)
    loss = linear_softmax_cross_entropy(input, weight, sparse.csr_array(Y.numpy()))
    right = F.cross_entropy(F.linear(input, weight), Y)
    torch.testing.assert_close(loss, right)
    torch.testing.assert_close(torch.autograd.grad(loss, input), torch.autograd.grad(right, input))


@pytest.mark.parametrize("rows", [(4,), (0,)])
def test_the_mean_of_no_rows_is_that_of_pytorch(rows):
    input, weight, bias, y = problem(*rows)
    y[:] = -100
    loss = linear_softmax_cross_entropy(input, weight, y, bias=bias)
    right = plain(input, weight, y, bias=bias)
    assert loss.isnan()
    assert right.isnan()
    loss.backward()
    assert not any(tensor.grad.any() for tensor in (input, weight, bias))


@pytest.mark.parametrize("frozen", [0, 1, 2])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_frozen_tensor_has_no_gradient_and_none_is_computed(frozen, reduction, monkeypatch):
    tensors = problem(70)
    tensors[frozen].requires_grad_(False)
    input, weight, bias, y = tensors
    asked = []
    of_engine = ReferenceEngine.linear_softmax_cross_entropy

    def spy(self, *layer, gradients, **how):
        asked.append(sorted(gradients))
        return of_engine(self, *layer, gradients=gradients, **how)

    monkeypatch.setattr(ReferenceEngine, "linear_softmax_cross_entropy", spy)
    monkeypatch.setattr("glassmax.torch.best_engine", lambda *_: ReferenceEngine(1))
    linear_softmax_cross_entropy(input, weight, y, bias=bias, reduction=reduction).sum().backward()
    assert asked[-1] == [name for i, name in enumerate(("dA", "dW", "db")) if i != frozen]
    assert [tensor.grad is None for tensor in (input, weight, bias)] == [i == frozen for i in range(3)]


def test_without_a_graph_only_the_loss_is_computed(monkeypatch):
    input, weight, bias, y = problem(70)
    right = linear_softmax_cross_entropy(input, weight, y, bias=bias)
    asked = []

    def spy(self, *layer, gradients, **how):
        asked.append(tuple(gradients))
        return of_engine(self, *layer, gradients=gradients, **how)

    of_engine = ReferenceEngine.linear_softmax_cross_entropy
    monkeypatch.setattr(ReferenceEngine, "linear_softmax_cross_entropy", spy)
    monkeypatch.setattr("glassmax.torch.best_engine", lambda *_: ReferenceEngine(1))
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            loss = linear_softmax_cross_entropy(input, weight, y, bias=bias)
        assert not loss.requires_grad
        torch.testing.assert_close(loss, right.detach())
    loss = linear_softmax_cross_entropy(input.detach(), weight.detach(), y)
    assert not loss.requires_grad
    assert asked == [()] * 3


def test_an_embedding_can_be_the_head_too():
    draw = torch.Generator().manual_seed(0)
    words = torch.randint(0, 50, (8, 5), generator=draw)
    embedding = nn.Embedding(50, D, dtype=torch.float64)
    loss = linear_softmax_cross_entropy(embedding(words[:, :-1]).tanh(), embedding.weight, words[:, 1:])
    loss.backward()
    ours = embedding.weight.grad.clone()
    embedding.weight.grad = None
    plain(embedding(words[:, :-1]).tanh(), embedding.weight, words[:, 1:]).backward()
    torch.testing.assert_close(ours, embedding.weight.grad)


def test_nothing_is_copied():
    input, weight, bias, y = problem(70)
    places = {input.data_ptr(), weight.data_ptr(), bias.data_ptr()}
    seen = []

    class Engine(ReferenceEngine):
        def linear_softmax_cross_entropy(self, A, W, b, target, **how):
            seen.extend(array.__array_interface__["data"][0] for array in (A, W, b))
            result = super().linear_softmax_cross_entropy(A, W, b, target, **how)
            seen.append([array.__array_interface__["data"][0] for array in result[1:]])
            return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glassmax.torch.best_engine", lambda *_: Engine(1))
        gradients = torch.autograd.grad(
            linear_softmax_cross_entropy(input, weight, y, bias=bias), (input, weight, bias)
        )
        assert {*seen[:3]} == places
        assert [gradient.data_ptr() for gradient in gradients] == seen[3]
        seen.clear()
        turned = weight.detach().t().contiguous().requires_grad_()  # (d, k), as other libraries have it
        (other,) = torch.autograd.grad(linear_softmax_cross_entropy(input, turned.t(), y, bias=bias), turned)
        assert seen[1] == turned.data_ptr()
        torch.testing.assert_close(other.t(), gradients[1])


def test_tensors_that_are_not_contiguous_give_the_same():
    input, weight, bias, y = problem(70)
    right = torch.autograd.grad(linear_softmax_cross_entropy(input, weight, y, bias=bias), (input, weight, bias))
    strange = [
        torch.repeat_interleave(tensor.detach(), 2, -1)[..., ::2].requires_grad_() for tensor in (input, weight, bias)
    ]
    loss = linear_softmax_cross_entropy(strange[0], strange[1], y.repeat_interleave(2)[::2], bias=strange[2])
    assert all(map(torch.equal, torch.autograd.grad(loss, strange), right))


def test_a_second_backward_pass_works_where_the_graph_is_kept():
    input, weight, bias, y = problem(70)
    for reduction in ("mean", "none"):
        loss = linear_softmax_cross_entropy(input, weight, y, bias=bias, reduction=reduction).sum()
        first = torch.autograd.grad(loss, (input, weight, bias), retain_graph=True)
        kept = [gradient.clone() for gradient in first]
        for gradient in first:
            gradient.zero_()  # they are the caller's
        again = torch.autograd.grad(loss, (input, weight, bias))
        assert all(map(torch.equal, kept, again))
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            loss.backward()


def test_a_second_derivative_is_an_error_and_not_a_zero():
    input, weight, bias, y = problem(7)
    for reduction in ("mean", "none"):
        loss = linear_softmax_cross_entropy(input, weight, y, bias=bias, reduction=reduction).sum()
        (gradient,) = torch.autograd.grad(loss, input, create_graph=True)
        with pytest.raises(RuntimeError, match="linear_softmax_cross_entropy has no second derivative"):
            (loss + gradient.square().sum()).backward()


def test_a_weight_that_was_moved_before_the_backward_pass_is_no_wrong_gradient():
    input, weight, _, y = problem(7)
    loss = linear_softmax_cross_entropy(input, weight, y, reduction="none").sum()
    with torch.no_grad():
        weight += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@every_dtype
def test_no_bit_depends_on_threads_or_memory(dtype):
    input, weight, bias, y = problem(500, dtype=dtype, k=5000)
    bits = []
    before = torch.get_num_threads()
    try:
        for threads, memory in [(1, 16_000_000), (2, 16_000_000), (2, 2**30)]:
            torch.set_num_threads(threads)
            loss = linear_softmax_cross_entropy(input, weight, y, bias=bias, memory_limit=memory)
            bits.append([loss, *torch.autograd.grad(loss, (input, weight, bias))])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in bits[1:] for a, b in zip(bits[0], other, strict=True))


def test_a_network_trains_as_with_all_logits():
    torch.manual_seed(0)
    X, y = torch.randn(64, 6), torch.arange(64) % 9
    trunk, head = nn.Sequential(nn.Linear(6, D), nn.Tanh()), nn.Linear(D, 9)
    twins = copy.deepcopy(trunk), copy.deepcopy(head)
    optimizers = [torch.optim.Adam([*a.parameters(), *b.parameters()], 0.01) for a, b in ((trunk, head), twins)]
    for _ in range(20):
        losses = [
            linear_softmax_cross_entropy(trunk(X), head.weight, y, bias=head.bias),
            F.cross_entropy(twins[1](twins[0](X)), y),
        ]
        for loss, optimizer in zip(losses, optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)


ERRORS = {
    "input is torch.bfloat16, expected torch.float32 or torch.float64. Convert it: input.float().": (
        OptionError,
        lambda t: {"input": t["input"].bfloat16()},
    ),
    "weight is torch.float32, expected torch.float64, as input is.": (
        OptionError,
        lambda t: {"weight": t["weight"].float()},
    ),
    "bias is torch.float32, expected torch.float64, as input is.": (OptionError, lambda t: {"bias": t["bias"].float()}),
    "input is on meta, expected on the CPU. Move it: input.cpu().": (
        OptionError,
        lambda t: {"input": t["input"].to("meta")},
    ),
    "target is on meta, expected on the CPU. Move it: target.cpu().": (
        OptionError,
        lambda t: {"target": t["target"].to("meta")},
    ),
    "weight is torch.sparse_coo, expected a dense tensor.": (
        OptionError,
        lambda t: {"weight": t["weight"].to_sparse()},
    ),
    "weight is a ndarray, expected a tensor.": (OptionError, lambda t: {"weight": t["weight"].detach().numpy()}),
    "input is (7, 13) and weight (13, 301), expected (..., d) and (k, d): weight is as torch.nn.Linear has it.": (
        ShapeError,
        lambda t: {"weight": t["weight"].t()},
    ),
    "bias is (300,), expected (301,): one number for each class.": (ShapeError, lambda t: {"bias": t["bias"][1:]}),
    "target is torch.float32, expected a tensor of class indices, torch.int64. "
    "Pass soft labels as a SciPy CSR matrix.": (
        OptionError,
        lambda t: {"target": t["target"].float()},
    ),
    "target is a list, expected a tensor or a CSR matrix.": (OptionError, lambda t: {"target": t["target"].tolist()}),
    "target is (7, 1), expected (7,): one class index for each row.": (
        ShapeError,
        lambda t: {"target": t["target"][:, None]},
    ),
    "Label of row 0 is 301, expected 0..300.": (LabelError, lambda t: {"target": torch.full((7,), 301)}),
    "class_weight is (3,), expected (301,): one weight for each class.": (
        ShapeError,
        lambda t: {"class_weight": torch.ones(3)},
    ),
    "class_weight is a tensor with requires_grad=True, expected a tensor that needs no gradient.": (
        OptionError,
        lambda t: {"class_weight": torch.ones(K, requires_grad=True)},
    ),
    "sample_weight has shape (3,), expected (7,): one number a row.": (
        LabelError,
        lambda t: {"sample_weight": torch.ones(3)},
    ),
    "class_weight and label_smoothing can't be combined: PyTorch weights each class over which a label is spread, but "
    "this function weights whole rows. To weight whole rows, pass sample_weight=class_weight[target].": (
        OptionError,
        lambda t: {"class_weight": torch.ones(K), "label_smoothing": 0.1},
    ),
    "class_weight is given, expected None for soft labels: pass sample_weight.": (
        OptionError,
        lambda t: {"class_weight": torch.ones(K), "target": sparse.eye_array(7, K, format="csr")},
    ),
    "reduction is 'avg', expected one of mean, sum, none.": (OptionError, lambda t: {"reduction": "avg"}),
    "memory_limit is 1, expected a whole number of bytes >= 16000000 (16 MB).": (
        OptionError,
        lambda t: {"memory_limit": 1},
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_the_message_is_word_for_word(message):
    tensors = dict(zip(("input", "weight", "bias", "target"), problem(7), strict=True))
    kind, changed = ERRORS[message]
    with pytest.raises(ValueError) as caught:
        linear_softmax_cross_entropy(**(tensors | changed(tensors)))
    assert str(caught.value) == message
    assert type(caught.value) is kind or kind is LabelError
