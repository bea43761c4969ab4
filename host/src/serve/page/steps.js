// What was said and what was done, row by row.

import { h, outside, replace } from "./dom.js";
import { digest } from "./marks.js";
import { files } from "./files.js";
import { argumentsOf, asksFor, reasoned, resultOf, turn } from "./messages.js";
import { meter } from "./plots.js";
import { bytes, counted, grouped, short, took } from "./text.js";
import { here, length, parsed, text, value } from "./value.js";

const line = (content, most = 140) => {
  const flat = content.replace(/\s+/g, " ").trim();
  return flat.length > most ? `${flat.slice(0, most)}…` : flat;
};

/** What a call is, in a few words. */
function gist(call) {
  const name = call.function.replace(/^.*\//, "");
  const list = parsed(here(call.arguments));
  const tools = call.function === "june:agent/tools.call-all" ? list?.[0] : list;
  if (call.function.startsWith("june:agent/tools.call") && Array.isArray(tools)) {
    return [
      tools.map((tool) => tool?.name).join(", "),
      line(tools.map((tool) => tool?.arguments ?? "").join(" ")),
    ];
  }
  if (call.function.startsWith("june:agent/llm.")) {
    const request = list?.[0];
    return [
      "ask the model",
      request
        ? `${request.model}, ${counted(request.messages?.length ?? 0, "message")}`
        : bytes(length(call.arguments)),
    ];
  }
  return [name, line(here(call.arguments) ?? bytes(length(call.arguments)))];
}

const failed = (call) => /"is_error":true|^\{"Err"|^\[?\{"Err"/.test(here(call.answer?.result) ?? "");

/** A call into the host that a grant allowed. */
function call(item, run, whole) {
  const [what, about] = gist(item);
  const fuel = item.answer ? item.answer.fuel_before - item.answer.fuel_after : null;
  const body = h("div", { class: "body" });
  const details = h(
    "details",
    {
      class: failed(item) ? "step wrong" : "step",
      id: `call-${item.number}`,
      ontoggle: () => {
        if (!details.open || body.hasChildNodes()) return;
        replace(
          body,
          h("h3", null, "Arguments"),
          value(item.arguments, run, "arguments", argumentsOf(item.function)),
          h("h3", null, "Answer"),
          item.answer
            ? value(item.answer.result, run, "answer", resultOf(item.function))
            : h("p", { class: "none" }, "none came"),
          h(
            "dl",
            { class: "facts" },
            h("dt", null, "Decided by"),
            h("dd", null, h("span", { class: "grant" }, outside(item.grant))),
            h("dt", null, "Function"),
            h("dd", null, h("code", null, outside(item.function))),
            item.answer && [
              h("dt", null, "Fuel"),
              h("dd", null, grouped(fuel)),
              h("dt", null, "Took"),
              h("dd", null, took(item.answer.duration_us)),
            ],
            h("dt", null, "Records"),
            h(
              "dd",
              null,
              `${item.record}${item.answer ? ` and ${item.answer.record}` : ""} `,
              digest(item.leaf),
            ),
          ),
        );
      },
    },
    h(
      "summary",
      { "data-item": true },
      h("span", { class: "index" }, item.number),
      h("b", { class: "what" }, outside(what)),
      h("span", { class: "grant" }, outside(item.grant)),
      h("span", { class: "about" }, outside(about)),
      item.answer &&
        h(
          "span",
          { class: "cost" },
          h("span", null, short(fuel), meter(fuel / whole.fuel, `${grouped(fuel)} fuel`)),
          h(
            "span",
            null,
            took(item.answer.duration_us),
            meter(item.answer.duration_us / whole.duration, took(item.answer.duration_us)),
          ),
        ),
    ),
    body,
  );
  return [
    details,
    item.children.map((child) =>
      h(
        "a",
        { class: "made", href: `/runs/${child.run}` },
        "↳ run ",
        String(child.run),
        " ",
        outside(child.name),
        " ",
        h("span", { class: "about" }, child.world, ", ", child.outcome),
      ),
    ),
  ];
}

const denial = (item, run) =>
  h(
    "details",
    { class: "step refused", id: `call-${item.number}`, open: true },
    h(
      "summary",
      { "data-item": true },
      h("span", { class: "index" }, item.number),
      h("span", { class: "what" }, h("b", null, "denied"), " ", outside(item.function.replace(/^.*\//, ""))),
    ),
    h(
      "div",
      { class: "body" },
      h("p", { class: "reason" }, outside(item.reason)),
      value(item.arguments, run, "arguments"),
      h(
        "dl",
        { class: "facts" },
        h("dt", null, "Function"),
        h("dd", null, h("code", null, outside(item.function))),
        h("dt", null, "Was told"),
        h("dd", null, h("code", null, outside(String(item.answer ?? "")))),
        h("dt", null, "Record"),
        h("dd", null, String(item.record), " ", digest(item.leaf)),
      ),
    ),
  );

/** Calls that need no grant, folded. */
function free({ calls }) {
  const counts = new Map();
  for (const { function: name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(
    ([name, count]) => `${name.replace(/^.*\//, "")}${count > 1 ? ` ×${count}` : ""}`,
  );
  const body = h("div", { class: "body" });
  const details = h(
    "details",
    {
      class: "step free",
      ontoggle: () => {
        if (!details.open || body.hasChildNodes()) return;
        body.append(
          text(
            calls
              .map((call) => `${call.function}(${call.arguments})${call.answer ? ` → ${call.answer}` : ""}`)
              .join("\n"),
            "calls",
          ),
        );
      },
    },
    h(
      "summary",
      { "data-item": true },
      h("span", { class: "index" }, "·"),
      h(
        "span",
        { class: "what" },
        counted(calls.length, "call"),
        " that need no grant ",
        h("span", { class: "about" }, outside(line(names.join(", ")))),
      ),
    ),
    body,
  );
  return details;
}

function done(item, run, whole) {
  switch (item.did) {
    case "call":
      return call(item, run, whole);
    case "denial":
      return denial(item, run);
    case "free":
      return free(item);
    case "unlisted":
      return h(
        "p",
        { class: "step free" },
        `${grouped(item.count)} more calls, not listed one by one `,
        item.digest && digest(item.digest),
      );
    default:
      return h(
        "p",
        { class: "step refused" },
        h("b", null, "limit hit"),
        " ",
        outside(item.limit),
        " ",
        grouped(item.bound),
      );
  }
}

function model(item) {
  return h(
    "div",
    { class: "bubble model" },
    h(
      "span",
      { class: "label" },
      "model",
      item.usage &&
        h(
          "span",
          { class: "about" },
          ` ${grouped(item.usage.input_tokens)} tokens in, ${grouped(item.usage.output_tokens)} out`,
        ),
    ),
    item.reasoning && reasoned(item.reasoning),
    item.text && text(item.text, "the model's text"),
    item.calls.map(asksFor),
    item.error && h("p", { class: "problem" }, outside(item.error)),
  );
}

function returned(json) {
  const answer = parsed(json);
  if (typeof answer?.Ok?.text === "string")
    return answer.Ok.text === ""
      ? h("p", { class: "none" }, "nothing more than it had said")
      : text(answer.Ok.text, "answer");
  return null;
}

/** The files that it was given, each folded. */
function given(data, run) {
  const bubble = (content) =>
    h("div", { class: "bubble given" }, h("span", { class: "label" }, "given files"), content);
  if (!Array.isArray(data)) return bubble(value(data, run, "files"));
  const all = files(data);
  if (all === null) return bubble(value(data, run, "files"));
  const list = all.filter(([, content]) => content !== null);
  if (list.length === 0) return null;
  return bubble(
    list.map(([path, content]) => {
      const details = h(
        "details",
        {
          ontoggle: () => {
            if (details.open && details.childElementCount === 1) details.append(value(content, run, path));
          },
        },
        h("summary", null, outside(path), h("span", { class: "about" }, ` ${bytes(length(content))}`)),
      );
      return details;
    }),
  );
}

function said(item, run) {
  switch (item.said) {
    case "given": {
      if (item.name === "turn")
        return h("div", { class: "bubble given" }, value(item.data, run, "turn", turn));
      if (item.name === "files") return given(item.data, run);
      const block = value(item.data, run, item.name);
      return h(
        "div",
        { class: "bubble given" },
        Array.isArray(item.data)
          ? h(
              "details",
              null,
              h("summary", null, "given ", outside(item.name), `, ${bytes(item.data.length)}`),
              block,
            )
          : [h("span", { class: "label" }, "given ", outside(item.name)), block],
      );
    }
    case "note":
      return h(
        "div",
        { class: "bubble note" },
        h("span", { class: "label" }, "notes ", outside(item.stage)),
        text(item.text, "note"),
      );
    case "model":
      return model(item);
    case "output":
      return h(
        "div",
        { class: `bubble output ${item.name}` },
        h("span", { class: "label" }, item.name, item.truncated && ", and more that was dropped"),
        value(item.data, run, item.name),
      );
    case "answer":
      return h(
        "div",
        { class: "bubble answer" },
        h("span", { class: "label" }, "said to the person"),
        value(item.data, run, "answer"),
      );
    default:
      return h(
        "div",
        { class: "bubble answer" },
        h("span", { class: "label" }, "returned"),
        value(item.data, run, "returned value", returned),
      );
  }
}

/** A step as it is best seen; one of another form than it should have as it is. */
function safely(show, item, ...more) {
  try {
    return show(item, ...more);
  } catch {
    return text(JSON.stringify(item, null, 2), "record");
  }
}

// A run may have many thousands of steps: about so many are shown at once.
const PIECE = 300;
// How many rows are shown above the one that was asked for.
const ABOVE = 3;

const button = (label, onclick) =>
  h("li", { class: "rest" }, h("button", { type: "button", onclick }, label));

/** All rows of a run: the list, and a way to have the call of a number in it. */
export function steps(rows, run, whole) {
  const list = h("ol", { class: "steps" });
  let at = 0;

  const row = ({ said: left, did: right }) => {
    const words = left.map((item) => safely(said, item, run));
    const acts = right.map((item) => safely(done, item, run, whole));
    return h("li", null, h("div", { class: "said" }, words), h("div", { class: "did" }, acts));
  };

  function next() {
    list.querySelector(":scope > .rest.more-rows")?.remove();
    for (let shown = 0; at < rows.length && shown < PIECE; at += 1) {
      shown += rows[at].said.length + rows[at].did.length;
      list.append(row(rows[at]));
    }
    if (at === rows.length) return;
    const rest = button(`Show more: ${counted(rows.length - at, "row")} below`, next);
    rest.classList.add("more-rows");
    list.append(rest);
  }

  function begin(from) {
    at = from;
    list.replaceChildren();
    if (from > 0) list.append(button("From the beginning", () => begin(0)));
    next();
  }

  function reveal(number) {
    const place = rows.findIndex(({ did }) => did.some((item) => item.number === number));
    if (place >= at || (place >= 0 && !document.getElementById(`call-${number}`)))
      begin(Math.max(0, place - ABOVE));
  }

  begin(0);
  return { list, reveal };
}
