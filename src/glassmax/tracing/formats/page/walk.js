// Walking through the steps: the slider, the arrow keys, the blocks, the address.

const slider = document.getElementById("walk");
const announced = document.getElementById("announced");

/** Select a step, and perhaps a cell of it. */
function choose(number, cell = null) {
  const next = Math.max(0, Math.min(steps.length - 1, number));
  if (next !== selected.step) selected.way = 0;
  Object.assign(selected, { step: next, cell, held: false, nudged: cell, nudge: 0 });
  arrays = given;
  followSample();
  showAll();
}

/** Show the Jacobian of the sample that the cell belongs to; return whether that is another one. */
function followSample() {
  const before = selected.sample;
  const { cell } = selected;
  if (cell?.length === 3 || (cell?.length === 2 && usesJacobian())) selected.sample = cell[0];
  return selected.sample !== before;
}

/** Point at a cell of the selected array. */
function point(index) {
  if (selected.cell?.join(",") === index.join(",")) return;
  selected.cell = index;
  if (followSample()) {
    showAll();
    return;
  }
  showCell();
  remember();
}

/** Choose a cell of a given array to be nudged. */
function nudgeAt(index) {
  if (!canBeNudged(steps[selected.step]) || selected.nudged?.join(",") === index.join(",")) return;
  Object.assign(selected, { nudged: index, nudge: 0 });
  arrays = given;
  showNudge();
}

function usesJacobian() {
  return steps[selected.step].equations[selected.way]?.uses.some((use) => use.name === "J");
}

function showAll() {
  const step = steps[selected.step];
  const focused = document.activeElement?.closest?.("#detail table.main") !== null && selected.cell;
  showDetail();
  paintAll();
  markChain();
  showNudge();
  slider.value = selected.step;
  slider.setAttribute("aria-valuetext", `${step.name}, ${selected.step + 1} of ${steps.length}`);
  document.getElementById("stage").textContent = trace.stages.find((stage) => stage.name === step.stage).title;
  document.getElementById("count").textContent = `${selected.step + 1} of ${steps.length}`;
  for (const button of document.querySelectorAll("[data-notation]")) {
    button.setAttribute("aria-pressed", String(button.dataset.notation === selected.notation));
  }
  if (focused) tables.get(step.name).get(selected.cell.join(","))?.focus({ preventScroll: true });
  bringIntoView();
  remember();
}

/** Scroll the picture sideways, not the page, to the selected block. */
function bringIntoView() {
  const chain = document.getElementById("chain");
  const box = blocks.get(steps[selected.step].name).button;
  const left = box.offsetLeft - chain.clientWidth / 2;
  chain.scrollTo({ left, behavior: "instant" });
}

/** Keep the selection in the address, so that it can be passed on. */
function remember() {
  const step = steps[selected.step];
  const hash = `#${encodeURIComponent(step.name)}${selected.cell?.length ? `[${selected.cell.join(",")}]` : ""}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

/** What the address names; nothing if it is damaged. */
function fragment() {
  try {
    return decodeURIComponent(location.hash);
  } catch {
    return "";
  }
}

function recalled() {
  const found = /^#([^[]*)(?:\[([\d,]+)\])?$/.exec(fragment());
  const step = found && stepOf.get(found[1]);
  if (!step) return false;
  const cell = found[2]?.split(",").map(Number) ?? null;
  const inside = cell && cell.length === step.shape.length && cell.every((position, axis) => position < step.shape[axis]);
  choose(steps.indexOf(step), inside ? cell : null);
  return true;
}

/** The index of the cell of the selected array that an element is in; null elsewhere. */
function indexAt(target) {
  const cell = target.closest("table.main td.cell");
  return cell && cell.dataset.index.split(",").filter(Boolean).map(Number);
}

/** Move inside the table with the arrow keys. */
function moveCell(event) {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const [down, right] = moves[event.key] ?? [];
  const cell = event.target.closest("table.main td.cell");
  if (!cell || down === undefined) return false;
  const row = cell.parentElement;
  const cells = (line) => [...(line?.querySelectorAll("td.cell") ?? [])];
  const place = cells(row).indexOf(cell);
  let line = row;
  if (down) {
    do line = down > 0 ? line.nextElementSibling : line.previousElementSibling;
    while (line && !cells(line).length);
  }
  const next = cells(line)[place + (right ?? 0)];
  if (next) {
    next.focus();
    tables.get(steps[selected.step].name).get(next.dataset.index)?.focus();
  }
  event.preventDefault();
  return true;
}

function listen() {
  slider.max = steps.length - 1;
  slider.addEventListener("input", () => choose(Number(slider.value)));
  document.getElementById("back").addEventListener("click", () => choose(selected.step - 1));
  document.getElementById("on").addEventListener("click", () => choose(selected.step + 1));
  for (const button of document.querySelectorAll("[data-notation]")) {
    button.addEventListener("click", () => { selected.notation = button.dataset.notation; showAll(); });
  }
  const detail = document.getElementById("detail");
  detail.addEventListener("pointerover", (event) => {
    const index = indexAt(event.target);
    if (index && !selected.held) point(index);
  });
  detail.addEventListener("focusin", (event) => {
    const index = indexAt(event.target);
    if (!index) return;
    point(index);
    nudgeAt(index);
  });
  detail.addEventListener("click", (event) => {
    const index = indexAt(event.target);
    if (!index) return;
    const same = selected.cell?.join(",") === index.join(",");
    selected.held = !(same && selected.held);
    point(index);
    nudgeAt(index);
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (moveCell(event) || event.target.closest("input, select, textarea, summary")) return;
    if (event.key === "Escape") selected.held = false;
    if (event.key === "ArrowRight") choose(selected.step + 1);
    else if (event.key === "ArrowLeft") choose(selected.step - 1);
    else return;
    event.preventDefault();
  });
  addEventListener("hashchange", recalled);
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { drawChain(document.getElementById("chain")); markChain(); });
  });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", paintAll);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
}

/** Begin where there is most to see: at a cell of the gradient of the last weights. */
function begin() {
  const number = steps.findIndex((step) => step.name === `dW${trace.network.layer_sizes.length - 1}`);
  choose(number, steps[number].shape.map((size) => Math.min(1, size - 1)));
}

listen();
drawChain(document.getElementById("chain"));
showNaive(document.getElementById("naive"));
if (!recalled()) begin();
