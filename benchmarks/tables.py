"""Accuracy on tables, with defaults: glassmax beside boosting and other networks on eleven public tables.

Each fit runs in a process of its own, on one thread, one after the other. Every fit is a JSON line in a log, so that a
run that was stopped goes on where it ended.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

from record import RESULTS, table, write
from tabular.contenders import CONTENDERS, available
from tabular.sets import SETS, SPLITS, MissingPackage, load

FIT = Path(__file__).parent / "tabular" / "fit.py"
SHIFT = 0.01


def read_log(path):
    """Return the figures by contender, data set and split, of the versions that are installed."""
    found = {}
    if path.exists():
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            contender = CONTENDERS.get(entry["contender"])
            if contender and entry["versions"] == contender.versions():
                found[entry["contender"], entry["set"], entry["split"]] = entry
    return found


def fit(contender, data, split):
    """Fit in a process of its own; return the figures, or what went wrong."""
    command = [sys.executable, str(FIT), contender, data, str(split)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failure": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:300]}
    return json.loads(done.stdout.splitlines()[-1])


def run(contenders, sets, splits, log, again):
    """Fit what the log doesn't have yet; return all figures, without the failures."""
    found = {key: entry for key, entry in read_log(log).items() if key[0] not in again}
    log.parent.mkdir(exist_ok=True)
    for split in splits:
        for data in sets:
            for contender in contenders:
                key = (contender, data, split)
                if key in found:
                    continue
                entry = {"contender": contender, "set": data, "split": split}
                entry |= {"versions": CONTENDERS[contender].versions()} | fit(*key)
                print(time.strftime("%H:%M:%S"), *key, entry.get("failure") or line(entry), flush=True)
                if "failure" in entry:
                    continue
                with log.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
                found[key] = entry
    return found


def line(entry):
    return f"error {entry['error']:.4f}, log-loss {entry['log_loss']:.4f}, fit {entry['fit_seconds']:.2f} s"


def shifted_geometric_mean(values):
    """Return the geometric mean of the values plus 0.01, minus 0.01: small errors count, but not without bound."""
    return math.exp(statistics.fmean(math.log(value + SHIFT) for value in values)) - SHIFT


def per_set(found, contender, data, splits):
    """Return the means over the splits; None if a split is missing."""
    entries = [found.get((contender, data, split)) for split in splits]
    if None in entries:
        return None
    keys = ("error", "log_loss", "fit_seconds", "predict_seconds", "classes_never_predicted")
    return {key: statistics.fmean(entry[key] for entry in entries) for key in keys}


def summary(sets):
    """Return the figures of a contender over all its sets."""
    return {
        "error": shifted_geometric_mean(figures["error"] for figures in sets.values()),
        "log_loss": shifted_geometric_mean(figures["log_loss"] for figures in sets.values()),
        "fit_seconds": statistics.fmean(figures["fit_seconds"] for figures in sets.values()),
        "predict_seconds": statistics.fmean(figures["predict_seconds"] for figures in sets.values()),
    }


def collect(found, contenders, sets, splits):
    """Return the figures of each contender, by set; over all sets where the contender has all of them."""
    figures = {}
    for contender in contenders:
        by_set = {data: per_set(found, contender, data, splits) for data in sets}
        by_set = {data: means for data, means in by_set.items() if means}
        if by_set:
            whole = {"all": summary(by_set)} if len(by_set) == len(sets) else {}
            figures[contender] = {"title": CONTENDERS[contender].title, **whole, "sets": by_set}
    return figures


def both(means):
    return f"{100 * means['error']:.2f} / {means['log_loss']:.3f}" if means else "-"


def show(figures, sets, splits):
    rows = []
    for contender in figures.values():
        means, done = contender.get("all"), len(contender["sets"])
        if means:
            cells = [f"{100 * means['error']:.2f} %", f"{means['log_loss']:.4f}"]
            cells += [f"{means['fit_seconds']:.2f} s", f"{1000 * means['predict_seconds']:.0f} ms"]
        else:
            cells = [f"{done} of {len(sets)} sets", "-", "-", "-"]
        rows.append([contender["title"], *cells])
    title = f"{len(sets)} sets, {len(splits)} of {len(SPLITS)} splits: shifted geometric means, mean seconds of the CPU"
    table(title, ["", "error", "log-loss", "fit", "predict"], rows)
    rows = [[data, *(both(contender["sets"].get(data)) for contender in figures.values())] for data in sets]
    table("error in % / log-loss", ["", *(contender["title"] for contender in figures.values())], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="SET", help=", ".join(SETS))
    parser.add_argument("--splits", nargs="+", type=int, choices=SPLITS, default=list(SPLITS), metavar="SPLIT")
    names = ", ".join(CONTENDERS)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=None, metavar="NAME", help=names)
    parser.add_argument("--again", nargs="+", choices=CONTENDERS, default=[], metavar="NAME", help="fit these anew")
    parser.add_argument("--log", type=Path, default=RESULTS / "tables.jsonl", help="the figures of each fit")
    options = parser.parse_args()
    contenders = options.contenders or available()
    missing = [CONTENDERS[name].title for name in CONTENDERS if name not in available()]
    if missing:
        print("Not installed, or not in this version of glassmax:", ", ".join(missing))
    sets = [data for data in SETS if data in options.sets]
    try:
        for data in sets:
            load(data)
    except MissingPackage as error:
        sys.exit(str(error))
    found = run(contenders, sets, options.splits, options.log, options.again)
    figures = collect(found, CONTENDERS, sets, options.splits)
    show(figures, sets, options.splits)
    if len(sets) < len(SETS):
        print("\nNothing is written: that needs all sets.")
        return
    libraries = {distribution for name in figures for distribution in CONTENDERS[name].versions()}
    libraries = sorted((libraries | {"scikit-learn", "pandas"}) - {"glassmax"})
    write("tables", libraries, {"splits": options.splits, "contenders": figures})


if __name__ == "__main__":
    main()
