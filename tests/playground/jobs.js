// Jobs for the page's own modules: each takes plain values and returns plain values. node.py bundles this file with them.
//
// NaN and the infinities, which JSON doesn't have, are written as text.

import { arraysOf, gradientOf, predictions, updateOf } from "./backward.js";
import { asDerivation, asPython } from "./export_text.js";
import { fromTable, spirals, toy } from "./datasets.js";
import { loadEngine } from "./engine.js";
import { entriesOf } from "./ledger.js";
import { fragmentOf, readFragment, restore, stateOf } from "./link.js";
import { matrix } from "./matrices.js";
import { firstDifference, mistakeOf, mistakesFor } from "./mistakes.js";
import { shuffled, startingWeights } from "./random.js";
import { Session } from "./session.js";
import { encoded, readTable } from "./table.js";

let engine;

export async function run(jobs, bytes) {
  engine = await loadEngine(bytes);
  const answers = [];
  for (const job of jobs) answers.push(await JOBS[job.what](job));
  return answers;
}

const number = (x) => (typeof x === "string" ? Number(x) : x);
const read = (M) => matrix(M.length, M[0]?.length ?? 0, Float64Array.from(M.flat().map(number)));
const written = (M) => ({ shape: [M.rows, M.cols], data: plain(M.data) });
const plain = (data) => Array.from(data, (x) => (Number.isFinite(x) ? x : String(x)));

const JOBS = {
  arrays(job) {
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    const mistake = job.mistake ? mistakeOf(job.mistake) : {};
    const options = { l2: job.l2, weights: job.weights, mistake, changes: job.changes, learningRate: job.learningRate };
    const arrays = arraysOf(job.network, theta, X, Y, options);
    const gradient = plain(gradientOf(arrays, job.network.sizes));
    const P = written(predictions(job.network, theta, X));
    return { arrays: Object.fromEntries(Object.entries(arrays).map(([name, M]) => [name, written(M)])), gradient, P };
  },
  engine(job) {
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    const { loss, gradient } = engine.lossAndGradient(job.network, X.data, Y.data, job.l2, theta);
    return { loss, gradient: plain(gradient), P: plain(engine.predict(job.network, X.data, theta)) };
  },
  train(job) {
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    const state = newState(job, theta);
    engine.setRows(X.data, Y.data);
    const options = { batchSize: job.batchSize, learningRate: job.learningRate, l2: job.l2, momentum: job.momentum };
    const loss = engine.train(job.network, job.order, options, theta, state);
    return { loss, theta: plain(theta) };
  },
  steps(job) {  // the same by the twin
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    let state = newState(job, theta);
    for (let start = 0; start < job.order.length; start += job.batchSize) {
      const rows = job.order.slice(start, start + job.batchSize);
      const some = (M) => matrix(rows.length, M.cols, Float64Array.from(rows.flatMap((i) => [...M.data.subarray(i * M.cols, (i + 1) * M.cols)])));
      const arrays = arraysOf(job.network, theta, some(X), some(Y), { l2: job.l2, downToX: false });
      const update = updateOf(gradientOf(arrays, job.network.sizes), state, job);
      update.change.forEach((change, p) => (theta[p] += change));
      state = update.state;
    }
    return { theta: plain(theta) };
  },
  difference(job) {
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    const mistake = mistakeOf(job.mistake);
    const right = arraysOf(job.network, theta, X, Y, { l2: job.l2 });
    const wrong = arraysOf(job.network, theta, X, Y, { l2: job.l2, mistake, learningRate: job.learningRate });
    return firstDifference(right, wrong);
  },
  mistakes: (job) => mistakesFor(job.network).map(({ id }) => id),
  table(job) {
    try {
      const table = readTable(job.text, job.name ?? "data.csv");
      const data = encoded(table, job.target ?? table.columns.at(-1).name);
      return { ...data, X: plain(data.X), Y: plain(data.Y) };
    } catch (error) {
      return { error: error.message };
    }
  },
  // A session on built-in data or a table, trained for some epochs: what it knows afterwards.
  session(job) {
    const session = trained(job);
    const arrays = session.arrays(session.batch());
    const python = job.python ? asPython(session) : "";
    const { accuracy, epoch } = session;
    const { loss, shadow } = session.history.at(-1);
    return { loss: String(loss), shadow: String(shadow), accuracy, epoch, python, batchLoss: arrays.L.data[0], points: session.history.length };
  },
  // The same state by its link.
  async link(job) {
    const session = trained(job);
    const fragment = await fragmentOf(stateOf(session));
    const again = new Session(engine, dataOf(job));
    restore(again, await readFragment(fragment));
    for (const each of [session, again]) each.advance(1e9);
    const same = session.theta.every((w, p) => w === again.theta[p]);
    return { same, epochs: [session.epoch, again.epoch], losses: [session.lastLoss, again.lastLoss], length: fragment.length };
  },
  async bad_link(job) {
    try {
      const state = stateOf(new Session(engine, toy()));
      await readFragment(job.fragment ?? (await fragmentOf({ ...state, ...job.change, settings: { ...state.settings, ...job.settings } })));
      return "";
    } catch (error) {
      return error.message;
    }
  },
  // The largest distance of a cell of the ledger from the sum of its products, and how many sums there were.
  ledger(job) {
    const session = trained(job);
    const arrays = session.arrays(session.batch());
    let [worst, sums] = [0, 0];
    const names = [];
    for (const { name, cell } of entriesOf(session.network, arrays, { l2: session.settings.l2 })) {
      names.push(name);
      for (let i = 0; cell && i < arrays[name].rows; ++i)
        for (let j = 0; j < arrays[name].cols; ++j) {
          const { terms } = cell(i, j);
          if (!terms) continue;
          ++sums;
          worst = Math.max(worst, Math.abs(terms.reduce((sum, { value }) => sum + value, 0) - arrays[name].data[i * arrays[name].cols + j]));
        }
    }
    return { worst, sums, names };
  },
  // A session on toy that is given other rows while the allocation number `failing` (from 0) finds no memory.
  rows_without_memory(job) {
    const session = new Session(engine, toy());
    const real = engine.exports;
    let [asked, blocks, message] = [0, 0, ""];
    const allocate_bytes = (bytes) => (asked++ === job.failing ? 0 : (++blocks, real.allocate_bytes(bytes)));
    const release_bytes = (at) => (--blocks, real.release_bytes(at));
    engine.exports = { ...real, allocate_bytes, release_bytes };
    try {
      session.setData(spirals());
    } catch (error) {
      message = error.message;
    } finally {
      engine.exports = real;
    }
    session.advance(1e9);
    const right = new Session(engine, toy());
    right.advance(1e9);
    return { message, blocks, data: session.data.name, losses: [session.lastLoss, right.lastLoss] };
  },
  derivation(job) {
    const session = trained(job);
    return asDerivation(session, session.arrays(session.batch()));
  },
  // Training for some milliseconds, by a clock that goes on by a millisecond when it is read.
  to_end(job) {
    const session = trained(job);
    let now = 0;
    const epochs = session.trainFor(job.milliseconds, () => ++now, job.toEnd);
    return { epochs, epoch: session.epoch, position: session.position };
  },
  // A session whose setting, or whose rows, are changed while `predict` finds no memory, and one that is left alone.
  change_without_memory(job) {
    const [session, other] = [trained(job), trained(job)];
    const real = engine.exports;
    engine.exports = { ...real, predict: () => 0 };
    let message = "";
    try {
      if (job.name === "data") session.setData(spirals());
      else session.change(job.name, job.value, job.more);
    } catch (error) {
      message = error.message;
    } finally {
      engine.exports = real;
    }
    const same = JSON.stringify(stateOf(session)) === JSON.stringify(stateOf(other));
    const losses = [session, other].map((each) => {
      engine.setRows(each.data.X, each.data.Y);
      each.advance(1e9);
      return each.lastLoss;
    });
    return { message, same, losses };
  },
  // What is said when the engine's function `of` answers that it found no memory.
  engine_without_memory(job) {
    const session = new Session(engine, dataOf(job));
    const real = engine.exports;
    engine.exports = { ...real, [job.of]: () => job.answer };
    try {
      session.trainFor(1, () => performance.now());
      return { message: "" };
    } catch (error) {
      return { message: error.message };
    } finally {
      engine.exports = real;
    }
  },
  order: (job) => shuffled(job.n, job.seed, job.epoch),
  weights: (job) => plain(startingWeights(job.network, job.seed)),
};

const newState = (job, theta) => ({
  first: new Float64Array(theta.length), second: job.adam ? new Float64Array(theta.length) : null, steps: 0,
});


const dataOf = (job) => (job.data === "toy" ? toy() : job.data === "spirals" ? spirals() : fromTable(job.text, job.file, job.target));

function trained(job) {
  const session = new Session(engine, dataOf(job), job.settings);
  for (const [name, value] of Object.entries(job.changes ?? {})) session.change(name, value);
  for (let epoch = 0; epoch < job.epochs && Number.isFinite(session.lastLoss); ++epoch) while (!session.advance(job.rows ?? 1e9));
  if (job.rest) session.advance(job.rest);
  session.settle();
  return session;
}
