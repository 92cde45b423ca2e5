"""What a connection goes through besides single requests: keep-alive, pipelines, slow uploads, old versions, and
clients that close one side."""

import json
import threading
import time

import pytest
from callers import StartBehind
from raw_http import CHAT, MESSAGES, Broken, Client, ask, chat_body, chunked, head, post

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from waiting import wait_until

MODELS = head("GET", "/v1/models")
HEALTH = head("GET", "/health")
ROUTE = post("/v1/route", chat_body())


def whole(text: str) -> object:
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def chunk(text: str) -> bytes:
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'id': '1', 'choices': [delta]})}\n\n".encode()


END = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def echo(request: Received) -> Scripted:
    """Answers with the last thing that was said; `slow` and `stream` mean what they say."""
    asked = request.json()
    said = asked["messages"][-1]["content"]
    delay_s = 0.15 if "slow" in said else 0.0
    if asked.get("stream"):
        return scripted(sse=[chunk(said), chunk(said), END], delay_s=delay_s, pause_s=0.02)
    return scripted(json=whole(said), delay_s=delay_s)


def test_one_connection_takes_a_thousand_requests(demo: Gateway) -> None:
    request = post(CHAT, chat_body())
    with Client(demo) as client:
        for _ in range(1000):
            client.send(request)
            assert client.reply().status == 200


def test_connection_close_is_honoured(demo: Gateway) -> None:
    for request in (
        post(CHAT, chat_body(), "connection: close"),
        head("GET", "/health", "connection: close"),
    ):
        with Client(demo) as client:
            client.send(request + HEALTH)
            assert client.reply().headers["connection"] == "close"
            assert client.is_closed()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("header", ["x: y", "connection: keep-alive"])
def test_http_1_0_is_answered_without_chunks_and_closed(demo: Gateway, header: str, *, stream: bool) -> None:
    with Client(demo) as client:
        client.send(post(CHAT, chat_body(stream=stream), header, version="1.0"))
        reply = client.reply()
        assert reply.status == 200
        assert "transfer-encoding" not in reply.headers
        assert reply.headers["connection"] == "close"
        assert reply.body.endswith(b"data: [DONE]\n\n" if stream else b"}")
        assert client.is_closed()


def test_pipelined_requests_are_answered_in_order(upstream: FakeUpstream, behind: StartBehind) -> None:
    """Slow and fast, streamed and not, through ASGI and below it: whatever the mixture."""
    upstream.answer_with(echo)
    gateway = behind()
    said = ["slow one", "two", "slow three", "four", "five"]
    requests = [
        post(CHAT, chat_body(text=said[0])),
        MODELS,
        post(CHAT, chat_body(text=said[1], stream=True)),
        ROUTE,
        post(MESSAGES, chat_body(text=said[2], stream=True)),
        HEALTH,
        MODELS,
        post(MESSAGES, chat_body(text=said[3])),
        post(CHAT, b"{"),
        post(CHAT, chat_body(text=said[4])),
    ]
    wanted = [said[0], '"list"', said[1], '"requested"', said[2], '"ok"', '"list"', said[3], "JSON", said[4]]
    data = b"".join(requests)
    for size in (len(data), 700, 97):
        with Client(gateway) as client:
            for place in range(0, len(data), size):
                client.send(data[place : place + size])
            for text in wanted:
                assert text in client.reply().body.decode()


def test_pipeline_ends_with_the_request_that_closes(demo: Gateway) -> None:
    with Client(demo) as client:
        client.send(MODELS + post(CHAT, chat_body(), "connection: close") + MODELS)
        assert [client.reply().status, client.reply().status] == [200, 200]
        assert client.is_closed()


@pytest.mark.parametrize(
    "first", [post(CHAT, chat_body(text="slow")), post(CHAT, chat_body(text="slow", stream=True))]
)
@pytest.mark.parametrize(
    "bad",
    [
        b"\0\0\0\0 this is not HTTP\r\n\r\n",
        b"\0" * 3_000_000,
        head("POST", CHAT, "transfer-encoding: chunked") + b"zz\r\n",
        head("POST", "/v1/route", "transfer-encoding: chunked") + b"zz\r\n",
        head("POST", CHAT, "content-length: 1000000000000"),
        head("CONNECT", "example.org:443"),
    ],
)
def test_bad_request_behind_a_good_one_leaves_its_answer_whole(
    upstream: FakeUpstream, behind: StartBehind, first: bytes, bad: bytes
) -> None:
    upstream.answer_with(echo)
    gateway = behind()
    with Client(gateway) as client:
        client.send(first + bad)
        reply = client.reply()
        assert reply.status == 200
        assert b"slow" in reply.body
        rest = client.rest()
    assert rest == b"" or rest.startswith(b"HTTP/1.1 413 ")
    assert len(upstream.requests) == 1


def test_expectation_behind_another_request_does_not_disturb_its_answer(
    upstream: FakeUpstream, behind: StartBehind
) -> None:
    upstream.answer_with(echo)
    gateway = behind()
    body = chat_body(text="second")
    with Client(gateway) as client:
        client.send(post(CHAT, chat_body(text="slow", stream=True)))
        client.until(b"data: ")
        client.send(head("POST", CHAT, f"content-length: {len(body)}", "expect: 100-continue"))
        assert b"100 Continue" not in client.until(b"[DONE]\n\n\r\n0\r\n\r\n")
        client.send(body)
        assert b"second" in client.reply().body


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_slow_upload_is_waited_for(demo: Gateway, path: str) -> None:
    request = post(path, chat_body())
    with Client(demo) as client:
        for place in range(0, len(request), 40):
            client.send(request[place : place + 40])
            time.sleep(0.01)
        assert client.reply().status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_chunks_of_one_byte_make_a_body(demo: Gateway, path: str) -> None:
    body = chat_body()
    pieces = chunked(body[place : place + 1] for place in range(len(body)))
    reply = ask(demo, head("POST", path, "transfer-encoding: Chunked") + pieces)

    assert reply.status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_thirty_megabytes_are_read(demo: Gateway, path: str) -> None:
    assert ask(demo, post(path, chat_body(text="0123456789" * 3_000_000))).status == 200


def test_sending_side_closed_means_the_client_left(upstream: FakeUpstream, behind: StartBehind) -> None:
    upstream.answer(json=whole("late"), delay_s=600)
    gateway = behind()
    with Client(gateway) as client:
        client.send(post(CHAT, chat_body()))
        wait_until(lambda: len(upstream.requests) == 1)
        client.socket.shutdown(1)
        with pytest.raises(Broken):
            client.reply()
    wait_until(lambda: upstream.requests[0].hung_up_at_s is not None)


def test_answer_that_was_out_already_reaches_a_client_that_closed_its_side(demo: Gateway) -> None:
    with Client(demo) as client:
        client.send(post("/v1/route", chat_body()))
        assert client.reply().status == 200
        client.socket.shutdown(1)
        assert client.is_closed()


def test_two_hundred_streams_at_once_all_finish(upstream: FakeUpstream, behind: StartBehind) -> None:
    upstream.answer_with(echo)
    gateway = behind()
    clients = [Client(gateway, timeout_s=30) for _ in range(200)]
    try:
        for number, client in enumerate(clients):
            client.send(post(CHAT, chat_body(text=f"stream {number}", stream=True)))
        for number, client in enumerate(clients):
            assert client.reply().body == chunk(f"stream {number}") * 2 + END
    finally:
        for client in clients:
            client.socket.close()
    wait_until(lambda: len(gateway.booked) == 200)
    assert {entry.outcome for entry, _ in gateway.booked} == {"complete"}
    wait_until(lambda: gateway.tasks_under_way() == 0)


def test_gateway_under_way_answers_new_connections(upstream: FakeUpstream, behind: StartBehind) -> None:
    upstream.answer_with(echo)
    gateway = behind()
    stop = threading.Event()

    def hammer() -> None:
        with Client(gateway) as client:
            while not stop.is_set():
                client.send(post(CHAT, chat_body(text="x")) * 20)
                for _ in range(20):
                    client.reply()

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        for _ in range(20):
            assert ask(gateway, HEALTH, to="GET").status == 200
    finally:
        stop.set()
        thread.join()
