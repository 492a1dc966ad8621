// The last layer of a network with very many classes, a tile of classes at a time: softmax, cross-entropy and the step.
//
// A batch goes through in two sweeps over the classes. The first computes the logits of a tile, Z = A W + b, and knows of
// each row the largest one, the sum of the other exponentials and the true class's logit. The second has the tile's
// exponentials again, from memory or by the same product, makes dZ of them, adds to dA, and moves the tile's weights as
// soon as their gradient is whole: nothing has the size of the layer, and nothing that of batch times classes beyond the
// memory limit.
//
//     tile of W   [panel of LANES columns][row][LANES]     packed on the way, from the caller's (d + 1, k)
//     tile of Z   [class][SPAN]                            a row of the data is a lane; then the largest of the tile
//     tile of dW  [row][TILE]                              so that the caller's rows are moved in long runs
//
// The classes come in groups of tiles, which the shape fixes. A group is one item: it goes through its tiles in order, and
// what the groups have found of a row is joined in order. So no bit depends on the threads; and none on the memory limit,
// since exponentials are those of z less the largest logit of the tile, in memory or made again. Under a softcap the logits
// themselves stay in memory, for their slopes.
//
// A target is one class, or several: soft labels as dense or sparse rows, or what mixup makes of two. Each tile then looks up
// its own part of the target of each row.
//
// In float32 each sum of dW, db and dA stays within 1e-6 of the largest entry of its row. A label's slope is large beside the
// probabilities, and each of them that is added to it would round it: so the two are summed apart, and joined at the end.

constexpr int64_t TILE = 256;         // classes
constexpr int64_t MOST_GROUPS = 32, LEAST_GROUPS = 4;
constexpr int64_t OF_GROUPS = 1 << 23;  // bytes: about what the groups' sums of dA may take
constexpr int64_t MOST_ROWS = 4096;   // of a batch that always goes through as a whole
constexpr int64_t BLOCK_ROWS = 256;   // whose dZ lies ready for the gradient of a tile

// What a group knows of the rows of a span.
template <class T> struct Seen {
    T largest[SPAN<T>];        // logit
    double others[SPAN<T>];    // the sum of exp(z - largest), but for the first of the largest
    double total[SPAN<T>];     // the sum of the logits, if labels are smoothed
};

// What makes dZ of a span's rows: exp(z - largest) scale - spread, and `at_label` for the true class.
template <class T> struct Slopes {
    T largest[SPAN<T>], scale[SPAN<T>], spread[SPAN<T>];
    double at_label[SPAN<T>];
};

// Of targets of several classes: sum_c y_c, and sum_c y_c (largest - z_c), where `largest` is that of the classes seen. No term
// of it is negative, so that a tiny loss keeps its digits.
struct Missed {
    double largest, rowsum, below;

    void rise(double to) {
        if (!(to > largest)) return;
        below += rowsum > 0 ? rowsum * (to - largest) : 0;
        largest = to;
    }
    void add(double y, double z) {
        rise(z);
        below += z == largest ? 0 : y * (largest - z);
        rowsum += y;
    }
    void join(Missed other) {
        rise(other.largest);
        other.rise(largest);
        below += other.below;
        rowsum += other.rowsum;
    }
};

// What makes dZ of the classes that have a part of the target.
struct SoftSlope {
    double largest, inverse;     // 1 / sum of exp(z - largest)
    double not_largest;          // 1 - P of the largest
    double total, spread, keep;  // y' = keep y + spread, dZ = P (total - y') - y' (1 - P)
    double factor;
};

// The best classes of a row, the best first; class -1 where there is none yet.
template <class T> struct Best {
    T *z;
    int64_t *label;
    int64_t count;

    void clear() {
        for (int64_t i = 0; i < count; ++i) {
            z[i] = -T(__builtin_inf());
            label[i] = -1;
        }
    }
    void insert(T logit, int64_t of) {  // behind an equal one: of two equals the first class is the better
        if (!(logit > z[count - 1])) return;
        int64_t i = count - 1;
        for (; i > 0 && logit > z[i - 1]; --i) {
            z[i] = z[i - 1];
            label[i] = label[i - 1];
        }
        z[i] = logit;
        label[i] = of;
    }
};

template <class T> struct TileRoom {  // a worker's own; `slopes` is Z, or beside it where exponentials are still to be read
    T *W, *Z, *slopes, *dZ, *dW;
    double *db;      // (TILE,)
    double *column;  // (d,): dW of a class, from the rows whose label it is
    int64_t *first, *last, *next;  // (TILE,), (TILE,), (rows,): these rows, -1 where there are none
};

// What a layer that is a call of its own reads and writes (layer_arrays.hpp); what is not there is null.
template <class T> struct LayerArrays {
    bool active;    // or the layer is the last one of a network
    bool transposed;  // W and dW are (k, d)
    const T *W, *b;
    T *dA, *dW, *db;
    double *losses;
    bool any_gradient() const { return dA || dW || db; }
};

template <class T> struct Classes {
    bool active;
    LayerArrays<T> own;
    int64_t k, tiles, groups, spans;
    int64_t kept;            // tiles of each group whose exponentials stay in memory
    int64_t stride;          // numbers from one panel of a tile of W to the next
    int64_t panel;           // the same of dZ
    int64_t block;           // spans of a block of rows
    bool below;              // whether this sweep sums up dA
    bool soft;               // whether targets are more than a label
    T penalty, shorten;      // of the gradient, shortened to the clip norm
    T *W, *first, *second;   // the caller's, (d + 1, k)
    double *gradient;        // likewise
    T **hidden;              // [span][layer]: f'(Z), then dZ, of the layers below
    T *E;                    // [group][tile][span][TILE + 1][SPAN]
    T *dA;                   // [group][span][unit][SPAN]; null if nothing is below
    T *dA_of_label;          // [row][unit]: what the true class adds, if targets are labels
    Seen<T> *seen;           // [group][span]
    double *at_label;        // [span][SPAN]: the true class's logit
    Slopes<T> *slopes;       // [span]
    Missed *missed;          // [group][span][SPAN], if soft
    SoftSlope *soft_slopes;  // [span][SPAN]
    double *squares, *lengths;  // [group]: of the weights, of their gradient
    TileRoom<T> *room;       // [worker]
    Summary *summary;        // of a prediction
    T *best_z;               // [group][row][count]
    int64_t *best_label;

    int64_t first_tile(int64_t group) const { return group * tiles / groups; }
    int64_t width(int64_t tile) const { return k - tile * TILE < TILE ? k - tile * TILE : TILE; }
    T *exponentials(int64_t group, int64_t within, int64_t span) const {
        return within < kept ? E + ((group * kept + within) * spans + span) * (TILE + 1) * SPAN<T> : nullptr;
    }
    Best<T> best(int64_t group, int64_t row) const {
        const int64_t at = (group * spans * SPAN<T> + row) * summary->count;
        return {best_z + at, best_label + at, summary->count};
    }
};

// ---- one tile ----

// Copy columns of the caller's (d + 1, k) into panels; what is over is 0.
template <class T> void pack_tile(const T *W, int64_t d1, int64_t k, int64_t width, int64_t stride, T *to) {
    constexpr int L = LANES<T>;
    for (int64_t i = 0; i < d1; ++i, W += k, to += L) {
        for (int64_t c = 0; c < width; c += 64 / int64_t(sizeof(T))) __builtin_prefetch(W + 2 * k + c);
        for (int64_t p = 0; p * L < width; ++p) store(to + p * stride, load_some(W + p * L, width - p * L));
    }
}

// Z of a tile for a span: each entry is the chain of products that layer_up would form.
template <class T> void tile_up(const T *W, int64_t stride, int64_t d1, int64_t width, const T *A, T *Z, int vectors) {
    constexpr int L = LANES<T>;
    by_tiles<T>(0, width, [&](auto height, int64_t j) {
        affine<T, height.value>(W + j / L * stride + j % L, j % L ? 0 : stride, d1, A, Z + j * SPAN<T>, vectors);
    });
}

// Join what is known of a row from two sets of classes, lane by lane: of the two largest logits, the lower one is one of
// the others from now on.
template <class T> INLINE void join(Vec<T> &largest, Wide<T> &others, Vec<T> more_largest, const Wide<T> &more_others) {
    const Wide<T> a = Wide<T>::of(largest), b = Wide<T>::of(more_largest);
    for (int i = 0; i < Wide<T>::PARTS; ++i) {
        const auto rises = b.part[i] > a.part[i];
        const Vec<double> upper = rises ? b.part[i] : a.part[i], lower = rises ? a.part[i] : b.part[i];
        const Vec<double> apart = lower == upper ? Vec<double>{} : lower - upper;
        const Vec<double> weight = exp_of<double>(apart);
        const Vec<double> above = rises ? more_others.part[i] : others.part[i];
        const Vec<double> below = rises ? others.part[i] : more_others.part[i];
        others.part[i] = above + (1 + below) * weight;
    }
    largest = more_largest > largest ? more_largest : largest;
}

template <class T> INLINE Wide<T> load_wide(const double *from) {
    Wide<T> wide;
    for (int i = 0; i < Wide<T>::PARTS; ++i) wide.part[i] = load(from + i * LANES<double>);
    return wide;
}

template <class T> INLINE Vec<T> largest_of(const T *Z, int64_t width) {
    Vec<T> largest = load(Z);
    for (int64_t j = 1; j < width; ++j) largest = larger(largest, load(Z + j * SPAN<T>));
    return largest;
}

// Logits as softmax takes them, in place, and the largest ones behind them.
template <class T> void cap_tile(const Cap<T> &cap, T *Z, int64_t width, int vectors) {
    for (int v = 0; v < vectors; ++v, Z += LANES<T>) {
        Vec<T> largest = cap.of(load(Z));
        for (int64_t j = 0; j < width; ++j) {
            const Vec<T> u = cap.of(load(Z + j * SPAN<T>));
            store(Z + j * SPAN<T>, u);
            largest = larger(largest, u);
        }
        store(Z + TILE * SPAN<T>, largest);
    }
}

// Where all are -inf, the exponentials shall be 0.
template <class T> INLINE Vec<T> centre(Vec<T> largest) { return largest == -T(__builtin_inf()) ? Vec<T>{} : largest; }

// Add a tile's logits to what is known of the rows; returns the largest ones of the tile. Exponentials are added in
// float32 by eights, and from there on in float64. KEEP: they take the place of the logits. `known`: the largest ones stand
// behind the logits. CAPPED: a softcap has rounded the logits, and their differences need no more digits than that.
template <class T, bool TOTAL, bool KEEP, bool CAPPED> INLINE Vec<T> look_at(T *Z, int64_t width, int v, bool known, Seen<T> &seen) {
    constexpr int L = LANES<T>;
    Z += v * L;
    const Vec<T> largest = known ? load(Z + TILE * SPAN<T>) : largest_of<T>(Z, width), around = centre<T>(largest);
    if (KEEP) store(Z + TILE * SPAN<T>, largest);
    Wide<T> others = {}, total = {};
    IntVec<T> equal = {};  // minus how many are the largest
    for (int64_t j = 0; j < width;) {
        Vec<T> sum = {}, sum_of_z = {};
        for (const int64_t end = width - j < 8 ? width : j + 8; j < end; ++j) {
            Vec<T> shift;
            const Vec<T> z = load(Z + j * SPAN<T>);
            const Vec<T> e = CAPPED ? exp_below<T>(z - around) : exp_of_difference<T>(z, around, shift);
            const IntVec<T> is_largest = z == around;
            sum += is_largest ? Vec<T>{} : e;
            equal += is_largest;
            if (TOTAL) sum_of_z += z;
            if (KEEP) store(Z + j * SPAN<T>, e);
        }
        others += Wide<T>::of(sum);
        if (TOTAL) total += Wide<T>::of(sum_of_z);
    }
    const IntVec<T> more = equal < 0 ? -1 - equal : equal;  // none is where they are all -inf
    others += Wide<T>::of(__builtin_convertvector(more, Vec<T>));
    Vec<T> so_far = load(seen.largest + v * L);
    Wide<T> others_so_far = load_wide<T>(seen.others + v * L);
    join<T>(so_far, others_so_far, largest, others);
    store(seen.largest + v * L, so_far);
    put<T>(others_so_far, seen.others + v * L);
    if (TOTAL) {
        total += load_wide<T>(seen.total + v * L);
        put<T>(total, seen.total + v * L);
    }
    return largest;
}

template <class T> INLINE void start(Seen<T> &seen) {
    for (int s = 0; s < SPAN<T>; ++s) {
        seen.largest[s] = -T(__builtin_inf());
        seen.others[s] = seen.total[s] = 0;
    }
}

// The exponentials of a tile once more, in the place of its logits.
template <class T> void exponentials_again(T *Z, int64_t width, int vectors) {
    for (int v = 0; v < vectors; ++v, Z += LANES<T>) {
        const Vec<T> largest = largest_of<T>(Z, width), around = centre<T>(largest);
        store(Z + TILE * SPAN<T>, largest);
        for (int64_t j = 0; j < width; ++j) {
            Vec<T> shift;
            store(Z + j * SPAN<T>, exp_of_difference<T>(load(Z + j * SPAN<T>), around, shift));
        }
    }
}

// dZ of a tile from its exponentials.
template <class T, bool SPREAD> void slopes_of(const T *E, int64_t width, int vectors, const Slopes<T> &slopes, T *dZ) {
    for (int at = 0; at < vectors * LANES<T>; at += LANES<T>) {
        const Wide<T> of_tile = Wide<T>::of(load(E + TILE * SPAN<T> + at)), of_all = Wide<T>::of(load(slopes.largest + at));
        Wide<T> weight;
        for (int i = 0; i < Wide<T>::PARTS; ++i) weight.part[i] = exp_of<double>(of_tile.part[i] - of_all.part[i]);
        const Vec<T> scale = weight.narrow() * load(slopes.scale + at), spread = load(slopes.spread + at);
        for (int64_t j = at; j < width * SPAN<T>; j += SPAN<T>) {
            const Vec<T> e = load(E + j);
            store(dZ + j, SPREAD ? fma(e, scale, -spread) : e * scale);
        }
    }
}

// The same from the capped logits themselves.
template <class T, bool SPREAD>
void slopes_of_capped(const T *U, int64_t width, int vectors, const Slopes<T> &slopes, const Cap<T> &cap, T *dZ) {
    for (int at = 0; at < vectors * LANES<T>; at += LANES<T>) {
        const Vec<T> largest = load(slopes.largest + at), scale = load(slopes.scale + at), spread = load(slopes.spread + at);
        for (int64_t j = at; j < width * SPAN<T>; j += SPAN<T>) {
            const Vec<T> u = load(U + j), e = exp_below<T>(u - largest);
            store(dZ + j, (SPREAD ? fma(e, scale, -spread) : e * scale) * cap.slope(u));
        }
    }
}

// dA of a span: what the tile adds to the group's sum.
template <class T>
void tile_down(const T *W, int64_t stride, int64_t d, int64_t width, const T *dZ, T *dA, bool first, int vectors) {
    by_tiles<T>(0, d, [&](auto height, int64_t i) {
        down<T, height.value>(W + i * LANES<T>, stride, width, dZ, dA + i * SPAN<T>, vectors,
                              [first](Vec<T> before, Vec<T> sum) __attribute__((always_inline)) {
                                  return first ? sum : before + sum;
                              });
    });
}

// dW of a tile from a block of rows: written, or added to what the blocks before have left.
template <class T, int N>
void gradient_of_panels(const Layer<T> &layer, const T *A, const T *dZ, int64_t panel, int64_t m, bool first, T *dW) {
    constexpr int L = LANES<T>;
    constexpr int64_t ROWS = CHAIN / SPAN<T> * SPAN<T>;
    by_tiles<T>(0, layer.d, [&](auto height, int64_t i) {
        constexpr int M = height.value;
        for (int64_t row = 0; row < m; row += ROWS) {
            Vec<T> sum[M][N];
            gradient_tile<T, M, N>(A + i * SPAN<T> + row * layer.padded, layer.padded * SPAN<T>, dZ + row * L, panel,
                                   m - row < ROWS ? m - row : ROWS, sum);
            for (int64_t r = 0; r < M; ++r)
                for (int v = 0; v < N; ++v) {
                    T *to = dW + (i + r) * TILE + v * L;
                    store(to, first && row == 0 ? sum[r][v] : load(to) + sum[r][v]);
                }
        }
    });
}

template <class T, int N = NV<T>>
void gradient_of_tile(const Layer<T> &layer, const T *A, const T *dZ, int64_t panel, int64_t panels, int64_t m, bool first, T *dW) {
    for (; panels >= N; panels -= N, dZ += N * panel, dW += N * LANES<T>)
        gradient_of_panels<T, N>(layer, A, dZ, panel, m, first, dW);
    if constexpr (N > 1)
        if (panels) gradient_of_tile<T, N - 1>(layer, A, dZ, panel, panels, m, first, dW);
}

// db likewise: added by eights, and from there on in float64.
template <class T> void bias_of_tile(const T *dZ, int64_t panel, int64_t panels, int64_t m, double *db) {
    for (; panels > 0; --panels, dZ += panel, db += LANES<T>) {
        Wide<T> total = load_wide<T>(db);
        for (int64_t s = 0; s < m;) {
            Vec<T> sum = {};
            for (const int64_t end = m - s < 8 ? m : s + 8; s < end; ++s) sum += load(dZ + s * LANES<T>);
            total += Wide<T>::of(sum);
        }
        put<T>(total, db);
    }
}
