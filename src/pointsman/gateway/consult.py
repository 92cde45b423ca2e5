"""Decides with the opinions of others: asks whom `decide` names, and decides again, until there is a decision. A
request that nobody has to be asked about is decided as if this were not here."""

import asyncio
from collections.abc import Callable, Mapping
from random import random
from time import time
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.prompt import Prompt
from pointsman.gateway.adviser import Adviser
from pointsman.gateway.booking import Booking
from pointsman.routing.decide import Router
from pointsman.routing.experience import Experience, explore, prefer_proven
from pointsman.routing.opinions import Ask, Opinion
from pointsman.routing.profiles import Profile


class Proven(NamedTuple):
    """How reports on earlier answers act: whether the best of a tier comes first, and how often another one."""

    experience: Experience
    prefers: bool
    exploration_rate: float


class Consult:
    """`advisers` by the names of the router's panel. `draw` gives a random number from 0..1, `clock` Unix time."""

    def __init__(
        self,
        router: Router,
        advisers: Mapping[str, Adviser],
        proven: Proven | None = None,
        draw: Callable[[], float] = random,
        clock: Callable[[], float] = time,
    ) -> None:
        self.router = router
        self._advisers = advisers
        self._proven = proven
        self._draw = draw
        self._clock = clock

    async def decide(self, prompt: Prompt, profile: Profile, requested: str, booking: Booking) -> Decision:
        """What is paid for opinions is booked with the request. Raises Unsupported."""
        decision = await self._heard(prompt, profile, requested, booking)
        proven = self._proven
        if proven is not None:
            if proven.prefers:
                decision = prefer_proven(decision, proven.experience, self._clock())
            if proven.exploration_rate:
                decision = explore(decision, proven.exploration_rate, self._draw())
        return decision

    async def _heard(self, prompt: Prompt, profile: Profile, requested: str, booking: Booking) -> Decision:
        opinions: dict[str, Opinion] = {}
        while True:
            said = self.router.decide(prompt, profile, requested, opinions, explain=False)
            if not isinstance(said, Ask):
                return said
            adviser = self._advisers[said.judge]
            try:
                answered = await adviser.opinion(said.question)
            except asyncio.CancelledError:
                booking.side_calls += (adviser.given_up(),)
                raise
            opinions[said.judge] = answered.opinion
            if answered.side_call is not None:
                booking.side_calls += (answered.side_call,)
