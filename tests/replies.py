"""Small hand-written answers of providers of both dialects, whole and streamed."""

import json
from collections.abc import Sequence
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 7,
    "total_tokens": 37,
    "prompt_tokens_details": {"cached_tokens": 10},
}
MESSAGES_USAGE = {
    "input_tokens": 20,
    "cache_read_input_tokens": 10,
    "cache_creation_input_tokens": 0,
    "output_tokens": 7,
}
"""The same tokens, as each of the two counts them."""

Call = tuple[str, str, dict[str, Any]]
"""Id, name and arguments of one tool call."""


def completion(
    text: str | None = "Hello", calls: Sequence[Call] = (), finish: str | None = None
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for id_, name, arguments in calls
        ]
    reason = finish or ("tool_calls" if calls else "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "up-1",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": CHAT_USAGE,
    }


def chat_event(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "up-1"}
    return b"data: " + json.dumps({**chunk, "choices": choices, **more}).encode() + b"\n\n"


def chat_stream(*words: str, calls: Sequence[Call] = (), finish: str | None = None) -> list[bytes]:
    """Events as OpenAI sends them when it is asked for usage."""
    events = [chat_event({"role": "assistant", "content": ""})]
    events += [chat_event({"content": word}) for word in words]
    for index, (id_, name, arguments) in enumerate(calls):
        start = {"index": index, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}}
        events.append(chat_event({"tool_calls": [start]}))
        text = json.dumps(arguments)
        for piece in (text[:5], text[5:]):
            events.append(chat_event({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    events.append(chat_event({}, finish or ("tool_calls" if calls else "stop")))
    events.append(chat_event(None, usage=CHAT_USAGE))
    return [*events, b"data: [DONE]\n\n"]


def message(
    text: str | None = "Hello", calls: Sequence[Call] = (), stop: str | None = None
) -> dict[str, Any]:
    content: list[dict[str, Any]] = [] if text is None else [{"type": "text", "text": text}]
    content += [
        {"type": "tool_use", "id": id_, "name": name, "input": arguments} for id_, name, arguments in calls
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "up-1",
        "content": content,
        "stop_reason": stop or ("tool_use" if calls else "end_turn"),
        "stop_sequence": "END" if stop == "stop_sequence" else None,
        "usage": MESSAGES_USAGE,
    }


def messages_event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def messages_stream(*words: str, calls: Sequence[Call] = (), stop: str | None = None) -> list[bytes]:
    whole = message(None, calls, stop)
    start = {**whole, "content": [], "stop_reason": None, "usage": {**MESSAGES_USAGE, "output_tokens": 1}}
    events = [messages_event("message_start", message=start)]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if words:
        deltas = [{"type": "text_delta", "text": word} for word in words]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for id_, name, arguments in calls:
        text = json.dumps(arguments)
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", text[:5], text[5:])]
        blocks.append(({"type": "tool_use", "id": id_, "name": name, "input": {}}, pieces))
    for index, (block, pieces) in enumerate(blocks):
        events.append(messages_event("content_block_start", index=index, content_block=block))
        events.append(messages_event("ping"))
        events += [messages_event("content_block_delta", index=index, delta=piece) for piece in pieces]
        events.append(messages_event("content_block_stop", index=index))
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]}
    events.append(messages_event("message_delta", delta=ending, usage={"output_tokens": 7}))
    return [*events, messages_event("message_stop")]


def chat_error(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def messages_error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def responses_event(kind: str, number: int, **fields: Any) -> bytes:
    data = {"type": kind, "sequence_number": number, **fields}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
