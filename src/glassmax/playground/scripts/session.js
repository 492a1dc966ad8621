// One training session: data, network, weights, optimizer, and where in which epoch it stands. It knows no page.
//
// The right gradient is the engine's. With a mistake switched on, the twin takes the steps, and a second copy of the
// weights, the shadow, goes on with the right gradient, so that the two can be compared.

import { arraysOf, gradientOf, updateOf } from "./backward.js";
import { parameterCount } from "./engine.js";
import { toyWeights } from "./datasets.js";
import { matrix } from "./matrices.js";
import { mistakeOf, mistakesFor } from "./mistakes.js";
import { shuffled, startingWeights } from "./random.js";

const MOST_POINTS = 400, EVALUATED = 2000;
const TOY_SIZES = "4,10,3";

export const DEFAULTS = {
  hidden: [10], activation: "sigmoid", output: "softmax", loss: "cross_entropy", optimizer: "sgd", learningRate: 0.1,
  momentum: 0.9, batchSize: 32, l2: 0, seed: 0, mistake: "",
};

export class Session {
  constructor(engine, data, settings = {}) {
    this.engine = engine;
    this.setData(data, settings);
  }

  // Other rows. Without memory for them or for what is learned from them, the session stays as it was.
  setData(data, settings = {}) {
    const before = { ...this };
    this.engine.setRows(data.X, data.Y);
    try {
      Object.assign(this, { data, settings: { ...DEFAULTS, ...data.suits, ...settings }, cost: 0 });
      this.reset();
    } catch (error) {
      Object.assign(this, before);
      if (before.data) this.engine.setRows(before.data.X, before.data.Y);
      throw error;
    }
  }

  get network() {
    const { hidden, activation, output, loss } = this.settings;
    return { sizes: [this.data.d, ...hidden, this.data.k], activation, output, loss };
  }

  reset() {
    const { sizes } = this.network;
    const known = this.data.name === "toy" && sizes.join() === TOY_SIZES && this.settings.seed === 0;
    this.theta = known ? toyWeights() : startingWeights(this.network, this.settings.seed);
    this.state = this.newState();
    this.epoch = this.position = 0;
    this.history = [];
    this.stride = 1;
    this.sum = 0;
    this.broken = "";
    this.forgetShadow();
    this.order = this.orderOf(0);
    this.evaluate();
    this.record(this.lossOf(this.theta));
  }

  newState() {
    const p = parameterCount(this.network.sizes);
    return { first: new Float64Array(p), second: this.settings.optimizer === "adam" ? new Float64Array(p) : null, steps: 0 };
  }

  orderOf(epoch) {
    if (this.data.name === "toy" && this.settings.batchSize >= this.data.n) return this.data.train;
    return shuffled(this.data.train.length, this.settings.seed, epoch + 1).map((i) => this.data.train[i]);
  }

  // A setting that changes while training goes on, with `more` at the same time. Without memory, all stays as it was.
  change(name, value, more = {}) {
    const before = { ...this };
    const { network } = this;
    try {
      this.settings = { ...this.settings, ...more, [name]: value };
      this.cost = 0;
      this.changed(name, network);
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
  }

  // Only other layers or another seed begin with new weights.
  changed(name, before) {
    if (!mistakesFor(this.network).some(({ id }) => id === this.settings.mistake)) this.settings.mistake = "";
    if (this.network.sizes.join() !== before.sizes.join() || name === "seed") return this.reset();
    if (name === "optimizer") this.state = this.newState();
    if (name === "mistake" || name === "optimizer") this.forgetShadow();
    if (name === "batchSize") this.order = this.orderOf(this.epoch);
    if (name === "batchSize") this.position = 0;
    this.evaluate();
  }

  // Take W1, b1, W2, ... from arrays by name.
  setParameters(arrays) {
    let from = 0;
    for (let l = 1; l < this.network.sizes.length; ++l)
      for (const name of [`W${l}`, `b${l}`]) {
        this.theta.set(arrays[name].data, from);
        from += arrays[name].data.length;
      }
    this.evaluate();
    this.forgetShadow();
  }

  forgetShadow() {
    const copy = (array) => array && array.slice();
    const { first, second, steps } = this.state;
    this.shadow = this.settings.mistake
      ? { theta: copy(this.theta), state: { first: copy(first), second: copy(second), steps }, sum: 0, from: this.epoch }
      : null;
  }

  // ---- steps ----

  // The rows of the batch that comes next.
  batch() {
    const size = Math.max(1, Math.min(this.settings.batchSize, this.order.length));
    return this.order.slice(this.position, this.position + size);
  }

  rows(indices) {
    const pick = (array, width) => {
      const out = matrix(indices.length, width);
      indices.forEach((i, at) => out.data.set(array.subarray(i * width, (i + 1) * width), at * width));
      return out;
    };
    return { X: pick(this.data.X, this.data.d), Y: pick(this.data.Y, this.data.k) };
  }

  // Go on by at most `count` rows, in whole batches, without passing the end of the epoch; true at its end.
  advance(count) {
    const size = Math.max(1, Math.min(this.settings.batchSize, this.order.length));
    const batches = Math.max(1, Math.floor(count / size));
    const rows = this.order.slice(this.position, this.position + batches * size);
    const options = { ...this.settings, batchSize: size };
    const steps = Math.ceil(rows.length / size);
    if (this.shadow) {
      this.shadow.sum += rows.length * this.engine.train(this.network, rows, options, this.shadow.theta, this.shadow.state);
      this.shadow.state.steps += steps;
      for (let from = 0; from < rows.length; from += size) this.stepByTwin(rows.slice(from, from + size));
    } else {
      this.sum += rows.length * this.engine.train(this.network, rows, options, this.theta, this.state);
      this.state.steps += steps;
    }
    this.position += rows.length;
    if (this.position < this.order.length) return false;
    this.endEpoch();
    return true;
  }

  stepByTwin(rows) {
    const { X, Y } = this.rows(rows);
    const { l2, learningRate, mistake } = this.settings;
    const arrays = arraysOf(this.network, this.theta, X, Y, { l2, learningRate, mistake: mistakeOf(mistake), downToX: false });
    const { change, state } = updateOf(gradientOf(arrays, this.network.sizes), this.state, this.settings);
    for (let p = 0; p < change.length; ++p) this.theta[p] += change[p];
    this.state = state;
    this.sum += rows.length * arrays.L.data[0];
  }

  endEpoch() {
    const n = this.order.length;
    ++this.epoch;
    this.record(this.sum / n, this.shadow && this.shadow.sum / n);
    this.position = this.sum = 0;
    if (this.shadow) this.shadow.sum = 0;
    this.order = this.orderOf(this.epoch);
  }

  // Train for some milliseconds, or to the end of the epoch if that comes first and `toEnd`; `clock` tells the time.
  // Returns the number of epochs that ended. `cost` is the time for a row, 0 before the first batch has told.
  trainFor(milliseconds, clock, toEnd = false) {
    const start = clock();
    let epochs = 0;
    do {
      const before = clock();
      const from = this.position;
      const most = this.cost ? Math.max(1, Math.floor((0.8 * milliseconds) / this.cost)) : 1;
      const done = this.advance(most);
      const rows = (done ? this.order.length : this.position) - from;
      const cost = (clock() - before) / Math.max(rows, 1);
      this.cost = this.cost ? 0.7 * this.cost + 0.3 * cost : cost;
      epochs += done;
    } while (clock() - start < milliseconds * 0.8 && !(toEnd && epochs) && Number.isFinite(this.lastLoss));
    this.settle();
    return epochs;
  }

  get lastLoss() {
    return this.history.at(-1)?.loss ?? 0;
  }

  // ---- what is known about it ----

  record(loss, shadow = null) {
    const { accuracy, heldLoss } = this;
    this.history.push({ epoch: this.epoch, loss, held: heldLoss, accuracy, shadow });
    if (this.history.length > MOST_POINTS) this.history = this.history.filter((_, i, { length }) => i % 2 === 0 || i === length - 1);
  }

  evaluated() {
    return (this.data.held.length ? this.data.held : this.data.train).slice(0, EVALUATED);
  }

  evaluate() {
    const indices = this.evaluated();
    const { X, Y } = this.rows(indices);
    const P = this.engine.predict(this.network, X.data, this.theta);
    const k = this.data.k;
    let right = 0;
    indices.forEach((_, i) => (right += largest(P, i * k, k) === largest(Y.data, i * k, k)));
    this.accuracy = right / indices.length;
    this.heldLoss = this.data.held.length ? this.engine.lossAndGradient(this.network, X.data, Y.data, 0, this.theta).loss : null;
  }

  // Evaluate, and put what is known now into the last point of the curves if it is of this moment.
  settle() {
    this.evaluate();
    const last = this.history.at(-1);
    if (last && last.epoch === this.epoch && this.position === 0) Object.assign(last, { held: this.heldLoss, accuracy: this.accuracy });
  }

  lossOf(theta) {
    const { X, Y } = this.rows(this.data.train.slice(0, EVALUATED));
    return this.engine.lossAndGradient(this.network, X.data, Y.data, this.settings.l2, theta).loss;
  }

  // Every array of some rows, with changed numbers, with the mistake or without.
  arrays(indices, { changes = {}, mistake = this.settings.mistake, theta = this.theta } = {}) {
    const { X, Y } = this.rows(indices);
    const { l2, learningRate } = this.settings;
    return arraysOf(this.network, theta, X, Y, { l2, learningRate, changes, mistake: mistakeOf(mistake) });
  }
}

export function largest(array, from, count) {
  let best = 0;
  for (let j = 1; j < count; ++j) if (array[from + j] > array[from + best]) best = j;
  return best;
}
