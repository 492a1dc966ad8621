"""Classify WordNet's glosses by static word vectors: into 45 classes, and into 20,000.

A gloss is the sentence that defines a sense of a word: there are 117,659. Its vector is the mean of the vectors of its
tokens. Two tasks: which of the 45 lexicographer files the sense is in ("noun.animal", ...); and which word is missing
from the gloss, of the 20,000 most frequent words of at least four letters. One such word is drawn from each gloss and
taken out of it, wherever it occurs. A fifth of the glosses, drawn at random, are tested.

Every fit runs in a process of its own, on one thread. scikit-learn's classifiers may take 6 GB; with 20,000 classes
they want more, and the results say how much.
"""

# ruff: noqa: D102 - `fit` trains, `top` returns the most probable class numbers of each row

import argparse
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np
from contenders import LIMITS
from record import table, write

FILES = Path("/usr/share/wordnet")
VECTORS = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
PARTS = ("noun", "verb", "adj", "adv")
WORDS, LETTERS = 20_000, 4
HIDDEN, BATCH, LEARNING_RATE = 256, 256, 1e-3
EPOCHS = {"file": 10, "word": 5}
MOST_BYTES = 6e9
TASKS = {"file": "the lexicographer file", "word": "the missing word"}


def glosses():
    """Return the number of the lexicographer file and the gloss of each sense, in the order of WordNet's files."""
    if not FILES.is_dir():
        sys.exit("WordNet is missing: apt-get install wordnet-base")
    lines = [line for part in PARTS for line in (FILES / f"data.{part}").read_text().splitlines() if line[0] != " "]
    return [(int(line[9:11]), line.split(" | ", 1)[1].strip()) for line in lines]


def encoder():
    """Return a function that makes of texts the mean vectors of their tokens, (n, 256)."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    found = importlib.util.find_spec("wordllama")
    if found is None:
        sys.exit("The word vectors are missing: pip install --no-deps wordllama==0.4.0.post1 && pip install tokenizers")
    weights, tokens = (Path(found.origin).parent / name for name in VECTORS)
    (E,) = load_file(weights).values()
    E, tokenizer = E.astype(np.float32), Tokenizer.from_file(str(tokens))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def encode(texts):
        rows = tokenizer.encode_batch(texts, add_special_tokens=False)
        return np.array([E[row.ids].mean(axis=0) if row.ids else E[0] * 0 for row in rows])

    return encode


def missing_words(texts):
    """Return the texts with a word taken out, the words, and the classes: the frequent words; texts without one go."""
    draw, words = np.random.default_rng(0), [re.findall(r"[a-z]+", text.lower()) for text in texts]
    counts = Counter(word for row in words for word in row if len(word) >= LETTERS)
    classes = sorted(word for word, _ in counts.most_common(WORDS))
    frequent, left, taken = set(classes), [], []
    for row in words:
        candidates = [word for word in dict.fromkeys(row) if word in frequent]
        if candidates:
            taken.append(candidates[draw.integers(len(candidates))])
            left.append(" ".join(word for word in row if word != taken[-1]))
    return left, taken, classes


def made(task):
    """Return X, standardized by the rows to train on, the class numbers y, the classes, and which rows are tested."""
    numbers, texts = zip(*glosses(), strict=True)
    classes = sorted(set(numbers))
    if task == "word":
        texts, numbers, classes = missing_words(texts)
    X, y = encoder()(list(texts)), np.searchsorted(classes, numbers)
    test = np.random.default_rng(1).random(len(y)) < 0.2
    X = (X - X[~test].mean(axis=0)) / X[~test].std(axis=0)
    return X.astype(np.float32), y, np.array(classes), test


class Glassmax:
    """SoftmaxClassifier."""

    def fit(self, X, y, classes, epochs):
        from glassmax import SoftmaxClassifier

        settings = {"batch_size": BATCH, "learning_rate_init": LEARNING_RATE, "alpha": 0.0, "random_state": 0}
        self.classifier = SoftmaxClassifier((HIDDEN,), max_iter=epochs, n_iter_no_change=epochs, **settings)
        self.classifier.fit(X, y, classes=np.arange(len(classes)))

    def top(self, X, count):
        return self.classifier.predict_top(X, count)[0]


class Sklearn:
    """One of scikit-learn's classifiers."""

    def fit(self, X, y, classes, epochs):
        resource.setrlimit(resource.RLIMIT_AS, (int(MOST_BYTES),) * 2)
        self.classifier = self.made(epochs).fit(X, y)

    def top(self, X, count):
        P = self.classifier.predict_proba(X)
        return self.classifier.classes_[np.argsort(-P, axis=1)[:, :count]]


class Linear(Sklearn):
    """LogisticRegression."""

    def made(self, epochs):
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=200)


class Network(Sklearn):
    """MLPClassifier."""

    def made(self, epochs):
        from sklearn.neural_network import MLPClassifier

        settings = {"batch_size": BATCH, "learning_rate_init": LEARNING_RATE, "alpha": 0.0, "random_state": 0}
        return MLPClassifier((HIDDEN,), max_iter=epochs, n_iter_no_change=epochs, **settings)


class Torch:
    """PyTorch's usual loop, with the fused Adam."""

    def fit(self, X, y, classes, epochs):
        import torch

        torch.manual_seed(0)
        layers = torch.nn.Linear(X.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, len(classes))
        self.net, X, y = torch.nn.Sequential(*layers), torch.from_numpy(X), torch.from_numpy(y)
        adam, loss = torch.optim.Adam(self.net.parameters(), LEARNING_RATE, fused=True), torch.nn.CrossEntropyLoss()
        for _ in range(epochs):
            for index in torch.randperm(len(y)).split(BATCH):
                adam.zero_grad()
                loss(self.net(X[index]), y[index]).backward()
                adam.step()

    def top(self, X, count):
        import torch

        with torch.inference_mode():
            blocks = torch.from_numpy(X).split(BATCH)
            return torch.cat([self.net(block).topk(count).indices for block in blocks]).numpy()


CONTENDERS = {"SoftmaxClassifier": Glassmax, "LogisticRegression": Linear, "MLPClassifier": Network, "PyTorch": Torch}


def status(name):
    """Return a line of the process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def fit(name, task, data):
    """Fit and test one contender, in this process; return what was found."""
    warnings.simplefilter("ignore")
    with np.load(data) as arrays:
        X, y, classes, test = (arrays[part] for part in ("X", "y", "classes", "test"))
    train, contender, before = (X[~test], y[~test]), CONTENDERS[name](), status("VmRSS")
    started, worked = time.perf_counter(), time.process_time()
    try:
        contender.fit(*train, classes, EPOCHS[task])
    except MemoryError as error:
        return {"refused": str(error)}
    fitted = {"fit_seconds": time.perf_counter() - started, "fit_cpu_seconds": time.process_time() - worked}
    fitted["peak_bytes"] = status("VmHWM") - before
    worked = time.process_time()
    labels = contender.top(X[test], 5)
    right = labels == y[test][:, None]
    shares = {"accuracy": float(right[:, 0].mean()), "top_5_accuracy": float(right.any(axis=1).mean())}
    return fitted | {"predict_cpu_seconds": time.process_time() - worked} | shares


def in_a_process(name, task, data):
    """Fit a contender in a process of its own, on one thread."""
    command = [sys.executable, __file__, "--fit", name, task, str(data)]
    environment = os.environ | dict.fromkeys((*LIMITS, "GLASSMAX_NUM_THREADS"), "1")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"  {TASKS[task]}: {name}: {found}", flush=True)
    return found


def measure(task, names, folder):
    """Return what is said of one task."""
    X, y, classes, test = made(task)
    data = Path(folder) / f"{task}.npz"
    np.savez(data, X=X, y=y, classes=classes, test=test)
    most_frequent = np.bincount(y[~test]).argmax()
    return {
        "task": TASKS[task],
        "rows": int((~test).sum()),
        "rows_tested": int(test.sum()),
        "classes": len(classes),
        "classes_without_rows": int(len(classes) - len(np.unique(y[~test]))),
        "epochs": EPOCHS[task],
        "most_bytes": MOST_BYTES,
        "most_frequent_class": float((y[test] == most_frequent).mean()),
        "contenders": {name: in_a_process(name, task, data) for name in names},
    }


def show(found):
    for one in found:
        rows = [
            [name, f"{c['accuracy']:.3f}", f"{c['top_5_accuracy']:.3f}", f"{c['fit_cpu_seconds']:.1f}",
             f"{c['predict_cpu_seconds']:.1f}", f"{c['peak_bytes'] / 1e6:,.0f}"]
            for name, c in one["contenders"].items() if "refused" not in c
        ]  # fmt: skip
        header = ["", "accuracy", "top 5", "CPU seconds", "to predict", "MB"]
        table(f"{one['task']}: {one['rows']:,} glosses, {one['classes']:,} classes", header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=list(TASKS))
    parser.add_argument("--contenders", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        print(json.dumps(fit(*options.fit)))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(task, options.contenders, folder) for task in options.tasks]
    show(found)
    if options.tasks == list(TASKS) and options.contenders == list(CONTENDERS):
        sources = {"wordnet": "3.0, Debian's wordnet-base", "wordllama": version("wordllama")}
        write("wordnet", ["scikit-learn", "torch"], {"sources": sources, "tasks": found})


if __name__ == "__main__":
    main()
