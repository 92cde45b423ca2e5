"""Reads what went wrong, whatever its shape."""

from typing import Any

from conformance.meaning import Failure

BROKEN = Failure(None)
"""Nobody said why."""


def message_in(body: Any) -> str:
    """The words of an error body, whatever its shape."""
    if isinstance(body, list):
        return message_in(body[0]) if body else ""
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    for name in ("error", "message", "detail", "msg"):
        if body.get(name):
            return message_in(body[name])
    return str(body.get("msg") or "")


def failure_in(body: Any) -> Failure:
    """What a body within a 200 complains of."""
    return Failure(None, message_in(body))
