"""What routing reads of a request: plain text and counts, the same for every dialect.

It is not the request itself (core.request): a request that stays in its own dialect is forwarded as the
bytes it came in and only ever read through this.
"""

from typing import Literal, NamedTuple

import msgspec

OutputFormat = Literal["text", "json_object", "json_schema"]
Speaker = Literal["user", "assistant", "tool"]


class Turn(NamedTuple):
    """Text of one message, all its text parts joined by newlines. System text is not a turn."""

    speaker: Speaker
    text: str


class Prompt(msgspec.Struct, frozen=True, gc=False):
    """`input_bytes` is the size of the fields of the body that a model is given, messages, tools and schemas, as they
    were written: the token estimate starts from it less the media bytes, which do not count as text.

    A struct, not a tuple like its neighbours: one is made of every request that is routed, and its dozen fields
    are read one by one."""

    system: str
    turns: tuple[Turn, ...]
    input_bytes: int
    media_bytes: int = 0
    tool_count: int = 0
    output_format: OutputFormat = "text"
    image_count: int = 0
    document_count: int = 0
    audio_count: int = 0
    wants_thinking: bool = False
    max_output_tokens: int | None = None
