"""What the benchmarks of very many classes have to say in ``docs/benchmarks.md`` and the README."""

import math

from record import RESULTS, result, where, wrapped

WIDE = {
    "JAX": "JAX",
    "PyTorch, all threads": "PyTorch",
    "linear_cross_entropy, 256 rows": "fused loss, 256 rows",
    "linear_cross_entropy": "fused loss, default",
}
"""The contenders of the tables of very many classes, under the names that the page explains."""


def many_classes():
    """Return time, options and memory of a training step with very many classes, and how fast they are predicted."""
    if not (RESULTS / "many_classes.json").exists():
        return ""
    record = result("many_classes")
    found = record["figures"]
    return "\n".join(
        [
            "",
            *wide_steps(found["steps"]),
            "",
            *wide_options(found["steps"]),
            "",
            *wide_memory(found["memory"]),
            "",
            *(wrapped(line, "  ", "- ") for line in wide_predictions(found["predictions"])),
            *(wrapped(line, "  ", "- ") for line in wide_errors(found["steps"])),
            "",
            wrapped(f"By `{record['command']}`: float32, Adam, {found['threads']} threads. {where([record])}"),
            "",
            "",
        ]
    )


def wide_steps(steps):
    yield f"| network, batch; time over ours | ms a step | {' | '.join(WIDE.values())} | products |"
    yield "|---" * (3 + len(WIDE)) + "|"
    for one in steps:
        ratios = {name: f"{c['wall']['ratio']:.2f}" for name, c in one["contenders"].items()}
        cells = [f"{1e3 * one['seconds_of_a_step']:,.3g}", *(ratios.get(name, "-") for name in WIDE)]
        yield f"| {one['name']} | {' | '.join(cells)} | {ratios[one['floor']]} |"


def wide_options(steps):
    steps = [one for one in steps if "label smoothing" in one["contenders"]]
    names = [name for name in steps[0]["contenders"] if name not in WIDE and not name.startswith("products")]
    yield f"| time of a step with an option, over without | {' | '.join(names)} |"
    yield "|---" * (1 + len(names)) + "|"
    for one in steps:
        cells = [f"{one['contenders'][name]['wall']['ratio']:.2f}" for name in names]
        yield f"| {one['name']} | {' | '.join(cells)} |"


def wide_memory(memory):
    names = list(next(iter(memory.values())))
    titles = {"glassmax engine": "glassmax", "16 MB": "glassmax, 16 MB limit"} | WIDE
    yield f"| MB beyond rows, weights and moments | {' | '.join(titles[name] for name in names)} |"
    yield "|---" * (1 + len(names)) + "|"
    for shape, one in memory.items():
        yield f"| {shape} | {' | '.join(f'{one[name] / 1e6:,.0f}' for name in names)} |"


def wide_predictions(predictions):
    for one in predictions:
        ours, *others = one["contenders"].items()
        beside = ", ".join(f"{WIDE[name]} {c['rows_a_second']:,.0f} rows a second" for name, c in others)
        yield (
            f"{one['name']}, the {one['count']} most probable classes of {ours[1]['rows']:,} rows: "
            f"{ours[1]['rows_a_second']:,.0f} rows a second, {ours[1]['peak'] / 1e6:.0f} MB beyond rows and results; "
            f"{beside}"
        )


def wide_errors(steps):
    for what in ("weights", "biases"):
        ours, torch = (
            max(one["errors_of_gradients"][name][what] for one in steps) for name in ("glassmax engine", "PyTorch")
        )
        yield (
            f"largest error of the gradient of the {what} in float32 against float64, over the largest entry of its "
            f"row: {ours:.1e}, PyTorch {torch:.1e}"
        )


UNITS = "seconds of the processor, peak memory of a fit beyond the data, including the library"


def wordnet():
    """Return a table for each of the two tasks with WordNet's glosses."""
    if not (RESULTS / "wordnet.json").exists():
        return ""
    record = result("wordnet")
    lines = []
    for one in record["figures"]["tasks"]:
        lines += [
            "",
            f"| {one['task']}: {one['rows']:,} glosses, {one['classes']:,} classes | accuracy | top 5 | fit, s "
            "| predict, s | MB |",
            "|---|---|---|---|---|---|",
        ]
        for name, c in one["contenders"].items():
            if "refused" in c:
                lines.append(f"| {name} | needs more than {one['most_bytes'] / 1e9:.0f} GB | - | - | - | - |")
                continue
            lines.append(
                f"| {name} | {100 * c['accuracy']:.1f} % | {100 * c['top_5_accuracy']:.1f} % "
                f"| {c['fit_cpu_seconds']:.0f} | {c['predict_cpu_seconds']:.1f} | {c['peak_bytes'] / 1e6:,.0f} |"
            )
        lines.append(f"| the most frequent class | {100 * one['most_frequent_class']:.1f} % | - | - | - | - |")
    lines += ["", wrapped(f"By `{record['command']}`: one thread; {UNITS}. {where([record])}"), "", ""]
    return "\n".join(lines)


def approximations():
    """Return what sampled and adaptive softmax lose and gain, a row for each method."""
    if not (RESULTS / "approximations.json").exists():
        return ""
    record = result("approximations")
    found = record["figures"]
    exact = found["methods"]["exact"]["gradient_seconds"]
    lines = [
        "",
        "| gradient | times as fast as exact | bias | spread | held-out log-loss | accuracy |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in found["methods"].items():
        bias, spread = (f"{100 * one[what]:.0f} %" if what in one else "-" for what in ("bias", "spread"))
        lines.append(
            f"| {name} | {exact / one['gradient_seconds']:.0f} | {bias} | {spread} | {one['log_loss']:.2f} "
            f"| {100 * one['accuracy']:.1f} % |"
        )
    epochs = "an epoch" if found["epochs"] == 1 else f"{found['epochs']} epochs"
    by = (
        f"By `{record['command']}`: {found['classes']:,} classes whose frequencies follow Zipf's law, "
        f"{found['inputs']} inputs, {found['rows']:,} rows, {epochs}. "
        "Bias and spread are divided by the length of the exact gradient. "
        "All gradients are computed by `glassmax.functional`; the engine computes the exact gradient "
        f"{exact / found['engine_seconds']:.0f} times as fast."
    )
    return "\n".join([*lines, "", wrapped(by), "", ""])


def summary_line():
    """Return the README's line on very many classes, once they are measured."""
    if (RESULTS / "many_classes.json").exists():
        found = result("many_classes")["figures"]
        one = next(one for one in found["steps"] if one["shape"]["sizes"][-1] == 100_000)
        ratios = {name: c["wall"]["ratio"] for name, c in one["contenders"].items()}
        fastest = min(WIDE, key=lambda name: ratios.get(name, math.inf))
        memory = found["memory"][one["name"]]
        least = min(memory[name] for name in WIDE if name in memory)
        yield (
            "- **[Very many classes](docs/howto/many-classes.md).** With 100,000 classes, a step of the fastest other "
            f"library ({WIDE[fastest]}) takes {ratios[fastest]:.1f} times as long as one of glassmax; the matrix "
            f"products of the step alone take {ratios[one['floor']]:.2f} times as long. Training needs "
            f"{memory['glassmax engine'] / 1e6:.0f} MB beyond the data, weights and moments; the other libraries need "
            f"{least / 1e6:,.0f} MB or more."
        )
