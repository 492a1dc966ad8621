// The state as a Python program that rebuilds it with glassmax, and the ledger as lines of mathematics.

import { entriesOf, short } from "./ledger.js";

const text = (value) => JSON.stringify(value); // a string or a list that Python reads too

// Numbers with all their digits, some in a line.
function array(values, cols) {
  const write = (x) => (Number.isFinite(x) ? String(x) : `float("${String(x).toLowerCase().replace("infinity", "inf")}")`);
  const lines = [];
  for (let from = 0; from < values.length; from += cols) lines.push(`    ${Array.from(values.subarray(from, from + cols), write).join(", ")},`);
  return `[\n${lines.join("\n")}\n]`;
}

const BUILT_IN = {
  toy: (data) => `X = np.array(${array(data.X, 4)}).reshape(5, 4)\ny = np.array([0, 1, 2, 0, 1])`,
  spirals: (data) => `X = np.array(${array(data.X, 8)}).reshape(${data.n}, 2)\ny = np.arange(${data.n}) % 3`,
  digits: () => "from sklearn.datasets import load_digits\n\ndigits = load_digits()\nX, y = digits.data / 16, digits.target",
};

function table(data) {
  const source = data.name === "penguins"
    ? 'from glassmax.table.builtin import BUILTIN\n\nlines = io.StringIO(BUILTIN["penguins"].text())'
    : `lines = open(${text(data.file)}, newline="", encoding="utf-8-sig")`;
  const columns = data.inputs.map(({ column, mean, scale, level }) =>
    level === undefined ? `    (${text(column)}, ${mean}, ${scale}),` : `    (${text(column)}, ${text(level)}),`);
  const first = data.text.slice(0, data.text.search(/[\r\n]/));
  const separator = [",", ";", "\t", "|"].reduce((best, sign) => (first.split(sign).length > first.split(best).length ? sign : best));
  return `import csv
import io

${source}
header, *rows = (line for line in csv.reader(lines, delimiter=${text(separator)}) if line)
names = [cell.strip() or f"column {j}" for j, cell in enumerate(header, 1)]
rows = [dict(zip(names, line)) for line in rows]
classes = ${text(data.classes)}
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
# A number with its mean and spread; a category with the level that this input stands for.
columns = [
${columns.join("\n")}
]


def encoded(cell, *how):
    cell = cell.strip()
    if len(how) == 1:
        return float(cell == how[0])
    return 0.0 if cell.lower() in MISSING else (float(cell.replace(",", ".")) - how[0]) / how[1]


rows = [row for row in rows if row[${text(data.target)}].strip() in classes]
X = np.array([[encoded(row[name], *how) for name, *how in columns] for row in rows])
y = np.array([classes.index(row[${text(data.target)}].strip()) for row in rows])`;
}

export function asPython(session) {
  const { data, settings, network, theta, epoch } = session;
  const rows = session.batch();
  const load = BUILT_IN[data.name] ? BUILT_IN[data.name](data) : table(data);
  const rule = settings.optimizer === "adam" ? `gm.optimizers.Adam(${settings.learningRate})` : `gm.optimizers.SGD(${settings.learningRate}, momentum=${settings.momentum}, nesterov=False)`;
  const target = ["sigmoid"].includes(settings.output) || settings.loss === "binary_cross_entropy" ? `np.eye(${data.k})[y]` : "y";
  return `"""The network of the glassmax playground after ${epoch} epochs, rebuilt with the glassmax package."""

import numpy as np

import glassmax as gm

${load}

network = gm.Network(
    [${network.sizes.join(", ")}],
    activation=${text(settings.activation)},
    output=${text(settings.output)},
    loss=${text(settings.loss)},
    l2=${settings.l2},
)
network.theta[...] = np.array(${array(theta, 6)}, dtype="float64")
rule = ${rule}    # batches of ${settings.batchSize} rows
held_out = np.array([${data.held.join(", ")}], dtype=int)

batch = np.array([${rows.join(", ")}])    # the batch that comes next
target = ${target}
loss, gradients = network.loss_and_gradients(X[batch], target[batch])
print("loss of the batch:", loss)
for name, gradient in gradients.items():
    print("d" + name, gradient.shape, "largest entry", abs(gradient).max())
`;
}

// The lines of the calculus for this network: for each array its matrix form and its index form, and the reason.
export function asDerivation(session, arrays) {
  const { network, settings } = session;
  const lines = [
    `# ${network.sizes.join("-")} network: ${settings.activation}, ${settings.output}, ${settings.loss.replaceAll("_", " ")}`,
    "",
    "i is a sample, u is an input of a layer, and v is an output of a layer; c and m are classes. dV is the derivative of L with respect to V.",
  ];
  const titles = { forward: "Forward", loss: "The loss", backward: "Backward" };
  let pass = "";
  for (const entry of entriesOf(network, arrays, { l2: settings.l2 })) {
    if (entry.pass !== pass) lines.push("", `## ${titles[(pass = entry.pass)]}`);
    const M = arrays[entry.name];
    const matrixForm = entry.equation === entry.name ? "" : entry.equation.replaceAll("( ", "(").replaceAll(" )", ")");
    lines.push("", `${matrixForm || entry.name}    shape (${M.rows}, ${M.cols})`, `    ${entry.index}`, `    ${entry.why}`);
  }
  const rule = settings.optimizer === "adam" ? "Adam" : `SGD with momentum ${short(settings.momentum)}`;
  lines.push("", "## The update", "", `${rule}, learning rate ${short(settings.learningRate)}: all derivatives are computed before any weight moves.`);
  const assume = network.output === "softmax" && network.loss === "cross_entropy" ? ', assume="Σ_c Y[i,c] = 1"' : "";
  lines.push("", "## Derived and proved by glassmax", "", "import glassmax as gm", "", 'equations = """', ...equationsOf(network, arrays, settings.l2), '"""', `print(gm.derive(equations, wrt="W1"${assume}))`);
  return lines.join("\n") + "\n";
}

// Activations that `gm.derive` wants written out.
const WRITTEN_OUT = {
  identity: (z) => z,
  leaky_relu: (z) => `max(0, ${z}) + 0.01 min(0, ${z})`,
  elu: (z) => `max(0, ${z}) + exp(min(0, ${z})) - 1`,
  selu: (z) => `1.0507009873554805 (max(0, ${z}) + 1.6732632423543772 (exp(min(0, ${z})) - 1))`,
};

// The forward pass and the loss as equations that `gm.derive` reads.
function equationsOf(network, arrays, l2) {
  const penalty = network.sizes.slice(1).map((_, l) => `Σ_u Σ_v W${l + 1}[u,v]²`).join(" + ");
  const computed = entriesOf(network, arrays, { l2 }).filter(({ name, pass, index }) => pass !== "backward" && name !== "E" && index.includes("="));
  return computed.map(({ index }) =>
    index.replaceAll(/\bE(\[i,[cm]\])/g, `exp(Z${network.sizes.length - 1}$1)`).replaceAll("L_i", "l").replace("Σ W²", `(${penalty})`)
      .replace(/\b(identity|leaky_relu|elu|selu)\(([^)]*)\)/, (_, name, z) => WRITTEN_OUT[name](z)));
}
