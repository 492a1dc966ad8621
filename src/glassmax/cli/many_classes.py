"""What `glassmax train` does with very many classes: it trains one network in place of a preset."""

from typing import TYPE_CHECKING, Any

from ..engine import MANY_CLASSES
from ..errors import DataError

if TYPE_CHECKING:
    from ..estimator.tables.rows import TableRows

__all__ = ["FOR_MANY_CLASSES", "MANY_CLASSES", "refuse_preset"]

FOR_MANY_CLASSES: dict[str, Any] = {
    "hidden": (128,),
    "dtype": "float32",
    "batch_size": 256,
    "learning_rate": 0.01,
    "schedule": "one_cycle",
    "epochs": 10,
}
"""The options of the network that is trained in place of a preset."""


def refuse_preset(options: dict[str, Any], rows: "TableRows") -> None:
    """Raise an error if an option asks for a preset, which keeps a probability of each class for each row."""
    typed = next(
        (
            name
            for name in ("preset", "time_limit", "tune", "study", "engine")
            if options[name] not in (None, "default")
        ),
        "",
    )
    if not typed and rows.sets is None:
        return
    what = "A" if typed in ("", "preset") else f"--{typed.replace('_', '-')} applies to presets, and a"
    remedy = "Pass --hidden 128 to train one network, or --min-count 10 to put rare classes together."
    if not typed:
        remedy = "Leave --candidates out, or put classes together in the table."
    raise DataError(
        f"{what} preset takes fewer than {MANY_CLASSES:,} classes, because it keeps a probability for each row and "
        f"class. {rows.table.name} has {len(rows.classes):,} classes of {rows.target}. {remedy}"
    )
