// How test_engine calls the engine, and holds what comes out against plain.hpp.
//
// What the engine is given lies in blocks of its exact size that are aligned for its numbers and for no vector, so that
// the address sanitizer sees whoever reads beside them; what it only reads is compared with a copy afterwards.
#pragma once

#include "plain.hpp"
#include "team.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define FORBID(from, bytes) ASAN_POISON_MEMORY_REGION(from, bytes)
#else
#define FORBID(from, bytes) (void)0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define THREADS_AFTER_FORK false  // the thread sanitizer knows none
#else
#define THREADS_AFTER_FORK true
#endif

namespace glassmax {

// ---- what a check says ----

constexpr double TOLERANCE[2] = {1e-4, 1e-12};  // of the largest entry; float32, float64
inline int64_t checks = 0, failures = 0, all_failures = 0;
inline double worst[2] = {0, 0};

inline void expect(bool holds, const std::string &what) {
    ++checks;
    if (!holds && ++failures <= 8) std::printf("  FAILED: %s\n", what.c_str());
}

template <class U> PLAIN double distance(const U *got, const double *want, int64_t count, double largest) {
    double most = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (std::isnan(want[i]) && std::isnan(got[i])) continue;
        if (std::abs(want[i]) > largest) largest = std::abs(want[i]);
        const double error = std::abs(double(got[i]) - want[i]);
        if (!(error <= most)) most = error;
    }
    return most == 0 ? 0 : most / largest;
}

template <class U> void close(int dtype, const U *got, const Numbers &want, const std::string &what, double least = 0) {
    const double error = distance(got, want.data(), int64_t(want.size()), least);
    if (!(error <= worst[dtype])) worst[dtype] = error;
    expect(error <= TOLERANCE[dtype], what + ": off by " + std::to_string(error / TOLERANCE[dtype]) + " tolerances");
}

inline void verdict(const char *group) {
    std::printf("%-14s %6lld checks", group, static_cast<long long>(checks));
    if (worst[0] + worst[1] > 0) std::printf(", largest error %.1e in float32, %.1e in float64", worst[0], worst[1]);
    std::printf(failures ? ", %lld FAILED\n" : "\n", static_cast<long long>(failures));
    std::fflush(stdout);
    all_failures += failures;
    checks = failures = 0;
    worst[0] = worst[1] = 0;
}

// ---- arrays ----

// An array at the end of a block of the heap. What lies before it in the block is forbidden as well.
template <class T> class Block {
  public:
    static constexpr size_t LEAD = 3 * sizeof(T);  // malloc's 16 bytes and 3 numbers: aligned to no vector
    Block() = default;
    template <class U> explicit Block(const std::vector<U> &from) : kept_(from.begin(), from.end()) {
        room_.reset(static_cast<char *>(std::malloc(LEAD + kept_.size() * sizeof(T))));
        if (!kept_.empty()) std::memcpy(data(), kept_.data(), kept_.size() * sizeof(T));
        FORBID(room_.get(), LEAD / 8 * 8);
    }
    T *data() const { return room_ ? reinterpret_cast<T *>(room_.get() + LEAD) : nullptr; }
    Block again() const { return Block(kept_); }
    bool same(const T *other) const { return kept_.empty() || !std::memcmp(data(), other, kept_.size() * sizeof(T)); }
    bool same(const Block &other) const { return kept_.size() == other.kept_.size() && same(other.data()); }
    bool unchanged() const { return same(kept_.data()); }

  private:
    struct Free {
        void operator()(char *room) const { std::free(room); }
    };
    std::vector<T> kept_;
    std::unique_ptr<char, Free> room_;
};

template <class T> Block<T> maybe(const Numbers &from) { return from.empty() ? Block<T>() : Block<T>(from); }

// ---- the engine ----

inline std::vector<const Engine *> engines() {
    std::vector<const Engine *> all = {&engine_baseline()};
#if defined(GLASSMAX_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&engine_avx2());
#endif
#if defined(GLASSMAX_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        all.push_back(&engine_avx512());
#endif
#if defined(GLASSMAX_HAVE_NEON)
    all.push_back(&engine_neon());
#endif
    return all;
}

inline thread_local int64_t looks = 0, looks_allowed = std::numeric_limits<int64_t>::max();
inline bool interrupted() { return ++looks > looks_allowed; }

template <class T> constexpr int DTYPE = sizeof(T) == 4 ? 0 : 1;

template <class T> struct Trained {
    Outcome outcome;
    Block<T> theta, first, second, unscaled;
    bool same(const Trained &other) const {
        return !std::memcmp(&outcome.loss, &other.outcome.loss, sizeof outcome.loss) &&
               outcome.steps == other.outcome.steps && theta.same(other.theta) && first.same(other.first) &&
               second.same(other.second) && unscaled.same(other.unscaled);
    }
    bool untouched() const { return theta.unchanged() && first.unchanged() && second.unchanged() && unscaled.unchanged(); }
};

// A case as the engine is given it.
template <class T> struct Given {
    const Case &c;
    Block<int64_t> sizes, y, order, columns, starts, periodic, edged, edge_starts, blocks, target_columns, target_starts;
    Block<int32_t> activations, columns_32, starts_32, target_columns_32, target_starts_32;
    Block<uint8_t> frozen;
    Block<double> target_values;
    Block<T> X, values, theta, first, second, unscaled;
    Block<double> Y, weight, rates, dropout, factors, mixup_factors, edges;
    Embedding embedding = {};

    explicit Given(const Case &c)
        : c(c), sizes(c.sizes), y(c.y), order(c.order), activations(c.activations), theta(c.theta), first(c.first),
          second(maybe<T>(c.adam ? c.second : Numbers())), Y(maybe<double>(c.Y)), weight(maybe<double>(c.weight)),
          rates(c.rates), dropout(maybe<double>(c.dropout)), factors(maybe<double>(c.factors)),
          mixup_factors(maybe<double>(c.mixup_factors)) {
        if (c.embedding.d) embed(c.embedding);
        if (!c.frozen.empty()) frozen = Block<uint8_t>(c.frozen);
        if (c.sparse_targets) take_sparse_targets();
        if (!c.scale.empty()) {  // W1 before its scale, what follows, the scale
            Numbers before = c.theta;
            for (int64_t i = 0; i < c.sizes[0] * c.sizes[1]; ++i) before[i] /= c.scale[i / c.sizes[1]];
            before.insert(before.end(), c.scale.begin(), c.scale.end());
            unscaled = Block<T>(before);
        }
        if (!c.sparse) {
            X = Block<T>(c.X);
            return;
        }
        Numbers entries;
        Integers column, start = {0};
        for (int64_t i = 0; i < c.n; ++i, start.push_back(int64_t(entries.size())))
            for (int64_t j = 0; j < c.d(); ++j)
                if (c.X[i * c.d() + j] != 0) {
                    entries.push_back(c.X[i * c.d() + j]);
                    column.push_back(j);
                }
        values = Block<T>(entries);
        columns = Block<int64_t>(column);
        starts = Block<int64_t>(start);
        columns_32 = Block<int32_t>(column);
        starts_32 = Block<int32_t>(start);
    }

    void take_sparse_targets() {
        Numbers values_;
        Integers columns_, starts_ = {0};
        for (int64_t i = 0; i < c.n; ++i, starts_.push_back(int64_t(values_.size())))
            for (int64_t j = 0; j < c.k(); ++j)
                if (const double value = c.Y[i * c.k() + j]; value != 0) {
                    values_.push_back(value);
                    columns_.push_back(j);
                }
        target_values = Block<double>(values_);
        target_columns = Block<int64_t>(columns_);
        target_starts = Block<int64_t>(starts_);
        target_columns_32 = Block<int32_t>(columns_);
        target_starts_32 = Block<int32_t>(starts_);
    }

    void embed(const PlainEmbedding &from) {
        Numbers all;
        Integers start = {0};
        for (const Numbers &t : from.edges) {
            all.insert(all.end(), t.begin(), t.end());
            start.push_back(int64_t(all.size()));
        }
        periodic = Block<int64_t>(from.periodic);
        edged = Block<int64_t>(from.edged);
        edge_starts = Block<int64_t>(start);
        edges = Block<double>(all);
        blocks = Block<int64_t>(from.blocks);
        embedding = {from.d, int64_t(from.periodic.size()), from.K, from.e, periodic.data(), int64_t(from.edged.size()),
                     edged.data(), edge_starts.data(), edges.data(), int64_t(from.blocks.size()) / 3, blocks.data()};
    }
    Shape shape() const {
        return {c.depth(), sizes.data(), activations.data(), c.output, c.loss, c.embedding.d ? &embedding : nullptr,
                c.softcap, c.z_loss, c.temperature, frozen.data()};
    }
    Rows rows() const {
        Rows rows = {};
        rows.n = c.n;
        rows.X = X.data();
        rows.values = values.data();
        rows.columns = c.wide ? static_cast<const void *>(columns.data()) : columns_32.data();
        rows.starts = c.wide ? static_cast<const void *>(starts.data()) : starts_32.data();
        rows.wide = c.wide;
        rows.y = c.Y.empty() ? y.data() : nullptr;
        rows.Y = c.sparse_targets ? nullptr : Y.data();
        if (c.sparse_targets) {
            rows.target_wide = c.n % 2;
            rows.target_values = target_values.data();
            rows.target_columns = c.n % 2 ? static_cast<const void *>(target_columns.data()) : target_columns_32.data();
            rows.target_starts = c.n % 2 ? static_cast<const void *>(target_starts.data()) : target_starts_32.data();
        }
        rows.weight = weight.data();
        rows.mean_weight = c.mean_weight;
        return rows;
    }
    Regularization regularization(bool training) const {
        return {c.alpha, c.smoothing,     c.decay, c.clip, training ? dropout.data() : nullptr,
                SEED,    training ? c.mixup : 0, c.mixup_share};
    }
    bool unchanged() const {
        return sizes.unchanged() && y.unchanged() && order.unchanged() && columns.unchanged() && starts.unchanged() &&
               activations.unchanged() && columns_32.unchanged() && starts_32.unchanged() && X.unchanged() &&
               values.unchanged() && unscaled.unchanged() && theta.unchanged() && first.unchanged() && second.unchanged() && Y.unchanged() &&
               weight.unchanged() && rates.unchanged() && dropout.unchanged() && factors.unchanged() &&
               mixup_factors.unchanged();
    }

    Trained<T> train(const Engine &engine, Workers workers) const {
        Trained<T> moved = as_given();
        moved.outcome = engine.epoch[DTYPE<T>](task(moved), workers);
        return moved;
    }
    // The same by a session, a step at a time; before it an epoch of which nothing is kept.
    Trained<T> train_by_steps(const Engine &engine, Workers workers) const {
        Trained<T> moved = as_given();
        const Epoch of = task(moved);
        void *session = engine.open[DTYPE<T>](of, true);
        const bool begun = session && engine.begin[DTYPE<T>](session, of, workers) &&
                           engine.steps[DTYPE<T>](session, 2, workers).ending == DONE;
        expect(begun && engine.settle[DTYPE<T>](session, GO_BACK, 0).back, "a session can't go back");
        expect(moved.untouched(), "a session has not gone back to where it began");
        if (!engine.begin[DTYPE<T>](session, of, workers)) return moved;
        do moved.outcome = engine.steps[DTYPE<T>](session, 1, workers);
        while (moved.outcome.ending == DONE && moved.outcome.steps * c.batch_size < c.n);
        engine.settle[DTYPE<T>](session, CLOSE, 0);
        return moved;
    }
    Trained<T> as_given() const {
        return {{}, theta.again(), first.again(), c.adam ? second.again() : Block<T>(),
                c.scale.empty() ? Block<T>() : unscaled.again()};
    }
    Epoch task(const Trained<T> &moved) const {
        Epoch task = {shape(), rows(), regularization(true), {}, moved.theta.data(), moved.first.data(), moved.second.data(),
                      moved.unscaled.data(), order.data(), c.batch_size, rates.data(), c.first_step, mixup_factors.data(),
                      int64_t(c.theta.size())};
        task.rule = {c.adam, c.nesterov, c.momentum, BETA_1, BETA_2, EPSILON, c.adam ? STEPS_BEFORE : 0,
                     factors.data(), c.factors.empty() ? 1 : c.factors.back()};
        return task;
    }
    Outcome gradient(const Engine &engine, Workers workers, const Block<double> &to) const {
        return engine.gradient[DTYPE<T>](shape(), rows(), regularization(false), theta.data(), to.data(), workers);
    }
    Outcome forward(const Engine &engine, Workers workers, bool probabilities, const Block<T> &to,
                    int64_t n) const {
        Rows some = rows();
        some.n = n;
        return engine.forward[DTYPE<T>](shape(), some, theta.data(), probabilities, to.data(), workers);
    }
};

// All calls against the plain code, on one thread; and the same bits on others.
template <class T>
void check_as(const Case &c, const Plain &plain, const Engine &engine, const std::vector<int> &threads, Team *team) {
    const Given<T> given(c);
    const std::string name = std::string(engine.name) + (DTYPE<T> ? " float64, " : " float32, ") + c.name();
    const Numbers room(c.n * c.k(), -77);
    Trained<T> alone;
    Block<double> alone_gradient;
    Block<T> alone_out[2];
    for (int count : threads) {
        const Workers workers = {team, count, interrupted};
        Trained<T> trained = given.train(engine, workers);
        Block<double> gradient(Numbers(c.theta.size(), -77));
        const Outcome outcome = given.gradient(engine, workers, gradient);
        Block<T> out[2] = {Block<T>(room), Block<T>(room)};
        expect(given.train_by_steps(engine, workers).same(trained), name + ": a session gives other bits");
        bool done = trained.outcome.ending == DONE && outcome.ending == DONE;
        for (int which : {0, 1}) done &= given.forward(engine, workers, which == 1, out[which], c.n).ending == DONE;
        expect(done && trained.outcome.steps == (c.n + c.batch_size - 1) / c.batch_size, name + ": not to its end");
        expect(given.unchanged(), name + ": an input was changed");
        if (count == threads[0]) {
            const double losses[2] = {trained.outcome.loss, outcome.loss};
            close(DTYPE<T>, losses, {plain.epoch_loss, plain.loss}, name + ", losses", 1e-3);
            close(DTYPE<T>, gradient.data(), plain.gradient, name + ", gradient", 1e-6);
            close(DTYPE<T>, trained.theta.data(), plain.theta, name + ", theta");
            close(DTYPE<T>, trained.first.data(), plain.first, name + ", first state");
            if (!c.scale.empty())
                close(DTYPE<T>, trained.unscaled.data() + c.theta.size(), plain.scale, name + ", scale");
            if (c.adam) close(DTYPE<T>, trained.second.data(), plain.second, name + ", second state");
            close(DTYPE<T>, out[0].data(), plain.logits, name + ", logits");
            close(DTYPE<T>, out[1].data(), plain.probabilities, name + ", probabilities");
            alone = std::move(trained);
            alone_gradient = std::move(gradient);
            for (int which : {0, 1}) alone_out[which] = std::move(out[which]);
        } else {
            expect(trained.same(alone) && gradient.same(alone_gradient) && out[0].same(alone_out[0]) &&
                       out[1].same(alone_out[1]),
                   name + ": other bits on " + std::to_string(count) + " threads");
        }
    }
}

inline void check(const Case &c, const std::vector<int> &threads = {1}, Team *team = nullptr) {
    const Plain plain(c);
    for (const Engine *engine : engines()) {
        check_as<float>(c, plain, *engine, threads, team);
        check_as<double>(c, plain, *engine, threads, team);
    }
}

}  // namespace glassmax
