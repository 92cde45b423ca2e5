"""How tests wait for what happens by itself, in another thread or process: for the condition, never for a time."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Only a true hang reaches it, however busy the machine is."""

_LOOK_AGAIN_S = 0.002


def wait_until(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s, f"it does not happen within {within_s:g} s"
        time.sleep(_LOOK_AGAIN_S)


async def comes_true(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """The same in an event loop, which goes on meanwhile."""
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s, f"it does not happen within {within_s:g} s"
        await asyncio.sleep(_LOOK_AGAIN_S)
