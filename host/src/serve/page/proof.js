// Verifying the journal and replaying a run, with the real result.

import { post } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { counted, grouped } from "./text.js";

const RESULTS = {
  identical: (each) => `identical: output, ${counted(each.calls, "call")} and fuel ${grouped(each.fuel)}`,
  diverged: (each) => [
    "diverged in ",
    outside(each.what),
    each.call !== null && each.call !== undefined && ` at call ${each.call}`,
  ],
  failed: (each) => ["could not be replayed: ", outside(each.error)],
};

function replays(list) {
  const good = list.every((each) => each.result === "identical");
  tell(good ? "The replay is identical." : "The replay is not identical.");
  return h(
    "div",
    { class: `result ${good ? "good" : "bad"}` },
    h("p", null, h("b", null, good ? "✓ Identical" : "✗ Not identical")),
    h(
      "ul",
      null,
      list.map((each) =>
        h(
          "li",
          null,
          h("a", { href: `/runs/${each.run}` }, `run ${each.run}`),
          " ",
          RESULTS[each.result]?.(each) ?? outside(String(each.result)),
          each.result === "diverged" &&
            h(
              "dl",
              { class: "facts" },
              h("dt", null, "Expected"),
              h("dd", null, h("code", null, outside(String(each.expected)))),
              h("dt", null, "Found"),
              h("dd", null, h("code", null, outside(String(each.found)))),
            ),
        ),
      ),
    ),
  );
}

function verified(result) {
  tell(result.sound ? "The journal is sound." : "The journal is not as it was written.");
  return h(
    "div",
    { class: `result ${result.sound ? "good" : "bad"}` },
    h(
      "p",
      null,
      h("b", null, result.sound ? "✓ The journal is sound" : "✗ The journal is not as it was written"),
    ),
    h(
      "p",
      null,
      `${counted(result.records, "record")} of ${counted(result.runs, "run")}, ${counted(result.checkpoints, "signed checkpoint")}, ${counted(result.blobs, "blob")}`,
      result.unfinished > 0 && `, ${grouped(result.unfinished)} unfinished`,
    ),
    h("p", { class: "about" }, "root ", h("code", null, outside(result.root ?? "–"))),
    result.problems.length > 0 &&
      h(
        "ul",
        null,
        result.problems
          .slice(0, 50)
          .map((problem) =>
            h("li", null, outside(typeof problem === "string" ? problem : JSON.stringify(problem))),
          ),
      ),
    result.problem_count > 50 && h("p", null, `${grouped(result.problem_count)} problems in all`),
  );
}

/** A button that asks the host, and shows what came of it. */
function ask(label, busy, path, render, holder, signal) {
  const button = h(
    "button",
    {
      type: "button",
      onclick: async () => {
        button.disabled = true;
        replace(button, busy);
        try {
          replace(holder, render(await post(path, {}, signal)));
        } catch (error) {
          if (signal.aborted) return;
          replace(
            holder,
            h(
              "div",
              { class: "problem", role: "alert" },
              error.message,
              error.hint && h("p", { class: "hint" }, error.hint),
            ),
          );
        }
        button.disabled = false;
        replace(button, label);
      },
    },
    label,
  );
  return button;
}

/** Whether the journal is as it was written, and whether the run does the same again. */
export function proof(run, signal) {
  const holder = h("div", { "aria-live": "polite" });
  const path = `/api/runs/${run.run}`;
  return h(
    "section",
    { class: "card proof", "aria-labelledby": "proof" },
    h("h2", { id: "proof" }, "Proof"),
    h(
      "p",
      { class: "about" },
      "Is every byte of the journal as it was written, and does this run do the same again?",
    ),
    h(
      "p",
      { class: "buttons" },
      ask("Verify", "Verifying…", `${path}/verify`, verified, holder, signal),
      ask("Replay", "Replaying…", `${path}/replay`, (found) => replays(found.replays), holder, signal),
    ),
    holder,
  );
}
