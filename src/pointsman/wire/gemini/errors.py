"""Errors of the Gemini API, both ways: what a provider said becomes an UpstreamError, what the gateway has to say
becomes an error that Google's SDKs understand. It decides on no retry of its own."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from pointsman.core.errors import (
    CONSENT_REQUIRED,
    ClientError,
    ExhaustedError,
    PointsmanError,
    Unavailable,
    UpstreamError,
    UpstreamFault,
)
from pointsman.wire.context_limit import is_exceeded
from pointsman.wire.dialect import EncodedError, Headers
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.secrets import without_secrets
from pointsman.wire.statuses import FAULT_OF_STATUS, no_such_model, status_of_rejected, wait_s

_STATUS_WORDS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_ANSWER_TO_FAULT = {
    UpstreamFault.RATE_LIMITED: 429,
    UpstreamFault.OVERLOADED: 503,
    UpstreamFault.TIMED_OUT: 504,
}
"""Any other fault of a provider is a 502. AUTH too: a 401 would tell callers that their own key is wrong."""

_FAULT_OF_WORD = {
    "UNAUTHENTICATED": UpstreamFault.AUTH,
    "PERMISSION_DENIED": UpstreamFault.AUTH,
    "RESOURCE_EXHAUSTED": UpstreamFault.RATE_LIMITED,
    "UNAVAILABLE": UpstreamFault.OVERLOADED,
    "DEADLINE_EXCEEDED": UpstreamFault.TIMED_OUT,
    "INTERNAL": UpstreamFault.SERVER_ERROR,
    "UNKNOWN": UpstreamFault.SERVER_ERROR,
    "ABORTED": UpstreamFault.SERVER_ERROR,
    "INVALID_ARGUMENT": UpstreamFault.REJECTED,
    "FAILED_PRECONDITION": UpstreamFault.REJECTED,
    "OUT_OF_RANGE": UpstreamFault.REJECTED,
    "NOT_FOUND": UpstreamFault.REJECTED,
    "UNIMPLEMENTED": UpstreamFault.REJECTED,
}

_NO_ACCOUNT = re.compile(r"(?i)api[ _]key|user location is not supported|billing")
"""What a bad key, a country or an unpaid account is told as: 400 INVALID_ARGUMENT or FAILED_PRECONDITION."""

_SHOWN = frozenset({UpstreamFault.REJECTED, UpstreamFault.CONTENT_FILTER})

_TYPE = "type.googleapis.com/google.rpc."
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")

_any = msgspec.json.Decoder(Any).decode
_encode = msgspec.json.Encoder().encode


class _Told(NamedTuple):
    """What an error body says. `reason` is a word for programs that is finer than `word`."""

    message: str = ""
    word: str | None = None
    reason: str | None = None
    status: int | None = None
    retry_after_s: float | None = None
    param: str | None = None


# From a provider


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    try:
        told = _read(_any(body))
    except NOT_JSON:
        told = _Told()  # a page for people: nothing in it is for programs
    fault = _fault(status, told)
    waits = wait_s(status, headers)
    return UpstreamError(
        fault,
        told.message or f"the provider answered with status {status}",
        status=status,
        retry_after_s=told.retry_after_s if waits is None else waits,
        code=told.reason or told.word,
        param=told.param,
        body=body if fault in _SHOWN else None,
    )


def error_in_reply(error: object) -> UpstreamError:
    """What an `error` within a 200 means."""
    told = _read({"error": error})
    status = told.status or 0
    return UpstreamError(
        _fault(status, told) if status >= 400 or told.word else UpstreamFault.BAD_REPLY,
        told.message or "the provider reported an error",
        status=told.status,
        retry_after_s=told.retry_after_s,
        code=told.reason or told.word,
    )


def bad_reply(what: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, what)


def _fault(status: int, told: _Told) -> UpstreamFault:
    if told.reason in {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        return UpstreamFault.AUTH
    if told.reason == "BILLING_DISABLED":
        return UpstreamFault.QUOTA
    if status in FAULT_OF_STATUS:
        return FAULT_OF_STATUS[status]
    if 400 <= status < 500:
        if is_exceeded(told.message, None):
            return UpstreamFault.TOO_LONG
        if no_such_model(told.message):
            return UpstreamFault.NO_SUCH_MODEL
        return UpstreamFault.AUTH if _NO_ACCOUNT.search(told.message) else UpstreamFault.REJECTED
    if status >= 500:
        return UpstreamFault.SERVER_ERROR
    return _FAULT_OF_WORD.get(told.word or "", UpstreamFault.BAD_REPLY)


def _read(said: object) -> _Told:
    if isinstance(said, list):  # a stream that was asked for as an array
        said = said[0] if said else None
    if not isinstance(said, dict):
        return _Told()
    error = said.get("error", said)
    if isinstance(error, str):
        return _Told(without_secrets(error))
    if not isinstance(error, dict):
        return _Told()
    message, word, code = error.get("message"), error.get("status"), error.get("code")
    told = _Told(
        message=without_secrets(message) if isinstance(message, str) else "",
        word=word if isinstance(word, str) else None,
        status=code if isinstance(code, int) else None,
    )
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            told = _with_detail(told, detail)
    return told


def _with_detail(told: _Told, detail: dict[str, Any]) -> _Told:
    match detail:
        case {"retryDelay": str(delay)} if found := _DURATION.fullmatch(delay):
            return told._replace(retry_after_s=float(found[1]))
        case {"reason": str(reason)}:
            return told._replace(reason=reason)
        case {"fieldViolations": [{"field": str(field)}, *_]}:
            return told._replace(param=field)
        case _:
            return told


# Towards a client


def encode_error(error: PointsmanError, request_id: str) -> EncodedError:
    cause = error.told if isinstance(error, ExhaustedError) else error
    if isinstance(cause, UpstreamError) and cause.fault in _SHOWN and _is_ours(cause.body):
        assert cause.body is not None
        return EncodedError(status_of_rejected(cause), cause.body)
    status, said = _told(error, cause, request_id)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    waits = _wait_s(cause)
    if status in {429, 502, 503, 504} and waits is not None:
        headers = ((b"retry-after", b"%d" % math.ceil(waits)),)
    return EncodedError(status, _encode({"error": said}), headers)


def stream_error(error: PointsmanError, request_id: str | None) -> bytes:
    """The JSON that tells a client in the middle of a stream that its reply broke; without framing."""
    cause = error.told if isinstance(error, ExhaustedError) else error
    return _encode({"error": _told(error, cause, request_id)[1]})


def _told(error: PointsmanError, cause: PointsmanError, request_id: str | None) -> tuple[int, dict[str, Any]]:
    """Status and `error`. `cause` is the last failure where `error` is that of several attempts."""
    status, message = _status_and_message(error, cause)
    details: list[dict[str, Any]] = []
    if isinstance(cause, ClientError | UpstreamError):
        if cause.code:
            details.append({"@type": f"{_TYPE}ErrorInfo", "reason": cause.code, "domain": "pointsman"})
        if cause.param and status == 400:
            violation = {"field": cause.param, "description": message}
            details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if isinstance(error, ExhaustedError) and error.withheld:
        details.insert(0, _withheld(error))
    waits = _wait_s(cause)
    if waits is not None and status in {429, 502, 503, 504}:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{waits:g}s"})
    if request_id is not None:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    word = _STATUS_WORDS.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    return status, {"code": status, "message": message, "status": word, "details": details}


def _withheld(error: ExhaustedError) -> dict[str, Any]:
    """Which models were not asked, for programs that could consent."""
    return {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": CONSENT_REQUIRED,
        "domain": "pointsman",
        "metadata": {each.target: each.ceiling for each in error.withheld},
    }


def _status_and_message(error: PointsmanError, cause: PointsmanError) -> tuple[int, str]:
    match cause:
        case ClientError():
            return cause.status, cause.message
        case UpstreamError(
            fault=UpstreamFault.REJECTED | UpstreamFault.CONTENT_FILTER | UpstreamFault.TOO_LONG
        ):
            return status_of_rejected(cause), cause.message
        case UpstreamError():
            return _ANSWER_TO_FAULT.get(cause.fault, 502), error.message
        case Unavailable():
            return 503, cause.message
        case _:
            return 500, "internal error"


def _wait_s(cause: PointsmanError) -> float | None:
    if isinstance(cause, UpstreamError) and cause.fault in {UpstreamFault.AUTH, UpstreamFault.QUOTA}:
        return None
    return cause.retry_after_s if isinstance(cause, UpstreamError | Unavailable) else None


def _is_ours(body: bytes | None) -> bool:
    """True for an error body of this dialect: its caller sees it as it is."""
    if body is None:
        return False
    try:
        said = _any(body)
    except NOT_JSON:
        return False
    match said:
        case {"error": {"code": int(), "message": str(), "status": str()}}:
            return True
        case _:
            return False
