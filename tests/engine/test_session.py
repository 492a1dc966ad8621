"""Sessions: the same bits as separate epochs, in one piece or in parts, and what is left after each kind of end."""

import gc
import signal
import threading
import weakref

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glassmax import Network
from glassmax.engine import Data, Regularization, init_scaled
from glassmax.engine.progress import Pace
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.optimizers import SGD, Adam
from tests.embedding.cases import network as embedded
from tests.embedding.cases import rows as embedded_rows
from tests.engine.test_native import ENGINES, REFERENCE
from tests.engine.test_native_classes import problem
from tests.engine.test_native_epochs import RULES, RUNS, STORED
from tests.engine.test_native_threads import switching_after

NOTHING = Regularization()

every_engine = pytest.mark.parametrize("engine", [*ENGINES, REFERENCE], ids=lambda engine: engine.arithmetic)
native_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)


class OfSessions:
    """An engine whose epochs are those of one session; it looks at the clock after `steps` steps if there are any."""

    def __init__(self, engine, *, read, steps=None, **how):
        self.engine, self.how, self.read, self.steps, self.session, self.told = engine, how, read, steps, None, []

    def epoch(self, network, data, rule, state, *, rate_factors=(), **options):
        if self.session is None:
            self.session = self.engine.open(network, rule, state, rate_factors=rate_factors, **self.how)
        if self.steps:
            options["progress"] = self.hear
        result = self.session.epoch(data, **options)
        if self.read == "each":
            self.session.read()
        return result

    def hear(self, *said):
        self.told.append(said)


def of_steps(monkeypatch, steps):
    """Have every Pace look after so many steps, and report each time."""

    def look(self, rows_done, rows, loss_so_far):
        self.steps = steps
        self.progress(rows_done, rows, loss_so_far)

    monkeypatch.setattr(Pace, "look", look)


def same(ours, others):
    (theta, state, said), (their_theta, their_state, their_said) = ours, others
    return (
        theta.tobytes() == their_theta.tobytes()
        and all(np.asarray(state[name]).tobytes() == np.asarray(their_state[name]).tobytes() for name in state)
        and np.array(said).tobytes() == np.array(their_said).tobytes()
    )


@settings(max_examples=60, deadline=None)
@given(
    run=RUNS,
    dtype=st.sampled_from(["float32", "float64"]),
    engine=st.sampled_from(ENGINES),
    keep=st.booleans(),
    live=st.booleans(),
    read=st.sampled_from(["each", "end"]),
    steps=st.sampled_from([None, 1, 2, 5]),
)
def test_a_session_gives_the_bits_of_separate_epochs(run, dtype, engine, keep, live, read, steps):
    assume(not (run.loss == "candidate_cross_entropy" and run.regularization.label_smoothing))
    with pytest.MonkeyPatch.context() as patch:
        of_steps(patch, steps)
        sessions = OfSessions(engine, read=read, steps=steps, keep=keep, live=live)
        theta, state, said = run.on(sessions, dtype)
        sessions.session.close()
    assert same((theta, state, said), run.on(engine, dtype))


def epochs(engine, network, data, rule, state, counts, **how):
    """Train some epochs, of the given batch sizes, on rows in an order of their own."""
    said = []
    for number, batch_size in enumerate(counts):
        order = np.random.default_rng(number).permutation(len(data.y))
        rates = np.full(-(-len(order) // batch_size), 0.05)
        options = {"order": order, "rates": rates, "batch_size": batch_size, "first_step": number, **how}
        said.append(engine.epoch(network, data, rule, state, regularization=NOTHING, **options))
    return network.theta, state, said


@native_engine
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("stored", ["dense", "int32"])
@pytest.mark.parametrize("scaled", [False, True], ids=["", "scaled"])
def test_with_embeddings_and_a_scale_of_the_inputs(engine, rule, stored, scaled):
    X, y, w = embedded_rows(100, dtype="float32")

    def trained(engine):
        network = embedded("all", dtype="float32")
        state = init_scaled(RULES[rule], network) if scaled else RULES[rule].init(network.theta)
        return epochs(engine, network, Data(STORED[stored](X), y, w), RULES[rule], state, [33, 40, 33])

    sessions = OfSessions(engine, read="end", keep=True)
    ours = trained(sessions)
    sessions.session.close()
    assert same(ours, trained(engine))


@native_engine
@pytest.mark.parametrize("hidden", [(), (8,)], ids=["one layer", "two layers"])
@pytest.mark.parametrize("keep", [False, True])
def test_with_very_many_classes(engine, hidden, keep):
    def trained(engine):
        network, X, y = problem(4111, hidden, "float32")
        return epochs(engine, network, Data(X, y), Adam(0.01), Adam(0.01).init(network.theta), [70, 150, 40, 70])

    sessions = OfSessions(engine, read="end", keep=keep)
    ours = trained(sessions)
    sessions.session.close()
    assert same(ours, trained(engine))


@native_engine
def test_the_rows_of_a_session_may_change_from_epoch_to_epoch(engine):
    network, X, y = problem(5)
    chunks = [
        Data(X[:70], y[:70]),
        Data(STORED["int32"](X[:9]), y[:9]),  # fewer, and sparse
        Data(X, np.eye(5)[y]),  # targets as rows
        Data(X[:70], y[:70], np.linspace(0, 1, 70)),
        Data(np.asfortranarray(X), y),  # a copy is made
    ]
    rule, again = Adam(0.01), network.astype("float64")
    state, their_state, said, theirs = rule.init(network.theta), rule.init(again.theta), [], []
    with engine.open(network, rule, state) as session:
        for data in [*chunks, *chunks]:
            n = len(data.y)
            how = {"order": np.arange(n), "batch_size": 40, "rates": np.full(n, 0.1), "regularization": NOTHING}
            said.append(session.epoch(data, first_step=0, **how))
            theirs.append(engine.epoch(again, data, rule, their_state, first_step=0, **how))
    assert same((network.theta, state, said), (again.theta, their_state, theirs))


def opened(engine, rule=None, n=60, **how):
    """Return a network, its state, a session, and a function that trains an epoch."""
    network, rule = Network((6, 8, 5), random_state=0), rule or Adam(0.01)
    draw, state = np.random.default_rng(0), rule.init(network.theta)
    X, y = draw.standard_normal((n, 6)), draw.integers(0, 5, n)
    session = engine.open(network, rule, state, **how)

    def epoch(X=X, y=y, order=None, **options):
        options = {"batch_size": 20, "rates": np.full(3, 0.1), "regularization": NOTHING, "first_step": 0} | options
        return session.epoch(Data(X, y), order=np.arange(n) if order is None else order, **options)

    return network, state, session, epoch


def snapshot(network, state):
    return network.theta.copy(), {name: np.copy(value) for name, value in state.items()}, []


@every_engine
def test_theta_and_state_are_read_when_asked_for_and_at_the_end(engine):
    network, state, session, epoch = opened(engine)
    start = snapshot(network, state)
    epoch()
    session.read()
    read = snapshot(network, state)
    assert not same(read, start)
    assert state["t"] == 3
    epoch()
    session.close()
    assert not same(snapshot(network, state), read)
    assert state["t"] == 6


@native_engine
def test_what_was_changed_between_two_epochs_is_loaded(engine):
    network, state, session, epoch = opened(engine)
    start = snapshot(network, state)
    epoch()
    session.read()
    first = snapshot(network, state)
    network.theta[...], state["t"] = start[0], 0
    state["m"][...], state["v"][...] = start[1]["m"], start[1]["v"]
    session.load()
    epoch()
    session.close()
    assert same(snapshot(network, state), first)


@every_engine
def test_a_live_session_sees_every_change_and_is_always_current(engine):
    network, state, session, epoch = opened(engine, live=True)
    start = snapshot(network, state)
    epoch()
    first = snapshot(network, state)
    assert state["t"] == 3
    network.theta[...], state["t"] = start[0], 0
    state["m"][...], state["v"][...] = start[1]["m"], start[1]["v"]
    epoch()
    assert same(snapshot(network, state), first)
    session.close()


@every_engine
@pytest.mark.parametrize("live", [False, True])
def test_a_session_goes_back_to_the_last_state_with_a_finite_loss(engine, live):
    network, state, session, epoch = opened(engine, keep=True, live=live)
    epoch()
    session.read()
    before = snapshot(network, state)
    epoch(rates=np.full(3, 1e200))  # the first loss is finite, and what comes after it is not
    assert session.go_back()
    assert same(snapshot(network, state), before)
    epoch(rates=np.array([0.1, 0.1, 1e300]))
    assert epoch(rates=np.full(3, 0.1)) == (pytest.approx(np.nan, nan_ok=True), 0, False)  # at the first step
    assert session.go_back()
    assert same(snapshot(network, state), before)
    session.close()
    assert same(snapshot(network, state), before)


@every_engine
def test_before_the_first_step_there_is_nothing_to_go_back_over(engine):
    network, state, session, epoch = opened(engine, keep=True)
    start = snapshot(network, state)
    assert not epoch(X=np.full((60, 6), np.inf)).finite
    assert session.go_back()
    session.close()
    assert same(snapshot(network, state), start)


@native_engine
@pytest.mark.parametrize("memory_limit", [16_000_000, 2**30], ids=["no copy", "a copy"])
def test_very_many_classes_go_back_where_half_the_memory_limit_holds_a_copy(engine, memory_limit):
    engine = type(engine)(engine.n_threads, engine.isa, memory_limit)
    network, X, y = problem(100000, (8,), "float32")  # 0.9 million parameters: 11 MB with the moments
    rule, n = Adam(0.01), len(y)
    state = rule.init(network.theta)
    start = snapshot(network, state)
    how = {"order": np.arange(n), "batch_size": n, "regularization": NOTHING, "first_step": 0}
    with engine.open(network, rule, state, keep=True) as session:
        assert session.epoch(Data(X, y), rates=np.full(1, 1e30), **how).finite
        assert not session.epoch(Data(X, y), rates=np.full(1, 0.1), **how).finite
        assert session.go_back() == (memory_limit == 2**30)
    assert same(snapshot(network, state), start) == (memory_limit == 2**30)


@native_engine
def test_finite_says_whether_every_parameter_is(engine):
    for place in (0, 47, 55, 56, 100, -1):
        network, _, session, epoch = opened(engine, SGD(1.0), live=True)
        epoch()
        assert session.finite
        network.theta[place] = np.nan
        epoch(order=np.arange(0, dtype=np.int64), rates=np.zeros(0))  # no step
        assert not session.finite
        session.close()


@every_engine
def test_a_closed_session_says_so_and_may_be_closed_again(engine):
    _, _, session, epoch = opened(engine)
    with session:
        epoch()
    session.close()
    message = "The session is closed. Open another one: engine.open(network, rule, state)."
    for use in (epoch, session.read, session.load, session.go_back):
        with pytest.raises(ValueError, match="closed") as caught:
            use()
        assert str(caught.value) == message


@native_engine
def test_a_session_that_another_thread_uses_stays_open(engine):
    network, state, session, epoch = opened(engine)
    start = snapshot(network, state)

    class Busy:
        def close(self):
            raise RuntimeError("another thread is using this session")

    epoch()
    compiled, session._native = session._native, Busy()
    with pytest.raises(RuntimeError, match="another thread"):
        session.close()
    session._native = compiled
    epoch()
    session.close()
    assert state["t"] == 6
    assert not same(snapshot(network, state), start)


@native_engine
def test_a_session_that_is_dropped_is_read(engine):
    network, state, session, epoch = opened(engine)
    start = snapshot(network, state)
    epoch()
    gone = weakref.ref(session)
    del session, epoch
    gc.collect()
    assert gone() is None
    assert not same(snapshot(network, state), start)
    assert state["t"] == 3


@native_engine
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"y": np.full(60, 5)}, LabelError),
        ({"order": np.array([60])}, ValueError),
        ({"order": np.arange(60.0)}, ShapeError),
        ({"rates": np.ones(2)}, ValueError),
        ({"batch_size": 0}, ValueError),
        ({"X": np.ones((60, 7))}, ShapeError),
        ({"regularization": Regularization(dropout=(1.5,))}, ValueError),
    ],
    ids=str,
)
def test_an_error_changes_nothing_and_the_session_goes_on(engine, given, error):
    network, state, session, epoch = opened(engine)
    epoch()
    with pytest.raises(error):
        epoch(**given)
    epoch()
    session.close()
    twice, their_state, other, again = opened(engine)
    again()
    again()
    other.close()
    assert same(snapshot(network, state), snapshot(twice, their_state))


@native_engine
def test_labels_that_have_changed_are_looked_at_again(engine):
    network, X, y = problem(5, n=20)
    data, rule = Data(X, y), SGD(0.1)
    how = {"order": np.arange(20), "batch_size": 5, "rates": np.full(4, 0.1), "regularization": NOTHING}
    with engine.open(network, rule, rule.init(network.theta)) as session:
        session.epoch(data, first_step=0, **how)
        y[7] = 5
        with pytest.raises(LabelError):
            session.epoch(data, first_step=0, **how)


@native_engine
def test_a_rule_of_ones_own_is_refused(engine):
    class Mine(SGD):
        pass

    network = Network((6, 5))
    with pytest.raises(OptionError, match="knows SGD and Adam"):
        engine.open(network, Mine(0.1), {})


# progress


@every_engine
def test_progress_tells_rows_and_losses_and_changes_no_bit(monkeypatch, engine):
    of_steps(monkeypatch, 1)
    network, state, session, epoch = opened(engine)
    told = []
    result = epoch(progress=lambda *said: told.append(said))
    session.close()
    other, their_state, session, epoch = opened(engine)
    losses = [epoch(order=np.arange(start, start + 20), first_step=start // 20).loss for start in (0, 20, 40)]
    session.close()
    assert [said[:2] for said in told][:2] == [(20, 60), (40, 60)]
    np.testing.assert_allclose([said[2] for said in told[:2]], np.cumsum(losses)[:2] / [1, 2], rtol=1e-12)
    assert result.loss == pytest.approx(np.mean(losses), rel=1e-12)
    assert network.theta.tobytes() == other.theta.tobytes()
    assert state["t"] == their_state["t"] == 3


@native_engine
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("error", [RuntimeError("no more"), KeyboardInterrupt()], ids=repr)
def test_an_error_of_progress_leads_back_to_before_the_epoch(monkeypatch, engine, live, keep, error):
    of_steps(monkeypatch, 1)
    network, state, session, epoch = opened(engine, live=live, keep=keep)
    epoch()
    session.read()
    before = snapshot(network, state)

    def progress(rows_done, *_):
        if rows_done == 40:
            raise error

    with pytest.raises(type(error)):
        epoch(progress=progress)
    session.read()
    assert same(snapshot(network, state), before)
    epoch()
    session.close()
    assert state["t"] == 6


def test_a_report_comes_after_a_second_and_four_times_a_second(monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr("glassmax.engine.progress.time.perf_counter", lambda: clock[0])
    pace = Pace(lambda *said: told.append((*said, clock[0])))
    done, taken = 0, []
    while done < 300:  # of a hundredth of a second each
        steps = min(pace.steps, 300 - done)
        taken.append(steps)
        clock[0] += steps / 100
        done += steps
        pace.look(done, 300, 0.5)
    assert taken[:3] == [1, 25, 25]
    assert [said[0] for said in told] == list(range(101, 300, 25))
    assert all(said[3] >= 1 for said in told)
    pace.begin()
    clock[0] += 0.2
    pace.look(20, 20, 0.5)  # a short epoch
    assert len(told) == 8


# interruption


@native_engine
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_ctrl_c_leads_back_to_before_the_epoch(engine, live, keep):
    network, rule = Network((64, 128, 10), random_state=0), Adam(0.01)
    state = rule.init(network.theta)
    data = Data(np.random.default_rng(0).standard_normal((64, 64)), np.arange(64) % 10)
    how = {"batch_size": 64, "regularization": NOTHING, "first_step": 0}
    short, long = np.arange(64), np.zeros(20_000_000, np.int64)
    rates = np.full(len(long), 1e-3)
    with engine.open(network, rule, state, live=live, keep=keep) as session:
        session.epoch(data, order=short, rates=rates, **how)
        session.read()
        before = snapshot(network, state)
        session.epoch(data, order=short, rates=rates, **how)  # not read
        begun = threading.Event()

        def interrupt():
            begun.wait()
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        other = threading.Thread(target=interrupt)
        other.start()

        def train():
            with switching_after(1e3):  # the other thread runs within the epoch, or never
                begun.set()
                session.epoch(data, order=long, rates=rates, **how)

        with pytest.raises(KeyboardInterrupt):
            train()
        other.join()
        session.read()
        again = snapshot(network, state)
    network.theta[...] = before[0]
    state |= {name: np.copy(value) for name, value in before[1].items()}
    engine.epoch(network, data, rule, state, order=short, rates=rates, **how)
    assert same(again, snapshot(network, state))


# several epochs in one call


class Draw(np.random.RandomState):
    """A source of randomness of another type."""


@every_engine
@pytest.mark.parametrize("rule", [Adam(0.01), SGD(0.1, momentum=0.9)], ids=["adam", "sgd"])
@pytest.mark.parametrize("draw", [np.random.RandomState, Draw, lambda seed: None], ids=["draw", "other", "none"])
@pytest.mark.parametrize("n", [1, 2, 33, 70])
def test_epochs_of_one_call_are_those_of_many(engine, rule, draw, n):
    source = np.random.default_rng(n)
    data = Data(source.standard_normal((n, 4), np.float32), source.integers(3, size=n))
    how = {"batch_size": 8, "rates": np.full(-(-n // 8), 0.01), "regularization": Regularization(alpha=0.1)}
    ends = []
    for at_once in (True, False):
        net, order, bits = Network([4, 6, 3], dtype="float32", random_state=0), np.arange(n), draw(5)
        state, results = rule.init(net.theta), []
        with engine.open(net, rule, state, keep=True) as session:
            for count in (3, 4):
                wanted = len(results) + count
                while len(results) < wanted:
                    first = {"order": order, "first_step": sum(result.steps for result in results)}
                    if at_once:
                        more = session.epochs(data, wanted - len(results), draw=bits, **first, **how)
                        assert 1 <= len(more) <= wanted - len(results)
                        results += more
                        continue
                    if bits is not None:
                        bits.shuffle(order)
                    results.append(session.epoch(data, **first, **how))
        left = None if bits is None else bits.random_sample(3).tobytes()
        ends.append((net.theta.tobytes(), order.tolist(), results, left, state.get("t")))
    assert ends[0] == ends[1]
    assert len(ends[0][2]) == 7


@every_engine
def test_an_epoch_that_is_not_finite_is_the_last_of_a_call(engine):
    source = np.random.default_rng(0)
    data = Data(source.standard_normal((20, 4)), source.integers(3, size=20))
    net, rule, order = Network([4, 6, 3], random_state=0), SGD(1e200), np.arange(20)
    with engine.open(net, rule, rule.init(net.theta), keep=True) as session, np.errstate(all="ignore"):
        how = {"batch_size": 5, "rates": np.full(4, 1e200), "regularization": NOTHING, "first_step": 0}
        results = session.epochs(data, 9, draw=np.random.RandomState(0), order=order, **how)
        assert len(results) < 9
        assert all(result.finite for result in results[:-1])
        assert not (results[-1].finite and session.finite)


@every_engine
def test_epochs_of_one_call_name_a_wrong_label(engine):
    net, rule = Network([2, 3], random_state=0), SGD(0.1)
    how = {"batch_size": 2, "rates": np.ones(1), "regularization": NOTHING, "first_step": 0, "order": np.arange(2)}
    with engine.open(net, rule, rule.init(net.theta)) as session, pytest.raises(LabelError):
        session.epochs(Data(np.eye(2), np.array([0, 3])), 2, draw=None, **how)
