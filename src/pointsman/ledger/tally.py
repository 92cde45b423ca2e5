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


# Bare tuples: to build and hash named ones took half of the time of it all.
ModelKey = tuple[str, str]
"""Model and provider."""
RequestKey = tuple[str, str, str, str, str]
"""Model, provider, dialect, outcome, fault."""
AttemptKey = tuple[str, str, str, str]
"""Model, provider, outcome, fault."""
TokenKey = tuple[str, str, str]
"""Model, provider, kind."""


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
        model, provider = entry.model or NONE, entry.provider or NONE
        key = (model, provider)
        counts.requests[model, provider, entry.dialect, entry.outcome, entry.fault or NONE] += 1
        for attempt in attempts:
            counts.attempts[attempt.model, attempt.provider, attempt.outcome, attempt.fault or NONE] += 1
            if attempt.first_byte_ms is not None:
                tried = (attempt.model, attempt.provider)
                histogram = counts.first_bytes.get(tried) or _new(
                    counts.first_bytes, tried, FIRST_BYTE_BOUNDS_S
                )
                histogram.add(attempt.first_byte_ms / 1000)
        histogram = counts.durations.get(key) or _new(counts.durations, key, DURATION_BOUNDS_S)
        histogram.add(entry.total_ms / 1000)
        usage = entry.usage
        if usage is None:
            return
        for kind, tokens in zip(_TOKEN_KINDS, usage, strict=True):
            if tokens is not None and tokens > 0:
                counts.tokens[model, provider, kind] += tokens
        cost = cost_picodollars(usage, entry.price)
        if cost is None:
            counts.unpriced[key] += 1
            return
        counts.cost_picodollars[key] += cost
        baseline = cost if entry.baseline is entry.price else cost_picodollars(usage, entry.baseline)
        if baseline is not None:
            counts.baseline_picodollars[key] += baseline


def _new(histograms: dict[ModelKey, Histogram], key: ModelKey, bounds: Sequence[float]) -> Histogram:
    histogram = histograms[key] = Histogram(bounds)
    return histogram
