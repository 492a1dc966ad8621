// The arrays of a softmax layer that is a call of its own: a tile of W from them, its gradient and dA into them.

template <class T> INLINE void store_some(T *p, Vec<T> v, int64_t some) {
    if (some >= LANES<T>) return store(p, v);
    for (int64_t i = 0; i < some; ++i) p[i] = v[i];
}

// Copy (rows, columns) about its diagonal, a block in registers at a time. A row of `to` has room for `wide` numbers, and
// what is over is 0.
template <class T>
void copy_turned(const T *from, int64_t between, int64_t rows, int64_t columns, T *to, int64_t to_between, int64_t wide) {
    constexpr int L = LANES<T>;
    for (int64_t r = 0; r < rows; r += L)
        for (int64_t c = 0; c < columns; c += L) {
            Vec<T> block[L];
            for (int i = 0; i < L; ++i)
                block[i] = r + i < rows ? load_some(from + (r + i) * between + c, columns - c) : Vec<T>{};
            transpose<T>(block);
            for (int i = 0; i < L && c + i < columns; ++i) store_some(to + (c + i) * to_between + r, block[i], wide - r);
        }
}

// A tile of W and b in panels: of a network's last layer, or of a layer of its own.
template <class T> void pack_classes(const Classes<T> &classes, const Layer<T> &layer, int64_t tile, int64_t width, T *to) {
    constexpr int L = LANES<T>;
    const LayerArrays<T> &own = classes.own;
    if (!own.active) return pack_tile<T>(classes.W + tile * TILE, layer.d1, classes.k, width, classes.stride, to);
    if (!own.transposed) pack_tile<T>(own.W + tile * TILE, layer.d, classes.k, width, classes.stride, to);
    for (int64_t c = 0; c < width; c += L) {
        T *panel = to + c / L * classes.stride;
        if (own.transposed)
            copy_turned<T>(own.W + (tile * TILE + c) * layer.d, layer.d, width - c < L ? width - c : L, layer.d, panel, L, L);
        store(panel + layer.d * L, own.b ? load_some(own.b + tile * TILE + c, width - c) : Vec<T>{});
    }
}

// The gradient of a tile, [row][TILE], into the caller's arrays; and back again, where more rows of the data are to come.
template <class T>
void write_gradient(const Classes<T> &classes, const Layer<T> &layer, int64_t tile, int64_t width, const T *dW) {
    const LayerArrays<T> &own = classes.own;
    if (own.db) __builtin_memcpy(own.db + tile * TILE, dW + layer.d * TILE, size_t(width) * sizeof(T));
    if (!own.dW) return;
    if (own.transposed) return copy_turned<T>(dW, TILE, layer.d, width, own.dW + tile * TILE * layer.d, layer.d, layer.d);
    for (int64_t i = 0; i < layer.d; ++i)
        __builtin_memcpy(own.dW + i * classes.k + tile * TILE, dW + i * TILE, size_t(width) * sizeof(T));
}

template <class T> void read_gradient(const Classes<T> &classes, const Layer<T> &layer, int64_t tile, int64_t width, T *dW) {
    const LayerArrays<T> &own = classes.own;
    if (own.db) __builtin_memcpy(dW + layer.d * TILE, own.db + tile * TILE, size_t(width) * sizeof(T));
    if (!own.dW) return;
    if (own.transposed) return copy_turned<T>(own.dW + tile * TILE * layer.d, layer.d, width, layer.d, dW, TILE, width);
    for (int64_t i = 0; i < layer.d; ++i)
        __builtin_memcpy(dW + i * TILE, own.dW + i * classes.k + tile * TILE, size_t(width) * sizeof(T));
}

// dA of unit i of a span, in vector v: the groups' sums and what the label adds.
template <class T> INLINE Vec<T> sum_of_groups(const Span<T> &span, int64_t i, int v) {
    const Classes<T> &classes = span.batch.classes;
    const int64_t d = span.batch.layers[span.batch.shape.depth - 1].d, units = up(d, MR<T>), at = i * SPAN<T> + v * LANES<T>;
    Wide<T> sum = {};
    for (int64_t group = 0; group < classes.groups; ++group)
        sum += Wide<T>::of(load(classes.dA + (group * classes.spans + span.number) * units * SPAN<T> + at));
    if (classes.dA_of_label && !classes.soft) {
        const T *of_label = classes.dA_of_label + (span.start + v * LANES<T>) * d + i;
        Vec<T> more;
        for (int s = 0; s < LANES<T>; ++s) more[s] = of_label[s * d];
        sum += Wide<T>::of(more);
    }
    return sum.narrow();
}

// dA of a span.
template <class T> void write_dA(const Span<T> &span) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const Classes<T> &classes = batch.classes;
    const int64_t d = batch.d;
    for (int64_t i = 0; i < d; i += L)
        for (int v = 0; v < span.vectors; ++v) {
            Vec<T> block[L];
            for (int r = 0; r < L; ++r) block[r] = i + r < d ? sum_of_groups<T>(span, i + r, v) : Vec<T>{};
            transpose<T>(block);
            for (int s = 0; s < L && v * L + s < span.rows; ++s)
                store_some(classes.own.dA + batch.row(span.start + v * L + s) * d + i, block[s], d - i);
        }
}
