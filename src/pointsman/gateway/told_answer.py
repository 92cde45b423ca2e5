"""Tells within an answer what became of its request: a `_routing` object, for those who see bodies and no headers. It
decides nothing, and adds it where the caller's SDK reads over what it does not know:

    whole replies                a key at the end of the object
    streams of OpenAI's chat     an event of its own before [DONE]
    streams of all others        a key at the end of the event that ends them
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.ports import Answer
from pointsman.gateway.booking import Booking
from pointsman.gateway.passed_on import PassedOn
from pointsman.gateway.wishes import ROUTING

ASKED = (ROUTING.encode(), b"true")
"""The header with which a caller asks for it."""

# No text can hold these: in JSON a line end is written as \n and a quote as \".
_LAST_EVENTS: Mapping[str, re.Pattern[bytes]] = {
    "openai-responses": re.compile(rb'^data: ?\{"type": ?"response\.(?:completed|incomplete)"', re.MULTILINE),
    "anthropic-messages": re.compile(rb'^data: ?\{"type": ?"message_stop"', re.MULTILINE),
    "gemini": re.compile(rb'"finishReason": ?"'),
}
_DONE = b"data: [DONE]"

_encode = msgspec.json.Encoder().encode


def routing(booking: Booking) -> dict[str, Any]:
    """What is told: of the choice and of who answers. Nothing of what was said."""
    decision, shown = booking.decision, booking.shown
    if decision is None:
        return {"request_id": booking.call.request_id}
    card = decision.card if shown is None else shown.card
    return {
        "request_id": booking.call.request_id,
        "requested": decision.requested,
        "profile": decision.profile,
        "model": card.name,
        "provider": card.provider,
        "tier": decision.tier or card.tier,
        "category": decision.category,
        "score": decision.score,
        "confidence": decision.confidence,
        "attempts": len(booking.attempts),
        "rules": list(decision.rules),
        "signals": [
            {"signal": name, "value": value, "share": share} for name, value, share in decision.shares
        ],
    }


class ToldAnswer(PassedOn):
    """The caller's end of an exchange, with something to add at its end."""

    def __init__(self, answer: Answer, booking: Booking) -> None:
        super().__init__(answer)
        self._booking = booking
        self._head: tuple[int, bytes] | None = None
        self._may_tell = True
        self._last_event = _LAST_EVENTS.get(booking.call.dialect.name)

    @property
    def is_started(self) -> bool:
        return self._head is not None or self._answer.is_started

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self._may_tell = status == 200
        if length is None or not self._may_tell:
            self._answer.start(status, lines, length=length)
        else:
            self._head = (status, lines)

    def write(self, data: bytes) -> None:
        if self._head is not None:
            (status, lines), self._head = self._head, None
            data = self._told_in_object(data)
            self._answer.start(status, lines, length=len(data))
        elif self._may_tell and self._last_event is not None:
            data = self._told_in_last_event(data, self._last_event)
        elif self._may_tell and _DONE in data:
            data = self._told_before_end(data)
        self._answer.write(data)

    def _told_in_last_event(self, data: bytes, last_event: re.Pattern[bytes]) -> bytes:
        """What is written is whole events, each on a line of its own."""
        found = last_event.search(data)
        if found is None:
            return data
        line_end = data.find(b"\n", found.end())
        end = data.rfind(b"}", found.end(), len(data) if line_end < 0 else line_end)
        if end < 0:
            return data
        self._may_tell = False
        return b'%b,"_routing":%b%b' % (data[:end], _encode(routing(self._booking)), data[end:])

    def _told_in_object(self, body: bytes) -> bytes:
        end = body.rstrip()
        if not end.endswith(b"}") or not body.lstrip().startswith(b"{"):
            return body
        comma = b"" if end[:-1].rstrip().endswith(b"{") else b","
        return b'%b%b"_routing":%b}' % (end[:-1], comma, _encode(routing(self._booking)))

    def _told_before_end(self, data: bytes) -> bytes:
        # No text can hold it at the start of a line.
        place = 0 if data.startswith(_DONE) else data.rfind(b"\n" + _DONE) + 1
        if not data.startswith(_DONE, place):
            return data
        call = self._booking.call
        event = {
            "id": call.request_id,
            "object": "chat.completion.chunk",
            "created": int(call.started_at_s),
            "model": self._booking.requested,
            "choices": [],
            "_routing": routing(self._booking),
        }
        return b"%bdata: %b\n\n%b" % (data[:place], _encode(event), data[place:])
