// The engine without Python: held against the plainest code that computes the same, and run under the sanitizers.
//
// One line for each group of checks, exit status 1 if one of them failed. All numbers come from counters, so each run
// computes the same; what differs is which thread does what.

#include "ends.hpp"
#include "given.hpp"
#include "layer.hpp"
#include "many.hpp"
#include "tally.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <unistd.h>

using namespace glassmax;

namespace {

// ---- what is computed ----

constexpr int64_t SIZES[] = {1, 2, 3, 5, 7, 13, 16, 17, 31, 33, 64, 65, 100};

void every_size() {  // in each place of a network
    const int64_t rows[] = {1, 2, 7, 31, 33, 65, 127, 513, 1100};
    for (int i = 0; i < 26; ++i) {
        Integers sizes = {SIZES[i % 13], SIZES[(i + 4) % 13], SIZES[(i + 9) % 13]};
        if (i >= 13) sizes.insert(sizes.begin() + 1, SIZES[(i + 6) % 13]);
        if (i % 13 == 12) sizes = {sizes[0], sizes.back()};
        Case c = make(sizes, rows[i % 9], uint64_t(i));
        if (i % 2) c.batch_size = c.n;  // more than 512 go in parts
        c.adam = i % 3 == 0;
        check(c);
    }
}

void every_activation() {
    for (int32_t f = IDENTITY; f <= SOFTPLUS; ++f) {
        Case c = make({13, 17, 31, 5}, 65, uint64_t(100 + f));
        for (double &x : c.X) x *= 4;
        c.activations = {f, f};
        check(c);
    }
}

void every_head() {
    for (int32_t output = SOFTMAX_OUTPUT; output <= RELU_OUTPUT; ++output)
        for (int32_t loss = CROSS_ENTROPY; loss <= BINARY_CROSS_ENTROPY; ++loss)
            for (int64_t k : {1, 2, 5, 17})
                for (int kind = 0; kind < 4; ++kind) {  // labels or rows, smoothed or not
                    const bool logarithm = output >= IDENTITY_OUTPUT && loss != SQUARED_ERROR;
                    if (k == 1 && output == SOFTMAX_OUTPUT && loss == BINARY_CROSS_ENTROPY) continue;  // of 0
                    Case c = make(logarithm ? Integers{7, k} : Integers{7, 13, k}, 37, uint64_t(200 + kind));
                    if (kind & 1) with_target_rows(c);
                    c.smoothing = kind & 2 ? 0.125 : 0;
                    c.output = output;
                    c.loss = loss;
                    if (logarithm) {  // predictions about 1/2
                        for (double &w : c.theta) w *= 0.0625;
                        for (int64_t j = 0; j < k; ++j) c.theta[7 * k + j] = 0.5;
                        for (double &rate : c.rates) rate /= 64;
                    }
                    check(c);
                }
}

void options_of_softmax() {  // with each loss, and frozen parameters
    for (int32_t loss = CROSS_ENTROPY; loss <= CANDIDATE_CROSS_ENTROPY; ++loss)
        for (int64_t k : {2, 5, 17})
            for (int kind = 0; kind < 8; ++kind) {
                Case c = make(kind % 3 ? Integers{7, 13, k} : Integers{7, k}, 37, uint64_t(270 + kind));
                c.loss = loss;
                if (kind & 1) loss == CANDIDATE_CROSS_ENTROPY ? with_candidates(c) : with_target_rows(c);
                if (kind & 4) c.sparse_targets = !c.Y.empty();
                if (kind & 2) c.smoothing = loss == CANDIDATE_CROSS_ENTROPY ? 0 : 0.125;
                if (kind == 6) with_weights(c);
                if (kind != 0) c.softcap = 1.5;
                if (kind != 1) c.z_loss = 0.125;
                if (kind != 2) c.temperature = 0.75;
                check(c);
            }
}

void frozen_parameters() {
    for (int i = 0; i < 48; ++i) {
        Case c = i % 4 == 3 ? make_embedded(9, {17, 5}, i % 3 ? 70 : 560, uint64_t(280 + i), 7)
                            : make({17, 13, 33, 5}, i % 3 ? 70 : 560, uint64_t(280 + i));
        c.batch_size = i % 3 ? 33 : 530;
        c.adam = i % 2;
        c.nesterov = i % 4 == 2;
        if (i % 5 == 1) c.alpha = 0.5;
        if (i % 5 == 2) c.decay = 0.25;
        if (i % 5 == 3) c.clip = 0.0625;
        if (i % 7 == 2) with_sparse_rows(c, i % 2);
        if (i % 7 == 4) with_sparse_targets(c);
        std::vector<int> which;
        const int arrays = int(2 * c.depth() + (c.embedding.d ? c.embedding.learned().size() : 0));
        for (int one = 0; one < arrays; ++one)
            if (i % 8 == 7 || draw(uint64_t(i), uint64_t(one)) % 2) which.push_back(one);
        freeze(c, which);
        check(c);
    }
}

void sets_of_candidates() {
    for (int64_t k : {1, 2, 5, 17})
        for (int option = 0; option < 4; ++option) {  // labels or sets, mixed or not
            Case c = make({7, 13, k}, 37, uint64_t(250 + option));
            c.loss = CANDIDATE_CROSS_ENTROPY;
            if (option & 1) with_candidates(c);
            if (option & 2) c.mixup = 0.75;
            check(c);
        }
}

void every_rule() {
    for (int rule = 0; rule < 4; ++rule)
        for (int option = 0; option < 11; ++option)
            for (int64_t n : {70, 560}) {
                Case c = make({17, 13, 33, 5}, n, uint64_t(300 + option));
                const auto chosen = [&](int one) { return option == one || option == 10; };
                c.batch_size = n == 70 ? 33 : 530;
                c.adam = rule == 3;
                c.nesterov = rule == 2;
                c.momentum = rule == 0 ? 0 : 0.875;
                if (chosen(1)) c.alpha = 0.5;
                if (chosen(2)) c.decay = 0.25;
                if (chosen(3)) c.clip = 0.0625;
                if (chosen(4)) c.dropout = {0, 0.3};
                if (chosen(5)) with_weights(c);
                if (chosen(6)) c.smoothing = 0.125;
                if (chosen(7)) c.factors = {0.25, 0.5, 2, 0, 1, 0.125, 3};
                if (chosen(8)) c.mixup = 0.75;
                if (chosen(9)) with_scale(c);
                if (option == 10) c.mixup_factors = Random{10}.numbers(n, 0, 1);
                check(c);
            }
}

void sparse_rows() {
    for (int i = 0; i < 8; ++i) {
        const Integers sizes = i % 4 ? Integers{SIZES[12 - i], SIZES[5 + i], 3} : Integers{100, 33};
        Case c = make(sizes, i % 3 ? 65 : 600, uint64_t(400 + i));
        with_sparse_rows(c, i % 2);
        if (i & 2) with_weights(c);
        c.adam = i & 4;
        c.alpha = i % 3;
        if (i % 3 == 0) c.batch_size = 550;
        if (i == 5) c.dropout = {0.5};
        if (i >= 6) c.mixup = 0.5;
        if (i % 4 == 1) with_scale(c);
        check(c);
    }
}

void embeddings() {  // each combination of kinds, each option
    for (int i = 0; i < 56; ++i) {
        const int kinds = 1 + i % 7;
        Case c = make_embedded(SIZES[i % 13], i % 3 ? Integers{17, 5} : Integers{SIZES[i % 11], 13, 3}, i % 5 ? 70 : 560,
                               uint64_t(450 + i), kinds);
        c.batch_size = i % 5 ? 33 : 530;
        c.adam = i % 2;
        c.nesterov = i % 4 == 2;
        if (i % 3 == 1) c.mixup = 0.5;
        if (i % 4 == 1) c.alpha = 0.5;
        if (i % 5 == 2) c.decay = 0.25;
        if (i % 6 == 3) c.clip = 0.0625;
        if (i % 7 == 2) with_weights(c);
        if (i % 8 >= 6) with_sparse_rows(c, i % 8 == 6);
        if (i % 9 == 4)
            c.factors = Random{12}.numbers(2 * c.depth() + int64_t(c.embedding.learned().size()), 0, 2);
        check(c);
    }
}

template <class T> void few_rows_of(const Case &c, const Engine &engine) {
    const Given<T> given(c);
    for (bool probabilities : {false, true}) {
        const Block<T> all(Numbers(c.n * c.k(), -77));
        given.forward(engine, {nullptr, 1, interrupted}, probabilities, all, c.n);
        for (int64_t n = 0; n < 12; ++n) {
            const Block<T> some(Numbers(n * c.k(), -77));
            given.forward(engine, {nullptr, 1, interrupted}, probabilities, some, n);
            expect(some.same(all.data()), engine.name + (", other bits for " + std::to_string(n)) + " of " + c.name());
        }
    }
}

void few_rows() {  // go another way, and give the same bits
    for (int i = 0; i < 13; ++i) {
        const Integers rest = {SIZES[(i + 5) % 13], SIZES[(i + 7) % 13]};
        Case c = i % 3 ? make({SIZES[i], rest[0], rest[1]}, 33, uint64_t(500 + i))
                       : make_embedded(SIZES[i], rest, 33, uint64_t(500 + i), 7);
        c.output = i % 4;
        for (const Engine *engine : engines()) {
            few_rows_of<float>(c, *engine);
            few_rows_of<double>(c, *engine);
        }
    }
}

void many_rows() {  // more spans than a phase can have items; nearly all empty, so that it takes no time
    constexpr int64_t n = (Team::MOST_ITEMS + 100) * 4;
    const std::vector<int32_t> starts(n + 1, 0);
    const Integers sizes = {600000, 1};
    Numbers theta(sizes[0] + 1, 0);
    theta.back() = 0.5;
    Numbers out(n, -77);
    const double value = 0;
    const int32_t column = 0;
    Rows rows = {};
    rows.n = n;
    rows.values = &value;
    rows.columns = &column;
    rows.starts = starts.data();
    Workers workers = {&Team::shared(), 2, interrupted};
    looks = 0;
    looks_allowed = 2 * n;  // or it might never end
    const Shape shape = {1, sizes.data(), nullptr, IDENTITY_OUTPUT, SQUARED_ERROR, nullptr};
    const Outcome outcome = engine_baseline().forward[1](shape, rows, theta.data(), false, out.data(), workers);
    looks_allowed = std::numeric_limits<int64_t>::max();
    expect(outcome.ending == DONE, "many rows: no end");
    expect(out == Numbers(n, 0.5), "many rows: another result");
}

// ---- threads ----

void phases() {
    Tally tallied;
    int wrong = 0;
    for (int round = 0; round < 12; ++round) {
        Team &team = *new Team;  // never taken down; one that has not yet found its helpers to be of no use
        expect(helped(team), "no helper came, or it takes no item");
        for (int call = 0, highest = 1; call < 24; ++call) {
            const int helpers = 1 + (call + round) % 3;
            highest = std::max(highest, helpers);
            expect(team.gather(helpers, tally, &tallied) == highest, "another number of workers");
            for (int phase = 0; phase < 20; ++phase) {
                const int64_t items = (call + phase) % 9;
                team.phase(items);
                for (int64_t item = 0; item < 12; ++item) wrong += tallied.done[item] != (item < items);
                std::fill_n(tallied.done.begin(), 12, 0);
            }
            if (round == 0 && call == 23) {
                std::thread([&] { expect(team.gather(1, tally, nullptr) == 0, "two calls have the helpers"); }).join();
                team.phase(Team::MOST_ITEMS);
                wrong += tallied.done != std::vector<int64_t>(Team::MOST_ITEMS, 1);
                std::fill(tallied.done.begin(), tallied.done.end(), 0);
            }
            team.dismiss();
        }
    }
    expect(wrong == 0, "an item was done twice or not at all");
}

void same_bits() {
    for (int i = 0; i < 8; ++i) {
        Case c = make({65, 48, 17}, 130, uint64_t(600 + i));
        if (i == 1) c = make({33, 48, 7}, 700, 601);
        if (i == 3 || i == 6) c = make_embedded(17, {48, 7}, 700, uint64_t(600 + i), 7);
        c.batch_size = i == 1 ? 600 : i == 2 ? 44 : c.n;
        c.adam = i % 3 == 1;
        c.nesterov = i % 3 == 2;
        c.alpha = i % 2;
        c.clip = i % 4 == 3 ? 0.0625 : 0;
        if (i == 4) c.dropout = {0.5};
        if (i == 5) with_target_rows(c);
        if (i >= 6) with_sparse_rows(c, i == 7);
        if (i >= 4) with_weights(c);
        if (i % 3 == 1) c.mixup = 0.5;
        if (i == 2) with_scale(c);
        check(c, {1, 2, 3, 4}, i % 2 ? &Team::shared() : new Team);  // one that has not yet left its helpers out
    }
}

void two_callers() {
    Case cases[2] = {make({65, 48, 17}, 130, 700), make({48, 65, 3}, 120, 701)};
    cases[1].adam = true;
    for (const Engine *engine : engines()) {
        int wrong[2] = {0, 0};
        const auto call = [&](int which) {
            const Given<float> given(cases[which]);
            const Trained<float> alone = given.train(*engine, {nullptr, 1, interrupted});
            for (int round = 0; round < 15; ++round)
                wrong[which] += !given.train(*engine, {&Team::shared(), 3, interrupted}).same(alone);
        };
        std::thread other(call, 1);
        call(0);
        other.join();
        expect(wrong[0] + wrong[1] == 0, std::string(engine->name) + ": two callers disturb one another");
    }
}

// ---- what runs ----

constexpr unsigned LONGEST = 120;  // seconds, of a group: some ten times what it takes

void never_ends(int) {
    const char text[] = "  FAILED: it never ends\n";
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) ? 1 : 2);
}

}  // namespace

int main() {
    for (const Engine *engine : engines()) std::printf("%s%s", engine == engines()[0] ? "" : ", ", engine->name);
    std::printf("\n");
    const struct {
        const char *name;
        void (*run)();
    } groups[] = {{"sizes", every_size},         {"activations", every_activation}, {"heads", every_head},
                  {"candidates", sets_of_candidates}, {"softmax", options_of_softmax}, {"frozen", frozen_parameters},
                  {"rules", every_rule},         {"sparse rows", sparse_rows},      {"embeddings", embeddings},
                  {"few rows", few_rows},       {"many classes", [] { many_classes(0); }},
                  {"many classes", [] { many_classes(8); }}, {"many classes", [] { many_classes(16); }},
                  {"tiles, options", [] { options_by_tiles(0); }}, {"tiles, options", [] { options_by_tiles(12); }},
                  {"tiles, options", [] { options_by_tiles(24); }}, {"large batches", large_batches},
                  {"hostile logits", hostile_logits},
                  {"ends by tiles", ends_by_tiles}, {"own layers", own_layers},  {"own layers", own_layers_interrupted},
                  {"many rows", many_rows},      {"phases", phases},                {"same bits", same_bits},
                  {"two callers", two_callers},  {"interruptions", interruptions},  {"not finite", not_finite},
                  {"fork", fork_in_the_middle},  {"no threads", no_threads}};
    std::signal(SIGALRM, never_ends);
    for (const auto &group : groups) {
        alarm(LONGEST);
        group.run();
        verdict(group.name);
    }
    return all_failures ? 1 : 0;
}
