"""A gateway that stops in the middle of streams: whoever has part of an answer is told so in a way that fits behind that
part, in the same dialect and across."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from calls import GatewayFactory

from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_stream, messages_stream

YAML = """
server: {{shutdown_grace_s: 0.01, keepalive_after_s: {keepalive_after_s}}}
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  responses: {{dialect: openai-responses, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}}}
  googles: {{dialect: gemini, base_url: {url}}}
models:
  chat: {{provider: chats}}
  response: {{provider: responses}}
  message: {{provider: messages}}
  google: {{provider: googles}}
"""
SAID = [{"role": "user", "content": "hi"}]
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CALLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": SAID, "stream": True}),
    "response": ("/v1/responses", {"input": "hi", "stream": True}),
    "message": ("/v1/messages", {"messages": SAID, "max_tokens": 9, "stream": True}),
    "google": ("/v1beta/models/MODEL:streamGenerateContent?alt=sse", CONTENTS),
    "google array": ("/v1beta/models/MODEL:streamGenerateContent", CONTENTS),
}


def responses_stream() -> list[bytes]:
    response = {"id": "resp_theirs", "object": "response", "status": "in_progress", "output": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.in_progress", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **at, "part": part},
        {"type": "response.output_text.delta", **at, "delta": '"sequence_number":99'},
    ]
    return [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': 10 + number})}\n\n".encode()
        for number, event in enumerate(events)
    ]


def google_stream() -> list[bytes]:
    piece = {"candidates": [{"content": {"role": "model", "parts": [{"text": "word"}]}, "index": 0}]}
    return [f"data: {json.dumps(piece)}\r\n\r\n".encode()] * 2


STREAMS = {
    "chat/completions": chat_stream("some", "words")[:3],
    "responses": responses_stream(),
    "messages": messages_stream("some", "words")[:4],
    "streamGenerateContent": google_stream(),
}


class Stalling:
    """A provider that begins and does not go on, or, `dumb`, does not even begin."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.url = upstream.base_url
        self.is_dumb = False
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        (begun,) = [stream for name, stream in STREAMS.items() if name in request.path]
        return scripted(sse=[] if self.is_dumb else begun, ending="stall")


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    with FakeUpstream.in_thread() as upstream:
        yield Stalling(upstream)


def heard(gateway: GatewayFactory, stalling: Stalling, caller: str, model: str) -> bytes:
    """All that a caller hears whose gateway stops when the first of it has come."""
    running = gateway(YAML.format(url=stalling.url, keepalive_after_s=0.05 if stalling.is_dumb else 60))
    path, body = CALLERS[caller]
    with closing(http.client.HTTPConnection(*running.address, timeout=60)) as connection:
        connection.request("POST", path.replace("MODEL", model), json.dumps({"model": model, **body}))
        reply = connection.getresponse()
        assert reply.status == 200
        first = reply.read1()
        running.stopper.stop()
        with pytest.raises(http.client.IncompleteRead) as cut:
            reply.read()
    return first + cut.value.partial


def data_of(said: bytes) -> list[Any]:
    lines = said.replace(b"\r\n", b"\n").split(b"\n")
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]


@pytest.mark.parametrize("model", ["chat", "response", "message", "google"])
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("is_dumb", [False, True])
def test_the_last_words_of_a_gateway_fit_behind_what_was_said(
    gateway: GatewayFactory, stalling: Stalling, caller: str, model: str, is_dumb: bool
) -> None:
    stalling.is_dumb = is_dumb
    said = heard(gateway, stalling, caller, model)
    assert said.count(b"shutting down") == (3 if caller == "response" else 1)
    events = json.loads(said) if caller == "google array" else data_of(said)
    if caller == "response":
        numbers = [event["sequence_number"] for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert [event["type"] for event in events][-2:] == ["error", "response.failed"]
        ids = {event["response"]["id"] for event in events if "response" in event}
        assert len(ids) == 1
    else:
        assert "error" in events[-1]
        assert not any("error" in event for event in events[:-1])
