// The three matrix products of backpropagation, on operands that lie as the registers want them.
//
// A tile is MR x N vectors of the result, held in registers: for each step of the sum, N loads and MR broadcasts. What
// is left over at the end takes a tile of half the height where that is enough. All three products keep the weights
// where they are; nothing is packed again within an epoch:
//
//     W     [panel of LANES columns][row][LANES]       rows 0 .. d-1, then the bias; what is over is 0
//     A, Z  [unit][SPAN]                               transposed: a row of the data is a lane
//     dZ    [panel of LANES units][row of the data][LANES]   once more, for the weights' gradient
//
// Each entry of a result is a chain of fused multiply-adds in the order of its sum, whatever the tile it stands in: no bit
// depends on how rows and units are cut. Up and down, a long sum is one of chains of CHAIN, which keeps more digits.

constexpr int64_t CHAIN = 128;

template <class T> constexpr int64_t panels_of(int64_t columns) { return (columns + LANES<T> - 1) / LANES<T>; }
constexpr int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

template <int M> struct Height {  // of a tile, for the compiler
    static constexpr int value = M;
};

// Cut the rows from .. to into tiles of MR, the last of half as many where that is enough.
template <class T, class What> INLINE void by_tiles(int64_t from, int64_t to, What what) {
    for (; to - from > MR<T> / 2; from += MR<T>) what(Height<MR<T>>(), from);
    if (from < to) what(Height<MR<T> / 2>(), from);
}

// Zeros in registers, where `= {}` would fill memory first.
template <class T, int M, int N> INLINE void clear(Vec<T> (&sum)[M][N]) {
    for (int i = 0; i < M; ++i)
        for (int v = 0; v < N; ++v) sum[i][v] = Vec<T>{};
}

// Z = A W + b for M units: W points at the first of them, A and Z at the first of N vectors of rows. W is what another
// thread may just have moved: the panel that will be needed next, `ahead` numbers on, is asked for on the way.
template <class T, int M, int N> void affine_tile(const T *W, int64_t ahead, int64_t rows, const T *A, T *Z) {
    for (bool first = true; rows > 0; first = false) {
        const int64_t some = rows > CHAIN + 1 ? CHAIN : rows;  // the bias has no chain of its own
        Vec<T> sum[M][N];
        clear<T>(sum);
        for (int64_t k = 0; k < some; ++k, W += LANES<T>, A += SPAN<T>) {
            __builtin_prefetch(W + ahead, 0, 2);
            Vec<T> a[N];
            for (int v = 0; v < N; ++v) a[v] = load(A + v * LANES<T>);
            for (int i = 0; i < M; ++i) {
                const Vec<T> w = all(W[i]);
                for (int v = 0; v < N; ++v) sum[i][v] = fma(w, a[v], sum[i][v]);
            }
        }
        rows -= some;
        for (int i = 0; i < M; ++i)
            for (int v = 0; v < N; ++v) {
                T *z = Z + i * SPAN<T> + v * LANES<T>;
                store(z, first ? sum[i][v] : load(z) + sum[i][v]);
            }
    }
}

// dA_{l-1} = dZ_l W_l^T for M units below, and what `use` makes of it and of what D holds becomes D.
template <class T, int M, int N, class Use>
void down_tile(const T *W, int64_t stride, int64_t columns, const T *dZ, T *D, Use use) {
    Vec<T> total[M][N];
    for (bool first = true; columns > 0; first = false) {
        Vec<T> sum[M][N];
        clear<T>(sum);
        for (const int64_t end = columns > CHAIN ? columns - CHAIN : 0; columns > end; columns -= LANES<T>, W += stride) {
            const int64_t some = columns < LANES<T> ? columns : LANES<T>;
            for (int64_t c = 0; c < some; ++c, dZ += SPAN<T>) {
                Vec<T> a[N];
                for (int v = 0; v < N; ++v) a[v] = load(dZ + v * LANES<T>);
                for (int i = 0; i < M; ++i) {
                    const Vec<T> w = all(W[i * LANES<T> + c]);
                    for (int v = 0; v < N; ++v) sum[i][v] = fma(w, a[v], sum[i][v]);
                }
            }
        }
        for (int i = 0; i < M; ++i)
            for (int v = 0; v < N; ++v) total[i][v] = first ? sum[i][v] : total[i][v] + sum[i][v];
    }
    for (int i = 0; i < M; ++i)
        for (int v = 0; v < N; ++v) {
            T *d = D + i * SPAN<T> + v * LANES<T>;
            store(d, use(load(d), total[i][v]));
        }
}

// dW = A^T dZ for M rows of N panels; m rows of the data, A's spans `between` numbers apart. The next tile's A, which may
// come from another thread too, is asked for on the way.
template <class T, int M, int N>
INLINE void gradient_tile(const T *A, int64_t between, const T *dZ, int64_t panel, int64_t m, Vec<T> (&dW)[M][N]) {
    Vec<T> sum[M][N];
    clear<T>(sum);
    for (; m > 0; m -= SPAN<T>, A += between) {
        const int64_t some = m < SPAN<T> ? m : SPAN<T>;
        for (int64_t s = 0; s < some; ++s, dZ += LANES<T>) {
            Vec<T> d[N];
            __builtin_prefetch(A + M * SPAN<T> + s * M);
            for (int v = 0; v < N; ++v) d[v] = load(dZ + v * panel);
            for (int i = 0; i < M; ++i) {
                const Vec<T> a = all(A[i * SPAN<T> + s]);
                for (int v = 0; v < N; ++v) sum[i][v] = fma(a, d[v], sum[i][v]);
            }
        }
    }
    for (int i = 0; i < M; ++i)
        for (int v = 0; v < N; ++v) dW[i][v] = sum[i][v];
}

// For the vectors of a span that hold rows: groups of NV, then what is left.
template <class T, int M, int N = NV<T>> void affine(const T *W, int64_t ahead, int64_t rows, const T *A, T *Z, int vectors) {
    for (; vectors >= N; vectors -= N, A += N * LANES<T>, Z += N * LANES<T>) affine_tile<T, M, N>(W, ahead, rows, A, Z);
    if constexpr (N > 1)
        if (vectors) affine<T, M, N - 1>(W, ahead, rows, A, Z, vectors);
}

template <class T, int M, class Use, int N = NV<T>>
void down(const T *W, int64_t stride, int64_t columns, const T *dZ, T *D, int vectors, Use use) {
    for (; vectors >= N; vectors -= N, dZ += N * LANES<T>, D += N * LANES<T>)
        down_tile<T, M, N>(W, stride, columns, dZ, D, use);
    if constexpr (N > 1)
        if (vectors) down<T, M, Use, N - 1>(W, stride, columns, dZ, D, vectors, use);
}

// dZ of the layer below from its dA, where f' is known. Where f' is 0 for good (relu) no inf may become NaN.
template <class T> INLINE Vec<T> times_slope(Vec<T> slope, Vec<T> dA, bool rectified) {
    const Vec<T> product = dA * slope;
    return rectified ? (slope == 0 ? Vec<T>{} : product) : product;
}
