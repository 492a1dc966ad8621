// The embedding of the inputs in the memory of a call: its parameters, which are few, and what the way back needs.
//
// theta ends with F, H, V, C of the periodic columns, row by row, and a matrix E for each block of columns. Here each of
// these arrays begins on a vector of its own; their gradient is summed up in float64.

template <class T> struct Learned {  // one array of parameters
    int64_t in_theta, at, count;     // where it begins: in theta, behind the layers; and here
    bool weights;                    // with penalty and decay
    bool frozen;
    T rate_factor;
};

struct Block {
    int64_t start, stop, e;
    int64_t before;  // columns in the blocks before
    int64_t unit;    // where its outputs begin
    int64_t E;       // where its matrix begins
};

template <class T> struct Embedded {
    const Embedding *is;
    int64_t plain;             // columns outside the blocks
    int64_t periodic, edged, products;  // where the outputs of each kind begin
    int64_t n_learned, in_theta, packed;  // arrays of parameters; their numbers, in theta and here
    Learned<T> *learned;
    Block *blocks;
    int64_t *periodic_at, *edged_at;  // the columns' places among those outside the blocks
    T *lower, *inverse;        // of the bins: the lower edge, 1 / width
    T *theta, *first, *second;
    double *sum;               // the gradient
    double squares;            // of the weights, where there is a penalty
    T *dA;                     // [span][units][SPAN], of the outputs from `from` on
    int64_t from, units;
    int64_t items;             // of the weights' phase, behind the layers': a periodic column or a block each
};

// The last block that begins at a column or before it, or -1.
template <class T> int64_t block_before(const Embedded<T> &embedded, int64_t column) {
    int64_t low = -1, high = embedded.is->n_blocks;
    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        (embedded.blocks[middle].start <= column ? low : high) = middle;
    }
    return low;
}

// The place of a column outside the blocks.
template <class T> int64_t place(const Embedded<T> &embedded, int64_t column) {
    const int64_t b = block_before(embedded, column);
    return b < 0 ? column : column - embedded.blocks[b].before - (embedded.blocks[b].stop - embedded.blocks[b].start);
}

// Take memory for the embedding, and lay it out once there is some; `spans`: of a training, 0 for a prediction.
template <class T>
void describe(const Embedding &is, const uint8_t *frozen, const Layer<T> &layer, int64_t spans, bool adam, Arena &arena,
              Embedded<T> &to) {
    const int64_t q = is.n_periodic, B = is.n_edged ? is.edge_starts[is.n_edged] : 0;  // one edge a column too many
    const int64_t counts[4] = {q * is.K, q * is.K, q * is.K * is.e, q * is.e};
    to = Embedded<T>();
    to.is = &is;
    to.learned = arena.take<Learned<T>>(4 + is.n_blocks);
    to.blocks = arena.take<Block>(is.n_blocks);
    to.periodic_at = arena.take<int64_t>(q);
    to.edged_at = arena.take<int64_t>(is.n_edged);
    to.lower = arena.take<T>(B);
    to.inverse = arena.take<T>(B);
    const auto learn = [&](int64_t count, bool weights) {
        if (to.learned) to.learned[to.n_learned] = {to.in_theta, to.packed, count, weights, frozen && frozen[to.n_learned], T(1)};
        ++to.n_learned;
        to.in_theta += count;
        to.packed += up(count, LANES<T>);
    };
    for (int which = 0; q && which < 4; ++which) learn(counts[which], which == 2);
    int64_t levels = 0;
    for (int64_t b = 0; b < is.n_blocks; ++b) levels += is.blocks[3 * b + 1] - is.blocks[3 * b];
    to.plain = to.periodic = is.d - levels;
    to.edged = to.periodic + q * is.e;
    to.products = to.edged + B - is.n_edged;
    int64_t before = 0, unit = to.products;
    for (int64_t b = 0; b < is.n_blocks; ++b) {
        const int64_t start = is.blocks[3 * b], stop = is.blocks[3 * b + 1], e = is.blocks[3 * b + 2];
        if (to.blocks) to.blocks[b] = {start, stop, e, before, unit, to.packed};
        learn((stop - start) * e, true);
        before += stop - start;
        unit += e;
    }
    to.theta = arena.take<T>(to.packed);
    to.from = to.plain / MR<T> * MR<T>;
    to.units = layer.padded - to.from;
    if (spans) {
        to.items = q + is.n_blocks;
        to.first = arena.take<T>(to.packed);
        to.second = adam ? arena.take<T>(to.packed) : nullptr;
        to.sum = arena.take<double>(to.packed);
        to.dA = arena.take<T>(spans * to.units * SPAN<T>);
    }
    if (!to.blocks) return;
    for (int64_t i = 0; i < q; ++i) to.periodic_at[i] = place(to, is.periodic[i]);
    for (int64_t i = 0; i < is.n_edged; ++i) to.edged_at[i] = place(to, is.edged[i]);
    for (int64_t i = 0; i < B; ++i) {
        to.lower[i] = T(is.edges[i]);
        to.inverse[i] = i + 1 < B ? 1 / (T(is.edges[i + 1]) - T(is.edges[i])) : T(0);
    }
}

// Copy the arrays of parameters, or of their state, from the end of theta; what is over is 0.
template <class T> void pack(const Embedded<T> &embedded, const T *from, T *to) {
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        for (int64_t i = 0; i < up(one->count, LANES<T>); ++i) to[one->at + i] = i < one->count ? from[one->in_theta + i] : T(0);
}

template <class T, class U> void unpack(const Embedded<T> &embedded, const U *from, U *to) {
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        __builtin_memcpy(to + one->in_theta, from + one->at, size_t(one->count) * sizeof(U));
}

// ---- up ----

// Outputs c .. c + N-1 of a periodic column: x, and the outputs, as lanes.
template <class T, int N> void cosines(const Embedded<T> &embedded, int64_t j, int64_t c, const T *x, T *out, int vectors) {
    const int64_t K = embedded.is->K, e = embedded.is->e;
    const Learned<T> *learned = embedded.learned;
    const T *F = embedded.theta + learned[0].at + j * K, *H = embedded.theta + learned[1].at + j * K;
    const T *V = embedded.theta + learned[2].at + j * K * e + c, *C = embedded.theta + learned[3].at + j * e + c;
    for (int v = 0; v < vectors; ++v) {
        const Vec<T> at = load(x + v * LANES<T>);
        Vec<T> sum[N];
        for (int i = 0; i < N; ++i) sum[i] = all(C[i]);
        for (int64_t k = 0; k < K; ++k) {
            const Vec<T> cosine = cos_of<T>(fma(at, all(F[k]), all(H[k])));
            for (int i = 0; i < N; ++i) sum[i] = fma(cosine, all(V[k * e + i]), sum[i]);
        }
        for (int i = 0; i < N; ++i) store(out + i * SPAN<T> + v * LANES<T>, sum[i]);
    }
}

// Outputs four at a time, then what is left.
template <class What> INLINE void by_outputs(int64_t e, What what) {
    int64_t c = 0;
    for (; c + 4 <= e; c += 4) what(Height<4>(), c);
    if (e - c == 3) what(Height<3>(), c);
    if (e - c == 2) what(Height<2>(), c);
    if (e - c == 1) what(Height<1>(), c);
}

// 2 clip((x - lower) / width, 0, 1) - 1 for each bin of a column.
template <class T> void bins(const T *lower, const T *inverse, int64_t count, const T *x, T *out, int vectors) {
    for (int64_t b = 0; b < count; ++b, out += SPAN<T>)
        for (int v = 0; v < vectors; ++v) {
            Vec<T> part = (load(x + v * LANES<T>) - lower[b]) * inverse[b];
            part = part < 0 ? Vec<T>{} : part;
            part = part > 1 ? all(T(1)) : part;
            store(out + v * LANES<T>, 2 * part - 1);
        }
}

// From the columns outside the blocks, as lanes of A, the outputs of the periodic and the edged ones.
template <class T> void embed_columns(const Embedded<T> &embedded, T *A, int vectors) {
    const Embedding &is = *embedded.is;
    for (int64_t j = 0; j < is.n_periodic; ++j)
        by_outputs(is.e, [&](auto width, int64_t c) {
            cosines<T, width.value>(embedded, j, c, A + embedded.periodic_at[j] * SPAN<T>,
                                    A + (embedded.periodic + j * is.e + c) * SPAN<T>, vectors);
        });
    T *out = A + embedded.edged * SPAN<T>;
    for (int64_t j = 0; j < is.n_edged; ++j) {
        const int64_t start = is.edge_starts[j], count = is.edge_starts[j + 1] - start - 1;
        bins<T>(embedded.lower + start, embedded.inverse + start, count, A + embedded.edged_at[j] * SPAN<T>, out, vectors);
        out += count * SPAN<T>;
    }
}

// Add what an entry of a block contributes to one row: x times a row of E. `out` is the row's lane.
template <class T> INLINE void add_product(const Embedded<T> &embedded, const Block &block, int64_t column, T x, T *out) {
    const T *E = embedded.theta + block.E + (column - block.start) * block.e;
    for (int64_t c = 0; c < block.e; ++c) out[(block.unit + c) * SPAN<T>] += x * E[c];
}

// ---- down ----

// The gradient of a periodic column for N of its outputs; dA of all rows that go through together is there.
template <class T, int N> void cosines_gradient(const Embedded<T> &embedded, const Layer<T> &layer, int64_t m, int64_t j, int64_t c) {
    constexpr int L = LANES<T>;
    const int64_t K = embedded.is->K, e = embedded.is->e;
    const int64_t F = embedded.learned[0].at + j * K, H = embedded.learned[1].at + j * K;
    const int64_t V = embedded.learned[2].at + j * K * e + c;
    for (int64_t k = 0; k < K; ++k) {
        const Vec<T> frequency = all(embedded.theta[F + k]), phase = all(embedded.theta[H + k]);
        Vec<T> weight[N], dF = {}, dH = {}, dV[N] = {};
        for (int i = 0; i < N; ++i) weight[i] = all(embedded.theta[V + k * e + i]);
        const T *x = layer.A + embedded.periodic_at[j] * SPAN<T>;
        const T *dA = embedded.dA + (embedded.periodic + j * e + c - embedded.from) * SPAN<T>;
        for (int64_t s = 0; s < m; s += SPAN<T>, x += layer.padded * SPAN<T>, dA += embedded.units * SPAN<T>)
            for (int64_t lane = 0; lane < SPAN<T> && s + lane < m; lane += L) {
                const Vec<T> at = load(x + lane), U = fma(at, frequency, phase), cosine = cos_of<T>(U);
                Vec<T> along = {};
                for (int i = 0; i < N; ++i) {
                    const Vec<T> d = load(dA + i * SPAN<T> + lane);
                    dV[i] = fma(cosine, d, dV[i]);
                    along = fma(weight[i], d, along);
                }
                const Vec<T> minus_dU = sin_of<T>(U) * along;
                dH -= minus_dU;
                dF = fma(-at, minus_dU, dF);
            }
        embedded.sum[F + k] += sum_of<T>(Wide<T>::of(dF));
        embedded.sum[H + k] += sum_of<T>(Wide<T>::of(dH));
        for (int i = 0; i < N; ++i) embedded.sum[V + k * e + i] += sum_of<T>(Wide<T>::of(dV[i]));
    }
}

// The gradient of C, of one periodic column.
template <class T> void biases_gradient(const Embedded<T> &embedded, int64_t m, int64_t j) {
    const int64_t e = embedded.is->e;
    for (int64_t c = 0; c < e; ++c) {
        Wide<T> sum = {};
        const T *dA = embedded.dA + (embedded.periodic + j * e + c - embedded.from) * SPAN<T>;
        for (int64_t s = 0; s < m; s += SPAN<T>, dA += embedded.units * SPAN<T>)
            for (int64_t lane = 0; lane < SPAN<T> && s + lane < m; lane += LANES<T>) sum += Wide<T>::of(load(dA + lane));
        embedded.sum[embedded.learned[3].at + j * e + c] += sum_of<T>(sum);
    }
}

// ---- the step ----

template <class T> void clear_frozen(const Embedded<T> &embedded) {
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        for (int64_t i = one->at; one->frozen && i < one->at + one->count; ++i) embedded.sum[i] = 0;
}

// Add the penalty's gradient, and return the squared length of the gradient.
template <class T> double penalised(const Embedded<T> &embedded, double penalty) {
    double length = 0;
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        for (int64_t i = one->at; i < one->at + one->count && !one->frozen; ++i) {
            if (one->weights) embedded.sum[i] += penalty * double(embedded.theta[i]);
            length += embedded.sum[i] * embedded.sum[i];
        }
    return length;
}

template <class T> double squares_of(const Embedded<T> &embedded) {
    double sum = 0;
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        for (int64_t i = one->at; one->weights && !one->frozen && i < one->at + one->count; ++i)
            sum += double(embedded.theta[i]) * double(embedded.theta[i]);
    return sum;
}

// Move the parameters by their summed gradient, shortened to the clip norm.
template <class T, int MODE> void move_embedding(const Embedded<T> &embedded, const Step<T> &step, double shorten) {
    for (const Learned<T> *one = embedded.learned; one < embedded.learned + embedded.n_learned; ++one)
        for (int64_t i = one->at; i < one->at + one->count && !one->frozen; i += LANES<T>) {
            Wide<T> g;
            for (int q = 0; q < Wide<T>::PARTS; ++q) g.part[q] = load(embedded.sum + i + q * LANES<double>) * shorten;
            Vec<T> unused = {};
            T *second = MODE == ADAM ? embedded.second + i : nullptr;
            move<T, MODE>(g.narrow(), embedded.theta + i, embedded.first + i, second, step, one->rate_factor, !one->weights, unused);
        }
}
