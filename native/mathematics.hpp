// Exponentials, logarithms and what is made of them, for a vector of float32 or float64, without a branch.
//
// exp: x = n ln 2 + r with |r| <= ln 2 / 2, exp(r) = 1 + r + r^2 P(r), times 2^n in two steps, so that what underflows
// does so gradually and what overflows is inf. ln 2 is split in two numbers, of which the first has so few digits that
// n times it is exact. In float32 P is the minimax polynomial of degree 4 (0.98 ulp), in float64 Taylor's (|r|^14/14!
// is 4e-18). Sources: Muller, "Elementary Functions" (2016), chapters 3 and 11; fdlibm's split of ln 2.
// NaN passes through each function; a comparison with NaN is false, and every clamp here keeps its argument then.

template <class T> struct Exp;

template <> struct Exp<float> {
    static constexpr float LOG2E = 0x1.715476p+0f, HIGH = 0.693359375f, LOW = -2.12194440e-4f, ROUND = 12582912.0f;
    static constexpr float LEAST = -104.0f, MOST = 89.0f, NORMAL = -86.0f;
    static constexpr int BIAS = 127, SHIFT = 23, TERMS = 5;
    static constexpr float P[TERMS] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.1239e4p-7f, 0x1.6a243p-10f};
};

template <> struct Exp<double> {
    static constexpr double LOG2E = 0x1.71547652b82fep+0, HIGH = 6.93147180369123816490e-01,
                            LOW = 1.90821492927058770002e-10, ROUND = 6755399441055744.0;
    static constexpr double LEAST = -746.0, MOST = 710.0, NORMAL = -707.0;
    static constexpr int64_t BIAS = 1023;
    static constexpr int SHIFT = 52, TERMS = 12;
    static constexpr double P[TERMS] = {1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,
                                        1.0 / 720,    1.0 / 5040,    1.0 / 40320,    1.0 / 362880,
                                        1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
};

// x 2^n, rounded once, for a whole n from -1076 to 1025 (float32: from -151 to 129).
template <class T> INLINE Vec<T> times_power(Vec<T> x, Vec<T> n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return (Vec<T>)_mm512_scalef_ps((__m512)x, (__m512)n);
    else
        return (Vec<T>)_mm512_scalef_pd((__m512d)x, (__m512d)n);
#else
    typedef Exp<T> C;
    const IntVec<T> whole = __builtin_convertvector(n == n ? n : Vec<T>{}, IntVec<T>);
    const IntVec<T> half = whole >> 1;
    const IntVec<T> bits[2] = {(half + C::BIAS) << C::SHIFT, (whole - half + C::BIAS) << C::SHIFT};
    Vec<T> scale[2];
    __builtin_memcpy(scale, bits, sizeof bits);
    return x * scale[0] * scale[1];
#endif
}

// The pieces of exp(x + more): exp is 2^n (1 + q).
template <class T> struct Power {
    Vec<T> q, n;
};

template <class T> INLINE Power<T> power(Vec<T> x, Vec<T> more) {
    typedef Exp<T> C;
    x = x < C::LEAST ? all(C::LEAST) : x;
    x = x > C::MOST ? all(C::MOST) : x;
    const Vec<T> n = (x * C::LOG2E + C::ROUND) - C::ROUND;
    Vec<T> r = (x - n * C::HIGH) - n * C::LOW + more;
    Vec<T> p = all(C::P[C::TERMS - 1]);
    for (int i = C::TERMS - 2; i >= 0; --i) p = fma(p, r, all(C::P[i]));
    return {fma(r * r, p, r), n};
}

template <class T> INLINE Vec<T> exp_of(Vec<T> x, Vec<T> more = Vec<T>{}) {
    const Power<T> e = power<T>(x, more);
    return times_power<T>(1 + e.q, e.n);
}

// exp(x) for x <= 0, cheaper: 0 where it is no normal number.
template <class T> INLINE Vec<T> exp_below(Vec<T> x) {
    typedef Exp<T> C;
    const Vec<T> n = fma(x, all(C::LOG2E), all(C::ROUND)) - C::ROUND;
    const Vec<T> r = fma(n, all(-C::LOW), fma(n, all(-C::HIGH), x));
    Vec<T> p = all(C::P[C::TERMS - 1]);
    for (int i = C::TERMS - 2; i >= 0; --i) p = fma(p, r, all(C::P[i]));
    const Vec<T> q = fma(fma(p, r, all(T(1))), r, all(T(1)));
#if defined(__AVX512F__)
    const Vec<T> e = times_power<T>(q, n);
#else
    IntVec<T> bits;
    __builtin_memcpy(&bits, &q, sizeof bits);
    bits += __builtin_convertvector(x >= C::NORMAL ? n : Vec<T>{}, IntVec<T>) << C::SHIFT;  // times 2^n
    Vec<T> e;
    __builtin_memcpy(&e, &bits, sizeof e);
#endif
    return x < C::NORMAL ? Vec<T>{} : e;
}

// exp(x) - 1 for x <= 0, with all its digits near 0; and exp(x).
template <class T> INLINE Vec<T> expm1_of(Vec<T> x, Vec<T> &exp_x) {
    const Power<T> e = power<T>(x, Vec<T>{});
    const Vec<T> scale = times_power<T>(all(T(1)), e.n);
    exp_x = times_power<T>(1 + e.q, e.n);
    return fma(scale, e.q, scale - 1);
}

// exp(a - b) with all its digits, though a - b be rounded: what was lost is handed on to the exponential.
// Source: Knuth's TwoSum, "The Art of Computer Programming", volume 2, 4.2.2.
template <class T> INLINE Vec<T> exp_of_difference(Vec<T> a, Vec<T> b, Vec<T> &difference) {
    const Vec<T> d = a - b;
    const Vec<T> around = d - a, lost = (a - (d - around)) - (b + around);
    difference = d;
    return exp_of<T>(d, d > Exp<T>::LEAST ? lost : Vec<T>{});  // of an infinite difference nothing is lost
}

// log(1 + x) for x >= 0: u = 1 + x = 2^e f, log f = 2 atanh((f - 1)/(f + 1)), and what u lost of x is put back.
template <class T> INLINE Vec<T> log1p_of(Vec<T> x) {
    typedef Exp<T> C;
    const Vec<T> u = 1 + x, lost = (x - (u - 1)) / u;
    typedef typename Simd<T>::Bits Bits;
    typename Simd<T>::B bits;
    __builtin_memcpy(&bits, &u, sizeof u);
    constexpr Bits ONE = Bits(C::BIAS) << C::SHIFT, ROOT_HALF = Bits(sizeof(T) == 4 ? 0x3f3504f3 : 0x3fe6a09e667f3bcd);
    const typename Simd<T>::B shifted = bits + (ONE - ROOT_HALF);  // of inf, whose turn comes last, to anything
    const IntVec<T> exponent = __builtin_convertvector(shifted >> C::SHIFT, IntVec<T>) - C::BIAS;
    bits = (shifted & ((Bits(1) << C::SHIFT) - 1)) + ROOT_HALF;
    Vec<T> f;
    __builtin_memcpy(&f, &bits, sizeof f);
    const Vec<T> s = (f - 1) / (f + 1), s2 = s * s;
    constexpr int TERMS = sizeof(T) == 4 ? 5 : 11;
    Vec<T> p = all(T(2) / (2 * TERMS + 1));
    for (int i = TERMS - 1; i >= 1; --i) p = fma(p, s2, all(T(2) / (2 * i + 1)));
    const Vec<T> e = __builtin_convertvector(exponent, Vec<T>);
    const Vec<T> log_f = fma(s * s2, p, 2 * s);
    const Vec<T> y = e * C::HIGH + (log_f + (e * C::LOW + lost));
    const Vec<T> infinite = all(T(__builtin_inf()));
    return x == infinite ? infinite : (x == x ? y : x);
}

template <class T> INLINE Vec<T> logistic(Vec<T> z) {
    const Vec<T> e = exp_of<T>(-absolute(z));
    return (z > 0 ? all(T(1)) : e) / (1 + e);
}

template <class T> INLINE Vec<T> softplus_of(Vec<T> z) {
    return (z > 0 ? z : (z == z ? Vec<T>{} : z)) + log1p_of<T>(exp_of<T>(-absolute(z)));
}

// Phi(-a) for a >= 0, where exp(-a^2/2) is known: half of erfc(x), x = a / sqrt(2), as t h(t) exp(-x^2) with
// t = 1/(1 + x/2). h is a series in Chebyshev polynomials of u = 2t - 1, worked out with 40 digits, cut off where the
// dtype's digits end and written out in powers of u (the coefficients' magnitudes add up to 1.03, so no digit is lost).
// Source of the form: Schonfelder, "Chebyshev expansions for the error and related functions", Mathematics of
// Computation 32 (1978).
template <class T> struct Tail;

template <> struct Tail<float> {
    static constexpr int TERMS = 11;
    static constexpr double P[TERMS] = {  // half of each
        0.2553956784579726, 0.17179015935548242, 0.06986786676096457, 0.009110834714193928, -0.005375813093292294,
        -0.0016217259590498541, 0.000764578580381846, 0.00021533524421792972, -0.00014969135603578224,
        -1.8300938471897427e-05, 2.1080598598193902e-05};
};

template <> struct Tail<double> {
    static constexpr int TERMS = 26;
    static constexpr double P[TERMS] = {
        0.25539567631050575, 0.17179017110345257, 0.06986802313900738, 0.00911055787672952, -0.005377665472018266,
        -0.0016197962672910337, 0.0007726530070506643, 0.00020932402163955556, -0.00016576828834507305,
        -8.592915937444876e-06, 3.611709414752403e-05, -8.536890566909457e-06, -5.421492664982205e-06,
        4.02893793357367e-06, -2.8882118057557134e-07, -9.075177540270833e-07, 5.152849607645553e-07,
        -6.877254116592973e-09, -1.631230467648336e-07, 8.933614739584267e-08, 1.8000422646039968e-08,
        -3.482921471704569e-08, 3.26021730720077e-09, 6.608162758816324e-09, -9.55586864303947e-10,
        -5.2951665717859e-10};
};

template <class T> INLINE Vec<T> normal_tail(Vec<T> a, Vec<T> exponential) {
    typedef Tail<T> C;
    const Vec<T> t = 1 / (1 + a * T(0.35355339059327376220)), u = 2 * t - 1;
    Vec<T> h = all(T(C::P[C::TERMS - 1]));
    for (int i = C::TERMS - 2; i >= 0; --i) h = fma(h, u, all(T(C::P[i])));
    return t * h * exponential;
}

// cos and sin: x = q pi + r with |r| <= pi/2, q whole for sin and half of an odd number for cos, so that both are +-sin(r)
// and keep all their digits near their zeros. pi comes in four numbers, of which the first two have so few digits that q
// times them is exact. In float32 the polynomial is the minimax one of degree 9, in float64 Taylor's of degree 21
// ((pi/2)^23/23! is 1e-18). As accurate as that up to |x| = 39000 in float32, 4e8 in float64; beyond, where neighbouring
// numbers are far apart, the result is some number from -1 to 1. Source: Shibata & Petrogalli, "SLEEF" (2020), section 2.
template <class T> struct Turn;

template <> struct Turn<float> {
    static constexpr float PI[4] = {3.140625f, 0.0009670257568359375f, 6.2771141529083251953e-07f, 1.2154201256553420762e-10f};
    static constexpr int TERMS = 4;
    static constexpr float P[TERMS] = {-0.166666597127914428710938f, 0.00833307858556509017944336f,
                                       -0.0001981069071916863322258f, 2.6083159809786593541503e-06f};
};

template <> struct Turn<double> {
    static constexpr double PI[4] = {3.1415926218032836914, 3.1786509424591713469e-08, 1.2246467864107188502e-16,
                                     1.2736634327021899816e-24};
    static constexpr int TERMS = 10;
    static constexpr double P[TERMS] = {-1.0 / 6,
                                        1.0 / 120,
                                        -1.0 / 5040,
                                        1.0 / 362880,
                                        -1.0 / 39916800,
                                        1.0 / 6227020800,
                                        -1.0 / 1307674368000,
                                        1.0 / 355687428096000,
                                        -1.0 / 121645100408832000,
                                        1.0 / 51090942171709440000.0};
};

// sin(x - shift pi), of which the sign is (-1)^(q - shift) times that of sin(r): shift is 0 or 1/2.
template <class T> INLINE Vec<T> sine(Vec<T> x, T shift) {
    typedef Turn<T> C;
    constexpr T INVERSE = T(0.31830988618379067154), ROUND = Exp<T>::ROUND, MOST = T(1.6);
    const Vec<T> whole = fma(x, all(INVERSE), all(-shift)) + ROUND;  // its last bit is that of the whole number
    const Vec<T> minus_q = (ROUND - whole) - shift;
    Vec<T> r = x;
    for (int i = 0; i < 4; ++i) r = fma(minus_q, all(C::PI[i]), r);
    r = r > MOST ? all(MOST) : r;
    r = r < -MOST ? all(-MOST) : r;
    const Vec<T> r2 = r * r;
    Vec<T> p = all(C::P[C::TERMS - 1]);
    for (int i = C::TERMS - 2; i >= 0; --i) p = fma(p, r2, all(C::P[i]));
    const Vec<T> of_r = fma(r2 * r, p, r);
    typename Simd<T>::B bits, odd;
    __builtin_memcpy(&bits, &of_r, sizeof bits);
    __builtin_memcpy(&odd, &whole, sizeof odd);
    bits ^= odd << (8 * sizeof(T) - 1);
    Vec<T> out;
    __builtin_memcpy(&out, &bits, sizeof out);
    return out;
}

template <class T> INLINE Vec<T> sin_of(Vec<T> x) { return sine<T>(x, T(0)); }
template <class T> INLINE Vec<T> cos_of(Vec<T> x) { return -sine<T>(x, T(0.5)); }
