"""What answers of the Messages API mean."""

from typing import Any

from conformance.meaning import Meaning, Stop, Tokens, arguments_in
from conformance.recorded.failures import BROKEN, failure_in

Json = dict[str, Any]


_MESSAGES_STOPS: dict[Any, Stop] = {
    "end_turn": "done",
    "stop_sequence": "done",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "refusal": "blocked",
    "pause_turn": "pause",
    "compaction": "pause",
    "length": "length",
}


def read(chunks: list[Json], is_stream: bool) -> Meaning:
    if not is_stream:
        whole = chunks[0]
        if whole.get("type") == "error":
            return Meaning(failure=failure_in(whole))
        return _message(whole)
    whole = {}
    blocks: dict[int, Json] = {}
    for event in chunks:
        match event.get("type"):
            case "message_start":
                if whole:
                    return Meaning(failure=BROKEN)
                whole = {**event["message"]}
            case "content_block_start":
                blocks[event["index"]] = {**event["content_block"], "json": ""}
            case "content_block_delta":
                _grow(blocks[event["index"]], event["delta"])
            case "message_delta":
                whole |= event["delta"]
                told = {name: n for name, n in (event.get("usage") or {}).items() if n is not None}
                whole["usage"] = {**(whole.get("usage") or {}), **told}
            case "error":
                return Meaning(failure=failure_in(event))
            case None if "error" in event:
                return Meaning(failure=failure_in(event))
            case "message_stop":
                return _message({**whole, "content": list(blocks.values())})
    return Meaning(failure=BROKEN)


def _grow(block: Json, delta: Json) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "input_json_delta":
            block["json"] += delta["partial_json"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        case _:
            pass


def _message(whole: Json) -> Meaning:
    meaning = Meaning()
    for block in whole["content"]:
        match block["type"]:
            case "text":
                meaning.say("text", block["text"])
                meaning.cited += [
                    url for c in block.get("citations") or [] if (url := c.get("url") or c.get("source"))
                ]
            case "thinking":
                meaning.say("reasoning", block["thinking"])
            case "tool_use":
                arguments = arguments_in(block["json"]) if block.get("json") else block["input"] or {}
                meaning.call(block["name"], arguments, block["id"])
            case _:
                pass  # sealed, or what the provider ran itself
    usage = whole.get("usage") or {}
    counts = [usage.get(f"{name}input_tokens") for name in ("", "cache_read_", "cache_creation_")]
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    if usage:
        meaning.usage = Tokens(
            sum(n or 0 for n in counts), usage.get("output_tokens"), counts[1], thought, counts[2]
        )
    meaning.ended(_MESSAGES_STOPS.get(whole.get("stop_reason"), "done"))
    meaning.stop_sequence = whole.get("stop_sequence")
    if meaning.stop == "blocked" and not meaning.text:
        meaning.explanation = (whole.get("stop_details") or {}).get("explanation") or ""
    return meaning
