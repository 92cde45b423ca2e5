"""Errors of the Messages API, both ways: what a provider said becomes an UpstreamError, what the gateway has
to say becomes an error the Anthropic SDKs understand. It decides on no retry of its own."""

import math
from typing import Any

import msgspec

from pointsman.core.errors import (
    CONSENT_REQUIRED,
    OF_THE_REQUEST,
    ClientError,
    ExhaustedError,
    PointsmanError,
    Unavailable,
    UpstreamError,
    UpstreamFault,
)
from pointsman.wire.context_limit import as_anthropic_says, is_exceeded
from pointsman.wire.dialect import EncodedError, Headers
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.secrets import without_secrets
from pointsman.wire.sse import frame
from pointsman.wire.statuses import (
    FAULT_OF_STATUS,
    no_such_model,
    retry_headers,
    status_of_rejected,
    wait_s,
)

_TYPE_OF_STATUS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}  # any other 4xx is an invalid_request_error

_ANSWER_TO_FAULT = {
    UpstreamFault.RATE_LIMITED: (429, "rate_limit_error"),
    UpstreamFault.OVERLOADED: (529, "overloaded_error"),
    UpstreamFault.TIMED_OUT: (504, "timeout_error"),
}
"""Any other fault of a provider is a 502 api_error. AUTH too: a 401 would tell callers that their own key is
wrong."""

_FAULT_OF_TYPE = {
    "overloaded_error": UpstreamFault.OVERLOADED,
    "rate_limit_error": UpstreamFault.RATE_LIMITED,
    "timeout_error": UpstreamFault.TIMED_OUT,
    "authentication_error": UpstreamFault.AUTH,
    "permission_error": UpstreamFault.AUTH,
    "billing_error": UpstreamFault.QUOTA,
    "invalid_request_error": UpstreamFault.REJECTED,
    "not_found_error": UpstreamFault.REJECTED,
    "request_too_large": UpstreamFault.REJECTED,
}  # any other type is a SERVER_ERROR

_SHOWN = OF_THE_REQUEST - {UpstreamFault.NO_SUCH_MODEL}

THREAD_UNSUPPORTED = "thread_unsupported_request"
"""Tells an SDK whose conversation was to be held by the server to send all of it from now on."""

_any = msgspec.json.Decoder(Any).decode
_encode = msgspec.json.Encoder().encode


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    kind, message = _said(body)
    if status in FAULT_OF_STATUS:
        fault = FAULT_OF_STATUS[status]
    elif 400 <= status < 500:
        fault = _fault_of_rejected(kind, message)
    elif status >= 500:
        fault = UpstreamFault.SERVER_ERROR
    else:
        fault = UpstreamFault.BAD_REPLY
    return UpstreamError(
        fault,
        message or f"the provider answered with status {status}",
        status=status,
        retry_after_s=wait_s(status, headers),
        code=kind,
        body=body if _may_be_shown(fault, message) else None,
        headers=retry_headers(headers),
    )


def _fault_of_rejected(kind: str | None, message: str) -> UpstreamFault:
    if is_exceeded(message, kind):
        return UpstreamFault.TOO_LONG
    if no_such_model(message):
        return UpstreamFault.NO_SUCH_MODEL
    # An empty account is told as a 400, but it is not the request's fault.
    if "content filtering" in message:
        return UpstreamFault.CONTENT_FILTER
    return UpstreamFault.QUOTA if "credit balance" in message else UpstreamFault.REJECTED


def _may_be_shown(fault: UpstreamFault, message: str) -> bool:
    """A provider's own words are the best there are, unless they hide from an agent what it waits for."""
    if fault is UpstreamFault.TOO_LONG:
        return as_anthropic_says(message) == message
    return fault in OF_THE_REQUEST


def error_in_reply(error: object, fault: UpstreamFault | None = None) -> UpstreamError:
    """What an `error` object within a 200 means. `fault` says so where its type does not matter."""
    kind, message = _of_error(error)
    found = fault or _FAULT_OF_TYPE.get(kind or "", UpstreamFault.SERVER_ERROR)
    if found is UpstreamFault.REJECTED:
        found = _fault_of_rejected(kind, message)
    return UpstreamError(found, message or "the provider reported an error", code=kind)


def bad_reply(what: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, what)


def _said(body: bytes) -> tuple[str | None, str]:
    """Type and message of an error body, of Anthropic's shape or of one like it."""
    try:
        said = _any(body)
    except NOT_JSON:
        return None, ""  # a page for people: nothing in it is for programs
    if isinstance(said, list) and said:
        said = said[0]  # Google, of the models that it serves
    if not isinstance(said, dict):
        return None, ""
    kind, message = _of_error(said.get("error"))
    if not message:
        _, message = _of_error(said)
    return kind, message or _clean(_detail(said))


def _detail(said: dict[str, Any]) -> object:
    """What servers of other makers call their message."""
    detail = said.get("detail") or said.get("msg")
    match detail:
        case [{"msg": str(message)}, *_]:  # FastAPI
            return message
        case _:
            return detail


def _of_error(error: object) -> tuple[str | None, str]:
    if isinstance(error, str):
        return None, _clean(error)
    if not isinstance(error, dict):
        return None, ""
    kind = error.get("type")
    return kind if isinstance(kind, str) else None, _clean(error.get("message"))


def _clean(message: object) -> str:
    if not isinstance(message, str):
        return ""
    return without_secrets(message)


def encode_error(error: PointsmanError, request_id: str) -> EncodedError:
    cause = error.told if isinstance(error, ExhaustedError) else error
    if isinstance(cause, UpstreamError) and cause.fault in _SHOWN and _is_ours(cause.body):
        assert cause.body is not None
        return EncodedError(status_of_rejected(cause), cause.body, _headers(cause, may_retry=False))
    status, kind, message = _told(error, cause)
    said: dict[str, Any] = {"type": kind, "message": message}
    if isinstance(cause, ClientError) and cause.code == THREAD_UNSUPPORTED:
        said["details"] = {"error_code": cause.code}
    if isinstance(error, ExhaustedError) and error.withheld:
        said["details"] = _withheld(error)
    body = _encode({"type": "error", "error": said, "request_id": request_id})
    may_retry = status in {429, 502, 503, 504, 529} and not _is_lasting(cause)
    return EncodedError(status, body, _headers(cause, may_retry=may_retry))


def encode_stream_error(error: PointsmanError, request_id: str | None) -> bytes:
    cause = error.told if isinstance(error, ExhaustedError) else error
    _, kind, message = _told(error, cause)
    said: dict[str, Any] = {"type": "error", "error": {"type": kind, "message": message}}
    if isinstance(error, ExhaustedError) and error.withheld:
        said["error"]["details"] = _withheld(error)
    if request_id is not None:
        said["request_id"] = request_id
    return frame(_encode(said), "error")


def _withheld(error: ExhaustedError) -> dict[str, Any]:
    """Which models were not asked, for programs that could consent."""
    return {"error_code": CONSENT_REQUIRED, "withheld": [each._asdict() for each in error.withheld]}


def _told(error: PointsmanError, cause: PointsmanError) -> tuple[int, str, str]:
    """Status, type and message. `cause` is the last failure where `error` is that of several attempts."""
    match cause:
        case ClientError():
            kind = _TYPE_OF_STATUS.get(cause.status, "invalid_request_error")
            return cause.status, kind, cause.message
        case UpstreamError(fault=UpstreamFault.TOO_LONG):
            return 400, "invalid_request_error", as_anthropic_says(cause.message)
        case UpstreamError(fault=UpstreamFault.REJECTED | UpstreamFault.CONTENT_FILTER):
            status = status_of_rejected(cause)
            return status, _TYPE_OF_STATUS.get(status, "invalid_request_error"), cause.message
        case UpstreamError():
            status, kind = _ANSWER_TO_FAULT.get(cause.fault, (502, "api_error"))
            return status, kind, error.message
        case Unavailable():
            return 529, "overloaded_error", cause.message
        case _:
            return 500, "api_error", "internal error"


def _is_ours(body: bytes | None) -> bool:
    """True for an error body of this dialect: its caller sees it as it is."""
    if body is None:
        return False
    try:
        said = _any(body)
    except NOT_JSON:
        return False
    return isinstance(said, dict) and said.get("type") == "error" and isinstance(said.get("error"), dict)


def _is_lasting(error: PointsmanError) -> bool:
    lasting = {UpstreamFault.AUTH, UpstreamFault.QUOTA, UpstreamFault.NO_SUCH_MODEL}
    return isinstance(error, UpstreamError) and error.fault in lasting


def _headers(cause: PointsmanError, *, may_retry: bool) -> tuple[tuple[bytes, bytes], ...]:
    if not may_retry:
        return ((b"x-should-retry", b"false"),)
    told: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(cause, UpstreamError | Unavailable) and cause.retry_after_s is not None:
        told = ((b"retry-after", b"%d" % math.ceil(cause.retry_after_s)),)
    if isinstance(cause, UpstreamError):
        told += tuple(cause.headers)
    return told
