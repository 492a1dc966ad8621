// A table as text: read it, find out what each column is, and make the numbers X and the one-hot rows Y.
//
// Numbers are standardized with the mean and the spread of the training rows, categories become one input for each
// level. A missing number becomes the mean, a missing category 0 in all its inputs. What is left out is said in `notes`.

import { shuffled } from "./random.js";

const MISSING = new Set(["", "na", "n/a", "nan", "null", "none", "?", "-"]);
const MOST_ROWS = 200000, MOST_COLUMNS = 2000, MOST_LEVELS = 30, MOST_CLASSES = 50, MOST_INPUTS = 500;
const TARGETS = ["target", "class", "label", "species", "y", "outcome", "category", "digit", "cultivar"];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NUMBER_WITH_COMMA = /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i;
const GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/; // 1,234: the comma may separate thousands or begin decimals

export class TableError extends Error {}

// {name, columns: [{name, cells}]}, cells as text. The separator is the one that the first line has most of.
export function readTable(text, name) {
  const lines = cellsOf(text.replace(/^\uFEFF/, ""), separatorOf(text));
  if (lines.length < 2) throw new TableError(`${name} has ${lines.length ? "a header and no rows" : "no rows"}. Expected a header and one row for each sample.`);
  if (lines[0].length > MOST_COLUMNS) throw new TableError(`${name} has ${lines[0].length} columns; this page takes at most ${MOST_COLUMNS}. Leave columns out.`);
  const header = lines[0].map((cell, j) => cell.trim() || `column ${j + 1}`);
  const seen = new Set();
  const repeated = header.find((cell) => seen.size === seen.add(cell).size);
  if (repeated !== undefined) throw new TableError(`${name} has two columns named '${repeated}'. Rename one of them.`);
  const rows = lines.slice(1);
  if (rows.length > MOST_ROWS) throw new TableError(`${name} has ${rows.length} rows; this page takes at most ${MOST_ROWS}. Use the glassmax package, or a part of the file.`);
  rows.forEach((row, i) => {
    if (row.length !== header.length)
      throw new TableError(`Row ${i + 2} of ${name} has ${row.length} ${row.length === 1 ? "cell" : "cells"}, expected ${header.length} as in the header. Correct the row.`);
  });
  return { name, columns: header.map((column, j) => ({ name: column, cells: rows.map((row) => row[j].trim()) })) };
}

function separatorOf(text) {
  const end = text.search(/[\r\n]/);
  const first = end < 0 ? text : text.slice(0, end);
  const counts = [",", ";", "\t", "|"].map((sign) => first.split(sign).length);
  return [",", ";", "\t", "|"][counts.indexOf(Math.max(...counts))];
}

// Rows of cells; a quoted cell may hold separators, line ends and doubled quotes.
function cellsOf(text, separator) {
  const rows = [];
  let row = [], from = 0;
  const finish = () => {
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  while (from <= text.length) {
    let cell = "", to = from;
    if (text[from] === '"') {
      for (to = from + 1; ; ) {
        const quote = text.indexOf('"', to);
        if (quote < 0) throw new TableError(`Row ${rows.length + 1} opens a quoted cell that is never closed. Close the quotation mark.`);
        cell += text.slice(to, quote);
        to = quote + 1;
        if (text[to] !== '"') break;
        cell += '"';
        ++to;
      }
      from = to;
    }
    while (to < text.length && text[to] !== separator && text[to] !== "\n" && text[to] !== "\r") ++to;
    row.push(cell + text.slice(from, to));
    if (text[to] === separator) from = to + 1;
    else {
      finish();
      from = text[to] === "\r" && text[to + 1] === "\n" ? to + 2 : to + 1;
      if (from >= text.length) break;
    }
  }
  return rows;
}

const isMissing = (cell) => MISSING.has(cell.toLowerCase());

// The column that looks like the class: by its name, otherwise the last one that could be.
export function likelyTarget(table) {
  const named = table.columns.find(({ name }) => TARGETS.includes(name.toLowerCase()));
  const possible = table.columns.filter(({ cells }) => new Set(cells).size <= MOST_CLASSES && new Set(cells).size > 1);
  return (named ?? possible.at(-1) ?? table.columns.at(-1)).name;
}

function numbersOf(name, cells) {
  const present = cells.filter((cell) => !isMissing(cell));
  if (present.length === 0) return null;
  refuseGrouped(name, present);
  const comma = present.some((cell) => cell.includes(",")) && present.every((cell) => NUMBER_WITH_COMMA.test(cell));
  if (!comma && !present.every((cell) => NUMBER.test(cell))) return null;
  return cells.map((cell) => (isMissing(cell) ? NaN : Number(comma ? cell.replace(",", ".") : cell)));
}

// Refuse numbers in which every comma may separate thousands.
function refuseGrouped(name, cells) {
  const grouped = cells.filter((cell) => GROUPED.test(cell));
  if (grouped.length === 0 || !cells.every((cell) => NUMBER.test(cell) || GROUPED.test(cell))) return;
  const cell = grouped.find((each) => NUMBER_WITH_COMMA.test(each)) ?? grouped[0];
  const decimal = NUMBER_WITH_COMMA.test(cell) ? ` or ${cell.replace(",", ".")}` : "";
  throw new TableError(`Column '${name}' has the cell '${cell}', which can mean ${cell.replaceAll(",", "")}${decimal}. Write the numbers without separators of thousands, and decimals with a point.`);
}

// Classes in the order of their names; of numbers, in the order of the numbers.
function levelsOf(cells) {
  const levels = [...new Set(cells.filter((cell) => !isMissing(cell)))];
  return levels.sort(levels.every((cell) => NUMBER.test(cell)) ? (a, b) => a - b : (a, b) => (a < b ? -1 : 1));
}

// The rows that are learned from, and those held out: every fifth of a seeded order; none of fewer than 40 rows.
export function splitOf(n, seed = 0) {
  const order = shuffled(n, seed, 0);
  const held = n < 40 ? 0 : Math.floor(n / 5);
  return { train: order.slice(held).sort((a, b) => a - b), held: order.slice(0, held).sort((a, b) => a - b) };
}

// X, Y and all that is needed to encode another row; `inputs` has one entry for each column of X.
export function encoded(table, target, seed = 0) {
  const notes = [];
  const goal = table.columns.find(({ name }) => name === target);
  const classes = levelsOf(goal.cells);
  if (classes.length < 2 || classes.length > MOST_CLASSES)
    throw new TableError(`Column '${target}' of ${table.name} has ${classes.length} different ${classes.length === 1 ? "value" : "values"}, expected 2 to ${MOST_CLASSES} classes. Choose another column to predict.`);
  const rows = [...goal.cells.keys()].filter((i) => !isMissing(goal.cells[i]));
  const lost = goal.cells.length - rows.length;
  if (lost) notes.push(`${lost} ${lost === 1 ? "row has" : "rows have"} no value in '${target}' and ${lost === 1 ? "is" : "are"} left out.`);
  const { train, held } = splitOf(rows.length, seed);
  const inputs = [];
  for (const { name, cells } of table.columns) {
    if (name !== target) inputs.push(...inputsOf(name, rows.map((i) => cells[i]), train, notes));
  }
  if (inputs.length === 0) throw new TableError(`${table.name} has no column to learn from. Expected numbers, or categories with at most ${MOST_LEVELS} values.`);
  if (inputs.length > MOST_INPUTS) throw new TableError(`${table.name} gives ${inputs.length} inputs; this page takes at most ${MOST_INPUTS}. Leave columns out.`);
  const [n, d, k] = [rows.length, inputs.length, classes.length];
  const [X, Y] = [new Float64Array(n * d), new Float64Array(n * k)];
  inputs.forEach(({ values }, j) => { for (let i = 0; i < n; ++i) X[i * d + j] = values[i]; });
  rows.forEach((row, i) => (Y[i * k + classes.indexOf(goal.cells[row])] = 1));
  return { X, Y, n, d, k, classes, target, notes, train, held, inputs: inputs.map(({ values, ...input }) => input) };
}

function inputsOf(name, cells, train, notes) {
  const missing = cells.filter(isMissing).length;
  const numbers = numbersOf(name, cells);
  if (numbers) {
    const known = train.map((i) => numbers[i]).filter((x) => !Number.isNaN(x));
    const mean = known.reduce((sum, x) => sum + x / known.length, 0);
    const scale = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2 / known.length, 0));
    if (known.every((x) => x === known[0]) || !Number.isFinite(scale)) return note(notes, `Column '${name}' is constant and is left out.`);
    if (missing) notes.push(`Column '${name}': ${missing} missing ${missing === 1 ? "cell is" : "cells are"} set to the mean.`);
    return [{ name, column: name, mean, scale, values: numbers.map((x) => (Number.isNaN(x) ? 0 : (x - mean) / scale)) }];
  }
  const levels = levelsOf(cells);
  if (levels.length < 2) return note(notes, `Column '${name}' has ${levels.length ? "a single value" : "no values"} and is left out.`);
  if (levels.length > MOST_LEVELS) return note(notes, `Column '${name}' has ${levels.length} different texts and is left out.`);
  return levels.map((level) => ({ name: `${name} = ${level}`, column: name, level, values: cells.map((cell) => (cell === level ? 1 : 0)) }));
}

function note(notes, text) {
  notes.push(text);
  return [];
}
