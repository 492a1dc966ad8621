// The step of a first layer whose inputs have a learned scale: W1 = s V1, row by row; V1 and s are what moves.
//
//     dV1 = s dW1        ds = sum over the units of V1 dW1
//
// One thread does it, after the gradient of the layer has been summed up: the layer is a small part of the work.

template <class T> struct Scaled {  // padded to whole vectors, but for V
    T *V, *s, *first, *second, *ds;  // V is packed as W; `first` and `second` are the state of s
    T rate_factor;
    int64_t items;  // of the first layer, in the weights' phase
};

// dW1 of a vector of weights: from the sum, shortened, with the penalty's part.
template <class T> INLINE Vec<T> summed_gradient(const Batch<T> &batch, const Layer<T> &layer, int64_t offset, bool bias) {
    Wide<T> g;
    for (int q = 0; q < Wide<T>::PARTS; ++q) g.part[q] = load(layer.sum + offset + q * LANES<double>) * batch.shorten;
    return bias ? g.narrow() : fma(all(batch.move.penalty), load(layer.W + offset), g.narrow());
}

template <class T, int MODE> void move_scaled(const Batch<T> &batch, const Layer<T> &layer, const Scaled<T> &scaled) {
    constexpr int L = LANES<T>;
    Step<T> step = batch.move;
    step.penalty = 0;  // it is in the gradient
    Vec<T> unused = {};
    for (int64_t i = 0; i < layer.d; ++i) {
        Wide<T> along = {};
        for (int64_t p = 0; p < layer.panels; ++p) {
            const int64_t at = p * layer.stride + i * L;
            const Vec<T> dW = summed_gradient<T>(batch, layer, at, false);
            const Wide<T> wide = Wide<T>::of(dW), V = Wide<T>::of(load(scaled.V + at));
            for (int q = 0; q < Wide<T>::PARTS; ++q) along.part[q] += wide.part[q] * V.part[q];
            move<T, MODE>(scaled.s[i] * dW, scaled.V + at, layer.first + at, layer.second + at, step, layer.rate_factor[0],
                          false, unused);
        }
        scaled.ds[i] = T(sum_of<T>(along));
    }
    for (int64_t i = 0; i < layer.d; i += L)
        move<T, MODE>(load(scaled.ds + i), scaled.s + i, scaled.first + i, scaled.second + i, step, scaled.rate_factor, true,
                      unused);
    for (int64_t p = 0; p < layer.panels; ++p) {
        const int64_t b = p * layer.stride + layer.d * L;
        if (!layer.frozen[1])
            move<T, MODE>(summed_gradient<T>(batch, layer, b, true), layer.W + b, layer.first + b, layer.second + b, step,
                          layer.rate_factor[1], true, unused);
        for (int64_t i = 0; i < layer.d; ++i) {
            const int64_t at = p * layer.stride + i * L;
            store(layer.W + at, scaled.s[i] * load(scaled.V + at));
        }
    }
    for (int64_t item = 0; item < scaled.items; ++item) batch.squares[layer.first_item + item] = 0;
    if (step.squares) batch.squares[layer.first_item] = squares_of<T>(layer);
}
