"""The metrics of a model beside those of simpler models, as text and as JSON, and a verdict."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .charts import confusions, figures_table, plain_confusions, plain_table
from .talk import figure, harmless, shortened
from .terminal import console, rendered, wrapped

if TYPE_CHECKING:
    from ..functional.arrays import Array
    from ..training import Metrics

__all__ = ["Result", "figures_as_json", "groups_as_text"]

ROWS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log-loss",
    "brier_score": "Brier score",
    "calibration_error": "calibration error",
}
"""The metrics that are shown, and their names."""
CLEAR = 0.005
"""A difference of log-losses that counts."""
FEW_ROWS = 200
KEYS = {"linear model": "linear_model", "class frequencies": "classes_shares"}
"""The names of the columns in JSON."""


@dataclass(frozen=True)
class Result:
    """Metrics of a model and of simpler models on the same rows.

    Attributes
    ----------
    judged : str
        Rows on which the metrics were computed: "69 rows held out".
    columns : dict of str to Metrics
        Metrics of each model by the name of the model: the model itself first, then simpler ones.
    classes : (k,) array
    more : dict of str to list of float
        Other metrics, one value for each model.
    trained_on : bool
        Whether the network was trained on these rows.
    before : Metrics or None
        Metrics of the first model before its calibration, if it has one.
    temperature : float
        That of the calibration.
    on_rows_of_linear : Metrics or None
        Metrics of the first model on the rows that judged the linear model, if these are other rows.
    """

    judged: str
    columns: "dict[str, Metrics]"
    classes: "Array"
    more: dict[str, list[float]] = field(default_factory=dict)
    trained_on: bool = False
    before: "Metrics | None" = None
    temperature: float = 1.0
    on_rows_of_linear: "Metrics | None" = None

    def as_text(self) -> str:
        """Return the metrics of all models as a table, and the confusions of the first."""
        first, terminal, title = next(iter(self.columns.values())), console(), f"On {harmless(self.judged)}"
        header = ["", *self.columns]
        rows = [[shown, *(figure(getattr(one, name)) for one in self.columns.values())] for name, shown in ROWS.items()]
        rows += [[name, *(figure(one) if one == one else "" for one in values)] for name, values in self.more.items()]
        notes = self._notes()
        if terminal is None:
            more = "".join(f"{note}\n\n" for note in notes)
            return f"{title}\n{plain_table(header, rows)}\n\n{more}{plain_confusions(first, self.classes)}\n"
        rivals = len(self.columns) - ("class frequencies" in self.columns)
        heading = wrapped(title + (", the better figure marked" if rivals > 1 else ""), "bold")
        figures = figures_table(header, rows, rivals=rivals)
        said = [line for note in notes for line in (wrapped(note), "")]
        return rendered(terminal, "", heading, figures, *said, confusions(first, self.classes, terminal))

    def _notes(self) -> list[str]:
        """Return what the figures don't say: what calibration has changed, and which rows judged the linear model."""
        first, linear, notes = next(iter(self.columns.values())), self.columns.get("linear model"), []
        if linear is not None and linear.rows != first.rows:
            notes.append(f"The linear model was judged on {linear.rows} of these rows.")
        if self.before is not None:
            before = self.before
            notes.append(
                f"Calibration with temperature {self.temperature:.2f}: log-loss {figure(first.log_loss)}, was "
                f"{figure(before.log_loss)}; calibration error {figure(first.calibration_error)}, was "
                f"{figure(before.calibration_error)}"
            )
        return notes

    def as_json(self) -> dict[str, Any]:
        """Return the metrics by name: the first model's at the top level, every other model's under its name."""
        first, *others = self.columns
        facts = {"judged_on": self.judged, **figures_as_json(self.columns[first]), "classes": self.classes.tolist()}
        facts |= {name.lower(): values[0] for name, values in self.more.items() if values[0] == values[0]}
        if self.before is not None:
            facts["before_calibration"] = {name: getattr(self.before, name) for name in ROWS}
        for name in others:
            plain = figures_as_json(self.columns[name])
            facts[KEYS[name]] = {key: value for key, value in plain.items() if not key.startswith("confus")}
        return facts

    @property
    def is_useful(self) -> bool:
        """Whether the model has a clearly smaller log-loss than every simpler model that is not a part of it."""
        first, *others = self.columns.values()
        if "ensemble" in self.columns:  # a linear model that does as well is a part of it
            return first.log_loss <= self.columns["class frequencies"].log_loss - CLEAR
        return all(first.log_loss <= other.log_loss - CLEAR for other in others)

    def verdict(self) -> list[str]:
        """Return a sentence that compares the model with the simpler ones, or nothing if it is the only one."""
        name, first = next(iter(self.columns.items()))
        trivial, linear = self.columns["class frequencies"], self.columns.get("linear model")
        few = " With so few rows, each metric may be off by several hundredths."
        few = few if first.rows < FEW_ROWS and not self.trained_on else ""
        if name == "network" and linear is not None and _no_better(first, trivial) and not _no_better(linear, trivial):
            return [
                f"The network does worse than a linear model, and no better than the class frequencies: try "
                f"--early-stopping, a larger --alpha, or --hidden none.{few}"
            ]
        if first.log_loss >= trivial.log_loss:
            why = "the columns may hold no information about the target"
            return [f"The {name} does no better than the class frequencies: {why}.{few}"]
        if self.trained_on:
            return ["The network was trained on these rows: the figures don't show how well it predicts other rows."]
        if name == "linear model":
            right = f"its accuracy is {100 * first.accuracy:.1f} %"
            return [f"The model is linear, because no network predicts these rows better; {right}.{few}"]
        if linear is None:
            return []
        if name == "network" and first.log_loss > linear.log_loss - CLEAR:
            how = "better" if first.log_loss > linear.log_loss + CLEAR else "as well"
            return [f"A linear model does {how}: try --hidden none, or a preset.{few}"]
        if name == "ensemble" and first.log_loss > linear.log_loss - CLEAR and self.on_rows_of_linear is None:
            right = f"{100 * first.accuracy:.1f} % and {100 * linear.accuracy:.1f} % of the rows right"
            return [f"The ensemble and a linear model predict about equally well: {right}.{few}"]
        first, of_rows = self.on_rows_of_linear or first, "of the rows"
        if self.on_rows_of_linear is not None:
            of_rows = f"of the {first.rows} shared rows"
        both = f"{100 * first.accuracy:.1f} % {of_rows} right, a linear model {100 * linear.accuracy:.1f} %"
        gain, share = first.accuracy - linear.accuracy, linear.accuracy
        if gain <= (share * (1 - share) / first.rows) ** 0.5 and first.log_loss < linear.log_loss:  # one standard error
            both = f"{both}; the {name}'s probabilities are better"
        return [f"The {name} gets {both}.{few}"]


def figures_as_json(figures: "Metrics") -> dict[str, Any]:
    """Return the figures by name, with the confusion matrix if there is one."""
    named: dict[str, Any] = {name: getattr(figures, name) for name in ROWS}
    if figures.confusion is not None:
        named["confusion"] = figures.confusion.tolist()
    else:
        named["confused"] = [[i, j, count] for (i, j), count in sorted(figures.confused.items())]
    return named


def groups_as_text(by: str, groups: "dict[str, Metrics]") -> str:
    """Write a line of figures for each group that the values of a column make."""
    shown = ("accuracy", "balanced_accuracy", "log_loss")
    header = [harmless(by), "rows", *(ROWS[name] for name in shown)]
    rows = [
        [shortened(harmless(value)), str(one.rows), *(figure(getattr(one, name)) for name in shown)]
        for value, one in sorted(groups.items())
    ]
    terminal = console()
    if terminal is None:
        return plain_table(header, rows)
    return rendered(terminal, figures_table(header, rows)).strip("\n")


def _no_better(one: "Metrics", trivial: "Metrics") -> bool:
    return one.log_loss >= trivial.log_loss - CLEAR
