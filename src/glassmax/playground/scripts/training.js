// The training loop: Train and Pause, and the steps Epoch, Batch and Rule.

import { drawCurves } from "./charts.js";
import { byId } from "./elements.js";

const [LEAST, MOST] = [6, 10]; // milliseconds of training in a frame
const AT_ONCE = 100; // milliseconds of an epoch that are trained at once; the rest goes in frames
const SMOOTH = 18; // milliseconds between two frames at 60 a second, with some slack
const DIVERGED = "The loss is no longer a finite number, because the steps were too long. Choose a smaller learning rate, then Reset.";

export class Training {
  constructor(app) {
    Object.assign(this, { app, running: false, toEnd: false, frames: 0, budget: MOST, last: 0 });
  }

  toggle() {
    this.running ? this.pause() : this.train();
  }

  // Train until the pause, or to the end of the epoch.
  train(toEnd = false) {
    if (this.running) return;
    Object.assign(this, { running: true, toEnd, last: 0 });
    Object.assign(this.app, { cursor: null, changes: {} });
    byId("train").textContent = "Pause";
    byId("train").setAttribute("aria-pressed", "true");
    this.next();
  }

  pause() {
    if (!this.running) return;
    this.running = false;
    cancelAnimationFrame(this.request);
    byId("train").textContent = "Train";
    byId("train").setAttribute("aria-pressed", "false");
    this.app.refresh();
  }

  next() {
    this.request = requestAnimationFrame((now) => this.frame(now));
  }

  // Train for as long as the frames stay smooth, and draw in turns.
  frame(now) {
    this.budget = Math.min(MOST, Math.max(LEAST, this.budget + (now - this.last > SMOOTH ? -1 : 0.25)));
    this.last = now;
    const epochs = this.trainFor(this.budget, this.toEnd);
    if (epochs === null || (this.toEnd && epochs > 0)) return this.pause();
    ++this.frames;
    const { app, frames } = this;
    drawCurves(byId("curves"), app.session.history, app.session.shadow);
    if (frames % (app.session.data.image ? 12 : 3) === 0) app.plane.draw();
    if (frames % 4 === 1 && app.ledgerIsSeen) app.ledger();
    if (frames % 6 === 2) app.histograms();
    if (frames % 20 === 5) app.breaking.draw();
    app.status();
    this.next();
  }

  // Train for some milliseconds; returns the epochs that ended, or null where training can't go on, and says why.
  trainFor(milliseconds, toEnd) {
    const { app } = this;
    let epochs = null;
    if (!app.attempt(() => (epochs = app.session.trainFor(milliseconds, () => performance.now(), toEnd)))) return null;
    if (Number.isFinite(app.session.lastLoss)) return epochs;
    app.say(DIVERGED);
    return null;
  }

  step(what) {
    this.pause();
    this.app.changes = {};
    this.app.say("");
    ({ epoch: () => this.epoch(), batch: () => this.batch(), rule: () => this.rule() })[what]();
  }

  // To the end of the epoch: a short one at once, a long one in frames, so that the page answers all the time.
  epoch() {
    this.app.cursor = null;
    const epochs = this.trainFor(AT_ONCE, true);
    this.app.refresh();
    if (epochs === 0) this.train(true);
  }

  // One batch; returns whether there was memory for it.
  batch() {
    const { app } = this;
    const done = app.attempt(() => {
      app.session.advance(1);
      app.session.settle();
    });
    if (done) app.cursor = null;
    app.refresh();
    return done;
  }

  // The next rule of the batch; after the last one the weights move.
  rule() {
    const { app } = this;
    const at = app.cursor === null ? 0 : app.cursor + 1;
    if (at < app.entries.length) app.cursor = at;
    else if (this.batch()) {
      app.cursor = 0;
      app.say("All derivatives of the batch were computed, so the weights have moved. The next batch is shown.");
    } else return;
    app.choose(app.entries[app.cursor].name);
  }
}
