"""Any bytes at all: every connection is answered or closed, and nobody is alarmed."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_http import CHAT, MESSAGES, Client, ask, chat_body, chunked, head, post

from gateways import Gateway
from waiting import wait_until

GOOD = [
    post(CHAT, chat_body()),
    post(MESSAGES, chat_body(stream=True)),
    post("/v1/route", chat_body()),
    head("GET", "/v1/models", "anthropic-version: 2026-10-21"),
    head("OPTIONS", "*"),
    head("HEAD", "/"),
    head("POST", CHAT, "transfer-encoding: chunked") + chunked([chat_body()]),
    head("POST", "/v1/route", "transfer-encoding: chunked") + chunked([chat_body()]),
    post(CHAT, chat_body(), "connection: upgrade", "upgrade: h2c"),
    post(CHAT, chat_body(), "content-encoding: gzip"),
    post(CHAT, chat_body(), "expect: 100-continue"),
    post(CHAT, chat_body(), version="1.0"),
]
SPICE = [
    b"",
    b"\r\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"HTTP/1.1",
    b"content-length: 7\r\n",
    b"\n",
    b"{",
    b"%",
]


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Some good requests, with something cut out or put in."""
    data = b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 9)))
        data = data[:start] + draw(st.sampled_from(SPICE)) + data[end:]
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(spoiled(), st.binary(max_size=300)), size=st.sampled_from([1, 13, 200, 100_000]))
def test_any_bytes_are_answered_or_the_connection_closed(
    demo: Gateway, caplog: pytest.LogCaptureFixture, data: bytes, size: int
) -> None:
    with Client(demo) as client:
        try:
            for place in range(0, len(data), size):
                client.send(data[place : place + size])
            client.socket.shutdown(1)
        except OSError:
            pass  # it is closed already
        told = client.rest()

    assert told == b"" or told.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in told
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_gateway_is_as_before_after_all_that(demo: Gateway) -> None:
    wait_until(lambda: demo.tasks_under_way() == 0)
    assert ask(demo, post(CHAT, chat_body())).status == 200
