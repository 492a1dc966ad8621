// The curves of the training, and histograms of the weights and of dZ, layer by layer, on canvases.

import { colors, contextOf, css, tone } from "./paint.js";

const PAD = { left: 46, right: 12, top: 10, bottom: 24 };

function ticks(low, high, count = 4) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) => first + i * step);
}

// Loss and accuracy over the epochs. The loss has a logarithmic axis once it spans more than a power of ten.
export function drawCurves(canvas, history, shadow) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  const context = contextOf(canvas, width, height);
  context.clearRect(0, 0, width, height);
  const series = [
    { values: history.map(({ loss }) => loss), color: "--series-1", dash: [] },
    { values: history.map(({ held }) => held), color: "--series-2", dash: [6, 3] },
  ];
  if (shadow || history.some((point) => point.shadow)) series.push({ values: history.map((point) => point.shadow), color: "--series-4", dash: [2, 3] });
  const all = series.flatMap(({ values }) => values).filter((x) => Number.isFinite(x) && x !== null);
  let [low, high] = [Math.min(...all), Math.max(...all)];
  const logarithmic = low > 0 && high / low > 10;
  const scale = logarithmic ? (x) => Math.log10(x) : (x) => x;
  [low, high] = logarithmic ? [Math.log10(low), Math.log10(high)] : [Math.min(low, 0), high || 1];
  if (high - low < 1e-9) high = low + 1;
  const last = Math.max(1, history.at(-1).epoch);
  const px = (epoch) => PAD.left + (epoch / last) * (width - PAD.left - PAD.right);
  const py = (value) => height - PAD.bottom - ((scale(value) - low) / (high - low)) * (height - PAD.top - PAD.bottom);
  context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  context.lineWidth = 1;
  const grid = logarithmic ? powers(low, high) : ticks(low, high);
  for (const tick of grid) {
    const y = py(logarithmic ? 10 ** tick : tick);
    line(context, [[PAD.left, y], [width - PAD.right, y]], tone("--line"));
    label(context, logarithmic ? power(tick) : String(Number(tick.toPrecision(3))), PAD.left - 6, y + 4, "right");
  }
  for (const tick of ticks(0, last, 4)) if (Number.isInteger(tick)) label(context, String(tick), px(tick), height - 6, "center");
  context.lineWidth = 2;
  for (const { values, color, dash } of series) {
    context.setLineDash(dash);
    const points = history.map(({ epoch }, i) => [epoch, values[i]]).filter(([, x]) => Number.isFinite(x) && x !== null && (!logarithmic || x > 0));
    line(context, points.map(([epoch, x]) => [px(epoch), py(x)]), tone(color));
    if (points.length === 1) dot(context, px(points[0][0]), py(points[0][1]), tone(color));
  }
  context.setLineDash([]);
}

// Powers of ten, with their doubles and fivefolds where there are few; as logarithms.
function powers(low, high) {
  const from = Math.floor(low), to = Math.ceil(high);
  const step = Math.max(1, Math.ceil((to - from) / 5));
  const marks = high - low < 2.5 ? [1, 2, 5] : [1];
  const all = [];
  for (let tick = from; tick <= to; tick += step) for (const mark of marks) all.push(tick + Math.log10(mark));
  return all.filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
}
const power = (tick) => (tick >= -3 && tick <= 4 ? String(Number((10 ** tick).toPrecision(3))) : `1e${Math.round(tick)}`);

function line(context, points, color) {
  context.strokeStyle = color;
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function dot(context, x, y, color) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, 3.5, 0, 2 * Math.PI);
  context.fill();
}

function label(context, text, x, y, align) {
  context.fillStyle = tone("--quiet");
  context.textAlign = align;
  context.fillText(text, x, y);
}

// One histogram: 31 bins around zero.
export function drawHistogram(canvas, values) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return 0;
  const context = contextOf(canvas, width, height);
  context.clearRect(0, 0, width, height);
  let most = 0;
  for (const x of values) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  const bins = new Array(31).fill(0);
  for (const x of values) if (Number.isFinite(x)) ++bins[most ? Math.min(30, Math.max(0, Math.round(15 + (15 * x) / most))) : 15];
  const top = Math.max(...bins, 1);
  const { positive, negative, ink } = colors();
  bins.forEach((count, b) => {
    const h = (count / top) * (height - 4);
    context.fillStyle = css(b < 15 ? negative : b > 15 ? positive : ink);
    context.globalAlpha = b === 15 ? 0.35 : 1;
    context.fillRect((b * width) / 31, height - h, width / 31 - 1, h);
  });
  context.globalAlpha = 1;
  return most;
}
