// The helpers of one call: threads that share the items of a phase with the caller, and never hold it up.
//
// A phase is a number of items, claimed one at a time: by the caller from the front, by the first helper from the back.
// So each does much the same items step after step, and finds their memory in its own cache. The phase is over when all
// its items are done, so nobody waits for a helper that has not started: it has claimed nothing. Phase and both ends
// stand in one 64-bit word, so a claim that comes too late is seen to be for a phase that is over.
//
//     63            42 41        21 20         0
//     [ phase        ][ front      ][ back     ]     what is left: front .. back-1
//
// Who waits spins for a few microseconds and then sleeps: a spinning thread on a busy machine keeps the one that it
// waits for from running. And while the helpers make the work no shorter, the caller works alone. Which thread does which
// item changes no number of the result.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace glassmax {

class Team {
  public:
    // What an item is: `context` is the call's own, `worker` 0 for the caller and counts up for the helpers.
    typedef void (*Work)(void *context, int worker, int64_t item);

    static constexpr int64_t MOST_ITEMS = (1 << 20) - 64;

    // The process's team; a fresh one after a fork, since threads don't come along.
    static Team &shared();

    // Let up to `helpers` threads attend to this call. Returns the highest number that a worker of `work` may have
    // (there may be more threads from earlier calls), 0 if another call has the helpers: then work without phases.
    int gather(int helpers, Work work, void *context);
    // Do the items 0 .. items-1 with those that attend; more than MOST_ITEMS alone.
    void phase(int64_t items);
    // Let them go: between phases no helper touches the context.
    void dismiss();

  private:
    typedef std::chrono::steady_clock Clock;

    void attend(int worker);
    bool one_item(int worker);
    void wait_until_done();
    void judge(Clock::duration worked, int64_t own, Clock::duration waited, int64_t items);

    std::atomic<uint64_t> word_{0};
    std::atomic<int64_t> left_{0};
    std::atomic<int> sleepers_{0}, wanted_{0};
    std::atomic<bool> caller_sleeps_{false};
    std::mutex taken_, bed_, caller_bed_;
    std::condition_variable wake_, wake_caller_;
    // The rest belongs to the call that has `taken_`.
    int size_ = 0;
    Work work_ = nullptr;
    void *context_ = nullptr;
    uint64_t phase_ = 0;
    Clock::time_point alone_until_{};
    Clock::duration alone_for_{}, together_{}, alone_{};
};

}  // namespace glassmax
