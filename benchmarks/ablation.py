"""What each ingredient of the preset "default" of `TableClassifier` is worth: one left out at a time, on public tables.

Every fit is a JSON line in a log, so that a run that was stopped goes on where it ended. It runs on one thread.
"""

import argparse
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
from record import RESULTS, table, write
from sklearn.metrics import log_loss
from tables import shifted_geometric_mean
from tabular.sets import SETS, SPLITS, load

from glassmax import TableClassifier
from glassmax.estimator.ensemble.presets import PRESETS

DEFAULT = PRESETS["default"]
CHEAP = [name for name in SETS if name not in ("adult", "letter", "penbased")]


def with_parameters(**changed):
    """Return the preset with other parameters of its networks."""
    types = [
        t
        if t.is_linear
        else replace(t, parameters=t.parameters | {k: v for k, v in changed.items() if k in t.parameters})
        for t in DEFAULT.types
    ]
    return replace(DEFAULT, types=tuple(types))


def without(name):
    """Return the preset without a type."""
    return replace(DEFAULT, types=tuple(t for t in DEFAULT.types if t.name != name))


VARIANTS = {
    "the preset": DEFAULT,
    "without mixup": with_parameters(mixup=0.0),
    "without the learned scale of the inputs": with_parameters(input_scale_rate=None),
    "weights start as in MLPClassifier": with_parameters(init="mlp"),
    "learning rates not divided by the layer's size (0.005)": with_parameters(
        parametrization="standard", learning_rate_init=0.005
    ),
    "biases learn as fast as weights": with_parameters(bias_rate=1.0),
    "constant learning rate": with_parameters(learning_rate="constant", learning_rate_init=0.03),
    "relu": with_parameters(activation="relu"),
    "without the type smooth": without("smooth"),
    "without the type binned": without("binned"),
    "without the type small": without("small"),
    "without the linear type": without("linear"),
    "one member of each type": replace(DEFAULT, members=1),
    "without biases in the calibration": replace(DEFAULT, biases=False),
}


def fit(variant, data, split):
    """Return error, log-loss calibrated and not, and seconds of the CPU."""
    train, test = load(data).split(split)
    begun = time.process_time()
    classifier = TableClassifier(VARIANTS[variant], n_threads=1, random_state=split).fit(train.X, train.y)
    seconds = time.process_time() - begun
    P = classifier.predict_proba(test.X)
    return {
        "error": float((P.argmax(axis=1) != test.y).mean()),
        "log_loss": float(log_loss(test.y, P.astype(float), labels=np.arange(P.shape[1]))),
        "out_of_fold": classifier.metrics_.log_loss,
        "fit_seconds": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=CHEAP, metavar="SET", help=", ".join(SETS))
    parser.add_argument("--splits", nargs="+", type=int, choices=SPLITS, default=[0, 1], metavar="SPLIT")
    parser.add_argument("--log", type=Path, default=RESULTS / "ablation.jsonl", help="the figures of each fit")
    options = parser.parse_args()
    lines = options.log.read_text().splitlines() if options.log.exists() else []
    found = {(e["variant"], e["set"], e["split"]): e for e in map(json.loads, lines)}
    for split in options.splits:
        for variant in VARIANTS:
            for data in options.sets:
                key = (variant, data, split)
                if key not in found:
                    found[key] = {"variant": variant, "set": data, "split": split} | fit(*key)
                    with options.log.open("a") as file:
                        file.write(json.dumps(found[key]) + "\n")
    rows, figures = [], {}
    for variant in VARIANTS:
        means = [
            {k: statistics.fmean(found[variant, data, split][k] for split in options.splits) for k in KEYS}
            for data in options.sets
        ]
        whole = {k: shifted_geometric_mean(one[k] for one in means) for k in KEYS[:3]}
        whole["fit_seconds"] = float(np.mean([one["fit_seconds"] for one in means]))
        figures[variant] = whole
        cells = [f"{100 * whole['error']:.2f} %", f"{whole['log_loss']:.4f}", f"{whole['out_of_fold']:.4f}"]
        rows.append([variant, *cells, f"{whole['fit_seconds']:.1f} s"])
    title = f"{len(options.sets)} sets, splits {options.splits}: shifted geometric means, mean seconds of the CPU"
    table(title, ["", "error", "log-loss", "log-loss out of fold", "fit"], rows)
    write("ablation", ["scikit-learn", "pandas"], {"sets": options.sets, "splits": options.splits, "variants": figures})


KEYS = ("error", "log_loss", "out_of_fold", "fit_seconds")

if __name__ == "__main__":
    main()
