"""What is known of one request so far, gathered as it goes through the pipeline; at its end it becomes the
ledger's entry. It decides nothing."""

from collections.abc import Sequence
from decimal import Decimal

from pointsman.core.decision import Decision
from pointsman.core.errors import (
    CONSENT_REQUIRED,
    OF_THE_REQUEST,
    ClientError,
    PointsmanError,
    UpstreamError,
    UpstreamFault,
    Withheld,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Incoming
from pointsman.core.usage import Price, Rates, Usage
from pointsman.gateway.call import Call
from pointsman.gateway.crossing import Crossing
from pointsman.ledger.entry import Attempt, Entry, Outcome, SideCall
from pointsman.wire.envelope import Envelope


class AttemptBooking:
    """One attempt under way."""

    status: int | None = None
    outcome: Outcome = "failed"
    fault: UpstreamFault | None = None
    first_byte_ms: float | None = None
    total_ms = 0.0
    told_by_provider = b""
    """Header lines of the provider's answer that its caller is given too."""
    incoming: Incoming | None = None
    """A stream's, while it is read."""

    def __init__(self, call: Call, card: ModelCard, crossing: Crossing) -> None:
        # Not the booking that holds it: a cycle per request is work for the garbage collector.
        self._call = call
        self._started_ms = call.elapsed_ms()
        self.card = card
        self.crossing = crossing

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.total_ms = self._call.elapsed_ms() - self._started_ms

    def fail(self, error: UpstreamError, *, partial: bool) -> None:
        self.fault = error.fault
        self.end("partial" if partial else "failed")

    def note_first_byte(self, now_ms: float) -> None:
        self.first_byte_ms = now_ms - self._started_ms

    @property
    def first_byte_s(self) -> float | None:
        return None if self.first_byte_ms is None else self.first_byte_ms / 1000.0

    def entry(self, number: int) -> Attempt:
        return Attempt(
            number,
            self.card.name,
            self.card.provider,
            self._started_ms,
            self.status,
            self.outcome,
            self.fault,
            self.first_byte_ms,
            self.total_ms,
        )


_WHOLE = frozenset({"complete", "failed_over"})
_REFUSALS = OF_THE_REQUEST - {UpstreamFault.NO_SUCH_MODEL}
_SHUT_DOWN = "shut_down"
_NOTHING = Usage(0, 0)
_FREE = Price(Rates(Decimal(0), Decimal(0)), "pointsman")
_TOLD = 200
_CLIENT_LEFT = 499  # nginx's word for a request whose caller went away before it had an answer


class Booking:
    """Failed by a fault of our own, until somebody knows better."""

    requested = ""
    stream = False
    decision: Decision | None = None
    first_byte_ms: float | None = None
    """When the answer's first byte went to the caller; None while nothing of any answer has."""
    answering: AttemptBooking | None = None
    """The attempt whose answer the caller gets."""
    status = 500
    outcome: Outcome = "failed"
    fault: str | None = "internal"
    has_ended = False
    is_answered_here = False
    side_calls: tuple[SideCall, ...] = ()
    more_headers = b""
    """Further header lines that the answer goes with."""
    session: bytes | None = None
    """The key of the conversation, where conversations are kept with their models."""
    withheld: tuple[Withheld, ...] = ()

    def __init__(self, call: Call) -> None:
        self.call = call
        self.attempts: list[AttemptBooking] = []

    @property
    def shown(self) -> AttemptBooking | None:
        """The attempt whose target the caller is told of: the one that answers, else the latest."""
        return self.answering or (self.attempts[-1] if self.attempts else None)

    @property
    def is_pinned(self) -> bool:
        """The caller named the model itself."""
        return self.decision is not None and self.decision.score is None

    def read(self, envelope: Envelope) -> None:
        self.requested = envelope.model
        self.stream = envelope.stream

    def begin_attempt(self, card: ModelCard, crossing: Crossing) -> AttemptBooking:
        attempt = AttemptBooking(self.call, card, crossing)
        self.attempts.append(attempt)
        return attempt

    def ask_patience(self) -> None:
        """The caller is told that an answer will come, and nothing else yet."""
        self.status = _TOLD

    def first_byte(self, attempt: AttemptBooking) -> None:
        """The first byte of this attempt's answer goes to the caller now."""
        self.status = _TOLD
        self.outcome = "partial"
        self.first_byte_ms = now_ms = self.call.elapsed_ms()
        self.answering = attempt
        attempt.note_first_byte(now_ms)

    def complete(self) -> None:
        has_failed = not (self.is_straight or self.is_answered_here) and (
            self.is_substituted or any(attempt.fault for attempt in self.attempts)
        )
        self.outcome = "failed_over" if has_failed else "complete"
        self.fault = None
        self.has_ended = True

    @property
    def is_straight(self) -> bool:
        """The first target asked answers, and is the one that was chosen."""
        attempts = self.attempts
        if len(attempts) != 1 or attempts[0] is not self.answering:
            return False
        return self.decision is None or attempts[0].card.name == self.decision.chain[0].name

    @property
    def is_substituted(self) -> bool:
        """Another model answers than the one that was chosen."""
        attempt, decision = self.answering, self.decision
        return attempt is not None and decision is not None and attempt.card.name != decision.card.name

    def adopt(self, trial: "Booking") -> None:
        """What became of a trial of this request is what became of it: its answer is given to the caller now."""
        self.decision = trial.decision
        self.attempts = trial.attempts
        self.answering = trial.answering
        self.status, self.outcome, self.fault = trial.status, trial.outcome, trial.fault
        self.has_ended = trial.has_ended
        self.first_byte_ms = None if trial.first_byte_ms is None else self.call.elapsed_ms()

    def beside(self, attempts: Sequence[AttemptBooking]) -> None:
        """Of these, asked at the same time, those that were stopped for the one that answers are paid for all the
        same."""
        for attempt in attempts:
            if self.answering not in {None, attempt} and attempt.outcome == "cancelled":
                card, usage = attempt.card, attempt.crossing.usage
                self.side_calls += (
                    SideCall(
                        "hedge",
                        card.name,
                        card.provider,
                        "cancelled",
                        None,
                        usage,
                        card.price,
                        attempt.total_ms,
                    ),
                )

    def answer_here(self) -> None:
        """The gateway gives the answer itself: nobody is paid for it."""
        self.is_answered_here = True
        self.status = 200
        self.complete()

    def break_off(self, error: UpstreamError) -> None:
        """The caller has part of the answer, and gets no more."""
        self.fault = error.fault.value

    def cancel(self, *, caller_left: bool) -> None:
        """The work was stopped: the caller left, or this gateway is shutting down."""
        if self.outcome in _WHOLE:
            return
        if not caller_left:
            self.fault = _SHUT_DOWN
            if self.status != _TOLD:
                self.status = 503
            return
        self.outcome = "cancelled"
        self.fault = None
        if self.status != _TOLD:
            self.status = _CLIENT_LEFT

    def refuse(self, error: PointsmanError, status: int, withheld: tuple[Withheld, ...] = ()) -> None:
        """`status` is what the caller is told, unless it has been told another before. `withheld` are the models that
        consent would have let answer."""
        self.withheld = withheld
        if self.status != _TOLD:
            self.status = status
        self.has_ended = True
        if withheld:
            self.fault = CONSENT_REQUIRED
            self.outcome = "refused"
        elif isinstance(error, UpstreamError):
            self.fault = error.fault.value
            self.outcome = "refused" if error.fault in _REFUSALS else "failed"
        else:
            self.fault = type(error).__name__
            self.outcome = "refused" if isinstance(error, ClientError) else "failed"

    def entries(self, baseline: Price | None) -> tuple[Entry, tuple[Attempt, ...]]:
        """The rows of this request."""
        call = self.call
        answered, shown = self.answering, self.shown
        card = None if answered is None else answered.card
        # By position: half the time of building it by name, and this is done for every request.
        entry = Entry(
            call.request_id,
            call.started_at_s,
            call.caller,
            call.dialect.name,
            self.requested,
            self.decision,
            None if card is None else card.name,
            None if card is None else card.provider,
            self.stream,
            _NOTHING if self.is_answered_here else None if answered is None else answered.crossing.usage,
            _FREE if self.is_answered_here else None if card is None else card.price,
            baseline,
            self.first_byte_ms,
            call.elapsed_ms(),
            self.status,
            self.outcome,
            self.fault,
            () if shown is None else shown.crossing.dropped,
            self.side_calls,
        )
        return entry, tuple([attempt.entry(number) for number, attempt in enumerate(self.attempts, 1)])
