"""Why a request may be refused: what the other API has no words for and a caller relies on."""

import re
from typing import Any

from conformance.asked import Ask

_AUDIO_TAKERS = {"openai-chat", "gemini"}


def hindrances_of(source: Ask, target: str) -> list[str]:
    """Why the target may refuse: what it has no words for and a caller relies on."""
    found = [f"media {mark}" for mark in source.media if "url:file:" in mark]
    found += [path for path in source.others if _is_relied_on(path, source.others[path])]
    if source.others.get("moderation") and target != "openai-responses":
        found.append("moderation")
    if source.params.get("n", 1) > 1:
        found.append("n")
    if source.params.get("logprobs") and target == "anthropic-messages":
        found.append("logprobs")
    if len(source.params.get("stop") or []) > 4 or (
        source.params.get("stop") and target == "openai-responses"
    ):
        found.append("stop")
    if any(mark.startswith("audio:") for mark in source.media) and target not in _AUDIO_TAKERS:
        found.append("audio")
    if any(mark.startswith("other:") for mark in source.media):
        found.append("file of another program")
    if any(mark.startswith("heic:") for mark in source.media):
        found.append("a picture in a format of few")
    if source.shown_by_model and target in {"openai-chat", "openai-responses", "ollama"}:
        found.append("a picture that the model made")
    if any(mark.startswith("video:") for mark in source.media) and target != "gemini":
        found.append("video")
    if source.media and target == "ollama":
        found.append("media")
    found += [f"media {mark}" for mark in source.media if _is_at_an_odd_place(mark)]
    if any(mark.startswith("document:url:") for mark in source.media) and target == "openai-chat":
        found.append("document by address")
    if any("url:" in mark for mark in source.media) and target == "gemini":
        found.append("media by address")
    if target == "anthropic-messages":
        if not all(stop.strip() for stop in source.params.get("stop") or []):
            found.append("stop at white space")
        if not any(role != "system" and text.strip() for role, text in source.said):
            found.append("nothing said")
    if len(source.calls) != len(source.results):
        found.append("calls without results")
    return found


def _is_at_an_odd_place(mark: str) -> bool:
    """Only pictures and documents are fetched from anywhere, and only from the web."""
    return "url:" in mark and re.match(r"(?:document:)?url:https?:", mark) is None


_RELIED_ON = re.compile(
    r"tools\.|input\.\d+\.\w+$|previous_response_id|conversation|background|prompt|cachedContent|responseModalities"
    r"|speechConfig|imageConfig|audio|modalities|web_search_options|search_parameters|plugins|mcp|container|content\.\d+\."
    r"|parts\.\d+\.|inference_geo|thread|continuationToken|response_format|tool_choice|modelArmor|include\.|response_mime|responseMime"
)


def _is_relied_on(path: str, value: Any) -> bool:
    return not is_nothing(path, value) and _RELIED_ON.search(path) is not None


_AS_ABSENT: dict[str, Any] = {
    "store": (False, True), "service_tier": ("auto",), "background": (False,), "truncation": ("disabled",), "modalities": (["text"],),
    "responseModalities": (["TEXT"],), "detail": ("auto",), "role": ("user",), "context": ("auto",), "moderation": (),
    "execution": (), "includeServerSideToolInvocations": (False,),
    "usage": ({"include": True},), "stream_options": ({"include_obfuscation": False},),
}  # fmt: skip


def is_nothing(path: str, value: Any) -> bool:
    """True for a value that asks for what happens anyway."""
    name = path.rpartition(".")[2]
    return value in (None, False, [], {}, "") or value in _AS_ABSENT.get(name, ())
