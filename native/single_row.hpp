// The prediction of a few rows, one at a time, with the weights as they lie in theta.

template <class T, int N>
void affine_of_columns(const T *W, const Layer<T> &layer, const T *a, T *Z, int64_t columns) {
    constexpr int L = LANES<T>;
    Vec<T> sum[N] = {};
    for (int64_t k = 0; k < layer.d;) {
        Vec<T> chain[N] = {};
        const bool first = k == 0;
        const int64_t end = layer.d - k > CHAIN ? k + CHAIN : layer.d;
        if (columns == N * L) {
            for (; k < end; ++k)
                for (int v = 0; v < N; ++v) chain[v] = fma(all(a[k]), load(W + k * layer.h + v * L), chain[v]);
        } else {
            for (; k < end; ++k)
                for (int v = 0; v < N; ++v)
                    chain[v] = fma(all(a[k]), load_some<T>(W + k * layer.h + v * L, columns - v * L), chain[v]);
        }
        if (k == layer.d)
            for (int v = 0; v < N; ++v) chain[v] += load_some<T>(W + layer.d * layer.h + v * L, columns - v * L);
        for (int v = 0; v < N; ++v) sum[v] = first ? chain[v] : sum[v] + chain[v];
    }
    for (int v = 0; v < N; ++v) store(Z + v * L, sum[v]);
}

// A row of its own, embedded as a span of one row.
template <class T> const T *embedded_row(Batch<T> &batch, int64_t row) {
    batch.begin = row;
    batch.m = 1;
    T *A = batch.layers[0].A;
    embed<T>(Span<T>(batch, 0, 0), A);
    for (int64_t i = 0; i < batch.layers[0].d; ++i) A[i] = A[i * SPAN<T>];
    return A;
}

// A row of its own: packing the weights would take longer than using them as they lie. Each entry is the same chain
// of operations as in a tile, so the bits are the same too.
template <class T> void single_row(Batch<T> &batch, const T *W, int64_t row) {
    constexpr int L = LANES<T>;
    const T *a = static_cast<const T *>(batch.rows.X) + row * batch.d;
    if (batch.shape.embedding) a = embedded_row<T>(batch, row);
    T *Z = nullptr;
    for (int64_t l = 0; l < batch.shape.depth; ++l) {
        const Layer<T> &layer = batch.layers[l];
        Z = batch.scratch[0].Z[l];  // here a row: [unit], padded to whole vectors
        for (int64_t j = 0; j < layer.h; j += 4 * L) {
            const int64_t some = layer.h - j < 4 * L ? layer.h - j : 4 * L;
            if (some == 4 * L)
                affine_of_columns<T, 4>(W + j, layer, a, Z + j, 4 * L);
            else if (some > 2 * L)
                affine_of_columns<T, 4>(W + j, layer, a, Z + j, some);
            else if (some > L)
                affine_of_columns<T, 2>(W + j, layer, a, Z + j, some);
            else
                affine_of_columns<T, 1>(W + j, layer, a, Z + j, some);
        }
        W += layer.d1 * layer.h;
        if (l + 1 < batch.shape.depth) {
            activate<T>(layer.activation, 1, int(layer.panels), false, Z, Z);
            a = Z;
        }
    }
    const int64_t k = batch.shape.sizes[batch.shape.depth];
    const Cap<T> cap(batch.shape);
    for (int64_t j = 0; cap.active && j < k; j += L) store(Z + j, cap.of(load(Z + j)));
    T *out = batch.out + row * k;
    if (batch.probabilities) {
        for (int64_t j = k - 1; j > 0; --j) Z[j * SPAN<T>] = Z[j];  // as a lane of a span: the largest distance first
        predict_in_place<T>(Z, k, 1, batch.shape.output);
        for (int64_t j = 0; j < k; ++j) out[j] = Z[j * SPAN<T>];
    } else {
        for (int64_t j = 0; j < k; ++j) out[j] = Z[j];
    }
}
