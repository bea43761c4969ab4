// A run's records as what happened, in order: on one side what was said, on the other what was done.

import { here, parsed } from "./value.js";

const NOTE = "june:agent/reply.note";
const NEXT = "june:agent/llm.[method]token-stream.next";

/** A text as it was before it was written for debugging; null where it is no such text. */
function unescaped(text) {
  const plain = { n: "\n", r: "\r", t: "\t", 0: "\0" };
  return text.replace(/\\(?:u\{([0-9a-fA-F]{1,6})\}|([^]))/g, (_, code, letter) => {
    if (code === undefined) return plain[letter] ?? letter;
    const point = Number.parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  });
}

/** A note's stage and text. */
function note(call) {
  const found = /^\{stage: ([^,]*), text: "([^]*)"\}$/.exec(call.arguments);
  return found
    ? { said: "note", stage: found[1], text: unescaped(found[2]) }
    : { said: "note", stage: "note", text: call.arguments };
}

/** Takes in a piece of a model's answer. Returns whether it was one. */
function piece(model, call) {
  const answer = parsed(call.answer);
  if (answer === null) return;
  if (answer.Err !== undefined) model.error = JSON.stringify(answer.Err);
  const delta = answer.Ok ?? {};
  if (typeof delta.Text === "string") model.text += delta.Text;
  if (typeof delta.Reasoning === "string") model.reasoning += delta.Reasoning;
  if (delta.Call) model.calls.push(delta.Call);
  if (Array.isArray(delta.Finish)) [model.finish, model.usage] = delta.Finish;
}

/** What a model answered at once. */
function completion(result) {
  const answer = parsed(here(result))?.Ok;
  const model = { said: "model", text: "", reasoning: "", calls: [] };
  for (const part of answer?.message?.parts ?? answer?.parts ?? []) {
    if (typeof part.Text === "string") model.text += part.Text;
    if (typeof part.Reasoning === "string") model.reasoning += part.Reasoning;
    if (part.Call) model.calls.push(part.Call);
  }
  model.usage = answer?.usage;
  return model.text || model.reasoning || model.calls.length > 0 ? model : null;
}

// A row has no more calls than this, so that rows can be shown a piece at a time.
const MOST = 20;

/** Reads the records of one run. */
export function read(records, children) {
  const happened = {
    start: null,
    end: null,
    returned: null,
    calls: [],
    denials: [],
    limits: [],
    reviews: [],
    uses: new Map(),
    rows: [],
  };
  const { calls, rows, uses } = happened;
  const byNumber = new Map();
  const streams = new Map();
  let row = null;
  const used = (name, count = 1) => uses.set(name, (uses.get(name) ?? 0) + count);
  const say = (item) => {
    if (!row || row.did.length > 0 || row.said.length >= MOST) rows.push((row = { said: [], did: [] }));
    row.said.push(item);
  };
  const act = (item) => {
    if (!row || row.did.length >= MOST) rows.push((row = { said: [], did: [] }));
    row.did.push(item);
  };
  for (const record of records) {
    switch (record.kind) {
      case "start":
        happened.start = record;
        for (const [name, data] of Object.entries(record.input ?? {})) say({ said: "given", name, data });
        break;
      case "call": {
        const call = { did: "call", ...record, children: [] };
        calls.push(call);
        byNumber.set(call.number, call);
        used(call.function);
        act(call);
        break;
      }
      case "answer": {
        const call = byNumber.get(record.number);
        if (!call) break;
        call.answer = record;
        call.children = children.filter((child) => child.run > call.record && child.run < record.record);
        if (call.function === "june:agent/llm.chat") {
          const model = completion(record.result);
          if (model) say(model);
        }
        break;
      }
      case "denial":
        used(record.function);
        happened.denials.push(record);
        act({ did: "denial", ...record });
        break;
      case "virtual": {
        let free = [];
        const flush = () => {
          if (free.length > 0) act({ did: "free", calls: free });
          free = [];
        };
        for (const call of record.listed) {
          used(call.function);
          if (call.function === NOTE) {
            flush();
            say(note(call));
          } else if (call.function === NEXT) {
            let model = streams.get(call.arguments);
            if (!model) {
              flush();
              model = { said: "model", text: "", reasoning: "", calls: [] };
              streams.set(call.arguments, model);
              say(model);
            }
            piece(model, call);
            if (parsed(call.answer)?.Ok === null || model.error) streams.delete(call.arguments);
          } else if (!call.function.startsWith("june:agent/llm.[resource-drop]")) {
            free.push(call);
          }
        }
        flush();
        const unlisted = record.count - record.listed.length;
        if (unlisted > 0) act({ did: "unlisted", count: unlisted, digest: record.digest });
        break;
      }
      case "limit-hit":
        happened.limits.push(record);
        act({ did: "limit", ...record });
        break;
      case "output":
        for (const name of ["stdout", "stderr"]) {
          const data = record[name];
          if (data && data.length !== 0)
            say({ said: "output", name, data, truncated: record[`${name}_truncated`] });
        }
        break;
      case "returned":
        happened.returned = record;
        if (record.said !== null && record.said !== undefined) say({ said: "answer", data: record.said });
        if (record.value !== null && record.value !== undefined)
          say({ said: "returned", data: record.value });
        break;
      case "end":
        happened.end = record;
        break;
      case "review":
        happened.reviews.push(record);
        break;
    }
  }
  return happened;
}

/** The grants of a run: those used, with how often, and those not. */
export function grants({ start, calls, uses }) {
  const granted = [...new Set(start?.grants ?? [])].sort();
  const counts = new Map();
  for (const call of calls) counts.set(call.grant, (counts.get(call.grant) ?? 0) + 1);
  // Calls to files need no decision, and so name no grant.
  let files = 0;
  for (const [name, count] of uses) if (name.startsWith("wasi:filesystem/types")) files += count;
  return granted.map((grant) => ({
    grant,
    uses: (counts.get(grant) ?? 0) + (grant.startsWith("files ") ? files : 0),
  }));
}
