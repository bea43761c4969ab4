// Elements are made here, and nowhere else: no markup is ever parsed. Text, and attributes that
// people read, have their control characters made visible, so that nothing a program chose can
// hide, reorder or imitate what stands beside it.

const SVG = "http://www.w3.org/2000/svg";

// Controls but newline and tab, what reorders text or has no width, tags, and halves of surrogates.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** A name for a character that cannot be seen: `^[` as terminals write it, or its code. */
function sign(character) {
  const code = character.codePointAt(0);
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The text as a string in which everything can be seen, for attributes and titles. */
export const plain = (text) => String(text).replace(HIDDEN, sign);

/** The text as nodes in which everything can be seen. */
export function shown(text) {
  const all = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    all.append(text.slice(from, found.index));
    const mark = document.createElement("span");
    mark.className = "control";
    mark.textContent = sign(found[0]);
    mark.title = "a character that cannot be seen";
    all.append(mark);
    from = found.index + found[0].length;
  }
  all.append(text.slice(from));
  return all;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : plain(value));
  }
  add(element, children);
  return element;
}

/** Appends nodes, texts and lists of them; what is null or false is left out. */
export function add(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : shown(String(child)));
  }
  return element;
}

/** An element of HTML. `on…` attributes are listeners. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** An element of SVG. */
export const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** Puts these children in the place of all that an element has. */
export function replace(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

/** A text from outside, whose direction does not reach beyond it. */
export const outside = (text) => h("bdi", null, text);

/** Says something to those who cannot see it change. */
export function tell(text) {
  const told = document.getElementById("told");
  if (told.textContent !== text) told.textContent = plain(text);
}
