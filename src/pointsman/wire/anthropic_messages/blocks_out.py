"""Writes the single parts of a reply as blocks of the Messages API, for whole replies, and what a stream of them needs
as well. It reads nothing."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, broken_call
from pointsman.core.request import Image, Part, RedactedThinking, Seal, Text, Thinking, ToolCall
from pointsman.wire.anthropic_messages.citations import written_citation
from pointsman.wire.anthropic_messages.errors import bad_reply
from pointsman.wire.seals import NOBODYS, Kind, tag

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def blocks_of(part: Part, *, is_cut: bool) -> Iterator[dict[str, Any]]:
    match part:
        case Text(text, _, seal, citations):
            if text or seal is None:
                cited = [cited for each in citations if (cited := written_citation(each)) is not None]
                yield {"type": "text", "text": text, **({"citations": cited} if cited else {})}
            if seal is not None:
                yield _seal_of_part(seal, Kind.TEXT)
        case Thinking(text, seal):
            yield {"type": "thinking", "thinking": text, "signature": signature_of(seal)}
        case RedactedThinking(seal):
            yield {"type": "redacted_thinking", "data": tag(seal, Kind.REDACTED)}
        case ToolCall(call_id, name, arguments, seal):
            if not is_whole(arguments):
                if is_cut:
                    return  # the limit was reached within the call: it cannot be made
                raise broken_call(name)
            if seal is not None:
                yield _seal_of_part(seal, Kind.CALL)
            tool_input = msgspec.Raw(arguments.encode())
            yield {"type": "tool_use", "id": call_id_of(call_id), "name": name, "input": tool_input}
        case Image():
            raise picture()
        case _:
            raise bad_reply("the reply holds a part that an assistant cannot say")


def call_id_of(call_id: str) -> str:
    """The API takes no other characters, and may see this conversation later."""
    return _NOT_IN_IDS.sub("_", call_id) or "call"


def _seal_of_part(seal: Seal, kind: Kind) -> dict[str, Any]:
    """A part has no place for a seal of its own here: an empty thinking block beside it holds it."""
    return {"type": "thinking", "thinking": "", "signature": tag(seal, kind)}


def picture() -> UpstreamError:
    return bad_reply("the model made a picture, which a Messages reply cannot hold")


def signature_of(seal: Seal | None) -> str:
    """Thinking that nobody sealed is signed too, as nobody's: there are clients that take unsigned thinking of their
    history for words that were said."""
    return tag(NOBODYS if seal is None else seal, Kind.THINKING)


def is_whole(arguments: str) -> bool:
    try:
        _arguments(arguments)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
