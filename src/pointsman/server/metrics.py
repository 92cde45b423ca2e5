"""`GET /metrics`: what was counted, in Prometheus' text format or OpenMetrics, whichever the scraper asks for. It counts
nothing itself, and requests do nothing for it: figures come from the fleet, the slots and the ledger's tally."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pointsman import __version__
from pointsman.fleet.breaker import Circuit
from pointsman.fleet.place import Figures, Status
from pointsman.fleet.pool import Fleet
from pointsman.gateway.slots import Slots
from pointsman.ledger.tally import Counts, Histogram, Tally
from pointsman.server.access import ReadingRoute

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_BACKEND = ("backend", "model", "provider", "region")
_USD_PER_PICODOLLAR = 1e-12


class Observed(NamedTuple):
    """Everything at the moment of a scrape."""

    backends: Sequence[Figures]
    in_flight: int
    waiting: int
    shed: int
    counts: Counts
    ledger: Mapping[str, int]


class MetricsEndpoint:
    """`ledger` are its counters by name, empty where there is none. `clock` is the fleet's."""

    def __init__(
        self,
        fleet: Fleet,
        slots: Slots,
        tally: Tally,
        ledger: Callable[[], Mapping[str, int]],
        clock: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._slots = slots
        self._tally = tally
        self._ledger = ledger
        self._clock = clock

    def routes(self) -> list[Route]:
        return [ReadingRoute("/metrics", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        slots = self._slots
        observed = Observed(
            self._fleet.figures(self._clock()),
            slots.in_flight,
            slots.waiting,
            slots.shed,
            self._tally.counts(),
            self._ledger(),
        )
        # In a thread, for it takes milliseconds, and the first time the library has to be loaded.
        body, content_type = await asyncio.to_thread(_encode, observed, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})


def _encode(observed: Observed, accept: str) -> tuple[bytes, str]:
    # Loaded at the first scrape: many gateways are never scraped.
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

    encode, content_type = choose_encoder(accept)
    return encode(_Collected(observed)), content_type


class _Collected:
    """What prometheus-client takes for a registry."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def collect(self) -> "Iterator[Metric]":
        observed = self._observed
        yield _gauge("pointsman_build_info", "The version that runs", ("version",), [((__version__,), 1)])
        yield _gauge("pointsman_in_flight", "Requests being answered", (), [((), observed.in_flight)])
        yield _gauge("pointsman_waiting", "Requests waiting for a slot", (), [((), observed.waiting)])
        yield _counter("pointsman_shed", "Requests told to come again", (), [((), observed.shed)])
        yield from _of_requests(observed.counts)
        yield from _of_backends(observed.backends)
        for name, count in observed.ledger.items():
            yield _counter(f"pointsman_ledger_{name}", f"Requests: {name} by the ledger", (), [((), count)])


def _of_requests(counts: Counts) -> "Iterator[Metric]":
    of_model = ("model", "provider")
    yield _counter(
        "pointsman_requests",
        "Requests by the model that answered, how they ended and what was wrong",
        (*of_model, "dialect", "outcome", "fault"),
        counts.requests.items(),
    )
    yield _counter(
        "pointsman_attempts",
        "Calls to providers, several of which may belong to one request",
        (*of_model, "outcome", "fault"),
        counts.attempts.items(),
    )
    yield _counter(
        "pointsman_tokens", "Tokens as providers report them", (*of_model, "kind"), counts.tokens.items()
    )
    yield _counter("pointsman_cost_usd", "What answers cost", of_model, _usd(counts.cost_picodollars))
    yield _counter(
        "pointsman_baseline_cost_usd",
        "What the same tokens would have cost at the baseline model",
        of_model,
        _usd(counts.baseline_picodollars),
    )
    yield _counter(
        "pointsman_unpriced_requests", "Answers whose cost is not known", of_model, counts.unpriced.items()
    )
    yield _histogram(
        "pointsman_request_duration_seconds",
        "From a request to the end of its answer",
        of_model,
        counts.durations,
    )
    yield _histogram(
        "pointsman_first_byte_seconds",
        "From a call to the first byte of its answer",
        of_model,
        counts.first_bytes,
    )


def _of_backends(backends: Sequence[Figures]) -> "Iterator[Metric]":
    labels = [
        (one.backend.name, one.backend.model, one.backend.provider, one.backend.region or "")
        for one in backends
    ]
    pairs = list(zip(labels, backends, strict=True))
    yield _gauge(
        "pointsman_backend_in_flight", "Calls under way", _BACKEND, [(of, one.in_flight) for of, one in pairs]
    )
    yield _counter(
        "pointsman_backend_requests", "Calls made", _BACKEND, [(of, one.requests) for of, one in pairs]
    )
    yield _counter(
        "pointsman_backend_failures",
        "Calls that failed, by what went wrong",
        (*_BACKEND, "fault"),
        [((*of, fault), count) for of, one in pairs for fault, count in one.failures.items()],
    )
    yield _gauge(
        "pointsman_backend_latency_seconds",
        "Average time to the first byte, the latest calls counting most",
        _BACKEND,
        [(of, one.latency_s) for of, one in pairs if one.latency_s is not None],
    )
    yield _gauge(
        "pointsman_backend_circuit",
        "1 for the state that its circuit is in",
        (*_BACKEND, "state"),
        [((*of, state), int(one.circuit is state)) for of, one in pairs for state in Circuit],
    )
    yield _gauge(
        "pointsman_backend_status",
        "1 for the status that it has",
        (*_BACKEND, "status"),
        [((*of, status), int(one.status is status)) for of, one in pairs for status in Status],
    )


_Values = Any
"""Pairs of label values and a number."""


def _usd(picodollars: Mapping[Any, int]) -> _Values:
    return [(key, count * _USD_PER_PICODOLLAR) for key, count in picodollars.items()]


def _gauge(name: str, help_text: str, labels: Sequence[str], values: _Values) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see _encode

    family = GaugeMetricFamily(name, help_text, labels=labels)
    for key, value in values:
        family.add_metric(list(key), value)
    return family


def _counter(name: str, help_text: str, labels: Sequence[str], values: _Values) -> "Metric":
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see _encode

    family = CounterMetricFamily(name, help_text, labels=labels)
    for key, value in values:
        family.add_metric(list(key), value)
    return family


def _histogram(
    name: str, help_text: str, labels: Sequence[str], histograms: Mapping[Any, Histogram]
) -> "Metric":
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - see _encode

    family = HistogramMetricFamily(name, help_text, labels=labels)
    for key, histogram in histograms.items():
        below = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), below))
        family.add_metric(list(key), buckets, histogram.total)
    return family
