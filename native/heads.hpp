// Output and loss together: from the logits of a span to their derivatives, in place, and the loss of each row.
//
// As glassmax.functional.heads has it, with a lane for each row: the largest logit's exponential, exactly 1, never
// meets the others in a sum, so that a tiny loss keeps its digits; what is summed over the classes is summed in float64.

// What becomes of a logit before softmax takes it: u = softcap tanh(z / temperature / softcap), or z / temperature.
template <class T> struct Cap {
    bool active;               // or it stays as it is
    T warmth, cap, inverse;    // 1 / temperature; the softcap or 0; 1 / softcap

    explicit Cap(const Shape &shape)
        : active(shape.softcap > 0 || shape.temperature != 1), warmth(T(1 / shape.temperature)), cap(T(shape.softcap)),
          inverse(shape.softcap > 0 ? T(1 / shape.softcap) : T(0)) {}
    INLINE Vec<T> of(Vec<T> z) const {
        if (warmth != 1) z *= warmth;
        return cap > 0 ? softcapped<T>(z, cap, inverse) : z;
    }
    // du/dz, but for the temperature, from u.
    INLINE Vec<T> slope(Vec<T> u) const {
        const Vec<T> t = u * inverse;
        return larger(Vec<T>{}, fma(-t, t, all(T(1))));  // t may round to more than 1
    }
};

template <class T> void cap_in_place(const Cap<T> &cap, T *Z, int64_t k, int vectors) {
    for (; cap.active && k > 0; --k, Z += SPAN<T>)
        for (int v = 0; v < vectors; ++v) store(Z + v * LANES<T>, cap.of(load(Z + v * LANES<T>)));
}

template <class T> struct HeadRows {
    int64_t k;             // classes
    int vectors, rows;     // of the span that hold rows; the rows
    const int64_t *label;  // (rows,), or null
    const T *Y;            // [class][SPAN], or null
    const T *factor;       // (SPAN,): the weight over the divisor
    double *loss;          // (SPAN,)
    const double *shares;  // (SPAN,), or null: of the second of two sets of candidates
    double z_loss;
};

template <class T> INLINE void put(const Wide<T> &wide, double *to) {
    for (int i = 0; i < Wide<T>::PARTS; ++i) store(to + i * LANES<double>, wide.part[i]);
}

// Turn logits into E, exp(z - largest), with 1 for the largest; the sum of the others in float64.
template <class T> INLINE Wide<T> exponentials(T *Z, int64_t k, Vec<T> &largest, IntVec<T> &top) {
    largest = load(Z);
    top = IntVec<T>{};
    for (int64_t j = 1; j < k; ++j) {
        const Vec<T> z = load(Z + j * SPAN<T>);
        const IntVec<T> better = z > largest;
        largest = better ? z : largest;
        top = better ? IntVec<T>{} + typename Simd<T>::Int(j) : top;
    }
    Wide<T> others = {};
    for (int64_t j = 0; j < k; ++j) {
        Vec<T> shift;
        const Vec<T> e = exp_of_difference<T>(load(Z + j * SPAN<T>), largest, shift);
        const IntVec<T> is_top = top == IntVec<T>{} + typename Simd<T>::Int(j);
        others += Wide<T>::of(is_top ? shift : e);  // the largest shift is 0, or the NaN that the row shall be
        store(Z + j * SPAN<T>, is_top ? 1 + shift : e);
    }
    return others;
}

template <class T> INLINE Wide<T> inverse_sum(const Wide<T> &others) {
    Wide<T> r;
    for (int i = 0; i < Wide<T>::PARTS; ++i) r.part[i] = 1 / (1 + others.part[i]);
    return r;
}

template <class T> INLINE Wide<T> log1p_wide(const Wide<T> &x) {
    Wide<T> y;
    for (int i = 0; i < Wide<T>::PARTS; ++i) y.part[i] = log1p_of<double>(x.part[i]);
    return y;
}

// log sum exp of the logits.
template <class T> INLINE Wide<T> log_sum_exp(Vec<T> largest, const Wide<T> &log_of_sum) {
    Wide<T> lse = Wide<T>::of(largest);
    lse += log_of_sum;
    return lse;
}

template <class T> void softmax_in_place(T *Z, int64_t k, int vectors) {
    for (int v = 0; v < vectors; ++v, Z += LANES<T>) {
        Vec<T> largest;
        IntVec<T> top;
        const Vec<T> r = inverse_sum<T>(exponentials<T>(Z, k, largest, top)).narrow();
        for (int64_t j = 0; j < k; ++j) store(Z + j * SPAN<T>, load(Z + j * SPAN<T>) * r);
    }
}

// dZ = ((1 + 2 z_loss lse) P - onehot) factor; the true class gets minus the sum of the others, not p - 1.
template <class T> void softmax_cross_entropy_of_labels(T *Z, const HeadRows<T> &head) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < head.vectors; ++v, Z += L) {
        const int lanes = head.rows - v * L < L ? head.rows - v * L : L;
        const int64_t *label = head.label + v * L;
        double at_label[L], others_of[L], inverse_of[L], log_of[L], lse_of[L];
        for (int s = 0; s < lanes; ++s) at_label[s] = Z[label[s] * SPAN<T> + s];
        Vec<T> largest;
        IntVec<T> top;
        const Wide<T> others = exponentials<T>(Z, head.k, largest, top);
        const Wide<T> r = inverse_sum<T>(others), log_of_sum = log1p_wide<T>(others);
        put<T>(others, others_of);
        put<T>(r, inverse_of);
        put<T>(log_of_sum, log_of);
        Wide<T> grown = r;
        if (head.z_loss > 0) {
            const Wide<T> lse = log_sum_exp<T>(largest, log_of_sum);
            put<T>(lse, lse_of);
            for (int i = 0; i < Wide<T>::PARTS; ++i) grown.part[i] *= 1 + 2 * head.z_loss * lse.part[i];
        }
        const Vec<T> scale = grown.narrow() * load(head.factor + v * L);
        T true_class[L], largest_of[L];
        typename Simd<T>::Int top_of[L];
        store(largest_of, largest);
        __builtin_memcpy(top_of, &top, sizeof top);
        for (int s = 0; s < lanes; ++s) {
            head.loss[v * L + s] = log_of[s] - (at_label[s] - double(largest_of[s]));
            const double p = double(Z[label[s] * SPAN<T> + s]) * inverse_of[s];
            double slope = top_of[s] == label[s] ? -others_of[s] * inverse_of[s] : p - 1;
            if (head.z_loss > 0) {
                head.loss[v * L + s] += head.z_loss * lse_of[s] * lse_of[s];
                slope += 2 * head.z_loss * lse_of[s] * p;
            }
            true_class[s] = T(slope * double(head.factor[v * L + s]));
        }
        for (int64_t j = 0; j < head.k; ++j) store(Z + j * SPAN<T>, load(Z + j * SPAN<T>) * scale);
        for (int s = 0; s < lanes; ++s) Z[label[s] * SPAN<T> + s] = true_class[s];
    }
}

// L = sum_c Y_c (log1p(others) - shift_c) + z_loss lse^2;  dZ_c = P_c (rowsum(Y) + 2 z_loss lse - Y_c) - Y_c (1 - P_c).
template <class T> void softmax_cross_entropy_of_rows(T *Z, const HeadRows<T> &head) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < head.vectors; ++v, Z += L) {
        const T *Y = head.Y + v * L;
        Vec<T> largest = load(Z);
        for (int64_t j = 1; j < head.k; ++j) largest = larger(largest, load(Z + j * SPAN<T>));
        Wide<T> rowsum = {}, shifts = {};
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> y = load(Y + j * SPAN<T>), z = load(Z + j * SPAN<T>);
            const Wide<T> a = Wide<T>::of(z), b = Wide<T>::of(largest), c = Wide<T>::of(y);
            rowsum += c;
            for (int i = 0; i < Wide<T>::PARTS; ++i)
                shifts.part[i] += c.part[i] == 0 ? Vec<double>{} : c.part[i] * (b.part[i] - a.part[i]);
        }
        IntVec<T> top;
        const Wide<T> others = exponentials<T>(Z, head.k, largest, top), log_of = log1p_wide<T>(others);
        Wide<T> loss, rest;
        for (int i = 0; i < Wide<T>::PARTS; ++i) {
            loss.part[i] = rowsum.part[i] * log_of.part[i] + shifts.part[i];
            rest.part[i] = others.part[i] / (1 + others.part[i]);
            if (head.z_loss > 0) {
                const Vec<double> lse = log_sum_exp<T>(largest, log_of).part[i];
                loss.part[i] += head.z_loss * lse * lse;
                rowsum.part[i] += 2 * head.z_loss * lse;
            }
        }
        put<T>(loss, head.loss + v * L);
        const Vec<T> factor = load(head.factor + v * L), r = inverse_sum<T>(others).narrow();
        const Vec<T> total = rowsum.narrow(), not_top = rest.narrow();
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> y = load(Y + j * SPAN<T>), p = load(Z + j * SPAN<T>) * r;
            const IntVec<T> is_top = top == IntVec<T>{} + typename Simd<T>::Int(j);
            const Vec<T> not_p = is_top ? not_top : 1 - p;
            store(Z + j * SPAN<T>, (p * (total - y) - y * not_p) * factor);
        }
    }
}

// The classes of a row in two parts: 0 the others, 1 the candidates.
template <class T> struct Sides {
    Vec<T> largest[2], slope[2];  // slope: dL/dz is slope * exp(z - largest)
    Wide<T> loss;
};

// Y is 1 for a candidate, 0 for another class; where a row has two sets, 1 and 3 for the first, 2 and 3 for the second.
template <class T> INLINE IntVec<T> is_candidate(Vec<T> y, bool second) { return second ? y >= 2 : (y == 1) | (y == 3); }

// exp(z - largest); 1 where all of a side are at -inf, and share alike.
template <class T> INLINE Vec<T> relative(Vec<T> z, Vec<T> largest) {
    Vec<T> shift;
    const Vec<T> e = exp_of_difference<T>(z, largest, shift);
    return (largest == -T(__builtin_inf())) & (z == z) ? all(T(1)) : e;
}

// L = log1p(odds), odds = sum over the others / sum over the candidates; of odds beyond exp(600) the logarithm is split.
template <class T> INLINE Sides<T> sides_of(const T *Z, const T *Y, int64_t k, bool second) {
    constexpr double FAR = 600, EXP_OF_FAR = 3.7730203009299397e+260;
    const Vec<T> nothing = all(-T(__builtin_inf()));
    Sides<T> sides = {{nothing, nothing}, {}, {}};
    for (int64_t j = 0; j < k; ++j) {
        const Vec<T> z = load(Z + j * SPAN<T>);
        const IntVec<T> candidate = is_candidate<T>(load(Y + j * SPAN<T>), second);
        sides.largest[0] = larger(sides.largest[0], candidate ? nothing : z);
        sides.largest[1] = larger(sides.largest[1], candidate ? z : nothing);
    }
    Wide<T> sum[2] = {};
    for (int64_t j = 0; j < k; ++j) {
        const IntVec<T> candidate = is_candidate<T>(load(Y + j * SPAN<T>), second);
        const Vec<T> e = relative<T>(load(Z + j * SPAN<T>), candidate ? sides.largest[1] : sides.largest[0]);
        sum[0] += Wide<T>::of(candidate ? Vec<T>{} : e);
        sum[1] += Wide<T>::of(candidate ? e : Vec<T>{});
    }
    const Wide<T> largest[2] = {Wide<T>::of(sides.largest[0]), Wide<T>::of(sides.largest[1])};
    Wide<T> slope[2];
    for (int i = 0; i < Wide<T>::PARTS; ++i) {
        Vec<double> apart;
        const Vec<double> e = exp_of_difference<double>(largest[0].part[i], largest[1].part[i], apart);
        const Vec<double> odds = (apart > FAR ? all(EXP_OF_FAR) : e) * (sum[0].part[i] / sum[1].part[i]);
        sides.loss.part[i] = log1p_of<double>(odds) + (apart > FAR ? apart - FAR : Vec<double>{});
        const Vec<double> missed = odds / (1 + odds);  // the probability of the others
        slope[0].part[i] = missed / sum[0].part[i];
        slope[1].part[i] = -missed / sum[1].part[i];
    }
    for (int side = 0; side < 2; ++side) sides.slope[side] = slope[side].narrow();
    return sides;
}

template <class T> INLINE Vec<T> slope_at(const Sides<T> &sides, Vec<T> z, Vec<T> y, bool second) {
    const IntVec<T> candidate = is_candidate<T>(y, second);
    const Vec<T> e = relative<T>(z, candidate ? sides.largest[1] : sides.largest[0]);
    return e * (candidate ? sides.slope[1] : sides.slope[0]);
}

// dZ = m (R - Q): m the probability of the other classes, Q and R softmax over the candidates and over the others. After
// mixup, the losses of a row's two sets are added in proportion.
template <class T> void softmax_candidate_cross_entropy(T *Z, const HeadRows<T> &head) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < head.vectors; ++v, Z += L) {
        const T *Y = head.Y + v * L;
        const Vec<T> factor = load(head.factor + v * L);
        const Sides<T> first = sides_of<T>(Z, Y, head.k, false);
        if (!head.shares) {
            put<T>(first.loss, head.loss + v * L);
            for (int64_t j = 0; j < head.k; ++j) {
                T *z = Z + j * SPAN<T>;
                store(z, slope_at<T>(first, load(z), load(Y + j * SPAN<T>), false) * factor);
            }
            continue;
        }
        const Sides<T> second = sides_of<T>(Z, Y, head.k, true);
        Wide<T> loss, share;
        for (int i = 0; i < Wide<T>::PARTS; ++i) {
            const Vec<double> s = share.part[i] = load(head.shares + v * L + i * LANES<double>);
            const Vec<double> both = (1 - s) * first.loss.part[i] + s * second.loss.part[i];
            loss.part[i] = s == 0 ? first.loss.part[i] : both;
        }
        put<T>(loss, head.loss + v * L);
        const Vec<T> s = share.narrow();
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> z = load(Z + j * SPAN<T>), y = load(Y + j * SPAN<T>);
            const Vec<T> of_first = slope_at<T>(first, z, y, false), of_second = slope_at<T>(second, z, y, true);
            store(Z + j * SPAN<T>, (s == 0 ? of_first : (1 - s) * of_first + s * of_second) * factor);
        }
    }
}

// dP = P - Y, then the Jacobian: dZ = P (dP - <dP, P>).
template <class T> void softmax_squared_error(T *Z, const HeadRows<T> &head) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < head.vectors; ++v, Z += L) {
        const T *Y = head.Y + v * L;
        Vec<T> largest;
        IntVec<T> top;
        const Vec<T> r = inverse_sum<T>(exponentials<T>(Z, head.k, largest, top)).narrow();
        const Vec<T> factor = load(head.factor + v * L);
        Wide<T> loss = {}, along = {};
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> p = load(Z + j * SPAN<T>) * r;
            const Wide<T> P = Wide<T>::of(p), y = Wide<T>::of(load(Y + j * SPAN<T>));
            for (int i = 0; i < Wide<T>::PARTS; ++i) {
                const Vec<double> error = P.part[i] - y.part[i];
                loss.part[i] += 0.5 * error * error;
                along.part[i] += error * P.part[i];
            }
        }
        put<T>(loss, head.loss + v * L);
        const Vec<T> mean = along.narrow();
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> p = load(Z + j * SPAN<T>) * r, error = p - load(Y + j * SPAN<T>);
            store(Z + j * SPAN<T>, p * (error - mean) * factor);
        }
    }
}

// One logit at a time: sigmoid with any loss, identity and relu with the squared error.
template <class T> void entry_by_entry(T *Z, const HeadRows<T> &head, int output, int loss) {
    constexpr int L = LANES<T>;
    for (int v = 0; v < head.vectors; ++v, Z += L) {
        const Vec<T> factor = load(head.factor + v * L);
        Wide<T> total = {};
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> z = load(Z + j * SPAN<T>), y = load(head.Y + j * SPAN<T> + v * L);
            Vec<T> p, charge, slope;
            if (output == SIGMOID_OUTPUT) {
                const Vec<T> e = exp_of<T>(-absolute(z)), r = 1 / (1 + e), l = log1p_of<T>(e);
                const Vec<T> yes = (z > 0 ? all(T(1)) : e) * r, no = (z > 0 ? e : all(T(1))) * r;
                const Vec<T> cost_of_yes = (z > 0 ? Vec<T>{} : -z) + l, cost_of_no = (z > 0 ? z : Vec<T>{}) + l;
                p = yes;
                if (loss == SQUARED_ERROR) {
                    slope = (yes - y) * (yes * no);
                } else {
                    charge = y == 0 ? (z == z ? Vec<T>{} : z) : y * cost_of_yes;
                    slope = -y * no;
                    if (loss == BINARY_CROSS_ENTROPY) {
                        charge += y == 1 ? Vec<T>{} : (1 - y) * cost_of_no;
                        slope += (1 - y) * yes;
                    }
                }
            } else {
                const Pair<T> both = output == RELU_OUTPUT ? relu<T>(z) : identity<T>(z);
                p = both.f;
                slope = both.d == 0 ? Vec<T>{} : p - y;
            }
            if (loss == SQUARED_ERROR) {
                const Wide<T> P = Wide<T>::of(p), Y = Wide<T>::of(y);
                for (int i = 0; i < Wide<T>::PARTS; ++i)
                    total.part[i] += 0.5 * (P.part[i] - Y.part[i]) * (P.part[i] - Y.part[i]);
            } else {
                total += Wide<T>::of(charge);
            }
            store(Z + j * SPAN<T>, slope * factor);
        }
        put<T>(total, head.loss + v * L);
    }
}

// The pairs that nobody trains with and everybody may: a row at a time, in float64, by the formulas of
// glassmax.functional.heads. identity or relu under a cross-entropy, softmax under the binary one.
template <class T> void row_by_row(T *Z, const HeadRows<T> &head, int output, int loss) {
    for (int s = 0; s < head.rows; ++s, ++Z) {
        const T *Y = head.Y + s;
        double total = 0, others = 0, sum_of_u = 0, sum_but_top = 0;
        int64_t top = 0;
        if (output == SOFTMAX_OUTPUT) {
            for (int64_t j = 1; j < head.k; ++j)
                if (Z[j * SPAN<T>] > Z[top * SPAN<T>]) top = j;
            for (int64_t j = 0; j < head.k; ++j) {
                const double shift = double(Z[j * SPAN<T>]) - double(Z[top * SPAN<T>]);
                others += j == top ? shift : __builtin_exp(shift);
            }
        }
        const double log_sum = __builtin_log1p(others);
        if (output == SOFTMAX_OUTPUT) {
            const double largest = Z[top * SPAN<T>];
            const auto piece = [&](int64_t j, double &p, double &not_p) {
                const double shift = double(Z[j * SPAN<T>]) - largest;
                p = (j == top ? 1 + shift : __builtin_exp(shift)) / (1 + others);
                not_p = j == top ? others / (1 + others) : 1 - p;
                return shift;
            };
            double p, not_p;
            for (int64_t j = 0; j < head.k; ++j) {
                const double y = Y[j * SPAN<T>], shift = piece(j, p, not_p);
                const double u = (y == 1 ? 0 : (1 - y) * p / not_p) - y;
                sum_of_u += u;
                if (j != top) sum_but_top += u;
                const double log_not_p = j == top ? __builtin_log(others) - log_sum : __builtin_log1p(-p);
                total -= (y == 0 ? 0 : y * (shift - log_sum)) + (y == 1 ? 0 : (1 - y) * log_not_p);
            }
            for (int64_t j = 0; j < head.k; ++j) {
                if (j == top) continue;
                const double y = Y[j * SPAN<T>];
                piece(j, p, not_p);
                const double u = (y == 1 ? 0 : (1 - y) * p / not_p) - y;
                Z[j * SPAN<T>] = T(((1 - y) * p - y * not_p - p * (sum_of_u - u)) * double(head.factor[s]));
            }
            const double y = Y[top * SPAN<T>];
            piece(top, p, not_p);
            Z[top * SPAN<T>] = T(((1 - y) * p - y * not_p - p * sum_but_top) * double(head.factor[s]));
        } else {
            for (int64_t j = 0; j < head.k; ++j) {
                const double z = Z[j * SPAN<T>], y = Y[j * SPAN<T>];
                const double p = output == RELU_OUTPUT && z < 0 ? 0 : z;
                double slope = y == 0 ? 0 : -y / p;
                total -= y == 0 ? 0 : y * __builtin_log(p);
                if (loss == BINARY_CROSS_ENTROPY) {
                    total -= y == 1 ? 0 : (1 - y) * __builtin_log1p(-p);
                    slope += y == 1 ? 0 : (1 - y) / (1 - p);
                }
                if (output == RELU_OUTPUT && !(z > 0)) slope = 0;
                Z[j * SPAN<T>] = T(slope * double(head.factor[s]));
            }
        }
        head.loss[s] = total;
    }
}

// What the z-loss adds to any loss of softmax and to its dZ, from a copy of the logits.
template <class T> void add_z_loss(const T *Z, T *dZ, const HeadRows<T> &head) {
    for (int v = 0; v < head.vectors; ++v, Z += LANES<T>, dZ += LANES<T>) {
        Vec<T> largest = load(Z), shift;
        for (int64_t j = 1; j < head.k; ++j) largest = larger(largest, load(Z + j * SPAN<T>));
        Wide<T> sum = {}, slope, loss;
        for (int64_t j = 0; j < head.k; ++j) sum += Wide<T>::of(exp_of_difference<T>(load(Z + j * SPAN<T>), largest, shift));
        for (int i = 0; i < Wide<T>::PARTS; ++i) {
            const Vec<double> lse = Wide<T>::of(largest).part[i] + log1p_of<double>(sum.part[i] - 1);
            slope.part[i] = 2 * head.z_loss * lse / sum.part[i];
            loss.part[i] = load(head.loss + v * LANES<T> + i * LANES<double>) + head.z_loss * lse * lse;
        }
        put<T>(loss, head.loss + v * LANES<T>);
        const Vec<T> scale = slope.narrow() * load(head.factor + v * LANES<T>);
        for (int64_t j = 0; j < head.k; ++j) {
            const Vec<T> e = exp_of_difference<T>(load(Z + j * SPAN<T>), largest, shift);
            store(dZ + j * SPAN<T>, fma(e, scale, load(dZ + j * SPAN<T>)));
        }
    }
}

// Whether the loss itself is that of softmax_cross_entropy_of_..., which have the z-loss.
INLINE bool has_z_loss(int output, int loss, bool of_rows) {
    return output == SOFTMAX_OUTPUT && (loss == CROSS_ENTROPY || (loss == CANDIDATE_CROSS_ENTROPY && !of_rows));
}

// Whether the targets are needed as rows.
INLINE bool needs_rows(int output, int loss, bool has_rows, double smoothing) {
    const bool of_labels = output == SOFTMAX_OUTPUT && (loss == CROSS_ENTROPY || loss == CANDIDATE_CROSS_ENTROPY);
    return has_rows || smoothing > 0 || !of_labels;
}

template <class T> void run_head(T *Z, const HeadRows<T> &head, int output, int loss) {
    if (loss == CANDIDATE_CROSS_ENTROPY)  // of one label a row, it is the cross-entropy
        head.Y ? softmax_candidate_cross_entropy<T>(Z, head) : softmax_cross_entropy_of_labels<T>(Z, head);
    else if (output == SOFTMAX_OUTPUT && loss == CROSS_ENTROPY)
        head.Y ? softmax_cross_entropy_of_rows<T>(Z, head) : softmax_cross_entropy_of_labels<T>(Z, head);
    else if (output == SOFTMAX_OUTPUT && loss == SQUARED_ERROR)
        softmax_squared_error<T>(Z, head);
    else if (output == SIGMOID_OUTPUT || loss == SQUARED_ERROR)
        entry_by_entry<T>(Z, head, output, loss);
    else
        row_by_row<T>(Z, head, output, loss);
}

template <class T> void predict_in_place(T *Z, int64_t k, int vectors, int output) {
    if (output == SOFTMAX_OUTPUT) {
        softmax_in_place<T>(Z, k, vectors);
    } else if (output != IDENTITY_OUTPUT) {
        for (int64_t j = 0; j < k; ++j)
            for (int v = 0; v < vectors; ++v) {
                T *z = Z + j * SPAN<T> + v * LANES<T>;
                store(z, output == SIGMOID_OUTPUT ? logistic<T>(load(z)) : relu<T>(load(z)).f);
            }
    }
}
