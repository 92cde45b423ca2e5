"""Limits that change while they are in force."""

import asyncio

import pytest

from pointsman.core.errors import Unavailable
from pointsman.core.ports import Limits
from pointsman.gateway.slot_book import SlotBook
from pointsman.gateway.slots import Slots


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_more_slots_let_those_in_who_wait() -> None:
    slots = Slots("the gateway", Limits(1, 10, 60))
    assert slots.try_enter()
    waiting = [asyncio.create_task(slots.wait()) for _ in range(3)]
    await turns()

    slots.adjust(Limits(3, 10, 60))
    await turns()

    assert [task.done() for task in waiting] == [True, True, False]
    assert (slots.in_flight, slots.waiting) == (3, 1)
    slots.leave()
    await turns()
    assert waiting[2].done()
    for _ in range(3):
        slots.leave()
    assert slots.in_flight == 0


async def test_fewer_slots_let_nobody_in_until_enough_have_left() -> None:
    slots = Slots("the gateway", Limits(3, 10, 60))
    for _ in range(3):
        assert slots.try_enter()

    slots.adjust(Limits(1, 10, 60))
    waiting = asyncio.create_task(slots.wait())
    await turns()
    slots.leave()
    slots.leave()
    await turns()
    assert (slots.in_flight, waiting.done()) == (1, False)
    slots.leave()
    await turns()

    assert waiting.done()
    assert slots.in_flight == 1


async def test_book_keeps_what_is_under_way_and_changes_nothing_before_it_is_told() -> None:
    book = SlotBook()
    first = book.of("a", Limits(1, 0, 60))
    book.adjust({"a": Limits(1, 0, 60)})
    assert first.try_enter()

    assert book.of("a", Limits(2, 0, 60)) is first
    with pytest.raises(Unavailable):
        await first.wait()
    book.adjust({"a": Limits(2, 0, 60)})

    assert first.try_enter()


def test_book_forgets_what_has_no_limit_any_more() -> None:
    book = SlotBook()
    first = book.of("a", Limits(1, 0, 60))
    book.adjust({"a": Limits(1, 0, 60)})
    book.adjust({})

    assert book.of("a", Limits(1, 0, 60)) is not first
