"""Who goes on, who waits and who is sent away, and that no slot is ever lost or given twice."""

import asyncio
import contextlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import Unavailable
from pointsman.core.ports import Limits
from pointsman.gateway.slots import Slots, enter_all

LONG_S = 1000.0


def slots(in_flight: int = 1, queue: int = 10, timeout_s: float = LONG_S) -> Slots:
    return Slots("the gateway", Limits(in_flight, queue, timeout_s))


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_slots_are_given_until_they_are_out() -> None:
    some = slots(in_flight=2)

    assert [some.try_enter() for _ in range(3)] == [True, True, False]
    assert some.is_full
    some.leave()
    assert some.try_enter()


async def test_slot_that_becomes_free_goes_to_whoever_waits_longest() -> None:
    one = slots()
    assert one.try_enter()
    entered: list[int] = []

    async def enter(number: int) -> None:
        await one.wait()
        entered.append(number)

    waiting = [asyncio.create_task(enter(number)) for number in range(3)]
    await turns()
    for count in range(1, 4):
        one.leave()
        assert not one.try_enter()  # a newcomer does not overtake
        await turns()
        assert entered == list(range(count))
    await asyncio.gather(*waiting)
    one.leave()
    assert (one.in_flight, one.waiting) == (0, 0)


async def test_caller_without_room_to_wait_is_sent_away_at_once(caplog: pytest.LogCaptureFixture) -> None:
    one = slots(queue=1)
    assert one.try_enter()
    waiting = asyncio.create_task(one.wait())
    await turns()

    assert one.has_no_room
    for _ in range(3):
        with pytest.raises(
            Unavailable, match="the gateway is at its limit: 1 request is under way"
        ) as refused:
            await one.wait()
    assert refused.value.retry_after_s >= 1
    assert one.shed == 3
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1  # not one for each
    one.leave()
    await waiting


async def test_who_waits_too_long_is_sent_away_and_takes_no_slot() -> None:
    one = slots(timeout_s=0.01)
    assert one.try_enter()

    with pytest.raises(Unavailable, match=r"none became free within 0\.01 s"):
        await one.wait()
    assert (one.in_flight, one.waiting) == (1, 0)
    one.leave()
    assert one.in_flight == 0


async def test_who_leaves_the_queue_is_passed_over() -> None:
    one = slots()
    assert one.try_enter()
    first, second = asyncio.create_task(one.wait()), asyncio.create_task(one.wait())
    await turns()
    first.cancel()
    await turns()
    assert one.waiting == 1
    one.leave()
    await second
    assert one.in_flight == 1


async def test_who_leaves_when_its_turn_has_just_come_hands_it_on() -> None:
    one = slots()
    assert one.try_enter()
    first, second = asyncio.create_task(one.wait()), asyncio.create_task(one.wait())
    await turns()
    one.leave()
    first.cancel()  # before it could go on
    with contextlib.suppress(asyncio.CancelledError):
        await first
    if first.cancelled():
        await second
    else:
        one.leave()
        await second
    assert (one.in_flight, one.waiting) == (1, 0)


async def test_closed_slots_end_the_waiting_and_let_those_within_go_on() -> None:
    one = slots()
    assert one.try_enter()
    waiting = asyncio.create_task(one.wait())
    await turns()
    one.close()

    with pytest.raises(Unavailable, match="shutting down"):
        await waiting
    assert one.has_no_room
    assert one.in_flight == 1
    with pytest.raises(Unavailable, match="shutting down"):
        await one.wait()


async def test_all_are_entered_or_none() -> None:
    free, full = slots(), slots(queue=0)
    assert full.try_enter()

    with pytest.raises(Unavailable):
        await enter_all((free, full), lambda: 1.0)
    assert free.in_flight == 0

    waited_for = slots()
    assert waited_for.try_enter()
    entering = asyncio.create_task(enter_all((free, waited_for), lambda: 1.0))
    await turns()
    entering.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await entering
    assert (free.in_flight, waited_for.in_flight, waited_for.waiting) == (0, 1, 0)


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 3), st.integers(0, 3))
def test_whatever_happens_no_slot_is_lost_or_given_twice(
    steps: list[int], in_flight: int, queue: int
) -> None:
    """Callers come, are done, or leave the queue, in any order and any number of turns apart."""

    async def play() -> None:
        some = slots(in_flight, queue)
        within = 0
        most = 0
        callers: list[asyncio.Task[None]] = []

        async def call(done: asyncio.Event) -> None:
            nonlocal within, most
            if not some.try_enter():
                await some.wait()
            within += 1
            most = max(most, within)
            try:
                await done.wait()
            finally:
                within -= 1
                some.leave()

        ends: list[asyncio.Event] = []
        for step in steps:
            if step < 4:
                ends.append(asyncio.Event())
                callers.append(asyncio.create_task(call(ends[-1])))
            elif step < 6 and ends:
                ends[step % len(ends)].set()
            elif step < 8 and callers:
                callers[step * 7 % len(callers)].cancel()
            else:
                await turns(step - 7)
        for end in ends:
            end.set()
        for outcome in await asyncio.gather(*callers, return_exceptions=True):
            assert outcome is None or isinstance(outcome, Unavailable | asyncio.CancelledError)
        await turns()
        assert most <= in_flight
        assert (some.in_flight, some.waiting) == (0, 0)

    asyncio.run(play())
