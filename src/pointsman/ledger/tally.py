"""Requests and attempts counted as they are booked, since the program began: what `/metrics` tells. The ledger's thread
counts, so no request waits for it. It writes nothing down and knows no metrics format."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from pointsman.ledger.entry import Attempt, Entry
from pointsman.ledger.rows import cost_picodollars

DURATION_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0)
"""A model's answer takes from tens of milliseconds (embeddings) to many minutes (long reasoning)."""

FIRST_BYTE_BOUNDS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)

NONE = "none"
"""The label of what did not happen: no model answered, nothing went wrong."""

_TOKEN_KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")


class Histogram:
    """How many of the values lie up to each bound, the last count being of those above all. `total` is their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float], counts: Iterable[int] = (), total: float = 0.0) -> None:
        self.bounds = bounds
        self.counts = list(counts) or [0] * (len(bounds) + 1)
        self.total = total

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> "Histogram":
        return Histogram(self.bounds, self.counts, self.total)


class RequestKey(NamedTuple):
    model: str
    provider: str
    dialect: str
    outcome: str
    fault: str


class AttemptKey(NamedTuple):
    model: str
    provider: str
    outcome: str
    fault: str


class TokenKey(NamedTuple):
    model: str
    provider: str
    kind: str


class ModelKey(NamedTuple):
    model: str
    provider: str


class Counts(NamedTuple):
    """Everything at one moment. Labels hold names of the configuration and words of this program, nothing that a
    caller wrote: there are never more of them than the configuration has models, times a few."""

    requests: Counter[RequestKey]
    attempts: Counter[AttemptKey]
    tokens: Counter[TokenKey]
    cost_picodollars: Counter[ModelKey]
    baseline_picodollars: Counter[ModelKey]
    unpriced: Counter[ModelKey]
    durations: dict[ModelKey, Histogram]
    first_bytes: dict[ModelKey, Histogram]


class Tally:
    """`add` is for one thread, `counts` for any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counts(Counter(), Counter(), Counter(), Counter(), Counter(), Counter(), {}, {})

    def add(self, items: Iterable[tuple[Entry, Sequence[Attempt]]]) -> None:
        for entry, attempts in items:
            with self._lock:  # for each: a scrape waits for one request's sums, not for a batch's
                self._add(entry, attempts)

    def counts(self) -> Counts:
        """A copy."""
        with self._lock:
            counts = self._counts
            return Counts(
                counts.requests.copy(),
                counts.attempts.copy(),
                counts.tokens.copy(),
                counts.cost_picodollars.copy(),
                counts.baseline_picodollars.copy(),
                counts.unpriced.copy(),
                {key: one.copy() for key, one in counts.durations.items()},
                {key: one.copy() for key, one in counts.first_bytes.items()},
            )

    def _add(self, entry: Entry, attempts: Sequence[Attempt]) -> None:
        counts = self._counts
        key = ModelKey(entry.model or NONE, entry.provider or NONE)
        counts.requests[RequestKey(*key, entry.dialect, entry.outcome, entry.fault or NONE)] += 1
        for attempt in attempts:
            tried = ModelKey(attempt.model, attempt.provider)
            counts.attempts[AttemptKey(*tried, attempt.outcome, attempt.fault or NONE)] += 1
            if attempt.first_byte_ms is not None:
                _of(counts.first_bytes, tried, FIRST_BYTE_BOUNDS_S).add(attempt.first_byte_ms / 1000)
        _of(counts.durations, key, DURATION_BOUNDS_S).add(entry.total_ms / 1000)
        if entry.usage is not None:
            self._add_usage(entry, key)

    def _add_usage(self, entry: Entry, key: ModelKey) -> None:
        counts, usage = self._counts, entry.usage
        assert usage is not None
        for kind, tokens in zip(_TOKEN_KINDS, usage, strict=True):
            if tokens is not None and tokens > 0:
                counts.tokens[TokenKey(*key, kind)] += tokens
        cost = cost_picodollars(usage, entry.price)
        if cost is None:
            counts.unpriced[key] += 1
        else:
            counts.cost_picodollars[key] += cost
            baseline = cost_picodollars(usage, entry.baseline)
            if baseline is not None:
                counts.baseline_picodollars[key] += baseline


def _of(histograms: dict[ModelKey, Histogram], key: ModelKey, bounds: Sequence[float]) -> Histogram:
    found = histograms.get(key)
    if found is None:
        found = histograms[key] = Histogram(bounds)
    return found
