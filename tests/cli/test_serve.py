"""`pointsman serve` as a process of its own: what it says, how it ends, and what it leaves behind."""

import contextlib
import http.client
import json
import signal
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from served import Serve, Served

from pointsman.testing import FakeUpstream
from waiting import wait_until

KEY = "a-master-key-nobody-guesses"
CHUNK = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'
END = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@pytest.fixture
def configured(tmp_path: Path, upstream: FakeUpstream) -> Callable[[float], None]:
    """Writes a configuration in front of `upstream`."""

    def write(grace_s: float = 10.0) -> None:
        (tmp_path / "pointsman.yaml").write_text(
            f"server: {{shutdown_grace_s: {grace_s}}}\n"
            f"providers:\n  local: {{dialect: openai-chat, base_url: {upstream.base_url}}}\n"
            "models:\n  tiny: {provider: local, id: tiny-1, tier: simple}\n"
        )

    return write


def open_chat(url: str, *, stream: bool = False, model: str = "auto", **headers: str) -> Any:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request, timeout=60)


def chat(url: str, **options: Any) -> bytes:
    with open_chat(url, **options) as reply:
        data: bytes = reply.read()
        return data


def rows(folder: Path, columns: str = "outcome") -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(f"SELECT {columns} FROM requests").fetchall()


def last_line(served: Served) -> str:
    return "".join(served.err).strip().splitlines()[-1]


def assert_refused_plainly(served: Served, code: int) -> None:
    assert served.wait() == code
    assert "Traceback" not in served.said
    assert "listening" not in served.said


# How it begins


def test_demo_answers_and_is_booked(serve: Serve, tmp_path: Path) -> None:
    served = serve()

    assert b"simulated" in chat(served.url)
    assert b"data: [DONE]" in chat(served.url, stream=True)
    assert served.stop() == 0
    assert rows(tmp_path) == [("complete",), ("complete",)]


def test_port_in_use_is_one_clear_line(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        served = serve("serve", "--port", str(port))
        assert_refused_plainly(served, 1)

    assert (
        "".join(served.err)
        == f"pointsman: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    )


def test_host_that_is_not_ours_is_one_clear_line(serve: Serve) -> None:
    served = serve("serve", "--port", "0", "--host", "192.0.2.1", POINTSMAN_MASTER_KEY=KEY)
    assert_refused_plainly(served, 1)

    assert last_line(served).startswith("pointsman: cannot listen on 192.0.2.1:0: ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
def test_address_others_can_reach_is_refused_without_a_key(serve: Serve, host: str) -> None:
    served = serve("serve", "--port", "0", "--host", host)
    assert_refused_plainly(served, 2)

    assert "export POINTSMAN_MASTER_KEY=" in last_line(served)


def test_address_others_can_reach_is_served_with_a_key_that_is_never_logged(serve: Serve) -> None:
    served = serve(
        "serve", "--port", "0", "--host", "0.0.0.0", "--log-level", "debug", POINTSMAN_MASTER_KEY=KEY
    )
    url = served.url.replace("0.0.0.0", "127.0.0.1")

    with pytest.raises(urllib.error.HTTPError) as refused:
        chat(url)
    refused.value.close()
    assert refused.value.code == 401
    assert chat(url, authorization=f"Bearer {KEY}")
    with urllib.request.urlopen(f"{url}/v1/models?key={KEY}", timeout=60) as models:
        assert models.status == 200
    with urllib.request.urlopen(f"{url}/health", timeout=60) as health:
        assert health.status == 200
    assert served.stop() == 0
    assert KEY not in served.said
    assert "Traceback" not in served.said


@pytest.mark.parametrize("path", ["{}/a-file/ledger.db", "{}"])
def test_ledger_that_cannot_be_written_is_a_clear_line(serve: Serve, tmp_path: Path, path: str) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "pointsman.yaml").write_text(
        f"providers: {{demo: }}\nledger: {{path: {path.format(tmp_path)}}}\n"
        "models: {tiny: {provider: demo, id: demo-simple, tier: simple}}\n"
    )
    served = serve()
    assert_refused_plainly(served, 2)

    assert "ledger" in last_line(served)
    assert str(tmp_path) in last_line(served)


def test_ledger_of_another_kind_is_left_alone(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("what somebody wrote" * 1000)
    served = serve()
    assert_refused_plainly(served, 2)

    assert "ledger.db" in last_line(served)
    assert (tmp_path / "ledger.db").read_text().startswith("what somebody wrote")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_ipv6_is_served(serve: Serve) -> None:
    served = serve("serve", "--port", "0", "--host", "::1")

    assert served.url.startswith("http://[::1]:")
    assert b"simulated" in chat(served.url)
    assert served.stop() == 0


def test_two_processes_book_in_one_ledger(serve: Serve, tmp_path: Path) -> None:
    one, two = serve(), serve()
    urls = [one.url, two.url]
    for _ in range(20):
        for url in urls:
            chat(url)

    assert [one.stop(), two.stop()] == [0, 0]
    assert rows(tmp_path) == [("complete",)] * 40
    assert "WARNING" not in one.said + two.said


# How it ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stream_under_way_is_finished_and_booked(
    serve: Serve,
    tmp_path: Path,
    upstream: FakeUpstream,
    configured: Callable[..., None],
    number: signal.Signals,
) -> None:
    upstream.answer(sse=[*[CHUNK] * 30, END], pause_s=0.02)
    configured()
    served = serve()
    with open_chat(served.url, stream=True) as reply:
        begun = reply.readline()
        served.signal(number)
        body = begun + reply.read()

    assert served.wait() == 0
    assert body == CHUNK * 30 + END
    assert rows(tmp_path) == [("complete",)]
    assert "Traceback" not in served.said


def test_stream_beyond_the_grace_is_cut_and_looks_cut(
    serve: Serve, tmp_path: Path, upstream: FakeUpstream, configured: Callable[..., None]
) -> None:
    upstream.answer(sse=[CHUNK] * 100_000, pause_s=0.01)
    configured(grace_s=0.3)
    served = serve()
    with open_chat(served.url, stream=True) as reply:
        reply.readline()
        served.signal(signal.SIGTERM)
        with pytest.raises(http.client.IncompleteRead) as cut:
            reply.read()

    assert served.wait() == 0
    assert b"shutting down" in cut.value.partial
    assert b"[DONE]" not in cut.value.partial
    assert rows(tmp_path) == [("partial",)]
    assert "Traceback" not in served.said


def test_caller_who_still_waits_is_told_to_come_again(
    serve: Serve, tmp_path: Path, upstream: FakeUpstream, configured: Callable[..., None]
) -> None:
    upstream.answer(sse=[CHUNK], delay_s=60)
    configured(grace_s=0.3)
    served = serve()
    url = served.url

    def stop_once_asked() -> None:
        wait_until(lambda: upstream.requests)
        served.signal(signal.SIGTERM)

    stopper = threading.Thread(target=stop_once_asked, daemon=True)
    stopper.start()
    with pytest.raises(urllib.error.HTTPError) as refused:
        chat(url)
    refused.value.close()
    stopper.join()

    assert served.wait() == 0
    assert (refused.value.code, refused.value.headers["retry-after"]) == (503, "1")
    assert rows(tmp_path) == [("failed",)]


def test_idle_connection_does_not_hold_up_the_end(serve: Serve) -> None:
    served = serve()
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        said = b""
        while b"}" not in said:
            said += idle.recv(1000)
        assert served.stop() == 0
        assert idle.recv(1000) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_is_heeded_however_early_it_comes(serve: Serve, number: signal.Signals) -> None:
    for pause_s in (0.0, 0.01, 0.05):
        served = serve()
        assert served.url
        time.sleep(pause_s)
        served.signal(number)
        assert served.wait() == 0
        assert "Traceback" not in served.said


def test_killed_process_leaves_a_ledger_that_opens_with_what_was_answered(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve()
    url = served.url
    answered: list[bytes] = []

    def load() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                answered.append(chat(url))

    callers = [threading.Thread(target=load) for _ in range(4)]
    for caller in callers:
        caller.start()
    wait_until(lambda: len(answered) >= 300)
    wait_until(lambda: len(rows(tmp_path)) >= 300)  # nobody has told it to write
    written = len(rows(tmp_path))
    served.process.kill()
    for caller in callers:
        caller.join()
    assert served.wait() == -signal.SIGKILL

    again = serve()
    chat(again.url)
    assert again.stop() == 0
    booked = len(rows(tmp_path)) - 1
    assert written <= booked <= len(answered) + len(callers)


def test_what_was_answered_is_there_soon_after(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    for _ in range(25):
        chat(served.url)
    wait_until(lambda: len(rows(tmp_path)) == 25)
    served.process.kill()

    assert len(rows(tmp_path)) == 25


# How it changes


def test_hangup_reads_the_configuration_again(
    serve: Serve, configured: Callable[[float], None], upstream: FakeUpstream, tmp_path: Path
) -> None:
    configured(10.0)
    file = tmp_path / "pointsman.yaml"
    served = serve()
    url = served.url
    file.write_text(file.read_text() + "  second: {provider: local, tier: complex}\nreload: {watch: false}\n")
    served.process.send_signal(signal.SIGHUP)

    def models() -> bytes:
        with urllib.request.urlopen(f"{url}/v1/models", timeout=60) as reply:
            data: bytes = reply.read()
            return data

    wait_until(lambda: b'"second"' in models())
    assert served.stop() == 0
    assert "reloaded (SIGHUP)" in served.said or "reloaded (pointsman.yaml changed)" in served.said
