"""OpenAI responses: what is read beside a reply that is relayed as it is: usage, its end, an error. No events."""

import re
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.usage import Usage
from pointsman.wire.json_bytes import NOT_JSON, NOTHING, is_json
from pointsman.wire.openai_errors import error_instead_of_reply, error_within_reply
from pointsman.wire.openai_responses.shapes import decode_any
from pointsman.wire.openai_responses.usage import Counts
from pointsman.wire.sse import SseReader, is_plain_json, unreadable


class _Watched(msgspec.Struct):
    status: str | None = None
    output: msgspec.Raw = NOTHING
    usage: Counts | None = None
    error: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    response: _Watched | None = None
    error: Any = None


_decode_reply = msgspec.json.Decoder(_Watched).decode
_decode_event = msgspec.json.Decoder(_Event).decode

_FAILURES = frozenset(("failed", "cancelled"))

# Within a JSON string the quotes would be escaped, so this can only be an event's own type, or an error. Some servers
# send no event of an error, only what they would have answered without a stream.
_SAYS_SOMETHING = re.compile(
    rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"|"error"\s*:\s*[{"]'
)
_BLANK_LINES = (b"\n\n", b"\r\n\r\n")


def read_usage(body: bytes) -> Usage | None:
    try:
        reply = _decode_reply(body)
    except msgspec.ValidationError:
        if b'"output"' in body:
            return None  # an odd usage is no reason to withhold a reply that is relayed as it is
        raise error_instead_of_reply(body, "a response") from None
    except NOT_JSON:
        raise error_instead_of_reply(body, "a response") from None
    is_reply = memoryview(reply.output).nbytes > 0
    if reply.error and (reply.status in _FAILURES or not is_reply):
        raise error_within_reply({"error": reply.error})
    if not is_reply:
        raise error_instead_of_reply(body, "a response")
    return None if reply.usage is None else reply.usage.usage()


class ReplyWatch:
    """Parses only the events that end a stream; the rest is looked at for their names, and must be JSON."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.is_complete = False
        self.error: UpstreamError | None = None
        self._reader = SseReader()

    def feed(self, data: bytes) -> None:
        reader = self._reader
        if (
            not reader.pending
            and data.endswith(_BLANK_LINES)
            and _SAYS_SOMETHING.search(data) is None
            and is_plain_json(data)
        ):
            return
        try:
            events = reader.feed(data)
        except UpstreamError as error:
            self.error = self.error or error
            return
        for event in events:
            self._look_at(event.data)
        for event in reader.cut_events():  # looking at one twice is harmless
            if is_json(event.data):
                self._look_at(event.data)

    def _look_at(self, data: bytes) -> None:
        if self.is_complete or self.error is not None:
            return
        if _SAYS_SOMETHING.search(data) is None:
            if data.strip() not in {b"", b"[DONE]"} and not is_json(data):
                self.error = unreadable()
            return
        try:
            event = _decode_event(data)
        except msgspec.ValidationError:
            self._look_at_odd(data)
            return
        except NOT_JSON:
            self.error = unreadable()
            return
        response = event.response
        match event.type:
            case "response.completed" | "response.incomplete":
                self.is_complete = True
                if response is not None and response.usage is not None:
                    self.usage = response.usage.usage()
            case "response.failed" | "error":
                error = event.error or (None if response is None else response.error)
                self.error = error_within_reply({"error": error} if error else _any(data))
            case "" if event.error:
                self.error = error_within_reply({"error": event.error})
            case _:
                pass

    def _look_at_odd(self, data: bytes) -> None:
        """An end whose usage cannot be read is an end all the same: it is relayed as it is."""
        told = _any(data)
        kind = told.get("type") if isinstance(told, dict) else None
        if not isinstance(kind, str):
            return
        self.is_complete = kind in {"response.completed", "response.incomplete"}
        if kind in {"response.failed", "error"}:
            self.error = UpstreamError(
                UpstreamFault.BAD_REPLY, "the provider sent an error that cannot be read"
            )


def _any(data: bytes) -> Any:
    try:
        return decode_any(data)
    except NOT_JSON:
        return None
