"""Settings of what watches over backends as the objects that do it: endpoints for operators, and probes. It decides
nothing."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.routing import Route

from pointsman.config.backends import ProbeSettings
from pointsman.config.cards import Served
from pointsman.config.schema import Settings
from pointsman.core.ports import Deadlines
from pointsman.fleet.pool import Fleet
from pointsman.gateway.pipeline import Pipeline
from pointsman.gateway.slots import Slots
from pointsman.gateway.target import Target
from pointsman.ledger.store import Ledger
from pointsman.ledger.tally import Tally
from pointsman.server.backends import BackendEndpoints, shown_provider
from pointsman.server.metrics import MetricsEndpoint
from pointsman.upstream.probes import Probe


class Watching(NamedTuple):
    """`routes` show the gateway's own state, and change it. `longest_block_s` is the longest that a circuit can be
    open."""

    routes: tuple[Route, ...]
    probes: tuple[Probe, ...]
    longest_block_s: float


def watching_of(
    settings: Settings,
    fleet: Fleet,
    served: Sequence[Served],
    targets: Mapping[str, Target],
    pipeline: Pipeline,
    slots: Slots,
    ledger: Ledger | None,
) -> Watching:
    """`targets` by backend. Without a `ledger` nothing is known of requests."""
    providers = {target.provider.name: target for target in targets.values()}
    shown = BackendEndpoints(
        fleet,
        {one.backend.name: one.card for one in served},
        tuple(shown_provider(target.provider) for target in providers.values()),
        pipeline.card_called,
        time.perf_counter,
        time.time,
    )
    counted = MetricsEndpoint(
        fleet,
        slots,
        Tally() if ledger is None else ledger.tally,
        dict if ledger is None else ledger.counters,
        time.perf_counter,
    )
    probes = tuple(_probe(target, settings.providers[name].probe) for name, target in providers.items())
    breaker = settings.breaker
    return Watching(
        (*shown.routes(), *counted.routes()),
        tuple(probe for probe in probes if probe is not None),
        max(breaker.open_max_s, breaker.open_s, breaker.auth_open_s, breaker.retry_after_max_s),
    )


def _probe(target: Target, settings: ProbeSettings | None) -> Probe | None:
    """One for a provider, whatever number of models it serves."""
    if settings is None:
        return None
    limit_s = settings.timeout_s
    deadlines = Deadlines(connect_s=limit_s, first_byte_s=limit_s, idle_s=limit_s, total_s=limit_s)
    return Probe(target.provider.name, target.question(settings.path, deadlines), settings.every_s)
