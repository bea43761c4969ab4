// Two evaluations over the same tasks: which is better, where, and may it be chance?

import { get, query } from "./api.js";
import { h, outside, replace } from "./dom.js";
import { difference } from "./plots.js";
import { counted, grouped, percent, points } from "./text.js";

const TESTS = { mcnemar: "exact McNemar test", permutation: "permutation test over tasks" };

function chooser(all, a, b, common, go) {
  const select = (name, label, chosen) =>
    h(
      "label",
      null,
      h("span", null, label),
      h(
        "select",
        { name },
        h("option", { value: "" }, "choose…"),
        all.map((each) => h("option", { value: each.id, selected: each.id === chosen }, each.id)),
      ),
    );
  const form = h(
    "form",
    {
      class: "filters compare",
      onchange: () => {
        const data = new FormData(form);
        go(query("/evaluations/compare", { a: data.get("a"), b: data.get("b"), common: data.get("common") }));
      },
    },
    select("a", "A", a),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        title: "Swap A and B",
        "aria-label": "Swap A and B",
        onclick: () => go(query("/evaluations/compare", { a: b, b: a, common })),
      },
      "⇄",
    ),
    select("b", "B", b),
    h(
      "label",
      { class: "tick" },
      h("input", { type: "checkbox", name: "common", value: "true", checked: common === "true" }),
      h("span", null, "only the tasks that both have"),
    ),
  );
  return form;
}

function flipped(title, list, a, b) {
  return h(
    "section",
    { class: "card" },
    h("h2", null, title, " ", h("span", { class: "about" }, grouped(list.length))),
    list.length === 0
      ? h("p", { class: "none" }, "No task.")
      : h(
          "table",
          { class: "flipped" },
          h("caption", { class: "unseen" }, title),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              ["Task", "A", "B", "Change"].map((name) =>
                h("th", { scope: "col", class: name === "Task" ? null : "number" }, name),
              ),
            ),
          ),
          h(
            "tbody",
            null,
            list.slice(0, 500).map((each) =>
              h(
                "tr",
                null,
                h("td", null, outside(each.task_id)),
                h(
                  "td",
                  { class: "number" },
                  h(
                    "a",
                    {
                      "data-item": true,
                      href: query(`/evaluations/${encodeURIComponent(a)}`, { q: each.task_id }),
                    },
                    percent(each.a),
                  ),
                ),
                h(
                  "td",
                  { class: "number" },
                  h(
                    "a",
                    { href: query(`/evaluations/${encodeURIComponent(b)}`, { q: each.task_id }) },
                    percent(each.b),
                  ),
                ),
                h("td", { class: `number ${each.b > each.a ? "up" : "down"}` }, points(each.b - each.a)),
              ),
            ),
          ),
        ),
    list.length > 500 && h("p", { class: "none" }, `and ${grouped(list.length - 500)} more`),
  );
}

function result(found, a, b) {
  const { value, low, high } = found.difference;
  const apart = low > 0 || high < 0;
  const chance = found.p_value >= 0.05;
  const side = (letter, id, each) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, letter),
      h("td", null, h("a", { href: `/evaluations/${encodeURIComponent(id)}` }, outside(id))),
      h("td", { class: "number" }, `${grouped(each.passed)} of ${grouped(each.samples)}`),
      h("td", { class: "number" }, h("b", null, percent(each.pass_at_1))),
    );
  return h(
    "div",
    null,
    h(
      "div",
      { class: "plots" },
      h(
        "section",
        { class: "card", "aria-labelledby": "difference" },
        h("h2", { id: "difference" }, "Difference in pass@1"),
        h(
          "p",
          { class: "headline" },
          h("b", null, points(value)),
          "percentage points ",
          h("span", { class: "about" }, `${points(low)} to ${points(high)}, 95 % interval`),
        ),
        difference(found.difference),
        h(
          "p",
          null,
          !apart
            ? "Neither is better for certain: the interval has 0 in it."
            : chance
              ? "Neither is better for certain: so few tasks may differ by chance."
              : value > 0
                ? "B is better than A."
                : "A is better than B.",
          ` p = ${found.p_value < 0.0001 ? "below 0.0001" : found.p_value.toFixed(4)}, ${TESTS[found.test] ?? found.test}.`,
        ),
      ),
      h(
        "section",
        { class: "card", "aria-labelledby": "sides" },
        h("h2", { id: "sides" }, "Both"),
        h(
          "table",
          null,
          h("caption", { class: "unseen" }, "Both evaluations"),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              h("td"),
              ["Evaluation", "Passed", "pass@1"].map((name) =>
                h("th", { scope: "col", class: name === "Evaluation" ? null : "number" }, name),
              ),
            ),
          ),
          h("tbody", null, side("A", a, found.a), side("B", b, found.b)),
        ),
        h(
          "p",
          { class: "about" },
          `${counted(found.tasks, "task")} compared`,
          found.left_out > 0 && `, ${grouped(found.left_out)} left out that only one has`,
          found.same_tasks ? ", the same to the byte." : ", matched by their names: their texts differ.",
        ),
      ),
    ),
    h(
      "div",
      { class: "plots" },
      flipped("B gained", found.gained, a, b),
      flipped("B lost", found.lost, a, b),
    ),
  );
}

export async function view(main, { query: address, signal, go }) {
  document.title = "Compare · June";
  const [a, b, common] = ["a", "b", "common"].map((name) => address.get(name) ?? "");
  const { evaluations } = await get("/api/evaluations", signal);
  const head = [
    h(
      "nav",
      { "aria-label": "Where this is" },
      h("a", { href: "/evaluations", "data-up": true }, "Evaluations"),
      " › compare",
    ),
    h("h1", { tabindex: "-1" }, "Compare two evaluations"),
    chooser(
      evaluations.filter((each) => each.state === "complete"),
      a,
      b,
      common,
      go,
    ),
  ];
  if (!a || !b) {
    replace(main, head, h("p", { class: "none" }, "Choose an evaluation for A, and one for B."));
    return;
  }
  try {
    const found = await get(query("/api/evaluations/compare", { a, b, common }), signal);
    document.title = `${a} and ${b} · June`;
    replace(main, head, result(found, a, b));
  } catch (error) {
    if (signal.aborted) return;
    replace(
      main,
      head,
      h(
        "div",
        { class: "problem", role: "alert" },
        error.message,
        error.hint && h("p", { class: "hint" }, error.hint),
      ),
    );
  }
}
