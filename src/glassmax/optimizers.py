"""Optimizers: SGD with momentum, Adam, schedules for their learning rate, and L-BFGS.

An optimizer is a `Rule`, a pair of functions: ``init(theta)`` returns the state that the rule needs (velocities,
moments, a step count), and ``step(theta, gradient, state, rate)`` updates theta and the state in place. A rule holds
its constants and nothing else, so a state can be saved and a run resumed. A schedule gives the share of the full
learning rate that each step takes, as a function of the progress of training. L-BFGS needs all rows at once and chooses
its own steps; the implementation is SciPy's. The vector theta holds all parameters; optimizers don't use layers, losses
or data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import sep
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Protocol

import numpy as np

from .errors import OptionError, Setting, between, one_of
from .functional.arrays import Array

__all__ = [
    "PARAMETRIZATIONS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "Iterate",
    "Rule",
    "Schedule",
    "State",
    "lbfgs",
    "rate_factors",
]

State = dict[str, Any]


class Rule(Protocol):
    """An optimizer as training sees it."""

    @property
    def learning_rate(self) -> float:
        """The full learning rate."""
        ...

    def init(self, theta: Array) -> State:
        """Return the state before the first step."""
        ...

    def step(self, theta: Array, gradient: Array, state: State, rate: float | None = None) -> None:
        """Update `theta` and `state` by one step, in place; `rate`, if given, replaces the learning rate."""
        ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with momentum.

    ::

        v <- momentum v - learning_rate dL/dtheta
        theta <- theta + v                                             plain
        theta <- theta + momentum v - learning_rate dL/dtheta          Nesterov

    Parameters
    ----------
    learning_rate : float
        > 0.
    momentum : float, default=0.0
        In [0, 1]: the share of the velocity that is kept from step to step.
    nesterov : bool, default=False
        Whether to look ahead by one more momentum step.

    Notes
    -----
    Cost: 4 flops for each parameter (7 with Nesterov); keeps one number for each parameter.
    Source: Sutskever, Martens, Dahl & Hinton (2013), equations 1 to 4, in the form that scikit-learn uses.

    Examples
    --------
    >>> rule, theta = SGD(learning_rate=0.5), np.array([1.0, 2.0])
    >>> rule.step(theta, np.array([1.0, -1.0]), rule.init(theta))
    >>> theta
    array([0.5, 2.5])
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        between("learning_rate", self.learning_rate, 0, np.inf, open_below=True)
        between("momentum", self.momentum, 0, 1, open_above=False)

    def init(self, theta: Array) -> State:
        """Return a velocity of zeros."""
        return {"velocity": np.zeros(theta.shape, theta.dtype)}

    def step(self, theta: Array, gradient: Array, state: State, rate: float | None = None) -> None:
        """Move `theta` along the velocity."""
        downhill = (self.learning_rate if rate is None else rate) * gradient
        velocity = state["velocity"]
        velocity *= self.momentum
        velocity -= downhill
        theta += self.momentum * velocity - downhill if self.nesterov else velocity


@dataclass(frozen=True)
class Adam:
    """Adam: steps scaled by running moments of the gradient.

    ::

        m <- beta_1 m + (1 - beta_1) g                 g = dL/dtheta
        v <- beta_2 v + (1 - beta_2) g^2
        theta <- theta - learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Parameters
    ----------
    learning_rate : float
        > 0.
    beta_1, beta_2 : float, default=0.9, 0.999
        In [0, 1): the share of each moment that is kept from step to step.
    epsilon : float, default=1e-8
        > 0: keeps the denominator away from zero.

    Notes
    -----
    Cost: about 10 flops, one square root and one division for each parameter; keeps two numbers for each parameter.
    Source: Kingma & Ba, "Adam" (2015), the more efficient order of section 2, as in scikit-learn.

    Examples
    --------
    >>> rule, theta = Adam(learning_rate=0.1), np.array([1.0, 2.0])
    >>> rule.step(theta, np.array([3.0, -0.001]), rule.init(theta))
    >>> theta.round(3)    # the first step is the learning rate, whatever the gradient's size
    array([0.9, 2.1])
    """

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        between("learning_rate", self.learning_rate, 0, np.inf, open_below=True)
        between("beta_1", self.beta_1, 0, 1)
        between("beta_2", self.beta_2, 0, 1)
        between("epsilon", self.epsilon, 0, np.inf, open_below=True)

    def init(self, theta: Array) -> State:
        """Return moments of zeros and a step count of 0."""
        return {"t": 0, "m": np.zeros(theta.shape, theta.dtype), "v": np.zeros(theta.shape, theta.dtype)}

    def step(self, theta: Array, gradient: Array, state: State, rate: float | None = None) -> None:
        """Move `theta` by one step of Adam."""
        state["t"] += 1
        t, m, v = state["t"], state["m"], state["v"]
        m *= self.beta_1
        m += (1 - self.beta_1) * gradient
        v *= self.beta_2
        v += (1 - self.beta_2) * gradient * gradient
        rate = self.learning_rate if rate is None else rate
        length = float(rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t))
        denominator = np.sqrt(v)
        denominator += self.epsilon
        theta -= length * m / denominator


SCHEDULES = ("constant", "invscaling", "adaptive", "cosine", "one_cycle", "step")
"""The schedules that a learning rate may follow."""

LBFGS_FALL, LBFGS_TOL, LEAST_FALL = 2.220446049250313e-09, 1e-4, 2e-15

ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 1 / 25, 1 / 250_000


@dataclass(frozen=True)
class Schedule:
    """The share of the full learning rate that each step takes.

    ::

        constant      1
        invscaling    1 / (1 + rows seen in earlier epochs)^power_t
        adaptive      1, until `training` divides it by 5 because the loss no longer improves
        cosine        (1 + cos(pi s)) / 2                              s: progress from 0 to 1
        one_cycle     from 1/25 up to 1 in the first 30 %, then down to 1/250000, along half cosines
        step          step_factor^(epochs done // step_every)

    Parameters
    ----------
    kind : str, default="constant"
        One of `SCHEDULES`.
    warmup : float, default=0.0
        In [0, 1): the share of all steps in which the rate first rises in a straight line from 0 to the full rate. For
        "cosine", the decay takes the remaining steps.
    power_t : float, default=0.5
        >= 0: the exponent of "invscaling".
    step_every : int, default=50
        >= 1: the number of epochs after which "step" lowers the rate.
    step_factor : float, default=0.1
        In (0, 1]: what "step" multiplies the rate by.

    Notes
    -----
    Source: "cosine" is Loshchilov & Hutter, "SGDR" (2017), equation 5, without restarts; "one_cycle" is Smith & Topin,
    "Super-convergence" (2018), with the shares of PyTorch's OneCycleLR; the first three are MLPClassifier's.

    Examples
    --------
    >>> Schedule("cosine", warmup=0.1)
    Schedule('cosine', warmup=0.1)
    >>> Schedule("cosine").shares(first=0, steps=4, total=4).round(3)
    array([1.   , 0.854, 0.5  , 0.146])
    >>> Schedule(warmup=0.5).shares(first=0, steps=4, total=4)
    array([0.5, 1. , 1. , 1. ])
    """

    kind: str = "constant"
    warmup: float = 0.0
    power_t: float = 0.5
    step_every: int = 50
    step_factor: float = 0.1

    def __post_init__(self) -> None:
        one_of("kind", self.kind, SCHEDULES)
        between("warmup", self.warmup, 0, 1)
        between("power_t", self.power_t, 0, np.inf)
        between("step_factor", self.step_factor, 0, 1, open_below=True, open_above=False)
        if not isinstance(self.step_every, int | np.integer) or self.step_every < 1:
            expected = "a whole number of epochs >= 1"
            raise OptionError(parameter="step_every", came=repr(self.step_every), expected=expected)
        if self.kind == "one_cycle" and self.warmup:
            raise OptionError(
                *(Setting("warmup"), f" is {self.warmup!r} with the schedule 'one_cycle', expected 0: "),
                "the cycle has a rise of its own.",
                parameter="warmup",
            )

    def __repr__(self) -> str:
        own = {"invscaling": ["power_t"], "step": ["step_every", "step_factor"]}.get(self.kind, [])
        shown = [f"{name}={getattr(self, name)!r}" for name in [*(["warmup"] if self.warmup else []), *own]]
        return f"Schedule({', '.join([repr(self.kind), *shown])})"

    @property
    def is_level(self) -> bool:
        """Whether every step takes the full rate."""
        return self.kind in ("constant", "adaptive") and not self.warmup

    @property
    def rise(self) -> float:
        """The share of all steps in which the rate rises."""
        return ONE_CYCLE_RISE if self.kind == "one_cycle" else self.warmup

    def shares(self, first: int, steps: int, total: int, *, epoch: int = 0, rows: float = 0) -> Array:
        """Return the shares of the steps of one epoch.

        Parameters
        ----------
        first : int
            Number of steps taken before this epoch, in this run.
        steps : int
            Number of steps in this epoch.
        total : int
            Number of steps in the whole run.
        epoch : int, default=0
            Number of epochs completed before this one, in this run.
        rows : float, default=0
            Number of rows seen before this epoch, each counted with its weight.

        Returns
        -------
        (steps,) array of float64
            In (0, 1].
        """
        if self.is_level:
            return np.ones(steps)
        t = np.arange(first, first + steps)
        rise = self.warmup * total
        s = (t - rise) / max(total - rise, 1)
        if self.kind == "cosine":
            shares = _half_cosine(1, 0, s)
        elif self.kind == "one_cycle":
            top, last = max(ONE_CYCLE_RISE * total - 1, 1), max(total - 1, 2)  # steps, as PyTorch counts them
            up, down = t / top, (t - top) / max(last - top, 1)
            shares = np.where(up < 1, _half_cosine(ONE_CYCLE_START, 1, up), _half_cosine(1, ONE_CYCLE_END, down))
        else:
            share = {"invscaling": (rows + 1) ** -self.power_t, "step": self.step_factor ** (epoch // self.step_every)}
            shares = np.full(steps, share.get(self.kind, 1.0))
        return np.where(t < rise, np.minimum((t + 1) / rise, 1), 1) * shares if rise else shares


def _half_cosine(start: float, end: float, s: Array) -> Array:
    return end + (start - end) * (1 + np.cos(np.pi * s.clip(0, 1))) / 2


PARAMETRIZATIONS = ("standard", "ntk")
"""How far weights move for a learning rate: see `rate_factors`."""


def rate_factors(
    layer_sizes: Sequence[int],
    rule: Rule,
    *,
    parametrization: str = "standard",
    bias_rate: float = 1.0,
    input_scale_rate: float | None = None,
    embedding_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> tuple[float, ...]:
    """Return the factor of the learning rate for each parameter of a network: W1, b1, W2, b2, ...

    ::

        theta_i <- theta_i + factor_i (change that the rule makes at the full learning rate)

                   W_l (a inputs)                  b_l
        standard   1                               bias_rate
        ntk        1 / sqrt(a) adam, 1 / a SGD     bias_rate

    Of an embedding, F, H and C have the factor of biases; V and E have the factor of weights, V with K inputs and E
    with as many inputs as there are levels.

    Under the neural tangent parametrization, ``W_l = V_l / sqrt(a)``, and V_l is trained. W_l then changes by
    1/sqrt(a) of the change of V_l. The derivative by V_l is 1/sqrt(a) of that by W_l, which shortens the step of SGD
    once more; the length of Adam's step doesn't depend on the scale of the derivative. Here W_l is kept, and the
    factors make it move as far.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of each layer, inputs and outputs included.
    rule : Rule
        For "ntk", a rule other than `SGD` counts as one like Adam.
    parametrization : {"standard", "ntk"}, default="standard"
        How the learning rate of the weights depends on the size of their layer.
    bias_rate : float, default=1.0
        >= 0: the factor of biases.
    input_scale_rate : float, optional
        > 0: the factor of a learned scale of the inputs, which comes last; None if there is none.
    embedding_shapes : mapping of str to tuple of int, optional
        The shapes of the parameters of an embedding, `Embedding.shapes`.

    Returns
    -------
    tuple of float
        Two for each layer, one for each parameter of the embedding, and one for the scale; empty if there is no scale
        and all are 1.

    Notes
    -----
    For Adam, V_l and W_l move alike but for `epsilon`. Weight decay, ``W <- W - rate weight_decay W``, is the same for
    V_l and for W_l, and takes no factor. The L2 penalty and the clip norm are those of W_l.

    Source: Jacot, Gabriel & Hongler, "Neural tangent kernel" (2018), section 3; Holzmüller, Grinsztajn & Steinwart,
    "Better by default" (2024), for the factor 0.1 of biases.

    Examples
    --------
    >>> rate_factors([4, 100, 3], Adam(0.01), parametrization="ntk", bias_rate=0.1)
    (0.5, 0.1, 0.1, 0.1)
    >>> rate_factors([4, 100, 3], SGD(0.01), parametrization="ntk")
    (0.25, 1.0, 0.01, 1.0)
    >>> rate_factors([4, 100, 3], SGD(0.01))
    ()
    """
    one_of("parametrization", parametrization, PARAMETRIZATIONS)
    between("bias_rate", bias_rate, 0, np.inf)
    if input_scale_rate is not None:
        between("input_scale_rate", input_scale_rate, 0, np.inf, open_below=True, other="None")
    elif parametrization == "standard" and bias_rate == 1:
        return ()
    power = 0.0 if parametrization == "standard" else 1.0 if isinstance(rule, SGD) else 0.5
    factors = tuple(factor for a in layer_sizes[:-1] for factor in (float(a) ** -power, float(bias_rate)))
    inputs = {"V": 1} | dict.fromkeys("FHC")  # the axis of the inputs; None: as a bias
    for name, shape in (embedding_shapes or {}).items():
        axis = inputs.get(name, 0)
        factors += (float(bias_rate) if axis is None else float(shape[axis]) ** -power,)
    return factors if input_scale_rate is None else (*factors, float(input_scale_rate))


class Iterate(NamedTuple):
    """The state of L-BFGS after an iteration.

    Attributes
    ----------
    theta : (p,) array of float64
        The parameters; a copy.
    loss : float
        The loss at theta.
    stop_reason : str
        Reason why the search ended: "converged", "max_iter", "max_fun" or "line_search". An empty string while the
        search is running.
    message : str
        The reason in SciPy's words.
    """

    theta: Array
    loss: float
    stop_reason: str = ""
    message: str = ""

    def __repr__(self) -> str:
        return f"Iterate(loss {self.loss:.6g}, {self.theta.size} parameters, {self.stop_reason or 'continuing'})"


class _OneThread:
    """Keeps SciPy's BLAS on one thread while anyone is inside.

    The number of threads mostly belongs to the process, so the first to enter sets it, and the last to leave puts it
    back. With OpenMP it belongs to the calling thread, so each sets it for itself.
    """

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.libraries: list[Any] | None = None
        self.threads: list[int] = []

    def enter(self) -> None:
        """Come in: from here on SciPy works on one thread."""
        with self.lock:
            if self.libraries is None:
                self.libraries = _blas_of_scipy()  # which takes a few milliseconds
            if not self.inside:
                self.threads = [library.get_num_threads() for library in self.libraries]
            self.inside += 1
            for library in self.libraries:
                _set_threads(library, 1)

    def leave(self) -> None:
        """Go out: the last puts the number of threads back."""
        with self.lock:
            self.inside -= 1
            for library, threads in zip(self.libraries or (), self.threads, strict=True):
                if not self.inside:
                    _set_threads(library, threads)


def _blas_of_scipy() -> list[Any]:
    """The BLAS library that belongs to SciPy alone; where it shares one with NumPy, that one."""
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    own = [library for library in found if f"{sep}scipy" in library.filepath]
    return own or list(found)


def _set_threads(library: Any, threads: int) -> None:
    """Set the number of threads; threadpoolctl itself obeys one Python thread alone and ignores the others."""
    getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


ONE_THREAD = _OneThread()


def lbfgs(
    objective: Callable[[Array], tuple[float, Array]], theta: Array, *, max_iter: int, max_fun: int, tol: float
) -> Iterator[Iterate]:
    """Minimize a loss by L-BFGS (SciPy's "L-BFGS-B"), one iteration for each item that the caller takes.

    Parameters
    ----------
    objective : callable
        ``objective(theta)`` -> loss, gradient; both in float64.
    theta : (p,) array
        The starting point.
    max_iter, max_fun : int
        Maximum number of iterations, and of calls of `objective`.
    tol : float
        The search has converged when no entry of the gradient exceeds `tol` in absolute value.

    Yields
    ------
    Iterate
        One for each iteration; then the last one again, with the reason for the end.

    Notes
    -----
    The search also ends when an iteration lowers the loss by less than a certain share, SciPy's ``ftol``: 2e-9 where
    `tol` is 1e-4 or more, as in scikit-learn, and less for a smaller `tol`.

    SciPy's ``minimize`` runs to its end and reports through callbacks; it can't be paused, as an iterator must be.
    Therefore ``minimize`` runs in a second thread. That thread sends each theta at which it needs the loss, and each
    finished iteration, through a queue, and waits for the answer. `objective` is called in the caller's thread, and
    only one of the two threads works at a time. When the caller stops iterating, the search ends and its thread is
    joined.

    While SciPy works, its BLAS library uses one thread: with more, it would add up the products of long vectors in
    another order. The iterates have therefore the same bits for any number of threads, if `objective` does.

    Source: Nocedal & Wright, *Numerical Optimization* (2006), algorithm 7.5.

    Examples
    --------
    >>> *_, last = lbfgs(lambda x: (float(x @ x), 2 * x), np.array([3.0]), max_iter=9, max_fun=99, tol=1e-8)
    >>> last.theta.round(6), last.stop_reason
    (array([0.]), 'converged')
    """
    from scipy.optimize import minimize

    questions: SimpleQueue[Array | Iterate | BaseException] = SimpleQueue()
    answers: SimpleQueue[Any] = SimpleQueue()  # None: the caller has stopped iterating

    def exchange(question: Array | Iterate | BaseException) -> Any:
        """Wait for the answer of the caller, who has all threads meanwhile."""
        ONE_THREAD.leave()
        try:
            questions.put(question)
            return answers.get()
        finally:
            ONE_THREAD.enter()

    def ask(theta: Array) -> tuple[float, Array]:
        answer: tuple[float, Array] | None = exchange(theta.copy())
        if answer is None:
            raise StopIteration
        return answer

    def tell(intermediate_result: Any) -> None:
        if exchange(Iterate(intermediate_result.x.copy(), float(intermediate_result.fun))) is None:
            raise StopIteration

    def search() -> None:
        fall = LBFGS_FALL * min(1.0, tol / LBFGS_TOL) ** 2
        options = {"maxiter": max_iter, "maxfun": max_fun, "gtol": tol, "ftol": max(fall, LEAST_FALL)}
        start = theta.astype(np.float64)
        ONE_THREAD.enter()
        try:
            end = minimize(ask, start, method="L-BFGS-B", jac=True, options=options, callback=tell)
            reasons = {0: "converged", 1: "max_iter" if end.nit >= max_iter else "max_fun"}
            reason = reasons.get(end.status, "line_search")
            last: Iterate | BaseException = Iterate(end.x, float(end.fun), reason, str(end.message))
        except BaseException as error:
            last = error
        ONE_THREAD.leave()
        questions.put(last)

    searcher = Thread(target=search, daemon=True)
    searcher.start()
    try:
        while True:
            item = questions.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Iterate):
                yield item
                if item.stop_reason:
                    return
                answers.put(True)
            else:
                answers.put(objective(item))
    finally:
        answers.put(None)
        searcher.join()


def __dir__() -> list[str]:
    return __all__
