"""Gemini, as Google answers `generateContent` and its stream of events."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pointsman.lab.voices.voice import Said, Stream, Voice, event

_WORDS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    529: "UNAVAILABLE",
}


class Gemini(Voice):
    """Its first event holds a word already, and so do all but the last."""

    dialect: ClassVar[str] = "gemini"
    heartbeat: ClassVar[bytes] = b"\r\n"  # Google's own readers know no comments

    def whole(self, said: Said) -> dict[str, Any]:
        return _chunk(said, said.text, "STOP")

    def stream(self, said: Said) -> Stream:
        return Stream(
            (),
            tuple(event(_chunk(said, word)) for word in said.words),
            (event(_chunk(said, "", "STOP")),),
        )

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": {"code": status, "message": message, "status": _WORDS.get(status, "INTERNAL")}}

    def stream_error(self, message: str) -> bytes:
        return event(self.error(500, message))

    def model_missing(self, model: str) -> str:
        return f"models/{model} is not found for API version v1beta, or is not supported for generateContent."


def _chunk(said: Said, text: str, finish_reason: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    usage = {"promptTokenCount": said.input_tokens, "totalTokenCount": said.input_tokens}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
        usage["candidatesTokenCount"] = said.output_tokens
        usage["totalTokenCount"] += said.output_tokens
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": said.model,
        "responseId": f"lab-{said.model}",
    }
