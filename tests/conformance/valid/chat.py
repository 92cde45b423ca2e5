"""What chat completions would not take."""

from collections.abc import Iterator

from openai.types.chat import completion_create_params as chat_params

from conformance import typed
from conformance.valid import rules
from conformance.valid.rules import Json


def faults(body: Json) -> Iterator[str]:
    kind = (
        chat_params.CompletionCreateParamsStreaming
        if body.get("stream")
        else (chat_params.CompletionCreateParamsNonStreaming)
    )
    known = {
        **rules.without(body, "top_k"),
        "messages": [rules.without(m, "reasoning_content") for m in body["messages"]],
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
            yield from rules.arguments(call["function"]["arguments"], f"messages.{at}")
        if message["role"] == "assistant" and not (
            message.get("content") or message.get("tool_calls") or message.get("refusal")
        ):
            yield f"messages.{at}: says nothing"
    if waiting:
        yield "messages: the last calls have no answer"
    tools = [tool["function"] for tool in body.get("tools") or []]
    for tool in tools:
        yield from rules.function(tool, tool.get("parameters"))
    yield from rules.choice(body.get("tool_choice"), tools, "function")
    if not tools and "parallel_tool_calls" in body:
        yield "parallel_tool_calls without tools"
    if len(body.get("stop") or []) > 4:
        yield "stop: more than four"
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema is not None:
        yield from rules.strict_schema(schema)
    yield from rules.within(body, "temperature", 0, 2)
