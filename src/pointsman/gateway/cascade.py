"""A cheap model answers first; what it says is looked at, and where it is not good enough the chosen model is asked.
Only where a profile or a model is configured so, and never for a stream: its words could not be taken back.

    draft, good           the caller gets it
    draft, not good       the chosen model answers; the draft is booked beside it
    draft, not good, and nobody else answers    the caller gets the draft after all
    no draft              the chosen model answers, as if there had been no draft
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import msgspec

from pointsman.core.decision import Decision
from pointsman.core.errors import ClientError, ExhaustedError, PointsmanError, UpstreamError
from pointsman.core.events import Reply, fold
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer
from pointsman.core.request import Text
from pointsman.gateway.booking import Booking
from pointsman.gateway.buffered import Buffered
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.headers import ascii_value
from pointsman.gateway.model_call import ModelCall, NotAsked
from pointsman.ledger.entry import SideCall
from pointsman.routing.answer_judge import is_good, question_text
from pointsman.routing.draft_check import Wanted, complaint
from pointsman.routing.judge import conversation
from pointsman.routing.opinions import Question
from pointsman.wire.envelope import Envelope

_JUDGED_CHARS_MAX = 8000
_ONE = frozenset({b"1", b"null"})

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class CascadeRules:
    """`profiles` whose requests begin with a draft of the next lower tier; `drafts` names, for a chosen model, the one
    that drafts. `tells_logprobs` are the models that may be asked how sure they are of each token."""

    tiers: Sequence[str]
    profiles: frozenset[str]
    drafts: Mapping[str, str]
    mean_logprob_min: float | None = None
    tells_logprobs: frozenset[str] = frozenset()


class Cascade:
    """`judge` is a model that is asked whether a draft is good, None where its form alone is looked at."""

    def __init__(self, rules: CascadeRules, dispatch: Dispatch, judge: ModelCall | None) -> None:
        self._rules = rules
        self._places = {tier: place for place, tier in enumerate(rules.tiers)}
        self._dispatch = dispatch
        self._judge = judge

    def drafter(self, envelope: Envelope, decision: Decision) -> ModelCard | None:
        """Who is to draft; None where the chosen model answers at once. Requests with tools are left alone: a call is
        not taken back either. So are those for several answers."""
        rules, chosen = self._rules, decision.card
        if envelope.stream or decision.score is None or "tools" in envelope.fields:
            return None
        if bytes(envelope.fields.get("n", b"1")) not in _ONE:
            return None
        named = rules.drafts.get(chosen.name)
        if named is not None:
            return next((card for card in decision.chain[1:] if card.name == named), None)
        if decision.profile not in rules.profiles:
            return None
        place = self._places.get(chosen.tier or "", 0)
        return next(
            (card for card in decision.chain if self._places.get(card.tier or "", place) < place), None
        )

    async def run(
        self, envelope: Envelope, decision: Decision, drafter: ModelCard, answer: Answer, booking: Booking
    ) -> None:
        """As Dispatch.run, with a draft before."""
        call = booking.call
        started_s = perf_counter()
        trial = Booking(call)
        trial.read(envelope)
        drafting = decision._replace(
            chain=(drafter,), rules=(*decision.rules, f"cascade: {drafter.name} drafts")
        )
        trial.decision = drafting
        buffered = Buffered(answer)
        asks_logprobs = self._asks_logprobs(envelope, drafter, call.dialect.name)
        asked = envelope.with_field("logprobs", b"true") if asks_logprobs else envelope
        row = SideCall("draft", drafter.name, drafter.provider, "failed", None, None, drafter.price, 0.0)
        is_draft = False
        try:
            await self._dispatch.run(call, asked, drafting, buffered, trial)
        except ClientError:
            why = f"{drafter.name} cannot take it"
        except PointsmanError as error:
            why = f"{drafter.name} failed"
            fault = error.fault.value if isinstance(error, UpstreamError) else type(error).__name__
            row = row._replace(fault=fault, total_ms=_since(started_s))
            booking.side_calls += (row,)
        else:
            is_draft = True
            usage = None if trial.answering is None else trial.answering.crossing.usage
            row = row._replace(outcome="complete", usage=usage, total_ms=_since(started_s))
            wrong = await self._complaint(asked, buffered.body, booking)
            if wrong is None:
                _give(buffered, trial, booking, b"draft", asks_logprobs)
                return
            why = f"{drafter.name} drafted, but {wrong}"
        paid = booking.side_calls
        if is_draft:
            booking.side_calls += (row,)
        # Who has drafted is not asked again: what it says is at hand.
        others = tuple(card for card in decision.chain if card is not drafter) if is_draft else decision.chain
        decision = decision._replace(chain=others, rules=(*decision.rules, f"cascade: {why}"))
        booking.decision = decision
        booking.more_headers = b"x-pointsman-cascade: escalated (%b)\r\n" % ascii_value(why)
        try:
            await self._dispatch.run(call, envelope, decision, answer, booking)
        except (UpstreamError, ExhaustedError):
            if not is_draft:
                raise
            booking.side_calls = paid
            _give(buffered, trial, booking, b"draft (nobody better answered)", asks_logprobs)

    def _asks_logprobs(self, envelope: Envelope, drafter: ModelCard, dialect: str) -> bool:
        """Whether the draft is asked for more than the caller wants, which is then taken out again."""
        rules = self._rules
        return (
            rules.mean_logprob_min is not None
            and dialect == "openai-chat"
            and drafter.name in rules.tells_logprobs
            and bytes(envelope.fields.get("logprobs", b"false")) != b"true"
        )

    async def _complaint(self, envelope: Envelope, body: bytes, booking: Booking) -> str | None:
        dialect = booking.call.dialect
        try:
            reply = fold(dialect.decode_reply(body, "draft"))
            wanted = dialect.decode_request(envelope).output_format
        except (PointsmanError, ValueError):
            return "it cannot be read"
        schema = None if wanted is None else wanted.schema
        wrong = complaint(reply, Wanted(wanted is not None, schema, self._rules.mean_logprob_min))
        if wrong is not None or self._judge is None:
            return wrong
        return await self._judged(self._judge, envelope, reply, booking)

    async def _judged(
        self, judge: ModelCall, envelope: Envelope, reply: Reply, booking: Booking
    ) -> str | None:
        """No verdict speaks against nobody."""
        started_s = perf_counter()
        card = judge.card
        row = SideCall("judge", card.name, card.provider, "failed", None, None, card.price, 0.0)
        answer = "".join(part.text for part in reply.parts if isinstance(part, Text))
        prompt = booking.call.dialect.read_prompt(envelope)
        shown = conversation(Question(prompt, ""), _JUDGED_CHARS_MAX)
        good: bool | None = None
        try:
            said, usage = await judge.ask(question_text(shown, answer))
        except NotAsked:
            return None
        except UpstreamError as error:
            row = row._replace(fault=error.fault.value)
        except PointsmanError as error:
            row = row._replace(fault=type(error).__name__)
        else:
            good = is_good(said)
            row = row._replace(usage=usage, outcome="complete" if good is not None else "failed")
            if good is None:
                row = row._replace(fault="no_verdict")
        booking.side_calls += (row._replace(total_ms=_since(started_s)),)
        return f"{card.name} found it not good enough" if good is False else None


def _give(
    buffered: Buffered, trial: Booking, booking: Booking, what: bytes, takes_logprobs_out: bool
) -> None:
    booking.adopt(trial)
    if takes_logprobs_out:
        buffered.replace(_without_logprobs(buffered.body))
    buffered.give(b"x-pointsman-cascade: %b\r\n" % what)


def _without_logprobs(body: bytes) -> bytes:
    reply = _decode(body)
    for choice in reply.get("choices", ()):
        choice["logprobs"] = None
    return _encode(reply)


def _since(started_s: float) -> float:
    return (perf_counter() - started_s) * 1000.0
