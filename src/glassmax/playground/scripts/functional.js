// The twin of glassmax.functional: activations, softmax, losses, each f beside its derivative, in float64.
//
// The formulas are those of the Python modules of the same names, written so that nothing cancels where P is close to 0
// or 1. The tests hold the two to each other.

import { combine, fill, map, matrix, rowOf } from "./matrices.js";

// ---- activations: f(z) and f'(z) ----

export const sigmoid = (z) => {
  const e = Math.exp(-Math.abs(z));
  return z >= 0 ? 1 / (1 + e) : z < 0 ? e / (1 + e) : NaN;
};
export const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const oneMinusTanhSquared = (z) => 4 * sigmoid(2 * z) * sigmoid(-2 * z);
const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

// The Chebyshev series of native/mathematics.hpp: Phi(-a) = t h(t) exp(-a^2/2) with t = 1/(1 + a/sqrt(8)).
const TAIL = [
  0.25539567631050575, 0.17179017110345257, 0.06986802313900738, 0.00911055787672952, -0.005377665472018266,
  -0.0016197962672910337, 0.0007726530070506643, 0.00020932402163955556, -0.00016576828834507305,
  -8.592915937444876e-6, 3.611709414752403e-5, -8.536890566909457e-6, -5.421492664982205e-6, 4.02893793357367e-6,
  -2.8882118057557134e-7, -9.075177540270833e-7, 5.152849607645553e-7, -6.877254116592973e-9, -1.631230467648336e-7,
  8.933614739584267e-8, 1.8000422646039968e-8, -3.482921471704569e-8, 3.26021730720077e-9, 6.608162758816324e-9,
  -9.55586864303947e-10, -5.2951665717859e-10,
];
export function normalCdf(z) {
  const t = 1 / (1 + Math.abs(z) * 0.3535533905932738);
  let h = 0;
  for (let i = TAIL.length - 1; i >= 0; --i) h = h * (2 * t - 1) + TAIL[i];
  const tail = t * h * Math.exp((-z * z) / 2);
  return z > 0 ? 1 - tail : tail;
}

const [SELU_ALPHA, SELU_SCALE, SLOPE] = [1.6732632423543772, 1.0507009873554805, 0.01];

export const ACTIVATION = {
  identity: { f: (z) => z, slope: () => 1 },
  sigmoid: { f: sigmoid, slope: (z) => sigmoid(z) * sigmoid(-z) },
  tanh: { f: Math.tanh, slope: oneMinusTanhSquared },
  relu: { f: (z) => (z > 0 ? z : z * 0), slope: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { f: (z) => (z > 0 ? z : SLOPE * z), slope: (z) => (z > 0 ? 1 : SLOPE) },
  elu: { f: (z) => (z > 0 ? z : Math.expm1(z)), slope: (z) => Math.exp(Math.min(z, 0)) },
  selu: {
    f: (z) => (z > 0 ? SELU_SCALE * z : SELU_SCALE * SELU_ALPHA * Math.expm1(z)),
    slope: (z) => (z > 0 ? SELU_SCALE : SELU_SCALE * SELU_ALPHA * Math.exp(z)),
  },
  gelu: { f: (z) => z * normalCdf(z), slope: (z) => normalCdf(z) + z * density(z) },
  silu: { f: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) * (1 + z * sigmoid(-z)) },
  mish: {
    f: (z) => z * Math.tanh(softplus(z)),
    slope: (z) => Math.tanh(softplus(z)) + z * oneMinusTanhSquared(softplus(z)) * sigmoid(z),
  },
  softplus: { f: softplus, slope: sigmoid },
};

// ---- softmax ----

// Each row minus its largest entry, exponentiated; `others` is the sum without the largest term, which is exactly 1.
export function exponentials(Z) {
  const pieces = { shift: matrix(Z.rows, Z.cols), P: matrix(Z.rows, Z.cols), others: [], top: [] };
  for (let i = 0; i < Z.rows; ++i) {
    const z = rowOf(Z, i);
    let top = 0;
    for (let j = 1; j < z.length; ++j) if (z[j] > z[top] || Number.isNaN(z[j])) top = j;
    let others = 0;
    for (let j = 0; j < z.length; ++j) if (j !== top) others += Math.exp(z[j] - z[top]);
    for (let j = 0; j < z.length; ++j) {
      pieces.shift.data[i * Z.cols + j] = z[j] - z[top];
      pieces.P.data[i * Z.cols + j] = Math.exp(z[j] - z[top]) / (1 + others);
    }
    pieces.others.push(others);
    pieces.top.push(top);
  }
  return pieces;
}

export const softmax = (Z) => exponentials(Z).P;

// dZ = P * (dP - rowsum(dP * P)), whatever the loss.
export function softmaxVjp(dP, P) {
  return fill(P.rows, P.cols, (i, j) => {
    const [p, dp] = [rowOf(P, i), rowOf(dP, i)];
    let along = 0;
    for (let m = 0; m < p.length; ++m) along += dp[m] * p[m];
    return p[j] * (dp[j] - along);
  });
}

// diag(p) - p pT of one row.
export function softmaxJacobian(P, i) {
  const p = rowOf(P, i);
  return fill(P.cols, P.cols, (a, b) => (a === b ? p[a] * total1(p, a) : -p[a] * p[b]));
}
const total1 = (p, without) => p.reduce((sum, x, j) => (j === without ? sum : sum + x), 0);

// ---- losses: of each row, and dL_i/dP ----

const times = (y, x) => (y === 0 ? 0 : y * x); // 0 log 0 = 0

export const LOSS = {
  cross_entropy: { term: (p, y) => -times(y, Math.log(p)), dP: (p, y) => (y === 0 ? 0 : -y / p) },
  squared_error: { term: (p, y) => ((p - y) * (p - y)) / 2, dP: (p, y) => p - y },
  binary_cross_entropy: {
    term: (p, y) => -times(y, Math.log(p)) - times(1 - y, Math.log1p(-p)),
    dP: (p, y) => (y === 1 ? 0 : (1 - y) / (1 - p)) - (y === 0 ? 0 : y / p),
  },
};

// ---- heads: an output function and a loss together ----

// The pairs with formulas on the logits, L_i and dL_i/dZ_i of one entry; the others go through dP.
const ON_LOGITS = {
  "sigmoid binary_cross_entropy": {
    term: (z, y) => times(y, softplus(-z)) + times(1 - y, softplus(z)),
    dZ: (z, y) => (1 - y) * sigmoid(z) - y * sigmoid(-z),
  },
  "sigmoid cross_entropy": { term: (z, y) => times(y, softplus(-z)), dZ: (z, y) => -y * sigmoid(-z) },
};

// {Z, P, pieces}: the logits, the predictions, and softmax's pieces.
export function headForward(output, Z) {
  const pieces = output === "softmax" ? exponentials(Z) : null;
  return { Z, P: pieces ? pieces.P : map(Z, ACTIVATION[output].f), pieces };
}

// log(1 - P), from the logits where P is the largest.
function logNotP(pieces, i, j) {
  const others = pieces.others[i];
  if (pieces.top[i] === j) return Math.log(others) - Math.log1p(others);
  return Math.log1p(-rowOf(pieces.P, i)[j]);
}
const notP = (pieces, i, j) =>
  pieces.top[i] === j ? pieces.others[i] / (1 + pieces.others[i]) : 1 - rowOf(pieces.P, i)[j];

// L_i of each row.
export function headRows(output, loss, head, Y) {
  const onLogits = ON_LOGITS[`${output} ${loss}`];
  return fill(Y.rows, 1, (i) => {
    const [y, p, z] = [rowOf(Y, i), rowOf(head.P, i), rowOf(head.Z, i)];
    let sum = 0;
    for (let j = 0; j < y.length; ++j) {
      if (onLogits) sum += onLogits.term(z[j], y[j]);
      else if (output === "softmax" && loss !== "squared_error") {
        const logP = rowOf(head.pieces.shift, i)[j] - Math.log1p(head.pieces.others[i]);
        sum -= times(y[j], logP);
        if (loss === "binary_cross_entropy") sum -= times(1 - y[j], logNotP(head.pieces, i, j));
      } else sum += LOSS[loss].term(p[j], y[j]);
    }
    return sum;
  });
}

// dL_i/dP_i, before any weight or mean.
export const headdP = (loss, P, Y) => combine(P, Y, LOSS[loss].dP);

// dL_i/dZ_i, before any weight or mean.
export function headdZ(output, loss, head, Y) {
  const { Z, P, pieces } = head;
  const onLogits = ON_LOGITS[`${output} ${loss}`];
  if (onLogits) return combine(Z, Y, onLogits.dZ);
  if (output === "softmax" && loss === "cross_entropy")
    return fill(P.rows, P.cols, (i, j) => {
      const y = rowOf(Y, i);
      return rowOf(P, i)[j] * (y.reduce((a, b) => a + b, 0) - y[j]) - y[j] * notP(pieces, i, j);
    });
  if (output === "softmax" && loss === "binary_cross_entropy") return crosseddZ(pieces, Y);
  const dP = headdP(loss, P, Y);
  return output === "softmax" ? softmaxVjp(dP, P) : combine(dP, map(Z, ACTIVATION[output].slope), (a, b) => a * b);
}

// u_c (1 - P_c) - P_c sum_{j != c} u_j with u = P dP, so that nothing large is subtracted.
function crosseddZ(pieces, Y) {
  return fill(Y.rows, Y.cols, (i, c) => {
    const [y, p] = [rowOf(Y, i), rowOf(pieces.P, i)];
    const u = (j) => (y[j] === 1 ? 0 : ((1 - y[j]) * p[j]) / notP(pieces, i, j)) - y[j];
    let others = 0;
    for (let j = 0; j < y.length; ++j) if (j !== c) others += u(j);
    return (1 - y[c]) * p[c] - y[c] * notP(pieces, i, c) - p[c] * others;
  });
}
