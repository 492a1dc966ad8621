"""A learner's file, or the gradients of a network whose activation isn't declared, diagnosed.

`glassmax.learner` runs the file in a process of its own; the program of that process is this module.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..learner import child_process
from ..learner.declarations import DECLARATIONS, Understood, understand
from ..learner.file_data import data_of
from ..learner.loaded_file import LearnerFile
from ..learner.parent_process import FileDiagnosis, run_file
from ..network import Network
from .examine import examine
from .mistakes.causes import NOT_IN_CATALOGUE
from .telling.diagnosis import WRONG, Diagnosis
from .telling.json_form import plain_diagnosis

__all__ = ["diagnose_file", "try_activations"]

PROGRAM = "glassmax.doctor.diagnose_file"
NO_LINES = "The wrong lines are not named: the function did not return when it was called again to find them."


def diagnose_file(
    path: str | Path,
    *,
    time_limit: float = 10.0,
    memory_limit: int | None = None,
    annotate: bool = False,
    **declarations: Any,
) -> FileDiagnosis:
    """Diagnose the function ``gradients(parameters, X, y)`` of a Python file, in a process of its own.

    The file may also have ``loss(parameters, X, y)``, ``parameters``, ``X``, ``y``, and lines that say what the network
    is: ``network = "4-10-3"``, ``activation``, ``output``, ``loss = "cross_entropy"``, ``l2``, ``declared``.

    Parameters
    ----------
    path : str or Path
        The file. It is loaded as a module: what stands under ``if __name__ == "__main__":`` doesn't run.
    time_limit : float, default=10.0
        Seconds > 0 for loading the file and diagnosing it.
    memory_limit : int, optional
        Bytes of address space; half of the machine's memory by default, 2 GiB at least. Only Linux holds to it.
    annotate : bool, default=False
        Whether the diagnosis has ``"annotated"``, the listing of the file with a note beside each line, in the form of
        `glassmax.doctor.lines.listing.Listing.plain`.
    **declarations
        network, activation, output, loss, l2, declared: each takes precedence over the file's own line.

    Returns
    -------
    FileDiagnosis

    Raises
    ------
    LearnerFileError
        If the file is missing, can't be loaded, or has nothing to diagnose.

    Examples
    --------
    >>> from glassmax.learner.template import write_template
    >>> write_template("my_backprop.py")
    >>> diagnose_file("my_backprop.py").diagnosis["verdict"]
    'correct'
    """
    return run_file(PROGRAM, path, time_limit, memory_limit, {**declarations, "annotate": annotate or None})


def try_activations(
    diagnose: Callable[[Network], Diagnosis], understood: Understood, in_time: Callable[[], bool] = lambda: True
) -> tuple[Diagnosis, list[str]]:
    """Diagnose with the assumed activation, or with another that explains what the assumed one does not.

    `in_time` says whether there is time for another try. The notes that are returned say what was assumed in the end.
    """
    assert understood.network is not None
    first = diagnose(understood.network)
    if _explained(first):
        return first, understood.notes
    for network in understood.others:
        if not in_time():
            break
        other = diagnose(network)
        if _explained(other):
            name = network.activations[0]
            note = f"No activation is declared: {name} explains these gradients, sigmoid does not."
            return other, [note]
    return first, understood.notes


def _explained(diagnosis: Diagnosis) -> bool:
    other_network = any(finding.other_network for finding in diagnosis.findings)
    return not other_network and NOT_IN_CATALOGUE not in diagnosis.causes


def _diagnosed(
    file: LearnerFile, seconds: float, keep: Callable[[dict[str, Any], list[str]], None]
) -> tuple[dict[str, Any], list[str]]:
    """Put together what the file has, and diagnose it; other activations are tried for so many seconds.

    What is known before the lines are looked for is handed to `keep`.
    """
    gradients, loss = file.gradients(), file.watch("loss")
    file.stage.reach("diagnosis")
    plain = partial(_plain, annotate=bool(file.options.pop("annotate", False)))
    declarations = {name: file.value(name) for name in DECLARATIONS} | file.options
    if loss is not None and not isinstance(declarations["loss"], str):
        declarations["loss"] = None
    understood = understand(declarations)
    data, said = data_of(file, gradients, understood.network, loss)
    given = {**data, "declared": understood.declared, "loss": loss}
    with_lines: dict[int, Callable[[], Diagnosis]] = {}

    def judge(network: Network | None) -> Diagnosis:
        diagnosis, more = examine(gradients, network=network, **given)
        with_lines[id(diagnosis)] = more
        return diagnosis

    notes: list[str] = []
    if understood.network is None:
        diagnosis = judge(None)
    else:
        end = time.monotonic() + seconds
        diagnosis, notes = try_activations(judge, understood, lambda: time.monotonic() < end)
    notes = [*notes, *said]
    keep(plain_diagnosis(diagnosis), [*notes, *([NO_LINES] if diagnosis.verdict == WRONG else [])])
    return plain(with_lines[id(diagnosis)]()), notes


def _plain(diagnosis: Diagnosis, annotate: bool) -> dict[str, Any]:
    """A diagnosis as JSON can hold it, with the listing of the file if that was asked for."""
    return plain_diagnosis(diagnosis) | ({"annotated": diagnosis.annotated.plain()} if annotate else {})


if __name__ == "__main__":
    child_process.main(sys.argv[1], _diagnosed)
