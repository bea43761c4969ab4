// Runs as they begin and end.

import { events, get } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { badge, moment } from "./marks.js";
import { counted, grouped, short, took } from "./text.js";

const MOST = 200;
// Between two attempts to listen again, the first and the longest.
const [PATIENCE, LONGEST] = [1000, 15_000];

export async function view(main, { signal }) {
  document.title = "Live · June";
  const list = h("ol", { class: "live" });
  const state = h("span", { class: "link" });
  const figures = h("p", { class: "state" });
  const rows = new Map();
  let [began, ended, denied, paused] = [0, 0, 0, false];
  const pause = h(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      onclick: () => {
        paused = !paused;
        pause.setAttribute("aria-pressed", String(paused));
        pause.textContent = paused ? "Go on" : "Pause";
        if (!paused) draw();
      },
    },
    "Pause",
  );
  const runs = new Map();
  let due = false;

  function row(run) {
    const busy = run.outcome === "unfinished";
    return h(
      "li",
      { class: `${busy ? "busy" : "done"}${run.denied > 0 ? " denied" : ""}` },
      h(
        "a",
        { href: `/runs/${run.run}`, "data-item": true },
        h("span", { class: "index" }, run.run),
        h("b", null, outside(run.name)),
      ),
      h("span", { class: "about" }, run.world, run.session && [" · ", outside(run.session)]),
      badge(run.outcome, busy ? "running" : run.outcome),
      h("span", { class: "detail" }, outside(run.detail)),
      run.denied > 0 && badge("denied", `${grouped(run.denied)} denied`),
      h(
        "span",
        { class: "number", "data-began": busy ? run.time : null },
        busy ? "" : `${short(run.fuel)} · ${took(run.duration)}`,
      ),
      moment(run.time),
    );
  }

  // However fast they come, the page is drawn once a frame.
  function draw() {
    due = false;
    if (paused || signal.aborted) return;
    const newest = [...runs.values()].sort((a, b) => b.run - a.run).slice(0, MOST);
    runs.clear();
    for (const run of newest) runs.set(run.run, run);
    const elements = newest.map((run) => {
      const kept = rows.get(run.run);
      if (kept?.run === run) return kept.element;
      const element = row(run);
      rows.set(run.run, { run, element });
      return element;
    });
    for (const number of rows.keys()) if (!runs.has(number)) rows.delete(number);
    const focused = document.activeElement;
    elements.forEach((element, at) => {
      if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    });
    while (list.children.length > elements.length) list.lastElementChild.remove();
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    const busy = newest.filter((run) => run.outcome === "unfinished").length;
    replace(
      figures,
      `${counted(busy, "run")} under way. Since this page was opened ${grouped(began)} began, ${grouped(ended)} ended, ${grouped(denied)} with denied calls.`,
    );
    tick();
  }

  function tick() {
    for (const element of list.querySelectorAll("[data-began]")) {
      element.textContent = took(Math.max(0, Date.now() - Number(element.dataset.began)) * 1000);
    }
  }
  const timer = setInterval(tick, 500);
  signal.addEventListener("abort", () => clearInterval(timer));

  function take(run) {
    runs.set(run.run, run);
    if (runs.size > MOST * 4) draw();
    if (!due) {
      due = true;
      requestAnimationFrame(draw);
    }
  }

  async function listen() {
    let wait = PATIENCE;
    while (!signal.aborted) {
      try {
        const stream = events("/api/live", signal);
        const first = stream.next();
        // Where the list fails first, nobody waits for this.
        first.catch(() => {});
        const { runs: newest } = await get("/api/runs?limit=50", signal);
        for (const run of newest) if (!runs.has(run.run)) take(run);
        state.className = "link on";
        state.textContent = "listening";
        for (let { done, value } = await first; !done; { done, value } = await stream.next()) {
          wait = PATIENCE;
          if (value.event === "began") began += 1;
          else if (value.event === "ended") {
            ended += 1;
            if (value.data.denied > 0) {
              denied += 1;
              tell(`Run ${value.data.run}, ${value.data.name}: ${value.data.denied} denied`);
            }
          } else continue;
          take(value.data);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 403) throw error;
      }
      state.className = "link off";
      state.textContent = "not connected, trying again";
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST);
    }
  }

  replace(
    main,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Live"), state, pause),
    figures,
    list,
  );
  state.textContent = "connecting";
  // It goes on for as long as the view is shown.
  listen().catch((error) => {
    if (!signal.aborted) replace(figures, h("span", { class: "problem", role: "alert" }, error.message));
  });
}
