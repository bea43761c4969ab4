// Values of a record: a text, bytes, or a blob that is fetched when it is asked for.

import { getBytes } from "./api.js";
import { add, h, replace } from "./dom.js";
import { bytes, grouped } from "./text.js";

// What is shown of a text before somebody asks for more.
const FIRST = 4000;
const STEP = 200_000;

/** A text as it is, line by line; of a long one the beginning, and a button. */
export function text(value, label = "text") {
  const block = h("pre", { tabindex: "0", dir: "auto", "aria-label": label });
  let end = value.length > FIRST * 1.5 ? FIRST : value.length;
  const show = () => {
    replace(block, value.slice(0, end));
    if (end < value.length) {
      add(
        block,
        h(
          "button",
          {
            type: "button",
            class: "more",
            onclick: () => {
              end = Math.min(value.length, end + STEP);
              show();
            },
          },
          `show more of ${grouped(value.length)} characters`,
        ),
      );
    }
  };
  show();
  return block;
}

function dump(numbers) {
  const lines = [];
  for (let at = 0; at < Math.min(numbers.length, 4096); at += 16) {
    const part = numbers.slice(at, at + 16);
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${letters}`);
  }
  if (numbers.length > 4096) lines.push(`… of ${grouped(numbers.length)} bytes`);
  return lines.join("\n");
}

// Longer or deeper JSON than this is shown as the text that it is: with a line for each member it
// could be a thousand times as long.
const LONGEST = 4 << 20;
const DEEPEST = 64;

function isDeep(json) {
  let [depth, quoted] = [0, false];
  for (let at = 0; at < json.length; at += 1) {
    const letter = json[at];
    if (quoted && letter === "\\") at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === "[" || letter === "{")) depth += 1;
    else if (!quoted && (letter === "]" || letter === "}")) depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** What a text says in JSON, where it is an object or an array of it; else null. */
export function parsed(value) {
  if (typeof value !== "string" || value.length > LONGEST || !/^\s*[[{]/.test(value) || isDeep(value))
    return null;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

const isBlob = (value) => value !== null && typeof value === "object" && typeof value.sha256 === "string";

/** How much a value is: in characters it would be another number. */
export function length(value) {
  if (Array.isArray(value)) return value.length;
  if (isBlob(value)) return value.length ?? 0;
  return new TextEncoder().encode(value ?? "").length;
}

/** The text of a value that is here; null for a blob and for bytes. */
export const here = (value) => (typeof value === "string" ? value : null);

/** A value, shown; `render` may show a text better than as it is, or return null. */
export function value(data, run, label, render = () => null) {
  if (typeof data === "string") {
    try {
      const better = render(data);
      if (better) return better;
    } catch {
      // It has not the form that its function's answers have: it is shown as it is.
    }
    const json = parsed(data);
    return text(json === null ? data : JSON.stringify(json, null, 2), label);
  }
  if (Array.isArray(data)) return h("pre", { tabindex: "0", class: "dump", "aria-label": label }, dump(data));
  if (!isBlob(data)) return h("p", { class: "none" }, "nothing");
  if (data.error) return h("p", { class: "problem" }, data.error);
  const holder = h("div", { class: "blob" });
  const button = h(
    "button",
    {
      type: "button",
      onclick: async () => {
        button.disabled = true;
        try {
          const all = await getBytes(`/api/runs/${run}/blobs/${encodeURIComponent(data.sha256)}`);
          let decoded;
          try {
            decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(all);
          } catch {
            decoded = [...all.slice(0, 4097)];
          }
          replace(holder, value(decoded, run, label, render));
        } catch (error) {
          button.disabled = false;
          replace(holder, h("p", { class: "problem", role: "alert" }, error.message), button);
        }
      },
    },
    `Show ${bytes(data.length)}`,
  );
  return add(holder, [button]);
}
