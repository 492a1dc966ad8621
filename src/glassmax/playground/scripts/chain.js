// The chain: every array of the batch as a block in its true proportions, its cells colored by value.
//
// The blocks stand in the order of computation. With single rules, those that have not been computed yet are empty.

import { extentOf, paintCells } from "./paint.js";

const TITLES = { forward: "Forward", loss: "Loss", backward: "Backward" };

export class Chain {
  constructor(app, { place, slider, position }) {
    Object.assign(this, { app, place, slider, position });
    this.blocks = new Map();
    slider.addEventListener("input", () => app.choose(app.entries[Number(slider.value)].name));
    place.addEventListener("keydown", (event) => this.key(event));
  }

  // Build the blocks again, for other layers or another batch.
  build() {
    const { entries, arrays } = this.app;
    const largest = Math.max(...entries.map(({ name }) => Math.max(arrays[name].rows, arrays[name].cols)));
    const unit = Math.min(11, Math.min(150, (this.place.clientWidth - 60) / 2) / largest); // two blocks fit side by side
    this.blocks.clear();
    const rows = {};
    for (const entry of entries) {
      const M = arrays[entry.name];
      const canvas = element("canvas", { "aria-hidden": "true", style: `width:${Math.max(6, M.cols * unit)}px;height:${Math.max(6, M.rows * unit)}px` });
      const block = element("button", { class: "block", tabindex: -1, "data-name": entry.name, onclick: () => this.app.choose(entry.name) },
        canvas, element("span", { class: "block-name" }, ...named(entry.name)), element("span", { class: "block-shape" }, `${M.rows}×${M.cols}`));
      this.blocks.set(entry.name, { block, canvas, entry });
      (rows[entry.pass] ??= element("div", { class: "pass" }, element("span", { class: "pass-title" }, TITLES[entry.pass]))).append(block);
    }
    this.place.replaceChildren(...Object.values(rows));
    this.slider.max = entries.length - 1;
  }

  draw() {
    const { arrays, selected, entries, cursor, moved, difference } = this.app;
    entries.forEach((entry, at) => {
      const { block, canvas } = this.blocks.get(entry.name);
      const M = arrays[entry.name];
      const known = cursor === null || at <= cursor;
      paintCells(canvas, M, known ? extentOf(M) : 0);
      block.classList.toggle("unknown", !known);
      block.classList.toggle("moved", Boolean(moved[entry.name]));
      block.classList.toggle("wrong", difference.some(({ name }) => name === entry.name));
      const chosen = entry.name === selected.name;
      block.setAttribute("aria-pressed", String(chosen));
      block.tabIndex = chosen ? 0 : -1;
      block.setAttribute("aria-label", `${entry.name}, ${M.rows} by ${M.cols}${known ? "" : ", not computed yet"}${moved[entry.name] ? `, ${moved[entry.name]} cells moved` : ""}`);
      if (chosen) this.slider.value = at;
    });
    const at = entries.findIndex(({ name }) => name === selected.name);
    this.position.textContent = `${at + 1} of ${entries.length}`;
    this.slider.setAttribute("aria-valuetext", selected.name);
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (!steps) return;
    event.preventDefault();
    this.app.walk(steps);
    this.blocks.get(this.app.selected.name).block.focus();
  }
}

// A name with its layer as an index below: dZ1, L_i.
export function named(name) {
  const [, letters, index] = /^([A-Za-z]+)_?(\d+|i)?$/.exec(name);
  return index ? [letters, element("sub", {}, index)] : [letters];
}
