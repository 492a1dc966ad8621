"""Put the figures of ``benchmarks/results`` into ``docs/benchmarks.md``, and two lines of them into the README."""

import sys

from machines_pages import figures_of_machines, machines_line, which_engine
from many_classes_pages import approximations, many_classes, summary_line, wordnet
from record import HERE, RESULTS, result, where, wrapped

MARK = "<!-- {}: written by `python benchmarks/readme.py` from benchmarks/results -->\n"
END = "<!-- end of {} -->"


def gradients(record):
    found = record["figures"]
    worst = found["largest_relative_error"]
    what = f"gradients of {found['networks']} networks: largest relative difference from those of"
    return [(f"{what} PyTorch", f"{worst['torch']:.0e}"), (f"{what} JAX", f"{worst['jax']:.0e}")]


def accuracy(record):
    rows = {(row["dtype"], row["margin"], row["quantity"]): row["error"] for row in record["figures"]["rows"]}
    shown = rows["float32", 17, "cross-entropy"]
    return [
        (
            "relative error of the loss of one row in float32 with a margin of 17: glassmax, PyTorch, JAX",
            ", ".join(shown[library] for library in ("glassmax", "torch", "jax")),
        )
    ]


def startup(record):
    found = record["figures"]
    return [
        ("time of `import glassmax` over `import numpy`", f"{found['imports']['glassmax_over_numpy']:.2f}"),
        ("time of `glassmax train digits`", f"{found['commands_seconds']['glassmax train digits']:.1f} s"),
    ]


def doctor(record):
    found = record["figures"]
    right = {group: f"{one['right']} of {one['cases']}" for group, one in found.items()}
    slowest = max(one["most_seconds"] for one in found.values())
    return [
        ("programs with one mistake, in which the gradient doctor names the mistake first", right["single"]),
        ("programs with two mistakes, in which it names both", right["double"]),
        ("correct programs that it finds correct", right["control"]),
        ("its slowest answer", f"{slowest:.1f} s"),
        ("author of the programs", "somebody who had not seen its code; it has been corrected on them since"),
    ]


def trace(record):
    found = record["figures"]["784-512-512-10, 1,000 rows"]
    return [
        (
            "a trace of 784-512-512-10 with 1,000 rows: time over that of a forward and a backward pass",
            f"{found['ratio']:.1f}, {found['seconds_of_a_trace']:.2f} s",
        )
    ]


def size(record):
    found = record["figures"]
    return [
        ("size of the wheel", f"{found['wheel_bytes'] / 1e6:.1f} MB"),
        ("size of the native engine", f"{found['native_bytes'] / 1e6:.1f} MB"),
        ("size of an installation with all dependencies (NumPy, SciPy, ...)", f"{found['all_bytes'] / 1e6:.0f} MB"),
    ]


def streaming(record):
    found = record["figures"]["predict"]
    return [
        (
            f"a CSV file of {found['gigabytes']:.0f} GB, {found['rows'] / 1e6:.0f} million rows: time and memory to "
            "predict all of it",
            f"{found['seconds']:.0f} s, {found['peak_megabytes']:.0f} MB",
        )
    ]


def prediction(record):
    one = next(one for one in record["figures"]["shapes"] if one["name"].startswith("64-100-10"))
    model, theirs = (one["one_row"][name] for name in ("glassmax model file", "scikit-learn"))
    memory = one["peak_bytes_beyond_output"]
    million = f"`predict_proba` of {one['rows']:,} rows, 64-100-10:"
    return [
        (
            "`predict_proba` of one row, 64-100-10: `SoftmaxClassifier`, a loaded `Model`, `MLPClassifier`",
            f"{1e6 * theirs['ours_seconds']:.1f} µs, {1e6 * model['seconds']:.1f} µs, {1e6 * theirs['seconds']:.0f} µs",
        ),
        (f"{million} time of the fastest peer ({one['fastest_peer']}) over ours", f"{one['ratio']:.1f}"),
        (f"{million} time of the matrix products alone over ours", f"{one['share_of_floor']:.2f}"),
        (
            f"{million} memory beyond the output, ours and scikit-learn's",
            f"{memory['glassmax'] / 1e6:.0f} MB, {memory['scikit-learn'] / 1e6:,.0f} MB",
        ),
    ]


def time_to_loss(record):
    return [
        (
            f"{one['name']}: time of the fastest peer ({one['fastest_peer']}) to a test loss of {one['target']} on "
            "Fashion-MNIST, over ours",
            f"{one['ratio']:.1f}",
        )
        for one in record["figures"]["shapes"]
    ]


def busy(record):
    found = record["figures"]
    return [
        (
            f"time of an epoch with {found['threads']} threads over one thread while another process keeps one of "
            f"{record['machine']['cores']} cores busy: worst case",
            f"{found['worst']:.2f}",
        )
    ]


def files(record):
    found = record["figures"]
    yield (
        "Parquet files of 20 numbers a row: rows a second of reading alone, of the scan, and of the encoding",
        ", ".join(f"{one / 1e6:.1f} million" for one in found["rows_a_second"].values()),
    )
    for name, one in found["training"].items():
        what = f"hidden layers {name}, {one['microseconds_a_row']:.1f} µs a row: speed of training on files over that"
        yield f"{what} in memory", f"{one['ratio']:.2f}"
    for classes, one in found["log_loss"].items():
        what = f"{int(classes):,} classes, files sorted by their labels: log-loss on test rows over that of training"
        yield f"{what} in memory", f"{one['ratio']:.4f}"
    peaks = found["peak_megabytes"]
    what = f"`glassmax train` on {' and on '.join(f'{int(rows):,}' for rows in peaks)} rows: peak of the memory"
    yield what, ", ".join(f"{peak} MB" for peak in peaks.values())


def files_line():
    """Return the README's line on files larger than memory, once they are measured."""
    if not (RESULTS / "files.json").exists():
        return
    found = result("files")["figures"]
    speeds, peak = found["rows_a_second"], max(found["peak_megabytes"].values())
    share = 100 * min(one["ratio"] for one in found["training"].values() if one["microseconds_a_row"] >= 5)
    yield (
        f"- **[Files larger than memory](docs/howto/files.md).** With 20 numbers a row, a scan of Parquet files takes "
        f"{speeds['scan'] / 1e6:.1f} million rows a second, and the encoding {speeds['encoding'] / 1e6:.1f} million. "
        f"A network that takes 5 µs or more a row trains on files at {share:.0f} % or more of its speed in memory. The "
        f"process needs at most {peak} MB of memory."
    )


def machines(record):
    return list(figures_of_machines(record))


FIGURES = (
    gradients, accuracy, startup, doctor, trace, size, streaming, files, prediction, time_to_loss, busy, machines,
)  # fmt: skip
"""What each benchmark has to say: pairs of what was measured and the figure."""


def figures():
    """Return the list of single figures, by the command that measures them, and the machine they come from."""
    records = {figure: result(figure.__name__) for figure in FIGURES if (RESULTS / f"{figure.__name__}.json").exists()}
    lines = [""]
    for figure, record in records.items():
        lines.append(f"- `{record['command']}`")
        lines += [wrapped(f"{what}: {found}", "    ", "  - ") for what, found in figure(record)]
    return "\n".join([*lines, "", wrapped(where(list(records.values()))), "", ""])


def speed():
    """Return the table of training speed, a row for each network."""
    if not (RESULTS / "training.json").exists():
        return ""
    record = result("training")
    lines = [
        "",
        "| network, batch | rows | µs a step | ms an epoch | scikit-learn over ours | fastest over ours "
        "| products over ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in record["figures"]["shapes"]:
        shape, seconds = one["shape"], one["seconds"]
        step = 1e6 * seconds / shape["steps"]
        step = f"{step:.3g}" if step < 1000 else f"{step:,.0f}"
        lines.append(
            f"| {shape['name']} | {shape['rows']:,} | {step} | {1e3 * seconds:.3g} "
            f"| {one['contenders']['scikit-learn']['ratio']:.1f} | {one['ratio']:.1f} ({one['fastest_peer']}) "
            f"| {one['share_of_floor']:.2f} |"
        )
    threads = record["figures"]["threads"]
    by = f"By `{record['command']}`: float32 unless the table says float64, Adam, {threads} threads. {where([record])}"
    return "\n".join([*lines, "", wrapped(by), "", ""])


def tables():
    """Return the figures on public tables: a row for each classifier, then a row for each data set."""
    if not (RESULTS / "tables.json").exists():
        return ""
    record = result("tables")
    contenders = record["figures"]["contenders"].values()
    whole = [one for one in contenders if "all" in one]
    lines = [
        "",
        "| classifier, with its defaults | error | log-loss | fit, seconds of the CPU | predict |",
        "|---|---|---|---|---|",
    ]
    for one in whole:
        means = one["all"]
        lines.append(
            f"| {one['title']} | {100 * means['error']:.2f} % | {means['log_loss']:.3f} "
            f"| {means['fit_seconds']:.1f} | {1000 * means['predict_seconds']:.0f} ms |"
        )
    shown = {name: one for name, one in record["figures"]["contenders"].items() if name in SHORT and "all" in one}
    lines += [
        "",
        f"| error in %, log-loss | {' | '.join(SHORT[name] for name in shown)} |",
        "|---" * (1 + len(shown)) + "|",
    ]
    for data in next(iter(shown.values()))["sets"]:
        cells = [one["sets"][data] for one in shown.values()]
        lines.append(f"| {data} | " + " | ".join(f"{100 * c['error']:.1f}, {c['log_loss']:.3f}" for c in cells) + " |")
    partly = [f"{one['title']} ({len(one['sets'])} sets)" for one in contenders if "all" not in one]
    note = f" Measured on some of the sets only: {', '.join(partly)}." if partly else ""
    sets, splits = len(next(iter(shown.values()))["sets"]), len(record["figures"]["splits"])
    by = (
        f"By `{record['command']}`: {sets} public tables, {splits} of 5 splits, 75 % and 25 % of the rows, defaults, "
        "one thread. Error and log-loss are shifted geometric means over the tables (shift 0.01); seconds are means."
        f"{note} {where([record])}"
    )
    return "\n".join([*lines, "", wrapped(by), "", ""])


SHORT = {"fast": "fast", "default": "default", "best": "best", "histgb": "HistGB", "lightgbm": "LightGBM"}
SHORT |= {"xgboost": "XGBoost", "catboost": "CatBoost", "realmlp": "RealMLP"}
"""The contenders of the table by data set, under names that keep it narrow; the first three are TableClassifier's."""


def ablation():
    """Return what the preset "default" loses without each of its ingredients."""
    if not (RESULTS / "ablation.json").exists():
        return ""
    record = result("ablation")
    lines = ["", '| the preset "default" | error | log-loss | fit, seconds of the CPU |', "|---|---|---|---|"]
    for name, one in record["figures"]["variants"].items():
        lines.append(f"| {name} | {100 * one['error']:.2f} % | {one['log_loss']:.4f} | {one['fit_seconds']:.1f} |")
    sets, splits = record["figures"]["sets"], record["figures"]["splits"]
    by = (
        f"By `{record['command']}`: {', '.join(sets)}; {len(splits)} of 5 splits. Shifted geometric means, as above. "
        f"{where([record])}"
    )
    return "\n".join([*lines, "", wrapped(by), "", ""])


BOOSTING = ("lightgbm", "xgboost", "histgb")


def summary():
    """Return the README's lines: speed, accuracy on tables, correctness."""
    shapes = result("training")["figures"]["shapes"]
    peers = [one["contenders"]["scikit-learn"]["ratio"] for one in shapes], [one["ratio"] for one in shapes]
    (slow, slowest), (fast, fastest) = ((min(ratios), max(ratios)) for ratios in peers)
    names = " or ".join(sorted({one["fastest_peer"] for one in shapes}))
    exact = result("gradients")["figures"]
    tabular = result("tables")["figures"]["contenders"]
    ours, boosting = (
        tabular["default"]["all"],
        min((tabular[name]["all"] for name in BOOSTING), key=lambda one: one["error"]),
    )
    single = result("doctor")["figures"]["single"]
    speed = (
        f"- **Speed.** Over {len(shapes)} networks on a CPU, an epoch of scikit-learn's `MLPClassifier` takes "
        f"{slow:.1f} to {slowest:.0f} times as long as one of glassmax, and an epoch of the fastest other library "
        f"({names}) {fast:.1f} to {fastest:.1f} times as long."
    )
    correctness = (
        f"- **Figures.** The gradients of {exact['networks']} networks agree with those of PyTorch and JAX to "
        f"{max(exact['largest_relative_error'].values()):.0e}. Of the {single['cases']} programs with one mistake that "
        f"glassmax keeps as tests, the gradient doctor names the right mistake first in {single['right']}."
    )
    count = len(tabular["default"]["sets"])
    accuracy = (
        f"- **Accuracy on tables.** Over {count} public tables, `TableClassifier` has an error of "
        f"{100 * ours['error']:.1f} % and a log-loss of {ours['log_loss']:.3f}; the best of LightGBM, XGBoost and "
        f"scikit-learn's boosting, {100 * boosting['error']:.1f} % and {boosting['log_loss']:.3f} (shifted geometric "
        "means, defaults)."
    )
    lines = (accuracy, speed, *summary_line(), *files_line(), *machines_line(), correctness)
    return "".join(f"{wrapped(line, '  ')}\n" for line in lines)


def put(text, name, content):
    """Return the text of a page with the content between the two marks of that name."""
    opening, closing = MARK.format(name), END.format(name)
    before, opened, rest = text.partition(opening)
    _, closed, after = rest.partition(closing)
    if not (opened and closed):
        sys.exit(f"The page has no lines {opening.strip()!r} and {closing!r} to write between.")
    return before + opened + content + closed + after


PAGES = {
    "docs/benchmarks.md": {
        "tables": tables,
        "ablation": ablation,
        "speed": speed,
        "many_classes": many_classes,
        "wordnet": wordnet,
        "figures": figures,
    },
    "docs/howto/which-engine.md": {"which_engine": which_engine},
    "docs/howto/last-layer.md": {"approximations": approximations},
    "README.md": {"summary": summary},
}


def main():
    for page, parts in PAGES.items():
        path = HERE.parent / page
        text = path.read_text(encoding="utf-8")
        for name, written in parts.items():
            text = put(text, name, written())
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
