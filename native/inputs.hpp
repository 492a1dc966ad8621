// What enters the network: the rows of X of a span, laid down as lanes, mixed, embedded; and the way back to the embedding.

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
        return layer.A + (batch.train || batch.classes.active ? number : worker) * layer.padded * SPAN<T>;
    }
    T *Z(int64_t l) const {
        return batch.classes.hidden ? batch.classes.hidden[number * (batch.shape.depth - 1) + l] : own.Z[l];
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
    if (k == d) return;
    if constexpr (BYTES >= 32) {  // not number by number, or the vectors that are loaded next wait for it
        Vec<T> block[L];
        for (int s = 0; s < L; ++s) block[s] = load_some(from[s] + k, d - k);
        transpose<T>(block);
        for (int i = 0; i < L && k + i < d; ++i) store(A + (k + i) * SPAN<T>, block[i]);
    } else {
        for (int s = 0; s < L; ++s)
            for (int64_t i = k; i < d; ++i) A[i * SPAN<T> + s] = from[s][i];
    }
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

// Where the rows of a span begin, mixed; lanes without a row have the last one.
template <class T> void find_rows(const Span<T> &span, const T **from) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const int64_t d = batch.d;
    const T *X = static_cast<const T *>(batch.rows.X);
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
}

template <class T> void lay_down_all(const T *const *from, int vectors, int64_t d, T *A) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < vectors; ++v) lay_down<T>(from + v * L, from + (v + 1 < vectors ? v + 1 : v) * L, d, A + v * L);
}

template <class T> void gather(const Span<T> &span, T *A) {
    const T *from[SPAN<T>];
    find_rows<T>(span, from);
    lay_down_all<T>(from, span.vectors, span.batch.d, A);
}

INLINE int64_t index_at(const void *indices, bool wide, int64_t i) {
    return wide ? static_cast<const int64_t *>(indices)[i] : static_cast<const int32_t *>(indices)[i];
}

template <class T> struct Entries {
    const Rows &rows;
    int64_t start(int64_t row) const { return index_at(rows.starts, rows.wide, row); }
    int64_t column(int64_t e) const { return index_at(rows.columns, rows.wide, e); }
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

// The target of one row of the data, from a class on: its label, its row of CSR, or its row of Y.
struct Target {
    const Rows &rows;
    int64_t k, row, at, end;

    Target(const Rows &rows, int64_t k, int64_t row, int64_t from) : rows(rows), k(k), row(row) {
        if (!rows.target_starts) {
            at = rows.y ? rows.y[row] < from : from;
            end = rows.y ? 1 : k;
            return;
        }
        at = index_at(rows.target_starts, rows.target_wide, row);
        end = index_at(rows.target_starts, rows.target_wide, row + 1);
        for (int64_t high = end; at < high;) {  // the first entry at `from` or behind it
            const int64_t middle = at + (high - at) / 2;
            if (index_at(rows.target_columns, rows.target_wide, middle) < from)
                at = middle + 1;
            else
                high = middle;
        }
    }
    int64_t column() const {  // k at the end
        if (at == end) return k;
        return rows.target_starts ? index_at(rows.target_columns, rows.target_wide, at) : rows.y ? rows.y[row] : at;
    }
    double value() const { return rows.target_starts ? rows.target_values[at] : rows.y ? 1 : rows.Y[row * k + at]; }
    double taken(int64_t column_) {  // what a class has, and on
        if (column() != column_) return 0;
        const double y = value();
        ++at;
        return y;
    }
};

// Do something with each class from .. to that has a part of the target of row s of a batch: what(class, y). After mixup
// `share` of the target is the previous row's.
template <class T, class What> INLINE void each_target(const Batch<T> &batch, int64_t s, int64_t from, int64_t to, What what) {
    const int64_t k = batch.shape.sizes[batch.shape.depth], row = batch.row(s);
    Target own(batch.rows, k, row, from);
    const double share = batch.mixup > 0 ? batch.shares[s] : 0;
    if (share == 0) {
        for (int64_t c = own.column(); c < to; c = own.column())
            if (const double y = own.taken(c); y != 0) what(c, y);
        return;
    }
    Target previous(batch.rows, k, batch.previous(s), from);
    for (;;) {
        const int64_t a = own.column(), b = previous.column(), c = a < b ? a : b;
        if (c >= to) return;
        const double y = (1 - share) * own.taken(c) + share * previous.taken(c);
        if (y != 0) what(c, y);
    }
}

// ---- with an embedding ----

// The columns outside the blocks as lanes; the blocks' entries times their matrices, a row at a time.
template <class T> void embed_dense_rows(const Span<T> &span, T *A) {
    const Embedded<T> &embedded = span.batch.embedded;
    const T *from[SPAN<T>], *here[SPAN<T>];
    find_rows<T>(span, from);
    int64_t column = 0;
    for (int64_t b = 0; b <= embedded.is->n_blocks; ++b) {
        const bool last = b == embedded.is->n_blocks;
        const int64_t end = last ? span.batch.d : embedded.blocks[b].start;
        for (int s = 0; s < SPAN<T>; ++s) here[s] = s < span.vectors * LANES<T> ? from[s] + column : nullptr;
        lay_down_all<T>(here, span.vectors, end - column, A);
        A += (end - column) * SPAN<T>;
        column = last ? end : embedded.blocks[b].stop;
    }
    A -= embedded.plain * SPAN<T>;
    for (const Block *block = embedded.blocks; block < embedded.blocks + embedded.is->n_blocks; ++block)
        for (int s = 0; s < span.rows; ++s)
            for (int64_t i = block->start; i < block->stop; ++i)
                if (from[s][i] != 0) add_product<T>(embedded, *block, i, from[s][i], A + s);
}

template <class T> void embed_sparse_rows(const Span<T> &span, T *A) {
    const Batch<T> &batch = span.batch;
    const Embedded<T> &embedded = batch.embedded;
    const Entries<T> entries{batch.rows};
    __builtin_memset(A, 0, size_t(embedded.plain * SPAN<T>) * sizeof(T));
    for (int s = 0; s < span.rows; ++s) {
        const Parts<T> parts(batch, span.start + s);
        for (int part = 0; part < parts.count; ++part) {
            const int64_t end = entries.start(parts.row[part] + 1);
            for (int64_t at = entries.start(parts.row[part]); at < end; ++at) {
                const int64_t column = entries.column(at), b = block_before(embedded, column);
                const T x = parts.factor[part] * entries.value(at);
                if (b >= 0 && column < embedded.blocks[b].stop)
                    add_product<T>(embedded, embedded.blocks[b], column, x, A + s);
                else
                    A[place(embedded, column) * SPAN<T> + s] += x;
            }
        }
    }
}

// A0 of a span, from its rows of X.
template <class T> void embed(const Span<T> &span, T *A) {
    const Embedded<T> &embedded = span.batch.embedded;
    const int64_t width = span.batch.layers[0].d;
    __builtin_memset(A + embedded.products * SPAN<T>, 0, size_t((width - embedded.products) * SPAN<T>) * sizeof(T));
    span.batch.rows.X ? embed_dense_rows<T>(span, A) : embed_sparse_rows<T>(span, A);
    embed_columns<T>(embedded, A, span.vectors);
}

// The gradient of a block's matrix: each entry of the block times dA of its row.
template <class T> void product_gradient(const Batch<T> &batch, const Block &block) {
    const Embedded<T> &embedded = batch.embedded;
    const Entries<T> entries{batch.rows};
    const T *X = static_cast<const T *>(batch.rows.X);
    for (int64_t s = 0; s < batch.m; ++s) {
        const T *dA = embedded.dA + (s / SPAN<T> * embedded.units + block.unit - embedded.from) * SPAN<T> + s % SPAN<T>;
        const Parts<T> parts(batch, s);
        for (int part = 0; part < parts.count; ++part) {
            const int64_t row = parts.row[part];
            const auto add = [&](int64_t column, T value) {
                const double x = double(parts.factor[part] * value);
                double *sum = embedded.sum + block.E + (column - block.start) * block.e;
                for (int64_t c = 0; c < block.e; ++c) sum[c] += x * double(dA[c * SPAN<T>]);
            };
            if (X)
                for (int64_t i = block.start; i < block.stop; ++i) {
                    const T value = X[row * batch.d + i];
                    if (value != 0) add(i, value);
                }
            else
                for (int64_t at = entries.start(row); at < entries.start(row + 1); ++at) {
                    const int64_t i = entries.column(at);
                    if (i >= block.start && i < block.stop) add(i, entries.value(at));
                }
        }
    }
}

// One item of the weights' phase: the gradient of a periodic column, or of a block, of all rows that go through together.
template <class T> void embedding_item(const Batch<T> &batch, int64_t item) {
    const Embedded<T> &embedded = batch.embedded;
    const int64_t q = embedded.is->n_periodic, K = embedded.is->K, e = embedded.is->e;
    const auto clear = [&](int64_t from, int64_t count) {
        if (batch.first_part) __builtin_memset(embedded.sum + from, 0, size_t(count) * sizeof(double));
    };
    if (item >= q) {
        const Block &block = embedded.blocks[item - q];
        clear(block.E, (block.stop - block.start) * block.e);
        return product_gradient<T>(batch, block);
    }
    const int64_t counts[4] = {K, K, K * e, e};
    for (int which = 0; which < 4; ++which) clear(embedded.learned[which].at + item * counts[which], counts[which]);
    biases_gradient<T>(embedded, batch.m, item);
    by_outputs(e, [&](auto width, int64_t c) {
        cosines_gradient<T, width.value>(embedded, batch.layers[0], batch.m, item, c);
    });
}
