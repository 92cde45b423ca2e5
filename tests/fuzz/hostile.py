"""Inputs that somebody thought of: each makes twice the work at twice the size, unless a loop stands within a loop.
Sizes count repetitions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

Made = Callable[[int], bytes]


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _data(*events: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % _text(event) for event in events)


# requests


def _chat(**fields: Any) -> bytes:
    return _text({"model": "m", "messages": [{"role": "user", "content": "a"}], **fields})


def _call(number: int, name: str = "f") -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": "{}"}}


def _tool(name: str, schema: Any = None) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "parameters": schema or {"type": "object", "properties": {}}},
    }


def _doubling(levels: int) -> dict[str, Any]:
    """A schema whose references, written out, make 2 ** levels of one."""
    steps = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "$defs": {**steps, f"d{levels}": {"type": "string"}},
    }


def _chain(size: int) -> dict[str, Any]:
    steps = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(size)}
    return {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "$defs": {**steps, f"d{size}": {"type": "string"}},
    }


def _deep(levels: int) -> Any:
    """Each level is closed, so that nobody stops at the first."""
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["a"],
            "properties": {"a": schema},
        }
    return schema


def _answered_backwards(size: int) -> bytes:
    calls = [_call(number) for number in range(size)]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in reversed(calls)]
    return _chat(
        messages=[{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": calls}, *results]
    )


def _many_loops(size: int) -> bytes:
    turns = [
        turn
        for number in range(size)
        for turn in (
            {"role": "assistant", "tool_calls": [_call(number)]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": "r"},
        )
    ]
    return _chat(messages=[{"role": "user", "content": "a"}, *turns])


def _messages(turns: list[Any], **fields: Any) -> bytes:
    return _text({"model": "m", "max_tokens": 9, "messages": turns, **fields})


def _uses_backwards(size: int) -> bytes:
    uses = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {}} for n in range(size)]
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": "r"} for use in reversed(uses)]
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": uses},
        {"role": "user", "content": results},
    ]
    return _messages(turns, tools=[{"name": "f", "input_schema": {"type": "object"}}])


def _responses_items(items: list[Any], **fields: Any) -> bytes:
    return _text({"model": "m", "input": items, **fields})


def _responses_calls(size: int) -> bytes:
    calls = [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"} for _ in range(size)]
    outputs = [{"type": "function_call_output", "call_id": "c", "output": "r"} for _ in range(size)]
    return _responses_items([*calls, *outputs])


def _gemini_calls(size: int) -> bytes:
    calls = [{"functionCall": {"name": "f", "args": {}}} for _ in range(size)]
    results = [{"functionResponse": {"name": "f", "response": {"a": 1}}} for _ in range(size)]
    return _text(
        {
            "contents": [
                {"role": "user", "parts": [{"text": "a"}]},
                {"role": "model", "parts": calls},
                {"role": "user", "parts": results},
            ]
        }
    )


# replies


def _delta(**fields: Any) -> dict[str, Any]:
    return {"id": "r", "model": "m", "choices": [{"index": 0, "delta": fields}]}


def _argument(index: int, text: str, **more: Any) -> dict[str, Any]:
    return _delta(tool_calls=[{"index": index, "function": {"arguments": text}, **more}])


_CHAT_END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def _start(index: int) -> dict[str, Any]:
    return _delta(
        tool_calls=[{"index": index, "id": f"c{index}", "function": {"name": "f", "arguments": ""}}]
    )


def _thinking_within_a_call(size: int) -> bytes:
    turns = [each for _ in range(size) for each in (_argument(0, "1,"), _delta(reasoning_content="t"))]
    return _data(_start(0), _argument(0, '{"a":['), *turns) + _CHAT_END


def _open_calls(size: int) -> bytes:
    opened = [each for n in range(size) for each in (_start(n), _argument(n, "{"))]
    closed = [_argument(n, "}") for n in range(size)]
    return _data(*opened, *closed) + _CHAT_END


def _calls_and_text(size: int) -> bytes:
    opened = [each for n in range(size) for each in (_start(n), _argument(n, "{"), _delta(content="x"))]
    return _data(*opened) + _CHAT_END


def _cited_stream(size: int) -> bytes:
    def event(kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": f"response.{kind}", "output_index": 0, "content_index": 0, **fields}

    def cited(number: int) -> dict[str, Any]:
        mark = {
            "type": "url_citation",
            "url": f"https://a/{number}",
            "start_index": number,
            "end_index": number + 1,
        }
        return event("output_text.annotation.added", annotation=mark, annotation_index=number)

    texts = [each for n in range(size) for each in (event("output_text.delta", delta="word "), cited(n))]
    end = event("completed", response={"id": "r", "model": "m", "status": "completed", "output": []})
    return _data(event("created", response={"id": "r", "model": "m", "output": []}), *texts, end)


def _candidate(parts: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, **more}],
        "modelVersion": "m",
        "responseId": "r",
    }


_GEMINI_END = _data(_candidate([], finishReason="STOP"))


def _grounding(number: int) -> dict[str, Any]:
    return {
        "groundingChunks": [{"web": {"uri": f"https://a/{number}"}}],
        "groundingSupports": [
            {"segment": {"startIndex": number, "endIndex": number + 3}, "groundingChunkIndices": [0]}
        ],
    }


def _grounded_stream(size: int) -> bytes:
    return (
        _data(*(_candidate([{"text": "word "}], groundingMetadata=_grounding(n)) for n in range(size)))
        + _GEMINI_END
    )


def _grounded_reply(size: int) -> bytes:
    chunks = [{"web": {"uri": f"https://a/{n}"}} for n in range(size)]
    supports = [
        {"segment": {"startIndex": 5 * n, "endIndex": 5 * n + 4}, "groundingChunkIndices": [n]}
        for n in range(size)
    ]
    sources = {"groundingChunks": chunks, "groundingSupports": supports}
    return _text(_candidate([{"text": "word " * size}], groundingMetadata=sources, finishReason="STOP"))


def _partial(pieces: list[Any]) -> bytes:
    call = {"functionCall": {"name": "f", "partialArgs": pieces, "willContinue": True}}
    end = {"functionCall": {"willContinue": False}}
    return _data(_candidate([call]), _candidate([end])) + _GEMINI_END


def _many_blocks(size: int) -> bytes:
    def block(number: int) -> tuple[Any, ...]:
        return (
            {"type": "content_block_start", "index": number, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": number, "delta": {"type": "text_delta", "text": "a"}},
            {"type": "content_block_delta", "index": number, "delta": {"type": "citations_delta", "citation": {
                "type": "web_search_result_location", "url": f"https://a/{number}", "title": "t", "cited_text": "a"}}},
            {"type": "content_block_stop", "index": number},
        )  # fmt: skip

    start = {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}}
    end = (
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
    return _data(start, *(each for n in range(size) for each in block(n)), *end)


def _deferred(size: int) -> bytes:
    tools = [
        {"name": f"f{n}", "input_schema": {"type": "object"}, "defer_loading": True} for n in range(size)
    ]
    found = [{"type": "tool_reference", "tool_name": f"f{n}"} for n in range(size)]
    search = {"type": "tool_use", "id": "t", "name": "f0", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": found}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [search]},
        {"role": "user", "content": [result]},
    ]
    return _messages(turns, tools=tools)


HOSTILE: Mapping[str, tuple[str, int, Made]] = {
    "tool results in reverse": ("request:openai-chat", 800, _answered_backwards),
    "as many turns as calls": ("request:openai-chat", 500, _many_loops),
    "tools of one name": ("request:openai-chat", 1000, lambda n: _chat(tools=[_tool("f")] * n)),
    "tools whose names all become one": ("request:openai-chat", 700, lambda n: _chat(tools=[_tool("f" + "éà"[i % 2] * (i % 60) + chr(0x4E00 + i)) for i in range(n)])),
    "a schema that doubles": ("request:openai-chat", 4, lambda n: _chat(tools=[_tool("f", _doubling(n * 3))])),
    "tools with schemas that double": ("request:openai-chat", 5, lambda n: _chat(tools=[_tool(f"f{i}", _doubling(13)) for i in range(n)])),
    "a chain of references": ("request:openai-chat", 200, lambda n: _chat(tools=[_tool("f", _chain(n))])),
    "a deep schema of a tool": ("request:openai-chat", 10, lambda n: _chat(tools=[_tool("f", _deep(n * 12))])),
    "a deep schema of an answer": (
        "request:anthropic-messages",
        10,
        lambda n: _messages([{"role": "user", "content": "a"}], output_config={"format": {"type": "json_schema", "schema": _deep(n * 12)}}),
    ),
    "a deep schema in a response": ("request:openai-responses", 10, lambda n: _responses_items([{"role": "user", "content": "a"}], tools=[{"type": "function", "name": "f", "parameters": _deep(n * 12)}])),
    "a deep schema of Google's": (
        "request:gemini",
        10,
        lambda n: _text({"contents": [{"role": "user", "parts": [{"text": "a"}]}], "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": _deep(n * 12)}}),
    ),
    "one schema of many parts": ("request:openai-chat", 1500, lambda n: _chat(tools=[_tool("f", {"type": "object", "allOf": [
        {"properties": {f"p{i}": {"type": "string"}}, "required": [f"p{i}"]} for i in range(n)]})])),
    "references to one large part": ("request:openai-chat", 150, lambda n: _chat(tools=[_tool("f", {"type": "object", "properties": {f"p{i}": {"$ref": "#/$defs/d"} for i in range(n)},
        "$defs": {"d": {"type": "object", "properties": {f"q{i}": {"type": "string"} for i in range(n)}}}})])),
    "a long stop string": ("request:openai-chat", 40_000, lambda n: _chat(stop="a" * n)),
    "many stop strings": ("request:openai-chat", 5000, lambda n: _chat(stop=[f"s{i}" for i in range(n)])),
    "many fields nobody knows": ("request:openai-chat", 5000, lambda n: _chat(**{f"x{i}": i for i in range(n)})),
    "tool uses in reverse": ("request:anthropic-messages", 800, _uses_backwards),
    "tools found by a search": ("request:anthropic-messages", 600, _deferred),
    "system messages between all others": (
        "request:openai-chat",
        1000,
        lambda n: _chat(messages=[{"role": role, "content": "a"} for role in ("system", "user") for _ in range(n)] + [{"role": role, "content": "b"} for _ in range(n) for role in ("system", "user")]),
    ),
    "reasoning that nobody sealed": (
        "request:openai-responses",
        1000,
        lambda n: _responses_items([{"role": "user", "content": "a"}, *[{"type": "reasoning", "id": f"rs_{i}", "summary": [{"type": "summary_text", "text": "t"}]} for i in range(n)], {"role": "user", "content": "b"}]),
    ),
    "items that go on": ("continued", 1500, lambda n: _responses_items([{"type": "reasoning", "id": f"rs_{i}"} for i in range(n)] + [{"role": "user", "content": "b"}])),
    "unknown fields in every block": (
        "request:anthropic-messages",
        1000,
        lambda n: _messages([{"role": "user", "content": [{"type": "text", "text": "a", f"x{i}": i} for i in range(n)]}]),
    ),
    "blocks to cache": ("request:anthropic-messages", 1500, lambda n: _messages([{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}] * n}])),
    "calls of one id": ("request:openai-responses", 800, _responses_calls),
    "calls without ids": ("request:gemini", 800, _gemini_calls),
    "thinking within a call": ("stream:openai-chat", 400, _thinking_within_a_call),
    "calls that stay open": ("stream:openai-chat", 400, _open_calls),
    "calls that stay open, and text": ("stream:openai-chat", 300, _calls_and_text),
    "citations all along a text": ("stream:openai-responses", 700, _cited_stream),
    "sources in every chunk": ("stream:gemini", 400, _grounded_stream),
    "sources of one text": ("reply:gemini", 1500, _grounded_reply),
    "places far out": ("stream:gemini", 20, lambda n: _partial([{"jsonPath": f"$.a{i}[9999]", "numberValue": 1} for i in range(n)])),
    "one string in pieces": ("stream:gemini", 2000, lambda n: _partial([{"jsonPath": "$.a", "stringValue": "x"}] * n)),
    "a deep path": ("stream:gemini", 3000, lambda n: _partial([{"jsonPath": "$" + ".a" * n, "numberValue": 1}])),
    "elements one by one": ("stream:gemini", 2000, lambda n: _partial([{"jsonPath": f"$.a[{i}]", "numberValue": i} for i in range(n)])),
    "blocks with sources": ("stream:anthropic-messages", 500, _many_blocks),
    "one letter at a time": ("stream:openai-chat", 2000, lambda n: _data(*[_delta(content="e")] * n) + _CHAT_END),
    "lines of one letter": ("stream:ollama", 2000, lambda n: b'{"model":"m","message":{"role":"assistant","content":"a"}}\n' * n + b'{"model":"m","done":true}\n'),
    "blank lines": ("framing", 60_000, lambda n: b"\r" * n),
    "one endless event": ("framing", 60_000, lambda n: b"data: " + b"x" * n),
    "seal of padding": ("seal", 60_000, lambda n: b"A" * n + b"=" * n),
    "keys in an error": ("error:openai-chat", 3000, lambda n: _text({"error": {"message": "sk-aaaaaaaa1 " * n, "code": "x" * n}})),
    "words that are no keys": ("error:openai-chat", 30_000, lambda n: _text({"error": {"message": "a" * n, "param": "1" * n}})),
}  # fmt: skip
"""By name: the target, how often something is repeated at first, and what is made of that."""
