"""What became of requests, as it stands in the ledger's file: every outcome, every attempt, every cent."""

import asyncio
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvloop
from calls import CHAT, MESSAGES, Caller

from gateways import Gateway, altered, with_one_try
from pointsman.app import Stopper, listen, run, url_of
from pointsman.config.load import load
from pointsman.ledger.store import Ledger
from pointsman.testing import FakeUpstream, Scripted, scripted
from replies import chat_stream, completion, message, messages_error, messages_stream
from waiting import wait_until

PROMPT = "the prompt that stays out of the books"
KEY = "sk-ant-ours-0123456789"
YAML = """
providers:
  messages: {{dialect: anthropic-messages, base_url: {url}, api_key: $KEY}}
  chats: {{dialect: openai-chat, base_url: {url}, include_stream_usage: true}}
models:
  cheap:
    provider: chats
    tier: simple
    usd_per_million_input: 0.15
    usd_per_million_output: 0.60
    usd_per_million_cache_read: 0.075
  dear:
    provider: messages
    tier: simple
    usd_per_million_input: 3
    usd_per_million_output: 15
    usd_per_million_cache_read: 0.30
    usd_per_million_cache_write: 3.75
  unpriced: {{provider: messages}}
"""
MILLION = Decimal(1_000_000)
# 30 tokens in, 10 of them from a cache, 7 out, as replies.py tells them.
CHEAP = (20 * Decimal("0.15") + 10 * Decimal("0.075") + 7 * Decimal("0.60")) / MILLION
DEAR = (20 * Decimal(3) + 10 * Decimal("0.30") + 7 * Decimal(15)) / MILLION


class Books:
    """A gateway with a real ledger, its provider, and the file that both fill."""

    def __init__(self, url: str, ledger: Ledger, path: Path, upstream: FakeUpstream) -> None:
        self.gateway = Gateway(url, Stopper(), path.with_name("pointsman.yaml"))
        self.answers: dict[str, Scripted] = {}
        self._ledger = ledger
        self._path = path
        self.upstream = upstream
        upstream.answer_with(lambda request: self.answers[request.json()["model"]])

    def ask(self, path: str, model: str, **more: Any) -> Mapping[str, str]:
        body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": PROMPT}], **more}
        with Caller(self.gateway) as caller:
            return caller.post(path, body).headers

    def rows(self, table: str, request_id: str | None = None) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self._path)) as file:
            file.row_factory = sqlite3.Row
            where = "" if request_id is None else f" WHERE request_id = '{request_id}'"
            return [dict(row) for row in file.execute(f"SELECT * FROM {table}{where} ORDER BY rowid")]

    def of(self, headers: Mapping[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The row of one request, and those of its attempts."""
        request_id = headers["x-pointsman-request-id"]
        wait_until(lambda: self._flushed("requests", request_id))
        (row,) = self.rows("requests", request_id)
        return row, self.rows("attempts", request_id)

    def _flushed(self, table: str, request_id: str) -> list[dict[str, Any]]:
        self._ledger.flush()
        return self.rows(table, request_id)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    folder = tmp_path_factory.mktemp("books")
    with FakeUpstream.in_thread() as upstream:
        file = folder / "pointsman.yaml"
        file.write_text(YAML.format(url=upstream.base_url))
        environ = {"POINTSMAN_STATE_DIR": str(folder), "KEY": KEY}
        loaded = altered(load(file, environ, {"port": 0}), with_one_try)
        settings = loaded.settings
        assert settings.ledger.path is not None
        path = Path(settings.ledger.path)
        ledger = Ledger(path)
        ledger.open()
        listener = listen(settings.server.host, settings.server.port)
        books = Books(url_of(listener), ledger, path, upstream)

        def work() -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(run(loaded, listener, ledger.record, books.gateway.stopper))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield books
        finally:
            books.gateway.stopper.stop()
            thread.join(60)
            assert ledger.close()


def picodollars(usd: Decimal) -> int:
    return int(usd.scaleb(12))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_complete_answer_is_booked_with_its_cost(books: Books, path: str, stream: bool) -> None:
    books.answers["cheap"] = scripted(sse=chat_stream("Hi")) if stream else scripted(json=completion())
    row, (attempt,) = books.of(books.ask(path, "auto", stream=stream))
    assert row["cost_picodollars"] == picodollars(CHEAP) == 7_950_000
    assert row["baseline_picodollars"] == picodollars(DEAR) == 168_000_000
    assert json.loads(row["rates"]) == {"input": "0.15", "output": "0.60", "cache_read": "0.075"}
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (30, 7, 10)
    assert (row["outcome"], row["status"], row["fault"], row["stream"]) == ("complete", 200, None, stream)
    assert (row["requested_model"], row["profile"], row["tier"]) == ("auto", "auto", "simple")
    assert (row["chosen_model"], row["chosen_provider"]) == ("cheap", "chats")
    assert (row["model"], row["provider"], row["caller"]) == ("cheap", "chats", "anonymous")
    assert row["dialect"] == ("openai-chat" if path == CHAT else "anthropic-messages")
    assert 0 <= row["score"] <= 1
    assert any(reason[0] == "base" for reason in json.loads(row["reasons"]))
    assert 0 < row["first_token_ms"] <= row["total_ms"] < 60_000
    assert abs(row["started_at_s"] - time.time()) < 60
    assert (attempt["number"], attempt["model"], attempt["provider"]) == (1, "cheap", "chats")
    assert (attempt["outcome"], attempt["status"], attempt["fault"]) == ("complete", 200, None)
    assert 0 < attempt["first_byte_ms"] <= attempt["total_ms"]
    assert attempt["started_ms"] + attempt["total_ms"] <= row["total_ms"]


def test_the_cache_has_prices_of_its_own(books: Books) -> None:
    usage = {
        "input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 11,
    }
    books.answers["dear"] = scripted(json={**message(), "usage": usage})
    row, _ = books.of(books.ask(MESSAGES, "dear"))
    cost = (100 * Decimal(3) + 2000 * Decimal("0.30") + 300 * Decimal("3.75") + 11 * Decimal(15)) / MILLION
    assert row["cost_picodollars"] == picodollars(cost) == row["baseline_picodollars"]
    assert (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (2400, 2000, 300)
    assert (row["profile"], row["score"], row["reasons"]) == ("pinned", None, None)


def test_an_unknown_price_is_no_price(books: Books) -> None:
    books.answers["unpriced"] = scripted(json=message())
    row, _ = books.of(books.ask(MESSAGES, "unpriced"))
    assert (row["cost_picodollars"], row["rates"], row["price_source"]) == (None, None, None)
    assert row["baseline_picodollars"] == picodollars(DEAR)
    assert (row["input_tokens"], row["output_tokens"], row["outcome"]) == (30, 7, "complete")


def test_usage_that_nobody_told_is_no_zero(books: Books) -> None:
    reply = completion()
    del reply["usage"]
    books.answers["cheap"] = scripted(json=reply)
    row, _ = books.of(books.ask(CHAT, "cheap"))
    assert (row["outcome"], row["input_tokens"], row["cost_picodollars"]) == ("complete", None, None)


def test_an_answer_by_the_second_model_is_charged_at_its_price(books: Books) -> None:
    books.answers["cheap"] = scripted(json={"error": {"message": "busy"}}, status=503)
    books.answers["dear"] = scripted(sse=messages_stream("Hi"))
    row, attempts = books.of(books.ask(CHAT, "auto", stream=True, seed=5))
    assert (row["chosen_model"], row["model"], row["cost_picodollars"]) == (
        "cheap",
        "dear",
        picodollars(DEAR),
    )
    assert json.loads(row["dropped"]) == ["seed"]
    told = [
        (each["number"], each["model"], each["outcome"], each["fault"], each["status"]) for each in attempts
    ]
    assert told == [(1, "cheap", "failed", "overloaded", 503), (2, "dear", "complete", None, 200)]


def test_a_failed_request_is_booked_without_a_cost(books: Books) -> None:
    books.answers["cheap"] = scripted(raw=b"", ending="close")
    books.answers["dear"] = scripted(json=messages_error(PROMPT, "api_error"), status=500)
    row, attempts = books.of(books.ask(CHAT, "auto"))
    assert (row["outcome"], row["status"], row["fault"]) == ("failed", 502, "server_error")
    assert (row["model"], row["cost_picodollars"], row["baseline_picodollars"]) == (None, None, None)
    assert (row["chosen_model"], row["first_token_ms"]) == ("cheap", None)
    assert [(each["fault"], each["status"]) for each in attempts] == [
        ("unreachable", None),
        ("server_error", 500),
    ]


def test_a_refused_request_is_booked_without_attempts(books: Books) -> None:
    row, attempts = books.of(books.ask(CHAT, "no-such-model"))
    assert (row["outcome"], row["status"], row["fault"], attempts) == ("refused", 404, "UnknownModel", [])
    assert (row["requested_model"], row["profile"], row["chosen_model"]) == ("no-such-model", None, None)


def test_a_broken_answer_is_booked_with_what_it_used_until_then(books: Books) -> None:
    books.answers["dear"] = scripted(sse=messages_stream("one ", "two")[:4], cut_after_bytes=None)
    row, (attempt,) = books.of(books.ask(MESSAGES, "dear", stream=True))
    assert (row["outcome"], row["status"], row["fault"]) == ("partial", 200, "broken")
    assert (row["input_tokens"], row["output_tokens"], row["model"]) == (30, None, "dear")
    assert row["cost_picodollars"] is None  # nobody said how much was written
    assert (attempt["outcome"], attempt["fault"], attempt["status"]) == ("partial", "broken", 200)


def test_a_caller_who_leaves_is_booked_with_what_it_used_until_then(books: Books) -> None:
    books.answers["dear"] = scripted(sse=messages_stream("one ", "two")[:5], ending="stall")
    body = json.dumps(
        {"model": "dear", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": PROMPT}]}
    ).encode()
    received = b""
    with socket.create_connection(books.gateway.address, 10) as caller:
        caller.sendall(
            b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        while b"one " not in received:
            received += caller.recv(65536)
    head = dict(line.split(b": ", 1) for line in received.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
    request_id = head[b"x-pointsman-request-id"].decode()
    row, (attempt,) = books.of({"x-pointsman-request-id": request_id})
    assert (row["outcome"], row["status"], row["fault"]) == ("cancelled", 200, None)
    assert (row["input_tokens"], row["output_tokens"], row["model"]) == (30, None, "dear")
    assert (attempt["outcome"], attempt["status"]) == ("cancelled", 200)


def test_the_books_hold_neither_prompts_nor_keys(books: Books) -> None:
    books.answers["cheap"] = scripted(json=completion())
    books.of(books.ask(CHAT, "auto", user=PROMPT))
    everything = repr(books.rows("requests")) + repr(books.rows("attempts"))
    assert "anonymous" in everything
    for secret in (PROMPT, KEY, PROMPT[:20]):
        assert secret not in everything


def test_every_request_is_one_row_and_every_try_another(books: Books) -> None:
    books.answers["cheap"] = scripted(json=completion())
    headers = [books.ask(CHAT, "cheap") for _ in range(20)]
    ids = [each["x-pointsman-request-id"] for each in headers]
    assert len(set(ids)) == 20
    assert ids == sorted(ids)
    for each in headers:
        _, attempts = books.of(each)
        assert len(attempts) == 1
    tries = {(row["request_id"], row["number"]) for row in books.rows("attempts")}
    assert len(tries) == len(books.rows("attempts"))
