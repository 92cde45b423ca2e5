"""When the gateway itself is at fault, or ends: every caller is told so in its dialect, and the log tells no secret."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anthropic
import openai
import pytest
from callers import BEHIND, StartBehind, anthropic_client, openai_client
from raw_http import CHAT, MESSAGES, Broken, Client, ask, chat_body, head, post

from gateways import Gateway, running_gateway
from pointsman.app import Lasting, build
from pointsman.config.schema import Settings
from pointsman.control.runtime import Runtime
from pointsman.core.ports import HeaderList, Incoming, Outgoing, Send
from pointsman.gateway.pipeline import Pipeline, Record
from pointsman.testing import FakeUpstream
from waiting import wait_until

SECRET = "sk-secret and what the user said"
CHUNK = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'
END = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Surprise(Exception):
    """Nobody expects it."""


async def surprising_send(outgoing: Outgoing) -> Incoming:
    raise Surprise(SECRET)


class SurprisingStream:
    """An answer that begins well."""

    status = 200
    headers: HeaderList = ((b"content-type", b"text/event-stream"),)

    async def first(self) -> bytes:
        return CHUNK

    async def read(self, limit_bytes: int) -> bytes:
        raise Surprise(SECRET)

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        deliver(CHUNK)
        await asyncio.sleep(0)
        raise Surprise(SECRET)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...


async def surprising_stream(outgoing: Outgoing) -> Incoming:
    return SurprisingStream()


class SurprisingPipeline:
    """Fails before anything is decided."""

    def preview(self, *args: Any) -> Any:
        raise Surprise(SECRET)

    async def handle(self, *args: Any) -> None:
        raise Surprise(SECRET)


Start = Callable[..., Gateway]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(send=..., pipeline=...)`: a gateway that is at fault."""
    with ExitStack() as stack:

        def start(send: Send = surprising_send, pipeline: object = None) -> Gateway:
            def make(settings: Settings, record: Record) -> Runtime:
                runtime = build(settings, Lasting(send, record), now_s=0)
                return runtime if pipeline is None else replace(runtime, pipeline=cast("Pipeline", pipeline))

            yaml = BEHIND.format(base_url="http://127.0.0.1:1/v1", grace_s=1)
            return stack.enter_context(running_gateway(yaml, tmp_path, make=make))

        yield start


def told(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() + str(record.exc_text) for record in caplog.records)


@pytest.mark.parametrize("pipeline", [None, SurprisingPipeline()])
@pytest.mark.parametrize("stream", [False, True])
def test_surprise_is_an_answer_in_the_dialect_of_the_caller(
    start: Start, caplog: pytest.LogCaptureFixture, pipeline: object, *, stream: bool
) -> None:
    gateway = start(pipeline=pipeline)
    body = chat_body(text=SECRET, stream=stream)
    with Client(gateway) as client:
        client.send(post(CHAT, body) + post(MESSAGES, body))
        chat, messages = client.reply(), client.reply()

    assert (chat.status, chat.error["type"]) == (500, "server_error")
    assert (messages.status, messages.error["type"]) == (500, "api_error")
    for reply in (chat, messages):
        assert SECRET not in reply.body.decode()
        assert "Traceback" not in reply.body.decode()
        assert f"request {reply.headers['x-pointsman-request-id']} failed: Surprise at " in told(caplog)
    assert SECRET not in told(caplog)


def test_surprise_in_another_endpoint_is_an_answer_too(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = start(pipeline=SurprisingPipeline())
    chat = ask(gateway, post("/v1/route", chat_body(text=SECRET)))
    messages = ask(gateway, post("/v1/route", chat_body(text=SECRET), "anthropic-version: 2026-10-21"))
    gateway.catch_up()

    assert (chat.status, chat.error["type"]) == (500, "server_error")
    assert (messages.status, messages.error["type"]) == (500, "api_error")
    assert f"request {chat.headers['x-pointsman-request-id']} failed: Surprise at " in told(caplog)
    assert SECRET not in told(caplog) + chat.body.decode()


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_surprise_in_the_middle_of_a_stream_is_an_error_event_and_no_end(
    start: Start, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    gateway = start(send=surprising_stream)
    with Client(gateway) as client:
        client.send(post(path, chat_body(text=SECRET, stream=True)))
        head_ = client.until(b"\r\n\r\n")
        rest = client.rest()

    assert b"200 OK" in head_
    assert b"word" in rest
    assert b'"error"' in rest
    assert not rest.endswith(b"0\r\n\r\n")
    assert SECRET.encode() not in rest
    assert SECRET not in told(caplog)


def test_sdks_see_a_surprise_as_an_error(start: Start) -> None:
    gateway = start(send=surprising_stream)
    said: Any = [{"role": "user", "content": "hi"}]
    with openai_client(gateway) as client:
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="tiny", messages=said)
        with pytest.raises(openai.APIError):
            list(client.chat.completions.create(model="tiny", messages=said, stream=True))
    with anthropic_client(gateway) as client_a, pytest.raises(anthropic.APIStatusError):
        list(client_a.messages.create(model="tiny", max_tokens=5, messages=said, stream=True))


# The end of the gateway


def test_waiting_caller_is_told_that_the_gateway_ends(upstream: FakeUpstream, behind: StartBehind) -> None:
    upstream.answer(sse=[CHUNK], delay_s=60)
    gateway = behind(grace_s=0.1)
    with Client(gateway) as chat, Client(gateway) as messages:
        chat.send(post(CHAT, chat_body()))
        messages.send(post(MESSAGES, chat_body(stream=True)))
        wait_until(lambda: len(upstream.requests) == 2)
        gateway.stopper.stop()
        of_chat, of_messages = chat.reply(), messages.reply()
        assert chat.is_closed()
        assert messages.is_closed()

    assert (of_chat.status, of_chat.error["code"]) == (503, "service_unavailable")
    assert (of_messages.status, of_messages.error["type"]) == (529, "overloaded_error")
    assert int(of_chat.headers["retry-after"]) >= 1
    assert "shutting down" in of_chat.error["message"]
    assert [entry.outcome for entry, _ in gateway.booked] == ["failed"] * 2


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_stream_longer_than_the_grace_is_cut_with_an_error_event(
    upstream: FakeUpstream, behind: StartBehind, path: str
) -> None:
    upstream.answer(sse=[CHUNK] * 10_000, pause_s=0.01)
    gateway = behind(grace_s=0.1)
    with Client(gateway) as client:
        client.send(post(path, chat_body(stream=True)))
        client.until(b"word")
        gateway.stopper.stop()
        rest = client.rest()

    assert b"shutting down" in rest
    assert b'"error"' in rest
    assert not rest.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in rest
    assert b"message_stop" not in rest


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_stream_within_the_grace_comes_to_its_end(
    upstream: FakeUpstream, behind: StartBehind, path: str
) -> None:
    upstream.answer(sse=[*[CHUNK] * 30, END], pause_s=0.01)
    gateway = behind(grace_s=20)
    with Client(gateway) as client, Client(gateway) as idle:
        client.send(post(path, chat_body(stream=True)))
        idle.send(head("GET", "/health"))
        assert idle.reply().status == 200
        begun = client.until(b"word")
        gateway.stopper.stop()
        rest = begun + client.rest()
        assert idle.is_closed()

    assert rest.count(b"word") == 30
    assert rest.endswith(b"0\r\n\r\n")
    assert [entry.outcome for entry, _ in gateway.booked] == ["complete"]


def test_caller_who_does_not_read_is_told_once_he_does(
    upstream: FakeUpstream, behind: StartBehind, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.answer(sse=[CHUNK * 1000] * 500)
    gateway = behind(grace_s=0.1)
    with Client(gateway, receive_buffer=65536) as client:
        client.send(post(CHAT, chat_body(stream=True)))
        client.until(b"word")
        gateway.stopper.stop()
        wait_until(lambda: "1 requests are cut" in caplog.text)
        assert b"shutting down" in client.rest()


def test_upload_under_way_is_refused_when_the_grace_is_over(
    behind: StartBehind, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = behind(grace_s=0.1)
    with Client(gateway) as client:
        client.send(head("POST", "/v1/route", "content-length: 1000") + b"{")
        client.send(b" ")
        wait_until(lambda: gateway.tasks_under_way() == 1)
        gateway.stopper.stop()
        assert client.reply().status == 503

    assert "Traceback" not in caplog.text


def test_no_new_connection_is_taken_once_the_gateway_ends(
    upstream: FakeUpstream, behind: StartBehind
) -> None:
    upstream.answer(sse=[*[CHUNK] * 60, END], pause_s=0.01)
    gateway = behind(grace_s=20)
    with Client(gateway) as client:
        client.send(post(CHAT, chat_body(stream=True)))
        client.until(b"word")
        gateway.stopper.stop()
        client.until(b"word")

        def is_refused() -> bool:
            try:
                with Client(gateway, timeout_s=1) as another:
                    another.send(head("GET", "/health"))
                    another.reply()
            except (OSError, Broken):
                return True
            return False

        wait_until(is_refused)
        assert b"[DONE]" in client.rest()
