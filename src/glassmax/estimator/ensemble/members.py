"""The members of an ensemble: ordinary `SoftmaxClassifier`s on one thread each, trained side by side.

The bits of a member follow from its seed and its rows; they don't depend on how many members are trained at once, nor
on whether a member is trained here, trained on a worker, or restored from a checkpoint.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...embedding import Embedding, fitted_embedding
from ...engine import best_engine, logits
from ...errors import DivergenceError
from ...functional.arrays import Array
from ...network import Network
from ..classifier import SoftmaxClassifier
from ..run import Run
from .checkpoint import MemberFacts, SavedMember
from .folds import Folds
from .presets import MemberType, Numbers
from .selection import judge

__all__ = ["KnownMembers", "Member", "MembersElsewhere", "Rows", "Task", "Trainer", "saved_member"]


class Rows(NamedTuple):
    """Rows to train or to judge by.

    Attributes
    ----------
    X : (n, d) array or CSR matrix
    y : (n,) array of int, or (n, k) array of 0 and 1
        Class indices, or the candidates of each row.
    weight : (n,) array or None
        Sample weights, class weights included.
    """

    X: Any
    y: Array
    weight: Array | None = None

    def some(self, index: Array) -> "Rows":
        """Return some of the rows."""
        return Rows(self.X[index], self.y[index], None if self.weight is None else self.weight[index])


class Task(NamedTuple):
    """A member to be trained.

    Attributes
    ----------
    type : MemberType
    position : int
        Position of the type in the preset.
    number : int
        Number of the member among those of its type, from 0; decides which blocks it leaves out.
    """

    type: MemberType
    position: int
    number: int


@dataclass(frozen=True)
class Member:
    """A trained member, and how well it predicts rows that it has not seen.

    Attributes
    ----------
    type : str
        Name of its type.
    number : int
        Number among the members of its type, from 1.
    done, planned : int
        Number of members that have been trained, this one included, and of all that will be trained.
    seconds : float
        Duration of its training.
    log_loss, accuracy : float
        On the rows by which it was judged, its own temperature fitted; NaN if there are none.
    stop_reason : str
        As `SoftmaxClassifier.stop_reason_`; a member that has "diverged" is not used.
    classifier : SoftmaxClassifier
    """

    type: str
    number: int
    seconds: float
    log_loss: float
    accuracy: float
    stop_reason: str
    classifier: SoftmaxClassifier = field(repr=False)
    task: Task = field(repr=False)
    judged: Array = field(repr=False)
    done: int = 1
    planned: int = 1


class MembersElsewhere(Protocol):
    """Trains members of the same rows and folds in other processes."""

    n_workers: int

    def train(self, tasks: Sequence[Task], seed: int) -> Generator[SavedMember, None, None]:
        """Train members, and yield them in the order of the tasks; the last ones may be missing."""
        ...


class KnownMembers(Protocol):
    """Members that are not trained again, such as those of an `EnsembleCheckpoint`."""

    def member(self, position: int, number: int) -> SavedMember | None:
        """Return a member, by the position of its type and its number."""
        ...

    def add(self, member: SavedMember) -> None:
        """Keep a member that has been trained."""
        ...


class Trainer:
    """Trains members on the same rows, each without the blocks that it leaves out.

    Parameters
    ----------
    rows : Rows
    k : int
        Number of classes.
    folds : Folds
    validation : Rows or None
        Rows by which all members are judged, in place of those that they left out.
    seed : int
    n_threads : int
    memory_limit : int or None
        Bytes, that of each member in training.
    numbers : Numbers or None
        The columns of X that embeddings embed; None if they are chosen by their values.
    time_limit : float or None
        Seconds. A member is not begun if, by the time that the members before it took, it would end later.
    checkpoint : KnownMembers or None
        Members that it holds are restored; the others are added to it.
    elsewhere : MembersElsewhere or None
        Trains the members; None if they are trained on threads of this process.
    alive : callable
        Is called after each epoch, and several times a second within a long one.

    Attributes
    ----------
    ready : list of Member
        The members that have been trained or restored.
    """

    def __init__(
        self,
        rows: Rows,
        k: int,
        folds: Folds,
        *,
        validation: Rows | None,
        seed: int,
        n_threads: int,
        memory_limit: int | None = None,
        numbers: Numbers | None = None,
        time_limit: float | None = None,
        checkpoint: KnownMembers | None = None,
        elsewhere: MembersElsewhere | None = None,
        alive: Callable[[], None] | None = None,
    ) -> None:
        self.rows, self.k, self.folds, self.validation, self.seed = rows, k, folds, validation, seed
        self.n_threads, self.time_limit, self.checkpoint = n_threads, time_limit, checkpoint
        self.numbers, self.memory_limit, self.elsewhere = numbers, memory_limit, elsewhere
        self.alive = alive
        self.begun = time.monotonic()
        self.stopped = Event()
        self.first: Task | None = None
        self.seconds: dict[int, float] = {}
        self.sound = False
        self.ready: list[Member] = []

    def members(self, tasks: Sequence[Task]) -> Generator[tuple[Member, Array], None, None]:
        """Train members side by side, in the order of the tasks; yield those that were trained.

        Beside each member come its logits of the rows that judge it. They are not kept here: with many classes, they
        are larger than all else.
        """
        if self.first is None and tasks:
            self.first = tasks[0]
        trained = self._on_threads(tasks) if self.elsewhere is None else self._elsewhere(tasks, self.elsewhere)
        with closing(trained):
            for member, Z in trained:
                self._keep(member)
                self.ready.append(member)
                yield member, Z
                del member, Z

    def trained(self, task: Task) -> SavedMember | None:
        """Train a member, and return what a checkpoint keeps of it; None if it was stopped."""
        begun = time.monotonic()
        fitted = self._fitted(task, self.n_threads, None)
        return None if fitted is None else saved_member(fitted, task, time.monotonic() - begun)

    def _on_threads(self, tasks: Sequence[Task]) -> Generator[tuple[Member, Array], None, None]:
        side_by_side = min(self.n_threads, len(tasks))
        threads = max(1, self.n_threads // max(1, side_by_side))
        with ThreadPoolExecutor(max_workers=max(1, side_by_side)) as pool:
            futures = deque(pool.submit(self._train, task, threads) for task in tasks)
            try:
                while futures:
                    trained = futures.popleft().result()
                    if trained is not None:
                        yield trained
                        del trained
            except BaseException:
                self.stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _elsewhere(
        self, tasks: Sequence[Task], elsewhere: MembersElsewhere
    ) -> Generator[tuple[Member, Array], None, None]:
        """Have members trained elsewhere; with a time limit, only as many at once as there are workers."""
        at_once = len(tasks) if self.time_limit is None else elsewhere.n_workers
        for start in range(0, len(tasks), max(1, at_once)):
            some = [task for task in tasks[start : start + at_once] if self._may_begin(task)]
            with closing(elsewhere.train([task for task in some if self._restorable(task) is None], self.seed)) as new:
                for task in some:
                    saved = self._restorable(task) or next(new, None)
                    judged = saved and self._judged(task, self.n_threads, saved)
                    if judged is not None:
                        yield judged
                    del judged

    def _train(self, task: Task, n_threads: int) -> tuple[Member, Array] | None:
        if self.stopped.is_set() or not self._may_begin(task):
            return None
        return self._judged(task, n_threads, self._restorable(task))

    def _judged(self, task: Task, n_threads: int, saved: SavedMember | None) -> tuple[Member, Array] | None:
        """Train a member, or restore it, and judge it; None if it was stopped."""
        begun = time.monotonic()
        classifier = self._fitted(task, n_threads, saved)
        if classifier is None:
            return None
        seconds = time.monotonic() - begun if saved is None else saved.facts.seconds
        judged, of = np.flatnonzero(self.folds.left_out(task.number)), self.rows
        if self.validation is not None:
            judged, of = np.arange(len(self.validation.y)), self.validation
        rows = of.some(judged)
        Z = _logits(classifier, rows.X, self.k)
        figures = judge(Z, rows.y, rows.weight)
        reason = str(classifier.stop_reason_)
        name, number = task.type.name, task.number + 1
        self.sound = self.sound or reason != "diverged"
        self.seconds[task.position] = seconds
        return Member(name, number, seconds, figures.log_loss, figures.accuracy, reason, classifier, task, judged), Z

    def _fitted(self, task: Task, n_threads: int, saved: SavedMember | None) -> SoftmaxClassifier | None:
        """Return the classifier of a member, trained or restored; None if it was stopped."""
        left_out = self.folds.left_out(task.number)
        rows = self.rows.some(np.flatnonzero(~left_out)) if left_out.any() else self.rows
        seed = int(np.random.SeedSequence([self.seed, task.position, task.number]).generate_state(1)[0])
        parameters = task.type.for_rows(len(rows.y), self.numbers)
        bins = _fixed_embedding(parameters.get("embedding"), rows.X)
        if bins is not None:
            rows = rows._replace(X=bins.forward(rows.X, {}))
            parameters["embedding"] = None
        loss = "cross_entropy" if rows.y.ndim == 1 else "candidate_cross_entropy"
        settings: dict[str, Any] = {"output": "softmax", "loss": loss, "random_state": seed}
        settings |= {"n_threads": n_threads, "memory_limit": self.memory_limit}
        classifier = SoftmaxClassifier(**parameters, **settings)
        if not self._fit(classifier, rows, saved):
            return None
        if bins is not None:
            _embed(classifier, bins)
        return classifier

    def _fit(self, classifier: SoftmaxClassifier, rows: Rows, saved: SavedMember | None) -> bool:
        """Train a classifier, or restore it; return whether its training has come to its end."""
        validation, alive = (None, None, None), self.alive
        heard: dict[str, Any] = {"watched": False, "progress": None if alive is None else lambda *_: alive()}
        run = classifier._open_run(rows.X, rows.y, rows.weight, validation, np.arange(self.k), **heard)
        try:
            with run:
                if saved is not None:
                    _restore(run, saved)
                while not self.stopped.is_set() and run.next_epoch() is not None:
                    if alive is not None:
                        alive()
        except DivergenceError:
            pass  # `stop_reason_` says so
        return saved is not None or not self.stopped.is_set()

    def _restorable(self, task: Task) -> SavedMember | None:
        """Return a member that the checkpoint holds."""
        return None if self.checkpoint is None else self.checkpoint.member(task.position, task.number)

    def _keep(self, member: Member) -> None:
        """Add a member to the checkpoint."""
        if self.checkpoint is not None and self._restorable(member.task) is None:
            self.checkpoint.add(saved_member(member.classifier, member.task, member.seconds))

    def _may_begin(self, task: Task) -> bool:
        """Return whether a member would end in time; one is always trained, and others if it has diverged."""
        if self._restorable(task) is not None:
            return True
        if self.time_limit is None or task == self.first or (self.seconds and not self.sound):
            return True
        expected = self.seconds.get(task.position, max(self.seconds.values(), default=0.0))
        return time.monotonic() - self.begun + expected <= self.time_limit


def saved_member(fitted: SoftmaxClassifier, task: Task, seconds: float) -> SavedMember:
    """Return what a checkpoint keeps of a member."""
    facts = MemberFacts(task.position, task.number, fitted.n_iter_, int(fitted.t_), seconds, str(fitted.stop_reason_))
    return SavedMember(fitted.network_.theta, list(fitted.loss_curve_), facts)


def _restore(run: Run, saved: SavedMember) -> None:
    """Put a run at the end of its training."""
    run.network.theta = saved.theta
    run.state.loss_curve[:] = saved.loss_curve
    run.training.epochs, run.training.rows = saved.facts.epochs, saved.facts.rows
    run.state.resume()
    run.stop_reason = saved.facts.stop_reason


def _fixed_embedding(recipe: Any, X: Any) -> Embedding | None:
    """Return an embedding that has no parameters; None if there is none, or X is sparse.

    Such an embedding is computed once, before the training. Mixup then mixes embedded rows. Mixed before the embedding,
    a row between two others would have their class in bins where rows of another class may lie.
    """
    if recipe is None or hasattr(X, "tocsr"):
        return None
    embedding = fitted_embedding(recipe, X)
    return embedding if embedding is not None and not embedding.shapes else None


def _embed(classifier: SoftmaxClassifier, embedding: Embedding) -> None:
    """Make a classifier that was trained on embedded rows one of the rows themselves."""
    trained = classifier.network_
    classifier.network_ = Network.from_parameters(
        dict(trained.parameters), dtype=trained.theta.dtype, **{**trained.options, "embedding": embedding}
    )
    classifier.n_features_in_ = embedding.d
    classifier.set_params(embedding=embedding)


def _logits(classifier: SoftmaxClassifier, X: Any, k: int) -> Array:
    network = classifier.network_
    X = X.astype(network.theta.dtype, copy=False)
    blocks = logits(best_engine(classifier.n_threads), network, X)
    return np.concatenate([np.zeros((0, k), np.float32), *blocks]).astype(np.float32, copy=False)
