"""The story of a request: read, decide, dispatch, book. Start here.

    server  ->  read_envelope      what does the caller want, outside only
                decide             which models, in which order, and why           (routing, pure)
                dispatch           send to the first that answers, relay its words (gateway/dispatch.py)
                book               one ledger row for the request, one per attempt (written behind the answer)

Errors become an answer in the caller's own dialect in exactly one place: `_refuse`.
"""

import asyncio
from collections.abc import Callable

from pointsman.core.decision import Decision
from pointsman.core.errors import (
    BadRequest,
    ExhaustedError,
    PointsmanError,
    UnknownModel,
    Unsupported,
    UpstreamError,
    UpstreamFault,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer
from pointsman.core.usage import Price
from pointsman.fleet.chains import Chains
from pointsman.gateway.booking import Booking
from pointsman.gateway.call import Call
from pointsman.gateway.cascade import Cascade
from pointsman.gateway.consult import Consult
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.headers import ESTIMATED, answer_headers, header_lines
from pointsman.gateway.operation import Operation, PromptReader
from pointsman.gateway.told_answer import ASKED, ToldAnswer
from pointsman.gateway.wishes import NO_WISHES, Wishes, as_wished, read_wishes
from pointsman.ledger.entry import Attempt, Entry
from pointsman.routing.decide import Router, pin
from pointsman.routing.names import Names
from pointsman.wire.dialect import ClientDialect
from pointsman.wire.envelope import Envelope, read_envelope

Record = Callable[[Entry, tuple[Attempt, ...]], None]
"""Takes the rows of one request; never waits."""

_PINS_MAX = 1024
_PIN_CHARS_MAX = 100
"""Callers may write the same model in many ways."""


class Pipeline:
    """Everything a request meets. Built once from the configuration and not changed afterwards.

    `baseline` is the price that savings are counted against; `consult` asks others for their opinion, None where
    nobody is to be asked; `cascade` lets cheaper models draft, None where none does. `tells_routing`: every answer
    says how it was routed, and not only those whose callers ask.
    """

    def __init__(
        self,
        names: Names,
        router: Router,
        dispatch: Dispatch,
        record: Record,
        baseline: Price | None,
        consult: Consult | None = None,
        cascade: Cascade | None = None,
        chains: Chains | None = None,
        *,
        tells_routing: bool = False,
    ) -> None:
        self._names = names
        self._router = router
        self.conversations = dispatch.memory.conversations
        self.keepers = dispatch.keepers
        self._dispatch = dispatch
        self._record = record
        self._baseline = baseline
        self.consult = consult
        self._cascade = cascade
        self._tells_routing = tells_routing
        self._chains = chains
        self._pins: dict[str, Decision] = {}

    def use(self, router: Router) -> None:
        """Decides with another router from now on: the same one, calibrated."""
        self._router = router
        if self.consult is not None:
            self.consult.router = router

    def take_over(self, predecessor: "Pipeline") -> None:
        """What is known of callers' conversations goes on here."""
        if self.consult is not None and predecessor.consult is not None:
            self.consult.take_over(predecessor.consult)

    async def handle(self, call: Call, answer: Answer) -> None:
        """Answers one call, whatever happens, and books it."""
        booking = Booking(call)
        if (self._tells_routing or ASKED in call.headers) and call.operation is None:
            answer = ToldAnswer(answer, booking)
        try:
            envelope = self.conversations.continued(call, read_envelope(call.body, call.address))
            booking.read(envelope)
            wishes = read_wishes(call.headers)
            if call.operation is not None:
                await self._operate(call, call.operation, envelope, wishes, answer, booking)
                return
            if self.consult is None:
                decision = self.decide(call.dialect, envelope)
            else:
                decision = await self._decide_with(self.consult, envelope, booking, wishes)
            booking.decision = decision = self._ordered(decision, wishes)
            cascade = self._cascade if wishes is NO_WISHES else None  # who says how is not drafted for
            drafter = None if cascade is None else cascade.drafter(envelope, decision)
            if drafter is None or cascade is None:
                await self._dispatch.run(call, envelope, decision, answer, booking, wishes)
            else:
                await cascade.run(envelope, decision, drafter, answer, booking)
            if self.consult is not None:
                self.consult.answered(booking)
        except PointsmanError as error:
            self._refuse(error, answer, booking)
        except asyncio.CancelledError:
            booking.cancel(caller_left=answer.disconnected)
            raise
        finally:
            self._record(*booking.entries(self._baseline if call.is_generation else None))

    async def _operate(
        self,
        call: Call,
        operation: Operation,
        envelope: Envelope,
        wishes: Wishes,
        answer: Answer,
        booking: Booking,
    ) -> None:
        """The same line for anything but a reply to messages."""
        try:
            decision = self._ordered(self.decide(operation.reader(call.dialect), envelope), wishes)
            if not operation.is_generation:
                decision = decision._replace(chain=decision.chain[:1])  # it is about this one model
            booking.decision = decision
            await self._dispatch.run(call, envelope, decision, answer, booking, wishes)
        except (Unsupported, UpstreamError) as error:
            model = "" if booking.decision is None else booking.decision.card.id
            body = operation.answer_instead(error, call.dialect, envelope, model)
            if body is None:
                raise
            booking.answer_here()
            lines = answer_headers(booking, b"application/json") + ESTIMATED
            answer.start(200, lines, length=len(body))
            answer.write(body)
            answer.finish()

    def decide(self, dialect: PromptReader, envelope: Envelope, *, explain: bool = False) -> Decision:
        """Which models may answer, in order. A pinned model is left alone and nothing is scored."""
        requested = envelope.model
        pinned = self._pins.get(requested)
        if pinned is None:
            wanted = self._names.resolve(requested)
            if not isinstance(wanted, ModelCard):
                return self._router.decide(dialect.read_prompt(envelope), wanted, requested, explain=explain)
            pinned = pin(requested, wanted)
            if len(requested) <= _PIN_CHARS_MAX and len(self._pins) < _PINS_MAX:
                self._pins[requested] = pinned
        dialect.require_messages(envelope)
        return pinned

    async def _decide_with(
        self, consult: Consult, envelope: Envelope, booking: Booking, wishes: Wishes
    ) -> Decision:
        """The same, with all that is known besides the rules."""
        wanted = self._names.resolve(envelope.model)
        if isinstance(wanted, ModelCard):
            return self.decide(booking.call.dialect, envelope)
        if wishes is NO_WISHES:
            return await consult.decide(envelope, wanted, booking)
        left_s = wishes.deadline_s - booking.call.elapsed_ms() / 1000.0
        return await consult.decide(envelope, wanted, booking, max(left_s, 0.0))

    def _ordered(self, decision: Decision, wishes: Wishes = NO_WISHES) -> Decision:
        """The decision in the order that was written down for it, and as its caller wants it."""
        if self._chains is not None:
            decision = self._chains.order(decision)
        return decision if wishes is NO_WISHES else as_wished(decision, wishes, self.card_called)

    def card_called(self, name: str) -> ModelCard | None:
        """The model that a request for `name` would be pinned to, None when it would not be."""
        try:
            meaning = self._names.resolve(name)
        except UnknownModel:
            return None
        return meaning if isinstance(meaning, ModelCard) else None

    def preview(self, dialect: ClientDialect, envelope: Envelope, wishes: Wishes = NO_WISHES) -> Decision:
        """What `decide` would say, a pinned model's estimated cost included. Nothing is sent or booked."""
        decision = self._ordered(self.decide(dialect, envelope, explain=True), wishes)
        if decision.score is not None:
            return decision
        try:
            prompt = dialect.read_prompt(envelope)
        except BadRequest:
            return decision  # its provider may be able to read it: nobody asks us when it is sent
        return self._ordered(self._router.price_pin(prompt, decision.card, envelope.model), wishes)

    def _refuse(self, error: PointsmanError, answer: Answer, booking: Booking) -> None:
        call = booking.call
        encoded = call.dialect.encode_error(error, call.request_id, call.address)
        status, body, extra = encoded.status, encoded.body, encoded.headers
        source = error.told if isinstance(error, ExhaustedError) else error
        if (
            isinstance(source, UpstreamError)
            and source.status is not None
            and source.body is not None
            and source.body.lstrip().startswith(b"{")
            and not (call.address is not None and call.address.as_array)  # the dialect puts them in its array
            and (source.fault is not UpstreamFault.NO_SUCH_MODEL or booking.is_pinned)  # else not its name
        ):
            # The provider speaks the caller's dialect: its own words are the best there are.
            status, body = source.status, source.body
        withheld = error.withheld if isinstance(error, ExhaustedError) else ()
        booking.refuse(source, status, withheld)
        if answer.is_started:  # with a stream, whose caller was asked for patience and nothing more
            answer.write(call.dialect.encode_stream_error(error, call.request_id, call.address))
        else:
            lines = answer_headers(booking, b"application/json") + header_lines(extra)
            answer.start(status, lines, length=len(body))
            answer.write(body)
        answer.finish()
