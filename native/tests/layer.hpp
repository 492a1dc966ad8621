// How test_engine holds a softmax layer that is a call of its own against the plainest code, for any memory and threads.
#pragma once

#include "case.hpp"
#include "given.hpp"
#include "many.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace glassmax {

struct PlainLayer {  // W, as the case's theta has it, then b
    Numbers losses, dA, dW, db;

    PLAIN PlainLayer(const Case &c, bool bias, double softcap, double z_loss, double temperature) {
        const int64_t n = c.n, d = c.d(), k = c.k();
        const double *W = c.theta.data(), *b = W + d * k;
        dA.assign(n * d, 0);
        dW.assign(d * k, 0);
        db.assign(k, 0);
        for (int64_t i = 0; i < n; ++i) {
            const double weight = c.weight.empty() ? 1 : c.weight[i];
            if (weight == 0) {  // its X is NaN
                losses.push_back(0);
                continue;
            }
            Numbers u(k);
            double largest = -INFINITY, sum = 0, loss = 0, rowsum = 0;
            for (int64_t j = 0; j < k; ++j) {
                double z = bias ? b[j] : 0;
                for (int64_t q = 0; q < d; ++q) z += c.X[i * d + q] * W[q * k + j];
                u[j] = softcap > 0 ? softcap * std::tanh(z / temperature / softcap) : z / temperature;
                largest = std::max(largest, u[j]);
            }
            for (int64_t j = 0; j < k; ++j) sum += std::exp(u[j] - largest);
            const double lse = largest + std::log(sum);
            for (int64_t j = 0; j < k; ++j) {
                loss += c.target(i, j) * (lse - u[j]);
                rowsum += c.target(i, j);
            }
            losses.push_back(loss + z_loss * lse * lse);
            for (int64_t j = 0; j < k; ++j) {
                const double p = std::exp(u[j] - lse), slope = softcap > 0 ? 1 - u[j] * u[j] / (softcap * softcap) : 1;
                const double dz = weight * (p * (rowsum + 2 * z_loss * lse) - c.target(i, j)) * slope / temperature;
                db[j] += dz;
                for (int64_t q = 0; q < d; ++q) {
                    dA[i * d + q] += dz * W[q * k + j];
                    dW[q * k + j] += dz * c.X[i * d + q];
                }
            }
        }
    }
};

inline Numbers turned(const Numbers &from, int64_t rows, int64_t columns) {
    Numbers to(from.size());
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
    return to;
}

// `wanted`: bits for dA, dW and db.
template <class T>
void check_layer_as(const Case &c, const Engine &engine, int wanted, bool bias, bool turn, double softcap, double z_loss,
                    double temperature, const std::vector<int> &threads) {
    const int64_t n = c.n, d = c.d(), k = c.k();
    const std::string name = std::string(engine.name) + (DTYPE<T> ? " float64" : " float32") + ", a layer of its own, " + c.name();
    const PlainLayer plain(c, bias, softcap, z_loss, temperature);
    const Numbers W(c.theta.begin(), c.theta.begin() + d * k);
    const Block<T> X(c.X), given_W(turn ? turned(W, d, k) : W), b(Numbers(c.theta.begin() + d * k, c.theta.end()));
    const Block<int64_t> y(c.y);
    const Block<double> weight = maybe<double>(c.weight), Y = maybe<double>(c.Y);
    std::vector<std::vector<Block<T>>> gradients;
    std::vector<Block<double>> losses;
    for (int thread_count : threads)
        for (int64_t memory : MEMORIES) {
            std::vector<Block<T>> out;
            for (int64_t size : {n * d, d * k, k}) out.emplace_back(Numbers(size, -77));
            Block<double> of_rows(Numbers(n, -77));
            LayerCall task = {};
            task.d = d;
            task.k = k;
            task.rows.n = n;
            task.rows.X = X.data();
            task.rows.y = c.Y.empty() ? y.data() : nullptr;
            task.rows.Y = Y.data();
            task.rows.weight = weight.data();
            task.rows.mean_weight = 1;
            task.regularization.label_smoothing = c.smoothing;
            task.softcap = softcap;
            task.z_loss = z_loss;
            task.temperature = temperature;
            task.W = given_W.data();
            task.b = bias ? b.data() : nullptr;
            task.transposed = turn;
            task.dA = wanted & 1 ? out[0].data() : nullptr;
            task.dW = wanted & 2 ? out[1].data() : nullptr;
            task.db = wanted & 4 ? out[2].data() : nullptr;
            task.losses = of_rows.data();
            Workers workers = {&Team::shared(), thread_count, interrupted, memory, 1};
            expect(engine.layer[DTYPE<T>](task, workers).ending == DONE, name + ": not to its end");
            expect(X.unchanged() && given_W.unchanged() && b.unchanged() && y.unchanged(), name + ": an input was changed");
            gradients.push_back(std::move(out));
            losses.push_back(std::move(of_rows));
            bool same = losses.front().same(losses.back());
            for (int which = 0; which < 3; ++which) same &= gradients.front()[which].same(gradients.back()[which].data());
            expect(same, name + ": other bits on " + std::to_string(thread_count) + " threads in " + std::to_string(memory) + " bytes");
        }
    Numbers got(losses[0].data(), losses[0].data() + n);
    for (int64_t i = 0; i < n; ++i)
        if (!c.weight.empty() && c.weight[i] == 0) got[i] = 0;
    close(DTYPE<T>, got.data(), plain.losses, name + ", losses", 1e-3);
    const Numbers *right[] = {&plain.dA, &plain.dW, &plain.db};
    for (int which = 0; which < 3; ++which) {
        const std::vector<Block<T>> &out = gradients[0];
        if (wanted >> which & 1)
            close(DTYPE<T>, out[which].data(), turn && which == 1 ? turned(plain.dW, d, k) : *right[which], name + ", gradient", 1e-6);
        else
            expect(out[which].unchanged(), name + ": a gradient that nobody wanted");
    }
}

inline void own_layers() {
    const int64_t classes[] = {1, 2, 17, 255, 256, 257, 300, 513, 700};
    for (int i = 0; i < 18; ++i) {
        Case c = make({i % 5 < 4 ? 1 + 4 * (i % 5) : 33, classes[i % 9]}, i % 6 == 5 ? 1030 : i % 4 == 3 ? 250 : 1 + 13 * i, uint64_t(900 + i));
        if (i % 3 == 1) with_weights(c);
        if (i % 4 == 2) c.smoothing = 0.125;
        if (i % 7 == 6) with_target_rows(c);
        for (const Engine *engine : engines()) {
            const auto check = [&](auto number) {
                check_layer_as<decltype(number)>(c, *engine, i < 9 ? 7 : i % 8, i % 5 > 0, i % 2, i % 5 == 1 ? 2 : 0,
                                                 i % 5 == 2 ? 0.25 : 0, i % 3 == 2 ? 1.5 : 1,
                                                 i % 6 == 5 ? std::vector<int>{1, 3} : std::vector<int>{1});
            };
            check(float());
            check(double());
        }
    }
}

// A call that is interrupted ends, whenever that is.
inline void own_layers_interrupted() {
    const Case c = make({7, 700}, 530, 950);
    const Block<double> X(c.X), W(c.theta);
    const Block<int64_t> y(c.y);
    Ending ending = INTERRUPTED;
    for (int64_t allowed = 0; ending == INTERRUPTED; ++allowed) {
        Block<double> dW(Numbers(7 * 700, 0)), losses(Numbers(c.n, 0));
        LayerCall task = {};
        task.d = 7;
        task.k = 700;
        task.rows.n = c.n;
        task.rows.X = X.data();
        task.rows.y = y.data();
        task.temperature = 1;
        task.W = W.data();
        task.dW = dW.data();
        task.losses = losses.data();
        looks = 0;
        looks_allowed = allowed;
        Workers workers = {&Team::shared(), 2, interrupted, 0, 1};
        ending = engine_baseline().layer[1](task, workers).ending;
        expect(ending == (looks > allowed ? INTERRUPTED : DONE), "a layer of its own: another ending");
    }
    looks_allowed = std::numeric_limits<int64_t>::max();
}

}  // namespace glassmax
