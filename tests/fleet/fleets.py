"""Fleets to try things on."""

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import BreakerPolicy
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.place import Backend, Figures
from pointsman.fleet.pool import Fleet

POLICY = BreakerPolicy(consecutive_failures=3, open_s=10.0, probe_expires_s=30.0, slow_start_s=0.0)


def fleet_of(*names: str, policy: BreakerPolicy = POLICY, **weights: float) -> Fleet:
    """Backends of one model, `m`."""
    return Fleet([Backend(name, "m", f"at-{name}", weights.get(name, 1.0)) for name in names], policy)


def leased(fleet: Fleet, now_s: float = 0.0, avoid: tuple[str, ...] = ()) -> Lease:
    lease = fleet.pick("m", now_s, avoid)
    assert isinstance(lease, Lease)
    return lease


def closed(fleet: Fleet, now_s: float = 0.0, avoid: tuple[str, ...] = ()) -> Closed:
    answer = fleet.pick("m", now_s, avoid)
    assert isinstance(answer, Closed)
    return answer


def call(
    fleet: Fleet,
    verdict: Verdict | UpstreamFault = Verdict.OK,
    now_s: float = 0.0,
    first_byte_s: float | None = None,
    retry_after_s: float | None = None,
) -> str:
    """One call from its beginning to its end. Where it went."""
    lease = leased(fleet, now_s)
    fleet.settle(lease, verdict, now_s, first_byte_s, retry_after_s)
    return lease.backend


def figures(fleet: Fleet, name: str, now_s: float = 0.0) -> Figures:
    return next(one for one in fleet.figures(now_s) if one.backend.name == name)
