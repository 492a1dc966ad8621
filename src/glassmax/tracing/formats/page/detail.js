// One array: its equation in both notations, what becomes of each index, the matrices, the reason.

const SHOWN = 20, EDGE = 6;
const tables = new Map();

/** MathML that Python wrote, as nodes; an index that is summed gets its color. */
function formula(mathml, summed = []) {
  const whole = mathml.replace("<math>", '<math xmlns="http://www.w3.org/1998/Math/MathML">');
  const parsed = new DOMParser().parseFromString(whole, "application/xml").documentElement;
  const math = document.importNode(parsed, true);
  for (const sign of math.querySelectorAll("mi")) {
    const inIndex = sign.closest("msub > :nth-child(2), munder > :nth-child(2), msubsup > :nth-child(2)");
    if (inIndex && summed.includes(sign.textContent)) sign.classList.add("summed");
  }
  return math;
}

/** The letters that an equation sums over. */
function summedIn(equation) {
  return [...new Set(summands(equation.recipe).flatMap((part) => part.letters))];
}

function showDetail() {
  const step = steps[selected.step];
  const place = document.getElementById("detail");
  const title = element("h2", { id: "name" }, named(step.name), element("span", { class: "shape" }, shapeText(step.shape)));
  const parts = [title];
  if (step.equations.length) parts.push(ways(step));
  if (step.meaning) parts.push(element("p", {}, `${step.meaning}.`));
  parts.push(element("p", { class: "why" }, step.why));
  if (step.equations.length) parts.push(indices(step.equations[selected.way], step));
  parts.push(matrices(step), element("div", { id: "terms", "aria-live": "polite" }), nudgePanel(step));
  place.replaceChildren(...parts.filter(Boolean));
  showCell();
}

/** The equations of the array, one or several ways to write it. */
function ways(step) {
  const lines = step.equations.map((equation, number) => {
    const matrix = selected.notation === "matrix" && equation.matrix;
    const math = formula((matrix ? equation.matrix : equation.index).mathml, matrix ? [] : summedIn(equation));
    const facts = [];
    if (matrix && equation.with_shapes) facts.push(element("span", { class: "with-shapes" }, equation.with_shapes));
    if (selected.notation === "matrix" && !equation.matrix) facts.push(element("span", {}, `No matrix form: ${equation.no_matrix}.`));
    if (equation.proved) facts.push(element("span", { class: "good" }, "derived and proved by the calculus"));
    const body = [element("span", { class: "scroll" }, math), element("span", { class: "facts" }, facts)];
    if (step.equations.length === 1) return element("div", { class: "way" }, body);
    const pressed = String(number === selected.way);
    const pick = () => { selected.way = number; showAll(); };
    return element("button", { class: "way", type: "button", "aria-pressed": pressed, onclick: pick }, body);
  });
  return element("div", { class: "ways" }, lines);
}

/** What becomes of each index on the way from index notation to matrix notation. */
function indices(equation, step) {
  const letters = [...new Set([...equation.letters, ...equation.uses.flatMap((use) => use.letters)])];
  if (!letters.length) return null;
  const summed = summedIn(equation);
  const sizes = sizesOf(step, equation);
  const rows = letters.map((letter) => {
    const users = [...new Set(equation.uses.filter((use) => use.letters.includes(letter)).map((use) => use.name))];
    const rules = equation.rules.filter((rule) => new RegExp(`^([a-z], )*([a-z] and )?${letter}( and [a-z])* in `).test(rule));
    let becomes = rules.map((rule) => rule.slice(rule.indexOf(": ") + 2)).join("; ");
    const axis = equation.letters.indexOf(letter);
    if (!becomes && summed.includes(letter)) becomes = "a sum";
    if (!becomes) becomes = equation.letters.length > 1 ? ["stays: a row of the result", "stays: a column of the result", "stays"][axis] ?? "stays" : "stays";
    return element("tr", {}, [
      element("th", { scope: "row", class: summed.includes(letter) ? "letter summed" : "letter" }, letter),
      element("td", { class: "number" }, String(sizes[letter] ?? "")),
      element("td", {}, users.flatMap((name, n) => (n ? [", ", named(name)] : [named(name)]))),
      element("td", {}, summed.includes(letter) ? "no: it is summed" : "yes"),
      element("td", {}, becomes),
    ]);
  });
  const head = ["index", "values", "occurs in", "in the result", "becomes"].map((text) => element("th", { scope: "col" }, text));
  return element("details", { class: "indices", open: selected.notation === "index" }, [
    element("summary", {}, "What becomes of each index"),
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows))),
    ...equation.rules.map((rule) => element("p", { class: "small quiet rule" }, rule)),
  ]);
}

/** The array and the arrays that it is made of, side by side. */
function matrices(step) {
  tables.clear();
  const equation = step.equations[selected.way];
  const names = [...new Set(equation?.uses.map((use) => use.name).filter((name) => stepOf.has(name) && name !== step.name) ?? [])];
  const text = equation?.matrix?.text ?? "";
  const where = (name) => text.slice(text.indexOf("=")).search(new RegExp(`(?<![\\w'])${name}(?![\\w'])`));
  if (text) names.sort((a, b) => where(a) - where(b));
  const turned = (name) => selected.notation === "matrix" && text.includes(`${name}ᵀ`) && stepOf.get(name).shape.length === 2;
  const parts = [matrix(step, false, true)];
  if (names.length) parts.push(element("span", { class: "sign", "aria-hidden": "true" }, "←"));
  parts.push(...names.map((name) => matrix(stepOf.get(name), turned(name), false)));
  return element("div", { class: "matrices" }, parts);
}

/** Which positions of an axis are shown; null stands for what is left out. */
function positions(size) {
  if (size <= SHOWN) return range(size);
  return [...range(EDGE), null, ...range(EDGE).map((k) => size - EDGE + k)];
}

/** The rows and columns of the table of an array, which axes they are, and the index of a cell; -1 is no axis. */
function layout(step) {
  const { shape } = step;
  if (step.name === "J") {
    return { axes: [1, 2], sizes: shape.slice(1), indexOf: (row, column) => [selected.sample, row, column] };
  }
  if (shape.length === 3) {
    const indexOf = (row, column) => [Math.floor(row / shape[1]), row % shape[1], column];
    return { axes: [0, 2], sizes: [shape[0] * shape[1], shape[2]], indexOf };
  }
  if (shape.length === 2) return { axes: [0, 1], sizes: shape, indexOf: (row, column) => [row, column] };
  if (shape.length === 0) return { axes: [-1, -1], sizes: [1, 1], indexOf: () => [] };
  if (COLUMN_VECTORS.has(step.name)) return { axes: [0, -1], sizes: [shape[0], 1], indexOf: (row) => [row] };
  return { axes: [-1, 0], sizes: [1, shape[0]], indexOf: (row, column) => [column] };
}

function matrix(step, turned, main) {
  const jacobian = step.name === "J";
  const { axes, sizes, indexOf } = layout(step);
  const [rows, columns] = sizes.map(positions);
  const shown = rows.flatMap((row) => columns.map((column) => (row === null || column === null ? undefined : cellOf(step.name, indexOf(row, column)))));
  const write = writer(shown.filter((value) => value !== undefined));
  const extent = extentOf(step.name);
  const cells = new Map();
  const cell = (row, column) => {
    if (row === null || column === null) return element("td", { class: "left-out" }, "…");
    const index = indexOf(row, column);
    const value = cellOf(step.name, index);
    const made = element("td", { class: "cell number", style: `background: ${shade(value, extent)}` }, value === undefined ? "…" : write(value));
    made.dataset.index = index.join(",");
    if (main) {
      made.tabIndex = -1;
      made.setAttribute("aria-label", `${cellText(step.name, index)} is ${write(value)}`);
    }
    cells.set(index.join(","), made);
    return made;
  };
  const outer = turned ? columns : rows, inner = turned ? rows : columns;
  const body = outer.map((a) => element("tr", {}, [heading(step, turned ? axes[1] : axes[0], a, "row"), ...inner.map((b) => (turned ? cell(b, a) : cell(a, b)))]));
  const head = element("tr", {}, [element("td"), ...inner.map((b) => heading(step, turned ? axes[0] : axes[1], b, "col"))]);
  tables.set(step.name, cells);
  const shape = jacobian ? step.shape.slice(1) : turned ? [...step.shape].reverse() : step.shape;
  const caption = [named(step.name), turned ? element("sup", {}, "⊤") : null, " ", element("span", { class: "shape" }, shapeText(shape))];
  const go = main ? element("span", { class: "go" }, caption) : element("button", { class: "go", type: "button", onclick: () => choose(steps.indexOf(step)) }, caption);
  const table = element("table", { class: main ? "matrix main" : "matrix", role: "grid", "aria-label": step.name }, element("tbody", {}, [head, ...body]));
  return element("figure", { class: "matrix-figure" }, [
    element("div", { class: "caption" }, go, jacobian ? sampleChoice() : null),
    element("div", { class: "scroll" }, table),
    element("figcaption", {}, remark(step)),
  ]);
}

/** The number of a row or a column, with its name where the data have one. */
function heading(step, axis, position, scope) {
  const names = step.name === "X" && axis === 1 ? trace.columns : /^(Y|P|dP)$/.test(step.name) && axis === 1 ? trace.classes : null;
  const text = axis < 0 ? "" : position === null ? "…" : String(names?.[position] ?? position);
  return element("th", { scope, class: "place", title: text.length > 12 ? text : null }, text.length > 12 ? `${text.slice(0, 11)}…` : text);
}

/** What is not shown of a large array, and its statistics. */
function remark(step) {
  const statistics = step.array?.statistics;
  if (!statistics || step.shape.every((size) => size <= SHOWN)) return "";
  const n = (value) => writer([numeric(value)])(numeric(value));
  const zeros = statistics.zeros ? `, ${statistics.zeros} zeros` : "";
  const bad = statistics.not_finite ? `, ${statistics.not_finite} not finite` : "";
  return `Only the corners are shown. All cells: from ${n(statistics.minimum)} to ${n(statistics.maximum)}, mean ${n(statistics.mean)}, norm ${n(statistics.norm)}${zeros}${bad}.`;
}

/** The sample whose Jacobian is shown. */
function sampleChoice() {
  const known = range(stepOf.get("J").shape[0]).filter((i) => jacobianCell([i, 0, 0]) !== undefined);
  const options = known.map((i) => element("option", { value: i, selected: i === selected.sample }, `sample ${i}`));
  const pick = (event) => { selected.sample = Number(event.target.value); showAll(); };
  return element("select", { "aria-label": "Sample", onchange: pick }, options);
}
