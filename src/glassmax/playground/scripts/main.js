// The page: it holds the session, what is chosen and what is changed, and tells the parts to draw.

import { entriesOf } from "./ledger.js";
import { at } from "./matrices.js";
import { firstDifference } from "./mistakes.js";
import { loadEngine } from "./engine.js";
import { digits as digitsOf, fromTable, spirals, toy } from "./datasets.js";
import { asDerivation, asPython } from "./export_text.js";
import { bytesOf, fragmentOf, piped, readFragment, restore, stateOf } from "./link.js";
import { Session } from "./session.js";
import { Breaking } from "./breaking.js";
import { Chain } from "./chain.js";
import { Controls } from "./controls.js";
import { Detail, same } from "./detail.js";
import { Nudge } from "./nudge.js";
import { Plane } from "./plane.js";
import { Quiz } from "./quiz.js";
import { drawCurves, drawHistogram } from "./charts.js";
import { named } from "./chain.js";
import { forgetPalette } from "./paint.js";

const FRAME = 9; // milliseconds of training in a frame
const byId = (id) => document.getElementById(id);
const gunzip = (name) => piped(bytesOf(embedded(name)), new DecompressionStream("gzip"));

class App {
  constructor(engine) {
    Object.assign(this, { engine, running: false, sample: null, cursor: null, changes: {}, notation: "matrix", frames: 0 });
    this.selected = { name: "X", i: 0, j: 0 };
    this.difference = [];
  }

  // ---- data ----

  async dataOf(name, text, file, target) {
    if (name === "toy") return toy();
    if (name === "spirals") return spirals();
    if (name === "digits") return digitsOf(await gunzip("digits"));
    if (name === "penguins") return { ...fromTable(new TextDecoder().decode(await gunzip("penguins")), "penguins.csv", "species"), name: "penguins", title: "Penguins" };
    return fromTable(text, file, target);
  }

  async load(name, text, file, target, settings = {}) {
    try {
      const data = await this.dataOf(name, text, file, target);
      this.pause();
      if (this.session) this.session.setData(data, settings);
      else this.session = new Session(this.engine, data, settings);
      this.say("");
      this.fresh();
      return true;
    } catch (error) {
      this.say(error.message);
      this.controls.draw();
      return false;
    }
  }

  async openFile(file) {
    if (file.size > 60e6) return this.say(`${file.name} has ${Math.round(file.size / 1e6)} MB, and this page takes 60. Use the glassmax package, or a part of the file.`);
    await this.load("table", await file.text(), file.name);
  }

  retarget(target) {
    const { text, file, name } = this.session.data;
    return name === "penguins" ? this.say("To predict another column of the penguins, save the table as a file and drop it here.") : this.load("table", text, file, target);
  }

  // ---- training ----

  toggle() {
    this.running ? this.pause() : this.train();
  }

  train() {
    if (this.running) return;
    this.running = true;
    this.cursor = null;
    this.changes = {};
    byId("train").textContent = "Pause";
    byId("train").setAttribute("aria-pressed", "true");
    requestAnimationFrame(() => this.frame());
  }

  pause() {
    if (!this.running) return;
    this.running = false;
    byId("train").textContent = "Train";
    byId("train").setAttribute("aria-pressed", "false");
    this.refresh();
  }

  frame() {
    if (!this.running) return;
    this.session.trainFor(FRAME, () => performance.now());
    if (!Number.isFinite(this.session.lastLoss)) {
      this.pause();
      return this.say("The loss is no longer a number: the steps were too long. Take a smaller learning rate and start over.");
    }
    ++this.frames;
    this.status();
    drawCurves(byId("curves"), this.session.history, this.session.shadow);
    if (this.frames % 3 === 0) this.plane.draw();
    if (this.frames % 3 === 1 && this.ledgerIsSeen) this.ledger();
    if (this.frames % 6 === 2) this.histograms();
    if (this.frames % 20 === 5) this.breaking.draw();
    requestAnimationFrame(() => this.frame());
  }

  step(what) {
    this.pause();
    this.changes = {};
    if (what === "rule") return this.rule();
    this.cursor = null;
    if (what === "batch") {
      this.session.advance(1);
      this.session.evaluate();
    } else while (!this.session.advance(1e9)) /* to the end of the epoch */;
    this.refresh();
  }

  // The next rule of the batch; after the last one the weights move.
  rule() {
    const at = this.cursor === null ? 0 : this.cursor + 1;
    if (at >= this.entries.length) {
      this.cursor = null;
      this.session.advance(1);
      this.session.evaluate();
      this.say("All derivatives were known, so the weights have moved. The next batch comes in.");
      this.refresh();
      this.cursor = 0;
    } else {
      this.cursor = at;
      this.say("");
    }
    this.choose(this.entries[this.cursor].name);
  }

  startOver() {
    this.session.reset();
    this.changes = {};
    this.cursor = null;
    this.refresh();
  }

  change(name, value, more = {}) {
    const before = this.session.network.sizes.join();
    for (const [key, other] of Object.entries(more)) this.session.settings = { ...this.session.settings, [key]: other };
    this.session.change(name, value);
    this.changes = {};
    this.sample = this.sample !== null && this.sample < this.session.data.n ? this.sample : null;
    if (before !== this.session.network.sizes.join() || ["l2", "output", "activation", "batchSize"].includes(name)) this.rebuild();
    else this.refresh();
    this.breaking.build();
    this.controls.draw();
  }

  // ---- the ledger ----

  get rows() {
    return this.sample === null ? this.session.batch() : [this.sample];
  }

  get entry() {
    return this.entries.find(({ name }) => name === this.selected.name);
  }

  known(name) {
    return this.cursor === null || this.entries.findIndex((entry) => entry.name === name) <= this.cursor;
  }

  arraysWith(changes) {
    return this.session.arrays(this.rows, { changes });
  }

  compute() {
    const { session, changes } = this;
    const active = Object.keys(changes).length > 0;
    this.arrays = this.arraysWith(changes);
    this.before = active ? this.arraysWith({}) : null;
    this.moved = {};
    if (active)
      for (const [name, M] of Object.entries(this.arrays)) {
        const count = M.data.reduce((sum, x, n) => sum + !same(x, this.before[name].data[n]), 0);
        if (count) this.moved[name] = count;
      }
    this.difference = session.settings.mistake ? firstDifference(session.arrays(this.rows, { changes, mistake: "" }), this.arrays) : [];
    this.entries = entriesOf(session.network, this.arrays, { l2: session.settings.l2 });
    if (!this.entry) this.selected = { name: this.entries[0].name, i: 0, j: 0 };
    const M = this.arrays[this.selected.name];
    this.selected.i = Math.min(this.selected.i, M.rows - 1);
    this.selected.j = Math.min(this.selected.j, M.cols - 1);
  }

  ledger() {
    const shape = this.shape;
    this.compute();
    this.shape = Object.values(this.arrays).map(({ rows, cols }) => [rows, cols]).join(";");
    if (shape !== this.shape) this.chain.build();
    this.chain.draw();
    this.detail.draw();
  }

  choose(name, i = 0, j = 0, scroll = false) {
    this.selected = { name, i, j };
    this.chain.draw();
    this.detail.build();
    this.nudge.build();
    if (scroll) byId("ledger").scrollIntoView({ behavior: "smooth" });
  }

  point(i, j, chosen) {
    if (this.selected.i === i && this.selected.j === j) return;
    if (!chosen && this.running) return;
    this.selected = { ...this.selected, i, j };
    this.detail.draw();
    this.nudge.build();
  }

  walk(steps) {
    const at = this.entries.findIndex(({ name }) => name === this.selected.name);
    this.choose(this.entries[Math.max(0, Math.min(this.entries.length - 1, at + steps))].name);
  }

  chooseSample(i) {
    this.sample = i;
    this.changes = {};
    this.refresh();
    byId("whole-batch").disabled = i === null;
  }

  setChanges(changes) {
    this.pause();
    this.changes = changes;
    this.compute();
    this.chain.draw();
    this.detail.draw();
    this.nudge.draw();
    this.breaking.draw();
  }

  keepChanges() {
    const named = this.arrays;
    let from = 0;
    for (let l = 1; l < this.session.network.sizes.length; ++l)
      for (const name of [`W${l}`, `b${l}`]) {
        this.session.theta.set(named[name].data, from);
        from += named[name].data.length;
      }
    this.changes = {};
    this.session.evaluate();
    this.session.forgetShadow();
    this.refresh();
  }

  // ---- drawing ----

  // Other data.
  fresh() {
    Object.assign(this, { sample: null, cursor: null, changes: {}, shape: "" });
    this.plane.reset();
    this.controls.draw();
    this.rebuild();
    this.breaking.build();
  }

  // Another network: other arrays.
  rebuild() {
    this.cursor = null;
    this.compute();
    this.shape = "";
    byId("histograms").replaceChildren(...this.session.network.sizes.slice(1).flatMap((_, l) => [`W${l + 1}`, `dZ${l + 1}`].map((name) =>
      element("figure", {}, element("canvas", { class: "histogram", "data-name": name, role: "img", "aria-label": `Histogram of ${name}` }), element("figcaption", {}, ...named(name), element("span", { class: "extent number" }))))));
    this.refresh();
  }

  refresh() {
    this.status();
    this.ledger();
    this.detail.build();
    this.nudge.build();
    this.plane.draw();
    drawCurves(byId("curves"), this.session.history, this.session.shadow);
    this.histograms();
    this.breaking.draw();
    this.quiz.draw();
    this.take("");
    const { sample, session } = this;
    byId("which-rows").textContent = sample === null ? `The batch that comes next: ${this.rows.length} rows.` : `Sample ${sample} alone, of class ${session.data.classes[session.rows([sample]).Y.data.indexOf(1)]}.`;
    byId("whole-batch").disabled = sample === null;
  }

  status() {
    const { session } = this;
    byId("epoch").textContent = session.epoch + (session.position ? ` + ${session.position}/${session.order.length} rows` : "");
    byId("loss").textContent = Number.isFinite(session.lastLoss) ? session.lastLoss.toPrecision(4) : "not a number";
    byId("accuracy").textContent = `${(100 * session.accuracy).toFixed(1)} %`;
    byId("accuracy-of").textContent = session.data.held.length ? "accuracy, held out" : "accuracy";
  }

  histograms() {
    if (!this.ledgerIsSeen) this.arrays = this.arraysWith(this.changes);
    for (const canvas of document.querySelectorAll("canvas.histogram")) {
      const most = drawHistogram(canvas, this.arrays[canvas.dataset.name].data);
      canvas.parentElement.querySelector(".extent").textContent = ` ± ${most.toPrecision(2)}`;
    }
  }

  say(text) {
    byId("message").textContent = text;
    byId("message").hidden = !text;
  }

  // ---- to take along ----

  async take(what) {
    const out = byId("taken");
    out.hidden = !what;
    if (what === "link") {
      history.replaceState(null, "", await fragmentOf(stateOf(this.session, { selected: this.selected, sample: this.sample })));
      out.textContent = location.href;
    }
    if (what === "python") out.textContent = asPython(this.session);
    if (what === "derivation") out.textContent = asDerivation(this.session, this.arrays);
    byId("copy").disabled = !what;
  }

  async fromLink(fragment) {
    try {
      const state = await readFragment(fragment);
      if (!(await this.load(state.data, state.text, state.file, state.target, state.settings))) return;
      restore(this.session, state);
      this.sample = Number.isInteger(state.view?.sample) && state.view.sample >= 0 && state.view.sample < this.session.data.n ? state.view.sample : null;
      const { name, i, j } = state.view?.selected ?? {};
      this.controls.draw();
      this.rebuild();
      this.breaking.build();
      if (this.arrays[name] && at(this.arrays[name], i, j) !== undefined) this.choose(name, i, j);
    } catch (error) {
      this.say(`The link can't be read: ${error.message}`);
    }
  }
}

function parts(app) {
  const places = (ids) => Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, byId(id)]));
  app.controls = new Controls(app, places({ data: "data", file: "file", target: "target", facts: "facts", notes: "notes", layers: "layers", activation: "activation", head: "head", optimizer: "optimizer", rateSlider: "rate-slider", rate: "rate", momentum: "momentum", batch: "batch-size", l2: "l2", seed: "seed" }));
  app.plane = Object.create(Plane.prototype);
  app.chain = new Chain(app, places({ place: "chain", slider: "walk", position: "position" }));
  app.detail = new Detail(app, places({ title: "array-title", note: "array-why", formula: "array-formula", table: "array-table", extent: "array-extent", cell: "cell" }));
  app.nudge = new Nudge(app, places({ title: "nudge-title", slider: "nudge-slider", number: "nudge-number", undo: "undo", keep: "keep", facts: "nudge-facts", moved: "moved", canvas: "nudge-plot" }));
  app.breaking = new Breaking(app, places({ list: "mistakes", told: "told" }));
  app.quiz = new Quiz(app, places({ place: "quiz-place" }));
}

function wire(app) {
  const press = (id, what) => byId(id).addEventListener("click", what);
  press("train", () => app.toggle());
  for (const what of ["epoch", "batch", "rule"]) press(`step-${what}`, () => app.step(what));
  press("start-over", () => app.startOver());
  press("whole-batch", () => app.chooseSample(null));
  for (const what of ["link", "python", "derivation"]) press(`take-${what}`, () => app.take(what));
  press("copy", () => navigator.clipboard.writeText(byId("taken").textContent).then(() => app.say("Copied."), () => app.say("This browser doesn't let the page copy. Select the text and copy it yourself.")));
  for (const notation of ["matrix", "index"])
    press(`as-${notation}`, () => {
      app.notation = notation;
      for (const other of ["matrix", "index"]) byId(`as-${other}`).setAttribute("aria-pressed", String(other === notation));
      app.detail.build();
    });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY)$/.test(event.target.tagName)) return;
    const what = { " ": () => app.toggle(), e: () => app.step("epoch"), b: () => app.step("batch"), r: () => app.step("rule") }[event.key];
    if (!what) return;
    event.preventDefault();
    what();
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) app.openFile(event.dataTransfer.files[0]);
  });
  const redraw = () => {
    forgetPalette();
    app.plane.key = "";
    app.refresh();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let pending = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => app.refresh());
  });
  window.addEventListener("hashchange", () => location.hash.length > 1 && app.fromLink(location.hash));
  new IntersectionObserver(([{ isIntersecting }]) => (app.ledgerIsSeen = isIntersecting)).observe(byId("ledger"));
}

export async function start() {
  const app = new App(await loadEngine(await gunzip("engine")));
  app.session = new Session(app.engine, toy());
  parts(app);
  app.compute();
  app.plane = new Plane(app, { canvas: byId("plane"), axes: [byId("axis-x"), byId("axis-y")], gallery: byId("gallery"), bars: byId("bars"), hint: byId("plane-hint") });
  app.fresh();
  wire(app);
  if (location.hash.length > 1) await app.fromLink(location.hash);
  document.body.dataset.ready = "yes";
  return app;
}
