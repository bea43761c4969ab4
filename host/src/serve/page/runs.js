// The list of runs: search, filters, and as many as one scrolls for.

import { get, query } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { badge, moment, reviewMarks } from "./marks.js";
import { bytes, counted, grouped, short, took } from "./text.js";

// The first piece is small, so that it is seen at once.
const FIRST = 50;
const PAGE = 150;
// More rows than this make a page slow: the list goes on in a new one.
const MOST = 2000;
// Milliseconds between the last key and the request; a choice or a tick asks at once.
const PAUSE = 60;
// Milliseconds between two questions to a host that makes its index.
const PATIENCE = 1000;

const OUTCOMES = [
  "returned",
  "raised",
  "exited",
  "out-of-fuel",
  "out-of-memory",
  "timed-out",
  "crashed",
  "given-up",
  "unfinished",
];
const WORLDS = ["strategy", "tool", "runner", "chat"];
const SPANS = [
  ["", "any time"],
  ["1h", "last hour"],
  ["1d", "last day"],
  ["7d", "last 7 days"],
  ["30d", "last 30 days"],
];
const LENGTH = { h: 3600e3, d: 86400e3 };
const FILTERS = ["q", "world", "outcome", "session", "component", "denied", "since", "until", "before"];

// What was shown when the list was left, to be there again when the visitor comes back.
let kept = null;

function row(run) {
  const cell = (name, ...content) => h("td", { class: name }, content);
  const denied = run.denied > 0;
  return h(
    "tr",
    { class: denied ? "denied" : null },
    cell(
      "run",
      h(
        "a",
        { href: `/runs/${run.run}`, "data-item": true, "aria-label": `Run ${run.run}, ${run.name}` },
        run.run,
      ),
    ),
    cell("time", moment(run.time)),
    cell(
      "name",
      outside(run.name),
      run.detail && h("span", { class: "detail", title: run.detail }, outside(run.detail)),
    ),
    cell("world", run.world),
    cell("session", outside(run.session)),
    cell("outcome", badge(run.outcome)),
    cell("number fuel", h("span", { title: `fuel ${grouped(run.fuel)}` }, short(run.fuel))),
    cell("number calls", grouped(run.calls)),
    cell(denied ? "number denials" : "number zero", denied ? h("strong", null, grouped(run.denied)) : "0"),
    cell("number duration", h("span", { title: `memory ${bytes(run.peak_memory)}` }, took(run.duration))),
    cell("reviews", reviewMarks(run.reviews)),
  );
}

const COLUMNS = [
  ["Run", "run"],
  ["Began", "time"],
  ["Name", "name"],
  ["World", "world"],
  ["Session", "session"],
  ["Outcome", "outcome"],
  ["Fuel", "number"],
  ["Calls", "number"],
  ["Denied", "number"],
  ["Took", "number"],
  ["Reviews", "reviews"],
];

function choice(name, label, options, chosen) {
  const known = options.some(([value]) => value === chosen);
  return h(
    "label",
    null,
    h("span", { class: "unseen" }, label),
    h(
      "select",
      { name },
      options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
      !known && h("option", { value: chosen, selected: true }, chosen),
    ),
  );
}

function form(values) {
  const field = (name, label) =>
    h(
      "label",
      null,
      h("span", null, label),
      h("input", {
        name,
        value: values[name],
        type: "text",
        autocomplete: "off",
        autocapitalize: "off",
        spellcheck: "false",
        placeholder: "any",
      }),
    );
  const more = ["session", "component", "since", "until"].some((name) => values[name]);
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Runs" },
    h(
      "label",
      { class: "search" },
      h("span", { class: "unseen" }, "Search"),
      h("input", {
        name: "q",
        type: "search",
        value: values.q,
        placeholder: "Search runs: name, session, how it ended, number…",
        autocomplete: "off",
        autocapitalize: "off",
        spellcheck: "false",
        "data-search": true,
        "aria-keyshortcuts": "/",
      }),
      h("kbd", { "aria-hidden": "true" }, "/"),
    ),
    choice("world", "World", [["", "any world"], ...WORLDS.map((world) => [world, world])], values.world),
    choice(
      "outcome",
      "Outcome",
      [["", "any outcome"], ...OUTCOMES.map((outcome) => [outcome, outcome])],
      values.outcome,
    ),
    h(
      "label",
      { class: "tick" },
      h("input", { type: "checkbox", name: "denied", value: "true", checked: values.denied === "true" }),
      h("span", null, "denied calls only"),
    ),
    h(
      "details",
      { open: more },
      h("summary", null, "More filters"),
      h(
        "div",
        null,
        field("session", "Session"),
        field("component", "Component"),
        choice("since", "Since", SPANS, values.since),
        h(
          "label",
          null,
          h("span", null, "Until"),
          h("input", { name: "until", type: "datetime-local", value: values.until }),
        ),
      ),
    ),
    h("button", { type: "reset", class: "quiet" }, "Clear"),
  );
}

/** A span ("7d") or a date as milliseconds of Unix time. */
function point(text) {
  const span = /^(\d{1,4})([hd])$/.exec(text);
  const time = span ? Date.now() - Number(span[1]) * LENGTH[span[2]] : Date.parse(text);
  return text && Number.isFinite(time) ? String(Math.trunc(time)) : "";
}

const asked = (values, before = null) =>
  query("/api/runs", {
    ...values,
    since: point(values.since),
    until: point(values.until),
    before: before ?? values.before,
    limit: before === null ? FIRST : PAGE,
  });

export async function view(main, { query: address, signal, back, go }) {
  document.title = "Runs · June";
  const values = Object.fromEntries(FILTERS.map((name) => [name, address.get(name) ?? ""]));
  const filters = form(values);
  const body = h("tbody");
  const state = h("p", { class: "state" });
  const end = h("div", { class: "end" });
  const table = h(
    "table",
    { class: "runs" },
    h("caption", { class: "unseen" }, "Runs, the newest first"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        COLUMNS.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)),
      ),
    ),
    body,
  );
  let rows = [];
  let more = false;
  let current = new AbortController();
  signal.addEventListener("abort", () => current.abort());

  const watcher = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) older();
    },
    { rootMargin: "800px" },
  );
  signal.addEventListener("abort", () => watcher.disconnect());

  function count() {
    const text =
      rows.length === 0
        ? "No run is like that."
        : `${counted(rows.length, "run")}${more ? ", and more" : ""}`;
    replace(state, text);
    table.hidden = rows.length === 0;
    const goesOn = more && rows.length >= MOST;
    const address = query("/", { ...values, before: rows.at(-1)?.run });
    replace(
      end,
      values.before && h("a", { href: query("/", { ...values, before: "" }) }, "From the newest"),
      goesOn && h("a", { href: address }, `Older than run ${rows.at(-1).run}`),
    );
  }

  function append(found) {
    rows.push(...found.runs);
    more = found.more;
    body.append(...found.runs.map(row));
    count();
    // Where it is still in sight, it is not told again by itself.
    watcher.unobserve(end);
    if (more && rows.length < MOST) watcher.observe(end);
  }

  let fetching = false;
  async function older() {
    if (fetching || !more || rows.length >= MOST) return;
    fetching = true;
    const { signal: mine } = current;
    try {
      append(await get(asked(values, rows.at(-1).run), mine));
    } catch (error) {
      if (!mine.aborted) {
        watcher.unobserve(end);
        replace(
          end,
          h("p", { class: "problem", role: "alert" }, error.message),
          h(
            "button",
            {
              type: "button",
              onclick: () => {
                count();
                older();
              },
            },
            "Again",
          ),
        );
      }
    } finally {
      if (current.signal === mine) fetching = false;
    }
  }

  let pause = 0;
  async function search() {
    current.abort();
    current = new AbortController();
    fetching = false;
    const { signal: mine } = current;
    table.setAttribute("aria-busy", "true");
    try {
      const found = await get(asked(values), mine);
      rows = [];
      body.replaceChildren();
      append(found);
      tell(state.textContent);
    } catch (error) {
      if (mine.aborted) return;
      rows = [];
      body.replaceChildren();
      table.hidden = true;
      if (error.status === 503) {
        replace(state, error.message);
        pause = setTimeout(search, PATIENCE);
      } else replace(state, h("span", { class: "problem", role: "alert" }, error.message, " ", error.hint));
    }
    table.removeAttribute("aria-busy");
  }

  function changed({ target }) {
    const data = new FormData(filters);
    for (const name of FILTERS) values[name] = String(data.get(name) ?? "").trim();
    history.replaceState(null, "", query("/", values));
    clearTimeout(pause);
    if (target.matches("select, [type=checkbox]")) search();
    else pause = setTimeout(search, PAUSE);
  }
  filters.addEventListener("input", changed);
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    if (/^\d+$/.test(values.q) && rows.some((run) => String(run.run) === values.q)) go(`/runs/${values.q}`);
  });
  filters.addEventListener("reset", (event) => {
    event.preventDefault();
    go("/");
  });
  // The whole of a row opens its run; text can still be chosen.
  body.addEventListener("click", (event) => {
    if (event.target.closest("a, button") || getSelection().toString()) return;
    event.target.closest("tr")?.querySelector("a").click();
  });
  signal.addEventListener("abort", () => {
    clearTimeout(pause);
    const focused = document.activeElement?.closest?.("tbody a")?.getAttribute("href");
    kept = { address: query("/", values), rows, more, scroll: window.scrollY, focused };
  });

  const show = () =>
    replace(
      main,
      h("div", { class: "head" }, h("h1", { tabindex: "-1", class: "unseen" }, "Runs"), filters),
      state,
      h("div", { class: "wide" }, table),
      end,
    );
  if (back && kept?.address === query("/", values)) {
    append({ runs: kept.rows, more: kept.more });
    show();
    window.scrollTo(0, kept.scroll);
    if (kept.focused)
      body.querySelector(`a[href="${CSS.escape(kept.focused)}"]`)?.focus({ preventScroll: true });
    return;
  }
  replace(state, "Looking…");
  table.hidden = true;
  show();
  await search();
}
