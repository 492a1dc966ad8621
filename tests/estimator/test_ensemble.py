"""Ensembles on arrays: folds, members, weights fitted out of fold, checkpoints."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassmax.calibration import Calibration, fit_scale
from glassmax.engine import best_engine
from glassmax.errors import CheckpointError, DataError, DivergenceError, OptionError
from glassmax.estimator.ensemble import (
    PRESETS,
    EnsembleCheckpoint,
    Folds,
    MemberType,
    Numbers,
    Preset,
    Rows,
    Trainer,
    assign_blocks,
    selection,
    train_ensemble,
    training,
)
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK
from glassmax.estimator.ensemble.selection import OutOfFold, combine, fit_weights, judge, sample_rows
from glassmax.functional import log_softmax, softmax
from tests.estimator.iris import IRIS, SPECIES

X, Y = IRIS.astype(np.float32), SPECIES
NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (8,), "mixup": 0.3}, 4, 20)
TINY = Preset((NET, LINEAR), biases=False)


def trainer_of(y=Y, X=X, *, folds=None, validation=None, weight=None, **changed):
    folds = assign_blocks(y, np.random.RandomState(0)) if folds is None else folds
    arguments = {"seed": 0, "n_threads": 1, **changed}
    return Trainer(Rows(X, y, weight), int(y.max()) + 1, folds, validation=validation, **arguments)


def trained(trainer, preset=TINY):
    """Return the members that were trained, and the ensemble."""
    stream, members = train_ensemble(trainer, preset), []
    while True:
        try:
            members.append(next(stream))
        except StopIteration as end:
            return members, end.value


def networks_of(ensemble):
    return [member.classifier.network_ for member in ensemble.members]


def assert_same(one, other):
    """Same bits."""
    for a, b in zip(networks_of(one), networks_of(other), strict=True):
        np.testing.assert_array_equal(a.theta, b.theta)
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one.Z, other.Z)
    assert one.scale == other.scale


# --- folds -----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 6), st.sampled_from([1, 2]))
def test_no_member_loses_a_class(y, n_blocks, out):
    y = np.unique(y, return_inverse=True)[1]
    folds = assign_blocks(y, np.random.RandomState(0), n_blocks, out)
    for number in range(12):
        left_out = folds.left_out(number)
        assert set(y[~left_out]) == set(y)
        assert len(folds.blocks_left_out(number)) <= out


@pytest.mark.parametrize(("out", "times"), [(1, 1), (2, 2)])
def test_a_set_of_members_leaves_out_each_row_equally_often(out, times):
    folds = assign_blocks(Y, np.random.RandomState(0), 5, out)
    for first in (0, 5):
        assert set(np.sum([folds.left_out(number) for number in range(first, first + 5)], axis=0)) == {times}
    assert len({folds.blocks_left_out(number) for number in range(10)}) == (5 if out == 1 else 10)


def test_blocks_have_the_same_share_of_each_class():
    folds = assign_blocks(np.repeat([0, 1], [100, 10]), np.random.RandomState(0))
    counts = [np.bincount(folds.y[folds.block == block]).tolist() for block in range(5)]
    assert counts == [[20, 2]] * 5


def test_rows_of_a_group_are_in_one_block():
    groups = np.arange(150) % 30
    folds = assign_blocks(Y, np.random.RandomState(0), groups=groups)
    for group in range(30):
        assert len(set(folds.block[groups == group])) == 1
    assert set(np.bincount(folds.block)) == {30}
    assert assign_blocks(Y, np.random.RandomState(0), groups=np.arange(150) % 3).n_blocks == 3


def test_blocks_follow_one_another_in_time():
    time = np.random.RandomState(0).permutation(150)
    folds = assign_blocks(Y, np.random.RandomState(0), time=time)
    assert (np.diff(folds.block[np.argsort(time)]) >= 0).all()
    assert set(np.bincount(folds.block)) == {30}


def test_rows_of_one_time_are_in_one_block():
    time = np.repeat([0.0, 1.0, 2.0], [70, 70, 10])
    folds = assign_blocks(Y, np.random.RandomState(0), time=time)
    assert [set(folds.block[time == t]) for t in (0.0, 1.0, 2.0)] == [{0}, {1}, {2}]


def test_one_group_can_not_be_split():
    with pytest.raises(OptionError, match="groups is the same in every row, expected at least two different ones"):
        assign_blocks(Y, np.random.RandomState(0), groups=["a"] * 150)
    with pytest.raises(OptionError, match="groups and time are both given, expected one"):
        assign_blocks(Y, np.random.RandomState(0), groups=Y, time=Y)


# --- members ---------------------------------------------------------------------------------------------------------


def test_batches_and_epochs_follow_from_the_number_of_rows():
    bounded = MemberType("net", {"hidden_layer_sizes": (8,)}, 16, 600, 800)
    sizes = {n: bounded.for_rows(n) for n in (20, 400, 4000, 40_000)}
    assert {n: p["batch_size"] for n, p in sizes.items()} == {20: 20, 400: 31, 4000: 125, 40_000: 255}
    assert {n: p["max_iter"] for n, p in sizes.items()} == {20: 600, 400: 47, 4000: 19, 40_000: 5}


def test_the_columns_of_numbers_are_embedded_if_there_are_any():
    binned = next(t for t in PRESETS["default"].types if t.name == "binned" and t.fewest_rows)
    recipe = binned.for_rows(5000, Numbers(tuple(range(30)), 40))["embedding"]
    assert (recipe.columns, recipe.bins) == (tuple(range(30)), 6)
    without = binned.for_rows(5000, Numbers((), 0))
    assert (without["embedding"], without["input_scale_rate"]) == (None, 6.0)


@settings(deadline=None)
@given(st.sampled_from(sorted(PRESETS)), st.integers(1, 10**7))
def test_a_preset_has_each_type_of_a_network_once(preset, n):
    names = [t.name for t in PRESETS[preset].types if t.suits(n)]
    assert len(set(names)) == len(names)
    assert "smooth" in names


def test_the_bits_do_not_depend_on_the_number_of_threads():
    (_, one), (_, four) = trained(trainer_of()), trained(trainer_of(n_threads=4))
    assert_same(one, four)


def test_another_seed_gives_other_members():
    (_, one), (_, other) = trained(trainer_of()), trained(trainer_of(seed=1))
    assert (networks_of(one)[0].theta != networks_of(other)[0].theta).any()


def test_members_come_one_after_another_with_their_figures():
    members, _ = trained(trainer_of())
    assert [(m.type, m.number, m.done, m.planned) for m in members[:2]] == [("net", 1, 1, 10), ("linear", 1, 2, 10)]
    assert [m.type for m in members] == ["net", "linear"] * 5
    assert all(0 < m.log_loss < 1.2 and 0.5 < m.accuracy <= 1 for m in members)


def test_every_row_is_judged_by_members_that_have_not_seen_it():
    trainer = trainer_of()
    _, ensemble = trained(trainer)
    total, weight = np.zeros((150, 3)), np.zeros(150)
    for member, w in zip(ensemble.members, ensemble.weights, strict=True):
        rows = trainer.folds.left_out(member.number - 1)
        total[rows] += w * best_engine(1).logits(member.classifier.network_, X[rows])
        weight[rows] += w
    expected = ensemble.scale * total / weight[:, None]
    np.testing.assert_allclose(expected, ensemble.Z, rtol=1e-4, atol=1e-3)
    assert ensemble.judged.tolist() == list(range(150))


def test_validation_rows_are_judged_by_all_members_which_train_on_all_rows():
    validation = Rows(X[::2], Y[::2])
    _, ensemble = trained(trainer_of(X=X[1::2], y=Y[1::2], folds=Folds.none(Y[1::2]), validation=validation))
    Z = sum(
        w * best_engine(1).logits(network, X[::2])
        for w, network in zip(ensemble.weights, networks_of(ensemble), strict=True)
    )
    np.testing.assert_allclose(ensemble.scale * Z, ensemble.Z, rtol=1e-4, atol=1e-3)


def test_biases_that_help_are_part_of_the_calibration(monkeypatch):
    _, plain = trained(trainer_of())
    found = Calibration(2.0, np.array([0.5, 0.0, -0.5]))
    monkeypatch.setattr(Calibration, "fit", lambda Z, y, weight: found)
    _, ensemble = trained(trainer_of(), replace(TINY, biases=True))
    np.testing.assert_allclose(ensemble.Z, found.logits(plain.Z), rtol=1e-5, atol=1e-5)
    assert ensemble.scale == 2 * plain.scale
    np.testing.assert_array_equal(ensemble.bias, found.bias)


def test_a_type_that_alone_is_better_than_the_mean_has_all_of_the_weight(monkeypatch):
    monkeypatch.setattr(selection, "fit_weights", lambda Zs, y, weight: np.full(len(Zs), 0.5))
    draw = np.random.default_rng(0)
    said = draw.integers(3, size=400)
    y = np.where(draw.random(400) < 0.8, said, (said + 1) % 3)
    right, wrong = 3.0 * np.eye(3)[said], 0.5 * np.eye(3)[(y + 2) % 3]
    w = selection._weights([right.astype(np.float32), wrong.astype(np.float32)], y, None)
    assert w[1] == 0 < w[0]


def test_large_networks_that_are_worse_than_a_small_one_are_given_up(monkeypatch):
    monkeypatch.setattr(training, "ROWS_FOR_PILOTS", 100)
    slow = NETWORK | {"hidden_layer_sizes": (30,), "learning_rate_init": 1e-9}
    members, ensemble = trained(trainer_of(), Preset((NET, MemberType("slow", slow, 4), LINEAR), biases=False))
    assert [m.type for m in members].count("slow") == 1
    assert {m.type for m in ensemble.members} <= {"net", "linear"}
    assert (ensemble.stop_reason, ensemble.planned, ensemble.trained) == ("completed", 11, 11)
    members, _ = trained(trainer_of(), Preset((NET, MemberType("slow", slow, 4)), pilots=False, biases=False))
    assert [m.type for m in members].count("slow") == 5


def test_a_class_of_one_row_is_known_to_every_member():
    y = np.r_[Y[:-1], 3]
    _, ensemble = trained(trainer_of(y))
    assert all(network.layer_sizes[-1] == 4 for network in networks_of(ensemble))
    assert 149 not in ensemble.judged
    Z = sum(w * best_engine(1).logits(n, X[-1:]) for w, n in zip(ensemble.weights, networks_of(ensemble), strict=True))
    assert softmax(ensemble.scale * Z)[0, 3] > 1e-6


def test_types_that_judged_different_rows_are_combined():
    draw = np.random.RandomState(0)
    y, w = draw.randint(3, size=300), draw.uniform(0.5, 2, 300)
    better, worse = (s * np.eye(3)[y] + draw.randn(300, 3) for s in (2.5, 1.5))
    small, binned = OutOfFold(300, 3), OutOfFold(300, 3)
    for fold in range(3):
        small.add(np.arange(fold, 300, 3), worse[fold::3].astype(np.float32))
    binned.add(np.arange(0, 300, 3), better[::3].astype(np.float32))
    found = combine([small, binned], y, w, fold=100, biases=False)
    assert found.judged.tolist() == list(range(300))
    assert found.weights[1] > found.weights[0] > 0
    both = found.weights[0] * worse + found.weights[1] * better
    np.testing.assert_allclose(found.Z[::3], both[::3], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.Z[1::3], found.weights.sum() * worse[1::3], rtol=1e-4, atol=1e-4)
    alone = OutOfFold(300, 3), OutOfFold(300, 3)
    for oof, Z in zip(alone, (worse, better), strict=True):
        oof.add(np.arange(0, 300, 3), Z[::3].astype(np.float32))
    same = combine(alone, y, w, fold=100, biases=False)
    np.testing.assert_allclose(found.weights, same.weights, rtol=1e-6)


def test_rows_that_only_a_type_without_weight_judged_have_its_logits(monkeypatch):
    monkeypatch.setattr(selection, "_weights", lambda Zs, y, weight: np.array([0.0, 2.0]))
    draw = np.random.RandomState(0)
    y = draw.randint(3, size=300)
    small, binned = OutOfFold(300, 3), OutOfFold(300, 3)
    noise = draw.randn(300, 3).astype(np.float32)
    small.add(np.arange(300), noise)
    binned.add(np.arange(100), (4 * np.eye(3)[y] + draw.randn(300, 3))[:100].astype(np.float32))
    found = combine([small, binned], y, None, fold=100, biases=False)
    assert found.weights.tolist() == [0, 2]
    np.testing.assert_allclose(found.Z[:100], 2 * binned.total[:100], rtol=1e-6)
    np.testing.assert_allclose(found.Z[100:], fit_scale(noise, y) * noise[100:], rtol=1e-4, atol=1e-5)


def test_types_with_too_few_rows_in_common_are_not_compared():
    draw = np.random.RandomState(0)
    y = draw.randint(3, size=300)
    Z = (2 * np.eye(3)[y] + draw.randn(300, 3)).astype(np.float32)
    oofs = [OutOfFold(300, 3) for _ in range(3)]
    for oof, rows in zip(oofs, (np.arange(200), np.arange(200, 300), np.arange(150, 250)), strict=True):
        oof.add(rows, Z[rows])
    found = combine(oofs, y, None, fold=100, biases=False)
    assert found.judged.tolist() == list(range(300))
    assert found.weights[0] > 0 == found.weights[1]
    assert selection._comparable(oofs, None, 50)[0] == [0, 2]
    assert selection._comparable(oofs, (np.arange(300) < 160).astype(float), 50)[0] == [0]


def test_an_interruption_uses_every_type():
    stream = train_ensemble(trainer_of(), Preset((NET, LINEAR), biases=False))
    for _ in range(3):
        next(stream)
    with pytest.raises(StopIteration) as end:
        stream.throw(KeyboardInterrupt)
    ensemble = end.value.value
    assert {member.type for member in ensemble.members} == {"net", "linear"}
    assert len(ensemble.judged) == 60
    assert [(kind.name, len(oof.rows())) for kind, oof in ensemble.tried] == [("net", 60), ("linear", 30)]


def test_a_type_of_one_member_that_is_far_better_is_used():
    poor = MemberType("poor", NETWORK | {"hidden_layer_sizes": (2,), "learning_rate_init": 1e-9}, 4, 20)
    stream = train_ensemble(trainer_of(), Preset((poor, NET), pilots=False, biases=False))
    for _ in range(3):
        next(stream)
    with pytest.raises(StopIteration) as end:
        stream.throw(KeyboardInterrupt)
    ensemble = end.value.value
    weight = sum(w for member, w in zip(ensemble.members, ensemble.weights, strict=True) if member.type == "net")
    assert weight > 0.5
    assert len(ensemble.judged) == 60


def test_where_no_row_can_be_judged_all_types_have_the_same_weight():
    folds = assign_blocks(Y, np.random.RandomState(0), groups=Y)
    with pytest.warns(UserWarning, match="No row could be judged .* as where groups coincide with classes"):
        members, ensemble = trained(trainer_of(folds=folds))
    assert len(ensemble.members) == len(members) == 10
    np.testing.assert_allclose(ensemble.weights, 1 / 10)
    assert (ensemble.scale, len(ensemble.judged), ensemble.Z.shape) == (1.0, 0, (0, 3))


def test_the_logits_of_a_member_are_not_kept():
    members, ensemble = trained(trainer_of())
    held = {name for member in members for name, value in vars(member).items() if np.shape(value)[1:] == (3,)}
    assert not held
    assert [oof.total.shape for _, oof in ensemble.tried] == [(150, 3)] * 2


def test_all_members_are_begun_at_once_where_there_are_no_pilots(monkeypatch):
    rounds = []
    members_of = Trainer.members
    monkeypatch.setattr(Trainer, "members", lambda self, tasks: rounds.append(len(tasks)) or members_of(self, tasks))
    trained(trainer_of())
    assert [count for count in rounds if count] == [10]
    monkeypatch.setattr(training, "ROWS_FOR_PILOTS", 100)
    rounds.clear()
    trained(trainer_of())
    assert rounds == [2, 8]


def test_a_preset_without_a_type_for_the_rows_says_so():
    with pytest.raises(DataError, match=r"^No type of the preset suits 150 rows\. Change"):
        trained(trainer_of(), Preset((replace(NET, fewest_rows=1000),)))


def test_time_is_not_up_before_a_member_with_finite_weights():
    wild = MemberType("wild", {"hidden_layer_sizes": (8,), "learning_rate_init": 1e30, "activation": "identity"}, 4, 20)
    members, ensemble = trained(trainer_of(time_limit=1e-9), Preset((wild, NET), biases=False))
    assert [member.type for member in members] == ["wild", "net"]
    assert (ensemble.stop_reason, [member.type for member in ensemble.members]) == ("time_limit", ["net"])


def test_time_limits_leave_out_members_but_never_all():
    members, ensemble = trained(trainer_of(time_limit=1e-9))
    assert len(members) == len(ensemble.members) == 1
    assert (ensemble.stop_reason, ensemble.planned, ensemble.trained) == ("time_limit", 10, 1)
    assert len(ensemble.judged) == 30


@pytest.mark.parametrize("after", [1, 7])
def test_ctrl_c_keeps_the_members_that_are_trained(after):
    stream = train_ensemble(trainer_of(), TINY)
    for _ in range(after):
        next(stream)
    with pytest.raises(StopIteration) as end:
        stream.throw(KeyboardInterrupt)
    ensemble = end.value.value
    assert (ensemble.stop_reason, ensemble.trained) == ("interrupted", after)
    np.testing.assert_allclose(ensemble.weights.sum(), 1)


def test_members_that_diverge_are_not_used():
    wild = MemberType("wild", {"hidden_layer_sizes": (8,), "learning_rate_init": 1e30, "activation": "identity"}, 4, 20)
    members, ensemble = trained(trainer_of(), Preset((wild, NET)))
    assert {m.type for m in members if m.stop_reason == "diverged"} == {"wild"}
    assert {m.type for m in ensemble.members} == {"net"}
    with pytest.raises(DivergenceError, match="No member of the ensemble ended with finite weights"):
        trained(trainer_of(), Preset((wild,)))


# --- weights and scale -----------------------------------------------------------------------------------------------


def loss_of(Z, y, w):
    logs = log_softmax(Z)[np.arange(len(y)), y]
    return -(w @ logs) / w.sum()


def test_the_scale_is_the_best_there_is():
    draw = np.random.RandomState(0)
    y, w = draw.randint(3, size=400), draw.rand(400)
    Z = 5 * draw.randn(400, 3) + 4 * np.eye(3)[y]
    scale = fit_scale(Z, y, w)

    def penalized(s):
        return loss_of(s * Z, y, w) + 2 * np.log(s) ** 2 / 400

    assert penalized(scale) < min(penalized(0.99 * scale), penalized(1.01 * scale))
    assert judge(Z, y, w).log_loss == pytest.approx(loss_of(scale * Z, y, w), rel=1e-6)


def test_the_weights_are_the_best_there_are():
    draw = np.random.RandomState(0)
    y, w = draw.randint(3, size=400), draw.rand(400)
    Zs = [draw.randn(400, 3) + strength * np.eye(3)[y] for strength in (2, 1, 0)]

    def penalized(a):
        e = np.exp(a)
        penalty = ((a - a.mean()) ** 2).sum() + 2 * np.log(e.sum()) ** 2
        return loss_of(sum(e_t * Z for e_t, Z in zip(e, Zs, strict=True)), y, w) + penalty / 400

    best = np.log(fit_weights(Zs, y, w))
    for t in range(3):
        for step in (-0.02, 0.02):
            assert penalized(best) < penalized(best + step * np.eye(3)[t])


def test_rows_of_weight_zero_judge_nothing():
    w = np.r_[np.ones(100), np.zeros(50)]
    draw = np.random.RandomState(0)
    Z = draw.randn(150, 3)
    assert fit_scale(Z, Y, w) == pytest.approx(fit_scale(Z, np.r_[Y[:100], (Y[100:] + 1) % 3], w))
    assert np.isnan(judge(Z, Y, np.zeros(150)).log_loss)


def test_a_sample_has_the_same_share_of_each_class(monkeypatch):
    monkeypatch.setattr(selection, "MOST_LOGITS", 1200)
    y = np.repeat([0, 1, 2], [3000, 900, 100])
    rows = sample_rows(y, 4)
    assert np.bincount(y[rows]).tolist() == [225, 68, 7]
    np.testing.assert_array_equal(rows, sample_rows(y, 4))
    assert (np.diff(rows) > 0).all()
    weight = (np.arange(4000) % 2).astype(float)
    assert (weight[sample_rows(y, 4, weight)] == 1).all()
    assert sample_rows(y[:300], 4).tolist() == list(range(300))
    assert len(sample_rows(np.eye(3)[y], 4)) == 300


def test_what_is_fitted_on_a_sample_is_about_the_same(monkeypatch):
    draw = np.random.RandomState(0)
    y = draw.randint(3, size=6000)
    Z = (4 * np.eye(3)[y] + 3 * draw.randn(6000, 3)).astype(np.float32)
    whole = judge(Z, y, None)
    monkeypatch.setattr(selection, "MOST_LOGITS", 6000)
    some = judge(Z, y, None)
    assert 0 < abs(some.scale / whole.scale - 1) < 0.1
    assert (some.rows, some.accuracy) == (6000, whole.accuracy)
    assert some.log_loss == pytest.approx(whole.log_loss, rel=1e-2)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_resumed_run_equals_one_that_was_not_interrupted(tmp_path):
    path = tmp_path / "run.checkpoint"
    _, whole = trained(trainer_of())
    stream = train_ensemble(trainer_of(checkpoint=EnsembleCheckpoint(path, {"a": "1"})), TINY)
    for _ in range(3):
        next(stream)
    stream.close()
    checkpoint = EnsembleCheckpoint(path, {"a": "1"})
    assert sorted(checkpoint.saved) == [(0, 0), (0, 1), (1, 0)]
    members, resumed = trained(trainer_of(checkpoint=checkpoint, n_threads=2))
    assert_same(whole, resumed)
    assert [m.stop_reason for m in members[:3]] == ["schedule_completed", "converged", "schedule_completed"]
    assert members[0].classifier.loss_curve_ == trained(trainer_of())[0][0].classifier.loss_curve_


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "run.checkpoint"
    stream = train_ensemble(trainer_of(checkpoint=EnsembleCheckpoint(path, {"preset": "'fast'"})), TINY)
    next(stream)
    stream.close()
    with pytest.raises(CheckpointError, match="belongs to another run: preset is 'best', the file has 'fast'"):
        EnsembleCheckpoint(path, {"preset": "'best'"})
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="was damaged or altered"):
        EnsembleCheckpoint(path, {"preset": "'fast'"})
    with pytest.raises(CheckpointError, match=r"the folder .* doesn't exist"):
        EnsembleCheckpoint(tmp_path / "none" / "file", {})
