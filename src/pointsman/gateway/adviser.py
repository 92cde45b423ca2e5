"""Asks somebody for an opinion so that it costs as little as it can: what was asked lately is remembered, what is
being asked is not asked twice, and who fails again and again is left alone for a while. It knows neither what is
asked nor how."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Literal, NamedTuple, Protocol

from pointsman.ledger.entry import SideCall
from pointsman.routing.opinions import Opinion, Question


class Answered(NamedTuple):
    """What became of one question, and its row for the ledger; None where nobody was asked."""

    opinion: Opinion
    side_call: SideCall | None


class Source(Protocol):
    """Somebody who has opinions."""

    def text(self, question: Question) -> str:
        """What is asked. Equal texts are the same question."""
        ...

    async def ask(self, text: str) -> Answered:
        """Within its deadline. Raises nothing: a failure is an answer without an opinion."""
        ...

    def unpaid(self, outcome: Literal["cached", "cancelled"]) -> SideCall:
        """The row of a question whose answer was at hand, or was not waited for."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`remembered_max` opinions are kept for `remembered_s` seconds each. At most `asked_at_once_max` questions are
    under way. After `failures_max` failures in a row nobody is asked for `pause_s` seconds."""

    remembered_max: int = 2000
    remembered_s: float = 3600.0
    asked_at_once_max: int = 16
    failures_max: int = 3
    pause_s: float = 30.0


class Adviser:
    """One source. `clock` counts seconds."""

    def __init__(self, source: Source, limits: Limits, clock: Callable[[], float]) -> None:
        self._source = source
        self._limits = limits
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Opinion]] = OrderedDict()
        self._asking: dict[bytes, _Asking] = {}
        self._failures = 0
        self._paused_until_s = float("-inf")

    async def opinion(self, question: Question, patience_s: float = math.inf) -> Answered:
        """None of its own after `patience_s`: whoever else waits for it waits on."""
        text = self._source.text(question)
        # A digest: what was said is not kept.
        key = blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        now_s = self._clock()
        known = self._known.get(key)
        if known is not None:
            if known[0] > now_s:
                self._known.move_to_end(key)
                return Answered(known[1], self._source.unpaid("cached"))
            del self._known[key]
        asking = self._asking.get(key)
        if asking is None:
            why_not = self._why_not(now_s)
            if why_not is not None:
                return Answered(Opinion(f"not asked: {why_not}"), None)
            asking = self._asking[key] = _Asking(self._source, text, partial(self._answered, key))
        return await asking.wait(patience_s)

    def given_up(self) -> SideCall:
        """The row of a question whose caller left."""
        return self._source.unpaid("cancelled")

    def _why_not(self, now_s: float) -> str | None:
        if now_s < self._paused_until_s:
            return f"it failed {self._limits.failures_max} times in a row"
        if len(self._asking) >= self._limits.asked_at_once_max:
            return f"{self._limits.asked_at_once_max} questions are under way"
        return None

    def _answered(self, key: bytes, answered: Answered | None) -> None:
        """`answered` is None where the question was given up, since nobody waited for it any more."""
        del self._asking[key]
        if answered is None:
            return
        now_s = self._clock()
        if answered.opinion.is_none:
            self._failures += 1
            if self._failures >= self._limits.failures_max:
                self._failures = 0
                self._paused_until_s = now_s + self._limits.pause_s
            return
        self._failures = 0
        self._known[key] = (now_s + self._limits.remembered_s, answered.opinion)
        if len(self._known) > self._limits.remembered_max:
            self._known.popitem(last=False)


class _Asking:
    """A question under way, in a task of its own: whoever asked first may leave while others still wait. When the
    last one leaves it is given up. Of those who wait, the first is booked what it cost."""

    def __init__(self, source: Source, text: str, on_done: Callable[[Answered | None], None]) -> None:
        self._source = source
        self._on_done = on_done
        self._waiting: list[asyncio.Future[Answered]] = []
        self._task = asyncio.get_running_loop().create_task(_ask(source, text))
        self._task.add_done_callback(self._done)

    async def wait(self, patience_s: float) -> Answered:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answered] = loop.create_future()
        self._waiting.append(future)
        timer = None if patience_s == math.inf else loop.call_later(patience_s, self._lapse, future)
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting.remove(future)
            if not self._waiting:
                self._task.cancel()  # harmless when it has ended

    def _lapse(self, future: asyncio.Future[Answered]) -> None:
        if not future.done():
            given_up = self._source.unpaid("cancelled")
            future.set_result(Answered(Opinion("the request had no time to wait for it"), given_up))

    def _done(self, task: asyncio.Task[Answered]) -> None:
        answered = None if task.cancelled() or task.exception() is not None else task.result()
        self._on_done(answered)
        for future in self._waiting:
            if future.done():
                continue
            if answered is not None:
                future.set_result(answered)
                answered = Answered(answered.opinion, self._source.unpaid("cached"))
            elif task.cancelled():
                future.cancel()
            else:
                future.set_exception(task.exception() or AssertionError)


async def _ask(source: Source, text: str) -> Answered:
    return await source.ask(text)
