"""Two targets at once for one request: the second is asked when the first has been silent for a while, and whoever has
content first gives the answer; the other is stopped. It says nothing of which two, and nothing of failures.

    Race    one request's; `run` starts the lanes and returns when one has answered, or both have failed
    Lane    an Answer of which only the winner's reaches the caller
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.core.decision import Decision
from pointsman.core.ports import Answer, Incoming
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.gateway.passed_on import PassedOn

Attempted = Coroutine[Any, Any, bool]
"""One attempt under way: True when the caller has an answer, False when it failed unnoticed."""


@dataclass(frozen=True, slots=True)
class Hedging:
    """After how many seconds of silence a second target is asked, by model and by profile; a model's goes before.
    `budget` bounds the share of requests for which that may happen."""

    models: Mapping[str, float]
    profiles: Mapping[str, float]
    budget: RetryBudget = field(default_factory=RetryBudget)

    def delay_s(self, decision: Decision) -> float | None:
        """None where nobody is to be asked twice."""
        delay_s = self.models.get(decision.card.name)
        return self.profiles.get(decision.profile) if delay_s is None else delay_s


class Race:
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._winner: Lane | None = None
        self._tasks: dict[asyncio.Task[bool], Lane] = {}

    async def run(
        self,
        first: Callable[["Lane"], Attempted],
        delay_s: float,
        second: Callable[["Lane"], Attempted],
    ) -> bool:
        """True when the caller has an answer. `second` begins after `delay_s` without content. What one of them raises
        comes out here, when the other has been stopped."""
        self._start(first)
        try:
            done, _ = await asyncio.wait(self._tasks, timeout=delay_s)
            if not done and self._winner is None:
                self._start(second)
            while self._tasks:
                done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if self._is_answered(task):
                        return True
        finally:
            await self._stop()
        return False

    def claim(self, lane: "Lane") -> None:
        """The first content goes to the caller now. Raises CancelledError for whoever comes second."""
        if self._winner is None:
            self._winner = lane
            for task, other in self._tasks.items():
                if other is not lane:
                    task.cancel()
        elif self._winner is not lane:
            raise asyncio.CancelledError

    def _start(self, attempted: Callable[["Lane"], Attempted]) -> None:
        lane = Lane(self)
        self._tasks[asyncio.get_running_loop().create_task(attempted(lane))] = lane

    def _is_answered(self, task: asyncio.Task[bool]) -> bool:
        del self._tasks[task]
        return not task.cancelled() and task.result()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            stopped, _ = await asyncio.wait(self._tasks)
            for task in stopped:
                if not task.cancelled():
                    task.exception()  # it failed when it was too late to matter


class Lane(PassedOn):
    """Nothing is written to it before it has claimed."""

    def __init__(self, race: Race) -> None:
        super().__init__(race.answer)
        self._race = race
        self._source: Incoming | None = None
        self._has_claimed = False
        self._is_started = False

    @property
    def is_started(self) -> bool:
        return self._is_started

    def claim(self) -> None:
        self._race.claim(self)
        self._has_claimed = True
        self._is_started = self._answer.is_started  # a keep-alive may have begun the head
        if self._source is not None:
            super().throttle(self._source)

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self._is_started = True
        super().start(status, lines, length=length)

    def throttle(self, source: Incoming | None) -> None:
        self._source = source
        if self._has_claimed:
            super().throttle(source)
