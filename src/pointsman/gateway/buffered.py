"""An answer that is kept until somebody decides whether the caller gets it. It decides nothing."""

from collections.abc import Callable

from pointsman.core.ports import Answer, Incoming


class Buffered:
    """Stands in for the caller's end of an exchange, for answers that are not streamed. Implements
    `core.ports.Answer`."""

    def __init__(self, caller: Answer) -> None:
        self._caller = caller
        self.is_started = False
        self.lines = b""
        self.status = 0
        self._pieces: list[bytes] = []

    @property
    def disconnected(self) -> bool:
        return self._caller.disconnected

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self.is_started = True
        self.status = status
        self.lines = lines

    def write(self, data: bytes) -> None:
        self._pieces.append(data)

    def finish(self) -> None:
        """Nothing is sent: `give` does that."""

    def break_off(self) -> None:
        self._pieces.clear()

    def throttle(self, source: Incoming | None) -> None:
        """A whole answer is read at once."""

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        """Only callers of a stream are asked for patience."""

    def replace(self, body: bytes) -> None:
        self._pieces = [body]

    def give(self, more_lines: bytes) -> None:
        """To the caller, with further header lines."""
        body = self.body
        self._caller.start(self.status, self.lines + more_lines, length=len(body))
        self._caller.write(body)
        self._caller.finish()
