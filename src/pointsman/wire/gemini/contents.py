"""The outside of `contents`: who says which parts, each part as its fields still in raw bytes, in one pass over the
bytes. What a part holds is read elsewhere."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.wire.gemini.fields import Fields, camelled, read

RawPart = dict[str, msgspec.Raw] | str


class _Content(msgspec.Struct, gc=False):
    role: str | None = None
    parts: list[RawPart] | RawPart | None = None


class Turn(NamedTuple):
    """`role` is "user" or "model". Each part comes with its place."""

    role: str
    parts: Sequence[tuple[str, Fields]]


_contents = msgspec.json.Decoder(list[_Content | str] | _Content | str).decode
_encode = msgspec.json.Encoder().encode
_ROLES = {None: "user", "": "user", "user": "user", "function": "user", "model": "model"}


def read_turns(raw: msgspec.Raw, path: str = "contents") -> list[Turn]:
    """A string, one content or a list of both: Google's own reader and its SDKs' take them all. Raises BadRequest."""
    contents = read(_contents, raw, path)
    turns: list[Turn] = []
    for at, content in enumerate(contents if isinstance(contents, list) else [contents]):
        place = f"{path}[{at}]"
        if isinstance(content, str):
            turns.append(Turn("user", [(place, _text_part(content))]))
            continue
        role = _ROLES.get(content.role)
        if role is None:
            raise BadRequest("Please use a valid role: user, model.", param=f"{place}.role")
        parts = content.parts
        if parts is None:
            parts = []
        elif not isinstance(parts, list):
            parts = [parts]
        turns.append(
            Turn(
                role,
                [
                    (
                        f"{place}.parts[{number}]",
                        _text_part(part) if isinstance(part, str) else camelled(part),
                    )
                    for number, part in enumerate(parts)
                ],
            )
        )
    return turns


def _text_part(text: str) -> Fields:
    return {"text": msgspec.Raw(_encode(text))}
