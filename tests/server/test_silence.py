"""Clients that fall silent: how long their connection is kept, with a clock moved by hand."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from raw_http import CHAT, chat_body, head, post
from uvicorn.server import ServerState

from pointsman.server.exchange import Exchange
from pointsman.server.protocol import GatewayProtocol, protocol_factory

KEEP_ALIVE_S = 75.0
SILENCE_S = 60.0


class Timer:
    def __init__(self, at_s: float, call: Callable[[], None]) -> None:
        self.at_s = at_s
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def when(self) -> float:
        return self.at_s


class Task:
    def add_done_callback(self, callback: object) -> None: ...


class HandLoop:
    """An event loop without events. What is started in it never runs."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        return self.call_at(self.now_s + delay_s, call)

    def call_at(self, at_s: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(at_s, call))
        return self.timers[-1]

    def create_task(self, work: Coroutine[Any, Any, None]) -> Task:
        work.close()
        return Task()

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        due = [timer for timer in self.timers if timer.at_s <= self.now_s and not timer.is_cancelled]
        self.timers = [timer for timer in self.timers if timer.at_s > self.now_s and not timer.is_cancelled]
        for timer in due:
            timer.call()


class Wire(asyncio.Transport):
    """Remembers what was written to the client."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_ended = False
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_ended
        self.written += data

    def write_eof(self) -> None:
        self.is_ended = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Silent:
    """Takes its time."""

    def admit(self, exchange: Exchange) -> None: ...

    async def __call__(self, exchange: Exchange) -> None: ...


class Connection:
    """One connection of a gateway whose models never answer."""

    def __init__(self) -> None:
        config = uvicorn.Config(lambda: None, log_config=None, lifespan="off", timeout_keep_alive=75)
        config.load()
        self.loop = HandLoop()
        self.wire = Wire()
        self.protocol: GatewayProtocol = protocol_factory({CHAT.encode(): Silent()}, 1000)(
            config=config, server_state=ServerState(), app_state={}, _loop=self.loop
        )
        self.protocol.connection_made(self.wire)

    def send(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def is_closed_after(self, seconds: float) -> bool:
        """Silence until just before, then until just behind."""
        self.loop.wait(seconds - 0.1)
        assert not self.wire.is_closed
        self.loop.wait(0.2)
        return self.wire.is_closed

    def answer(self) -> None:
        exchange: Any = self.protocol.cycle
        exchange.start(200, [], length=2)
        exchange.write(b"{}")
        exchange.finish()


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_client_that_never_says_anything_is_left(connection: Connection) -> None:
    assert connection.is_closed_after(KEEP_ALIVE_S)


REQUEST = post(CHAT, chat_body())


@pytest.mark.parametrize("place", [1, 20, len(REQUEST) - 40, len(REQUEST) - 1])
def test_client_silent_in_the_middle_of_a_request_is_left(connection: Connection, place: int) -> None:
    connection.send(REQUEST[:place])

    assert connection.is_closed_after(SILENCE_S)


def test_every_byte_renews_the_patience(connection: Connection) -> None:
    for place in range(len(REQUEST) - 1):
        connection.send(REQUEST[place : place + 1])
        connection.loop.wait(SILENCE_S - 1)
        assert not connection.wire.is_closed

    assert connection.is_closed_after(1)


def test_client_that_waits_for_its_answer_is_not_left(connection: Connection) -> None:
    connection.send(REQUEST)
    connection.loop.wait(10_000)

    assert not connection.wire.is_closed
    connection.answer()
    assert connection.is_closed_after(KEEP_ALIVE_S)


def test_half_a_request_behind_one_under_way_does_not_cost_its_answer(connection: Connection) -> None:
    connection.send(REQUEST + REQUEST[:50])
    connection.loop.wait(10_000)

    assert not connection.wire.is_closed


def test_connection_that_is_used_is_kept(connection: Connection) -> None:
    for _ in range(3):
        connection.send(REQUEST)
        connection.answer()
        connection.loop.wait(KEEP_ALIVE_S - 1)
        assert not connection.wire.is_closed

    assert connection.is_closed_after(1)


def test_rest_of_a_refused_message_is_listened_to_for_a_while(connection: Connection) -> None:
    connection.send(head("POST", CHAT, "content-length: +5"))

    assert b" 400 " in connection.wire.written
    assert connection.wire.is_ended
    for _ in range(15):
        connection.send(b"x" * 1000)
        connection.loop.wait(1.9)
        assert not connection.wire.is_closed
    connection.send(b"x")
    connection.loop.wait(1.9)
    assert connection.wire.is_closed


def test_refused_client_that_falls_silent_is_left_soon(connection: Connection) -> None:
    connection.send(b"noise\r\n\r\n")

    assert connection.is_closed_after(2.0)


def test_timers_end_with_the_connection(connection: Connection) -> None:
    connection.send(REQUEST[:30])
    connection.protocol.connection_lost(ConnectionResetError())

    assert all(timer.is_cancelled for timer in connection.loop.timers)
