"""Streams of one JSON value per line: cuts them between lines, wherever they were cut on their way."""

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.sse import EVENT_BYTES_MAX


class LineSplitter:
    """The work is linear in the bytes, also for one huge line in many pieces."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = bytearray()

    def split(self, data: bytes) -> bytes:
        """The bytes of all lines completed by `data`, as they came; may be empty."""
        end = data.rfind(b"\n") + 1
        pending = self._pending
        if not end:
            pending += data
            if len(pending) > EVENT_BYTES_MAX:
                raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds a line without an end")
            return b""
        block = bytes(pending) + data[:end] if pending else data[:end]
        pending.clear()
        pending += memoryview(data)[end:]
        return block

    def rest(self) -> bytes:
        """What the stream left without its line end."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest
