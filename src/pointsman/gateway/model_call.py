"""One question of our own to a model: a system text and a user text in, its words out. No caller's header or key
reaches it. What to make of the words is decided elsewhere.

It goes the way that requests go: to the backend that the fleet chooses, within its limits, and what becomes of it says
how that backend does. A model that nobody can reach is not asked, and no time is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.events import fold
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Deadlines
from pointsman.core.request import Message, Request, Sampling, Text
from pointsman.core.usage import Usage
from pointsman.fleet.breaker import Breaker, BreakerPolicy
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.pool import Fleet
from pointsman.fleet.terms import Crowding, Terms
from pointsman.gateway.call import Call, new_request_id
from pointsman.gateway.slots import crowding
from pointsman.gateway.target import Target
from pointsman.wire.openai_chat import OPENAI_CHAT

_REPLY_BYTES_MAX = 1024 * 1024
_ERROR_BYTES_MAX = 64 * 1024

_OWN_CALL = Call(new_request_id(0.0), OPENAI_CHAT, (), "", b"", "pointsman", (), 0.0, perf_counter, 0.0)


class NotAsked(PointsmanError):
    """Nothing was sent, and nothing is to be paid: no backend of the model takes a call now."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How models are reached: `targets` by backend."""

    fleet: Fleet
    targets: Mapping[str, Target]
    policy: BreakerPolicy


class ModelCall:
    """Always the same question but for the user text, always within `deadline_s`.

    That a deadline so short has passed says nothing of a backend that others give more time; after some in a row the
    question is left unasked for a while, as the breaker's policy has it.
    """

    def __init__(
        self, reach: Reach, card: ModelCard, system: str, *, deadline_s: float, max_output_tokens: int
    ) -> None:
        self.card = card
        self.deadline_s = deadline_s
        self._reach = reach
        self._terms = Terms(crowding=self._crowding)
        self._late = Breaker(reach.policy)
        self._deadlines = Deadlines(deadline_s, deadline_s, deadline_s, deadline_s)
        self._system = Message("system", (Text(system),))
        self._sampling = Sampling(max_output_tokens=max_output_tokens, temperature=0.0)

    async def ask(self, text: str) -> tuple[str, Usage]:
        """What the model says, and what it used. Raises PointsmanError; NotAsked when there was nobody to ask."""
        now_s = perf_counter()
        if now_s < self._late.blocked_until_s:
            raise NotAsked(f"{self.card.name} took more than {self.deadline_s:g} s again and again")
        lease = self._reach.fleet.pick(self.card.name, now_s, (), self._terms)
        if isinstance(lease, Closed):
            raise NotAsked(lease.why)
        target = self._reach.targets[lease.backend]
        if any(slots.is_full for slots in target.slots):
            self._reach.fleet.settle(lease, Verdict.NEUTRAL, now_s)
            raise NotAsked(f"{lease.backend} is at its limit")
        probe = self._late.take(now_s)
        epoch = self._late.epoch
        for slots in target.slots:
            slots.try_enter()
        try:
            answered = await self._put(target, text)
        except BaseException as error:
            self._failed(lease, error, epoch, probe)
            raise
        finally:
            for slots in target.slots:
                slots.leave()
        self._reach.fleet.settle(lease, Verdict.OK, perf_counter())
        self._late.succeeded(perf_counter(), epoch)
        return answered

    async def _put(self, target: Target, text: str) -> tuple[str, Usage]:
        card, dialect = target.card, target.dialect
        asked = Message("user", (Text(text),))
        request = Request(card.id, (self._system, asked), sampling=self._sampling, source=OPENAI_CHAT.name)
        body = dialect.encode_request(request, card).body
        outgoing = target.outgoing(_OWN_CALL, dialect.endpoint(card.id, stream=False), body, None)
        incoming = await target.send(outgoing._replace(deadlines=self._deadlines))
        try:
            if not 200 <= incoming.status < 300:
                refusal = await incoming.read(_ERROR_BYTES_MAX)
                raise dialect.decode_error(incoming.status, incoming.headers, refusal)
            reply = fold(dialect.decode_reply(await incoming.read(_REPLY_BYTES_MAX), card.provider))
        finally:
            incoming.abort()
        return "".join(part.text for part in reply.parts if isinstance(part, Text)), reply.usage

    def _crowding(self, backend: str) -> Crowding:
        return crowding(self._reach.targets[backend].slots)

    def _failed(self, lease: Lease, error: BaseException, epoch: int, probe: int) -> None:
        now_s = perf_counter()
        verdict: Verdict | UpstreamFault = Verdict.NEUTRAL
        retry_after_s = None
        if isinstance(error, UpstreamError) and error.deadline is not None:
            self._late.failed(error.fault, now_s, epoch, None)
        else:
            self._late.gave_up(probe)
        if isinstance(error, UpstreamError) and error.deadline is None:
            verdict, retry_after_s = error.fault, error.retry_after_s
        self._reach.fleet.settle(lease, verdict, now_s, retry_after_s=retry_after_s)
