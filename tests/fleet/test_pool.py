"""Which backend takes a call, with time as a number."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from fleets import POLICY, call, closed, figures, fleet_of, leased

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import NOT_OF_HEALTH, BreakerPolicy, Circuit
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.place import Backend, Status
from pointsman.fleet.pool import Fleet
from pointsman.fleet.terms import Crowding, Terms


def test_after_the_last_failure_the_next_call_goes_nowhere() -> None:
    fleet = fleet_of("a")
    for _ in range(3):
        assert call(fleet, UpstreamFault.SERVER_ERROR, 5.0) == "a"
    answer = closed(fleet, 5.0)
    assert answer == Closed(15.0, "m: a is open (server_error)")
    assert figures(fleet, "a", 5.0).requests == 3
    assert leased(fleet, 15.0).is_probe


def test_one_probe_among_a_hundred_callers() -> None:
    fleet = fleet_of("a")
    for _ in range(3):
        call(fleet, UpstreamFault.UNREACHABLE)
    probe = leased(fleet, 10.0)
    assert probe.is_probe
    assert {closed(fleet, 10.0).retry_at_s for _ in range(99)} == {40.0}
    fleet.settle(probe, Verdict.OK, 12.0)
    assert not any(leased(fleet, 12.0).is_probe for _ in range(99))


def test_a_probe_closes_the_circuit_when_its_answer_begins() -> None:
    fleet = fleet_of("a")
    for _ in range(3):
        call(fleet, UpstreamFault.UNREACHABLE)
    probe = leased(fleet, 10.0)
    fleet.answered(probe, 11.0)
    assert not leased(fleet, 11.0).is_probe
    fleet.settle(probe, UpstreamFault.BROKEN, 60.0)
    assert figures(fleet, "a", 60.0).circuit is Circuit.CLOSED


def test_an_answer_that_begins_closes_nothing_else() -> None:
    fleet = fleet_of("a")
    early = leased(fleet)
    for _ in range(3):
        call(fleet, UpstreamFault.UNREACHABLE)
    fleet.answered(early, 1.0)
    assert figures(fleet, "a", 1.0).circuit is Circuit.OPEN


@pytest.mark.parametrize("verdict", [Verdict.NEUTRAL, *sorted(NOT_OF_HEALTH)])
def test_what_is_the_callers_affair_never_changes_health(verdict: UpstreamFault) -> None:
    fleet = fleet_of("a")
    for now_s in range(100):
        call(fleet, verdict, now_s)
    assert figures(fleet, "a", 100.0).circuit is Circuit.CLOSED
    for _ in range(3):
        call(fleet, UpstreamFault.SERVER_ERROR, 100.0)
    probe = leased(fleet, 110.0)
    fleet.settle(probe, verdict, 111.0)
    assert figures(fleet, "a", 111.0).circuit is Circuit.HALF_OPEN
    assert leased(fleet, 111.0).is_probe


def test_a_refused_key_moves_all_traffic_to_the_other_key() -> None:
    fleet = fleet_of("a", "b")
    assert call(fleet, UpstreamFault.AUTH) == "a"
    assert {call(fleet) for _ in range(20)} == {"b"}
    assert figures(fleet, "a").open_until_s == 60.0


def test_the_longest_wait_of_all_is_not_waited_for() -> None:
    fleet = fleet_of("a", "b")
    call(fleet, UpstreamFault.RATE_LIMITED, retry_after_s=20.0)
    call(fleet, UpstreamFault.RATE_LIMITED, retry_after_s=5.0)
    assert closed(fleet).retry_at_s == 5.0
    assert call(fleet, now_s=5.0) == "b"


def test_weights_are_honoured_call_by_call() -> None:
    fleet = fleet_of("a", "b", a=3.0)
    assert Counter(call(fleet) for _ in range(400)) == {"a": 300, "b": 100}


def test_equal_backends_take_turns() -> None:
    fleet = fleet_of("a", "b", "c")
    assert [call(fleet) for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]


def test_calls_under_way_send_the_next_one_elsewhere() -> None:
    fleet = fleet_of("a", "b")
    taken = Counter(leased(fleet).backend for _ in range(40))
    assert taken == {"a": 20, "b": 20}


def test_a_faster_backend_gets_more_of_it() -> None:
    fleet = fleet_of("a", "b")
    for _ in range(20):
        lease = leased(fleet)
        fleet.settle(lease, Verdict.OK, 0.0, 0.2 if lease.backend == "a" else 0.6)
    taken = Counter(call(fleet) for _ in range(100))
    assert taken["a"] == pytest.approx(75, abs=1)


def test_latency_is_an_average_that_forgets() -> None:
    fleet = fleet_of("a")
    call(fleet, first_byte_s=1.0)
    assert figures(fleet, "a").latency_s == 1.0
    for _ in range(30):
        call(fleet, first_byte_s=3.0)
    assert figures(fleet, "a").latency_s == pytest.approx(3.0, abs=0.01)


def test_load_never_moves_traffic_to_a_dearer_backend() -> None:
    fleet = Fleet(
        [
            Backend("unknown", "m", "p1"),
            Backend("dear", "m", "p2", usd_per_million=Decimal(9)),
            Backend("cheap", "m", "p3", usd_per_million=Decimal(2)),
        ],
        POLICY,
    )
    assert {leased(fleet).backend for _ in range(500)} == {"cheap"}
    fleet.drain("cheap")
    assert {leased(fleet).backend for _ in range(50)} == {"dear"}
    fleet.drain("dear")
    assert leased(fleet).backend == "unknown"


def test_a_standby_is_asked_when_no_other_is_left() -> None:
    fleet = fleet_of("a", "b", a=0.0)
    assert {call(fleet) for _ in range(10)} == {"b"}
    assert leased(fleet, avoid=("b",)).backend == "a"


def test_backends_that_were_tried_are_avoided() -> None:
    fleet = fleet_of("a", "b")
    assert leased(fleet, avoid=("a",)).backend == "b"
    assert closed(fleet, avoid=("a", "b")) == Closed(None, "m: a was tried, b was tried")
    alone = fleet_of("a")
    assert closed(alone, avoid=("a",)).retry_at_s is None


def test_a_drained_backend_finishes_and_gets_nothing_new() -> None:
    fleet = fleet_of("a")
    under_way = leased(fleet)
    fleet.drain("a")
    assert closed(fleet) == Closed(None, "m: a is draining")
    assert (figures(fleet, "a").status, figures(fleet, "a").in_flight) == (Status.DRAINING, 1)
    fleet.settle(under_way, Verdict.OK, 1.0)
    assert figures(fleet, "a").in_flight == 0
    fleet.resume("a")
    assert leased(fleet).backend == "a"


def test_a_backend_without_the_model_is_asked_last_but_stays_up() -> None:
    fleet = fleet_of("a", "b")
    assert call(fleet, UpstreamFault.NO_SUCH_MODEL) == "a"
    assert {call(fleet) for _ in range(50)} == {"b"}
    assert figures(fleet, "a").status is Status.DEGRADED
    assert leased(fleet, avoid=("b",)).backend == "a"
    assert figures(fleet, "a", 400.0).status is Status.HEALTHY


def test_one_failure_costs_a_backend_most_of_its_share_for_a_while() -> None:
    fleet = fleet_of("a", "b")
    call(fleet, UpstreamFault.SERVER_ERROR)
    assert figures(fleet, "a").status is Status.DEGRADED
    assert Counter(call(fleet) for _ in range(100))["a"] == pytest.approx(20, abs=2)
    assert Counter(call(fleet, now_s=6.0) for _ in range(100))["a"] == pytest.approx(50, abs=2)


def test_traffic_comes_back_slowly_after_an_outage() -> None:
    fleet = fleet_of("a", "b", policy=BreakerPolicy(consecutive_failures=1, slow_start_s=100.0))
    call(fleet, UpstreamFault.UNREACHABLE)
    probe = leased(fleet, 10.0, avoid=("b",))
    fleet.settle(probe, Verdict.OK, 10.0)
    shares = [Counter(call(fleet, now_s=now_s) for _ in range(1000))["a"] for now_s in (10.0, 60.0, 110.0)]
    assert shares == [pytest.approx(share, abs=5) for share in (91, 333, 500)]


def test_settling_twice_counts_once() -> None:
    fleet = fleet_of("a")
    lease = leased(fleet)
    fleet.settle(lease, Verdict.OK, 0.0)
    fleet.settle(lease, UpstreamFault.AUTH, 0.0)
    found = figures(fleet, "a")
    assert (found.in_flight, found.successes, found.failures) == (0, 1, {})


def test_figures_tell_what_happened() -> None:
    fleet = fleet_of("a")
    call(fleet, first_byte_s=0.5)
    call(fleet, UpstreamFault.SERVER_ERROR, 1.0)
    call(fleet, UpstreamFault.REJECTED, 2.0)
    call(fleet, Verdict.NEUTRAL, 3.0)
    call(fleet, UpstreamFault.RATE_LIMITED, 4.0, retry_after_s=6.0)
    found = figures(fleet, "a", 5.0)
    assert (found.requests, found.successes, found.in_flight, found.latency_s) == (5, 1, 0, 0.5)
    assert found.failures == {"server_error": 1, "rejected": 1, "rate_limited": 1}
    assert (found.last_fault, found.last_fault_s) == (UpstreamFault.RATE_LIMITED, 4.0)
    assert (found.status, found.circuit, found.why, found.open_until_s) == (
        Status.DOWN,
        Circuit.COOLING,
        UpstreamFault.RATE_LIMITED,
        10.0,
    )


def test_a_reset_reaches_one_model_or_all() -> None:
    fleet = Fleet([Backend("a", "m", "p"), Backend("b", "m", "q"), Backend("c", "n", "p")], POLICY)
    for _ in range(3):
        for model in ("m", "m", "n"):
            lease = fleet.pick(model, 0.0)
            if not isinstance(lease, Closed):
                fleet.settle(lease, UpstreamFault.AUTH, 0.0)
    assert isinstance(fleet.pick("m", 1.0), Closed)
    fleet.reset(fleet.backends_of("m"), 1.0)
    assert call(fleet, now_s=1.0) in {"a", "b"}
    assert isinstance(fleet.pick("n", 1.0), Closed)
    fleet.reset_all(1.0)
    assert not isinstance(fleet.pick("n", 1.0), Closed)
    assert fleet.backends_of("unheard-of") == ()


def test_a_probe_from_outside_opens_and_reopens_the_way() -> None:
    fleet = fleet_of("a", "b")
    for now_s in range(3):
        fleet.probed("at-a", UpstreamFault.UNREACHABLE, now_s)
    assert figures(fleet, "a", 3.0).circuit is Circuit.OPEN
    assert figures(fleet, "b", 3.0).circuit is Circuit.CLOSED
    fleet.probed("at-a", UpstreamFault.UNREACHABLE, 4.0)
    fleet.probed("at-a", None, 5.0)
    assert figures(fleet, "a", 5.0).circuit is Circuit.HALF_OPEN
    assert leased(fleet, 5.0, avoid=("b",)).is_probe


def test_changes_that_should_be_kept_are_told_and_no_others() -> None:
    fleet = fleet_of("a")
    told: list[str] = []
    fleet.on_change = lambda: told.append("changed")
    for _ in range(100):
        call(fleet, first_byte_s=1.0)
    call(fleet, UpstreamFault.SERVER_ERROR)
    call(fleet, UpstreamFault.REJECTED)
    assert told == []
    for expected, change in enumerate(
        (
            lambda: call(fleet, UpstreamFault.AUTH),
            lambda: fleet.answered(leased(fleet, 60.0), 60.0),
            lambda: call(fleet, UpstreamFault.RATE_LIMITED, 61.0),
            lambda: call(fleet, Verdict.OK, 70.0),
            lambda: fleet.drain("a"),
            lambda: fleet.resume("a"),
            lambda: fleet.reset_all(70.0),
        ),
        1,
    ):
        change()
        assert len(told) == expected


def test_marks_bring_a_new_fleet_to_the_same_state() -> None:
    fleet = fleet_of("a", "b", "c", "d")
    assert fleet.marks() == {}
    for _ in range(4):
        lease = leased(fleet)
        fleet.settle(lease, UpstreamFault.AUTH if lease.backend == "a" else Verdict.OK, 0.0)
    call(fleet, UpstreamFault.RATE_LIMITED, retry_after_s=30.0)
    fleet.drain("c")
    again = fleet_of("d", "c", "b", "a")
    again.restore({**fleet.marks(), "gone": fleet.marks()["a"]})
    assert [figures(again, name, 1.0).open_until_s for name in "abcd"] == [60.0, 30.0, None, None]
    assert figures(again, "c", 1.0).status is Status.DRAINING
    assert {call(again, now_s=1.0) for _ in range(5)} == {"d"}
    assert again.marks() == fleet.marks()


def test_a_new_configuration_goes_on_where_the_old_one_was() -> None:
    old = fleet_of("a", "b")
    under_way = leased(old)
    call(old, UpstreamFault.AUTH)
    new = fleet_of("a", "b", "c", a=5.0)
    new.take_over(old)
    assert figures(new, "a").in_flight == 1
    assert figures(new, "a").backend.weight == 5.0
    assert figures(new, "b").circuit is Circuit.OPEN
    old.settle(under_way, Verdict.OK, 1.0)
    assert figures(new, "a").in_flight == 0
    assert {call(new) for _ in range(20)} == {"a", "c"}


def full(**how: Crowding) -> Terms:
    return Terms(crowding=lambda backend: how.get(backend, Crowding.ROOM))


def picked(fleet: Fleet, terms: Terms, now_s: float = 0.0) -> str:
    lease = fleet.pick("m", now_s, (), terms)
    assert isinstance(lease, Lease)
    fleet.settle(lease, Verdict.OK, now_s)
    return lease.backend


def test_a_full_backend_is_passed_over_for_one_with_room() -> None:
    fleet = fleet_of("a", "b")
    assert {picked(fleet, full(a=Crowding.QUEUE)) for _ in range(20)} == {"b"}
    assert {picked(fleet, full(a=Crowding.QUEUE, b=Crowding.NO_ROOM)) for _ in range(20)} == {"a"}
    assert {picked(fleet, full(a=Crowding.QUEUE, b=Crowding.QUEUE)) for _ in range(20)} == {"a", "b"}


def test_a_dearer_backend_with_room_goes_before_a_queue() -> None:
    backends = [
        Backend("cheap", "m", "p", usd_per_million=Decimal(1)),
        Backend("dear", "m", "q", usd_per_million=Decimal(2)),
    ]
    fleet = Fleet(backends, POLICY)
    assert picked(fleet, full()) == "cheap"
    assert picked(fleet, full(cheap=Crowding.QUEUE)) == "dear"
    assert picked(fleet, full(cheap=Crowding.QUEUE, dear=Crowding.QUEUE)) == "cheap"
    assert picked(fleet, full(cheap=Crowding.NO_ROOM, dear=Crowding.QUEUE)) == "dear"


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
@pytest.mark.parametrize("kind", ["auth", "quota", "rate_limited"])
def test_what_our_account_lacks_closes_nothing_for_another_account(names: tuple[str, ...], kind: str) -> None:
    """The caller's call proves nothing of our key, whatever becomes of it."""
    fleet = fleet_of(*names)
    for _ in names:
        call(fleet, UpstreamFault(kind), retry_after_s=60.0)
    assert closed(fleet, 1.0)
    own = Terms(own=frozenset(names))
    assert picked(fleet, own, 1.0) in names
    assert closed(fleet, 1.0), "the answer was another account's"
    lease = fleet.pick("m", 61.0, (), own)
    assert isinstance(lease, Lease)
    fleet.settle(lease, UpstreamFault.SERVER_ERROR, 61.0)
    assert not lease.is_probe
    assert leased(fleet, 61.0).is_probe is (kind != "rate_limited")


def test_a_host_that_is_down_is_down_for_any_account() -> None:
    fleet = fleet_of("a")
    for _ in range(3):
        call(fleet, UpstreamFault.UNREACHABLE)
    assert isinstance(fleet.pick("m", 1.0, (), Terms(own=frozenset("a"))), Closed)
    probe = fleet.pick("m", 10.0, (), Terms(own=frozenset("a")))
    assert isinstance(probe, Lease)
    assert probe.is_probe


AT_B = Terms(home=lambda _model: "b")


def test_a_conversation_stays_at_its_backend_while_that_is_well() -> None:
    fleet = fleet_of("a", "b", policy=replace(POLICY, slow_start_s=5.0))
    assert {picked(fleet, AT_B) for _ in range(20)} == {"b"}
    call_at(fleet, "b", UpstreamFault.RATE_LIMITED, retry_after_s=10.0)
    assert picked(fleet, AT_B, 1.0) == "a", "it is closed"
    assert "a" in {picked(fleet, AT_B, 12.0) for _ in range(20)}, "it comes back slowly"
    assert {picked(fleet, AT_B, 20.0) for _ in range(20)} == {"b"}
    fleet.drain("b")
    assert picked(fleet, AT_B, 100.0) == "a"
    fleet.resume("b")
    call_at(fleet, "b", UpstreamFault.NO_SUCH_MODEL, 100.0)
    assert picked(fleet, AT_B, 101.0) == "a", "it does not serve the model"


def test_a_conversation_does_not_stay_in_a_crowd() -> None:
    fleet = fleet_of("a", "b")
    under_way = [fleet.pick("m", 0.0, (), AT_B) for _ in range(9)]
    assert Counter(lease.backend for lease in under_way if isinstance(lease, Lease)) == {"b": 8, "a": 1}
    assert picked(fleet, full(b=Crowding.QUEUE)._replace(home=AT_B.home)) == "a"


def test_a_conversation_returns_to_the_cheaper_backend() -> None:
    backends = [
        Backend(name, "m", name, usd_per_million=Decimal(cost)) for name, cost in (("a", 1), ("b", 2))
    ]
    assert picked(Fleet(backends, POLICY), AT_B) == "a"


def call_at(
    fleet: Fleet, name: str, verdict: UpstreamFault, now_s: float = 0.0, retry_after_s: float | None = None
) -> None:
    """One call to this very backend."""
    others = tuple(other for other in fleet.places if other != name)
    fleet.settle(leased(fleet, now_s, others), verdict, now_s, retry_after_s=retry_after_s)
