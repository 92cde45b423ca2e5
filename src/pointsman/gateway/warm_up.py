"""The first pieces of a stream, held back until they have come fast enough: a provider that is technically alive but far
too slow can still be left for another. It reads nothing of what it holds."""

import asyncio
import math

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Incoming


class WarmUp:
    """Ends `incoming` with TIMED_OUT when fewer than `pieces_per_s_min` pieces a second have come within
    `rate_window_s` of the first one. `stop` it when the stream is over."""

    def __init__(self, incoming: Incoming, deadlines: Deadlines) -> None:
        self._incoming = incoming
        self._deadlines = deadlines
        self._wanted = math.ceil(deadlines.pieces_per_s_min * deadlines.rate_window_s)
        self._held: list[bytes] = []
        self._pieces = 0
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False

    def take(self, out: bytes) -> bytes:
        """What may go to the caller by now."""
        if self.is_over:
            return out
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._deadlines.rate_window_s, self._end)
        self._held.append(out)
        self._pieces += max(out.count(b"\n\n"), 1)
        return self.release() if self._pieces >= self._wanted else b""

    def release(self) -> bytes:
        """All that was held: it came fast enough, or the stream is whole."""
        self.stop()
        held, self._held = self._held, []
        return b"".join(held)

    def stop(self) -> None:
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        limits = self._deadlines
        self._incoming.fail(
            UpstreamError(
                UpstreamFault.TIMED_OUT,
                f"only {self._pieces} pieces of the answer came within {limits.rate_window_s:g} s (pieces_per_s_min)",
                deadline="rate",
            )
        )
