"""Asking for opinions, with a source that answers when it is told to and a clock that is moved by hand."""

import asyncio
from typing import Literal

import pytest
from calls_made import HandClock

from pointsman.core.prompt import Prompt, Turn
from pointsman.gateway.adviser import Adviser, Answered, Limits
from pointsman.ledger.entry import SideCall
from pointsman.routing.opinions import Opinion, Question


def row(outcome: Literal["complete", "failed", "cached", "cancelled"]) -> SideCall:
    return SideCall("judge", "small", "near", outcome, None, None, None, 0.0)


class Slow:
    """A source whose answers are given by hand."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, asyncio.Future[Answered]]] = []

    def text(self, question: Question) -> str:
        return question.asked

    async def ask(self, text: str) -> Answered:
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.asked.append((text, future))
        return await future

    def unpaid(self, outcome: Literal["cached", "cancelled"]) -> SideCall:
        return row(outcome)

    def say(self, value: float | None, number: int = -1) -> None:
        outcome: Literal["complete", "failed"] = "failed" if value is None else "complete"
        self.asked[number][1].set_result(Answered(Opinion("said", value), row(outcome)))


class Desk:
    def __init__(self, limits: Limits) -> None:
        self.source = Slow()
        self.clock = HandClock()
        self.adviser = Adviser(self.source, limits, self.clock)

    def ask(self, text: str) -> "asyncio.Task[Answered]":
        question = Question(Prompt(system="", turns=(Turn("user", text),), input_bytes=1), text)
        return asyncio.get_running_loop().create_task(self.adviser.opinion(question))

    async def answered(self, text: str, value: float | None) -> Answered:
        """One question that reaches the source and is answered at once."""
        count = len(self.source.asked)
        task = self.ask(text)
        await turns()
        assert len(self.source.asked) == count + 1
        self.source.say(value)
        return await task


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def desk() -> Desk:
    return Desk(Limits(remembered_max=2, remembered_s=60, asked_at_once_max=2, failures_max=2, pause_s=30))


async def test_what_is_being_asked_is_not_asked_twice_and_paid_once(desk: Desk) -> None:
    tasks = [desk.ask("a") for _ in range(3)]
    await turns()
    assert [text for text, _ in desk.source.asked] == ["a"]
    desk.source.say(0.7)
    answers = [await task for task in tasks]
    assert {answer.opinion.value for answer in answers} == {0.7}
    assert [answer.side_call and answer.side_call.outcome for answer in answers] == [
        "complete",
        "cached",
        "cached",
    ]


async def test_an_opinion_is_remembered_for_its_time(desk: Desk) -> None:
    await desk.answered("a", 0.7)
    desk.clock.now_s += 59
    again = await desk.ask("a")
    assert (again.opinion.value, again.side_call) == (0.7, row("cached"))
    desk.clock.now_s += 2
    await desk.answered("a", 0.2)


async def test_what_was_not_asked_for_longest_is_forgotten_first(desk: Desk) -> None:
    await desk.answered("a", 0.1)
    await desk.answered("b", 0.2)
    assert (await desk.ask("a")).opinion.value == 0.1
    await desk.answered("c", 0.3)
    assert (await desk.ask("a")).opinion.value == 0.1
    await desk.answered("b", 0.2)


async def test_failures_are_not_remembered_and_end_in_a_pause(desk: Desk) -> None:
    assert (await desk.answered("a", None)).opinion.value is None
    await desk.answered("a", None)
    paused = await desk.ask("b")
    assert paused == Answered(Opinion("not asked: it failed 2 times in a row"), None)
    desk.clock.now_s += 31
    await desk.answered("b", 0.5)
    await desk.answered("c", None)
    await desk.answered("d", 0.5)
    await desk.answered("e", None)
    assert (await desk.answered("f", 0.4)).opinion.value == 0.4


async def test_known_opinions_are_given_during_a_pause(desk: Desk) -> None:
    await desk.answered("a", 0.7)
    await desk.answered("b", None)
    await desk.answered("c", None)
    assert (await desk.ask("a")).opinion.value == 0.7


async def test_no_more_questions_than_allowed_are_under_way(desk: Desk) -> None:
    first, second = desk.ask("a"), desk.ask("b")
    await turns()
    third = await desk.ask("c")
    assert third.opinion == Opinion("not asked: 2 questions are under way")
    same = desk.ask("a")
    await turns()
    desk.source.say(0.1, 0)
    desk.source.say(0.2, 1)
    assert [(await task).opinion.value for task in (first, second, same)] == [0.1, 0.2, 0.1]


async def test_who_asked_first_may_leave_and_the_next_one_pays(desk: Desk) -> None:
    first, second = desk.ask("a"), desk.ask("a")
    await turns()
    first.cancel()
    await turns()
    desk.source.say(0.7)
    answer = await second
    assert (answer.opinion.value, answer.side_call) == (0.7, row("complete"))
    assert first.cancelled()


async def test_a_question_nobody_waits_for_is_given_up(desk: Desk) -> None:
    task = desk.ask("a")
    await turns()
    task.cancel()
    await turns()
    assert desk.source.asked[0][1].cancelled()
    assert desk.adviser.given_up() == row("cancelled")
    await desk.answered("a", 0.3)


async def test_a_fault_of_the_source_reaches_everybody_who_waits(desk: Desk) -> None:
    tasks = [desk.ask("a"), desk.ask("a")]
    await turns()
    desk.source.asked[0][1].set_exception(LookupError("a fault of ours"))
    for task in tasks:
        with pytest.raises(LookupError):
            await task
    await desk.answered("a", 0.3)
