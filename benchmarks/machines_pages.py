"""What the benchmark of training on workers has to say in ``docs/howto/which-engine.md``, docs and README."""

from record import RESULTS, result, where, wrapped

SAID = {"processes": '`"processes"`', "ray": '`"ray"`', "mpi": '`"mpi"`'}
IN_WORDS = {"processes": "processes", "ray": "Ray", "mpi": "MPI"}
SHOWN = "0.4 MB"


def is_measured():
    return (RESULTS / "machines.json").exists()


def which_engine():
    """Return what a step costs by engine, and from how many rows it pays on paper."""
    if not is_measured():
        return ""
    record = result("machines")
    found = record["figures"]
    lines = [
        "",
        "| engine | t, µs a row | a, ms | b, ms | c, ms per MB | d, ms per MB | two workers, 0.4 MB | two over one |",
        "|---" * 8 + "|",
    ]
    for engine, of in found["model"].items():
        one, two = found["workers"][engine]["1"], found["workers"][engine]["2"]
        (a, b), (c, d) = of["seconds"], of["seconds_per_megabyte"]
        cells = [f"{1e6 * of['row_seconds']:.2f}", *(f"{1e3 * constant:.2f}" for constant in (a, b, c, d))]
        speed = one["rows_seconds"] / two["rows_seconds"]
        lines.append(
            f"| {SAID[engine]} | {' | '.join(cells)} | {1e3 * two['empty_seconds'][SHOWN]:.1f} ms | {speed:.2f} |"
        )
    for name, of in found["paper"].items():
        workers = list(max(of.values(), key=len))
        header = [f"rows of a step, weights of {name}", *(f"{int(n):,} workers" for n in workers)]
        lines += ["", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
        for engine, rows in of.items():
            lines.append(f"| {SAID[engine]} | {' | '.join(_rounded(rows.get(n)) for n in workers)} |")
    return "\n".join([*lines, "", wrapped(f"By `{record['command']}`. {where([record])}"), "", ""])


def _rounded(rows):
    """Return a number with two digits that count."""
    return "-" if rows is None else f"{float(f'{rows:.1e}'):,.0f}"


def figures_of_machines(record):
    """Return the figures for the list of all benchmarks."""
    workers = record["figures"]["workers"]
    for engine, of in workers.items():
        two = of["2"]
        step = f"{1e3 * two['empty_seconds'][SHOWN]:.1f} ms"
        yield f"a step on two workers by {SAID[engine]}, weights of {SHOWN}: time beyond the arithmetic", step
        yield f"{SAID[engine]}: speed of two workers over one", f"{of['1']['rows_seconds'] / two['rows_seconds']:.2f}"
        if "recovery_seconds" in two:
            yield f"{SAID[engine]}: time that the death of a worker costs", f"{two['recovery_seconds']:.1f} s"


def machines_line():
    """Return the README's line on several machines, once they are measured."""
    if is_measured():
        workers = result("machines")["figures"]["workers"]
        times = {engine: 1e3 * of["2"]["empty_seconds"][SHOWN] for engine, of in workers.items()}
        steps = [f"{time:.1f} ms on {IN_WORDS[engine]}" for engine, time in times.items()]
        lost = max(of["2"].get("recovery_seconds", 0.0) for of in workers.values())
        yield (
            f"- **[Several machines](docs/howto/machines.md).** With {SHOWN} of weights, the communication in a step "
            f"on two workers takes {', '.join(steps[:-1])} and {steps[-1]}; replacing a worker that dies takes "
            f"{lost:.1f} s or less. The result is bit-identical for any number of workers."
        )
