// How test_engine holds the last layer by tiles of classes against plain.hpp: for any memory and any number of threads.
#pragma once

#include "given.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace glassmax {

constexpr int64_t MEMORIES[] = {0, 2 << 20, int64_t(1) << 30};  // bytes: no logits stay, some, all

template <class T> struct Summarised {
    Block<double> losses, probabilities;
    Block<int64_t> labels;
    bool same(const Summarised &other) const {
        return losses.same(other.losses.data()) && probabilities.same(other.probabilities.data()) && labels.same(other.labels.data());
    }
};

// Each row's loss and its best classes: the probabilities are the largest ones, of classes that have them.
template <class T>
void check_summary(const Case &c, const Plain &plain, const Summarised<T> &got, int64_t count, const std::string &name) {
    Numbers losses, best, of_labels;
    bool classes_once = true;
    for (int64_t i = 0; i < c.n; ++i) {
        const double *p = &plain.probabilities[i * c.k()];
        losses.push_back(-std::log(p[c.y[i]]));
        Numbers sorted(p, p + c.k());
        std::sort(sorted.begin(), sorted.end(), [](double a, double b) { return a > b; });
        Integers labels(got.labels.data() + i * count, got.labels.data() + (i + 1) * count);
        for (int64_t r = 0; r < count; ++r) {
            best.push_back(sorted[r]);
            of_labels.push_back(labels[r] >= 0 && labels[r] < c.k() ? p[labels[r]] : -1);
        }
        std::sort(labels.begin(), labels.end());
        classes_once &= std::adjacent_find(labels.begin(), labels.end()) == labels.end();
    }
    expect(classes_once, name + ": a class is among the best twice");
    close(DTYPE<T>, got.losses.data(), losses, name + ", losses of the rows", 1e-3);
    close(DTYPE<T>, got.probabilities.data(), best, name + ", best probabilities");
    close(DTYPE<T>, of_labels.data(), best, name + ", best classes");
}

template <class T> void check_tiles_as(const Case &c, const Plain &plain, const Engine &engine, const std::vector<int> &threads) {
    const Given<T> given(c);
    const std::string name = std::string(engine.name) + (DTYPE<T> ? " float64 by tiles, " : " float32 by tiles, ") + c.name();
    const int64_t count = std::min<int64_t>(3, c.k());
    const bool labels = c.Y.empty();
    bool first = true;
    Trained<T> one;
    Block<double> one_gradient;
    Summarised<T> one_summary;
    for (int thread_count : threads)
        for (int64_t memory : MEMORIES) {
            const Workers workers = {&Team::shared(), thread_count, interrupted, memory, 1};
            Trained<T> trained = given.train(engine, workers);
            Block<double> gradient(Numbers(c.theta.size(), -77));
            const Outcome outcome = given.gradient(engine, workers, gradient);
            Summarised<T> got = {Block<double>(Numbers(c.n, -77)), Block<double>(Numbers(c.n * count, -77)),
                                 Block<int64_t>(Integers(c.n * count, -77))};
            const Summary to = {labels ? got.losses.data() : nullptr, count, got.labels.data(), got.probabilities.data()};
            Workers same = workers;
            const Outcome summed = engine.summary[DTYPE<T>](given.shape(), given.rows(), given.theta.data(), to, same);
            expect(trained.outcome.ending == DONE && outcome.ending == DONE && summed.ending == DONE, name + ": not to its end");
            expect(trained.outcome.steps == (c.n + c.batch_size - 1) / c.batch_size, name + ": another number of steps");
            expect(given.unchanged(), name + ": an input was changed");
            if (first) {
                const double losses[2] = {trained.outcome.loss, outcome.loss};
                close(DTYPE<T>, losses, {plain.epoch_loss, plain.loss}, name + ", losses", 1e-3);
                close(DTYPE<T>, gradient.data(), plain.gradient, name + ", gradient", 1e-6);
                close(DTYPE<T>, trained.theta.data(), plain.theta, name + ", theta");
                close(DTYPE<T>, trained.first.data(), plain.first, name + ", first state");
                if (c.adam) close(DTYPE<T>, trained.second.data(), plain.second, name + ", second state");
                if (c.weight.empty() && labels) check_summary<T>(c, plain, got, count, name);  // absent rows hold NaN
                one = std::move(trained);
                one_gradient = std::move(gradient);
                one_summary = std::move(got);
                first = false;
            } else {
                expect(trained.same(one) && gradient.same(one_gradient) && (!c.weight.empty() || got.same(one_summary)),
                       name + ": other bits on " + std::to_string(thread_count) + " threads in " + std::to_string(memory) + " bytes");
            }
        }
}

inline void check_tiles(const Case &c, const std::vector<int> &threads = {1}) {
    const Plain plain(c);
    for (const Engine *engine : engines()) {
        check_tiles_as<float>(c, plain, *engine, threads);
        check_tiles_as<double>(c, plain, *engine, threads);
    }
}

inline void many_classes(int from) {  // each width of the last tile, each option; a third of the cases
    const int64_t classes[] = {1, 2, 15, 17, 255, 256, 257, 300, 511, 513, 600, 700};
    for (int i = from; i < from + 8; ++i) {
        const int64_t k = classes[i % 12];
        const bool flat = i % 4 == 3;
        Case c = make(flat ? Integers{13, k} : i % 4 == 2 ? Integers{9, 17, 31, k} : Integers{7, 33, k}, i % 5 == 4 ? 530 : 70,
                      uint64_t(850 + i));
        c.batch_size = i % 5 == 4 ? 525 : i % 3 ? 33 : c.n;
        c.adam = i % 3 == 0;
        c.nesterov = i % 3 == 1;
        if (i % 2) c.smoothing = 0.125;
        if (i % 5 == 1) c.alpha = 0.5;
        if (i % 7 == 3) c.decay = 0.25;
        if (i % 6 >= 4) c.clip = 0.0625;
        if (i % 4 == 1) with_weights(c);
        if (i % 6 == 2 && !flat) with_sparse_rows(c, i % 4 == 2);
        if (i % 8 == 4) c.dropout = {0.3};
        if (i % 9 == 5) c.factors = Random{13}.numbers(2 * c.depth(), 0, 2);
        check_tiles(c, i % 3 ? std::vector<int>{1} : std::vector<int>{1, 2, 3});
    }
}

// The options of softmax, targets of several classes, frozen parameters, and what else a last layer by tiles can have.
inline void options_by_tiles(int from) {
    const int64_t classes[] = {1, 17, 255, 257, 513, 600};
    for (int i = from; i < from + 12; ++i) {
        const int64_t k = classes[i % 6];
        const bool flat = i % 4 == 3, embedded = i % 8 == 6;
        Case c = embedded ? make_embedded(9, i % 16 == 6 ? Integers{k} : Integers{11, k}, 70, uint64_t(950 + i), 7)
                          : make(flat ? Integers{13, k} : Integers{7, 21, k}, 70, uint64_t(950 + i));
        c.batch_size = i % 3 ? 33 : c.n;
        c.adam = i % 3 == 0;
        c.nesterov = i % 3 == 1;
        if (i % 3 != 2) with_head_options(c);
        if (i % 3 == 2) c.temperature = 2;
        if (i % 2) c.smoothing = 0.125;
        if (i % 5 == 1) c.alpha = 0.5;
        if (i % 7 == 3) c.decay = 0.25;
        if (i % 6 >= 4) c.clip = 0.0625;
        if (i % 4 >= 2) with_sparse_targets(c);
        if (i % 8 == 1) with_target_rows(c);
        if (i % 5 == 2) with_weights(c);
        if (i % 8 >= 6) with_sparse_rows(c, i % 16 >= 8);
        if (i % 5 == 4) c.mixup = 0.75;
        if (i % 4 == 0) freeze(c, i % 8 ? std::vector<int>{2, 3} : std::vector<int>{2});
        if (i % 6 == 1) freeze(c, {0, 1});
        if (flat && i % 8 == 7) freeze(c, {0});
        if (embedded && i % 3 == 0) freeze(c, {0, 2 * int(c.depth())});
        check_tiles(c, i % 4 ? std::vector<int>{1} : std::vector<int>{1, 3});
    }
}

inline void large_batches() {  // as a whole, or in parts where the sum of the gradient is smaller
    for (int i = 0; i < 4; ++i) {
        Case c = make(i % 2 ? Integers{3, 2, i == 1 ? 300 : 5} : Integers{4, 6}, 4200, uint64_t(990 + i));
        c.batch_size = c.n - 60;
        c.adam = i % 2;
        if (i >= 2) c.clip = 0.0078125;
        if (i == 2) with_sparse_rows(c, false);
        if (i == 3) with_head_options(c);
        if (i == 3) c.alpha = 4;
        check_tiles(c);
    }
}

// What has been moved in place when a call ends before its time: whole steps, and all of them.
template <class T> void end_early(const Case &c, const Engine &engine, int threads, Ending right) {
    const Given<T> given(c);
    const std::string name = std::string(engine.name) + " by tiles, ending " + std::to_string(right);
    int64_t steps_seen = -1;
    bool more = true;
    for (int64_t allowed = right == INTERRUPTED ? 0 : std::numeric_limits<int64_t>::max() / 2; more; ++allowed) {
        looks = 0;
        looks_allowed = allowed;
        const Trained<T> trained = given.train(engine, {&Team::shared(), threads, interrupted, 0, 1});
        more = right == INTERRUPTED && looks > allowed;
        looks_allowed = std::numeric_limits<int64_t>::max();
        const int64_t steps = trained.outcome.steps;
        expect(trained.outcome.ending == (right == INTERRUPTED && !more ? DONE : right), name + ": another ending");
        expect(threads > 1 || steps >= steps_seen, name + ": fewer steps after more looks");
        steps_seen = steps;
        Case before = c;
        before.n = std::min(c.n, steps * c.batch_size);
        const Trained<T> wanted = Given<T>(before).train(engine, {nullptr, 1, interrupted, 0, 1});
        expect(steps == 0 ? trained.untouched()
                          : trained.theta.same(wanted.theta) && trained.first.same(wanted.first) && trained.second.same(wanted.second),
               name + ": not whole steps");
    }
    expect(right == INTERRUPTED ? steps_seen == (c.n + c.batch_size - 1) / c.batch_size : steps_seen == 2, name + ": steps");
}

inline void ends_by_tiles() {
    for (double clip : {0.0, 0.0625}) {
        Case c = make({13, 17, 600}, 50, 880);
        c.batch_size = 20;
        c.adam = clip > 0;
        c.clip = clip;
        Case lost = c;
        lost.X[lost.order[45] * 13] = std::nan("");  // in the third batch
        for (const Engine *engine : engines())
            for (int threads : {1, 2}) {
                end_early<float>(c, *engine, threads, INTERRUPTED);
                end_early<double>(lost, *engine, threads, NOT_FINITE);
            }
    }
}

// Logits that hold inf, NaN, or nothing but -inf in whole tiles; the true class far ahead. A network of one layer, whose
// biases are the logits.
template <class T> void hostile_as(const Engine &engine) {
    constexpr int64_t k = 600, n = 5;
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const struct {
        const char *what;
        double all, at_0, at_300, at_599, loss;  // the loss of class 300
    } kinds[] = {{"equal", 0, 0, 0, 0, std::log(600.0)},
                 {"far below", -1e30, 0, 1, -1e30, std::log1p(std::exp(-1.0))},
                 {"far ahead", 0, 0, 30, 0, std::log1p(599 * std::exp(-30.0))},
                 {"tiles of -inf", -inf, 0, 1, -inf, std::log1p(std::exp(-1.0))},
                 {"first tile of -inf", -inf, -inf, 1, 1, std::log(2.0)},
                 {"true class at -inf", 0, 0, -inf, 0, inf},
                 {"only one is not -inf", -inf, -inf, 7, -inf, 0},
                 {"all -inf", -inf, -inf, -inf, -inf, nan},
                 {"one inf", 0, inf, 0, 0, nan},
                 {"inf at the end", 0, 0, 0, inf, nan},
                 {"NaN at the start", 0, nan, 0, 0, nan},
                 {"NaN at the end", 0, 0, 0, nan, nan},
                 {"NaN among -inf", -inf, -inf, 1, nan, nan}};
    for (const auto &kind : kinds) {
        Case c;
        c.sizes = {1, k};
        c.n = n;
        c.X = Numbers(n, 0);
        c.y = Integers(n, 300);
        c.theta = Numbers(k, 0);
        c.theta.insert(c.theta.end(), k, kind.all);
        c.theta[k] = kind.at_0;
        c.theta[k + 300] = kind.at_300;
        c.theta[k + 599] = kind.at_599;
        const Given<T> given(c);
        Workers workers = {nullptr, 1, interrupted, 0, 1};
        const std::string name = std::string(engine.name) + ", " + kind.what;
        const Block<double> gradient(Numbers(2 * k, -77)), losses(Numbers(n, -77)), probabilities(Numbers(2 * n, -77));
        const Block<int64_t> labels(Integers(2 * n, -77));
        const Outcome outcome = given.gradient(engine, workers, gradient);
        engine.summary[DTYPE<T>](given.shape(), given.rows(), given.theta.data(),
                                 {losses.data(), 2, labels.data(), probabilities.data()}, workers);
        const auto near = [](double got, double want) {
            return std::isnan(want) ? std::isnan(got) : want == got || std::abs(got - want) <= 3e-6 * std::abs(want);
        };
        expect(near(outcome.loss, kind.loss), name + ": the loss is " + std::to_string(outcome.loss));
        for (int64_t i = 0; i < n; ++i) expect(near(losses.data()[i], kind.loss), name + ": another loss of a row");
        const double slope = gradient.data()[k + 300];  // minus the probability of the others
        expect(near(slope, std::isinf(kind.loss) ? -1 : std::expm1(-kind.loss)), name + ": the slope is " + std::to_string(slope));
        double sum = 0, size = 0;
        for (int64_t j = 0; j < k; ++j) {
            sum += gradient.data()[k + j];
            size += std::abs(gradient.data()[k + j]);
        }
        expect(std::isnan(kind.loss) || std::abs(sum) <= 1e-5 * size, name + ": the slopes don't add up to 0");
        expect(labels.data()[0] != labels.data()[1] && std::min(labels.data()[0], labels.data()[1]) >= 0, name + ": no two classes");
    }
}

inline void hostile_logits() {
    for (const Engine *engine : engines()) {
        hostile_as<float>(*engine);
        hostile_as<double>(*engine);
    }
}

}  // namespace glassmax
