"""Caller and provider speak different dialects: the official SDKs see what they would see at home."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from calls import CHAT, MESSAGES, Caller, booked, settle
from exchanges import Exchange, Said, golden, recorded, said, usage_of

from gateways import Gateway, running_gateway
from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream, Scripted, scripted
from replies import (
    CHAT_USAGE,
    chat_error,
    chat_stream,
    completion,
    message,
    messages_error,
    messages_stream,
)

YAML = """
providers:
  messages: {{dialect: anthropic-messages, base_url: {url}, api_key: $MESSAGES_KEY}}
  chats: {{dialect: openai-chat, base_url: {url}, api_key: $CHAT_KEY}}
models:
  claude: {{provider: messages, id: claude-opus-4-6, max_output_tokens: 4096}}
  local: {{provider: chats, id: llama-3.1-70b}}
"""
ENVIRON = {"MESSAGES_KEY": "sk-ant-ours", "CHAT_KEY": "sk-ours"}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BERLIN = ("call_b", "weather", {"city": "Berlin"})
PARIS = ("call_p", "weather", {"city": "Paris"})
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Scene:
    """A gateway, its provider, and the SDK clients in front of it."""

    def __init__(self, gateway: Gateway, upstream: FakeUpstream) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.calls = 0
        self._next = scripted(body=b"nothing was set", status=500)
        upstream.answer_with(lambda _: self._next)
        self.openai = openai.OpenAI(api_key="any", base_url=f"{gateway.url}/v1", max_retries=0)
        self.anthropic = anthropic.Anthropic(api_key="any", base_url=gateway.url, max_retries=0)

    def answering(self, answer: Scripted) -> "Scene":
        self._next = answer
        self.calls += 1
        return self

    def sent(self) -> Any:
        """What the provider was asked last."""
        return self.upstream.requests[-1].json()

    def usage(self) -> Usage | None:
        entry, _ = booked(self.gateway, self.calls)
        return entry.usage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with (
        FakeUpstream.in_thread() as upstream,
        running_gateway(
            YAML.format(url=upstream.base_url), tmp_path_factory.mktemp("translated"), ENVIRON
        ) as gateway,
    ):
        scene = Scene(gateway, upstream)
        with scene.openai, scene.anthropic:
            yield scene


@pytest.fixture
def scene(stage: Scene) -> Scene:
    settle(stage.gateway)
    stage.calls = len(stage.gateway.booked)
    return stage


# Recordings, answered to the other SDK

FINISH = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "pause_turn": "length",
    "refusal": "content_filter",
}
STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
ASK_CHAT: dict[str, Any] = {"model": "claude", "messages": [{"role": "user", "content": "Hi"}]}
ASK_MESSAGES: dict[str, Any] = {**ASK_CHAT, "model": "local", "max_tokens": 100}


def good(exchange: Exchange) -> bool:
    return (
        exchange.status == 200
        and not any(event.get("error") for event in exchange.events())
        and (exchange.is_stream or "choices" in exchange.events()[0] or "content" in exchange.events()[0])
    )


def told_by_chat(scene: Scene, exchange: Exchange) -> tuple[Said, Any]:
    client = scene.answering(exchange.answered(cuts=7)).openai
    told = Said()
    if not exchange.is_stream:
        whole = client.chat.completions.create(**ASK_CHAT)
        (choice,) = whole.choices
        told.text = choice.message.content or ""
        told.calls = [
            (call.function.name, json.loads(call.function.arguments))
            for call in choice.message.tool_calls or []
        ]
        told.reason = choice.finish_reason
        return told, whole.usage
    usage, calls = None, dict[int, list[str]]()
    options = {"include_usage": True}
    with client.chat.completions.create(**ASK_CHAT, stream=True, stream_options=options) as chunks:
        for chunk in chunks:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                told.text += choice.delta.content or ""
                told.reason = choice.finish_reason or told.reason
                for call in choice.delta.tool_calls or []:
                    piece = calls.setdefault(call.index, ["", ""])
                    piece[0] += call.function.name or ""
                    piece[1] += call.function.arguments or ""
    told.calls = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    return told, usage


def told_by_messages(scene: Scene, exchange: Exchange) -> tuple[Said, Any]:
    client = scene.answering(exchange.answered(cuts=7)).anthropic
    if exchange.is_stream:
        with client.messages.stream(**ASK_MESSAGES) as stream:
            whole = stream.get_final_message()
    else:
        whole = client.messages.create(**ASK_MESSAGES)
    text = "".join(block.text for block in whole.content if block.type == "text")
    calls = [(block.name, block.input) for block in whole.content if block.type == "tool_use"]
    return Said(text, calls, whole.stop_reason or ""), whole.usage


def check_messages_to_chat(scene: Scene, exchange: Exchange) -> None:
    told, usage = told_by_chat(scene, exchange)
    expected, counted = said("anthropic_messages", exchange), usage_of("anthropic_messages", exchange)
    expected.reason = FINISH[expected.reason]
    assert told == expected, exchange.id
    assert counted is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (counted.input_tokens, counted.output_tokens)
    assert (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) == (
        counted.cache_read_tokens
    )
    assert scene.usage() == counted, exchange.id


def check_chat_to_messages(scene: Scene, exchange: Exchange) -> None:
    told, usage = told_by_messages(scene, exchange)
    expected, counted = said("openai_chat", exchange), usage_of("openai_chat", exchange)
    expected.reason = STOP.get(expected.reason, "end_turn")
    if expected.calls and expected.reason != "max_tokens":
        expected.reason = "tool_use"
    elif not expected.calls and expected.reason == "tool_use":
        expected.reason = "end_turn"
    if told.reason == "refusal":
        expected.reason = "refusal"  # words of refusal have a field of their own in chat
    assert told == expected, exchange.id
    if counted is not None:
        cached = counted.cache_read_tokens or 0
        assert usage.input_tokens + cached + (counted.cache_write_tokens or 0) == counted.input_tokens
        assert (usage.output_tokens, usage.cache_read_input_tokens or 0) == (counted.output_tokens, cached)
    assert scene.usage() == counted, exchange.id


def test_committed_messages_are_read_by_the_openai_sdk(scene: Scene) -> None:
    vectors = [exchange for exchange in golden("anthropic_messages") if good(exchange)]
    for exchange in vectors:
        check_messages_to_chat(scene, exchange)
    assert len(vectors) >= 12


def test_committed_completions_are_read_by_the_anthropic_sdk(scene: Scene) -> None:
    vectors = [exchange for exchange in golden("openai_chat") if good(exchange)]
    for exchange in vectors:
        check_chat_to_messages(scene, exchange)
    assert len(vectors) >= 8


def test_recorded_messages_are_read_by_the_openai_sdk(scene: Scene, shared: Path) -> None:
    """Every fourth: the dialects' own tests read them all."""
    exchanges = [exchange for exchange in recorded(shared, "anthropic_messages") if good(exchange)][::4]
    for exchange in exchanges:
        check_messages_to_chat(scene, exchange)
    assert len(exchanges) > 50


def test_recorded_completions_are_read_by_the_anthropic_sdk(scene: Scene, shared: Path) -> None:
    exchanges = [exchange for exchange in recorded(shared, "openai_chat") if good(exchange)][::6]
    for exchange in exchanges:
        check_chat_to_messages(scene, exchange)
    assert len(exchanges) > 70


# One conversation, as each SDK writes it

CHAT_TALK: dict[str, Any] = {
    "model": "claude",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Use tools."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg", "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": id_,
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for id_, name, arguments in (BERLIN, PARIS)
            ],
        },
        {"role": "tool", "tool_call_id": "call_b", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_p", "content": "sun"},
        {"role": "developer", "content": "Answer now."},
        {"role": "user", "content": "Well?"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Now", "parameters": WEATHER},
        }
    ],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "max_completion_tokens": 64,
    "stop": ["END"],
    "user": "u1",
    "seed": 7,
    "logit_bias": {"5": -1},
}


def test_a_chat_with_everything_in_it_is_asked_as_messages(scene: Scene) -> None:
    client = scene.answering(scripted(json=message(None, [BERLIN, PARIS]))).openai
    raw = client.chat.completions.with_raw_response.create(**CHAT_TALK)
    sent = scene.sent()
    received = scene.upstream.requests[-1]
    assert received.path == "/v1/messages"
    assert received.header("x-api-key") == "sk-ant-ours"
    assert received.header("anthropic-version") == "2023-06-01"
    assert received.header("authorization") is None
    assert sent["model"] == "claude-opus-4-6"
    assert sent["max_tokens"] == 64
    assert "Be brief." in json.dumps(sent["system"])
    assert "Use tools." in json.dumps(sent["system"])
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]
    first, calls, last = (turn["content"] for turn in sent["messages"])
    assert [block["type"] for block in first] == ["text", "image", "image"]
    assert first[1]["source"] == {"type": "base64", "media_type": "image/png", "data": PIXEL}
    assert first[2]["source"] == {"type": "url", "url": "https://example.com/a.jpg"}
    assert [(block["id"], block["input"]["city"]) for block in calls] == [
        ("call_b", "Berlin"),
        ("call_p", "Paris"),
    ]
    assert [block["type"] for block in last][:2] == ["tool_result", "tool_result"]
    assert [block["tool_use_id"] for block in last[:2]] == ["call_b", "call_p"]
    assert "Answer now." in json.dumps(last[2:])
    assert "Well?" in json.dumps(last[-1])
    assert sent["tools"] == [{"name": "weather", "description": "Now", "input_schema": WEATHER}]
    assert sent["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert sent["stop_sequences"] == ["END"]
    dropped = set(raw.headers["x-pointsman-dropped"].split(","))
    assert {"seed", "logit_bias"} <= dropped
    assert any("detail" in name for name in dropped)
    answer = raw.parse().choices[0]
    assert [(call.id, call.function.name) for call in answer.message.tool_calls] == [
        ("call_b", "weather"),
        ("call_p", "weather"),
    ]
    assert answer.finish_reason == "tool_calls"


MESSAGES_TALK: dict[str, Any] = {
    "model": "local",
    "max_tokens": 64,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_b", "name": "weather", "input": {"city": "Berlin"}},
                {"type": "tool_use", "id": "call_p", "name": "weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_b", "content": "rain"},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_p",
                    "is_error": True,
                    "content": [{"type": "text", "text": "no such city"}],
                },
                {"type": "text", "text": "Well?"},
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "Now", "input_schema": WEATHER}],
    "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    "stop_sequences": ["END"],
    "extra_body": {"top_k": 5},
    "metadata": {"user_id": "u1"},
}


def test_messages_with_everything_in_them_are_asked_as_a_chat(scene: Scene) -> None:
    client = scene.answering(scripted(json=completion(None, [BERLIN, PARIS]))).anthropic
    raw = client.messages.with_raw_response.create(**MESSAGES_TALK)
    sent = scene.sent()
    received = scene.upstream.requests[-1]
    assert received.path == "/v1/chat/completions"
    assert received.header("authorization") == "Bearer sk-ours"
    assert received.header("x-api-key") is None
    assert received.header("anthropic-version") is None
    assert [turn["role"] for turn in sent["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]
    system, user, assistant, berlin, paris, last = sent["messages"]
    assert system["content"] == "Be brief."
    assert user["content"][1] == {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{PIXEL}"},
    }
    assert assistant["content"] == "I look."
    assert [json.loads(call["function"]["arguments"])["city"] for call in assistant["tool_calls"]] == [
        "Berlin",
        "Paris",
    ]
    assert (berlin["tool_call_id"], berlin["content"]) == ("call_b", "rain")
    assert (paris["tool_call_id"], paris["content"]) == ("call_p", "Error: no such city")
    assert last["content"] == "Well?"
    assert sent["tools"][0]["function"]["parameters"] == WEATHER
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert sent["parallel_tool_calls"] is False
    assert (sent["stop"], sent["user"]) == (["END"], "u1")
    assert "top_k" in raw.headers["x-pointsman-dropped"].split(",")
    answer = raw.parse()
    assert [(block.id, block.name, block.input["city"]) for block in answer.content] == [
        ("call_b", "weather", "Berlin"),
        ("call_p", "weather", "Paris"),
    ]
    assert answer.stop_reason == "tool_use"


# Streams, stop reasons, usage

TOOLS_CHAT = {"tools": CHAT_TALK["tools"]}
TOOLS_MESSAGES = {"tools": MESSAGES_TALK["tools"]}


def test_parallel_tools_are_streamed_to_the_openai_sdk(scene: Scene) -> None:
    client = scene.answering(scripted(sse=messages_stream("I ", "look", calls=[BERLIN, PARIS]))).openai
    with client.chat.completions.stream(**ASK_CHAT, **TOOLS_CHAT) as stream:
        kinds = [event.type for event in stream]
        whole = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds
    message = whole.choices[0].message
    assert message.content == "I look"
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == [BERLIN[2], PARIS[2]]
    assert [call.id for call in message.tool_calls] == ["call_b", "call_p"]


def test_parallel_tools_are_streamed_to_the_anthropic_sdk(scene: Scene) -> None:
    client = scene.answering(scripted(sse=chat_stream("I ", "look", calls=[BERLIN, PARIS]))).anthropic
    with client.messages.stream(**ASK_MESSAGES, **TOOLS_MESSAGES) as stream:
        whole = stream.get_final_message()
    text, *calls = whole.content
    assert text.text == "I look"
    assert [(call.id, call.input) for call in calls] == [("call_b", BERLIN[2]), ("call_p", PARIS[2])]
    assert (whole.usage.input_tokens, whole.usage.cache_read_input_tokens) == (20, 10)
    assert whole.usage.output_tokens == 7


def test_a_stream_tells_usage_to_the_openai_sdk_only_when_asked(scene: Scene) -> None:
    client = scene.answering(scripted(sse=messages_stream("Hi"))).openai
    with client.chat.completions.create(**ASK_CHAT, stream=True) as chunks:
        assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks)
    assert scene.usage() == Usage(30, 7, 10, 0)
    client = scene.answering(scripted(sse=messages_stream("Hi"))).openai
    options = {"include_usage": True}
    with client.chat.completions.create(**ASK_CHAT, stream=True, stream_options=options) as chunks:
        last = list(chunks)[-1]
    assert (last.choices, last.usage.prompt_tokens, last.usage.completion_tokens) == ([], 30, 7)


def test_a_chat_provider_is_always_asked_for_usage(scene: Scene) -> None:
    client = scene.answering(scripted(sse=chat_stream("Hi"))).anthropic
    with client.messages.stream(**ASK_MESSAGES) as stream:
        stream.until_done()
    assert scene.sent()["stream_options"] == {"include_usage": True}
    assert scene.usage() == Usage(CHAT_USAGE["prompt_tokens"], 7, 10)


@pytest.mark.parametrize(("stop", "finish"), FINISH.items())
def test_every_stop_reason_has_its_word_in_chat(scene: Scene, stop: str, finish: str) -> None:
    calls = [BERLIN] if stop == "tool_use" else []
    for answer in (
        scripted(json=message("Hi", calls, stop)),
        scripted(sse=messages_stream("Hi", calls=calls, stop=stop)),
    ):
        client = scene.answering(answer).openai
        is_stream = answer.framing == "chunked"
        if is_stream:
            with client.chat.completions.create(**ASK_CHAT, stream=True) as chunks:
                reasons = [chunk.choices[0].finish_reason for chunk in chunks]
            assert [reason for reason in reasons if reason] == [finish]
        else:
            assert client.chat.completions.create(**ASK_CHAT).choices[0].finish_reason == finish


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
    ],
)
def test_every_finish_reason_has_its_word_in_messages(scene: Scene, finish: str, stop: str) -> None:
    calls = [BERLIN] if finish == "tool_calls" else []
    client = scene.answering(scripted(json=completion("Hi", calls, finish))).anthropic
    assert client.messages.create(**ASK_MESSAGES).stop_reason == stop
    client = scene.answering(scripted(sse=chat_stream("Hi", calls=calls, finish=finish))).anthropic
    with client.messages.stream(**ASK_MESSAGES) as stream:
        assert stream.get_final_message().stop_reason == stop


async def test_async_clients_read_the_same(scene: Scene) -> None:
    url = scene.gateway.url
    async with openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0) as client:
        scene.answering(scripted(json=message("Hi")))
        assert (await client.chat.completions.create(**ASK_CHAT)).choices[0].message.content == "Hi"
        scene.answering(scripted(sse=messages_stream("H", "i")))
        stream = await client.chat.completions.create(**ASK_CHAT, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hi"
    async with anthropic.AsyncAnthropic(api_key="any", base_url=url, max_retries=0) as client:
        scene.answering(scripted(json=completion("Hi")))
        assert (await client.messages.create(**ASK_MESSAGES)).content[0].text == "Hi"
        scene.answering(scripted(sse=chat_stream("H", "i")))
        async with client.messages.stream(**ASK_MESSAGES) as stream:
            assert [text async for text in stream.text_stream] == ["H", "i"]


# Errors

CHAT_CLASSES = {
    400: (openai.BadRequestError, 400),
    401: (openai.InternalServerError, 502),
    403: (openai.InternalServerError, 502),
    404: (openai.NotFoundError, 404),
    413: (openai.APIStatusError, 413),
    422: (openai.UnprocessableEntityError, 422),
    429: (openai.RateLimitError, 429),
    500: (openai.InternalServerError, 502),
    503: (openai.InternalServerError, 503),
    504: (openai.InternalServerError, 504),
    529: (openai.InternalServerError, 503),
}
MESSAGES_CLASSES = {
    400: (anthropic.BadRequestError, 400),
    401: (anthropic.InternalServerError, 502),
    403: (anthropic.InternalServerError, 502),
    404: (anthropic.NotFoundError, 404),
    413: (anthropic.RequestTooLargeError, 413),
    422: (anthropic.UnprocessableEntityError, 422),
    429: (anthropic.RateLimitError, 429),
    500: (anthropic.InternalServerError, 502),
    503: (anthropic.OverloadedError, 529),
    504: (anthropic.DeadlineExceededError, 504),
    529: (anthropic.OverloadedError, 529),
}


@pytest.mark.parametrize("status", CHAT_CLASSES)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_messages_reach_the_openai_sdk(scene: Scene, status: int, stream: bool) -> None:
    kind, expected = CHAT_CLASSES[status]
    error = messages_error("the provider's own words", "whatever_error")
    client = scene.answering(scripted(json=error, status=status, headers=[(b"retry-after", b"7")])).openai
    with pytest.raises(kind, match="the provider's own words") as caught:
        client.chat.completions.create(**ASK_CHAT, stream=stream)
    assert caught.value.status_code == expected
    told = caught.value.response.headers
    assert told["x-pointsman-attempts"] == "1"
    assert told["x-pointsman-model"] == "claude"
    assert told["x-pointsman-request-id"] == caught.value.request_id
    assert told.get("retry-after") == ("7" if status in {429, 503, 529} else None)
    entry, (attempt,) = booked(scene.gateway, scene.calls)
    outcome = "refused" if status in {400, 404, 413, 422} else "failed"
    assert (entry.status, entry.outcome, attempt.status) == (expected, outcome, status)


@pytest.mark.parametrize("status", MESSAGES_CLASSES)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_chats_reach_the_anthropic_sdk(scene: Scene, status: int, stream: bool) -> None:
    kind, expected = MESSAGES_CLASSES[status]
    client = scene.answering(scripted(json=chat_error("the provider's own words"), status=status)).anthropic
    with pytest.raises(kind, match="the provider's own words") as caught:
        client.messages.create(**ASK_MESSAGES, stream=stream)
    assert caught.value.status_code == expected
    assert caught.value.response.headers["x-pointsman-model"] == "local"
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]
    entry, (attempt,) = booked(scene.gateway, scene.calls)
    outcome = "refused" if status in {400, 404, 413, 422} else "failed"
    assert (entry.status, entry.outcome, attempt.status) == (expected, outcome, status)


# What cannot be said in the other dialect

REFUSED_IN_CHAT: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "n"),
    ({"logprobs": True}, "logprobs"),
    ({"top_logprobs": 3, "logprobs": True}, "logprobs"),
    ({"modalities": ["text", "audio"], "audio": {"voice": "a", "format": "wav"}}, "modalities"),
    ({"web_search_options": {}}, "web_search_options"),
]


@pytest.mark.parametrize(("more", "field"), REFUSED_IN_CHAT)
def test_what_messages_cannot_say_is_refused_before_anybody_is_asked(
    scene: Scene, more: dict[str, Any], field: str
) -> None:
    asked_before = len(scene.upstream.requests)
    client = scene.answering(scripted(json=message("never asked"))).openai
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**ASK_CHAT, extra_body=more)
    assert field in caught.value.param
    assert field in caught.value.message
    assert "claude" in caught.value.message
    assert caught.value.response.headers["x-pointsman-attempts"] == "0"
    assert len(scene.upstream.requests) == asked_before
    entry, attempts = booked(scene.gateway, scene.calls)
    assert (entry.status, entry.outcome, entry.fault, attempts) == (400, "refused", "Unsupported", ())
    assert (entry.decision.card.name, entry.model) == ("claude", None)


def test_what_chat_cannot_say_is_refused_before_anybody_is_asked(scene: Scene) -> None:
    asked_before = len(scene.upstream.requests)
    for more, field in (
        ({"container": "c1"}, "container"),
        ({"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}, "mcp_servers"),
        ({"stop_sequences": ["a", "b", "c", "d", "e"]}, "stop"),
    ):
        client = scene.answering(scripted(json=completion("never asked"))).anthropic
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(**ASK_MESSAGES, extra_body=more)
        assert field in caught.value.message
        assert "local" in caught.value.message
        assert caught.value.body["error"]["type"] == "invalid_request_error"
    assert len(scene.upstream.requests) == asked_before


def test_a_hint_that_is_dropped_is_named_on_a_stream_too(scene: Scene) -> None:
    scene.answering(scripted(sse=messages_stream("Hi")))
    with Caller(scene.gateway) as caller:
        answered = caller.post(CHAT, {**ASK_CHAT, "stream": True, "seed": 1, "presence_penalty": 1})
    assert answered.headers["x-pointsman-dropped"] == "seed,presence_penalty"
    entry, _ = booked(scene.gateway, scene.calls)
    assert entry.dropped == ("seed", "presence_penalty")


# A provider that breaks


@pytest.mark.parametrize("is_torn", [False, True], ids=["whole events", "the last without its blank line"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_stream_without_its_end_is_never_a_clean_end(scene: Scene, path: str, is_torn: bool) -> None:
    """Cut behind every event: what came is passed on, then the caller is told, in its own dialect."""
    is_chat = path == CHAT
    stream = messages_stream if is_chat else chat_stream
    events = stream("one ", "two", calls=[BERLIN])
    last = len(events) - 1 if is_chat else len(events) - 3  # a finish reason is an end in chat
    with Caller(scene.gateway) as caller:
        for cut in range(1, last):
            body = b"".join(events[:cut])
            scene.answering(scripted(sse=[body.removesuffix(b"\n\n") if is_torn else body]))
            answered = caller.post(path, {**(ASK_CHAT if is_chat else ASK_MESSAGES), "stream": True})
            entry, (attempt,) = booked(scene.gateway, scene.calls)
            assert (entry.outcome, entry.fault) == (attempt.outcome, attempt.fault)
            assert entry.fault == "broken"
            if answered.status == 200:
                assert entry.outcome == "partial"
                assert (b"two" in answered.body) or b"two" not in b"".join(events[: cut - is_torn])
                assert answered.body.count(b'"error":{') == 1
                assert b"[DONE]" not in answered.body
                assert b"event: message_stop" not in answered.body
                assert b"ended before its end" in answered.body.split(b"\n\n")[-2]
            else:
                assert (answered.status, entry.outcome) == (502, "failed")
