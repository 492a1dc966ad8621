"""The metrics of a model beside those of simpler models, as text and as JSON, and a verdict."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .charts import confusions, figures_table, plain_confusions, plain_table
from .talk import figure, harmless, joined, shortened
from .terminal import console, rendered, wrapped

if TYPE_CHECKING:
    from ..functional.arrays import Array
    from ..training import Metrics

__all__ = ["Result", "classes_as_json", "figures_as_json", "groups_as_text"]

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
FEW_ROWS, MOST_CLASSES = 200, 10
MOST_IN_JSON = 1000
"""Maximum number of classes in JSON, the first ones, and of confused pairs, the most frequent ones."""
KEYS = {"linear model": "linear_model", "class frequencies": "class_frequencies"}
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
    of_preset : bool
        Whether the model was made by a preset, which chooses among networks and a linear model.
    unjudged : list of str
        Classes that none of the rows has.
    before : Metrics or None
        Metrics of the first model before its calibration, if it has one.
    on_rows_of_linear : Metrics or None
        Metrics of the first model on the rows that judged the linear model, if these are other rows.
    notes : list of str
        Sentences to print below the metrics.
    """

    judged: str
    columns: "dict[str, Metrics]"
    classes: "Array"
    more: dict[str, list[float]] = field(default_factory=dict)
    trained_on: bool = False
    of_preset: bool = False
    unjudged: list[str] = field(default_factory=list)
    before: "Metrics | None" = None
    on_rows_of_linear: "Metrics | None" = None
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        """Return the metrics of all models as a table, and the confusions of the first."""
        first, terminal, title = next(iter(self.columns.values())), console(), f"On {harmless(self.judged)}"
        shown = self._shown()
        header = ["", *shown]
        rows = [[words, *(figure(getattr(one, name)) for one in shown.values())] for name, words in ROWS.items()]
        places = {name: place for place, name in enumerate(self.columns)}
        rows += [
            [words, *(figure(values[places[name]]) if _is_there(values, places.get(name)) else "" for name in shown)]
            for words, values in self.more.items()
        ]
        if terminal is None:
            more = "".join(f"{note}\n\n" for note in self.notes)
            return f"{title}\n{plain_table(header, rows)}\n\n{more}{plain_confusions(first, self.classes)}\n"
        compared = self._compared(list(shown))
        heading = wrapped(title + (", the better figure marked" if len(compared) > 1 else ""), "bold")
        figures = figures_table(header, rows, compared=compared)
        said = [line for note in self.notes for line in (wrapped(note), "")]
        return rendered(terminal, "", heading, figures, *said, confusions(first, self.classes, terminal))

    def _shown(self) -> "dict[str, Metrics]":
        """Return the metrics of each column that is shown, by its heading, which names the rows where they differ."""
        (name, first), *others = self.columns.items()
        shown = {name: first}
        if self.before is not None and self.on_rows_of_linear is None:  # five columns don't fit a terminal
            shown["uncalibrated"] = self.before
        for other, metrics in others:
            if other == "linear model" and self.on_rows_of_linear is not None:
                shown[f"{name}, {metrics.rows} rows"] = self.on_rows_of_linear
                other = f"{other}, {metrics.rows} rows"
            shown[other] = metrics
        return shown

    def _compared(self, names: list[str]) -> list[int]:
        """Return the positions of the models that are compared: on the same rows, and with the same calibration."""
        rivals = ("linear model", "linear model, ")
        for position, name in enumerate(names):
            if position and name.startswith(rivals):
                return [0 if self.on_rows_of_linear is None else position - 1, position]
        return [0, 1] if "uncalibrated" in names else []

    def as_json(self) -> dict[str, Any]:
        """Return the metrics by name: the first model's at the top level, every other model's under its name."""
        first, *others = self.columns
        facts = {"judged_on": self.judged, **figures_as_json(self.columns[first], self.classes)}
        facts |= classes_as_json(self.classes)
        facts |= {name.lower(): values[0] for name, values in self.more.items() if values[0] == values[0]}
        if self.before is not None:
            facts["before_calibration"] = {name: getattr(self.before, name) for name in ROWS}
        for name in others:
            plain = figures_as_json(self.columns[name], self.classes)
            facts[KEYS[name]] = {key: value for key, value in plain.items() if not key.startswith("confus")}
        return facts

    @property
    def celebrates(self) -> bool:
        """Whether the verdict is good and certain: the model is useful, and judged on enough rows of every class."""
        first, linear = next(iter(self.columns.values())), self.columns.get("linear model")
        own = self.on_rows_of_linear or first
        beaten = linear is not None and linear.log_loss <= own.log_loss - CLEAR
        return self.is_useful and first.rows >= FEW_ROWS and not (beaten or self.unjudged or self.trained_on)

    @property
    def is_useful(self) -> bool:
        """Whether the model has a clearly smaller log-loss than every simpler model that is not a part of it."""
        first, *others = self.columns.values()
        if self.of_preset:  # a linear model that does as well is a part of it
            return first.log_loss <= self.columns["class frequencies"].log_loss - CLEAR
        return all(first.log_loss <= other.log_loss - CLEAR for other in others)

    def verdict(self) -> list[str]:
        """Return sentences that compare the model with the simpler ones, or nothing if it is the only one."""
        few = " With so few rows, each metric may be off by several hundredths."
        few = few if next(iter(self.columns.values())).rows < FEW_ROWS and not self.trained_on else ""
        compared = self._comparison()
        lines = [f"{compared}{few}"] if compared else []
        if self.unjudged and not self.trained_on:
            count = len(self.unjudged)
            names = [
                shortened(harmless(name)) for name in self.unjudged[: MOST_CLASSES if count <= MOST_CLASSES else 3]
            ]
            if count <= MOST_CLASSES:
                lines.append(f"None of these rows has the class {', '.join(names)}: the figures don't include it.")
            else:
                lines.append(
                    f"{count:,} of the {len(self.classes):,} classes, such as {joined(names)}, have no row here: the "
                    "figures don't include these classes."
                )
        return lines

    def _comparison(self) -> str:
        name, first = next(iter(self.columns.items()))
        trivial, linear = self.columns["class frequencies"], self.columns.get("linear model")
        own = name == "network" and not self.of_preset
        if own and linear is not None and _no_better(first, trivial) and not _no_better(linear, trivial):
            return (
                "The network does worse than a linear model, and no better than the class frequencies: try "
                "--early-stopping, a larger --alpha, or --hidden none."
            )
        if first.log_loss >= trivial.log_loss:
            why = "the columns may hold no information about the target"
            return f"The {name} does no better than the class frequencies: {why}."
        if self.trained_on:
            return "The network was trained on these rows: the figures don't show how well it predicts other rows."
        if name == "linear model":
            right = f"its accuracy is {100 * first.accuracy:.1f} %"
            return f"The model is linear, because no network predicts these rows better; {right}."
        if linear is None:
            return ""
        if own and first.log_loss > linear.log_loss - CLEAR:
            how = "better" if first.log_loss > linear.log_loss + CLEAR else "as well"
            return f"A linear model does {how}: try --hidden none, or a preset."
        if self.of_preset and first.log_loss > linear.log_loss - CLEAR and self.on_rows_of_linear is None:
            right = f"{100 * first.accuracy:.1f} % and {100 * linear.accuracy:.1f} % of the rows right"
            return f"The {name} and a linear model predict about equally well: {right}."
        of_rows = "of the rows"
        if self.on_rows_of_linear is not None:
            first = self.on_rows_of_linear
            of_rows = f"of the {first.rows} rows that judged both models"
        if self.of_preset and linear.log_loss <= first.log_loss - CLEAR:
            where = f"On the {first.rows} rows that judged both models" if self.on_rows_of_linear else "Here"
            losses = f"{figure(linear.log_loss)}, the {name} {figure(first.log_loss)}"
            return f"{where}, a linear model that is not complete has log-loss {losses}. Try a longer --time-limit."
        both = f"{100 * first.accuracy:.1f} % {of_rows} right, a linear model {100 * linear.accuracy:.1f} %"
        gain, share = first.accuracy - linear.accuracy, linear.accuracy
        if gain <= (share * (1 - share) / first.rows) ** 0.5 and first.log_loss < linear.log_loss:  # one standard error
            both = f"{both}; the {name}'s probabilities are better"
        return f"The {name} gets {both}."


def figures_as_json(figures: "Metrics", classes: "Array") -> dict[str, Any]:
    """Return the figures by name, with the confusion matrix, or, of many classes, the most frequent confusions."""
    named: dict[str, Any] = {name: getattr(figures, name) for name in ROWS}
    if figures.confusion is not None:
        named["confusion"] = figures.confusion.tolist()
    else:
        worst = sorted(figures.confused.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_IN_JSON]
        named["confused"] = [[classes[i].item(), classes[j].item(), count] for (i, j), count in worst]
    return named


def classes_as_json(classes: "Array") -> dict[str, Any]:
    """Return the number of classes, and the classes themselves; of very many, the first."""
    return {"n_classes": len(classes), "classes": classes[:MOST_IN_JSON].tolist()}


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


def _is_there(values: list[float], place: int | None) -> bool:
    return place is not None and values[place] == values[place]
