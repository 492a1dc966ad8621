"""The lines of mistakes that the gradients don't show: what the function changes that it should leave alone."""

from dataclasses import replace

from ...learner.recording import Recording
from ..lines.written_memory import (
    bound_as_the_same,
    last_reader,
    writes_into_another_name,
    writes_into_argument,
    writes_into_past,
)
from .diagnosis import Diagnosis, Finding

__all__ = ["CAUSES_OF_MEMORY", "with_memory_lines"]

CAUSES_OF_MEMORY = ("writes_inputs", "in_place", "accumulates")


def with_memory_lines(diagnosis: Diagnosis, recording: Recording | None) -> Diagnosis:
    """Give each finding about memory that has no line yet the line that writes there."""
    if recording is None:
        return diagnosis
    return replace(diagnosis, findings=tuple(_with_line(finding, recording) for finding in diagnosis.findings))


def _with_line(finding: Finding, recording: Recording) -> Finding:
    if finding.cause == "updated_weights" and _does_nothing(finding.write):
        return _moved(finding, recording)
    return _told(finding, recording) if finding.cause in CAUSES_OF_MEMORY and not finding.line_number else finding


def _does_nothing(write: str) -> bool:
    """Whether a line changes nothing: the update that stood there was left out."""
    left, _, right = write.partition("=")
    return write == "pass" or left.strip() == right.strip() != ""


def _moved(finding: Finding, recording: Recording) -> Finding:
    """Tell where an update belongs: below the last line that uses the weights as they were."""
    reader = last_reader(recording, finding.line_number)
    if reader is None:
        move = f"line {finding.line_number} to the end, below the last line that uses these weights"
    else:
        line, name = reader
        move = f"line {finding.line_number} below line {line}, which needs {name} as it was before the update"
    return replace(finding, write="", move=move)


def _told(finding: Finding, recording: Recording) -> Finding:
    if finding.cause == "in_place":
        return _of_two_names(finding, recording)
    find = writes_into_argument if finding.cause == "writes_inputs" else writes_into_past
    found = find(recording)
    return finding if found is None else replace(finding, line_number=found.line, statement=found.text)


def _of_two_names(finding: Finding, recording: Recording) -> Finding:
    """Tell the line that changes an array, and the line that gave it its second name."""
    change = writes_into_another_name(recording)
    if change is None:
        return finding
    bound = bound_as_the_same(recording, change)
    name, other = (bound.path, bound.other) if bound is not None else (change.path, change.other)
    says = f"line {change.line} changes {change.other} too: {change.path} and {change.other} are the same array"
    at = f" (line {bound.line})" if bound is not None else ""
    return replace(
        finding,
        says=f"{says}, because `=` makes no copy{at}",
        line_number=change.line,
        statement=change.text,
        write=f"{name} = {other}.copy()",
        other_lines=() if bound is None else ((bound.line, bound.text, ""),),
    )
