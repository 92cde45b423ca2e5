"""The recorded exchanges that are judged, each with the dialect it was recorded in. It reads no meaning."""

import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIALECT_OF_ENDPOINT = {
    "openai.chat": "openai-chat",
    "openai.responses": "openai-responses",
    "anthropic.messages": "anthropic-messages",
    "gemini.generateContent": "gemini",
    "gemini.streamGenerateContent": "gemini",
    "ollama.chat": "ollama",
}
_FILES = ("anthropic", "gemini", "misc", "ollama", "openai_chat", "openai_compat_chat", "openai_responses")


@dataclass(frozen=True)
class Record:
    """One exchange. `request` is the body as sent, None where only the answer was published. Of `body` and `stream`
    one is set, and neither where only the request is known."""

    id: str
    dialect: str
    provider: str
    model: str
    is_stream: bool
    request: bytes | None
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    stream: bytes | None

    @property
    def has_answer(self) -> bool:
        return self.body is not None or self.stream is not None

    @property
    def answer(self) -> bytes:
        answer = self.body if self.stream is None else self.stream
        assert answer is not None
        return answer

    def random(self, salt: str) -> random.Random:
        """Always the same for the same record and purpose."""
        return random.Random(hashlib.sha256(f"{self.id} {salt}".encode()).digest())


_TESTS = Path(__file__).resolve().parent.parent


def records() -> list[Record]:
    """All recordings, where they lie beside the repository; else the selection that is in it."""
    shared = Path(os.environ.get("POINTSMAN_SHARED", _TESTS.parent.parent / "shared"))
    raw = _raw(shared / "wire") if (shared / "wire").is_dir() else _selected()
    return [_record(each) for each in raw if not _is_mislabelled(each)]


def _selected() -> Iterator[dict[str, Any]]:
    for path in sorted(_TESTS.glob("golden/*/*.json")):
        raw = json.loads(path.read_text())
        if raw.get("endpoint") in DIALECT_OF_ENDPOINT:
            yield {"provider": "local", **raw}


def _raw(folder: Path) -> Iterator[dict[str, Any]]:
    for file in _FILES:
        with gzip.open(folder / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                raw = json.loads(line)
                if raw["endpoint"] in DIALECT_OF_ENDPOINT:
                    yield raw


def _is_mislabelled(raw: dict[str, Any]) -> bool:
    """What a test suite of some project passed off as an answer of this endpoint, and which is none of it."""
    body = raw["response"].get("body")
    if not isinstance(body, dict):
        return False
    if raw["endpoint"] in {"ollama.chat", "openai.responses"}:
        return "choices" in body
    if raw["endpoint"] == "gemini.generateContent":
        return "predictions" in body or "expireTime" in body or "totalTokens" in body
    return False


def _record(raw: dict[str, Any]) -> Record:
    request, response = raw["request"], raw["response"]
    dialect = DIALECT_OF_ENDPOINT[raw["endpoint"]]
    body, stream = None, None
    if "sse" in response or "lines" in response:
        stream = "".join(response.get("sse") or response["lines"]).encode()
    elif isinstance(response["body"], list) and raw["endpoint"] == "gemini.streamGenerateContent":
        # The same chunks as they come when they are asked for as events.
        stream = b"".join(b"data: " + compact(chunk) + b"\r\n\r\n" for chunk in response["body"])
    else:
        body = compact(response["body"])
    asked = request["body"]
    return Record(
        id=raw["id"],
        dialect=dialect,
        provider=raw["provider"],
        model=_model_in(request),
        is_stream=raw["streaming"],
        request=None if asked is None else compact(asked),
        status=response["status"],
        headers=tuple((name.lower().encode(), str(value).encode()) for name, value in _headers(response)),
        body=body,
        stream=stream,
    )


def _headers(response: dict[str, Any]) -> list[tuple[str, str]]:
    headers = response.get("headers") or {}
    return list(headers.items()) if isinstance(headers, dict) else [tuple(pair) for pair in headers]


def _model_in(request: dict[str, Any]) -> str:
    body = request["body"]
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        return str(body["model"])
    path = str(request.get("path") or "")
    return path.rpartition("/models/")[2].partition(":")[0] or "some-model"


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
