"""Reads a Messages request for a model of another dialect: its turns and fields become a Request. What has no
place there goes into `foreign` under its path; it decides nothing about what the other dialect can do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.errors import Unsupported
from pointsman.core.request import (
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
)
from pointsman.wire.anthropic_messages.blocks_in import AnyBlock, Block, OpenCalls, Reading
from pointsman.wire.anthropic_messages.errors import THREAD_UNSUPPORTED
from pointsman.wire.anthropic_messages.fields import given, missing, read, wrong
from pointsman.wire.anthropic_messages.prompt import BILLING_HEADER, require_messages
from pointsman.wire.anthropic_messages.tools_in import read_tools
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.unread import is_about_unknown

# Leaving these out would change what the model can do, or where the caller's data may go.
_MUST_NOT_DROP = frozenset({"container", "inference_geo", "mcp_servers"})
_TRANSLATED = frozenset({
    "model", "stream", "system", "messages", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences",
    "tools", "tool_choice", "thinking", "output_config", "output_format", "metadata",
})  # fmt: skip
_IN_THINKING = frozenset({"type", "budget_tokens"})
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: str | list[Block]


class _AnyMessage(_Message, gc=False, forbid_unknown_fields=False):
    content: str | list[AnyBlock]  # type: ignore[assignment]


class _Thinking(msgspec.Struct, gc=False):
    type: str
    budget_tokens: int | None = None


_messages = msgspec.json.Decoder(list[_Message]).decode
_any_messages: Callable[[msgspec.Raw], Sequence[_Message]] = msgspec.json.Decoder(list[_AnyMessage]).decode
_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode
_thinking = msgspec.json.Decoder(_Thinking).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_any = msgspec.json.Decoder(Any).decode
_integer = msgspec.json.Decoder(int).decode
_number = msgspec.json.Decoder(float).decode
_strings = msgspec.json.Decoder(tuple[str, ...]).decode


def decode_request(envelope: Envelope) -> Request:
    require_messages(envelope)
    fields = envelope.fields
    if given(fields, "thread") is not None:
        # Later requests would bring new messages only, and nobody here has the others.
        raise Unsupported("thread: send all messages instead", param="thread", code=THREAD_UNSUPPORTED)
    reading = Reading()
    messages = _system(fields, reading) + _turns(fields, reading)
    tools = read_tools(fields, reading.loaded_tools)
    reasoning, output_format = _output(fields, reading)
    user = _user(fields, reading)
    for name in fields.keys() - _TRANSLATED:
        value = _any_or_raw(fields[name])
        if value in (None, [], {}):
            continue
        if name in _MUST_NOT_DROP:
            reading.insist_on(name, value)
        else:
            reading.leave_out(name, value)
    return Request(
        model=envelope.model,
        messages=tuple(messages),
        tools=tools.tools,
        tool_choice=tools.choice,
        parallel_tools=tools.parallel,
        sampling=_sampling(fields),
        output_format=output_format,
        reasoning=reasoning,
        stream=envelope.stream,
        stream_usage=True,
        user=user,
        foreign={**tools.left_out, **tools.insisted_on, **reading.foreign},
        must_not_drop=frozenset(reading.must_not_drop | tools.insisted_on.keys()),
        source="anthropic-messages",
    )


def _system(fields: Mapping[str, msgspec.Raw], reading: Reading) -> list[Message]:
    raw = given(fields, "system")
    if raw is None:
        return []
    parts = reading.parts(reading.content(raw, "system"), "system")
    if parts and isinstance(parts[0], Text) and parts[0].text.startswith(BILLING_HEADER):
        del parts[0]
    return [Message("system", tuple(parts))] if parts else []


def _said(raw: msgspec.Raw, reading: Reading) -> Sequence[_Message]:
    """Names the fields of turns and of their blocks that nobody here knows."""
    try:
        return _messages(raw)
    except msgspec.ValidationError as error:
        is_unknown = is_about_unknown(error)
    except NOT_JSON:
        is_unknown = False
    messages = read(_any_messages, raw, "messages")
    for turn in _objects(raw) if is_unknown else ():
        for name in turn.keys() - {"role", "content"}:
            reading.leave_out(f"messages.{name}", turn[name])
        reading.unread_in(turn["content"])
    return messages


def _turns(fields: Mapping[str, msgspec.Raw], reading: Reading) -> list[Message]:
    messages: list[Message] = []
    open_calls = OpenCalls()
    for at, message in enumerate(_said(fields["messages"], reading)):
        role = _ROLES.get(message.role)
        if role is None:
            raise wrong(f"messages.{at}.role", "'user', 'assistant' or 'system'")
        parts = reading.parts(message.content, f"messages.{at}.content")
        open_calls.follow(role, parts, at)
        if parts:
            messages.append(Message(role, tuple(parts)))
    open_calls.check_answered()
    return messages


def _sampling(fields: Mapping[str, msgspec.Raw]) -> Sampling:
    def number(name: str) -> float | None:
        raw = given(fields, name)
        return read(_number, raw, name) if raw else None

    top_k = given(fields, "top_k")
    stop = given(fields, "stop_sequences")
    return Sampling(
        max_output_tokens=read(_integer, fields["max_tokens"], "max_tokens"),
        temperature=number("temperature"),
        top_p=number("top_p"),
        top_k=read(_integer, top_k, "top_k") if top_k else None,
        stop=read(_strings, stop, "stop_sequences") if stop else (),
    )


def _output(
    fields: Mapping[str, msgspec.Raw], reading: Reading
) -> tuple[Reasoning | None, OutputFormat | None]:
    raw = given(fields, "output_config")
    config = read(_object, raw, "output_config") if raw else {}
    effort = config.pop("effort", None)
    wanted, path = config.pop("format", None), "output_config.format"
    if wanted is None and (old_name := given(fields, "output_format")):
        wanted, path = read(_object, old_name, "output_format"), "output_format"
    for name, value in config.items():
        reading.leave_out(f"output_config.{name}", value)
    if effort is not None and not isinstance(effort, str):
        raise wrong("output_config.effort", "a valid string")
    return _reasoning(fields, effort, reading), None if wanted is None else _output_format(wanted, path)


def _output_format(wanted: object, path: str) -> OutputFormat:
    if not isinstance(wanted, dict):
        raise wrong(path, "a valid object")
    if wanted.get("type") != "json_schema":
        raise wrong(f"{path}.type", "'json_schema'")
    schema = wanted.get("schema")
    if not isinstance(schema, dict):
        raise wrong(f"{path}.schema", "a valid object")
    # Always held to here; elsewhere a strict schema may leave nothing open, and is refused if it does.
    return OutputFormat("json_schema", schema=schema, strict=True if _leaves_nothing_open(schema) else None)


def _leaves_nothing_open(schema: object) -> bool:
    """True when every object in the schema is closed and all of its properties are required."""
    waiting = [schema]
    for each in waiting:
        if isinstance(each, list):
            waiting += each
        if not isinstance(each, dict):
            continue
        properties = each.get("properties", {})
        if each.get("type") == "object" or "properties" in each:
            if each.get("additionalProperties") is not False or not isinstance(properties, dict):
                return False
            required = each.get("required")
            names = (
                {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
            )
            if properties.keys() - names:
                return False
        named = (each.get(name, {}) for name in ("properties", "$defs", "definitions"))
        waiting += [inner for group in named if isinstance(group, dict) for inner in group.values()]
        waiting += [each.get(name) for name in ("items", "anyOf", "allOf", "oneOf", "prefixItems")]
    return True


def _reasoning(fields: Mapping[str, msgspec.Raw], effort: str | None, reading: Reading) -> Reasoning | None:
    raw = given(fields, "thinking")
    if raw is None:
        return None if effort is None else Reasoning(effort=effort)
    settings = read(_object, raw, "thinking")
    for name in settings.keys() - _IN_THINKING:
        reading.leave_out(f"thinking.{name}", settings[name])
    is_shown = settings.get("display") != "omitted"
    thinking = read(_thinking, raw, "thinking")
    match thinking.type:
        case "disabled":
            return Reasoning(effort="none")
        case "adaptive":
            return Reasoning(effort=effort, adaptive=True, is_shown=is_shown)
        case "enabled":
            if thinking.budget_tokens is None:
                raise missing("thinking.enabled.budget_tokens")
            if effort is None:
                return Reasoning(budget_tokens=thinking.budget_tokens, is_shown=is_shown)
            reading.leave_out("thinking.budget_tokens", thinking.budget_tokens)
            return Reasoning(effort=effort, is_shown=is_shown)
        case _:
            reading.leave_out("thinking", settings)
            return None if effort is None else Reasoning(effort=effort)


def _user(fields: Mapping[str, msgspec.Raw], reading: Reading) -> str | None:
    raw = given(fields, "metadata")
    if raw is None:
        return None
    metadata = read(_object, raw, "metadata")
    user = metadata.pop("user_id", None)
    if metadata:
        reading.leave_out("metadata", metadata)
    if user is not None and not isinstance(user, str):
        raise wrong("metadata.user_id", "a valid string")
    return user


def _any_or_raw(raw: msgspec.Raw) -> object:
    return read(_any, raw, "body")
