// The equations on numbers: a recipe is the tree of an equation in index notation, see recipes.py.

/** The error function by its series near zero and by a continued fraction beyond. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  if (Math.abs(x) < 2.5) {
    let term = x, total = x;
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  const size = Math.abs(x);
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const FUNCTIONS = {
  exp: Math.exp,
  log: Math.log,
  abs: Math.abs,
  sign: Math.sign,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid,
  relu: (x) => (x > 0 ? x : 0 * x),
  step: (x) => (x > 0 ? 1 : 0),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  erf,
};

/** The sizes of the letters of an equation, read off its arrays. */
function sizesOf(step, equation) {
  const sizes = {};
  equation.letters.forEach((letter, axis) => (sizes[letter] = step.shape[axis]));
  for (const use of equation.uses) {
    const shape = stepOf.get(use.name)?.shape;
    if (shape) use.letters.forEach((letter, axis) => (sizes[letter] = shape[axis]));
  }
  return sizes;
}

/** The sizes of the letters that a node sums over; W1 and W2 may have the same letters. */
const sizesOfSums = new WeakMap();
function sizesIn(node) {
  if (!sizesOfSums.has(node)) sizesOfSums.set(node, Object.fromEntries(node[1].map((letter) => [letter, sizeIn(letter, node[2])])));
  return sizesOfSums.get(node);
}

/** The size of a letter, read off the arrays of a node. */
function sizeIn(letter, node) {
  if (node[0] === "cell") {
    if (!node[2].includes(letter)) return 0;
    const [ones, of, axis] = node[1].split(":");
    return ones === "1" && of ? stepOf.get(of).shape[axis] : stepOf.get(node[1]).shape[node[2].indexOf(letter)];
  }
  for (const part of node.slice(1)) {
    const size = Array.isArray(part) && typeof part[0] === "string" && part.length > 1 ? sizeIn(letter, part) : 0;
    if (size) return size;
  }
  return 0;
}

/** A product in which 0 wins over infinity: 0 log 0 = 0. */
function times(a, b) {
  return a === 0 || b === 0 ? (Number.isNaN(a) || Number.isNaN(b) ? NaN : 0) : a * b;
}

/** Evaluate a node where letters have values; undefined if it needs a cell that is not on this page. */
function evaluate(node, at, look = cellOf) {
  const [kind, ...rest] = node;
  switch (kind) {
    case "number":
      return rest[0];
    case "cell":
      return rest[0].startsWith("1:") ? 1 : look(rest[0], rest[1].map((letter) => at[letter]));
    case "delta":
      return at[rest[0]] === at[rest[1]] ? 1 : 0;
    case "add":
      return rest.reduce((total, part) => total + evaluate(part, at, look), 0);
    case "multiply":
      return rest.reduce((product, part) => times(product, evaluate(part, at, look)), 1);
    case "power":
      return Math.pow(evaluate(rest[0], at, look), evaluate(rest[1], at, look));
    case "call":
      return FUNCTIONS[rest[0]](evaluate(rest[2], at, look));
    case "sum": {
      let total = 0;
      forEach(rest[0], at, sizesIn(node), (where) => (total += evaluate(rest[1], where, look)));
      return total;
    }
  }
  throw new Error(`No such node: ${kind}`);
}

/** Call a function for every value of some letters. */
function forEach(letters, at, sizes, visit) {
  if (letters.length === 0) return visit(at);
  const [letter, ...others] = letters;
  for (let position = 0; position < sizes[letter]; position++) {
    forEach(others, { ...at, [letter]: position }, sizes, visit);
  }
}
