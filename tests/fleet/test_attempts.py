"""Who is asked next, with time and chance as numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noted_fleet import NotedFleet, card, fault, gave_up, tried, waited

from pointsman.core.errors import UpstreamError, UpstreamFault, broken_call
from pointsman.fleet.attempts import Attempts, GiveUp, RetryPolicy, Try, Wait
from pointsman.fleet.remedies import DEFAULT_REMEDIES, TABLE, Remedy, outcome_of
from pointsman.fleet.retry_budget import RetryBudget

BUSY = fault(UpstreamFault.OVERLOADED)


def attempts_of(*names: str, fleet: NotedFleet | None = None, **more: float) -> Attempts:
    policy = RetryPolicy(**{name: more.pop(name) for name in ("per_target", "attempts_max") if name in more})  # type: ignore[arg-type]
    return Attempts([card(name) for name in names], fleet or NotedFleet(), policy, RetryBudget(), **more)


def error_of(outcome: str) -> UpstreamError:
    kind, _, deadline = outcome.partition(".")
    return UpstreamError(UpstreamFault(kind), "no", deadline=deadline or None)  # type: ignore[arg-type]


def test_the_first_target_that_succeeds_is_the_last_that_is_asked() -> None:
    fleet = NotedFleet()
    attempts = attempts_of("a", "b", fleet=fleet)
    attempts.succeeded(tried(attempts), 1.0)
    assert gave_up(attempts).failures == ()
    assert (fleet.verdicts, fleet.out) == ([("a", "ok")], [])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.outcome)
def test_every_row_of_the_table_is_carried_out(row: object) -> None:
    outcome, remedy = row.outcome, row.remedy  # type: ignore[attr-defined]
    error = error_of(outcome)
    assert outcome_of(error) == outcome
    chain = [card("a", 1000), card("b", 500), card("c", 2000)]
    attempts = Attempts(chain, NotedFleet(), RetryPolicy(attempts_max=9), RetryBudget())
    first = tried(attempts)
    attempts.failed(first, error, 0.0, 0.5)
    if remedy is Remedy.STOP:
        assert gave_up(attempts).failures == (("a", error),)
        return
    following = tried(attempts)
    assert following.card.name == ("c" if remedy is Remedy.LARGER else "b")
    attempts.failed(following, fault(UpstreamFault.AUTH), 0.0, 0.5)
    if remedy is not Remedy.LARGER:
        attempts.failed(tried(attempts), fault(UpstreamFault.AUTH), 0.0, 0.5)
    if remedy is Remedy.RETRY:
        assert waited(attempts) == pytest.approx(0.25 * 0.75)
        assert tried(attempts, 1.0).card.name == "a"
    else:
        assert len(gave_up(attempts).failures) == (2 if remedy is Remedy.LARGER else 3)


def test_every_fault_and_every_deadline_has_a_row() -> None:
    assert {outcome.partition(".")[0] for outcome in DEFAULT_REMEDIES} == set(UpstreamFault)
    assert len(DEFAULT_REMEDIES) == len(TABLE)


def test_the_pause_doubles_up_to_its_most_and_chance_moves_half_of_it() -> None:
    policy = RetryPolicy(backoff_s=1.0, backoff_max_s=5.0)
    assert [policy.pause_s(tries, None, 1.0) for tries in range(1, 6)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert policy.pause_s(3, None, 0.0) == 2.0


@given(st.integers(1, 30), st.floats(0, 10), st.floats(0, 1))
def test_nobody_is_asked_sooner_than_it_said(tries: int, retry_after_s: float, random: float) -> None:
    pause = RetryPolicy().pause_s(tries, retry_after_s, random)
    assert pause is not None
    assert pause >= retry_after_s


def test_a_target_that_wants_a_long_pause_is_not_asked_again() -> None:
    attempts = attempts_of("a")
    attempts.failed(tried(attempts), fault(UpstreamFault.RATE_LIMITED, retry_after_s=60.0), 0.0, 0.5)
    assert len(gave_up(attempts).failures) == 1


def test_the_one_whose_pause_ends_first_is_asked_again_first() -> None:
    attempts = attempts_of("a", "b")
    attempts.failed(tried(attempts), fault(UpstreamFault.RATE_LIMITED, retry_after_s=5.0), 0.0, 0.0)
    attempts.failed(tried(attempts), BUSY, 0.0, 0.0)
    assert waited(attempts) == 0.125
    assert tried(attempts, 0.2).card.name == "b"


def test_attempts_have_a_limit() -> None:
    attempts = attempts_of("a", "b", "c", attempts_max=2)
    for _ in range(2):
        attempts.failed(tried(attempts), BUSY, 0.0, 0.5)
    assert [name for name, _ in gave_up(attempts).failures] == ["a", "b"]


def test_a_closed_target_is_passed_over_without_a_call() -> None:
    fleet = NotedFleet()
    fleet.closed.add("a")
    attempts = attempts_of("a", "b", fleet=fleet)
    assert tried(attempts).card.name == "b"


def test_when_all_are_closed_nobody_is_waited_for() -> None:
    fleet = NotedFleet()
    fleet.closed |= {"a", "b"}
    end = gave_up(attempts_of("a", "b", fleet=fleet), 100.0)
    assert end.failures == ()
    assert [(name, closed.retry_at_s) for name, closed in end.closed] == [("a", 130.0), ("b", 130.0)]


def test_another_backend_of_a_model_is_asked_before_another_model() -> None:
    attempts = attempts_of("a", "b", fleet=NotedFleet(a=["a/1", "a/2"]))
    first = tried(attempts)
    attempts.failed(first, BUSY, 0.0, 0.5)
    second = tried(attempts)
    attempts.failed(second, BUSY, 0.0, 0.5)
    assert (first.lease.backend, second.lease.backend) == ("a/1", "a/2")
    assert tried(attempts).card.name == "b"


def test_behind_the_first_content_there_is_no_next() -> None:
    attempts = attempts_of("a", "b")
    step = tried(attempts)
    attempts.first_content(step, 0.0)
    attempts.failed(step, BUSY, 0.0, 0.5)
    assert len(gave_up(attempts).failures) == 1


def test_a_target_that_cannot_be_told_costs_no_attempt() -> None:
    fleet = NotedFleet()
    attempts = attempts_of("a", "b", fleet=fleet, attempts_max=1)
    attempts.unfit(tried(attempts), 0.0)
    assert tried(attempts).card.name == "b"
    assert fleet.verdicts == [("a", "neutral")]


def test_nobody_is_asked_or_waited_for_behind_the_deadline() -> None:
    assert isinstance(attempts_of("a", deadline_at_s=5.0).next(5.0), GiveUp)
    attempts = attempts_of("a", deadline_at_s=0.1)
    attempts.failed(tried(attempts), BUSY, 0.0, 1.0)
    assert len(gave_up(attempts).failures) == 1


@pytest.mark.parametrize("kind", UpstreamFault)
def test_a_backend_is_told_every_failure_of_its_own(kind: UpstreamFault) -> None:
    """Which of them say something about its health, the fleet knows."""
    fleet = NotedFleet()
    attempts = attempts_of("a", fleet=fleet)
    attempts.failed(tried(attempts), fault(kind), 0.0, 0.5)
    assert fleet.verdicts == [("a", str(kind))]


@pytest.mark.parametrize("kind", UpstreamFault)
def test_a_callers_own_key_says_nothing_of_its_account_to_the_others(kind: UpstreamFault) -> None:
    fleet = NotedFleet()
    attempts = attempts_of("a", fleet=fleet)
    attempts.failed(tried(attempts), fault(kind), 0.0, 0.5, counts=False)
    is_of_account = kind in {"auth", "quota", "rate_limited", "no_such_model"}
    assert fleet.verdicts == [("a", "neutral" if is_of_account else str(kind))]


def test_a_failure_behind_the_callers_deadline_says_nothing_about_the_backend() -> None:
    fleet = NotedFleet()
    attempts = attempts_of("a", fleet=fleet, deadline_at_s=3.0)
    attempts.failed(tried(attempts), fault(UpstreamFault.TIMED_OUT), 3.0, 0.5)
    assert fleet.verdicts == [("a", "neutral")]


def test_an_outage_is_not_amplified_beyond_the_budget() -> None:
    budget = RetryBudget(share=0.2, burst=10)
    fleet, calls = NotedFleet(), 0
    for _ in range(1000):
        attempts = Attempts([card("a")], fleet, RetryPolicy(per_target=3, attempts_max=9), budget)
        now_s = 0.0
        while not isinstance(step := attempts.next(now_s), GiveUp):
            if isinstance(step, Wait):
                now_s += step.seconds
            else:
                calls += 1
                attempts.failed(step, BUSY, now_s, 0.5)
    assert 1000 < calls <= 1000 * 1.2 + 10


def test_a_budget_of_nothing_still_lets_another_target_answer() -> None:
    budget = RetryBudget(share=0.0, burst=1)
    budget.take()
    attempts = Attempts([card("a"), card("b")], NotedFleet(), RetryPolicy(), budget)
    attempts.failed(tried(attempts), BUSY, 0.0, 0.5)
    attempts.failed(tried(attempts), BUSY, 0.0, 0.5)
    assert len(gave_up(attempts).failures) == 2


@given(
    st.lists(st.sampled_from(list(UpstreamFault)), min_size=1, max_size=40),
    st.integers(1, 4),
    st.integers(0, 3),
    st.floats(0, 1),
)
def test_it_always_comes_to_an_end_and_settles_every_lease(
    faults: list[UpstreamFault], targets: int, per_target: int, random: float
) -> None:
    fleet = NotedFleet()
    chain = [card(f"m{place}", (place + 1) * 1000) for place in range(targets)]
    policy = RetryPolicy(per_target=per_target, attempts_max=20)
    attempts = Attempts(chain, fleet, policy, RetryBudget(burst=100), math.inf)
    now_s, asked = 0.0, []
    for _ in range(200):
        step = attempts.next(now_s)
        if isinstance(step, GiveUp):
            break
        if isinstance(step, Wait):
            assert step.seconds > 0
            now_s += step.seconds
            continue
        assert isinstance(step, Try)
        asked.append(step.card.name)
        attempts.failed(step, fault(faults[len(asked) % len(faults)]), now_s, random)
    else:
        raise AssertionError("it goes on and on")
    assert fleet.out == []
    assert max(asked.count(name) for name in asked) <= 1 + per_target


def test_a_slip_of_a_model_says_nothing_about_its_backend() -> None:
    """Another model may do better, and is asked; but whoever calls no tools is served here as well as before."""
    fleet = NotedFleet()
    attempts = attempts_of("a", "b", fleet=fleet)
    attempts.failed(tried(attempts), broken_call("weather"), 0.0, 0.5)
    assert fleet.verdicts == [("a", "neutral")]
    assert tried(attempts).card.name == "b"
