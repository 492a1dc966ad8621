// One number changed: the loss that its gradient predicts, and the loss that comes out.

const MOST_POINTS = 41, LEAST_POINTS = 9, MILLISECONDS = 300;

function canBeNudged(step) {
  return step.stage === "given" && stepOf.has(`d${step.name}`) && step.array;
}

function nudgePanel(step) {
  if (!canBeNudged(step)) return null;
  if (!recomputable) {
    return element("p", { class: "quiet" }, `A change of ${step.name} can't be followed here, because not every array is on this page. In Python: trace.nudge("${step.name}", index, step).`);
  }
  return element("div", { id: "nudge", class: "nudge" });
}

/** The cell that is changed: the one that was chosen, or the first. */
function nudgedCell(step) {
  return selected.nudged ?? step.shape.map(() => 0);
}

function showNudge() {
  const place = document.getElementById("nudge");
  if (!place) return;
  const step = steps[selected.step];
  const index = nudgedCell(step);
  const reach = Math.max(1, Math.abs(given.get(step.name).at(index)));
  const lossAt = (change) => computedAgain(step.name, index, change, true).get("L").cells;
  const before = given.get("L").cells;
  const slope = given.get(`d${step.name}`).at(index);
  const began = performance.now();
  const zero = lossAt(0);
  const affordable = Math.floor(MILLISECONDS / Math.max(performance.now() - began, 1));
  const points = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, affordable));
  const curve = range(points).map((k) => {
    const change = ((2 * k) / (points - 1) - 1) * reach;
    return { change, loss: lossAt(change) - zero + before, line: before + slope * change };
  });
  const picture = element("div");
  const numbers = element("div", { "aria-live": "polite" });
  const slider = element("input", {
    type: "range", min: -reach, max: reach, step: reach / 200, value: selected.nudge,
    "aria-label": `Change of ${cellText(step.name, index)}`, oninput: () => move(Number(slider.value)),
  });
  const move = (change) => {
    selected.nudge = change;
    slider.value = change;
    arrays = change ? computedAgain(step.name, index, change) : given;
    picture.replaceChildren(nudgePicture(curve, change, lossAt(change) - zero + before, reach, move));
    numbers.replaceChildren(nudgeNumbers(step, index, change, slope, lossAt(change) - zero));
    paintAll();
    recolor();
  };
  place.replaceChildren(
    element("h3", {}, "Nudge ", element("span", { class: "name" }, element("i", {}, cellText(step.name, index)))),
    element("p", { class: "quiet small" }, "Drag the point or the slider: every array of the picture follows. The straight line is the loss that the gradient predicts; the curve is the loss that is computed."),
    element("div", { class: "nudge-parts" }, element("div", { class: "nudge-picture" }, picture, slider,
      element("button", { type: "button", onclick: () => move(0) }, "Back to 0")), numbers),
  );
  move(selected.nudge);
}

function nudgeNumbers(step, index, change, slope, measured) {
  const predicted = slope * change;
  const lines = [
    ["change", change],
    [`d${cellText(step.name, index)}`, slope],
    ["predicted change of L", predicted],
    ["measured change of L", measured],
    ["difference", measured - predicted],
  ];
  const write = writer(lines.map((line) => line[1]), 6);
  return element("table", { class: "nudge-numbers" }, element("tbody", {}, lines.map(([text, value]) =>
    element("tr", {}, element("th", { scope: "row" }, text), element("td", { class: "number" }, write(value))))));
}

function nudgePicture(curve, change, loss, reach, move) {
  const [width, height, edge] = [420, 220, 14];
  const all = curve.flatMap((point) => [point.loss, point.line]).filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (value) => edge + ((value + reach) / (2 * reach)) * (width - 2 * edge);
  const y = (value) => height - edge - ((value - low) / (high - low || 1)) * (height - 2 * edge);
  const path = (key) => curve.filter((point) => Number.isFinite(point[key])).map((point, n) => `${n ? "L" : "M"}${x(point.change).toFixed(1)} ${y(point[key]).toFixed(1)}`).join("");
  const drag = (event) => {
    const box = document.querySelector(".nudge-plot").getBoundingClientRect();
    const share = ((event.clientX - box.x) / box.width * width - edge) / (width - 2 * edge);
    move(Math.max(-1, Math.min(1, 2 * share - 1)) * reach);
  };
  const svg = drawn("svg", { class: "plot nudge-plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "The loss as the number changes, and the straight line of the gradient" }, [
    drawn("path", { class: "axis", d: `M${x(0)} ${edge}V${height - edge}` }),
    drawn("path", { class: "series straight", d: path("line") }),
    drawn("path", { class: "series curve", d: path("loss") }),
    drawn("text", { x: x(0) + 5, y: height - 3 }, "no change"),
    drawn("text", { x: width - edge, y: y(curve.at(-1).line) - 12, "text-anchor": "end" }, "gradient"),
    drawn("path", { class: "gap", d: `M${x(change)} ${y(curve[0].line + ((change + reach) / (2 * reach)) * (curve.at(-1).line - curve[0].line))}V${y(loss)}` }),
    drawn("circle", { class: "handle", cx: x(change), cy: y(loss), r: 8 }),
  ]);
  svg.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    drag(event);
    const stop = () => { removeEventListener("pointermove", drag); removeEventListener("pointerup", stop); };
    addEventListener("pointermove", drag);
    addEventListener("pointerup", stop);
  });
  return svg;
}

/** Write the numbers of the shown tables again after a nudge. */
function recolor() {
  for (const [name, cells] of tables) {
    const extent = extentOf(name);
    const values = [...cells].map(([key, cell]) => [cell, cellOf(name, key === "" ? [] : key.split(",").map(Number))]);
    const write = writer(values.map(([, value]) => value));
    for (const [cell, value] of values) {
      cell.textContent = write(value);
      cell.style.background = shade(value, extent);
    }
  }
}
