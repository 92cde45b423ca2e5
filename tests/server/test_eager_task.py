"""Tasks that begin at once and go on in the call that wakes them."""

import asyncio

import pytest

from pointsman.server.eager_task import EagerTask
from pointsman.upstream.waiter import Waiter


class Work:
    """A coroutine in an eager task, and what became of it."""

    def __init__(self, *waits: object) -> None:
        self.steps: list[str] = []
        self.is_done = False
        self._waits = waits
        self.task = EagerTask(asyncio.get_running_loop(), self._run(), self._end)

    async def _run(self) -> None:
        try:
            for number, wait in enumerate(self._waits):
                self.steps.append(str(number))
                await wait  # type: ignore[misc]
            self.steps.append("end")
        except BaseException as error:
            self.steps.append(type(error).__name__)
            raise

    def _end(self, task: EagerTask) -> None:
        assert task is self.task
        assert not self.is_done
        self.is_done = True


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_without_a_wait_it_is_done_at_once() -> None:
    work = Work()
    assert work.task.run()
    assert (work.steps, work.is_done) == (["end"], True)


async def test_it_goes_on_within_the_call_that_wakes_it() -> None:
    waiter = Waiter(asyncio.get_running_loop())
    work = Work(waiter)
    assert not work.task.run()
    assert work.steps == ["0"]
    waiter.wake()
    assert (work.steps, work.is_done) == (["0", "end"], True)


async def test_it_awaits_whatever_asyncio_has() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    work = Work(asyncio.sleep(0), asyncio.sleep(0.001), future, loop.create_task(asyncio.sleep(0, "value")))
    work.task.run()
    while work.steps[-1] != "2":  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    future.set_result(None)
    await turns()
    assert (work.steps[-1], work.is_done) == ("end", True)


@pytest.mark.parametrize("kind", ["waiter", "future", "task", "turn"])
async def test_cancelled_it_ends_where_it_waits_and_not_within_that_call(kind: str) -> None:
    loop = asyncio.get_running_loop()
    waits = {
        "waiter": lambda: Waiter(loop),
        "future": loop.create_future,
        "task": lambda: loop.create_task(asyncio.sleep(60)),
        "turn": lambda: asyncio.sleep(0),
    }
    work = Work(waits[kind]())
    work.task.run()
    work.task.cancel()
    assert not work.is_done
    await turns()
    assert (work.steps, work.is_done) == (["0", "CancelledError"], True)


async def test_waking_one_that_was_cancelled_changes_nothing() -> None:
    waiter = Waiter(asyncio.get_running_loop())
    work = Work(waiter)
    work.task.run()
    work.task.cancel()
    waiter.wake()
    await turns()
    assert work.steps == ["0", "CancelledError"]


async def test_a_fault_is_told_to_the_loop() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def fail() -> None:
        raise ValueError("of ours")

    work = Work(fail())
    assert work.task.run()
    assert work.is_done
    assert [str(context["exception"]) for context in told] == ["of ours"]


async def test_asyncios_own_task_can_wait_for_a_waiter() -> None:
    waiter = Waiter(asyncio.get_running_loop())

    async def wait() -> str:
        await waiter
        return "woken"

    task = asyncio.create_task(wait())
    await turns()
    waiter.wake()
    assert not task.done()  # it gets a turn of its own
    assert await task == "woken"


async def test_a_waiter_woken_before_anybody_waits_does_not_hold_them() -> None:
    waiter = Waiter(asyncio.get_running_loop())
    waiter.wake()
    work = Work(waiter)
    assert work.task.run()
    assert work.steps == ["0", "end"]


async def test_a_cancel_between_what_it_waits_for_and_its_turn_is_not_lost() -> None:
    """The client leaves in the very turn of the loop in which the wait is over."""
    loop = asyncio.get_running_loop()
    future, never = loop.create_future(), loop.create_future()
    work = Work(future, never)
    work.task.run()
    future.set_result(None)
    work.task.cancel()
    await turns()
    assert (work.steps, work.is_done) == (["0", "CancelledError"], True)
