// How test_engine ends a call before its time: interrupted, no longer finite, forked in the middle, without threads.
#pragma once

#include "given.hpp"
#include "tally.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

namespace glassmax {
namespace {

template <class T> void interrupt(const Case &c, const Engine &engine, int threads) {
    const Given<T> given(c);
    const Block<double> gradient(Numbers(c.theta.size(), 0));
    const Block<T> out(Numbers(c.n * c.k(), 0));
    const Workers workers = {&Team::shared(), threads, interrupted};
    for (const char *what : {"epoch", "gradient", "forward"}) {
        int64_t allowed = 0;
        for (bool reached = true; reached; allowed += 1 + allowed / 4) {
            looks = 0;
            looks_allowed = allowed;
            bool untouched = true;
            Outcome outcome;
            if (*what == 'e') {
                const Trained<T> trained = given.train(engine, workers);
                outcome = trained.outcome;
                untouched = trained.untouched();
            } else if (*what == 'g') {
                outcome = given.gradient(engine, workers, gradient);
            } else {
                outcome = given.forward(engine, workers, true, out, c.n);
            }
            reached = looks > allowed;
            const std::string name = engine.name + (" stopped at look " + std::to_string(allowed)) + " of " + what;
            const Ending right = reached ? INTERRUPTED : DONE;
            expect(outcome.ending == right, name + ", ending " + std::to_string(outcome.ending));
            expect(untouched == reached || *what != 'e', name + ": theta or the state was moved");
        }
        expect(allowed > 1 || threads > 1, std::string(engine.name) + ", " + what + " never asks");
    }
    looks_allowed = std::numeric_limits<int64_t>::max();
}

void interruptions() {
    Case c = make({2000, 32, 3}, 40, 800);
    c.batch_size = 25;
    c.adam = true;
    c.alpha = 1;
    for (const Engine *engine : engines())
        for (double clip : {0, 1}) {
            c.clip = clip;
            interrupt<float>(c, *engine, clip ? 1 : 3);
            interrupt<double>(c, *engine, clip ? 3 : 1);
        }
}

template <class T> void diverge(const Case &c, const Engine &engine, int threads) {
    Case before = c;
    before.n = 2 * c.batch_size;
    const Trained<T> trained = Given<T>(c).train(engine, {&Team::shared(), threads, interrupted});
    const Trained<T> wanted = Given<T>(before).train(engine, {nullptr, 1, interrupted});
    expect(trained.outcome.ending == NOT_FINITE && trained.outcome.steps == 2 && !std::isfinite(trained.outcome.loss) &&
               wanted.outcome.ending == DONE && !trained.untouched(),
           std::string(engine.name) + ": not the end of a loss that isn't finite");
    expect(trained.theta.same(wanted.theta) && trained.first.same(wanted.first) && trained.second.same(wanted.second),
           std::string(engine.name) + ": the steps before were lost");
}

void not_finite() {
    for (double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        Case c = make({65, 48, 17}, 150, 900);
        c.batch_size = 60;
        c.adam = std::isnan(value);
        c.loss = SQUARED_ERROR;
        c.output = IDENTITY_OUTPUT;
        c.activations = {SOFTPLUS};
        c.X[c.order[140] * 65 + 64] = value;  // in the third batch
        for (const Engine *engine : engines())
            for (int threads : {1, 2}) {
                diverge<float>(c, *engine, threads);
                diverge<double>(c, *engine, threads);
            }
    }
}

std::atomic<int> forked{-1};  // 0: somebody waits, 1: go on
bool wait_for_fork() {
    if (forked == -1) forked = 0;
    while (forked == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    return false;
}

void fork_in_the_middle() {  // of a call by another thread, with helpers at work
    if (!THREADS_AFTER_FORK) return void(std::printf("  no threads after a fork under this sanitizer\n"));
    const Case c = make({65, 48, 17}, 130, 1000);
    const Given<float> given(c);
    const Engine &engine = *engines().back();
    const Trained<float> alone = given.train(engine, {nullptr, 1, interrupted});
    expect(given.train(engine, {&Team::shared(), 2, interrupted}).same(alone), "before the fork: other bits");
    bool same = false;
    std::thread other([&] {  // again where the helper took all the items: then nobody has asked
        do same = given.train(engine, {&Team::shared(), 2, wait_for_fork}).same(alone);
        while (forked == -1);
    });
    while (forked == -1) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        bool right = helped(Team::shared());
        for (int round = 0; round < 20; ++round)
            right &= given.train(engine, {&Team::shared(), 2, interrupted}).same(alone);
        _exit(right ? 0 : 1);
    }
    forked = 1;
    other.join();
    int status = -1;
    expect(child > 0 && waitpid(child, &status, 0) == child && status == 0,
           "the child of a fork: status " + std::to_string(status));
    expect(same, "the parent of a fork: other bits");
}

void no_threads() {  // to be had, for once: the call works alone, and the next one has its helpers
#if defined(__GLIBC__)
    static Team &team = *new Team;
    Tally tallied;
    int now = 0;
    std::atomic<bool> next{false};  // relaxed, so that nothing but the team itself brings the two calls into an order
    std::thread other([&] {
        while (!next.load(std::memory_order_relaxed)) std::this_thread::yield();
        if ((now = team.gather(2, tally, &tallied))) team.dismiss();
    });
    pthread_attr_t usual, huge;
    pthread_getattr_default_np(&usual);
    pthread_getattr_default_np(&huge);
    pthread_attr_setstacksize(&huge, size_t(1) << 46);
    expect(pthread_setattr_default_np(&huge) == 0, "the stack of a thread can't be set");
    expect(team.gather(2, tally, &tallied) == 0, "a thread with a stack that no machine has");
    pthread_setattr_default_np(&usual);
    next.store(true, std::memory_order_relaxed);
    other.join();
    expect(now == 2, "after a call without threads nobody has helpers any more");
#endif
}

}  // namespace
}  // namespace glassmax
