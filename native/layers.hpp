// The network's layers in the memory of a call: the packed weights, and what a batch keeps for the way back.

template <class T> struct Layer {
    int64_t d, h;     // inputs and outputs
    int64_t d1;       // d + 1: the rows of W, then the bias
    int64_t padded;   // d1, rounded up to whole tiles
    int64_t panels;   // of the columns
    int64_t stride;   // numbers from one panel to the next
    int32_t activation;
    double dropped;   // the share of the layer's units that a row loses
    T rate_factor[2];  // of the weights, and of the biases
    bool frozen[2];    // likewise: they never move, and their gradient is 0
    T *W, *first, *second;  // packed alike
    double *sum;      // packed alike: the gradient, where it comes in parts
    T *A;             // the layer's input, [span][padded][SPAN]; row d is 1, then 0
    T *dZ;            // [panel][SAMPLES][LANES]
    // Items of the weights' phase: how many, and how many rows and panels each has.
    int64_t first_item, items_down, items_across, down, across;
};

constexpr int64_t SAMPLES = 512;  // rows of a batch that go through together; a larger batch comes in parts
constexpr int64_t TILES = 32;     // of one item of the weights' phase

template <class T> constexpr int64_t SPANS = (SAMPLES + SPAN<T> - 1) / SPAN<T>;

// Returns the number of items of the weights' phase; a last layer that goes by tiles of classes has none.
template <class T> int64_t describe(const Shape &shape, const double *dropout, bool sparse, bool by_classes, Layer<T> *layers) {
    int64_t item = 0;
    for (int64_t l = 0; l < shape.depth; ++l) {
        Layer<T> &layer = layers[l];
        layer.d = shape.sizes[l];
        layer.h = shape.sizes[l + 1];
        layer.d1 = layer.d + 1;
        layer.padded = up(layer.d1, MR<T>);
        layer.panels = panels_of<T>(layer.h);
        layer.stride = layer.padded * LANES<T>;
        if (layer.stride * int64_t(sizeof(T)) % 2048 == 0) layer.stride += LANES<T>;  // or panels share cache sets
        layer.activation = l + 1 < shape.depth ? shape.activations[l] : -1;
        layer.dropped = dropout && l + 1 < shape.depth ? dropout[l] : 0;
        for (int which = 0; which < 2; ++which) layer.frozen[which] = shape.frozen && shape.frozen[2 * l + which];
        layer.first_item = item;
        const bool whole = sparse && l == 0;  // a panel of a sparse layer stays in one piece
        layer.down = whole ? layer.padded : TILES * MR<T>;
        layer.across = whole ? 1 : NV<T>;
        layer.items_down = (layer.d1 + layer.down - 1) / layer.down;
        layer.items_across = (layer.panels + layer.across - 1) / layer.across;
        if (by_classes && l + 1 == shape.depth) layer.items_down = layer.items_across = 0;
        item += layer.items_down * layer.items_across;
    }
    return item;
}

template <class T> int64_t packed(const Layer<T> &layer) { return layer.panels * layer.stride; }

// Copy W (d, h) and b (h,), which follow one another in theta, into panels, row by row; what is over is 0.
template <class T> void pack(const Layer<T> &layer, const T *W, T *to) {
    constexpr int L = LANES<T>;
    for (int64_t i = 0; i < layer.padded; ++i, to += L)
        for (int64_t p = 0; p < layer.panels; ++p) {
            const int64_t some = i < layer.d1 ? layer.h - p * L : 0;
            store(to + p * layer.stride, load_some(W + i * layer.h + p * L, some));
        }
}

// Copy panels back to W and b; `U` is T, or float64 for a gradient.
template <class T, class U> void unpack(const Layer<T> &layer, const U *from, U *W) {
    constexpr int L = LANES<T>;
    for (int64_t i = 0; i < layer.d1; ++i, from += L)
        for (int64_t p = 0; p < layer.panels; ++p, W += L) {
            const U *panel = from + p * layer.stride;
            const int64_t some = layer.h - p * L;
            if (some >= L) {
                for (int c = 0; c < L; c += LANES<U>) store(W + c, load(panel + c));
                continue;
            }
            for (int64_t c = 0; c < some; ++c) W[c] = panel[c];
            W += some - L;
        }
}

// The lowest layer that the gradient has to reach: -1 for the embedding, depth where nothing moves.
inline int64_t lowest_moving(const Shape &shape) {
    const auto moves = [&](int64_t which) { return !shape.frozen || !shape.frozen[which]; };
    const Embedding *embedding = shape.embedding;
    const int64_t learned = embedding ? (embedding->n_periodic ? 4 : 0) + embedding->n_blocks : 0;
    for (int64_t i = 0; i < learned; ++i)
        if (moves(2 * shape.depth + i)) return -1;
    int64_t l = 0;
    while (l < shape.depth && !moves(2 * l) && !moves(2 * l + 1)) ++l;
    return l;
}

// The sum of the squares of the weights, biases and frozen ones left out.
template <class T> double squares_of(const Layer<T> &layer) {
    double sum = 0;
    for (int64_t p = 0; p < layer.panels && !layer.frozen[0]; ++p) {
        Wide<T> part = {};
        for (int64_t i = 0; i < layer.d; ++i) {
            const Wide<T> w = Wide<T>::of(load(layer.W + p * layer.stride + i * LANES<T>));
            for (int q = 0; q < Wide<T>::PARTS; ++q) part.part[q] += w.part[q] * w.part[q];
        }
        sum += sum_of<T>(part);
    }
    return sum;
}
