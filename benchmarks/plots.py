"""Draw the speed benchmarks' results: ``results/*.json`` in, ``plots/*.svg`` out."""

import math
import sys

import matplotlib
from record import HERE, result

matplotlib.use("svg")
from matplotlib import pyplot as plt

COLOURS = {
    "glassmax": "#1f4e9c",
    "scikit-learn": "#e08a1e",
    "PyTorch": "#d1495b",
    "PyTorch fused Adam": "#e58f9b",
    "PyTorch compiled": "#8c2f39",
    "JAX": "#2a9d6f",
}
MARKERS = {"scikit-learn": "s", "PyTorch": "o", "PyTorch fused Adam": "D", "PyTorch compiled": "^", "JAX": "v"}
STYLE = {
    "svg.hashsalt": "glassmax",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def save(figure, name):
    folder = HERE / "plots"
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, facecolor="white", bbox_inches="tight")
    plt.close(figure)
    print(f"written: benchmarks/plots/{name}.svg")


def training(figures, name="training"):
    """A line for each shape: every peer's time over ours; beside it our share of the floor."""
    shapes = figures["shapes"][::-1]
    figure, (left, right) = plt.subplots(
        1, 2, sharey=True, figsize=(10, 1.4 + 0.42 * len(shapes)), width_ratios=[3, 1], layout="constrained"
    )
    for y, one in enumerate(shapes):
        left.barh(y, one["ratio"] - 1, left=1, height=0.5, color="#d5deee")
        for peer, marker in MARKERS.items():
            if peer in one["contenders"]:
                left.plot(one["contenders"][peer]["ratio"], y, marker, color=COLOURS[peer], markersize=7)
        right.barh(y, one["share_of_floor"], height=0.5, color=COLOURS["glassmax"])
        right.text(one["share_of_floor"], y, f" {one['share_of_floor']:.2f}", va="center", fontsize=9)
    left.set_yticks(range(len(shapes)), [one["shape"]["name"] for one in shapes])
    left.axvline(1, color=COLOURS["glassmax"], linewidth=2)
    left.set_xscale("log")
    greatest = max(peer["ratio"] for one in shapes for name, peer in one["contenders"].items() if name in MARKERS)
    least = min(1, *(one["ratio"] for one in shapes))
    ticks = [tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if least / 2 < tick < 2 * greatest]
    left.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    left.minorticks_off()
    left.set_xlabel("time of an epoch over glassmax's (to the right of the line: slower than glassmax)")
    handles = [plt.Line2D([], [], color=COLOURS[p], marker=m, linestyle="", label=p) for p, m in MARKERS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=5)
    right.axvline(1, color="#777777", linewidth=1)
    right.set_xlim(0, 1.15 * max(1, *(one["share_of_floor"] for one in shapes)))
    right.set_xlabel("products alone, over our time")
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
    save(figure, name)


def scaling(figures):
    """Two plots of logarithms, with the slope of 1 as a guide."""
    for by in ("rows", "parameters"):
        points = figures[by]["points"]
        figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
        x = [one[by] for one in points]
        slope = figures[by]["slope"]["greater_half"]
        for label, key, colour in (
            (f"glassmax, slope {slope:.2f} over the greater half", "ours_seconds", COLOURS["glassmax"]),
            (figures["peer"], "seconds", COLOURS[figures["peer"]]),
        ):
            axes.loglog(x, [one[key] for one in points], "o-", color=colour, label=label)
        last = points[-1]["ours_seconds"]
        axes.loglog(x, [last * value / x[-1] for value in x], ":", color="#777777", label="slope 1")
        axes.set_xlabel(by)
        axes.set_ylabel("seconds an epoch")
        network = points[0]["name"] if by == "rows" else f"64-h-h-10, {points[0]['rows']:,} rows"
        axes.set_title(network, loc="left", fontsize=10)
        axes.legend()
        save(figure, f"scaling_{by}")


TICKS = [digit * 10.0**power for power in range(-3, 4) for digit in (1, 2, 5)]


def time_to_loss(figures):
    """Test loss over seconds of training, a line for each seed."""
    shapes = figures["shapes"]
    figure, plots = plt.subplots(1, len(shapes), figsize=(5 * len(shapes), 3.8), layout="constrained", squeeze=False)
    for axes, one in zip(plots[0], shapes, strict=True):
        for of_seed in one["curves"].values():
            for name, curve in of_seed.items():
                seconds, losses = zip(*curve[1:], strict=True)
                axes.semilogx(seconds, losses, ".-", color=COLOURS[name], linewidth=1, markersize=4)
        axes.set_xticks([tick for tick in TICKS if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.axhline(one["target"], color="#777777", linewidth=1, linestyle=":")
        axes.set_title(f"{one['name']}, target {one['target']}", loc="left", fontsize=10)
        axes.set_xlabel("seconds of training")
        axes.set_ylabel("test loss")
    names = [name for name in COLOURS if any(name in one["seconds"] for one in shapes)]
    handles = [plt.Line2D([], [], color=COLOURS[name], marker=".", label=name) for name in names]
    figure.legend(handles=handles, loc="outside upper center", ncols=math.ceil(len(names) / 2))
    save(figure, "time_to_loss")


def tables(figures):
    """Error and log-loss over the seconds of a fit, a point for each classifier; the presets are joined by a line."""
    whole = {name: one for name, one in figures["contenders"].items() if "all" in one}
    figure, plots = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axes, key, scale, label in zip(plots, ("error", "log_loss"), (100, 1), ("error in %", "log-loss"), strict=True):
        points = {name: (one["all"]["fit_seconds"], scale * one["all"][key]) for name, one in whole.items()}
        presets = [points[name] for name in ("fast", "default", "best") if name in points]
        axes.plot(*zip(*presets, strict=True), "-", color=COLOURS["glassmax"], linewidth=1.5)
        for name, (x, y) in points.items():
            ours = name in ("softmax", "fast", "default", "best")
            colour = COLOURS["glassmax"] if ours else "#777777"
            axes.plot(x, y, "o", color=colour, markersize=7)
            axes.annotate(whole[name]["title"], (x, y), (6, 4), textcoords="offset points", fontsize=8, color=colour)
        axes.set_xscale("log")
        axes.set_xticks([tick for tick in TICKS if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.margins(x=0.2)
        axes.set_xlabel("seconds of one core to fit, mean over the tables")
        axes.set_title(f"{label}, shifted geometric mean (lower is better)", loc="left", fontsize=10)
    save(figure, "tables")


PLOTS = {"tables": tables, "training": training, "scaling": scaling, "time_to_loss": time_to_loss}


def main():
    plt.rcParams.update(STYLE)
    there = [name for name in PLOTS if (HERE / "results" / f"{name}.json").exists()]
    if not there:
        sys.exit(f"There are no results to draw. Run benchmarks/{', '.join(PLOTS)}.py first.")
    for name in there:
        PLOTS[name](result(name)["figures"])


if __name__ == "__main__":
    main()
