"""OpenAI chat: where the content of a stream begins. What stands before it (who speaks, what a filter thought of the
prompt) says nothing yet; no meaning is read here."""

import msgspec

from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.sse import SseReader, unreadable


class _Choice(msgspec.Struct, gc=False):
    delta: dict[str, msgspec.Raw] | None = None
    message: msgspec.Raw = NOTHING
    text: str | None = None  # of the older endpoint
    finish_reason: str | int | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_EMPTY = frozenset((b"null", b'""', b"[]", b"{}"))
_PARTS = frozenset(
    (
        "content",
        "tool_calls",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "refusal",
        "function_call",
        "images",
        "audio",
    )
)


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or the end. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    for sent in SseReader().feed(events):
        if sent.data.startswith(b"[DONE]"):
            return True
        try:
            choices = _decode(sent.data).choices
        except msgspec.ValidationError:
            return True  # JSON all the same, and relayed as it is
        except NOT_JSON:
            raise unreadable() from None
        if choices and any(map(_says_something, choices)):
            return True
    return False


def _says_something(choice: _Choice) -> bool:
    if choice.finish_reason or choice.text or memoryview(choice.message).nbytes:
        return True
    delta = choice.delta
    if delta is not None:
        for part, value in delta.items():
            if part in _PARTS and bytes(value) not in _EMPTY:
                return True
    return False
