// The equations of the ledger as MathML, each array with its shape under its letter.

const NS = "http://www.w3.org/1998/Math/MathML";

export function math(tag, attributes, ...children) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The letters of a name, each in italics of its own: browsers set a word of several letters upright.
const lettersOf = (text) => (text.length === 1 ? math("mi", {}, text) : math("mrow", {}, ...[...text].map((sign) => math("mi", {}, sign))));

// A layer is a number, a sample is a letter.
const indexBelow = (index) => math(/\d/.test(index) ? "mn" : "mi", {}, index);

// A name such as dW2 or A1ᵀ: letters, index below, transpose above, shape underneath.
function arrayNode(word, arrays) {
  const transposed = word.endsWith("ᵀ");
  const name = word.replace(/[ᵀ′]$/, "");
  const [, letters, index] = /^([A-Za-z]+)_?(\d+|i)?$/.exec(name);
  let node = lettersOf(letters);
  const below = index && indexBelow(index);
  const above = transposed && math("mi", { mathvariant: "normal" }, "⊤");
  if (below && above) node = math("msubsup", {}, node, below, above);
  else if (below) node = math("msub", {}, node, below);
  else if (above) node = math("msup", {}, node, above);
  const M = arrays[name];
  const shape = transposed ? `${M.cols}×${M.rows}` : `${M.rows}×${M.cols}`;
  const even = math("mpadded", { depth: "0.42em" }, node); // so that all shapes stand on one line
  return math("munder", {}, even, math("mtext", { class: "label" }, shape));
}

// The matrix form: names of arrays with their shapes, everything else as it is.
export function matrixForm(equation, arrays) {
  const row = math("mrow", {});
  for (const word of equation.split(/([A-Za-z][A-Za-z0-9_]*[ᵀ′]?|\s+|[^A-Za-z\s]+)/).filter((part) => part && part.trim())) {
    if (word.replace(/[ᵀ′]$/, "") in arrays && !word.endsWith("′")) row.append(math("mspace", { width: "0.2em" }), arrayNode(word, arrays));
    else if (/^[A-Za-z]/.test(word)) row.append(math("mtext", {}, word));
    else if (/^[\d.]+$/.test(word)) row.append(math("mn", {}, word));
    else row.append(math("mo", { stretchy: "false" }, word));
  }
  return math("math", { display: "block", "aria-label": equation }, row);
}

// The index form: names in italics, indices below.
export function indexForm(text) {
  const row = math("mrow", {});
  const pieces = /Σ_([a-z])|([A-Za-z]+)_?(\d+|i)?(\[[^\]]*\])?(′)?|([\d.]+)|(\s+)|(.)/gu;
  for (const [whole, sum, letters, index, cells, prime, number, space, sign] of text.matchAll(pieces)) {
    if (space) continue;
    if (sum) row.append(math("munder", {}, math("mo", {}, "∑"), math("mi", {}, sum)));
    else if (number) row.append(math("mn", {}, number));
    else if (sign) row.append(math("mo", { stretchy: "false" }, whole));
    else row.append(entryNode(letters, index, cells, prime));
  }
  return math("math", { display: "block", "aria-label": text }, row);
}

function entryNode(letters, index, cells, prime) {
  if (letters.length > 2 && !/^d[A-Z]/.test(letters)) return math("mtext", {}, letters + (prime ?? ""));
  let node = prime ? math("mi", {}, letters + prime) : lettersOf(letters);
  if (index) node = math("msub", {}, node, indexBelow(index));
  return cells ? math("mrow", {}, node, math("mo", { stretchy: "false" }, "["), ...indices(cells), math("mo", { stretchy: "false" }, "]")) : node;
}

// [i,u] as italic letters with a comma.
function indices(cells) {
  const parts = cells.slice(1, -1).split(",");
  return parts.flatMap((part, m) => (m ? [math("mo", { separator: "true" }, ","), math("mi", {}, part)] : [math("mi", {}, part)]));
}
