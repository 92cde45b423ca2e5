"""Anthropic messages, as Anthropic answers them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pointsman.lab.voices.voice import Said, Stream, Voice, event

_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}


class AnthropicMessages(Voice):
    """One text block, with a ping in front of its first word."""

    dialect: ClassVar[str] = "anthropic-messages"
    heartbeat: ClassVar[bytes] = b'event: ping\ndata: {"type": "ping"}\n\n'

    def whole(self, said: Said) -> dict[str, Any]:
        return _message(said, [{"type": "text", "text": said.text}], "end_turn", said.output_tokens)

    def stream(self, said: Said) -> Stream:
        block = {"type": "text", "text": ""}
        ending = {"stop_reason": "end_turn", "stop_sequence": None}
        return Stream(
            (
                _event("message_start", message=_message(said, [], None, 1)),
                _event("content_block_start", index=0, content_block=block),
                _event("ping"),
            ),
            tuple(
                _event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
                for word in said.words
            ),
            (
                _event("content_block_stop", index=0),
                _event("message_delta", delta=ending, usage={"output_tokens": said.output_tokens}),
                _event("message_stop"),
            ),
        )

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = _TYPES.get(status, "api_error")
        return {
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": f"req_lab_{status}",
        }

    def stream_error(self, message: str) -> bytes:
        return _event("error", error={"type": "api_error", "message": message})

    def model_missing(self, model: str) -> str:
        return f"model: {model}"


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _message(
    said: Said, content: list[dict[str, Any]], stop_reason: str | None, output_tokens: int
) -> dict[str, Any]:
    return {
        "id": f"msg_{said.model}",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": said.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        },
    }
