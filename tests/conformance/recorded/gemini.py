"""What answers of Gemini mean."""

from typing import Any

from conformance.meaning import Meaning, Stop, Tokens
from conformance.recorded.failures import BROKEN, failure_in

Json = dict[str, Any]


_GEMINI_BLOCKS = frozenset(
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "ESCALATION",
        "MODEL_ARMOR",
    ]
)
_GEMINI_FAILURES = frozenset(
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
        "TOO_MANY_TOOL_CALLS",
        "MALFORMED_RESPONSE",
        "FINISH_REASON_UNSPECIFIED",
        "PUP_LIMITED_DISABLED",
    ]
)
_GEMINI_NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}


def read(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    finish: Any = None
    growing: list[Json] = []
    cited: dict[str, None] = {}
    counts: Json = {}
    for chunk in chunks:
        if chunk.get("error"):
            return Meaning(failure=failure_in(chunk))
        counts = chunk.get("usageMetadata") or counts
        feedback = chunk.get("promptFeedback") or {}
        if feedback.get("blockReason") and not chunk.get("candidates"):
            finish = "SAFETY"
            meaning.explanation = feedback.get("blockReasonMessage") or ""
        for candidate in chunk.get("candidates") or []:
            if candidate.get("index", 0) != 0:
                continue
            for part in (candidate.get("content") or {}).get("parts") or []:
                _gemini_part(meaning, part, growing)
            finish = candidate.get("finishReason") or finish
            logprobs = candidate.get("logprobsResult") or {}
            meaning.logprobs += len(logprobs.get("chosenCandidates") or [])
            grounding = candidate.get("groundingMetadata") or {}
            for source in grounding.get("groundingChunks") or []:
                for place in (source.get("web"), source.get("maps"), source.get("retrievedContext")):
                    if place and place.get("uri"):
                        cited[place["uri"]] = None
            quoted = candidate.get("citationMetadata") or {}
            for source in quoted.get("citationSources") or quoted.get("citations") or []:
                if source.get("uri"):
                    cited[source["uri"]] = None
    meaning.cited = list(cited)
    finish = _GEMINI_NUMBERS.get(finish, finish)
    if finish is None or finish in _GEMINI_FAILURES:
        return Meaning(failure=BROKEN)  # Google's own words would quote the call
    if "promptTokenCount" in counts:
        meaning.usage = Tokens(
            counts["promptTokenCount"] + counts.get("toolUsePromptTokenCount", 0),
            counts.get("candidatesTokenCount", 0) + counts.get("thoughtsTokenCount", 0),
            counts.get("cachedContentTokenCount"),
            counts.get("thoughtsTokenCount"),
        )
    stop: Stop = "done"
    if finish in {"MAX_TOKENS", "CONTINUATION"}:
        stop = "length"
    elif finish in _GEMINI_BLOCKS:
        stop = "blocked"
    meaning.ended(stop)
    return meaning


def _gemini_part(meaning: Meaning, part: Json, growing: list[Json]) -> None:
    call = part.get("functionCall")
    if call is not None:
        _gemini_call(meaning, call, growing)
    elif "inlineData" in part and part.get("thought"):
        pass  # a draft
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
