"""What answers of chat completions mean: of OpenAI's, and of those who say they speak it."""

import json
from typing import Any

from conformance.corpus import compact
from conformance.meaning import Call, Meaning, Stop, Tokens, arguments_in
from conformance.recorded.failures import BROKEN, failure_in

Json = dict[str, Any]


_CHAT_STOPS: dict[Any, Stop] = {
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "blocked",
    "sensitive": "blocked",  # Z.ai
    "max_tokens": "length",
    "max_output_tokens": "length",
    "safety": "blocked",
    "recitation": "blocked",
    "prohibited_content": "blocked",
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",
}
_CHAT_FAILURES = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""Of OpenRouter, Z.ai and DeepSeek: what was said is not the whole answer."""


def read(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    calls: dict[Any, Json] = {}
    finish: Any = None
    is_finished = not is_stream
    for chunk in chunks:
        choices = chunk.get("choices")
        if chunk.get("error") and not (choices and not is_stream and choices[0].get("message")):
            return Meaning(failure=failure_in(chunk))
        told = (chunk.get("x_groq") or {}).get("error")
        if told or (is_stream and choices is None and chunk.get("message")):
            return Meaning(failure=failure_in(told or chunk))
        sources = [*(chunk.get("citations") or []), *(chunk.get("search_results") or [])]
        meaning.cited += [each if isinstance(each, str) else each["url"] for each in sources]
        if chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"):
            meaning.usage = _chat_usage(chunk.get("usage") or chunk["x_groq"]["usage"])
        for choice in choices or []:
            if choice.get("index", 0) != 0:
                continue
            if choice.get("usage"):
                meaning.usage = _chat_usage(choice["usage"])  # Moonshot
            if choice.get("finish_reason") in _CHAT_FAILURES:
                return Meaning(failure=failure_in(choice.get("error")))
            _chat_choice(meaning, calls, choice, is_stream)
            ending = choice.get("finish_reason") or (choice.get("finish_details") or {}).get("type")
            if ending is not None:
                finish, is_finished = ending, True
        is_finished = is_finished or "is_done" in chunk
    for call in calls.values():
        arguments = call["arguments"] if call["is_function"] else {"input": call["arguments"]}
        value = arguments_in(arguments) if call["is_function"] else arguments
        meaning.calls.append(Call(call["name"], value, call["id"]))
    if (
        not is_finished
        or not [chunk for chunk in chunks if "is_done" not in chunk]
        or (not is_stream and not chunks[0].get("choices"))
    ):
        return Meaning(failure=BROKEN)
    stop = _CHAT_STOPS.get(finish.lower() if isinstance(finish, str) else finish, "done")
    meaning.ended("done" if stop == "tools" and not meaning.calls else stop)
    return meaning


def _chat_choice(meaning: Meaning, calls: dict[Any, Json], choice: Json, is_stream: bool) -> None:
    said = (is_stream and choice.get("delta")) or choice.get("message") or {}
    if choice.get("logprobs"):
        meaning.logprobs += len(choice["logprobs"].get("content") or [])
        meaning.logprobs += len(choice["logprobs"].get("refusal") or [])
    thoughts = said.get("reasoning_content") or said.get("reasoning") or ""
    if not thoughts:
        details = said.get("reasoning_details") or []
        thoughts = "".join(d.get("text") or d.get("summary") or "" for d in details)
    meaning.say("reasoning", thoughts)
    content = said.get("content")
    if isinstance(content, str):
        meaning.say("text", content)
    elif isinstance(content, list):
        for part in content:
            if part.get("type") == "thinking":
                thought = part["thinking"]
                told = thought if isinstance(thought, str) else "".join(piece["text"] for piece in thought)
                meaning.say("reasoning", told)
            elif part.get("type") == "reasoning":  # Databricks
                meaning.say("reasoning", "".join(piece["text"] for piece in part["summary"]))
            else:
                meaning.say("text", part.get("text") or "")
    elif isinstance(content, dict):
        meaning.say("text", compact(content).decode())
    meaning.say("refusal", said.get("refusal") or "")
    for annotation in said.get("annotations") or []:
        if annotation.get("type") == "url_citation":
            meaning.cited.append(annotation["url_citation"]["url"])
    meaning.say("text", (said.get("audio") or {}).get("transcript") or "")  # what is spoken can be read
    for image in said.get("images") or []:
        meaning.image(image["image_url"]["url"].partition("base64,")[2])
    known = len(calls)
    _chat_calls(said, calls, is_stream)
    if len(calls) > known:
        meaning.say("call")


def _chat_calls(said: Json, calls: dict[Any, Json], is_stream: bool) -> None:
    old = said.get("function_call")
    if old and (old.get("name") or "old" in calls):
        call = calls.setdefault("old", {"name": "", "arguments": "", "id": None, "is_function": True})
        call["name"] += old.get("name") or ""
        call["arguments"] += old.get("arguments") or ""
    for place, piece in enumerate(said.get("tool_calls") or []):
        index = piece.get("index")
        if not is_stream:
            index = ("whole", place)
        elif index is None:
            index = place if not piece.get("id") else ("id", piece["id"])
        function = piece.get("function") or piece.get("custom") or {}
        is_function = piece.get("custom") is None or bool((piece.get("function") or {}).get("name"))
        known = calls.get(index)
        if known is not None and piece.get("id") and known["id"] not in {None, piece["id"]}:
            index = ("again", piece["id"])  # another call under an index that is taken
            known = calls.get(index)
        if known is None:
            known = calls[index] = {"name": "", "arguments": "", "id": None, "is_function": is_function}
        known["id"] = known["id"] or piece.get("id")
        known["name"] = known["name"] or function.get("name") or ""
        arguments = function.get("arguments", function.get("input"))
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        known["arguments"] += arguments or ""


def _chat_usage(usage: Json) -> Tokens:
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens")
    for name in ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens", "num_cached_tokens"):
        cached = usage.get(name) if cached is None else cached
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    prompt, output, total = (usage.get(n) for n in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if None not in (prompt, output, total) and total > prompt + output:
        output = (
            total - prompt
        )  # some count what was thought beside what was said, and some only in the total
    written = details.get("cache_write_tokens")
    for counts, name in ((details, "cache_creation_input_tokens"), (usage, "cache_creation_input_tokens")):
        written = counts.get(name) if written is None else written
    if written is not None and prompt is not None:
        written = max(
            min(written, prompt - (cached or 0)), 0
        )  # OpenRouter counts some tokens as read and as written
    return Tokens(prompt, output, cached, reasoning, written)
