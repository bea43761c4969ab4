// Plots, drawn by hand: each says in words what it shows, and takes its colours from the style.

import { h, s } from "./dom.js";
import { kind } from "./marks.js";
import { percent, points } from "./text.js";

const WIDTH = 1000;

/**
 * What happened along an axis from 0 to `total`: segments `{from, to, title, kind, href}`. It is for
 * the eye and the mouse: what it shows stands in the list below it too.
 */
export function strip(total, segments) {
  const scale = (value) => (total > 0 ? (Math.min(Math.max(value, 0), total) / total) * WIDTH : 0);
  const covered = new Map();
  return s(
    "svg",
    {
      class: "strip",
      viewBox: `0 0 ${WIDTH} 20`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
      focusable: "false",
    },
    s("rect", { class: "ground", x: 0, y: 0, width: WIDTH, height: 20 }),
    segments.map(({ from, to, title, kind, href }) => {
      const x = Math.min(scale(from), WIDTH - 2);
      // Thinner than this, nobody would see or hit it; and what another one covers is left out.
      const width = Math.max(scale(to) - x, 2);
      if (x + width <= covered.get(kind) + 0.5) return null;
      covered.set(kind, x + width);
      return s(
        "a",
        { href, tabindex: "-1" },
        s(
          "rect",
          { class: `segment ${kind}`, x: x.toFixed(2), y: 0, width: width.toFixed(2), height: 20 },
          s("title", null, title),
        ),
      );
    }),
  );
}

/** A share of a whole as a thin bar. */
export function meter(share, what) {
  const width = Math.min(1, Math.max(0, share)) * 100;
  return s(
    "svg",
    { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": what },
    s("rect", { class: "ground", width: 100, height: 4 }),
    width > 0 && s("rect", { class: "share", width: Math.max(width, 0.8).toFixed(2), height: 4 }),
  );
}

// Verdicts in the order of a bar, the best first.
const ORDER = [
  "passed",
  "failed",
  "raised",
  "exited",
  "out-of-fuel",
  "out-of-memory",
  "timed-out",
  "crashed",
];

/** Verdicts and their counts, in the order in which they are drawn. */
export const ordered = (verdicts) =>
  Object.entries(verdicts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (ORDER.indexOf(a) + 1 || 99) - (ORDER.indexOf(b) + 1 || 99));

/** How many had each verdict, as one bar. */
export function verdictBar(verdicts) {
  const list = ordered(verdicts);
  const total = list.reduce((sum, [, count]) => sum + count, 0);
  let at = 0;
  const words = list.map(([name, count]) => `${name} ${count}`).join(", ") || "none graded";
  return s(
    "svg",
    {
      class: "verdicts",
      viewBox: "0 0 1000 10",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": words,
    },
    s("title", null, words),
    s("rect", { class: "ground", width: 1000, height: 10 }),
    list.map(([name, count]) => {
      const width = (count / total) * 1000;
      const part = s("rect", {
        class: `verdict v-${kind(name)} v-${/^[a-z-]+$/.test(name) ? name : "other"}`,
        x: at.toFixed(2),
        width: Math.max(width - 2, 1).toFixed(2),
        height: 10,
      });
      at += width;
      return part;
    }),
  );
}

/** What the colours of a bar of verdicts mean. */
export const legend = (verdicts) =>
  h(
    "ul",
    { class: "legend" },
    ordered(verdicts).map(([name, count]) =>
      h(
        "li",
        null,
        s(
          "svg",
          { viewBox: "0 0 10 10", "aria-hidden": "true" },
          s("rect", {
            class: `verdict v-${kind(name)} v-${/^[a-z-]+$/.test(name) ? name : "other"}`,
            width: 10,
            height: 10,
            rx: 2,
          }),
        ),
        h("b", null, count),
        " ",
        name,
      ),
    ),
  );

/** A value from 0 to 1 with its interval, on a line. */
export function interval(
  { value, low, high },
  words = `${percent(value)}, 95 % interval ${percent(low)} to ${percent(high)}`,
) {
  const x = (share) => 4 + share * 192;
  return s(
    "svg",
    { class: "interval", viewBox: "0 0 200 14", role: "img", "aria-label": words },
    s("title", null, words),
    s("line", { class: "axis", x1: 4, x2: 196, y1: 7, y2: 7 }),
    s("rect", {
      class: "range",
      x: x(low).toFixed(1),
      y: 4,
      width: Math.max(1, x(high) - x(low)).toFixed(1),
      height: 6,
      rx: 3,
    }),
    s("circle", { class: "point", cx: x(value).toFixed(1), cy: 7, r: 4.5 }),
  );
}

/** pass@k over k, with intervals. */
export function passAtK(scores) {
  const all = Object.entries(scores)
    .map(([k, score]) => ({ k: Number(k), ...score }))
    .sort((a, b) => a.k - b.k);
  const [wide, high, left, right, top, bottom] = [420, 210, 44, 24, 14, 34];
  const span = Math.log(Math.max(all.at(-1)?.k ?? 1, 2));
  const x = (k) =>
    all.length < 2
      ? (left + wide - right) / 2
      : left + 16 + (Math.log(k) / span) * (wide - left - right - 32);
  const y = (share) => top + (1 - share) * (high - top - bottom);
  const words = all
    .map(({ k, value, low, high: up }) => `pass@${k} ${percent(value)}, ${percent(low)} to ${percent(up)}`)
    .join("; ");
  return s(
    "svg",
    { class: "plot", viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": words },
    [0, 0.25, 0.5, 0.75, 1].map((share) => [
      s("line", { class: "grid", x1: left, x2: wide - right, y1: y(share), y2: y(share) }),
      s("text", { x: left - 8, y: y(share) + 4, "text-anchor": "end" }, `${share * 100} %`),
    ]),
    all.length > 1 &&
      s("polyline", {
        class: "curve",
        points: all.map(({ k, value }) => `${x(k).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
      }),
    all.map(({ k, value, low, high: up }) =>
      s(
        "g",
        null,
        s("title", null, `pass@${k}: ${percent(value)} (${percent(low)} to ${percent(up)})`),
        s("path", {
          class: "whisker",
          d: `M${x(k)} ${y(low)}V${y(up)}M${x(k) - 6} ${y(low)}h12M${x(k) - 6} ${y(up)}h12`,
        }),
        s("circle", { class: "point", cx: x(k), cy: y(value), r: 5 }),
        s("text", { x: x(k), y: high - 12, "text-anchor": "middle" }, `k = ${k}`),
      ),
    ),
  );
}

/** A difference from -1 to 1 with its interval, and a line where there is none. */
export function difference({ value, low, high }) {
  const most = Math.max(0.1, Math.abs(low), Math.abs(high)) * 1.15;
  const x = (share) => 210 + (share / most) * 196;
  const words = `${points(value)} percentage points, 95 % interval ${points(low)} to ${points(high)}`;
  return s(
    "svg",
    { class: "plot", viewBox: "0 0 420 74", role: "img", "aria-label": words },
    s("line", { class: "grid", x1: 10, x2: 410, y1: 32, y2: 32 }),
    s("line", { class: "zero", x1: 210, x2: 210, y1: 8, y2: 56 }),
    s("rect", { class: "range", x: x(low), y: 26, width: Math.max(1, x(high) - x(low)), height: 12, rx: 6 }),
    s("circle", { class: "point", cx: x(value), cy: 32, r: 7 }),
    s("text", { x: 210, y: 70, "text-anchor": "middle" }, "equal"),
    s("text", { x: 10, y: 70 }, "← A better"),
    s("text", { x: 410, y: 70, "text-anchor": "end" }, "B better →"),
  );
}
