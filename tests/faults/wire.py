"""The starts, ends and errors of an answer on the wire, counted from its bytes without any SDK and without the gateway's
own readers."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counted:
    """`text` is all text there is, in the order it came; `ends` are successful ends, `errors` failures that are told.
    `unreadable` is set where an event is none."""

    starts: int = 0
    ends: int = 0
    errors: int = 0
    text: str = ""
    after_end: list[str] = field(default_factory=list)
    unreadable: str | None = None


def count(client: str, body: bytes, *, stream: bool) -> Counted:
    counted = Counted()
    try:
        events = _events(body) if stream else [(None, json.loads(body))]
    except ValueError as error:
        counted.unreadable = str(error)
        return counted
    for name, data in events:
        if counted.ends and client != "openai-chat":
            counted.after_end.append(str(name or data))
        _COUNT[client](counted, name, data, stream)
    return counted


def _events(body: bytes) -> list[tuple[str | None, Any]]:
    found: list[tuple[str | None, Any]] = []
    text = body.decode().replace("\r\n", "\n")
    if text.strip() and not text.endswith("\n\n"):
        raise ValueError("the stream ends within an event")
    for block in text.split("\n\n"):
        name, data = None, []
        for line in block.split("\n"):
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].strip())
        if data:
            joined = "\n".join(data)
            found.append((name, joined if joined == "[DONE]" else json.loads(joined)))
    return found


def _chat(counted: Counted, name: str | None, data: Any, stream: bool) -> None:
    if data == "[DONE]":
        # An error may be followed by it: some programs wait for it alone.
        counted.after_end += ["a second [DONE]"] if "[DONE]" in counted.after_end else []
        counted.after_end.append("[DONE]")
        return
    if "[DONE]" in counted.after_end:
        counted.after_end.append(str(data))
    if data.get("error"):
        counted.errors += 1
    for choice in data.get("choices") or []:
        said = choice.get("delta") if stream else choice["message"]
        counted.starts += said.get("role") == "assistant"
        counted.text += said.get("content") or ""
        counted.ends += choice.get("finish_reason") is not None


def _responses(counted: Counted, name: str | None, data: Any, stream: bool) -> None:
    if not stream:
        counted.starts = 1
        counted.ends += data["status"] in {"completed", "incomplete"}
        counted.errors += data["status"] == "failed"
        counted.text = "".join(part["text"] for item in data["output"] for part in item["content"])
        return
    kind = data["type"]
    counted.starts += kind == "response.created"
    counted.ends += kind in {"response.completed", "response.incomplete"}
    counted.errors += kind == "error"
    if kind == "response.output_text.delta":
        counted.text += data["delta"]


def _messages(counted: Counted, name: str | None, data: Any, stream: bool) -> None:
    if not stream:
        counted.starts = 1
        counted.ends += data.get("stop_reason") is not None
        counted.errors += data["type"] == "error"
        counted.text = "".join(block["text"] for block in data.get("content") or [])
        return
    kind = data["type"]
    counted.starts += kind == "message_start"
    counted.ends += kind == "message_stop"
    counted.errors += kind == "error"
    if kind == "content_block_delta":
        counted.text += data["delta"].get("text", "")


def _gemini(counted: Counted, name: str | None, data: Any, stream: bool) -> None:
    counted.starts = 1  # a Gemini stream has no event that opens it
    counted.errors += "error" in data
    for candidate in data.get("candidates") or []:
        parts = (candidate.get("content") or {}).get("parts") or []
        counted.text += "".join(part.get("text", "") for part in parts)
        counted.ends += "finishReason" in candidate


_COUNT = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
