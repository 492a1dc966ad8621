// The naive views of the backward pass: what people try, what comes out, and why it fails.

function showNaive(place) {
  place.replaceChildren(...trace.naive.map((view) => {
    const wrong = view.value ? small(view.value, view.right) : element("p", { class: "bad" }, "The shapes don't fit.");
    return element("article", { class: "naive" }, [
      element("h3", {}, view.name[0].toUpperCase() + view.name.slice(1), ", for ", element("code", {}, view.of)),
      element("div", { class: "naive-pair" }, [
        element("div", {}, element("p", { class: "bad" }, "✗ ", element("code", {}, view.formula)), wrong),
        element("div", {}, element("p", { class: "good" }, "✓ ", element("code", {}, view.right_formula)), small(view.right, view.right)),
      ]),
      element("p", { class: "why" }, view.why),
    ]);
  }));
}

/** A small table of numbers, colored on the scale of the right value. */
function small(array, right) {
  const lines = [array.cells].map((cells) => (Array.isArray(cells[0]) ? cells : [cells]))[0].map(numeric);
  const scale = [right.statistics.minimum, right.statistics.maximum].map((value) => Math.abs(numeric(value)));
  const most = 10;
  const shown = lines.slice(0, most).map((line) => line.slice(0, most));
  const write = writer([right.cells].flat(2).map(numeric));
  const left = array.complete && lines.length <= most && lines[0].length <= most ? null : element("p", { class: "small quiet" }, "The first rows and columns are shown.");
  return element("div", { class: "scroll" }, element("table", { class: "matrix" }, element("tbody", {}, shown.map((line) =>
    element("tr", {}, line.map((value) => element("td", { class: "cell number", style: `background: ${shade(value, Math.max(...scale))}` }, write(value))))))), left);
}
