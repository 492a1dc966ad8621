"""Put the figures of ``benchmarks/results`` into the README, between their marks, each beside its command."""

import sys

from record import HERE, RESULTS, result

MARK = "<!-- {}: written by `python benchmarks/readme.py` from benchmarks/results -->\n"
END = "<!-- end of {} -->"


def gradients(record):
    found = record["figures"]
    worst = found["largest_relative_error"]
    return (
        f"gradients of {found['networks']} networks against PyTorch and JAX: largest relative error",
        f"{worst['torch']:.0e} and {worst['jax']:.0e}",
    )


def accuracy(record):
    rows = {(row["dtype"], row["margin"], row["quantity"]): row["error"] for row in record["figures"]["rows"]}
    shown = rows["float32", 17, "cross-entropy"]
    return (
        "loss of a row with a margin of 17 in float32, relative error: glassmax, PyTorch, JAX",
        ", ".join(shown[library] for library in ("glassmax", "torch", "jax")),
    )


def digits(record):
    runs = record["figures"]["runs"]
    return (
        "the same training run as MLPClassifier, our time over theirs (float64, float32; one thread)",
        f"{runs['float64, one thread']['ratio']:.2f}, {runs['float32, one thread']['ratio']:.2f}",
    )


def startup(record):
    found = record["figures"]
    return (
        "`import glassmax` over `import numpy`; `glassmax train penguins`",
        f"{found['imports']['glassmax_over_numpy']:.2f}; {found['commands_seconds']['glassmax train penguins']:.1f} s",
    )


def doctor(record):
    found = record["figures"]
    right = {group: f"{one['right']} of {one['cases']}" for group, one in found.items()}
    return (
        "the doctor on learners' programs that another wrote (what failed at first has been mended): "
        "the right cause first; both of two causes; right code "
        "not called wrong; slowest answer",
        f"{right['single']}; {right['double']}; {right['control']}; "
        f"{max(one['most_seconds'] for one in found.values()):.1f} s",
    )


def size(record):
    found = record["figures"]
    return (
        "installed: the wheel; its native engine; all with everything it needs (NumPy, SciPy, scikit-learn, ...)",
        f"{found['wheel_bytes'] / 1e6:.1f} MB; {found['native_bytes'] / 1e6:.1f} MB; {found['all_bytes'] / 1e6:.0f} MB",
    )


def streaming(record):
    found = record["figures"]["predict"]
    return (
        f"a CSV file of {found['gigabytes']:.0f} GB, {found['rows'] / 1e6:.0f} million rows, predicted in full",
        f"{found['seconds']:.0f} s, {found['peak_megabytes']:.0f} MB of memory",
    )


def prediction(record):
    one = next(one for one in record["figures"]["shapes"] if one["name"].startswith("64-100-10"))
    model, theirs = (one["one_row"][name] for name in ("glassmax model file", "scikit-learn"))
    return (
        "`predict_proba` of one row, 64-100-10: the estimator, a model file; scikit-learn",
        f"{1e6 * theirs['ours_seconds']:.1f} µs, {1e6 * model['seconds']:.1f} µs; {1e6 * theirs['seconds']:.0f} µs",
    )


def million(record):
    one = next(one for one in record["figures"]["shapes"] if one["name"].startswith("64-100-10"))
    memory = one["peak_bytes_beyond_output"]
    return (
        f"of {one['rows']:,} rows: time of the fastest peer ({one['fastest_peer']}) over ours, share of the floor; "
        "memory beyond the output, and scikit-learn's",
        f"{one['ratio']:.1f} x, {one['share_of_floor']:.2f}; {memory['glassmax'] / 1e6:.0f} MB, "
        f"{memory['scikit-learn'] / 1e6:,.0f} MB",
    )


def time_to_loss(record):
    return (
        "training to a test loss on Fashion-MNIST: time of the fastest peer over ours",
        "; ".join(
            f"{one['name']} to {one['target']}: {one['ratio']:.1f} x ({one['fastest_peer']})"
            for one in record["figures"]["shapes"]
        ),
    )


def busy(record):
    found = record["figures"]
    return (
        f"a busy neighbour on one of {record['machine']['cores']} cores: {found['threads']} threads over one, at worst",
        f"{found['worst']:.2f}",
    )


FIGURES = {
    "gradients": [gradients],
    "accuracy": [accuracy],
    "digits": [digits],
    "startup": [startup],
    "doctor": [doctor],
    "size": [size],
    "streaming": [streaming],
    "prediction": [prediction, million],
    "time_to_loss": [time_to_loss],
    "busy": [busy],
}


def where(records):
    """Return the line that says on what machine and with which versions."""
    machine, versions = records[0]["machine"], {}
    for record in records:
        versions |= record["versions"]
    libraries = ", ".join(f"{library} {version}" for library, version in versions.items() if library != "glassmax")
    return f"On {machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; {libraries}."


def figures():
    """Return the table of single figures, and the machine it comes from."""
    records = {name: result(name) for name in FIGURES if (RESULTS / f"{name}.json").exists()}
    lines = ["", "| what | figure | command |", "|---|---|---|"]
    for name, record in records.items():
        lines += ["| {} | {} | `{}` |".format(*figure(record), record["command"]) for figure in FIGURES[name]]
    return "\n".join([*lines, "", where(list(records.values())), "", ""])


def speed():
    """Return the table of training speed, a row for each network."""
    if not (RESULTS / "training.json").exists():
        return ""
    record = result("training")
    lines = [
        "",
        "| network, batch | rows | µs a step | ms an epoch | fastest peer, over ours | products alone, over ours |",
        "|---|---|---|---|---|---|",
    ]
    for one in record["figures"]["shapes"]:
        shape, seconds = one["shape"], one["seconds"]
        step = 1e6 * seconds / shape["steps"]
        step = f"{step:.3g}" if step < 1000 else f"{step:,.0f}"
        lines.append(
            f"| {shape['name']} | {shape['rows']:,} | {step} | {1e3 * seconds:.3g} "
            f"| {one['ratio']:.1f} ({one['fastest_peer']}) | {one['share_of_floor']:.2f} |"
        )
    threads = record["figures"]["threads"]
    by = f"By `{record['command']}`, float32 unless said, Adam, {threads} threads. {where([record])}"
    return "\n".join([*lines, "", by, "", ""])


def put(text, name, content):
    """Return the text with the content between the two marks of that name."""
    opening, closing = MARK.format(name), END.format(name)
    before, opened, rest = text.partition(opening)
    _, closed, after = rest.partition(closing)
    if not (opened and closed):
        sys.exit(f"README.md has no lines {opening.strip()!r} and {closing!r} to write between.")
    return before + opened + content + closed + after


def main():
    path = HERE.parent / "README.md"
    text = put(path.read_text(encoding="utf-8"), "figures", figures())
    text = put(text, "speed", speed())
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
