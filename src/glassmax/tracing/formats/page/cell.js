// The cell that is pointed at: what it is made of lights up, and its sum of products is written out.

const MOST_TERMS = 24;

function showCell() {
  for (const cells of tables.values()) for (const cell of cells.values()) cell.classList.remove("lit", "pointed");
  const place = document.getElementById("terms");
  const step = steps[selected.step];
  const main = tables.get(step.name);
  const first = [...main.values()][0];
  for (const cell of main.values()) cell.tabIndex = -1;
  if (!selected.cell) {
    if (first) first.tabIndex = 0;
    place.replaceChildren(element("p", { class: "quiet" }, step.equations.length ? "Point at a cell, or move to it with the arrow keys: the sum of products is written out here. Click the cell to keep it selected; click it again to release it." : ""));
    return;
  }
  const own = main.get(selected.cell.join(","));
  if (own) {
    own.classList.add("pointed");
    own.tabIndex = 0;
  }
  const equation = step.equations[selected.way];
  if (!equation) {
    place.replaceChildren(element("p", { class: "quiet" }, `${cellText(step.name, selected.cell)} = ${one(cellOf(step.name, selected.cell))}, ${step.meaning || "given"}.`));
    return;
  }
  const apart = takenApart(step, equation, selected.cell);
  for (const [name, keys] of litBy(apart)) {
    for (const key of keys) tables.get(name)?.get(key)?.classList.add("lit");
  }
  place.replaceChildren(termsOf(step, equation, apart));
}

function one(value) {
  return value === undefined ? "not on this page" : writer([value], 6)(value);
}

function termsOf(step, equation, apart) {
  const formulaText = `${written(["cell", step.name, equation.letters], apart.at)} = ${written(equation.recipe, apart.at)}`;
  const alone = apart.parts.length === 1;
  const parts = apart.parts.map((part) => termTable(part, apart.at, alone ? apart.value - part.sum : null));
  const total = element("p", { class: "total" }, [
    apart.parts.length > 1 ? "together " : "", element("span", { class: "name" }, element("i", {}, cellText(step.name, selected.cell))), " = ",
    element("b", { class: "value" }, one(apart.value)),
  ]);
  const sum = apart.parts.reduce((all, part) => all + part.sum, 0);
  return element("div", { class: "terms", "data-sum": apart.whole ? sum : null }, element("p", { class: "formula" }, withSums(formulaText)), parts, total);
}

/** A text in which the index of a sum stands below its sign. */
function withSums(text) {
  return text.split(/Σ\{([^}]*)\}/).flatMap((piece, n) => (n % 2 ? ["Σ", element("sub", { class: "summed" }, piece)] : [piece]));
}

/** One sum: a line for each product, the factors aligned, and the sum below; `rest` is what other products add. */
function termTable(part, at, rest) {
  const seen = part.terms.length > MOST_TERMS ? largest(part.terms) : part.terms;
  const symbols = part.letters.join(", ");
  const factors = part.factors.map((factor, n) => ({ factor, write: writer(seen.map((term) => term.values[n])) }));
  const single = factors.length === 1;
  const write = writer([...seen.map((term) => term.product), part.sum]);
  const head = [...(symbols ? [symbols] : []), ...factors.flatMap(({ factor }, n) => [n ? "·" : "", written(factor, at)]), ...(single ? [] : ["=", "product"])];
  const lines = seen.map((term) => {
    const cells = part.letters.map((letter) => element("th", { scope: "row", class: "number letter" }, String(term.where[letter])));
    factors.forEach(({ write: own }, n) => cells.push(element("td", { class: "dot" }, n ? "·" : ""), element("td", { class: "number" }, own(term.values[n]))));
    if (!single) cells.push(element("td", { class: "dot" }, "="), element("td", { class: "number product" }, write(term.product)));
    return element("tr", {
      onpointerenter: () => strong(part, term, true), onpointerleave: () => strong(part, term, false),
    }, cells);
  });
  const width = (part.letters.length ? part.letters.length : 0) + 2 * factors.length + (single ? -1 : 1);
  if (part.letters.length) {
    lines.push(element("tr", { class: "sum" }, [
      element("th", { scope: "row", colspan: Math.max(width, 1) }, part.terms.length === part.all ? "sum" : `sum of these ${part.terms.length}`),
      element("td", { class: "number" }, write(part.sum)),
    ]));
  }
  const note = [];
  if (seen.length < part.terms.length) note.push(`The ${seen.length} largest of ${part.terms.length} products are shown; the sum is of all ${part.terms.length}.`);
  if (part.terms.length < part.all) {
    const others = rest === null ? "" : ` The other ${part.all - part.terms.length} add up to ${one(rest)}.`;
    note.push(`Only ${part.terms.length} of ${part.all} products have all factors on this page.${others} In Python, trace.cell(...) returns every product.`);
  }
  return element("div", {}, element("div", { class: "scroll" }, element("table", { class: "term-table" }, [
    element("thead", {}, element("tr", {}, head.map((text) => element("th", { scope: "col", class: "number" }, withSums(text))))),
    element("tbody", {}, lines),
  ])), note.map((text) => element("p", { class: "small quiet" }, text)));
}

function largest(terms) {
  const sizes = terms.map((term) => (Number.isNaN(term.product) ? Infinity : Math.abs(term.product)));
  const least = [...sizes].sort((a, b) => b - a)[MOST_TERMS - 1];
  return terms.filter((_, n) => sizes[n] >= least).slice(0, MOST_TERMS);
}

/** Mark the two cells of one product. */
function strong(part, term, on) {
  const lit = new Map();
  part.factors.forEach((factor) => collect(factor, term.where, lit));
  for (const [name, keys] of lit) for (const key of keys) tables.get(name)?.get(key)?.classList.toggle("pointed", on);
}
