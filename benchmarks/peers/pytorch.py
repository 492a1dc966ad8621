"""PyTorch: the usual loop, the same with what makes it faster, and the whole training step compiled."""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import copy
import time
from types import MappingProxyType

import torch

from . import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Orders, errors_by_row, products


class Eager:
    """nn.Sequential, CrossEntropyLoss, Adam; the data in one tensor, a permutation an epoch, ``X[index]`` a batch."""

    options = MappingProxyType({})

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.shape, self.start, self.shuffle, self.seed = shape, start, shuffle, seed
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        self.loss = torch.nn.CrossEntropyLoss()
        self.begin()

    def begin(self):
        self.orders = Orders(self.shape, self.seed)
        layers = []
        for number, (a, b) in enumerate(zip(self.shape.sizes, self.shape.sizes[1:], strict=False), start=1):
            layer = torch.nn.Linear(a, b, dtype=self.X.dtype)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(self.start[f"W{number}"].T))
                layer.bias.copy_(torch.from_numpy(self.start[f"b{number}"]))
            layers += [layer, torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        betas, self.steps = (BETA_1, BETA_2), 0
        self.adam = torch.optim.Adam(self.net.parameters(), LEARNING_RATE, betas, EPSILON, **self.options)

    def order(self):
        if self.shuffle == "alike":
            return torch.from_numpy(next(self.orders))
        n = len(self.y)
        return torch.randperm(n) if self.shuffle else torch.arange(n)

    def epochs(self, count):
        return [self.epoch() for _ in range(count)]

    def epoch(self):
        order, losses = self.order(), []
        for index in order.split(self.shape.batch):
            self.adam.zero_grad()
            X, y = self.batch(index)
            loss = self.loss_of(X, y)
            loss.backward()
            self.steps += 1
            if self.shuffle is not True:  # answers are compared: epsilon where all others have it
                self.adam.param_groups[0]["eps"] = EPSILON / (1 - BETA_2**self.steps) ** 0.5
            self.adam.step()
            losses.append(loss.detach() * len(index))
        return torch.stack(losses).sum().item() / len(self.y)

    def batch(self, index):
        return self.X[index], self.y[index]

    def loss_of(self, X, y):
        return self.loss(self.net(X), y)

    def accuracy(self, rows):
        """Return the errors of the gradients in float32 against those in float64."""
        found = {}
        for dtype in (torch.float32, torch.float64):
            net = copy.deepcopy(self.net).to(dtype)
            self.loss(net(self.X[:rows].to(dtype)), self.y[:rows]).backward()
            found[dtype] = {}
            for number, layer in enumerate(net[::2], start=1):
                found[dtype] |= {f"W{number}": layer.weight.grad.T.numpy(), f"b{number}": layer.bias.grad.numpy()}
        return errors_by_row(*found.values())

    def settle(self):
        self.epochs(1)  # the moments are made by the first step
        self.adam.zero_grad()

    def probabilities(self, X):
        with torch.inference_mode():
            return torch.softmax(self.net(torch.from_numpy(X)), 1).numpy()

    def top(self, X, count):
        found = [], []
        with torch.inference_mode():
            for block in torch.from_numpy(X).split(256):
                top = torch.softmax(self.net(block), 1).topk(count)
                for blocks, values in zip(found, (top.indices, top.values), strict=True):
                    blocks.append(values)
            return tuple(torch.cat(blocks).numpy() for blocks in found)


class Blocks(Eager):
    """Predictions by blocks of rows, so that what lies between the layers stays in the cache."""

    def probabilities(self, X):
        with torch.inference_mode():
            return torch.cat([torch.softmax(self.net(block), 1) for block in torch.from_numpy(X).split(2048)]).numpy()


class FusedAdam(Eager):
    """The usual loop with the fused Adam and a faster gather."""

    options = MappingProxyType({"fused": True})

    def batch(self, index):
        return self.X.index_select(0, index), self.y.index_select(0, index)


class Fused(FusedAdam):
    """The same with the number of threads that is fastest."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        super().__init__(shape, X, y, start, threads, shuffle, seed)
        self.note = ""
        if threads > 1 and shuffle:
            seconds = {count: self.seconds(count) for count in (threads, 1, threads, 1)}
            torch.set_num_threads(min(seconds, key=seconds.get))
            self.note = f"{torch.get_num_threads()} threads are its fastest"
            self.begin()

    def seconds(self, threads):
        """Return how long some steps take."""
        torch.set_num_threads(threads)
        index = self.order()[: self.shape.batch]
        started, steps = time.perf_counter(), 0
        while time.perf_counter() - started < 0.1:
            self.adam.zero_grad()
            X, y = self.batch(index)
            self.loss(self.net(X), y).backward()
            self.adam.step()
            steps += 1
        return (time.perf_counter() - started) / steps


class FusedLoss(FusedAdam):
    """Last layer and loss in one call, which keeps the logits of a few rows at a time, as many as it chooses."""

    chunks = torch.nn.LinearCrossEntropyOptions()

    def loss_of(self, X, y):
        last, below = self.net[-1], self.net[:-1]
        return torch.nn.functional.linear_cross_entropy(
            below(X), last.weight, y, linear_bias=last.bias, options=self.chunks
        )


class FusedLossByHand(FusedLoss):
    """The same for 256 rows at a time."""

    chunks = torch.nn.LinearCrossEntropyOptions(chunking_method=None, batch_chunk_size=256)


class Compiled(Eager):
    """One training step, from the rows' numbers to the moved weights, as one compiled graph without a break."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        import torch._inductor.config as inductor

        inductor.compile_threads = 1  # no pool of compilers beside the clock
        self.step = torch.compile(self.plain_step, fullgraph=True, dynamic=False)
        super().__init__(shape, X, y, start, threads, shuffle, seed)

    def begin(self):
        self.orders = Orders(self.shape, self.seed)
        depth = len(self.shape.sizes) - 1
        self.depth = depth
        names = [f"{kind}{number}" for number in range(1, depth + 1) for kind in "Wb"]
        self.theta = [torch.from_numpy(self.start[name].copy()) for name in names]
        self.m, self.v = ([torch.zeros_like(values) for values in self.theta] for _ in "mv")
        self.t = torch.zeros((), dtype=torch.float64)

    def forward(self, theta, A):
        for layer in range(self.depth):
            W, b = theta[2 * layer : 2 * layer + 2]
            A = torch.addmm(b, A, W)
            A = torch.relu(A) if layer < self.depth - 1 else A
        return A

    def plain_step(self, theta, m, v, t, X, y, index):
        def loss_of(theta):
            return torch.nn.functional.cross_entropy(self.forward(theta, X[index]), y[index])

        gradients, loss = torch.func.grad_and_value(loss_of)(theta)
        t += 1
        length = (LEARNING_RATE * torch.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)).to(X.dtype)
        for W, M, V, G in zip(theta, m, v, gradients, strict=True):
            M.mul_(BETA_1).add_(G, alpha=1 - BETA_1)
            V.mul_(BETA_2).add_(G * G, alpha=1 - BETA_2)
            W.sub_(length * M / (V.sqrt() + EPSILON))
        return loss

    def epoch(self):
        order, losses = self.order(), []
        with torch.no_grad():
            for index in order.split(self.shape.batch):
                loss = self.step(self.theta, self.m, self.v, self.t, self.X, self.y, index)
                losses.append(loss * len(index))
            return torch.stack(losses).sum().item() / len(self.y)

    def probabilities(self, X):
        return torch.softmax(self.forward(self.theta, torch.from_numpy(X)), 1).numpy()


class Products(products.Products):
    """The floor by ``torch.mm``."""

    product = staticmethod(lambda A, B, out: torch.mm(A, B, out=out))

    def prepare(self):
        torch.set_num_threads(self.threads)
        self.X, self.W = torch.from_numpy(self.X), [torch.from_numpy(W) for W in self.W]
        self.whole, self.last = self.arrays(self.shape.batch), self.arrays(self.shape.rows % self.shape.batch)
        self.dW = [torch.empty_like(W) for W in self.W]

    def arrays(self, m):
        return [torch.ones((m, W.shape[1]), dtype=W.dtype) for W in self.W]

    def forward(self, X, block):
        super().forward(torch.from_numpy(X), block)
