"""{{name}}: asks a model, and calls the tools that it asks for until it answers.

A component of `world strategy` (see wit/). `turn_handler` is what it exports.
"""

from componentize_py_types import Err
from wit_world.exports.turn_handler import Answer, StrategyError_Failed, StrategyError_Llm
from wit_world.imports import llm, reply, tools
from wit_world.imports.types import (
    Message,
    Part_Call,
    Part_Outcome,
    Part_Reasoning,
    Part_Text,
    Role,
    ToolResult,
)

ROUNDS = 8


class TurnHandler:
    def respond(self, turn):
        """Answers one turn. What `reply.say` has sent is not repeated in the answer."""
        if not turn.models:
            raise Err(StrategyError_Failed("no model is granted"))
        messages = list(turn.messages)
        if turn.instructions:
            messages.insert(0, Message(Role.SYSTEM, [Part_Text(turn.instructions)]))
        granted = tools.list()
        for _ in range(ROUNDS):
            message = ask(turn.models[0], messages, granted)
            messages.append(message)
            calls = [part.value for part in message.parts if isinstance(part, Part_Call)]
            if not calls:
                return Answer("")
            for call, result in zip(calls, tools.call_all(calls)):
                messages.append(Message(Role.TOOL, [Part_Outcome(outcome(call, result))]))
        raise Err(StrategyError_Failed(f"no answer in {ROUNDS} rounds of tools"))


def ask(model, messages, granted):
    """What the model says next. The person reads along."""
    sampling = llm.Sampling(None, None, None, None, None)
    request = llm.Request(
        model, messages, granted, sampling, None, [], llm.ResponseFormat_Text()
    )
    parts = []
    try:
        with llm.stream(request) as stream:
            while (delta := stream.next()) is not None:
                match delta:
                    case llm.Delta_Text(text):
                        reply.say(text)
                        parts.append(Part_Text(text))
                    case llm.Delta_Reasoning(text):
                        parts.append(Part_Reasoning(text))
                    case llm.Delta_Call(call):
                        parts.append(Part_Call(call))
    except Err as error:
        raise Err(StrategyError_Llm(error.value.value)) from None
    return Message(Role.ASSISTANT, parts)


def outcome(call, result):
    """What a tool answered. An error is for the model to read, not the end of the turn."""
    match result:
        case Err(error):
            return ToolResult(call.id, error.value, True)
        case _:
            return result.value
