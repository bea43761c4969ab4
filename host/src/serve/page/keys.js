// The keyboard: `/` searches, j and k move in lists, ? tells, Escape closes.

import { h } from "./dom.js";

const KEYS = [
  ["/", "search"],
  ["j or ↓", "the next of a list"],
  ["k or ↑", "the one before"],
  ["Enter", "open"],
  ["u", "back to the list"],
  ["g then r, e, m, l", "go to runs, evaluations, models, live"],
  ["t", "light or dark"],
  ["?", "these keys"],
  ["Escape", "close, or leave a field"],
];

const GO = { r: "/", e: "/evaluations", m: "/models", l: "/live" };

function help() {
  const dialog = h(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title", onclose: () => dialog.remove() },
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      null,
      KEYS.map(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)]),
    ),
    h("form", { method: "dialog" }, h("button", null, "Close")),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** Moves the focus among what is marked as an item of a list. */
function move(by) {
  const items = [...document.querySelectorAll("[data-item]")].filter((item) => item.offsetParent !== null);
  if (items.length === 0) return false;
  const at = items.indexOf(document.activeElement);
  const next = items[Math.min(items.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

const typing = (element) => element.matches("input, textarea, select") || element.isContentEditable;

/** Listens to the keyboard. `go` opens a path, `theme` changes the colours. */
export function listen(go, theme) {
  let waiting = 0;
  document.getElementById("help").addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { target, key } = event;
    if (typing(target)) {
      if (key === "Escape") target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const arrows = target === document.body || target.id === "main" || target.matches("[data-item]");
    const after = performance.now() - waiting < 1500;
    waiting = 0;
    const done = () => event.preventDefault();
    if (after && GO[key]) done(go(GO[key]));
    else if (key === "g") waiting = performance.now();
    else if (key === "?") done(help());
    else if (key === "t") done(theme());
    else if (key === "u") done(document.querySelector("[data-up]")?.click());
    else if (key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) done(search.focus(), search.select?.());
    } else if (key === "j" || (arrows && key === "ArrowDown")) move(1) && done();
    else if (key === "k" || (arrows && key === "ArrowUp")) move(-1) && done();
  });
}
