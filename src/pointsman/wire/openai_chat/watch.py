"""OpenAI chat: what is read beside a reply that is relayed as it is: usage, its end, an error. No events."""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError
from pointsman.core.events import merge_usage
from pointsman.core.usage import Usage
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON, NOTHING, in_whole_characters, is_json
from pointsman.wire.openai_chat.chunks import (
    FAILED_REASONS,
    QuietChunk,
    ReportedUsage,
    WatchedChunk,
    error_of,
    failed_end,
    usage_from,
    usage_of,
)
from pointsman.wire.openai_chat.errors import error_instead_of_reply
from pointsman.wire.openai_errors import error_within_reply
from pointsman.wire.sse import SseReader, unreadable


class _WatchedReply(msgspec.Struct):
    choices: msgspec.Raw = NOTHING
    usage: ReportedUsage | None = None
    error: Any = None


_decode_watched_chunk = msgspec.json.Decoder(WatchedChunk).decode
_decode_quiet_chunk = msgspec.json.Decoder(QuietChunk).decode
_decode_watched_reply = msgspec.json.Decoder(_WatchedReply).decode


def read_usage(body: bytes) -> Usage | None:
    try:
        reply = _decode_watched_reply(body)
    except msgspec.ValidationError:
        if b'"choices"' in body:
            return None  # an odd usage is no reason to withhold a reply that is relayed as it is
        raise error_instead_of_reply(body) from None
    except NOT_JSON:
        raise error_instead_of_reply(body) from None
    if reply.error:
        raise error_within_reply({"error": reply.error})
    if bytes(memoryview(reply.choices)[:2]) in {b"", b"[]"}:
        raise error_instead_of_reply(body)
    return None if reply.usage is None else usage_from(reply.usage)


_decode_count = msgspec.json.Decoder(int | None).decode
_CHOICES_MAX = 128  # of the API


def choices_asked(envelope: Envelope) -> int:
    """How many answers the stream will hold."""
    raw = envelope.fields.get("n")
    if raw is None:
        return 1
    try:
        wanted = _decode_count(raw)
    except msgspec.DecodeError:
        return 1  # the provider's to judge
    return min(max(wanted or 1, 1), _CHOICES_MAX)


_DONE = (b"data: [DONE]", b"data:[DONE]")
_PEEK_BYTES_MAX = 64 * 1024


class ReplyWatch:
    """What the chunks tell of usage, finish reasons and errors; and each must be JSON."""

    def __init__(self, choices: int = 1) -> None:
        self.usage: Usage | None = None
        self.is_complete = False
        self.error: UpstreamError | None = None
        self._unfinished = set(range(choices))
        self._reader = SseReader()

    def feed(self, data: bytes) -> None:
        reader = self._reader
        # What most reads hold: one chunk, on one line, of which there is nothing to tell.
        if not reader.pending and data.startswith(b"data: {") and data.find(b"\n") == len(data) - 2:
            try:
                _decode_quiet_chunk(data[6:])
            except NOT_JSON:
                pass
            else:
                return
        try:
            events = reader.feed(data)
        except UpstreamError as error:
            self.error = self.error or error
            return
        for event in events:
            if event.data.startswith(b"[DONE]"):
                self.is_complete = True
            elif event.data.strip():
                self._read(event.data)
        if 0 < len(reader.pending) <= _PEEK_BYTES_MAX:
            self._peek(bytes(reader.pending))

    def _peek(self, pending: bytes) -> None:
        # Nobody tells the watch that the stream ended, and some streams end without their last blank line.
        last_line = pending.rstrip().rpartition(b"\n")[2]
        if last_line.startswith(_DONE):
            self.is_complete = True
        elif last_line.startswith(b"data:") and last_line.endswith(b"}"):
            try:
                chunk = _decode_watched_chunk(last_line[5:])
            except NOT_JSON:
                return  # more is to come
            self._take(chunk)

    def _read(self, data: bytes) -> None:
        try:
            chunk = _decode_watched_chunk(data)
        except NOT_JSON:
            mended = in_whole_characters(data)
            if mended is not data:
                self._read(mended)
            elif not is_json(data):  # else of odd types, and relayed as it is
                self.error = self.error or unreadable()
            return
        self._take(chunk)

    def _take(self, chunk: WatchedChunk) -> None:
        if error := error_of(chunk):
            self.error = self.error or error_within_reply({"error": error})
        usage = usage_of(chunk)
        if usage is not None:
            self.usage = merge_usage(self.usage, usage)
        for choice in chunk.choices or ():
            if choice.finish_reason in FAILED_REASONS:
                self.error = self.error or failed_end(choice.finish_reason, choice.error)
            elif choice.finish_reason:
                self._unfinished.discard(choice.index or 0)
                self.is_complete = self.is_complete or not self._unfinished
