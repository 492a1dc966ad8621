// The activations: each value f(z) together with its derivative f'(z), so that the way back needs no exponential.
//
// The same functions, by the same formulas, as in glassmax.functional.activations; at a kink the derivative is taken
// from the left.

template <class T> struct Pair {
    Vec<T> f, d;
};

template <class T> INLINE Pair<T> identity(Vec<T> z) { return {z, all(T(1))}; }

template <class T> INLINE Pair<T> sigmoid(Vec<T> z) {
    const Vec<T> e = exp_of<T>(-absolute(z)), r = 1 / (1 + e);
    return {(z > 0 ? all(T(1)) : e) * r, e * r * r};
}

template <class T> INLINE Pair<T> tanh(Vec<T> z) {
    Vec<T> e;
    const Vec<T> m = expm1_of<T>(-2 * absolute(z), e), r = 1 / (2 + m), t = -m * r;
    return {z < 0 ? -t : t, 4 * e * r * r};
}

template <class T> INLINE Pair<T> relu(Vec<T> z) {
    return {z < 0 ? Vec<T>{} : z, z > 0 ? all(T(1)) : Vec<T>{}};
}

template <class T> INLINE Pair<T> leaky_relu(Vec<T> z) {
    const T slope = T(0.01);
    return {z > 0 ? z : slope * z, z > 0 ? all(T(1)) : all(slope)};
}

template <class T> INLINE Pair<T> elu(Vec<T> z) {
    Vec<T> e;
    const Vec<T> m = expm1_of<T>(z > 0 ? Vec<T>{} : z, e);
    return {z > 0 ? z : m, e};
}

template <class T> INLINE Pair<T> selu(Vec<T> z) {
    const T scale = T(1.0507009873554804934193349852946), alpha = T(1.6732632423543772848170429916717);
    Vec<T> e;
    const Vec<T> m = expm1_of<T>(z > 0 ? Vec<T>{} : z, e);
    return {z > 0 ? scale * z : scale * alpha * m, z > 0 ? all(scale) : scale * alpha * e};
}

template <class T> INLINE Pair<T> gelu(Vec<T> z) {
    const Vec<T> exponential = exp_of<T>(z * z * T(-0.5));
    const Vec<T> tail = normal_tail<T>(absolute(z), exponential), cdf = z > 0 ? 1 - tail : tail;
    return {z * cdf, fma(z, exponential * T(0.39894228040143267794), cdf)};
}

template <class T> INLINE Pair<T> silu(Vec<T> z) {
    const Vec<T> e = exp_of<T>(-absolute(z)), r = 1 / (1 + e);
    const Vec<T> up = (z > 0 ? all(T(1)) : e) * r, down = (z > 0 ? e : all(T(1))) * r;
    return {z * up, up * fma(z, down, all(T(1)))};
}

// tanh(log(1 + e)) is e (e + 2) / (e (e + 2) + 2); for z > 0 numerator and denominator are divided by e^2.
template <class T> INLINE Pair<T> mish(Vec<T> z) {
    const Vec<T> q = exp_of<T>(-absolute(z));
    const Vec<T> numerator = z > 0 ? 1 + 2 * q : q * (q + 2);
    const Vec<T> denominator = numerator + (z > 0 ? 2 * q * q : all(T(2)));
    const Vec<T> t = numerator / denominator;
    const Vec<T> root = (1 + q) / denominator * (z > 0 ? q : all(T(1)));  // half of sech of the softplus
    const Vec<T> s = (z > 0 ? all(T(1)) : q) / (1 + q);
    return {z * t, fma(4 * z * root * root, s, t)};
}

template <class T> INLINE Pair<T> softplus(Vec<T> z) {
    const Vec<T> e = exp_of<T>(-absolute(z));
    const Vec<T> positive = z > 0 ? z : (z == z ? Vec<T>{} : z);
    return {positive + log1p_of<T>(e), (z > 0 ? all(T(1)) : e) / (1 + e)};
}

// cap tanh(z / cap). In float32 tanh(u) is u N(u^2) / D(u^2), fitted to 2e-8 of it for |u| <= 9.02, beyond which it rounds to
// 1; N(0) = D(0) = 1, so that a small logit keeps its digits.
struct Softcap {
    static constexpr float MOST = 81.3604f;  // u^2
    static constexpr float D[5] = {1.0f, 0.4671600832868494f, 0.02588436009734189f, 0.000328851699092836f,
                                   7.790247198001204e-07f};
    static constexpr float N[5] = {1.0f, 0.13382687081455852f, 0.0034974574570687984f, 2.06358188621032e-05f,
                                   1.3384286228219278e-08f};
};

template <int TERMS> INLINE Vec<float> polynomial(const float (&P)[TERMS], Vec<float> x) {
    Vec<float> p = all(P[TERMS - 1]);
    for (int i = TERMS - 2; i >= 0; --i) p = fma(p, x, all(P[i]));
    return p;
}

template <class T> INLINE Vec<T> softcapped(Vec<T> z, T cap, T inverse) {
    if constexpr (sizeof(T) == 8) {
        return cap * tanh<T>(z * inverse).f;
    } else {
        const Vec<T> u = z * inverse, square = u * u;
        const Vec<T> x = square > Softcap::MOST ? all(Softcap::MOST) : square;
        const Vec<T> y = z * quotient(polynomial(Softcap::N, x), polynomial(Softcap::D, x));
        const Vec<T> below = y > cap ? all(cap) : y;
        return below < -cap ? all(-cap) : below;
    }
}
