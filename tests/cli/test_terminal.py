"""What a terminal is shown: tables, shades, marks, wrapped lines; and that a pipe is not shown them."""

import io
import re
import sys

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from glassmax import optimizers
from glassmax.cli import network_options
from glassmax.cli.charts import bars, confusions, figures_table, sparkline
from glassmax.cli.column_names import left_out_together, summed_up
from glassmax.cli.result import Result
from glassmax.cli.talk import ordinal
from glassmax.cli.terminal import BAD, GOOD, paint, rendered, wrapped
from glassmax.estimator import options, scoring
from glassmax.table.notes import MISSING, it, left_out
from glassmax.training import RunningMetrics

from .test_cli import call

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def terminal(width=80, **options):
    settings = {"color_system": "truecolor", "force_terminal": True, "markup": False, "highlight": False}
    return Console(file=io.StringIO(), width=width, legacy_windows=False, **settings | options)


def plain(*shown, width=80):
    """Return what is read on a terminal, without colours and the spaces at the ends of lines."""
    text = ESCAPES.sub("", rendered(terminal(width), *shown))
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.fixture
def shown(monkeypatch, capsys, tmp_path):
    """Run a command line whose stdout and stderr are a terminal of a given width; return what it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def shown(*argv, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        return call(monkeypatch, capsys, *argv)

    return shown


def figures(rows):
    """Return figures with a confusion matrix of these counts."""
    counts = np.array(rows)
    tally = RunningMetrics(len(counts))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            tally.add(np.repeat(np.eye(len(counts))[[j]], count, axis=0), np.full(count, i))
    return tally.metrics()


# --- names -----------------------------------------------------------------------------------------------------------


def test_names_that_differ_in_their_numbers_are_summed_up():
    pixels = [f"pixel_{i}_{j}" for i in range(8) for j in range(8)]
    assert summed_up(pixels) == "pixel_0_0 ... pixel_7_7 (64 columns)"
    assert summed_up(["age", *pixels, "city"]) == "age, pixel_0_0 ... pixel_7_7 (64 columns), city"
    assert summed_up(["x1", "x2", "x3"]) == "x1, x2, x3"


def test_very_many_names_that_are_not_alike_are_cut():
    names = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(100, 200)]
    assert summed_up(names).endswith(f", 61 more, and {names[-1]}")


def test_columns_left_out_for_one_reason_are_one_line():
    empty = [left_out(f"e{i}", MISSING) for i in range(9)]
    assert left_out_together(empty) == [
        "9 columns are left out because all their cells are missing: e0 ... e8 (9 columns)"
    ]
    other = left_out("a", it("is 5 in every row"))
    assert left_out_together([*empty[:2], other]) == list(map(str, [*empty[:2], other]))


# --- drawings --------------------------------------------------------------------------------------------------------


def test_a_sparkline_falls_as_the_loss_does_on_a_logarithmic_scale():
    assert sparkline([8.0, 4.0, 2.0, 1.0]) == "█▆▃▁"
    assert sparkline([1.0]) == sparkline([]) == sparkline([0.0, float("nan")]) == ""
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert len(sparkline(np.linspace(5, 1, 1000).tolist(), 24)) == 24


def test_bars_are_as_long_as_the_classes_are_frequent_and_fit_the_terminal():
    drawn = plain(bars(["often", "seldom", "[red]x"], [80, 20, 40]))
    assert drawn == "  often  ━━━━━━━━ 80   seldom ━━       20   [red]x ━━━━     40"
    many = plain(bars([f"class number {i}" for i in range(20)], [5] * 20), width=60)
    assert max(map(cell_len, many.splitlines())) <= 60
    assert "class number 19" in many


def test_the_better_figure_is_marked_by_a_sign_and_not_by_colour_alone():
    rows = [["accuracy", "0.9", "0.8", "1.0"], ["log-loss", "0.3", "0.2", "0.1"], ["Brier score", "0.5", "0.5", "0.1"]]
    table = plain(
        figures_table(["", "network", "linear model", "class frequencies"], rows, compared=[0, 1])
    ).splitlines()
    assert re.search(r"accuracy +0\.9 ◂ +0\.8 +1\.0$", "\n".join(table), re.M)
    assert re.search(r"log-loss +0\.3 +0\.2 ◂ +0\.1$", "\n".join(table), re.M)
    assert "◂" not in next(line for line in table if "Brier" in line)


def test_a_confusion_matrix_is_shaded_by_the_share_of_the_row():
    drawn = rendered(terminal(), confusions(figures([[90, 10], [0, 5]]), np.array(["a", "[red]b"]), terminal()))
    assert re.sub(ESCAPES, "", drawn).splitlines()[1].split() == ["a", "90", "10", "90", "%"]
    assert "[red]b" in re.sub(ESCAPES, "", drawn)
    background = r"\x1b\[(?:1;)?38;2;255;255;255;48;2;(\d+);(\d+);(\d+)m +(\d+) "
    shades = {int(cell[3]): tuple(map(int, cell[:3])) for cell in re.findall(background, drawn)}
    assert sorted(shades) == [5, 10, 90]
    assert shades[5] == (0, 92, 230)
    assert shades[5][2] > shades[90][2] > shades[10][2]  # blue: right
    assert shades[10][0] > shades[10][2]  # orange: wrong
    assert all(_contrast(colour) > 4.5 for colour in shades.values())


def _contrast(colour):
    """Return the contrast of white text on a colour, by the Web Content Accessibility Guidelines."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("k", [2, 7, 20, 30])
def test_confusions_fit_any_terminal(width, k):
    classes = np.array([f"a class of a long name {i}" for i in range(k)])
    counts = np.eye(k, dtype=int) * 30
    counts[0, 1] = 2
    drawn = plain(confusions(figures(counts), classes, terminal(width)), width=width)
    assert max(map(cell_len, drawn.splitlines())) <= width
    assert "true" in drawn
    assert len(drawn.splitlines()) >= min(k, 4)


def test_long_lines_wrap_under_their_words():
    text = "  numbers:    " + ", ".join(["bill_length_mm"] * 9)
    lines = plain(wrapped(text), width=60).splitlines()
    assert len(lines) > 2
    assert {len(line) - len(line.lstrip()) for line in lines[1:]} == {14}
    verdict = plain(wrapped("word " * 30, GOOD), width=60).splitlines()
    assert verdict[0].startswith("✓ word")
    assert {line[:3] for line in verdict[1:]} == {"  w"}


def test_a_name_in_brackets_is_text():
    assert plain(wrapped("  numbers:    [red]x[/red]")) == "  numbers:    [red]x[/red]"


def test_a_diagnosis_is_painted_and_keeps_its_words():
    lines = [
        "wrong: dW1 is wrong",
        "",
        "1. factor at W1",
        "   write     dW1 = X.T @ dZ1",
        "W1  wrong  error 1",
        "b1  right",
    ]
    drawn = rendered(terminal(), *paint(lines))
    assert [line.rstrip() for line in ESCAPES.sub("", drawn).splitlines()] == ["✗ wrong: dW1 is wrong", *lines[1:]]
    for word, code in (("wrong", "1;31"), ("right", "1;32")):
        assert f"\x1b[{code}m{word}" in drawn
    assert BAD != GOOD


# --- the command line ------------------------------------------------------------------------------------------------


def test_training_on_a_terminal_shows_all_of_it_in_colour(shown, tmp_path):
    rows = [f"{i % 7},{i % 5},{'ab'[i % 7 > 3]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["[red]x[/red],[/bold],y", *rows]))
    result = shown("train", "t.csv", "--target", "y", "--epochs", "3")
    assert result.code == 0
    out, err = ESCAPES.sub("", result.out), ESCAPES.sub("", result.err)
    assert "\x1b[" in result.out
    assert "\x1b[" in result.err
    assert "  numbers:    [red]x[/red], [/bold]" in err
    assert re.search(r"a ━+ 36 +b ━+ +24", err)
    assert re.search(r"loss: +\d\.\d{4} [▁-█]+ \d\.\d{4}", err)
    assert "true \\ predicted" in out
    assert "recall" in out
    assert "\n  glassmax predict t.safetensors t.csv" in err


@pytest.mark.parametrize("argv", [["info"], ["train", "toy", "--epochs", "2"]])
def test_no_colour_where_none_is_wanted(shown, monkeypatch, argv):
    monkeypatch.setenv("NO_COLOR", "1")
    result = shown(*argv)
    assert result.code == 0
    assert not re.search(r"\x1b\[([0-9;]*;)?[34][0-8][;m]", result.out + result.err)


def test_a_terminal_that_can_do_nothing_gets_plain_text(shown, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    result = shown("train", "toy", "--epochs", "2")
    assert "\x1b" not in result.out + result.err
    assert "Use it: glassmax predict toy.safetensors toy\n" in result.err


def test_info_and_derive_wrap_on_a_narrow_terminal(shown):
    for argv in (["info"], ["derive", "--network", "4-3", "--wrt", "W1"]):
        out = ESCAPES.sub("", shown(*argv, width=60).out)
        assert max(len(line.rstrip()) for line in out.splitlines()) <= 60


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "nope.csv"], "nope.csv: there is no such file."),
        (["train", "toy", "--epochs", "0"], "--epochs is '0'"),
        (["derive", "L = (", "--wrt", "z"], ""),
    ],
)
def test_the_word_error_is_red_where_colour_is_allowed(shown, monkeypatch, argv, message):
    result = shown(*argv, width=60)
    assert f"\x1b[1;31mError: \x1b[0m{message}" in result.err
    assert max(len(line.rstrip()) for line in ESCAPES.sub("", result.err).splitlines()) <= 60
    monkeypatch.setenv("NO_COLOR", "1")
    assert f"Error: {message}" in re.sub(r"\x1b\[[01]m", "", shown(*argv).err)


# --- words -----------------------------------------------------------------------------------------------------------


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
    )


@pytest.mark.parametrize(
    ("network", "linear", "sentence", "better"),
    [
        ((0.3, 0.95), (0.5, 0.80), "The network gets 95.0 % of the rows right, a linear model 80.0 %.", True),
        ((0.3, 0.95), (0.5, 0.94), "a linear model 94.0 %; the network's probabilities are better.", True),
        ((0.5, 0.90), (0.5, 0.90), "A linear model does as well: try --hidden none, or a preset.", False),
        ((0.6, 0.90), (0.5, 0.90), "A linear model does better: try --hidden none, or a preset.", False),
        ((0.9, 0.40), (0.5, 0.90), "The network does worse than a linear model, and no better than", False),
        ((0.9, 0.40), (0.9, 0.40), "The network does no better than the class frequencies", False),
    ],
)
def test_the_verdict_says_what_the_figures_say(network, linear, sentence, better):
    from types import SimpleNamespace

    columns = {
        name: SimpleNamespace(log_loss=loss, accuracy=accuracy, rows=300)
        for name, (loss, accuracy) in {
            "network": network,
            "linear model": linear,
            "class frequencies": (0.69, 0.5),
        }.items()
    }
    result = Result("300 rows", columns, np.array(["a", "b"]))
    assert sentence in result.verdict()[0]
    assert result.is_useful == better


@pytest.mark.parametrize(
    ("columns", "sentence", "useful"),
    [
        (
            {"ensemble": (0.1, 0.95), "linear model": (0.4, 0.80)},
            "The ensemble gets 95.0 % of the rows right, a linear model 80.0 %.",
            True,
        ),
        (
            {"ensemble": (0.302, 0.90), "linear model": (0.3, 0.90)},
            "The ensemble and a linear model predict about equally well: 90.0 % and 90.0 % of the rows right.",
            True,
        ),
        ({"linear model": (0.3, 0.90)}, "The model is linear, because no network predicts these rows better;", True),
        ({"ensemble": (0.7, 0.50), "linear model": (0.7, 0.5)}, "The ensemble does no better than the class", False),
    ],
)
def test_a_preset_is_never_told_to_try_a_linear_model(columns, sentence, useful):
    from types import SimpleNamespace

    columns = {
        name: SimpleNamespace(log_loss=loss, accuracy=accuracy, rows=300)
        for name, (loss, accuracy) in (columns | {"class frequencies": (0.69, 0.5)}).items()
    }
    result = Result("all 300 rows", columns, np.array(["a", "b"]), of_preset=True)
    assert result.verdict()[0].startswith(sentence)
    assert "try" not in result.verdict()[0]
    assert result.is_useful == useful


def test_the_calibration_and_the_rows_of_the_linear_model_are_columns():
    first, linear, before = figures([[8, 2], [1, 9]]), figures([[2, 0], [1, 1]]), figures([[9, 1], [1, 9]])
    columns = {"ensemble": first, "linear model": linear, "class frequencies": figures([[1, 9], [9, 1]])}

    def shown(result):
        header, *lines = result.as_text().splitlines()[1:]
        log_losses = next(line for line in lines if line.startswith("log-loss")).split()[1:]
        return dict(zip(re.split(r"  +", header.strip()), map(float, log_losses), strict=True))

    result = Result("20 rows", columns, np.array(["a", "b"]), of_preset=True, before=before)
    expected = {"ensemble": first, "uncalibrated": before, "linear model": linear} | columns
    assert [*shown(result)] == ["ensemble", "uncalibrated", "linear model", "class frequencies"]
    assert shown(result) == pytest.approx({name: one.log_loss for name, one in expected.items()}, abs=6e-5)
    result = Result("20 rows", columns, np.array(["a", "b"]), of_preset=True, before=before, on_rows_of_linear=linear)
    assert [*shown(result)] == ["ensemble", "ensemble, 4 rows", "linear model, 4 rows", "class frequencies"]
    assert "75.0 % of the 4 rows that judged both models right" in result.verdict()[0]


def plain_metrics(loss, accuracy, rows=300):
    from types import SimpleNamespace

    return SimpleNamespace(log_loss=loss, accuracy=accuracy, rows=rows)


@pytest.mark.parametrize(
    ("rows", "unjudged", "linear", "celebrated", "last"),
    [
        (300, [], (0.4, 0.8), True, "The ensemble gets 95.0 % of the rows right, a linear model 80.0 %."),
        (199, [], (0.4, 0.8), False, "With so few rows, each metric may be off by several hundredths."),
        (300, ["c"], (0.4, 0.8), False, "None of these rows has the class c: the figures don't include it."),
        (300, [str(i) for i in range(10)], (0.4, 0.8), False, "has the class 0, 1, 2, 3, 4, 5, 6, 7, 8, 9: the"),
        (
            300,
            [str(i) for i in range(12)],
            (0.4, 0.8),
            False,
            "12 of the 20 classes, such as 0, 1 and 2, have no row here: the",
        ),
    ],
)
def test_few_rows_and_a_class_that_is_not_judged_are_no_reason_to_celebrate(rows, unjudged, linear, celebrated, last):
    columns = {"ensemble": (0.1, 0.95), "linear model": linear, "class frequencies": (0.69, 0.5)}
    columns = {name: plain_metrics(*both, rows) for name, both in columns.items()}
    result = Result("rows", columns, np.arange(20), of_preset=True, unjudged=unjudged)
    assert result.celebrates == celebrated
    assert result.is_useful
    assert last in result.verdict()[-1]


def test_a_linear_model_that_was_not_completed_in_time_and_is_better_is_said():
    columns = {"network": (0.4, 0.80), "linear model": (0.3, 0.90), "class frequencies": (0.69, 0.5)}
    columns = {name: plain_metrics(*both) for name, both in columns.items()}
    result = Result("rows", columns, np.array(["a"]), of_preset=True, on_rows_of_linear=plain_metrics(0.4, 0.79, 250))
    assert not result.celebrates
    assert result.verdict() == [
        "On the 250 rows that judged both models, a linear model that is not complete has log-loss 0.3000, the network "
        "0.4000. Try a longer --time-limit."
    ]


def test_a_preset_shows_what_each_type_of_network_was_worth(shown):
    result = shown("train", "iris", "--preset", "fast", width=80)
    said = ESCAPES.sub("", result.err)
    assert re.search(r"\d+ networks trained; the model is the weighted mean of their logits", said)
    assert re.search(r"\n  linear: +log-loss [\d.]+, (weight [\d.]+, \d networks 4-3|not used)", said)
    assert max(len(line.rstrip()) for line in said.splitlines() if "\x1b" not in line) <= 80


def test_no_accuracy_is_claimed_on_the_rows_that_the_network_was_trained_on():
    from types import SimpleNamespace

    columns = {
        name: SimpleNamespace(log_loss=loss, accuracy=1.0, rows=5)
        for name, loss in {"network": 0.1, "linear model": 0.2, "class frequencies": 0.69}.items()
    }
    result = Result("5 rows it was trained on", columns, np.array(["a", "b"]), trained_on=True)
    assert result.verdict() == [
        "The network was trained on these rows: the figures don't show how well it predicts other rows."
    ]


# --- choices ---------------------------------------------------------------------------------------------------------


def test_the_choices_of_train_are_those_of_the_library():
    """The command line writes them itself: the help is shown without the library."""
    assert tuple(network_options.SOLVERS) == options.SOLVERS
    assert tuple(network_options.SCHEDULES) == optimizers.SCHEDULES
    assert tuple(network_options.METRICS) == scoring.NAMES
