// The plane of two inputs: which class wins where, the samples, and the probabilities at a point. Pictures for digits.

import { matrix } from "./matrices.js";
import { classColor, colors, contextOf, css } from "./paint.js";
import { largest } from "./session.js";

const GRID = 56;

export class Plane {
  constructor(app, { canvas, axes, gallery, bars, hint }) {
    Object.assign(this, { app, canvas, axes, gallery, bars, hint });
    this.small = document.createElement("canvas");
    this.small.width = this.small.height = GRID;
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("click", (event) => this.pick(event));
    axes.forEach((select, axis) => select.addEventListener("change", () => this.choose(axis, Number(select.value))));
    this.reset();
  }

  // Other data: the first two inputs, and the window that shows all samples.
  reset() {
    const { data } = this.app.session;
    this.columns = [0, Math.min(1, data.d - 1)];
    this.at = null;
    const picture = Boolean(data.image);
    this.canvas.hidden = picture;
    this.gallery.hidden = !picture;
    const labels = () => data.inputs.map(({ name }, j) => element("option", { value: j }, name));
    this.axes.forEach((select, axis) => {
      select.replaceChildren(...labels());
      select.value = this.columns[axis];
      select.parentElement.hidden = picture || data.d <= 2;
    });
    this.hint.textContent = picture
      ? "Samples that were held out, those with a wrong prediction first. Choose a sample to see its arrays."
      : data.d > 2
        ? "The other inputs are at their means. Point at a place to see its probabilities; click a sample to see its arrays."
        : "Point at a place to see its probabilities; click a sample to see its arrays.";
    this.measure();
  }

  choose(axis, column) {
    this.columns[axis] = column;
    this.measure();
    this.draw();
  }

  measure() {
    const { data } = this.app.session;
    this.means = Float64Array.from({ length: data.d }, (_, j) => {
      let sum = 0;
      for (const i of data.train) sum += data.X[i * data.d + j];
      return sum / data.train.length;
    });
    this.range = this.columns.map((j) => {
      let [low, high] = [Infinity, -Infinity];
      for (let i = 0; i < data.n; ++i) [low, high] = [Math.min(low, data.X[i * data.d + j]), Math.max(high, data.X[i * data.d + j])];
      const margin = 0.12 * (high - low || 1);
      return [low - margin, high + margin];
    });
    this.grid = new Float64Array(data.image ? 0 : GRID * GRID * data.d);
    for (let n = 0; n * data.d < this.grid.length; ++n)
      this.grid.set(this.inputsAt(((n % GRID) + 0.5) / GRID, (Math.floor(n / GRID) + 0.5) / GRID), n * data.d);
  }

  // The inputs at a place, from 0 to 1 across and down.
  inputsAt(x, y) {
    const row = this.means.slice();
    const [[left, right], [bottom, top]] = this.range;
    row[this.columns[1]] = top + (bottom - top) * y;
    row[this.columns[0]] = left + (right - left) * x;
    return row;
  }

  placeOf(i) {
    const { data } = this.app.session;
    return this.columns.map((j, axis) => {
      const [low, high] = this.range[axis];
      const share = (data.X[i * data.d + j] - low) / (high - low);
      return axis ? 1 - share : share;
    });
  }

  draw() {
    if (this.app.session.data.image) return this.drawGallery();
    const size = this.canvas.clientWidth;
    if (!size) return;
    const context = contextOf(this.canvas, size, size);
    this.drawRegions(context, size);
    this.drawSamples(context, size);
    this.drawBars();
  }

  drawRegions(context, size) {
    const { session } = this.app;
    const { k } = session.data;
    const P = session.engine.predict(session.network, this.grid, session.theta);
    const image = (this.image ??= new ImageData(GRID, GRID));
    const { paper } = colors();
    const tones = Array.from({ length: k }, (_, c) => classColor(c)).flat();
    for (let n = 0, at = 0; n < GRID * GRID; ++n) {
      let [red, green, blue, sum, most] = [0, 0, 0, 1e-300, 0];
      for (let c = 0; c < 3 * k; c += 3, ++at) {
        const p = P[at] > 0 ? P[at] : 0;
        const weight = p * p * p; // the borders are soft, and as narrow as the network is sure
        red += weight * tones[c];
        green += weight * tones[c + 1];
        blue += weight * tones[c + 2];
        sum += weight;
        if (p > most) most = p;
      }
      const share = 0.1 + 0.4 * Math.min(Math.max(0, (most * k - 1) / (k - 1)), 1);
      image.data[4 * n] = paper[0] + (red / sum - paper[0]) * share;
      image.data[4 * n + 1] = paper[1] + (green / sum - paper[1]) * share;
      image.data[4 * n + 2] = paper[2] + (blue / sum - paper[2]) * share;
      image.data[4 * n + 3] = 255;
    }
    this.small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.small, 0, 0, size, size);
  }

  drawSamples(context, size) {
    const { session, sample } = this.app;
    const { data } = session;
    const step = Math.ceil(data.n / 600);
    const held = new Set(data.held);
    const { paper, ink } = colors();
    for (let i = 0; i < data.n; i += step) {
      const [x, y] = this.placeOf(i);
      const color = classColor(largest(data.Y, i * data.k, data.k));
      context.beginPath();
      context.arc(x * size, y * size, data.n > 100 ? 3.2 : 6, 0, 2 * Math.PI);
      context.fillStyle = held.has(i) ? css(paper) : css(color);
      context.fill();
      context.lineWidth = held.has(i) ? 1.8 : 1;
      context.strokeStyle = held.has(i) ? css(color) : css(paper);
      context.stroke();
    }
    if (sample === null) return;
    const [x, y] = this.placeOf(sample);
    context.beginPath();
    context.arc(x * size, y * size, 10, 0, 2 * Math.PI);
    context.strokeStyle = css(ink);
    context.lineWidth = 2;
    context.stroke();
  }

  // ---- probabilities of a point ----

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  point(event) {
    this.at = this.place(event);
    this.drawBars();
  }

  leave() {
    this.at = null;
    this.drawBars();
  }

  pick(event) {
    const [x, y] = this.place(event);
    const { data } = this.app.session;
    let [best, least] = [null, 0.05 ** 2];
    for (let i = 0; i < data.n; ++i) {
      const [u, v] = this.placeOf(i);
      const distance = (u - x) ** 2 + (v - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    this.app.chooseSample(best);
  }

  drawBars() {
    const { session, sample } = this.app;
    const { data, network, theta, engine } = session;
    let row, title;
    if (this.at && !data.image) {
      row = this.inputsAt(...this.at);
      title = this.columns.map((j) => `${data.inputs[j].name} ${(row[j] * data.inputs[j].scale + data.inputs[j].mean || row[j]).toFixed(2)}`).join(", ");
    } else {
      const i = sample ?? session.batch()[0];
      row = data.X.slice(i * data.d, (i + 1) * data.d);
      title = `Sample ${i}, of class ${data.classes[largest(data.Y, i * data.k, data.k)]}` + (sample === null ? ", the first of the next batch" : "");
    }
    const P = engine.predict(network, row, theta);
    this.bars.replaceChildren(
      element("p", { class: "small" }, title),
      ...data.classes.slice(0, 12).map((name, c) =>
        element("div", { class: "bar-row" }, element("span", { class: "bar-name" }, name),
          element("span", { class: "bar-track" }, element("span", { class: "bar-fill", style: `width:${(100 * Math.min(Math.max(P[c], 0), 1)).toFixed(1)}%;background:${css(classColor(c))}` })),
          element("span", { class: "number" }, P[c].toFixed(3)))),
    );
  }

  // ---- digits ----

  drawGallery() {
    const { session } = this.app;
    const { data } = session;
    const indices = session.evaluated().slice(0, 200);
    const P = session.engine.predict(session.network, session.rows(indices).X.data, session.theta);
    const said = indices.map((i, at) => ({ i, is: largest(data.Y, i * data.k, data.k), guess: largest(P, at * data.k, data.k) }));
    said.sort((a, b) => (a.guess === a.is) - (b.guess === b.is) || a.i - b.i);
    const shown = said.slice(0, 40);
    const key = shown.map(({ i, guess }) => `${i}:${guess}`).join() + this.app.sample;
    if (key !== this.key) this.gallery.replaceChildren(...shown.map((each) => this.picture(each)));
    this.key = key;
    this.drawBars();
  }

  picture({ i, is, guess }) {
    const { data } = this.app.session;
    const canvas = element("canvas", { width: data.image, height: data.image, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const image = context.createImageData(data.image, data.image);
    const { ink, paper } = colors();
    for (let n = 0; n < data.d; ++n) {
      for (let c = 0; c < 3; ++c) image.data[4 * n + c] = paper[c] + (ink[c] - paper[c]) * data.X[i * data.d + n];
      image.data[4 * n + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    const label = `Sample ${i}: a ${data.classes[is]}, predicted ${data.classes[guess]}`;
    return element("button", { class: "picture", "aria-label": label, title: label, "aria-pressed": String(this.app.sample === i), onclick: () => this.app.chooseSample(i) },
      canvas, element("span", { class: guess === is ? "good" : "bad" }, guess === is ? `${data.classes[is]} ✓` : `${data.classes[is]} → ${data.classes[guess]}`));
  }
}
