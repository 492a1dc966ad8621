// The chain as a picture: every array a block in its true proportions, every derivative below its array.

const COLUMN_VECTORS = new Set(["m", "S", "L_i", "w"]);
const MOST_TALL = 400;
const ROWS = ["Parameters", "Forward", "Backward", "Gradients", "Update"];

/** Rows and columns of a block; a vector of samples stands, a vector of units lies. */
function extentOfBlock(step) {
  const shape = step.name === "J" ? step.shape.slice(1) : step.shape;
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return COLUMN_VECTORS.has(step.name) ? [shape[0], 1] : [1, shape[0]];
  return [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1)];
}

/** The array that a derivative or an update belongs to. */
function baseOf(name) {
  const plain = name.replace(/'$/, "");
  for (const candidate of [plain, plain.slice(1), plain.slice(2)]) {
    if (stepOf.has(candidate) && ["given", "forward", "loss"].includes(stepOf.get(candidate).stage)) return candidate;
  }
  return null;
}

/** The column of the picture, and the row. */
function placeOf(step, columns) {
  const base = baseOf(step.name);
  const column = step.name === "J" ? "E" : columnKey(base ?? steps[0].name);
  if (!columns.includes(column)) columns.push(column);
  const isParameter = base && stepOf.get(base).stage === "given" && !/^(X|Y|n|w|D\d+|l2|slope|scale|alpha)$/.test(base);
  let row = step.stage === "update" ? 4 : step.stage === "backward" ? (isParameter ? 3 : 2) : isParameter ? 0 : 1;
  return [row, column];
}

function columnKey(name) {
  const layer = /^[Wb](\d+)$/.exec(name);
  if (layer) return `W${layer[1]}`;
  if (/^(m|E|S)$/.test(name)) return "E";
  if (/^(Y|w|n|l2)$/.test(name)) return "Y";
  if (/^(L_i|s|R|L)$/.test(name)) return "L";
  const mask = /^D(\d+)$/.exec(name);
  if (mask) return `A${mask[1]}`;
  return stepOf.get(name)?.stage === "given" && name !== "X" ? "A0" : name;
}

const blocks = new Map();

function drawChain(place) {
  const columns = [];
  const cells = new Map();
  for (const step of steps) {
    const [row, column] = placeOf(step, columns);
    const key = `${row} ${column}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(step);
  }
  const rows = ROWS.map((_, row) => row).filter((row) => columns.some((column) => cells.has(`${row} ${column}`)));
  const scale = scaleFor(place, columns, rows, cells);
  place.replaceChildren();
  const grid = element("div", { class: "chain-grid", style: `--columns: ${columns.length}` });
  for (const row of rows) {
    grid.append(element("div", { class: "chain-row" }, ROWS[row]));
    for (const column of columns) {
      const found = cells.get(`${row} ${column}`) ?? [];
      grid.append(element("div", { class: "chain-cell" }, found.map((step) => block(step, scale))));
    }
  }
  place.append(grid, drawn("svg", { class: "chain-lines", "aria-hidden": "true" }));
  paintAll();
}

/** How many pixels a cell is wide. */
function scaleFor(place, columns, rows, cells) {
  let total = 0, around = innerWidth > 900 ? 90 : 0, tall = 0;
  for (const column of columns) {
    const found = rows.map((row) => cells.get(`${row} ${column}`) ?? []);
    total += Math.max(...found.map((list) => list.reduce((sum, step) => sum + extentOfBlock(step)[1], 0)));
    around += 12 + 14 * Math.max(...found.map((list) => list.length));
  }
  for (const row of rows) {
    tall += Math.max(...columns.flatMap((column) => (cells.get(`${row} ${column}`) ?? []).map((step) => extentOfBlock(step)[0])));
  }
  const most = Math.max(...steps.map((step) => Math.max(...extentOfBlock(step))));
  const fitting = Math.min(14, MOST_TALL / tall, (place.clientWidth - around) / total);
  return most <= 60 ? Math.max(fitting, 5) : Math.min(Math.max(fitting, 72 / most), 260 / most);
}

function block(step, scale) {
  const [height, width] = extentOfBlock(step);
  const canvas = element("canvas", { "aria-hidden": "true" });
  const least = step.shape.length === 0 ? Math.max(scale, 9) : 6;
  canvas.style.width = `${Math.max(width * scale, least)}px`;
  canvas.style.height = `${Math.max(height * scale, least)}px`;
  const said = step.equations.at(-1);
  const label = `${step.name}, ${shapeText(step.shape)}. ${said ? (said.matrix ?? said.index).text : "given"}`;
  const made = element(
    "button",
    { class: "block", type: "button", "aria-label": label, onclick: () => choose(steps.indexOf(step)) },
    canvas,
    named(step.name),
  );
  made.title = `${step.name} ${shapeText(step.shape)}`;
  blocks.set(step.name, { button: made, canvas });
  return made;
}

/** The colors from -1 to 1 in 255 steps, as the style sheet mixes them. */
function ramp() {
  const canvas = element("canvas", { width: 255, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [zero, above, below] = ["--zero", "--positive", "--negative"].map(colorOf);
  for (let place = 0; place < 255; place++) {
    const strength = (place - 127) / 127;
    const percent = Math.abs(strength) * 85;
    context.fillStyle = `color-mix(in oklab, ${strength > 0 ? above : below} ${percent.toFixed(2)}%, ${zero})`;
    context.fillRect(place, 0, 1, 1);
  }
  return context.getImageData(0, 0, 255, 1).data;
}

/** Color every block by the values of its array. */
function paintAll() {
  const colors = ramp();
  for (const step of steps) paint(step, blocks.get(step.name).canvas, colors);
}

function paint(step, canvas, colors) {
  const { rows, columns, at } = pixels(step);
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const place = Math.round(Math.max(-1, Math.min(1, at(i, j) || 0)) * 127) + 127;
      image.data.set(colors.subarray(4 * place, 4 * place + 4), 4 * (i * columns + j));
    }
  }
  context.putImageData(image, 0, 0);
}

/** The picture of an array: every cell, or of a large array every so many rows and columns, as shares of its extent. */
function pixels(step) {
  const thumbnail = trace.thumbnails[step.name];
  if (thumbnail) {
    const bytes = Uint8Array.from(atob(thumbnail.cells), (sign) => sign.charCodeAt(0));
    const columns = thumbnail.columns;
    return { rows: thumbnail.rows, columns, at: (i, j) => (bytes[i * columns + j] - 127) / 127 };
  }
  const [rows, columns] = extentOfBlock(step);
  const extent = extentOf(step.name);
  const value = (i, j) => {
    if (step.name === "J") return jacobianCell([selected.sample, i, j]) ?? 0;
    const index = step.shape.length === 2 ? [i, j] : step.shape.length === 1 ? [columns === 1 ? i : j] : [];
    return cellOf(step.name, index);
  };
  return { rows, columns, at: (i, j) => (extent ? value(i, j) / extent : 0) };
}

/** Mark the selected block and those it is made of, dim what is not computed yet, draw lines. */
function markChain() {
  const step = steps[selected.step];
  const uses = new Set((step.equations[selected.way] ?? step.equations[0])?.uses.map((use) => use.name) ?? []);
  steps.forEach((other, number) => {
    const { button } = blocks.get(other.name);
    button.classList.toggle("later", number > selected.step && other.stage !== "given");
    button.classList.toggle("used", uses.has(other.name));
    if (number === selected.step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
  drawLines(step, uses);
}

function drawLines(step, uses) {
  const svg = document.querySelector(".chain-lines");
  const box = svg.parentElement.getBoundingClientRect();
  const scrolled = [svg.parentElement.scrollLeft, svg.parentElement.scrollTop];
  svg.replaceChildren();
  svg.setAttribute("width", svg.parentElement.scrollWidth);
  svg.setAttribute("height", svg.parentElement.scrollHeight);
  const middle = (name) => {
    const rectangle = blocks.get(name).canvas.getBoundingClientRect();
    const below = blocks.get(name).button.getBoundingClientRect().bottom;
    return {
      below: below - box.y + scrolled[1],
      x: rectangle.x - box.x + scrolled[0] + rectangle.width / 2,
      y: rectangle.y - box.y + scrolled[1] + rectangle.height / 2,
    };
  };
  const end = middle(step.name);
  for (const name of uses) {
    if (!blocks.has(name) || name === step.name) continue;
    const start = middle(name);
    const top = end.y > start.below ? start.below : start.y; // below the name, which the line would cross
    const bend = (end.y - top) / 2;
    const path = `M${start.x} ${top} C${start.x} ${top + bend} ${end.x} ${end.y - bend} ${end.x} ${end.y}`;
    svg.append(drawn("path", { d: path }));
  }
}
