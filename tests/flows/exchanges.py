"""Recorded exchanges as a provider can play them again, and a reading of their usage that shares nothing with
the dialects."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.core.usage import Usage
from pointsman.testing import Scripted, scripted

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
FILES = {
    "openai_chat": ("openai.chat", ("openai_chat", "openai_compat_chat")),
    "anthropic_messages": ("anthropic.messages", ("anthropic",)),
}


@dataclass(frozen=True)
class Exchange:
    """One request as it was sent and its answer, byte for byte where the recording is."""

    id: str
    request: dict[str, Any]
    status: int
    is_stream: bool
    answer: bytes

    @property
    def wants_stream(self) -> bool:
        return self.request.get("stream") is True

    def answered(self, cuts: int = 0) -> Scripted:
        """The answer as a provider sends it; a stream falls apart at so many places, an error stands apart."""
        if not self.is_stream:
            kind = [(b"content-type", b"application/json")]
            return scripted(body=self.answer, headers=kind, status=self.status)
        dice = random.Random(self.id)
        # Comments before the first event are no answer yet.
        words = max(self.answer.find(b"data:"), 0)
        first = self.answer.index(b"\n\n", words) + 2 if b"\n\n" in self.answer else len(self.answer)
        places = sorted(dice.sample(range(len(self.answer)), min(cuts, len(self.answer))))
        places = [first, *(place for place in places if place > first)]
        starts, ends = [0, *places], [*places, len(self.answer)]
        return scripted(sse=[self.answer[a:b] for a, b in zip(starts, ends, strict=True) if a < b])

    def events(self) -> list[dict[str, Any]]:
        """The JSON of each event, or of the whole answer."""
        if not self.is_stream:
            return [json.loads(self.answer)]
        lines = self.answer.decode().replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def golden(dialect: str) -> list[Exchange]:
    records = [json.loads(path.read_text("utf-8")) for path in sorted((GOLDEN / dialect).glob("*.json"))]
    return [_exchange(record) for record in records if _is_exact(record, record["source"]["fidelity"])]


def recorded(shared: Path, dialect: str) -> Iterator[Exchange]:
    endpoint, files = FILES[dialect]
    for file in files:
        with gzip.open(shared / "wire" / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["endpoint"] == endpoint and _is_exact(record, record["fidelity"]):
                    yield _exchange(record)


def _is_exact(record: dict[str, Any], fidelity: str) -> bool:
    return fidelity in {"wire", "wire_parsed"} and record["request"]["body"] is not None


def _exchange(record: dict[str, Any]) -> Exchange:
    response = record["response"]
    events = response.get("sse")
    return Exchange(
        record["id"],
        record["request"]["body"],
        response["status"],
        events is not None,
        json.dumps(response["body"]).encode() if events is None else "".join(events).encode(),
    )


def usage_of(dialect: str, exchange: Exchange) -> Usage | None:
    """Input, output, cached and reasoning tokens as the provider counts them; None where it says nothing."""
    read = _chat_usage if dialect == "openai_chat" else _messages_usage
    return read(exchange.events())


def _chat_usage(events: list[dict[str, Any]]) -> Usage | None:
    told: dict[str, Any] | None = None
    for event in events:
        told = event.get("usage") or (event.get("x_groq") or {}).get("usage") or told
        for choice in event.get("choices") or []:
            told = choice.get("usage") or told
    if told is None:
        return None
    prompt, completion = told["prompt_tokens"], told["completion_tokens"]
    if told.get("total_tokens") and told["total_tokens"] > prompt + completion:
        completion = told["total_tokens"] - prompt  # hidden reasoning stands in the total only
    details = told.get("prompt_tokens_details") or {}
    names = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")
    cached = [details.get("cached_tokens"), *(told.get(name) for name in names)]
    written = [details.get("cache_write_tokens"), told.get("cache_creation_input_tokens")]
    was_read = next((count for count in cached if count is not None), None)
    was_written = next((count for count in written if count is not None), None)
    return Usage(
        input_tokens=prompt,
        output_tokens=completion,
        cache_read_tokens=was_read,
        # OpenRouter may count a token as read and as written.
        cache_write_tokens=None if was_written is None else min(was_written, prompt - (was_read or 0)),
        reasoning_tokens=(told.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    )


def _messages_usage(events: list[dict[str, Any]]) -> Usage | None:
    told: dict[str, Any] = {}
    for event in events:
        for usage in (event.get("usage"), (event.get("message") or {}).get("usage")):
            told.update({name: value for name, value in (usage or {}).items() if value is not None})
        if event["type"] == "message_stop":
            break
    if not told:
        return None
    read, written = told.get("cache_read_input_tokens"), told.get("cache_creation_input_tokens")
    return Usage(
        input_tokens=told["input_tokens"] + (read or 0) + (written or 0),
        output_tokens=told["output_tokens"],
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=(told.get("cache_creation") or {}).get("ephemeral_1h_input_tokens"),
        reasoning_tokens=(told.get("output_tokens_details") or {}).get("thinking_tokens"),
    )


@dataclass
class Said:
    """What an answer says, without its packaging."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    reason: str = ""


def said(dialect: str, exchange: Exchange) -> Said:
    read = _chat_said if dialect == "openai_chat" else _messages_said
    return read(exchange.events())


def _chat_said(events: list[dict[str, Any]]) -> Said:
    answer = Said()
    calls: dict[Any, list[str]] = {}
    for choice in (choice for event in events for choice in event.get("choices") or []):
        if choice.get("index"):
            continue
        delta = choice.get("delta") or choice.get("message") or {}
        content = delta.get("content")
        if isinstance(content, list):
            content = "".join(block.get("text", "") for block in content)
        elif isinstance(content, dict):
            content = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        answer.text += (content or "") + (delta.get("refusal") or "")
        parts = list(delta.get("tool_calls") or [])
        if (delta.get("function_call") or {}).get("name") or (delta.get("function_call") or {}).get(
            "arguments"
        ):
            parts.append({"function": delta["function_call"]})
        for part in parts:
            call = calls.setdefault(part.get("index", part.get("id", 0)), ["", ""])
            function = part.get("function") or {
                "name": part["custom"]["name"],
                "arguments": json.dumps(part["custom"]),
            }
            call[0] = call[0] or function.get("name") or ""
            call[1] += function.get("arguments") or ""
        details = choice.get("finish_details") or {}
        answer.reason = str(choice.get("finish_reason") or details.get("type") or answer.reason)
    answer.calls = [(name, json.loads(arguments or "{}")) for name, arguments in calls.values()]
    return answer


def _messages_said(events: list[dict[str, Any]]) -> Said:
    answer = Said()
    pieces: dict[int, list[str]] = {}
    for event in events:
        match event["type"]:
            case "message":
                for index, block in enumerate(event["content"]):
                    if block["type"] == "text":
                        answer.text += block["text"]
                    elif block["type"] == "tool_use":
                        pieces[index] = [block["name"], json.dumps(block["input"])]
                answer.reason = event["stop_reason"]
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                pieces[event["index"]] = [event["content_block"]["name"], ""]
            case "content_block_delta" if event["delta"]["type"] == "text_delta":
                answer.text += event["delta"]["text"]
            case "content_block_delta" if (
                event["delta"]["type"] == "input_json_delta" and event["index"] in pieces
            ):
                pieces[event["index"]][1] += event["delta"]["partial_json"]
            case "message_delta":
                answer.reason = event["delta"]["stop_reason"]
            case "message_stop":
                break
    answer.calls = [(name, json.loads(text or "{}")) for name, text in pieces.values()]
    return answer
