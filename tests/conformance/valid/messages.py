"""What the Messages API would not take."""

import json
import re
from collections.abc import Iterator
from typing import Any

from anthropic.types import message_create_params as anthropic_params

from conformance import typed
from conformance.valid import rules
from conformance.valid.rules import Json

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def faults(body: Json) -> Iterator[str]:
    kind = (
        anthropic_params.MessageCreateParamsStreaming
        if body.get("stream")
        else (anthropic_params.MessageCreateParamsNonStreaming)
    )
    # older models still take these
    yield from typed.errors(rules.without(body, "temperature", "top_p", "top_k"), kind)
    yield from rules.within(body, "temperature", 0, 1)
    yield from rules.within(body, "top_p", 0, 1)
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
    yield from rules.choice(body.get("tool_choice"), tools, "tool")
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema is not None and any(
        each.get("additionalProperties") is not False for each in rules.objects_of(schema)
    ):
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
