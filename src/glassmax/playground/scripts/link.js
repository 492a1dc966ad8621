// The whole state as the fragment of a link, and back. Everything that a link brings is checked before it is used.

import { base64, bytesOf, piped } from "./bytes.js";
import { ACTIVATIONS, LOSSES, OUTPUTS, parameterCount } from "./engine.js";
import { DEFAULTS } from "./session.js";

const MOST_TEXT = 2e6; // characters of a table that goes into a link

const packed = (array) => array && base64(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
const unpacked = (text) => new Float64Array(bytesOf(text).buffer);

// The state as plain values.
export function stateOf(session, view = {}) {
  const { data, settings, theta, state, epoch, position, history } = session;
  const own = data.name === "table" && data.text.length <= MOST_TEXT ? { text: data.text, file: data.file } : {};
  return {
    version: 1, data: data.name, target: data.columns && data.target, ...own, settings, epoch, position, sum: session.sum, theta: packed(theta), first: packed(state.first),
    second: packed(state.second), steps: state.steps, view,
    history: history.map(({ epoch, loss, held, accuracy, shadow }) => [epoch, loss, held, accuracy, shadow].map(rounded)),
  };
}

const rounded = (x) => (typeof x === "number" ? Number(x.toPrecision(6)) : null);

export async function fragmentOf(state) {
  const bytes = await piped(new TextEncoder().encode(JSON.stringify(state)), new CompressionStream("deflate-raw"));
  return "#" + base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function readFragment(fragment) {
  const bytes = bytesOf(fragment.replace(/^#/, "").replaceAll("-", "+").replaceAll("_", "/"));
  return checked(JSON.parse(new TextDecoder().decode(await piped(bytes, new DecompressionStream("deflate-raw")))));
}

const whole = (x, least, most) => Number.isInteger(x) && x >= least && x <= most;
const between = (x, least, most) => typeof x === "number" && x >= least && x <= most;

const ALLOWED = {
  hidden: (x) => Array.isArray(x) && x.length <= 6 && x.every((size) => whole(size, 1, 512)),
  activation: (x) => ACTIVATIONS.includes(x),
  output: (x) => OUTPUTS.includes(x),
  loss: (x) => LOSSES.includes(x),
  optimizer: (x) => x === "sgd" || x === "adam",
  learningRate: (x) => between(x, 0, 1000),
  momentum: (x) => between(x, 0, 0.999),
  batchSize: (x) => whole(x, 1, 1e6),
  l2: (x) => between(x, 0, 1000),
  seed: (x) => whole(x, 0, 2 ** 32 - 1),
  mistake: (x) => typeof x === "string" && x.length < 40,
};

export const allowed = (name, value) => name in ALLOWED && ALLOWED[name](value);

function checked(state) {
  const settings = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = state.settings?.[name];
    if (!allowed(name, value)) throw new Error(`The link has no valid ${name}.`);
    settings[name] = value;
  }
  const known = ["toy", "spirals", "penguins", "digits"].includes(state.data) || (state.data === "table" && typeof state.text === "string");
  if (!known) throw new Error("The link leaves out its table, which is too large for a link. Open the file, then use the link again.");
  if (!whole(state.epoch, 0, 1e9) || !whole(state.steps, 0, 1e12) || !whole(state.position, 0, 1e9)) throw new Error("The link has no valid epoch.");
  return { ...state, settings, theta: unpacked(state.theta), first: unpacked(state.first), second: state.second && unpacked(state.second) };
}

// Put a checked state into a session that has its data already.
export function restore(session, state) {
  session.settings = state.settings;
  session.reset();
  const p = parameterCount(session.network.sizes);
  const fits = (array) => array.length === p;
  if (!fits(state.theta) || !fits(state.first) || (state.second !== null) !== (state.settings.optimizer === "adam"))
    throw new Error("The weights of the link belong to another network.");
  session.theta = state.theta;
  session.state = { first: state.first, second: state.second, steps: state.steps };
  session.epoch = state.epoch;
  session.order = session.orderOf(state.epoch);
  session.sum = Number(state.sum) || 0;
  session.position = Math.min(state.position, session.order.length - 1);
  session.history = (state.history ?? []).map(([epoch, loss, held, accuracy, shadow]) => ({ epoch, loss, held, accuracy, shadow }));
  session.forgetShadow();
  session.evaluate();
}
