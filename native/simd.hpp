// One vector of numbers, in the width of the instruction set that this translation unit is compiled for.
//
// Included by the isa_*.cpp alone, inside their anonymous namespace: nothing here may be seen, and merged by the
// linker, between two instruction sets. So no standard library either, only builtins.
//
// Arithmetic is written with the vector extensions of GCC and Clang. What they have no operator for (fused
// multiply-add, square root) stands here, once for each set. Contraction is off, so a product and a sum are fused
// where `fma` is written and nowhere else: the same bits whichever loop a formula stands in.

#define INLINE inline __attribute__((always_inline))

#if defined(__AVX512F__)
constexpr int BYTES = 64, REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int BYTES = 16, REGISTERS = 32;
#else
constexpr int BYTES = 16, REGISTERS = 16;
#endif

template <class T> struct Simd;

template <> struct Simd<float> {
    typedef float V __attribute__((vector_size(BYTES)));
    typedef float Loose __attribute__((vector_size(BYTES), aligned(4), may_alias));
    typedef int32_t I __attribute__((vector_size(BYTES)));
    typedef int32_t Int;
    typedef uint32_t B __attribute__((vector_size(BYTES)));
    typedef uint32_t Bits;
};

template <> struct Simd<double> {
    typedef double V __attribute__((vector_size(BYTES)));
    typedef double Loose __attribute__((vector_size(BYTES), aligned(8), may_alias));
    typedef int64_t I __attribute__((vector_size(BYTES)));
    typedef int64_t Int;
    typedef uint64_t B __attribute__((vector_size(BYTES)));
    typedef uint64_t Bits;
};

template <class T> using Vec = typename Simd<T>::V;
template <class T> using IntVec = typename Simd<T>::I;

// How many numbers a vector holds, and the shape of the register tile: MR broadcast numbers times NV vectors.
template <class T> constexpr int LANES = BYTES / int(sizeof(T));
template <class T> constexpr int MR = LANES<T> < 4 ? LANES<T> : (REGISTERS == 32 && LANES<T> >= 8) ? 8 : 4;
template <class T> constexpr int NV = REGISTERS == 32 ? (MR<T> == 8 ? 2 : 4) : (BYTES == 32 ? 3 : 2);
// Rows of the data that go through the network together.
template <class T> constexpr int SPAN = NV<T> * LANES<T>;

template <class T> INLINE Vec<T> load(const T *p) { return *reinterpret_cast<const typename Simd<T>::Loose *>(p); }
template <class T> INLINE void store(T *p, Vec<T> v) { *reinterpret_cast<typename Simd<T>::Loose *>(p) = v; }
template <class T> INLINE Vec<T> all(T x) { return x - Vec<T>{}; }  // 0 - 0 = 0: a broadcast, and -0 stays -0

#if defined(__AVX512F__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
INLINE Vec<float> root(Vec<float> a) { return (Vec<float>)_mm512_sqrt_ps((__m512)a); }
INLINE Vec<double> root(Vec<double> a) { return (Vec<double>)_mm512_sqrt_pd((__m512d)a); }
#elif defined(__AVX2__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
INLINE Vec<float> root(Vec<float> a) { return (Vec<float>)_mm256_sqrt_ps((__m256)a); }
INLINE Vec<double> root(Vec<double> a) { return (Vec<double>)_mm256_sqrt_pd((__m256d)a); }
#elif defined(__aarch64__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
INLINE Vec<float> root(Vec<float> a) { return (Vec<float>)vsqrtq_f32((float32x4_t)a); }
INLINE Vec<double> root(Vec<double> a) { return (Vec<double>)vsqrtq_f64((float64x2_t)a); }
#else
template <class V> INLINE V fma(V a, V b, V c) { return a * b + c; }
#if defined(__SSE2__)
INLINE Vec<float> root(Vec<float> a) { return (Vec<float>)_mm_sqrt_ps((__m128)a); }
INLINE Vec<double> root(Vec<double> a) { return (Vec<double>)_mm_sqrt_pd((__m128d)a); }
#else
template <class V> INLINE V root(V a) {
    for (unsigned i = 0; i < sizeof(a) / sizeof(a[0]); ++i) a[i] = __builtin_sqrt(a[i]);
    return a;
}
#endif
#endif

// a / b for b neither tiny nor huge, perhaps a few ulps off, where that is cheaper: 1 / b from a table of 14 bits and a step of
// Newton's method.
INLINE Vec<float> quotient(Vec<float> a, Vec<float> b) {
#if defined(__AVX512F__)
    const Vec<float> r = (Vec<float>)_mm512_rcp14_ps((__m512)b);
    return a * fma(fma(-b, r, all(1.0f)), r, r);
#else
    return a / b;
#endif
}

template <class V> INLINE V larger(V a, V b) { return b > a ? b : a; }  // a NaN in `a` stays, one in `b` is ignored
template <class V> INLINE V absolute(V a) { return a < 0 ? -a : a; }

// The two float64 halves of a vector of float32, or the one vector of float64: sums are formed in these.
template <class T> struct Wide;

template <> struct Wide<double> {
    static constexpr int PARTS = 1;
    Vec<double> part[1];
    INLINE static Wide of(Vec<double> v) { return {{v}}; }
    INLINE Vec<double> narrow() const { return part[0]; }
};

template <> struct Wide<float> {
    static constexpr int PARTS = 2;
    Vec<double> part[2];
    typedef float Half __attribute__((vector_size(BYTES / 2)));
    INLINE static Wide of(Vec<float> v) {
        Half half[2];
        __builtin_memcpy(half, &v, sizeof v);
        return {{__builtin_convertvector(half[0], Vec<double>), __builtin_convertvector(half[1], Vec<double>)}};
    }
    INLINE Vec<float> narrow() const {
        Half half[2] = {__builtin_convertvector(part[0], Half), __builtin_convertvector(part[1], Half)};
        Vec<float> v;
        __builtin_memcpy(&v, half, sizeof v);
        return v;
    }
};

template <class T> INLINE void operator+=(Wide<T> &sum, const Wide<T> &more) {
    for (int i = 0; i < Wide<T>::PARTS; ++i) sum.part[i] += more.part[i];
}

// The numbers of a vector, added from the first to the last.
template <class T> INLINE double sum_of(const Wide<T> &wide) {
    double sum = 0;
    for (int i = 0; i < Wide<T>::PARTS; ++i)
        for (int lane = 0; lane < LANES<double>; ++lane) sum += wide.part[i][lane];
    return sum;
}

// Turn a block of LANES x LANES numbers about its diagonal, in registers: at each distance, the entries that stand on
// the wrong side of it change places.
#if defined(__clang__)
template <class T> INLINE void transpose(Vec<T> *row) {
    for (int i = 0; i < LANES<T>; ++i)
        for (int j = 0; j < i; ++j) {
            const T kept = row[i][j];
            row[i][j] = row[j][i];
            row[j][i] = kept;
        }
}
#else
template <class T, int DISTANCE> INLINE void swap_over(Vec<T> *row) {
    constexpr int L = LANES<T>;
    IntVec<T> upper, lower;
    for (int lane = 0; lane < L; ++lane) {
        upper[lane] = lane & DISTANCE ? L + lane - DISTANCE : lane;
        lower[lane] = lane & DISTANCE ? L + lane : lane + DISTANCE;
    }
    for (int i = 0; i < L; ++i)
        if (!(i & DISTANCE)) {
            const Vec<T> a = row[i], b = row[i + DISTANCE];
            row[i] = __builtin_shuffle(a, b, upper);
            row[i + DISTANCE] = __builtin_shuffle(a, b, lower);
        }
}
template <class T> INLINE void transpose(Vec<T> *row) {
    if constexpr (LANES<T> > 8) swap_over<T, 8>(row);
    if constexpr (LANES<T> > 4) swap_over<T, 4>(row);
    if constexpr (LANES<T> > 2) swap_over<T, 2>(row);
    swap_over<T, 1>(row);
}
#endif

// The first `some` numbers, and 0 for the others; nothing is read behind them.
template <class T> INLINE Vec<T> load_some(const T *p, int64_t some) {
    if (some >= LANES<T>) return load(p);
    if (some <= 0) return Vec<T>{};
#if defined(__AVX512F__)
    const unsigned mask = (1u << some) - 1;
    if constexpr (sizeof(T) == 4)
        return (Vec<T>)_mm512_maskz_loadu_ps(__mmask16(mask), p);
    else
        return (Vec<T>)_mm512_maskz_loadu_pd(__mmask8(mask), p);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
        return (Vec<T>)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(int(some)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)));
    else
        return (Vec<T>)_mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(some), _mm256_setr_epi64x(0, 1, 2, 3)));
#else
    Vec<T> v = {};
    for (int64_t i = 0; i < some; ++i) v[i] = p[i];
    return v;
#endif
}
