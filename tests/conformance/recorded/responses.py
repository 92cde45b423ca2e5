"""What answers of the Responses API mean."""

from typing import Any

from conformance.meaning import Meaning, Tokens, arguments_in
from conformance.recorded.failures import BROKEN, failure_in

Json = dict[str, Any]


_FOREIGN_ITEMS = frozenset(
    {"mcp_approval_request", "local_shell_call", "apply_patch_call", "computer_call"}
)  # a caller would have to act on them


def read(chunks: list[Json], is_stream: bool) -> Meaning:
    if not is_stream:
        return _response(chunks[0], chunks[0].get("output") or [])
    done: list[Json] = []
    for event in chunks:
        kind = event.get("type")
        if kind == "response.output_item.done":
            done.append(event["item"])
        elif kind == "error":
            return Meaning(failure=failure_in(event))
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            whole = event["response"]
            return _response(whole, whole.get("output") or done)
    return Meaning(failure=BROKEN)


def _response(whole: Json, items: list[Json]) -> Meaning:
    meaning = Meaning()
    if whole.get("status") in {"queued", "in_progress", "cancelled"}:
        return Meaning(failure=BROKEN)  # it is to be asked for later, or never
    if whole.get("status") == "failed" or whole.get("error"):
        return Meaning(failure=failure_in(whole.get("error")))
    for item in items:
        _response_item(meaning, item)
    usage = whole.get("usage")
    if usage:
        meaning.usage = Tokens(
            usage.get("input_tokens"),
            usage.get("output_tokens"),
            (usage.get("input_tokens_details") or {}).get("cached_tokens"),
            (usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
            (usage.get("input_tokens_details") or {}).get("cache_write_tokens"),
        )
    reason = (whole.get("incomplete_details") or {}).get("reason")
    if whole.get("status") == "incomplete":
        meaning.ended("blocked" if reason == "content_filter" else "length")
    else:
        meaning.ended("done")
    return meaning


def _response_item(meaning: Meaning, item: Json) -> None:
    kind = item.get("type")
    is_unknown = item.get("role") == "assistant" and "content" in item
    match "message" if is_unknown else kind:
        case "message":
            for part in item["content"]:
                if part["type"] == "refusal":
                    meaning.say("refusal", part["refusal"])
                    continue
                meaning.say("text", part.get("text") or "")
                meaning.logprobs += len(part.get("logprobs") or [])
                for annotation in part.get("annotations") or []:
                    if annotation.get("type") == "url_citation":
                        meaning.cited.append(annotation["url"])
        case "reasoning":
            for part in item.get("summary") or item.get("content") or []:  # the one is a digest of the other
                meaning.say("reasoning", part["text"])
        case "function_call":
            space = item.get("namespace")
            name = item["name"] if space in {None, item["name"]} else f"{space}__{item['name']}"
            meaning.call(name, arguments_in(item["arguments"]), item.get("call_id"))
        case "custom_tool_call":
            space = item.get("namespace")
            name = item["name"] if space is None else f"{space}__{item['name']}"
            meaning.call(name, {"input": item["input"]}, item["call_id"])
        case "image_generation_call":
            if item.get("result"):
                meaning.image(item["result"])
        case "shell_call" if (item.get("environment") or {}).get("type") != "container_reference":
            meaning.foreign.append("shell_call")
        case "tool_search_call" if item.get("execution") == "client":
            meaning.foreign.append("tool_search_call")
        case kind if kind in _FOREIGN_ITEMS:
            meaning.foreign.append(str(kind))
        case _:
            pass  # what the provider ran itself
