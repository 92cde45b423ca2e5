"""Judges whether an API would take a request body: by the types its SDK publishes and by the rules it is known to hold
callers to. It does not know what was asked for."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pydantic
from anthropic.types import message_create_params as anthropic_params
from google.genai import types as gemini_types
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as responses_params

from conformance import typed

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def faults(dialect: str, body: Json) -> list[str]:
    return list(
        {
            "openai-chat": _chat,
            "openai-responses": _responses,
            "anthropic-messages": _messages,
            "gemini": _gemini,
            "ollama": _ollama,
        }[dialect](body)
    )


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


# chat


def _chat(body: Json) -> Iterator[str]:
    kind = (
        chat_params.CompletionCreateParamsStreaming
        if body.get("stream")
        else (chat_params.CompletionCreateParamsNonStreaming)
    )
    known = {
        **_without(body, "top_k"),
        "messages": [_without(m, "reasoning_content") for m in body["messages"]],
    }
    yield from typed.errors(known, kind)
    waiting: list[str] = []
    for at, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                yield f"messages.{at}: answers no call before it"
            else:
                waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            yield f"messages.{at}: calls before it have no answer"
        waiting = [call["id"] for call in message.get("tool_calls") or []]
        if len(set(waiting)) != len(waiting) or any(len(call_id) > 64 for call_id in waiting):
            yield f"messages.{at}: call ids"
        for call in message.get("tool_calls") or []:
            yield from _arguments(call["function"]["arguments"], f"messages.{at}")
        if message["role"] == "assistant" and not (
            message.get("content") or message.get("tool_calls") or message.get("refusal")
        ):
            yield f"messages.{at}: says nothing"
    if waiting:
        yield "messages: the last calls have no answer"
    tools = [tool["function"] for tool in body.get("tools") or []]
    for tool in tools:
        yield from _function(tool, tool.get("parameters"))
    yield from _choice_of(body.get("tool_choice"), tools, "function")
    if not tools and "parallel_tool_calls" in body:
        yield "parallel_tool_calls without tools"
    if len(body.get("stop") or []) > 4:
        yield "stop: more than four"
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema is not None:
        yield from _strict_schema(schema)
    yield from _range(body, "temperature", 0, 2)


def _arguments(text: str, path: str) -> Iterator[str]:
    try:
        if not isinstance(json.loads(text), dict):
            yield f"{path}: arguments are no object"
    except json.JSONDecodeError:
        yield f"{path}: arguments are not JSON"


def _function(tool: Json, schema: Any) -> Iterator[str]:
    if not _NAME.fullmatch(tool["name"]):
        yield f"tools: the name {tool['name']!r}"
    if schema is not None and schema.get("type") != "object":
        yield f"tools.{tool['name']}: the schema is not that of an object"
    if tool.get("strict") and schema is not None:
        yield from _strict_schema({"strict": True, "schema": schema, "name": tool["name"]})


def _choice_of(choice: Any, tools: list[Json], inner: str) -> Iterator[str]:
    if choice is not None and not tools:
        yield "tool_choice without tools"
    if isinstance(choice, dict):
        name = (choice.get(inner) or choice).get("name")
        if name is not None and name not in {tool["name"] for tool in tools}:
            yield f"tool_choice: {name} is no tool"


def _strict_schema(wanted: Json) -> Iterator[str]:
    if not _NAME.fullmatch(wanted.get("name") or ""):
        yield f"schema: the name {wanted.get('name')!r}"
    if wanted.get("strict") and not all(_is_closed(each) for each in _objects(wanted["schema"])):
        yield "schema: strict, and not closed"


def _is_closed(schema: Json) -> bool:
    names = set(schema.get("properties") or {})
    return schema.get("additionalProperties") is False and names == set(schema.get("required") or ())


def _objects(schema: Any) -> Iterator[Json]:
    """The schemas of objects within a schema, where schemas stand and not where a property is called like one."""
    if isinstance(schema, list):
        for each in schema:
            yield from _objects(each)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" or "properties" in schema:
        yield schema
    for name in ("properties", "$defs", "definitions"):
        for each in (schema.get(name) or {}).values():
            yield from _objects(each)
    for name in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
        yield from _objects(schema.get(name))


def _range(body: Json, name: str, low: float, high: float) -> Iterator[str]:
    value = body.get(name)
    if value is not None and not low <= value <= high:
        yield f"{name}: {value} is not within {low} and {high}"


# responses


def _responses(body: Json) -> Iterator[str]:
    kind = (
        responses_params.ResponseCreateParamsStreaming
        if body.get("stream")
        else (responses_params.ResponseCreateParamsNonStreaming)
    )
    yield from typed.errors(body, kind)
    items = body.get("input")
    if not items:
        yield "input: empty"
    waiting: list[str] = []
    done: set[str] = set()
    for at, item in enumerate(items if isinstance(items, list) else []):
        kind_of_item = item.get("type", "message")
        if kind_of_item in {"function_call", "custom_tool_call"}:
            if item["call_id"] in done or len(item["call_id"]) > 64:
                yield f"input.{at}: call id"
            done.add(item["call_id"])
            waiting.append(item["call_id"])
            if kind_of_item == "function_call":
                yield from _arguments(item["arguments"], f"input.{at}")
        elif kind_of_item in {"function_call_output", "custom_tool_call_output"}:
            if item["call_id"] not in waiting:
                yield f"input.{at}: answers no call before it"
            else:
                waiting.remove(item["call_id"])
        elif kind_of_item == "message":
            if item["role"] != "assistant" and waiting:
                yield f"input.{at}: calls before it have no answer"
            yield from _responses_message(item, f"input.{at}")
        elif kind_of_item == "reasoning" and item is items[-1]:
            yield f"input.{at}: reasoning without what it led to"
    if waiting:
        yield "input: the last calls have no answer"
    tools = [tool for tool in body.get("tools") or [] if tool["type"] in {"function", "custom"}]
    for tool in tools:
        yield from _function(tool, tool.get("parameters"))
    yield from _choice_of(body.get("tool_choice"), tools, "function")
    if not tools and "parallel_tool_calls" in body:
        yield "parallel_tool_calls without tools"
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        yield from _strict_schema(wanted)
    if body.get("max_output_tokens") is not None and body["max_output_tokens"] < 16:
        yield "max_output_tokens: below 16"
    if "previous_response_id" in body or body.get("background"):
        yield "asks the provider for state"
    yield from _range(body, "temperature", 0, 2)


def _responses_message(item: Json, path: str) -> Iterator[str]:
    if item.get("content") in (None, []):
        yield f"{path}: says nothing"
    if isinstance(item.get("content"), list):
        said = (
            {"output_text", "refusal"}
            if item["role"] == "assistant"
            else {"input_text", "input_image", "input_file"}
        )
        yield from (
            f"{path}: {p['type']} by {item['role']}" for p in item["content"] if p["type"] not in said
        )


# messages

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def _messages(body: Json) -> Iterator[str]:
    kind = (
        anthropic_params.MessageCreateParamsStreaming
        if body.get("stream")
        else (anthropic_params.MessageCreateParamsNonStreaming)
    )
    # older models still take these
    yield from typed.errors(_without(body, "temperature", "top_p", "top_k"), kind)
    yield from _range(body, "temperature", 0, 1)
    yield from _range(body, "top_p", 0, 1)
    thinking = body.get("thinking") or {}
    budget = thinking.get("budget_tokens")
    if budget is not None and not 1024 <= budget < body["max_tokens"]:
        yield f"thinking: a budget of {budget} below max_tokens {body['max_tokens']}"
    if body["max_tokens"] < 1:
        yield "max_tokens: below 1"
    choice = body.get("tool_choice") or {}
    if thinking.get("type") == "enabled":
        if choice.get("type") in {"any", "tool"}:
            yield "thinking: beside a forced tool"
        if body.get("temperature", 1) != 1 or "top_k" in body or body.get("top_p", 1) < 0.95:
            yield "thinking: beside sampling"
    if "temperature" in body and "top_p" in body:
        yield "temperature beside top_p"
    if any(not stop.strip() for stop in body.get("stop_sequences") or []):
        yield "stop_sequences: only white space"
    yield from _turns(body["messages"])
    tools = body.get("tools") or []
    for tool in tools:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]):
            yield f"tools: the name {tool['name']!r}"
        if tool["input_schema"].get("type") != "object":
            yield f"tools.{tool['name']}: the schema is not that of an object"
    yield from _choice_of(body.get("tool_choice"), tools, "tool")
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema is not None and any(each.get("additionalProperties") is not False for each in _objects(schema)):
        yield "output_config: the schema is open"
    if json.dumps(body).count('"cache_control"') > 4:
        yield "cache_control: more than four"


def _turns(messages: list[Json]) -> Iterator[str]:
    role, waiting = None, []
    for at, message in enumerate(messages):
        if message["role"] == role:
            yield f"messages.{at}: two turns of the {role}"
        role = message["role"]
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks:
            yield f"messages.{at}: empty"
        results = [block for block in blocks if block["type"] == "tool_result"]
        if [block["type"] for block in blocks[: len(results)]] != ["tool_result"] * len(results):
            yield f"messages.{at}: tool results are not first"
        if sorted(block["tool_use_id"] for block in results) != sorted(waiting):
            yield f"messages.{at}: tool results do not answer the calls before them"
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if any(not _CALL_ID.fullmatch(call_id) for call_id in waiting):
            yield f"messages.{at}: call ids"
        for block in _deep(blocks):
            if block["type"] == "text" and not block["text"].strip():
                yield f"messages.{at}: an empty text"
            source = block.get("source") or {}
            if (
                source.get("type") == "base64"
                and block["type"] == "image"
                and source["media_type"] not in _PICTURES
            ):
                yield f"messages.{at}: a picture of type {source['media_type']}"
    if waiting:
        yield "messages: the last calls have no answer"
    last = messages[-1]
    if last["role"] == "assistant":
        end = last["content"] if isinstance(last["content"], str) else last["content"][-1].get("text", "")
        if end != end.rstrip():
            yield "messages: the last ends in white space"


def _deep(blocks: Any) -> Iterator[Json]:
    for block in blocks if isinstance(blocks, list) else []:
        yield block
        if block["type"] == "tool_result":
            yield from _deep(block.get("content"))


# Gemini

_GEMINI_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_GEMINI_BODY: Json = {
    "contents": list[gemini_types.Content],
    "systemInstruction": gemini_types.Content,
    "tools": list[gemini_types.Tool],
    "toolConfig": gemini_types.ToolConfig,
    "generationConfig": gemini_types.GenerationConfig,
    "safetySettings": list[gemini_types.SafetySetting],
}


def _gemini(body: Json) -> Iterator[str]:
    for name, value in body.items():
        if name not in _GEMINI_BODY:
            yield f"{name}: unknown"
            continue
        try:
            pydantic.TypeAdapter(_GEMINI_BODY[name]).validate_json(json.dumps(value))
        except pydantic.ValidationError as error:
            yield from (f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    contents = body.get("contents") or []
    if not contents:
        yield "contents: empty"
    yield from _contents(contents)
    functions = [f for tool in body.get("tools") or [] for f in tool.get("functionDeclarations") or []]
    for function in functions:
        if not _GEMINI_NAME.fullmatch(function["name"]):
            yield f"tools: the name {function['name']!r}"
        if "parameters" in function:
            if "parametersJsonSchema" in function:
                yield f"tools.{function['name']}: two schemas"
            if not function["parameters"].get("properties"):
                yield f"tools.{function['name']}: a schema without properties"
            yield from _subset(function["parameters"], f"tools.{function['name']}")
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    names = {function["name"] for function in functions}
    if set(calling.get("allowedFunctionNames") or ()) - names:
        yield "toolConfig: a function that is not declared"
    if calling.get("allowedFunctionNames") and calling.get("mode") not in {"ANY", "VALIDATED"}:
        yield "toolConfig: names in another mode than ANY"
    config = body.get("generationConfig") or {}
    if "responseSchema" in config:
        yield from _subset(config["responseSchema"], "responseSchema")
    if ("responseSchema" in config or "responseJsonSchema" in config) and (
        config.get("responseMimeType") != "application/json"
    ):
        yield "generationConfig: a schema without JSON"
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "thinkingConfig: budget and level"
    if len(config.get("stopSequences") or []) > 5:
        yield "stopSequences: more than five"
    yield from _range(config, "temperature", 0, 2)


def _contents(contents: list[Json]) -> Iterator[str]:
    waiting: list[str] = []
    role = None
    for at, content in enumerate(contents):
        if content.get("role") not in {"user", "model"}:
            yield f"contents.{at}: the role {content.get('role')}"
        if content.get("role") == role:
            yield f"contents.{at}: two turns of the {role}"
        role = content.get("role")
        if not content.get("parts"):
            yield f"contents.{at}: no parts"
        answered = [p["functionResponse"]["name"] for p in content["parts"] if "functionResponse" in p]
        if sorted(answered) != sorted(waiting):
            yield f"contents.{at}: answers {answered} to the calls {waiting}"
        waiting = [p["functionCall"]["name"] for p in content["parts"] if "functionCall" in p]
        for part in content["parts"]:
            if part.get("text") == "" and "thoughtSignature" not in part:
                yield f"contents.{at}: an empty text"
    if waiting:
        yield "contents: the last calls have no answer"
    if contents and contents[0].get("role") != "user":
        yield "contents: the user does not begin"


_SUBSET = frozenset(
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ]
)
_SUBSET_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def _subset(schema: Any, path: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{path}: no schema"
        return
    yield from (f"{path}: {name} is not of the subset" for name in schema if name not in _SUBSET)
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in _SUBSET_TYPES):
        yield f"{path}: the type {kind!r}"
    if isinstance(kind, str) and kind.lower() == "array" and "items" not in schema:
        yield f"{path}: an array of nothing"
    if any(not isinstance(each, str) for each in schema.get("enum") or ()):
        yield f"{path}: an enum of other than strings"
    for name in set(schema.get("required") or ()) - set(schema.get("properties") or {}):
        yield f"{path}: {name} is required and no property"
    for name, each in (schema.get("properties") or {}).items():
        yield from _subset(each, f"{path}.{name}")
    for each in schema.get("anyOf") or ():
        yield from _subset(each, path)
    if "items" in schema:
        yield from _subset(schema["items"], f"{path}[]")


# Ollama

_OLLAMA_FIELDS = frozenset(
    [
        "model",
        "messages",
        "tools",
        "format",
        "options",
        "stream",
        "think",
        "keep_alive",
        "logprobs",
        "top_logprobs",
    ]
)
_OLLAMA_OPTIONS = frozenset(
    [
        "num_predict",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "repeat_penalty",
        "repeat_last_n",
        "num_ctx",
    ]
)


def _ollama(body: Json) -> Iterator[str]:
    yield from (f"{name}: unknown" for name in body if name not in _OLLAMA_FIELDS)
    yield from (
        f"options.{name}: unknown" for name in body.get("options") or {} if name not in _OLLAMA_OPTIONS
    )
    if not isinstance(body.get("stream"), bool):
        yield "stream: it streams unless told not to"
    for at, message in enumerate(body["messages"]):
        if message["role"] not in {"system", "user", "assistant", "tool"}:
            yield f"messages.{at}: the role {message['role']}"
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            yield f"messages.{at}: content is no string"
        if message["role"] == "tool" and not message.get("tool_name"):
            yield f"messages.{at}: a result of no tool"
        for call in message.get("tool_calls") or []:
            if not isinstance(call["function"]["arguments"], dict):
                yield f"messages.{at}: arguments are no object"
        if any(image.startswith(("data:", "http")) for image in message.get("images") or []):
            yield f"messages.{at}: a picture that is not bare base64"
    for tool in body.get("tools") or []:
        if tool.get("type") != "function" or not tool["function"].get("name"):
            yield "tools: no function"
