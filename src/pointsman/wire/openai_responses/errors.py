"""OpenAI responses: errors in both directions, whole and within a stream. Which fault a provider's words mean is read
where both dialects of OpenAI read it.

Two readers of one stream want two things: OpenAI's SDKs raise at an `error` event, Codex acts on `response.failed`
and its code. OpenAI itself sends both, in this order.
"""

from typing import Any

import msgspec

from pointsman.core.errors import ExhaustedError, PointsmanError, UnknownModel, UpstreamError, UpstreamFault
from pointsman.wire.dialect import EncodedError, Headers
from pointsman.wire.openai_errors import Told, error_of_status, told
from pointsman.wire.sse import frame

_encode = msgspec.json.Encoder().encode

_UNKNOWN_MODEL_STATUS = 400  # where chat answers 404


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    return error_of_status(status, headers, body)


def encode_error(error: PointsmanError, request_id: str) -> EncodedError:
    said = told(error, request_id)
    status = _UNKNOWN_MODEL_STATUS if isinstance(error, UnknownModel) else said.status
    return EncodedError(status, _encode({"error": said.content}), said.headers)


def encode_stream_error(
    error: PointsmanError, request_id: str, *, response_id: str | None = None, sequence_number: int = 0
) -> bytes:
    """As the whole stream, or behind what there is of it: then its response's id and the number it has come to."""
    failure = failure_of(error, request_id)
    response: dict[str, Any] = {
        "id": response_id or response_id_of(request_id),
        "object": "response",
        "status": "failed",
        "error": {"code": failure["code"], "message": failure["message"]},
        "output": [],
        "usage": None,
    }
    return failed(failure, _encode(response), sequence_number)


def response_id_of(reply_id: str) -> str:
    return reply_id if reply_id.startswith("resp_") else f"resp_{reply_id}"


def failure_of(error: PointsmanError, request_id: str) -> dict[str, Any]:
    """The error as a stream tells it. Codex waits as long as a message says, and gives up at once when the code
    says that there is no money."""
    said: Told = told(error, request_id)
    cause = error.told if isinstance(error, ExhaustedError) else error
    failure: dict[str, Any] = dict(said.content)
    if isinstance(cause, UpstreamError):
        if cause.code == "insufficient_quota":
            failure["code"] = cause.code
        if cause.fault is UpstreamFault.RATE_LIMITED and cause.retry_after_s is not None:
            failure["message"] = f"{failure['message']} Please try again in {cause.retry_after_s:g}s."
    return failure


def failed(failure: dict[str, Any], response: bytes, sequence_number: int) -> bytes:
    """The two events. `response` is the whole response object."""
    event = {"type": "error", "sequence_number": sequence_number, **_flat(failure), "error": failure}
    end = b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (sequence_number + 1, response)
    return frame(_encode(event), "error") + frame(end, "response.failed")


def _flat(failure: dict[str, Any]) -> dict[str, Any]:
    """What the published form of the event holds at its top."""
    return {name: failure[name] for name in ("code", "message", "param")}
