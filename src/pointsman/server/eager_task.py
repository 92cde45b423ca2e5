"""A task that begins at once and goes on in the very call that wakes it. It schedules nothing and knows no HTTP."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class EagerTask:
    """Runs one coroutine, as an asyncio task would but without turns of the event loop, which cost more than all
    that a request does in between. `on_done` is told when it has ended.

    While it runs, asyncio's current task is another one or none. What needs a task of its own (a timeout) has to be
    started in one and awaited.
    """

    __slots__ = ("_coroutine", "_is_cancelled", "_loop", "_on_done", "_waits_for")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, None],
        on_done: Callable[["EagerTask"], object],
    ) -> None:
        self._loop = loop
        self._coroutine = coroutine
        self._on_done = on_done
        self._waits_for: Any = None
        self._is_cancelled = False

    def run(self, _woken_by: object = None) -> bool:
        """Goes on until the next wait. True when there is none: it has ended."""
        self._waits_for = None
        try:
            if self._is_cancelled:
                self._is_cancelled = False
                waits_for = self._coroutine.throw(asyncio.CancelledError())
            else:
                waits_for = self._coroutine.send(None)
        except (StopIteration, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - nobody awaits this task, so the loop is told
            self._loop.call_exception_handler(
                {"message": "a request's task failed", "exception": error, "task": self}
            )
        else:
            self._wait_for(waits_for)
            return False
        self._on_done(self)
        return True

    def cancel(self, msg: Any = None) -> None:
        """Raises CancelledError where it waits; not within this call."""
        # What it waits for may be there already, and only its turn to go on not yet.
        if self._waits_for is None or not self._waits_for.cancel():
            self._is_cancelled = True

    def _wait_for(self, waited: Any) -> None:
        self._waits_for = waited
        if waited is None:  # only a turn of the loop
            self._loop.call_soon(self.run)
            return
        waited._asyncio_future_blocking = False  # noqa: SLF001 - asyncio's own protocol between task and future
        waited.add_done_callback(self.run)
        if self._is_cancelled:
            self._is_cancelled = False
            waited.cancel()
