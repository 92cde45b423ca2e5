"""The caller's end of an exchange with somebody in between. It changes nothing by itself."""

from collections.abc import Callable

from pointsman.core.ports import Answer, Incoming


class PassedOn:
    """Hands everything on to the caller's end. Implements `core.ports.Answer`, for those who change one part of it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def is_started(self) -> bool:
        return self._answer.is_started

    @property
    def disconnected(self) -> bool:
        return self._answer.disconnected

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self._answer.start(status, lines, length=length)

    def write(self, data: bytes) -> None:
        self._answer.write(data)

    def finish(self) -> None:
        self._answer.finish()

    def break_off(self) -> None:
        self._answer.break_off()

    def throttle(self, source: Incoming | None) -> None:
        self._answer.throttle(source)

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        self._answer.when_silent(say)
