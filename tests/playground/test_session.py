"""Training sessions of the page: steps, mistakes, links, and the Python program that rebuilds them."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import glassmax as gm
from glassmax import Network, trace
from glassmax.table.builtin import BUILTIN

from .node import job, needs_node, run

pytestmark = needs_node

PENGUINS = BUILTIN["penguins"].text()
SESSIONS = {
    "toy": {"data": "toy"},
    "spirals": {"data": "spirals"},
    "table": {"data": "table", "text": PENGUINS, "file": "penguins.csv", "target": "species"},
}


def session(what, name, **more):
    return {"what": what, "epochs": 30, **SESSIONS[name], **more}


def test_sessions_learn():
    answers = run(*(session("session", name, epochs=60) for name in SESSIONS))
    assert [answer["epoch"] for answer in answers] == [60, 60, 60]
    assert min(answer["accuracy"] for answer in answers) > 0.95
    assert max(float(answer["loss"]) for answer in answers) < 0.05


def test_an_epoch_in_pieces_is_the_epoch_at_once():
    whole, pieces = run(session("session", "spirals"), session("session", "spirals", rows=48))
    assert float(pieces["loss"]) == pytest.approx(float(whole["loss"]), rel=1e-9)


def test_a_cell_is_the_sum_of_the_products_that_the_ledger_shows():
    cases = [
        *(session("ledger", name, epochs=3) for name in SESSIONS),
        session("ledger", "toy", epochs=3, settings={"l2": 0.1}),
        session("ledger", "toy", epochs=3, settings={"loss": "squared_error"}),
        session("ledger", "toy", epochs=3, settings={"output": "sigmoid", "loss": "binary_cross_entropy"}),
        session("ledger", "toy", epochs=3, settings={"hidden": []}),
        session("ledger", "toy", epochs=3, settings={"hidden": [5, 4, 3], "activation": "gelu"}),
    ]
    for answer in run(*cases):
        assert answer["sums"] > 20
        assert answer["worst"] < 1e-12
    names = run(cases[0])[0]["names"]
    assert " ".join(names) == "X W1 b1 Z1 A1 W2 b2 Z2 E P Y L_i L dP dZ2 dW2 db2 dA1 dZ1 dW1 db1 dX"


HEADERS = {
    "names with spaces around them": " size , kind ",
    "a name with spaces in it": "the size,kind",
    "an empty name": ",kind",
    "two empty names": " ,",
    "a quoted name": '"size, ""wide""",kind',
    "a blank line before the names": "\nsize,kind",
}


def headed(header):
    """Return a session on a table with these names, the class last."""
    target = "kind" if "kind" in header else "column 2"
    text = header + "\n\n" + "".join(f"{i * i % 7} , {'xyz'[i % 3]}\n" for i in range(12))
    return {"data": "table", "text": text, "file": "rows.csv", "target": target}


PROGRAMS = SESSIONS | {name: headed(header) for name, header in HEADERS.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_python_program_rebuilds_the_network_and_the_loss_of_its_batch(name, tmp_path):
    asked = {"what": "session", "python": True, "epochs": 5, "changes": {"l2": 0.01}, **PROGRAMS[name]}
    (answer,) = run(asked)
    if asked["data"] == "table":
        (tmp_path / asked["file"]).write_text(asked["text"], encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", answer["python"]]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()[0]
    assert float(printed.removeprefix("loss of the batch: ")) == pytest.approx(answer["batchLoss"], rel=1e-9)


# mistakes

ALWAYS = {"sign", "factor", "transposed", "class_shifted", "bias_last_row"}
OF_SOFTMAX = {"jacobian_rows_summed", "jacobian_diagonal_only", "index_for_one_hot", "softmax_axis"}
OF_HIDDEN = {"transposed_weights", "activation_of_a", "activation_missing", "updated_weights"}


def test_each_network_has_the_mistakes_that_can_be_made_in_it():
    def possible(sizes, activation="tanh", output="softmax", loss="cross_entropy"):
        network = {"sizes": sizes, "activation": activation, "output": output, "loss": loss}
        return {*run({"what": "mistakes", "network": network})[0]}

    assert possible([4, 5, 3]) == ALWAYS | OF_SOFTMAX | OF_HIDDEN | {"jacobian_on_top"}
    assert possible([4, 3]) == ALWAYS | OF_SOFTMAX | {"jacobian_on_top"}
    assert possible([4, 5, 3], loss="squared_error") == ALWAYS | OF_SOFTMAX | OF_HIDDEN | {
        "jacobian_ignored",
        "in_place",
    }
    assert possible([4, 5, 3], output="sigmoid", loss="binary_cross_entropy") == ALWAYS | OF_HIDDEN
    assert possible([4, 5, 3], activation="identity") == ALWAYS | OF_SOFTMAX | {
        "transposed_weights", "updated_weights", "jacobian_on_top",
    }  # fmt: skip


SGD = {"optimizer": "sgd", "learningRate": 0.1, "momentum": 0.9, "hidden": [16], "activation": "tanh"}
FIRST_CELL = {
    "sign": "dZ2", "jacobian_rows_summed": "dZ2", "jacobian_diagonal_only": "dZ2", "jacobian_on_top": "dZ2",
    "jacobian_ignored": "dZ2", "in_place": "dZ2", "factor": "dW2", "transposed": "dW2", "transposed_weights": "dA1",
    "class_shifted": "dP", "index_for_one_hot": "dZ2", "softmax_axis": "P", "activation_of_a": "dZ1",
    "activation_missing": "dZ1", "bias_last_row": "db2", "updated_weights": "dA1",
}  # fmt: skip


@pytest.mark.parametrize("mistake", FIRST_CELL)
def test_a_mistake_begins_in_the_array_of_its_rule_and_makes_a_wrong_gradient(mistake):
    loss = "squared_error" if mistake in ("jacobian_ignored", "in_place") else "cross_entropy"
    network = Network([4, 5, 3], activation="tanh", loss=loss, random_state=3)
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(6, 4)), np.eye(3)[draw.integers(3, size=6)]
    (found,) = run(job("difference", network, X, Y, mistake=mistake, learningRate=0.1))
    assert found[0]["name"] == FIRST_CELL[mistake]
    assert found[0]["first"]["right"] != found[0]["first"]["wrong"]
    assert any(each["name"].startswith(("dW", "db")) for each in found)


def test_infinite_numbers_that_agree_are_no_mistake_and_hide_none():
    network = Network([4, 5, 3], random_state=3)
    draw = np.random.default_rng(0)
    X, Y = 1e5 * draw.normal(size=(6, 4)), np.eye(3)[draw.integers(3, size=6)]
    assert np.isinf(trace(network, X, Y)["dP"].value).any()
    sign, shifted = run(*(job("difference", network, X, Y, mistake=name) for name in ("sign", "class_shifted")))
    assert [each["name"] for each in sign] == ["dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1", "dX"]
    assert shifted[0]["name"] == "dP"


WORSE = {  # the loss with the mistake is at least so many times the loss without
    "sign": 100, "jacobian_rows_summed": 3, "jacobian_diagonal_only": 3, "jacobian_on_top": 1.3, "factor": 2,
    "transposed": 2, "class_shifted": 20, "index_for_one_hot": 3, "softmax_axis": 3, "activation_missing": 1.3,
}  # fmt: skip


def test_training_with_a_mistake_goes_as_its_symptom_says():
    answers = run(
        *(session("session", "spirals", epochs=40, settings=SGD, changes={"mistake": name}) for name in WORSE)
    )
    got = dict(zip(WORSE, answers, strict=True))
    for name, times in WORSE.items():
        assert not float(got[name]["loss"]) < times * float(got[name]["shadow"]), (name, got[name])
    assert got["class_shifted"]["accuracy"] < 0.05
    assert got["jacobian_rows_summed"]["accuracy"] < 0.6


def test_without_a_mistake_there_is_no_second_curve_and_with_one_it_is_the_right_training():
    plain, broken = run(
        session("session", "spirals", epochs=5, settings=SGD),
        session("session", "spirals", epochs=5, settings=SGD, changes={"mistake": "sign"}),
    )
    assert plain["shadow"] == "null"
    assert float(broken["shadow"]) == pytest.approx(float(plain["loss"]), rel=1e-9)


def test_training_for_a_time_stops_at_the_end_of_the_epoch_if_asked():
    start = session("to_end", "spirals", epochs=1, rest=16)
    whole, part, on = run(
        {**start, "milliseconds": 1000, "toEnd": True},
        {**start, "milliseconds": 1, "toEnd": True},
        {**start, "milliseconds": 1000},
    )
    assert whole == {"epochs": 1, "epoch": 2, "position": 0}
    assert part["epochs"] == 0
    assert part["position"] > 16
    assert on["epochs"] > 1


# as a derivation

NETWORKS = [
    *({"activation": name} for name in ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
                                        "silu", "mish", "softplus")),
    {"output": "softmax", "loss": "squared_error"},
    {"output": "sigmoid", "loss": "binary_cross_entropy"},
    {"output": "sigmoid", "loss": "squared_error"},
    {"output": "identity", "loss": "squared_error", "l2": 0.25},
    {"hidden": [], "l2": 0.1},
    {"hidden": [3, 3]},
]  # fmt: skip


@pytest.mark.parametrize("settings", NETWORKS, ids=lambda settings: " ".join(map(str, settings.values())))
def test_the_equations_of_a_derivation_are_read_and_give_the_gradient(settings):
    (text,) = run(session("derivation", "toy", epochs=0, settings=settings))
    code = text[text.index("import glassmax") :]
    call = code.splitlines()[-1].removeprefix("print")
    derivation = eval(call, {"gm": gm, "equations": code.split('"""')[1]})
    assert derivation.proved
    options = {"activation": "sigmoid", **settings}
    network = Network([4, *options.pop("hidden", [10]), 3], random_state=0, **options)
    draw = np.random.default_rng(0)
    X, labels = draw.normal(size=(5, 4)), np.array([0, 1, 2, 0, 1])
    Y = np.eye(3)[labels]
    names = {"np": np}
    exec(derivation.numpy(), names)
    gradient = names["dL_dW1"]
    given = {"X": X, "Y": Y, **network.parameters}
    found = gradient(**{name: given[name] for name in inspect.signature(gradient).parameters})
    _, expected = network.loss_and_gradients(X, Y)
    np.testing.assert_allclose(found, expected["W1"], rtol=1e-9, atol=1e-12)


# memory


@pytest.mark.parametrize("failing", [0, 1])
def test_without_memory_for_other_rows_the_session_stays_as_it_was(failing):
    (answer,) = run({"what": "rows_without_memory", "failing": failing})
    assert answer["message"] == ("There is not enough memory for these rows. Try a file with fewer rows or columns.")
    assert answer["blocks"] == 0
    assert answer["data"] == "toy"
    assert answer["losses"][0] == answer["losses"][1]


@pytest.mark.parametrize(("name", "answer"), [("train", -1), ("loss_and_gradient", -1), ("predict", 0)])
def test_an_engine_without_memory_for_the_network_says_so(name, answer):
    data = "toy" if name != "loss_and_gradient" else "spirals"
    (got,) = run({"what": "engine_without_memory", "data": data, "of": name, "answer": answer})
    assert got["message"] == "There is not enough memory for this network and these rows."


CHANGES = [
    {"name": "hidden", "value": [40, 40]},
    {"name": "output", "value": "identity", "more": {"loss": "squared_error"}},
    {"name": "optimizer", "value": "sgd"},
    {"name": "batchSize", "value": 7},
    {"name": "mistake", "value": "sign"},
    {"name": "seed", "value": 3},
    {"name": "data"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change["name"])
def test_a_change_that_finds_no_memory_leaves_the_session_as_it_was(change):
    start = session("change_without_memory", "toy", epochs=2, settings={"optimizer": "adam"})
    (answer,) = run({**start, **change})
    assert answer["message"] == "There is not enough memory for this network and these rows."
    assert answer["same"]
    assert answer["losses"][0] == answer["losses"][1]


# links


@pytest.mark.parametrize("name", SESSIONS)
def test_a_link_gives_the_state_back_in_the_middle_of_an_epoch_too(name):
    (answer,) = run(session("link", name, rest=20, changes={"l2": 0.01}))
    assert answer["same"]
    assert answer["epochs"][0] == answer["epochs"][1] >= 31
    assert answer["losses"][0] == answer["losses"][1]


BAD_LINKS = [
    ({"settings": {"activation": "alert(1)"}}, "The link has no valid activation."),
    ({"settings": {"hidden": [10**9]}}, "The link has no valid hidden."),
    ({"settings": {"hidden": "10"}}, "The link has no valid hidden."),
    ({"settings": {"learningRate": None}}, "The link has no valid learningRate."),
    ({"settings": {"batchSize": 0}}, "The link has no valid batchSize."),
    ({"settings": {"seed": -1}}, "The link has no valid seed."),
    ({"change": {"epoch": -1}}, "The link has no valid epoch."),
    ({"change": {"data": "https://example.org"}}, "The link leaves out its table*"),
    ({"change": {"data": "table"}}, "The link leaves out its table*"),
    ({"fragment": "#rubbish!"}, "*"),
    ({"fragment": "#AAAA"}, "*"),
]


def test_a_damaged_link_is_refused():
    answers = run(*({"what": "bad_link", **bad} for bad, _ in BAD_LINKS))
    for answer, (_, expected) in zip(answers, BAD_LINKS, strict=True):
        assert answer
        assert answer.startswith(expected.rstrip("*"))
