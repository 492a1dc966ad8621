// Colors and canvases: the palette of the page as numbers, so that thousands of cells can be drawn at once.

let palette = null, texts = {};

// Read the palette again, after a change between light and dark.
export function forgetPalette() {
  palette = null;
  texts = {};
}

// The value of a property of the page, such as "--line", as a color for a canvas.
export const tone = (property) => (texts[property] ??= colorOf(property));

export function colors() {
  palette ??= {
    positive: rgb("--positive"), negative: rgb("--negative"), zero: rgb("--zero"), paper: rgb("--paper"), ink: rgb("--ink"),
    classes: [1, 2, 3, 4, 5, 6].map((s) => rgb(`--series-${s}`)),
  };
  return palette;
}

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgb(property) {
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = colorOf(property);
  probe.fillRect(0, 0, 1, 1);
  return Array.from(probe.getImageData(0, 0, 1, 1).data.subarray(0, 3));
}

const mixed = (a, b, share) => a.map((x, c) => x + (b[c] - x) * share);

// The color of class c of k: the six of the palette, then the same ones mixed with the paper.
export function classColor(c) {
  const { classes, ink } = colors();
  return mixed(classes[c % 6], ink, 0.45 * (Math.floor(c / 6) % 2));
}

export const css = (color) => `rgb(${color.map(Math.round).join(" ")})`;

// A context for a canvas of so many CSS pixels, sharp on every screen.
export function contextOf(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

// Paint a matrix one pixel a cell, around zero.
export function paintCells(canvas, M, extent) {
  if (canvas.width !== M.cols || canvas.height !== M.rows) {
    canvas.width = M.cols;
    canvas.height = M.rows;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(M.cols, M.rows);
  const { positive, negative, zero } = colors();
  for (let n = 0; n < M.data.length; ++n) {
    const x = M.data[n];
    const share = extent > 0 && !Number.isNaN(x) ? 0.85 * Math.min(Math.abs(x) / extent, 1) : 0;
    const color = x > 0 ? positive : negative;
    for (let c = 0; c < 3; ++c) image.data[4 * n + c] = zero[c] + (color[c] - zero[c]) * share;
    image.data[4 * n + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

export const extentOf = (M) => M.data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
