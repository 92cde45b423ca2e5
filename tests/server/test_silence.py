"""Clients that fall silent: how long their connection is kept, with a clock moved by hand."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from raw_http import CHAT, chat_body, head, post
from uvicorn.server import ServerState

from pointsman.core.ports import Answer
from pointsman.server.exchange import KEEPALIVE_EVERY_S, Exchange
from pointsman.server.pace import DEAF_S, REQUEST_S
from pointsman.server.protocol import GatewayProtocol, Service, protocol_factory

KEEP_ALIVE_S = 75.0
SILENCE_S = 60.0
KEEPALIVE_AFTER_S = 1.0


class HandLoop:
    """An event loop with nothing but a clock and what is to be called by it."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.Future(loop=cast(asyncio.AbstractEventLoop, self))

    def get_debug(self) -> bool:
        return False

    def call_soon(self, call: Callable[..., object], *words: Any, context: object = None) -> None:
        self.call_later(0.0, call, *words)

    def call_later(self, delay_s: float, call: Callable[..., object], *words: Any) -> None:
        self.timers.append((self.now_s + delay_s, lambda: call(*words)))

    def wait(self, seconds: float) -> None:
        """Wakes once, late, and again a second later: the sweep is punctual to a quarter of it."""
        for step_s in (max(seconds - 1, 0.0), min(seconds, 1.0)):
            self.now_s += step_s
            due = [call for at_s, call in self.timers if at_s <= self.now_s]
            self.timers = [timer for timer in self.timers if timer[0] > self.now_s]
            for call in due:
                call()


class Wire(asyncio.Transport):
    """Remembers what was written to the client."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_ended = False
        self.is_closed = False
        self.is_aborted = False  # what waits to be sent is thrown away
        self.unread_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_ended
        self.written += data

    def write_eof(self) -> None:
        self.is_ended = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Silent:
    """Takes its time."""

    def admit(self, exchange: Exchange) -> None: ...

    def __init__(self, loop: HandLoop) -> None:
        self._loop = loop

    async def __call__(self, exchange: Exchange) -> None:
        await self._loop.create_future()


class Connection:
    """One connection of a gateway whose models never answer, and which takes at most `connections_max`."""

    def __init__(self, connections_max: int = 1000) -> None:
        config = uvicorn.Config(lambda: None, log_config=None, lifespan="off", timeout_keep_alive=75)
        config.load()
        self.loop = HandLoop()
        self.wire = Wire()
        service = Service({CHAT.encode(): Silent(self.loop)}, 1_000_000, connections_max=connections_max)
        self.protocol: GatewayProtocol = protocol_factory(service)(
            config=config, server_state=ServerState(), app_state={}, _loop=self.loop
        )
        self.protocol.connection_made(self.wire)

    def send(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def is_closed_after(self, seconds: float) -> bool:
        """Silence until just before, then until just behind."""
        self.loop.wait(seconds - 0.1)
        assert not self.wire.is_closed
        self.loop.wait(0.5)
        return self.wire.is_closed

    def answer(self) -> None:
        exchange: Any = self.protocol.cycle
        exchange.start(200, b"", length=2)
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


def test_every_byte_renews_the_patience_until_the_request_has_taken_too_long(connection: Connection) -> None:
    connection.send(REQUEST[:1])
    connection.loop.wait(REQUEST_S - 2)
    connection.send(REQUEST[1:2])
    assert not connection.wire.is_closed

    assert connection.is_closed_after(2)


def test_large_upload_may_take_its_time(connection: Connection) -> None:
    connection.send(head("POST", CHAT, "content-length: 900000"))
    for _ in range(100):
        connection.send(b"x" * 5000)
        connection.loop.wait(4)

    assert not connection.wire.is_closed


def test_large_upload_that_comes_to_a_trickle_is_left(connection: Connection) -> None:
    connection.send(head("POST", CHAT, "content-length: 900000"))
    connection.send(b"x" * 102_400)
    waited_s = 0
    while not connection.wire.is_closed:
        connection.send(b"x")
        connection.loop.wait(10)
        waited_s += 10

    assert REQUEST_S + 100 <= waited_s <= REQUEST_S + 120


def test_client_that_takes_nothing_of_its_answer_is_given_up(connection: Connection) -> None:
    connection.send(REQUEST)
    connection.wire.unread_bytes = 100_000
    connection.answer()

    connection.loop.wait(1)
    connection.loop.wait(DEAF_S - 2)
    assert not connection.wire.is_aborted
    connection.loop.wait(3)
    assert connection.wire.is_aborted


def test_client_that_takes_nothing_of_a_stream_is_given_up(connection: Connection) -> None:
    connection.send(REQUEST)
    connection.wire.unread_bytes = 100_000
    connection.loop.wait(10_000)
    assert not connection.wire.is_closed  # its pace does not show as long as more is written

    connection.protocol.pause_writing()
    connection.loop.wait(1)
    assert connection.is_closed_after(DEAF_S)
    assert connection.wire.is_aborted


def test_client_that_takes_its_answer_slowly_is_kept(connection: Connection) -> None:
    connection.send(REQUEST)
    connection.wire.unread_bytes = 200_000
    connection.answer()
    while connection.wire.unread_bytes > 5000:
        connection.loop.wait(DEAF_S - 5)
        connection.wire.unread_bytes -= 5000
        assert not connection.wire.is_aborted


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


@pytest.mark.parametrize("place", [0, 1, 30])
def test_client_that_does_not_say_what_it_wants_is_left_soon_in_a_crowd(place: int) -> None:
    crowded = Connection(connections_max=1)
    if place:
        crowded.send(REQUEST[:place])

    assert crowded.is_closed_after(5.0)


def test_client_that_was_answered_is_left_soon_in_a_crowd() -> None:
    crowded = Connection(connections_max=1)
    crowded.send(REQUEST)
    crowded.loop.wait(100)
    crowded.answer()

    assert crowded.is_closed_after(5.0)


def test_client_that_sends_or_waits_is_kept_in_a_crowd() -> None:
    uploads, waits = Connection(connections_max=1), Connection(connections_max=1)
    uploads.send(REQUEST[:-5])
    waits.send(REQUEST)
    for connection in (uploads, waits):
        connection.loop.wait(55)
        assert not connection.wire.is_closed


def test_sweep_ends_with_the_last_connection(connection: Connection) -> None:
    connection.send(REQUEST[:30])
    connection.loop.wait(5)
    assert connection.loop.timers
    connection.protocol.connection_lost(ConnectionResetError())
    connection.loop.wait(5)

    assert not connection.loop.timers


class Waits:
    """A stream whose caller is told to wait."""

    def __init__(self, connection: Connection) -> None:
        connection.send(REQUEST)
        self.told_s: list[float] = []
        self._loop = connection.loop
        self._begun_s = connection.loop.now_s
        self.exchange: Any = connection.protocol.cycle
        self.exchange.when_silent(self._tell)

    def _tell(self, answer: Answer) -> None:
        self.told_s.append(self._loop.now_s - self._begun_s)
        if not answer.is_started:
            answer.start(200, b"")
        answer.write(b":\n\n")

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self._loop.wait(0.25)


def test_caller_of_a_stream_is_told_to_wait_at_first_soon_and_then_seldom(connection: Connection) -> None:
    waits = Waits(connection)
    waits.pass_time(0.75)
    assert waits.told_s == []
    waits.pass_time(29)

    first_s, second_s, third_s = waits.told_s
    assert KEEPALIVE_AFTER_S <= first_s <= KEEPALIVE_AFTER_S + 0.5
    assert KEEPALIVE_EVERY_S <= second_s - first_s <= KEEPALIVE_EVERY_S + 0.5
    assert KEEPALIVE_EVERY_S <= third_s - second_s <= KEEPALIVE_EVERY_S + 0.5


def test_caller_of_a_stream_that_flows_is_not_told_to_wait(connection: Connection) -> None:
    waits = Waits(connection)
    waits.exchange.start(200, b"")
    for _ in range(10):
        waits.exchange.write(b"data: 1\n\n")
        waits.pass_time(KEEPALIVE_EVERY_S - 1)
    assert waits.told_s == []

    waits.pass_time(2)
    assert len(waits.told_s) == 1


def test_caller_who_does_not_read_is_not_told_to_wait(connection: Connection) -> None:
    waits = Waits(connection)
    connection.protocol.pause_writing()
    waits.pass_time(30)

    assert waits.told_s == []


def test_nobody_waits_for_an_answer_that_is_there(connection: Connection) -> None:
    waits = Waits(connection)
    connection.answer()
    waits.pass_time(30)

    assert waits.told_s == []
