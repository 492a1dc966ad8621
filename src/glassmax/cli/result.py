"""The result of a training run: its metrics beside those of simpler models, as text and as JSON, and a verdict."""

from typing import TYPE_CHECKING, Any

from .figures import figures_as_json, show_figures

if TYPE_CHECKING:
    from ..functional.arrays import Array
    from ..training import Metrics

__all__ = ["Result"]

CLEAR = 0.005
KEYS = {"linear model": "linear_model", "class frequencies": "classes_shares"}
"""The names of the columns in JSON."""


class Result:
    """The metrics of a network beside those of a linear model and of the class frequencies.

    Parameters
    ----------
    judged : str
        Which rows the metrics are of: "69 rows held out".
    columns : dict of str to Metrics
        By the name of the model, the network first.
    classes : (k,) array
    more : dict of str to list of float
        Other metrics, one value for each model.
    table : str
        The name of the table, as the user typed it.
    """

    def __init__(
        self,
        judged: str,
        columns: "dict[str, Metrics]",
        classes: "Array",
        more: dict[str, list[float]],
        table: str,
    ) -> None:
        self.judged, self.columns, self.classes, self.more, self.table = judged, columns, classes, more, table

    def as_text(self) -> str:
        """Return the metrics as a table, and the confusion matrix."""
        return show_figures(self.judged, self.columns, self.classes, self.more)

    def as_json(self) -> dict[str, Any]:
        """Return the metrics by name: the network's at the top level, those of each other model under its key."""
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
        few = " These are few rows: the figures may be off by several hundredths." if network.rows < 200 else ""
        if linear is not None and linear.log_loss < trivial.log_loss - CLEAR <= network.log_loss - CLEAR:
            return [
                f"The network does worse than a linear model, and no better than the class frequencies: try "
                f"--early-stopping, a larger --alpha, or --hidden none.{few}"
            ]
        if network.log_loss >= trivial.log_loss:
            return [f"The network knows no more than the class frequencies: the columns may not tell the target.{few}"]
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
