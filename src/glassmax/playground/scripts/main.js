// The start of the page: the parts, and what the buttons, the keys and dropped files do.

import { App } from "./app.js";
import { Breaking } from "./breaking.js";
import { Chain } from "./chain.js";
import { Controls } from "./controls.js";
import { gunzip, toy } from "./datasets.js";
import { Detail } from "./detail.js";
import { byId } from "./elements.js";
import { loadEngine } from "./engine.js";
import { Nudge } from "./nudge.js";
import { forgetPalette } from "./paint.js";
import { Plane } from "./plane.js";
import { Quiz } from "./quiz.js";
import { Session } from "./session.js";
import { copy, fromLink, take } from "./take.js";

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
  press("train", () => app.training.toggle());
  for (const what of ["epoch", "batch", "rule"]) press(`step-${what}`, () => app.training.step(what));
  press("start-over", () => app.startOver());
  press("whole-batch", () => app.chooseSample(null));
  for (const what of ["link", "python", "derivation"]) press(`take-${what}`, () => take(app, what));
  press("copy", () => copy(app));
  for (const notation of ["matrix", "index"])
    press(`as-${notation}`, () => {
      app.notation = notation;
      for (const other of ["matrix", "index"]) byId(`as-${other}`).setAttribute("aria-pressed", String(other === notation));
      app.detail.build();
    });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY)$/.test(event.target.tagName)) return;
    const what = { " ": () => app.training.toggle(), e: () => app.training.step("epoch"), b: () => app.training.step("batch"), r: () => app.training.step("rule") }[event.key];
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
    app.refresh(true);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let pending = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => {
      app.shape = ""; // the blocks fit into the new width
      app.refresh(true);
    });
  });
  window.addEventListener("hashchange", () => location.hash.length > 1 && fromLink(app, location.hash));
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
  if (location.hash.length > 1) await fromLink(app, location.hash);
  document.body.dataset.ready = "yes";
  return app;
}
