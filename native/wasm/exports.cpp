// The engine for a web page: what the compiled WebAssembly offers to JavaScript, in float64, on one thread.
//
// Arrays lie in the module's own memory, and a page asks for room with `allocate`. Numbers come as int32 and double, so
// that a page needs no BigInt. `make wasm` compiles this file; src/glassmax/playground/engine.js is its only caller.

#include "../unit.hpp"

#include <initializer_list>
#include <stdlib.h>

namespace glassmax {

int gather_helpers(Team &, int, void (*)(void *, int, int64_t), void *) { return 0; }  // a page has no threads
void run_phase(Team &, int64_t) {}
void dismiss_helpers(Team &) {}

namespace {

constexpr int32_t MOST_LAYERS = 32;

// A network as a page writes it down: layers, activations of the hidden ones, output, loss.
struct Network {
    int64_t sizes[MOST_LAYERS + 1];
    Shape shape;

    Network(int32_t depth, const int32_t *given, const int32_t *activations, int32_t output, int32_t loss) {
        for (int32_t l = 0; l <= depth; ++l) sizes[l] = given[l];
        shape = {depth, sizes, activations, output, loss, nullptr};
    }
};

Rows rows_of(int32_t n, const double *X, const double *Y) {
    Rows rows = {};
    rows.n = n;
    rows.X = X;
    rows.Y = Y;
    rows.mean_weight = 1;
    return rows;
}

bool never() { return false; }

}  // namespace
}  // namespace glassmax

using namespace glassmax;

#define EXPORT(NAME) extern "C" __attribute__((export_name(#NAME)))
#define NETWORK int32_t depth, const int32_t *sizes, const int32_t *activations, int32_t output, int32_t loss

EXPORT(allocate_bytes) void *allocate_bytes(int32_t bytes) { return malloc(size_t(bytes)); }
EXPORT(release_bytes) void release_bytes(void *block) { free(block); }
EXPORT(most_layers) int32_t most_layers() { return MOST_LAYERS; }

// Steps through `order`, n rows, in batches: SGD with momentum, or Adam after t steps where there is a `second`. The
// penalty is l2/2 times the sum of W^2 in each batch. Returns the mean loss of the rows, each before its step; NaN or inf
// where training has left the numbers, -1 where there is no memory.
EXPORT(train) double train(NETWORK, int32_t n, const double *X, const double *Y, const int32_t *order, int32_t batch_size, double rate,
                    double l2, double momentum, double *theta, double *first, double *second, int32_t t) {
    const Network network(depth, sizes, activations, output, loss);
    const int32_t steps = n / batch_size, rest = n % batch_size;
    double *rates = static_cast<double *>(malloc(sizeof(double) * size_t(steps + 1 + n)));
    if (!rates) return -1;
    int64_t *rows_in_order = reinterpret_cast<int64_t *>(rates + steps + 1);
    for (int32_t step = 0; step <= steps; ++step) rates[step] = rate;
    for (int32_t i = 0; i < n; ++i) rows_in_order[i] = order[i];
    Epoch task = {};
    task.shape = network.shape;
    task.rule = {second != nullptr, false, momentum, 0.9, 0.999, 1e-8, t, nullptr, 1};
    task.theta = theta;
    task.first = first;
    task.second = second;
    task.rates = rates;
    Workers workers = {nullptr, 1, never};
    double sum = 0;
    for (const int32_t rows : {n - rest, rest}) {  // the engine's penalty is alpha over the rows of a batch
        if (rows == 0) continue;
        task.rows = rows_of(rows, X, Y);
        task.order = rows_in_order;
        task.batch_size = rows < batch_size ? rows : batch_size;
        task.regularization.alpha = l2 * double(task.batch_size);
        const Outcome outcome = Run<double>::epoch(task, workers);
        if (outcome.ending != DONE) {
            sum = outcome.ending == NO_MEMORY ? -n : outcome.loss;
            break;
        }
        sum += outcome.loss * rows;
        rows_in_order += rows;
        task.rule.t += int64_t(outcome.steps);
    }
    free(rates);
    return sum / n;
}

// Writes the gradient of all rows, returns their loss, penalty included.
EXPORT(loss_and_gradient) double loss_and_gradient(NETWORK, int32_t n, const double *X, const double *Y, double l2, const double *theta,
                                double *gradient) {
    const Network network(depth, sizes, activations, output, loss);
    Regularization regularization = {};
    regularization.alpha = l2 * n;
    Workers workers = {nullptr, 1, never};
    const Outcome outcome =
        Run<double>::gradient(network.shape, rows_of(n, X, Y), regularization, theta, gradient, workers);
    return outcome.ending == NO_MEMORY ? -1 : outcome.loss;
}

// Writes the predictions of n rows; returns whether there was memory.
EXPORT(predict) int32_t predict(NETWORK, int32_t n, const double *X, const double *theta, double *P) {
    const Network network(depth, sizes, activations, output, loss);
    Workers workers = {nullptr, 1, never};
    return Run<double>::forward(network.shape, rows_of(n, X, nullptr), theta, true, P, workers).ending == DONE;
}
