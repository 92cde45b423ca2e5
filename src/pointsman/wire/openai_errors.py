"""Errors as OpenAI and those compatible with it write them, for the dialects that are OpenAI's own: which fault a
provider's answer means, and the words in which a client is told of any. It does not frame them.

Providers agree on the status and on little else, so the shape of their error body is read leniently: the usual
envelope, a bare text, a list around it, and what FastAPI and Cloudflare answer.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from pointsman.core.errors import (
    CONSENT_REQUIRED,
    OF_THE_REQUEST,
    ClientError,
    ExhaustedError,
    PointsmanError,
    Unauthorized,
    Unavailable,
    UnknownModel,
    UpstreamError,
    UpstreamFault,
)
from pointsman.wire import context_limit
from pointsman.wire.dialect import Headers
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.secrets import MESSAGE_CHARACTERS_MAX, without_secrets
from pointsman.wire.statuses import FAULT_OF_STATUS, no_such_model, retry_headers, wait_s

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


# From a provider

# Words in `code` or `type` that say more than the status, or stand in for one. The first that fits counts.
_FAULT_OF_WORD: tuple[tuple[str, UpstreamFault], ...] = (
    ("insufficient_quota", UpstreamFault.QUOTA),
    ("billing", UpstreamFault.QUOTA),
    ("api_key", UpstreamFault.AUTH),
    ("authentication", UpstreamFault.AUTH),
    ("permission", UpstreamFault.AUTH),
    ("quota_exceeded", UpstreamFault.QUOTA),
    ("content_filter", UpstreamFault.CONTENT_FILTER),
    ("content_policy", UpstreamFault.CONTENT_FILTER),
    ("moderation", UpstreamFault.CONTENT_FILTER),
    ("rate_limit", UpstreamFault.RATE_LIMITED),
    ("overloaded", UpstreamFault.OVERLOADED),
    ("service_unavailable", UpstreamFault.OVERLOADED),
    ("timeout", UpstreamFault.TIMED_OUT),
    ("server_error", UpstreamFault.SERVER_ERROR),
    ("internal", UpstreamFault.SERVER_ERROR),
    ("invalid_", UpstreamFault.REJECTED),
    ("not_found", UpstreamFault.REJECTED),
)

# xAI and Gemini answer a bad key with 400 and no telling code.
_BAD_KEY = re.compile(r"(?i)incorrect api key|invalid api key|api key not valid|api key (?:has )?expired")


# llama.cpp has answered with 500, others with 413 or 422.
_STATUSES_OF_REQUEST = frozenset((400, 404, 410, 413, 422, 500))
_NO_SUCH_MODEL = frozenset(
    ("model_not_found", "DeploymentNotFound", "model_decommissioned", "model_not_available")
)


class _Told(NamedTuple):
    """What an error body says, from wherever it stands. `status` is one that the body itself names."""

    message: str = ""
    code: str | None = None
    param: str | None = None
    kind: str = ""
    status: int | None = None


def error_of_status(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a provider meant by an answer that is not 2xx."""
    try:
        told = _read(_decode(body))
    except NOT_JSON:
        text = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
        told = _Told() if text.startswith("<") else _Told(text)  # a web page tells the reader nothing
    fault = _fault(status, told)
    return UpstreamError(
        fault,
        without_secrets(told.message) or f"the provider answered with status {status}",
        status=status,
        retry_after_s=wait_s(status, headers),
        code=told.code,
        param=told.param,
        body=body if _may_be_shown(fault, told) else None,
        headers=retry_headers(headers),
    )


def _may_be_shown(fault: UpstreamFault, told: _Told) -> bool:
    """A provider's own words are the best there are, unless they hide from a client the code it waits for."""
    if fault is UpstreamFault.TOO_LONG:
        return told.code == context_limit.CODE
    return fault in OF_THE_REQUEST


def error_within_reply(content: Any) -> UpstreamError:
    """The error that a 200 answer or a stream tells of. Its fault is read from the content alone, and is
    BAD_REPLY where that says nothing."""
    told = _read(content)
    message = without_secrets(told.message) or "the provider sent an error without a message"
    return UpstreamError(
        _fault(told.status, told), message, status=told.status, code=told.code, param=told.param
    )


def error_instead_of_reply(body: bytes, missed: str) -> UpstreamError:
    """What a 200 answer means that is not what was asked for (`missed`): what it says, or that it is none."""
    try:
        told = _read(_decode(body))
    except NOT_JSON:
        told = _Told()
    message = without_secrets(told.message) or f"the provider's answer is not {missed}"
    return UpstreamError(
        _fault(told.status, told), message, status=told.status, code=told.code, param=told.param
    )


def _fault(status: int | None, told: _Told) -> UpstreamFault:
    words = f"{told.code} {told.kind}".lower()
    named = next((fault for word, fault in _FAULT_OF_WORD if word in words), None)
    is_of_request = status is None or status in _STATUSES_OF_REQUEST
    if is_of_request and context_limit.is_exceeded(told.message, told.code, told.kind):
        return UpstreamFault.TOO_LONG
    if is_of_request and (told.code in _NO_SUCH_MODEL or no_such_model(told.message)):
        return UpstreamFault.NO_SUCH_MODEL
    if status is None:
        return named or UpstreamFault.BAD_REPLY
    if status == 400 and ("api_key" in words or _BAD_KEY.search(told.message)):
        return UpstreamFault.AUTH
    if status in {403, 429} and named is UpstreamFault.QUOTA:
        return UpstreamFault.QUOTA
    if is_of_request and named is UpstreamFault.CONTENT_FILTER:
        return UpstreamFault.CONTENT_FILTER
    if status < 400:
        return UpstreamFault.BAD_REPLY
    if status == 413 and named is UpstreamFault.RATE_LIMITED:
        return UpstreamFault.RATE_LIMITED  # Groq: more tokens in one request than a minute allows
    fallback = UpstreamFault.REJECTED if status < 500 else UpstreamFault.SERVER_ERROR
    return FAULT_OF_STATUS.get(status, fallback)


def _read(content: Any) -> _Told:
    if isinstance(content, list) and content:
        content = content[0]  # Gemini's compatible endpoint wraps its errors in a list
    if isinstance(content, str):
        return _Told(content)
    if not isinstance(content, dict):
        return _Told()
    error = content.get("error")
    if isinstance(error, str):
        error = {**content, "message": error}  # xAI, Venice, Ollama
    elif not isinstance(error, dict):
        match content.get("errors"):
            case [dict() as first, *_]:  # Cloudflare
                error = first
            case _:
                error = content
    message = error.get("message") or error.get("detail") or error.get("msg") or ""
    if not isinstance(message, str):
        message = _encode(message).decode()
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        message = f"{message}: {metadata['raw']}"  # OpenRouter: what its own provider said
    code, param, kind = error.get("code"), error.get("param"), error.get("type")
    return _Told(
        message,
        code if isinstance(code, str) else None,
        param if isinstance(param, str) else None,
        kind if isinstance(kind, str) else "",
        next((status for status in map(_as_status, _statuses(error)) if status is not None), None),
    )


def _statuses(error: Mapping[str, Any]) -> tuple[Any, ...]:
    return error.get("status"), error.get("status_code"), error.get("code")


def _as_status(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


# To a client

_NO_RETRY = (b"x-should-retry", b"false")

# Status and code by fault. An upstream's 401 is never the caller's 401: SDKs would report the caller's key.
_ANSWER_OF_FAULT: Mapping[UpstreamFault, tuple[int, str]] = {
    UpstreamFault.UNREACHABLE: (502, "upstream_unreachable"),
    UpstreamFault.TIMED_OUT: (504, "upstream_timeout"),
    UpstreamFault.AUTH: (502, "upstream_auth"),
    UpstreamFault.QUOTA: (502, "upstream_quota"),
    UpstreamFault.RATE_LIMITED: (429, "rate_limit_exceeded"),
    UpstreamFault.OVERLOADED: (503, "upstream_overloaded"),
    UpstreamFault.SERVER_ERROR: (502, "upstream_server_error"),
    UpstreamFault.REJECTED: (400, "upstream_rejected"),
    UpstreamFault.CONTENT_FILTER: (400, "content_filter"),
    UpstreamFault.NO_SUCH_MODEL: (502, "upstream_no_such_model"),
    UpstreamFault.TOO_LONG: (400, context_limit.CODE),
    UpstreamFault.BAD_REPLY: (502, "upstream_bad_reply"),
    UpstreamFault.BROKEN: (502, "upstream_broken"),
}

Content = dict[str, Any]


class Told(NamedTuple):
    """An error in OpenAI's words: `content` is its message, type, param and code."""

    status: int
    content: Content
    headers: tuple[tuple[bytes, bytes], ...] = ()


def told(error: PointsmanError, request_id: str) -> Told:
    match error:
        case UpstreamError():
            return _upstream(error, without_secrets(error.message))
        case ExhaustedError():
            attempts = "; ".join(
                f"{model}: {without_secrets(each.message)}" for model, each in error.failures
            )
            said = _upstream(error.told, f"every model failed: {attempts}")
            return _without_consent(said, error) if error.withheld else said
        case ClientError():
            content = _content(
                error.message, _type_of(error.status), error.param, error.code or _code_of(error)
            )
            return Told(error.status, content, (_NO_RETRY,))
        case Unavailable():
            content = _content(error.message, "server_error", None, "service_unavailable")
            return Told(503, content, _retry_after(error.retry_after_s))
        case _:
            return Told(500, _content(f"internal error (request {request_id})", "server_error", None, None))


def _upstream(error: UpstreamError, message: str) -> Told:
    status, code = _ANSWER_OF_FAULT[error.fault]
    param = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    match error.fault:
        case UpstreamFault.REJECTED | UpstreamFault.CONTENT_FILTER:
            if error.status is not None and 400 <= error.status < 500:
                status = error.status
            code, param, headers = error.code or code, error.param, (_NO_RETRY,)
            if context_limit.is_exceeded(message, error.code):
                code = context_limit.CODE
        case UpstreamFault.TOO_LONG:  # at its code agents shorten their history
            param, headers = "messages", (_NO_RETRY,)
        case UpstreamFault.NO_SUCH_MODEL:
            headers = (_NO_RETRY,)
        case UpstreamFault.AUTH | UpstreamFault.QUOTA:
            message = f"the provider refused this gateway's own credential or account: {message}"
            headers = (_NO_RETRY,)
        case UpstreamFault.RATE_LIMITED | UpstreamFault.OVERLOADED:
            headers = (*_retry_after(error.retry_after_s), *error.headers)
        case _:
            headers = tuple(error.headers)
    return Told(status, _content(message, _type_of(status), param, code), headers)


def _without_consent(said: Told, error: ExhaustedError) -> Told:
    """Which models were not asked, for programs that could consent."""
    withheld = [each._asdict() for each in error.withheld]
    names = ", ".join(f"{target} ({ceiling})" for target, ceiling in error.withheld)
    message = f"{said.content['message']}; not asked without consent: {names}"
    return said._replace(
        content={**said.content, "message": message, "code": CONSENT_REQUIRED, "withheld": withheld}
    )


def _content(message: str, kind: str, param: str | None, code: str | None) -> Content:
    return {"message": message, "type": kind, "param": param, "code": code}


def _type_of(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def _code_of(error: ClientError) -> str | None:
    match error:
        case Unauthorized():
            return "invalid_api_key"
        case UnknownModel():
            return "model_not_found"
        case _:
            return None


def _retry_after(seconds: float | None) -> tuple[tuple[bytes, bytes], ...]:
    return () if seconds is None else ((b"retry-after", b"%d" % math.ceil(seconds)),)
