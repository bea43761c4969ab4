// Small marks that several views share.

import { h, outside } from "./dom.js";
import { ago, clock, utc } from "./text.js";

// How a run's end is to be seen. What is not here is grey.
const KINDS = {
  returned: "good",
  passed: "good",
  identical: "good",
  ok: "good",
  ready: "good",
  raised: "bad",
  failed: "bad",
  crashed: "bad",
  diverged: "bad",
  denied: "bad",
  unavailable: "bad",
  "out-of-fuel": "over",
  "out-of-memory": "over",
  "timed-out": "over",
  exited: "odd",
  "given-up": "odd",
  flag: "odd",
  interrupted: "odd",
  unfinished: "busy",
  running: "busy",
  loading: "busy",
  unloading: "busy",
};

/** The class of how something ended. */
export const kind = (word) => KINDS[word] ?? "plain";

/** How something ended, as a badge. */
export const badge = (word, text = word) => h("span", { class: `badge ${kind(word)}` }, outside(text));

/** A moment: the visitor's clock, with the exact one in UTC at hand. */
export const moment = (milliseconds) =>
  h(
    "time",
    { datetime: utc(milliseconds), title: `${utc(milliseconds)}, ${ago(milliseconds)}` },
    clock(milliseconds),
  );

/** Reviews in short: "ok flag". */
export const reviewMarks = (text) =>
  text
    .split(" ")
    .filter(Boolean)
    .map((verdict) => badge(verdict, verdict === "ok" ? "✓ ok" : verdict === "flag" ? "⚑ flag" : verdict));

/** A digest: how it begins, all of it at hand, and copied at a click. */
export function digest(text) {
  const button = h(
    "button",
    {
      type: "button",
      class: "digest",
      title: `${text}\nCopy`,
      "aria-label": `${text.slice(0, 12)}…, copy all of it`,
      onclick: async () => {
        await navigator.clipboard?.writeText(text).catch(() => {});
        button.classList.add("copied");
        setTimeout(() => button.classList.remove("copied"), 1200);
      },
    },
    text.slice(0, 12),
    "…",
  );
  return button;
}
