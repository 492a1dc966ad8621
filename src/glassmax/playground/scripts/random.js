// Random numbers that a seed fixes: SplitMix-like 32-bit counters, normal numbers, orders of rows, starting weights.

export function generator(...seeds) {
  let state = 0x9e3779b9;
  for (const seed of seeds) state = mixed(state ^ mixed(seed + 0x9e3779b9));
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mixed(state) / 4294967296;
  };
}

function mixed(x) {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

// A normal number, by Box and Muller.
export const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

// The order of n rows in an epoch.
export function shuffled(n, seed, epoch) {
  const draw = generator(seed, epoch, 1);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; --i) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const HE = ["relu", "leaky_relu", "elu", "gelu", "silu", "mish"];

// Uniform weights with the variance of He for relu and its variants, of LeCun for selu, of Glorot otherwise; biases 0.
export function startingWeights({ sizes, activation }, seed) {
  const draw = generator(seed, 2);
  const theta = [];
  for (let l = 1; l < sizes.length; ++l) {
    const [a, b] = [sizes[l - 1], sizes[l]];
    const last = l === sizes.length - 1;
    let variance = 2 / (a + b);
    if (!last && HE.includes(activation)) variance = 2 / a;
    if (!last && activation === "selu") variance = 1 / a;
    const bound = Math.sqrt(3 * variance);
    for (let w = 0; w < a * b; ++w) theta.push((2 * draw() - 1) * bound);
    for (let j = 0; j < b; ++j) theta.push(0);
  }
  return Float64Array.from(theta);
}
