"""How much of request bodies a process holds at once, over all connections: from the bytes that have come so far to
the end of the request. It counts; who is told to come again is decided by the connection.

Bodies up to FREE_BYTES are not counted: they are bounded by the number of connections, and short questions get through
while a crowd of large uploads waits for room.
"""

import logging
import time

from pointsman.core.errors import Unavailable

log = logging.getLogger("pointsman.server")

FREE_BYTES = 16 * 1024

MOST_BYTES = 512 * 1024 * 1024

_RETRY_AFTER_S = 2.0
_SAID_EVERY_S = 10.0


class BodyMemory:
    """`most` may change at any time: what is held already is not thrown away."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self.held = 0
        self.shed = 0
        self._said_at_s = float("-inf")

    def has_room(self, count: int) -> bool:
        return self.held + count <= self.most

    def refusal(self) -> Unavailable:
        """What somebody is told for whom there is no room; counted and, now and then, logged."""
        self.shed += 1
        now_s = time.monotonic()
        if now_s - self._said_at_s >= _SAID_EVERY_S:
            self._said_at_s = now_s
            log.warning(
                "the bodies of requests under way take %d bytes (limits.body_bytes); %d sent away so far",
                self.held,
                self.shed,
            )
        return Unavailable(
            f"the gateway holds as much of requests as it may ({self.most} bytes); try again later",
            retry_after_s=_RETRY_AFTER_S,
        )


class Share:
    """What one request holds of it. It is given back when nobody knows the request any more, however it came to its
    end: so nothing is counted that is not there, and nothing is there uncounted."""

    __slots__ = ("_memory", "count")

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self.count = 0

    def grow(self, count: int) -> bool:
        """False, and nothing has changed, if there is no room."""
        if not self._memory.has_room(count):
            return False
        self._memory.held += count
        self.count += count
        return True

    def __del__(self) -> None:
        self._memory.held -= self.count
