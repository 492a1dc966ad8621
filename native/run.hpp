// The calls: epochs, loss and gradient of all rows, logits or probabilities; their memory, threads and ends.

// A network's parameters and a rule's state as the caller has them.
template <class T> struct Arrays {
    T *theta, *first, *second, *unscaled;
};

// What the memory of a session is cut for.
struct Cut {
    bool in_place;  // the last layer, by tiles of classes
    bool in_parts;  // the gradient
    bool sparse, mixed;
    bool soft, summed;  // by tiles of classes: the targets are more than labels; the gradient's sum
    int64_t samples;
    int workers;

    bool serves(const Cut &other) const {  // the groups of classes, and so the bits, depend on the number of samples
        return in_place == other.in_place && sparse == other.sparse && in_parts >= other.in_parts && mixed >= other.mixed &&
               soft >= other.soft && summed >= other.summed &&
               (in_place ? samples == other.samples : samples >= other.samples) && workers >= other.workers;
    }
};

template <class T> struct Run {
    Batch<T> batch = {};
    Arena of_layers, memory;
    int n_workers = 1;
    bool teamed = false, stopped = false;
    bool committed = false;   // the caller's arrays are being moved: a step that has begun comes to its end
    bool row_by_row = false;  // a prediction of few rows: one at a time, with the weights as they lie
    int64_t items = 0, look_interval = 1, until_look = 0;  // items between two looks at whether to stop
    double flops_a_row = 0;

    // Whether the last layer goes by tiles of classes (classes.hpp), so that nothing of its size is held beside it.
    static bool by_classes(const Shape &shape, const Rows &rows, const Regularization &regularization, const Workers &workers) {
        const bool of_candidates = shape.loss == CANDIDATE_CROSS_ENTROPY;  // of one label a row, it is the cross-entropy
        const bool labels_alone = rows.y && !(regularization.label_smoothing > 0);
        return MANY_CLASSES && shape.sizes[shape.depth] >= workers.many && shape.output == SOFTMAX_OUTPUT &&
               (shape.loss == CROSS_ENTROPY || (of_candidates && (labels_alone || !(rows.Y || rows.target_starts))));
    }

    // What all calls have in common. False where there is no memory.
    bool begin_with(const Shape &shape, const Rows &rows, const Regularization &regularization, Workers &workers,
                    bool by_classes = false) {
        batch.classes.active = by_classes;
        batch.shape = shape;
        batch.rows = rows;
        batch.regularization = regularization;
        batch.workers = &workers;
        batch.sparse = rows.starts && !shape.embedding;
        batch.d = shape.embedding ? shape.embedding->d : shape.sizes[0];
        batch.lowest = lowest_moving(shape);
        batch.shorten = 1;
        if (!allocate(of_layers, [&](Arena &arena) { batch.layers = arena.take<Layer<T>>(shape.depth); })) return false;
        flops_a_row = 0;
        items = batch.layers_items = describe<T>(shape, regularization.dropout, batch.sparse, by_classes, batch.layers);
        for (int64_t l = 0; l < shape.depth; ++l)
            flops_a_row += 2.0 * double(batch.layers[l].d1) * double(batch.layers[l].h);
        return true;
    }

    // As many threads as the work between two barriers is worth.
    void gather(double flops) {
        const double worth = flops * double(sizeof(T)) / (WORTH_A_THREAD * LANES<float>);
        const int threads = worth < batch.workers->threads ? int(worth) : batch.workers->threads;
        n_workers = 1;
        if (threads <= 1 || !batch.workers->team) return;
        const int highest = gather_helpers(*batch.workers->team, threads - 1, work, this);
        teamed = highest > 0;
        n_workers = highest + 1;
    }
    void dismiss() {
        if (teamed) dismiss_helpers(*batch.workers->team);
        teamed = false;
    }

    // The threads, and the memory of all workers.
    template <class Plan> bool prepare(double flops, int64_t samples, bool adam, Plan plan) {
        gather(flops);
        return lay_out(samples, adam, plan);
    }

    template <class Plan> bool lay_out(int64_t samples, bool adam, Plan plan) {
        const int64_t depth = batch.shape.depth, packed_layers = depth - batch.classes.active;
        const int64_t spans = batch.train || batch.classes.active ? (samples + SPAN<T> - 1) / SPAN<T> : n_workers;
        batch.dZ_stride = (spans * SPAN<T> + 1) * LANES<T>;
        const auto divide = [&](Arena &arena) {
            for (int64_t l = 0; l < depth; ++l) {
                Layer<T> &layer = batch.layers[l];
                layer.W = row_by_row || l == packed_layers ? nullptr : arena.take<T>(packed(layer));
                const bool none = l == 0 ? batch.sparse || (row_by_row && !batch.shape.embedding) : row_by_row;
                layer.A = none ? nullptr : arena.take<T>(spans * layer.padded * SPAN<T>);
                layer.dZ = batch.train && l < packed_layers ? arena.take<T>(layer.panels * batch.dZ_stride) : nullptr;
            }
            if (batch.shape.embedding)
                describe<T>(*batch.shape.embedding, batch.shape.frozen ? batch.shape.frozen + 2 * depth : nullptr,
                            batch.layers[0], batch.train ? spans : 0, adam, arena, batch.embedded);
            batch.losses = arena.take<double>(spans);
            batch.squares = arena.take<double>(items);
            batch.lengths = arena.take<double>(items);
            batch.scratch = arena.take<Scratch<T>>(n_workers);
            for (int worker = 0; worker < n_workers; ++worker) scratch_of(arena, worker);
            plan(arena);
            if (batch.classes.active) classes_of(arena, spans);
        };
        if (!allocate(memory, divide)) return false;
        items += batch.embedded.items;
        for (int64_t l = 0; l < depth; ++l) {
            const Layer<T> &layer = batch.layers[l];
            for (int64_t span = 0; layer.A && span < spans; ++span)
                for (int64_t i = layer.d; i < layer.padded; ++i)
                    for (int64_t s = 0; s < SPAN<T>; ++s)
                        layer.A[(span * layer.padded + i) * SPAN<T> + s] = T(i == layer.d ? 1 : 0);
        }
        return true;
    }

    void scratch_of(Arena &arena, int worker) {
        constexpr int64_t WHOLE = LANES<T> > MR<T> ? LANES<T> : MR<T>;
        Scratch<T> own = {};
        own.Z = arena.take<T *>(batch.shape.depth);
        for (int64_t l = 0; l < batch.shape.depth - batch.classes.active; ++l) {
            T *Z = arena.take<T>(up(batch.layers[l].h, WHOLE) * SPAN<T>);
            if (own.Z) own.Z[l] = Z;
        }
        if (batch.train) {
            const int64_t of_classes = batch.classes.active ? 0 : batch.shape.sizes[batch.shape.depth] * SPAN<T>;
            own.Y = arena.take<T>(of_classes);
            if (of_classes && (batch.shape.softcap > 0 || batch.shape.z_loss > 0)) own.capped = arena.take<T>(of_classes);
            own.mask = arena.take<T>(SPAN<T>);
            own.nothing = batch.rows.X ? arena.take<T>(batch.d) : nullptr;
            if (batch.regularization.mixup > 0 && batch.rows.X) own.blends = arena.take<T>(SPAN<T> * batch.d);
            if (batch.sparse) own.gradient_panel = arena.take<T>(batch.layers[0].padded * LANES<T>);
        }
        if (!batch.scratch) return;
        if (own.nothing) __builtin_memset(own.nothing, 0, size_t(batch.d) * sizeof(T));
        batch.scratch[worker] = own;
    }

    // The number of tiles and groups, from the shape alone.
    void cut_classes(int64_t samples) {
        Classes<T> &classes = batch.classes;
        const int64_t depth = batch.shape.depth, of_group = up(batch.layers[depth - 1].d, MR<T>) * samples * int64_t(sizeof(T));
        classes.k = batch.shape.sizes[depth];
        classes.tiles = (classes.k + TILE - 1) / TILE;
        classes.groups = batch.train && of_group > 0 ? OF_GROUPS / of_group : MOST_GROUPS;
        classes.groups = classes.groups < LEAST_GROUPS ? LEAST_GROUPS : classes.groups;
        classes.groups = classes.groups < MOST_GROUPS ? classes.groups : MOST_GROUPS;
        classes.groups = classes.groups < classes.tiles ? classes.groups : classes.tiles;
    }

    // The last of all: what is left of the memory keeps exponentials.
    void classes_of(Arena &arena, int64_t spans) {
        Classes<T> &classes = batch.classes;
        const int64_t depth = batch.shape.depth, groups = classes.groups;
        const Layer<T> &layer = batch.layers[depth - 1];
        classes.spans = spans;
        classes.stride = layer.stride;
        classes.block = BLOCK_ROWS / SPAN<T>;
        classes.panel = (classes.block * SPAN<T> + 1) * LANES<T>;
        classes.seen = arena.take<Seen<T>>(groups * spans);
        classes.at_label = arena.take<double>(spans * SPAN<T>);
        classes.slopes = arena.take<Slopes<T>>(spans);
        classes.soft = batch.train && (batch.rows.Y || batch.rows.target_starts || batch.regularization.mixup > 0);
        classes.missed = arena.take<Missed>(classes.soft ? groups * spans * SPAN<T> : 0);
        classes.soft_slopes = arena.take<SoftSlope>(classes.soft ? spans * SPAN<T> : 0);
        classes.squares = arena.take<double>(groups);
        classes.lengths = arena.take<double>(groups);
        classes.room = arena.take<TileRoom<T>>(n_workers);
        for (int worker = 0; worker < n_workers; ++worker) {
            TileRoom<T> room = {};
            room.W = depth > 1 || !batch.sparse ? arena.take<T>(TILE / LANES<T> * layer.stride) : nullptr;
            room.Z = arena.take<T>((TILE + 1) * SPAN<T>);
            room.slopes = classes.soft ? arena.take<T>(TILE * SPAN<T>) : room.Z;
            room.dZ = batch.train ? arena.take<T>(TILE / LANES<T> * classes.panel) : nullptr;
            room.dW = batch.train ? arena.take<T>(layer.padded * TILE) : nullptr;
            room.db = arena.take<double>(batch.train ? TILE : 0);
            room.column = arena.take<double>(batch.train ? layer.d : 0);
            room.first = arena.take<int64_t>(batch.train ? TILE : 0);
            room.last = arena.take<int64_t>(batch.train ? TILE : 0);
            room.next = arena.take<int64_t>(batch.train ? spans * SPAN<T> : 0);
            if (classes.room) classes.room[worker] = room;
        }
        if (classes.summary) {
            classes.best_z = arena.take<T>(groups * spans * SPAN<T> * classes.summary->count);
            classes.best_label = arena.take<int64_t>(groups * spans * SPAN<T> * classes.summary->count);
        }
        if (!batch.train || (classes.own.active && !classes.own.any_gradient())) return;
        if (batch.lowest < depth - 1 || classes.own.dA) {
            classes.dA = arena.take<T>(groups * spans * up(layer.d, MR<T>) * SPAN<T>);
            classes.dA_of_label = arena.take<T>(spans * SPAN<T> * layer.d);
        }
        classes.hidden = arena.take<T *>(spans * (depth - 1));
        for (int64_t at = 0; at < spans * (depth - 1); ++at) {
            T *Z = arena.take<T>(up(batch.layers[at % (depth - 1)].h, LANES<T> > MR<T> ? LANES<T> : MR<T>) * SPAN<T>);
            if (arena.base) classes.hidden[at] = Z;
        }
        const int64_t of_tile = groups * spans * (TILE + 1) * SPAN<T>, each = (classes.tiles + groups - 1) / groups;
        if (!arena.base && of_tile > 0) {
            const int64_t left = batch.workers->memory - int64_t(arena.used) - copy_bytes, fit = left / (of_tile * int64_t(sizeof(T)));
            classes.kept = fit < 0 ? 0 : fit < each ? fit : each;
        }
        classes.E = arena.take<T>(classes.kept * of_tile);
    }

    void pack_weights(const void *theta) {
        const T *W = static_cast<const T *>(theta);
        for (int64_t l = 0; l < batch.shape.depth; W += batch.layers[l].d1 * batch.layers[l].h, ++l)
            if (batch.layers[l].W) pack<T>(batch.layers[l], W, batch.layers[l].W);
        if (batch.shape.embedding) pack<T>(batch.embedded, W, batch.embedded.theta);
    }

    static void work(void *context, int worker, int64_t item) {
        Run &run = *static_cast<Run *>(context);
        if (worker == 0 && !run.committed && --run.until_look <= 0) {
            run.until_look = run.look_interval;
            if (run.batch.workers->interrupted()) __atomic_store_n(&run.stopped, true, __ATOMIC_RELAXED);
        }
        if (__atomic_load_n(&run.stopped, __ATOMIC_RELAXED)) return;
        Batch<T> &batch = run.batch;
        switch (batch.phase) {
        case FORWARD: return forward_item(run, worker, item);
        case ROWS: return rows_item<T>(batch, worker, item);
        case WEIGHTS: return weights_item<T>(batch, worker, item);
        default:
            if constexpr (MANY_CLASSES) classes_item<T>(batch, worker, item);
        }
    }

    // Do the items, on all threads that have joined; false where the user has interrupted the call.
    bool phase(int what, int64_t count) {
        batch.phase = what;
        if (teamed)
            run_phase(*batch.workers->team, count);
        else
            for (int64_t item = 0; item < count; ++item) work(this, 0, item);
        return !__atomic_load_n(&stopped, __ATOMIC_RELAXED);
    }

    bool rows_up_and_down() {
        look_interval = 1 + int64_t(WORTH_A_LOOK / (flops_a_row * SPAN<T>));
        return phase(ROWS, (batch.m + SPAN<T> - 1) / SPAN<T>);
    }

    // The rows up to their losses, and down again: the last layer by tiles of classes.
    bool up_by_classes() {
        const int64_t spans = (batch.m + SPAN<T> - 1) / SPAN<T>;
        look_interval = 1;
        return phase(ROWS_UP, spans) && phase(FIRST_SWEEP, batch.classes.groups) && phase(BETWEEN, spans);
    }
    bool down_by_classes(int mode, bool all_the_way = true) {
        Classes<T> &classes = batch.classes;
        batch.mode = mode;
        classes.penalty = T(batch.regularization.alpha / batch.divisor);
        classes.shorten = T(batch.shorten);
        classes.below = classes.dA && all_the_way;
        if (!phase(SECOND_SWEEP, classes.groups)) return false;
        return !classes.below || phase(ROWS_DOWN, (batch.m + SPAN<T> - 1) / SPAN<T>);
    }

    // The length of the last layer's gradient, or its step, from the sum of the gradient.
    bool sweep_of_sums(int mode) {
        batch.mode = mode;
        batch.classes.penalty = T(batch.regularization.alpha / batch.divisor);
        batch.classes.shorten = T(batch.shorten);
        return phase(SUMMED_SWEEP, batch.classes.groups);
    }

    // Whether the sum of the last layer's gradient takes less memory than what a batch holds of its rows.
    static bool sum_is_less(const Shape &shape, int64_t rows) {
        const int64_t d = shape.sizes[shape.depth - 1], k = shape.sizes[shape.depth];
        int64_t numbers = LEAST_GROUPS * d;
        for (int64_t l = 0; l < shape.depth; ++l) numbers += (l > 0 ? 3 : 1) * shape.sizes[l];
        return double(rows) * double(numbers) * double(sizeof(T)) > 8.0 * double(d + 1) * double(k);
    }

    bool weights(int what, int mode) {
        batch.weights_task = what;
        batch.mode = mode;
        return phase(WEIGHTS, items);
    }

    double loss_of_spans() const {
        double sum = 0;
        for (int64_t span = 0; span * SPAN<T> < batch.m; ++span) sum += batch.losses[span];
        return sum;
    }

    double total(const double *of_items) const {
        double sum = 0;
        for (int64_t item = 0; item < batch.layers_items; ++item) sum += of_items[item];
        return sum;
    }

    double squares() const {  // of all weights
        double sum = total(batch.squares) + batch.embedded.squares;
        for (int64_t group = 0; batch.classes.active && group < batch.classes.groups; ++group) sum += batch.classes.squares[group];
        return sum;
    }

    void measure_squares() {
        for (int64_t item = 0; item < batch.layers_items; ++item) batch.squares[item] = 0;
        if (batch.regularization.alpha > 0 && batch.shape.embedding) batch.embedded.squares = squares_of<T>(batch.embedded);
        if (batch.regularization.alpha > 0)
            for (int64_t l = 0; l < batch.shape.depth; ++l)
                if (batch.layers[l].W) batch.squares[batch.layers[l].first_item] = squares_of<T>(batch.layers[l]);
        if (!batch.classes.active) return;
        for (int64_t group = 0; group < batch.classes.groups; ++group) batch.classes.squares[group] = 0;
        if (batch.regularization.alpha > 0) phase(MEASURE, batch.classes.groups);
    }

    Outcome end(Outcome outcome) {
        dismiss();
        release(memory);
        release(of_layers);
        release(of_copy);
        return outcome;
    }

    // ---- a session of epochs ----
    //
    // Weights and state are packed by the first epoch and stay so. `packed`: whether they are; `told`: whether the caller's
    // arrays say the same. The last layer, where it goes by tiles, is the caller's own and always told.

    Arrays<T> given = {}, copy = {};  // the caller's; the state before the first step of an epoch, if it is kept
    Arena of_copy;
    int64_t copy_bytes = 0;
    bool keeps = false, copied = false, packed_now = false, told = true, moved = false;
    Epoch task = {};
    Cut cut = {};
    bool in_parts = false, summed = false;  // the gradient comes in parts; that of a last layer by tiles too, as a sum
    int64_t samples = 0, row = 0, taken = 0, t = 0, t_before = 0;  // rows and steps of the epoch that are done
    double sum = 0;
    Powers powers = {};

    void open(const Epoch &of, bool keep) {
        given = {static_cast<T *>(of.theta), static_cast<T *>(of.first), static_cast<T *>(of.second),
                 static_cast<T *>(of.unscaled)};
        task = of;
        keeps = keep;
        t = t_before = of.rule.t;
    }

    // Set an epoch up. False where there is no memory.
    bool begin(const Epoch &next, Workers &workers) {
        task = next;
        task.rule.t = t;
        batch.train = true;
        batch.workers = &workers;
        if (task.batch_size > task.rows.n) task.batch_size = task.rows.n;
        const int64_t batch_size = task.batch_size;
        // To clip a gradient takes another sweep: first its length. A very large batch comes in parts, with the sum of the
        // last layer's gradient in memory, if that is less than what the whole batch would take.
        const bool in_place = by_classes(task.shape, task.rows, task.regularization, workers) &&
                              !(task.unscaled && task.shape.depth == 1);
        summed = in_place && batch_size > MOST_ROWS && sum_is_less(task.shape, batch_size);
        in_parts = task.regularization.clip_norm > 0 || summed || (!in_place && batch_size > SAMPLES);
        const int64_t most = summed ? 2 * SAMPLES : in_place ? batch_size : SAMPLES;
        samples = batch_size < most ? batch_size : most;
        stopped = false;
        gather(flops_of_part());
        const Cut wanted = {in_place,       in_parts, task.rows.starts && !task.shape.embedding, task.regularization.mixup > 0,
                            soft_targets(), summed,   samples,                                   n_workers};
        if ((!memory.base || !cut.serves(wanted)) && !cut_for(wanted)) {
            dismiss();
            return false;
        }
        batch.rows = task.rows;
        batch.regularization = task.regularization;
        batch.classes.soft = cut.in_place && soft_targets();
        set_rates();
        if (!packed_now) pack_all();
        measure_squares();
        powers = Powers(task.rule);
        row = taken = 0;
        sum = 0;
        return true;
    }

    bool soft_targets() const { return task.rows.Y || task.rows.target_starts || task.regularization.mixup > 0; }

    double flops_of_part() const {
        double flops = 0;
        for (int64_t l = 0; l < task.shape.depth; ++l) flops += double(task.shape.sizes[l] + 1) * double(task.shape.sizes[l + 1]);
        return 6 * flops * double(samples);
    }

    // Lay the memory out anew; what is packed goes back to the caller first.
    bool cut_for(const Cut &wanted) {
        read();
        packed_now = false;
        release(memory);
        release(of_layers);
        cut = wanted;
        n_workers = wanted.workers;
        if (!copy.theta && !make_copy()) return false;
        if (!begin_with(task.shape, task.rows, task.regularization, *batch.workers, cut.in_place)) return false;
        if (cut.in_place) cut_classes(samples);
        const int64_t depth = task.shape.depth;
        return lay_out(samples, task.rule.adam, [&](Arena &arena) {
            for (int64_t l = 0; l < depth - cut.in_place; ++l) {
                Layer<T> &layer = batch.layers[l];
                layer.first = arena.take<T>(packed(layer));
                layer.second = task.rule.adam ? arena.take<T>(packed(layer)) : nullptr;
                layer.sum = cut.in_parts || (task.unscaled && l == 0) ? arena.take<double>(packed(layer)) : nullptr;
            }
            if (task.unscaled) {
                scaled.V = arena.take<T>(packed(batch.layers[0]));
                T **each[] = {&scaled.s, &scaled.first, &scaled.second, &scaled.ds};
                for (T **array : each) *array = arena.take<T>(up(batch.layers[0].d, LANES<T>));
            }
            batch.shares = cut.mixed ? arena.take<double>(samples) : nullptr;
            if (cut.summed) batch.classes.gradient = arena.take<double>(batch.layers[depth - 1].d1 * batch.classes.k);
        });
    }

    // Room for the state before an epoch, unless it is very large.
    bool make_copy() {
        const int64_t moving = task.parameters + (task.unscaled ? task.shape.sizes[0] : 0);
        const int64_t numbers = task.parameters + moving * (1 + bool(given.second) + bool(given.unscaled));
        const int64_t bytes = numbers * int64_t(sizeof(T));
        keeps = keeps && (cut.in_place ? bytes <= batch.workers->memory / 2 : task.parameters <= MOST_KEPT);
        if (!keeps) return true;
        copy_bytes = bytes;
        return allocate(of_copy, [&](Arena &arena) {
            copy.theta = arena.take<T>(task.parameters);
            copy.first = arena.take<T>(moving);
            copy.second = given.second ? arena.take<T>(moving) : nullptr;
            copy.unscaled = given.unscaled ? arena.take<T>(moving) : nullptr;
        });
    }

    void set_rates() {
        const Rule &rule = task.rule;
        for (int64_t l = 0; l < task.shape.depth; ++l) {
            Layer<T> &layer = batch.layers[l];
            const bool hidden = l + 1 < task.shape.depth;
            layer.dropped = hidden && task.regularization.dropout ? task.regularization.dropout[l] : 0;
            for (int which = 0; which < 2; ++which)
                layer.rate_factor[which] = rule.factors ? T(rule.factors[2 * l + which]) : T(1);
        }
        for (int64_t i = 0; i < batch.embedded.n_learned; ++i)
            batch.embedded.learned[i].rate_factor = rule.factors ? T(rule.factors[2 * task.shape.depth + i]) : T(1);
        scaled.rate_factor = T(rule.scale_factor);
    }

    void pack_all() {
        pack_weights(given.theta);
        if (cut.in_place) point_at_given();
        each_state(given, [](const auto &layer, T *first, T *second) {
            pack<T>(layer, first, layer.first);
            if (second) pack<T>(layer, second, layer.second);
        });
        if (given.unscaled) begin_scaled();
        packed_now = told = true;
    }

    // Copy everything to arrays as the caller has them.
    void unpack_all(const Arrays<T> &to) {
        T *W = to.theta;
        for (int64_t l = 0; l < task.shape.depth; W += batch.layers[l].d1 * batch.layers[l].h, ++l)
            if (batch.layers[l].W) unpack<T, T>(batch.layers[l], batch.layers[l].W, W);
        if (task.shape.embedding) unpack<T, T>(batch.embedded, batch.embedded.theta, W);
        each_state(to, [](const auto &layer, T *first, T *second) {
            unpack<T, T>(layer, layer.first, first);
            if (second) unpack<T, T>(layer, layer.second, second);
        });
        if (to.unscaled) end_scaled(to);
        if (!cut.in_place || to.theta == given.theta) return;
        const int64_t at = last_layer(), count = batch.layers[task.shape.depth - 1].d1 * batch.layers[task.shape.depth - 1].h;
        const Arrays<T> &from = given;
        copy_numbers(from.theta + at, to.theta + at, count);
        copy_numbers(from.first + at, to.first + at, count);
        if (to.second) copy_numbers(from.second + at, to.second + at, count);
    }

    static void copy_numbers(const T *from, T *to, int64_t count) { __builtin_memcpy(to, from, size_t(count) * sizeof(T)); }

    // Before the first step of an epoch, whose first loss is finite. Without a copy the caller's arrays keep the state, but for
    // a layer that is moved in place.
    void remember() {
        if (copy.theta)
            unpack_all(copy);
        else if (!cut.in_place)
            read();
        copied = copy.theta;
        t_before = task.rule.t;
    }

    // The state before the first step of the last epoch whose first loss was finite; false where there is none to go back to.
    bool go_back() {
        if (copied) {
            const int64_t moving = task.parameters + (given.unscaled ? task.shape.sizes[0] : 0);
            copy_numbers(copy.theta, given.theta, task.parameters);
            copy_numbers(copy.first, given.first, moving);
            if (given.second) copy_numbers(copy.second, given.second, moving);
            if (given.unscaled) {
                copy_numbers(copy.unscaled, given.unscaled, task.shape.sizes[0] * task.shape.sizes[1]);
                copy_numbers(copy.unscaled + task.parameters, given.unscaled + task.parameters, task.shape.sizes[0]);
            }
        } else if (cut.in_place || told) {
            return !moved;
        }
        t = t_before;
        forget();
        return true;
    }

    // Tell the caller.
    void read() {
        if (packed_now && !told) unpack_all(given);
        told = true;
    }

    // The caller's arrays have been changed, or may have been.
    void forget() {
        packed_now = false;
        told = true;
    }

    // Take up to `most` more steps of the epoch. An interruption ends between two steps, and leads back to before the first
    // one, if that can be.
    Outcome steps(int64_t most, Workers &workers) {
        batch.workers = &workers;
        if (!teamed) gather(flops_of_part());
        if (n_workers > cut.workers) dismiss();  // there are more now, and no room for them
        const bool in_place = cut.in_place, clipped = task.regularization.clip_norm > 0;
        const Rule &rule = task.rule;
        const int mode = rule.adam ? ADAM : rule.nesterov ? NESTEROV : PLAIN_SGD;
        Outcome outcome = {0, 0, DONE, true};
        for (; row < task.rows.n && most > 0; row += task.batch_size, --most) {
            const int64_t m = task.rows.n - row < task.batch_size ? task.rows.n - row : task.batch_size;
            batch.divisor = double(m) * task.rows.mean_weight;
            batch.step = task.first_step + taken;
            batch.mixup = task.regularization.mixup * (task.mixup_factors ? task.mixup_factors[taken] : 1);
            batch.last = task.order[row + m - 1];
            powers.next(rule);
            double loss = 0;
            bool going = true;
            for (int64_t part = 0; going && part < m; part += samples) {
                batch.index = task.order + row + part;
                batch.m = m - part < samples ? m - part : samples;
                batch.first_part = part == 0;
                going = in_place ? up_by_classes() : rows_up_and_down();
                if (going) loss += loss_of_spans();
                if (going && in_place && in_parts) {
                    batch.shorten = 1;
                    going = down_by_classes(summed ? INTO_SUM : LENGTH);
                }
                if (going && in_parts) going = weights(GRADIENT, INTO_SUM);
            }
            const double penalty = task.regularization.alpha / batch.divisor;
            loss = loss / batch.divisor + (penalty > 0 ? penalty / 2 * squares() : 0);
            if (going && !__builtin_isfinite(loss)) {
                outcome = {loss, 0, NOT_FINITE, true};
                break;
            }
            batch.move = step_of<T>(rule, powers, task.regularization, task.rates[taken], batch.divisor);
            batch.shorten = 1;
            if (going && in_parts) {
                batch.move.penalty = 0;  // it is part of the sum now
                going = weights(PENALTY, INTO_SUM) && (!(summed && clipped) || sweep_of_sums(LENGTH));
                double length = total(batch.lengths);
                for (int64_t group = 0; in_place && group < batch.classes.groups; ++group) length += batch.classes.lengths[group];
                if (task.shape.embedding) length += penalised<T>(batch.embedded, penalty);
                length = __builtin_sqrt(length);
                const double longest = task.regularization.clip_norm;
                batch.shorten = longest > 0 && length > longest ? longest / length : 1;
            }
            if (!going) {
                outcome.ending = INTERRUPTED;
                break;
            }
            if (taken == 0) remember();
            committed = true;
            told = false;
            moved = true;
            if (in_place) summed ? sweep_of_sums(mode) : down_by_classes(mode, !clipped);
            weights(in_parts ? SUMMED : GRADIENT, mode);
            if (task.unscaled) step_of_scaled(mode);
            if (task.shape.embedding) step_of_embedding(mode);
            committed = false;
            sum += loss * double(m);
            ++taken;
        }
        dismiss();
        t = rule.t + taken;
        outcome.steps = taken;
        if (outcome.ending == INTERRUPTED) {
            if (taken > 0) go_back();
            outcome.steps = t - rule.t;
        }
        const bool through = row >= task.rows.n;
        if (outcome.ending == DONE) outcome.loss = sum / double(through ? task.rows.n : row);
        if (through) outcome.sound = sound();
        return outcome;
    }

    // Whether all weights are finite: x - x is 0 for all others.
    bool sound() const {
        T off = 0;
        const auto look = [&off](const T *x, int64_t count) {
            Vec<T> some = {};
            int64_t i = 0;
            for (; i + LANES<T> <= count; i += LANES<T>) some += load(x + i) - load(x + i);
            for (int lane = 0; lane < LANES<T>; ++lane) off += some[lane];
            for (; i < count; ++i) off += x[i] - x[i];
        };
        for (int64_t l = 0; l < task.shape.depth; ++l) {
            const Layer<T> &layer = batch.layers[l];
            for (int64_t p = 0; layer.W && p < layer.panels; ++p) {
                const T *panel = layer.W + p * layer.stride;
                const int64_t some = layer.h - p * LANES<T>;
                if (some >= LANES<T>) {
                    look(panel, layer.d1 * LANES<T>);
                    continue;
                }
                for (int64_t i = 0; i < layer.d1; ++i)
                    for (int64_t c = 0; c < some; ++c) off += panel[i * LANES<T> + c] - panel[i * LANES<T> + c];
            }
            if (!layer.W) look(batch.classes.W, layer.d1 * layer.h);
        }
        for (int64_t i = 0; i < batch.embedded.n_learned; ++i)
            look(batch.embedded.theta + batch.embedded.learned[i].at, batch.embedded.learned[i].count);
        return off == 0;
    }

    void close() {
        read();
        end({});
    }

    // An epoch alone: the arrays of the caller change at its end, or not at all if it is interrupted; but where the last layer
    // has been moved in place, the others follow it.
    static Outcome epoch(const Epoch &task, Workers &workers) {
        Run run;
        run.open(task, false);
        Outcome outcome = {0, 0, NO_MEMORY, true};
        if (run.begin(task, workers)) outcome = run.steps(task.rows.n, workers);
        run.close();
        return outcome;
    }

    // The same for a session that lives on, behind plain functions.
    static void *open_session(const Epoch &of, bool keep) {
        Run *run = static_cast<Run *>(__builtin_malloc(sizeof(Run)));
        if (!run) return nullptr;
        *run = Run();
        run->open(of, keep);
        return run;
    }
    static bool begin_epoch(void *session, const Epoch &task, Workers &workers) {
        return static_cast<Run *>(session)->begin(task, workers);
    }
    static Outcome take_steps(void *session, int64_t most, Workers &workers) {
        return static_cast<Run *>(session)->steps(most, workers);
    }
    static Standing settle(void *session, Settling what, int64_t t) {
        Run &run = *static_cast<Run *>(session);
        Standing standing = {0, true};
        if (what == READ) run.read();
        if (what == GO_BACK) standing.back = run.go_back();
        if (what == LOAD) run.forget();
        if (what == LOAD) run.t = t;
        if (what == CLOSE) run.close();
        standing.t = run.t;
        if (what == CLOSE) __builtin_free(session);
        return standing;
    }

    // ---- a first layer with a learned scale of its inputs ----

    Scaled<T> scaled = {};

    // The scale and its state, behind those of the parameters.
    template <class Do> void each_of_scale(const Arrays<T> &of, Do what) {
        int64_t p = 0;
        for (int64_t l = 0; l < batch.shape.depth; ++l) p += batch.layers[l].d1 * batch.layers[l].h;
        if (batch.shape.embedding) p += batch.embedded.in_theta;
        what(scaled.s, of.unscaled + p);
        what(scaled.first, of.first + p);
        if (of.second) what(scaled.second, of.second + p);
    }

    void begin_scaled() {
        const Layer<T> &layer = batch.layers[0];
        scaled.items = batch.scaled_items = layer.items_down * layer.items_across;
        pack<T>(layer, given.unscaled, scaled.V);
        const int64_t d = layer.d, padded = up(d, LANES<T>);
        each_of_scale(given, [&](T *to, const T *from) {
            for (int64_t i = 0; i < padded; ++i) to[i] = i < d ? from[i] : T(0);
        });
        for (int64_t i = 0; i < padded; ++i) scaled.ds[i] = 0;
    }

    void step_of_scaled(int mode) {
        if (mode == ADAM) return move_scaled<T, ADAM>(batch, batch.layers[0], scaled);
        if (mode == NESTEROV) return move_scaled<T, NESTEROV>(batch, batch.layers[0], scaled);
        move_scaled<T, PLAIN_SGD>(batch, batch.layers[0], scaled);
    }

    void end_scaled(const Arrays<T> &to) {
        const Layer<T> &layer = batch.layers[0];
        unpack<T, T>(layer, scaled.V, to.unscaled);
        each_of_scale(to, [&](const T *from, T *to) { __builtin_memcpy(to, from, size_t(layer.d) * sizeof(T)); });
    }

    // Where the last layer begins in theta, and in what is laid out like it.
    int64_t last_layer() const {
        int64_t at = 0;
        for (int64_t l = 0; l + 1 < batch.shape.depth; ++l) at += batch.layers[l].d1 * batch.layers[l].h;
        return at;
    }

    void point_at_given() {
        batch.classes.W = given.theta + last_layer();
        batch.classes.first = given.first + last_layer();
        if (given.second) batch.classes.second = given.second + last_layer();
    }

    // The packed state of the rule for each layer, and for the embedding.
    template <class Do> void each_state(const Arrays<T> &of, Do what) {
        T *first = of.first, *second = of.second;
        int64_t at = 0;
        for (int64_t l = 0; l < batch.shape.depth; at += batch.layers[l].d1 * batch.layers[l].h, ++l)
            if (batch.layers[l].W) what(batch.layers[l], first + at, second ? second + at : nullptr);
        if (batch.shape.embedding) what(batch.embedded, first + at, second ? second + at : nullptr);
    }

    void step_of_embedding(int mode) {
        Embedded<T> &embedded = batch.embedded;
        if (mode == ADAM)
            move_embedding<T, ADAM>(embedded, batch.move, batch.shorten);
        else if (mode == NESTEROV)
            move_embedding<T, NESTEROV>(embedded, batch.move, batch.shorten);
        else
            move_embedding<T, PLAIN_SGD>(embedded, batch.move, batch.shorten);
        if (batch.move.squares) embedded.squares = squares_of<T>(embedded);
    }

    // ---- loss and gradient of all rows ----

    static Outcome gradient(const Shape &shape, const Rows &rows, const Regularization &regularization, const void *theta,
                            double *gradient, Workers &workers) {
        Run run;
        Batch<T> &batch = run.batch;
        batch.train = true;
        const Outcome no_memory = {0, 0, NO_MEMORY};
        const bool tiled = by_classes(shape, rows, regularization, workers);
        if (!run.begin_with(shape, rows, regularization, workers, tiled)) return run.end(no_memory);
        const int64_t most = tiled ? 2 * SAMPLES : SAMPLES, samples = rows.n < most ? rows.n : most;
        if (tiled) run.cut_classes(samples);
        const auto plan = [&](Arena &arena) {
            for (int64_t l = 0; l < shape.depth - tiled; ++l) batch.layers[l].sum = arena.take<double>(packed(batch.layers[l]));
        };
        if (!run.prepare(3 * run.flops_a_row * double(samples), samples, false, plan)) return run.end(no_memory);
        run.pack_weights(theta);
        if (tiled) {
            batch.classes.W = const_cast<T *>(static_cast<const T *>(theta)) + run.last_layer();
            batch.classes.gradient = gradient + run.last_layer();
        }
        run.measure_squares();
        batch.divisor = double(rows.n) * rows.mean_weight;
        double loss = 0;
        for (batch.begin = 0; batch.begin < rows.n; batch.begin += samples) {
            batch.m = rows.n - batch.begin < samples ? rows.n - batch.begin : samples;
            batch.first_part = batch.begin == 0;
            const bool going = tiled ? run.up_by_classes() && run.down_by_classes(INTO_SUM) : run.rows_up_and_down();
            if (!going) return run.end({0, 0, INTERRUPTED});
            loss += run.loss_of_spans();
            if (!run.weights(GRADIENT, INTO_SUM)) return run.end({0, 0, INTERRUPTED});
        }
        const double penalty = regularization.alpha / batch.divisor;
        if (penalty > 0 && !run.weights(PENALTY, INTO_SUM)) return run.end({0, 0, INTERRUPTED});
        if (penalty > 0 && shape.embedding) penalised<T>(batch.embedded, penalty);
        const Layer<T> &last = batch.layers[shape.depth - 1];
        for (int64_t at = 0; penalty > 0 && tiled && !last.frozen[0] && at < last.d * batch.classes.k; ++at)
            batch.classes.gradient[at] += penalty * double(batch.classes.W[at]);
        for (int64_t l = 0; l < shape.depth; gradient += batch.layers[l].d1 * batch.layers[l].h, ++l)
            if (batch.layers[l].W) unpack<T, double>(batch.layers[l], batch.layers[l].sum, gradient);
        if (shape.embedding) {
            clear_frozen<T>(batch.embedded);
            unpack<T, double>(batch.embedded, batch.embedded.sum, gradient);
        }
        return run.end({loss / batch.divisor + (penalty > 0 ? penalty / 2 * run.squares() : 0), 1, DONE});
    }

    // ---- logits and probabilities ----

    int64_t group = 1;  // spans of an item

    static void forward_item(Run &run, int worker, int64_t item) {
        for (int64_t span = item * run.group; span < (item + 1) * run.group && span * SPAN<T> < run.batch.m; ++span)
            rows_item<T>(run.batch, worker, span);
    }

    static Outcome forward(const Shape &shape, const Rows &rows, const void *theta, bool probabilities, void *out,
                           Workers &workers) {
        Run run;
        Batch<T> &batch = run.batch;
        batch.train = false;
        batch.probabilities = probabilities;
        batch.out = static_cast<T *>(out);
        if (!run.begin_with(shape, rows, Regularization(), workers)) return run.end({0, 0, NO_MEMORY});
        run.row_by_row = rows.n < FEW && !batch.sparse;
        if (!run.prepare(run.row_by_row ? 0 : run.flops_a_row * double(rows.n), rows.n, false, [](Arena &) {}))
            return run.end({0, 0, NO_MEMORY});
        if (run.row_by_row) {
            if (shape.embedding) run.pack_weights(theta);
            for (int64_t i = 0; i < rows.n; ++i) single_row<T>(batch, static_cast<const T *>(theta), i);
            return run.end({0, 0, DONE});
        }
        run.pack_weights(theta);
        run.group = 1 + int64_t(WORTH_AN_ITEM / (run.flops_a_row * SPAN<T>));
        run.look_interval = 1;
        const int64_t most = MOST_SPANS * run.group * SPAN<T>;
        for (batch.begin = 0; batch.begin < rows.n; batch.begin += most) {
            batch.m = rows.n - batch.begin < most ? rows.n - batch.begin : most;
            const int64_t spans = (batch.m + SPAN<T> - 1) / SPAN<T>;
            if (!run.phase(FORWARD, (spans + run.group - 1) / run.group)) return run.end({0, 0, INTERRUPTED});
        }
        return run.end({0, 0, DONE});
    }

    // ---- losses and best classes, without an array of n x k ----

    static Outcome summary(const Shape &shape, const Rows &rows, const void *theta, const Summary &to, Workers &workers) {
        Run run;
        Batch<T> &batch = run.batch;
        Summary wanted = to;
        batch.classes.summary = &wanted;
        if (!by_classes(shape, rows, Regularization(), workers)) return {0, 0, NOT_BY_TILES};
        if (!run.begin_with(shape, rows, Regularization(), workers, true)) return run.end({0, 0, NO_MEMORY});
        int64_t samples = 2 * SAMPLES;
        run.cut_classes(samples);
        const int64_t of_row = batch.classes.groups * to.count * int64_t(sizeof(T) + sizeof(int64_t));
        while (samples > SPAN<T> && samples * of_row > OF_GROUPS) samples /= 2;
        samples = rows.n < samples ? rows.n : samples;
        if (!run.prepare(run.flops_a_row * double(samples), samples, false, [](Arena &) {})) return run.end({0, 0, NO_MEMORY});
        run.pack_weights(theta);
        batch.classes.W = const_cast<T *>(static_cast<const T *>(theta)) + run.last_layer();
        for (batch.begin = 0; batch.begin < rows.n; batch.begin += samples) {
            batch.m = rows.n - batch.begin < samples ? rows.n - batch.begin : samples;
            if (!run.up_by_classes()) return run.end({0, 0, INTERRUPTED});
        }
        return run.end({0, 0, DONE});
    }
};
