"""Answers that are documented, or were seen by others, and are not among the recordings: odd errors, odd streams. Each
is a record like any other, with what it means read by the same independent eye."""

import json
from collections.abc import Iterator
from typing import Any

from conformance.corpus import Record, compact

Json = dict[str, Any]
_JSON = (b"content-type", b"application/json")

_ERRORS: dict[str, dict[str, tuple[int, Any]]] = {
    "openai-chat": {
        "server": (500, {"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}}),
        "overloaded": (503, {"error": {"message": "The engine is overloaded", "type": "overloaded", "code": None}}),
        "quota": (429, {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}),
        "rate": (429, {"error": {"message": "Rate limit reached. Please try again in 1.5s.", "type": "tokens", "code": "rate_limit_exceeded"}}),
        "mistral": (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "param": None, "code": "1500"}),
        "mistral-detail": (401, {"detail": "Unauthorized"}),
        "mistral-list": (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error"}]}),
        "xai": (400, {"code": "invalid-argument", "error": "The argument is wrong"}),
        "venice": (400, {"error": "Invalid request parameters"}),
        "cohere": (404, {"message": "model 'x' not found"}),
        "openrouter": (502, {"error": {"code": 502, "message": "Provider returned error", "metadata": {"provider_name": "X"}}}),
        "azure": (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}),
        "llama": (400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}),
        "groq": (400, {"error": {"message": "Failed to call a function", "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": "<x>"}}),
        "forbidden": (403, {"error": {"message": "Not allowed", "type": "permission"}}),
        "gateway": (502, None),
        "timeout": (504, None),
        "length": (413, {"error": {"message": "Request too large", "type": "request_too_large"}}),
        "in-a-list": (400, [{"error": {"code": 400, "message": "Please use a valid role", "status": "INVALID_ARGUMENT"}}]),
    },
    "openai-responses": {
        "server": (500, {"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}}),
        "rate": (429, {"error": {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded"}}),
        "model": (400, {"error": {"message": "The model 'x' does not exist", "type": "invalid_request_error", "code": "model_not_found"}}),
        "gateway": (502, None),
    },
    "anthropic-messages": {
        "overloaded": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "rate": (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many tokens per minute"}}),
        "api": (500, {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}, "request_id": "req_1"}),
        "large": (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}),
        "long": (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
        "permission": (403, {"type": "error", "error": {"type": "permission_error", "message": "No access to this resource"}}),
        "bedrock": (400, {"message": "Malformed input request"}),
        "gateway": (502, None),
    },
    "gemini": {
        "exhausted": (429, {"error": {"code": 429, "message": "Resource has been exhausted", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]}}),
        "key": (400, {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}}),
        "unavailable": (503, {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}),
        "internal": (500, {"error": {"code": 500, "message": "An internal error has occurred", "status": "INTERNAL"}}),
        "deadline": (504, {"error": {"code": 504, "message": "Deadline expired", "status": "DEADLINE_EXCEEDED"}}),
        "listed": (400, [{"error": {"code": 400, "message": "Please use a valid role: user, model.", "status": "INVALID_ARGUMENT"}}]),
        "denied": (403, {"error": {"code": 403, "message": "Permission denied", "status": "PERMISSION_DENIED"}}),
    },
    "ollama": {
        "model": (404, {"error": "model 'x' not found"}),
        "busy": (503, {"error": "server busy, please try again."}),
        "crash": (500, {"error": "llama runner process has terminated"}),
        "no-tools": (400, {"error": "registry.ollama.ai/library/x does not support tools"}),
    },
}  # fmt: skip


def records() -> list[Record]:
    return [*_errors(), *_chat_streams(), *_other_streams()]


def _record(name: str, dialect: str, status: int, answer: bytes, *, stream: bool = False) -> Record:
    return Record(
        id=f"strange-{dialect}-{name}",
        dialect=dialect,
        provider="provider",
        model="their-model",
        is_stream=stream,
        request=None,
        status=status,
        headers=(_JSON,),
        body=None if stream else answer,
        stream=answer if stream else None,
    )


def _errors() -> Iterator[Record]:
    page = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
    for dialect, bodies in _ERRORS.items():
        for name, (status, body) in bodies.items():
            yield _record(f"error-{name}", dialect, status, page if body is None else compact(body))


def _chunk(delta: Json | None, finish: Any = None, **more: Any) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        **more,
    }


_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
_TWO_CALLS = [
    {"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": '{"x": 1}'}},
    {"index": 1, "id": "b", "type": "function", "function": {"name": "two", "arguments": ""}},
]


def _chat_streams() -> Iterator[Record]:
    """What servers that say they speak chat completions were seen to send."""
    text = [_chunk({"role": "assistant", "content": "Grüße "}), _chunk({"content": "🎉\n\nund mehr"})]
    end = _chunk({}, "stop")
    told = _chunk(None, usage=_USAGE)
    call_pieces = [
        _chunk({"tool_calls": [{"index": 0, "id": "functions.add:0", "type": "function", "function": {"name": "add", "arguments": ""}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a": "1\\n'}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": ""}}]}),
        _chunk({"tool_calls": [{"index": 0, "id": "functions.add:0", "function": {"arguments": '2"}'}}]}),
    ]  # fmt: skip
    chunks: dict[str, list[Json]] = {
        "usage-beside-the-end": [*text, _chunk({}, "stop", usage=_USAGE)],
        "usage-in-every-chunk": [{**chunk, "usage": _USAGE} for chunk in [*text, end]],
        "usage-never": [*text, end],
        "end-with-text": [text[0], _chunk({"content": "whole"}, "stop"), told],
        "future-reason": [*text, _chunk({}, "model_grew_tired"), told],
        "stop-with-calls": [_chunk({"role": "assistant", "tool_calls": _TWO_CALLS}), end, told],
        "calls-cut-short": [*call_pieces, _chunk({}, "length"), told],
        "calls-in-pieces": [*call_pieces, _chunk({}, "tool_calls"), told],
        "call-without-a-place": [_chunk({"tool_calls": [{k: v for k, v in _TWO_CALLS[0].items() if k != "index"}]}, "tool_calls"), told],
        "calls-without-ids": [_chunk({"tool_calls": [{k: v for k, v in call.items() if k != "id"} for call in _TWO_CALLS]}, "tool_calls"), told],
        "pretty-arguments": [_chunk({"tool_calls": [{"index": 0, "id": "p", "type": "function", "function": {"name": "p", "arguments": json.dumps({"a": [1, {"b": "c d"}]}, indent=2)}}]}, "tool_calls"), told],
        "thought-first": [_chunk({"reasoning_content": "Hm. "}), _chunk({"reasoning_content": "So."}), *text, end, told],
        "thought-and-text-at-once": [_chunk({"reasoning": "Hm.", "content": ""}), _chunk({"reasoning": None, "content": "Yes"}), end, told],
        "thought-then-call": [_chunk({"reasoning": "I must add."}), *call_pieces, _chunk({}, "tool_calls"), told],
        "thought-only": [_chunk({"reasoning_content": "All was spent on this."}), _chunk({}, "length"), told],
        "refusal": [_chunk({"refusal": "I can"}), _chunk({"refusal": "not."}), end, told],
        "filtered": [_chunk({"role": "assistant", "content": ""}), _chunk({}, "content_filter"), told],
        "empty": [_chunk({"role": "assistant", "content": ""}), end, told],
        "error-in-the-middle": [*text, {"error": {"message": "upstream went away", "code": 502}}],
        "error-at-once": [{"error": {"message": "no capacity", "type": "server_error"}}],
        "error-beside-choices": [*text, {**_chunk({"content": ""}, "error"), "error": {"code": 429, "message": "slow down"}}],
        "no-end": text,
        "thinks-as-it-counts": [*text, end, _chunk(None, usage={**_USAGE, "total_tokens": 23, "completion_tokens_details": {"reasoning_tokens": 5}})],
    }  # fmt: skip
    for name, parts in chunks.items():
        frames = [b"data: " + compact(part) + b"\n\n" for part in parts]
        done = [] if name == "no-end" else [b"data: [DONE]\n\n"]
        yield _record(name, "openai-chat", 200, b"".join(frames + done), stream=True)
    plain = [b"data: " + compact(part) for part in [*text, end, told]]
    yield _record(
        "comments",
        "openai-chat",
        200,
        b": hello\n\n" + b"\n\n: wait\n\n".join([*plain, b"data: [DONE]\n\n"]),
        stream=True,
    )
    yield _record(
        "carriage-returns",
        "openai-chat",
        200,
        b"\r\n\r\n".join([*plain, b"data: [DONE]\r\n\r\n"]),
        stream=True,
    )
    yield _record(
        "no-space",
        "openai-chat",
        200,
        b"\n\n".join([*plain, b"data:[DONE] \n\n"]).replace(b"data: {", b"data:{"),
        stream=True,
    )
    yield _record("not-json", "openai-chat", 200, b"\n\n".join([plain[0], b"data: {oops\n\n"]), stream=True)


def _other_streams() -> Iterator[Record]:
    start = {"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
    }}  # fmt: skip
    block = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    ]
    over = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    stop = {
        "type": "message_delta",
        "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    }
    messages = {
        "error-in-the-middle": [start, *block, over],
        "error-at-once": [over],
        "no-end": [start, *block],
        "cut-short": [
            start,
            *block,
            {"type": "content_block_stop", "index": 0},
            stop,
            {"type": "message_stop"},
        ],
        "unknown-event": [
            start,
            {"type": "news", "of": "tomorrow"},
            *block,
            {"type": "content_block_stop", "index": 0},
            stop,
            {"type": "message_stop"},
        ],
    }
    for name, events in messages.items():
        frames = [
            b"event: " + str(event["type"]).encode() + b"\ndata: " + compact(event) + b"\n\n"
            for event in events
        ]
        yield _record(name, "anthropic-messages", 200, b"".join(frames), stream=True)

    def candidate(*parts: Json, finish: str | None = None) -> Json:
        told = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
        usage = {
            "promptTokenCount": 5,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 10,
        }
        return {
            "candidates": [told | ({"finishReason": finish} if finish else {})],
            "usageMetadata": usage,
            "modelVersion": "m",
        }

    gemini = {
        "malformed-call": [candidate(finish="MALFORMED_FUNCTION_CALL")],
        "safety": [candidate({"text": "Well"}), candidate(finish="SAFETY")],
        "blocked": [
            {
                "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
            }
        ],
        "future-reason": [candidate({"text": "Well"}, finish="GREW_TIRED")],
        "error-in-the-middle": [
            candidate({"text": "Well"}),
            {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}},
        ],
        "no-end": [candidate({"text": "Well"})],
        "calls-without-ids": [
            candidate(
                {"functionCall": {"name": "a", "args": {}}},
                {"functionCall": {"name": "a", "args": {"n": 1}}},
                finish="STOP",
            )
        ],
        "thought-between": [
            candidate({"text": "Hm", "thought": True}),
            candidate({"text": "Yes"}),
            candidate({"text": "But", "thought": True}),
            candidate({"text": "No"}, finish="STOP"),
        ],
    }
    for name, chunks in gemini.items():
        frames = [b"data: " + compact(chunk) + b"\r\n\r\n" for chunk in chunks]
        yield _record(name, "gemini", 200, b"".join(frames), stream=True)

    ollama = {
        "error-in-the-middle": [
            {"message": {"role": "assistant", "content": "Well"}, "done": False},
            {"error": "out of memory"},
        ],
        "no-end": [{"model": "m", "message": {"role": "assistant", "content": "Well"}, "done": False}],
        "thought-and-call": [
            {"model": "m", "message": {"role": "assistant", "content": "", "thinking": "Hm"}, "done": False},
            {
                "model": "m",
                "message": {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"function": {"name": "a", "arguments": {"x": 1}}}],
                },
                "done": False,
            },
            {
                "model": "m",
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "stop",
                "prompt_eval_count": 4,
                "eval_count": 6,
            },
        ],
    }
    for name, lines in ollama.items():
        yield _record(name, "ollama", 200, b"".join(compact(line) + b"\n" for line in lines), stream=True)
