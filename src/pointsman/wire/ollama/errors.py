"""Ollama: what its errors mean. It writes none: nobody is answered in this dialect."""

import re
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire import context_limit
from pointsman.wire.dialect import Headers
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.secrets import MESSAGE_CHARACTERS_MAX, without_secrets
from pointsman.wire.statuses import FAULT_OF_STATUS, wait_s

_decode = msgspec.json.Decoder().decode

_CONTEXT = re.compile(r"(?i)\bcontext (?:length|size|window)")
_NOT_PULLED = re.compile(r"(?i)^model .* not found")


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a server meant by an answer that is not 2xx."""
    message = _message(body)
    fault, code = _meant(status, message)
    return UpstreamError(
        fault,
        without_secrets(message) or f"the provider answered with status {status}",
        status=status,
        retry_after_s=wait_s(status, headers),
        code=code,
    )


def error_within_reply(told: Any, status: int | None) -> UpstreamError:
    """The error that a 200 answer or a line of a stream tells of; `status` is one that it names itself."""
    message = told if isinstance(told, str) else msgspec.json.encode(told).decode()
    fault, code = _meant(status, message)
    return UpstreamError(fault, without_secrets(message), status=status, code=code)


def not_a_reply(body: bytes) -> UpstreamError:
    """What a 200 answer means that is no reply."""
    message = without_secrets(_message(body))
    return UpstreamError(UpstreamFault.BAD_REPLY, message or "the provider's answer is not a chat reply")


def _meant(status: int | None, message: str) -> tuple[UpstreamFault, str | None]:
    """The fault, and a word for programs where there is one. Within a reply there may be no status."""
    if status is not None and status in FAULT_OF_STATUS:
        return FAULT_OF_STATUS[status], None
    if status is None or 400 <= status < 500:
        if _CONTEXT.search(message):
            return UpstreamFault.TOO_LONG, context_limit.CODE
        if _NOT_PULLED.search(message):
            return UpstreamFault.NO_SUCH_MODEL, "model_not_found"
    if status is None or status >= 500:
        return UpstreamFault.SERVER_ERROR, None
    return (UpstreamFault.REJECTED if status >= 400 else UpstreamFault.BAD_REPLY), None


def _message(body: bytes) -> str:
    try:
        told = _decode(body)
    except NOT_JSON:
        text = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
        return "" if text.startswith(("<", "{", "[")) else text  # a page, or half of something, tells nothing
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        error = error.get("message")  # a proxy's own shape
    return error if isinstance(error, str) else ""
