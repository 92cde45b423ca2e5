"""One wait of one coroutine, ended by whoever it waits for. It knows nothing of what is waited for."""

import asyncio
import contextvars
from collections.abc import Callable, Generator
from typing import Any

_Callback = Callable[["Waiter"], object]


class Waiter:
    """A future as far as asyncio can tell, less a turn of the event loop: a callback that came without a context
    (an eager task's) is called by `wake` itself. A task of asyncio's own may not be resumed within another one, and
    gets its turn."""

    __slots__ = ("_asyncio_future_blocking", "_callback", "_context", "_is_cancelled", "_is_done", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callback: _Callback | None = None
        self._context: contextvars.Context | None = None
        self._is_done = self._is_cancelled = False
        self._asyncio_future_blocking = False

    def __await__(self) -> Generator["Waiter", None, None]:
        if not self._is_done:
            self._asyncio_future_blocking = True  # what asyncio knows a future by
            yield self
        self.result()

    def wake(self) -> None:
        if self._is_done:
            return
        self._is_done = True
        callback = self._callback
        if callback is None:
            return
        if self._context is None:
            callback(self)
        else:
            self._loop.call_soon(callback, self, context=self._context)

    # what asyncio asks of a future

    def cancel(self, msg: Any = None) -> bool:
        if self._is_done:
            return False
        self._is_done = self._is_cancelled = True
        if self._callback is not None:
            self._loop.call_soon(self._callback, self, context=self._context)
        return True

    def add_done_callback(self, callback: _Callback, *, context: contextvars.Context | None = None) -> None:
        self._callback, self._context = callback, context

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def result(self) -> None:
        if self._is_cancelled:
            raise asyncio.CancelledError
