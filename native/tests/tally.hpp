// How often each item of a team's phases was done, and by which worker.
#pragma once

#include "team.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace glassmax {
namespace {

struct Tally {
    std::vector<int64_t> done = std::vector<int64_t>(Team::MOST_ITEMS, 0), by = std::vector<int64_t>(64, 0);
    std::atomic<int> present{0};
    bool in_time = true;
};

void tally(void *context, int worker, int64_t item) {  // plain numbers: two threads at one of them are a race
    ++static_cast<Tally *>(context)->done[item];
    ++static_cast<Tally *>(context)->by[worker];
}

void meet(void *context, int, int64_t) {  // each item waits until the other has begun
    Tally &tally = *static_cast<Tally *>(context);
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    ++tally.present;
    while (tally.present % 2) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() < late) continue;
        tally.in_time = false;
        return;
    }
}

bool helped(Team &team) {
    Tally met;
    if (team.gather(1, meet, &met) == 0) return false;
    team.phase(2);
    team.dismiss();
    return met.in_time;
}

}  // namespace
}  // namespace glassmax
