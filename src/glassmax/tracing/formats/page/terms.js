// One cell taken apart: the products that make it, one for each value of the summed index.

/** Multiply sums out: a list of the summed letters and the factors of each product. */
function summands(node) {
  const [kind, ...rest] = node;
  if (kind === "add") return rest.flatMap(summands);
  if (kind === "sum") return summands(rest[1]).map((part) => ({ letters: [...rest[0], ...part.letters], factors: part.factors }));
  if (kind === "multiply") {
    const place = rest.findIndex(holdsSum);
    if (place < 0) return [{ letters: [], factors: rest }];
    const others = rest.filter((_, n) => n !== place);
    return summands(rest[place]).map((part) => ({ letters: part.letters, factors: [...others, ...part.factors] }));
  }
  return [{ letters: [], factors: [node] }];
}

function holdsSum(node) {
  if (node[0] === "sum") return true;
  return ["add", "multiply"].includes(node[0]) && node.slice(1).some(holdsSum);
}

/** The values of summed letters for which every factor is on this page. */
function knownAt(letter, factors, sizes) {
  let known = null;
  const visit = (node) => {
    if (node[0] === "cell" && node[2].includes(letter) && !node[1].startsWith("1:")) {
      const of = node[1] === "J" ? null : arrays.get(node[1]);
      const along = of ? of.along(node[2].indexOf(letter)) : null;
      if (along) known = known ? along.filter((position) => known.includes(position)) : along;
    }
    node.slice(1).forEach((part) => Array.isArray(part) && typeof part[0] === "string" && visit(part));
  };
  factors.forEach(visit);
  return known ?? range(sizes[letter]);
}

/** Take a cell apart: its parts with the products of each; `left` is what is not on this page. */
function takenApart(step, equation, index) {
  const at = {};
  equation.letters.forEach((letter, axis) => (at[letter] = index[axis]));
  const parts = summands(equation.recipe).map(({ letters, factors }) => {
    const sizes = Object.fromEntries(letters.map((letter) => [letter, sizeIn(letter, ["multiply", ...factors])]));
    const known = letters.map((letter) => knownAt(letter, factors, sizes));
    const terms = [];
    const visit = (place, where) => {
      if (place < letters.length) {
        known[place].forEach((position) => visit(place + 1, { ...where, [letters[place]]: position }));
        return;
      }
      const values = factors.map((factor) => evaluate(factor, where));
      terms.push({ where, values, product: values.reduce(times, 1) });
    };
    visit(0, at);
    const all = letters.reduce((count, letter) => count * sizes[letter], 1);
    return { letters, factors, terms, all, sum: terms.reduce((total, term) => total + term.product, 0) };
  });
  return { at, parts, value: cellOf(step.name, index), whole: parts.every((part) => part.terms.length === part.all) };
}

/** Write a node as text; letters that have values are written as numbers. */
function written(node, at, inside = 0) {
  const [kind, ...rest] = node;
  const letter = (name) => at[name] ?? name;
  const bracketed = (text, needed) => (needed ? `(${text})` : text);
  switch (kind) {
    case "number":
      return numberText(rest[0]);
    case "cell": {
      const name = rest[0] === "L_i" ? "L" : rest[0];
      return rest[1].length ? `${name}[${rest[1].map(letter).join(",")}]` : greek(name);
    }
    case "delta":
      return `δ[${letter(rest[0])},${letter(rest[1])}]`;
    case "add":
      return bracketed(
        rest.reduce((text, part) => {
          const next = written(part, at, 1);
          if (!text) return next;
          return next.startsWith("−") ? `${text} − ${next.slice(1)}` : `${text} + ${next}`;
        }, ""),
        inside >= 2 || inside === 1,
      );
    case "multiply": {
      const below = rest.filter(isInverse);
      const above = rest.filter((part) => !isInverse(part));
      const minus = above.length > 1 && above[0][0] === "number" && above[0][1] === -1;
      const text = (minus ? above.slice(1) : above).map((part) => written(part, at, 2)).join(" ") || "1";
      const under = below.map((part) => written(part[1], at, 3)).join(" ");
      return bracketed((minus ? "−" : "") + text + (under ? `/${below.length > 1 ? `(${under})` : under}` : ""), inside >= 3);
    }
    case "power":
      if (isInverse(node)) return bracketed(`1/${written(rest[0], at, 3)}`, inside >= 3);
      if (rest[1][0] === "number" && rest[1][1] === 0.5) return `√${written(rest[0], at, 3)}`;
      return `${written(rest[0], at, 3)}^${written(rest[1], at, 3)}`;
    case "call":
      return `${rest[0]}(${written(rest[2], at, 0)})`;
    case "sum":
      return bracketed(`Σ{${rest[0].join(",")}} ${written(rest[1], at, 2)}`, inside >= 1);
  }
  return "";
}

function isInverse(node) {
  return node[0] === "power" && node[2][0] === "number" && node[2][1] === -1;
}

function greek(name) {
  return { eta: "η", mu: "μ", lambda: "λ", epsilon: "ε", beta1: "β1", beta2: "β2", ell: "ℓ" }[name] ?? name;
}

function numberText(value) {
  return (value < 0 ? "−" : "") + String(Math.abs(value));
}

/** The cells of each array that a cell is made of: a map from the name of an array to the keys of its indices. */
function litBy(apart) {
  const lit = new Map();
  for (const part of apart.parts) {
    for (const term of part.terms) {
      for (const factor of part.factors) collect(factor, term.where, lit);
    }
  }
  return lit;
}

function collect(node, at, lit) {
  if (node[0] === "cell") {
    const index = node[2].map((letter) => at[letter]);
    if (!index.includes(undefined)) {
      if (!lit.has(node[1])) lit.set(node[1], new Set());
      lit.get(node[1]).add(index.join(","));
    }
  } else if (node[0] === "sum") {
    forEach(node[1], at, sizesIn(node), (where) => collect(node[2], where, lit));
  } else {
    node.slice(1).forEach((part) => Array.isArray(part) && collect(part, at, lit));
  }
}
