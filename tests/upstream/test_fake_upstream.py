"""The shipped double, seen by other clients than ours."""

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from httptools import HttpParserError

from pointsman.testing import FakeUpstream, scripted
from waiting import wait_until


def post(url: str, body: bytes = b"{}") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as reply:
        return reply.read()


def test_thread_answers_a_blocking_client_in_order_and_repeats_the_last():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(json={"n": 1})
        upstream.answer(json={"n": 2})
        replies = [json.loads(post(f"{upstream.base_url}/x?q=1", b'{"a": 1}')) for _ in range(3)]
        assert replies == [{"n": 1}, {"n": 2}, {"n": 2}]
        request = upstream.requests[0]
        assert (request.method, request.path, request.query) == ("POST", "/v1/x", "q=1")
        assert request.json() == {"a": 1}
        assert request.header("Content-Length") == "8"
        assert request.header("x-absent") is None


def test_script_sees_the_request():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(lambda request: scripted(body=request.body[::-1], status=201))
        assert post(upstream.base_url, b"abc") == b"cba"


def test_nothing_scripted_is_an_error_to_the_client():
    with FakeUpstream.in_thread() as upstream, pytest.raises(urllib.error.HTTPError, match="500"):
        post(upstream.base_url)


def test_stream_is_chunked_events():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(sse=[b"data: 1\n\n", b"data: 2\n\n"], pause_s=0.01)
        connection = http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=60)
        connection.request("POST", "/v1/x", b"{}")
        reply = connection.getresponse()
        assert reply.headers["transfer-encoding"] == "chunked"
        assert reply.headers["content-type"] == "text/event-stream"
        assert reply.read() == b"data: 1\n\ndata: 2\n\n"
        connection.close()


def test_compressed_answer_is_gzip():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(json={"a": 1}, gzip=True)
        assert json.loads(gzip.decompress(post(upstream.base_url))) == {"a": 1}


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_lost_connection_is_felt(ending):
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(raw=b"", ending=ending)
        with pytest.raises(ConnectionError):
            post(upstream.base_url)


def test_wrong_length_is_felt():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(body=b"abc", declared_length=5, keep_alive=False)
        with pytest.raises(http.client.IncompleteRead):
            post(upstream.base_url)


async def test_chunked_request_is_understood():
    async with FakeUpstream() as upstream:
        upstream.answer(json={})
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        await reader.readuntil(b"{}")
        assert upstream.requests[0].body == b"abc"
        writer.transport.abort()


async def test_pipelined_requests_are_answered_in_order():
    async with FakeUpstream() as upstream:
        upstream.answer_with(lambda request: scripted(body=request.path.encode(), delay_s=0.01))
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"GET /one HTTP/1.1\r\n\r\nGET /two HTTP/1.1\r\n\r\n")
        received = await reader.readuntil(b"/two")
        assert received.index(b"/one") < received.index(b"/two")
        writer.transport.abort()


async def test_hang_up_is_noted_only_before_the_end():
    async with FakeUpstream() as upstream:
        upstream.answer(body=b"ok")
        upstream.answer(body=b"ok", ending="stall")
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"GET /one HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"ok")
        writer.write(b"GET /two HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"ok")
        writer.transport.abort()
        await upstream.requests[1].until_hung_up()
        assert upstream.requests[1].hung_up_at_s is not None
        assert upstream.requests[0].hung_up_at_s is None


async def say(upstream: FakeUpstream, data: bytes) -> None:
    """Enters and leaves the fake; in between it is told `data`."""
    async with upstream:
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()


async def test_mistake_in_a_script_comes_out_at_the_end():
    def mistaken(request):
        raise LookupError("in the script")

    upstream = FakeUpstream()
    upstream.answer_with(mistaken)
    with pytest.raises(LookupError, match="in the script"):
        await say(upstream, b"GET / HTTP/1.1\r\n\r\n")


async def test_client_that_speaks_no_http_comes_out_at_the_end():
    with pytest.raises(HttpParserError):
        await say(FakeUpstream(), b"\x16\x03\x01")


def test_nobody_listens_after_the_end():
    with FakeUpstream.in_thread() as upstream:
        assert upstream._server.is_serving()
    assert not upstream._server.is_serving()


def test_what_was_sent_before_a_reset_can_be_read_however_late():
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(body=b"ok", declared_length=3, ending="reset")
        with socket.create_connection(("127.0.0.1", upstream.port), timeout=60) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            wait_until(lambda: upstream.requests)
            wait_until(lambda: upstream.requests[0].sent_bytes > 2)
            time.sleep(0.3)
            assert connection.recv(1000).endswith(b"ok")
            with pytest.raises(ConnectionResetError):
                connection.recv(1000)
