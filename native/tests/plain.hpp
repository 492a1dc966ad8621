// The plainest code that computes a case of test_engine: float64, one row at a time, formula by formula.
#pragma once

#include "case.hpp"
#include "plain_embedding.hpp"
#include "task.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

// Most of the work and not what is tested: the sanitizers leave its loops alone.
#define PLAIN __attribute__((no_sanitize("address", "undefined", "thread")))

namespace glassmax {

// ---- the plain code ----

inline double activation(int f, double z, double &slope) {
    const double e = std::exp(z), scale = 1.0507009873554805, alpha = 1.6732632423543772, s = 1 / (1 + std::exp(-z));
    const double phi = std::exp(-z * z / 2) / std::sqrt(2 * M_PI), Phi = std::erfc(-z / std::sqrt(2.0)) / 2;
    const double t = std::tanh(f == MISH ? std::log1p(e) : z);
    switch (f) {
    case IDENTITY: return slope = 1, z;
    case SIGMOID: return slope = s * (1 - s), s;
    case TANH: return slope = 1 - t * t, t;
    case RELU: return slope = z > 0, z < 0 ? 0 : z;
    case LEAKY_RELU: return slope = z > 0 ? 1 : 0.01, z > 0 ? z : 0.01 * z;
    case ELU: return slope = z > 0 ? 1 : e, z > 0 ? z : std::expm1(z);
    case SELU: return slope = scale * (z > 0 ? 1 : alpha * e), scale * (z > 0 ? z : alpha * std::expm1(z));
    case GELU: return slope = Phi + z * phi, z * Phi;
    case SILU: return slope = s + z * s * (1 - s), z * s;
    case MISH: return slope = t + z * (1 - t * t) * s, z * t;
    default: return slope = s, std::log1p(e);
    }
}

inline void predict(const Case &c, const double *z, double *p) {
    const int64_t k = c.k();
    const double top = *std::max_element(z, z + k);
    const int32_t f = c.output == SIGMOID_OUTPUT ? SIGMOID : c.output == RELU_OUTPUT ? RELU : IDENTITY;
    double sum = 0, slope;
    for (int64_t j = 0; j < k; ++j) sum += std::exp(z[j] - top);
    for (int64_t j = 0; j < k; ++j)
        p[j] = c.output == SOFTMAX_OUTPUT ? std::exp(z[j] - top) / sum : activation(f, z[j], slope);
}

// A share of -log of the probability of a row's candidates, and its derivative by the logits, p - q.
inline double candidates(const Case &c, int64_t row, double share, const Numbers &p, Numbers &dz) {
    double sum = 0;
    for (int64_t j = 0; j < c.k(); ++j) sum += c.target(Mixed(row), j) * p[j];
    for (int64_t j = 0; j < c.k(); ++j) dz[j] += share * (p[j] - c.target(Mixed(row), j) * p[j] / sum);
    return -share * std::log(sum);
}

// What softmax takes in the place of z, and its derivative by z.
inline double capped(const Case &c, double z, double &slope) {
    const double u = z / c.temperature;
    slope = 1 / c.temperature;
    if (c.softcap == 0) return u;
    const double t = std::tanh(u / c.softcap);
    slope *= 1 - t * t;
    return c.softcap * t;
}

inline double pulled_back(const Case &c, const Mixed &i, double *z);

// The same with the options of softmax: through the cap, and with the square of the logits' log-sum-exp.
inline double head(const Case &c, const Mixed &i, double *z) {
    const int64_t k = c.k();
    Numbers slope(k), p(k);
    for (int64_t j = 0; j < k; ++j) z[j] = capped(c, z[j], slope[j]);
    predict(c, z, p.data());
    const double lse = c.z_loss > 0 ? z[0] - std::log(p[0]) : 0;
    const double loss = pulled_back(c, i, z) + c.z_loss * lse * lse;
    for (int64_t j = 0; j < k; ++j) z[j] = (z[j] + 2 * c.z_loss * lse * p[j]) * slope[j];
    return loss;
}

// The loss of row i by its logits z, which become their derivatives: the loss's derivative by p, pulled back to z.
inline double pulled_back(const Case &c, const Mixed &i, double *z) {
    const int64_t k = c.k();
    Numbers p(k), dp(k);
    predict(c, z, p.data());
    if (c.loss == CANDIDATE_CROSS_ENTROPY) {
        const double loss = candidates(c, i.row, 1 - i.share, p, dp) + candidates(c, i.previous, i.share, p, dp);
        std::copy(dp.begin(), dp.end(), z);
        return loss;
    }
    double loss = 0, along = 0, slope = 1;
    for (int64_t j = 0; j < k; ++j) {
        const double y = c.target(i, j);
        if (c.loss == SQUARED_ERROR) {
            loss += (p[j] - y) * (p[j] - y) / 2;
            dp[j] = p[j] - y;
        } else {
            const double no = c.loss == CROSS_ENTROPY ? 0 : 1 - y;
            loss -= (y == 0 ? 0 : y * std::log(p[j])) + (no == 0 ? 0 : no * std::log1p(-p[j]));
            dp[j] = (y == 0 ? 0 : -y / p[j]) + (no == 0 ? 0 : no / (1 - p[j]));
        }
        along += dp[j] * p[j];
    }
    for (int64_t j = 0; j < k; ++j) {
        if (c.output != IDENTITY_OUTPUT) activation(c.output == RELU_OUTPUT ? RELU : SIGMOID, z[j], slope);
        z[j] = c.output == SOFTMAX_OUTPUT ? p[j] * (dp[j] - along) : slope * dp[j];
    }
    return loss;
}

inline PLAIN void affine(const double *a, const double *W, int64_t d, int64_t h, double *z) {
    for (int64_t j = 0; j < h; ++j) z[j] = W[d * h + j];
    for (int64_t i = 0; i < d; ++i)
        for (int64_t j = 0; j < h; ++j) z[j] += a[i] * W[i * h + j];
}

inline PLAIN void back(const double *a, const double *dz, const double *W, int64_t d, int64_t h, double *dW,
                       double *da) {
    for (int64_t i = 0; i < d; ++i)
        for (int64_t j = 0; j < h; ++j) {
            dW[i * h + j] += a[i] * dz[j];
            da[i] += W[i * h + j] * dz[j];
        }
    for (int64_t j = 0; j < h; ++j) dW[d * h + j] += dz[j];
}

// Row i through the network: its logits, or its loss with `factor` times the gradient added to `gradient`.
inline double pass(const Case &c, const Numbers &theta, const Mixed &i, int64_t step, double factor, double *gradient,
                   double *out) {
    std::vector<Numbers> A(1), slopes(1);
    Numbers x;
    for (int64_t j = 0; j < c.d(); ++j) x.push_back(i.of(c.X.data(), c.d(), j));
    A[0] = c.embedding.d ? c.embedding.of(x, theta.data() + c.of_layers()) : x;
    const double *W = theta.data();
    for (int64_t l = 0; l < c.depth(); W += (c.sizes[l] + 1) * c.sizes[l + 1], ++l) {
        const int64_t h = c.sizes[l + 1];
        Numbers a(h), slope(h, 1);
        affine(A[l].data(), W, c.sizes[l], h, a.data());
        for (int64_t j = 0; l + 1 < c.depth() && j < h; ++j) {
            a[j] = activation(c.activations[l], a[j], slope[j]);
            if (!gradient || c.dropout.empty() || step < 0) continue;
            const uint64_t u = draw(draw(draw(draw(SEED, uint64_t(step)), uint64_t(l + 1)), uint64_t(i.row)), uint64_t(j));
            const double mask = double(u >> 11) / 9007199254740992.0 >= c.dropout[l] ? 1 / (1 - c.dropout[l]) : 0;
            a[j] *= mask;
            slope[j] *= mask;
        }
        A.push_back(a);
        slopes.push_back(slope);
    }
    if (!gradient) return std::copy(A.back().begin(), A.back().end(), out), 0;
    Numbers dz = A.back();
    const double loss = head(c, i, dz.data());
    for (double &x : dz) x *= factor;
    double *dW = gradient + c.of_layers();
    for (int64_t l = c.depth() - 1; l >= 0; --l) {
        const int64_t d = c.sizes[l], h = c.sizes[l + 1];
        Numbers da(d, 0);
        back(A[l].data(), dz.data(), W -= (d + 1) * h, d, h, dW -= (d + 1) * h, da.data());
        if (l == 0 && c.embedding.d) c.embedding.of(x, theta.data() + c.of_layers(), &da, gradient + c.of_layers());
        for (int64_t j = 0; l && j < d; ++j) da[j] *= slopes[l][j];
        dz = da;
    }
    return loss;
}

// Do something to each number of theta: what(place, whether it is a weight and no bias, whether it is frozen).
inline void each_number(const Case &c, const std::function<void(int64_t, bool, bool)> &what) {
    int64_t at = 0, which = 0;
    const auto array = [&](int64_t count, bool weights) {
        const bool frozen = !c.frozen.empty() && c.frozen[which];
        for (; count > 0; --count, ++at) what(at, weights, frozen);
        ++which;
    };
    for (int64_t l = 0; l < c.depth(); ++l) {
        array(c.sizes[l] * c.sizes[l + 1], true);
        array(c.sizes[l + 1], false);
    }
    int64_t learned = 0;
    for (int64_t count : c.embedding.learned()) array(count, c.embedding.weights(learned++));
}

// Do something to each weight that moves.
inline void each_weight(const Case &c, const std::function<void(int64_t)> &what) {
    each_number(c, [&](int64_t i, bool weight, bool frozen) {
        if (weight && !frozen) what(i);
    });
}

// How much row s of a batch takes of the row before it: glassmax.functional.mixup has the formulas.
inline Mixed mixed(const Case &c, const int64_t *rows, int64_t m, int64_t s, int64_t step) {
    const int64_t row = rows[s], previous = rows[s ? s - 1 : m - 1];
    if (step < 0 || (!c.weight.empty() && (c.weight[row] == 0 || c.weight[previous] == 0))) return row;
    const uint64_t key = draw(draw(draw(SEED, uint64_t(step)), 0), uint64_t(row));
    const auto unit = [&](uint64_t i) { return double(draw(key, i) >> 11) / 9007199254740992.0; };
    const double fading = c.mixup_factors.empty() ? 1 : c.mixup_factors[step - c.first_step];
    return unit(0) < c.mixup_share ? Mixed(row, previous, c.mixup * fading * unit(1)) : Mixed(row);
}

inline double batch(const Case &c, const Numbers &theta, const int64_t *rows, int64_t m, int64_t step,
                    Numbers &gradient) {
    const double divisor = double(m) * c.mean_weight;
    double loss = 0;
    gradient.assign(theta.size(), 0);
    for (int64_t s = 0; s < m; ++s) {
        const double w = c.weight.empty() ? 1 : c.weight[rows[s]];
        if (w != 0) loss += w / divisor * pass(c, theta, mixed(c, rows, m, s, step), step, w / divisor, gradient.data(), nullptr);
    }
    each_weight(c, [&](int64_t i) {
        loss += c.alpha / 2 / divisor * theta[i] * theta[i];
        gradient[i] += c.alpha / divisor * theta[i];
    });
    each_number(c, [&](int64_t i, bool, bool frozen) {
        if (frozen) gradient[i] = 0;
    });
    return loss;
}

struct Plain {
    double epoch_loss = 0, loss = 0;
    Numbers theta, first, second, scale, gradient, logits, probabilities;

    explicit Plain(const Case &c) : theta(c.theta), first(c.first), second(c.second), scale(c.scale) {
        Integers all(c.n);
        std::iota(all.begin(), all.end(), 0);
        loss = batch(c, theta, all.data(), c.n, -1, gradient);
        logits.resize(c.n * c.k());
        probabilities.resize(c.n * c.k());
        for (int64_t i = 0; i < c.n; ++i) {
            pass(c, theta, i, -1, 0, nullptr, &logits[i * c.k()]);
            double slope;
            for (int64_t j = i * c.k(); j < (i + 1) * c.k(); ++j) logits[j] = capped(c, logits[j], slope);
            predict(c, &logits[i * c.k()], &probabilities[i * c.k()]);
        }
        Numbers g;
        for (int64_t start = 0, step = 0; start < c.n; start += c.batch_size, ++step) {
            const int64_t m = std::min(c.batch_size, c.n - start);
            epoch_loss += batch(c, theta, &c.order[start], m, c.first_step + step, g) * double(m) / double(c.n);
            const double length = std::sqrt(std::inner_product(g.begin(), g.end(), g.begin(), 0.0));
            const double rate = c.rates[step];
            if (c.clip > 0 && length > c.clip)
                for (double &x : g) x *= c.clip / length;
            each_weight(c, [&](int64_t i) { theta[i] *= 1 - rate * c.decay; });
            const Numbers before = theta, first_before = first, second_before = second;
            move(c, g, rate, double(STEPS_BEFORE + step + 1));
            each_number(c, [&](int64_t i, bool, bool frozen) {
                if (!frozen) return;
                theta[i] = before[i];
                first[i] = first_before[i];
                if (c.adam) second[i] = second_before[i];
            });
        }
    }

    void move(const Case &c, const Numbers &g, double rate, double t) {
        int64_t i = scale.empty() ? 0 : move_scaled(c, g, rate, t);
        for (int64_t l = 0, end = 0; l < 2 * c.depth(); ++l)  // W1, b1, W2, ...
            for (end += l % 2 ? c.sizes[l / 2 + 1] : c.sizes[l / 2] * c.sizes[l / 2 + 1]; i < end; ++i)
                theta[i] += factor(c, l) * change(c, g[i], i, rate, t);
        int64_t which = 2 * c.depth();
        for (int64_t count : c.embedding.learned()) {
            for (; count > 0; --count, ++i) theta[i] += factor(c, which) * change(c, g[i], i, rate, t);
            ++which;
        }
    }

    static double factor(const Case &c, int64_t which) { return c.factors.empty() ? 1 : c.factors[which]; }

    // W1 = scale V, both moved; theta has already decayed. Returns the number of weights.
    int64_t move_scaled(const Case &c, const Numbers &g, double rate, double t) {
        const int64_t h = c.sizes[1];
        for (int64_t i = 0; i < c.sizes[0]; ++i) {
            double slope = 0;
            const double s = scale[i];
            Numbers V(h);
            for (int64_t j = 0, at = i * h; j < h; ++j, ++at) {
                V[j] = theta[at] / s;
                slope += V[j] / (1 - rate * c.decay) * g[at];
                V[j] += factor(c, 0) * change(c, s * g[at], at, rate, t);
            }
            scale[i] += factor(c, 2 * c.depth()) * change(c, slope, int64_t(theta.size()) + i, rate, t);
            for (int64_t j = 0; j < h; ++j) theta[i * h + j] = scale[i] * V[j];
        }
        return c.sizes[0] * h;
    }

    double change(const Case &c, double g, int64_t i, double rate, double t) {
        if (!c.adam) {
            first[i] = c.momentum * first[i] - rate * g;
            return c.nesterov ? c.momentum * first[i] - rate * g : first[i];
        }
        first[i] = BETA_1 * first[i] + (1 - BETA_1) * g;
        second[i] = BETA_2 * second[i] + (1 - BETA_2) * g * g;
        return -rate * std::sqrt(1 - std::pow(BETA_2, t)) / (1 - std::pow(BETA_1, t)) * first[i] /
               (std::sqrt(second[i]) + EPSILON);
    }
};

}  // namespace glassmax
