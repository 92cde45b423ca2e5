"""The breaker alone, with time as a number."""

from math import inf

import pytest

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import NOT_OF_HEALTH, Breaker, BreakerPolicy, Circuit

AT_ONCE = {UpstreamFault.AUTH, UpstreamFault.QUOTA, UpstreamFault.RATE_LIMITED}
HARD = sorted(frozenset(UpstreamFault) - NOT_OF_HEALTH - AT_ONCE)


def fail(breaker: Breaker, now_s: float, fault: UpstreamFault = UpstreamFault.SERVER_ERROR) -> None:
    breaker.failed(fault, now_s, breaker.epoch, None)


def opened(policy: BreakerPolicy, now_s: float = 0.0) -> Breaker:
    breaker = Breaker(policy)
    for _ in range(policy.consecutive_failures):
        fail(breaker, now_s)
    assert breaker.circuit(now_s) is Circuit.OPEN
    return breaker


@pytest.mark.parametrize("fault", [fault for fault in HARD if fault is not UpstreamFault.OVERLOADED])
def test_consecutive_failures_open_it(fault: UpstreamFault) -> None:
    breaker = Breaker(BreakerPolicy(consecutive_failures=3, open_s=10.0))
    fail(breaker, 1.0, fault)
    fail(breaker, 2.0, fault)
    assert breaker.blocked_until_s == -inf
    fail(breaker, 3.0, fault)
    assert breaker.blocked_until_s == 13.0
    assert breaker.why is fault


def test_a_success_between_failures_begins_the_count_again() -> None:
    breaker = Breaker(BreakerPolicy(consecutive_failures=2))
    for now_s in range(10):
        fail(breaker, now_s)
        breaker.succeeded(now_s, breaker.epoch)
    assert breaker.circuit(10.0) is Circuit.CLOSED


def test_a_high_error_rate_opens_it_once_there_are_enough_calls() -> None:
    policy = BreakerPolicy(consecutive_failures=100, error_rate=0.5, min_calls=10, window_s=60.0)
    breaker = Breaker(policy)
    for call in range(4):
        breaker.succeeded(call, breaker.epoch)
        fail(breaker, call)
    assert breaker.circuit(5.0) is Circuit.CLOSED, "eight calls are too few to say anything"
    breaker.succeeded(5.0, breaker.epoch)
    fail(breaker, 5.0)
    assert breaker.circuit(5.0) is Circuit.OPEN


def test_failures_older_than_the_window_are_forgotten() -> None:
    policy = BreakerPolicy(consecutive_failures=100, error_rate=0.5, min_calls=10, window_s=60.0)
    breaker = Breaker(policy)
    for _ in range(9):
        fail(breaker, 0.0)
    for call in range(3):
        breaker.succeeded(61.0, breaker.epoch)
        fail(breaker, 61.0 + call)
    assert breaker.circuit(63.0) is Circuit.CLOSED


def test_open_time_grows_with_each_failed_probe_up_to_the_cap() -> None:
    policy = BreakerPolicy(open_s=10.0, growth=2.0, open_max_s=60.0)
    breaker = opened(policy)
    waits = []
    for _ in range(5):
        now_s = breaker.until_s
        assert breaker.take(now_s) > 0
        fail(breaker, now_s)
        waits.append(breaker.until_s - now_s)
    assert waits == [20.0, 40.0, 60.0, 60.0, 60.0]


def test_open_time_is_short_again_after_a_calm_time() -> None:
    policy = BreakerPolicy(open_s=10.0, growth=2.0, window_s=60.0)

    def second_opening_s(after_s: float) -> float:
        breaker = opened(policy)
        breaker.take(10.0)
        breaker.succeeded(10.0, breaker.epoch)
        for _ in range(policy.consecutive_failures):
            fail(breaker, 10.0 + after_s)
        return breaker.until_s - 10.0 - after_s

    assert second_opening_s(after_s=59.0) == 20.0
    assert second_opening_s(after_s=60.0) == 10.0


def test_half_open_gives_one_probe_at_a_time() -> None:
    policy = BreakerPolicy(open_s=10.0, probe_expires_s=30.0)
    breaker = opened(policy)
    assert breaker.circuit(10.0) is Circuit.HALF_OPEN
    assert breaker.take(10.0) == 1
    assert breaker.blocked_until_s == 40.0
    assert breaker.take(40.0) == 2, "the first was not heard of any more"
    assert breaker.blocked_until_s == 70.0


def test_a_slow_probe_that_was_given_up_still_closes_it() -> None:
    """Else a backend that takes longer than a probe is waited for would never come back."""
    breaker = opened(BreakerPolicy(open_s=10.0, probe_expires_s=30.0))
    epoch = breaker.epoch
    breaker.take(10.0)
    breaker.take(40.0)
    breaker.succeeded(65.0, epoch)
    assert breaker.circuit(65.0) is Circuit.CLOSED


def test_a_probe_that_tells_nothing_makes_the_next_call_one() -> None:
    breaker = opened(BreakerPolicy(open_s=10.0))
    probe = breaker.take(10.0)
    breaker.gave_up(probe)
    assert breaker.blocked_until_s <= 11.0
    assert breaker.take(11.0) == probe + 1
    breaker.gave_up(probe)
    assert breaker.blocked_until_s > 11.0, "the older one has no say in the newer"


def test_calls_from_before_the_opening_change_nothing() -> None:
    breaker = Breaker(BreakerPolicy(consecutive_failures=3, open_s=10.0))
    epoch = breaker.epoch
    for _ in range(3):
        breaker.failed(UpstreamFault.SERVER_ERROR, 0.0, epoch, None)
    for _ in range(50):
        breaker.failed(UpstreamFault.SERVER_ERROR, 5.0, epoch, None)
    breaker.succeeded(6.0, epoch)
    assert breaker.until_s == 10.0
    breaker.succeeded(10.0, breaker.epoch)
    breaker.failed(UpstreamFault.AUTH, 11.0, epoch, None)
    assert breaker.circuit(11.0) is Circuit.CLOSED


def test_a_late_retry_after_is_honoured_all_the_same() -> None:
    breaker = Breaker(BreakerPolicy())
    epoch = breaker.epoch
    breaker.failed(UpstreamFault.RATE_LIMITED, 0.0, epoch, 2.0)
    breaker.failed(UpstreamFault.RATE_LIMITED, 1.0, epoch, 30.0)
    assert breaker.blocked_until_s == 31.0
    breaker.failed(UpstreamFault.RATE_LIMITED, 1.5, epoch, 3.0)
    assert breaker.blocked_until_s == 31.0


@pytest.mark.parametrize(
    ("fault", "retry_after_s", "blocked_s"),
    [
        (UpstreamFault.RATE_LIMITED, 7.5, 7.5),
        (UpstreamFault.RATE_LIMITED, None, 1.0),
        (UpstreamFault.RATE_LIMITED, 0.0, 1.0),
        (UpstreamFault.RATE_LIMITED, -5.0, 1.0),
        (UpstreamFault.RATE_LIMITED, 1e9, 3600.0),
        (UpstreamFault.OVERLOADED, None, 0.5),
        (UpstreamFault.OVERLOADED, 20.0, 20.0),
        (UpstreamFault.AUTH, None, 60.0),
        (UpstreamFault.QUOTA, None, 60.0),
        (UpstreamFault.AUTH, 90.0, 90.0),
        (UpstreamFault.SERVER_ERROR, 4.0, 4.0),
    ],
)
def test_the_first_failure_of_a_class_blocks_for(
    fault: UpstreamFault, retry_after_s: float | None, blocked_s: float
) -> None:
    breaker = Breaker(BreakerPolicy())
    breaker.failed(fault, 100.0, breaker.epoch, retry_after_s)
    assert breaker.blocked_until_s == 100.0 + blocked_s


def test_a_rate_limit_ends_by_itself_and_grows_until_a_call_succeeds() -> None:
    breaker = Breaker(BreakerPolicy(rate_limited_s=1.0, growth=2.0, open_max_s=5.0))
    now_s, waits = 0.0, []
    for _ in range(4):
        fail(breaker, now_s, UpstreamFault.RATE_LIMITED)
        waits.append(breaker.until_s - now_s)
        now_s = breaker.until_s
        assert breaker.circuit(now_s) is Circuit.CLOSED
        assert breaker.take(now_s) == 0, "an ordinary call"
    breaker.succeeded(now_s, breaker.epoch)
    fail(breaker, now_s, UpstreamFault.RATE_LIMITED)
    assert waits == [1.0, 2.0, 4.0, 5.0]
    assert breaker.until_s - now_s == 1.0


def test_an_overload_that_does_not_end_opens_it() -> None:
    breaker = Breaker(BreakerPolicy(consecutive_failures=3))
    for _ in range(3):
        now_s = max(0.0, breaker.until_s)
        breaker.take(now_s)
        fail(breaker, now_s, UpstreamFault.OVERLOADED)
    assert breaker.circuit(breaker.until_s) is Circuit.HALF_OPEN


def test_a_rate_limited_probe_shows_that_somebody_is_there() -> None:
    breaker = opened(BreakerPolicy(open_s=10.0))
    breaker.take(10.0)
    breaker.failed(UpstreamFault.RATE_LIMITED, 10.0, breaker.epoch, 5.0)
    assert breaker.circuit(14.0) is Circuit.COOLING
    assert breaker.circuit(15.0) is Circuit.CLOSED


def test_its_share_comes_back_slowly() -> None:
    breaker = opened(BreakerPolicy(open_s=10.0, slow_start_s=20.0))
    breaker.take(10.0)
    breaker.succeeded(10.0, breaker.epoch)
    assert [breaker.ramp(now_s) for now_s in (10.0, 15.0, 20.0, 30.0, 99.0)] == [0.1, 0.25, 0.5, 1.0, 1.0]


def test_a_reset_closes_it_at_full_share() -> None:
    breaker = opened(BreakerPolicy(open_s=10.0))
    breaker.reset(1.0)
    assert breaker.circuit(1.0) is Circuit.CLOSED
    assert breaker.ramp(1.0) == 1.0
    assert breaker.openings == 0
    fail(breaker, 1.0)
    assert breaker.circuit(1.0) is Circuit.CLOSED, "the failures from before do not count any more"


def test_a_good_sign_from_elsewhere_lets_the_probe_go_at_once() -> None:
    breaker = opened(BreakerPolicy(open_s=10.0))
    assert breaker.is_reached_again(2.0)
    assert breaker.circuit(2.0) is Circuit.HALF_OPEN
    assert not breaker.is_reached_again(2.0)
    assert breaker.take(2.0) == 1
    assert not breaker.is_reached_again(3.0), "the probe is on its way"
    assert breaker.blocked_until_s > 3.0


def test_what_was_open_is_open_when_it_is_restored() -> None:
    breaker = Breaker(BreakerPolicy(open_s=10.0, growth=2.0))
    breaker.restore(Circuit.OPEN, UpstreamFault.UNREACHABLE, 100.0, 2)
    assert breaker.blocked_until_s == 100.0
    assert breaker.take(100.0) == 1
    fail(breaker, 100.0)
    assert breaker.until_s == 140.0, "the third time in a row"
