// The rows of a batch, a span at a time: up through the network, the loss, and down again.

// Z of one sparse row, some panels at a time, written into its lane.
template <class T> void affine_of_sparse_row(const Layer<T> &layer, const Rows &rows, const Parts<T> &parts, T *Z) {
    constexpr int L = LANES<T>, SOME = 4;
    const Entries<T> entries{rows};
    for (int64_t p = 0; p < layer.panels; p += SOME) {
        const int64_t some = layer.panels - p < SOME ? layer.panels - p : SOME;
        const T *W = layer.W + p * layer.stride;
        Vec<T> sum[SOME] = {};
        for (int part = 0; part < parts.count; ++part) {
            const int64_t start = entries.start(parts.row[part]), end = entries.start(parts.row[part] + 1);
            for (int64_t e = start; e < end; ++e) {
                const Vec<T> x = all(parts.factor[part] * entries.value(e));
                const T *w = W + entries.column(e) * L;
                for (int64_t q = 0; q < some; ++q) sum[q] = fma(load(w + q * layer.stride), x, sum[q]);
            }
        }
        for (int64_t q = 0; q < some; ++q) {
            const Vec<T> z = sum[q] + load(W + q * layer.stride + layer.d * L);
            for (int i = 0; i < L; ++i) Z[((p + q) * L + i) * SPAN<T>] = z[i];
        }
    }
}

// Multiply the activations and their derivatives by the masks of glassmax.functional.masks.
template <class T> void drop(const Batch<T> &batch, int64_t l, int64_t s0, int rows, double rate, T *A, T *D, T *mask) {
    const uint64_t key = drawn(drawn(batch.regularization.seed, uint64_t(batch.step)), uint64_t(l + 1));
    uint64_t keys[SPAN<T>];
    for (int s = 0; s < SPAN<T>; ++s) keys[s] = s < rows ? drawn(key, uint64_t(batch.row(s0 + s))) : 0;
    const uint64_t threshold = uint64_t(__builtin_ceil(rate * 9007199254740992.0));  // u >> 11 counts in 2^-53
    const T kept = T(1 / (1 - rate));
    for (int64_t j = 0; j < batch.layers[l].h; ++j, A += SPAN<T>, D += SPAN<T>) {
        for (int s = 0; s < SPAN<T>; ++s) mask[s] = drawn(keys[s], uint64_t(j)) >> 11 >= threshold ? kept : T(0);
        for (int s = 0; s < SPAN<T>; s += LANES<T>) {
            store(A + s, load(A + s) * load(mask + s));
            store(D + s, load(D + s) * load(mask + s));
        }
    }
}

// A = f(Z); Z becomes f'(Z) where it will be needed.
template <class T, class F> void activate_by(F f, int64_t units, int vectors, bool train, T *Z, T *A) {
    for (int64_t j = 0; j < units; ++j, Z += SPAN<T>, A += SPAN<T>)
        for (int v = 0; v < vectors; ++v) {
            const Pair<T> both = f(load(Z + v * LANES<T>));
            store(A + v * LANES<T>, both.f);
            if (train) store(Z + v * LANES<T>, both.d);
        }
}

template <class T> void activate(int activation, int64_t units, int vectors, bool train, T *Z, T *A) {
    switch (activation) {
#define CASE(NAME, f) \
    case NAME: return activate_by<T>([](Vec<T> z) __attribute__((always_inline)) { return f<T>(z); }, units, vectors, train, Z, A);
        CASE(IDENTITY, identity)
        CASE(SIGMOID, sigmoid)
        CASE(TANH, tanh)
        CASE(RELU, relu)
        CASE(LEAKY_RELU, leaky_relu)
        CASE(ELU, elu)
        CASE(SELU, selu)
        CASE(GELU, gelu)
        CASE(SILU, silu)
        CASE(MISH, mish)
        CASE(SOFTPLUS, softplus)
#undef CASE
    }
}

// The same for one row of sparse targets, into its lane.
template <class T> void sparse_target(const Batch<T> &batch, int64_t s, double share, T *Y) {
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    double rowsum = 0;
    if (batch.shape.loss == CANDIDATE_CROSS_ENTROPY) {
        for (int64_t j = 0; j < k; ++j) Y[j * SPAN<T>] = 0;
        Target own(batch.rows, k, batch.row(s), 0);
        for (int64_t j = own.column(); j < k; j = own.column()) Y[j * SPAN<T>] += T(own.taken(j));
        if (!(batch.mixup > 0)) return;
        Target previous(batch.rows, k, batch.previous(s), 0);
        for (int64_t j = previous.column(); j < k; j = previous.column()) Y[j * SPAN<T>] += T(2 * previous.taken(j));
        return;
    }
    if (share > 0) each_target(batch, s, 0, k, [&](int64_t, double y) { rowsum += y; });
    const double spread = batch.shape.output == SIGMOID_OUTPUT ? share / 2 : share * rowsum / double(k);
    for (int64_t j = 0; j < k; ++j) Y[j * SPAN<T>] = T(spread);
    each_target(batch, s, 0, k, [&](int64_t j, double y) { Y[j * SPAN<T>] = T((1 - share) * y + spread); });
}

// The targets of a span as columns, mixed and smoothed.
template <class T> void targets(const Batch<T> &batch, int64_t s0, int rows, T *Y) {
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    const double share = batch.regularization.label_smoothing;
    for (int64_t j = 0; j < k; ++j)
        for (int s = rows; s < SPAN<T>; ++s) Y[j * SPAN<T> + s] = 0;
    const auto entry = [&](int64_t row, int64_t j) {
        return batch.rows.Y ? batch.rows.Y[row * k + j] : double(j == batch.rows.y[row]);
    };
    for (int s = 0; s < rows; ++s) {
        const int64_t row = batch.row(s0 + s);
        if (batch.rows.target_starts) {
            sparse_target<T>(batch, s0 + s, share, Y + s);
            continue;
        }
        const double mixed = batch.mixup > 0 ? batch.shares[s0 + s] : 0;
        const int64_t previous = mixed > 0 ? batch.previous(s0 + s) : row;
        if (batch.shape.loss == CANDIDATE_CROSS_ENTROPY) {  // both sets, as heads.hpp reads them
            for (int64_t j = 0; j < k; ++j)
                Y[j * SPAN<T> + s] = T(entry(row, j) + (batch.mixup > 0 ? 2 * entry(previous, j) : 0));
            continue;
        }
        const auto target = [&](int64_t j) {
            return mixed > 0 ? (1 - mixed) * entry(row, j) + mixed * entry(previous, j) : entry(row, j);
        };
        double rowsum = 1;
        if (batch.rows.Y && share > 0) {
            rowsum = 0;
            for (int64_t j = 0; j < k; ++j) rowsum += target(j);
        }
        const double spread = batch.shape.output == SIGMOID_OUTPUT ? share / 2 : share * rowsum / double(k);
        for (int64_t j = 0; j < k; ++j) Y[j * SPAN<T> + s] = T((1 - share) * target(j) + spread);
    }
}

// Write dZ of some units down once more, row after row in panels, as the weights' gradient reads it.
template <class T> void turn(T *dZ, int64_t units, int64_t panels, T *turned, int64_t panel, int64_t s0, int vectors) {
    constexpr int L = LANES<T>;
    for (int64_t j = units; j < panels * L; ++j)
        for (int s = 0; s < SPAN<T>; s += L) store(dZ + j * SPAN<T> + s, Vec<T>{});
    for (int64_t p = 0; p < panels; ++p)
        for (int v = 0; v < vectors; ++v) {
            Vec<T> block[L];
            for (int i = 0; i < L; ++i) block[i] = load(dZ + (p * L + i) * SPAN<T> + v * L);
            transpose<T>(block);
            T *to = turned + p * panel + (s0 + v * L) * L;
            for (int i = 0; i < L; ++i) store(to + i * L, block[i]);
        }
}

// Write the outputs of a span as rows of (n, k).
template <class T> void write_out(const Batch<T> &batch, T *Z, int64_t s0, int rows) {
    constexpr int L = LANES<T>;
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    for (int64_t j = 0; j < k; j += L) {
        const int64_t some = k - j < L ? k - j : L;
        for (int s = 0; s < rows; s += L) {
            Vec<T> block[L];
            for (int i = 0; i < L; ++i) block[i] = load(Z + (j + i) * SPAN<T> + s);
            transpose<T>(block);
            T *to = batch.out + (batch.begin + s0 + s) * k + j;
            for (int i = 0; i < L && s + i < rows; ++i, to += k) {
                if (some == L)
                    store(to, block[i]);
                else
                    for (int64_t c = 0; c < some; ++c) to[c] = block[i][c];
            }
        }
    }
}

// The first layer's A.
template <class T> void fill_inputs(const Span<T> &span) {
    if (span.batch.sparse) return;
    span.batch.shape.embedding ? embed<T>(span, span.A(0)) : gather<T>(span, span.A(0));
}

// Up through layer l: Z, then A of the next layer, and f'(Z) in Z's place.
template <class T> void layer_up(const Span<T> &span, int64_t l) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const Layer<T> &layer = batch.layers[l];
    T *Z = span.Z(l);
    if (l == 0 && batch.sparse) {
        for (int s = 0; s < span.rows; ++s)
            affine_of_sparse_row<T>(layer, batch.rows, Parts<T>(batch, span.start + s), Z + s);
    } else {
        T *A = span.A(l);
        by_tiles<T>(0, layer.h, [&](auto height, int64_t j) {
            const int64_t ahead = j % L ? 0 : layer.stride;
            affine<T, height.value>(layer.W + j / L * layer.stride + j % L, ahead, layer.d1, A, Z + j * SPAN<T>, span.vectors);
        });
    }
    if (l + 1 == batch.shape.depth) return cap_in_place<T>(Cap<T>(batch.shape), Z, layer.h, span.vectors);
    T *A = span.A(l + 1);
    activate<T>(layer.activation, layer.h, span.vectors, batch.train, Z, A);
    if (layer.dropped > 0 && batch.train) drop<T>(batch, l, span.start, span.rows, layer.dropped, A, Z, span.own.mask);
}

// The loss of a span, weighted; dZ in the place of the last Z.
template <class T> double loss_of(const Span<T> &span, T *Z) {
    const Batch<T> &batch = span.batch;
    const int rows = span.rows;
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    int64_t label[SPAN<T>];
    T factor[SPAN<T>];
    double loss[SPAN<T>];
    const double divisor = batch.divisor * batch.shape.temperature;
    const T even = T(1 / divisor);
    for (int s = 0; s < SPAN<T>; ++s) factor[s] = even;
    if (batch.rows.weight)
        for (int s = 0; s < rows; ++s) factor[s] = T(batch.rows.weight[batch.row(span.start + s)] / divisor);
    if (batch.rows.y)
        for (int s = 0; s < rows; ++s) label[s] = batch.rows.y[batch.row(span.start + s)];
    double shares[SPAN<T>];
    HeadRows<T> head = {k, span.vectors, rows, label, nullptr, factor, loss, nullptr, batch.shape.z_loss};
    if (batch.mixup > 0) {
        for (int s = 0; s < SPAN<T>; ++s) shares[s] = s < rows ? batch.shares[span.start + s] : 0;
        head.shares = shares;
    }
    if (needs_rows(batch.shape.output, batch.shape.loss, batch.soft(), batch.regularization.label_smoothing)) {
        targets<T>(batch, span.start, rows, span.own.Y);
        head.Y = span.own.Y;
    }
    T *capped = span.own.capped;
    if (capped)
        for (int64_t at = 0; at < k * SPAN<T>; at += LANES<T>) store(capped + at, load(Z + at));
    run_head<T>(Z, head, batch.shape.output, batch.shape.loss);
    if (head.z_loss > 0 && !has_z_loss(batch.shape.output, batch.shape.loss, head.Y)) add_z_loss<T>(capped, Z, head);
    if (batch.shape.softcap > 0) {
        const Cap<T> cap(batch.shape);
        for (int64_t at = 0; at < k * SPAN<T>; at += LANES<T>) store(Z + at, load(Z + at) * cap.slope(load(capped + at)));
    }
    if (batch.rows.weight)
        for (int s = 0; s < rows; ++s)
            if (batch.rows.weight[batch.row(span.start + s)] == 0)  // absent, even where its slope is inf
                for (int64_t j = 0; j < k; ++j) Z[j * SPAN<T> + s] = 0;
    double total = 0;
    for (int s = 0; s < rows; ++s) {
        const double w = batch.rows.weight ? batch.rows.weight[batch.row(span.start + s)] : 1;
        if (w != 0) total += w * loss[s];
    }
    return total;
}

// dA of the embedding's learned outputs, 0 in lanes without a row. Whole tiles: what else is in them is not read.
template <class T> void down_to_embedding(const Span<T> &span, const T *dZ) {
    const Embedded<T> &embedded = span.batch.embedded;
    const Layer<T> &layer = span.batch.layers[0];
    T *dA = embedded.dA + span.number * embedded.units * SPAN<T>;
    const int64_t learned[2][2] = {{embedded.periodic, embedded.edged}, {embedded.products, layer.d}};
    for (const auto &part : learned) {
        if (part[0] == part[1]) continue;
        by_tiles<T>(part[0] / MR<T> * MR<T>, part[1], [&](auto height, int64_t i) {
            T *D = dA + (i - embedded.from) * SPAN<T>;
            for (int64_t at = 0; at < height.value * SPAN<T>; at += LANES<T>) store(D + at, all(T(1)));
            down<T, height.value>(layer.W + i * LANES<T>, layer.stride, layer.h, dZ, D, span.vectors,
                                  [](Vec<T> before, Vec<T> dA) __attribute__((always_inline)) { return dA * before; });
        });
    }
    for (int64_t i = 0; i < embedded.units; ++i)
        for (int s = span.rows; s < span.vectors * LANES<T>; ++s) dA[i * SPAN<T> + s] = 0;
}

// Down through layer l: dZ for the weights' phase, and dZ of the layer below.
template <class T> void layer_down(const Span<T> &span, int64_t l) {
    const Batch<T> &batch = span.batch;
    const Layer<T> &layer = batch.layers[l];
    T *dZ = span.Z(l);
    turn<T>(dZ, layer.h, layer.panels, layer.dZ, batch.dZ_stride, span.start, span.vectors);
    if (l == batch.lowest) return;
    if (l == 0) {
        if (batch.shape.embedding && batch.lowest < 0) down_to_embedding<T>(span, dZ);
        return;
    }
    T *below = span.Z(l - 1);
    const bool rectified = batch.layers[l - 1].activation == RELU;
    by_tiles<T>(0, layer.d, [&](auto height, int64_t i) {
        down<T, height.value>(layer.W + i * LANES<T>, layer.stride, layer.h, dZ, below + i * SPAN<T>, span.vectors,
                              [rectified](Vec<T> slope, Vec<T> dA) __attribute__((always_inline)) {
                                  return times_slope<T>(slope, dA, rectified);
                              });
    });
}

template <class T> void rows_item(const Batch<T> &batch, int worker, int64_t number) {
    const Span<T> span(batch, worker, number);
    const int64_t depth = batch.shape.depth;
    if (batch.mixup > 0) draw_shares<T>(batch, span.start, span.rows);
    fill_inputs<T>(span);
    for (int64_t l = 0; l < depth; ++l) layer_up<T>(span, l);
    T *Z = span.Z(depth - 1);
    if (batch.train) {
        batch.losses[number] = loss_of<T>(span, Z);
        for (int64_t l = depth - 1; l >= 0 && l >= batch.lowest; --l) layer_down<T>(span, l);
    } else {
        if (batch.probabilities) predict_in_place<T>(Z, batch.shape.sizes[depth], span.vectors, batch.shape.output);
        write_out<T>(batch, Z, span.start, span.rows);
    }
}
