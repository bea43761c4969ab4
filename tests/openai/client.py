"""The official client of OpenAI's API talks with `june serve`, as a program of its own would.

Usage: client.py URL TALK REVIEW: the address before /chat/completions, a token with the role `talk`,
and one without it. The server has the agents `direct` and `helper`, the answers that the tests of
`/v1` share, and may have ears and a voice.
"""

import json
import sys

import openai

url, talk, review = sys.argv[1:4]
client = openai.OpenAI(base_url=url, api_key=talk)


def refused(kind, ask, told):
    """`ask` fails with this kind of error, whose text has `told`."""
    try:
        ask()
    except kind as error:
        assert told in str(error), error
        return error
    raise AssertionError(f"not refused: {told}")


def say(text, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="direct", messages=messages, **more)


# Models.
assert [model.id for model in client.models.list()] == ["direct", "helper"]
assert client.models.retrieve("direct").object == "model"
refused(openai.NotFoundError, lambda: client.models.retrieve("gpt"), "the agents are direct")

# An answer, whole and as it comes.
answer = say("Hello", temperature=0.5, max_tokens=100, user="ada")
assert answer.choices[0].message.content == "It is forty-two.", answer
assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0, answer
assert isinstance(answer.june["run"], int), answer

pieces = list(say("Hello", stream=True, stream_options={"include_usage": True}))
text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
assert text == "It is forty-two.", text
assert pieces[0].choices[0].delta.role == "assistant"
assert pieces[-2].choices[0].finish_reason == "stop"
assert pieces[-1].choices == [] and pieces[-1].usage.total_tokens == answer.usage.total_tokens
assert len({piece.id for piece in pieces}) == 1

with client.chat.completions.stream(
    model="direct", messages=[{"role": "user", "content": "Hello"}]
) as stream:
    stream.until_done()
    assert stream.get_final_completion().choices[0].message.content == "It is forty-two."

# Tools of the client: the loop that OpenAI's own guide has.
tools = [
    {
        "type": "function",
        "function": {
            "name": "stock",
            "description": "Tells how many of a thing there are.",
            "parameters": {
                "type": "object",
                "properties": {"thing": {"type": "string"}},
                "required": ["thing"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
]
stock = {"nuts": 3, "bolts": 4}


def loop(model, text, ask):
    """Asks until there is an answer, and calls the tools on the way. Returns it, and the calls."""
    messages, called = [{"role": "user", "content": text}], []
    for _ in range(5):
        message = ask(model=model, messages=messages, tools=tools)
        messages.append(message)
        if not message.tool_calls:
            return message.content, called
        for call in message.tool_calls:
            assert call.type == "function" and call.function.name == "stock", call
            thing = json.loads(call.function.arguments)["thing"]
            called.append(thing)
            content = str(stock[thing])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    raise AssertionError("no answer")


def whole(**asked):
    choice = client.chat.completions.create(**asked).choices[0]
    wanted = "tool_calls" if choice.message.tool_calls else "stop"
    assert choice.finish_reason == wanted, choice
    return choice.message


def streamed(**asked):
    with client.chat.completions.stream(**asked) as stream:
        stream.until_done()
        return stream.get_final_completion().choices[0].message


for model in ["direct", "helper"]:
    for ask in [whole, streamed]:
        said, called = loop(model, "How many nuts and bolts?", ask)
        assert (said, called) == ("There are 3 nuts and 4 bolts.", ["nuts", "bolts"]), (said, called)

# The agent's own tool is called inside, and the client's with what came of it.
said, called = loop("helper", "What is the stock worth?", whole)
assert (said, called) == ("3 nuts at 14 each are 42.", ["nuts"]), (said, called)

# Errors are those that the client knows.
stranger = openai.OpenAI(base_url=url, api_key="june_nobody")
refused(openai.AuthenticationError, lambda: stranger.models.list(), "the token is not known")
reviewer = openai.OpenAI(base_url=url, api_key=review)
refused(openai.PermissionDeniedError, lambda: reviewer.models.list(), "may not do this")
error = refused(
    openai.NotFoundError,
    lambda: client.chat.completions.create(model="gpt", messages=[]),
    "there is no agent `gpt`",
)
assert error.code == "model_not_found" and error.param == "model", error
error = refused(openai.BadRequestError, lambda: say("Hello", n=2), "`n`")
assert error.type == "invalid_request_error" and error.param == "n", error
refused(openai.BadRequestError, lambda: say("Hello", logprobs=True), "`logprobs`")
refused(openai.BadRequestError, lambda: say("Hello", stop=["x"]), "`stop`")
refused(
    openai.BadRequestError,
    lambda: say("Hello", response_format={"type": "json_object"}),
    "`response_format`",
)
refused(openai.BadRequestError, lambda: say([{"type": "image_url", "image_url": {"url": "x"}}]), "image_url")
refused(openai.InternalServerError, lambda: say("Fail"), "the server is down")
refused(openai.APIError, lambda: list(say("Fail", stream=True)), "the server is down")

# Sound, both ways, where the server has ears and a voice. (The ears of tests hear this sentence.)
sentence = "What is six times seven?"
audio = client.audio
try:
    spoken = audio.speech.create(
        model="tts-1", voice="alloy", input="It is forty-two.", response_format="opus"
    )
    assert spoken.read().startswith(b"OggS")
    with audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="It is forty-two.", response_format="wav"
    ) as streamed_speech:
        wav = b"".join(streamed_speech.iter_bytes())
    assert wav.startswith(b"RIFF")
    heard = audio.transcriptions.create(model="whisper-1", file=("a.wav", wav))
    assert heard.text == sentence, heard
    heard = audio.transcriptions.create(
        model="whisper-1", file=("a.wav", wav), response_format="verbose_json", language="en"
    )
    assert heard.duration > 0.5 and heard.segments[0].text == sentence, heard
    text = audio.transcriptions.create(
        model="whisper-1", file=("a.wav", wav), response_format="text"
    )
    assert text == sentence + "\n", text
    refused(
        openai.BadRequestError,
        lambda: audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no sound")),
        "hint: ",
    )
    print("with sound")
except openai.InternalServerError as lacking:
    assert "this server has no " in str(lacking), lacking
    print(f"without sound: {lacking}")

# Whoever asks too often is told so, and the client then waits by itself.
hasty = client.with_options(max_retries=0)


def hurry():
    for _ in range(2000):
        hasty.models.list()


refused(openai.RateLimitError, hurry, "asks too often")
client.with_options(max_retries=5).models.list()
print("all is well")
