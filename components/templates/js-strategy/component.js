// {{name}}: asks a model, and calls the tools that it asks for until it answers.
//
// A component of `world strategy` (see wit/). `turnHandler` is what it exports.

import { stream } from "june:agent/llm@0.1.0";
import { say } from "june:agent/reply@0.1.0";
import { callAll, list } from "june:agent/tools@0.1.0";

const ROUNDS = 8;

export const turnHandler = {
  // Answers one turn. What `say` has sent is not repeated in the answer.
  respond(turn) {
    const [model] = turn.models;
    if (!model) throw { tag: "failed", val: "no model is granted" };
    const messages = [...turn.messages];
    if (turn.instructions) {
      messages.unshift({ role: "system", parts: [{ tag: "text", val: turn.instructions }] });
    }
    const tools = list();
    for (let round = 0; round < ROUNDS; round++) {
      const message = ask(model, messages, tools);
      messages.push(message);
      const calls = message.parts.filter((part) => part.tag === "call").map((part) => part.val);
      if (calls.length === 0) {
        return { text: "" };
      }
      callAll(calls).forEach((result, index) => {
        const outcome = { tag: "outcome", val: read(calls[index], result) };
        messages.push({ role: "tool", parts: [outcome] });
      });
    }
    throw { tag: "failed", val: `no answer in ${ROUNDS} rounds of tools` };
  },
};

// What the model says next. The person reads along.
function ask(model, messages, tools) {
  const request = {
    model,
    messages,
    tools,
    sampling: {},
    stop: [],
    responseFormat: { tag: "text" },
  };
  const parts = [];
  try {
    const answer = stream(request);
    for (let delta = answer.next(); delta; delta = answer.next()) {
      if (delta.tag === "finish") continue;
      if (delta.tag === "text") say(delta.val);
      parts.push(delta); // A delta has the form of a part.
    }
  } catch (error) {
    throw { tag: "llm", val: error.payload?.val ?? String(error) };
  }
  return { role: "assistant", parts };
}

// What a tool answered. An error is for the model to read, not the end of the turn.
function read(call, result) {
  return result.tag === "ok"
    ? result.val
    : { callId: call.id, content: result.val.val, isError: true };
}
