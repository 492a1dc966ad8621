// The calls: an epoch, loss and gradient of all rows, logits or probabilities; their memory, threads and ends.

template <class T> struct Run : Batch<T> {
    Arena of_layers, memory;
    int workers = 1;
    bool teamed = false, stopped = false;
    bool few = false;  // rows, for a prediction: one at a time, with the weights as they lie
    int64_t items = 0, patience = 1, countdown = 0;
    double flops_a_row = 0;

    Run() : Batch<T>() {}  // zeros

    // What all calls have in common. False where there is no memory.
    bool begin_with(const Shape &shape, const Rows &rows, const Recipe &recipe, Surroundings &around) {
        this->shape = shape;
        this->rows = rows;
        this->recipe = recipe;
        this->around = &around;
        this->sparse = rows.starts != nullptr;
        this->shorten = 1;
        if (!allocate(of_layers, [&](Arena &arena) { this->layers = arena.take<Layer<T>>(shape.depth); })) return false;
        items = describe<T>(shape, recipe.dropout, this->sparse, this->layers);
        for (int64_t l = 0; l < shape.depth; ++l)
            flops_a_row += 2.0 * double(this->layers[l].rows) * double(this->layers[l].h);
        return true;
    }

    // As many threads as the work between two barriers is worth, and the memory of all workers.
    template <class Plan> bool prepare(double flops, int64_t samples, Plan plan) {
        const double worth = flops * double(sizeof(T)) / (WORTH_A_THREAD * LANES<float>);
        const int threads = worth < this->around->threads ? int(worth) : this->around->threads;
        if (threads > 1 && this->around->team) {
            const int highest = gather_helpers(*this->around->team, threads - 1, work, this);
            teamed = highest > 0;
            workers = highest + 1;
        }
        const int64_t spans = this->train ? (samples + SPAN<T> - 1) / SPAN<T> : workers;
        this->panel = (spans * SPAN<T> + 1) * LANES<T>;
        const auto cut = [&](Arena &arena) {
            for (int64_t l = 0; l < this->shape.depth; ++l) {
                Layer<T> &layer = this->layers[l];
                layer.W = few ? nullptr : arena.take<T>(packed(layer));
                layer.A = few || (l == 0 && this->sparse) ? nullptr : arena.take<T>(spans * layer.padded * SPAN<T>);
                layer.dZ = this->train ? arena.take<T>(layer.panels * this->panel) : nullptr;
            }
            this->losses = arena.take<double>(spans);
            this->squares = arena.take<double>(items);
            this->lengths = arena.take<double>(items);
            this->scratch = arena.take<Scratch<T>>(workers);
            for (int worker = 0; worker < workers; ++worker) scratch_of(arena, worker);
            plan(arena);
        };
        if (!allocate(memory, cut)) return false;
        for (int64_t l = 0; l < this->shape.depth; ++l) {
            const Layer<T> &layer = this->layers[l];
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
        own.Z = arena.take<T *>(this->shape.depth);
        for (int64_t l = 0; l < this->shape.depth; ++l) {
            T *Z = arena.take<T>(up(this->layers[l].h, WHOLE) * SPAN<T>);
            if (own.Z) own.Z[l] = Z;
        }
        if (this->train) {
            own.Y = arena.take<T>(this->shape.sizes[this->shape.depth] * SPAN<T>);
            own.mask = arena.take<T>(SPAN<T>);
            own.nothing = arena.take<T>(this->layers[0].d);
            if (this->sparse) own.panel = arena.take<T>(this->layers[0].padded * LANES<T>);
        }
        if (!this->scratch) return;
        if (own.nothing) __builtin_memset(own.nothing, 0, size_t(this->layers[0].d) * sizeof(T));
        this->scratch[worker] = own;
    }

    void pack_weights(const void *theta) {
        const T *W = static_cast<const T *>(theta);
        for (int64_t l = 0; l < this->shape.depth; W += this->layers[l].rows * this->layers[l].h, ++l)
            pack<T>(this->layers[l], W, this->layers[l].W);
    }

    static void work(void *context, int worker, int64_t item) {
        Run &run = *static_cast<Run *>(context);
        if (worker == 0 && --run.countdown <= 0) {
            run.countdown = run.patience;
            if (run.around->interrupted()) __atomic_store_n(&run.stopped, true, __ATOMIC_RELAXED);
        }
        if (__atomic_load_n(&run.stopped, __ATOMIC_RELAXED)) return;
        if (!run.train)
            forward_item(run, worker, item);
        else if (run.rows_phase)
            rows_item<T>(run, worker, item);
        else
            weights_item<T>(run, worker, item);
    }

    // Do the items, with whoever attends; false where the user has had enough.
    bool phase(int64_t count) {
        if (teamed)
            run_phase(*this->around->team, count);
        else
            for (int64_t item = 0; item < count; ++item) work(this, 0, item);
        return !__atomic_load_n(&stopped, __ATOMIC_RELAXED);
    }

    bool rows_up_and_down() {
        this->rows_phase = true;
        patience = 1 + int64_t(WORTH_A_LOOK / (flops_a_row * SPAN<T>));
        return phase((this->m + SPAN<T> - 1) / SPAN<T>);
    }

    bool weights(int task, int mode) {
        this->rows_phase = false;
        this->task = task;
        this->mode = mode;
        return phase(items);
    }

    double loss_of_spans() const {
        double sum = 0;
        for (int64_t span = 0; span * SPAN<T> < this->m; ++span) sum += this->losses[span];
        return sum;
    }

    double total(const double *of_items) const {
        double sum = 0;
        for (int64_t item = 0; item < items; ++item) sum += of_items[item];
        return sum;
    }

    void measure_squares() {
        for (int64_t item = 0; item < items; ++item) this->squares[item] = 0;
        if (this->recipe.alpha > 0)
            for (int64_t l = 0; l < this->shape.depth; ++l)
                this->squares[this->layers[l].first_item] = squares_of<T>(this->layers[l]);
    }

    Outcome end(Outcome outcome) {
        if (teamed) dismiss_helpers(*this->around->team);
        release(memory);
        release(of_layers);
        return outcome;
    }

    // ---- an epoch ----

    static Outcome epoch(const Epoch &task, Surroundings &around) {
        Run run;
        run.train = true;
        const Outcome no_memory = {0, 0, NO_MEMORY};
        if (!run.begin_with(task.shape, task.rows, task.recipe, around)) return run.end(no_memory);
        const int64_t n = task.rows.n, depth = task.shape.depth;
        const int64_t batch_size = task.batch_size < n ? task.batch_size : n;
        const bool in_parts = batch_size > SAMPLES || task.recipe.clip_norm > 0;
        const int64_t samples = batch_size < SAMPLES ? batch_size : SAMPLES;
        const auto plan = [&](Arena &arena) {
            for (int64_t l = 0; l < depth; ++l) {
                Layer<T> &layer = run.layers[l];
                layer.first = arena.take<T>(packed(layer));
                layer.second = task.rule.adam ? arena.take<T>(packed(layer)) : nullptr;
                layer.sum = in_parts ? arena.take<double>(packed(layer)) : nullptr;
            }
        };
        if (!run.prepare(3 * run.flops_a_row * double(samples), samples, plan)) return run.end(no_memory);
        run.pack_weights(task.theta);
        run.each_layer(task, [](const Layer<T> &layer, T *first, T *second) {
            pack<T>(layer, first, layer.first);
            if (second) pack<T>(layer, second, layer.second);
        });
        run.measure_squares();

        const Rule &rule = task.rule;
        Powers powers(rule);
        const int mode = rule.adam ? ADAM : rule.nesterov ? NESTEROV : PLAIN_SGD;
        Outcome outcome = {0, 0, DONE};
        double sum = 0;
        for (int64_t start = 0; start < n && outcome.ending == DONE; start += batch_size) {
            const int64_t m = n - start < batch_size ? n - start : batch_size;
            run.divisor = double(m) * task.rows.mean_weight;
            run.step = task.first_step + outcome.steps;
            powers.next(rule);
            double loss = 0;
            bool going = true;
            for (int64_t part = 0; going && part < m; part += SAMPLES) {
                run.index = task.order + start + part;
                run.m = m - part < SAMPLES ? m - part : SAMPLES;
                run.first_part = part == 0;
                going = run.rows_up_and_down();
                if (going) loss += run.loss_of_spans();
                if (going && in_parts) going = run.weights(GRADIENT, INTO_SUM);
            }
            const double penalty = task.recipe.alpha / run.divisor;
            loss = loss / run.divisor + (penalty > 0 ? penalty / 2 * run.total(run.squares) : 0);
            if (going && !__builtin_isfinite(loss)) {
                outcome = {loss, outcome.steps, NOT_FINITE};
                break;
            }
            run.move = step_of<T>(rule, powers, task.recipe, task.rates[outcome.steps], run.divisor);
            if (going && in_parts) {
                run.move.penalty = 0;  // it is part of the sum now
                going = run.weights(PENALTY, INTO_SUM);
                const double length = __builtin_sqrt(run.total(run.lengths)), most = task.recipe.clip_norm;
                run.shorten = most > 0 && length > most ? most / length : 1;
            }
            if (going) going = run.weights(in_parts ? SUMMED : GRADIENT, mode);
            if (!going) {
                outcome.ending = INTERRUPTED;
                break;
            }
            sum += loss * double(m);
            ++outcome.steps;
        }
        if (outcome.ending != INTERRUPTED) {  // the caller's arrays change here, or not at all
            T *W = static_cast<T *>(task.theta);
            for (int64_t l = 0; l < depth; W += run.layers[l].rows * run.layers[l].h, ++l)
                unpack<T, T>(run.layers[l], run.layers[l].W, W);
            run.each_layer(task, [](const Layer<T> &layer, T *first, T *second) {
                unpack<T, T>(layer, layer.first, first);
                if (second) unpack<T, T>(layer, layer.second, second);
            });
        }
        if (outcome.ending == DONE) outcome.loss = sum / double(n);
        return run.end(outcome);
    }

    template <class Do> void each_layer(const Epoch &task, Do what) {
        T *first = static_cast<T *>(task.first), *second = static_cast<T *>(task.second);
        for (int64_t l = 0, at = 0; l < this->shape.depth; at += this->layers[l].rows * this->layers[l].h, ++l)
            what(this->layers[l], first + at, second ? second + at : nullptr);
    }

    // ---- loss and gradient of all rows ----

    static Outcome gradient(const Shape &shape, const Rows &rows, const Recipe &recipe, const void *theta,
                            double *gradient, Surroundings &around) {
        Run run;
        run.train = true;
        const Outcome no_memory = {0, 0, NO_MEMORY};
        if (!run.begin_with(shape, rows, recipe, around)) return run.end(no_memory);
        const int64_t samples = rows.n < SAMPLES ? rows.n : SAMPLES;
        const auto plan = [&](Arena &arena) {
            for (int64_t l = 0; l < shape.depth; ++l) run.layers[l].sum = arena.take<double>(packed(run.layers[l]));
        };
        if (!run.prepare(3 * run.flops_a_row * double(samples), samples, plan)) return run.end(no_memory);
        run.pack_weights(theta);
        run.measure_squares();
        run.divisor = double(rows.n) * rows.mean_weight;
        double loss = 0;
        for (run.begin = 0; run.begin < rows.n; run.begin += SAMPLES) {
            run.m = rows.n - run.begin < SAMPLES ? rows.n - run.begin : SAMPLES;
            run.first_part = run.begin == 0;
            if (!run.rows_up_and_down()) return run.end({0, 0, INTERRUPTED});
            loss += run.loss_of_spans();
            if (!run.weights(GRADIENT, INTO_SUM)) return run.end({0, 0, INTERRUPTED});
        }
        const double penalty = recipe.alpha / run.divisor;
        if (penalty > 0 && !run.weights(PENALTY, INTO_SUM)) return run.end({0, 0, INTERRUPTED});
        for (int64_t l = 0; l < shape.depth; gradient += run.layers[l].rows * run.layers[l].h, ++l)
            unpack<T, double>(run.layers[l], run.layers[l].sum, gradient);
        return run.end({loss / run.divisor + (penalty > 0 ? penalty / 2 * run.total(run.squares) : 0), 1, DONE});
    }

    // ---- logits and probabilities ----

    int64_t group = 1;  // spans of an item

    static void forward_item(Run &run, int worker, int64_t item) {
        for (int64_t span = item * run.group; span < (item + 1) * run.group && span * SPAN<T> < run.m; ++span)
            rows_item<T>(run, worker, span);
    }

    static Outcome forward(const Shape &shape, const Rows &rows, const void *theta, bool probabilities, void *out,
                           Surroundings &around) {
        Run run;
        run.train = false;
        run.probabilities = probabilities;
        run.out = static_cast<T *>(out);
        if (!run.begin_with(shape, rows, Recipe(), around)) return run.end({0, 0, NO_MEMORY});
        run.few = rows.n < FEW && !run.sparse;
        if (!run.prepare(run.few ? 0 : run.flops_a_row * double(rows.n), rows.n, [](Arena &) {}))
            return run.end({0, 0, NO_MEMORY});
        if (run.few) {
            for (int64_t i = 0; i < rows.n; ++i) few_rows(run, static_cast<const T *>(theta), i);
            return run.end({0, 0, DONE});
        }
        run.pack_weights(theta);
        run.group = 1 + int64_t(WORTH_AN_ITEM / (run.flops_a_row * SPAN<T>));
        run.patience = 1;
        const int64_t most = MOST_SPANS * run.group * SPAN<T>;
        for (run.begin = 0; run.begin < rows.n; run.begin += most) {
            run.m = rows.n - run.begin < most ? rows.n - run.begin : most;
            const int64_t spans = (run.m + SPAN<T> - 1) / SPAN<T>;
            if (!run.phase((spans + run.group - 1) / run.group)) return run.end({0, 0, INTERRUPTED});
        }
        return run.end({0, 0, DONE});
    }

    // A row of its own: packing the weights would take longer than using them as they lie. Each entry is the same chain
    // of operations as in a tile, so the bits are the same too.
    static void few_rows(Run &run, const T *W, int64_t row) {
        constexpr int L = LANES<T>;
        const T *a = static_cast<const T *>(run.rows.X) + row * run.layers[0].d;
        T *Z = nullptr;
        for (int64_t l = 0; l < run.shape.depth; ++l) {
            const Layer<T> &layer = run.layers[l];
            Z = run.scratch[0].Z[l];  // here a row: [unit], padded to whole vectors
            for (int64_t j = 0; j < layer.h; j += 4 * L) {
                const int64_t some = layer.h - j < 4 * L ? layer.h - j : 4 * L;
                if (some == 4 * L)
                    affine_of_columns<4>(W + j, layer, a, Z + j, 4 * L);
                else if (some > 2 * L)
                    affine_of_columns<4>(W + j, layer, a, Z + j, some);
                else if (some > L)
                    affine_of_columns<2>(W + j, layer, a, Z + j, some);
                else
                    affine_of_columns<1>(W + j, layer, a, Z + j, some);
            }
            W += layer.rows * layer.h;
            if (l + 1 < run.shape.depth) {
                activate<T>(layer.activation, 1, int(layer.panels), false, Z, Z);
                a = Z;
            }
        }
        const int64_t k = run.shape.sizes[run.shape.depth];
        T *out = run.out + row * k;
        if (run.probabilities) {
            for (int64_t j = k - 1; j > 0; --j) Z[j * SPAN<T>] = Z[j];  // as a lane of a span: the largest distance first
            predict_in_place<T>(Z, k, 1, run.shape.output);
            for (int64_t j = 0; j < k; ++j) out[j] = Z[j * SPAN<T>];
        } else {
            for (int64_t j = 0; j < k; ++j) out[j] = Z[j];
        }
    }

    template <int N> static void affine_of_columns(const T *W, const Layer<T> &layer, const T *a, T *Z, int64_t columns) {
        constexpr int L = LANES<T>;
        Vec<T> sum[N] = {};
        if (columns == N * L) {
            for (int64_t k = 0; k < layer.d; ++k)
                for (int v = 0; v < N; ++v) sum[v] = fma(all(a[k]), load(W + k * layer.h + v * L), sum[v]);
            for (int v = 0; v < N; ++v) sum[v] += load(W + layer.d * layer.h + v * L);
        } else {
            for (int64_t k = 0; k < layer.d; ++k)
                for (int v = 0; v < N; ++v)
                    sum[v] = fma(all(a[k]), load_some<T>(W + k * layer.h + v * L, columns - v * L), sum[v]);
            for (int v = 0; v < N; ++v) sum[v] += load_some<T>(W + layer.d * layer.h + v * L, columns - v * L);
        }
        for (int v = 0; v < N; ++v) store(Z + v * L, sum[v]);
    }
};
