"""Decides with the opinions of others: asks whom `decide` names, and decides again, until there is a decision. A
request that nobody has to be asked about is decided as if this were not here."""

import asyncio
import math
from collections.abc import Callable, Mapping
from random import random
from time import time
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.prompt import Prompt
from pointsman.gateway.adviser import Adviser
from pointsman.gateway.booking import Booking
from pointsman.gateway.sessions import session_key
from pointsman.routing.affinity import Affinity
from pointsman.routing.decide import Router
from pointsman.routing.experience import Experience, explore, prefer_proven
from pointsman.routing.opinions import Ask, Opinion
from pointsman.routing.profiles import Profile
from pointsman.wire.envelope import Envelope

_BYTES_PER_TOKEN = 4
"""Near enough to compare two prices of the same text."""


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
        affinity: Affinity | None = None,
        draw: Callable[[], float] = random,
        clock: Callable[[], float] = time,
    ) -> None:
        self.router = router
        self._advisers = advisers
        self._proven = proven
        self.affinity = affinity
        self._draw = draw
        self._clock = clock

    async def decide(
        self, envelope: Envelope, profile: Profile, booking: Booking, left_s: float = math.inf
    ) -> Decision:
        """What is paid for opinions is booked with the request. `left_s` is the caller's time: half of it at most goes
        by for an opinion, the rest is for the answer. Raises BadRequest and Unsupported."""
        call = booking.call
        prompt = call.dialect.read_prompt(envelope)
        decision = await self._heard(prompt, profile, envelope.model, booking, left_s / 2)
        proven = self._proven
        if proven is not None:
            if proven.prefers:
                decision = prefer_proven(decision, proven.experience, self._clock())
            if proven.exploration_rate:
                decision = explore(decision, proven.exploration_rate, self._draw())
        if self.affinity is not None:
            booking.session = key = session_key(call, envelope, prompt)
            if key is not None:
                tokens = (prompt.input_bytes - prompt.media_bytes) // _BYTES_PER_TOKEN
                decision = self.affinity.keep(key, decision, tokens, self._clock())
        return decision

    def take_over(self, predecessor: "Consult") -> None:
        """Conversations stay with their models over a reload."""
        if self.affinity is not None and predecessor.affinity is not None:
            self.affinity.take_over(predecessor.affinity)

    def answered(self, booking: Booking) -> None:
        """The request has its answer: its conversation stays with the model that gave it."""
        if self.affinity is not None and booking.session is not None and booking.answering is not None:
            self.affinity.answered(booking.session, booking.answering.card.name, self._clock())

    async def _heard(
        self, prompt: Prompt, profile: Profile, requested: str, booking: Booking, patience_s: float
    ) -> Decision:
        opinions: dict[str, Opinion] = {}
        while True:
            said = self.router.decide(prompt, profile, requested, opinions, explain=False)
            if not isinstance(said, Ask):
                return said
            adviser = self._advisers[said.judge]
            try:
                answered = await adviser.opinion(said.question, patience_s)
            except asyncio.CancelledError:
                booking.side_calls += (adviser.given_up(),)
                raise
            opinions[said.judge] = answered.opinion
            if answered.side_call is not None:
                booking.side_calls += (answered.side_call,)
