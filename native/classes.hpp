// The two sweeps over very many classes (class_tiles.hpp), and what stands between them.

// Up to the last layer.
template <class T> void rows_up(const Span<T> &span) {
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

// ---- the first sweep ----

template <class T> void offer(const T *Z, int64_t tile, int64_t width, int s, Best<T> best) {
    for (int64_t j = 0; j < width; ++j) best.insert(Z[j * SPAN<T> + s], tile * TILE + j);
}

template <class T> void first_sweep(const Batch<T> &batch, int worker, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const Layer<T> &layer = batch.layers[batch.shape.depth - 1];
    const TileRoom<T> &room = classes.room[worker];
    const int64_t spans = (batch.m + SPAN<T> - 1) / SPAN<T>;
    const bool smoothed = batch.regularization.label_smoothing > 0, ranked = classes.summary && classes.summary->count > 0;
    for (int64_t number = 0; number < spans; ++number) start(classes.seen[group * classes.spans + number]);
    for (int64_t row = 0; ranked && row < batch.m; ++row) classes.best(group, row).clear();
    const int64_t from = classes.first_tile(group);
    for (int64_t tile = from; tile < classes.first_tile(group + 1); ++tile) {
        const int64_t width = classes.width(tile);
        pack_classes<T>(classes, layer, tile, width, room.W);
        for (int64_t number = 0; number < spans; ++number) {
            const Span<T> span(batch, worker, number);
            T *kept = classes.exponentials(group, tile - from, number), *Z = kept ? kept : room.Z;
            tile_up<T>(room.W, classes.stride, layer.d1, width, span.A(batch.shape.depth - 1), Z, span.vectors);
            if (batch.rows.y)
                each_label<T>(span, tile, width, [&](int s, int64_t j) {
                    classes.at_label[number * SPAN<T> + s] = double(Z[j * SPAN<T> + s]);
                });
            Seen<T> &seen = classes.seen[group * classes.spans + number];
            for (int v = 0; v < span.vectors; ++v) {
                const Vec<T> largest = smoothed ? (kept ? look_at<T, true, true>(Z, width, v, seen)
                                                        : look_at<T, true, false>(Z, width, v, seen))
                                                : (kept ? look_at<T, false, true>(Z, width, v, seen)
                                                        : look_at<T, false, false>(Z, width, v, seen));
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

// The loss of a span, weighted, and what the second sweep makes dZ with. As softmax_cross_entropy_of_labels has it: a
// largest logit's exponential is 1 exactly and never meets the others, and its slope is minus the sum of the others.
template <class T> double loss_of_classes(const Span<T> &span) {
    constexpr int L = LANES<T>;
    const Batch<T> &batch = span.batch;
    const Classes<T> &classes = batch.classes;
    const Seen<T> seen = joined<T>(classes, span.number, span.vectors);
    Slopes<T> &slopes = classes.slopes[span.number];
    const double share = batch.regularization.label_smoothing, each = share / double(classes.k), true_share = 1 - share + each;
    double loss[SPAN<T>], total = 0;
    for (int v = 0; v < span.vectors; ++v) {
        const int at = v * L;
        double factor[L];
        for (int s = 0; s < L; ++s) {
            const bool there = at + s < span.rows;
            const double weight = there && batch.rows.weight ? batch.rows.weight[batch.row(span.start + at + s)] : there;
            factor[s] = double(T(weight / batch.divisor));
        }
        const Wide<T> others = load_wide<T>(seen.others + at), sums = load_wide<T>(seen.total + at);
        const Wide<T> label = load_wide<T>(classes.at_label + span.number * SPAN<T> + at), log_of = log1p_wide<T>(others);
        const Wide<T> largest = Wide<T>::of(load(seen.largest + at)), r = inverse_sum<T>(others), by = load_wide<T>(factor);
        Wide<T> cost, slope;
        for (int i = 0; i < Wide<T>::PARTS; ++i) {
            const Vec<double> shift = label.part[i] - largest.part[i], p = exp_of<double>(shift) * r.part[i];
            const Vec<double> rest = shift == 0 ? others.part[i] * r.part[i] : 1 - p;
            cost.part[i] = log_of.part[i] - shift;
            slope.part[i] = -rest * by.part[i];
            if (share > 0) {
                cost.part[i] = log_of.part[i] - (1 - share) * shift -
                               each * (sums.part[i] - double(classes.k) * largest.part[i]);
                slope.part[i] = (p * (1 - true_share) - true_share * rest) * by.part[i];
            }
        }
        put<T>(cost, loss + at);
        store(slopes.largest + at, load(seen.largest + at));
        store(slopes.scale + at, r.narrow() * by.narrow());
        store(slopes.spread + at, T(each) * by.narrow());
        store(slopes.at_label + at, slope.narrow());
    }
    for (int s = 0; s < span.rows; ++s) {
        const double weight = batch.rows.weight ? batch.rows.weight[batch.row(span.start + s)] : 1;
        if (classes.own.active) classes.own.losses[batch.row(span.start + s)] = loss[s];
        if (weight != 0) total += weight * loss[s];
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
                classes.gradient[at + c] = (batch.first_part ? 0 : classes.gradient[at + c]) + double(dW[c]);
            continue;
        }
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
    const bool smoothed = batch.regularization.label_smoothing > 0;
    const bool of_weights = MODE != INTO_ARRAYS || classes.own.dW || classes.own.db;
    Wide<T> squares = {};
    const int64_t from = classes.first_tile(group);
    for (int64_t tile = from; tile < classes.first_tile(group + 1); ++tile) {
        const int64_t width = classes.width(tile), panels = panels_of<T>(width);
        pack_classes<T>(classes, layer, tile, width, room.W);
        if (MODE == INTO_ARRAYS && !batch.first_part) read_gradient<T>(classes, layer, tile, width, room.dW);
        for (int64_t block = 0; block < spans; block += classes.block) {
            const int64_t end = block + classes.block < spans ? block + classes.block : spans;
            for (int64_t number = block; number < end; ++number) {
                const Span<T> span(batch, worker, number);
                const Slopes<T> &slopes = classes.slopes[number];
                const T *E = classes.exponentials(group, tile - from, number);
                if (!E) {
                    tile_up<T>(room.W, classes.stride, layer.d1, width, span.A(depth - 1), room.Z, span.vectors);
                    exponentials_again<T>(room.Z, width, span.vectors);
                    E = room.Z;
                }
                smoothed ? slopes_of<T, true>(E, width, span.vectors, slopes, room.Z)
                         : slopes_of<T, false>(E, width, span.vectors, slopes, room.Z);
                each_label<T>(span, tile, width, [&](int s, int64_t j) { room.Z[j * SPAN<T> + s] = slopes.at_label[s]; });
                for (int s = 0; batch.rows.weight && s < span.rows; ++s)
                    if (batch.absent(batch.row(span.start + s)))  // even where its slope is inf
                        for (int64_t j = 0; j < width; ++j) room.Z[j * SPAN<T> + s] = 0;
                if (classes.below)
                    tile_down<T>(room.W, classes.stride, layer.d, width, room.Z,
                                 classes.dA + (group * classes.spans + number) * units * SPAN<T>, tile == from, span.vectors);
                if (of_weights) turn<T>(room.Z, width, panels, room.dZ, classes.panel, (number - block) * SPAN<T>, span.vectors);
            }
            if (!of_weights) continue;
            const int64_t rows = (end * SPAN<T> < batch.m ? end * SPAN<T> : batch.m) - block * SPAN<T>;
            gradient_of_tile<T>(layer, layer.A + block * layer.padded * SPAN<T>, room.dZ, classes.panel, panels, rows,
                                block == 0 && (MODE != INTO_ARRAYS || batch.first_part), room.dW);
        }
        if (MODE == INTO_ARRAYS)
            write_gradient<T>(classes, layer, tile, width, room.dW);
        else
            use_tile<T, MODE>(batch, layer, tile, width, room.dW, squares);
    }
    if (MODE != INTO_SUM) (MODE == LENGTH ? classes.lengths : classes.squares)[group] = sum_of<T>(squares);
}

template <class T> void second_sweep(const Batch<T> &batch, int worker, int64_t group) {
    switch (batch.mode) {
    case PLAIN_SGD: return second_sweep_by<T, PLAIN_SGD>(batch, worker, group);
    case NESTEROV: return second_sweep_by<T, NESTEROV>(batch, worker, group);
    case ADAM: return second_sweep_by<T, ADAM>(batch, worker, group);
    case LENGTH: return second_sweep_by<T, LENGTH>(batch, worker, group);
    case INTO_ARRAYS: return second_sweep_by<T, INTO_ARRAYS>(batch, worker, group);
    default: return second_sweep_by<T, INTO_SUM>(batch, worker, group);
    }
}

// dZ of the layer below, from the groups' sums, and on from there.
template <class T> void down_from_classes(const Span<T> &span) {
    const Batch<T> &batch = span.batch;
    const Classes<T> &classes = batch.classes;
    const int64_t depth = batch.shape.depth, d = batch.layers[depth - 1].d, units = up(d, MR<T>);
    const bool rectified = batch.layers[depth - 2].activation == RELU;
    T *below = span.Z(depth - 2);
    for (int64_t i = 0; i < d; ++i)
        for (int64_t at = i * SPAN<T>; at < i * SPAN<T> + span.vectors * LANES<T>; at += LANES<T>) {
            Wide<T> sum = {};
            for (int64_t group = 0; group < classes.groups; ++group)
                sum += Wide<T>::of(load(classes.dA + (group * classes.spans + span.number) * units * SPAN<T> + at));
            store(below + at, times_slope<T>(load(below + at), sum.narrow(), rectified));
        }
    for (int64_t l = depth - 2; l >= 0; --l) layer_down<T>(span, l);
}

// The sum of the squares of a group's weights, biases left out, before the first step.
template <class T> void measure_group(const Batch<T> &batch, int64_t group) {
    const Classes<T> &classes = batch.classes;
    const int64_t from = classes.first_tile(group) * TILE, end = classes.first_tile(group + 1) * TILE;
    const int64_t width = (end < classes.k ? end : classes.k) - from;
    double sum = 0;
    for (int64_t i = 0; i < batch.layers[batch.shape.depth - 1].d; ++i) {
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
    case SECOND_SWEEP: return second_sweep<T>(batch, worker, item);
    case ROWS_DOWN:
        return batch.classes.own.active ? write_dA<T>(Span<T>(batch, worker, item))
                                        : down_from_classes<T>(Span<T>(batch, worker, item));
    case MEASURE: return measure_group<T>(batch, item);
    }
}
