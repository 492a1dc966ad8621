// What all scripts need. The numbers and colors are those of numbers.py and shades.py.

/** The data that Python embedded under a name. */
function embedded(name) {
  return JSON.parse(document.getElementById(name).textContent);
}

/** Make an element: element("td", {class: "number", onclick: f}, "text or nodes", ...); text is never read as HTML. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

/** The same for SVG. */
function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat());
  return made;
}

/** How the numbers of an array are written, all with the same decimals: a function from a number to its text. */
function writer(values, digits = 4) {
  let largest = 0, whole = true;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    largest = Math.max(largest, Math.abs(value));
    whole = whole && Number.isInteger(value);
  }
  if (largest && !(largest >= 1e-4 && largest < 1e7)) {
    return (value) => signed(value, (size) => size.toExponential(digits - 1).replace(/e([+-])(\d)$/, "e$10$2"));
  }
  let decimals = 0;
  if (!whole) {
    const exponent = Math.floor(Math.log10(largest));
    decimals = Math.max(digits - Math.max(exponent, 0) - Math.min(exponent + 1, 0), 0);
  }
  return (value) => signed(value, (size) => size.toFixed(decimals));
}

function signed(value, write) {
  if (Number.isNaN(value)) return "nan";
  const text = Number.isFinite(value) ? write(Math.abs(value)) : "\u221e";
  return value < 0 && /[^0.]/.test(text) ? "\u2212" + text : text;
}

/** The color of a cell: blue above zero, orange below. */
function shade(value, extent) {
  let strength = extent > 0 && Number.isFinite(value) ? Math.min(Math.abs(value) / extent, 1) : value ? 1 : 0;
  if (Number.isNaN(value)) strength = 0;
  const color = value > 0 ? "--positive" : "--negative";
  return `color-mix(in oklab, var(${color}) ${(85 * strength).toFixed(2)}%, var(--zero))`;
}

/** The value of a property such as "--ink" as a color that a canvas can take. */
function colorOf(property) {
  const probe = element("span", { style: `color: var(${property}); display: none` });
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
