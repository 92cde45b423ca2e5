"""What a forwarded Messages body is repaired in: state that its provider did not make, which the API refuses.
Everything else is sent as it came.

Such state comes from here. A model of another maker answered an earlier turn; what it had sealed was shown to the client
under a tag, and the client sent it back with its history. Thinking that nobody signed has an empty signature or none.
"""

import contextlib
from typing import Any

import msgspec

from pointsman.wire.envelope import Envelope
from pointsman.wire.seals import MARK, Kind, untag

# As programs write JSON: without spaces, or with one after each colon, which then shows at once.
_UNSIGNED = b'"signature":""'
_UNSIGNED_SPACED = b'"signature": ""'
_TAGGED = MARK.encode()


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    content: str | list[msgspec.Raw] = ""


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    signature: str | None = None
    data: Any = None
    citations: Any = None


_messages = msgspec.json.Decoder(list[msgspec.Raw]).decode
_message = msgspec.json.Decoder(_Message).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_block = msgspec.json.Decoder(_Block).decode
_encode = msgspec.json.Encoder().encode


def forwarded(envelope: Envelope, model: str, maker: str) -> bytes:
    """The body for `model` of the provider `maker`. A history that cannot be read is left for the API to judge."""
    body = envelope.body
    if _TAGGED in body or _UNSIGNED in body or (b'": ' in body[:64] and _UNSIGNED_SPACED in body):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            envelope = _without_foreign_state(envelope, maker)
    return envelope.body if model == envelope.model else envelope.with_model(model)


def _without_foreign_state(envelope: Envelope, maker: str) -> Envelope:
    sent = _messages(envelope.fields["messages"])
    messages = [repaired for raw in sent if (repaired := _repaired(raw, maker)) is not None]
    if messages == sent:
        return envelope
    changed = envelope.with_field("messages", _encode(messages))
    return changed if _may_think(messages) else _without_thinking(changed)


def _may_think(messages: list[msgspec.Raw]) -> bool:
    """Within a tool loop the API insists that the assistant's turn begins with its thinking, if it is to think on."""
    turns = (_message(raw) for raw in reversed(messages))
    last = next((turn for turn in turns if turn.role == "assistant"), None)
    if last is None or isinstance(last.content, str):
        return True
    kinds = [_block(raw).type for raw in last.content]
    return "tool_use" not in kinds or kinds[0] in {"thinking", "redacted_thinking"}


def _without_thinking(envelope: Envelope) -> Envelope:
    """The loop goes on without it. What adapts may do so; only a budget would be refused, and with it the edits that
    are about thinking."""
    thinking = envelope.fields.get("thinking")
    if thinking is None or _block(thinking).type != "enabled":
        return envelope
    envelope = envelope.with_field("thinking", b'{"type":"disabled"}')
    management = envelope.fields.get("context_management")
    if management is None or b"clear_thinking" not in bytes(management):
        return envelope
    fields = _fields(management)
    edits = [
        edit for edit in _messages(fields["edits"]) if not _block(edit).type.startswith("clear_thinking")
    ]
    return envelope.with_field("context_management", _encode({**fields, "edits": edits}))


def _repaired(raw: msgspec.Raw, maker: str) -> msgspec.Raw | None:
    """The message as its maker knows it, None if nothing is left of it."""
    content = _message(raw).content
    if isinstance(content, str):
        return raw
    kept = [block for each in content if (block := _own(each, maker)) is not None]
    if kept == content:
        return raw
    if not kept:
        return None
    return _with(raw, "content", kept)


def _own(raw: msgspec.Raw, maker: str) -> msgspec.Raw | None:
    """The block as its maker wrote it, None for one that another made."""
    block = _block(raw)
    match block.type:
        case "thinking":
            return _unsealed(raw, "signature", block.signature, Kind.THINKING, maker)
        case "redacted_thinking" if isinstance(block.data, str):
            return _unsealed(raw, "data", block.data, Kind.REDACTED, maker)
        case "text" if isinstance(block.citations, list):
            theirs = [each for each in block.citations if not _is_ours(each)]
            return raw if len(theirs) == len(block.citations) else _with(raw, "citations", theirs or None)
        case _:
            return raw


def _unsealed(raw: msgspec.Raw, name: str, state: str | None, kind: Kind, maker: str) -> msgspec.Raw | None:
    if not state:
        return None
    if not state.startswith(MARK):
        return raw
    tagged = untag(state)
    if tagged is None or tagged.kind is not kind or tagged.seal.maker != maker or not tagged.seal.data:
        return None
    return _with(raw, name, tagged.seal.data)


def _is_ours(citation: object) -> bool:
    return isinstance(citation, dict) and str(citation.get("encrypted_index")).startswith(MARK)


def _with(raw: msgspec.Raw, name: str, value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode({**_fields(raw), name: msgspec.Raw(_encode(value))}))
