// A softmax layer that is a call of its own: rows in parts, each by the two sweeps of classes.hpp.

constexpr int64_t PARTS_OF_BLOCKS = 4;  // blocks of a part, at most

// How many rows go through together: as many as leave room for their exponentials. Where not even a block's have it, the
// most that fit, since W is read and dW added to once for each part. Blocks are whole, so that no bit depends on it.
template <class T> int64_t rows_of_part(const LayerCall &task, const Classes<T> &classes, int64_t memory) {
    constexpr int64_t BLOCK = BLOCK_ROWS / SPAN<T> * SPAN<T>;
    const int64_t most = PARTS_OF_BLOCKS * BLOCK;
    const int64_t of_row = int64_t(sizeof(T)) * (up(task.d + 1, MR<T>) + (task.dA ? classes.groups * up(task.d, MR<T>) : 0));
    const int64_t of_exponentials = int64_t(sizeof(T)) * classes.tiles * (TILE + 1);
    int64_t rows = most;
    while (rows > BLOCK && rows * (of_row + of_exponentials) > memory) rows -= BLOCK;
    if (3 * (memory - rows * of_row) > rows * of_exponentials && classes.own.any_gradient()) return rows;
    for (rows = most; rows > BLOCK && rows * of_row > memory / 2;) rows -= BLOCK;
    return rows;
}

template <class T> Outcome layer_call(const LayerCall &task, Workers &workers) {
    Run<T> run;
    Batch<T> &batch = run.batch;
    Classes<T> &classes = batch.classes;
    const int64_t n = task.rows.n, sizes[2] = {task.d, task.k};
    batch.train = true;
    classes.own = {true, task.transposed, static_cast<const T *>(task.W), static_cast<const T *>(task.b),
                   static_cast<T *>(task.dA), static_cast<T *>(task.dW), static_cast<T *>(task.db), task.losses};
    const uint8_t frozen[2] = {!task.dW, !task.db};
    const Shape shape = {1, sizes, nullptr, SOFTMAX_OUTPUT, CROSS_ENTROPY, nullptr, task.softcap, task.z_loss, task.temperature,
                         frozen};
    if (!run.begin_with(shape, task.rows, task.regularization, workers, true)) return run.end({0, 0, NO_MEMORY});
    const int64_t most = PARTS_OF_BLOCKS * BLOCK_ROWS;
    run.cut_classes(n < most ? n : most);
    int64_t rows = rows_of_part<T>(task, classes, workers.memory);
    rows = n < rows ? n : rows;
    if (!run.prepare(3 * run.flops_a_row * double(rows), rows, false, [](Arena &) {})) return run.end({0, 0, NO_MEMORY});
    batch.divisor = 1;
    for (batch.begin = 0; batch.begin < n; batch.begin += rows) {
        batch.m = n - batch.begin < rows ? n - batch.begin : rows;
        batch.first_part = batch.begin == 0;
        if (!run.up_by_classes() || (classes.own.any_gradient() && !run.down_by_classes(INTO_ARRAYS)))
            return run.end({0, 0, INTERRUPTED});
    }
    return run.end({0, 0, DONE});
}
