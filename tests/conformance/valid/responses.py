"""What the Responses API would not take."""

from collections.abc import Iterator

from openai.types.responses import response_create_params as responses_params

from conformance import typed
from conformance.valid import rules
from conformance.valid.rules import Json


def faults(body: Json) -> Iterator[str]:
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
                yield from rules.arguments(item["arguments"], f"input.{at}")
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
        yield from rules.function(tool, tool.get("parameters"))
    yield from rules.choice(body.get("tool_choice"), tools, "function")
    if not tools and "parallel_tool_calls" in body:
        yield "parallel_tool_calls without tools"
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        yield from rules.strict_schema(wanted)
    if body.get("max_output_tokens") is not None and body["max_output_tokens"] < 16:
        yield "max_output_tokens: below 16"
    if "previous_response_id" in body or body.get("background"):
        yield "asks the provider for state"
    yield from rules.within(body, "temperature", 0, 2)


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
