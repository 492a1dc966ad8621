"""What to write, and why, for a finding about the function or its precision rather than a step of the pass."""

from dataclasses import replace

from ..mistakes.causes import CAUSES
from .diagnosis import Diagnosis, Finding

__all__ = ["completed"]


def completed(diagnosis: Diagnosis) -> Diagnosis:
    """Give each finding that has no line or no reason of its own that of its cause.

    Parameters
    ----------
    diagnosis : Diagnosis

    Returns
    -------
    Diagnosis
    """
    return replace(diagnosis, findings=tuple(_completed(finding) for finding in diagnosis.findings))


def _completed(finding: Finding) -> Finding:
    cause = CAUSES[finding.cause]
    return replace(finding, line=finding.line or cause.line, reason=finding.reason or cause.reason)
