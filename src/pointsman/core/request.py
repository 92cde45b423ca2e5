"""The request every dialect can be decoded to and encoded from. Only a request that changes dialect
passes through here; one that stays in its own is forwarded as the bytes it came in.

It holds what can be translated. A field with no place here must be refused or named as dropped by the
dialect that decodes it (`Request.foreign`), never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec


class Seal(msgspec.Struct, frozen=True, gc=False):
    """Opaque state that a provider put on a part and wants back: a signature, encrypted reasoning. Only its
    `maker`, a provider's configured name, can read it. Empty `data` only says who made the part."""

    data: str
    maker: str


class Citation(msgspec.Struct, frozen=True, gc=False):
    """Where a claim comes from. `start` and `end` count characters of the text it belongs to, where known;
    `quote` is what the source says."""

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


class Text(msgspec.Struct, frozen=True, gc=False):
    """Visible text. `is_refusal` marks an assistant's own words of refusal."""

    text: str
    is_refusal: bool = False
    seal: Seal | None = None
    citations: tuple[Citation, ...] = ()


class Image(msgspec.Struct, frozen=True, gc=False):
    """A picture: either base64 `data` with its `media_type`, or a `url`; never both. `detail` is how closely
    it should be looked at (low, high, auto)."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None


class Document(msgspec.Struct, frozen=True, gc=False):
    """A file to read: base64 `data` with `media_type`, a `url`, or plain `text`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    text: str | None = None
    name: str | None = None


class Audio(msgspec.Struct, frozen=True, gc=False):
    """Spoken input: base64 `data` in `format` (wav, mp3)."""

    data: str
    format: str


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """Reasoning shown by an assistant; its text may be empty where only the seal is known."""

    text: str
    seal: Seal | None = None


class RedactedThinking(msgspec.Struct, frozen=True, gc=False):
    """Reasoning the maker keeps sealed."""

    seal: Seal


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """An assistant's call. `arguments` is the JSON text of an object, exactly as it was made."""

    id: str
    name: str
    arguments: str
    seal: Seal | None = None


class ToolResult(msgspec.Struct, frozen=True, gc=False):
    """The answer to one ToolCall, by its id."""

    call_id: str
    content: tuple["Text | Image | Document", ...]
    is_error: bool = False


Part = Text | Image | Document | Audio | Thinking | RedactedThinking | ToolCall | ToolResult
Role = Literal["system", "developer", "user", "assistant"]


class Message(msgspec.Struct, frozen=True, gc=False):
    """One turn. Tool results are parts of a user message, whatever the dialect calls their role."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `schema` is a JSON Schema object, None when it takes no arguments."""

    name: str
    description: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` "tool" forces the one called `name`."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Structured output. `schema` is set for json_schema only."""

    kind: Literal["json_object", "json_schema"]
    schema: Mapping[str, Any] | None = None
    name: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How hard to think. At most one of `effort` (none, minimal, low, medium, high, xhigh, max) and
    `budget_tokens` is set; `adaptive` leaves it to the model. `is_shown` asks for the thoughts themselves."""

    effort: str | None = None
    budget_tokens: int | None = None
    adaptive: bool = False
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class Sampling:
    """Knobs of generation; None where the caller said nothing."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool = False
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `source` is the dialect it came in. `foreign` holds what the caller sent that has no place here, by its own name or path
    (`logit_bias`, `tools.3.web_search_20250305`): the encoder of another dialect names it as dropped, or
    refuses it where leaving it out would change what the caller relies on. `must_not_drop` are those of
    them that the decoding dialect knows no encoder may leave out.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = field(default_factory=Sampling)
    output_format: OutputFormat | None = None
    reasoning: Reasoning | None = None
    stream: bool = False
    stream_usage: bool = False  # the caller wants usage in the stream (chat: stream_options.include_usage)
    user: str | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)
    must_not_drop: frozenset[str] = frozenset()
    source: str = ""
