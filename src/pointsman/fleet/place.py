"""One backend as it is now: what it is called, how it does, how much of the traffic it should get. Which of several
takes a call is decided in pool.py.

    healthy    takes its share
    degraded   takes little: it failed just now, does not serve this model, or comes back from being down
    down       takes nothing until its breaker lets a probe through (breaker.py)
    draining   takes nothing new until an operator says so
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from math import inf
from typing import Final, NamedTuple

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import NOT_OF_HEALTH, Breaker, BreakerPolicy, Circuit

_LATENCY_NEWEST = 0.2
"""How much the newest call counts in the average: about the last ten calls make it."""

_LATENCY_PLAIN = 5

_LATENCY_MIN_S = 0.001
_FAILED_COST = 4.0
_FAILED_FOR_S = 5.0
_UNSERVED_COST = 1000.0
_UNSERVED_FOR_S = 300.0
NO_PENALTY: Final = (1.0, -inf)


class Status(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    DRAINING = "draining"


class Backend(NamedTuple):
    """One model at one provider entry. `name` is unique. `weight` is its share beside others of the same price; 0
    makes it a standby. `usd_per_million` compares prices, None where it is not known."""

    name: str
    model: str
    provider: str
    weight: float = 1.0
    usd_per_million: Decimal | None = None
    region: str | None = None


def rank(backend: Backend) -> tuple[Decimal, bool]:
    """By which backends of a model are asked: the cheapest first, those of unknown price last, standbys behind the
    others of their price."""
    price = backend.usd_per_million
    return (Decimal("inf") if price is None else price, backend.weight == 0)


class Figures(NamedTuple):
    """What is known of a backend at one moment. `latency_s` is the average time to the first byte, None before the
    first answer. `failures` are counted by fault. `open_until_s` is when the next call may be made, None when it may
    be now."""

    backend: Backend
    status: Status
    circuit: Circuit
    why: UpstreamFault | None
    open_until_s: float | None
    in_flight: int
    requests: int
    successes: int
    failures: Mapping[UpstreamFault, int]
    latency_s: float | None
    last_fault: UpstreamFault | None
    last_fault_s: float | None


class Mark(NamedTuple):
    """What of a backend outlives the program."""

    is_draining: bool
    circuit: Circuit
    why: UpstreamFault | None
    until_s: float
    openings: int


class Place:
    """The live state of one backend. It outlives a change of the configuration, with the calls under way."""

    __slots__ = (
        "backend",
        "breaker",
        "failures",
        "in_flight",
        "is_draining",
        "last_fault",
        "last_fault_s",
        "latency_s",
        "penalty",
        "requests",
        "successes",
        "turn",
        "weight",
    )

    def __init__(self, backend: Backend, policy: BreakerPolicy) -> None:
        self.breaker = Breaker(policy)
        self.describe(backend)
        self.is_draining = False
        self.in_flight = 0
        self.requests = 0
        self.successes = 0
        self.failures: dict[UpstreamFault, int] = {}
        self.latency_s: float | None = None
        self.last_fault: UpstreamFault | None = None
        self.last_fault_s: float | None = None
        self.penalty = NO_PENALTY
        self.turn = 0.0

    def describe(self, backend: Backend) -> None:
        """What the configuration says of it now. Standbys share among themselves alone, equally."""
        self.backend = backend
        self.weight = backend.weight or 1.0

    def status(self, now_s: float) -> Status:
        if self.is_draining:
            return Status.DRAINING
        if self.breaker.circuit(now_s) is not Circuit.CLOSED:
            return Status.DOWN
        if now_s < self.penalty[1] or self.breaker.ramp(now_s) < 1.0:
            return Status.DEGRADED
        return Status.HEALTHY

    def figures(self, now_s: float) -> Figures:
        breaker = self.breaker
        circuit = breaker.circuit(now_s)
        return Figures(
            self.backend,
            self.status(now_s),
            circuit,
            None if circuit is Circuit.CLOSED else breaker.why,
            breaker.blocked_until_s if now_s < breaker.blocked_until_s else None,
            self.in_flight,
            self.requests,
            self.successes,
            dict(self.failures),
            self.latency_s,
            self.last_fault,
            self.last_fault_s,
        )

    def note_failure(self, fault: UpstreamFault, now_s: float) -> None:
        """For the figures, and for the share: what the breaker makes of it is its own affair."""
        self.failures[fault] = self.failures.get(fault, 0) + 1
        self.last_fault, self.last_fault_s = fault, now_s
        if fault is UpstreamFault.NO_SUCH_MODEL:
            self.penalty = (_UNSERVED_COST, now_s + _UNSERVED_FOR_S)
        elif fault not in NOT_OF_HEALTH and now_s >= self.penalty[1]:
            self.penalty = (_FAILED_COST, now_s + _FAILED_FOR_S)

    def is_missing_the_model(self, now_s: float) -> bool:
        """It said so just now."""
        return self.penalty[0] == _UNSERVED_COST and now_s < self.penalty[1]

    def note_first_byte(self, first_byte_s: float) -> None:
        """The plain average of the first calls, so that a first one over a cold connection does not weigh on for long;
        then one in which the newest count most."""
        known_s = self.latency_s
        if known_s is None:
            self.latency_s = first_byte_s
        else:
            newest = 1 / self.successes if self.successes < _LATENCY_PLAIN else _LATENCY_NEWEST
            self.latency_s = known_s + newest * (first_byte_s - known_s)

    def mark(self) -> Mark | None:
        """None when it is well and at work."""
        breaker = self.breaker
        kept = breaker.circuit(-inf)
        if kept is Circuit.CLOSED:
            return Mark(True, kept, None, -inf, 0) if self.is_draining else None
        return Mark(self.is_draining, kept, breaker.why, breaker.until_s, breaker.openings)

    def restore(self, mark: Mark) -> None:
        self.is_draining = mark.is_draining
        if mark.why is not None:
            self.breaker.restore(mark.circuit, mark.why, mark.until_s, mark.openings)

    def share(self, now_s: float, unknown_latency_s: float) -> float:
        """How much of the traffic it should get now, beside others: its weight, less for every call that it has and
        the longer its calls take."""
        latency_s = self.latency_s
        if latency_s is None:
            latency_s = unknown_latency_s
        latency_s = max(latency_s, _LATENCY_MIN_S)
        share = self.weight / ((self.in_flight + 1) * latency_s)
        if now_s < self.breaker.ramped_from_s:
            share *= self.breaker.ramp(now_s)
        cost, until_s = self.penalty
        return share / cost if now_s < until_s else share
