// Change a number: see which cells of which arrays move, and the predicted change of the loss beside the measured one.

import { named } from "./chain.js";
import { digits } from "./detail_numbers.js";
import { at } from "./matrices.js";
import { contextOf, tone } from "./paint.js";

const POINTS = 21;

// The array that holds the derivative of the loss by the cells of an array; null where there is none.
export function derivativeOf(name, arrays) {
  const candidate = `d${name}`;
  return candidate in arrays && name !== "L_i" ? candidate : null;
}

export class Nudge {
  constructor(app, places) {
    Object.assign(this, { app, ...places });
    this.slider.addEventListener("input", () => this.change(this.start + (Number(this.slider.value) / 100) * this.reach));
    this.number.addEventListener("change", () => Number.isFinite(this.number.valueAsNumber) && this.change(this.number.valueAsNumber));
    this.undo.addEventListener("click", () => app.setChanges({}));
    this.keep.addEventListener("click", () => app.keepChanges());
  }

  // Another cell was chosen.
  build() {
    const { name, i, j } = this.app.selected;
    const original = this.app.before ?? this.app.arrays;
    this.start = at(original[name], i, j);
    this.reach = Math.max(1, 2 * Math.abs(this.start)) || 1;
    this.title.replaceChildren("Change ", ...named(name), `[${i},${j}]`);
    this.curve = null;
    this.draw();
  }

  change(value) {
    const { name, i, j } = this.app.selected;
    const cells = { ...this.app.changes[name], [`${i},${j}`]: value };
    if (value === this.start) delete cells[`${i},${j}`];
    const changes = { ...this.app.changes, [name]: cells };
    if (Object.keys(cells).length === 0) delete changes[name];
    this.app.setChanges(changes);
  }

  draw() {
    const { app } = this;
    const { name, i, j } = app.selected;
    const value = at(app.arrays[name], i, j);
    if (document.activeElement !== this.number) this.number.value = Number.isFinite(value) ? Number(value.toPrecision(6)) : "";
    if (document.activeElement !== this.slider) this.slider.value = (100 * (value - this.start)) / this.reach || 0;
    const active = Object.keys(app.changes).length > 0;
    this.undo.disabled = !active;
    this.keep.disabled = !Object.keys(app.changes).some((array) => /^[Wb]\d/.test(array));
    this.report(value);
    const moved = Object.entries(app.moved);
    this.moved.replaceChildren(...(moved.length
      ? [element("p", { class: "small" }, "Cells that moved:"), element("ul", { class: "moved-list" }, ...moved.map(([array, count]) =>
          element("li", {}, element("button", { class: "link", onclick: () => app.choose(array) }, ...named(array)), ` ${count} of ${app.arrays[array].data.length}`)))]
      : [element("p", { class: "quiet small" }, "Drag the slider or type a number.")]));
  }

  report(value) {
    const { app } = this;
    const { name, i, j } = app.selected;
    const original = app.before ?? app.arrays;
    const derivative = derivativeOf(name, original);
    const [before, after] = [original.L.data[0], app.arrays.L.data[0]];
    const rows = [["loss before", digits(before)], ["loss now", digits(after)], ["measured change", digits(after - before)]];
    if (derivative) {
      const slope = at(original[derivative], i, j);
      rows.push(["predicted change", digits(slope * (value - this.start))]);
      rows.push([`slope ${derivative}[${i},${j}]`, digits(slope)]);
      this.plot(slope, value);
    }
    this.canvas.hidden = !derivative;
    this.facts.replaceChildren(...rows.map(([what, text]) => element("tr", {}, element("th", { scope: "row" }, what), element("td", { class: "number" }, text))));
  }

  // The loss along this number, its tangent, and where the number stands.
  plot(slope, value) {
    const { app } = this;
    const { name, i, j } = app.selected;
    const original = app.before ?? app.arrays;
    if (!this.curve || this.curve.of !== original.L.data[0]) {
      const losses = Array.from({ length: POINTS }, (_, m) => {
        const x = this.start + ((2 * m) / (POINTS - 1) - 1) * this.reach;
        return app.arraysWith({ ...app.changes, [name]: { ...app.changes[name], [`${i},${j}`]: x } }).L.data[0];
      });
      this.curve = { of: original.L.data[0], losses };
    }
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width) return;
    const context = contextOf(this.canvas, width, height);
    context.clearRect(0, 0, width, height);
    const known = this.curve.losses.filter(Number.isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const span = high - low || 1;
    const px = (x) => 8 + ((x - this.start) / this.reach + 1) * 0.5 * (width - 16);
    const py = (loss) => height - 10 - ((loss - low) / span) * (height - 20);
    const stroke = (points, color, dash) => {
      context.setLineDash(dash);
      context.strokeStyle = tone(color);
      context.lineWidth = 2;
      context.beginPath();
      points.forEach(([x, y], m) => (m ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.stroke();
    };
    const L = original.L.data[0];
    const ends = [-1, 1].map((side) => [px(this.start + side * this.reach), py(L + side * slope * this.reach)]);
    stroke(ends, "--series-2", [5, 4]);
    stroke(this.curve.losses.map((loss, m) => [px(this.start + ((2 * m) / (POINTS - 1) - 1) * this.reach), py(loss)]), "--series-1", []);
    context.setLineDash([]);
    context.fillStyle = tone("--ink");
    context.beginPath();
    context.arc(px(value), py(app.arrays.L.data[0]), 4.5, 0, 2 * Math.PI);
    context.fill();
  }
}
