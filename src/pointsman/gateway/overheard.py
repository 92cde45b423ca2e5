"""Hears which id a reply has, as its caller is told it. It changes nothing of what is said."""

import re
from collections.abc import Callable

from pointsman.core.ports import Answer, Incoming

_REPLY_ID = re.compile(rb'"id"\s*:\s*"([\w.:-]{1,200})"')
_ID_WITHIN_BYTES = 4096


class Overheard:
    """The caller's end of an exchange, whose first bytes are looked at for the reply's id. Implements
    `core.ports.Answer`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._has_heard = False
        self.reply_id: str | None = None

    @property
    def is_started(self) -> bool:
        return self._answer.is_started

    @is_started.setter
    def is_started(self, value: bool) -> None:
        raise AttributeError("only the caller's end knows that")

    @property
    def disconnected(self) -> bool:
        return self._answer.disconnected

    @disconnected.setter
    def disconnected(self, value: bool) -> None:
        raise AttributeError("only the caller's end knows that")

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self._answer.start(status, lines, length=length)

    def write(self, data: bytes) -> None:
        if not self._has_heard and data:
            self._has_heard = True
            found = _REPLY_ID.search(data[:_ID_WITHIN_BYTES])
            if found is not None:
                self.reply_id = found[1].decode()
        self._answer.write(data)

    def finish(self) -> None:
        self._answer.finish()

    def break_off(self) -> None:
        self._answer.break_off()

    def throttle(self, source: Incoming | None) -> None:
        self._answer.throttle(source)

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        self._answer.when_silent(say)
