// One run: what it was granted and given, what it did, what it was denied, how it ended.

import { getExactly } from "./api.js";
import { h, outside, replace } from "./dom.js";
import { badge, digest, kind, moment } from "./marks.js";
import { meter, strip } from "./plots.js";
import { proof } from "./proof.js";
import { grants, read } from "./records.js";
import { reviews } from "./reviews.js";
import { steps } from "./steps.js";
import { bytes, grouped, short, took } from "./text.js";

const fact = (name, ...content) => h("div", null, h("dt", null, name), h("dd", null, content));

/** A limit as people write it. */
function bound(name, value) {
  if (["call-bytes", "files", "memory", "output", "random", "reply"].includes(name)) return bytes(value);
  return name === "wall-ms" ? took(value * 1000) : grouped(value);
}

function header(run, { start, end }) {
  const limits = start?.limits ?? {};
  const share = (used, limit, what) =>
    Number(limit) > 0 &&
    used !== null &&
    meter(used / limit, `${((used / limit) * 100).toFixed(1)} % of the ${what} allowed`);
  return h(
    "header",
    { class: "run-head" },
    h(
      "nav",
      { "aria-label": "Where this is" },
      h("a", { href: "/", "data-up": true }, "Runs"),
      " › run ",
      String(run.run),
    ),
    h("h1", { tabindex: "-1" }, outside(run.name), " ", badge(run.outcome)),
    h(
      "p",
      { class: "under" },
      run.world,
      run.session && [
        " in session ",
        h("a", { href: `/?session=${encodeURIComponent(run.session)}` }, outside(run.session)),
      ],
      ", ",
      moment(run.time),
    ),
    run.detail && h("p", { class: `ended ${kind(run.outcome)}` }, outside(run.detail)),
    h(
      "dl",
      { class: "numbers" },
      fact(
        "Fuel",
        h("span", { title: grouped(run.fuel) }, short(run.fuel)),
        share(run.fuel, limits.fuel, "fuel"),
      ),
      fact("Memory", bytes(run.peak_memory), share(run.peak_memory, limits.memory, "memory")),
      fact("Took", took(run.duration)),
      fact(
        "Calls",
        grouped(run.calls),
        run.denied > 0 && [" ", badge("denied", `${grouped(run.denied)} denied`)],
      ),
      start && fact("Seed", grouped(start.seed)),
      fact("Component", digest(run.component)),
    ),
    start &&
      h(
        "details",
        { class: "more-facts" },
        h("summary", null, "Limits, engine and policy"),
        h(
          "dl",
          { class: "facts" },
          h("dt", null, "Engine"),
          h("dd", null, outside(start.engine), " ", digest(start.configuration)),
          h("dt", null, "Policy"),
          h("dd", null, digest(start.policy)),
          h("dt", null, "Its clock begins"),
          h("dd", null, moment(start.epoch * 1000)),
          end && [h("dt", null, "Entries into the host"), h("dd", null, grouped(end.entries))],
          Object.entries(limits).map(([name, value]) => [
            h("dt", null, "Limit: ", outside(name)),
            h("dd", null, bound(name, value)),
          ]),
        ),
      ),
  );
}

function lines(run, happened) {
  const { start, calls, denials } = happened;
  if (!start || calls.length === 0) return null;
  const fuel = Number(run.fuel ?? 0);
  const total = Number(run.duration ?? 0);
  let before = 0;
  const segments = { time: [], fuel: [] };
  for (const { number, function: name, time, answer } of calls) {
    if (!answer) continue;
    const href = `#call-${number}`;
    const word = name.startsWith("june:agent/llm") ? "model" : "call";
    const title = `${number}: ${name}`;
    // The records' times are whole milliseconds: no call begins before the one before it ended.
    const from = Math.max((time - start.time) * 1000, before);
    before = from + answer.duration_us;
    segments.time.push({
      from,
      to: before,
      href,
      kind: word,
      title: `${title}, ${took(answer.duration_us)}`,
    });
    const used = Number(start.limits.fuel);
    segments.fuel.push({
      from: used - answer.fuel_before,
      to: used - answer.fuel_after,
      href,
      kind: word,
      title: `${title}, fuel ${grouped(answer.fuel_before - answer.fuel_after)}`,
    });
  }
  for (const { number, time, reason } of denials) {
    const from = (time - start.time) * 1000;
    segments.time.push({
      from,
      to: from,
      href: `#call-${number}`,
      kind: "refused",
      title: `${number}: denied, ${reason}`,
    });
  }
  const sum = (list) => list.reduce((all, { from, to }) => all + to - from, 0);
  const [busy, burnt] = [sum(segments.time), sum(segments.fuel)];
  const longest = Math.max(total, before);
  return h(
    "section",
    { class: "lines", "aria-label": "Where time and fuel went" },
    h(
      "figure",
      null,
      h("figcaption", null, h("b", null, "Time"), ` ${took(longest)}, ${took(busy)} of it in calls`),
      strip(longest, segments.time),
    ),
    h(
      "figure",
      null,
      h("figcaption", null, h("b", null, "Fuel"), ` ${short(fuel)}, ${short(burnt)} of it in calls`),
      strip(fuel, segments.fuel),
    ),
    h(
      "p",
      { class: "key" },
      h("i", { class: "model" }),
      "models ",
      h("i", { class: "call" }),
      "tools and other calls ",
      denials.length > 0 && [h("i", { class: "refused" }), "denied "],
      h("i", { class: "ground" }),
      "its own code",
    ),
  );
}

function granted(happened) {
  const list = grants(happened);
  const { denials } = happened;
  return h(
    "section",
    { class: "card grants", "aria-labelledby": "grants" },
    h("h2", { id: "grants" }, "Grants"),
    list.length === 0 && h("p", { class: "none" }, "It was granted nothing."),
    h(
      "ul",
      null,
      list.map(({ grant, uses }) =>
        h(
          "li",
          { class: uses > 0 ? "used" : "unused" },
          h("span", { class: "grant" }, outside(grant)),
          h("span", { class: "about" }, uses > 0 ? `used ${grouped(uses)}×` : "unused"),
        ),
      ),
    ),
    h("h3", null, "Denied"),
    denials.length === 0
      ? h("p", { class: "none" }, "Nothing was denied.")
      : h(
          "ul",
          { class: "denials" },
          denials
            .slice(0, 50)
            .map((denial) =>
              h(
                "li",
                null,
                h("a", { href: `#call-${denial.number}` }, outside(denial.function.replace(/^.*\//, ""))),
                h("span", { class: "about" }, outside(denial.reason)),
              ),
            ),
          denials.length > 50 && h("li", null, `and ${grouped(denials.length - 50)} more`),
        ),
  );
}

function tree(run, runs, more) {
  const children = new Map();
  const known = new Set(runs.map((each) => each.run));
  for (const each of runs) {
    const parent = known.has(each.parent) ? each.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), each]);
  }
  // Each run has a place above it, so that none is met twice, and this ends.
  const branch = (list) =>
    list &&
    h(
      "ul",
      null,
      list.map((each) =>
        h(
          "li",
          null,
          h(
            "a",
            { href: `/runs/${each.run}`, "aria-current": each.run === run.run ? "true" : null },
            h("span", { class: `dot ${kind(each.outcome)}`, title: each.outcome }),
            outside(each.name),
            " ",
            h("span", { class: "about" }, each.world),
          ),
          h(
            "span",
            { class: "about" },
            `${each.run} · ${short(each.fuel)} · ${took(each.duration)}`,
            each.denied > 0 && [" · ", h("b", { class: "bad" }, `${grouped(each.denied)} denied`)],
          ),
          branch(children.get(each.run)),
        ),
      ),
    );
  return h(
    "section",
    { class: "card tree", "aria-labelledby": "tree" },
    h("h2", { id: "tree" }, "Tree of calls"),
    runs.length < 2
      ? h("p", { class: "none" }, "It made no other run, and none made it.")
      : branch(children.get(null)),
    more && h("p", { class: "none" }, "There are more than these."),
  );
}

export async function view(main, { argument, signal }) {
  const { run, records, tree: runs, tree_more: more } = await getExactly(`/api/runs/${argument}`, signal);
  document.title = `Run ${run.run}, ${run.name} · June`;
  const happened = read(
    records,
    runs.filter((each) => each.parent === run.run),
  );
  const costs = happened.calls.map(({ answer }) => answer).filter(Boolean);
  const whole = {
    fuel: Math.max(1, ...costs.slice(0, 10_000).map((answer) => answer.fuel_before - answer.fuel_after)),
    duration: Math.max(1, ...costs.slice(0, 10_000).map((answer) => answer.duration_us)),
  };
  const { list, reveal } = steps(happened.rows, run.run, whole);
  replace(
    main,
    h(
      "article",
      { class: "run" },
      header(run, happened),
      h(
        "div",
        { class: "columns" },
        h(
          "section",
          { class: "happened", "aria-labelledby": "happened" },
          h(
            "div",
            { class: "title" },
            h("h2", { id: "happened" }, "What happened"),
            h(
              "button",
              {
                type: "button",
                class: "quiet",
                onclick: (event) => {
                  const all = [...main.querySelectorAll(".steps details.step")];
                  const open = all.some((each) => !each.open);
                  for (const each of all) each.open = open;
                  event.currentTarget.textContent = open ? "Close all" : "Open all";
                },
              },
              "Open all",
            ),
          ),
          lines(run, happened),
          h(
            "div",
            { class: "sides", "aria-hidden": "true" },
            h("span", null, "said"),
            h("span", null, "done"),
          ),
          list,
          !happened.end &&
            h(
              "p",
              { class: "none" },
              "It has not ended yet, or the host died. ",
              h("a", { href: `/runs/${run.run}` }, "Look again"),
            ),
        ),
        h(
          "aside",
          { "aria-label": "About this run" },
          granted(happened),
          proof(run, signal),
          reviews(run, happened),
          tree(run, runs, more),
        ),
      ),
    ),
  );

  // A link to a step opens it.
  const open = () => {
    const [, number] = /^#call-(\d+)$/.exec(location.hash) ?? [];
    if (number) reveal(Number(number));
    const step = document.getElementById(location.hash.slice(1));
    if (step?.matches("details.step")) {
      step.open = true;
      step.querySelector("summary").focus({ preventScroll: true });
      step.scrollIntoView({ block: "center" });
    }
  };
  window.addEventListener("hashchange", open, { signal });
  open();
}
