// One batch, phase by phase: rows up through the network and down again; then the weights.
//
// An item of the first phase is a span of rows, one of the second a block of weights. Within a phase no item reads what
// another writes, and each number is made by one item alone, in an order that the shape fixes: so the bits are the
// same for any number of threads.

template <class T> struct Scratch {  // a worker's own
    T **Z;         // of each layer, [unit][SPAN]: Z, then f'(Z), then dZ
    T *Y;          // [class][SPAN]
    T *mask;       // (SPAN,)
    T *nothing;    // a row of zeros
    T *panel;      // gradient of the panels of a sparse layer
};

template <class T> struct Batch {
    Layer<T> *layers;
    Scratch<T> *scratch;
    Shape shape;
    Rows rows;
    Recipe recipe;
    Surroundings *around;

    const int64_t *index;  // of the rows that go through together, or null: they follow `begin`
    int64_t begin, m;
    int64_t step;          // for the dropout masks
    double divisor;
    int64_t panel;         // numbers from one panel of dZ to the next
    bool sparse, train, probabilities, first_part;
    bool rows_phase;       // or the weights'
    int mode, task;        // of the weights' phase
    Step<T> move;
    double shorten;        // to the clip norm
    double *losses;        // of each span, weighted
    double *squares, *lengths;  // of each item of the weights' phase
    T *out;

    int64_t row(int64_t s) const { return index ? index[s] : begin + s; }
};

// ---- rows ----

// Lay L rows of the data down as lanes: L x L blocks are turned in registers.
template <class T> void lay_down(const T *const *from, int64_t d, T *A) {
    constexpr int L = LANES<T>;
    int64_t k = 0;
    for (; k + L <= d; k += L) {
        Vec<T> block[L];
        for (int s = 0; s < L; ++s) block[s] = load(from[s] + k);
        transpose<T>(block);
        for (int i = 0; i < L; ++i) store(A + (k + i) * SPAN<T>, block[i]);
    }
    for (int s = 0; s < L; ++s)
        for (int64_t i = k; i < d; ++i) A[i * SPAN<T> + s] = from[s][i];
}

template <class T> void gather(const Batch<T> &batch, const Scratch<T> &own, int64_t s0, int rows, int vectors, T *A) {
    constexpr int L = LANES<T>;
    const int64_t d = batch.layers[0].d;
    const T *X = static_cast<const T *>(batch.rows.X);
    for (int v = 0; v < vectors; ++v) {
        const T *from[L];
        for (int s = 0; s < L; ++s) {
            const int at = v * L + s;
            const int64_t row = batch.row(s0 + (at < rows ? at : rows - 1));
            const bool absent = batch.train && batch.rows.weight && batch.rows.weight[row] == 0;
            from[s] = absent ? own.nothing : X + row * d;
        }
        lay_down<T>(from, d, A + v * L);
    }
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

// Z of one sparse row, some panels at a time, written into its lane.
template <class T> void affine_of_sparse_row(const Layer<T> &layer, const Rows &rows, int64_t row, bool absent, T *Z) {
    constexpr int L = LANES<T>, SOME = 4;
    const Entries<T> entries{rows};
    const int64_t start = entries.start(row), end = absent ? start : entries.start(row + 1);
    for (int64_t p = 0; p < layer.panels; p += SOME) {
        const int64_t some = layer.panels - p < SOME ? layer.panels - p : SOME;
        const T *W = layer.W + p * layer.stride;
        Vec<T> sum[SOME] = {};
        for (int64_t e = start; e < end; ++e) {
            const Vec<T> x = all(entries.value(e));
            const T *w = W + entries.column(e) * L;
            for (int64_t q = 0; q < some; ++q) sum[q] = fma(load(w + q * layer.stride), x, sum[q]);
        }
        for (int64_t q = 0; q < some; ++q) {
            const Vec<T> z = sum[q] + load(W + q * layer.stride + layer.d * L);
            for (int i = 0; i < L; ++i) Z[((p + q) * L + i) * SPAN<T>] = z[i];
        }
    }
}

INLINE uint64_t drawn(uint64_t key, uint64_t counter) {  // output `counter` of SplitMix64 seeded with `key`
    uint64_t z = key + (counter + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

// Multiply the activations and their derivatives by the masks of glassmax.functional.masks.
template <class T> void drop(const Batch<T> &batch, int64_t l, int64_t s0, int rows, double rate, T *A, T *D, T *mask) {
    const uint64_t key = drawn(drawn(batch.recipe.seed, uint64_t(batch.step)), uint64_t(l + 1));
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

// The targets of a span as columns, smoothed.
template <class T> void targets(const Batch<T> &batch, int64_t s0, int rows, T *Y) {
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    const double share = batch.recipe.label_smoothing;
    for (int64_t j = 0; j < k; ++j)
        for (int s = rows; s < SPAN<T>; ++s) Y[j * SPAN<T> + s] = 0;
    for (int s = 0; s < rows; ++s) {
        const int64_t row = batch.row(s0 + s);
        double rowsum = 1;
        if (batch.rows.Y && share > 0) {
            rowsum = 0;
            for (int64_t j = 0; j < k; ++j) rowsum += batch.rows.Y[row * k + j];
        }
        const double spread = batch.shape.output == SIGMOID_OUTPUT ? share / 2 : share * rowsum / double(k);
        for (int64_t j = 0; j < k; ++j) {
            const double y = batch.rows.Y ? batch.rows.Y[row * k + j] : double(j == batch.rows.y[row]);
            Y[j * SPAN<T> + s] = T((1 - share) * y + spread);
        }
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

template <class T> void rows_item(Batch<T> &batch, int worker, int64_t span) {
    constexpr int L = LANES<T>;
    const Scratch<T> &own = batch.scratch[worker];
    const int64_t depth = batch.shape.depth, s0 = span * SPAN<T>;
    const int rows = int(batch.m - s0 < SPAN<T> ? batch.m - s0 : SPAN<T>), vectors = (rows + L - 1) / L;
    const auto input = [&](int64_t l) {  // for predictions one span's room is a worker's own
        return batch.layers[l].A + (batch.train ? span : worker) * batch.layers[l].padded * SPAN<T>;
    };

    for (int64_t l = 0; l < depth; ++l) {
        const Layer<T> &layer = batch.layers[l];
        T *Z = own.Z[l];
        if (l == 0 && batch.sparse) {
            for (int s = 0; s < rows; ++s) {
                const int64_t row = batch.row(s0 + s);
                const bool absent = batch.train && batch.rows.weight && batch.rows.weight[row] == 0;
                affine_of_sparse_row<T>(layer, batch.rows, row, absent, Z + s);
            }
        } else {
            T *A = input(l);
            if (l == 0) gather<T>(batch, own, s0, rows, vectors, A);
            for (int64_t j = 0; j < layer.h; j += MR<T>)
                affine<T>(layer.W + j / L * layer.stride + j % L, layer.rows, A, Z + j * SPAN<T>, vectors);
        }
        if (l + 1 < depth) {
            activate<T>(layer.activation, layer.h, vectors, batch.train, Z, input(l + 1));
            if (layer.dropped > 0 && batch.train)
                drop<T>(batch, l, s0, rows, layer.dropped, input(l + 1), Z, own.mask);
        }
    }

    T *Z = own.Z[depth - 1];
    const int64_t k = batch.shape.sizes[depth];
    if (!batch.train) {
        if (batch.probabilities) predict_in_place<T>(Z, k, vectors, batch.shape.output);
        write_out<T>(batch, Z, s0, rows);
        return;
    }

    int64_t label[SPAN<T>];
    T factor[SPAN<T>];
    double loss[SPAN<T>];
    const T even = T(1 / batch.divisor);
    for (int s = 0; s < SPAN<T>; ++s) factor[s] = even;
    if (batch.rows.weight)
        for (int s = 0; s < rows; ++s) factor[s] = T(batch.rows.weight[batch.row(s0 + s)] / batch.divisor);
    if (batch.rows.y)
        for (int s = 0; s < rows; ++s) label[s] = batch.rows.y[batch.row(s0 + s)];
    HeadRows<T> head = {k, vectors, rows, label, nullptr, factor, loss};
    if (needs_rows(batch.shape.output, batch.shape.loss, batch.rows.Y, batch.recipe.label_smoothing)) {
        targets<T>(batch, s0, rows, own.Y);
        head.Y = own.Y;
    }
    run_head<T>(Z, head, batch.shape.output, batch.shape.loss);
    if (batch.rows.weight)
        for (int s = 0; s < rows; ++s)
            if (batch.rows.weight[batch.row(s0 + s)] == 0)  // absent, even where its slope is inf
                for (int64_t j = 0; j < k; ++j) Z[j * SPAN<T> + s] = 0;
    double total = 0;
    for (int s = 0; s < rows; ++s) {
        const double w = batch.rows.weight ? batch.rows.weight[batch.row(s0 + s)] : 1;
        if (w != 0) total += w * loss[s];
    }
    batch.losses[span] = total;

    for (int64_t l = depth - 1; l >= 0; --l) {
        const Layer<T> &layer = batch.layers[l];
        turn<T>(layer, batch.panel, own.Z[l], s0, vectors);
        if (l > 0)
            for (int64_t i = 0; i < layer.d; i += MR<T>)
                down<T>(layer.W + i * L, layer.stride, layer.h, own.Z[l], own.Z[l - 1] + i * SPAN<T>,
                        batch.layers[l - 1].activation == RELU, vectors);
    }
}

// ---- weights ----

template <class T> INLINE void into_sum(Vec<T> g, double *sum, bool first) {
    const Wide<T> wide = Wide<T>::of(g);
    for (int q = 0; q < Wide<T>::PARTS; ++q, sum += LANES<double>) store(sum, first ? wide.part[q] : load(sum) + wide.part[q]);
}

// Use the gradient of a vector of weights, `offset` numbers into the layer: add it to the sum, or move the weights.
template <class T, int MODE>
INLINE void use(const Batch<T> &batch, const Layer<T> &layer, int64_t offset, Vec<T> g, bool bias, Vec<T> &square) {
    if (MODE == INTO_SUM)
        into_sum<T>(g, layer.sum + offset, batch.first_part);
    else
        move<T, MODE>(g, layer.W + offset, layer.first + offset, layer.second + offset, batch.move, bias, square);
}

// Tiles i0 .. i1 of N panels from panel p on.
template <class T, int MODE, int N>
void tiles(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1, Wide<T> &squares) {
    constexpr int L = LANES<T>;
    for (int64_t i = i0; i < i1; i += MR<T>) {
        const int64_t at = p * layer.stride + i * L, some = layer.rows - i < MR<T> ? layer.rows - i : MR<T>;
        if (MODE != INTO_SUM)  // they arrive while the sum is formed
            for (int v = 0; v < N; ++v)
                for (int64_t n = 0; n < MR<T> * L; n += 64 / int64_t(sizeof(T))) {
                    __builtin_prefetch(layer.W + at + v * layer.stride + n, 1);
                    __builtin_prefetch(layer.first + at + v * layer.stride + n, 1);
                    if (MODE == ADAM) __builtin_prefetch(layer.second + at + v * layer.stride + n, 1);
                }
        Vec<T> sum[MR<T>][N], square = {};
        gradient_tile<T, N>(layer.A + i * SPAN<T>, layer.padded * SPAN<T>, layer.dZ + p * batch.panel, batch.panel, batch.m, sum);
        for (int64_t r = 0; r < some; ++r)
            for (int v = 0; v < N; ++v)
                use<T, MODE>(batch, layer, at + r * L + v * layer.stride, sum[r][v], i + r == layer.d, square);
        squares += Wide<T>::of(square);
    }
}

// N panels at a time, then what is left.
template <class T, int MODE, int N = NV<T>>
void tiles_of(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1, int64_t panels, Wide<T> &squares) {
    if (panels == N) return tiles<T, MODE, N>(batch, layer, p, i0, i1, squares);
    if constexpr (N > 1) tiles_of<T, MODE, N - 1>(batch, layer, p, i0, i1, panels, squares);
}

// The same for one panel of a layer whose input is sparse.
template <class T, int MODE>
void sparse_panel(const Batch<T> &batch, const Layer<T> &layer, int64_t p, T *panel, Wide<T> &squares) {
    constexpr int L = LANES<T>;
    const Entries<T> entries{batch.rows};
    const T *dZ = layer.dZ + p * batch.panel;
    __builtin_memset(panel, 0, size_t(layer.padded * L) * sizeof(T));
    for (int64_t s = 0; s < batch.m; ++s, dZ += L) {
        const int64_t row = batch.row(s), end = entries.start(row + 1);
        const Vec<T> dz = load(dZ);
        T *bias = panel + layer.d * L;
        store(bias, load(bias) + dz);
        if (batch.rows.weight && batch.rows.weight[row] == 0) continue;
        for (int64_t e = entries.start(row); e < end; ++e) {
            T *g = panel + entries.column(e) * L;
            store(g, fma(all(entries.value(e)), dz, load(g)));
        }
    }
    for (int64_t i = 0; i < layer.rows; ++i) {
        Vec<T> square = {};
        use<T, MODE>(batch, layer, p * layer.stride + i * L, load(panel + i * L), i == layer.d, square);
        squares += Wide<T>::of(square);
    }
}

// Move weights by a gradient that has been summed up in float64 and is shortened to the clip norm.
template <class T, int MODE>
void summed(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1, Wide<T> &squares) {
    constexpr int L = LANES<T>;
    for (int64_t i = i0; i < i1; ++i) {
        const int64_t offset = p * layer.stride + i * L;
        const bool bias = i == layer.d;
        Wide<T> g;
        for (int q = 0; q < Wide<T>::PARTS; ++q) g.part[q] = load(layer.sum + offset + q * LANES<double>) * batch.shorten;
        Vec<T> square = {};
        move<T, MODE>(g.narrow(), layer.W + offset, layer.first + offset, layer.second + offset, batch.move, bias, square);
        squares += Wide<T>::of(square);
    }
}

// Add the penalty's gradient to the sum, and return the squared length of what this block holds.
template <class T> double penalised(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1) {
    constexpr int L = LANES<T>, D = LANES<double>;
    const double penalty = batch.recipe.alpha / batch.divisor;
    Vec<double> length = {};
    for (int64_t i = i0; i < i1; ++i)
        for (int q = 0; q < Wide<T>::PARTS; ++q) {
            const int64_t offset = p * layer.stride + i * L;
            Vec<double> g = load(layer.sum + offset + q * D);
            if (i < layer.d) g += penalty * Wide<T>::of(load(layer.W + offset)).part[q];
            store(layer.sum + offset + q * D, g);
            length += g * g;
        }
    return sum_of<double>(Wide<double>::of(length));
}

// What an item of the weights' phase does.
enum Task { GRADIENT, PENALTY, SUMMED };

template <class T, int MODE> void weights_item_by(Batch<T> &batch, int worker, int64_t item) {
    const Layer<T> *layer = batch.layers;
    while (item >= layer->first_item + layer->items_down * layer->items_across) ++layer;
    const int64_t within = item - layer->first_item;
    const int64_t p = within / layer->items_down * layer->across;
    const int64_t panels = layer->panels - p < layer->across ? layer->panels - p : layer->across;
    const int64_t i0 = within % layer->items_down * layer->down;
    const int64_t i1 = i0 + layer->down < layer->rows ? i0 + layer->down : layer->rows;
    Wide<T> squares = {};
    if (batch.task == GRADIENT && batch.sparse && layer == batch.layers)
        sparse_panel<T, MODE>(batch, *layer, p, batch.scratch[worker].panel, squares);
    else if (batch.task == GRADIENT)
        tiles_of<T, MODE>(batch, *layer, p, i0, i1, panels, squares);
    else if (batch.task == SUMMED)
        for (int64_t q = 0; q < panels; ++q) summed<T, MODE>(batch, *layer, p + q, i0, i1, squares);
    else
        for (int64_t q = 0; q < panels; ++q)
            batch.lengths[item] = (q ? batch.lengths[item] : 0) + penalised<T>(batch, *layer, p + q, i0, i1);
    if (MODE != INTO_SUM && batch.move.squares) batch.squares[item] = sum_of<T>(squares);
}

template <class T> void weights_item(Batch<T> &batch, int worker, int64_t item) {
    switch (batch.task == PENALTY ? INTO_SUM : batch.mode) {
    case PLAIN_SGD: return weights_item_by<T, PLAIN_SGD>(batch, worker, item);
    case NESTEROV: return weights_item_by<T, NESTEROV>(batch, worker, item);
    case ADAM: return weights_item_by<T, ADAM>(batch, worker, item);
    default: return weights_item_by<T, INTO_SUM>(batch, worker, item);
    }
}
