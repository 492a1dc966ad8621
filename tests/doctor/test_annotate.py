"""The listing of a program: what each line makes, with its shape, right or wrong, and what is to be written instead."""

import copy
import linecache
import pickle
import re
import runpy
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.lines.listing import Line, Listing, Note, read_plain
from glassmax.learner.recording import Limits
from tests.doctor import programs, published
from tests.doctor.setups import SETUPS, moved, tutorial
from tests.doctor.styles import STYLES

ENOUGH = 0.75
FILES = sorted((Path(__file__).parent / "line_programs").glob("*.py"))
NUMBERS = count()


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    """Watching never ends for lack of time on a busy machine."""
    monkeypatch.setattr("glassmax.doctor.lines.recordings.PATIENT", Limits(seconds=100))
    monkeypatch.setattr("glassmax.doctor.lines.recordings.TOO_SLOW", 100)


def load(source, *changes):
    """The names of a program whose source can be found, some of its lines changed."""
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    file = f"<listing {next(NUMBERS)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names = {"np": np, "__name__": "learner"}
    exec(compile(source, file, "exec"), names)
    return names


def diagnosis_of(name, *changes, declared=True):
    """The diagnosis of one of `programs`."""
    names, given = load(getattr(programs, name), *changes), SETUPS[name]()
    own = {"loss": names["loss"]} if "parameters" in given else {"declared": declared}
    return gm.diagnose(names["gradients"], given.pop("X"), given.pop("y"), **own, **given)


def diagnosis_of_style(source, *changes):
    given = tutorial()
    return gm.diagnose(load(source, *changes)["gradients"], given["X"], given["y"], network=given["network"])


def notes_of(listing):
    """The notes by their lines of code, without indents."""
    return {line.text.strip(): [note.text for note in line.notes] for line in listing.lines if line.notes}


def verdicts(listing):
    return [note.verdict for line in listing.lines for note in line.notes]


def named_share(listing):
    """The share of the lines with arrays whose arrays all have a name."""
    lines = [line for line in listing.lines if any(note.shape or note.verdict for note in line.notes)]
    named = [line for line in lines if not any("not recognized" in note.meaning for note in line.notes)]
    assert lines
    return len(named) / len(lines)


RIGHT = {
    **{name: lambda name=name: diagnosis_of(name) for name in SETUPS},
    **{name: lambda name=name: diagnosis_of_style(STYLES[name]) for name in STYLES},
    **{what: lambda name=name, changes=changes: diagnosis_of(name, *changes, declared=False)
       for what, name, changes, *_ in (*published.CONTROLS, *published.CONVENTIONS)},
}  # fmt: skip


@pytest.mark.parametrize("what", RIGHT)
def test_the_lines_of_a_right_program_get_their_names_and_none_is_wrong(what):
    diagnosis = RIGHT[what]()
    listing = diagnosis.annotated
    assert diagnosis.correct
    assert listing.why == ""
    assert "wrong" not in verdicts(listing)
    assert "right" in verdicts(listing)
    assert named_share(listing) >= ENOUGH, str(listing)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_lines_of_a_right_file_get_their_names_and_none_is_wrong(path):
    names = runpy.run_path(str(path))
    sizes = [int(size) for size in names["network"].split("-")]
    options = {
        name: names[name] for name in ("activation", "output", "loss", "l2") if isinstance(names.get(name), str | float)
    }
    options.setdefault("output", "softmax")
    net = moved(gm.Network(sizes, **options))
    draw = np.random.default_rng(3)
    X, y = draw.normal(size=(7, sizes[0])), np.r_[np.arange(sizes[-1]), draw.integers(0, sizes[-1], 7 - sizes[-1])]
    if (net.head.output, net.head.loss) != ("softmax", "cross_entropy"):
        y = np.eye(sizes[-1])[y]
    diagnosis = gm.diagnose(names["gradients"], X, y, network=net)
    assert diagnosis.correct, str(diagnosis)
    assert "wrong" not in verdicts(diagnosis.annotated)
    assert named_share(diagnosis.annotated) >= ENOUGH, str(diagnosis.annotated)


TUTORIAL_NOTES = {
    "z1 = X.dot(W1) + b1": ["z1 is Z1 = X W1 + b1"],
    "a1 = np.tanh(z1)": ["a1 is A1 = tanh(Z1)"],
    "num_examples = len(X)": ["num_examples is n, the number of samples: 8"],
    "exp_scores = np.exp(z2)": ["exp_scores is exp(Z2)"],
    "delta3 = probs.copy()": ["delta3 is P = softmax(Z2)"],
    "delta3[range(num_examples), y] -= 1": ["delta3 is 8 dZ2 = P - Y"],
    "delta3 /= num_examples": ["delta3 is dZ2 = (P - Y) / n"],
    "dW2 = (a1.T).dot(delta3)": ["dW2 = A1ᵀ dZ2"],
    "delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))": ["delta2 is dZ1 = dA1 ⊙ (1 - A1²)"],
    "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}": ["returns dW1, db1, dW2, db2"],
}


def test_the_notes_of_a_tutorial():
    notes = notes_of(diagnosis_of("TUTORIAL").annotated)
    assert {code: notes[code] for code in TUTORIAL_NOTES} == TUTORIAL_NOTES


@pytest.mark.parametrize(
    ("style", "code", "note"),
    [
        ("AUGMENTED", "Xb = np.hstack([X, np.ones((n, 1))])", "Xb is X with a column of ones last"),
        ("AUGMENTED", "gU = Hb.T @ D", "gU is dW2 with db2 as its last row"),
        ("ONE_BY_ONE", "a1 = np.tanh(z1)", "a1 is A1 of one sample"),
        ("ONE_BY_ONE", "d2 = q - t", "d2 is 8 dZ2 of one sample"),
        ("ONE_BY_ONE", "total['b2'] += d2[:, 0]", "total['b2'] is 8 db2 = 8 colsum(dZ2)"),
        ("LISTS", "Z.append(A[-1] @ W[l] + b[l])", "Z[-1] is Z1 = X W1 + b1 (8, 6), then Z2 = A1 W2 + b2 (8, 3)"),
        ("OUTER", "dW2s.append(np.outer(h, dl_do)); db2s.append(dl_do)", "dW2s[-1] is 8 dW2 of one sample"),
        ("OUTER", "dh_da = np.diag(1 - h ** 2)", "dh_da is diag(tanh'(Z1)) of one sample"),
        ("CHUNKS", "xb, yb = X[s:s + 3], y[s:s + 3]", "xb is X of samples 0, 1, 2, then X of samples 3, 4, 5"),
        ("CHUNKS", "g = q @ p['W2'].T * (1 - h * h)", "g is 8 dZ1 of samples 0, 1, 2, then 8 dZ1 of samples 3, 4, 5"),
        ("RECURSIVE", "z = a @ W + b", "z is Z1 = X W1 + b1 (8, 6), then Z2 = A1 W2 + b2 (8, 3)"),
        ("NEURONS", "n.delta = n.output - (1.0 if k == t else 0.0)", "n.delta is one number of 8 dZ2"),
        ("LISTS", "dW[l] = A[l].T.dot(delta)", "dW[l] is dW2 = A1ᵀ dZ2 (6, 3), then dW1 = Xᵀ dZ1 (4, 6)"),
        ("CACHES", "dA = dZ @ params['W2'].T", "dA is 8 dA1 = 8 dZ2 W2ᵀ"),
        ("EINSUM", "slope = 1 - a ** 2", "slope is tanh'(Z1)"),
        ("EINSUM", "each = np.einsum('iu,iv->iuv', X, dz)", "each is dW1 of each sample"),
        ("FORTRAN", "hid[i - 1, j - 1] = np.tanh(s)", "hid is A1 = tanh(Z1)"),
        ("FORTRAN", "del2[i, c] = out[i, c]", "del2 is in the end 8 dZ2 = P - Y"),
        ("FORTRAN", "back += del2[i, c] * p['W2'][j, c]", "back is one number of 8 dA1"),
        ("LISTS_ONLY", "exps = [[exp(s) for s in row] for row in scores]", "exps is exp(Z2)"),
        ("MODEL", "np.tanh(self.hidden, out=self.hidden)", "self.hidden is A1 = tanh(Z1)"),
        ("SHUFFLED", "H = np.tanh(Xs @ p['W1'] + p['b1'])", "H is A1, samples in another order"),
        ("TURNED", "z1 = w1.dot(x) + c1", "z1 is Z1 = X W1 + b1, transposed"),
        ("TRAINING", "correct = -logprobs[np.arange(N), y]", "correct is L_i"),
        ("TRAINING", "dscores /= N", "probs is changed, too: dZ2 = (P - Y) / n"),
        ("TRAINING", "W1_new = p['W1'] - rate * dW1", "W1_new is W1 - dW1 / 2"),
    ],
)
def test_a_note_of_another_style(style, code, note):
    assert note in notes_of(diagnosis_of_style(STYLES[style]).annotated)[code]


def test_several_statements_in_one_line_have_a_note_each():
    lines = [*notes_of(diagnosis_of_style(STYLES["DENSE"]).annotated).values()]
    assert lines[1] == ["h is A1 = tanh(Z1)", "e is exp(Z2)", "q is P = softmax(Z2)"]
    assert lines[2] == ["d is dZ2 = (P - Y) / n", "g is dZ1 = dA1 ⊙ (1 - A1²)", "returns dW1, db1, dW2, db2"]


def test_what_is_returned_as_a_gradient_is_told_as_one():
    """Of one sample, dZ2 and db2 are the same numbers."""
    notes = notes_of(diagnosis_of("VECTORS").annotated)
    assert notes["delta = p - t"] == ["delta is dZ2 = P - Y"]
    assert notes["gd = delta"] == ["gd is db2 = colsum(dZ2)"]
    assert notes["return {'V': gV, 'c': gc, 'U': gU, 'd': gd}"] == ["returns dW1, db1, dW2, db2"]


def test_samples_in_columns_are_told_once():
    listing = diagnosis_of("COLUMNS").annotated
    assert notes_of(listing)["A1 = np.maximum(0, Z1)"] == ["A1 = relu(Z1)"]
    assert listing.said == (
        "8 is n, the number of samples",
        "your samples are columns, the equations have them in rows: your arrays are the transposes",
    )


def test_a_penalty_is_in_the_equation():
    notes = notes_of(diagnosis_of("ASSIGNMENT").annotated)
    assert notes["grads['W2'] = A1.T @ dZ2 + reg * params['W2']"] == ["grads['W2'] is dW2 = A1ᵀ dZ2 + 0.1 W2"]


def test_the_arguments_of_a_function_are_told_below_its_decorators():
    source = "def same(f):\n    return f\n\n@same\n@same\n" + STYLES["DENSE"].lstrip()
    notes = notes_of(diagnosis_of_style(source).annotated)
    assert "@same" not in notes
    assert notes["def gradients(p, X, y):"][0].startswith("p['W1'] is W1 (4, 6)")


def test_a_function_in_another_cell_of_a_notebook_has_its_own_lines():
    first = "\ndef hidden(p, X):\n    Z = X @ p['W1'] + p['b1']\n    return np.tanh(Z)\n"
    second = STYLES["DENSE"].replace("np.tanh(X @ p['W1'] + p['b1'])", "hidden(p, X)")
    names = load(first)
    file = f"<listing {next(NUMBERS)}>"
    linecache.cache[file] = (len(second), None, second.splitlines(True), file)
    exec(compile(second, file, "exec"), names)
    given = tutorial()
    listing = gm.diagnose(names["gradients"], given["X"], given["y"], network=given["network"]).annotated
    assert [line.number for line in listing.lines] == [2, 3, 4, 0, 2, 3, 4]
    notes = notes_of(listing)
    assert notes["Z = X @ p['W1'] + p['b1']"] == ["Z is Z1 = X W1 + b1"]
    assert [*notes.values()][1] == ["h is A1 = tanh(Z1)", "e is exp(Z2)", "q is P = softmax(Z2)"]


HOSTILE = [
    ("a = np.log(X * 0 - 1); b = 1 / (X * 0)", ""),
    ("a = X.view(type('A', (np.ndarray,), {'__array__': None}))", ""),
    ("a = [np.full(3, i * 1.7) for i in range(3000)]", ""),
    ("a = np.array([object(), 1]); b = 'text'; c = {1j: X}", ""),
    ("a = np.zeros((3000, 3000)); a += 1", "the arrays take more than 64 MiB"),
    ("import sys; sys.settrace(None)", "it sets a trace function of its own"),
    ("\n    ".join(f"a{i} = X * {i + 0.3}" for i in range(300)), ""),
]


@pytest.mark.parametrize(("statement", "why"), HOSTILE)
@pytest.mark.filterwarnings("error")
def test_whatever_a_program_holds_has_a_listing(statement, why):
    source = f"def gradients(p, X, y):\n    {statement}\n" + STYLES["DENSE"].partition("y):\n")[2]
    listing = diagnosis_of_style(source).annotated
    assert "wrong" not in verdicts(listing)
    assert listing.why == (why and f"the function was not watched to its end, because {why}")
    assert listing._repr_html_()
    assert len(str(listing).splitlines()) >= len(listing.lines)


# a wrong program


def wrong():
    return diagnosis_of("TUTORIAL", ("dW2 = (a1.T).dot(delta3)", "dW2 = -(a1.T).dot(delta3)"))


def test_a_wrong_line_is_wrong_and_says_what_to_write():
    listing = wrong().annotated
    at = next(i for i, line in enumerate(listing.lines) if "dW2 = -" in line.text)
    assert listing.lines[at].notes == (Note("", "dW2 has the wrong sign", "(6, 3)", "wrong"),)
    assert listing.lines[at + 1].correction
    assert listing.lines[at + 1].text == "    dW2 = (a1.T).dot(delta3)"
    assert notes_of(listing)["dW1 = np.dot(X.T, delta2)"] == ["dW1 = Xᵀ dZ1"]
    assert verdicts(listing).count("wrong") == 2
    assert notes_of(listing)["return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}"] == [
        "returns dW1, db1, db2",
        f"the result ['W2'] is wrong because of line {listing.lines[at].number}",
    ]


def test_what_follows_from_a_wrong_line_says_so():
    change = ("delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))", "delta2 = delta3.dot(W2.T) * (1 + np.power(a1, 2))")
    listing = diagnosis_of("TUTORIAL", change).annotated
    notes = notes_of(listing)
    assert notes["dW1 = np.dot(X.T, delta2)"] == ["dW1 is wrong because of line 15"]
    assert notes["db1 = np.sum(delta2, axis=0)"] == ["db1 is wrong because of line 15"]
    assert notes["dW2 = (a1.T).dot(delta3)"] == ["dW2 = A1ᵀ dZ2"]


def test_what_follows_goes_through_calls_and_attributes():
    change = ("return g * self.out * (1 - self.out)", "return g * self.out")
    listing = diagnosis_of("LAYERS", change).annotated
    notes = notes_of(listing)
    assert notes["def backward(self, g):"]
    assert [note for note in notes["self.dW = self.x.T @ g"] if "because of line 18" in note]
    returned = notes["return [net[0].dW, net[0].db, net[2].dW, net[2].db]"]
    assert returned == ["returns dW2, db2", "the results [0], [1] are wrong because of line 18"]


def test_a_factor_that_is_a_mistake_is_not_right_below():
    listing = diagnosis_of("TUTORIAL", ("delta3 /= num_examples", "delta3 /= 2 * num_examples")).annotated
    notes = notes_of(listing)
    assert notes["dW2 = (a1.T).dot(delta3)"] == ["dW2 is wrong because of line 12"]
    assert notes["z2 = a1.dot(W2) + b2"] == ["z2 is Z2 = A1 W2 + b2"]


def test_nothing_is_called_right_that_is_wrong():
    """Of published mistakes, a line that the diagnosis names is wrong and nothing else."""
    for what, name, changes, *rest in published.MISTAKES[::7]:
        if len(rest) > 2:
            continue
        diagnosis = diagnosis_of(name, *changes)
        wrong_lines = {finding.line_number for finding in diagnosis.findings if finding.line_number}
        for line in diagnosis.annotated.lines:
            if line.number in wrong_lines and not line.correction:
                assert [note.verdict for note in line.notes] == ["wrong"], (what, line)


# where there is no listing


def test_arrays_alone_have_no_listing():
    given = tutorial()
    gradients = dict(given["network"].loss_and_gradients(given["X"], given["y"])[1])
    listing = gm.diagnose(gradients, given["X"], given["y"], network=given["network"]).annotated
    assert str(listing) == (
        "There is no listing: only a function has lines, so pass the function that computes the gradients."
    )


NO_LISTING = [
    ("def gradients(p, X, y):\n    return 1 / 0\n", "the function returns no gradients that can be read"),
    ("import functools\ngradients = functools.partial(dict, a=1)\n", "the function returns no gradients"),
]


@pytest.mark.parametrize(("source", "words"), NO_LISTING)
def test_a_function_without_gradients_has_no_listing(source, words):
    assert words in str(diagnosis_of_style(source).annotated)


def test_a_function_without_source_has_no_listing():
    given = tutorial()
    names = programs.program(programs.TUTORIAL)
    listing = gm.diagnose(names["gradients"], given["X"], given["y"], network=given["network"]).annotated
    assert listing.lines == ()
    assert "source" in listing.why


def test_a_loss_of_no_known_network_has_no_listing():
    source = """
def loss(p, X, y):
    return float(np.sum(np.cos(X @ p['W']) ** 3))

def gradients(p, X, y):
    S = X @ p['W']
    return {'W': X.T @ (-3 * np.cos(S) ** 2 * np.sin(S))}
"""
    names = load(source)
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(5, 3)), np.zeros(5, int)
    diagnosis = gm.diagnose(names["gradients"], X, y, loss=names["loss"], parameters={"W": draw.normal(size=(3, 2))})
    assert diagnosis.correct, str(diagnosis)
    assert "There is no listing: your loss is that of no " in str(diagnosis.annotated)


# what a person sees


def test_the_text_has_the_notes_beside_the_code():
    listing = Listing(
        "my.py",
        (
            Line(1, "Z = X @ W + b", (Note("Z", "Z1 = X W1 + b1", "(8, 6)", "right"),)),
            Line(2, "very_long = np.exp(Z - Z.max(axis=1, keepdims=True)) / 2", (Note("very_long", "odd"),)),
            Line(3, "dW = -A.T @ G", (Note("", "the sign is wrong", "", "wrong"),)),
            Line(3, "dW = A.T @ G", correction=True),
        ),
        ("8 is n, the number of samples",),
        "the function was not watched",
    )
    assert listing.text(80) == "\n".join(
        [
            "1  Z = X @ W + b                  right  Z is Z1 = X W1 + b1  (8, 6)",
            "2  very_long = np.exp(Z - Z.max(axis=1, keepdims=True)) / 2",
            "                                         very_long is odd",
            "3  dW = -A.T @ G                  wrong  the sign is wrong",
            "+  dW = A.T @ G",
            "",
            "- 8 is n, the number of samples",
            "- some lines have no notes: the function was not watched",
        ]
    )


@pytest.mark.parametrize("width", [40, 72, 100, 120, 200])
def test_notes_fit_the_width(width):
    for row in RIGHT["LAYERS"]().annotated.rows(width):
        assert len("".join(row).rstrip()) <= max(width, 80) or not row[1]


def test_the_listing_goes_through_json_and_memory():
    diagnosis = wrong()
    listing = diagnosis.annotated
    assert read_plain(listing.plain()) == listing
    for again in (pickle.loads(pickle.dumps(diagnosis)), copy.deepcopy(diagnosis)):
        assert again == diagnosis
        assert again.annotated == listing


def test_a_notebook_shows_a_table_and_every_word_is_escaped():
    source = STYLES["DENSE"].replace("h = np.tanh", "'<script>'; h = np.tanh")
    html = diagnosis_of_style(source)._repr_html_()
    listing = diagnosis_of_style(source).annotated._repr_html_()
    assert "<script>" not in html + listing
    assert "&#x27;&lt;script&gt;&#x27;" in listing
    assert listing.count("<tr") == 4
    assert '<span class="good">right</span>' in listing
    assert '<tr class="wrong">' in wrong().annotated._repr_html_()
    assert '<tr class="correction">' in wrong().annotated._repr_html_()


def test_a_long_file_shows_the_functions_that_ran():
    source = "\n" * 500 + "def other():\n    pass\n" + programs.TUTORIAL
    listing = diagnosis_of_style(source).annotated
    assert listing.lines[0] == Line(0, "...")
    assert listing.lines[1].text == "def gradients(model, X, y):"
    assert listing.lines[1].number == 504
    assert not any("def other" in line.text for line in listing.lines)


def test_the_diagnosis_is_made_without_the_listing(monkeypatch):
    """The listing costs nothing until it is asked for."""
    monkeypatch.setattr("glassmax.doctor.examine.annotate", lambda *_, **__: pytest.fail("nobody has asked"))
    assert diagnosis_of("TUTORIAL").correct


def test_words_begin_with_the_learners_name():
    for line in RIGHT["LAYERS"]().annotated.lines:
        for note in line.notes:
            assert re.match(r"\S", note.text)
            assert "  " not in note.text
