// The twin of glassmax.network: every array of one batch by its name, forward and backward, in the order of computation.
//
//   X, Z1, A1, ..., E, P, L_i, L, dP, dZ_last, then for each layer down: dW, db, dA and dZ of the layer below, dX.
//
// A mistake (mistakes.js) replaces single rules. A change replaces single numbers, whatever array they are in.

import { parameterCount } from "./engine.js";
import { ACTIVATION, exponentials, headdP, headdZ, headForward, headRows, LOSS, softmaxVjp } from "./functional.js";
import { affine, columnSums, combine, copyOf, fill, map, matrix, parametersOf, product, rowOf } from "./matrices.js";
import { total, transposed } from "./matrices.js";

const hadamard = (A, B) => combine(A, B, (a, b) => a * b);

// Numbers that somebody typed over: {W1: {"0,2": 1.5}, ...}.
function changed(changes, name, M) {
  const cells = changes[name];
  if (!cells) return M;
  const out = copyOf(M);
  for (const [cell, value] of Object.entries(cells)) {
    const [i, j] = cell.split(",").map(Number);
    if (i < M.rows && j < M.cols) out.data[i * M.cols + j] = value;
  }
  return out;
}

// w_i over the sum of w, for each row; 1/n without weights.
function rowFactors(n, weights) {
  if (!weights) return new Array(n).fill(1 / n);
  const sum = total(weights);
  return Array.from(weights, (w) => w / sum);
}

const byRow = (M, factors) =>
  fill(M.rows, M.cols, (i, j) => (factors[i] === 0 ? 0 : M.data[i * M.cols + j] * factors[i]));

export function arraysOf(network, theta, X, Y, options = {}) {
  const { l2 = 0, weights = null, mistake = {}, changes = {}, learningRate = 0, downToX = true } = options;
  const arrays = {};
  const set = (name, M) => (arrays[name] = changed(changes, name, M));
  const depth = network.sizes.length - 1;
  const { output, loss, activation } = network;
  const f = ACTIVATION[activation];
  const exact = Object.keys(changes).length === 0; // then the formulas on the logits, which lose no digits

  set("X", X);
  set("Y", Y);
  for (const [name, value] of Object.entries(parametersOf(network.sizes, theta))) set(name, value);
  for (let l = 1; l <= depth; ++l) {
    set(`Z${l}`, affine(l === 1 ? arrays.X : arrays[`A${l - 1}`], arrays[`W${l}`], arrays[`b${l}`]));
    if (l < depth) set(`A${l}`, map(arrays[`Z${l}`], f.f));
  }
  const Z = arrays[`Z${depth}`];
  const head = mistake.head ? mistake.head(Z) : headForward(output, Z);
  if (output === "softmax") set("E", map(Z, Math.exp));
  set("P", exact || output !== "softmax" ? head.P : normalized(arrays.E));
  const factors = rowFactors(X.rows, weights);
  const formulas = exact && !mistake.head;
  const rows = formulas ? headRows(output, loss, head, arrays.Y) : rowsOfP(loss, arrays.P, arrays.Y);
  set("L_i", rows);
  const penalty = (l2 / 2) * sumOfSquares(arrays, depth);
  const mean = total(arrays["L_i"].data.map((L, i) => (factors[i] === 0 ? 0 : L * factors[i])));
  set("L", matrix(1, 1, Float64Array.of(mean + penalty)));

  const Yb = mistake.Y ? mistake.Y(arrays.Y) : arrays.Y;
  set("dP", byRow(headdP(loss, arrays.P, Yb), factors));
  const right = () => (formulas ? byRow(headdZ(output, loss, head, Yb), factors) : throughOutput(output, arrays, Z));
  set(`dZ${depth}`, wrongOr(mistake.dZ, { P: arrays.P, Y: Yb, dP: arrays.dP, factors, right }, right));
  for (let l = depth; l >= 1; --l) {
    const [A, W, dZ] = [l === 1 ? arrays.X : arrays[`A${l - 1}`], arrays[`W${l}`], arrays[`dZ${l}`]];
    const layer = { A, W, dZ, n: X.rows, learningRate };
    const dW = set(`dW${l}`, penalized(wrongOr(mistake.dW, layer, () => product(transposed(A), dZ)), l2, W));
    set(`db${l}`, wrongOr(mistake.db, layer, () => columnSums(dZ)));
    if (l === 1 && !downToX) break;
    const dA = wrongOr(mistake.dA, { ...layer, dW }, () => product(dZ, transposed(W)));
    set(l === 1 ? "dX" : `dA${l - 1}`, dA);
    if (l === 1) break;
    const below = { dA: arrays[`dA${l - 1}`], Z: arrays[`Z${l - 1}`], A, f };
    set(`dZ${l - 1}`, wrongOr(mistake.hidden, below, () => hadamard(below.dA, map(below.Z, f.slope))));
  }
  return arrays;
}

const wrongOr = (wrong, parts, right) => (wrong && wrong(parts)) || right();

const penalized = (dW, l2, W) => (l2 ? combine(dW, W, (g, w) => g + l2 * w) : dW);

const normalized = (E) => fill(E.rows, E.cols, (i, j) => rowOf(E, i)[j] / total(rowOf(E, i)));

const rowsOfP = (loss, P, Y) =>
  fill(P.rows, 1, (i) => total(rowOf(P, i).map((p, j) => LOSS[loss].term(p, rowOf(Y, i)[j]))));

function throughOutput(output, arrays, Z) {
  if (output === "softmax") return softmaxVjp(arrays.dP, arrays.P);
  return hadamard(arrays.dP, map(Z, ACTIVATION[output].slope));
}

function sumOfSquares(arrays, depth) {
  let sum = 0;
  for (let l = 1; l <= depth; ++l) for (const w of arrays[`W${l}`].data) sum += w * w;
  return sum;
}

// dW1, db1, dW2, ... as one vector in the order of theta.
export function gradientOf(arrays, sizes) {
  const gradient = new Float64Array(parameterCount(sizes));
  let from = 0;
  for (let l = 1; l < sizes.length; ++l)
    for (const { data } of [arrays[`dW${l}`], arrays[`db${l}`]]) {
      gradient.set(data, from);
      from += data.length;
    }
  return gradient;
}

// P of rows without anything else.
export function predictions(network, theta, X) {
  const parameters = parametersOf(network.sizes, theta);
  let A = X;
  const depth = network.sizes.length - 1;
  for (let l = 1; l <= depth; ++l) {
    const Z = affine(A, parameters[`W${l}`], parameters[`b${l}`]);
    if (l === depth) return network.output === "softmax" ? exponentials(Z).P : map(Z, ACTIVATION[network.output].f);
    A = map(Z, ACTIVATION[network.activation].f);
  }
  return A;
}

// The change that the optimizer makes, with its state after the step; nothing moves. `state` is that of engine.js.
export function updateOf(gradient, state, { learningRate, momentum }) {
  const [first, change] = [new Float64Array(gradient.length), new Float64Array(gradient.length)];
  const second = state.second ? new Float64Array(gradient.length) : null;
  const steps = state.steps + 1;
  const length = (learningRate * Math.sqrt(1 - 0.999 ** steps)) / (1 - 0.9 ** steps);
  for (let p = 0; p < gradient.length; ++p) {
    const g = gradient[p];
    if (second) {
      first[p] = 0.9 * state.first[p] + 0.1 * g;
      second[p] = 0.999 * state.second[p] + 0.001 * g * g;
      change[p] = (-length * first[p]) / (Math.sqrt(second[p]) + 1e-8);
    } else change[p] = first[p] = momentum * state.first[p] - learningRate * g;
  }
  return { change, state: { first, second, steps } };
}
