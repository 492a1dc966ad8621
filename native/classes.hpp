// The two sweeps over very many classes (class_tiles.hpp), and what stands between them.

// Up to the last layer.
template <class T> void rows_up(const Span<T> &span) {
    if (span.batch.mixup > 0) draw_shares<T>(span.batch, span.start, span.rows);
    fill_inputs<T>(span);
    for (int64_t l = 0; l + 1 < span.batch.shape.depth; ++l) layer_up<T>(span, l);
}

// Do something with each row of a span whose label is in the tile: what(lane, place in the tile).
template <class T, class What> INLINE void each_label(const Span<T> &span, int64_t tile, int64_t width, What what) {
    const Batch<T> &batch = span.batch;
    for (int s = 0; s < span.rows; ++s) {
        const int64_t place = batch.rows.y[batch.row(span.start + s)] - tile * TILE;
        if (place >= 0 && place < width) what(s, place);
    }
}

// Do something with each class of the tile that has a part of the target of a row: what(lane, place in the tile, y).
template <class T, class What> INLINE void each_part(const Span<T> &span, int64_t tile, int64_t width, What what) {
    for (int s = 0; s < span.rows; ++s)
        each_target(span.batch, span.start + s, tile * TILE, tile * TILE + width,
                    [&](int64_t c, double y) { what(s, c - tile * TILE, y); });
}

// Z of a tile for a span of a network of one layer whose X is sparse: from the caller's rows of W, as they lie.
template <class T> void sparse_tile_up(const Span<T> &span, int64_t tile, int64_t width, T *Z) {
    constexpr int L = LANES<T>, SOME = 8;
    const Batch<T> &batch = span.batch;
    const Entries<T> entries{batch.rows};
    const int64_t k = batch.classes.k;
    const T *W = batch.classes.W + tile * TILE;
    for (int s = 0; s < span.vectors * L; ++s) {
        if (s >= span.rows) {
            for (int64_t j = 0; j < width; ++j) Z[j * SPAN<T> + s] = 0;
            continue;
        }
        const Parts<T> parts(batch, span.start + s);
        for (int64_t c = 0; c < width; c += SOME * L) {
            Vec<T> sum[SOME] = {};
            for (int part = 0; part < parts.count; ++part)
                for (int64_t e = entries.start(parts.row[part]); e < entries.start(parts.row[part] + 1); ++e) {
                    const Vec<T> x = all(parts.factor[part] * entries.value(e));
                    const T *w = W + entries.column(e) * k + c;
                    for (int q = 0; q < SOME; ++q) sum[q] = fma(load_some(w + q * L, width - c - q * L), x, sum[q]);
                }
            for (int q = 0; q < SOME && c + q * L < width; ++q) {
                const int64_t at = c + q * L, some = width - at < L ? width - at : L;
                const Vec<T> z = sum[q] + load_some(W + batch.layers[0].d * k + at, some);
                for (int64_t i = 0; i < some; ++i) Z[(at + i) * SPAN<T> + s] = z[i];
            }
        }
    }
}

// dW of a tile from a block of rows of a sparse X, but for the biases.
template <class T>
void sparse_gradient_of_tile(const Batch<T> &batch, int64_t start, int64_t rows, const T *dZ, int64_t panels, bool first, T *dW) {
    constexpr int L = LANES<T>;
    const Layer<T> &layer = batch.layers[0];
    const Entries<T> entries{batch.rows};
    const int64_t panel = batch.classes.panel;
    if (first) __builtin_memset(dW, 0, size_t(layer.d1 * TILE) * sizeof(T));
    const auto add = [&](int64_t i, T x, const T *of_row) {
        for (int64_t p = 0; p < panels; ++p) {
            T *g = dW + i * TILE + p * L;
            store(g, fma(all(x), load(of_row + p * panel), load(g)));
        }
    };
    for (int64_t s = 0; s < rows; ++s) {
        const Parts<T> parts(batch, start + s);
        for (int part = 0; part < parts.count; ++part)
            for (int64_t e = entries.start(parts.row[part]); e < entries.start(parts.row[part] + 1); ++e)
                add(entries.column(e), parts.factor[part] * entries.value(e), dZ + s * L);
    }
}

// A tile's weights in the worker's room; those of a sparse X are used as they lie.
template <class T> void take_tile(const Batch<T> &batch, int worker, int64_t tile) {
    const Classes<T> &classes = batch.classes;
    if (classes.room[worker].W)
        pack_classes<T>(classes, batch.layers[batch.shape.depth - 1], tile, classes.width(tile), classes.room[worker].W);
}

// The logits of a tile for a span, as softmax takes them.
template <class T> void logits_of_tile(const Span<T> &span, int64_t tile, int64_t width, T *Z) {
    const Batch<T> &batch = span.batch;
    const int64_t depth = batch.shape.depth;
    const T *W = batch.classes.room[span.worker].W;
    if (W)
        tile_up<T>(W, batch.classes.stride, batch.layers[depth - 1].d1, width, span.A(depth - 1), Z, span.vectors);
    else
        sparse_tile_up<T>(span, tile, width, Z);
    const Cap<T> cap(batch.shape);
    if (cap.active) cap_tile<T>(cap, Z, width, span.vectors);
}

// ---- the first sweep ----

template <class T> void offer(const T *Z, int64_t tile, int64_t width, int s, Best<T> best) {
    for (int64_t j = 0; j < width; ++j) best.insert(Z[j * SPAN<T> + s], tile * TILE + j);
}

template <class T, bool TOTAL>
INLINE Vec<T> look_by(T *Z, int64_t width, int v, bool keep, bool capped, bool known, Seen<T> &seen) {
    if (capped) return look_at<T, TOTAL, false, true>(Z, width, v, known, seen);
    return keep ? look_at<T, TOTAL, true, false>(Z, width, v, known, seen) : look_at<T, TOTAL, false, false>(Z, width, v, known, seen);
}

template <class T> void first_sweep(const Batch<T> &batch, int worker, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const TileRoom<T> &room = classes.room[worker];
    const int64_t spans = (batch.m + SPAN<T> - 1) / SPAN<T>;
    const bool smoothed = batch.regularization.label_smoothing > 0, ranked = classes.summary && classes.summary->count > 0;
    const bool capped = batch.shape.softcap > 0, known = Cap<T>(batch.shape).active;
    for (int64_t number = 0; number < spans; ++number) start(classes.seen[group * classes.spans + number]);
    Missed *missed = classes.soft ? classes.missed + group * classes.spans * SPAN<T> : nullptr;
    for (int64_t row = 0; missed && row < spans * SPAN<T>; ++row) missed[row] = {-__builtin_inf(), 0, 0};
    for (int64_t row = 0; ranked && row < batch.m; ++row) classes.best(group, row).clear();
    const int64_t from = classes.first_tile(group);
    for (int64_t tile = from; tile < classes.first_tile(group + 1); ++tile) {
        const int64_t width = classes.width(tile);
        take_tile<T>(batch, worker, tile);
        for (int64_t number = 0; number < spans; ++number) {
            const Span<T> span(batch, worker, number);
            T *kept = classes.exponentials(group, tile - from, number), *Z = kept ? kept : room.Z;
            logits_of_tile<T>(span, tile, width, Z);
            if (capped) kept = nullptr;  // the logits stay
            if (classes.soft)
                each_part<T>(span, tile, width, [&](int s, int64_t j, double y) {
                    missed[number * SPAN<T> + s].add(y, double(Z[j * SPAN<T> + s]));
                });
            else if (batch.rows.y)
                each_label<T>(span, tile, width, [&](int s, int64_t j) {
                    classes.at_label[number * SPAN<T> + s] = double(Z[j * SPAN<T> + s]);
                });
            Seen<T> &seen = classes.seen[group * classes.spans + number];
            for (int v = 0; v < span.vectors; ++v) {
                const Vec<T> largest = smoothed ? look_by<T, true>(Z, width, v, kept, capped, known, seen)
                                                : look_by<T, false>(Z, width, v, kept, capped, known, seen);
                for (int lane = 0; ranked && lane < LANES<T> && v * LANES<T> + lane < span.rows; ++lane) {
                    const Best<T> best = classes.best(group, span.start + v * LANES<T> + lane);
                    if (largest[lane] > best.z[best.count - 1]) offer<T>(Z, tile, width, v * LANES<T> + lane, best);
                }
            }
        }
    }
}

// ---- between the sweeps ----

// What all groups have found of a span.
template <class T> Seen<T> joined(const Classes<T> &classes, int64_t number, int vectors) {
    Seen<T> all = classes.seen[number];
    for (int64_t group = 1; group < classes.groups; ++group) {
        const Seen<T> &more = classes.seen[group * classes.spans + number];
        for (int at = 0; at < vectors * LANES<T>; at += LANES<T>) {
            Vec<T> largest = load(all.largest + at);
            Wide<T> others = load_wide<T>(all.others + at), total = load_wide<T>(all.total + at);
            join<T>(largest, others, load(more.largest + at), load_wide<T>(more.others + at));
            total += load_wide<T>(more.total + at);
            store(all.largest + at, largest);
            put<T>(others, all.others + at);
            put<T>(total, all.total + at);
        }
    }
    for (int s = 0; s < SPAN<T>; ++s) all.others[s] += double(all.largest[s] - all.largest[s]);  // NaN for a row with an inf
    return all;
}

// What the targets of a row miss of its largest logit: rowsum, and sum_c y_c (largest - z_c).
template <class T> Missed missed_of(const Span<T> &span, int s, double largest) {
    const Classes<T> &classes = span.batch.classes;
    if (!classes.soft) return {largest, 1, largest - classes.at_label[span.number * SPAN<T> + s]};
    Missed all_of_them = classes.missed[span.number * SPAN<T> + s];
    for (int64_t group = 1; group < classes.groups; ++group)
        all_of_them.join(classes.missed[(group * classes.spans + span.number) * SPAN<T> + s]);
    all_of_them.rise(largest);
    return all_of_them;
}

// The loss of a span, weighted, and what the second sweep makes dZ with. As softmax_cross_entropy_of_... have it: a largest
// logit's exponential is 1 exactly and never meets the others, and its slope is minus the sum of the others.
template <class T> double loss_of_classes(const Span<T> &span) {
    const Batch<T> &batch = span.batch;
    const Classes<T> &classes = batch.classes;
    const Seen<T> seen = joined<T>(classes, span.number, span.vectors);
    Slopes<T> &slopes = classes.slopes[span.number];
    const Cap<T> cap(batch.shape);
    const double share = batch.regularization.label_smoothing, each = share / double(classes.k), z_loss = batch.shape.z_loss;
    if (classes.dA_of_label && !classes.soft) {
        const int64_t of_span = SPAN<T> * batch.layers[batch.shape.depth - 1].d;
        __builtin_memset(classes.dA_of_label + span.number * of_span, 0, size_t(of_span) * sizeof(T));
    }
    double total = 0;
    for (int s = 0; s < span.vectors * LANES<T>; ++s) {
        const bool there = s < span.rows;
        const double weight = there && batch.rows.weight ? batch.rows.weight[batch.row(span.start + s)] : there;
        const double by = double(T(weight / (batch.divisor * batch.shape.temperature)));
        const double largest = double(seen.largest[s]), others = seen.others[s], r = 1 / (1 + others);
        const Missed missed = there ? missed_of<T>(span, s, largest) : Missed{largest, 1, 0};
        const double log_of = log1p_of<double>(all(others))[0], lse = largest + log_of;
        const double spread = each * missed.rowsum, grown = z_loss > 0 ? missed.rowsum + 2 * z_loss * lse : missed.rowsum;
        double cost = missed.rowsum * log_of + missed.below;
        if (share > 0)
            cost = missed.rowsum * log_of + (1 - share) * missed.below - spread * (seen.total[s] - double(classes.k) * largest);
        if (z_loss > 0) cost += z_loss * lse * lse;
        slopes.largest[s] = seen.largest[s];
        slopes.scale[s] = T(r * grown) * T(by);
        slopes.spread[s] = T(spread) * T(by);
        if (there && weight != 0) total += weight * cost;
        if (there && classes.own.active) classes.own.losses[batch.row(span.start + s)] = cost;
        if (classes.soft) {
            classes.soft_slopes[span.number * SPAN<T> + s] = {largest, r, others * r, grown, spread, 1 - share, by};
            continue;
        }
        const double label = classes.at_label[span.number * SPAN<T> + s], true_share = 1 - share + each;
        const double p = __builtin_exp(-missed.below) * r, rest = missed.below == 0 ? others * r : 1 - p;
        const double slope = (p * (grown - true_share) - true_share * rest) * by;
        slopes.at_label[s] = batch.shape.softcap > 0 ? slope * double(cap.slope(all(T(label)))[0]) : slope;
    }
    return total;
}

// Of each row of a span: its loss, its best classes and their probabilities.
template <class T> void summary_of_classes(const Span<T> &span) {
    const Batch<T> &batch = span.batch;
    const Classes<T> &classes = batch.classes;
    const Summary &to = *classes.summary;
    const Seen<T> seen = joined<T>(classes, span.number, span.vectors);
    for (int s = 0; s < span.rows; ++s) {
        const int64_t row = span.start + s, out = batch.begin + row;
        const double largest = double(seen.largest[s]), others = seen.others[s];
        if (to.losses) {
            const double shift = classes.at_label[span.number * SPAN<T> + s] - largest;
            to.losses[out] = log1p_of<double>(all(others))[0] - shift;
        }
        if (to.count == 0) continue;
        Best<T> best = classes.best(0, row);
        for (int64_t group = 1; group < classes.groups; ++group) {
            const Best<T> more = classes.best(group, row);
            for (int64_t i = 0; i < more.count && more.label[i] >= 0; ++i) best.insert(more.z[i], more.label[i]);
        }
        if (others != others) best.clear();  // there is no order among them
        int64_t next = 0;
        for (int64_t i = 0; i < best.count; ++i) {
            for (bool taken = best.label[i] < 0; taken;) {  // one at -inf, the first that is not there yet
                best.label[i] = next++;
                taken = false;
                for (int64_t before = 0; before < i; ++before) taken |= best.label[before] == best.label[i];
            }
            to.labels[out * to.count + i] = best.label[i];
            const double e = exp_of<double>(all(double(best.z[i]) - largest))[0];
            to.probabilities[out * to.count + i] = others != others ? others : e / (1 + others);
        }
    }
}

template <class T> void between_sweeps(const Span<T> &span) {
    if (span.batch.train)
        span.batch.losses[span.number] = loss_of_classes<T>(span);
    else
        summary_of_classes<T>(span);
}

// ---- the second sweep ----

// dZ of the classes of a tile that have a part of the target, from what all classes have: exponentials, or capped logits.
template <class T> void slopes_of_parts(const Span<T> &span, int64_t tile, int64_t width, const T *E, T *dZ) {
    const Batch<T> &batch = span.batch;
    const Cap<T> cap(batch.shape);
    const bool capped = batch.shape.softcap > 0;
    each_part<T>(span, tile, width, [&](int s, int64_t j, double y) {
        const SoftSlope &slope = batch.classes.soft_slopes[span.number * SPAN<T> + s];
        const double e = double(E[j * SPAN<T> + s]), of_tile = capped ? e : double(E[TILE * SPAN<T> + s]);
        const double p = (capped ? 1 : e) * __builtin_exp(of_tile - slope.largest) * slope.inverse;
        const double rest = (capped || e == 1) && of_tile == slope.largest ? slope.not_largest : 1 - p;
        const double share = slope.keep * y + slope.spread;
        const T of_class = T((p * (slope.total - share) - share * rest) * slope.factor);
        dZ[j * SPAN<T> + s] = capped ? of_class * cap.slope(all(T(e)))[0] : of_class;
    });
}

// ---- the true classes of a tile, apart ----

template <class T> void clear_lists(const TileRoom<T> &room) {
    for (int64_t j = 0; j < TILE; ++j) room.first[j] = -1;
}

template <class T> void add_to_list(const TileRoom<T> &room, int64_t j, int64_t row) {
    (room.first[j] < 0 ? room.first[j] : room.next[room.last[j]]) = row;
    room.last[j] = row;
    room.next[row] = -1;
}

// What the labels of a tile add to dW, db and dA.
template <class T> void add_labels(const Batch<T> &batch, const Layer<T> &layer, const TileRoom<T> &room, int64_t width) {
    constexpr int L = LANES<T>;
    const Classes<T> &classes = batch.classes;
    for (int64_t j = 0; j < width; ++j) {
        if (room.first[j] < 0) continue;
        for (int64_t i = 0; i < layer.d; ++i) room.column[i] = 0;
        for (int64_t row = room.first[j]; row >= 0; row = room.next[row]) {
            if (batch.absent(batch.row(row))) continue;
            const int64_t span = row / SPAN<T>, s = row % SPAN<T>;
            const double slope = classes.slopes[span].at_label[s];
            const T *W = room.W + j / L * classes.stride + j % L, *A = layer.A + span * layer.padded * SPAN<T> + s;
            room.db[j] += slope;
            for (int64_t i = 0; !layer.frozen[0] && i < layer.d; ++i) room.column[i] += slope * double(A[i * SPAN<T>]);
            for (int64_t i = 0; classes.below && i < layer.d; ++i) classes.dA_of_label[row * layer.d + i] = T(slope * double(W[i * L]));
        }
        for (int64_t i = 0; !layer.frozen[0] && i < layer.d; ++i) {
            T &to = room.dW[i * TILE + j];
            to = T(double(to) + room.column[i]);
        }
    }
}

// dZ of a tile for a span; true classes that go apart have 0.
template <class T> void slopes_of_tile(const Span<T> &span, int64_t tile, int64_t width, bool apart, const T *E, T *dZ) {
    const Batch<T> &batch = span.batch;
    const Slopes<T> &slopes = batch.classes.slopes[span.number];
    const bool smoothed = batch.regularization.label_smoothing > 0;
    const Cap<T> cap(batch.shape);
    if (batch.shape.softcap > 0)
        smoothed ? slopes_of_capped<T, true>(E, width, span.vectors, slopes, cap, dZ)
                 : slopes_of_capped<T, false>(E, width, span.vectors, slopes, cap, dZ);
    else
        smoothed ? slopes_of<T, true>(E, width, span.vectors, slopes, dZ) : slopes_of<T, false>(E, width, span.vectors, slopes, dZ);
    if (batch.classes.soft)
        slopes_of_parts<T>(span, tile, width, E, dZ);
    else if (apart)
        each_label<T>(span, tile, width, [&](int s, int64_t j) {
            dZ[j * SPAN<T> + s] = 0;
            add_to_list<T>(batch.classes.room[span.worker], j, span.start + s);
        });
    else
        each_label<T>(span, tile, width, [&](int s, int64_t j) { dZ[j * SPAN<T> + s] = T(slopes.at_label[s]); });
    for (int s = 0; batch.rows.weight && s < span.rows; ++s)
        if (batch.absent(batch.row(span.start + s)))  // even where its slope is inf
            for (int64_t j = 0; j < width; ++j) dZ[j * SPAN<T> + s] = 0;
}

// Move the last few numbers of a row, in vectors of their own.
template <class T, int MODE>
INLINE void move_some(Vec<T> g, T *w, T *first, T *second, int64_t some, const Step<T> &step, T factor, bool bias, Vec<T> &square) {
    T block[3][LANES<T>] = {};
    T *from[3] = {w, first, second};
    for (int which = 0; which < (MODE == ADAM ? 3 : 2); ++which)
        for (int64_t c = 0; c < some; ++c) block[which][c] = from[which][c];
    move<T, MODE>(g, block[0], block[1], block[2], step, factor, bias, square);
    for (int which = 0; which < (MODE == ADAM ? 3 : 2); ++which)
        for (int64_t c = 0; c < some; ++c) from[which][c] = block[which][c];
}

template <class T, int MODE>
void use_tile(const Batch<T> &batch, const Layer<T> &layer, int64_t tile, int64_t width, const T *dW, Wide<T> &squares) {
    constexpr int L = LANES<T>;
    const Classes<T> &classes = batch.classes;
    const int64_t k = classes.k;
    Step<T> step = batch.move;
    step.penalty = classes.shorten * classes.penalty;
    for (int64_t i = 0; i < layer.d1; ++i, dW += TILE) {
        const bool bias = i == layer.d;
        const int64_t at = i * k + tile * TILE;
        if (MODE == INTO_SUM) {
            for (int64_t c = 0; c < width; ++c)
                classes.gradient[at + c] =
                    layer.frozen[bias] ? 0 : (batch.first_part ? 0 : classes.gradient[at + c]) + double(dW[c]);
            continue;
        }
        if (layer.frozen[bias]) continue;
        T *w = classes.W + at;
        if (MODE == LENGTH) {
            Wide<T> along = {};
            for (int64_t c = 0; c < width; c += L) {
                const Wide<T> g = Wide<T>::of(load(dW + c)), W = Wide<T>::of(load_some(w + c, width - c));
                for (int q = 0; q < Wide<T>::PARTS; ++q) {
                    const Vec<double> all_of_it = bias ? g.part[q] : g.part[q] + double(classes.penalty) * W.part[q];
                    along.part[q] += all_of_it * all_of_it;
                }
            }
            squares += along;
            continue;
        }
        T *first = classes.first + at, *second = MODE == ADAM ? classes.second + at : nullptr;
        if (!bias)
            for (int64_t c = 0; c < width; c += 64 / int64_t(sizeof(T))) {
                __builtin_prefetch(w + k + c, 1);
                __builtin_prefetch(first + k + c, 1);
                if (MODE == ADAM) __builtin_prefetch(second + k + c, 1);
            }
        Vec<T> square = {};
        int64_t c = 0;
        for (; c + L <= width; c += L)
            move<T, MODE>(classes.shorten * load(dW + c), w + c, first + c, second + c, step, layer.rate_factor[bias], bias,
                          square);
        if (c < width)
            move_some<T, MODE>(classes.shorten * load(dW + c), w + c, first + c, second + c, width - c, step,
                               layer.rate_factor[bias], bias, square);
        squares += Wide<T>::of(square);
    }
}

template <class T, int MODE> void second_sweep_by(const Batch<T> &batch, int worker, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const int64_t depth = batch.shape.depth;
    const Layer<T> &layer = batch.layers[depth - 1];
    const TileRoom<T> &room = classes.room[worker];
    const int64_t spans = (batch.m + SPAN<T> - 1) / SPAN<T>, units = up(layer.d, MR<T>);
    const bool still = layer.frozen[0] && layer.frozen[1];  // the layer has no gradient
    const bool apart = room.W && !classes.soft;
    Wide<T> squares = {};
    const int64_t from = classes.first_tile(group);
    for (int64_t tile = from; tile < classes.first_tile(group + 1) && !(still && !classes.below && MODE != INTO_SUM); ++tile) {
        const int64_t width = classes.width(tile), panels = panels_of<T>(width);
        take_tile<T>(batch, worker, tile);
        if (MODE == INTO_ARRAYS && !batch.first_part) read_gradient<T>(classes, layer, tile, width, room.dW);
        for (int64_t j = 0; j < TILE; ++j)
            room.db[j] = MODE == INTO_ARRAYS && !batch.first_part ? double(room.dW[layer.d * TILE + j]) : 0;
        if (apart) clear_lists<T>(room);
        for (int64_t block = 0; block < spans; block += classes.block) {
            const int64_t end = block + classes.block < spans ? block + classes.block : spans;
            for (int64_t number = block; number < end; ++number) {
                const Span<T> span(batch, worker, number);
                const T *E = classes.exponentials(group, tile - from, number);
                if (!E) {
                    logits_of_tile<T>(span, tile, width, room.Z);
                    if (!(batch.shape.softcap > 0)) exponentials_again<T>(room.Z, width, span.vectors);
                    E = room.Z;
                }
                slopes_of_tile<T>(span, tile, width, apart, E, room.slopes);
                if (classes.below)
                    tile_down<T>(room.W, classes.stride, layer.d, width, room.slopes,
                                 classes.dA + (group * classes.spans + number) * units * SPAN<T>, tile == from, span.vectors);
                if (!still)
                    turn<T>(room.slopes, width, panels, room.dZ, classes.panel, (number - block) * SPAN<T>, span.vectors);
            }
            const int64_t rows = (end * SPAN<T> < batch.m ? end * SPAN<T> : batch.m) - block * SPAN<T>;
            const bool first = block == 0 && (MODE != INTO_ARRAYS || batch.first_part);
            if (!still) bias_of_tile<T>(room.dZ, classes.panel, panels, rows, room.db);
            if (!layer.frozen[0] && room.W)
                gradient_of_tile<T>(layer, layer.A + block * layer.padded * SPAN<T>, room.dZ, classes.panel, panels, rows, first,
                                    room.dW);
            else if (!layer.frozen[0])
                sparse_gradient_of_tile<T>(batch, block * SPAN<T>, rows, room.dZ, panels, first, room.dW);
            if (MODE != INTO_ARRAYS && end < spans) continue;
            // Of a layer that is a call of its own, each block of rows leaves numbers that the caller's arrays can hold: no
            // bit depends on how many blocks are a part.
            if (apart) add_labels<T>(batch, layer, room, width);
            if (apart) clear_lists<T>(room);
            for (int64_t j = 0; j < TILE; ++j) {
                room.dW[layer.d * TILE + j] = T(room.db[j]);
                room.db[j] = double(room.dW[layer.d * TILE + j]);
            }
        }
        if (MODE == INTO_ARRAYS)
            write_gradient<T>(classes, layer, tile, width, room.dW);
        else
            use_tile<T, MODE>(batch, layer, tile, width, room.dW, squares);
    }
    if (MODE != INTO_SUM) (MODE == LENGTH ? classes.lengths : classes.squares)[group] = sum_of<T>(squares);
}

// The step, or the length, from a gradient of the layer that has been summed up in parts.
template <class T, int MODE> void summed_sweep_by(const Batch<T> &batch, int worker, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const Layer<T> &layer = batch.layers[batch.shape.depth - 1];
    T *dW = classes.room[worker].dW;
    Wide<T> squares = {};
    for (int64_t tile = classes.first_tile(group); tile < classes.first_tile(group + 1); ++tile) {
        const int64_t width = classes.width(tile);
        for (int64_t i = 0; i < layer.d1; ++i)
            for (int64_t c = 0; c < TILE; ++c)
                dW[i * TILE + c] = c < width ? T(classes.gradient[i * classes.k + tile * TILE + c]) : T(0);
        use_tile<T, MODE>(batch, layer, tile, width, dW, squares);
    }
    (MODE == LENGTH ? classes.lengths : classes.squares)[group] = sum_of<T>(squares);
}

template <class T, int MODE> void sweep_by(const Batch<T> &batch, int worker, int64_t group) {
    if constexpr (MODE != INTO_SUM && MODE != INTO_ARRAYS)
        if (batch.phase == SUMMED_SWEEP) return summed_sweep_by<T, MODE>(batch, worker, group);
    second_sweep_by<T, MODE>(batch, worker, group);
}

template <class T> void second_sweep(const Batch<T> &batch, int worker, int64_t group) {
    switch (batch.mode) {
    case PLAIN_SGD: return sweep_by<T, PLAIN_SGD>(batch, worker, group);
    case NESTEROV: return sweep_by<T, NESTEROV>(batch, worker, group);
    case ADAM: return sweep_by<T, ADAM>(batch, worker, group);
    case LENGTH: return sweep_by<T, LENGTH>(batch, worker, group);
    case INTO_ARRAYS: return sweep_by<T, INTO_ARRAYS>(batch, worker, group);
    default: return sweep_by<T, INTO_SUM>(batch, worker, group);
    }
}

// dZ of the layer below, from the groups' sums, and on from there; or dA of the embedding, if there is no layer below.
template <class T> void down_from_classes(const Span<T> &span) {
    const Batch<T> &batch = span.batch;
    const int64_t depth = batch.shape.depth, d = batch.layers[depth - 1].d;
    if (depth == 1) {
        const Embedded<T> &embedded = batch.embedded;
        T *dA = embedded.dA + span.number * embedded.units * SPAN<T>;
        for (int64_t i = embedded.from; i < d; ++i)
            for (int v = 0; v < span.vectors; ++v) {
                Vec<T> sum = sum_of_groups<T>(span, i, v);
                for (int s = 0; s < LANES<T>; ++s) sum[s] = v * LANES<T> + s < span.rows ? sum[s] : T(0);
                store(dA + (i - embedded.from) * SPAN<T> + v * LANES<T>, sum);
            }
        return;
    }
    const bool rectified = batch.layers[depth - 2].activation == RELU;
    T *below = span.Z(depth - 2);
    for (int64_t i = 0; i < d; ++i)
        for (int v = 0; v < span.vectors; ++v) {
            T *to = below + i * SPAN<T> + v * LANES<T>;
            store(to, times_slope<T>(load(to), sum_of_groups<T>(span, i, v), rectified));
        }
    for (int64_t l = depth - 2; l >= 0 && l >= batch.lowest; --l) layer_down<T>(span, l);
}

// The sum of the squares of a group's weights, biases left out, before the first step.
template <class T> void measure_group(const Batch<T> &batch, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const int64_t from = classes.first_tile(group) * TILE, end = classes.first_tile(group + 1) * TILE;
    const int64_t width = (end < classes.k ? end : classes.k) - from;
    const Layer<T> &layer = batch.layers[batch.shape.depth - 1];
    double sum = 0;
    for (int64_t i = 0; i < layer.d && !layer.frozen[0]; ++i) {
        const T *w = classes.W + i * classes.k + from;
        Wide<T> row = {};
        for (int64_t c = 0; c < width; c += LANES<T>) {
            const Wide<T> wide = Wide<T>::of(load_some(w + c, width - c));
            for (int q = 0; q < Wide<T>::PARTS; ++q) row.part[q] += wide.part[q] * wide.part[q];
        }
        sum += sum_of<T>(row);
    }
    classes.squares[group] = sum;
}

// One item of any phase.
template <class T> void classes_item(const Batch<T> &batch, int worker, int64_t item) {
    switch (batch.phase) {
    case ROWS_UP: return rows_up<T>(Span<T>(batch, worker, item));
    case FIRST_SWEEP: return first_sweep<T>(batch, worker, item);
    case BETWEEN: return between_sweeps<T>(Span<T>(batch, worker, item));
    case SECOND_SWEEP:
    case SUMMED_SWEEP: return second_sweep<T>(batch, worker, item);
    case ROWS_DOWN:
        return batch.classes.own.active ? write_dA<T>(Span<T>(batch, worker, item))
                                        : down_from_classes<T>(Span<T>(batch, worker, item));
    case MEASURE: return measure_group<T>(batch, item);
    }
}
