// The Jacobian of softmax for one sample, and what comes of it if it is not contracted.

import { digits } from "./detail_numbers.js";
import { jacobian } from "./ledger.js";
import { at } from "./matrices.js";

const MOST = 10; // classes whose Jacobian is shown

// Nodes that stand below dZ[i,c] of the last layer: J_i with its row sums, and the right sum beside two wrong ones.
export function jacobianViews({ P, dP }, i, c) {
  const k = P.cols;
  const J = (m, j) => jacobian(P, i, m, j);
  const classes = Array.from({ length: k }, (_, j) => j);
  const sum = (values) => values.reduce((total, x) => total + x, 0);
  const views = [
    ["contracted: Σ_m dP[i,m] J[m,c]", sum(classes.map((m) => at(dP, i, m) * J(m, c))), "good"],
    ["rows summed: Σ_m J[m,c]", sum(classes.map((m) => J(m, c))), "bad"],
    ["diagonal only: dP[i,c] J[c,c]", at(dP, i, c) * J(c, c), "bad"],
  ];
  const facts = element("table", { class: "facts" }, element("tbody", {}, ...views.map(([label, value, kind]) =>
    element("tr", {}, element("th", { scope: "row", class: kind }, label), element("td", { class: "number" }, digits(Math.abs(value) < 1e-15 ? 0 : value))))));
  if (k > MOST) return [element("h3", {}, "Three ways to use the Jacobian"), facts];
  const extent = Math.max(...classes.map((m) => J(m, m)));
  const cell = (m, j) => element("td", { class: "number", style: `background:${shade(J(m, j), extent)}` }, digits(Number(J(m, j).toPrecision(3))));
  const rows = classes.map((m) => element("tr", {}, ...classes.map((j) => cell(m, j)),
    element("td", { class: "number quiet" }, digits(Math.abs(sum(classes.map((j) => J(m, j)))) < 1e-12 ? 0 : sum(classes.map((j) => J(m, j)))))));
  const head = element("tr", {}, ...classes.map((j) => element("th", { scope: "col", class: "number" }, String(j))), element("th", { scope: "col", class: "number" }, "sum"));
  return [
    element("h3", {}, `The Jacobian of sample ${i}`),
    element("div", { class: "scroll" }, element("table", { class: "cells jacobian" }, element("thead", {}, head), element("tbody", {}, ...rows))),
    facts,
  ];
}
