"""`diagnose`: arrays, a function or a PyTorch model, each examined in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, ShapeError
from ..functional.arrays import Array
from ..network import Network
from .behaviour import watch
from .case import Case, relative_errors
from .exact_pass import Pass
from .judge import UNREADABLE, Judgement, judge, named_by_lines, with_findings
from .lines.annotate import Fault, annotate
from .lines.listing import Listing
from .lines.program import Program
from .lines.recordings import Recordings
from .mistakes.causes import CAUSES, NOT_IN_CATALOGUE
from .precision import deviation_told, rounds_to_single
from .pytorch.diagnose_module import diagnose_module, is_module
from .reading.answers import Answer
from .reading.function import Learner, read_call
from .reading.input_arrays import read_array, read_parameters
from .reading.probes import Probe, fresh_probes, rows_matter
from .reading.problem import Given, Problem, parameters_of, problems
from .telling.diagnosis import CORRECT, OTHERWISE_CORRECT, WRONG, Diagnosis, Finding
from .telling.lines import asks_of, with_lines
from .telling.memory_lines import CAUSES_OF_MEMORY, with_memory_lines
from .unknown_loss import judge_measured

__all__ = ["diagnose", "examine"]

READINGS = 4
SECONDS, MOST_SECONDS = 4.0, 10.0
"""The limit of time for the wrong lines: at least, and at most. The search itself ends long before."""
NEARLY = 1e-3
NO_GRADIENTS = Listing(why="the function returns no gradients that can be read, or different ones each time")
UNKNOWN_LOSS = Listing(why="your loss is that of no known network, so there are no arrays to compare your arrays with")
COUPLED = "L = 1/n sum_i L_i: each row has its own forward and backward pass, and only dW and db sum over i"


def diagnose(
    gradients_or_function: Mapping[str, npt.ArrayLike] | Sequence[npt.ArrayLike] | Callable[..., Any],
    X: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    network: Network | None = None,
    loss: Callable[..., Any] | str | None = None,
    parameters: Mapping[str, Any] | Sequence[Any] | None = None,
    declared: bool = False,
) -> Diagnosis:
    """Say what is wrong with a gradient: the first wrong array, the mistake that explains it, and the right line.

    Parameters
    ----------
    gradients_or_function : mapping, sequence or callable
        Your gradients, by name or in the order of the parameters. Better: the function ``f(parameters, X, y)`` that
        returns your gradients. The function is also called on other data, where mistakes differ that give the same
        numbers on your data. Or a PyTorch model, with its criterion as `loss`.
    X : (n, d) array
        Inputs. Samples may also be columns, or X a single sample, if you pass `parameters`.
    y : array
        Class indices, or one row (column) of targets for each sample.
    network : Network, optional
        Network that the gradients belong to.
    loss : callable or "network", optional
        Your own ``loss(parameters, X, y)``, or ``"network"`` if your loss is exactly the loss of the network. Either
        declares the loss: a factor that all gradients share is then a mistake. Otherwise it is a convention.
    parameters : mapping or sequence, optional
        The parameters at which the gradients were computed, in your names and layout: weights (in, out) or (out, in),
        biases of any shape or none. By default the parameters of the network.
    declared : bool, default=False
        The same as ``loss="network"``.

    Returns
    -------
    Diagnosis
        Shown as text at the prompt; its fields are ``.verdict``, ``.findings``, ``.first_wrong``, ``.conventions``.

    Raises
    ------
    ShapeError, LabelError
        If X, y and the parameters don't fit together.
    OptionError
        If there is nothing to compare the gradients with.

    Notes
    -----
    A cause is named only if simulating it gives your numbers to rounding; `docs/doctor.md` says how, and which
    causes no data can tell apart. Your function is called in this process, on copies.

    Examples
    --------
    >>> import numpy as np
    >>> import glassmax as gm
    >>> net = gm.Network([4, 5, 3], activation="sigmoid")
    >>> X, y = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 0])
    >>> gradients = dict(net.loss_and_gradients(X, y)[1])
    >>> diagnose(gradients, X, y, network=net).verdict
    'correct'
    >>> diagnosis = diagnose(gradients | {"b2": gradients["b2"] / 6}, X, y, network=net)
    >>> diagnosis.verdict, diagnosis.first_wrong, diagnosis.causes
    ('wrong', 'db2', ('bias_averaged',))
    """
    _, with_lines = examine(gradients_or_function, X, y, network, loss, parameters, declared)
    return with_lines()


def examine(
    handed_in: Any, X: Any, y: Any, network: Any, loss: Any, parameters: Any, declared: bool
) -> tuple[Diagnosis, Callable[[], Diagnosis]]:
    """Return the diagnosis, and a function that returns it with the wrong lines of the learner's program.

    The arguments are those of `diagnose`. The learner's function is called again for its lines, and may not return.
    """
    if is_module(handed_in):
        diagnosis = diagnose_module(handed_in, X, y, loss=loss)
        return diagnosis, lambda: diagnosis
    if handed_in is None:
        raise OptionError(
            "gradients_or_function is None, expected your gradients, or your function f(parameters, X, y) that returns "
            "them. Pass it first; if a function made it, check whether its `return` is missing."
        )
    given = _given(X, y, network, loss, parameters, declared)
    judge_read_as = _function_read_as if callable(handed_in) else _arrays_read_as
    with np.errstate(all="ignore"):  # mistakes are simulated that overflow; what isn't finite matches nothing
        started = time.perf_counter()
        judgement = _best(judge_read_as, handed_in, given)
        seconds = time.perf_counter() - started

    def with_lines() -> Diagnosis:
        with np.errstate(all="ignore"):
            return _completed(_with_lines(judgement, seconds))

    return _completed(judgement.diagnosis), with_lines


def _given(X: Any, y: Any, network: Any, loss: Any, parameters: Any, declared: bool) -> Given:
    if network is not None and not isinstance(network, Network):
        raise OptionError(f"network is a {type(network).__name__}, expected a glassmax.Network.")
    if network is not None and network.embedding is not None:
        raise OptionError(
            "network has an embedding, which the doctor doesn't know. Use network.check_gradients(X, y), or pass a "
            "network of its layers alone with the embedded inputs: X=network.forward(X).A[0]."
        )
    if network is not None and network.head.loss == "candidate_cross_entropy":
        raise OptionError(
            "network has the loss candidate_cross_entropy, which the doctor doesn't know. Use "
            "network.check_gradients(X, y), or compare your gradients with those of network.loss_and_gradients(X, y)."
        )
    unknown = [] if network is None else [*network.head.options, *(["frozen parameters"] if network.frozen else [])]
    if unknown:
        raise OptionError(
            f"network has {' and '.join(unknown)}, which the doctor doesn't know. Use network.check_gradients(X, y), "
            "or compare your gradients with those of network.loss_and_gradients(X, y)."
        )
    if X is None or y is None:
        raise ShapeError(
            f"{'X' if X is None else 'y'} is missing. Pass the X and y at which the gradients were computed."
        )
    if loss is not None and not callable(loss) and not (isinstance(loss, str) and loss == "network"):
        raise OptionError(f"loss is {loss!r}, expected your own function loss(parameters, X, y), or 'network'.")
    if loss is not None and not callable(loss) and network is None:
        raise OptionError("loss is 'network', but no network is given. Pass network=glassmax.Network([...]).")
    if network is None and parameters is None:
        raise OptionError("Neither network nor parameters are given. Pass the one whose gradients these should be.")
    own = loss if callable(loss) else None
    if own is None and network is None:
        raise OptionError(
            "Neither network nor loss is given, so there is nothing to compare the gradients with. "
            "Pass network=glassmax.Network([...]), or your own loss=f(parameters, X, y)."
        )
    chosen = parameters_of(network) if parameters is None and network is not None else parameters
    rows, target = read_array("X", X), _target(y)
    return Given(
        network, own, read_parameters(chosen), rows, target, declared or loss is not None, parameters is not None
    )


def _target(y: Any) -> Array:
    """The targets, an array; whether they are labels at all is read with the layout."""
    try:
        array = np.asarray(y)
    except ValueError:
        return read_array("y", y)
    return read_array("y", y) if array.dtype.kind in "f" or array.dtype == object or array.size == 0 else array


def _best(judge_read_as: Callable[[Any, Problem], Judgement], handed_in: Any, given: Given) -> Judgement:
    """The judgement of the reading under which the gradients are right, or else the cheapest to explain."""
    best: Judgement | None = None
    for problem in islice(problems(given), READINGS):
        judgement = judge_read_as(handed_in, problem)
        if judgement.diagnosis.correct:
            return judgement
        if best is None or judgement.cost < best.cost:
            best = judgement
    if best is not None:
        return best
    measured = judge_measured(handed_in, given)
    if callable(handed_in):
        measured = replace(measured, listing_maker=lambda _: UNKNOWN_LOSS)
    return Judgement(measured, UNREADABLE)


def _with_lines(judgement: Judgement, seconds: float) -> Diagnosis:
    """Name the wrong lines of the learner's program, if it is one; `seconds` are what the rest has taken."""
    d, program = judgement.diagnosis, judgement.program
    if program is None or d.verdict != WRONG:
        return d
    if {*d.causes} <= {*CAUSES_OF_MEMORY} and all(line.correct for line in d.lines):  # no line computes anything wrong
        return with_memory_lines(d, program.recordings[0])
    asks = asks_of(d.findings, program.rerun.layout)
    lines = program.wrong_lines(asks, max(SECONDS, min(2 * seconds, MOST_SECONDS)))
    named = judgement if judgement.case is None else named_by_lines(judgement, judgement.case, lines)
    if named is not judgement:
        asks = []
    told = with_lines(named.diagnosis, asks, lines, program.rerun.layout, program.passes[0].n)
    return with_memory_lines(told, program.recordings[0])


def _completed(diagnosis: Diagnosis) -> Diagnosis:
    """Give each finding that has no line or no reason of its own that of its cause."""
    findings = []
    for finding in diagnosis.findings:
        cause = CAUSES[finding.cause]
        findings.append(replace(finding, line=finding.line or cause.line, reason=finding.reason or cause.reason))
    return replace(diagnosis, findings=tuple(findings))


# a function


def _function_read_as(function: Callable[..., Any], problem: Problem) -> Judgement:
    given = problem.given
    names = [name for name, _ in given.named]
    learner = Learner(function, given.parameters, names)
    watched = watch(problem, learner)
    if watched.first is None or not watched.usable:
        return Judgement(Diagnosis(WRONG, watched.findings, listing_maker=lambda _: NO_GRADIENTS), UNREADABLE)
    shapes = [array.shape for array in watched.first.arrays]
    p = problem.own_pass()
    own = watched.first.ours(problem.layout)
    shaped = [key for key, T in p.truth.items() if own[key].shape == T.shape]
    probes = [probe for probe in fresh_probes(problem, learner, shapes) if _keeps_shapes(problem, probe, shaped)]
    passes = [p, *(probe.p for probe in probes)]
    arguments = [(problem.arrays, given.X, given.y), *(probe.arguments for probe in probes)]
    case = Case(
        problem,
        passes,
        [own, *(probe.answer.ours(problem.layout) for probe in probes)],
        [True, *(probe.same_rows for probe in probes)],
        watched.first.single_precision,
        Recordings(learner, passes, arguments),
    )
    judgement = judge(case)
    if _nearly(judgement) and rounds_to_single(problem, learner):
        judgement = judge(replace(case, single_precision=True))
    judgement = _with_reshaped(judgement, problem, watched.first)
    if judgement.deviation and not judgement.diagnosis.findings:
        judgement = deviation_told(judgement, rounds_to_single(problem, learner))
    if not {*watched.wrote} & {*names}:  # weights that the function changes make its gradients no sum over rows either
        judgement = _coupled(problem, learner, watched.first, judgement)
    causes = [CAUSES[cause] for cause in judgement.diagnosis.causes]
    named = judgement.diagnosis.verdict == WRONG and not all(cause.vague for cause in causes)
    explained = {cause.explains for cause in causes} & {finding.cause for finding in watched.findings}
    first = (learner.accumulates or not named) and not explained
    program = Program(learner, problem, case.passes, arguments, case.recordings, case.single_precision)
    judgement = replace(judgement, program=program, case=case)
    return _with_listing(with_findings(judgement, watched.findings, first), case)


def _with_listing(judgement: Judgement, case: Case) -> Judgement:
    """Let the diagnosis make the listing of the learner's program when it is asked for."""
    d = judgement.diagnosis

    def made(faults: Mapping[int, Fault]) -> Listing:
        with np.errstate(all="ignore"):
            return annotate(
                [_own_pass(case, d), *case.passes[1:]],
                case.recordings.patient() if isinstance(case.recordings, Recordings) else case.recordings,
                columns=case.problem.layout.columns,
                turned=case.problem.layout.transposed,
                single_precision=case.single_precision,
                correct=d.correct,
                faults=faults,
            )

    return replace(judgement, diagnosis=replace(d, listing_maker=made))


def _own_pass(case: Case, diagnosis: Diagnosis) -> Pass:
    """The pass of the learner's own data, with their derivative at 0 if that is another than the library's."""
    if "kink" not in diagnosis.causes:
        return case.passes[0]
    tried = [case.passes[0], *(case.problem.own_pass(at_kink) for at_kink in (1.0, 0.5))]
    return min(tried, key=lambda p: max(relative_errors(p, case.gradients[0]).values()))


def _nearly(judgement: Judgement) -> bool:
    """Whether gradients are off by no more than float32 can make of them, and by no known mistake."""
    errors = [line.error for line in judgement.diagnosis.lines]
    return NOT_IN_CATALOGUE in judgement.diagnosis.causes and max(errors, default=1.0) < NEARLY


def _keeps_shapes(problem: Problem, probe: Probe, keys: Sequence[tuple[str, int]]) -> bool:
    """Whether the gradients with the right shape on the learner's data have the right shape here too."""
    answer = probe.answer.ours(problem.layout)
    return all(answer[key].shape == probe.p.truth[key].shape for key in keys)


def _coupled(problem: Problem, learner: Learner, first: Answer, judgement: Judgement) -> Judgement:
    """Report a mistake outside the catalogue as `batch_coupling`, if the rows of a batch affect one another."""
    d = judgement.diagnosis
    unknown = next((finding for finding in d.findings if finding.cause == NOT_IN_CATALOGUE), None)
    if unknown is None or len(problem.targets.Y) < 2:
        return judgement
    says = rows_matter(problem, learner, first)
    if not says:
        return judgement
    where = f"; {unknown.where} is the first array where this shows" if unknown.where else ""
    mixed = replace(unknown, cause="batch_coupling", says=says + where, reason=COUPLED)
    findings = tuple(mixed if finding is unknown else finding for finding in d.findings)
    return replace(judgement, diagnosis=replace(d, findings=findings))


# arrays


def _arrays_read_as(gradients: Any, problem: Problem) -> Judgement:
    names = [name for name, _ in problem.given.named]
    call = read_call(gradients, names, problem.arrays, problem.given.X)
    if call.answer is None:
        return Judgement(Diagnosis(WRONG, (Finding(call.cause, "", says=call.message),)), UNREADABLE)
    answer = call.answer
    bad = [name for name, array in zip(names, answer.arrays, strict=True) if not np.isfinite(array).all()]
    if bad:
        says = f"the gradient of {', '.join(bad[:5])} contains infinity or NaN"
        return Judgement(Diagnosis(WRONG, (Finding("not_finite", bad[0], tuple(bad), says),)), UNREADABLE)
    turned = not problem.given.own_parameters and _all_turned(problem, answer.arrays)
    case = Case(problem, [problem.own_pass()], [answer.ours(problem.layout, turned)], [True], answer.single_precision)
    judgement = deviation_told(_with_reshaped(judge(case), problem, answer), None)
    if not turned:
        return judgement
    d = judgement.diagnosis
    verdict = OTHERWISE_CORRECT if d.verdict == CORRECT else d.verdict
    said = (*d.conventions, "read as: weights (out, in), because every dW has the shape of Wᵀ")
    return Judgement(Diagnosis(verdict, d.findings, d.first_wrong, said, d.lines), judgement.cost)


def _with_reshaped(judgement: Judgement, problem: Problem, answer: Answer) -> Judgement:
    """Say where a bias' gradient has an axis of length 1 more or less than the bias."""
    told = [
        f"{role.name} has shape {array.shape}, the bias {role.shape}"
        for role, array in zip(problem.layout.roles, answer.arrays, strict=True)
        if role.kind == "b" and array.shape != role.shape and array.size == int(np.prod(role.shape)) > 1
    ]
    d = judgement.diagnosis
    if not told or not d.correct:
        return judgement
    said = (
        *d.conventions,
        f"an axis of length 1 too many or too few is not a mistake: the gradient of {', '.join(told)}",
    )
    return replace(judgement, diagnosis=replace(d, conventions=said))


def _all_turned(problem: Problem, arrays: Sequence[Array]) -> bool:
    """Whether all weights came as (out, in): a layout, not a mistake."""
    pairs = [
        (role.shape, array.shape) for role, array in zip(problem.layout.roles, arrays, strict=True) if role.kind == "W"
    ]
    telling = [(shape, came) for shape, came in pairs if shape != shape[::-1]]
    return bool(telling) and all(came == shape[::-1] for shape, came in telling)
