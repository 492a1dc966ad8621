// The ledger of one batch: for each array of backward.js its equation, its reason, and how a single cell is made.
//
// An entry is {name, pass, equation, index, why, cell}. The words of `equation` that are names of arrays get their shape
// when it is shown; a name may end in ᵀ. `cell(i, j)` returns {uses, terms, text}: which cells of which arrays make it (a
// row or a column where i or j is null), the products that add up to it, or a formula where nothing is summed.

import { at, rowOf } from "./matrices.js";

const PASS = ["forward", "loss", "backward"];
export { PASS };

export function entriesOf(network, arrays, { l2 = 0 } = {}) {
  const depth = network.sizes.length - 1;
  const entries = [];
  const add = (pass, name, equation, index, why, cell = null) =>
    name in arrays && entries.push({ name, pass, equation, index, why, cell });
  const value = (name, i, j) => at(arrays[name], i, j);
  const A = (l) => (l === 0 ? "X" : `A${l}`);
  const n = arrays.X.rows;

  add("forward", "X", "X", "X[i,u]", "Row i is sample i, column u is input u. Nothing is computed yet.");
  for (let l = 1; l <= depth; ++l) {
    const [Z, W, b, below] = [`Z${l}`, `W${l}`, `b${l}`, A(l - 1)];
    add("forward", W, W, `${W}[u,v]`, "A parameter. Row u belongs to input u of the layer, column v to unit v of the layer.");
    add("forward", b, b, `${b}[v]`, "A parameter: one number for each unit, the same for all samples.");
    add("forward", Z, `${Z} = ${below} ${W} + ${b}`, `${Z}[i,v] = Σ_u ${below}[i,u] ${W}[u,v] + ${b}[v]`,
      `The index u is in both factors and not on the left side, so u is summed: this is a matrix product. ${b} has no index i, so every row gets the same ${b}.`,
      (i, j) => sumOver(arrays[below].cols, (m) => [[below, i, m], [W, m, j]], value, [[[b, 0, j]]], [[below, i, null], [W, null, j], [b, 0, j]]));
    if (l < depth)
      add("forward", `A${l}`, `A${l} = ${network.activation}( ${Z} )`, `A${l}[i,v] = ${network.activation}(${Z}[i,v])`,
        "The activation acts entry by entry: nothing is summed, and no transpose is needed.",
        (i, j) => ({ uses: [[Z, i, j]], text: ["f(", [Z, i, j], ")"] }));
  }
  addHead(network, arrays, add, value, n, depth, l2);
  for (let l = depth; l >= 1; --l) {
    const [dZ, W, below] = [`dZ${l}`, `W${l}`, A(l - 1)];
    const penalty = l2 ? ` + ${short(l2)} ${W}` : "";
    add("backward", `dW${l}`, `dW${l} = ${below}ᵀ ${dZ}${penalty}`, `dW${l}[u,v] = Σ_i ${below}[i,u] ${dZ}[i,v]${l2 ? ` + ${short(l2)} ${W}[u,v]` : ""}`,
      `Every sample i uses every weight, so the sum runs over the samples, which are the rows of both arrays. A matrix product sums over the columns of its left factor: hence the transpose of ${below}.`,
      (i, j) => sumOver(n, (m) => [[below, m, i], [dZ, m, j]], value, l2 ? [[["", l2], [W, i, j]]] : [], [[below, null, i], [dZ, null, j], ...(l2 ? [[W, i, j]] : [])]));
    add("backward", `db${l}`, `db${l} = 1ᵀ ${dZ}`, `db${l}[v] = Σ_i ${dZ}[i,v]`,
      "Every sample gets the same bias, so its derivative is the sum over the samples: the column sums.",
      (i, j) => sumOver(n, (m) => [[dZ, m, j]], value, [], [[dZ, null, j]]));
    const dA = l === 1 ? "dX" : `dA${l - 1}`;
    add("backward", dA, `${dA} = ${dZ} ${W}ᵀ`, `${dA}[i,u] = Σ_v ${dZ}[i,v] ${W}[u,v]`,
      `In the forward pass, unit u acts on every unit v through ${W}[u,v]. In the backward pass, unit u gets the derivative of every unit v through the same number, so the sum runs over v. A matrix product sums over the rows of its right factor, and v is a column of ${W}: hence the transpose.`,
      (i, j) => sumOver(arrays[dZ].cols, (m) => [[dZ, i, m], [W, j, m]], value, [], [[dZ, i, null], [W, j, null]]));
    if (l > 1)
      add("backward", `dZ${l - 1}`, `dZ${l - 1} = dA${l - 1} ∘ ${network.activation}′( Z${l - 1} )`, `dZ${l - 1}[i,u] = dA${l - 1}[i,u] · ${network.activation}′(Z${l - 1}[i,u])`,
        "The activation acts entry by entry, so its derivative is a factor of each entry: this is a Hadamard product, and nothing is summed.",
        (i, j) => ({ uses: [[`dA${l - 1}`, i, j], [`Z${l - 1}`, i, j]], text: [[`dA${l - 1}`, i, j], " · f′(", [`Z${l - 1}`, i, j], ")"] }));
  }
  return entries;
}

const LOSS_TEXT = {
  cross_entropy: ["−Σ_c Y[i,c] log P[i,c]", "−Y / (n P)", "−Y[i,c] / (n P[i,c])"],
  squared_error: ["½ Σ_c (P[i,c] − Y[i,c])²", "(P − Y) / n", "(P[i,c] − Y[i,c]) / n"],
  binary_cross_entropy: ["−Σ_c [Y[i,c] log P[i,c] + (1 − Y[i,c]) log(1 − P[i,c])]", "((1 − Y)/(1 − P) − Y/P) / n", "((1 − Y[i,c])/(1 − P[i,c]) − Y[i,c]/P[i,c]) / n"],
};

function addHead(network, arrays, add, value, n, depth, l2) {
  const [Z, dZ] = [`Z${depth}`, `dZ${depth}`];
  const { output, loss } = network;
  if (output === "softmax") {
    add("forward", "E", `E = exp( ${Z} )`, `E[i,c] = exp(${Z}[i,c])`, "The unnormalized probabilities: positive, but a row doesn't sum to 1 yet.",
      (i, j) => ({ uses: [[Z, i, j]], text: ["exp(", [Z, i, j], ")"] }));
    add("forward", "P", `P = softmax( ${Z} )`, "P[i,c] = E[i,c] / Σ_m E[i,m]", "Each row is divided by its own sum. P[i,c] depends on every score of row i, and on no other row.",
      (i, j) => ({ uses: [["E", i, null]], text: [["E", i, j], " / (", ...joined(arrays.E.cols, (m) => ["E", i, m]), ")"] }));
  } else
    add("forward", "P", `P = ${output}( ${Z} )`, `P[i,c] = ${output}(${Z}[i,c])`, "Each output depends on its own score alone: nothing is summed.",
      (i, j) => ({ uses: [[Z, i, j]], text: [`${output}(`, [Z, i, j], ")"] }));
  const [rows, whole, entry] = LOSS_TEXT[loss];
  add("loss", "Y", "Y", "Y[i,c]", "The targets: 1 at the class of sample i, 0 elsewhere.");
  add("loss", "L_i", "L_i", `L_i[i] = ${rows}`, loss === "cross_entropy" ? "Each row of Y has a single 1, so one term of the sum is left: minus the logarithm of the probability of the true class." : "The loss of each sample.",
    (i) => ({ uses: [["P", i, null], ["Y", i, null]], text: lossText(loss, arrays, i) }));
  add("loss", "L", "L", `L = 1/${n} Σ_i L_i[i]${l2 ? ` + ${short(l2)}/2 Σ W²` : ""}`, "The mean over the samples of the batch. This is the only place where 1/n enters.",
    () => ({ ...sumOver(n, (m) => [["", 1 / n], ["L_i", m, 0]], value, l2 ? [[["", value("L", 0, 0) - mean(arrays, n)]]] : [], [["L_i", null, 0]]) }));
  add("backward", "dP", `dP = ${whole.replaceAll("n", String(n))}`, `dP[i,c] = ${entry.replaceAll("n ", `${n} `).replaceAll("/ n", `/ ${n}`)}`, "How the loss changes with each output, as if each output could change alone.",
    (i, j) => ({ uses: [["P", i, j], ["Y", i, j]], text: dPText(loss, i, j, n) }));
  if (output === "softmax")
    add("backward", dZ, loss === "cross_entropy" ? `${dZ} = (P − Y) / ${n}` : `${dZ} = P ∘ (dP − rowsum(dP ∘ P))`, `${dZ}[i,c] = Σ_m dP[i,m] J_i[m,c],  J_i = diag(p) − p pᵀ`,
      loss === "cross_entropy" ? "Softmax has one matrix of derivatives for each sample, the Jacobian. The Jacobian is contracted with dP. Because each row of Y sums to 1, P − Y is left." : "Softmax has one matrix of derivatives for each sample, the Jacobian. The Jacobian is contracted with dP. The rows of the Jacobian are never summed alone, because every row sums to 0.",
      (i, j) => sumOver(arrays.P.cols, (m) => [["dP", i, m], ["", jacobian(arrays.P, i, m, j)]], value, [], [["dP", i, null], ["P", i, null]]));
  else
    add("backward", dZ, `${dZ} = dP ∘ ${output}′( ${Z} )`, `${dZ}[i,c] = dP[i,c] · ${output}′(${Z}[i,c])`, "Each output depends on its own score alone, so its derivative is a factor of each entry.",
      (i, j) => ({ uses: [["dP", i, j], [Z, i, j]], text: [["dP", i, j], ` · ${output}′(`, [Z, i, j], ")"] }));
}

export const jacobian = (P, i, m, c) => at(P, i, m) * ((m === c ? 1 : 0) - at(P, i, c));

function mean(arrays, n) {
  return arrays["L_i"].data.reduce((sum, x) => sum + x / n, 0);
}

// A sum of products; a factor is [name, i, j], or ["", number].
function sumOver(count, factors, value, more, uses) {
  const terms = Array.from({ length: count }, (_, m) => factors(m)).concat(more);
  return {
    uses,
    terms: terms.map((each) => ({ factors: each, value: each.reduce((product, factor) => product * valueOf(factor, value), 1) })),
  };
}

export const valueOf = ([name, i, j], value) => (name === "" ? i : value(name, i, j));

const joined = (count, cell) => Array.from({ length: count }, (_, m) => (m ? [" + ", cell(m)] : [cell(m)])).flat();

function lossText(loss, arrays, i) {
  if (loss !== "cross_entropy") return [LOSS_TEXT[loss][0].replaceAll("[i,", `[${i},`)];
  const c = rowOf(arrays.Y, i).findIndex((y) => y !== 0);
  return ["−log(", ["P", i, Math.max(c, 0)], ")"];
}

function dPText(loss, i, j, n) {
  if (loss === "cross_entropy") return ["−", ["Y", i, j], ` / (${n} · `, ["P", i, j], ")"];
  if (loss === "squared_error") return ["(", ["P", i, j], " − ", ["Y", i, j], `) / ${n}`];
  return ["((1 − ", ["Y", i, j], ")/(1 − ", ["P", i, j], ") − ", ["Y", i, j], "/", ["P", i, j], `) / ${n}`];
}

export const short = (x) => String(Number(x.toPrecision(4)));

// The names that an entry reads, for drawing what depends on what.
export function operandsOf(entry, arrays) {
  const names = entry.equation.split("=").slice(1).join(" ").split(/[^A-Za-z0-9_]+/);
  return [...new Set(names)].filter((name) => name in arrays);
}
