"""The one thing a forwarded Gemini body is repaired in: signatures that were tagged here. Those of its own maker go
back as they were, those of others go with the thoughts they were on. Everything else is sent as it came.
"""

from collections.abc import Iterator

import msgspec

from pointsman.core.model_card import ModelCard
from pointsman.wire.envelope import Envelope
from pointsman.wire.gemini.contents_out import SKIP_VALIDATOR
from pointsman.wire.gemini.families import is_at_least_3
from pointsman.wire.gemini.fields import camel
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.seals import MARK, Kind, untag

_MARK = MARK.encode()

_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str | None).decode
_encode = msgspec.json.Encoder().encode


def forwarded(envelope: Envelope, card: ModelCard) -> bytes:
    """A history that cannot be read is left for the API to judge."""
    raw = envelope.fields.get("contents")
    if raw is None or _MARK not in envelope.body:
        return envelope.body
    try:
        contents = list(_contents(_list(raw), card))
    except NOT_JSON:
        return envelope.body
    return envelope.with_field("contents", _encode(contents)).body


def _contents(sent: list[msgspec.Raw], card: ModelCard) -> Iterator[msgspec.Raw]:
    """A content of which nothing is left goes too."""
    for raw in sent:
        if _MARK not in bytes(raw):
            yield raw
            continue
        fields = _fields(raw)
        parts = _list(fields["parts"]) if "parts" in fields else []
        has_call = False
        kept: list[msgspec.Raw] = []
        for part in parts:
            is_first_call = not has_call and _is_call(part)
            has_call = has_call or is_first_call
            restored = _restored(part, card, is_first_call=is_first_call)
            if restored is not None:
                kept.append(restored)
        if kept or not parts:
            yield msgspec.Raw(_encode({**fields, "parts": kept}) if parts else bytes(raw))


def _is_call(raw: msgspec.Raw) -> bool:
    return any(camel(name) == "functionCall" for name in _fields(raw))


def _restored(raw: msgspec.Raw, card: ModelCard, *, is_first_call: bool) -> msgspec.Raw | None:
    """The part as its maker wrote it, None for one that says nothing without the signature."""
    if _MARK not in bytes(raw):
        return raw
    fields = _fields(raw)
    name = next((each for each in fields if camel(each) == "thoughtSignature"), None)
    tagged = None if name is None else untag(_string(fields[name]))
    if name is None or tagged is None:
        return raw
    if tagged.seal.maker == card.provider and tagged.seal.data:
        return msgspec.Raw(_encode({**fields, name: tagged.seal.data}))
    if tagged.kind in {Kind.THINKING, Kind.REDACTED}:
        return None
    if is_first_call and is_at_least_3(card.id):
        return msgspec.Raw(_encode({**fields, name: SKIP_VALIDATOR}))
    rest = {each: value for each, value in fields.items() if each != name}
    is_empty = rest.keys() <= {"text"} and bytes(rest.get("text", b'""')) == b'""'
    return None if is_empty else msgspec.Raw(_encode(rest))
