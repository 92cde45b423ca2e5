"""OpenAI responses: the shapes of what providers answer, as far as they are read. It makes no events."""

from typing import Any

import msgspec

from pointsman.wire.json_bytes import NOTHING
from pointsman.wire.openai_responses.usage import Counts


class Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Item(msgspec.Struct):
    """An item of the output. What its fields hold depends on `type`; those that are not read may hold anything."""

    type: str = ""
    id: str | None = None
    name: str | None = None
    namespace: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    input: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None
    result: str | None = None
    output_format: str | None = None


class Kind(msgspec.Struct, gc=False):
    type: str = ""
    role: str | None = None
    execution: str | None = None
    environment: Any = None


class _Incomplete(msgspec.Struct, gc=False):
    reason: str | None = None


class Response(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: Counts | None = None
    incomplete_details: _Incomplete | None = None
    error: Any = None


class Event(msgspec.Struct, gc=False):
    """Any event of a stream. `response` and `item` stay raw: most events that have them are not read."""

    type: str = ""
    output_index: int = 0
    delta: Any = None
    logprobs: list[dict[str, Any]] | None = None
    annotation: Any = None
    item: msgspec.Raw = NOTHING
    response: msgspec.Raw = NOTHING
    error: Any = None
    summary_index: int = 0
    content_index: int = 0


decode_item = msgspec.json.Decoder(Item).decode
decode_kind = msgspec.json.Decoder(Kind).decode
decode_response = msgspec.json.Decoder(Response).decode
decode_event = msgspec.json.Decoder(Event).decode
decode_any = msgspec.json.Decoder().decode
