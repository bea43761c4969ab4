// Messages, tool calls and their outcomes, as people read them.

import { h, outside } from "./dom.js";
import { counted } from "./text.js";
import { parsed, text } from "./value.js";

/** The members of an object, texts of several lines as they are. */
function fields(object) {
  return h(
    "dl",
    { class: "fields" },
    Object.entries(object).map(([name, member]) => {
      const brief = JSON.stringify(member);
      const content =
        typeof member === "string" ? member : brief.length > 100 ? JSON.stringify(member, null, 2) : brief;
      const block = content.includes("\n") || content.length > 120;
      return [
        h("dt", null, outside(name)),
        h("dd", null, block ? text(content, name) : h("code", null, outside(content))),
      ];
    }),
  );
}

/** The arguments of a tool, JSON in a text. */
function toolArguments(json) {
  const object = parsed(json);
  return object && !Array.isArray(object) ? fields(object) : text(json ?? "", "arguments");
}

/** A tool that a model asks for. */
export const asksFor = (call) =>
  h(
    "div",
    { class: "asks" },
    h("span", { class: "label" }, "asks for ", h("b", null, outside(call.name))),
    toolArguments(call.arguments),
  );

/** A model's reasoning, folded. */
export const reasoned = (content) =>
  h("details", { class: "reasoning" }, h("summary", null, "reasoning"), text(content, "reasoning"));

function part(part) {
  if (typeof part.Text === "string") return text(part.Text, "message");
  if (typeof part.Reasoning === "string") return reasoned(part.Reasoning);
  if (part.Call) return asksFor(part.Call);
  if (part.Outcome) return outcome(part.Outcome);
  return text(JSON.stringify(part, null, 2), "part");
}

const outcome = (result) =>
  h(
    "div",
    { class: result.is_error ? "outcome wrong" : "outcome" },
    h("span", { class: "label" }, result.is_error ? "failed" : "answered"),
    text(String(result.content ?? ""), "answer"),
  );

const message = ({ role, parts }) =>
  h(
    "div",
    {
      class: `message ${String(role)
        .toLowerCase()
        .replace(/[^a-z]/g, "")}`,
    },
    h("span", { class: "label" }, outside(String(role).toLowerCase())),
    (parts ?? []).map(part),
  );

/** A turn: what was said to the strategy, or null where it is none. */
export function turn(json) {
  const given = parsed(json);
  if (!Array.isArray(given?.messages)) return null;
  return h(
    "div",
    null,
    given.instructions &&
      h("details", null, h("summary", null, "instructions"), text(given.instructions, "instructions")),
    given.messages.map(message),
  );
}

/** Arguments as they are best read, by the function they are for. */
export function argumentsOf(name) {
  return (json) => {
    const list = parsed(json);
    if (!Array.isArray(list)) return null;
    const tools = name === "june:agent/tools.call-all" ? list[0] : list;
    if (name.startsWith("june:agent/tools.call") && Array.isArray(tools))
      return h("div", null, tools.map(asksFor));
    const request = list[0];
    if (name.startsWith("june:agent/llm.") && Array.isArray(request?.messages)) {
      const { messages, tools, ...rest } = request;
      return h(
        "div",
        null,
        messages.map(message),
        h(
          "details",
          null,
          h("summary", null, counted(tools?.length ?? 0, "tool"), " offered, and settings"),
          text(JSON.stringify({ ...rest, tools }, null, 2), "settings"),
        ),
      );
    }
    return null;
  };
}

/** Answers as they are best read, by the function that gave them. */
export function resultOf(name) {
  return (json) => {
    const result = parsed(json);
    if (result === null || !name.startsWith("june:agent/tools.call")) return null;
    const all = Array.isArray(result) ? result : [result];
    if (!all.every((one) => one?.Ok?.content !== undefined)) return null;
    return h(
      "div",
      null,
      all.map((one) => outcome(one.Ok)),
    );
  };
}
