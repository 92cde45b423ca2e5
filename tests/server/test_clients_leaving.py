"""Clients that leave, at any moment: nothing goes on for them, nothing is left behind, nobody is alarmed."""

import logging
import socket
import struct

import pytest
from callers import StartBehind
from raw_http import CHAT, MESSAGES, Client, chat_body, head, post

from gateways import Gateway
from pointsman.testing import FakeUpstream
from waiting import wait_until

CHUNK = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'


def leave(client: Client, *, rudely: bool) -> None:
    if rudely:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


def assert_nothing_is_left(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert alarms == []
    wait_until(lambda: gateway.tasks_under_way() == 0)


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_leaving_at_any_byte_of_the_request_leaves_nothing_behind(
    demo: Gateway, path: str, caplog: pytest.LogCaptureFixture, *, rudely: bool
) -> None:
    request = post(path, chat_body(stream=True))
    for place in range(0, len(request) + 1, 5):
        client = Client(demo)
        client.send(request[:place])
        leave(client, rudely=rudely)

    assert_nothing_is_left(demo, caplog)


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
def test_leaving_before_the_provider_answers_cancels_it(
    upstream: FakeUpstream,
    behind: StartBehind,
    caplog: pytest.LogCaptureFixture,
    path: str,
    *,
    stream: bool,
    rudely: bool,
) -> None:
    upstream.answer(sse=[CHUNK], delay_s=60)
    gateway = behind()
    client = Client(gateway)
    client.send(post(path, chat_body(stream=stream)))
    wait_until(lambda: len(upstream.requests) == 1)
    leave(client, rudely=rudely)

    wait_until(lambda: upstream.requests[0].hung_up_at_s is not None)
    assert_nothing_is_left(gateway, caplog)
    assert [entry.outcome for entry, _ in gateway.booked] == ["cancelled"]


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_leaving_in_the_middle_of_a_stream_cancels_it(
    upstream: FakeUpstream, behind: StartBehind, caplog: pytest.LogCaptureFixture, path: str, *, rudely: bool
) -> None:
    upstream.answer(sse=[CHUNK] * 10_000, pause_s=0.01)
    gateway = behind()
    client = Client(gateway)
    client.send(post(path, chat_body(stream=True)))
    client.until(b"word")
    leave(client, rudely=rudely)

    wait_until(lambda: upstream.requests[0].hung_up_at_s is not None)
    assert_nothing_is_left(gateway, caplog)
    assert [entry.outcome for entry, _ in gateway.booked] == ["cancelled"]


def test_leaving_a_stream_that_is_held_back_cancels_it(
    upstream: FakeUpstream, behind: StartBehind, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.answer(sse=[CHUNK * 1000] * 500)
    gateway = behind()
    client = Client(gateway, receive_buffer=65536)
    client.send(post(CHAT, chat_body(stream=True)))
    client.until(b"word")
    leave(client, rudely=True)

    wait_until(lambda: upstream.requests[0].hung_up_at_s is not None)
    assert_nothing_is_left(gateway, caplog)


def test_leaving_a_pipeline_runs_none_of_what_still_waits(
    upstream: FakeUpstream, behind: StartBehind, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.answer(sse=[CHUNK] * 10_000, pause_s=0.01)
    gateway = behind()
    client = Client(gateway)
    client.send(post(CHAT, chat_body(stream=True)) * 3 + head("GET", "/v1/models"))
    client.until(b"word")
    leave(client, rudely=False)

    wait_until(lambda: upstream.requests[0].hung_up_at_s is not None)
    assert_nothing_is_left(gateway, caplog)
    assert len(upstream.requests) == len(gateway.booked) == 1


def test_leaving_while_a_refused_body_is_thrown_away_is_no_trouble(
    demo: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    for rudely in (False, True):
        client = Client(demo)
        client.send(head("POST", CHAT, "content-length: 1000000000") + b"x" * 100_000)
        client.until(b"413")
        leave(client, rudely=rudely)

    assert_nothing_is_left(demo, caplog)


def test_leaving_between_requests_is_no_trouble(demo: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    for rudely in (False, True):
        for request in (b"", head("GET", "/health"), post(CHAT, chat_body())):
            client = Client(demo)
            if request:
                client.send(request)
                assert client.reply().status == 200
            leave(client, rudely=rudely)

    assert_nothing_is_left(demo, caplog)
