// The arrays of the trace: cells by index, of large arrays the corners; and what is selected on the page.

const trace = embedded("trace");
const steps = trace.steps;
const stepOf = new Map(steps.map((step) => [step.name, step]));

/** JSON has no words for numbers that are not finite. */
function numeric(cells) {
  if (Array.isArray(cells)) return cells.map(numeric);
  return { nan: NaN, inf: Infinity, "-inf": -Infinity }[cells] ?? cells;
}

/** The cells of an array; of a large one, those of the rows and columns that are given. A third axis is laid flat. */
class Values {
  constructor(shape, array) {
    this.shape = shape;
    this.complete = array.complete;
    this.cells = numeric(array.cells);
    if (shape.length === 3 && array.complete) this.cells = this.cells.flat();
    this.places = null;
    if (!array.complete) {
      const lists = shape.length === 1 ? [array.column_numbers] : [array.row_numbers, array.column_numbers];
      this.places = lists.map((numbers) => new Map(numbers.map((number, place) => [number, place])));
    }
  }

  /** The number at an index; undefined if it is not on this page. */
  at(index) {
    if (index.length === 0) return this.cells;
    if (index.length === 3) index = [index[0] * this.shape[1] + index[1], index[2]];
    if (this.complete) return index.length === 1 ? this.cells[index[0]] : this.cells[index[0]][index[1]];
    const places = index.map((position, axis) => this.places[axis].get(position));
    if (places.includes(undefined)) return undefined;
    return places.length === 1 ? this.cells[0][places[0]] : this.cells[places[0]][places[1]];
  }

  /** The positions along an axis that are on this page. */
  along(axis) {
    return this.complete ? range(this.shape[axis]) : [...this.places[axis].keys()];
  }

  flat() {
    return [this.cells].flat(2);
  }

  /** A copy with one cell changed. */
  changed(index, value) {
    const copy = Object.create(Values.prototype, Object.getOwnPropertyDescriptors(this));
    copy.cells = structuredClone(this.cells);
    if (index.length === 1) copy.cells[index[0]] = value;
    else copy.cells[index[0]][index[1]] = value;
    return copy;
  }
}

function range(size) {
  return Array.from({ length: size }, (_, place) => place);
}

const given = new Map();
for (const step of steps) {
  if (step.array) given.set(step.name, new Values(step.shape, step.array));
}

/** The arrays as they are shown: those of the trace, or what a nudge made of them. */
let arrays = given;

/**
 * What is selected: the number of the step; a cell of it or null, and whether a click holds it; which of its equations;
 * the sample of the Jacobian; the notation; the cell that is nudged, and by how much.
 */
const selected = {
  step: 0, cell: null, held: false, way: 0, sample: 0, notation: "matrix", nudged: null, nudge: 0,
};

/** The Jacobian of a sample, from the trace or from P. */
function jacobianCell(index) {
  const [i, l, j] = index;
  const P = arrays.get("P");
  const [own, other] = [P.at([i, l]), P.at([i, j])];
  return own === undefined || other === undefined ? undefined : own * ((l === j ? 1 : 0) - other);
}

/** One cell of any array. */
function cellOf(name, index) {
  if (name === "J") return jacobianCell(index);
  return arrays.get(name)?.at(index);
}

/** The largest absolute value of an array in the trace, against which its cells are colored. */
const extents = new Map();
function extentOf(name) {
  if (!extents.has(name)) {
    const statistics = stepOf.get(name)?.array?.statistics;
    let most = statistics ? Math.max(Math.abs(numeric(statistics.minimum)), Math.abs(numeric(statistics.maximum))) : 0.25;
    if (name === "J") {
      const found = Object.values(trace.jacobians).flat(2).map(Math.abs);
      most = found.length ? Math.max(...found) : 0.25;
    }
    extents.set(name, most || 0);
  }
  return extents.get(name);
}

/** A name as it is set in mathematics: dW2 as dW with the index 2. */
function named(name) {
  const [, stem, below, prime] = /^(.*?)(?:_?(\d+|(?<=_)i))?('?)$/.exec(name);
  const parts = [element("i", {}, { eta: "η", mu: "μ", lambda: "λ", epsilon: "ε", beta: "β", ell: "ℓ" }[stem] ?? stem)];
  if (below) parts.push(element("sub", {}, below));
  if (prime) parts.push("′");
  return element("span", { class: "name" }, parts);
}

function shapeText(shape) {
  return shape.length === 0 ? "one number" : `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

function cellText(name, index) {
  return index.length ? `${name}[${index.join(", ")}]` : name;
}
