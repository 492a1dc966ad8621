"""glassmax train with a preset: the same model as in Python, which options belong to it, what it says and leaves."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from glassmax import SoftmaxClassifier, TableClassifier, load_model, read_table
from glassmax.estimator.ensemble import tuning

from .test_cli import listing
from .test_tables import GOOD

pytestmark = pytest.mark.usefixtures("sound_table")

FAST = ("train", "t.csv", "--target", "y", "--preset", "fast")


def saved(classifier, **given):
    """Return the bytes of the model that is fitted in Python to the same table."""
    with np.errstate(all="ignore"):
        classifier.fit(read_table("t.csv"), "y", **given).save("python")
    return Path("python").read_bytes()


def test_a_preset_is_the_same_model_from_python_and_from_the_command_line(done):
    done(*FAST, "--seed", "3", "--threads", "1", "--class-weight", "a=2", "--type", "x=category", "-o", "m")
    classifier = TableClassifier("fast", random_state=3, class_weight={"a": 2.0}, types={"x": "category"})
    assert Path("m").read_bytes() == saved(classifier)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_of_ones_own_is_the_same_model_from_python_and_from_the_command_line(done):
    done("train", "t.csv", "--target", "y", "--hidden", "8", "--epochs", "5", "--dtype", "float32", "-o", "m")
    network = SoftmaxClassifier((8,), max_iter=5, random_state=0)
    assert Path("m").read_bytes() == saved(TableClassifier(network=network, dtype="float32", random_state=0))


def test_every_row_is_judged_and_the_model_says_what_it_is(done):
    result = done(*FAST, "--json")
    facts = json.loads(result.out)
    assert facts["judged_on"] == "all 60 rows, out of fold: each predicted by networks not trained on it"
    assert facts["preset"] == "fast"
    assert sum(kind["networks"] for kind in facts["networks"].values()) == len(load_model("t.safetensors").networks)
    assert sum(kind["weight"] for kind in facts["networks"].values()) == pytest.approx(1)
    assert facts["temperature"] == pytest.approx(load_model("t.safetensors").calibration.temperature)
    assert facts["before_calibration"]["log_loss"] >= facts["log_loss"]
    assert np.sum(facts["confusion"]) == 60
    assert "preset fast: several networks and a linear model, each trained on some folds of the rows " in result.err
    info = json.loads(done("info", "t.safetensors", "--json").out)
    assert (info["preset"], info["out_of_fold_log_loss"]) == ("fast", facts["log_loss"])
    assert (info["training_rows"], info["seed"]) == (60, 0)


def test_info_describes_an_ensemble(done):
    done(*FAST)
    model = load_model("t.safetensors")
    info = json.loads(done("info", "t.safetensors", "--json").out)
    assert info["networks"] == f"{len(model.networks)}, the weighted mean of their logits"
    sizes = "-".join(map(str, (model.encoding.width, *model.networks[0].layer_sizes[1:])))
    assert next(value for name, value in info.items() if name.startswith("networks 1 to ")).startswith(sizes)
    assert info["parameters"] == sum(network.theta.size for network in model.networks)
    assert info["temperature"] == pytest.approx(model.calibration.temperature)
    assert info["prediction sets"] == "from 60 rows"


def test_an_ensemble_predicts_and_is_evaluated(done):
    done(*FAST)
    lines = done("predict", "t.safetensors", "t.csv", "--proba").out.splitlines()
    P = load_model("t.safetensors").predict_proba(read_table("t.csv"))
    assert [line.split(",")[1:] for line in lines[1:]] == [[f"{p:.6g}" for p in of_row] for of_row in P.tolist()]
    facts = json.loads(done("evaluate", "t.safetensors", "t.csv", "--json").out)
    assert facts["rows"] == 60


def test_the_figures_are_those_of_python(done):
    facts = json.loads(done(*FAST, "--json").out)
    classifier = TableClassifier("fast", random_state=0).fit(read_table("t.csv"), "y")
    assert facts["log_loss"] == classifier.metrics_.log_loss
    truth = np.searchsorted(classifier.classes_, read_table("t.csv").column("y").astype(str))
    assert facts["accuracy"] == pytest.approx((classifier.oof_proba_.argmax(axis=1) == truth).mean())


def test_validation_rows_judge_in_place_of_the_parts(done):
    Path("v.csv").write_bytes(GOOD)
    facts = json.loads(done(*FAST, "--validation", "v.csv", "--json").out)
    assert facts["judged_on"] == "60 validation rows"


def test_groups_and_times_are_columns(done):
    lines = GOOD.decode().splitlines()
    rows = [f"{line},{i % 7},{i * i}" for i, line in enumerate(lines[1:])]
    Path("t.csv").write_text("\n".join([f"{lines[0]},group,when", *rows]))
    done(*FAST, "--groups", "group", "--ignore", "when", "-o", "m")
    assert load_model("m").encoding.names == ["x", "c"]
    assert Path("m").read_bytes() == saved(TableClassifier("fast", random_state=0, ignore=["when"]), groups="group")
    done(*FAST, "--time", "when", "--ignore", "group", "-o", "m")
    assert load_model("m").encoding.names == ["x", "c", "when"]


def test_a_checkpoint_resumes_to_the_same_bits(done, run, monkeypatch):
    done(*FAST, "-o", "whole")
    from .test_cli import interrupt_at

    with monkeypatch.context() as patch:
        interrupt_at(patch, 20)
        run(*FAST, "--checkpoint", "cp", "--threads", "1", "-o", "half")
    done(*FAST, "--checkpoint", "cp", "-o", "resumed")
    assert Path("resumed").read_bytes() == Path("whole").read_bytes()


def test_ctrl_c_keeps_the_networks_that_are_trained(run, monkeypatch):
    from glassmax.estimator.ensemble import members

    real, begun = members.Trainer._train, []

    def train_or_interrupt(self, *args):
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(members.Trainer, "_train", train_or_interrupt)
    result = run(*FAST, "--threads", "1")
    assert result.code == 130
    assert re.search(r"Stopped by Ctrl-C: 2 of \d+ networks were trained\.", result.err)
    assert len(load_model("t.safetensors").networks) <= 2
    assert "\nTraining was interrupted: the model has learned from 2 networks.\n" in result.err


def test_ctrl_c_before_the_first_network_writes_nothing(run, monkeypatch):
    from .test_cli import interrupt_at

    interrupt_at(monkeypatch, 1)
    result = run(*FAST, "--threads", "1")
    assert result.code == 130
    assert result.err.splitlines()[-1] == "Interrupted. Nothing was written."
    assert listing() == ["t.csv"]


def test_a_time_limit_leaves_networks_out(done):
    result = done(*FAST, "--time-limit", "1e-6", "--threads", "1")
    assert re.search(
        r"The time limit was reached: 1 of \d+ networks was trained, so the model is a single network\.", result.err
    )
    assert re.search(r"^ +network +", result.out, re.M)
    assert "ensemble" not in result.out
    assert len(load_model("t.safetensors").networks) == 1


def test_a_search_adds_the_best_types_and_is_resumed(done, run, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.setattr(tuning, "FIRST", (tuning.FIRST[0] | {"width": 32, "epochs": 4},))
    result = done(*FAST, "--tune", "1e-6", "--study", "s.jsonl", "--json")
    trials = json.loads(result.out)["trials"]
    assert [trial["state"] for trial in trials] == ["complete"]
    assert "1 trial, 1 complete; the best types found are added to the preset\n" in result.err
    assert "  trial 1:" in result.err
    assert load_model("t.safetensors").record["trials"] == 1
    assert len(Path("s.jsonl").read_bytes().splitlines()) == 2
    refused = run(*FAST, "--tune", "1e-6", "--study", "s.jsonl", "--seed", "1")
    assert refused.code == 1
    assert "Error: --study s.jsonl belongs to another search: --seed is 1, the file has 0" in refused.err
    same = run(*FAST, "--tune", "1e-6", "--study", "t.csv")
    assert same.code == 1


REFUSED = {
    "--preset fast --hidden 8": "--preset applies to presets, and --hidden to a network of your own. Pass one.",
    "--time-limit 9 --epochs 8": "--time-limit applies to presets, and --epochs to a network of your own. Pass one.",
    "--groups c --solver sgd": "--groups applies to presets, and --solver to a network of your own. Pass one.",
    "--preset best --validation 0.1": (
        "--preset applies to presets, and --validation FRACTION to a network of your own. Pass one."
    ),
    "--tune 9 --epochs 8": "--tune applies to presets, and --epochs to a network of your own. Pass one.",
    "--study s.jsonl": "--study is the file of the trials of --tune. Pass --tune SECONDS too.",
    "--tune 0": "--tune is '0', expected a number > 0.",
    "--preset quick": "--preset is 'quick', expected one of fast, default, best.",
    "--time-limit 0": "--time-limit is '0', expected a number > 0.",
    "--groups c --time x": "--groups and --time both say which rows make a fold. Pass one of them.",
    "--time x --validation v.csv": (
        "--time says which rows make a fold, and with a file of validation rows there are no folds. Pass --time or "
        "--validation."
    ),
    "--class-weight z=2": "--class-weight has the unknown class 'z'; the classes are a, b, c.",
    "--held-out 20 --hidden 8": "--held-out is '20', expected a number >= 0 and < 1. Did you mean 0.2?",
    "--groups y": "The target y is the column of groups.",
    "--groups c --ignore c": "c is named by --ignore and by --groups. Pass one of them.",
}


@pytest.mark.parametrize("options", REFUSED)
def test_options_that_contradict_one_another_are_refused(run, options):
    result = run("train", "t.csv", "--target", "y", *options.split())
    assert result.code == 2
    assert result.err.splitlines()[-1] == f"Error: {REFUSED[options]}"
    assert listing() == ["t.csv"]


def test_a_network_says_which_option_asks_for_it(done):
    said = done("train", "t.csv", "--target", "y", "--epochs", "2", "--hidden", "4").err
    assert "  --hidden sets up one network of your own; without such an option, a preset is trained\n" in said


def test_an_option_without_effect_does_not_replace_the_preset(done):
    said = done(*FAST[:4], "--embedding-bins", "8", "--time-limit", "1e-6").err
    assert "preset default: several networks and a linear model," in said
    assert "\n--embedding-bins has no effect on a preset, only with --embedding piecewise-linear.\n" in said
    said = done(*FAST[:4], "--validation", "0.2", "--time-limit", "1e-6").err
    assert "preset default: " in said
    assert (
        "\n--validation 0.2 has no effect on a preset, which is judged by cross-validation, only on a network" in said
    )


def test_a_preset_without_a_linear_model_does_not_name_one(done):
    Path("t.csv").write_text("x,y\n" + "".join(f"{i * i % 97},{'ab'[i % 2]}\n" for i in range(3200)))
    said = done(*FAST, "--time-limit", "1e-6").err
    assert "preset fast: several networks, each trained on some folds" in said


def test_a_printed_config_describes_a_preset_or_a_network(done):
    printed = done(*FAST, "--print-config").out
    assert tomllib.loads(printed)["preset"] == "fast"
    assert "hidden" not in tomllib.loads(printed)
    Path("run.toml").write_text(printed)
    assert done("train", "--config", "run.toml", "--print-config").out == printed
    own = done("train", "--config", "run.toml", "--hidden", "8", "--print-config").out
    assert tomllib.loads(own)["hidden"] == [8]
    assert "preset" not in tomllib.loads(own)
    Path("own.toml").write_text(own)
    again = done("train", "--config", "own.toml", "--preset", "best", "--print-config").out
    assert tomllib.loads(again)["preset"] == "best"
    assert "hidden" not in tomllib.loads(again)


def test_presets_are_those_of_the_library():
    from glassmax.cli.train_options import PRESETS
    from glassmax.estimator.ensemble import PRESETS as OF_LIBRARY

    assert tuple(PRESETS) == tuple(OF_LIBRARY)
