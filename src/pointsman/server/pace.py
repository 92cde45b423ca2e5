"""How slow a client may be in sending a request and in taking an answer. It closes nothing: the connection asks."""

REQUEST_S = 60.0
REQUEST_BYTES_PER_S = 1024
"""A whole request may take that long, and longer for what is sent at this pace at least."""

DEAF_S = 60.0
DEAF_BYTES = 4096
"""A client takes that much of what waits for it within that time."""


class Arrival:
    """One request that comes in several pieces; what has come of it is kept in memory."""

    __slots__ = ("_bytes", "_since_s")

    def __init__(self) -> None:
        self._bytes = 0
        self._since_s = 0.0

    def restart(self) -> None:
        self._bytes = 0

    def add(self, count: int, now_s: float) -> None:
        if not self._bytes:
            self._since_s = now_s
        self._bytes += count

    def has_taken(self, so_long_s: float, now_s: float) -> bool:
        return self._bytes > 0 and now_s - self._since_s > so_long_s

    def is_too_slow(self, now_s: float) -> bool:
        return self._bytes > 0 and now_s - self._since_s > REQUEST_S + self._bytes / REQUEST_BYTES_PER_S


class Departure:
    """What was written to a client and is still here."""

    __slots__ = ("_since_s", "_unread_bytes")

    def __init__(self) -> None:
        self._unread_bytes = 0
        self._since_s = 0.0

    def is_stuck(self, unread_bytes: int, now_s: float, *, is_growing: bool) -> bool:
        """To be asked now and then. While more is being written the client's pace does not show; then it either
        takes that, or writing is paused."""
        if not unread_bytes or is_growing:
            self._unread_bytes = 0
            return False
        if not self._unread_bytes or unread_bytes <= self._unread_bytes - DEAF_BYTES:
            self._unread_bytes = unread_bytes
            self._since_s = now_s
        return now_s - self._since_s >= DEAF_S
