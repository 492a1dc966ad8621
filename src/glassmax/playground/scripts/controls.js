// The settings: data, layers, activation, loss, optimizer, learning rate, penalty. Each acts while training goes on.

import { ACTIVATIONS } from "./engine.js";
import { allowed } from "./link.js";

const HEADS = {
  "softmax cross_entropy": "softmax, cross-entropy",
  "softmax squared_error": "softmax, squared error",
  "sigmoid binary_cross_entropy": "sigmoid, binary cross-entropy",
  "sigmoid squared_error": "sigmoid, squared error",
  "identity squared_error": "identity, squared error",
};
const RATE = [1e-4, 10];

export class Controls {
  constructor(app, places) {
    Object.assign(this, { app, ...places });
    const on = (node, type, what) => node.addEventListener(type, what);
    fillSelect(this.activation, ACTIVATIONS.map((name) => [name, name.replace("_", " ")]));
    fillSelect(this.head, Object.entries(HEADS));
    on(this.data, "change", () => app.load(this.data.value));
    on(this.file, "change", () => this.file.files[0] && app.openFile(this.file.files[0]));
    on(this.target, "change", () => app.retarget(this.target.value));
    on(this.layers, "change", () => this.setLayers());
    on(this.activation, "change", () => app.change("activation", this.activation.value));
    on(this.head, "change", () => this.setHead());
    on(this.optimizer, "change", () => app.change("optimizer", this.optimizer.value));
    on(this.rateSlider, "input", () => this.set("learningRate", Number((RATE[0] * (RATE[1] / RATE[0]) ** (this.rateSlider.value / 1000)).toPrecision(2))));
    on(this.rate, "change", () => this.set("learningRate", this.rate.valueAsNumber));
    on(this.momentum, "change", () => this.set("momentum", this.momentum.valueAsNumber));
    on(this.batch, "change", () => this.set("batchSize", this.batch.valueAsNumber));
    on(this.l2, "change", () => this.set("l2", this.l2.valueAsNumber));
    on(this.seed, "change", () => this.set("seed", this.seed.valueAsNumber));
  }

  set(name, value) {
    if (allowed(name, value)) {
      this.app.say("");
      this.app.change(name, value);
    } else {
      this.app.say(`${LABELS[name]} can't be ${Number.isNaN(value) ? "empty" : value}. ${RANGES[name]}`);
      this.draw();
    }
  }

  setLayers() {
    const sizes = (this.layers.value.match(/[^\s,;-]+/g) ?? []).map(Number);
    if (!allowed("hidden", sizes)) {
      this.app.say(`Hidden layers can't be '${this.layers.value}'. Write up to six sizes from 1 to 512, such as 16-16, or nothing for no hidden layer.`);
      return this.draw();
    }
    this.app.say("");
    this.app.change("hidden", sizes);
  }

  setHead() {
    const [output, loss] = this.head.value.split(" ");
    this.app.change("output", output, { loss });
  }

  // Show the settings as they are.
  draw() {
    const { data, settings } = this.app.session;
    this.data.querySelector("option[value=table]").hidden = data.name !== "table";
    if (data.name === "table") this.data.querySelector("option[value=table]").textContent = data.file;
    this.data.value = data.name;
    const own = Boolean(data.columns);
    this.target.parentElement.hidden = !own;
    if (own) {
      fillSelect(this.target, data.columns.map((name) => [name, name]));
      this.target.value = data.target;
    }
    this.facts.textContent = `${data.n} rows, ${data.d} inputs, ${data.k} classes` + (data.held.length ? `; ${data.held.length} rows are held out` : "");
    this.notes.replaceChildren(...data.notes.map((text) => element("li", {}, text)));
    const values = { layers: settings.hidden.join("-"), activation: settings.activation, head: `${settings.output} ${settings.loss}`, optimizer: settings.optimizer, rate: settings.learningRate, momentum: settings.momentum, batch: settings.batchSize, l2: settings.l2, seed: settings.seed };
    for (const [name, value] of Object.entries(values)) this[name].value = value;
    this.rateSlider.value = (1000 * Math.log(settings.learningRate / RATE[0])) / Math.log(RATE[1] / RATE[0]);
    this.momentum.parentElement.hidden = settings.optimizer === "adam";
  }
}

const LABELS = { learningRate: "The learning rate", momentum: "The momentum", batchSize: "The batch size", l2: "The penalty", seed: "The seed" };
const RANGES = {
  learningRate: "Expected a number from 0 to 1000.", momentum: "Expected a number from 0 to 0.999.", batchSize: "Expected a whole number of at least 1.",
  l2: "Expected a number from 0 to 1000.", seed: "Expected a whole number from 0 to 4294967295.",
};

function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, label]) => element("option", { value }, label)));
}
