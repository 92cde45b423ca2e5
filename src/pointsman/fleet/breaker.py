"""When calls to one backend stop, and how they begin again. It counts what it is told; it chooses no backend and
sends nothing.

    closed     calls go through. Enough failures open it; a refusal for the load we bring lets it cool
    cooling    no call until `until_s` (rate limited, overloaded). Then closed
    open       no call until `until_s`. Then half open
    half open  one call, the probe. An answer closes it, a failure opens it for longer, anything else lets the next
               call be the probe; so does a probe that is not heard of for `probe_expires_s`

What a caller did wrong, what a caller broke off and what is true of one model name only is not told to a breaker.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

from pointsman.core.errors import OF_THE_REQUEST, UpstreamFault

NOT_OF_HEALTH: Final = OF_THE_REQUEST
"""Faults that a backend in the best of health finds: with the request, or with a name it does not serve."""


class Circuit(StrEnum):
    CLOSED = "closed"
    COOLING = "cooling"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """`consecutive_failures` open it, and so does a share of `error_rate` among at least `min_calls` calls of the
    last `window_s`. It stays open for `open_s`, `growth` times as long with each repetition, `open_max_s` at most.

    A refused key or an empty account (`auth_open_s`) opens it at once. `rate_limited_s` and `overloaded_s` are how
    long it cools when the provider does not say; they grow in the same way. What the provider says counts up to
    `retry_after_max_s`. After any of it traffic comes back over `slow_start_s`.
    """

    consecutive_failures: int = 3
    error_rate: float = 0.5
    window_s: float = 60.0
    min_calls: int = 20
    open_s: float = 10.0
    open_max_s: float = 120.0
    growth: float = 2.0
    probe_expires_s: float = 30.0
    auth_open_s: float = 60.0
    rate_limited_s: float = 1.0
    overloaded_s: float = 0.5
    retry_after_max_s: float = 3600.0
    slow_start_s: float = 10.0


_GROWTHS_MAX = 30
"""Repetitions that still count: more would only make the number overflow."""


class Breaker:
    """`blocked_until_s` is all that a choice must look at: no call before it. `epoch` counts openings and closings:
    a call made before the last one says nothing of what came after."""

    __slots__ = (
        "_calls",
        "_calls_before",
        "_consecutive",
        "_failures",
        "_failures_before",
        "_openings",
        "_probe",
        "_refusals",
        "_state",
        "_turn_s",
        "blocked_until_s",
        "epoch",
        "policy",
        "ramped_from_s",
        "recovered_s",
        "until_s",
        "why",
    )

    def __init__(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.blocked_until_s = -inf
        self.epoch = 0
        self.until_s = -inf
        self.why: UpstreamFault | None = None
        self.recovered_s = -inf
        self.ramped_from_s = -inf
        self._state = Circuit.CLOSED
        self._openings = 0
        self._probe = 0
        self._turn_s = -inf
        self._calls = self._calls_before = 0
        self._failures = self._failures_before = 0
        self._consecutive = self._refusals = 0

    def circuit(self, now_s: float) -> Circuit:
        if self._state is Circuit.OPEN and now_s >= self.until_s:
            return Circuit.HALF_OPEN
        if self._state is Circuit.COOLING and now_s >= self.until_s:
            return Circuit.CLOSED
        return self._state

    def ramp(self, now_s: float) -> float:
        """How much of its share a backend gets, 0..1: little at first after it was blocked."""
        left_s, slow_start_s = self.ramped_from_s - now_s, self.policy.slow_start_s
        if left_s <= 0:
            return 1.0
        return max(0.1, 1.0 - left_s / slow_start_s) if slow_start_s else 0.1

    def take(self, now_s: float) -> int:
        """A call is made now, which `blocked_until_s` must allow. The number of the probe that it is, else 0."""
        if self._state is Circuit.CLOSED:
            return 0
        if self._state is Circuit.COOLING:
            self._close(now_s)
            return 0
        self._probe += 1
        self.blocked_until_s = now_s + self.policy.probe_expires_s
        return self._probe

    def succeeded(self, now_s: float, epoch: int) -> None:
        """A call of `epoch` was answered."""
        if epoch != self.epoch:
            return
        if self._state is not Circuit.CLOSED:
            self._close(now_s)
            return
        self._consecutive = 0
        self._refusals = 0
        if now_s >= self._turn_s:
            self._turn(now_s)
        self._calls += 1

    def failed(self, fault: UpstreamFault, now_s: float, epoch: int, retry_after_s: float | None) -> None:
        """A call of `epoch` failed by the provider's fault, none of NOT_OF_HEALTH."""
        policy = self.policy
        asked_s = 0.0 if retry_after_s is None else max(0.0, min(retry_after_s, policy.retry_after_max_s))
        if epoch != self.epoch:
            if self._state is not Circuit.CLOSED:
                self.until_s = max(self.until_s, now_s + asked_s)
                self.blocked_until_s = max(self.blocked_until_s, self.until_s)
            return
        match fault:
            case UpstreamFault.AUTH | UpstreamFault.QUOTA:
                self._open(fault, now_s, policy.auth_open_s, asked_s)
            case UpstreamFault.RATE_LIMITED:
                self._cool(fault, now_s, policy.rate_limited_s, asked_s)
            case _:
                self._count_failure(now_s)
                if self._state is not Circuit.CLOSED or self._is_too_much():
                    self._open(fault, now_s, policy.open_s, asked_s)
                elif fault is UpstreamFault.OVERLOADED or asked_s > 0:
                    self._cool(fault, now_s, policy.overloaded_s, asked_s)

    def gave_up(self, probe: int) -> None:
        """A probe ended without telling anything: the next call is one."""
        if self._state is Circuit.OPEN and probe == self._probe:
            self.blocked_until_s = self.until_s

    def is_reached_again(self, now_s: float) -> bool:
        """Somebody asked the backend elsewhere and it answered: it need not be open longer before a call proves it.
        True when that makes a difference."""
        if self._state is not Circuit.OPEN or now_s >= self.until_s:
            return False
        self._block(Circuit.OPEN, now_s)
        return True

    def reset(self, now_s: float) -> None:
        """Closed, as if nothing had been."""
        self._close(now_s)
        self._forget_counts()
        self._openings = 0
        self.recovered_s = self.ramped_from_s = -inf

    @property
    def openings(self) -> int:
        """How often it has been opened without a calm time between."""
        return self._openings

    def restore(self, circuit: Circuit, why: UpstreamFault, until_s: float, openings: int) -> None:
        """What was blocked when the program stopped is blocked still."""
        self.why = why
        self._openings = openings
        self.epoch += 1
        self._block(Circuit.COOLING if circuit is Circuit.COOLING else Circuit.OPEN, until_s)

    def _is_too_much(self) -> bool:
        policy = self.policy
        if self._consecutive >= policy.consecutive_failures:
            return True
        calls = self._calls + self._calls_before
        failures = self._failures + self._failures_before
        return calls >= policy.min_calls and failures >= policy.error_rate * calls

    def _count_failure(self, now_s: float) -> None:
        self._consecutive += 1
        if now_s >= self._turn_s:
            self._turn(now_s)
        self._calls += 1
        self._failures += 1

    def _turn(self, now_s: float) -> None:
        """Two halves make the window: the one that fills, and the one before. So it is never longer than
        `window_s`, and holds no list of calls."""
        half_s = self.policy.window_s / 2
        is_next = now_s < self._turn_s + half_s
        self._calls_before = self._calls if is_next else 0
        self._failures_before = self._failures if is_next else 0
        self._calls = self._failures = 0
        self._turn_s = now_s + half_s

    def _forget_counts(self) -> None:
        self._consecutive = self._refusals = 0
        self._calls = self._calls_before = 0
        self._failures = self._failures_before = 0
        self._turn_s = -inf

    def _open(self, fault: UpstreamFault, now_s: float, first_s: float, asked_s: float) -> None:
        if self._state is Circuit.CLOSED and now_s - self.recovered_s >= self.policy.window_s:
            self._openings = 0
        self._openings += 1
        self.why = fault
        self.epoch += 1
        self._block(Circuit.OPEN, now_s + max(self._grown(first_s, self._openings), asked_s))

    def _cool(self, fault: UpstreamFault, now_s: float, first_s: float, asked_s: float) -> None:
        self._refusals += 1
        self.why = fault
        self.epoch += 1
        self._block(Circuit.COOLING, now_s + (asked_s or self._grown(first_s, self._refusals)))
        self.ramped_from_s = self.until_s + self.policy.slow_start_s

    def _grown(self, first_s: float, times: int) -> float:
        policy = self.policy
        grown_s = first_s * policy.growth ** min(times - 1, _GROWTHS_MAX)
        return min(grown_s, max(first_s, policy.open_max_s))

    def _block(self, state: Circuit, until_s: float) -> None:
        self._state = state
        self.until_s = self.blocked_until_s = until_s

    def _close(self, now_s: float) -> None:
        if self._state is Circuit.OPEN:
            self._forget_counts()
        if self._state is not Circuit.CLOSED:
            self.recovered_s = now_s
            self.ramped_from_s = now_s + self.policy.slow_start_s
        self.epoch += 1
        self.why = None
        self._block(Circuit.CLOSED, -inf)
