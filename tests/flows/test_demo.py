"""The embedded demo provider, as somebody meets it who has no account yet."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from calls import CHAT, MESSAGES, Caller, booked, settle

from gateways import Gateway, running_gateway
from pointsman.core.errors import UpstreamError
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.upstream.demo import send_demo

YAML = """
providers: {demo: }
models:
  tiny: {provider: demo, id: demo-simple, tier: simple}
  big: {provider: demo, id: demo-complex, tier: complex}
"""
PERSON = {
    "type": "object",
    "required": ["name", "kind", "tags", "age", "mother", "note"],
    "properties": {
        "name": {"type": "string"},
        "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"const": 7}, "minItems": 1},
        "age": {"type": ["integer", "null"], "minimum": 3},
        "mother": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "note": {"type": "boolean"},
        "left out": {"type": "string"},
    },
}
EXAMPLE = {"name": "simulated", "kind": "a", "tags": [7], "age": 3, "mother": None, "note": True}
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello there"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": PERSON}}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(YAML, tmp_path_factory.mktemp("demo")) as gateway:
        yield gateway


def test_every_answer_says_that_it_is_simulated(demo: Gateway) -> None:
    with openai.OpenAI(api_key="any", base_url=f"{demo.url}/v1", max_retries=0) as client:
        whole = client.chat.completions.create(model="auto", **HELLO)
        chunks = client.chat.completions.create(model="auto", stream=True, **HELLO)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    text = whole.choices[0].message.content
    assert "simulated answer by demo-simple" in text
    assert "held 2 words" in text
    assert streamed == text
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 10


def test_messages_are_answered_too(demo: Gateway) -> None:
    with anthropic.Anthropic(api_key="any", base_url=demo.url, max_retries=0) as client:
        whole = client.messages.create(model="big", max_tokens=50, **HELLO)
        with client.messages.stream(model="big", max_tokens=50, **HELLO) as stream:
            streamed = stream.get_final_message()
    assert "demo-complex" in whole.content[0].text
    assert streamed.content[0].text == whole.content[0].text
    assert (streamed.stop_reason, streamed.usage) == (whole.stop_reason, whole.usage)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
def test_every_answer_is_booked_with_its_tokens(demo: Gateway, path: str, stream: bool) -> None:
    settle(demo)
    count = len(demo.booked) + 1
    with Caller(demo) as caller:
        assert caller.post(path, {"model": "tiny", "max_tokens": 5, "stream": stream, **HELLO}).status == 200
    entry, (attempt,) = booked(demo, count)
    assert entry.usage.input_tokens == 5
    assert entry.usage.output_tokens > 20
    assert (entry.outcome, attempt.provider) == ("complete", "demo")


def test_the_same_question_has_the_same_answer(demo: Gateway) -> None:
    with Caller(demo) as caller:
        first, again = (caller.post(CHAT, {"model": "tiny", **HELLO}).body for _ in range(2))
        other = caller.post(CHAT, {"model": "big", **HELLO}).body
    assert first == again
    assert json.loads(other)["id"] != json.loads(first)["id"]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "f"}}])
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool_is_called_with_arguments_that_fit(demo: Gateway, choice: Any, stream: bool) -> None:
    ask = {"model": "tiny", "tools": [TOOL], "tool_choice": choice, **HELLO}
    with openai.OpenAI(api_key="any", base_url=f"{demo.url}/v1", max_retries=0) as client:
        if stream:
            with client.chat.completions.stream(**ask) as events:
                answer = events.get_final_completion()
        else:
            answer = client.chat.completions.create(**ask)
        (call,) = answer.choices[0].message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("f", EXAMPLE)
        assert answer.choices[0].finish_reason == "tool_calls"
        said = {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]}
        result = {"role": "tool", "tool_call_id": call.id, "content": "done"}
        ask["messages"] = [*HELLO["messages"], said, result]
        ended = client.chat.completions.create(**ask)
        assert "held a tool result" in ended.choices[0].message.content
        assert ended.choices[0].finish_reason == "stop"


def test_a_schema_is_kept(demo: Gateway) -> None:
    with Caller(demo) as caller:
        form = {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}
        answered = caller.post(CHAT, {"model": "tiny", "response_format": form, **HELLO}).json()
        assert json.loads(answered["choices"][0]["message"]["content"]) == EXAMPLE
        form = {"type": "json_object"}
        answered = caller.post(CHAT, {"model": "tiny", "response_format": form, **HELLO}).json()
        assert json.loads(answered["choices"][0]["message"]["content"])["simulated"] is True


DEEP = '{"type":"array","minItems":1,"items":' * 2000 + "{}" + "}" * 2000
ASK = '{"model":"tiny","messages":[{"role":"user","content":"x"}]'
UNREADABLE = [
    '{"model":"tiny","messages":[7]}',
    '{"model":"tiny","messages":[null]}',
    ASK + ',"tools":[{}],"tool_choice":"required"}',
    ASK + ',"tools":{"a":1},"tool_choice":"required"}',
    ASK + ',"tool_choice":{"type":"function"}}',
    ASK + ',"response_format":7}',
    ASK + ',"response_format":{"type":"json_schema"}}',
    ASK + ',"stream":true,"stream_options":7}',
    ASK.replace('"x"', "[7]") + "}",
    ASK + ',"response_format":{"type":"json_schema","json_schema":{"schema":' + DEEP + "}}}",
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_request_it_cannot_read_is_a_400(demo: Gateway, body: str) -> None:
    with Caller(demo) as caller:
        answered = caller.post(CHAT, body.encode())
    assert answered.status == 400, answered.body
    assert answered.json()["error"]["type"] == "invalid_request_error"


async def test_it_keeps_the_promises_of_an_answer() -> None:
    """What `core.ports.Incoming` says of every provider's answer."""
    ask = b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}'
    outgoing = Outgoing("demo:/chat/completions", (), ask, Deadlines())
    reply = await send_demo(outgoing)
    first = await reply.first()
    assert first.startswith(b"data: ")
    assert await reply.first() == first
    assert (await reply.read(100_000)).startswith(first)

    reply = await send_demo(outgoing)
    first, rest = await reply.first(), list[bytes]()
    await reply.pump(rest.append)
    assert rest[0] != first
    assert rest[-1] == b"data: [DONE]\n\n"

    reply = await send_demo(outgoing)
    with pytest.raises(UpstreamError):
        await reply.read(10)
