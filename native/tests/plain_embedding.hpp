// The plain code of an embedding: one row at a time, formula by formula, as glassmax.functional.embeddings has them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace glassmax {

typedef std::vector<double> Numbers;
typedef std::vector<int64_t> Integers;

struct PlainEmbedding {
    int64_t d = 0, K = 0, e = 0;  // d is 0 where there is none
    Integers periodic, edged, blocks;  // of each block: start, stop, outputs
    std::vector<Numbers> edges;

    bool in_block(int64_t column) const {
        for (size_t b = 0; b < blocks.size(); b += 3)
            if (column >= blocks[b] && column < blocks[b + 1]) return true;
        return false;
    }
    int64_t width() const {
        int64_t sum = int64_t(periodic.size()) * e;
        for (int64_t j = 0; j < d; ++j) sum += !in_block(j);
        for (const Numbers &t : edges) sum += int64_t(t.size()) - 1;
        for (size_t b = 0; b < blocks.size(); b += 3) sum += blocks[b + 2];
        return sum;
    }
    // How many numbers F, H, V, C and each E have; which of them are weights.
    Integers learned() const {
        const int64_t q = int64_t(periodic.size());
        Integers counts;
        if (q) counts = {q * K, q * K, q * K * e, q * e};
        for (size_t b = 0; b < blocks.size(); b += 3) counts.push_back((blocks[b + 1] - blocks[b]) * blocks[b + 2]);
        return counts;
    }
    bool weights(int64_t which) const { return periodic.empty() || which == 2 || which > 3; }
    int64_t parameters() const {
        const Integers counts = learned();
        return std::accumulate(counts.begin(), counts.end(), int64_t(0));
    }

    // A0 of a row, from the parameters at p; or where dA is given, add its pullback to the gradient at g.
    Numbers of(const Numbers &x, const double *p, const Numbers *dA = nullptr, double *g = nullptr) const {
        Numbers A;
        const int64_t q = int64_t(periodic.size()), F = 0, H = q * K, V = 2 * q * K, C = V + q * K * e;
        for (int64_t j = 0; j < d; ++j)
            if (!in_block(j)) A.push_back(x[j]);
        for (int64_t j = 0; j < q; ++j) {
            const int64_t unit = int64_t(A.size());
            A.insert(A.end(), p + C + j * e, p + C + j * e + e);
            for (int64_t c = 0; dA && c < e; ++c) g[C + j * e + c] += (*dA)[unit + c];
            for (int64_t k = 0; k < K; ++k) {
                const double at = x[periodic[j]], U = at * p[F + j * K + k] + p[H + j * K + k];
                double dU = 0;
                for (int64_t c = 0; c < e; ++c) {
                    const int64_t v = V + (j * K + k) * e + c;
                    A[unit + c] += std::cos(U) * p[v];
                    if (!dA) continue;
                    g[v] += std::cos(U) * (*dA)[unit + c];
                    dU -= std::sin(U) * p[v] * (*dA)[unit + c];
                }
                if (!dA) continue;
                g[F + j * K + k] += at * dU;
                g[H + j * K + k] += dU;
            }
        }
        for (size_t j = 0; j < edged.size(); ++j)
            for (size_t b = 0; b + 1 < edges[j].size(); ++b) {
                const double part = (x[edged[j]] - edges[j][b]) / (edges[j][b + 1] - edges[j][b]);
                A.push_back(std::isnan(part) ? part : 2 * std::min(1.0, std::max(0.0, part)) - 1);
            }
        int64_t E = C + q * e;
        for (size_t b = 0; b < blocks.size(); b += 3)
            for (int64_t c = 0, n = blocks[b + 2]; c < n; ++c) {
                const int64_t unit = int64_t(A.size());
                A.push_back(0);
                for (int64_t i = blocks[b]; i < blocks[b + 1]; ++i) {
                    A[unit] += x[i] * p[E + (i - blocks[b]) * n + c];
                    if (dA) g[E + (i - blocks[b]) * n + c] += x[i] * (*dA)[unit];
                }
                if (c + 1 == n) E += (blocks[b + 1] - blocks[b]) * n;
            }
        return A;
    }
};

}  // namespace glassmax
