// Matrices as {rows, cols, data}, row after row, and the few operations that backpropagation needs.

export function matrix(rows, cols, data = new Float64Array(rows * cols)) {
  return { rows, cols, data };
}

export function fill(rows, cols, entry) {
  const M = matrix(rows, cols);
  for (let i = 0, at = 0; i < rows; ++i) for (let j = 0; j < cols; ++j) M.data[at++] = entry(i, j);
  return M;
}

export const at = (M, i, j) => M.data[i * M.cols + j];

export const copyOf = (M) => matrix(M.rows, M.cols, M.data.slice());

export const rowOf = (M, i) => M.data.subarray(i * M.cols, (i + 1) * M.cols);

export function map(M, f) {
  const out = matrix(M.rows, M.cols);
  for (let n = 0; n < M.data.length; ++n) out.data[n] = f(M.data[n]);
  return out;
}

// Entry by entry: the Hadamard product where f is a product.
export function combine(A, B, f) {
  const out = matrix(A.rows, A.cols);
  for (let n = 0; n < A.data.length; ++n) out.data[n] = f(A.data[n], B.data[n]);
  return out;
}

export const scaled = (M, factor) => map(M, (x) => x * factor);

export function transposed(M) {
  return fill(M.cols, M.rows, (i, j) => at(M, j, i));
}

// A B
export function product(A, B) {
  const out = matrix(A.rows, B.cols);
  for (let i = 0; i < A.rows; ++i)
    for (let m = 0; m < A.cols; ++m) {
      const a = A.data[i * A.cols + m];
      for (let j = 0; j < B.cols; ++j) out.data[i * B.cols + j] += a * B.data[m * B.cols + j];
    }
  return out;
}

// X W + b, with b a matrix of one row that every row gets.
export function affine(X, W, b) {
  const Z = product(X, W);
  for (let i = 0, n = 0; i < Z.rows; ++i) for (let j = 0; j < Z.cols; ++j) Z.data[n++] += b.data[j];
  return Z;
}

export function columnSums(M) {
  const out = matrix(1, M.cols);
  for (let n = 0; n < M.data.length; ++n) out.data[n % M.cols] += M.data[n];
  return out;
}

export function total(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

// W1, b1, W2, ... as views of theta.
export function parametersOf(sizes, theta) {
  const named = {};
  let from = 0;
  for (let l = 1; l < sizes.length; ++l) {
    const [d, h] = [sizes[l - 1], sizes[l]];
    named[`W${l}`] = matrix(d, h, theta.subarray(from, from + d * h));
    named[`b${l}`] = matrix(1, h, theta.subarray(from + d * h, from + (d + 1) * h));
    from += (d + 1) * h;
  }
  return named;
}
