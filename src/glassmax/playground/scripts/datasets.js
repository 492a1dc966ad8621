// What the page can learn from: the toy system, spirals, penguins, digits, and tables that are dropped in.
//
// A data set is what `encoded` in table.js returns, with a name; `image` is the width of samples that are pictures, and
// `suits` the settings that it starts with.

import { bytesOf, piped } from "./bytes.js";
import { generator, normal } from "./random.js";
import { encoded, likelyTarget, readTable, splitOf } from "./table.js";

const numbered = (names) => names.map((name) => ({ name, column: name, mean: 0, scale: 1 }));

function oneHot(labels, k) {
  const Y = new Float64Array(labels.length * k);
  labels.forEach((c, i) => (Y[i * k + c] = 1));
  return Y;
}

export function toy() {
  const X = [1, 0.5, -1, 2, 0.5, -1.5, 1, 0, -1, 1, 0.5, -0.5, 2, 0, -0.5, 1.5, 0, -1, 1.5, 0.5];
  return {
    name: "toy", title: "Toy system", n: 5, d: 4, k: 3, X: Float64Array.from(X), Y: oneHot([0, 1, 2, 0, 1], 3),
    classes: ["a", "b", "c"], inputs: numbered(["x1", "x2", "x3", "x4"]), train: [0, 1, 2, 3, 4], held: [], notes: [],
    suits: { hidden: [10], activation: "sigmoid", optimizer: "sgd", learningRate: 0.5, batchSize: 5 },
  };
}

// The weights of examples/toy.py: W1 (4, 10), b1, W2 (10, 3), b2, in tenths.
const TOY = [
  -2, -3, -4, 2, 1, -6, 2, 2, -2, -2, -1, 5, -5, -2, -3, 3, -4, -4, 6, -3, 1, -2, -2, -1, -5, 1, 4, 6, -5, -6, 1, -2, 5,
  -3, 4, -2, 1, 3, 5, -6, 3, -2, 3, 1, -3, -3, -1, 2, -3, -3, -6, -4, 1, 4, -9, 4, -3, -6, 1, -3, 5, 2, -8, 8, 6, -1, -7,
  -6, -9, -7, -7, 3, 4, -8, 1, -8, 3, 6, -6, -3, -2, 3, -1,
];
export const toyWeights = () => Float64Array.from(TOY, (w) => w / 10);

export function spirals(seed = 0) {
  const [k, each] = [3, 100];
  const draw = generator(seed, 3);
  const [X, labels] = [[], []];
  for (let i = 0; i < k * each; ++i) {
    const [c, r] = [i % k, 0.05 + 0.95 * (Math.floor(i / k) / each)];
    const angle = 4.5 * r + (2 * Math.PI * c) / k + 0.12 * normal(draw);
    X.push(1.6 * r * Math.cos(angle), 1.6 * r * Math.sin(angle));
    labels.push(c);
  }
  return {
    name: "spirals", title: "Three spirals", n: k * each, d: 2, k, X: Float64Array.from(X), Y: oneHot(labels, k),
    classes: ["a", "b", "c"], inputs: numbered(["x1", "x2"]), ...splitOf(k * each, seed), notes: [],
    suits: { hidden: [16, 16], activation: "tanh", optimizer: "adam", learningRate: 0.01, batchSize: 16 },
  };
}

// Bytes: 64 pixels from 0 to 16, then the label, for each row.
export function digits(bytes, seed = 0) {
  const n = bytes.length / 65;
  const [X, labels] = [new Float64Array(n * 64), []];
  for (let i = 0; i < n; ++i) {
    for (let j = 0; j < 64; ++j) X[i * 64 + j] = bytes[i * 65 + j] / 16;
    labels.push(bytes[i * 65 + 64]);
  }
  return {
    name: "digits", title: "Handwritten digits", n, d: 64, k: 10, X, Y: oneHot(labels, 10), image: 8,
    classes: [..."0123456789"], ...splitOf(n, seed), notes: [],
    inputs: numbered(Array.from({ length: 64 }, (_, j) => `pixel ${Math.floor(j / 8)},${j % 8}`)).map((input) => ({ ...input, scale: 16 })),
    suits: { hidden: [32], activation: "relu", optimizer: "adam", learningRate: 0.005, batchSize: 32 },
  };
}

export function fromTable(text, file, target, seed = 0) {
  const table = readTable(text, file);
  const data = encoded(table, target ?? likelyTarget(table), seed);
  const wide = data.n > 5000;
  return {
    ...data, name: "table", title: file, file, text, columns: table.columns.map((column) => column.name),
    suits: { hidden: [data.d > 20 ? 32 : 16], activation: "relu", optimizer: "adam", learningRate: wide ? 0.003 : 0.01, batchSize: wide ? 128 : 32 },
  };
}

// What Python embedded, unpacked.
export const gunzip = (name) => piped(bytesOf(embedded(name)), new DecompressionStream("gzip"));

// A data set by its name; a table needs its text, its file name and the column to predict.
export async function dataNamed(name, text, file, target) {
  if (name === "toy") return toy();
  if (name === "spirals") return spirals();
  if (name === "digits") return digits(await gunzip("digits"));
  if (name === "penguins") {
    const penguins = new TextDecoder().decode(await gunzip("penguins"));
    return { ...fromTable(penguins, "penguins.csv", target ?? "species"), name: "penguins", title: "Penguins" };
  }
  return fromTable(text, file, target);
}
