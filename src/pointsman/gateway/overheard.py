"""Hears which id a reply has, as its caller is told it. It changes nothing of what is said."""

import re

from pointsman.core.ports import Answer
from pointsman.gateway.passed_on import PassedOn

_REPLY_ID = re.compile(rb'"id"\s*:\s*"([\w.:-]{1,200})"')
_ID_WITHIN_BYTES = 4096


class Overheard(PassedOn):
    """The first bytes are looked at for the reply's id."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._has_heard = False
        self.reply_id: str | None = None

    def write(self, data: bytes) -> None:
        if not self._has_heard and data:
            self._has_heard = True
            found = _REPLY_ID.search(data[:_ID_WITHIN_BYTES])
            if found is not None:
                self.reply_id = found[1].decode()
        super().write(data)
