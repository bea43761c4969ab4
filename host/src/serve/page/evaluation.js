// One evaluation: its scores, its verdicts, and its tasks with their samples and their history.

import { get, query } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { badge, digest, moment } from "./marks.js";
import { interval, legend, passAtK, verdictBar } from "./plots.js";
import { solver } from "./evaluations.js";
import { bytes, counted, grouped, percent, short } from "./text.js";

const PIECE = 200;

const fact = (name, ...content) => h("div", null, h("dt", null, name), h("dd", null, content));

function tally(samples) {
  const verdicts = {};
  for (const { verdict } of samples) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return verdicts;
}

function samplesOf(task) {
  return h(
    "table",
    { class: "samples" },
    h("caption", { class: "unseen" }, `Samples of ${task.task_id}`),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["Sample", "Verdict", "Why", "Fuel", "Run"].map((name) =>
          h("th", { scope: "col", class: name === "Fuel" ? "number" : null }, name),
        ),
      ),
    ),
    h(
      "tbody",
      null,
      [...task.samples]
        .sort((a, b) => a.completion_id - b.completion_id)
        .map((each) =>
          h(
            "tr",
            null,
            h("td", null, `#${each.completion_id}`),
            h("td", null, badge(each.verdict)),
            h(
              "td",
              { class: "why" },
              each.assertion ? h("code", null, outside(each.assertion)) : outside(each.detail ?? ""),
            ),
            h("td", { class: "number" }, short(each.fuel)),
            h(
              "td",
              null,
              each.run === null || each.run === undefined
                ? "–"
                : h("a", { href: `/runs/${each.run}` }, `run ${each.run}`),
            ),
          ),
        ),
    ),
  );
}

function historyOf(task, evaluation) {
  const holder = h("div");
  const button = h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: async () => {
        button.disabled = true;
        try {
          const { history } = await get(
            query("/api/evaluations/history", { tasks: evaluation.tasks_digest, task_id: task.task_id }),
          );
          replace(
            holder,
            h(
              "table",
              { class: "history" },
              h("caption", null, "This task in every evaluation of these tasks"),
              h(
                "thead",
                null,
                h(
                  "tr",
                  null,
                  ["Evaluation", "Began", "Passed", ""].map((name) =>
                    h(
                      "th",
                      { scope: "col", class: name === "Passed" ? "number" : null },
                      name || h("span", { class: "unseen" }, "Share"),
                    ),
                  ),
                ),
              ),
              h(
                "tbody",
                null,
                history.map((each) =>
                  h(
                    "tr",
                    null,
                    h(
                      "td",
                      null,
                      h(
                        "a",
                        {
                          href: `/evaluations/${encodeURIComponent(each.id)}`,
                          "aria-current": each.id === evaluation.id ? "true" : null,
                        },
                        outside(each.id),
                      ),
                    ),
                    h("td", null, each.began === null ? "–" : moment(each.began)),
                    h("td", { class: "number" }, `${grouped(each.passed)} of ${grouped(each.samples)}`),
                    h(
                      "td",
                      { class: "bar" },
                      verdictBar({ passed: each.passed, failed: each.samples - each.passed }),
                    ),
                  ),
                ),
              ),
            ),
          );
        } catch (error) {
          button.disabled = false;
          replace(holder, h("p", { class: "problem", role: "alert" }, error.message), button);
        }
      },
    },
    "History of this task",
  );
  holder.append(button);
  return holder;
}

function taskRow(task, evaluation) {
  const passed = task.samples.filter((each) => each.verdict === "passed").length;
  const fuel = task.samples.reduce((most, each) => Math.max(most, each.fuel), 0);
  const body = h("div", { class: "body" });
  const details = h(
    "details",
    {
      class: "task",
      ontoggle: () => {
        if (details.open && !body.hasChildNodes())
          replace(body, samplesOf(task), historyOf(task, evaluation));
      },
    },
    h(
      "summary",
      { "data-item": true },
      h("span", { class: "task-name" }, outside(task.task_id)),
      h("span", { class: "bar" }, verdictBar(tally(task.samples))),
      h(
        "span",
        { class: passed === task.samples.length ? "number all" : passed === 0 ? "number nil" : "number" },
        `${passed} of ${task.samples.length}`,
      ),
      h("span", { class: "number about", title: `most fuel of a sample: ${grouped(fuel)}` }, short(fuel)),
    ),
    body,
  );
  return h("li", null, details);
}

function tasksOf(tasks, evaluation, address) {
  const list = h("ul", { class: "tasks" });
  const state = h("p", { class: "state" });
  const search = h("input", {
    type: "search",
    placeholder: "Search tasks",
    "aria-label": "Search tasks",
    value: address.get("q") ?? "",
    "data-search": true,
    autocomplete: "off",
  });
  const which = h(
    "select",
    { "aria-label": "Which tasks" },
    [
      ["", "all tasks"],
      ["some", "some failed"],
      ["none", "none passed"],
      ["all", "all passed"],
    ].map(([value, text]) => h("option", { value, selected: value === (address.get("which") ?? "") }, text)),
  );
  const fits = {
    "": () => true,
    some: (passed, all) => passed < all,
    none: (passed) => passed === 0,
    all: (passed, all) => passed === all,
  };
  let most = PIECE;
  const show = () => {
    const words = search.value.toLowerCase().trim();
    const found = tasks.filter(
      ({ task_id: name, samples }) =>
        String(name).toLowerCase().includes(words) &&
        (fits[which.value] ?? fits[""])(
          samples.filter((each) => each.verdict === "passed").length,
          samples.length,
        ),
    );
    replace(state, counted(found.length, "task"));
    replace(
      list,
      found.slice(0, most).map((task) => taskRow(task, evaluation)),
      found.length > most &&
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              onclick: () => {
                most += PIECE;
                show();
              },
            },
            "Show more",
          ),
        ),
    );
  };
  const changed = () => {
    most = PIECE;
    history.replaceState(null, "", query(location.pathname, { q: search.value, which: which.value }));
    show();
    tell(state.textContent);
  };
  search.addEventListener("input", changed);
  which.addEventListener("change", changed);
  show();
  return h(
    "section",
    { "aria-labelledby": "tasks" },
    h(
      "div",
      { class: "title" },
      h("h2", { id: "tasks" }, "Tasks"),
      h("span", { class: "filters" }, search, which),
    ),
    state,
    list,
  );
}

export async function view(main, { argument, query: address, signal }) {
  const { evaluation, tasks } = await get(`/api/evaluations/${encodeURIComponent(argument)}`, signal);
  document.title = `${evaluation.id} · June`;
  const scores = Object.entries(evaluation.pass_at_k ?? {});
  replace(
    main,
    h(
      "article",
      { class: "evaluation" },
      h(
        "header",
        { class: "run-head" },
        h(
          "nav",
          { "aria-label": "Where this is" },
          h("a", { href: "/evaluations", "data-up": true }, "Evaluations"),
          " ›",
        ),
        h(
          "h1",
          { tabindex: "-1" },
          outside(evaluation.id),
          " ",
          evaluation.state !== "complete" && badge(evaluation.state),
        ),
        h(
          "p",
          { class: "under" },
          "tasks from ",
          outside(evaluation.dataset),
          ", answers by ",
          solver(evaluation),
          evaluation.began !== null && [", ", moment(evaluation.began)],
        ),
        evaluation.error && h("p", { class: "problem" }, outside(evaluation.error)),
        h(
          "dl",
          { class: "numbers" },
          fact("Tasks", grouped(evaluation.tasks)),
          fact(
            "Samples",
            evaluation.state === "complete"
              ? grouped(evaluation.samples)
              : `${grouped(evaluation.graded)} of ${grouped(evaluation.samples)}`,
          ),
          fact("Passed", grouped(evaluation.passed)),
          fact("Fuel", h("span", { title: grouped(evaluation.fuel) }, short(evaluation.fuel))),
          fact("Peak memory", bytes(evaluation.peak_memory)),
          fact("Tasks' digest", digest(evaluation.tasks_digest)),
        ),
        h(
          "p",
          null,
          h("a", { href: query("/", { session: evaluation.id }) }, "Its runs"),
          " · ",
          h("a", { href: query("/evaluations/compare", { b: evaluation.id }) }, "Compare with another"),
        ),
      ),
      h(
        "div",
        { class: "plots" },
        scores.length > 0 &&
          h(
            "section",
            { class: "card", "aria-labelledby": "scores" },
            h("h2", { id: "scores" }, "pass@k"),
            passAtK(evaluation.pass_at_k),
            h(
              "table",
              { class: "scores" },
              h("caption", { class: "unseen" }, "pass@k with 95 % intervals"),
              h(
                "thead",
                null,
                h(
                  "tr",
                  null,
                  ["k", "pass@k", "95 % interval", ""].map((name) =>
                    h("th", { scope: "col" }, name || h("span", { class: "unseen" }, "Plot")),
                  ),
                ),
              ),
              h(
                "tbody",
                null,
                scores.map(([k, score]) =>
                  h(
                    "tr",
                    null,
                    h("td", null, k),
                    h("td", null, h("b", null, percent(score.value))),
                    h("td", null, `${percent(score.low)} to ${percent(score.high)}`),
                    h("td", null, interval(score)),
                  ),
                ),
              ),
            ),
          ),
        h(
          "section",
          { class: "card", "aria-labelledby": "verdicts" },
          h("h2", { id: "verdicts" }, "Verdicts"),
          verdictBar(evaluation.verdicts),
          legend(evaluation.verdicts),
        ),
      ),
      tasksOf(tasks, evaluation, address),
    ),
  );
}
