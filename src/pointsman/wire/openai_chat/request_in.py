"""OpenAI chat: a client's request as a Request, for a model that speaks another dialect. What has no place
there is kept as foreign, by its own name; nothing is lost without a word."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import OutputFormat, Request, Sampling, Tool, ToolChoice
from pointsman.wire.custom_tools import SCHEMA, described
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOTHING
from pointsman.wire.left_out import LeftOut
from pointsman.wire.openai_chat.history import ChatMessage, read_messages
from pointsman.wire.openai_chat.prompt import no_messages
from pointsman.wire.openai_chat.reasoning_in import read_reasoning
from pointsman.wire.openai_complaints import missing, too_deep, wrong_types
from pointsman.wire.unread import Reading

T = TypeVar("T")

SOURCE = "openai-chat"


class _Definition(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Grammar(msgspec.Struct, forbid_unknown_fields=True):
    syntax: str | None = None
    definition: str | None = None


class _InputFormat(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "text"
    grammar: _Grammar | None = None


class _Custom(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    format: _InputFormat | None = None


class _Tool(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "function"
    function: _Definition | None = None
    custom: _Custom | None = None


class _Schema(msgspec.Struct, forbid_unknown_fields=True):
    schema: dict[str, Any] | None = None
    name: str | None = None
    strict: bool | None = None


class _Format(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "text"
    json_schema: _Schema | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct):
    messages: msgspec.Raw
    model: str
    tools: list[msgspec.Raw] | None = None
    functions: msgspec.Raw = NOTHING
    tool_choice: Any = None
    function_call: Any = None
    parallel_tool_calls: bool | None = None
    response_format: msgspec.Raw = NOTHING
    reasoning_effort: str | None = None
    reasoning: Any = None  # OpenRouter
    thinking: Any = None  # DeepSeek, Z.ai
    max_tokens: int | float | None = None
    max_completion_tokens: int | float | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    random_seed: int | None = None  # Mistral
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    user: str | None = None
    safety_identifier: str | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_MESSAGES: Reading[list[ChatMessage]] = Reading(list[ChatMessage])
_TOOL: Reading[_Tool] = Reading(_Tool)
_FUNCTIONS: Reading[list[_Definition] | None] = Reading(list[_Definition] | None)
_FORMAT: Reading[_Format | None] = Reading(_Format | None)
_decode_any = msgspec.json.Decoder().decode

_READ = frozenset(_Body.__struct_fields__)

_MUST_NOT_DROP = frozenset(
    (
        "n",
        "audio",
        "modalities",
        "moderation",
        "web_search_options",
        "search_parameters",
        "plugins",
    )
)
"""Fields the caller relies on when reading the answer, or that bring the model what it would not know."""

# Values that ask for what happens anyway: not worth a word when the target has no such field.
_NO_OPS: Mapping[str, Any] = {
    "n": 1,
    "modalities": ["text"],
    "store": False,
    "logit_bias": {},
    "metadata": {},
    "service_tier": "auto",
    "usage": {"include": True},  # OpenRouter
}

_INDEX = re.compile(r"\[\d+\]")


def decode_request(envelope: Envelope) -> Request:
    try:
        return _request(envelope, _decode_body(envelope.body))
    except msgspec.ValidationError as error:
        raise wrong_types(error) from None
    except RecursionError:
        raise too_deep() from None


def _read(reading: Reading[T], raw: msgspec.Raw, path: str, left_out: LeftOut) -> T:
    try:
        value, unread = reading.read(raw, _INDEX.sub("[]", path))
    except msgspec.ValidationError as error:
        raise wrong_types(error, path) from None
    for name, what in unread.items():
        left_out.note(name, what)
    return value


def _request(envelope: Envelope, body: _Body) -> Request:
    left_out = LeftOut()
    messages = _read(_MESSAGES, body.messages, "messages", left_out)
    if not messages:
        raise no_messages()
    for name, raw in envelope.fields.items():
        if name in _READ:
            continue
        value = _decode_any(raw)
        if value is None or _NO_OPS.get(name) == value:
            continue
        if name in _MUST_NOT_DROP:
            left_out.insist_on(name, value)
        else:
            left_out.note(name, value)
    tools, choice = _tools(body, left_out)
    return Request(
        model=envelope.model,
        messages=read_messages(messages, left_out),
        tools=tools,
        tool_choice=choice,
        parallel_tools=body.parallel_tool_calls,
        sampling=_sampling(body),
        output_format=_output_format(body.response_format, left_out),
        reasoning=read_reasoning(body.reasoning_effort, body.reasoning, body.thinking, left_out),
        stream=envelope.stream,
        stream_usage=body.stream_options is not None and bool(body.stream_options.include_usage),
        user=body.safety_identifier or body.user,
        foreign=left_out.foreign,
        must_not_drop=frozenset(left_out.must_not_drop),
        source=SOURCE,
    )


def _tools(body: _Body, left_out: LeftOut) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    tools: list[Tool] = []
    others: list[Any] = []
    for index, raw in enumerate(body.tools or ()):
        of_tool = LeftOut()
        tool = _read(_TOOL, raw, f"tools[{index}]", of_tool)
        if tool.function is not None and tool.type == "function":
            tools.append(_function(tool.function))
            left_out.foreign.update(of_tool.foreign)
        elif tool.custom is not None and tool.type == "custom":
            tools.append(_custom(tool.custom, of_tool))
            left_out.foreign.update(of_tool.foreign)
        else:
            others.append(_decode_any(raw))
    if others:
        left_out.insist_on("tools", others)
    if memoryview(body.functions).nbytes:
        functions = _read(_FUNCTIONS, body.functions, "functions", left_out)
        tools.extend(_function(function) for function in functions or ())
    choice = body.tool_choice
    if choice is None:
        choice = body.function_call
    if isinstance(choice, dict) and isinstance(allowed := choice.get("allowed_tools"), dict):
        listed = allowed.get("tools")
        names = {
            _name(each) for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)
        }
        tools = [tool for tool in tools if tool.name in names]
        choice = allowed.get("mode", "auto")
    return tuple(tools), _tool_choice(choice, tools, left_out)


def _function(function: _Definition) -> Tool:
    return Tool(function.name, function.description, function.parameters, function.strict)


def _custom(custom: _Custom, left_out: LeftOut) -> Tool:
    grammar = None if custom.format is None else custom.format.grammar
    if grammar is None or not grammar.definition:
        return Tool(custom.name, custom.description, SCHEMA, strict=False)
    left_out.note("tools[].custom.format", grammar.syntax)
    return Tool(
        custom.name, described(custom.description, grammar.syntax, grammar.definition), SCHEMA, strict=False
    )


def _name(choice: Mapping[str, Any]) -> str | None:
    function = choice.get("function") or choice.get("custom") or choice
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _tool_choice(choice: Any, tools: list[Tool], left_out: LeftOut) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case "auto" | "none":
            return ToolChoice(choice) if tools else None
        case "required" | "any":
            if not tools:
                raise BadRequest(
                    "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice"
                )
            return ToolChoice("required")
        case dict() if (name := _name(choice)) is not None:
            if not any(tool.name == name for tool in tools):
                raise BadRequest(f"Tool choice '{name[:64]}' not found in 'tools'.", param="tool_choice")
            return ToolChoice("tool", name)
        case _:
            left_out.insist_on("tool_choice", choice)
            return None


def _sampling(body: _Body) -> Sampling:
    limits = [limit for limit in (body.max_tokens, body.max_completion_tokens) if limit is not None]
    limit = int(max(limits)) if limits else None
    if limit is not None and limit < 1:
        name = "max_tokens" if body.max_completion_tokens is None else "max_completion_tokens"
        raise BadRequest(
            f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {limit} instead.",
            param=name,
            code="integer_below_min_value",
        )
    stop = body.stop or []
    return Sampling(
        max_output_tokens=limit,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        seed=body.random_seed if body.seed is None else body.seed,
        frequency_penalty=body.frequency_penalty or None,
        presence_penalty=body.presence_penalty or None,
        logprobs=bool(body.logprobs),
        top_logprobs=body.top_logprobs if body.logprobs else body.top_logprobs or None,
    )


def _output_format(raw: msgspec.Raw, left_out: LeftOut) -> OutputFormat | None:
    format_ = _read(_FORMAT, raw, "response_format", left_out) if memoryview(raw).nbytes else None
    if format_ is None or format_.type == "text":
        return None
    if format_.type == "json_object":
        return OutputFormat("json_object")
    if format_.type != "json_schema":
        left_out.insist_on("response_format", format_.type)
        return None
    if format_.json_schema is None or format_.json_schema.schema is None:
        raise missing("response_format.json_schema.schema")
    asked = format_.json_schema
    return OutputFormat("json_schema", asked.schema, asked.name, asked.strict)
