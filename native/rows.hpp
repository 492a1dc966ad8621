// The rows of a batch, a span at a time: up through the network, the loss, and down again.

template <class T> struct Span {
    const Batch<T> &batch;
    const Scratch<T> &own;
    int worker;
    int64_t number, start;
    int rows, vectors;

    Span(const Batch<T> &batch, int worker, int64_t number)
        : batch(batch), own(batch.scratch[worker]), worker(worker), number(number), start(number * SPAN<T>),
          rows(int(batch.m - start < SPAN<T> ? batch.m - start : SPAN<T>)), vectors((rows + LANES<T> - 1) / LANES<T>) {}

    T *A(int64_t l) const {  // for predictions one span's room is a worker's own
        const Layer<T> &layer = batch.layers[l];
        return layer.A + (batch.train ? number : worker) * layer.padded * SPAN<T>;
    }
};

constexpr int64_t AHEAD = 256;  // bytes: four cache lines

// Lay L rows of the data down as lanes: L x L blocks are turned in registers. What is needed soon, of long rows and
// then of the next ones, is asked for ahead: they lie all over the memory.
template <class T> void lay_down(const T *const *from, const T *const *next, int64_t d, T *A) {
    constexpr int L = LANES<T>;
    constexpr int64_t SOON = AHEAD / int64_t(sizeof(T));
    const bool far = d >= 4 * SOON;
    int64_t k = 0;
    for (; k + L <= d; k += L) {
        if (far)
            for (int s = 0; s < L; ++s) __builtin_prefetch(k + SOON < d ? from[s] + k + SOON : next[s] + k + SOON - d);
        Vec<T> block[L];
        for (int s = 0; s < L; ++s) block[s] = load(from[s] + k);
        transpose<T>(block);
        for (int i = 0; i < L; ++i) store(A + (k + i) * SPAN<T>, block[i]);
    }
    for (int s = 0; s < L; ++s)
        for (int64_t i = k; i < d; ++i) A[i * SPAN<T> + s] = from[s][i];
}

INLINE uint64_t drawn(uint64_t key, uint64_t counter) {  // output `counter` of SplitMix64 seeded with `key`
    uint64_t z = key + (counter + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

// The shares that the rows of a span have of their previous rows: those of glassmax.functional.mixup.
template <class T> void draw_shares(const Batch<T> &batch, int64_t s0, int rows) {
    constexpr double UNIT = 1 / 9007199254740992.0;  // u >> 11 counts in 2^-53
    const uint64_t of_step = drawn(drawn(batch.regularization.seed, uint64_t(batch.step)), 0);
    for (int64_t s = s0; s < s0 + rows; ++s) {
        const int64_t row = batch.row(s);
        const uint64_t key = drawn(of_step, uint64_t(row));
        const bool mixed = double(drawn(key, 0) >> 11) * UNIT < batch.regularization.mixup_share;
        const bool whole = !mixed || batch.absent(row) || batch.absent(batch.previous(s));
        batch.shares[s] = whole ? 0 : batch.mixup * (double(drawn(key, 1) >> 11) * UNIT);
    }
}

template <class T> void blend(const T *x, const T *previous, double share, int64_t d, T *to) {
    const T rest = T(1 - share), some = T(share);
    for (int64_t i = 0; i < d; ++i) to[i] = rest * x[i] + some * previous[i];
}

template <class T> void gather(const Span<T> &span, T *A) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const int64_t d = batch.layers[0].d;
    const T *X = static_cast<const T *>(batch.rows.X);
    const T *from[SPAN<T>];
    for (int at = 0; at < span.vectors * L; ++at) {
        const int64_t row = batch.row(span.start + (at < span.rows ? at : span.rows - 1));
        from[at] = batch.train && batch.absent(row) ? span.own.nothing : X + row * d;
    }
    for (int at = 0; batch.mixup > 0 && at < span.rows; ++at) {
        const double share = batch.shares[span.start + at];
        if (share == 0) continue;
        T *to = span.own.blends + at * d;
        blend<T>(from[at], X + batch.previous(span.start + at) * d, share, d, to);
        from[at] = to;
    }
    for (int v = 0; v < span.vectors; ++v)
        lay_down<T>(from + v * L, from + (v + 1 < span.vectors ? v + 1 : v) * L, d, A + v * L);
}

template <class T> struct Entries {
    const Rows &rows;
    int64_t start(int64_t row) const {
        return rows.wide ? static_cast<const int64_t *>(rows.starts)[row] : static_cast<const int32_t *>(rows.starts)[row];
    }
    int64_t column(int64_t e) const {
        return rows.wide ? static_cast<const int64_t *>(rows.columns)[e] : static_cast<const int32_t *>(rows.columns)[e];
    }
    T value(int64_t e) const { return static_cast<const T *>(rows.values)[e]; }
};

// The rows of the data that make one row of a batch, each with its factor: none, one, or two where rows are mixed.
template <class T> struct Parts {
    int count;
    int64_t row[2];
    T factor[2];

    Parts(const Batch<T> &batch, int64_t s) : count(1), row{batch.row(s), 0}, factor{T(1), T(0)} {
        if (batch.train && batch.absent(row[0])) count = 0;
        if (!(batch.mixup > 0) || batch.shares[s] == 0) return;
        count = 2;
        row[1] = batch.previous(s);
        factor[0] = T(1 - batch.shares[s]);
        factor[1] = T(batch.shares[s]);
    }
};

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

// Write dZ down once more, row after row in panels, as the weights' gradient reads it.
template <class T> void turn(const Layer<T> &layer, int64_t panel, T *dZ, int64_t s0, int vectors) {
    constexpr int L = LANES<T>;
    for (int64_t j = layer.h; j < layer.panels * L; ++j)
        for (int s = 0; s < SPAN<T>; s += L) store(dZ + j * SPAN<T> + s, Vec<T>{});
    for (int64_t p = 0; p < layer.panels; ++p)
        for (int v = 0; v < vectors; ++v) {
            Vec<T> block[L];
            for (int i = 0; i < L; ++i) block[i] = load(dZ + (p * L + i) * SPAN<T> + v * L);
            transpose<T>(block);
            T *to = layer.dZ + p * panel + (s0 + v * L) * L;
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

// Up through layer l: Z, then A of the next layer, and f'(Z) in Z's place.
template <class T> void layer_up(const Span<T> &span, int64_t l) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const Layer<T> &layer = batch.layers[l];
    T *Z = span.own.Z[l];
    if (l == 0 && batch.sparse) {
        for (int s = 0; s < span.rows; ++s)
            affine_of_sparse_row<T>(layer, batch.rows, Parts<T>(batch, span.start + s), Z + s);
    } else {
        T *A = span.A(l);
        if (l == 0) gather<T>(span, A);
        by_tiles<T>(0, layer.h, [&](auto height, int64_t j) {
            const int64_t ahead = j % L ? 0 : layer.stride;
            affine<T, height.value>(layer.W + j / L * layer.stride + j % L, ahead, layer.d1, A, Z + j * SPAN<T>, span.vectors);
        });
    }
    if (l + 1 == batch.shape.depth) return;
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
    const T even = T(1 / batch.divisor);
    for (int s = 0; s < SPAN<T>; ++s) factor[s] = even;
    if (batch.rows.weight)
        for (int s = 0; s < rows; ++s) factor[s] = T(batch.rows.weight[batch.row(span.start + s)] / batch.divisor);
    if (batch.rows.y)
        for (int s = 0; s < rows; ++s) label[s] = batch.rows.y[batch.row(span.start + s)];
    double shares[SPAN<T>] = {};
    HeadRows<T> head = {k, span.vectors, rows, label, nullptr, factor, loss, nullptr};
    if (batch.mixup > 0) {
        for (int s = 0; s < rows; ++s) shares[s] = batch.shares[span.start + s];
        head.shares = shares;
    }
    const bool soft = batch.rows.Y || batch.mixup > 0;
    if (needs_rows(batch.shape.output, batch.shape.loss, soft, batch.regularization.label_smoothing)) {
        targets<T>(batch, span.start, rows, span.own.Y);
        head.Y = span.own.Y;
    }
    run_head<T>(Z, head, batch.shape.output, batch.shape.loss);
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

// Down through layer l: dZ for the weights' phase, and dZ of the layer below.
template <class T> void layer_down(const Span<T> &span, int64_t l) {
    const Batch<T> &batch = span.batch;
    const Layer<T> &layer = batch.layers[l];
    const T *dZ = span.own.Z[l];
    turn<T>(layer, batch.dZ_stride, span.own.Z[l], span.start, span.vectors);
    if (l == 0) return;
    T *below = span.own.Z[l - 1];
    const bool rectified = batch.layers[l - 1].activation == RELU;
    by_tiles<T>(0, layer.d, [&](auto height, int64_t i) {
        down<T, height.value>(layer.W + i * LANES<T>, layer.stride, layer.h, dZ, below + i * SPAN<T>, rectified, span.vectors);
    });
}

template <class T> void rows_item(const Batch<T> &batch, int worker, int64_t number) {
    const Span<T> span(batch, worker, number);
    const int64_t depth = batch.shape.depth;
    if (batch.mixup > 0) draw_shares<T>(batch, span.start, span.rows);
    for (int64_t l = 0; l < depth; ++l) layer_up<T>(span, l);
    T *Z = span.own.Z[depth - 1];
    if (batch.train) {
        batch.losses[number] = loss_of<T>(span, Z);
        for (int64_t l = depth - 1; l >= 0; --l) layer_down<T>(span, l);
    } else {
        if (batch.probabilities) predict_in_place<T>(Z, batch.shape.sizes[depth], span.vectors, batch.shape.output);
        write_out<T>(batch, Z, span.start, span.rows);
    }
}
