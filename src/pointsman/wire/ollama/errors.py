"""Ollama: what its errors mean. It writes none: nobody is answered in this dialect."""

import re
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.dialect import Headers
from pointsman.wire.secrets import MESSAGE_CHARACTERS_MAX, without_secrets
from pointsman.wire.statuses import FAULT_OF_STATUS, retry_after_s

_decode = msgspec.json.Decoder().decode

_CONTEXT = re.compile(r"(?i)\bcontext (?:length|size|window)")
_NOT_PULLED = re.compile(r"(?i)^model .* not found")


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a server meant by an answer that is not 2xx."""
    message = _message(body)
    fault = UpstreamFault.BAD_REPLY if status < 400 else _fault_of(status)
    return UpstreamError(
        fault,
        without_secrets(message) or f"the provider answered with status {status}",
        status=status,
        retry_after_s=retry_after_s(headers),
        code=_code_of(message),
    )


def error_within_reply(told: Any, status: int | None) -> UpstreamError:
    """The error that a 200 answer or a line of a stream tells of; `status` is one that it names itself."""
    message = told if isinstance(told, str) else msgspec.json.encode(told).decode()
    fault = UpstreamFault.SERVER_ERROR if status is None else _fault_of(status)
    return UpstreamError(fault, without_secrets(message), status=status, code=_code_of(message))


def not_a_reply(body: bytes) -> UpstreamError:
    """What a 200 answer means that is no reply."""
    message = without_secrets(_message(body))
    return UpstreamError(UpstreamFault.BAD_REPLY, message or "the provider's answer is not a chat reply")


def _fault_of(status: int) -> UpstreamFault:
    return FAULT_OF_STATUS.get(status, UpstreamFault.REJECTED if status < 500 else UpstreamFault.SERVER_ERROR)


def _code_of(message: str) -> str | None:
    if _CONTEXT.search(message):
        return "context_length_exceeded"
    return "model_not_found" if _NOT_PULLED.search(message) else None


def _message(body: bytes) -> str:
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
        return "" if text.startswith(("<", "{", "[")) else text  # a page, or half of something, tells nothing
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        error = error.get("message")  # a proxy's own shape
    return error if isinstance(error, str) else ""
