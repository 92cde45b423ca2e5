"""Reads recorded answers as their makers document them, with nothing of the gateway: what is judged must not be
what judges. One function for each dialect."""

import json
from collections.abc import Iterator
from typing import Any

from conformance.corpus import Record, compact
from conformance.meaning import Failure, Meaning, Stop, Tokens, arguments_in

BROKEN = Failure(None)
Json = dict[str, Any]


def meaning_of(record: Record) -> Meaning:
    if record.status >= 400:
        return Meaning(failure=_http_failure(record))
    chunks = list(_chunks(record))
    if any(chunk is None for chunk in chunks):
        return Meaning(failure=BROKEN)
    told = [chunk for chunk in chunks if isinstance(chunk, dict)]
    read = {
        "openai-chat": chat,
        "openai-responses": responses,
        "anthropic-messages": messages,
        "gemini": gemini,
        "ollama": ollama,
    }[record.dialect]
    return read(told, record.stream is not None)


def _chunks(record: Record) -> Iterator[Any]:
    """The JSON values of an answer; None for what is not JSON."""
    if record.stream is None:
        yield json.loads(record.answer)
        return
    data: list[str] = []
    for line in [*record.stream.decode().replace("\r\n", "\n").split("\n"), ""]:
        if record.dialect == "ollama":
            if line.strip():
                yield _json(line)
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line and data:
            whole, data = "\n".join(data), []
            if whole.startswith("[DONE]"):
                yield {"is_done": True}
                return
            if whole:
                yield _json(whole)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def message_in(body: Any) -> str:
    """The words of an error body, whatever its shape."""
    if isinstance(body, list):
        return message_in(body[0]) if body else ""
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    for name in ("error", "message", "detail"):
        if body.get(name):
            return message_in(body[name])
    return str(body.get("msg") or "")


def _http_failure(record: Record) -> Failure:
    body = _json(record.answer.decode())
    message = message_in(body)
    text = record.answer.decode()
    is_auth = record.status in {401, 402, 403} or "API_KEY_INVALID" in text or "insufficient_quota" in text
    return Failure(record.status, message, is_auth)


# chat completions, of OpenAI and of those who say they speak it

_CHAT_STOPS: dict[Any, Stop] = {
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "blocked",
    "max_tokens": "length",
}


def chat(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    calls: dict[Any, Json] = {}
    finish: Any = None
    is_finished = not is_stream
    for chunk in chunks:
        choices = chunk.get("choices")
        if chunk.get("error") and not (choices and not is_stream and choices[0].get("message")):
            return Meaning(failure=Failure(None, message_in(chunk)))
        sources = [*(chunk.get("citations") or []), *(chunk.get("search_results") or [])]
        meaning.cited += [each if isinstance(each, str) else each["url"] for each in sources]
        if chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"):
            meaning.usage = _chat_usage(chunk.get("usage") or chunk["x_groq"]["usage"])
        for choice in choices or []:
            if choice.get("index", 0) != 0:
                continue
            _chat_choice(meaning, calls, choice, is_stream)
            ending = choice.get("finish_reason") or (choice.get("finish_details") or {}).get("type")
            if ending is not None:
                finish, is_finished = ending, True
        is_finished = is_finished or "is_done" in chunk
    for call in calls.values():
        arguments = call["arguments"] if call["is_function"] else {"input": call["arguments"]}
        meaning.call(call["name"], arguments_in(arguments) if call["is_function"] else arguments, call["id"])
    if not is_finished or not chunks or (not is_stream and not chunks[0].get("choices")):
        return Meaning(failure=BROKEN)
    meaning.ended(_CHAT_STOPS.get(finish, "done"))
    return meaning


def _chat_choice(meaning: Meaning, calls: dict[Any, Json], choice: Json, is_stream: bool) -> None:
    said = choice.get("delta" if is_stream else "message") or {}
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
                meaning.say("reasoning", "".join(piece["text"] for piece in part["thinking"]))
            else:
                meaning.say("text", part.get("text") or "")
    elif isinstance(content, dict):
        meaning.say("text", compact(content).decode())
    meaning.say("refusal", said.get("refusal") or "")
    for annotation in said.get("annotations") or []:
        if annotation.get("type") == "url_citation":
            meaning.cited.append(annotation["url_citation"]["url"])
    if (said.get("audio") or {}).get("data"):
        meaning.foreign.append("audio")
    for image in said.get("images") or []:
        meaning.image(image["image_url"]["url"].partition("base64,")[2])
    _chat_calls(said, calls)


def _chat_calls(said: Json, calls: dict[Any, Json]) -> None:
    old = said.get("function_call")
    if old and (old.get("name") or "old" in calls):
        call = calls.setdefault("old", {"name": "", "arguments": "", "id": None, "is_function": True})
        call["name"] += old.get("name") or ""
        call["arguments"] += old.get("arguments") or ""
    for place, piece in enumerate(said.get("tool_calls") or []):
        index = piece.get("index")
        if index is None:
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
    return Tokens(prompt, output, cached, reasoning)


# responses

_FOREIGN_ITEMS = frozenset(
    {"mcp_approval_request", "local_shell_call", "apply_patch_call", "computer_call"}
)  # a caller would have to act on them


def responses(chunks: list[Json], is_stream: bool) -> Meaning:
    if not is_stream:
        return _response(chunks[0], chunks[0].get("output") or [])
    done: list[Json] = []
    for event in chunks:
        kind = event.get("type")
        if kind == "response.output_item.done":
            done.append(event["item"])
        elif kind == "error":
            return Meaning(failure=Failure(None, message_in(event)))
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            whole = event["response"]
            return _response(whole, whole.get("output") or done)
    return Meaning(failure=BROKEN)


def _response(whole: Json, items: list[Json]) -> Meaning:
    meaning = Meaning()
    if whole.get("status") in {"queued", "in_progress"}:
        return Meaning(failure=BROKEN)  # it is to be asked for later
    if whole.get("status") == "failed" or whole.get("error"):
        return Meaning(failure=Failure(None, message_in(whole.get("error"))))
    for item in items:
        _response_item(meaning, item)
    usage = whole.get("usage")
    if usage:
        meaning.usage = Tokens(
            usage.get("input_tokens"),
            usage.get("output_tokens"),
            (usage.get("input_tokens_details") or {}).get("cached_tokens"),
            (usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
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
            for part in [*(item.get("summary") or []), *(item.get("content") or [])]:
                meaning.say("reasoning", part["text"])
        case "function_call":
            space = item.get("namespace")
            name = item["name"] if space in {None, item["name"]} else f"{space}__{item['name']}"
            meaning.call(name, arguments_in(item["arguments"]), item["call_id"])
        case "custom_tool_call":
            meaning.call(item["name"], {"input": item["input"]}, item["call_id"])
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


# messages

_MESSAGES_STOPS: dict[Any, Stop] = {
    "end_turn": "done",
    "stop_sequence": "done",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "refusal": "blocked",
    "pause_turn": "pause",
}


def messages(chunks: list[Json], is_stream: bool) -> Meaning:
    if not is_stream:
        whole = chunks[0]
        if whole.get("type") == "error":
            return Meaning(failure=Failure(None, message_in(whole)))
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
                return Meaning(failure=Failure(None, message_in(event)))
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
                meaning.cited += [c["url"] for c in block.get("citations") or [] if c.get("url")]
            case "thinking":
                meaning.say("reasoning", block["thinking"])
            case "tool_use":
                arguments = arguments_in(block["json"]) if block.get("json") else block["input"]
                meaning.call(block["name"], arguments, block["id"])
            case _:
                pass  # sealed, or what the provider ran itself
    usage = whole.get("usage") or {}
    counts = [usage.get(f"{name}input_tokens") for name in ("", "cache_read_", "cache_creation_")]
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    if usage:
        meaning.usage = Tokens(sum(n or 0 for n in counts), usage.get("output_tokens"), counts[1], thought)
    meaning.ended(_MESSAGES_STOPS.get(whole.get("stop_reason"), "done"))
    meaning.stop_sequence = whole.get("stop_sequence")
    if meaning.stop == "blocked" and not meaning.text:
        meaning.explanation = (whole.get("stop_details") or {}).get("explanation") or ""
    return meaning


# Gemini

_GEMINI_BLOCKS = frozenset(
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "MODEL_ARMOR",
    ]
)
_GEMINI_FAILURES = frozenset(["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"])
_GEMINI_NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}


def gemini(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    finish: Any = None
    growing: list[Json] = []
    cited: dict[str, None] = {}
    counts: Json = {}
    for chunk in chunks:
        if chunk.get("error"):
            return Meaning(failure=Failure(None, message_in(chunk)))
        counts = chunk.get("usageMetadata") or counts
        if (chunk.get("promptFeedback") or {}).get("blockReason") and not chunk.get("candidates"):
            finish = "SAFETY"
        for candidate in (chunk.get("candidates") or [])[:1]:
            for part in (candidate.get("content") or {}).get("parts") or []:
                _gemini_part(meaning, part, growing)
            finish = candidate.get("finishReason") or finish
            logprobs = candidate.get("logprobsResult") or {}
            meaning.logprobs += len(logprobs.get("chosenCandidates") or [])
            grounding = candidate.get("groundingMetadata") or {}
            for source in grounding.get("groundingChunks") or []:
                if "web" in source:
                    cited[source["web"]["uri"]] = None
    meaning.cited = list(cited)
    finish = _GEMINI_NUMBERS.get(finish, finish)
    if finish is None or finish in _GEMINI_FAILURES:
        return Meaning(failure=BROKEN)
    if "promptTokenCount" in counts:
        meaning.usage = Tokens(
            counts["promptTokenCount"] + counts.get("toolUsePromptTokenCount", 0),
            counts.get("candidatesTokenCount", 0) + counts.get("thoughtsTokenCount", 0),
            counts.get("cachedContentTokenCount"),
            counts.get("thoughtsTokenCount"),
        )
    stop: Stop = "done"
    if finish == "MAX_TOKENS":
        stop = "length"
    elif finish in _GEMINI_BLOCKS:
        stop = "blocked"
    meaning.ended(stop)
    return meaning


def _gemini_part(meaning: Meaning, part: Json, growing: list[Json]) -> None:
    call = part.get("functionCall")
    if call is not None:
        _gemini_call(meaning, call, growing)
    elif "inlineData" in part:
        if part["inlineData"]["mimeType"].startswith("image/"):
            meaning.image(part["inlineData"]["data"])
        else:
            meaning.foreign.append("audio")
    elif part.get("text"):
        meaning.say("reasoning" if part.get("thought") else "text", part["text"])


def _gemini_call(meaning: Meaning, call: Json, growing: list[Json]) -> None:
    """A call comes whole, or its arguments grow over several chunks at the places that their paths name."""
    if call.get("name"):
        arguments = dict(call.get("args") or {})
        meaning.call(call["name"], arguments, call.get("id"))
        growing[:] = [arguments]
    for piece in call.get("partialArgs") or []:
        value = next((piece[n] for n in ("stringValue", "numberValue", "boolValue") if n in piece), None)
        _put(growing[0], piece["jsonPath"], value)


def _put(arguments: Json, path: str, value: Any) -> None:
    steps = path.removeprefix("$").replace("[", ".").replace("]", "").replace("'", "").strip(".").split(".")
    place: Any = arguments
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        key: Any = int(step) if isinstance(place, list) else step
        if isinstance(place, list) and key == len(place):
            place.append(None)
        old = place[key] if isinstance(place, list) else place.get(key)
        if after is None:
            place[key] = old + value if isinstance(old, str) and isinstance(value, str) else value
        else:
            if old is None:
                place[key] = [] if after.isdigit() else {}
            place = place[key]


# Ollama


def ollama(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    for chunk in chunks:
        if chunk.get("error"):
            return Meaning(failure=Failure(None, message_in(chunk)))
        said = chunk.get("message") or {}
        meaning.say("reasoning", said.get("thinking") or "")
        meaning.say("text", said.get("content") or "")
        for call in said.get("tool_calls") or []:
            meaning.call(call["function"]["name"], call["function"].get("arguments") or {}, call.get("id"))
        if chunk.get("done"):
            if "prompt_eval_count" in chunk or "eval_count" in chunk:
                meaning.usage = Tokens(chunk.get("prompt_eval_count"), chunk.get("eval_count"))
            meaning.ended("length" if chunk.get("done_reason") == "length" else "done")
            return meaning
    return Meaning(failure=BROKEN)
