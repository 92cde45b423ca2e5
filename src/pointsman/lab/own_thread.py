"""Runs a server of the lab in a thread of its own, for callers that are not asynchronous. It knows no server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

_TIMEOUT_S = 60.0

Server = TypeVar("Server", bound=AbstractAsyncContextManager[Any])


@contextmanager
def in_own_thread(server: Server) -> Iterator[Server]:
    """`server`, entered and left in an event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=type(server).__name__, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_enter(server), loop).result(_TIMEOUT_S)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(_leave(server), loop).result(_TIMEOUT_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_TIMEOUT_S)
        loop.close()


async def _enter(server: AbstractAsyncContextManager[Any]) -> None:
    await server.__aenter__()


async def _leave(server: AbstractAsyncContextManager[Any]) -> None:
    await server.__aexit__(None, None, None)
