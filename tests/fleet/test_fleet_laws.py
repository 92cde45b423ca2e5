"""What holds of a fleet whatever happens to it, in any order and at any time."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import NOT_OF_HEALTH, BreakerPolicy, Circuit
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.place import Backend
from pointsman.fleet.pool import Fleet

NAMES = ("a", "b", "c")
POLICY = BreakerPolicy(
    consecutive_failures=3, min_calls=5, open_s=10.0, probe_expires_s=30.0, window_s=20.0, slow_start_s=5.0
)
VERDICTS: list[Verdict | UpstreamFault] = [Verdict.OK, Verdict.NEUTRAL, *UpstreamFault]


class Calls(RuleBasedStateMachine):
    leases = Bundle("leases")

    @initialize(count=st.integers(1, 3))
    def start(self, count: int) -> None:
        self.fleet = Fleet([Backend(name, "m", f"at-{name}") for name in NAMES[:count]], POLICY)
        self.now_s = 1000.0
        self.under_way: list[Lease] = []
        self.drained: set[str] = set()
        self.probes: dict[str, tuple[Lease, float]] = {}
        self.failed_in_a_row: dict[str, int] = dict.fromkeys(NAMES, 0)

    @rule(seconds=st.one_of(st.just(0.0), st.floats(0.1, 90.0)))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(target=leases, avoid=st.sets(st.sampled_from(NAMES), max_size=2))
    def pick(self, avoid: set[str]) -> Lease | None:
        before = {one.backend.name: one for one in self.fleet.figures(self.now_s)}
        lease = self.fleet.pick("m", self.now_s, avoid)
        if isinstance(lease, Closed):
            assert lease.retry_at_s is None or lease.retry_at_s > self.now_s
            return None
        chosen = before[lease.backend]
        assert lease.backend not in avoid
        assert lease.backend not in self.drained
        assert chosen.open_until_s is None, "nothing goes to a backend that is closed off"
        if lease.is_probe:
            assert chosen.circuit is Circuit.HALF_OPEN
            earlier, expires_s = self.probes.get(lease.backend, (lease, 0.0))
            assert earlier.is_settled or earlier is lease or self.now_s >= expires_s, "one probe at a time"
            self.probes[lease.backend] = (lease, self.now_s + POLICY.probe_expires_s)
        else:
            assert chosen.circuit is Circuit.CLOSED
        self.under_way.append(lease)
        return lease

    @rule(
        lease=consumes(leases),
        verdict=st.sampled_from(VERDICTS),
        first_byte_s=st.none() | st.floats(0.0, 100.0),
        retry_after_s=st.sampled_from([None, -1.0, 0.0]) | st.floats(0.01, 1e5),
    )
    def settle(
        self,
        lease: Lease | None,
        verdict: Verdict | UpstreamFault,
        first_byte_s: float | None,
        retry_after_s: float | None,
    ) -> None:
        if lease is None:
            return
        was_closed = self._circuit(lease.backend) is Circuit.CLOSED
        is_current = lease.epoch == lease.place.breaker.epoch
        self.fleet.settle(lease, verdict, self.now_s, first_byte_s, retry_after_s)
        self.under_way.remove(lease)
        if lease.backend in self.probes and self.probes[lease.backend][0] is lease:
            del self.probes[lease.backend]
        is_of_health = isinstance(verdict, UpstreamFault) and verdict not in NOT_OF_HEALTH
        if verdict is Verdict.OK and is_current:
            assert self._circuit(lease.backend) is Circuit.CLOSED, "an answer proves that it is back"
            self.failed_in_a_row[lease.backend] = 0
        elif is_of_health and is_current:
            self.failed_in_a_row[lease.backend] += verdict is not UpstreamFault.RATE_LIMITED
            if self.failed_in_a_row[lease.backend] >= POLICY.consecutive_failures:
                assert self._circuit(lease.backend) in {Circuit.OPEN, Circuit.COOLING}
        elif not is_of_health:
            assert was_closed == (self._circuit(lease.backend) is Circuit.CLOSED), "no business of health"
        if lease.is_probe and is_of_health and is_current:
            assert self._circuit(lease.backend) is not Circuit.CLOSED

    @rule(lease=leases)
    def answer_begins(self, lease: Lease | None) -> None:
        if lease is None:
            return
        is_current = lease.epoch == lease.place.breaker.epoch
        self.fleet.answered(lease, self.now_s)
        if lease.is_probe and is_current:
            assert self._circuit(lease.backend) is Circuit.CLOSED
            self.failed_in_a_row[lease.backend] = 0

    @rule(name=st.sampled_from(NAMES))
    def drain_or_resume(self, name: str) -> None:
        if name not in self.fleet.places:
            return
        if name in self.drained:
            self.drained.remove(name)
            self.fleet.resume(name)
        else:
            self.drained.add(name)
            self.fleet.drain(name)

    @rule()
    def reset(self) -> None:
        self.fleet.reset_all(self.now_s)
        self.probes.clear()
        self.failed_in_a_row = dict.fromkeys(NAMES, 0)
        assert {one.circuit for one in self.fleet.figures(self.now_s)} == {Circuit.CLOSED}

    @rule(name=st.sampled_from(NAMES), fault=st.none() | st.sampled_from(list(UpstreamFault)))
    def probe_from_outside(self, name: str, fault: UpstreamFault | None) -> None:
        if name in self.fleet.places:
            self.fleet.probed(f"at-{name}", fault, self.now_s)
            if fault is None and self._circuit(name) is Circuit.OPEN:
                raise AssertionError("it was reached")

    @rule()
    def restart(self) -> None:
        """With calls still under way, which the new one never hears of."""
        marks = self.fleet.marks()
        old = self.fleet
        self.fleet = Fleet([place.backend for place in old.places.values()], POLICY)
        self.fleet.restore(marks)
        for name, mark in marks.items():
            assert self.fleet.places[name].is_draining == mark.is_draining
            assert self.fleet.places[name].mark() == mark
        self.fleet.take_over(old)

    def _circuit(self, name: str) -> Circuit:
        return self.fleet.places[name].breaker.circuit(self.now_s)

    @invariant()
    def figures_add_up(self) -> None:
        for one in self.fleet.figures(self.now_s):
            mine = [lease for lease in self.under_way if lease.backend == one.backend.name]
            assert one.in_flight == len(mine)
            ended = one.requests - one.in_flight
            assert one.successes <= ended
            assert one.latency_s is None or one.latency_s >= 0


Calls.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestFleetLaws = Calls.TestCase
