"""The caller leaves: its provider is let go at once, and what was seen until then is booked."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import CHAT, MESSAGES, booked, settle

from gateways import Gateway, running_gateway
from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import CHAT_USAGE, chat_event, messages_stream
from waiting import PATIENCE_S, wait_until

HANG_UP_S = 1.0

STREAMS = {
    "chats": [
        chat_event({"role": "assistant", "content": ""}),
        *[chat_event({"content": word}, usage=CHAT_USAGE) for word in ("one ", "two ", "three")],
        chat_event({}, "stop"),
        b"data: [DONE]\n\n",
    ],
    "messages": messages_stream("one ", "two ", "three"),
}


CONTENT_BEGINS = {"chats": 2, "messages": 4}
"""So many events are sent until there is content; before it the caller hears nothing."""


class Street:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.answer = scripted(body=b"")
        upstream.answer_with(self._answer)

    def _answer(self, _: Received) -> Scripted:
        return self.answer

    def leave_after(
        self, markers: int, path: str, model: str, before: Callable[[], None] | None = None, **more: Any
    ) -> tuple[float, Any, Any]:
        """Asks, leaves when so many events have come, and returns how long the provider was kept after that."""
        settle(self.gateway)
        count, asked_before = len(self.gateway.booked), len(self.upstream.requests)
        body = f'{{"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"Hi"}}]'.encode()
        body += b"".join(f',"{name}":{value}'.encode() for name, value in more.items()) + b"}"
        with socket.create_connection(self.gateway.address, PATIENCE_S) as caller:
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            caller.sendall(head.encode() + body)
            received = b""
            while received.count(b"data: ") < markers:
                piece = caller.recv(65536)
                assert piece, received
                received += piece
            if not markers:
                wait_until(lambda: len(self.upstream.requests) > asked_before)
            if before is not None:
                before()
        left_at_s = time.monotonic()
        request = self.upstream.requests[asked_before]
        wait_until(lambda: request.hung_up_at_s is not None)
        assert request.hung_up_at_s is not None
        entry, (attempt,) = booked(self.gateway, count + 1)
        assert entry.outcome == attempt.outcome
        assert entry.outcome in {"cancelled", "complete"}
        return request.hung_up_at_s - left_at_s, entry, attempt


def files_open() -> int:
    """Sockets included; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with FakeUpstream.in_thread() as upstream:
        yaml = f"""
        providers:
          chats: {{dialect: openai-chat, base_url: {upstream.base_url}}}
          messages: {{dialect: anthropic-messages, base_url: {upstream.base_url}, api_key: $KEY}}
        models:
          chats: {{provider: chats}}
          messages: {{provider: messages}}
        """
        with running_gateway(yaml, tmp_path_factory.mktemp("street"), {"KEY": "k"}) as gateway:
            yield Street(gateway, upstream)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("model", ["chats", "messages"])
def test_a_caller_who_leaves_at_any_event_frees_the_provider(street: Street, model: str, path: str) -> None:
    events = STREAMS[model]
    begins = CONTENT_BEGINS[model]
    street.answer = scripted(sse=events[:begins], ending="stall")
    street.leave_after(1, path, model, stream="true")  # what is opened once and kept is there after this
    settle(street.gateway)
    files_before = files_open()
    kept_s = []
    for came in range(1, begins):
        street.answer = scripted(sse=events[:came], ending="stall")
        after_s, entry, attempt = street.leave_after(0, path, model, stream="true")
        kept_s.append(after_s)
        assert (entry.outcome, entry.status, entry.model, entry.fault) == ("cancelled", 499, None, None)
    for came in range(begins, len(events)):
        street.answer = scripted(sse=events[:came], ending="stall")
        is_same_dialect = (model == "chats") == (path == CHAT)
        # Events that change their dialect cannot be counted one by one.
        markers = came if is_same_dialect else 1
        after_s, entry, attempt = street.leave_after(markers, path, model, stream="true")
        kept_s.append(after_s)
        assert (entry.status, entry.model, entry.fault) == (200, model, None)
        # Who leaves with the reply's end in hand has had all of it.
        has_end = any(b"message_stop" in event or b'"finish_reason": "' in event for event in events[:came])
        if is_same_dialect:
            assert entry.outcome == ("complete" if has_end else "cancelled")
        assert entry.first_token_ms is not None
        assert attempt.status == 200
        if is_same_dialect:
            assert entry.usage == usage_after(model, came, events)
        else:
            assert entry.usage is None or entry.usage.input_tokens == 30
    assert min(kept_s) < HANG_UP_S, kept_s
    settle(street.gateway)
    wait_until(lambda: street.upstream.connections_open == 0)
    wait_until(lambda: files_open() <= files_before)


def usage_after(model: str, came: int, events: list[bytes]) -> Usage | None:
    if model == "chats":
        return Usage(30, 7, 10) if came > 1 else None
    has_delta = any(b"message_delta" in event for event in events[:came])
    return Usage(30, 7 if has_delta else None, 10, 0)


@pytest.mark.parametrize("stream", ["true", "false"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("model", ["chats", "messages"])
def test_a_caller_who_leaves_before_the_first_byte_frees_the_provider(
    street: Street, model: str, path: str, stream: str
) -> None:
    silent = scripted(body=b"{}", delay_s=60)
    head_only = scripted(body=b"{}", cut_after_bytes=0, ending="stall")
    half = scripted(body=b'{"id":"x', declared_length=500, ending="stall")
    kept_s = []
    for answer in (silent, head_only, half):
        street.answer = answer
        after_s, entry, attempt = street.leave_after(0, path, model, stream=stream)
        kept_s.append(after_s)
        assert (entry.status, entry.model, entry.usage, entry.first_token_ms) == (499, None, None, None)
        assert attempt.first_byte_ms is None
        assert attempt.total_ms >= 0
    assert min(kept_s) < HANG_UP_S, kept_s
    settle(street.gateway)


def test_a_caller_who_does_not_read_holds_its_provider_back_and_leaves_cleanly(street: Street) -> None:
    """A hundred megabytes for a caller that takes nothing: sockets hold some, the rest stays at the provider."""
    piece = chat_event({"content": "x" * 100_000})
    count = 1000
    street.answer = scripted(sse=[piece] * count, ending="stall")

    def until_nothing_moves() -> None:
        request, sent = street.upstream.requests[-1], -1
        while request.sent_bytes != sent:
            sent = request.sent_bytes
            time.sleep(0.1)
        assert sent < len(piece) * count

    _, entry, _ = street.leave_after(1, CHAT, "chats", before=until_nothing_moves, stream="true")
    assert (entry.status, entry.outcome) == (200, "cancelled")
