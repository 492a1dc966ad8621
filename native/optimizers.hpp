// How a gradient moves a weight: penalty, decay and the rule in one pass, each number read and written once.

enum Mode { PLAIN_SGD, NESTEROV, ADAM, INTO_SUM, LENGTH, INTO_ARRAYS };  // what is done with a gradient

template <class T> struct Step {
    T penalty;  // alpha over the divisor
    T keep;     // 1 - rate * decay
    T rate, momentum;
    T beta_1, rest_1, beta_2, rest_2, length, epsilon;
    bool squares;  // whether the sum of the squares is wanted
};

// The powers of Adam's two betas, step after step: a product each, where pow() would take as long as a toy's gradient.
struct Powers {
    double beta_1, beta_2;

    Powers() = default;
    explicit Powers(const Rule &rule)
        : beta_1(__builtin_pow(rule.beta_1, double(rule.t))), beta_2(__builtin_pow(rule.beta_2, double(rule.t))) {}
    void next(const Rule &rule) {
        beta_1 *= rule.beta_1;
        beta_2 *= rule.beta_2;
    }
};

template <class T>
Step<T> step_of(const Rule &rule, const Powers &powers, const Regularization &regularization, double rate, double divisor) {
    Step<T> step = {};
    step.penalty = T(regularization.alpha / divisor);
    step.keep = T(1 - rate * regularization.weight_decay);
    step.rate = T(rate);
    step.momentum = T(rule.momentum);
    step.squares = regularization.alpha > 0;
    if (rule.adam) {
        step.beta_1 = T(rule.beta_1);
        step.rest_1 = T(1 - rule.beta_1);
        step.beta_2 = T(rule.beta_2);
        step.rest_2 = T(1 - rule.beta_2);
        step.length = T(rate * __builtin_sqrt(1 - powers.beta_2) / (1 - powers.beta_1));
        step.epsilon = T(rule.epsilon);
    }
    return step;
}

// Move the weights at w by the gradient g of the data, `factor` times as far as the rule says; `bias`: no penalty, no
// decay. Adds to `square`.
template <class T, int MODE>
INLINE void move(Vec<T> g, T *w, T *first, T *second, const Step<T> &step, T factor, bool bias, Vec<T> &square) {
    Vec<T> weight = load(w);
    if (!bias) {
        g = fma(all(step.penalty), weight, g);
        weight *= step.keep;
    }
    if (MODE == ADAM) {
        const Vec<T> m = fma(all(step.beta_1), load(first), step.rest_1 * g);
        const Vec<T> v = fma(all(step.beta_2), load(second), step.rest_2 * g * g);
        store(first, m);
        store(second, v);
        weight -= factor * (step.length * m / (root(v) + step.epsilon));
    } else {
        const Vec<T> downhill = step.rate * g, velocity = step.momentum * load(first) - downhill;
        store(first, velocity);
        weight += factor * (MODE == NESTEROV ? step.momentum * velocity - downhill : velocity);
    }
    store(w, weight);
    if (!bias) square = fma(weight, weight, square);
}
