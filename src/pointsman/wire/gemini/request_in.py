"""Reads a generateContent request for a model of another dialect: contents, tools and settings become a Request. What
has no place there goes into `foreign` under its path; it decides nothing about what the other dialect can do."""

from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Message, OutputFormat, Reasoning, Request, Sampling, Text
from pointsman.wire.envelope import Envelope
from pointsman.wire.gemini.contents_in import Reading, read_contents
from pointsman.wire.gemini.fields import (
    Fields,
    as_count,
    as_flag,
    as_number,
    as_object,
    as_string,
    as_strings,
    camelled,
    enum_word,
    read,
    read_fields,
    read_list,
    read_value,
    wrong,
)
from pointsman.wire.gemini.prompt import require_messages, system_texts
from pointsman.wire.gemini.schema_in import json_schema
from pointsman.wire.gemini.tools_in import read_tools

# Leaving these out would change what the model knows, or what its caller was promised.
_MUST_NOT_DROP = frozenset({"cachedContent", "continuationToken"})
_TRANSLATED = frozenset({
    "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model",
})  # fmt: skip
_IN_CONFIG = frozenset({
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "presencePenalty",
    "frequencyPenalty", "responseLogprobs", "logprobs", "candidateCount", "responseMimeType", "responseSchema",
    "responseJsonSchema", "_responseJsonSchema", "responseFormat", "thinkingConfig", "responseModalities",
})  # fmt: skip
_IN_THINKING = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})
_CONFIG_MUST_NOT_DROP = frozenset({"speechConfig"})
_TEXT_SCHEMAS = ("jsonSchema", "schema")
_SCHEMAS = ("responseJsonSchema", "_responseJsonSchema", "responseSchema")
_MODALITIES = ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO")
_LEVELS = ("THINKING_LEVEL_UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "MINIMAL", "XHIGH")
_NO_OPS: tuple[Any, ...] = ([], {}, "", "standard", "SERVICE_TIER_UNSPECIFIED", "unspecified")


def decode_request(envelope: Envelope) -> Request:
    require_messages(envelope)
    fields = camelled(envelope.fields)
    reading = Reading()
    messages = [*_system(fields), *read_contents(fields["contents"], reading)]
    if not messages and not reading.must_not_drop:
        raise BadRequest("* GenerateContentRequest.contents: contents is not specified", param="contents")
    for name in fields.keys() - _TRANSLATED:
        value = read_value(fields[name], name)
        if _asks_nothing(value):
            continue
        if name in _MUST_NOT_DROP:
            reading.insist_on(name, value)
        else:
            reading.leave_out(name, value)
    config = read_fields(raw, "generationConfig") if (raw := fields.get("generationConfig")) else {}
    _note_config(config, reading)
    tools = read_tools(fields, reading)
    return Request(
        model=envelope.model,
        messages=tuple(messages),
        tools=tools.tools,
        tool_choice=tools.choice,
        sampling=_sampling(config),
        output_format=_output_format(config, reading),
        reasoning=_reasoning(config, reading),
        stream=envelope.stream,
        stream_usage=True,
        foreign=reading.foreign,
        must_not_drop=frozenset(reading.must_not_drop),
        source="gemini",
    )


def _system(fields: Fields) -> list[Message]:
    raw = fields.get("systemInstruction")
    texts = [] if raw is None else [text for text in system_texts(raw, "systemInstruction") if text]
    return [Message("system", tuple(Text(text) for text in texts))] if texts else []


def _note_config(config: Fields, reading: Reading) -> None:
    path = "generationConfig"
    modalities = config.get("responseModalities")
    wanted = read_value(modalities, f"{path}.responseModalities") if modalities is not None else []
    kinds = {enum_word(each, _MODALITIES) for each in (wanted if isinstance(wanted, list) else [wanted])}
    if kinds - {"TEXT", "MODALITY_UNSPECIFIED"}:
        reading.insist_on(f"{path}.responseModalities", sorted(kinds))
    count = config.get("candidateCount")
    if count is not None and read(as_count, count, f"{path}.candidateCount") > 1:
        reading.insist_on(f"{path}.candidateCount", read_value(count, f"{path}.candidateCount"))
    for name in config.keys() - _IN_CONFIG:
        value = read_value(config[name], f"{path}.{name}")
        if _asks_nothing(value):
            continue
        if name in _CONFIG_MUST_NOT_DROP:
            reading.insist_on(f"{path}.{name}", value)
        else:
            reading.leave_out(f"{path}.{name}", value)


def _asks_nothing(value: Any) -> bool:
    """A number is a wish even where it is 0, which equals False."""
    return value is False or value in _NO_OPS


def _sampling(config: Fields) -> Sampling:
    def number(name: str) -> float | None:
        raw = config.get(name)
        return None if raw is None else read(as_number, raw, f"generationConfig.{name}")

    def count(name: str) -> int | None:
        raw = config.get(name)
        return None if raw is None else read(as_count, raw, f"generationConfig.{name}")

    limit = count("maxOutputTokens")
    if limit is not None and limit < 1:
        raise wrong("generationConfig.maxOutputTokens", "must be positive")
    stop, logprobs = config.get("stopSequences"), config.get("responseLogprobs")
    return Sampling(
        max_output_tokens=limit,
        temperature=number("temperature"),
        top_p=number("topP"),
        top_k=count("topK"),
        stop=() if stop is None else read(as_strings, stop, "generationConfig.stopSequences"),
        seed=count("seed"),
        frequency_penalty=number("frequencyPenalty") or None,
        presence_penalty=number("presencePenalty") or None,
        logprobs=logprobs is not None and read(as_flag, logprobs, "generationConfig.responseLogprobs"),
        top_logprobs=count("logprobs"),
    )


def _output_format(config: Fields, reading: Reading) -> OutputFormat | None:
    if "responseFormat" in config and "responseMimeType" not in config:
        return _response_format(config["responseFormat"], reading)
    path = "generationConfig.responseMimeType"
    raw = config.get("responseMimeType")
    kind = "text/plain" if raw is None else read(as_string, raw, path)
    name = next((each for each in _SCHEMAS if each in config), None)
    if kind in {"text/plain", ""}:
        if name is not None:
            raise wrong(f"generationConfig.{name}", "responseMimeType must be application/json beside it")
        return None
    if kind != "application/json":
        reading.insist_on(path, kind)
        return None
    if name is None:
        return OutputFormat("json_object")
    place = f"generationConfig.{name}"
    return OutputFormat("json_schema", json_schema(read(as_object, config[name], place), place))


def _response_format(raw: msgspec.Raw, reading: Reading) -> OutputFormat | None:
    """The newer way to say it: what kinds of answers are wanted, each with its own format."""
    path = "generationConfig.responseFormat"
    found: OutputFormat | None = None
    for each in read_list(raw, path):
        for kind, wanted in read_fields(each, path).items():
            if kind != "text":
                reading.insist_on(f"{path}.{kind[:40]}", True)
                continue
            text = read_fields(wanted, f"{path}.text")
            mime = text.get("mimeType")
            media_type = "text/plain" if mime is None else read(as_string, mime, f"{path}.text.mimeType")
            schema = next((text[name] for name in _TEXT_SCHEMAS if name in text), None)
            if schema is not None:
                place = f"{path}.text.jsonSchema"
                found = OutputFormat("json_schema", json_schema(read(as_object, schema, place), place))
            elif media_type == "application/json":
                found = OutputFormat("json_object")
            elif media_type not in {"text/plain", ""}:
                reading.insist_on(f"{path}.text.mimeType", media_type)
    return found


def _reasoning(config: Fields, reading: Reading) -> Reasoning | None:
    raw = config.get("thinkingConfig")
    if raw is None:
        return None
    path = "generationConfig.thinkingConfig"
    thinking = read_fields(raw, path)
    for name in thinking.keys() - _IN_THINKING:
        reading.leave_out(f"{path}.{name}", read_value(thinking[name], f"{path}.{name}"))
    shown = thinking.get("includeThoughts")
    is_shown = shown is not None and read(as_flag, shown, f"{path}.includeThoughts")
    asked = thinking.get("thinkingLevel")
    level = "" if asked is None else enum_word(read_value(asked, f"{path}.thinkingLevel"), _LEVELS)
    if level and level != "THINKING_LEVEL_UNSPECIFIED":
        if level not in _LEVELS:
            raise wrong(f"{path}.thinkingLevel", f"unknown level {level[:40]!r}")
        return Reasoning(effort=level.lower(), is_shown=is_shown)
    if "thinkingBudget" in thinking:
        budget = read(as_count, thinking["thinkingBudget"], f"{path}.thinkingBudget")
        if budget == 0:
            return Reasoning(effort="none", is_shown=is_shown)
        if budget > 0:
            return Reasoning(budget_tokens=budget, is_shown=is_shown)
        return Reasoning(adaptive=True, is_shown=is_shown)
    if is_shown:
        # It asks for no thinking, only to see what the model thinks by itself.
        reading.leave_out(f"{path}.includeThoughts", True)
    return None
