"""What the tests of the chat dialect hold replies against: the official SDK, and a reading of a recorded answer
that shares nothing with the dialect."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from pointsman.core.errors import UpstreamError
from pointsman.core.events import Failed, Reply, ReplyEvent, fold
from pointsman.core.request import Text, Thinking, ToolCall
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_chat import OPENAI_CHAT

CONTEXT = ReplyContext("req_0190test", "tiny", 1_700_000_000, stream_usage=True)

Usage = tuple[int, int, int | None, int | None]
"""Prompt, completion, cached and reasoning tokens."""


@dataclass
class Meaning:
    """An answer without its packaging. Call ids are compared apart: some providers give none."""

    text: str = ""
    refusal: str = ""
    thinking: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    finish_reason: str = ""
    usage: Usage | None = None


REFUSED = "The model refused to answer."


def shown(meaning: Meaning) -> Meaning:
    """What a client is shown of it: who refuses without a word is given one."""
    if meaning.finish_reason == "content_filter" and not (meaning.text or meaning.calls or meaning.refusal):
        return replace(meaning, refusal=REFUSED)
    return meaning


# A plain reading of what was recorded


def recorded_chunks(stream: str) -> list[dict[str, Any]]:
    lines = stream.replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def meaning_of_recorded(chunks: Iterable[dict[str, Any]], kind: str) -> Meaning:
    """`chunks` of a stream (kind "delta"), or the one body of a whole answer (kind "message")."""
    meaning, raw, usage = Meaning(), None, None
    calls: dict[object, dict[str, str]] = {}
    for chunk in chunks:
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") or usage
        for choice in chunk.get("choices") or []:
            if choice.get("index", 0) == 0:
                _add(meaning, calls, choice.get(kind))
                details = choice.get("finish_details") or {}
                raw = choice.get("finish_reason") or details.get("type") or raw
    meaning.calls = [(call["name"], call["arguments"] or "{}") for call in calls.values()]
    cut = raw in {"length", "max_tokens"}
    meaning.finish_reason = (
        "length" if cut else "tool_calls" if calls else raw if raw == "content_filter" else "stop"
    )
    meaning.usage = usage and usage_of_recorded(usage)
    return meaning


def _add(meaning: Meaning, calls: dict[object, dict[str, str]], delta: dict[str, Any] | None) -> None:
    delta = delta or {}
    content = delta.get("content")
    if isinstance(content, dict):
        content = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    for block in content if isinstance(content, list) else [{"text": content or ""}]:
        meaning.text += block.get("text", "")
        meaning.thinking += "".join(piece["text"] for piece in block.get("thinking", []))
    meaning.text += (delta.get("audio") or {}).get("transcript") or ""
    meaning.refusal += delta.get("refusal") or ""
    spelled = [
        detail.get("text") or detail.get("summary") or "" for detail in delta.get("reasoning_details") or []
    ]
    meaning.thinking += delta.get("reasoning_content") or delta.get("reasoning") or "".join(spelled)
    parts = list(delta.get("tool_calls") or [])
    if (delta.get("function_call") or {}).get("name"):
        parts.append({"function": delta["function_call"]})
    for part in parts:
        call = calls.setdefault(part.get("index", part.get("id", 0)), {"name": "", "arguments": ""})
        function = part.get("function")
        if function is None:  # a custom tool
            function = {
                "name": part["custom"]["name"],
                "arguments": json.dumps({"input": part["custom"]["input"]}, separators=(",", ":")),
            }
        call["name"] = call["name"] or function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""


def usage_of_recorded(usage: dict[str, Any]) -> Usage | None:
    prompt, completion, total = (usage.get(f"{kind}_tokens") for kind in ("prompt", "completion", "total"))
    if prompt is None or completion is None:
        return None
    if total is not None and total > prompt + completion:
        completion = total - prompt  # xAI and Gemini: hidden reasoning is in the total only
    of_prompt, of_completion = (
        usage.get("prompt_tokens_details") or {},
        usage.get("completion_tokens_details") or {},
    )
    names = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")
    cached = [of_prompt.get("cached_tokens"), *(usage.get(name) for name in names)]
    return (
        prompt,
        completion,
        next((count for count in cached if count is not None), None),
        of_completion.get("reasoning_tokens"),
    )


# A reading of events


def meaning_of_reply(reply: Reply) -> Meaning:
    texts = [part for part in reply.parts if isinstance(part, Text)]
    reason = reply.finished.reason
    usage = reply.usage
    return Meaning(
        text="".join(text.text for text in texts if not text.is_refusal),
        refusal="".join(text.text for text in texts if text.is_refusal),
        thinking="".join(part.text for part in reply.parts if isinstance(part, Thinking)),
        calls=[(part.name, part.arguments) for part in reply.parts if isinstance(part, ToolCall)],
        finish_reason="stop" if reason == "refusal" else reason,
        usage=None
        if usage.input_tokens is None or usage.output_tokens is None
        else (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens),
    )


def comparable(events: Iterable[ReplyEvent]) -> list[object]:
    """Errors are equal when they say the same."""
    return [
        ("failed", event.error.fault, event.error.message) if isinstance(event, Failed) else event
        for event in events
    ]


def decoded(pieces: Iterable[bytes]) -> list[ReplyEvent]:
    decoder = OPENAI_CHAT.reply_decoder("openai")
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


def outcome(pieces: Iterable[bytes]) -> object:
    """An error is the same whether it is raised or told behind events of the same bytes."""
    try:
        events = decoded(pieces)
        fold(events)
    except UpstreamError as error:
        return error.fault, error.message
    return comparable(events)


def folded(stream: bytes) -> Reply:
    return fold(decoded([stream]))


# The official SDK reading what the dialect writes


class _Gateway:
    """An SDK client whose every call is answered with what was set last. Nothing leaves the process."""

    def __init__(self) -> None:
        self.answer = httpx2.Response(500)
        self.client = openai.OpenAI(
            api_key="test",
            base_url="http://gateway.test/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=httpx2.MockTransport(lambda _: self.answer)),
        )

    def answering(self, status: int, content_type: str, body: bytes, **headers: str) -> openai.OpenAI:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = httpx2.Response(status, headers={"content-type": content_type, **named}, content=body)
        return self.client


_GATEWAY = _Gateway()
_ASK: Any = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def sdk_completion(body: bytes) -> ChatCompletion:
    return _GATEWAY.answering(200, "application/json", body).chat.completions.create(**_ASK)


def sdk_chunks(stream: bytes) -> list[ChatCompletionChunk]:
    client = _GATEWAY.answering(200, "text/event-stream", stream)
    with client.chat.completions.create(**_ASK, stream=True) as chunks:
        return list(chunks)


def sdk_error(status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> openai.APIStatusError:
    named = {name.decode().replace("-", "_"): value.decode() for name, value in headers}
    try:
        _GATEWAY.answering(status, "application/json", body, **named).chat.completions.create(**_ASK)
    except openai.APIStatusError as error:
        return error
    raise AssertionError("the SDK saw no error")


def meaning_of_completion(completion: ChatCompletion) -> Meaning:
    (choice,) = completion.choices
    message = choice.message
    assert (completion.object, choice.index, message.role) == ("chat.completion", 0, "assistant")
    return Meaning(
        text=message.content or "",
        refusal=message.refusal or "",
        thinking=getattr(message, "reasoning_content", ""),
        calls=[(call.function.name, call.function.arguments) for call in message.tool_calls or []],
        finish_reason=choice.finish_reason,
        usage=_sdk_usage(completion.usage),
    )


def meaning_of_chunks(chunks: list[ChatCompletionChunk]) -> Meaning:
    """Deltas put together as every client does it."""
    meaning = Meaning()
    calls: dict[int, tuple[str, str]] = {}
    for chunk in chunks:
        meaning.usage = _sdk_usage(chunk.usage) or meaning.usage
        for choice in chunk.choices:
            delta = choice.delta
            meaning.text += delta.content or ""
            meaning.refusal += delta.refusal or ""
            meaning.thinking += getattr(delta, "reasoning_content", "")
            for call in delta.tool_calls or []:
                name, arguments = calls.get(call.index, ("", ""))
                calls[call.index] = (
                    name + (call.function.name or ""),
                    arguments + (call.function.arguments or ""),
                )
            meaning.finish_reason = choice.finish_reason or meaning.finish_reason
    assert list(calls) == list(range(len(calls)))
    meaning.calls = list(calls.values())
    return meaning


def _sdk_usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    of_prompt, of_completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return (
        usage.prompt_tokens,
        usage.completion_tokens,
        of_prompt and of_prompt.cached_tokens,
        of_completion and of_completion.reasoning_tokens,
    )
