// The evaluations, and which two to compare.

import { get, query } from "./api.js";
import { h, outside, replace } from "./dom.js";
import { badge, moment } from "./marks.js";
import { interval, legend, verdictBar } from "./plots.js";
import { counted, grouped, percent, short } from "./text.js";

// How often to look again while one is running.
const AGAIN = 3000;

/** Who answered, or where the samples are from. */
export const solver = ({ agent }) =>
  agent
    ? [outside(agent.name), agent.model && [" with ", outside(agent.model)]]
    : h("span", { class: "about" }, "samples");

function row(each, chosen) {
  const score = each.pass_at_k?.["1"];
  return h(
    "tr",
    null,
    h(
      "td",
      { class: "choose" },
      h("input", {
        type: "checkbox",
        name: "id",
        value: each.id,
        checked: chosen.has(each.id),
        disabled: each.state !== "complete",
        "aria-label": `Compare ${each.id}`,
      }),
    ),
    h(
      "td",
      { class: "name" },
      h("a", { href: `/evaluations/${encodeURIComponent(each.id)}`, "data-item": true }, outside(each.id)),
      each.error && h("span", { class: "detail" }, outside(each.error)),
    ),
    h("td", { class: "time" }, each.began === null ? "–" : moment(each.began)),
    h("td", { class: "dataset" }, outside(each.dataset)),
    h("td", { class: "solver" }, solver(each)),
    h(
      "td",
      { class: "number samples" },
      each.state === "complete"
        ? grouped(each.samples)
        : [badge(each.state), ` ${grouped(each.graded)} of ${grouped(each.samples)}`],
    ),
    h("td", { class: "number score" }, score ? h("b", null, percent(score.value)) : "–"),
    h("td", { class: "spread" }, score && interval(score)),
    h("td", { class: "bar" }, verdictBar(each.verdicts)),
    h("td", { class: "number fuel" }, short(each.fuel)),
  );
}

const COLUMNS = [
  ["", "choose"],
  ["Name", "name"],
  ["Began", "time"],
  ["Tasks from", "dataset"],
  ["Answers by", "solver"],
  ["Samples", "number"],
  ["pass@1", "number"],
  ["95 % interval", "spread"],
  ["Verdicts", "bar"],
  ["Fuel", "number"],
];

export async function view(main, { signal, go }) {
  document.title = "Evaluations · June";
  const chosen = new Set();
  const compare = h(
    "button",
    {
      type: "button",
      class: "primary",
      disabled: true,
      onclick: () => {
        // The older one is A.
        const [b, a] = all.filter((each) => chosen.has(each.id)).map((each) => each.id);
        go(query("/evaluations/compare", { a, b }));
      },
    },
    "Compare two",
  );
  const body = h("tbody", {
    onchange: ({ target }) => {
      if (target.checked) chosen.add(target.value);
      else chosen.delete(target.value);
      compare.disabled = chosen.size !== 2;
    },
  });
  const about = h("p", { class: "state" });
  const table = h(
    "table",
    { class: "evaluations" },
    h("caption", { class: "unseen" }, "Evaluations, the newest first"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        COLUMNS.map(([name, kind]) =>
          h("th", { scope: "col", class: kind }, name || h("span", { class: "unseen" }, "Choose")),
        ),
      ),
    ),
    body,
  );
  const keyed = h("div");
  let all = [];
  async function load() {
    ({ evaluations: all } = await get("/api/evaluations", signal));
    replace(
      body,
      all.map((each) => row(each, chosen)),
    );
    replace(
      about,
      all.length === 0
        ? ["No evaluation yet. Begin with ", h("code", null, "june eval humaneval --reference"), "."]
        : counted(all.length, "evaluation"),
    );
    table.hidden = all.length === 0;
    const verdicts = {};
    for (const each of all)
      for (const [name, count] of Object.entries(each.verdicts))
        verdicts[name] = (verdicts[name] ?? 0) + count;
    replace(keyed, legend(verdicts));
    if (all.some((each) => each.state === "running")) {
      setTimeout(() => {
        if (!signal.aborted) load().catch(() => {});
      }, AGAIN);
    }
  }
  await load();
  replace(
    main,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Evaluations"), compare),
    about,
    h("div", { class: "wide" }, table),
    keyed,
  );
}
