// glassmax.engine._native: the engine as Python sees it. Arrays are checked here, once; what lies behind trusts them.
//
// Nothing is converted and nothing copied: an array of another dtype, layout or size is refused. engine/native.py is
// the one caller, and brings what users pass into this form.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "spec.hpp"
#include "task.hpp"
#include "team.hpp"

namespace nb = nanobind;

namespace glassmax {
namespace {

template <class T, int DIMENSIONS> using In = nb::ndarray<const T, nb::ndim<DIMENSIONS>, nb::c_contig, nb::device::cpu>;
template <class T, int DIMENSIONS> using InOut = nb::ndarray<T, nb::ndim<DIMENSIONS>, nb::c_contig, nb::device::cpu>;

// The names of task.hpp's numbers, as Python has them.
const std::vector<std::string> ACTIVATIONS = {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu",
                                              "selu",     "gelu",    "silu", "mish", "softplus"};
const std::vector<std::string> OUTPUTS = {"softmax", "sigmoid", "identity", "relu"};
const std::vector<std::string> LOSSES = {"cross_entropy", "squared_error", "binary_cross_entropy", "candidate_cross_entropy"};

// ---- instruction sets ----

struct Set {
    const char *name;
    bool (*runs)();
    const Engine &(*engine)();
};

#if defined(__x86_64__) || defined(__i386__)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && has_avx2();
}
#endif

const std::vector<Set> &sets() {  // the best last
    static const std::vector<Set> all = {
        {"baseline", [] { return true; }, engine_baseline},
#if defined(GLASSMAX_HAVE_AVX2)
        {"avx2", has_avx2, engine_avx2},
#endif
#if defined(GLASSMAX_HAVE_AVX512)
        {"avx512", has_avx512, engine_avx512},
#endif
#if defined(GLASSMAX_HAVE_NEON)
        {"neon", [] { return true; }, engine_neon},
#endif
    };
    return all;
}

const Engine &engine_of(const std::string &isa) {
    for (const Set &set : sets())
        if (isa == set.name && set.runs()) return set.engine();
    throw std::invalid_argument("this machine can't run the instruction set " + isa);
}

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Set &set : sets())
        if (set.runs()) names.push_back(set.name);
    return names;
}

// ---- interruption ----

thread_local std::chrono::steady_clock::time_point next_look;
unsigned long main_thread = 0;

// Ask Python whether a signal has come, every 20 ms at most; the error it raises stays set until the call has ended.
// Python tells its main thread alone. The others don't ask: it may be gone before they are.
bool interrupted() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look) return false;
    next_look = now + std::chrono::milliseconds(20);
    nb::gil_scoped_acquire python;
    return PyErr_CheckSignals() != 0;
}

// The threads, and the memory limit in bytes.
typedef std::tuple<int, int64_t> WorkersOf;

Workers workers_of(const WorkersOf &given) {
    const int threads = std::get<0>(given);
    next_look = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    return {threads > 1 ? &Team::shared() : nullptr, threads,
            PyThread_get_thread_ident() == main_thread ? interrupted : [] { return false; }, std::get<1>(given)};
}

// Let Python's other threads run meanwhile. Where Python has ended meanwhile, it ends this thread from within
// PyEval_RestoreThread, and the way out would lead through functions that nothing may be thrown through: so the thread
// waits for the end of the process here.
template <class Work> void without_python(Work work) {
    PyThreadState *state = PyEval_SaveThread();
    work();
    try {
        PyEval_RestoreThread(state);
    } catch (...) {
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// The same for work on that many numbers, if they are so many that the other threads would notice.
template <class Work> void if_long_without_python(size_t numbers, Work work) {
    if (numbers < 65536)
        work();
    else
        without_python(work);
}

Outcome concluded(const Outcome &outcome) {
    if (outcome.ending == INTERRUPTED) throw nb::python_error();
    if (outcome.ending == NO_MEMORY) throw std::bad_alloc();
    return outcome;
}

// ---- what a call is given ----

template <class Index> void check_sparse(const Index *columns, const Index *starts, int64_t n, int64_t entries, int64_t d) {
    require(starts[0] == 0 && int64_t(starts[n]) <= entries, "the row starts of a sparse array don't fit its entries");
    bool rise = true, inside = true;
    if_long_without_python(entries, [&] {
        for (int64_t i = 0; i < n; ++i) rise &= starts[i] <= starts[i + 1];
        for (int64_t e = 0; e < int64_t(starts[n]); ++e) inside &= columns[e] >= 0 && int64_t(columns[e]) < d;
    });
    require(rise, "the row starts of a sparse array go down");
    require(inside, "a column of a sparse array is out of range");
}

typedef nb::ndarray<nb::ndim<1>, nb::c_contig, nb::device::cpu, nb::ro> Indices;

void check_indices(const int64_t *indices, int64_t count, int64_t end, const char *what) {
    bool inside = true;
    for (int64_t i = 0; i < count; ++i) inside &= uint64_t(indices[i]) < uint64_t(end);
    require(inside, what);
}

template <class T> Rows dense_or_sparse(const Spec &spec, const Maybe<In<T, 2>> &X, const Maybe<In<T, 1>> &values,
                                        const Maybe<Indices> &columns, const Maybe<Indices> &starts) {
    Rows rows = {};
    rows.mean_weight = 1;
    if (X) {
        require(int64_t(X->shape(1)) == spec.d(), "X has another number of columns than the network inputs");
        rows.n = int64_t(X->shape(0));
        rows.X = X->data();
        return rows;
    }
    require(values && columns && starts, "X is missing");
    rows.n = int64_t(starts->shape(0)) - 1;
    const int64_t entries = int64_t(values->shape(0));
    require(rows.n >= 0 && int64_t(columns->shape(0)) == entries && columns->dtype() == starts->dtype(),
            "values, columns and starts of a sparse X don't fit together");
    rows.values = values->data();
    rows.columns = columns->data();
    rows.starts = starts->data();
    rows.wide = columns->dtype() == nb::dtype<int64_t>();
    require(rows.wide || columns->dtype() == nb::dtype<int32_t>(), "the indices of a sparse X are neither int32 nor int64");
    if (rows.wide)
        check_sparse(static_cast<const int64_t *>(rows.columns), static_cast<const int64_t *>(rows.starts), rows.n, entries,
                     spec.d());
    else
        check_sparse(static_cast<const int32_t *>(rows.columns), static_cast<const int32_t *>(rows.starts), rows.n, entries,
                     spec.d());
    return rows;
}

// Values, columns and row starts of targets as CSR.
typedef std::tuple<In<double, 1>, Indices, Indices> SparseTargets;

template <class Index> void check_rising(const Index *columns, const Index *starts, int64_t n) {
    bool rise = true;
    for (int64_t i = 0; i < n; ++i)
        for (int64_t e = starts[i] + 1; e < int64_t(starts[i + 1]); ++e) rise &= columns[e - 1] < columns[e];
    require(rise, "the columns of a row of Y don't rise");
}

void add_sparse_targets(Rows &rows, const Spec &spec, const SparseTargets &given) {
    const auto &[values, columns, starts] = given;
    const int64_t entries = int64_t(values.shape(0));
    require(int64_t(starts.shape(0)) == rows.n + 1 && int64_t(columns.shape(0)) == entries && columns.dtype() == starts.dtype(),
            "values, columns and starts of a sparse Y don't fit together");
    rows.target_wide = columns.dtype() == nb::dtype<int64_t>();
    require(rows.target_wide || columns.dtype() == nb::dtype<int32_t>(), "the indices of a sparse Y are neither int32 nor int64");
    rows.target_values = values.data();
    rows.target_columns = columns.data();
    rows.target_starts = starts.data();
    const auto check = [&](auto index) {
        typedef decltype(index) Index;
        const Index *c = static_cast<const Index *>(rows.target_columns), *s = static_cast<const Index *>(rows.target_starts);
        check_sparse(c, s, rows.n, entries, spec.k());
        check_rising(c, s, rows.n);
    };
    rows.target_wide ? check(int64_t()) : check(int32_t());
}

void add_targets(Rows &rows, const Spec &spec, const Maybe<In<int64_t, 1>> &y, const Maybe<In<double, 2>> &Y,
                 const Maybe<SparseTargets> &sparse_Y, const Maybe<In<double, 1>> &weight, double mean_weight) {
    require(bool(y) + bool(Y) + bool(sparse_Y) == 1, "one of y, Y and a sparse Y is expected");
    if (sparse_Y) {
        add_sparse_targets(rows, spec, *sparse_Y);
    } else if (y) {
        require(int64_t(y->shape(0)) == rows.n, "y has another number of rows than X");
        rows.y = y->data();
        check_indices(rows.y, rows.n, spec.k(), "a label is out of range");
    } else {
        require(int64_t(Y->shape(0)) == rows.n && int64_t(Y->shape(1)) == spec.k(), "Y has another shape than the outputs");
        rows.Y = Y->data();
    }
    require(!weight || int64_t(weight->shape(0)) == rows.n, "there are not as many weights as rows");
    rows.weight = weight ? weight->data() : nullptr;
    rows.mean_weight = mean_weight;
}

// alpha, label smoothing, dropout, seed, clip norm (0 for none), weight decay, mixup and its share of the rows:
// engine.Regularization.
typedef std::tuple<double, double, std::vector<double>, uint64_t, double, double, double, double> RegularizationOf;
// adam, Nesterov, momentum, beta_1, beta_2, epsilon, steps behind it, factors of the rate (empty for ones).
typedef std::tuple<bool, bool, double, double, double, double, int64_t, std::vector<double>> RuleOf;

Regularization regularization_of(const RegularizationOf &given, const Spec &spec) {
    const std::vector<double> &dropout = std::get<2>(given);
    require(dropout.empty() || dropout.size() == spec.activations.size(), "dropout doesn't fit the hidden layers");
    for (double rate : dropout) require(rate >= 0 && rate < 1, "a rate of dropout is out of range");
    require(std::get<6>(given) >= 0 && std::get<6>(given) <= 1, "mixup is out of range");
    return {std::get<0>(given), std::get<1>(given), std::get<5>(given), std::get<4>(given),
            dropout.empty() ? nullptr : dropout.data(), std::get<3>(given), std::get<6>(given), std::get<7>(given)};
}

// ---- the calls ----

template <class T> constexpr int WHICH = sizeof(T) == 4 ? 0 : 1;

// NumPy's bit generator, as its capsule holds it.
struct Bits {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
};

// The shuffle of numpy.random.RandomState, draw for draw, of fewer than 2^32 numbers.
void shuffle(int64_t *order, int64_t n, const Bits &bits) {
    uint32_t mask = 0;
    while (int64_t(mask) < n - 1) mask = 2 * mask + 1;
    for (int64_t i = n - 1; i > 0; --i) {
        while (int64_t(mask >> 1) >= i) mask >>= 1;
        int64_t j;
        do j = bits.next_uint32(bits.state) & mask;
        while (j > i);
        std::swap(order[i], order[j]);
    }
}

// Epochs of one network by one rule, see engine/native.py. The arrays of the last call stay with it, since an epoch may come
// in parts, and the next one often has them too.
template <class T> class Session {
  public:
    Session(const std::string &isa, const WorkersOf &with, const Spec &spec, const RuleOf &rule, InOut<T, 1> theta,
            InOut<T, 1> first, Maybe<InOut<T, 1>> second, Maybe<InOut<T, 1>> unscaled, bool keep)
        : engine_(engine_of(isa)), with_(with), spec_(spec), factors_(std::get<7>(rule)), theta_(theta), first_(first),
          second_(second), unscaled_(unscaled) {
        task_.shape = spec.shape();
        task_.parameters = spec.parameters;
        std::tie(task_.rule.adam, task_.rule.nesterov, task_.rule.momentum, task_.rule.beta_1, task_.rule.beta_2,
                 task_.rule.epsilon, task_.rule.t, std::ignore) = rule;
        require((factors_.empty() && !unscaled) || factors_.size() == size_t(spec.arrays) + bool(unscaled),
                "there are not as many rate factors as parameters");
        for (double factor : factors_) require(factor >= 0 && std::isfinite(factor), "a rate factor is out of range");
        task_.rule.factors = factors_.empty() ? nullptr : factors_.data();
        task_.rule.scale_factor = unscaled ? factors_.back() : 1;
        const int64_t moving = spec.parameters + (unscaled ? spec.sizes[0] : 0);
        const auto fits = [&](const InOut<T, 1> &array) { return int64_t(array.shape(0)) == moving; };
        require(int64_t(theta.shape(0)) == spec.parameters && fits(first) && (!second || fits(*second)) &&
                    (!unscaled || fits(*unscaled)),
                "theta or the state has another size than the network");
        require(bool(second) == task_.rule.adam, "the state is not that of the rule");
        task_.theta = theta.data();
        task_.first = first.data();
        task_.second = second ? second->data() : nullptr;
        task_.unscaled = unscaled ? unscaled->data() : nullptr;
        session_ = engine_.open[WHICH<T>](task_, keep);
        if (!session_) throw std::bad_alloc();
    }
    Session(const Session &) = delete;
    ~Session() { settle(CLOSE, 0); }

    void rows(Maybe<In<T, 2>> X, Maybe<In<T, 1>> values, Maybe<Indices> columns, Maybe<Indices> starts, Maybe<In<int64_t, 1>> y,
              Maybe<In<double, 2>> Y, const Maybe<SparseTargets> &sparse_Y, Maybe<In<double, 1>> weight, double mean_weight) {
        const Alone alone(*this);
        Rows rows = dense_or_sparse<T>(spec_, X, values, columns, starts);
        add_targets(rows, spec_, y, Y, sparse_Y, weight, mean_weight);
        X_ = X, values_ = values, columns_ = columns, starts_ = starts, y_ = y, Y_ = Y, sparse_Y_ = sparse_Y, weight_ = weight;
        rows_ = rows;
        given_ = true;
    }

    void regularization(const RegularizationOf &given) {
        const Alone alone(*this);
        dropout_ = std::get<2>(given);
        task_.regularization = regularization_of(given, spec_);
        task_.regularization.dropout = dropout_.empty() ? nullptr : dropout_.data();
    }

    void steps_of(In<int64_t, 1> order, int64_t batch_size, In<double, 1> rates, Maybe<In<double, 1>> mixup_factors) {
        const Alone alone(*this);
        require(batch_size >= 1, "batch_size is less than 1");
        const int64_t steps = (int64_t(order.shape(0)) + batch_size - 1) / batch_size;
        require(steps <= int64_t(rates.shape(0)), "there are fewer rates than steps");
        require(!mixup_factors || steps <= int64_t(mixup_factors->shape(0)), "there are fewer mixup factors than steps");
        order_ = order, rates_ = rates, mixup_factors_ = mixup_factors;
        task_.order = order_->data();
        task_.batch_size = batch_size;
        task_.rates = rates_->data();
        task_.mixup_factors = mixup_factors_ ? mixup_factors_->data() : nullptr;
    }

    // An epoch, or its first `most` steps. Returns the loss so far, the steps, whether the loss is finite, at the end of the
    // epoch whether all weights are, and the steps that the rule has behind it. A `live` one begins with what the arrays hold
    // and a rule with t steps behind it, and ends with what is right in the arrays.
    typedef std::tuple<double, int64_t, bool, bool, int64_t> Told;
    Told epoch(int64_t first_step, int64_t most, bool live, int64_t t) {
        const Alone alone(*this);
        require(given_ && order_, "there are no rows");
        task_.rows = rows_;
        task_.rows.n = int64_t(order_->shape(0));  // an order may be shorter than the data
        check_indices(task_.order, task_.rows.n, rows_.n, "the order names a row that isn't there");
        if (rows_.y) check_indices(rows_.y, rows_.n, spec_.k(), "a label is out of range");  // again: they may have changed
        task_.first_step = first_step;
        Workers workers = workers_of(with_);
        Outcome outcome = {0, 0, NO_MEMORY};
        without_python([&] {
            if (live) settle(LOAD, t);
            if (engine_.begin[WHICH<T>](session_, task_, workers)) outcome = engine_.steps[WHICH<T>](session_, most, workers);
            if (live) settle(READ, 0);
        });
        return told(outcome);
    }
    Told more(int64_t most) {
        const Alone alone(*this);
        Workers workers = workers_of(with_);
        Outcome outcome;
        without_python([&] { outcome = engine_.steps[WHICH<T>](session_, most, workers); });
        return told(outcome);
    }

    // Whole epochs, each in an order that it shuffles out of the last one's, in place; without `bits` all in the same order.
    // No interruption is noticed: they are to be short. Returns their losses, and what `epoch` returns of the last one: a loss
    // or a weight that is not finite ends them.
    std::tuple<std::vector<double>, Told> epochs(int64_t first_step, int64_t count, InOut<int64_t, 1> order, nb::object bits) {
        const Alone alone(*this);
        require(given_ && order_ && order.data() == task_.order, "there are no rows");
        const Bits *draw = bits.is_none() ? nullptr : static_cast<const Bits *>(PyCapsule_GetPointer(bits.ptr(), "BitGenerator"));
        if (!bits.is_none() && !draw) throw nb::python_error();
        task_.rows = rows_;
        const int64_t n = task_.rows.n = int64_t(order.shape(0));
        require(n < (int64_t(1) << 32), "there are too many rows to shuffle");
        check_indices(task_.order, n, rows_.n, "the order names a row that isn't there");
        if (rows_.y) check_indices(rows_.y, rows_.n, spec_.k(), "a label is out of range");
        task_.first_step = first_step;
        Workers workers = workers_of(with_);
        workers.interrupted = [] { return false; };
        Outcome outcome = {0, 0, DONE, true};
        std::vector<double> losses;
        losses.reserve(size_t(count));
        without_python([&] {
            for (; count > 0 && outcome.ending == DONE && outcome.sound; --count) {
                if (draw) shuffle(order.data(), n, *draw);
                outcome = {0, 0, NO_MEMORY};
                if (engine_.begin[WHICH<T>](session_, task_, workers)) outcome = engine_.steps[WHICH<T>](session_, n, workers);
                task_.first_step += outcome.steps;
                losses.push_back(outcome.loss);
            }
        });
        return {losses, told(outcome)};
    }

    // Each returns the steps that the rule has behind it.
    int64_t read() { return settled(READ, 0); }
    std::tuple<int64_t, bool> go_back() {
        const int64_t t = settled(GO_BACK, 0);
        return {t, standing_.back};
    }
    void load(int64_t t) { settled(LOAD, t); }
    int64_t close() { return settled(CLOSE, 0); }

  private:
    // One thread at a time: a second one gets an error, and not the memory of the first.
    struct Alone {
        explicit Alone(Session &session) : lock(session.busy_, std::try_to_lock) {
            if (!lock.owns_lock()) throw std::runtime_error("another thread is using this session");
            if (!session.session_) throw std::runtime_error("the session is closed");
        }
        std::unique_lock<std::mutex> lock;
    };

    Told told(const Outcome &outcome) {
        concluded(outcome);
        return {outcome.loss, outcome.steps, outcome.ending == DONE, outcome.sound, standing_.t};
    }
    void settle(Settling what, int64_t t) {
        if (!session_) return;
        standing_ = engine_.settle[WHICH<T>](session_, what, t);
        if (what == CLOSE) session_ = nullptr;
    }
    int64_t settled(Settling what, int64_t t) {
        const Alone alone(*this);
        if_long_without_python(size_t(spec_.parameters), [&] { settle(what, t); });
        return standing_.t;
    }

    const Engine &engine_;
    const WorkersOf with_;
    const Spec &spec_;
    std::vector<double> factors_, dropout_;
    InOut<T, 1> theta_, first_;
    Maybe<InOut<T, 1>> second_, unscaled_;
    Maybe<In<T, 2>> X_;
    Maybe<In<T, 1>> values_;
    Maybe<Indices> columns_, starts_;
    Maybe<In<int64_t, 1>> y_, order_;
    Maybe<In<double, 2>> Y_;
    Maybe<SparseTargets> sparse_Y_;
    Maybe<In<double, 1>> weight_, rates_, mixup_factors_;
    Epoch task_ = {};
    Rows rows_ = {};
    bool given_ = false;
    Standing standing_ = {};
    void *session_ = nullptr;
    std::mutex busy_;
};

// An epoch alone: a session of one.
template <class T>
typename Session<T>::Told epoch(const std::string &isa, const WorkersOf &with, const Spec &spec, const RuleOf &rule, InOut<T, 1> theta,
                                InOut<T, 1> first, Maybe<InOut<T, 1>> second, Maybe<In<T, 2>> X, Maybe<In<T, 1>> values,
                                Maybe<Indices> columns, Maybe<Indices> starts, Maybe<In<int64_t, 1>> y, Maybe<In<double, 2>> Y,
                                const Maybe<SparseTargets> &sparse_Y, Maybe<In<double, 1>> weight, double mean_weight,
                                const RegularizationOf &regularization, In<int64_t, 1> order, int64_t batch_size,
                                In<double, 1> rates, Maybe<In<double, 1>> mixup_factors, int64_t first_step) {
    Session<T> session(isa, with, spec, rule, theta, first, second, std::nullopt, false);
    session.rows(X, values, columns, starts, y, Y, sparse_Y, weight, mean_weight);
    session.regularization(regularization);
    session.steps_of(order, batch_size, rates, mixup_factors);
    return session.epoch(first_step, int64_t(order.shape(0)), true, std::get<6>(rule));
}

template <class T>
double loss_and_gradient(const std::string &isa, const WorkersOf &with, const Spec &spec, Maybe<In<T, 2>> X, Maybe<In<T, 1>> values,
                         Maybe<Indices> columns, Maybe<Indices> starts, Maybe<In<int64_t, 1>> y, Maybe<In<double, 2>> Y,
                         const Maybe<SparseTargets> &sparse_Y, Maybe<In<double, 1>> weight, double mean_weight,
                         const RegularizationOf &regularization, In<T, 1> theta, InOut<double, 1> gradient) {
    Rows rows = dense_or_sparse<T>(spec, X, values, columns, starts);
    add_targets(rows, spec, y, Y, sparse_Y, weight, mean_weight);
    require(rows.n >= 1, "there are no rows");
    require(int64_t(theta.shape(0)) == spec.parameters && int64_t(gradient.shape(0)) == spec.parameters,
            "theta or the gradient has another size than the network");
    Regularization how = regularization_of(regularization, spec);
    const Engine &engine = engine_of(isa);
    Workers workers = workers_of(with);
    Outcome outcome;
    without_python([&] { outcome = engine.gradient[WHICH<T>](spec.shape(), rows, how, theta.data(), gradient.data(), workers); });
    return concluded(outcome).loss;
}

template <class T>
void forward(const std::string &isa, const WorkersOf &with, const Spec &spec, Maybe<In<T, 2>> X, Maybe<In<T, 1>> values,
             Maybe<Indices> columns, Maybe<Indices> starts, In<T, 1> theta, bool probabilities, InOut<T, 2> out) {
    const Rows rows = dense_or_sparse<T>(spec, X, values, columns, starts);
    require(int64_t(theta.shape(0)) == spec.parameters, "theta has another size than the network");
    require(int64_t(out.shape(0)) == rows.n && int64_t(out.shape(1)) == spec.k(), "the output has another shape");
    const Engine &engine = engine_of(isa);
    Workers workers = workers_of(with);
    Outcome outcome;
    without_python([&] { outcome = engine.forward[WHICH<T>](spec.shape(), rows, theta.data(), probabilities, out.data(), workers); });
    concluded(outcome);
}

// Losses of the rows and their most probable classes, without probabilities of all; false where the network does not go by
// tiles of classes, and nothing was computed.
template <class T>
bool summary(const std::string &isa, const WorkersOf &with, const Spec &spec, Maybe<In<T, 2>> X, Maybe<In<T, 1>> values,
             Maybe<Indices> columns, Maybe<Indices> starts, Maybe<In<int64_t, 1>> y, In<T, 1> theta, Maybe<InOut<double, 1>> losses,
             InOut<int64_t, 2> labels, InOut<double, 2> probabilities) {
    Rows rows = dense_or_sparse<T>(spec, X, values, columns, starts);
    require(bool(y) == bool(losses), "either y and losses are expected, or none of them");
    if (y) add_targets(rows, spec, y, std::nullopt, std::nullopt, std::nullopt, 1);
    require(int64_t(theta.shape(0)) == spec.parameters, "theta has another size than the network");
    const int64_t count = int64_t(labels.shape(1));
    const auto fits = [&](const auto &array) { return int64_t(array.shape(0)) == rows.n; };
    require(fits(labels) && fits(probabilities) && int64_t(probabilities.shape(1)) == count && (!losses || fits(*losses)),
            "the output has another shape");
    require(count <= spec.k(), "more classes are wanted than there are");
    const Engine &engine = engine_of(isa);
    Workers workers = workers_of(with);
    const Summary to = {losses ? losses->data() : nullptr, count, labels.data(), probabilities.data()};
    Outcome outcome;
    without_python([&] { outcome = engine.summary[WHICH<T>](spec.shape(), rows, theta.data(), to, workers); });
    return concluded(outcome).ending == DONE;
}

// Loss of each row of a softmax layer that is a call of its own, and the gradients that have an array.
template <class T>
void layer(const std::string &isa, const WorkersOf &with, In<T, 2> A, In<T, 2> W, Maybe<In<T, 1>> b, bool transposed,
           Maybe<In<int64_t, 1>> y, Maybe<In<double, 2>> Y, const Maybe<SparseTargets> &sparse_Y, Maybe<In<double, 1>> weight,
           const std::tuple<double, double, double, double> &options, Maybe<InOut<T, 2>> dA, Maybe<InOut<T, 2>> dW,
           Maybe<InOut<T, 1>> db, InOut<double, 1> losses) {
    LayerCall task = {};
    task.d = int64_t(A.shape(1));
    task.k = int64_t(W.shape(transposed ? 0 : 1));
    const auto fits = [](const auto &array, const auto &like) {
        return array.shape(0) == like.shape(0) && array.shape(array.ndim() - 1) == like.shape(like.ndim() - 1);
    };
    require(task.d >= 1 && task.k >= 1 && task.d < (int64_t(1) << 31) && task.k < (int64_t(1) << 31), "a size is out of range");
    require(int64_t(W.shape(transposed ? 1 : 0)) == task.d, "W has another number of rows than A has columns");
    require(!b || int64_t(b->shape(0)) == task.k, "b has another size than W has columns");
    require(!db || int64_t(db->shape(0)) == task.k, "db has another size than W has columns");
    require((!dA || fits(*dA, A)) && (!dW || fits(*dW, W)), "a gradient has another shape than its array");
    std::tie(task.regularization.label_smoothing, task.z_loss, task.softcap, task.temperature) = options;
    const Spec spec({task.d, task.k}, {}, SOFTMAX_OUTPUT, CROSS_ENTROPY, std::nullopt, task.softcap, task.z_loss,
                    task.temperature, {});
    task.rows.n = int64_t(A.shape(0));
    task.rows.X = A.data();
    add_targets(task.rows, spec, y, Y, sparse_Y, weight, 1);
    require(int64_t(losses.shape(0)) == task.rows.n, "there are not as many losses as rows");
    task.W = W.data();
    task.b = b ? b->data() : nullptr;
    task.transposed = transposed;
    task.dA = dA ? dA->data() : nullptr;
    task.dW = dW ? dW->data() : nullptr;
    task.db = db ? db->data() : nullptr;
    task.losses = losses.data();
    const Engine &engine = engine_of(isa);
    Workers workers = workers_of(with);
    Outcome outcome;
    without_python([&] { outcome = engine.layer[WHICH<T>](task, workers); });
    concluded(outcome);
}

// Whether no number is NaN or inf: x - x is 0 for all others.
template <class T> bool finite(In<T, 2> X) {
    const T *x = X.data();
    T sum = 0;
    if_long_without_python(X.size(), [&] {
        for (size_t i = 0; i < X.size(); ++i) sum += x[i] - x[i];
    });
    return sum == 0;
}

template <class T> void bind(nb::module_ &m, const char *name) {
    m.def("finite", &finite<T>, nb::arg().noconvert());
    const auto maybe = [] { return nb::arg().none().noconvert(); };
    const auto plain = [] { return nb::arg().noconvert(); };
    nb::class_<Session<T>>(m, name)
        .def(nb::init<const std::string &, const WorkersOf &, const Spec &, const RuleOf &, InOut<T, 1>, InOut<T, 1>,
                      Maybe<InOut<T, 1>>, Maybe<InOut<T, 1>>, bool>(),
             nb::arg(), nb::arg(), nb::arg(), nb::arg(), plain(), plain(), maybe(), maybe(), nb::arg(), nb::keep_alive<1, 4>())
        .def("rows", &Session<T>::rows, maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), nb::arg())
        .def("regularization", &Session<T>::regularization)
        .def("steps_of", &Session<T>::steps_of, plain(), nb::arg(), plain(), maybe())
        .def("epoch", &Session<T>::epoch)
        .def("epochs", &Session<T>::epochs, nb::arg(), nb::arg(), plain(), nb::arg().none())
        .def("more", &Session<T>::more)
        .def("read", &Session<T>::read)
        .def("load", &Session<T>::load)
        .def("go_back", &Session<T>::go_back)
        .def("close", &Session<T>::close);
    m.def("epoch", &epoch<T>, nb::arg(), nb::arg(), nb::arg(), nb::arg(), plain(), plain(), maybe(), maybe(), maybe(), maybe(),
          maybe(), maybe(), maybe(), maybe(), maybe(), nb::arg(), nb::arg(), plain(), nb::arg(), plain(), maybe(), nb::arg());
    m.def("loss_and_gradient", &loss_and_gradient<T>, nb::arg(), nb::arg(), nb::arg(), nb::arg().none().noconvert(),
          nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none().noconvert(),
          nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none().noconvert(),
          nb::arg(), nb::arg(), nb::arg().noconvert(), nb::arg().noconvert());
    m.def("forward", &forward<T>, nb::arg(), nb::arg(), nb::arg(), nb::arg().none().noconvert(), nb::arg().none().noconvert(),
          nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().noconvert(), nb::arg(),
          nb::arg().noconvert());
    m.def("summary", &summary<T>, nb::arg(), nb::arg(), nb::arg(), nb::arg().none().noconvert(), nb::arg().none().noconvert(),
          nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().noconvert(),
          nb::arg().none().noconvert(), nb::arg().noconvert(), nb::arg().noconvert());
    m.def("layer", &layer<T>, nb::arg(), nb::arg(), nb::arg().noconvert(), nb::arg().noconvert(), nb::arg().none().noconvert(),
          nb::arg(), nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none(), nb::arg().none().noconvert(),
          nb::arg(), nb::arg().none().noconvert(), nb::arg().none().noconvert(), nb::arg().none().noconvert(),
          nb::arg().noconvert());
}

}  // namespace
}  // namespace glassmax

NB_MODULE(_native, m) {
    using namespace glassmax;
    nb::set_leak_warnings(false);  // what a program holds when it ends is no leak
    m.doc() = "The native engine of glassmax. Use it through glassmax.engine.";
    nb::class_<Spec>(m, "Spec").def(nb::init<std::vector<int64_t>, std::vector<int32_t>, int32_t, int32_t, const Maybe<EmbeddingOf> &,
                                         double, double, double, std::vector<uint8_t>>(),
                                nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg(), nb::arg(), nb::arg());
    m.attr("ACTIVATIONS") = ACTIVATIONS;
    m.attr("OUTPUTS") = OUTPUTS;
    m.attr("LOSSES") = LOSSES;
    m.def("instruction_sets", &instruction_sets);
    m.def("note_main_thread", [](unsigned long ident) { main_thread = ident; });
    bind<float>(m, "Session32");
    bind<double>(m, "Session64");
}
