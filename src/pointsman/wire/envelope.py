"""The outside of a JSON request body: its top-level fields, each still as raw bytes. It reads only what
forwarding needs, so that a request which stays in its own dialect costs the same whatever it holds."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from pointsman.core.errors import BadRequest

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_str = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode

# One key with what stands around it, from just behind the value before it: `, "key" : `.
_KEY = re.compile(rb'\s*[{,]\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_END = re.compile(rb"\s*\}\s*\Z")


class Address(NamedTuple):
    """What some dialects say in the URL instead of the body: which model, whether to stream, and whether the pieces
    of a stream come as one JSON array."""

    model: str
    stream: bool
    as_array: bool = False


class Envelope(NamedTuple):
    """`body` as it came; `fields` its top level, each value the exact bytes it had. `address` is set where the
    model stands in the URL."""

    body: bytes
    fields: Mapping[str, msgspec.Raw]
    model: str
    stream: bool
    address: Address | None = None

    def with_model(self, model: str) -> bytes:
        """The body with another model name and every other byte as it was."""
        if self.address is not None:
            return self.body
        return put_field(self.body, self.fields, "model", _encode(model))

    def with_field(self, name: str, value: bytes) -> "Envelope":
        """The same request with one field set to a JSON `value`, and every other byte as it was."""
        body = put_field(self.body, self.fields, name, value)
        return self._replace(body=body, fields={**self.fields, name: msgspec.Raw(value)})


def put_field(text: bytes, fields: Mapping[str, msgspec.Raw], name: str, value: bytes) -> bytes:
    """The JSON object `text`, whose `fields` these are, with one of them set: where it stood, or behind the
    others. Raises BadRequest for a field that stands twice."""
    if name in fields:
        start, length = _place(text, fields, name)
        return b"".join((text[:start], value, text[start + length :]))
    end = text.rindex(b"}")
    comma = b"," if fields else b""
    return b"".join((text[:end], comma, _encode(name), b":", value, text[end:]))


def _place(text: bytes, fields: Mapping[str, msgspec.Raw], wanted: str) -> tuple[int, int]:
    """Where the value of a field starts, and its length."""
    # A search for the bytes could find the same key or value inside a message, so the place is computed
    # from the known lengths. What an SDK sends has no white space and no escaped keys. Every field then
    # takes its key, its value and four more bytes, and a body of exactly that size cannot hold anything
    # else: white space, an escape or a repeated key would all have made it longer.
    size = 1 + 4 * len(fields) + sum(map(len, fields)) + sum(map(len, fields.values()))
    if size != len(text):  # also for keys beyond ASCII, which are longer than they look
        return _walk_to(text, fields, wanted)
    position = 0
    for name, value in fields.items():
        start = position + 4 + len(name)
        length = len(value)
        if name == wanted:
            return start, length
        position = start + length
    raise KeyError(wanted)


def _walk_to(text: bytes, fields: Mapping[str, msgspec.Raw], wanted: str) -> tuple[int, int]:
    position = 0
    place = (0, 0)
    for name, value in fields.items():
        key = _KEY.match(text, position)
        if key is None or _decode_str(key[1]) != name:
            break
        start = key.end()
        if not text.startswith(value, start):
            break
        length = memoryview(value).nbytes
        if name == wanted:
            place = (start, length)
        position = start + length
    else:
        if _END.match(text, position):
            return place
    # A JSON object may hold a key twice, and the fields then are not all of the body. No client means it.
    raise BadRequest("The body holds a field twice.", code="duplicate_field")


def read_envelope(body: bytes, address: Address | None = None) -> Envelope:
    """Raises BadRequest if the body is not a JSON object with a `model` string and a boolean `stream`, the two
    of which may stand in the `address` instead."""
    try:
        if not body.isascii():
            body.decode()  # the fields are not decoded here, so nobody else would notice
        fields = _decode_fields(body)
    except msgspec.ValidationError:
        raise BadRequest("The body must be a JSON object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    if address is not None:
        return Envelope(body, fields, address.model, address.stream, address)
    raw_model = fields.get("model")
    if raw_model is None:
        raise BadRequest("You must provide a model.", param="model", code="missing_model")
    try:
        model = _decode_str(raw_model)
    except msgspec.DecodeError:
        raise BadRequest("The model must be a string.", param="model", code="invalid_type") from None
    stream = fields.get("stream")
    flag = b"false" if stream is None else bytes(stream)
    if flag not in _FLAGS:
        raise BadRequest("stream must be true or false.", param="stream", code="invalid_type")
    return Envelope(body, fields, model, flag == b"true")


_FLAGS = frozenset((b"true", b"false", b"null"))
