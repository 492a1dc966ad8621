// What the page knows: the session, which array, cell and sample are chosen, what is changed; it tells the parts to draw.

import { entriesOf } from "./ledger.js";
import { firstDifference } from "./mistakes.js";
import { dataNamed } from "./datasets.js";
import { NoMemory } from "./engine.js";
import { Session } from "./session.js";
import { same } from "./detail_numbers.js";
import { byId, hideTaken } from "./elements.js";
import { drawCurves, drawHistogram } from "./charts.js";
import { named } from "./chain.js";
import { Training } from "./training.js";

const MOST_ROWS = 256; // of a batch that are shown

export class App {
  constructor(engine) {
    Object.assign(this, { engine, sample: null, cursor: null, changes: {}, notation: "matrix" });
    this.training = new Training(this);
    this.selected = { name: "", i: 0, j: 0 };
    this.difference = [];
  }

  // ---- data ----

  async load(name, text, file, target, settings = {}) {
    try {
      const data = await dataNamed(name, text, file, target);
      this.training.pause();
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
    if (file.size > 60e6) return this.say(`${file.name} has ${Math.round(file.size / 1e6)} MB; this page reads files of up to 60 MB. Use the glassmax package, or a part of the file.`);
    await this.load("table", await file.text(), file.name);
  }

  retarget(target) {
    const { name, text, file } = this.session.data;
    return this.load(name, text, file, target);
  }

  // ---- what the settings and buttons change ----

  // Do what may need more memory than there is; otherwise the page says so. Returns whether it was done.
  attempt(what) {
    try {
      what();
      return true;
    } catch (error) {
      if (!(error instanceof NoMemory)) throw error;
      this.say(error.message);
      return false;
    }
  }

  startOver() {
    if (!this.attempt(() => this.session.reset())) return;
    this.changes = {};
    this.cursor = null;
    this.refresh();
  }

  change(name, value, more = {}) {
    const before = this.session.network.sizes.join();
    if (this.attempt(() => this.session.change(name, value, more))) this.afterChange(name, before);
    this.breaking.build();
    this.controls.draw();
  }

  afterChange(name, before) {
    this.changes = {};
    this.sample = this.sample !== null && this.sample < this.session.data.n ? this.sample : null;
    if (before !== this.session.network.sizes.join() || ["l2", "output", "activation", "batchSize"].includes(name)) this.rebuild();
    else this.refresh();
  }

  // ---- the ledger ----

  get rows() {
    return this.sample === null ? this.session.batch().slice(0, MOST_ROWS) : [this.sample];
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
    if (!this.entry) this.selected = { name: `dW${session.network.sizes.length - 1}`, i: 0, j: 0 };
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
    if (scroll) byId("ledger").scrollIntoView();
  }

  point(i, j, chosen) {
    if (this.selected.i === i && this.selected.j === j) return;
    if (!chosen && this.training.running) return;
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
    this.training.pause();
    this.changes = changes;
    this.compute();
    this.chain.draw();
    this.detail.draw();
    this.nudge.draw();
    this.breaking.draw();
  }

  keepChanges() {
    this.session.setParameters(this.arrays);
    this.changes = {};
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
    document.body.dataset.data = this.session.data.name;
  }

  // Another network: other arrays.
  rebuild() {
    this.cursor = null;
    this.compute();
    this.shape = "";
    byId("histograms").replaceChildren(...this.session.network.sizes.slice(1).flatMap((_, l) => [`W${l + 1}`, `dZ${l + 1}`].map((name) =>
      element("figure", {}, element("canvas", { class: "histogram", "data-name": name, role: "img", "aria-label": `Histogram of ${name}` }), element("figcaption", {}, element("span", {}, ...named(name)), element("span", { class: "extent number" }))))));
    this.refresh();
  }

  refresh(sameState = false) {
    this.status();
    this.ledger();
    this.detail.build();
    this.nudge.build();
    this.plane.draw();
    drawCurves(byId("curves"), this.session.history, this.session.shadow);
    this.histograms();
    this.breaking.draw();
    this.quiz.draw();
    if (!sameState) hideTaken();
    const { sample, session } = this;
    const batch = session.batch().length;
    const whole = batch > MOST_ROWS ? `The first ${MOST_ROWS} of the ${batch} rows of the next batch, as a batch of their own.` : `The next batch: ${batch} ${batch === 1 ? "row" : "rows"}.`;
    byId("which-rows").textContent = sample === null ? whole : `Sample ${sample} alone, of class ${session.data.classes[session.rows([sample]).Y.data.indexOf(1)]}.`;
    byId("whole-batch").disabled = sample === null;
  }

  status() {
    const { session } = this;
    byId("epoch").textContent = session.epoch + (session.position ? ` + ${session.position}/${session.order.length} rows` : "");
    byId("loss").textContent = Number.isFinite(session.lastLoss) ? session.lastLoss.toPrecision(4) : "not a number";
    byId("accuracy").textContent = `${(100 * session.accuracy).toFixed(1)} %`;
    byId("key-shadow").hidden = !session.history.some(({ shadow }) => shadow);
    byId("key-held").hidden = session.data.held.length === 0;
    byId("accuracy-of").textContent = session.data.held.length ? "held-out accuracy" : "accuracy";
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
}
