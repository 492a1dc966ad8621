"""The result of a training run: its metrics beside those of simpler models, as text and as JSON, and a verdict."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .charts import confusions, figures_table, plain_confusions, plain_table
from .figures import ROWS, figures_as_json
from .talk import figure, harmless
from .terminal import console, rendered, wrapped

if TYPE_CHECKING:
    from ..functional.arrays import Array
    from ..training import Metrics

__all__ = ["Result"]

CLEAR = 0.005
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
        Metrics of each model by the name of the model, the network first.
    classes : (k,) array
    more : dict of str to list of float
        Other metrics, one value for each model.
    trained_on : bool
        Whether the network was trained on these rows.
    """

    judged: str
    columns: "dict[str, Metrics]"
    classes: "Array"
    more: dict[str, list[float]] = field(default_factory=dict)
    trained_on: bool = False

    def as_text(self) -> str:
        """Return the metrics of all models as a table, and the confusions of the first."""
        first, terminal, title = next(iter(self.columns.values())), console(), f"On {harmless(self.judged)}"
        header = ["", *self.columns]
        rows = [[shown, *(figure(getattr(one, name)) for one in self.columns.values())] for name, shown in ROWS.items()]
        rows += [[name, *(figure(one) if one == one else "" for one in values)] for name, values in self.more.items()]
        if terminal is None:
            return f"{title}\n{plain_table(header, rows)}\n\n{plain_confusions(first, self.classes)}\n"
        rivals = len(self.columns) - ("class frequencies" in self.columns)
        heading = wrapped(title + (", the better figure marked" if rivals > 1 else ""), "bold")
        figures = figures_table(header, rows, rivals=rivals)
        return rendered(terminal, "", heading, figures, confusions(first, self.classes, terminal))

    def as_json(self) -> dict[str, Any]:
        """Return the metrics by name: the network's at the top level, every other model's under its name."""
        first, *others = self.columns
        facts = {"judged_on": self.judged, **figures_as_json(self.columns[first]), "classes": self.classes.tolist()}
        facts |= {name.lower(): values[0] for name, values in self.more.items() if values[0] == values[0]}
        for name in others:
            plain = figures_as_json(self.columns[name])
            facts[KEYS[name]] = {key: value for key, value in plain.items() if not key.startswith("confus")}
        return facts

    @property
    def network_is_better(self) -> bool:
        """Whether the network has a clearly smaller log-loss than every simpler model."""
        network, *others = self.columns.values()
        return all(network.log_loss <= other.log_loss - CLEAR for other in others)

    def verdict(self) -> list[str]:
        """Return a sentence that compares the network with the simpler models, or nothing if it is the only one."""
        network, trivial = self.columns["network"], self.columns["class frequencies"]
        linear = self.columns.get("linear model")
        few = " These are few rows: the figures may be off by several hundredths."
        few = few if network.rows < 200 and not self.trained_on else ""
        if linear is not None and linear.log_loss < trivial.log_loss - CLEAR <= network.log_loss - CLEAR:
            return [
                f"The network does worse than a linear model, and no better than the class frequencies: try "
                f"--early-stopping, a larger --alpha, or --hidden none.{few}"
            ]
        if network.log_loss >= trivial.log_loss:
            why = "the columns may hold no information about the target"
            return [f"The network does no better than the class frequencies: {why}.{few}"]
        if self.trained_on:
            return ["The network was trained on these rows: the figures don't show how well it predicts other rows."]
        if linear is None:
            return []
        if network.log_loss > linear.log_loss - CLEAR:
            how = "better" if network.log_loss > linear.log_loss + CLEAR else "as well"
            return [f"A linear model does {how}: try --hidden none.{few}"]
        both = f"{100 * network.accuracy:.1f} % of the rows right, a linear model {100 * linear.accuracy:.1f} %"
        gain, share = network.accuracy - linear.accuracy, linear.accuracy
        if gain <= (share * (1 - share) / network.rows) ** 0.5:  # one standard error
            both = f"{both}; the network's probabilities are better"
        return [f"The network gets {both}.{few}"]
