// The quiz: a cell or a shape is hidden, and the rest of the equation is there to find it.

import { matrixForm } from "./formulas.js";
import { named } from "./chain.js";
import { digits } from "./detail_numbers.js";
import { at } from "./matrices.js";
import { valueOf } from "./ledger.js";

const MOST_TERMS = 12;

export class Quiz {
  constructor(app, { place, random = Math.random }) {
    Object.assign(this, { app, place, random, asked: 0, right: 0 });
  }

  draw() {
    if (this.question) return;
    this.place.replaceChildren(element("p", {}, "Each question is about the batch above. Pen and paper are enough."), this.buttons());
  }

  buttons() {
    return element("p", { class: "actions" },
      element("button", { onclick: () => this.ask("shape") }, "Hide a shape"), element("button", { onclick: () => this.ask("cell") }, "Hide a cell"),
      this.asked ? element("span", { class: "quiet" }, `${this.right} of ${this.asked} right`) : null);
  }

  ask(kind) {
    const { app } = this;
    app.training.pause();
    const pick = (list) => list[Math.floor(this.random() * list.length)];
    const computed = app.entries.filter((entry) => entry.cell && entry.equation.includes("=") && entry.equation !== entry.name);
    const short = computed.filter((entry) => (entry.cell(0, 0).terms?.length ?? 99) <= MOST_TERMS);
    const entry = pick(kind === "cell" && short.length ? short : computed);
    const M = app.arrays[entry.name];
    const [i, j] = [Math.floor(this.random() * M.rows), Math.floor(this.random() * M.cols)];
    this.question = kind;
    if (kind === "shape") this.shape(entry, M);
    else this.cell(entry, M, i, j);
  }

  field(name, label) {
    const input = element("input", { type: "number", step: "any", id: name, "aria-label": label, inputmode: "decimal", autocomplete: "off" });
    input.addEventListener("keydown", (event) => event.key === "Enter" && this.place.querySelector(".check")?.click());
    return input;
  }

  shape(entry, M) {
    const [rows, cols] = [this.field("quiz-rows", "rows"), this.field("quiz-cols", "columns")];
    const arrays = { ...this.app.arrays };
    const hidden = matrixForm(entry.equation, arrays);
    hidden.querySelector(".label").textContent = "?×?";
    this.present([element("p", {}, "How many rows and columns does ", ...named(entry.name), " have?"), hidden,
      element("p", { class: "answer" }, rows, " × ", cols)],
      () => rows.valueAsNumber === M.rows && cols.valueAsNumber === M.cols,
      `${entry.name} is ${M.rows} × ${M.cols}. ` + (/^d/.test(entry.name) ? `A derivative has the shape of the array that it belongs to, here ${entry.name.slice(1)}. ` : "") + entry.why);
  }

  cell(entry, M, i, j) {
    const answer = this.field("quiz-value", `${entry.name}[${i},${j}]`);
    const truth = at(M, i, j);
    const made = entry.cell(i, j);
    const value = (factor) => digits(valueOf(factor, (name, r, c) => at(this.app.arrays[name], r, c)));
    const rows = made.terms
      ? made.terms.map(({ factors }) => element("tr", {}, ...factors.map((factor) => element("td", { class: "number" }, factor[0] ? `${factor[0]}[${factor[1]},${factor[2]}] = ` : "", value(factor)))))
      : made.text.filter((part) => typeof part !== "string").map((factor) => element("tr", {}, element("td", { class: "number" }, `${factor[0]}[${factor[1]},${factor[2]}] = ${value(factor)}`)));
    this.present([element("p", {}, "What is ", ...named(entry.name), `[${i},${j}]? An answer within 2 % is right.`), matrixForm(entry.equation, this.app.arrays),
      element("div", { class: "scroll" }, element("table", { class: "quiz-numbers" }, element("tbody", {}, ...rows))), element("p", { class: "answer" }, answer)],
      () => Math.abs(answer.valueAsNumber - truth) <= Math.max(0.02 * Math.abs(truth), 5e-5),
      `${entry.name}[${i},${j}] = ${digits(truth)}. ${entry.index}. ${entry.why}`);
  }

  present(parts, isRight, reason) {
    const verdict = element("p", { "aria-live": "polite", class: "verdict" });
    const check = element("button", { class: "check", onclick: () => {
      const right = isRight();
      ++this.asked;
      this.right += right;
      this.question = null;
      check.disabled = true;
      verdict.replaceChildren(element("strong", { class: right ? "good" : "bad" }, right ? "Right. " : "Not quite. "), reason);
      verdict.after(this.buttons());
    } }, "Check");
    this.place.replaceChildren(...parts, element("p", { class: "actions" }, check), verdict);
    this.place.querySelector("input")?.focus({ preventScroll: true });
  }
}
