"""Reads beside a relayed Messages stream what was used and how it ended, and nothing else of it."""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages.errors import error_in_reply
from pointsman.wire.anthropic_messages.usage import Counts
from pointsman.wire.json_bytes import NOT_JSON, is_json
from pointsman.wire.sse import SseReader, is_plain_json, unreadable


class _Message(msgspec.Struct, gc=False):
    usage: Counts | None = None


class _Watched(msgspec.Struct, gc=False):
    type: str = ""
    message: _Message | None = None
    usage: Counts | None = None
    error: Any = None


_watched = msgspec.json.Decoder(_Watched).decode


class AnthropicReplyWatch:
    """Reads only the events that begin, count and end; of the others it only asks that they are JSON."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.is_complete = False
        self.error: UpstreamError | None = None
        self._counts = Counts()
        self._reader = SseReader()

    def feed(self, data: bytes) -> None:
        reader = self._reader
        # Most pieces are whole events of text, and nothing in them is of interest here.
        if (
            not (reader.pending or b"message_" in data or b"error" in data)
            and data.endswith(b"\n\n")
            and is_plain_json(data)
        ):
            return
        for sent in reader.feed(data):
            self._look_at(sent.data)
        for sent in reader.cut_events():  # looking at one twice is harmless
            if is_json(sent.data):
                self._look_at(sent.data)

    def _look_at(self, data: bytes) -> None:
        if self.is_complete or self.error is not None:
            return
        if not (b"message_" in data or b"error" in data):
            if data.strip() not in {b"", b"[DONE]"} and not is_json(data):
                self.error = unreadable()
            return
        try:
            event = _watched(data)
        except msgspec.ValidationError:
            return  # JSON all the same, and relayed as it is
        except NOT_JSON:
            self.error = unreadable()
            return
        kind = event.type
        if kind == "message_start":
            if event.message is not None and event.message.usage is not None:
                self._count(event.message.usage.at_start())
        elif kind == "message_delta":
            self._count(event.usage)
        elif kind == "message_stop":
            self.is_complete = True
        elif kind == "error" or (not kind and event.error is not None):
            self.error = error_in_reply(event.error)

    def _count(self, counts: Counts | None) -> None:
        if counts is not None:
            self._counts.update(counts)
            self.usage = self._counts.usage()
