"""OpenAI responses: the items of a conversation that is kept on this side, so that a caller may go on from an earlier
reply by its id alone. It keeps nothing itself."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from pointsman.core.errors import UpstreamError
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.sse import ServerSentEvent, SseReader

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Answer(NamedTuple):
    """What of a reply a later request may go on from."""

    id: str
    items: list[msgspec.Raw]


class _Reply(msgspec.Struct):
    id: str = ""
    output: list[msgspec.Raw] = []


class _Item(msgspec.Struct, gc=False):
    type: str = ""
    encrypted_content: str | None = None


class _End(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = NOTHING


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_end = msgspec.json.Decoder(_End).decode

_ENDS = frozenset(("response.completed", "response.incomplete"))
_MAY_END = tuple(end.encode() for end in _ENDS)
_BLANK_LINES = (b"\n\n", b"\r\n\r\n")


def input_items(envelope: Envelope) -> list[msgspec.Raw]:
    """The input of a request as items; a string is what a user says. Nothing for an input that is neither: it is the
    decoder's to judge."""
    raw = envelope.fields.get("input")
    if raw is None:
        return []
    try:
        if bytes(raw).startswith(b'"'):
            message = {"type": "message", "role": "user", "content": _decode_text(raw)}
            return [msgspec.Raw(_encode(message))]
        return _decode_items(raw)
    except NOT_JSON:
        return []


def continued(envelope: Envelope, earlier_items: Sequence[msgspec.Raw]) -> Envelope:
    """The request with all that was said before it in its own input, so that it needs no id of an earlier reply."""
    whole = msgspec.Raw(_encode([*_portable(earlier_items), *input_items(envelope)]))
    fields = {name: raw for name, raw in envelope.fields.items() if name != "previous_response_id"}
    fields["input"] = whole
    return envelope._replace(body=_encode(fields), fields=fields)


def _portable(items: Sequence[msgspec.Raw]) -> Sequence[msgspec.Raw]:
    """Reasoning that is not sealed is known to a provider by its id alone, and only if it kept the reply. It is left
    out; the other items then lose their ids, under which they would miss it."""
    try:
        kept = [raw for raw in items if not _is_reference(_decode_item(raw))]
        if len(kept) == len(items):
            return items
        return [_without_id(raw) for raw in kept]
    except NOT_JSON:
        return items


def _is_reference(item: _Item) -> bool:
    return item.type == "reasoning" and not item.encrypted_content


def _without_id(raw: msgspec.Raw) -> msgspec.Raw:
    fields = {name: value for name, value in _decode_fields(raw).items() if name != "id"}
    return msgspec.Raw(_encode(fields))


def output_items(reply_body: bytes) -> list[msgspec.Raw]:
    return answer(reply_body).items


def answer(reply_body: bytes) -> Answer:
    """Of a reply that was not streamed; an empty one of a body that is no reply."""
    try:
        reply = _decode_reply(reply_body)
    except NOT_JSON:
        return Answer("", [])
    return Answer(reply.id, reply.output)


class StreamedAnswer:
    """Reads beside a stream, written here or relayed, the response that it ends with. `answer` is None until then."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self._reader = SseReader()

    def feed(self, data: bytes) -> None:
        if self.answer is not None:
            return
        if not self._reader.pending and data.endswith(_BLANK_LINES) and not _may_end(data):
            return
        try:
            self._take(self._reader.feed(data))
        except UpstreamError:
            return  # an event too large to keep

    def finish(self) -> None:
        self._take(self._reader.finish())

    def _take(self, events: Sequence[ServerSentEvent]) -> None:
        for event in events:
            if self.answer is not None or not _may_end(event.data):
                continue
            try:
                end = _decode_end(event.data)
            except NOT_JSON:
                continue
            if end.type in _ENDS:
                self.answer = answer(bytes(end.response))


def _may_end(data: bytes) -> bool:
    return any(end in data for end in _MAY_END)
