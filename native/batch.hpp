// One batch, phase by phase: rows up through the network and down again (rows.hpp); then the weights (weights.hpp). With
// very many classes the rows go up to the last layer, both sweeps follow (classes.hpp), and the rows go down from there.
//
// An item of the first phase is a span of rows, one of the second a block of weights. Within a phase no item reads what
// another writes, and each number is made by one item alone, in an order that the shape fixes: so the bits are the
// same for any number of threads.

enum Phase { FORWARD, ROWS, WEIGHTS, ROWS_UP, FIRST_SWEEP, BETWEEN, SECOND_SWEEP, SUMMED_SWEEP, ROWS_DOWN, MEASURE };

template <class T> struct Scratch {  // a worker's own
    T **Z;         // of each layer, [unit][SPAN]: Z, then f'(Z), then dZ
    T *Y;          // [class][SPAN]
    T *capped;     // likewise: the logits, where their slopes or the z-loss are still to come
    T *mask;       // (SPAN,)
    T *nothing;    // a row of zeros
    T *blends;     // [SPAN][d]: the rows of a span that are mixed with others
    T *gradient_panel;  // the gradient of one panel of a sparse layer
};

template <class T> struct Batch {
    Layer<T> *layers;
    Embedded<T> embedded;  // if shape.embedding
    Classes<T> classes;    // if they are very many
    Scratch<T> *scratch;
    Shape shape;
    Rows rows;
    Regularization regularization;
    int64_t d;             // columns of X
    int64_t lowest;        // layer that the gradient has to reach; -1: the embedding
    Workers *workers;

    const int64_t *index;  // of the rows that go through together, or null: they follow `begin`
    int64_t begin, m;
    int64_t step;          // for the dropout masks and mixup
    double mixup;          // the largest share of the previous row; 0 for no mixup
    double *shares;        // of the previous row, in each row of this part
    int64_t last;          // the last row of the whole batch
    double divisor;
    int64_t dZ_stride;     // numbers from one panel of dZ to the next
    bool sparse, train, probabilities, first_part;
    int phase;             // what an item is
    int64_t layers_items;  // of the weights' phase; those of the embedding follow
    int64_t scaled_items;  // of the weights' phase: those of a first layer with a learned scale of its inputs
    int mode, weights_task;  // of the weights' phase
    Step<T> move;
    double shorten;        // to the clip norm
    double *losses;        // of each span, weighted
    double *squares, *lengths;  // of each item of the weights' phase
    T *out;

    int64_t row(int64_t s) const { return index ? index[s] : begin + s; }
    int64_t previous(int64_t s) const { return s == 0 && first_part ? last : index[s - 1]; }
    bool absent(int64_t row) const { return rows.weight && rows.weight[row] == 0; }
    bool soft() const { return rows.Y || rows.target_starts || mixup > 0; }  // targets are more than a label
};
