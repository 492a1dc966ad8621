// The native engine, compiled to WebAssembly (native/wasm/exports.cpp): whole epochs, predictions, loss and gradient.
//
// A network is {sizes, activation, output, loss}: the layer sizes from the inputs to the classes, and names. Parameters
// are one Float64Array theta in the order W1, b1, W2, b2, ... with W row after row. Rows are flat Float64Arrays.

export const ACTIVATIONS = [
  "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus",
];
export const OUTPUTS = ["softmax", "sigmoid", "identity", "relu"];
export const LOSSES = ["cross_entropy", "squared_error", "binary_cross_entropy"];

export function parameterCount(sizes) {
  let count = 0;
  for (let l = 1; l < sizes.length; ++l) count += (sizes[l - 1] + 1) * sizes[l];
  return count;
}

export async function loadEngine(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  instance.exports._initialize();
  return new Engine(instance.exports);
}

export class NoMemory extends Error {}

// The engine returns -1 for the loss, and 0 from `predict`, where it found no memory.
function enough(found) {
  if (!found) throw new NoMemory("There is not enough memory for this network and these rows.");
}

class Engine {
  constructor(exports) {
    this.exports = exports;
    this.data = null; // where X and Y of the training rows lie
  }

  // Copy an array into the engine's memory. The caller gives the room back.
  put(array) {
    const at = this.exports.allocate_bytes(Math.max(8, array.byteLength));
    if (!at) throw new NoMemory("There is not enough memory for these rows. Try a file with fewer rows or columns.");
    new array.constructor(this.exports.memory.buffer, at, array.length).set(array);
    return at;
  }

  get(at, array) {
    array.set(new array.constructor(this.exports.memory.buffer, at, array.length));
  }

  // Call `what` with the places of copies of the arrays; afterwards copy back those in `out`, and free all.
  withArrays(arrays, out, what) {
    const places = [];
    try {
      for (const array of arrays) places.push(array ? this.put(array) : 0);
      const result = what(...places);
      arrays.forEach((array, i) => out.includes(array) && array && this.get(places[i], array));
      return result;
    } finally {
      for (const place of places) if (place) this.exports.release_bytes(place);
    }
  }

  shape(network) {
    const names = new Array(network.sizes.length - 2).fill(ACTIVATIONS.indexOf(network.activation));
    return [Int32Array.from(network.sizes), Int32Array.from(names)];
  }

  numbers(network, sizes, activations) {
    const head = [OUTPUTS.indexOf(network.output), LOSSES.indexOf(network.loss)];
    return [network.sizes.length - 1, sizes, activations, ...head];
  }

  // Keep the rows that `train` goes through: X (n, d) and Y (n, k). Without memory for both, the old rows stay.
  setRows(X, Y) {
    const before = this.data ?? [];
    const x = this.put(X);
    try {
      this.data = [x, this.put(Y)];
    } catch (error) {
      this.exports.release_bytes(x);
      throw error;
    }
    for (const at of before) this.exports.release_bytes(at);
  }

  // Steps through the rows named in `order`, batch after batch; theta and the optimizer's state move in place.
  train(network, order, { batchSize, learningRate, l2, momentum }, theta, state) {
    const [sizes, activations] = this.shape(network);
    const arrays = [sizes, activations, Int32Array.from(order), theta, state.first, state.second];
    return this.withArrays(arrays, [theta, state.first, state.second], (s, a, rows, t, first, second) => {
      const loss = this.exports.train(
        ...this.numbers(network, s, a), order.length, ...this.data, rows, batchSize, learningRate, l2, momentum,
        t, first, second, state.steps,
      );
      enough(loss !== -1);
      return loss;
    });
  }

  lossAndGradient(network, X, Y, l2, theta) {
    const [sizes, activations] = this.shape(network);
    const gradient = new Float64Array(theta.length);
    const n = X.length / network.sizes[0];
    const loss = this.withArrays([sizes, activations, X, Y, theta, gradient], [gradient], (s, a, x, y, t, g) =>
      this.exports.loss_and_gradient(...this.numbers(network, s, a), n, x, y, l2, t, g),
    );
    enough(loss !== -1);
    return { loss, gradient };
  }

  predict(network, X, theta) {
    const [sizes, activations] = this.shape(network);
    const n = X.length / network.sizes[0];
    const P = new Float64Array(n * network.sizes.at(-1));
    if (n === 0) return P;
    enough(this.withArrays([sizes, activations, X, theta, P], [P], (s, a, x, t, p) =>
      this.exports.predict(...this.numbers(network, s, a), n, x, t, p),
    ));
    return P;
  }
}
