"""Storms: callers who leave and providers who die at every event of an answer, in every pair of dialects, streamed and not.
When they are over nothing is held any more: no task, no slot, no socket, no file.

Each provider may be asked one thing at a time and has no queue: one slot that is lost would fail all that follows.
"""

import json
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateways import Gateway, running_gateway
from pointsman.lab.scripted import Ending
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said
from pointsman.lab.ways import WORDS, answer_well
from pointsman.testing import FakeUpstream, Received, Scripted
from waiting import PATIENCE_S, wait_until

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini")
MESSAGES = [{"role": "user", "content": "hi"}]


def request(dialect: str, model: str, *, stream: bool) -> bytes:
    fields: dict[str, Any] = {"model": model, "stream": stream}
    path = {
        "openai-chat": "/v1/chat/completions",
        "openai-responses": "/v1/responses",
        "anthropic-messages": "/v1/messages",
        "gemini": f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}",
    }[dialect]
    match dialect:
        case "openai-responses":
            fields |= {"input": "hi", "store": False}
        case "gemini":
            fields = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        case _:
            fields |= {"messages": MESSAGES, "max_tokens": 50}
    body = json.dumps(fields).encode()
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def whole_answer(dialect: str, *, stream: bool) -> Scripted:
    """In several pieces, also where it is not streamed."""
    answer = answer_well(VOICES[dialect], Said("m", ("m", *WORDS), {}), stream)
    if stream:
        return answer
    text = b"".join(answer.pieces)
    pieces = tuple(text[place : place + 100] for place in range(0, len(text), 100))
    return Scripted(headers=answer.headers, pieces=pieces, framing="chunked")


@dataclass
class Sea:
    """A gateway before one provider of each dialect, which sends `count` pieces of its answer and then does `ending`."""

    gateway: Gateway
    upstream: FakeUpstream
    count: int = 1000
    ending: Ending = "clean"

    def __post_init__(self) -> None:
        self.upstream.answer_with(self._answer)

    def _answer(self, received: Received) -> Scripted:
        dialect = received.path.split("/")[1]
        stream = received.json().get("stream") is True or "streamGenerateContent" in received.path
        whole = whole_answer(dialect, stream=stream)
        return Scripted(
            headers=whole.headers, pieces=whole.pieces[: self.count], framing="chunked", ending=self.ending
        )

    def call(self, data: bytes) -> tuple[socket.socket, Received]:
        """A caller, and what its provider got. Nobody else asks meanwhile."""
        before = len(self.upstream.requests)
        caller = socket.create_connection(self.gateway.address, PATIENCE_S)
        caller.sendall(data)
        wait_until(lambda: len(self.upstream.requests) > before)
        return caller, self.upstream.requests[before]

    def ask(self, data: bytes) -> bytes:
        """All that comes until the gateway has said everything; the caller is gone then."""
        caller, _ = self.call(data)
        said = b""
        with caller:
            while not said.endswith((b"\r\n0\r\n\r\n", b"}")) or b"\r\n\r\n" not in said:
                piece = caller.recv(65536)
                if not piece:
                    break
                said += piece
        return said

    def is_calm(self) -> bool:
        server = self.gateway.stopper.server
        assert server is not None
        held = self.gateway.in_loop(
            lambda: (server.slots.in_flight, server.slots.waiting, len(server.server_state.connections))
        )
        return held == (0, 0, 0) and self.gateway.tasks_under_way() == 0


def files_open() -> int:
    """Of this process, in which both the gateway and its providers live; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    with FakeUpstream.in_thread() as upstream:
        providers = "\n".join(
            f"  {dialect}: {{dialect: {dialect}, base_url: {upstream.origin}/{dialect}, api_key: $KEY,"
            " limits: {in_flight: 1, queue: 0}}"
            for dialect in DIALECTS
        )
        models = "\n".join(f"  m-{dialect}: {{provider: {dialect}}}" for dialect in DIALECTS)
        yaml = f"limits: {{in_flight: 2, queue: 0}}\nproviders:\n{providers}\nmodels:\n{models}\n"
        with running_gateway(yaml, tmp_path_factory.mktemp("sea"), {"KEY": "k"}) as gateway:
            yield Sea(gateway, upstream)


@pytest.mark.parametrize("what", ["caller leaves", "caller resets", "provider closes", "provider resets"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("path", DIALECTS)
def test_storm_leaves_nothing_behind(sea: Sea, path: str, what: str, *, stream: bool) -> None:
    sea.count, sea.ending = 1000, "clean"
    for provider in DIALECTS:  # what is opened once and kept for the next request is there after this
        assert sea.ask(request(path, f"m-{provider}", stream=stream)).startswith(b"HTTP/1.1 200")
    wait_until(sea.is_calm)
    files_before = files_open()

    for provider in DIALECTS:
        data = request(path, f"m-{provider}", stream=stream)
        for count in range(len(whole_answer(provider, stream=stream).pieces) + 1):
            sea.count = count
            if what.startswith("provider"):
                sea.ending = "close" if what == "provider closes" else "reset"
                said = sea.ask(data)
                assert said, "a caller who stays is told something"
                assert b" 529 " not in said[:20]
                assert b"at its limit" not in said
            else:
                sea.ending = "stall"
                caller, asked = sea.call(data)
                wait_until(lambda asked=asked: asked.sent_bytes > 0)
                if what == "caller resets":
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                caller.close()
                wait_until(lambda asked=asked: asked.hung_up_at_s is not None)
            wait_until(sea.is_calm)

    sea.count, sea.ending = 1000, "clean"
    for provider in DIALECTS:
        assert sea.ask(request(path, f"m-{provider}", stream=stream)).startswith(b"HTTP/1.1 200")
    wait_until(sea.is_calm)
    wait_until(lambda: files_open() <= files_before)
    assert sea.upstream.connections_open <= len(DIALECTS)
