// Every array computed again after one number was changed, as fast as a page needs it.

/** Whether every array can be computed again here: all cells are on the page, all equations have recipes. */
const recomputable =
  steps.length > 0 &&
  steps.every(
    (step) =>
      step.name === "J" ||
      (step.array.complete && step.shape.length < 3 &&
        (step.stage === "given" || step.equations.length || step.name === "m" || isConstant(step))),
  );

/** Whether a step of the update is given: a learning rate, a moment before the step. */
function isConstant(step) {
  return step.stage === "update" && step.equations.length === 0;
}

/** Compute every array again after one cell was changed by `change`; only as far as L if `forward`. */
function computedAgain(name, index, change, forward = false) {
  const fresh = new Map(given);
  fresh.set(name, given.get(name).changed(index, given.get(name).at(index) + change));
  for (const step of steps) {
    if (forward && (step.stage === "backward" || step.stage === "update")) break;
    if (step.name === "J" || step.stage === "given" || isConstant(step)) continue;
    fresh.set(step.name, computedStep(step, fresh));
  }
  return fresh;
}

/** One array, computed from arrays that are computed already. */
function computedStep(step, fresh) {
  if (step.name === "m") {
    const { logits } = trace.network;
    return new Values(step.shape, { complete: true, cells: fresh.get(logits).cells.map((row) => Math.max(...row)) });
  }
  const { letters, value } = programOf(step);
  const at = new Int32Array(letters);
  const [rows, columns] = step.shape;
  let cells;
  if (step.shape.length === 0) cells = value(at, fresh);
  else {
    cells = range(rows).map((i) => {
      at[0] = i;
      if (columns === undefined) return value(at, fresh);
      return range(columns).map((j) => {
        at[1] = j;
        return value(at, fresh);
      });
    });
  }
  return new Values(step.shape, { complete: true, cells });
}

const programs = new Map();
function programOf(step) {
  if (!programs.has(step.name)) {
    const equation = step.equations[0];
    const slots = [...equation.letters];
    const value = compiled(equation.recipe, slots);
    programs.set(step.name, { letters: slots.length, value });
  }
  return programs.get(step.name);
}

/** A recipe as a function of the values of its letters and of the arrays; each letter has a slot. */
function compiled(node, slots) {
  const [kind, ...rest] = node;
  const slot = (letter) => (slots.includes(letter) ? slots.indexOf(letter) : slots.push(letter) - 1);
  const parts = () => rest.map((part) => compiled(part, slots));
  switch (kind) {
    case "number":
      return () => rest[0];
    case "cell":
      return compiledCell(rest[0], rest[1].map(slot));
    case "delta": {
      const [a, b] = rest.map(slot);
      return (at) => (at[a] === at[b] ? 1 : 0);
    }
    case "add": {
      const terms = parts();
      return (at, fresh) => terms.reduce((total, term) => total + term(at, fresh), 0);
    }
    case "multiply": {
      const factors = parts();
      return (at, fresh) => factors.reduce((product, factor) => times(product, factor(at, fresh)), 1);
    }
    case "power": {
      const [base, exponent] = parts();
      return (at, fresh) => Math.pow(base(at, fresh), exponent(at, fresh));
    }
    case "call": {
      const [apply, argument] = [FUNCTIONS[rest[0]], compiled(rest[2], slots)];
      return (at, fresh) => apply(argument(at, fresh));
    }
    case "sum":
      return compiledSum(rest[0], rest[1], sizesIn(node), slots, slot);
  }
  throw new Error(`No such node: ${kind}`);
}

function compiledCell(name, [a, b, c]) {
  if (name.startsWith("1:")) return () => 1;
  if (name === "J") {
    return (at, fresh) => {
      const row = fresh.get("P").cells[at[a]];
      return row[at[b]] * ((at[b] === at[c] ? 1 : 0) - row[at[c]]);
    };
  }
  if (a === undefined) return (at, fresh) => fresh.get(name).cells;
  if (b === undefined) return (at, fresh) => fresh.get(name).cells[at[a]];
  return (at, fresh) => fresh.get(name).cells[at[a]][at[b]];
}

/** A sum over letters with their own sizes: another sum may use the same letter for another axis. */
function compiledSum(letters, body, sizes, slots, slot) {
  const own = letters.map(slot);
  const term = compiled(body, slots);
  const over = (place, at, fresh) => {
    if (place === own.length) return term(at, fresh);
    const size = sizes[letters[place]];
    let total = 0;
    for (let position = 0; position < size; position++) {
      at[own[place]] = position;
      total += over(place + 1, at, fresh);
    }
    return total;
  };
  return (at, fresh) => over(0, at, fresh);
}
