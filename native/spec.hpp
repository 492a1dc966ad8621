// A network as Python describes it: sizes, activations, output, loss and embedding, checked here, once. No Python here.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "task.hpp"

namespace glassmax {

template <class U> using Maybe = std::optional<U>;

inline void require(bool holds, const char *what) {
    if (!holds) throw std::invalid_argument(what);
}

// Columns of X; the periodic ones, cosines and outputs of each; columns with their edges; start, stop, outputs of blocks.
typedef std::tuple<int64_t, std::vector<int64_t>, int64_t, int64_t,
                   std::vector<std::tuple<int64_t, std::vector<double>>>,
                   std::vector<std::tuple<int64_t, int64_t, int64_t>>>
    EmbeddingOf;

struct OwnEmbedding {
    Embedding plain = {};
    std::vector<int64_t> periodic, edged, edge_starts = {0}, blocks;
    std::vector<double> edges;
    int64_t width, parameters = 0, arrays = 0;

    explicit OwnEmbedding(const EmbeddingOf &given) {
        plain.d = width = std::get<0>(given);
        plain.K = std::get<2>(given);
        plain.e = std::get<3>(given);
        require(plain.d >= 1, "the embedding has no inputs");
        int64_t before = 0;
        for (const auto &[start, stop, e] : std::get<5>(given)) {
            require(before <= start && start < stop && stop <= plain.d && e >= 1, "a block of the embedding is out of range");
            blocks.insert(blocks.end(), {start, stop, e});
            before = stop;
            width += e - (stop - start);
            parameters += (stop - start) * e;
            ++arrays;
        }
        periodic = std::get<1>(given);
        for (int64_t column : periodic) require(outside(column), "a periodic column is out of range or in a block");
        const int64_t q = int64_t(periodic.size());
        require(q == 0 || (plain.K >= 1 && plain.e >= 1), "frequencies or size of the embedding is less than 1");
        width += q * plain.e;
        parameters += q * (2 * plain.K + plain.K * plain.e + plain.e);
        arrays += q ? 4 : 0;
        for (const auto &[column, of_column] : std::get<4>(given)) {
            require(outside(column), "a column with edges is out of range or in a block");
            require(of_column.size() >= 2, "a column has less than two edges");
            for (size_t i = 1; i < of_column.size(); ++i) require(of_column[i - 1] < of_column[i], "edges don't increase");
            edged.push_back(column);
            edges.insert(edges.end(), of_column.begin(), of_column.end());
            edge_starts.push_back(int64_t(edges.size()));
            width += int64_t(of_column.size()) - 1;
        }
        plain.n_periodic = q;
        plain.n_edged = int64_t(edged.size());
        plain.n_blocks = int64_t(blocks.size()) / 3;
    }

    bool outside(int64_t column) const {
        for (size_t b = 0; b < blocks.size(); b += 3)
            if (column >= blocks[b] && column < blocks[b + 1]) return false;
        return column >= 0 && column < plain.d;
    }

    Embedding of() const {  // the pointers last, as the object may have moved
        Embedding is = plain;
        is.periodic = periodic.data();
        is.edged = edged.data();
        is.edge_starts = edge_starts.data();
        is.edges = edges.data();
        is.blocks = blocks.data();
        return is;
    }
};

struct Spec {
    std::vector<int64_t> sizes;
    std::vector<int32_t> activations;
    int32_t output, loss;
    int64_t parameters = 0, arrays = 0;  // W1, b1, ... are arrays
    Maybe<OwnEmbedding> own;
    Embedding embedding = {};
    double softcap, z_loss, temperature;  // softcap 0 for none
    std::vector<uint8_t> frozen;          // empty: all move

    Spec(const Spec &) = delete;
    Spec(std::vector<int64_t> sizes_, std::vector<int32_t> activations_, int32_t output_, int32_t loss_,
         const Maybe<EmbeddingOf> &embedding_, double softcap_, double z_loss_, double temperature_, std::vector<uint8_t> frozen_)
        : sizes(std::move(sizes_)), activations(std::move(activations_)), output(output_), loss(loss_), softcap(softcap_),
          z_loss(z_loss_), temperature(temperature_), frozen(std::move(frozen_)) {
        require(sizes.size() >= 2 && activations.size() == sizes.size() - 2, "sizes and activations don't fit together");
        for (int64_t size : sizes) require(size >= 1 && size < (int64_t(1) << 31), "a layer's size is out of range");
        for (int32_t activation : activations) require(activation >= IDENTITY && activation <= SOFTPLUS, "unknown activation");
        require(output >= SOFTMAX_OUTPUT && output <= RELU_OUTPUT, "unknown output");
        require(loss >= CROSS_ENTROPY && loss <= CANDIDATE_CROSS_ENTROPY, "unknown loss");
        require(loss != CANDIDATE_CROSS_ENTROPY || output == SOFTMAX_OUTPUT, "candidates need softmax");
        require(output == SOFTMAX_OUTPUT || (softcap == 0 && z_loss == 0 && temperature == 1),
                "softcap, z-loss or temperature without softmax");
        require(softcap >= 0 && z_loss >= 0 && temperature > 0, "softcap, z-loss or temperature is out of range");
        for (size_t l = 1; l < sizes.size(); ++l) parameters += (sizes[l - 1] + 1) * sizes[l];
        arrays = 2 * int64_t(sizes.size()) - 2;
        if (embedding_) {
            own.emplace(*embedding_);
            require(own->width == sizes[0], "the embedding has another width than the first layer");
            parameters += own->parameters;
            arrays += own->arrays;
            embedding = own->of();
        }
        require(frozen.empty() || frozen.size() == size_t(arrays),
                "there are not as many marks of frozen parameters as parameters");
    }
    int64_t d() const { return own ? embedding.d : sizes[0]; }
    int64_t k() const { return sizes.back(); }
    Shape shape() const {
        return {int64_t(sizes.size()) - 1, sizes.data(), activations.data(), output, loss, own ? &embedding : nullptr,
                softcap, z_loss, temperature, frozen.empty() ? nullptr : frozen.data()};
    }
};

}  // namespace glassmax
