// Reads jobs as JSON from stdin, runs the page's own modules on them, and prints the results as JSON.
//
//     node twin.mjs FOLDER_OF_THE_PACKAGE < jobs.json
//
// NaN and the infinities, which JSON doesn't have, are written as text.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const load = (name) => import(pathToFileURL(`${folder}/scripts/${name}`));
const [{ arraysOf, gradientOf, predictions, updateOf }, { loadEngine }, { matrix }, mistakes, csv, random] =
  await Promise.all(["backward.js", "engine.js", "matrices.js", "mistakes.js", "table.js", "random.js"].map(load));
const engine = await loadEngine(readFileSync(`${folder}/engine.wasm`));

const number = (x) => (typeof x === "string" ? Number(x) : x);
const read = (M) => matrix(M.length, M[0]?.length ?? 0, Float64Array.from(M.flat().map(number)));
const written = (M) => ({ shape: [M.rows, M.cols], data: plain(M.data) });
const plain = (data) => Array.from(data, (x) => (Number.isFinite(x) ? x : String(x)));

const JOBS = {
  arrays(job) {
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    const mistake = job.mistake ? mistakes.mistakeOf(job.mistake) : {};
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
    const state = stateOf(job, theta);
    engine.setRows(X.data, Y.data);
    const options = { batchSize: job.batchSize, learningRate: job.learningRate, l2: job.l2, momentum: job.momentum };
    const loss = engine.train(job.network, job.order, options, theta, state);
    return { loss, theta: plain(theta) };
  },
  steps(job) {  // the same by the twin
    const [X, Y, theta] = [read(job.X), read(job.Y), Float64Array.from(job.theta)];
    let state = stateOf(job, theta);
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
    const mistake = mistakes.mistakeOf(job.mistake);
    const right = arraysOf(job.network, theta, X, Y, { l2: job.l2 });
    const wrong = arraysOf(job.network, theta, X, Y, { l2: job.l2, mistake, learningRate: job.learningRate });
    return mistakes.firstDifference(right, wrong);
  },
  mistakes: (job) => mistakes.mistakesFor(job.network).map(({ id }) => id),
  table(job) {
    try {
      const table = csv.readTable(job.text, job.name ?? "data.csv");
      const data = csv.encoded(table, job.target ?? table.columns.at(-1).name);
      return { ...data, X: plain(data.X), Y: plain(data.Y) };
    } catch (error) {
      return { error: error.message };
    }
  },
  order: (job) => random.shuffled(job.n, job.seed, job.epoch),
  weights: (job) => plain(random.startingWeights(job.network, job.seed)),
};

const stateOf = (job, theta) => ({
  first: new Float64Array(theta.length), second: job.adam ? new Float64Array(theta.length) : null, steps: 0,
});

const jobs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(jobs.map((job) => JOBS[job.what](job))));
