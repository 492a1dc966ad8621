#include "team.hpp"

#include "task.hpp"

#include <algorithm>

#include <pthread.h>
#include <signal.h>

namespace glassmax {

namespace {

constexpr auto SPIN = std::chrono::microseconds(20);
constexpr auto WATCHED = std::chrono::milliseconds(10), STALL = std::chrono::milliseconds(1);
constexpr auto ALONE_LEAST = std::chrono::milliseconds(10), ALONE_MOST = std::chrono::milliseconds(320);
constexpr double WORTH_IT = 0.95;  // of the time that the caller would have taken alone
constexpr int MOST_HELPERS = 60;  // fewer than SPARE

constexpr uint64_t ONE_BEHIND = 1, ONE_AHEAD = 1 << 21, END = ONE_AHEAD - 1;
constexpr int64_t SPARE = 64;  // below the front of a phase: ends that claims in vain have pushed past one another

int64_t front_of(uint64_t word) { return int64_t(word >> 21 & END) - SPARE; }
int64_t back_of(uint64_t word) { return int64_t(word & END) - SPARE; }
uint64_t phase_of(uint64_t word) { return word >> 42; }
bool any_left(uint64_t word) { return front_of(word) < back_of(word); }

void breathe() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// True as soon as `ready` is; false when a few microseconds have gone by without.
template <class Ready> bool spin(Ready ready) {
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
        for (int i = 0; i < 32; ++i) {
            if (ready()) return true;
            breathe();
        }
        if (std::chrono::steady_clock::now() - start > SPIN) return false;
    }
}

std::atomic<Team *> the_team{nullptr};

}  // namespace

Team &Team::shared() {
    // A team is never taken down: its threads sleep until the process ends. After a fork the child has none of them.
    static const int watched = pthread_atfork(nullptr, nullptr, [] { the_team.store(nullptr); });
    (void)watched;
    Team *team = the_team.load();
    if (!team) {
        Team *fresh = new Team;
        if (the_team.compare_exchange_strong(team, fresh))
            team = fresh;
        else
            delete fresh;
    }
    return *team;
}

int Team::gather(int helpers, Work work, void *context) {
    if (!taken_.try_lock()) return 0;
    work_ = work;
    context_ = context;
    helpers = std::min(helpers, MOST_HELPERS);
    while (size_ < helpers) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the threads that were there before
        try {
            std::thread(&Team::attend, this, size_ + 1).detach();
            ++size_;
        } catch (...) {  // no more threads to be had
            helpers = size_;
        }
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    wanted_.store(helpers, std::memory_order_relaxed);
    const int highest = size_;
    if (highest == 0) taken_.unlock();  // and from here on size_ belongs to another call
    return highest;
}

void Team::dismiss() { taken_.unlock(); }

void Team::attend(int worker) {
    uint64_t seen = 0;
    for (;;) {
        const auto called = [&] { return phase_of(word_.load()) != seen; };
        if (!spin(called)) {
            std::unique_lock<std::mutex> lock(bed_);
            ++sleepers_;
            wake_.wait(lock, called);
            --sleepers_;
        }
        uint64_t word = word_.load();
        seen = phase_of(word);
        if (worker > wanted_.load(std::memory_order_relaxed)) continue;
        while (any_left(word) && one_item(worker)) word = word_.load();
    }
}

// Claim an item and do it; false if none was left.
bool Team::one_item(int worker) {
    const bool behind = worker % 2;
    const uint64_t word = behind ? word_.fetch_sub(ONE_BEHIND) : word_.fetch_add(ONE_AHEAD);
    if (!any_left(word)) return false;
    work_(context_, worker, behind ? back_of(word) - 1 : front_of(word));
    if (left_.fetch_sub(1) == 1 && caller_sleeps_.load()) {
        std::lock_guard<std::mutex> lock(caller_bed_);
        wake_caller_.notify_one();
    }
    return true;
}

void Team::phase(int64_t items) {
    const auto start = Clock::now();
    if (items <= 1 || items > MOST_ITEMS || wanted_.load(std::memory_order_relaxed) == 0 || start < alone_until_) {
        for (int64_t item = 0; item < items; ++item) work_(context_, 0, item);
        return;
    }
    left_.store(items);
    phase_ = (phase_ + 1) & 0x3fffff;
    word_.store(phase_ << 42 | uint64_t(SPARE) << 21 | uint64_t(items + SPARE));
    if (sleepers_.load() > 0) {
        { std::lock_guard<std::mutex> lock(bed_); }
        wake_.notify_all();
    }
    int64_t own = 0;
    while (one_item(0)) ++own;
    const auto finished = Clock::now();
    wait_until_done();
    if (own) judge(finished - start, own, Clock::now() - finished, items);
}

void Team::wait_until_done() {
    const auto all_done = [&] { return left_.load() == 0; };
    if (all_done() || spin(all_done)) return;
    std::unique_lock<std::mutex> lock(caller_bed_);
    caller_sleeps_.store(true);
    wake_caller_.wait(lock, all_done);
    caller_sleeps_.store(false);
}

// Helpers that make the work no shorter are left out for a while; each time for longer, as long as nothing changes. So
// are those that were sent off their processor in the middle of an item, while the caller waited.
void Team::judge(Clock::duration worked, int64_t own, Clock::duration waited, int64_t items) {
    together_ += worked + waited;
    alone_ += worked * items / own;
    const bool stalled = waited > STALL + 4 * worked / own;
    if (!stalled && together_ < WATCHED) return;
    if (stalled || together_ > WORTH_IT * alone_) {
        alone_for_ = std::min<Clock::duration>(std::max<Clock::duration>(2 * alone_for_, ALONE_LEAST), ALONE_MOST);
        alone_until_ = Clock::now() + alone_for_;
    } else {
        alone_for_ /= 2;
    }
    together_ = alone_ = Clock::duration{};
}

int gather_helpers(Team &team, int helpers, Team::Work work, void *context) { return team.gather(helpers, work, context); }
void run_phase(Team &team, int64_t items) { team.phase(items); }
void dismiss_helpers(Team &team) { team.dismiss(); }

}  // namespace glassmax
