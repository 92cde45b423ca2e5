"""Judges the grammar of streams that callers are sent, stricter than any SDK: one start, one end, everything opened once,
closed once and counted right."""

import json
from collections.abc import Iterator
from typing import Any

import openai.types.responses as responses_types
import pydantic
from anthropic.types import RawMessageStreamEvent
from google.genai import types as gemini_types
from openai.types.chat import ChatCompletionChunk

Json = dict[str, Any]


def faults(caller: str, stream: bytes) -> list[str]:
    """Nothing for a stream that keeps to its grammar. Streams that broke off are for `is_broken` to tell."""
    try:
        return list(
            {
                "openai-chat": _chat,
                "openai-responses": _responses,
                "anthropic-messages": _messages,
                "gemini": _gemini,
            }[caller](stream)
        )
    except (KeyError, IndexError, json.JSONDecodeError) as error:
        return [f"{type(error).__name__} {error}"]


def _frames(stream: bytes) -> Iterator[tuple[str | None, str]]:
    """Event name and data of each frame."""
    text = stream.decode()
    for frame in text.replace("\r\n", "\n").removesuffix("\n\n").split("\n\n"):
        name, data = None, []
        for line in frame.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line.startswith(":"):
                raise KeyError(f"the line {line!r:.40}")
        if data:
            yield name, "\n".join(data)


def _typed(adapter: pydantic.TypeAdapter[Any], event: Json) -> Iterator[str]:
    try:
        adapter.validate_python(event)
    except pydantic.ValidationError as error:
        for each in error.errors()[:2]:
            yield f"{event.get('type', 'chunk')} {'.'.join(map(str, each['loc']))[-60:]}: {each['msg']}"


_chunk: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(ChatCompletionChunk)


def _chat(stream: bytes) -> Iterator[str]:
    frames = list(_frames(stream))
    chunks = [json.loads(data) for _, data in frames if data != "[DONE]"]
    if any("error" in chunk for chunk in chunks):
        if "error" not in chunks[-1]:
            yield "words behind an error"
        return
    if any(name is not None for name, _ in frames):
        yield "a named event"
    if [data for _, data in frames].index("[DONE]") != len(frames) - 1:
        yield "[DONE] is not the end"
    if len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) != 1:
        yield "id, created and model change"
    roles, finishes, usages, calls = 0, 0, 0, {}
    for chunk in chunks:
        yield from _typed(_chunk, chunk)
        usages += chunk.get("usage") is not None
        if usages and chunk is not chunks[-1]:
            yield "usage is not last"
        if chunk.get("usage") is not None and chunk["choices"]:
            yield "usage beside a choice"
        for choice in chunk["choices"]:
            if finishes:
                yield "a choice behind its end"
            roles += "role" in choice["delta"]
            finishes += choice["finish_reason"] is not None
            for call in choice["delta"].get("tool_calls") or []:
                if call["index"] not in calls:
                    if call["index"] != len(calls) or not call.get("id") or not call["function"].get("name"):
                        yield f"call {call['index']} begins without its place, id or name"
                    calls[call["index"]] = call.get("id")
                elif call.get("id") or (call["function"].get("name")):
                    yield "an id or a name again"
    if (roles, finishes) != (1, 1) or usages > 1:
        yield f"{roles} roles, {finishes} ends, {usages} usages"


_message_event: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(RawMessageStreamEvent)
_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "tool_use": {"input_json_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set(),
}


def _is_object(text: str) -> bool:
    return isinstance(json.loads(text or "null"), dict)


def _messages(stream: bytes) -> Iterator[str]:
    index, kind, state, pieces = 0, "", "before", []
    for name, data in _frames(stream):
        event = json.loads(data)
        if event["type"] != name:
            yield f"{event['type']} is called {name}"
        if name in {"error", "ping"}:
            state = "ended" if name == "error" else state
            continue
        yield from _typed(_message_event, event)
        match state, name:
            case "before", "message_start":
                state = "between"
            case "between", "content_block_start":
                kind, pieces, state = event["content_block"]["type"], [], "within"
                if event["index"] != index:
                    yield f"block {event['index']} where {index} is due"
            case "within", "content_block_delta":
                pieces.append(event["delta"])
                if event["index"] != index or event["delta"]["type"] not in _DELTAS[kind]:
                    yield f"a {event['delta']['type']} in a {kind}"
            case "within", "content_block_stop":
                if kind == "tool_use":
                    is_cut = b'"stop_reason":"max_tokens"' in stream
                    if not is_cut and not _is_object("".join(p["partial_json"] for p in pieces)):
                        yield "a call whose pieces are no object"
                elif kind != "redacted_thinking" and not pieces:
                    yield f"an empty {kind}"
                elif kind == "text" and not any(p.get("text") for p in pieces if p["type"] == "text_delta"):
                    yield "an empty text"
                if kind == "thinking" and pieces[-1]["type"] != "signature_delta":
                    yield "thinking without a signature"
                index, state = index + 1, "between"
            case "between", "message_delta":
                state = "counted"
            case "counted", "message_stop":
                state = "ended"
            case _:
                yield f"{name} while {state}"
    if state != "ended":
        yield f"the end while {state}"


_response_event: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(responses_types.ResponseStreamEvent)
_TERMINAL = {"response.completed", "response.incomplete", "response.failed", "error"}


def _responses(stream: bytes) -> Iterator[str]:
    events = []
    for name, data in _frames(stream):
        if data == "[DONE]":
            continue
        events.append(json.loads(data))
        if events[-1]["type"] != name:
            yield f"{events[-1]['type']} is called {name}"
        if name == "error":
            return  # nobody reads on
    if [event["sequence_number"] for event in events] != list(range(len(events))):
        yield "sequence numbers have gaps"
    if events[0]["type"] != "response.created":
        yield f"begins with {events[0]['type']}"
    if events[-1]["type"] not in _TERMINAL or any(event["type"] in _TERMINAL for event in events[:-1]):
        yield "has not one end"
    added: dict[int, Json] = {}
    done: dict[int, Json] = {}
    parts: dict[tuple[str, int], str] = {}
    for event in events:
        yield from _typed(_response_event, event)
        kind = event["type"]
        at = event.get("output_index")
        if kind == "response.output_item.added":
            if at != len(added):
                yield f"item {at} where {len(added)} is due"
            added[at] = event["item"]
        elif at is not None:
            if at not in added or at in done:
                yield f"{kind} of an item that is not open"
            elif event.get("item_id", added[at].get("id")) != added[at].get("id"):
                yield f"{kind} of another id"
            if kind == "response.output_item.done":
                done[at] = event["item"]
                if event["item"].get("id") != added[at].get("id"):
                    yield "an item changes its id"
        yield from _response_text(event, parts)
    if events[-1]["type"] in {"response.completed", "response.incomplete"}:
        if set(done) != set(added):
            yield "an item that is not done"
        if [done[at] for at in sorted(done)] != events[-1]["response"]["output"]:
            yield "the items done are not the output"


_TEXTS = {
    "response.output_text": ("content_index", "text"),
    "response.refusal": ("content_index", "refusal"),
    "response.function_call_arguments": (None, "arguments"),
    "response.reasoning_summary_text": ("summary_index", "text"),
    "response.reasoning_text": ("content_index", "text"),
}


def _response_text(event: Json, parts: dict[tuple[str, int], str]) -> Iterator[str]:
    """What was told in pieces is told again whole."""
    base, _, step = event["type"].rpartition(".")
    if base not in _TEXTS or step not in {"delta", "done"}:
        return
    index, whole = _TEXTS[base]
    key = (f"{base} {event['item_id']}", event[index] if index else 0)
    if step == "delta":
        parts[key] = parts.get(key, "") + event["delta"]
    elif parts.get(key, "") != event[whole]:
        yield f"{event['type']} is not what its pieces were"


_gemini_chunk: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(gemini_types.GenerateContentResponse)


def _gemini(stream: bytes) -> Iterator[str]:
    for line in stream.decode().replace("\r\n", "\n").split("\n"):
        if line and not line.startswith("data: {"):
            yield f"the line {line!r:.40}"
    for name, data in _frames(stream):
        chunk = json.loads(data)
        if name is not None:
            yield "a named event"
        if "error" not in chunk:
            try:
                _gemini_chunk.validate_json(data)
            except pydantic.ValidationError as error:
                yield from (f"chunk {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:2])
