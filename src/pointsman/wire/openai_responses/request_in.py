"""OpenAI responses: a client's request as a Request, for a model that speaks another dialect. What has no place there
is kept as foreign, by its own name; nothing is lost without a word."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Message, OutputFormat, Reasoning, Request, Sampling, Text
from pointsman.wire.envelope import Envelope
from pointsman.wire.left_out import LeftOut
from pointsman.wire.openai_complaints import missing, too_deep, wrong_types
from pointsman.wire.openai_responses.history import AnyItem, Item, read_items, unread_in
from pointsman.wire.openai_responses.prompt import no_input
from pointsman.wire.openai_responses.tools_in import Tools
from pointsman.wire.unread import is_about_unknown, take_unknown


class _Format(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    format: _Format | None = None
    verbosity: str | None = None


class _Body(msgspec.Struct):
    model: str
    input: str | list[Item] | None = None
    instructions: str | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    reasoning: dict[str, Any] | None = None
    max_output_tokens: int | float | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    previous_response_id: str | None = None


class _AnyFormat(_Format, forbid_unknown_fields=False):
    pass


class _AnyText(_Text, forbid_unknown_fields=False):
    format: _AnyFormat | None = None


class _AnyBody(_Body):
    """One with fields somewhere within that nobody here knows."""

    input: str | list[AnyItem] | None = None  # type: ignore[assignment]
    text: _AnyText | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_any_body = msgspec.json.Decoder(_AnyBody).decode
_decode_any = msgspec.json.Decoder().decode

_READ = frozenset(_Body.__struct_fields__)

_MUST_NOT_DROP = frozenset(("background", "conversation", "moderation", "prompt"))
"""Without these the model would not know what it is asked, or the caller not get what it waits for."""

# Values that ask for what happens anyway: not worth a word when the target has no such field.
_NO_OPS: Mapping[str, Any] = {
    "background": False,
    "metadata": {},
    "service_tier": "auto",
    "store": False,
    "stream_options": {"include_obfuscation": False},
    "truncation": "disabled",
}

EFFORTS = frozenset(("none", "minimal", "low", "medium", "high", "xhigh", "max"))
SEALED_REASONING = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"


def decode_request(envelope: Envelope) -> Request:
    left_out = LeftOut()
    try:
        return _request(envelope, _body(envelope, left_out), left_out)
    except msgspec.ValidationError as error:
        raise wrong_types(error) from None
    except RecursionError:
        raise too_deep() from None


def _body(envelope: Envelope, left_out: LeftOut) -> _Body:
    try:
        return _decode_body(envelope.body)
    except msgspec.ValidationError as error:
        if not is_about_unknown(error):
            raise
    body = _decode_any_body(envelope.body)
    if isinstance(body.input, list):
        unread_in(_decode_any(envelope.fields["input"]), left_out)
    if body.text is not None:
        unread: dict[str, Any] = {}
        take_unknown(_decode_any(envelope.fields["text"]), _Text, "text", unread)
        for path, value in unread.items():
            left_out.note(path, value)
    return body


def _request(envelope: Envelope, body: _Body, left_out: LeftOut) -> Request:
    if body.previous_response_id is not None:
        raise BadRequest(
            f"Previous response with id '{body.previous_response_id[:80]}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    for name, raw in envelope.fields.items():
        if name in _READ:
            continue
        value = _decode_any(raw)
        if value is None or (name in _NO_OPS and _NO_OPS[name] == value):
            continue
        if name in _MUST_NOT_DROP:
            left_out.insist_on(name, value)
        else:
            left_out.note(name, value)
    items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input or []
    if not items and not left_out.must_not_drop:
        raise missing("input") if body.input is None else no_input()
    tools = Tools(left_out)
    tools.read(body.tools or (), "tools")
    for index, item in enumerate(items):
        if item.type == "additional_tools":
            tools.read(item.tools or (), f"input[{index}].tools")
    tools.finish()
    choice = tools.choose(body.tool_choice)
    messages = read_items(items, frozenset(tools.namespaces), left_out)
    if not messages and not left_out.must_not_drop:
        raise no_input()
    if body.instructions:
        messages = (Message("system", (Text(body.instructions),)), *messages)
    return Request(
        model=body.model,
        messages=messages,
        tools=tuple(tools.tools),
        tool_choice=choice,
        parallel_tools=body.parallel_tool_calls,
        sampling=_sampling(body, left_out),
        output_format=_output_format(body.text, left_out),
        reasoning=_reasoning(body.reasoning, left_out),
        stream=body.stream is True,
        stream_usage=True,
        user=body.safety_identifier or body.user,
        foreign=left_out.foreign,
        must_not_drop=frozenset(left_out.must_not_drop),
        source="openai-responses",
    )


def _sampling(body: _Body, left_out: LeftOut) -> Sampling:
    limit = None if body.max_output_tokens is None else int(body.max_output_tokens)
    if limit is not None and limit < 1:
        raise BadRequest(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 1, "
            f"but got {limit} instead.",
            param="max_output_tokens",
            code="integer_below_min_value",
        )
    include = set(body.include or ())
    if other := sorted(include - {SEALED_REASONING, LOGPROBS}):
        left_out.note("include", other)
    return Sampling(
        max_output_tokens=limit,
        temperature=body.temperature,
        top_p=body.top_p,
        logprobs=LOGPROBS in include,
        top_logprobs=body.top_logprobs or None,
    )


def _output_format(text: _Text | None, left_out: LeftOut) -> OutputFormat | None:
    if text is None:
        return None
    if text.verbosity not in {None, "medium"}:
        left_out.note("text.verbosity", text.verbosity)
    format_ = text.format
    if format_ is not None and format_.description:
        left_out.note("text.format.description", True)
    if format_ is None or format_.type == "text":
        return None
    if format_.type == "json_object":
        return OutputFormat("json_object")
    if format_.type != "json_schema":
        left_out.insist_on("text.format", format_.type)
        return None
    if format_.schema is None:
        raise missing("text.format.schema")
    return OutputFormat("json_schema", format_.schema, format_.name, format_.strict)


def _reasoning(asked: dict[str, Any] | None, left_out: LeftOut) -> Reasoning | None:
    told = {name: value for name, value in (asked or {}).items() if value is not None}
    # `summary` was called generate_summary before.
    summaries = [told.pop(name) for name in ("summary", "generate_summary") if name in told]
    effort = told.get("effort")
    if isinstance(effort, str) and effort in EFFORTS:
        del told["effort"]
    else:
        effort = None
    for name, value in told.items():
        left_out.note(f"reasoning.{name}", value)
    # Where neither is said, how hard to think is the model's own affair.
    return Reasoning(effort=effort, is_shown=bool(summaries)) if summaries or effort else None
