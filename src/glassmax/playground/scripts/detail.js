// One array in detail: its equation, its numbers, and for the cell one points at, what it is made of.

import { indexForm, matrixForm } from "./formulas.js";
import { named } from "./chain.js";
import { digits, same } from "./detail_numbers.js";
import { jacobianViews } from "./jacobian.js";
import { at, total } from "./matrices.js";
import { extentOf } from "./paint.js";
import { valueOf } from "./ledger.js";

const ROWS = 10, COLS = 10; // cells shown at once
const TERMS = 12;

export class Detail {
  constructor(app, places) {
    Object.assign(this, { app, ...places, from: [0, 0] });
    this.table.addEventListener("pointermove", (event) => {
      if (event.movementX || event.movementY) this.pointed(event, false); // and not when the page scrolls under it
    });
    this.table.addEventListener("click", (event) => this.pointed(event, true));
    this.table.addEventListener("focusin", (event) => this.pointed(event, true));
    this.table.addEventListener("keydown", (event) => this.key(event));
  }

  get M() {
    return this.app.arrays[this.app.selected.name];
  }

  // Another array was chosen, or its shape has changed.
  build() {
    const { app } = this;
    const entry = app.entry;
    this.title.replaceChildren(...named(entry.name));
    this.note.textContent = entry.why;
    this.formula.replaceChildren(app.notation === "matrix" && entry.equation !== entry.name ? matrixForm(entry.equation, app.arrays) : indexForm(entry.index));
    this.shown = null;
    this.draw();
  }

  window() {
    const { i, j } = this.app.selected;
    const follow = (from, cell, count, most) => Math.max(0, Math.min(cell < from ? cell : cell >= from + most ? cell - most + 1 : from, count - most));
    this.from = [follow(this.from[0], i, this.M.rows, ROWS), follow(this.from[1], j, this.M.cols, COLS)];
    return [this.from[0], this.from[1], Math.min(ROWS, this.M.rows - this.from[0]), Math.min(COLS, this.M.cols - this.from[1])];
  }

  draw() {
    const { M } = this;
    const key = [this.app.selected.name, ...this.window(), M.rows, M.cols].join();
    if (key !== this.shown) this.makeTable();
    this.shown = key;
    this.fillTable();
    this.explain();
  }

  makeTable() {
    const [r0, c0, rows, cols] = this.window();
    const head = element("tr", {}, element("td", {}), ...range(cols).map((c) => element("th", { scope: "col", class: "number" }, String(c0 + c))));
    const body = range(rows).map((r) => element("tr", {}, element("th", { scope: "row", class: "number" }, String(r0 + r)),
      ...range(cols).map((c) => element("td", { class: "number cell", "data-i": r0 + r, "data-j": c0 + c, tabindex: -1 }))));
    this.table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...body));
    this.cells = [...this.table.querySelectorAll(".cell")].map((cell) => ({ cell, r: Number(cell.dataset.i), c: Number(cell.dataset.j) }));
    const { M } = this;
    const whole = rows === M.rows && cols === M.cols;
    this.extent.textContent = `${M.rows} × ${M.cols}` + (whole ? "" : `: rows ${r0} to ${r0 + rows - 1}, columns ${c0} to ${c0 + cols - 1} are shown; the arrow keys lead to the others`);
  }

  fillTable() {
    const { app, M } = this;
    const extent = extentOf(M);
    const write = writer(M.data);
    const { i, j } = app.selected;
    const before = app.before?.[app.selected.name];
    const known = app.known(app.selected.name);
    const bad = app.difference.find(({ name }) => name === app.selected.name)?.first;
    for (const { cell, r, c } of this.cells) {
      const x = at(M, r, c);
      const text = known ? write(x) : "·";
      if (cell.textContent !== text) cell.textContent = text;
      cell.dataset.value = known ? x : "";
      cell.style.background = known ? shade(x, extent) : "";
      const chosen = r === i && c === j;
      cell.classList.toggle("chosen", chosen);
      cell.classList.toggle("moved", Boolean(before) && !same(at(before, r, c), x));
      cell.classList.toggle("first-wrong", Boolean(bad) && bad.i === r && bad.j === c);
      cell.tabIndex = chosen ? 0 : -1;
    }
  }

  pointed(event, choose) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    this.app.point(Number(cell.dataset.i), Number(cell.dataset.j), choose);
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const { selected } = this.app;
    const clamp = (x, count) => Math.max(0, Math.min(count - 1, x));
    this.app.point(clamp(selected.i + step[0], this.M.rows), clamp(selected.j + step[1], this.M.cols), true);
    this.table.querySelector(".chosen")?.focus();
  }

  // How the chosen cell is made.
  explain() {
    const { app } = this;
    const { name, i, j } = app.selected;
    const title = element("p", { class: "cell-title" }, ...named(name), `[${i},${j}] `, element("strong", { class: "number" }, app.known(name) ? digits(at(this.M, i, j)) : "not computed yet"));
    const made = app.known(name) && app.entry.cell?.(i, j);
    const parts = [title];
    if (made?.terms) parts.push(this.sum(made.terms), this.unlike(made.terms));
    else if (made) parts.push(element("p", { class: "sum" }, ...made.text.map((part) => (typeof part === "string" ? part : this.factor(part)))));
    if (made) parts.push(this.operands(made.uses));
    const { sizes, output } = app.session.network;
    if (made && output === "softmax" && name === `dZ${sizes.length - 1}` && !app.training.running) parts.push(...jacobianViews(app.arrays, i, j));
    this.cell.replaceChildren(...parts.filter(Boolean));
  }

  sum(terms) {
    const shown = terms.length > TERMS ? terms.slice(0, TERMS - 1) : terms;
    const rest = terms.slice(shown.length);
    const whole = total(terms.map(({ value }) => value));
    const left = total(rest.map(({ value }) => value));
    const write = writer([...shown.map(({ value }) => value), left, whole], 6);
    const line = (factors, value) => element("tr", {}, element("td", {}, ...factors), element("td", { class: "number" }, write(value)));
    return element("table", { class: "sum" },
      element("tbody", {},
        ...shown.map(({ factors, value }) => line(factors.flatMap((factor, m) => (m ? [" · ", this.factor(factor)] : [this.factor(factor)])), value)),
        ...(rest.length ? [line([`${rest.length} more products`], left)] : []),
        element("tr", { class: "total" }, element("th", { scope: "row" }, "sum"), element("td", { class: "number" }, write(whole)))));
  }

  // Where a mistake has put another number into the cell than the sum.
  unlike(terms) {
    const [x, sum] = [at(this.M, this.app.selected.i, this.app.selected.j), total(terms.map(({ value }) => value))];
    if (same(x, sum) || !this.app.session.settings.mistake || this.app.before) return null;
    return element("p", { class: "small bad" }, `This sum is right. With the mistake, the cell is ${digits(x)} instead.`);
  }

  factor(factor) {
    const value = valueOf(factor, (name, i, j) => at(this.app.arrays[name], i, j));
    if (factor[0] === "") return element("span", {}, digits(value));
    const label = `${factor[0]}[${factor[1]},${factor[2]}]`;
    return element("button", { class: "factor", title: label, onclick: () => this.app.choose(factor[0], factor[1], factor[2]) }, digits(value));
  }

  // The rows and columns that make the cell, small, with what is used in full color.
  operands(uses) {
    return element("div", { class: "operands" }, ...uses.filter(([name]) => name in this.app.arrays).map(([name, i, j]) => {
      const M = this.app.arrays[name];
      const [r0, c0] = [Math.max(0, Math.min((i ?? 0) - 4, M.rows - 8)), Math.max(0, Math.min((j ?? 0) - 6, M.cols - 12))];
      const extent = extentOf(M);
      const grid = element("span", { class: "mini", style: `grid-template-columns:repeat(${Math.min(12, M.cols)},1fr)` },
        ...range(Math.min(8, M.rows)).flatMap((r) => range(Math.min(12, M.cols)).map((c) => {
          const used = (i === null || i === r0 + r) && (j === null || j === c0 + c);
          return element("i", { class: used ? "used" : "", style: `background:${shade(at(M, r0 + r, c0 + c), extent)}` });
        })));
      return element("figure", {}, grid, element("figcaption", {}, ...named(name), `[${i ?? ":"},${j ?? ":"}]`));
    }));
  }
}

const range = (count) => Array.from({ length: Math.max(0, count) }, (_, m) => m);
