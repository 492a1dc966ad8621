// Break it on purpose: one classic mistake at a time, what it looks like, where it begins, and why it is wrong.

import { named } from "./chain.js";
import { digits } from "./detail_numbers.js";
import { mistakeOf, mistakesFor } from "./mistakes.js";

export class Breaking {
  constructor(app, { list, told }) {
    Object.assign(this, { app, list, told });
  }

  build() {
    const { session } = this.app;
    const option = (id, title) => element("label", { class: "mistake" },
      element("input", { type: "radio", name: "mistake", value: id, checked: session.settings.mistake === id, onchange: () => this.app.change("mistake", id) }), element("span", {}, title));
    const possible = mistakesFor(session.network);
    this.list.replaceChildren(option("", "No mistake"), ...possible.map(({ id, title }) => option(id, title)));
    this.draw();
  }

  draw() {
    const { session, difference } = this.app;
    const { mistake } = session.settings;
    for (const input of this.list.querySelectorAll("input")) input.checked = input.value === mistake;
    if (!mistake) return this.told.replaceChildren(element("p", { class: "quiet" }, "The gradient is right. Choose a mistake, and train."));
    const { title, wrong, right, symptom, why } = mistakeOf(mistake);
    const code = (label, line, kind) => element("div", { class: `code ${kind}` }, element("span", { class: "code-label" }, label), element("code", {}, line));
    this.told.replaceChildren(
      element("h3", {}, title), code("wrong", wrong, "bad-code"), code("right", right, "good-code"),
      element("p", {}, element("strong", {}, "What you see. "), symptom), element("p", {}, element("strong", {}, "Why. "), why),
      this.began(difference), this.compared());
  }

  began(difference) {
    if (difference.length === 0)
      return element("p", { class: "quiet", id: "began" }, "In this batch, the mistake changes no number.");
    const { name, first } = difference[0];
    return element("div", { id: "began" },
      element("p", {}, element("strong", {}, "Where the mistake begins. "), "The first cell that differs is ",
        element("button", { class: "link", onclick: () => this.app.choose(name, first.i, first.j, true) }, ...named(name), `[${first.i},${first.j}]`),
        `: ${digits(first.wrong)} instead of ${digits(first.right)}.`),
      element("p", { class: "small quiet" }, "Arrays with wrong numbers: ", difference.map((each) => `${each.name} (${each.count} of ${each.of})`).join(", "), "."));
  }

  compared() {
    const last = this.app.session.history.at(-1);
    if (!last || last.shadow === null || last.shadow === undefined) return element("p", { class: "small quiet" }, "Train to compare the two losses.");
    return element("p", { id: "compared" }, "Loss with the mistake: ", element("strong", { class: "number" }, digits(last.loss)), ". Loss without the mistake, from the same weights: ", element("strong", { class: "number" }, digits(last.shadow)), ".");
  }
}
