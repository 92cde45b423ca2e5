"""What is known of one request so far, gathered as it goes through the pipeline; at its end it becomes the
ledger's entry. It decides nothing."""

from typing import TYPE_CHECKING

from pointsman.core.decision import Decision
from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Usage
from pointsman.gateway.call import Call
from pointsman.gateway.crossing import Crossing
from pointsman.ledger.entry import Attempt, Entry, Outcome


class AttemptBooking:
    """One attempt under way."""

    __slots__ = ("_booking", "_started_ms", "card", "crossing", "fault", "first_byte_ms", "outcome", "status", "total_ms")

    def __init__(self, booking: "Booking", card: ModelCard, crossing: Crossing) -> None:
        self._booking = booking
        self._started_ms = booking.call.elapsed_ms()
        self.card = card
        self.crossing = crossing
        self.status: int | None = None
        self.outcome: Outcome = "failed"
        self.fault: UpstreamFault | None = None
        self.first_byte_ms: float | None = None
        self.total_ms = 0.0

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.total_ms = self._booking.call.elapsed_ms() - self._started_ms

    def fail(self, error: UpstreamError, *, partial: bool) -> None:
        self.fault = error.fault
        if error.status is not None:
            self.status = error.status
        self.end("partial" if partial else "failed")

    def entry(self, number: int) -> Attempt:
        return Attempt(
            number=number,
            model=self.card.name,
            provider=self.card.provider,
            started_ms=self._started_ms,
            status=self.status,
            outcome=self.outcome,
            fault=self.fault,
            first_byte_ms=self.first_byte_ms,
            total_ms=self.total_ms,
        )


class Booking:
    """`outcome` is failed until somebody knows better."""

    __slots__ = ("attempts", "call", "decision", "fault", "first_byte_ms", "outcome", "requested", "status", "stream")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.requested = ""
        self.stream = False
        self.decision: Decision | None = None
        self.attempts: list[AttemptBooking] = []
        self.first_byte_ms: float | None = None
        self.status = 200
        self.outcome: Outcome = "failed"
        self.fault: str | None = None

    @property
    def card(self) -> ModelCard | None:
        """The model tried last: the one that answered, if any did."""
        return self.attempts[-1].card if self.attempts else None

    @property
    def dropped(self) -> tuple[str, ...]:
        return self.attempts[-1].crossing.dropped if self.attempts else ()

    def begin_attempt(self, card: ModelCard, crossing: Crossing) -> AttemptBooking:
        attempt = AttemptBooking(self, card, crossing)
        self.attempts.append(attempt)
        return attempt

    def first_byte(self) -> None:
        """The first byte of the answer goes to the caller now."""
        self.first_byte_ms = self.call.elapsed_ms()
        attempt = self.attempts[-1]
        attempt.first_byte_ms = self.first_byte_ms - attempt._started_ms

    def refuse(self, error: PointsmanError, status: int) -> None:
        self.status = status
        self.fault = error.fault.value if isinstance(error, UpstreamError) else type(error).__name__

    def entry(self, baseline: Price | None) -> Entry:
        raise NotImplementedError
