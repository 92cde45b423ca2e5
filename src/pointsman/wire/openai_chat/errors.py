"""OpenAI chat: errors in both directions, framed as chat frames them. What they say, and which fault a provider's words
mean, is read where every dialect of OpenAI reads it."""

from typing import Any

import msgspec

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.wire import openai_errors
from pointsman.wire.dialect import EncodedError, Headers
from pointsman.wire.sse import frame

_encode = msgspec.json.Encoder().encode


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a provider meant by an answer that is not 2xx."""
    return openai_errors.error_of_status(status, headers, body)


def error_instead_of_reply(body: bytes) -> UpstreamError:
    """What a 200 answer means that is no chat completion: what it says, or that it is none."""
    return openai_errors.error_instead_of_reply(body, "a chat completion")


def encode_error(error: PointsmanError, request_id: str) -> EncodedError:
    told = openai_errors.told(error, request_id)
    return EncodedError(told.status, _content(told.content), told.headers)


def encode_stream_error(error: PointsmanError, request_id: str) -> bytes:
    """The event that makes an SDK raise. No [DONE] follows: it would look like an end."""
    return frame(_content(openai_errors.told(error, request_id).content))


def _content(content: dict[str, Any]) -> bytes:
    return _encode({"error": content})
