// The classic mistakes, each as the rules that it replaces in backward.js.
//
// The names are those of the causes of `glassmax doctor`. `applies` says for which networks there is such a mistake;
// `wrong` and `right` are the two lines of code; `symptom` is what one sees, `why` the reason.

import { combine, fill, map, matrix, product, rowOf, scaled, transposed } from "./matrices.js";

const softmaxOnly = (network) => network.output === "softmax";
const crossEntropy = (network) => softmaxOnly(network) && network.loss === "cross_entropy";
const squaredError = (network) => softmaxOnly(network) && network.loss === "squared_error";
const hidden = (network) => network.sizes.length > 2;

const reshaped = (M, rows, cols) => matrix(rows, cols, M.data.slice());
const perRow = (parts, entry) => fill(parts.P.rows, parts.P.cols, (i, j) => entry(i, j, rowOf(parts.P, i), rowOf(parts.dP, i)));
const dot = (u, v) => u.reduce((sum, x, j) => sum + x * v[j], 0);
const error = ({ P, Y, factors }) => fill(P.rows, P.cols, (i, j) => (rowOf(P, i)[j] - rowOf(Y, i)[j]) * factors[i]);

export const MISTAKES = [
  {
    id: "sign", title: "The sign is flipped", applies: () => true,
    wrong: "dZ = (Y - P) / n", right: "dZ = (P - Y) / n",
    symptom: "The loss grows with every step.",
    why: "The gradient points in the direction in which the loss grows, and the update subtracts the gradient. With a second minus sign, the update adds the gradient.",
    dZ: (parts) => scaled(parts.right(), -1),
  },
  {
    id: "jacobian_rows_summed", title: "The rows of the Jacobian are summed", applies: softmaxOnly,
    wrong: "dZ = J.sum(axis=2)", right: "dZ[i] = dP[i] @ J[i]",
    symptom: "dZ is 0 everywhere, and nothing is learned.",
    why: "Each row of the Jacobian sums to 0, because softmax ignores a shift of the scores. The Jacobian is contracted with dP and never summed by itself.",
    dZ: (parts) => perRow(parts, (i, j, p) => p[j] * (1 - p.reduce((a, b) => a + b, 0))),
  },
  {
    id: "jacobian_diagonal_only", title: "Only the diagonal of the Jacobian is used", applies: softmaxOnly,
    wrong: "dZ = dP * P * (1 - P)", right: "dZ = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
    symptom: "With cross-entropy, only the true class gets a derivative: the scores of the other classes are never pushed down.",
    why: "P(1 - P) is the derivative of a sigmoid. Each output of softmax depends on every score of its row, so the terms beside the diagonal, -p_i p_j, belong to the sum.",
    dZ: (parts) => perRow(parts, (i, j, p, dp) => dp[j] * p[j] * (1 - p[j])),
  },
  {
    id: "jacobian_on_top", title: "The Jacobian is applied to P - Y", applies: crossEntropy,
    wrong: "dZ = P * ((P - Y) - ((P - Y) * P).sum(axis=1, keepdims=True)) / n", right: "dZ = (P - Y) / n",
    symptom: "Training still works, but slowly: the network minimizes the squared error, while the loss that is shown is the cross-entropy.",
    why: "P - Y is already dL/dZ: softmax and the logarithm have cancelled. The Jacobian has already been applied once, before the factors cancelled.",
    dZ: (parts) => {
      const E = error(parts);
      return fill(E.rows, E.cols, (i, j) => rowOf(parts.P, i)[j] * (rowOf(E, i)[j] - dot(rowOf(E, i), rowOf(parts.P, i))));
    },
  },
  {
    id: "jacobian_ignored", title: "P - Y is used under the squared error", applies: squaredError,
    wrong: "dZ = (P - Y) / n", right: "dZ = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
    symptom: "Training works, but it minimizes the cross-entropy: the gradient doesn't belong to the loss that is shown.",
    why: "Under the squared error, P - Y is dL/dP. To get dL/dZ, dL/dP has to be multiplied by the Jacobian of softmax.",
    dZ: (parts) => error(parts),
  },
  {
    id: "in_place", title: "dP = P, and then dP -= Y in place", applies: squaredError,
    wrong: "dP = P; dP -= Y    # P has changed too", right: "dP = P - Y",
    symptom: "The loss falls more slowly or not at all, because the Jacobian is computed from P - Y and not from P.",
    why: "dP and P are two names of one array. After the subtraction, the Jacobian is computed from numbers that are not probabilities.",
    dZ: (parts) => {
      const D = combine(parts.P, parts.Y, (p, y) => p - y);
      return fill(D.rows, D.cols, (i, j) => {
        const d = rowOf(D, i);
        return d[j] * (d[j] - dot(d, d)) * parts.factors[i];
      });
    },
  },
  {
    id: "factor", title: "1/n is applied twice", applies: () => true,
    wrong: "dZ = (P - Y) / n; dW = A.T @ dZ / n", right: "dZ = (P - Y) / n; dW = A.T @ dZ",
    symptom: "Training is n times too slow.",
    why: "The loss contains the factor 1/n once, so every gradient contains it once. dZ has this factor already.",
    dW: ({ A, dZ, n }) => scaled(product(transposed(A), dZ), 1 / n),
    db: ({ dZ, n }) => fill(1, dZ.cols, (_, j) => columnSum(dZ, j) / n),
  },
  {
    id: "transposed", title: "The transpose is dropped, and dW is reshaped until it fits", applies: () => true,
    wrong: "dW = (dZ.T @ A).reshape(W.shape)", right: "dW = A.T @ dZ",
    symptom: "The shapes fit, but each number changes the wrong weight: the loss gets stuck or wanders.",
    why: "dW[u,v] sums A[i,u] dZ[i,v] over the samples i. The sum runs over the rows of both arrays, but a matrix product sums over the columns of its left factor: hence A.T.",
    dW: ({ A, dZ }) => reshaped(product(transposed(dZ), A), A.cols, dZ.cols),
  },
  {
    id: "transposed_weights", title: "W is used in place of its transpose", applies: hidden,
    wrong: "dA = dZ @ W.reshape(W.T.shape)", right: "dA = dZ @ W.T",
    symptom: "The last layer learns, but the layers below get derivatives that belong to other units.",
    why: "In the forward pass, unit v acts on class c through W[v,c]. In the backward pass, the derivative of class c goes back to unit v through the same number, so the sum runs over c, the columns of W: hence W.T.",
    dA: ({ dZ, W }) => product(dZ, reshaped(W, W.cols, W.rows)),
  },
  {
    id: "class_shifted", title: "The labels are off by one", applies: () => true,
    wrong: "Y = np.eye(k)[(y + 1) % k]", right: "Y = np.eye(k)[y]",
    symptom: "The loss grows and the accuracy goes to 0: the network learns the wrong classes, and learns them well.",
    why: "Labels that count from 1 were used as if they counted from 0, or the classes were sorted differently.",
    Y: (Y) => fill(Y.rows, Y.cols, (i, j) => rowOf(Y, i)[(j + Y.cols - 1) % Y.cols]),
  },
  {
    id: "index_for_one_hot", title: "Labels of shape (n, 1) are subtracted from P", applies: softmaxOnly,
    wrong: "dZ = (P - y[:, None]) / n", right: "dZ = (P - np.eye(k)[y]) / n",
    symptom: "The rows of dZ don't sum to 0, and all scores of a sample are pushed the same way.",
    why: "NumPy broadcasts the column y over all classes. A class number is a name, not an amount: subtract the one-hot row of the class.",
    dZ: ({ P, Y, factors }) => fill(P.rows, P.cols, (i, j) => (rowOf(P, i)[j] - rowOf(Y, i).indexOf(Math.max(...rowOf(Y, i)))) * factors[i]),
  },
  {
    id: "softmax_axis", title: "Softmax is taken over the samples", applies: softmaxOnly,
    wrong: "P = softmax(Z, axis=0)", right: "P = softmax(Z, axis=1)",
    symptom: "The rows of P don't sum to 1, and a prediction changes with the other samples of the batch.",
    why: "The classes of one sample compete, so exp(Z) is divided by the sum of its row. With rows as samples this is axis 1.",
    head: (Z) => {
      const P = fill(Z.rows, Z.cols, (i, j) => {
        let largest = -Infinity, sum = 0;
        for (let m = 0; m < Z.rows; ++m) largest = Math.max(largest, rowOf(Z, m)[j]);
        for (let m = 0; m < Z.rows; ++m) sum += Math.exp(rowOf(Z, m)[j] - largest);
        return Math.exp(rowOf(Z, i)[j] - largest) / sum;
      });
      return { Z, P, pieces: null };
    },
    dZ: (parts) => error(parts),
  },
  {
    id: "activation_of_a", title: "f' is evaluated at A instead of Z", applies: (network) => hidden(network) && network.activation !== "identity",
    wrong: "dZ = dA * f_prime(A)", right: "dZ = dA * f_prime(Z)",
    symptom: "Training works nearly as well as before, so this mistake often goes unnoticed. A gradient check finds it.",
    why: "f was evaluated at Z, so f' has to be evaluated at Z too. At A = f(Z), the slope of f is that of another point.",
    hidden: ({ dA, A, f }) => combine(dA, map(A, f.slope), (a, b) => a * b),
  },
  {
    id: "activation_missing", title: "f' is left out", applies: (network) => hidden(network) && network.activation !== "identity",
    wrong: "dZ = dA", right: "dZ = dA * f_prime(Z)",
    symptom: "The layers below take steps that are too long, also for units that are saturated or switched off.",
    why: "The chain rule has one factor for each function between the loss and the weights. The activation is one of these functions.",
    hidden: ({ dA }) => scaled(dA, 1),
  },
  {
    id: "bias_last_row", title: "db is one row of dZ, not the sum of all", applies: () => true,
    wrong: "db = dZ[-1]", right: "db = dZ.sum(axis=0)",
    symptom: "The biases follow the last sample of each batch and jump about.",
    why: "Every sample gets the same bias, so the derivative of the bias is the sum over the samples.",
    db: ({ dZ }) => matrix(1, dZ.cols, rowOf(dZ, dZ.rows - 1).slice()),
  },
  {
    id: "updated_weights", title: "The weights are updated before dZ is passed down", applies: hidden,
    wrong: "W -= learning_rate * dW; dA = dZ @ W.T", right: "dA = dZ @ W.T; W -= learning_rate * dW",
    symptom: "A small learning rate hides this mistake. A large learning rate makes training unstable in the lower layers.",
    why: "All derivatives have to be computed at the same weights. After the step, W belongs to another network.",
    dA: ({ dZ, W, dW, learningRate }) => product(dZ, transposed(combine(W, dW, (w, g) => w - learningRate * g))),
  },
];

const columnSum = (M, j) => {
  let sum = 0;
  for (let i = 0; i < M.rows; ++i) sum += rowOf(M, i)[j];
  return sum;
};

export const mistakeOf = (id) => MISTAKES.find((mistake) => mistake.id === id) ?? {};

export const mistakesFor = (network) => MISTAKES.filter((mistake) => mistake.applies(network));

// The first cell that the mistake changes, in the order of computation, and how many of each array it changes.
export function firstDifference(right, wrong) {
  const arrays = [];
  for (const [name, M] of Object.entries(right)) {
    const W = wrong[name];
    let [count, first, largest] = [0, null, 0];
    const extent = M.data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
    M.data.forEach((x, n) => {
      if (differs(x, W.data[n], 1e-12 * (extent + 1e-12))) {
        ++count;
        largest = Math.max(largest, Math.abs(x - W.data[n]));
        first ??= { name, i: Math.floor(n / M.cols), j: n % M.cols, right: x, wrong: W.data[n] };
      }
    });
    if (count) arrays.push({ name, count, of: M.data.length, largest, first });
  }
  return arrays;
}

// Two equal infinities don't differ, nor do two numbers that are not defined.
function differs(x, y, tolerance) {
  if (Number.isFinite(x) && Number.isFinite(y)) return Math.abs(x - y) > tolerance;
  return !Object.is(x, y);
}
