"""Replies that a caller may come back to by their id (`previous_response_id`), for models whose provider does not
keep them. Bounded in bytes and time; one process's own, each reply for the caller that got it.

A reply holds what was said in its turn only; a conversation is the chain of its replies.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.gateway.call import Call
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.openai_responses.items import answer, continued, input_items

KEPT_S = 24 * 3600.0
KEPT_BYTES_MAX = 64 * 1024 * 1024
_CHAIN_MAX = 1000  # turns; a chain cannot be a circle, but it could be endless

Keep = Callable[[bytes], None]
"""Takes a whole reply, as its caller got it."""

_decode_str = msgspec.json.Decoder(str | None).decode


class Kept(NamedTuple):
    """`body` is the whole reply as its caller got it, `items` what was said in its turn, question and answer;
    `asked` says how many of them are the question."""

    caller: str
    previous: str | None
    body: bytes
    items: tuple[msgspec.Raw, ...]
    asked: int
    until_s: float
    size: int


class Conversations:
    """`clock` counts seconds. The replies that were not needed for the longest go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def keeper(self, call: Call) -> Keep | None:
        """What keeps the reply to a call, None where nobody may come back to it."""
        if call.dialect is not OPENAI_RESPONSES:
            return None
        envelope = read_envelope(call.body)
        if bytes(envelope.fields.get("store", b"")) == b"false":
            return None
        return partial(self.keep, call.caller, envelope)

    def keep(self, caller: str, envelope: Envelope, body: bytes) -> None:
        """`envelope` is the request as the caller sent it, before it was continued."""
        # Copies: the items are views into the whole request, which would stay with them, uncounted.
        asked = [item.copy() for item in input_items(envelope)]
        reply_id, output = answer(body)
        items = (*asked, *output)
        size = len(body) + sum(memoryview(item).nbytes for item in items)
        now_s = self._clock()
        previous = _previous(envelope)
        if reply_id in self._kept:
            self._drop(reply_id)
        self._kept[reply_id] = Kept(caller, previous, body, items, len(asked), now_s + KEPT_S, size)
        self._bytes += size
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest].until_s > now_s and self._bytes <= KEPT_BYTES_MAX:
                break
            self._drop(oldest)

    def continued(self, call: Call, envelope: Envelope) -> Envelope:
        """The request with all that was said before written out. An id that is not known here is left as it is: the
        provider may know it. Raises BadRequest for a conversation whose beginning is forgotten."""
        if call.dialect is not OPENAI_RESPONSES:
            return envelope
        previous, caller = _previous(envelope), call.caller
        if previous is None or self.find(previous, caller) is None:
            return envelope
        turns: list[Sequence[msgspec.Raw]] = []
        at: str | None = previous
        while at is not None:
            kept = self.find(at, caller)
            if kept is None or len(turns) == _CHAIN_MAX:
                raise BadRequest(
                    f"Previous response with id '{previous[:100]}' not found.",
                    param="previous_response_id",
                    code="previous_response_not_found",
                )
            self._kept.move_to_end(at)
            turns.append(kept.items)
            at = kept.previous
        return continued(envelope, [item for turn in reversed(turns) for item in turn])

    def find(self, reply_id: str, caller: str) -> Kept | None:
        kept = self._kept.get(reply_id)
        if kept is None or kept.caller != caller or kept.until_s <= self._clock():
            return None
        return kept

    def forget(self, reply_id: str, caller: str) -> bool:
        """True if there was such a reply."""
        if self.find(reply_id, caller) is None:
            return False
        self._drop(reply_id)
        return True

    def _drop(self, reply_id: str) -> None:
        self._bytes -= self._kept.pop(reply_id).size


def _previous(envelope: Envelope) -> str | None:
    raw = envelope.fields.get("previous_response_id")
    if raw is None:
        return None
    try:
        previous: str | None = _decode_str(raw)
    except msgspec.DecodeError:
        return None  # for its reader to refuse
    return previous
