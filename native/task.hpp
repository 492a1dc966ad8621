// What the engine is asked to do: plain numbers and pointers, the same for every instruction set.
//
// Nothing here owns memory or computes. Arrays are C-contiguous; T is float or double, as `dtype` says.
#pragma once

#include <cstdint>

namespace glassmax {

// In the order of the names in module.cpp.
enum Activation : int32_t {
    IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SELU, GELU, SILU, MISH, SOFTPLUS
};
enum Output : int32_t { SOFTMAX_OUTPUT, SIGMOID_OUTPUT, IDENTITY_OUTPUT, RELU_OUTPUT };
enum Loss : int32_t { CROSS_ENTROPY, SQUARED_ERROR, BINARY_CROSS_ENTROPY, CANDIDATE_CROSS_ENTROPY };

// The embedding of the inputs, see glassmax.functional.embeddings: the first layer takes, in this order, the columns of X
// outside the blocks, the periodic columns' e outputs each, the edged columns' bins, the blocks' outputs.
struct Embedding {
    int64_t d;                     // columns of X
    int64_t n_periodic, K, e;      // columns with cosines, cosines of each, outputs of each
    const int64_t *periodic;       // the columns, in X
    int64_t n_edged;               // columns with bins
    const int64_t *edged, *edge_starts;  // the columns; where the edges of each begin, and the end of all
    const double *edges;
    int64_t n_blocks;              // of columns that are multiplied by a matrix; ascending, apart
    const int64_t *blocks;         // of each: start, stop, outputs
};

// The network: layers count from 1 to depth; sizes[0] is d, or the embedding's width; sizes[depth] is k.
struct Shape {
    int64_t depth;
    const int64_t *sizes;
    const int32_t *activations;  // of the hidden layers, depth - 1 of them
    int32_t output, loss;
    const Embedding *embedding;  // or null: none
    // Softmax takes u = softcap tanh(z / temperature / softcap), or z / temperature where the softcap is 0; and a row's loss
    // has z_loss (log sum exp u)^2 more.
    double softcap = 0, z_loss = 0, temperature = 1;
    const uint8_t *frozen = nullptr;  // of W1, b1, W2, ..., F, H, V, C, E1, ...: 1 for one that never moves; or null
};

// The rows: dense (X) or CSR (values, columns, starts); targets as indices (y), rows (Y), CSR rows whose columns rise, or
// none.
struct Rows {
    int64_t n;
    const void *X;
    const void *values;
    const void *columns;
    const void *starts;
    bool wide;  // columns and starts are int64, not int32
    const int64_t *y;
    const double *Y;
    const double *weight;  // or null: ones
    double mean_weight;
    const double *target_values;
    const void *target_columns, *target_starts;
    bool target_wide;  // as `wide`
};

// What a step does beyond following the gradient of the loss: engine/batches.py says what each number means.
struct Regularization {
    double alpha, label_smoothing, weight_decay;
    double clip_norm;       // 0 for none
    const double *dropout;  // of the hidden layers, or null
    uint64_t seed;
    double mixup, mixup_share;
};

// How gradients move weights. SGD: `first` is the velocity. Adam: `first` and `second` are m and v.
struct Rule {
    bool adam, nesterov;
    double momentum, beta_1, beta_2, epsilon;
    int64_t t;  // steps that Adam has behind it
    const double *factors;  // of the learning rate, for W1, b1, W2, ..., F, H, V, C, E1, ...; or null: ones
    double scale_factor;    // of the learning rate, for the scale of the inputs
};

struct Epoch {
    Shape shape;
    Rows rows;
    Regularization regularization;
    Rule rule;
    void *theta, *first, *second;
    void *unscaled;  // or null. W1 before the scale of the inputs, ..., the scale; first and second go on likewise
    const int64_t *order;
    int64_t batch_size;
    const double *rates;  // one for each step
    int64_t first_step;
    const double *mixup_factors;  // one for each step, or null: ones
    int64_t parameters;  // of the network
};

enum Ending : int32_t { DONE, NOT_FINITE, INTERRUPTED, NO_MEMORY, NOT_BY_TILES };

struct Outcome {
    double loss;
    int64_t steps;  // that have moved the caller's arrays
    Ending ending;
    bool sound = true;  // whether all weights are finite at the end of an epoch
};

// What can be done with a session between two epochs: write what it has packed to the caller's arrays; take what has been
// written there; go back to the state before an epoch; free it, once it has been read.
enum Settling : int32_t { READ, LOAD, GO_BACK, CLOSE };

struct Standing {
    int64_t t;   // steps that the rule has behind it
    bool back;  // whether there was a state to go back to
};

// The helpers (team.hpp), behind plain functions: nothing of the standard library enters an instruction set's unit.
class Team;
int gather_helpers(Team &team, int helpers, void (*work)(void *context, int worker, int64_t item), void *context);
void run_phase(Team &team, int64_t items);
void dismiss_helpers(Team &team);

struct Workers {
    Team *team;
    int threads;  // at most; 1 works alone
    bool (*interrupted)();  // called by the caller's own thread, every few milliseconds
    int64_t memory = 128'000'000;  // bytes, about: what a call with very many classes takes beyond what it is given
    int64_t many = 4096;                  // classes: so many go by tiles, fewer are faster without
};

// What is wanted of each row, beside no probabilities of all classes: arrays may be null.
struct Summary {
    double *losses;         // (n,): the cross-entropy of the labels
    int64_t count;          // of the classes that are most probable, 0 for none
    int64_t *labels;        // (n, count), the most probable first
    double *probabilities;  // (n, count)
};

// A softmax layer that is a call of its own, Z = A W + b with the cross-entropy of labels. b is null where there is none,
// and so is each gradient that is not wanted. The weights of the rows multiply their slopes, not the losses.
struct LayerCall {
    int64_t d, k;
    Rows rows;               // X is A, (n, d)
    Regularization regularization;
    double softcap, z_loss, temperature;  // as Shape has them
    const void *W, *b;       // (d, k), or (k, d) if it is transposed; (k,)
    bool transposed;
    void *dA, *dW, *db;
    double *losses;          // (n,)
};

// What each instruction set offers, each for float32 and float64.
struct Engine {
    const char *name;
    Outcome (*epoch[2])(const Epoch &, Workers &);
    // A session: weights and state stay packed from epoch to epoch. Null, or false, where there is no memory.
    void *(*open[2])(const Epoch &of, bool keep);  // of its network, rule and arrays
    bool (*begin[2])(void *session, const Epoch &, Workers &);
    Outcome (*steps[2])(void *session, int64_t most, Workers &);  // `loss` and `steps` since the beginning of the epoch
    Standing (*settle[2])(void *session, Settling, int64_t t);
    // The gradient is float64, (p,), whatever the network.
    Outcome (*gradient[2])(const Shape &, const Rows &, const Regularization &, const void *theta, double *gradient,
                           Workers &);
    Outcome (*forward[2])(const Shape &, const Rows &, const void *theta, bool probabilities, void *out,
                          Workers &);
    // NOT_BY_TILES where the network does not go by tiles of classes: it has few, or another output or loss.
    Outcome (*summary[2])(const Shape &, const Rows &, const void *theta, const Summary &to, Workers &);
    Outcome (*layer[2])(const LayerCall &, Workers &);
};

const Engine &engine_baseline();
const Engine &engine_avx2();
const Engine &engine_avx512();
const Engine &engine_neon();

}  // namespace glassmax
