"""The rules that move weights: against scalar loops, and against scikit-learn's own optimizers."""

import math
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from threadpoolctl import threadpool_limits

from glassmax import optimizers
from glassmax.errors import OptionError
from glassmax.optimizers import SCHEDULES, SGD, Adam, Schedule, lbfgs, rate_factors

START = [1.0, -2.0, 0.5, 0.0]


def gradients(steps=25):
    """Return a gradient for each step: large, tiny and zero entries."""
    draw = np.random.default_rng(2)
    return draw.standard_normal((steps, 4)) * [1.0, 1e-6, 1e3, 1.0] * (draw.uniform(size=(steps, 4)) > 0.2)


def trained(rule, dtype="float64", steps=25):
    theta = np.array(START, dtype)
    state = rule.init(theta)
    for gradient in gradients(steps).astype(dtype):
        rule.step(theta, gradient, state)
    return theta


# scalar loops


def sgd_by_hand(w, gs, learning_rate, momentum, nesterov):
    velocity = 0.0
    for g in gs:
        velocity = momentum * velocity - learning_rate * g
        w += momentum * velocity - learning_rate * g if nesterov else velocity
    return w


def adam_by_hand(w, gs, learning_rate, beta_1, beta_2, epsilon):
    m = v = 0.0
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        rate = learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w -= rate * m / (math.sqrt(v) + epsilon)
    return w


SGDS = [(0.1, 0.0, False), (0.1, 0.0, True), (0.05, 0.9, False), (0.05, 0.9, True), (1.0, 0.5, True)]
ADAMS = [(0.001, 0.9, 0.999, 1e-8), (0.1, 0.0, 0.5, 1e-3), (0.01, 0.99, 0.0, 1e-12)]


@pytest.mark.parametrize("constants", SGDS, ids=str)
def test_sgd_is_the_scalar_loop(constants):
    by_hand = [sgd_by_hand(w, gs.tolist(), *constants) for w, gs in zip(START, gradients().T, strict=True)]
    np.testing.assert_allclose(trained(SGD(*constants)), by_hand, rtol=1e-13)


@pytest.mark.parametrize("constants", ADAMS, ids=str)
def test_adam_is_the_scalar_loop(constants):
    by_hand = [adam_by_hand(w, gs.tolist(), *constants) for w, gs in zip(START, gradients().T, strict=True)]
    np.testing.assert_allclose(trained(Adam(*constants)), by_hand, rtol=1e-12)


# scikit-learn's


def trained_by_scikit_learn(make, dtype):
    theta = np.array(START, dtype)
    optimizer = make([theta])
    for gradient in gradients().astype(dtype):
        optimizer.update_params([theta], [gradient])
    return theta


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("constants", SGDS, ids=str)
def test_sgd_is_scikit_learns(constants, dtype):
    learning_rate, momentum, nesterov = constants
    theirs = trained_by_scikit_learn(
        lambda params: SGDOptimizer(params, learning_rate, momentum=momentum, nesterov=nesterov), dtype
    )
    np.testing.assert_allclose(trained(SGD(*constants), dtype), theirs, rtol=1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("constants", ADAMS, ids=str)
def test_adam_is_scikit_learns(constants, dtype):
    theirs = trained_by_scikit_learn(lambda params: AdamOptimizer(params, *constants), dtype)
    np.testing.assert_allclose(trained(Adam(*constants), dtype), theirs, rtol=1e-12 if dtype == "float64" else 1e-5)


# what every rule keeps to


RULES = [SGD(0.1), SGD(0.1, 0.9), SGD(0.1, 0.9, nesterov=True), Adam(0.1)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_step_works_in_place_on_views_and_leaves_the_rest_alone(rule):
    everything = np.arange(12.0)
    theta, gradient = everything[2:10:2], np.ones(4)
    state = rule.init(theta)
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    rule.step(theta, gradient, state)
    np.testing.assert_array_equal(np.flatnonzero(everything != np.arange(12.0)), [2, 4, 6, 8])
    np.testing.assert_array_equal(gradient, np.ones(4))
    assert all(state[name] is array for name, array in arrays.items())


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_goes_downhill_and_keeps_float32(rule):
    theta = np.array([1.0, -1.0], "float32")
    state = rule.init(theta)
    rule.step(theta, np.array([0.5, -0.5], "float32"), state)
    assert theta.dtype == np.float32
    assert all(value.dtype == np.float32 for value in state.values() if isinstance(value, np.ndarray))
    assert theta[0] < 1
    assert theta[1] > -1


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_holds_no_state(rule):
    np.testing.assert_array_equal(trained(rule), trained(rule))
    with pytest.raises(AttributeError):
        rule.learning_rate = 1.0


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_goes_on_from_a_copied_state(rule):
    theta = np.array(START)
    state = rule.init(theta)
    for number, gradient in enumerate(gradients()):
        if number == 10:
            theta, state = (
                theta.copy(),
                {name: np.copy(value) if name != "t" else value for name, value in state.items()},
            )
        rule.step(theta, gradient, state)
    np.testing.assert_array_equal(theta, trained(rule))


def test_sgd_without_momentum_is_theta_less_rate_times_gradient():
    theta = np.array(START)
    SGD(0.25).step(theta, np.array([1.0, 2.0, 4.0, 8.0]), SGD(0.25).init(theta))
    np.testing.assert_array_equal(theta, np.array(START) - [0.25, 0.5, 1.0, 2.0])


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_adams_first_step_is_the_learning_rate_whatever_the_size_of_the_gradient(size):
    theta = np.zeros(2)
    rule = Adam(0.01)
    rule.step(theta, size * np.array([1.0, -3.0]), rule.init(theta))
    np.testing.assert_allclose(theta, [-0.01, 0.01], rtol=1e-3)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_rule_finds_the_bottom_of_a_bowl(rule):
    theta = np.array([3.0, -2.0])
    state = rule.init(theta)
    for _ in range(500):
        rule.step(theta, theta * [1.0, 5.0], state)
    np.testing.assert_allclose(theta, 0, atol=1e-3)


# ranges


POSITIVE, BELOW_1 = "a number > 0.", "a number from 0 up to, not including, 1."
REFUSED = {
    f"learning_rate is 0, expected {POSITIVE}": lambda: SGD(0),
    f"learning_rate is -0.1, expected {POSITIVE}": lambda: Adam(-0.1),
    f"learning_rate is inf, expected {POSITIVE}": lambda: Adam(np.inf),
    f"learning_rate is nan, expected {POSITIVE}": lambda: SGD(np.nan),
    f"learning_rate is '0.1', expected {POSITIVE}": lambda: SGD("0.1"),
    f"learning_rate is None, expected {POSITIVE}": lambda: Adam(None),
    "momentum is 1.1, expected a number from 0 to 1.": lambda: SGD(0.1, 1.1),
    "momentum is -0.5, expected a number from 0 to 1.": lambda: SGD(0.1, momentum=-0.5),
    "momentum is nan, expected a number from 0 to 1.": lambda: SGD(0.1, momentum=np.nan),
    "momentum is True, expected a number from 0 to 1.": lambda: SGD(0.1, momentum=True),
    f"beta_1 is 1.0, expected {BELOW_1}": lambda: Adam(0.1, beta_1=1.0),
    f"beta_2 is 2, expected {BELOW_1}": lambda: Adam(0.1, beta_2=2),
    f"beta_2 is [0.9], expected {BELOW_1}": lambda: Adam(0.1, beta_2=[0.9]),
    f"epsilon is 0, expected {POSITIVE}": lambda: Adam(0.1, epsilon=0),
}


@pytest.mark.parametrize(("message", "call"), REFUSED.items(), ids=REFUSED)
def test_constants_out_of_range_are_refused_word_for_word(message, call):
    with pytest.raises(OptionError) as caught:
        call()
    assert str(caught.value) == message


def test_the_ends_of_the_ranges_are_allowed():
    assert SGD(1e-300, momentum=0).momentum == 0
    assert SGD(0.1, momentum=1).momentum == 1
    assert SGD(np.float32(0.5)).learning_rate == 0.5
    assert Adam(1, beta_1=0, beta_2=0, epsilon=1e-300).beta_1 == 0


# schedules


def whole_course(schedule, epochs=10, steps=4, rows=100):
    """Return the share of every step of a run."""
    return np.concatenate(
        [
            schedule.shares(epoch * steps, steps, epochs * steps, epoch=epoch, rows=epoch * rows)
            for epoch in range(epochs)
        ]
    )


def test_a_constant_rate_is_constant():
    np.testing.assert_array_equal(whole_course(Schedule()), np.ones(40))


def test_a_cosine_falls_from_full_to_nothing():
    t = np.arange(40)
    np.testing.assert_allclose(whole_course(Schedule("cosine")), (1 + np.cos(np.pi * t / 40)) / 2, rtol=1e-12)


def test_one_cycle_rises_and_falls():
    shares = whole_course(Schedule("one_cycle"))
    assert shares[0] == pytest.approx(1 / 25)
    assert np.argmax(shares) == 11
    assert shares[11] == pytest.approx(1)
    assert (np.diff(shares[:12]) > 0).all()
    assert (np.diff(shares[11:]) < 0).all()
    assert shares[25] == pytest.approx((1 + 1 / 250_000) / 2)
    assert shares[39] == pytest.approx(1 / 250_000)


def test_steps_fall_by_their_factor():
    shares = whole_course(Schedule("step", step_every=3, step_factor=0.5))
    np.testing.assert_allclose(shares[::4], [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])
    assert len(set(shares)) == 4


def test_invscaling_is_that_of_scikit_learn():
    theirs = SGDOptimizer([np.zeros(1)], learning_rate_init=1.0, lr_schedule="invscaling", power_t=0.3)
    rates = []
    for epoch in range(10):
        rates.append(theirs.learning_rate)
        theirs.iteration_ends((epoch + 1) * 100)
    np.testing.assert_allclose(whole_course(Schedule("invscaling", power_t=0.3))[::4], rates, rtol=1e-12)


@pytest.mark.parametrize("kind", ["constant", "cosine", "step", "invscaling"])
def test_a_warm_up_rises_in_a_straight_line(kind):
    warm, plain = (whole_course(Schedule(kind, warmup=warmup)) for warmup in (0.25, 0.0))
    rise = np.arange(1, 11) / 10
    if kind == "cosine":  # the cosine has the steps that are left
        np.testing.assert_allclose(warm[:10], rise)
        np.testing.assert_allclose(warm[10:], (1 + np.cos(np.pi * np.arange(30) / 30)) / 2, atol=1e-12)
    else:
        np.testing.assert_allclose(warm[:10], rise * plain[:10])
        np.testing.assert_array_equal(warm[10:], plain[10:])


@pytest.mark.parametrize("warmup", [0, 0.01, 0.05, 0.25, 0.33, 0.99])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_share_is_positive_and_at_most_one(kind, warmup):
    shares = whole_course(Schedule(kind, warmup=warmup if kind != "one_cycle" else 0))
    assert (shares > 0).all()
    assert (shares <= 1).all()


# L-BFGS


def banana(x):
    return float(rosen(x)), rosen_der(x)


def test_lbfgs_goes_scipys_way_step_by_step():
    seen = []
    options = {"maxiter": 30, "maxfun": 500, "gtol": 1e-6}
    found = minimize(
        banana,
        np.array([-1.0, 2.0, 3.0]),
        jac=True,
        method="L-BFGS-B",
        options=options,
        callback=lambda x: seen.append(x.copy()),
    )
    *steps, last = lbfgs(banana, np.array([-1.0, 2.0, 3.0]), max_iter=30, max_fun=500, tol=1e-6)
    np.testing.assert_array_equal([step.theta for step in steps], seen)
    np.testing.assert_array_equal(last.theta, found.x)
    assert last.stop_reason == "max_iter"
    assert all(step.loss == banana(step.theta)[0] and step.stop_reason == "" for step in steps)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({}, "converged"),
        ({"max_iter": 3}, "max_iter"),
        ({"max_fun": 5}, "max_fun"),
    ],
    ids=str,
)
def test_lbfgs_says_why_it_ended(limits, reason):
    *_, last = lbfgs(banana, np.zeros(2), **{"max_iter": 200, "max_fun": 500, "tol": 1e-6, **limits})
    assert last.stop_reason == reason


def test_lbfgs_works_only_when_a_step_is_taken():
    calls = []
    steps = lbfgs(lambda x: (calls.append(1), banana(x))[1], np.zeros(2), max_iter=50, max_fun=500, tol=1e-6)
    assert calls == []
    next(steps)
    after_one = len(calls)
    next(steps)
    assert len(calls) > after_one
    steps.close()


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_reader_who_leaves_ends_the_search(taken):
    before = threading.active_count()
    steps = lbfgs(banana, np.zeros(2), max_iter=50, max_fun=500, tol=1e-6)
    for _ in range(taken):
        next(steps)
    steps.close()
    assert threading.active_count() == before


def test_what_the_objective_raises_comes_out_of_the_stream():
    def broken(x):
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError, match="no"):
        next(lbfgs(broken, np.zeros(2), max_iter=5, max_fun=5, tol=0.1))


def test_a_start_that_is_the_end_has_a_reason_and_no_step():
    (only,) = lbfgs(lambda x: (float(x @ x), 2 * x), np.zeros(2), max_iter=5, max_fun=5, tol=0.1)
    assert only.stop_reason == "converged"
    np.testing.assert_array_equal(only.theta, np.zeros(2))


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        (Schedule(), "Schedule('constant')"),
        (Schedule("cosine", warmup=0.1), "Schedule('cosine', warmup=0.1)"),
        (Schedule("invscaling"), "Schedule('invscaling', power_t=0.5)"),
        (Schedule("step", step_every=5), "Schedule('step', step_every=5, step_factor=0.1)"),
    ],
)
def test_the_prompt_shows_the_options_of_a_schedule_that_count(schedule, shown):
    assert repr(schedule) == shown
    assert eval(shown) == schedule


def test_the_prompt_shows_an_iterate_without_its_vector():
    items = list(lbfgs(lambda x: (float(x @ x), 2 * x), np.ones(300), max_iter=9, max_fun=99, tol=1e-8))
    assert re.fullmatch(r"Iterate\(loss \S+, 300 parameters, continuing\)", repr(items[0]))
    assert re.fullmatch(r"Iterate\(loss \S+, 300 parameters, converged\)", repr(items[-1]))


def test_dir_of_optimizers_shows_the_public_names():
    assert dir(optimizers) == sorted(optimizers.__all__)


# factors of the learning rate


@pytest.mark.parametrize("bias_rate", [1.0, 0.1])
def test_factors_are_those_of_the_parametrization(bias_rate):
    sizes, options = (16, 25, 3), {"bias_rate": bias_rate}
    expected = (0.25, bias_rate, 0.2, bias_rate)
    assert rate_factors(sizes, Adam(0.1), parametrization="ntk", **options) == pytest.approx(expected)
    expected = (1 / 16, bias_rate, 1 / 25, bias_rate)
    assert rate_factors(sizes, SGD(0.1), parametrization="ntk", **options) == pytest.approx(expected)
    expected = () if bias_rate == 1 else (1.0, bias_rate) * 2
    assert rate_factors(sizes, SGD(0.1), **options) == expected


def test_unknown_parametrizations_and_negative_factors_are_refused():
    with pytest.raises(OptionError, match="parametrization is 'mup', expected one of standard, ntk"):
        rate_factors((2, 2), SGD(0.1), parametrization="mup")
    with pytest.raises(OptionError, match="bias_rate is -1, expected a number >= 0"):
        rate_factors((2, 2), SGD(0.1), bias_rate=-1)


# --- L-BFGS and the threads of BLAS ---


def threads_of_scipy():
    return [library.get_num_threads() for library in optimizers._blas_of_scipy()]


def in_a_thread(f):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(f).result()


def test_scipys_blas_has_one_thread_inside_and_its_own_number_outside():
    """Also where another Python thread asks than the one that threadpoolctl obeys."""
    one = optimizers.ONE_THREAD
    with threadpool_limits(2, user_api="blas"):
        before = threads_of_scipy()
        one.enter()
        in_a_thread(one.enter)
        assert {*threads_of_scipy()} <= {1}
        one.leave()
        assert {*threads_of_scipy()} <= {1}  # the other is still inside
        in_a_thread(one.leave)
        assert threads_of_scipy() == before


@pytest.mark.parametrize("taken", [1, 2, 99])
def test_a_search_leaves_the_threads_as_they_were_also_in_the_objective(taken):
    seen = []

    def objective(x):
        seen.append(threads_of_scipy())
        return float(((x - 3) ** 4).sum()), 4 * (x - 3) ** 3

    with threadpool_limits(2, user_api="blas"):
        before = threads_of_scipy()
        search = lbfgs(objective, np.zeros(3), max_iter=50, max_fun=99, tol=1e-8)
        for _ in zip(range(taken), search, strict=False):
            assert threads_of_scipy() == before
        search.close()
        assert threads_of_scipy() == before
        assert seen
        assert all(threads == before for threads in seen)


def test_a_search_whose_objective_raises_leaves_the_threads_as_they_were():
    def objective(x):
        raise ZeroDivisionError

    with threadpool_limits(2, user_api="blas"):
        before = threads_of_scipy()
        with pytest.raises(ZeroDivisionError):
            list(lbfgs(objective, np.zeros(3), max_iter=5, max_fun=9, tol=1e-8))
        assert threads_of_scipy() == before


def test_searches_in_several_threads_find_the_same_and_leave_the_threads_as_they_were():
    def search(seed):
        a = np.random.default_rng(seed).normal(size=20_000)
        *_, last = lbfgs(
            lambda x: (float(((x - a) ** 4).sum()), 4 * (x - a) ** 3), 0 * a, max_iter=8, max_fun=99, tol=1e-9
        )
        return last.theta

    with threadpool_limits(2, user_api="blas"):
        before = threads_of_scipy()
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(search, [0, 1, 2, 3, 0]))
        assert threads_of_scipy() == before
    np.testing.assert_array_equal(together[0], together[4])
    np.testing.assert_array_equal(together[0], search(0))
