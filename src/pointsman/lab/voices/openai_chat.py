"""OpenAI chat completions, as OpenAI answers them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pointsman.lab.voices.voice import Said, Stream, Voice, event

TYPES: Mapping[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("service_unavailable", None),
}
"""`type` and `code` by status; any other is a `server_error` without a code."""


def openai_error(status: int, message: str) -> dict[str, Any]:
    kind, code = TYPES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class OpenAiChat(Voice):
    """It tells usage in a stream only when it is asked for it."""

    dialect: ClassVar[str] = "openai-chat"

    def whole(self, said: Said) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": said.text,
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**_head(said, "chat.completion"), "choices": [choice], "usage": _usage(said)}

    def stream(self, said: Said) -> Stream:
        closing = [_chunk(said, {}, "stop")]
        options = said.asked.get("stream_options")
        if isinstance(options, Mapping) and options.get("include_usage"):
            head = _head(said, "chat.completion.chunk")
            closing.append(event({**head, "choices": [], "usage": _usage(said)}))
        return Stream(
            (_chunk(said, {"role": "assistant", "content": "", "refusal": None}),),
            tuple(_chunk(said, {"content": word}) for word in said.words),
            (*closing, b"data: [DONE]\n\n"),
        )

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def stream_error(self, message: str) -> bytes:
        return event(openai_error(500, message))


def _head(said: Said, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{said.model}", "object": kind, "created": 1_700_000_000, "model": said.model}


def _chunk(said: Said, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event({**_head(said, "chat.completion.chunk"), "choices": [choice]})


def _usage(said: Said) -> dict[str, Any]:
    return {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": said.input_tokens + said.output_tokens,
    }
