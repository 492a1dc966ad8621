// The weights of a batch, a block at a time: their gradient, and where it moves them while it is in the registers.

template <class T> INLINE void into_sum(Vec<T> g, double *sum, bool first) {
    const Wide<T> wide = Wide<T>::of(g);
    for (int q = 0; q < Wide<T>::PARTS; ++q, sum += LANES<double>) store(sum, first ? wide.part[q] : load(sum) + wide.part[q]);
}

// Use the gradient of a vector of weights, `offset` numbers into the layer: add it to the sum, or move the weights.
template <class T, int MODE>
INLINE void use(const Batch<T> &batch, const Layer<T> &layer, int64_t offset, Vec<T> g, bool bias, Vec<T> &square) {
    if (MODE == INTO_SUM)
        into_sum<T>(layer.frozen[bias] ? Vec<T>{} : g, layer.sum + offset, batch.first_part);
    else if (!layer.frozen[bias])
        move<T, MODE>(g, layer.W + offset, layer.first + offset, layer.second + offset, batch.move,
                      layer.rate_factor[bias], bias, square);
}

// Tiles i0 .. i1 of N panels from panel p on.
template <class T, int MODE, int N>
void tiles(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1, Wide<T> &squares) {
    constexpr int L = LANES<T>;
    by_tiles<T>(i0, i1, [&](auto height, int64_t i) {
        constexpr int M = height.value;
        const int64_t at = p * layer.stride + i * L, some = layer.d1 - i < M ? layer.d1 - i : M;
        Vec<T> sum[M][N], square = {};
        if (layer.frozen[0] && (layer.frozen[1] || i + M <= layer.d)) {  // none of them moves
            for (int64_t r = 0; r < some && MODE == INTO_SUM; ++r)
                for (int v = 0; v < N; ++v) into_sum<T>(Vec<T>{}, layer.sum + at + r * L + v * layer.stride, true);
            return;
        }
        if (MODE != INTO_SUM)  // they arrive while the sum is formed
            for (int v = 0; v < N; ++v)
                for (int64_t n = 0; n < M * L; n += 64 / int64_t(sizeof(T))) {
                    __builtin_prefetch(layer.W + at + v * layer.stride + n, 1);
                    __builtin_prefetch(layer.first + at + v * layer.stride + n, 1);
                    if (MODE == ADAM) __builtin_prefetch(layer.second + at + v * layer.stride + n, 1);
                }
        gradient_tile<T, M, N>(layer.A + i * SPAN<T>, layer.padded * SPAN<T>, layer.dZ + p * batch.dZ_stride, batch.dZ_stride,
                               batch.m, sum);
#pragma GCC unroll 8
        for (int r = 0; r < M; ++r) {  // whole, or the sums go through memory
            if (r >= some) break;
            for (int v = 0; v < N; ++v)
                use<T, MODE>(batch, layer, at + r * L + v * layer.stride, sum[r][v], i + r == layer.d, square);
        }
        squares += Wide<T>::of(square);
    });
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
    const T *dZ = layer.dZ + p * batch.dZ_stride;
    __builtin_memset(panel, 0, size_t(layer.padded * L) * sizeof(T));
    for (int64_t s = 0; s < batch.m; ++s, dZ += L) {
        const Parts<T> parts(batch, s);
        const Vec<T> dz = load(dZ);
        T *bias = panel + layer.d * L;
        store(bias, load(bias) + dz);
        for (int part = 0; part < parts.count && !layer.frozen[0]; ++part) {
            const int64_t start = entries.start(parts.row[part]), end = entries.start(parts.row[part] + 1);
            for (int64_t e = start; e < end; ++e) {
                T *g = panel + entries.column(e) * L;
                store(g, fma(all(parts.factor[part] * entries.value(e)), dz, load(g)));
            }
        }
    }
    for (int64_t i = 0; i < layer.d1; ++i) {
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
        if (layer.frozen[bias]) continue;
        Wide<T> g;
        for (int q = 0; q < Wide<T>::PARTS; ++q) g.part[q] = load(layer.sum + offset + q * LANES<double>) * batch.shorten;
        Vec<T> square = {};
        move<T, MODE>(g.narrow(), layer.W + offset, layer.first + offset, layer.second + offset, batch.move,
                      layer.rate_factor[bias], bias, square);
        squares += Wide<T>::of(square);
    }
}

// Add the penalty's gradient to the sum, and return the squared length of what this block holds.
template <class T> double penalised(const Batch<T> &batch, const Layer<T> &layer, int64_t p, int64_t i0, int64_t i1) {
    constexpr int L = LANES<T>, D = LANES<double>;
    const double penalty = batch.regularization.alpha / batch.divisor;
    Vec<double> length = {};
    for (int64_t i = i0; i < i1; ++i)
        for (int q = 0; q < Wide<T>::PARTS; ++q) {
            const int64_t offset = p * layer.stride + i * L;
            Vec<double> g = load(layer.sum + offset + q * D);
            if (i < layer.d && !layer.frozen[0]) g += penalty * Wide<T>::of(load(layer.W + offset)).part[q];
            store(layer.sum + offset + q * D, g);
            length += g * g;
        }
    return sum_of<double>(Wide<double>::of(length));
}

// What an item of the weights' phase does.
enum WeightsTask { GRADIENT, PENALTY, SUMMED };

template <class T, int MODE> void weights_item_by(Batch<T> &batch, int worker, int64_t item) {
    const Layer<T> *layer = batch.layers;
    while (item >= layer->first_item + layer->items_down * layer->items_across) ++layer;
    const int64_t within = item - layer->first_item;
    const int64_t p = within / layer->items_down * layer->across;
    const int64_t panels = layer->panels - p < layer->across ? layer->panels - p : layer->across;
    const int64_t i0 = within % layer->items_down * layer->down;
    const int64_t i1 = i0 + layer->down < layer->d1 ? i0 + layer->down : layer->d1;
    Wide<T> squares = {};
    if (batch.weights_task == GRADIENT && batch.sparse && layer == batch.layers)
        sparse_panel<T, MODE>(batch, *layer, p, batch.scratch[worker].gradient_panel, squares);
    else if (batch.weights_task == GRADIENT)
        tiles_of<T, MODE>(batch, *layer, p, i0, i1, panels, squares);
    else if (batch.weights_task == SUMMED)
        for (int64_t q = 0; q < panels; ++q) summed<T, MODE>(batch, *layer, p + q, i0, i1, squares);
    else
        for (int64_t q = 0; q < panels; ++q)
            batch.lengths[item] = (q ? batch.lengths[item] : 0) + penalised<T>(batch, *layer, p + q, i0, i1);
    if (MODE != INTO_SUM && batch.move.squares) batch.squares[item] = sum_of<T>(squares);
}

template <class T> void weights_item(Batch<T> &batch, int worker, int64_t item) {
    if (item >= batch.layers_items) {
        if (batch.weights_task == GRADIENT && batch.lowest < 0) embedding_item<T>(batch, item - batch.layers_items);
        return;
    }
    if (item < batch.scaled_items && batch.mode != INTO_SUM) {  // moved afterwards, by scaled.hpp
        if (batch.weights_task == GRADIENT) weights_item_by<T, INTO_SUM>(batch, worker, item);
        return;
    }
    switch (batch.weights_task == PENALTY ? INTO_SUM : batch.mode) {
    case PLAIN_SGD: return weights_item_by<T, PLAIN_SGD>(batch, worker, item);
    case NESTEROV: return weights_item_by<T, NESTEROV>(batch, worker, item);
    case ADAM: return weights_item_by<T, ADAM>(batch, worker, item);
    default: return weights_item_by<T, INTO_SUM>(batch, worker, item);
    }
}
