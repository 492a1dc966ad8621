"""A diagnosis as plain data: what goes from one process to another, and to programs that read JSON.

Only text, numbers, lists and mappings come out, so nothing that is read back can run code.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["json_ready", "plain_diagnosis"]

FIELDS = ("verdict", "correct", "first_wrong", "first_wrong_line", "conventions", "lines", "findings")
FINDING_FIELDS = (
    "cause",
    "where",
    "parameters",
    "says",
    "evidence",
    "line",
    "reason",
    "cell",
    "indistinguishable",
    "line_number",
    "statement",
    "write",
    "move",
    "right_so_far",
    "other_lines",
)
MOST_CELLS = 10_000


def plain_diagnosis(diagnosis: Any) -> dict[str, Any]:
    """Return a diagnosis as a dictionary that JSON can hold: its fields, and the text for people."""
    answer = {name: json_ready(getattr(diagnosis, name)) for name in FIELDS if name != "findings"}
    answer["findings"] = [
        {name: json_ready(getattr(finding, name)) for name in FINDING_FIELDS} for finding in diagnosis.findings
    ]
    return answer | {"text": str(diagnosis)}


def json_ready(value: Any) -> Any:
    """Return a value as text, numbers, lists and mappings; a number that JSON has no word for becomes text.

    Examples
    --------
    >>> json_ready({"W1": np.array([1.0, np.nan]), "n": np.int64(3)})
    {'W1': [1.0, 'nan'], 'n': 3}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.generic):
        return json_ready(value.item())
    if isinstance(value, np.ndarray):
        return (
            [json_ready(cell) for cell in value.tolist()] if value.size <= MOST_CELLS else f"an array of {value.shape}"
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_ready(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_ready(item) for item in value]
    return str(value)
