"""Ollama's own chat API, as an Ollama server answers it: lines of JSON."""

import json
from typing import Any, ClassVar

from pointsman.lab.voices.voice import Said, Stream, Voice


class Ollama(Voice):
    """An error is a bare text in every case."""

    dialect: ClassVar[str] = "ollama"
    stream_type: ClassVar[bytes] = b"application/x-ndjson"
    heartbeat: ClassVar[bytes] = b"\n"

    def whole(self, said: Said) -> dict[str, Any]:
        return {**_line(said, said.text), **_end(said)}

    def stream(self, said: Said) -> Stream:
        return Stream(
            (_bytes(_line(said, "")),),
            tuple(_bytes(_line(said, word)) for word in said.words),
            (_bytes({**_line(said, ""), **_end(said)}),),
        )

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": message}

    def stream_error(self, message: str) -> bytes:
        return _bytes({"error": message})

    def unreadable(self) -> bytes:
        return b'{"message": {"role": "assistant", "content": \n'

    def model_missing(self, model: str) -> str:
        return f"model '{model}' not found"


def _line(said: Said, text: str) -> dict[str, Any]:
    return {
        "model": said.model,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "message": {"role": "assistant", "content": text},
        "done": False,
    }


def _end(said: Said) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": 1_000_000,
        "prompt_eval_count": said.input_tokens,
        "eval_count": said.output_tokens,
    }


def _bytes(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"
