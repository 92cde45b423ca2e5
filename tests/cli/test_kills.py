"""What is killed under load, without a chance to say goodbye: a provider, or Pointsman itself. Every request that was taken
has an end that its caller can see, and the ledger is whole."""

import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from served import Serve, Served

from pointsman.lab.upstream import answer_text
from waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.slow

CALLERS = 10
ENOUGH = 60

# Says its words slowly, so that at any moment some answers are under way.
PROVIDER = """
import asyncio, sys
from dataclasses import replace
from pointsman.lab.ways import WORDS, answer_well
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said
from pointsman.testing import FakeUpstream

def answer(request):
    asked = request.json()
    said = Said(asked["model"], (asked["model"], *WORDS), asked)
    stream = asked.get("stream", False)
    return replace(answer_well(VOICES["openai-chat"], said, stream), pause_s=0.05, delay_s=0 if stream else 0.1)

async def main():
    async with FakeUpstream() as upstream:
        upstream.answer_with(answer)
        print(upstream.base_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

CONFIG = """
server: {{keepalive_after_s: 30}}
providers:
  one: {{dialect: openai-chat, base_url: {one}}}
  two: {{dialect: openai-chat, base_url: {two}}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
"""


@dataclass
class Provider:
    process: subprocess.Popen[str]
    base_url: str


@contextmanager
def provider() -> Iterator[Provider]:
    process = subprocess.Popen([sys.executable, "-c", PROVIDER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Provider(process, process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def providers() -> Iterator[tuple[Provider, Provider]]:
    with provider() as one, provider() as two:
        yield one, two


@dataclass
class Load:
    """Callers who ask again and again, every second time for a stream. `ends` counts how each request ended for its
    caller: the model whose whole answer it got, `told` (an error, within a stream or instead of it), `dropped` (the
    connection broke: a client sees that), `cut` (neither an end nor an error) or `endless`."""

    url: str
    ends: Counter[str] = field(default_factory=Counter)
    is_over: bool = False
    _begun: dict[int, float] = field(default_factory=dict)
    """When each caller of a stream that is under way had the first of it."""
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.is_over = True
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a request has no end"

    @property
    def asked(self) -> int:
        return self.ends.total()

    def has_just_begun_to_read(self) -> bool:
        """Somebody has part of an answer, and will not have the whole one soon."""
        with self._lock:
            return any(time.monotonic() - at_s < 0.1 for at_s in self._begun.values())

    def _call(self, number: int) -> None:
        host, port = urlsplit(self.url).hostname, urlsplit(self.url).port
        assert host is not None
        stream = number % 2 == 0
        with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as connection:
            while not self.is_over:
                stream = not stream
                try:
                    end = self._end_of(connection, number, stream=stream)
                except TimeoutError:
                    end = "endless"
                except (http.client.HTTPException, OSError):
                    end = "dropped"
                with self._lock:
                    self._begun.pop(number, None)
                    self.ends[end] += 1
                if end in {"dropped", "endless"}:
                    return

    def _end_of(self, connection: http.client.HTTPConnection, number: int, *, stream: bool) -> str:
        asked = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": "Hello."}]}
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(asked), {"content-type": "application/json"}
        )
        response = connection.getresponse()
        if stream and response.status == 200:
            with self._lock:
                self._begun[number] = time.monotonic()
        body = response.read()
        if response.status != 200:
            return "told" if "error" in json.loads(body) else "cut"
        if not stream:
            return _speaker(json.loads(body)["choices"][0]["message"]["content"])
        events: list[Any] = [
            json.loads(event[6:]) for event in body.decode().split("\n\n") if event.startswith("data: {")
        ]
        if any("error" in event for event in events):
            return "told"
        if not body.endswith(b"data: [DONE]\n\n"):
            return "cut"
        return _speaker("".join(event["choices"][0]["delta"].get("content") or "" for event in events))


def _speaker(text: str) -> str:
    return next((model for model in ("first", "second") if text == answer_text(model)), "cut")


def served(serve: Serve, folder: Path, providers: tuple[Provider, Provider]) -> Served:
    one, two = providers
    (folder / "pointsman.yaml").write_text(CONFIG.format(one=one.base_url, two=two.base_url))
    return serve()


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        return database.execute(query).fetchall()


def test_killed_provider_leaves_no_request_without_an_end(
    serve: Serve, tmp_path: Path, providers: tuple[Provider, Provider]
) -> None:
    gateway = served(serve, tmp_path, providers)
    with Load(gateway.url) as load:
        wait_until(lambda: load.ends["first"] >= ENOUGH)
        wait_until(load.has_just_begun_to_read)
        providers[0].process.kill()
        wait_until(lambda: load.ends["second"] >= ENOUGH)
        load.stop()

    # Who had part of an answer was told that it broke; everybody else got a whole one.
    assert set(load.ends) == {"first", "second", "told"}, load.ends
    assert load.ends["told"] <= CALLERS
    assert gateway.stop() == 0
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    booked = Counter(dict(rows(tmp_path, "SELECT outcome, count(*) FROM requests GROUP BY outcome")))
    assert booked.total() == load.asked
    assert booked["partial"] == load.ends["told"]
    assert set(booked) <= {"complete", "failed_over", "partial"}


def test_killed_gateway_ends_every_request_and_its_ledger_is_whole(
    serve: Serve, tmp_path: Path, providers: tuple[Provider, Provider]
) -> None:
    gateway = served(serve, tmp_path, providers)
    with Load(gateway.url) as load:
        wait_until(lambda: load.ends["first"] >= ENOUGH)
        wait_until(lambda: rows(tmp_path, "SELECT count(*) FROM requests") > [(0,)])
        gateway.process.kill()
        load.stop()
    assert gateway.wait() == -signal.SIGKILL

    # Nobody took what had broken for an answer: whoever was waiting saw the connection break, once.
    assert set(load.ends) == {"first", "dropped"}, load.ends
    assert load.ends["dropped"] <= CALLERS
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    [(before,)] = rows(tmp_path, "SELECT count(*) FROM requests")
    assert before <= load.asked
    assert rows(tmp_path, "SELECT DISTINCT outcome FROM requests") == [("complete",)]

    # And it goes on with the same ledger.
    again = serve()
    with ExitStack() as stack:
        load = stack.enter_context(Load(again.url))
        wait_until(lambda: load.ends["first"] >= CALLERS)
        load.stop()
    assert set(load.ends) == {"first"}
    assert again.stop() == 0
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(tmp_path, "SELECT count(*) FROM requests") == [(before + load.asked,)]
