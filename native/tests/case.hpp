// What test_engine computes: a network, its rows and the options of the training, drawn at random.
#pragma once

#include "plain_embedding.hpp"
#include "task.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace glassmax {

// ---- numbers ----

inline uint64_t draw(uint64_t key, uint64_t counter) {  // SplitMix64, as glassmax.functional.masks has it
    uint64_t z = key + (counter + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct Random {
    uint64_t key, counter = 0;
    int64_t below(int64_t n) { return int64_t(draw(key, counter++) % uint64_t(n)); }
    double number(double least, double most) {  // one that float32 has too
        return float(least + (most - least) * double(draw(key, counter++) >> 11) / 9007199254740992.0);
    }
    Numbers numbers(int64_t n, double least, double most) {
        Numbers out(n);
        for (double &x : out) x = number(least, most);
        return out;
    }
};

// ---- what is to be computed ----

struct Mixed {  // a row, and how much of another it takes
    int64_t row, previous;
    double share;
    Mixed(int64_t row, int64_t previous = 0, double share = 0) : row(row), previous(previous), share(share) {}
    double of(const double *numbers, int64_t d, int64_t j) const {
        const double own = numbers[row * d + j];
        return share == 0 ? own : (1 - share) * own + share * numbers[previous * d + j];
    }
};

struct Case {
    Integers sizes;
    PlainEmbedding embedding;
    std::vector<int32_t> activations;
    int32_t output = SOFTMAX_OUTPUT, loss = CROSS_ENTROPY;
    int64_t n = 0, batch_size = 1, first_step = 5;
    Numbers X, Y, weight, dropout;  // the last three may be empty: none
    Numbers factors, mixup_factors;  // empty: ones
    Numbers scale;  // of the inputs, folded into theta; empty: none
    Integers y, order;
    bool sparse = false, wide = false, adam = false, nesterov = false;
    double alpha = 0, smoothing = 0, decay = 0, clip = 0, momentum = 0.875, mean_weight = 1;
    double mixup = 0, mixup_share = 0.5;
    double softcap = 0, z_loss = 0, temperature = 1;
    std::vector<uint8_t> frozen;  // of W1, b1, W2, ..., the embedding's arrays; empty: none
    bool sparse_targets = false;  // Y is given as CSR
    Numbers theta, first, second, rates;

    int64_t depth() const { return int64_t(sizes.size()) - 1; }
    int64_t k() const { return sizes.back(); }
    int64_t d() const { return embedding.d ? embedding.d : sizes[0]; }
    int64_t of_layers() const {  // numbers of theta
        int64_t sum = 0;
        for (int64_t l = 0; l < depth(); ++l) sum += (sizes[l] + 1) * sizes[l + 1];
        return sum;
    }
    double target(const struct Mixed &row, int64_t j) const;
    std::string name() const {
        std::string text = std::to_string(n) + " rows in batches of " + std::to_string(batch_size) + ", sizes";
        for (int64_t size : sizes) text += " " + std::to_string(size);
        text += ", activations";
        for (int32_t f : activations) text += " " + std::to_string(f);
        text += ", output " + std::to_string(output) + ", loss " + std::to_string(loss);
        if (softcap > 0) text += ", softcap";
        if (z_loss > 0) text += ", z-loss";
        if (temperature != 1) text += ", temperature";
        if (sparse_targets) text += ", sparse targets";
        for (uint8_t mark : frozen) text += mark ? ", frozen" : ", moving";
        return text + (embedding.d ? ", embedded" : "") + (sparse ? ", sparse" : "") + (adam ? ", Adam" : nesterov ? ", Nesterov" : "");
    }
};

constexpr uint64_t SEED = 0xfedcba9876543210u;
constexpr double BETA_1 = 0.9, BETA_2 = 0.99, EPSILON = 1e-3;  // so large that no tiny gradient decides a direction
constexpr int64_t STEPS_BEFORE = 2;

inline double Case::target(const Mixed &row, int64_t j) const {
    double sum = Y.empty() ? 1 : 0;
    for (int64_t c = 0; c < k() && !Y.empty(); ++c) sum += row.of(Y.data(), k(), c);
    const double of_class = (1 - row.share) * double(y[row.row] == j) + row.share * double(y[row.previous] == j);
    const double target = Y.empty() ? of_class : row.of(Y.data(), k(), j);
    return (1 - smoothing) * target + smoothing * (output == SIGMOID_OUTPUT ? 0.5 : sum / double(k()));
}

inline Case make(const Integers &sizes, int64_t n, uint64_t seed) {
    Random random{seed};
    Case c;
    c.sizes = sizes;
    c.n = n;
    c.batch_size = n / 3 + 1;
    for (int64_t l = 0; l < c.depth(); ++l) {
        const double reach = 1.5 / std::sqrt(double(sizes[l]));
        for (int64_t i = 0; i < (sizes[l] + 1) * sizes[l + 1]; ++i) c.theta.push_back(random.number(-reach, reach));
        if (l) c.activations.push_back(int32_t((seed + uint64_t(l)) % 11));
    }
    c.X = random.numbers(n * sizes[0], -1, 1);
    c.first = random.numbers(int64_t(c.theta.size()), -0.01, 0.01);
    c.second = random.numbers(int64_t(c.theta.size()), 0, 0.01);
    c.rates = random.numbers(n, 0.02, 0.06);
    for (int64_t i = 0; i < n; ++i) {
        c.y.push_back(random.below(c.k()));
        c.order.push_back(i);
        std::swap(c.order[random.below(i + 1)], c.order.back());
    }
    return c;
}

// d columns, of which some are periodic, some have edges, some are in blocks; some of the kinds may be missing.
inline Case make_embedded(int64_t d, const Integers &rest, int64_t n, uint64_t seed, int kinds) {
    Random random{seed + 77};
    PlainEmbedding embedding;
    embedding.d = d;
    embedding.K = 1 + random.below(17);
    embedding.e = 1 + random.below(6);
    for (int64_t j = random.below(3); (kinds & 4) && j < d; j += 1 + random.below(3)) {
        const int64_t stop = std::min(d, j + 1 + random.below(5));
        embedding.blocks.insert(embedding.blocks.end(), {j, stop, 1 + random.below(6)});
        j = stop;
    }
    for (int64_t j = 0; j < d; ++j) {
        if (embedding.in_block(j)) continue;
        if ((kinds & 1) && random.below(3)) embedding.periodic.push_back(j);
        if (!(kinds & 2) || !random.below(3)) continue;
        embedding.edged.push_back(j);
        embedding.edges.push_back(random.numbers(2 + random.below(5), -1, 1));
        std::sort(embedding.edges.back().begin(), embedding.edges.back().end());
        for (double &t : embedding.edges.back()) t += 0.25 * double(&t - embedding.edges.back().data());
    }
    Integers sizes = {embedding.width()};
    sizes.insert(sizes.end(), rest.begin(), rest.end());
    Case c = make(sizes, n, seed);
    c.embedding = embedding;
    c.X = random.numbers(n * d, -1, 1);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < d; ++j)
            if (embedding.in_block(j) && random.below(2)) c.X[i * d + j] = 0;
    const int64_t p = embedding.parameters();
    for (Numbers *to : {&c.theta, &c.first, &c.second}) {
        const double most = to == &c.theta ? 1 : 0.01;
        const Numbers more = random.numbers(p, to == &c.second ? 0 : -most, most);
        to->insert(to->end(), more.begin(), more.end());
    }
    return c;
}

inline void with_target_rows(Case &c) {  // zeros and ones among them
    Random random{7};
    for (int64_t i = 0; i < c.n * c.k(); ++i) c.Y.push_back(std::min(1.0, std::max(0.0, random.number(-0.5, 1.5))));
}

inline void with_sparse_targets(Case &c) {  // rows that don't sum to 1, some of them empty
    Random random{14};
    c.Y.assign(c.n * c.k(), 0);
    for (int64_t i = 0; i < c.n; ++i)
        for (int64_t e = i % 4; e > 0; --e) c.Y[i * c.k() + random.below(c.k())] = random.number(0.1, 1);
    c.sparse_targets = true;
}

inline void with_head_options(Case &c) {
    c.softcap = 1.5;
    c.z_loss = 0.125;
    c.temperature = 0.75;
}

inline void freeze(Case &c, std::vector<int> which) {
    c.frozen.assign(2 * c.depth() + (c.embedding.d ? c.embedding.learned().size() : 0), 0);
    for (int one : which) c.frozen[one] = 1;
}

inline void with_candidates(Case &c) {  // the class of a row, and others
    Random random{12};
    c.loss = CANDIDATE_CROSS_ENTROPY;
    for (int64_t i = 0; i < c.n; ++i)
        for (int64_t j = 0; j < c.k(); ++j) c.Y.push_back(j == c.y[i] || random.below(3) == 0);
}

inline void with_scale(Case &c) {  // powers of two, so that W1 / scale is exact
    Random random{11};
    for (int64_t i = 0; i < c.sizes[0]; ++i) {
        c.scale.push_back(double(int64_t(1) << random.below(3)) / 2);
        c.first.push_back(random.number(-0.01, 0.01));
        c.second.push_back(random.number(0, 0.01));
    }
}

inline void with_weights(Case &c) {  // a row of weight 0 is absent, whatever it holds
    c.weight = Random{8}.numbers(c.n, 0.25, 2);
    for (int64_t i = 2; i < c.n; i += 5) {
        c.weight[i] = 0;
        std::fill_n(&c.X[i * c.d()], c.d(), std::nan(""));
    }
    c.mean_weight = std::accumulate(c.weight.begin(), c.weight.end(), 0.0) / double(c.n);
}

inline void with_sparse_rows(Case &c, bool wide) {  // some of them empty
    Random random{9};
    c.sparse = true;
    c.wide = wide;
    for (double &x : c.X) x = random.below(10) ? 0 : x;
    for (int64_t i = 3; i < c.n; i += 4) std::fill_n(&c.X[i * c.d()], c.d(), 0);
}

}  // namespace glassmax
