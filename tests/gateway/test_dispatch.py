"""Models tried in order, with a provider and a caller that are nothing but the two ports."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest
from calls_made import call

from pointsman.core.decision import Decision
from pointsman.core.errors import ExhaustedError, PointsmanError, Unavailable, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer, HeaderList, Incoming, Outgoing, Send
from pointsman.fleet.attempts import RetryPolicy
from pointsman.fleet.breaker import BreakerPolicy
from pointsman.fleet.place import Backend
from pointsman.fleet.pool import Fleet
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.gateway.booking import Booking
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.memory import Memory
from pointsman.gateway.target import Target
from pointsman.upstream.provider import Provider
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from replies import chat_error, chat_event, chat_stream, completion


class Reply:
    """An `Incoming` that says what it is told to, and notes how it is treated."""

    def __init__(
        self, status: int = 200, pieces: tuple[bytes, ...] = (), error: UpstreamError | None = None
    ) -> None:
        self.status = status
        self.headers: HeaderList = ()
        self.pieces = pieces
        self.error = error
        self.aborted = 0
        self.is_endless = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def first(self) -> bytes:
        return self.pieces[0]

    async def read(self, limit_bytes: int) -> bytes:
        await self._last()
        return b"".join(self.pieces)

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        for piece in self.pieces:
            deliver(piece)
        await self._last()

    async def _last(self) -> None:
        if self.is_endless:
            await self._failed
        if self.error is not None:
            raise self.error

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None:
        self.aborted += 1

    def fail(self, error: UpstreamError) -> None:
        self._failed.set_exception(error)


class Paper:
    """An `Answer` on paper."""

    def __init__(self) -> None:
        self.is_started = False
        self.disconnected = False
        self.is_finished = False
        self.status = 0
        self.written = b""
        self.sources: list[Incoming | None] = []

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        assert not self.is_started
        self.is_started = True
        self.status = status

    def write(self, data: bytes) -> None:
        assert self.is_started
        assert not self.is_finished
        self.written += data

    def finish(self) -> None:
        assert not self.is_finished
        self.is_finished = True

    def break_off(self) -> None:
        raise AssertionError("a dispatch ends every answer cleanly")

    def throttle(self, source: Incoming | None) -> None:
        self.sources.append(source)

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        self.say_wait = say


class Desk:
    """A dispatch over models called a, b, c ..., each of which gives its one reply."""

    def __init__(self, *replies: Reply | PointsmanError, stream: bool = False, retries: int = 0) -> None:
        self.asked: list[str] = []
        self.paper = Paper()
        self.booking = Booking(call(clock=time.monotonic, started_clock_s=time.monotonic()))
        names = "abcdef"[: len(replies)]
        cards = [ModelCard(name, "p", f"{name}-1") for name in names]
        targets = {
            card.name: Target(
                card, Provider("p", "openai-chat", "http://x"), OPENAI_CHAT, self._send(card.name, reply)
            )
            for card, reply in zip(cards, replies, strict=True)
        }
        fleet = Fleet([Backend(name, name, "p") for name in names], BreakerPolicy(overloaded_s=0.001))
        policy = RetryPolicy(per_target=retries, backoff_s=0.001)
        self._dispatch = Dispatch(targets, Memory(), fleet, policy, RetryBudget())
        self._decision = Decision("auto", "auto", tuple(cards), score=0.1, tier="simple")
        self.booking.decision = self._decision
        body = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        self._envelope = read_envelope(json.dumps(body).encode())

    def _send(self, name: str, reply: Reply | PointsmanError) -> Send:
        async def send(outgoing: Outgoing) -> Incoming:
            assert outgoing.url == "http://x/chat/completions"
            self.asked.append(json.loads(outgoing.body)["model"])
            assert self.asked[-1] == f"{name}-1"
            if isinstance(reply, PointsmanError):
                raise reply
            return reply

        return send

    async def run(self) -> None:
        running = call(clock=time.monotonic, started_clock_s=time.monotonic())
        await self._dispatch.run(running, self._envelope, self._decision, self.paper, self.booking)

    def rows(self) -> list[tuple[str, str, str | None]]:
        _, attempts = self.booking.entries(None)
        return [(attempt.model, attempt.outcome, attempt.fault) for attempt in attempts]


def good() -> Reply:
    return Reply(pieces=(json.dumps(completion()).encode(),))


def busy() -> Reply:
    return Reply(503, (json.dumps(chat_error("busy")).encode(),))


UNREACHABLE = UpstreamError(UpstreamFault.UNREACHABLE, "nobody there")


async def test_the_first_that_answers_is_the_last_that_is_asked() -> None:
    reply = good()
    desk = Desk(reply, good())
    await desk.run()
    assert desk.asked == ["a-1"]
    assert (desk.paper.status, desk.paper.written, desk.paper.is_finished) == (200, reply.pieces[0], True)
    assert desk.rows() == [("a", "complete", None)]


async def test_each_target_is_asked_in_its_order() -> None:
    desk = Desk(UNREACHABLE, busy(), good())
    await desk.run()
    assert desk.asked == ["a-1", "b-1", "c-1"]
    assert desk.booking.outcome == "failed_over"


async def test_a_target_that_failed_is_asked_again_when_all_others_have_failed_too() -> None:
    desk = Desk(UNREACHABLE, busy(), retries=1)
    with pytest.raises(ExhaustedError):
        await desk.run()
    assert sorted(desk.asked[:2]) == ["a-1", "b-1"]
    assert sorted(desk.asked[2:]) == ["a-1", "b-1"]


async def test_when_all_fail_the_caller_is_told_of_each() -> None:
    desk = Desk(UNREACHABLE, busy())
    with pytest.raises(ExhaustedError) as caught:
        await desk.run()
    assert desk.asked == ["a-1", "b-1"]
    assert [(name, error.fault) for name, error in caught.value.failures] == [
        ("a", UpstreamFault.UNREACHABLE),
        ("b", UpstreamFault.OVERLOADED),
    ]
    assert not desk.paper.is_started
    assert desk.rows() == [("a", "failed", "unreachable"), ("b", "failed", "overloaded")]


async def test_one_failure_is_told_as_it_is() -> None:
    with pytest.raises(UpstreamError) as caught:
        await Desk(busy()).run()
    assert caught.value.message == "busy"


@pytest.mark.parametrize("stream", [False, True])
async def test_every_answer_of_a_provider_is_ended(stream: bool) -> None:
    """Whoever holds one must end it: whole, failed, refused or broken."""
    torn = UpstreamError(UpstreamFault.BROKEN, "torn")
    text = (b"".join(chat_stream("Hi")),) if stream else good().pieces
    for reply in (
        Reply(pieces=text),
        Reply(500),
        Reply(400, (b"{}",)),
        Reply(pieces=(b"<html>",)),
        Reply(pieces=text, error=torn),
        Reply(500, error=torn),
    ):
        desk = Desk(reply, stream=stream)
        try:
            await desk.run()
        except UpstreamError:
            assert not desk.paper.is_started
        else:
            assert desk.paper.is_finished
        assert reply.aborted == 1
        assert desk.paper.sources[-1] is None
        assert (reply in desk.paper.sources) == (stream and reply.status == 200)


async def test_a_caller_who_leaves_ends_the_answer_of_its_provider() -> None:
    for pieces in ((), (chat_event({"content": "Hi"}),)):
        reply = Reply(pieces=pieces)
        reply.is_endless = True
        desk = Desk(reply, good(), stream=True)
        running = asyncio.ensure_future(desk.run())
        await asyncio.sleep(0)
        desk.paper.disconnected = True
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert reply.aborted == 1
        assert desk.paper.sources == [reply, None]
        assert (desk.paper.written, desk.paper.is_finished) == (b"".join(pieces), False)
        assert desk.rows() == [("a", "cancelled", None)]
        assert desk.asked == ["a-1"]


async def test_a_provider_that_says_no_more_behind_its_end_is_not_waited_for() -> None:
    """Nor is the caller, who has it all, told to be patient."""
    reply = Reply(pieces=tuple(chat_stream("Hi")))
    reply.is_endless = True
    desk = Desk(reply, stream=True)
    running = asyncio.ensure_future(desk.run())
    await asyncio.sleep(0)
    assert not desk.paper.is_finished
    desk.paper.say_wait(desk.paper)
    await running
    assert desk.paper.is_finished
    assert desk.paper.written == b"".join(reply.pieces)
    assert (reply.aborted, desk.rows()) == (1, [("a", "complete", None)])


async def test_a_stream_that_breaks_is_ended_with_words_and_not_retried() -> None:
    event = chat_event({"content": "Hi"})
    reply = Reply(pieces=(event, b"data: {"), error=UpstreamError(UpstreamFault.BROKEN, "torn"))
    desk = Desk(reply, good(), stream=True)
    await desk.run()
    assert desk.asked == ["a-1"]
    assert desk.paper.written.startswith(event + b'data: {"error"')
    assert desk.paper.is_finished
    assert desk.rows() == [("a", "partial", "broken")]
    assert desk.booking.outcome == "partial"


async def test_a_gateway_that_shuts_down_tries_nobody_else() -> None:
    desk = Desk(Unavailable("the gateway is shutting down"), good())
    with pytest.raises(Unavailable):
        await desk.run()
    assert desk.asked == ["a-1"]
    assert desk.rows() == [("a", "failed", None)]
