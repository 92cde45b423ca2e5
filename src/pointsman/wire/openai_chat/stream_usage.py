"""OpenAI chat: a stream that tells what was used although its caller has not asked for it. One option is put
into the request, and the event it brings is taken out of the reply again; every other byte stays as it was."""

from typing import Any

import msgspec

from pointsman.core.errors import PointsmanError
from pointsman.wire.envelope import Envelope, put_field
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.openai_chat.errors import encode_stream_error
from pointsman.wire.sse import SseReader, raw_events


class _Options(msgspec.Struct, gc=False):
    include_usage: bool | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[Any] | None = None
    usage: Any = None


_decode_options = msgspec.json.Decoder(_Options | None).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_chunk = msgspec.json.Decoder(_Chunk).decode


def is_asked(envelope: Envelope) -> bool:
    """True if the caller itself wants usage in its stream."""
    raw = envelope.fields.get("stream_options")
    if raw is None:
        return False
    try:
        options = _decode_options(raw)
    except NOT_JSON:
        return False
    return options is not None and options.include_usage is True


def asking(envelope: Envelope) -> Envelope | None:
    """The request with the option set. None where it already is, and where what stands in its place cannot be
    read: that is the provider's to judge."""
    raw = envelope.fields.get("stream_options")
    text, options = b"{}", dict[str, msgspec.Raw]()
    if raw is not None and bytes(raw) != b"null":
        try:
            if (_decode_options(raw) or _Options()).include_usage:
                return None
            text, options = bytes(raw), _decode_fields(raw)
        except NOT_JSON:
            return None
    return envelope.with_field("stream_options", put_field(text, options, "include_usage", b"true"))


class Withholding:
    """Takes the event that holds nothing but usage out of one stream."""

    __slots__ = ("_lf_is_to_come",)

    def __init__(self) -> None:
        self._lf_is_to_come = False

    def feed(self, events: bytes) -> bytes:
        """What the caller sees of whole events."""
        if self._lf_is_to_come and events:
            events = events.removeprefix(b"\n")
            self._lf_is_to_come = False
        # With the option on, every other chunk says "usage":null.
        if events.count(b'"usage"') == events.count(b'"usage":null'):
            return events
        out: list[bytes] = []
        for event in raw_events(events):
            # A stream may be cut within the CRLF that ends an event: its second half then stands here, in front
            # of the next one.
            self._lf_is_to_come = (is_taken := _is_usage_only(event)) and event.endswith(b"\r")
            out.append(event[: -len(event.lstrip(b"\r\n"))] if is_taken else event)
        return b"".join(out)

    def finish(self) -> bytes:
        return b""

    def broken(self, error: PointsmanError, request_id: str) -> bytes:
        return encode_stream_error(error, request_id)


def _is_usage_only(event: bytes) -> bool:
    if b'"usage"' not in event:
        return False
    reader = SseReader()
    for sent in (*reader.feed(event), *reader.finish()):
        try:
            chunk = _decode_chunk(sent.data)
        except NOT_JSON:
            continue
        if chunk.choices == [] and chunk.usage is not None:
            return True
    return False
