// How single numbers are compared and written.

// Equal up to rounding.
export const same = (a, b) => a === b || Math.abs(a - b) <= 1e-13 * Math.max(1, Math.abs(a), Math.abs(b)) || (Number.isNaN(a) && Number.isNaN(b));

// A number with six significant digits.
export function digits(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x < 0 ? "−∞" : "∞";
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-4 || size >= 1e7) ? size.toExponential(4).replace(/\.?0+e/, "e") : String(Number(size.toPrecision(6)));
  return (x < 0 ? "−" : "") + text;
}
