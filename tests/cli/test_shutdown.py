"""The end of `pointsman serve` while there is work under way: a signal lets it finish and takes nothing new, another
cuts it; whoever is cut is told so in its own dialect, and everything is booked."""

import contextlib
import http.client
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from served import Serve, Served

from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from waiting import wait_until

CHUNK = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'
END = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
SAID = [{"role": "user", "content": "hi"}]
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


class Way:
    """One dialect: where a stream is asked for, what ends one properly, and how one says that it was cut."""

    def __init__(self, path: str, body: dict[str, Any], end: bytes, cut: bytes, busy: int) -> None:
        self.path = path
        self.body = body
        self.end = end
        self.cut = cut
        self.busy = busy

    def asking(self, model: str) -> tuple[str, bytes]:
        body = self.body if "MODEL" in self.path else {"model": model, **self.body}
        return self.path.replace("MODEL", model), json.dumps(body).encode()


WAYS = {
    "chat": Way(
        "/v1/chat/completions",
        {"messages": SAID, "stream": True},
        b"data: [DONE]",
        b'"code":"service_unavailable"',
        503,
    ),
    "responses": Way(
        "/v1/responses",
        {"input": "hi", "stream": True},
        b"event: response.completed",
        b"event: error",
        503,
    ),
    "messages": Way(
        "/v1/messages",
        {"messages": SAID, "max_tokens": 9, "stream": True},
        b"event: message_stop",
        b'"type":"overloaded_error"',
        529,
    ),
    "gemini": Way(
        "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
        CONTENTS,
        b'"finishReason":"STOP"',
        b'"status":"UNAVAILABLE"',
        503,
    ),
}


class Line(http.client.HTTPConnection):
    """One kept connection."""

    def __init__(self, served: Served) -> None:
        host, _, port = served.url.removeprefix("http://").partition(":")
        super().__init__(host, int(port), timeout=60)

    def post(self, path: str, body: bytes) -> http.client.HTTPResponse:
        self.request("POST", path, body)
        return self.getresponse()

    def get(self, path: str) -> tuple[http.client.HTTPResponse, Any]:
        self.request("GET", path)
        reply = self.getresponse()
        return reply, json.loads(reply.read())


def rest_of(reply: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """What comes until the end, and whether that was a proper one."""
    try:
        return reply.read(), True
    except http.client.IncompleteRead as cut:
        return cut.partial, False


def is_refused(served: Served) -> bool:
    with contextlib.closing(Line(served)) as another:
        try:
            another.connect()
        except ConnectionRefusedError:
            return True
    return False


def booked(folder: Path) -> list[tuple[str, str, int]]:
    """Dialect, outcome and status of every request."""
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = connection.execute("SELECT dialect, outcome, status FROM requests ORDER BY dialect, outcome")
        return list(found)


@pytest.fixture
def start(serve: Serve, tmp_path: Path, upstream: FakeUpstream) -> Callable[..., Served]:
    """`start(grace_s)`: `endless` begins an answer and says no more, `brief` takes a moment to finish one."""

    def answer(request: Received) -> Scripted:
        if request.json()["model"] == "endless":
            return scripted(sse=[CHUNK], ending="stall")
        return scripted(sse=[*[CHUNK] * 20, END], pause_s=0.05)

    upstream.answer_with(answer)

    def start(grace_s: float, limits: str = "{}") -> Served:
        (tmp_path / "pointsman.yaml").write_text(
            f"server: {{shutdown_grace_s: {grace_s}}}\nlimits: {limits}\n"
            f"providers:\n  local: {{dialect: openai-chat, base_url: {upstream.base_url}}}\n"
            "models:\n  endless: {provider: local}\n  brief: {provider: local}\n"
        )
        return serve()

    return start


Start = Callable[..., Served]


@pytest.mark.parametrize("dialect", WAYS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_lets_answers_finish_and_the_second_cuts_them(
    start: Start, tmp_path: Path, dialect: str, number: signal.Signals
) -> None:
    way = WAYS[dialect]
    served = start(600)
    with contextlib.ExitStack() as stack:
        asking, ending, asking_health, asking_models, late = (
            stack.enter_context(contextlib.closing(Line(served))) for _ in range(5)
        )
        for line in (asking_health, asking_models, late):
            assert line.get("/health")[1]["status"] == "ok"
        cut = asking.post(*way.asking("endless"))
        finished = ending.post(*way.asking("brief"))
        begun = cut.read1(), finished.read1()
        served.signal(number)
        wait_until(lambda: is_refused(served))

        health, told = asking_health.get("/health")
        assert (health.status, told["status"]) == (503, "draining")
        assert (health.headers["retry-after"], health.headers["connection"]) == ("1", "close")
        models, _ = asking_models.get("/v1/models")
        assert (models.status, models.headers["connection"]) == (503, "close")
        refused = late.post(*way.asking("brief"))
        assert refused.status == way.busy
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        assert b"shutting down" in refused.read()

        body, is_whole = rest_of(finished)
        assert is_whole
        assert way.end in begun[1] + body
        assert served.process.poll() is None

        served.signal(number)
        body, is_whole = rest_of(cut)
        assert not is_whole
        assert way.cut in body.replace(b'": ', b'":')
        assert b"shutting down" in body
        assert way.end not in begun[0] + body
        assert served.wait() == 128 + number

    assert [(outcome, status) for _, outcome, status in booked(tmp_path)] == [
        ("complete", 200),
        ("partial", 200),
    ]
    assert "Traceback" not in served.said


@pytest.mark.parametrize("dialect", WAYS)
def test_answer_beyond_the_grace_ends_with_a_word_of_its_dialect(
    start: Start, tmp_path: Path, dialect: str
) -> None:
    way = WAYS[dialect]
    served = start(0.2)
    with contextlib.closing(Line(served)) as asking:
        reply = asking.post(*way.asking("endless"))
        begun = reply.read1()
        served.signal(signal.SIGTERM)
        body, is_whole = rest_of(reply)

    assert served.wait() == 0
    assert not is_whole
    assert way.cut in body.replace(b'": ', b'":')
    assert way.end not in begun + body
    assert [(outcome, status) for _, outcome, status in booked(tmp_path)] == [("partial", 200)]


def test_who_waits_in_the_queue_is_sent_elsewhere_at_once(
    start: Start, tmp_path: Path, upstream: FakeUpstream
) -> None:
    served = start(600, "{in_flight: 1}")
    with contextlib.closing(Line(served)) as first, contextlib.closing(Line(served)) as second:
        assert second.get("/health")[0].status == 200
        cut = first.post(*WAYS["chat"].asking("endless"))
        second.request("POST", *WAYS["messages"].asking("brief"))
        time.sleep(0.1)  # whether it is in the queue already or comes later, it is told the same
        served.signal(signal.SIGTERM)
        refused = second.getresponse()
        assert refused.status == 529
        assert b"shutting down" in refused.read()
        served.signal(signal.SIGTERM)
        rest_of(cut)

    assert served.wait() == 128 + signal.SIGTERM
    assert len(upstream.requests) == 1


def test_upload_under_way_is_waited_for_within_the_grace(start: Start, tmp_path: Path) -> None:
    served = start(600)
    path, body = WAYS["chat"].asking("brief")
    with contextlib.closing(Line(served)) as slow, contextlib.closing(Line(served)) as idle:
        assert idle.get("/health")[0].status == 200
        slow.putrequest("POST", path)
        slow.putheader("content-length", str(len(body)))
        slow.endheaders(body[:10])
        assert idle.get("/v1/models")[0].status == 200
        served.signal(signal.SIGTERM)
        wait_until(lambda: is_refused(served))
        slow.send(body[10:])
        reply = slow.getresponse()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert b"[DONE]" in reply.read()

    assert served.wait() == 0


def test_upload_beyond_the_grace_is_told_to_come_again(start: Start) -> None:
    served = start(0.2)
    path, body = WAYS["messages"].asking("brief")
    with contextlib.closing(Line(served)) as slow:
        slow.putrequest("POST", path)
        slow.putheader("content-length", str(len(body)))
        slow.putheader("expect", "100-continue")
        slow.endheaders()
        assert slow.sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"  # its head has been read
        slow.send(body[:10])
        served.signal(signal.SIGTERM)
        reply = slow.getresponse()
        assert (reply.status, reply.headers["retry-after"]) == (529, "1")

    assert served.wait() == 0
