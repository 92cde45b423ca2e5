"""The outside of a JSON request body: its top-level fields, each still as raw bytes. It reads only what
forwarding needs, so that a request which stays in its own dialect costs the same whatever it holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from pointsman.core.errors import BadRequest

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_str = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode

# One key with what stands around it, from just behind the value before it: `, "key" : `.
_KEY = re.compile(rb'[\s,{]*"((?:[^"\\]|\\.)*)"\s*:\s*')


@dataclass(frozen=True, slots=True)
class Envelope:
    """`body` as it came; `fields` its top level, each value the exact bytes it had."""

    body: bytes
    fields: Mapping[str, msgspec.Raw]
    model: str
    stream: bool

    def with_model(self, model: str) -> bytes:
        """The body with another model name and every other byte as it was."""
        raw = bytes(self.fields["model"])
        start = self._value_offset("model", raw)
        return b"".join((self.body[:start], _encode(model), self.body[start + len(raw) :]))

    def _value_offset(self, wanted: str, raw: bytes) -> int:
        # Walks the top level by the known length of each value: a search for the bytes could find the
        # same key or value inside a message.
        body = self.body
        position = 0
        for name, value in self.fields.items():
            key = _KEY.match(body, position)
            if key is None:
                break
            position = key.end()
            if name == wanted:
                if body.startswith(raw, position):
                    return position
                break
            position += memoryview(value).nbytes
        # A JSON object may hold a key twice, and the raw lengths then do not add up. No client means it.
        raise BadRequest("the body holds a field twice", code="duplicate_field")


def read_envelope(body: bytes) -> Envelope:
    """Raises BadRequest if the body is not a JSON object with a `model` string and a boolean `stream`."""
    try:
        fields = _decode_fields(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise BadRequest("the body must be a JSON object") from None
        raise BadRequest(f"the body is not valid JSON: {error}") from None
    raw_model = fields.get("model")
    if raw_model is None:
        raise BadRequest("you must provide a model", param="model", code="missing_model")
    try:
        model = _decode_str(raw_model)
    except msgspec.DecodeError:
        raise BadRequest("model must be a string", param="model") from None
    stream = fields.get("stream")
    flag = b"false" if stream is None else bytes(stream)
    if flag not in {b"true", b"false", b"null"}:
        raise BadRequest("stream must be true or false", param="stream")
    return Envelope(body, fields, model, flag == b"true")
