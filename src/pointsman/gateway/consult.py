"""Decides with the opinions of others: asks whom `decide` names, and decides again, until there is a decision. A
request that nobody has to be asked about is decided as if this were not here."""

import asyncio
from collections.abc import Mapping

from pointsman.core.decision import Decision
from pointsman.core.prompt import Prompt
from pointsman.gateway.adviser import Adviser
from pointsman.gateway.booking import Booking
from pointsman.routing.decide import Router
from pointsman.routing.opinions import Ask, Opinion
from pointsman.routing.profiles import Profile


class Consult:
    """`advisers` by the names of the router's panel."""

    def __init__(self, router: Router, advisers: Mapping[str, Adviser]) -> None:
        self._router = router
        self._advisers = advisers

    async def decide(self, prompt: Prompt, profile: Profile, requested: str, booking: Booking) -> Decision:
        """What is paid for opinions is booked with the request. Raises Unsupported."""
        opinions: dict[str, Opinion] = {}
        while True:
            said = self._router.decide(prompt, profile, requested, opinions, explain=False)
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
