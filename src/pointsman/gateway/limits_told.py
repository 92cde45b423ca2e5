"""What is left of an account, in the words of the caller's API where it is another than the provider's.

    x-ratelimit-FIELD-KIND           a reset is a span: 6m0s           OpenAI's
    anthropic-ratelimit-KIND-FIELD   a reset is a time: 2026-...Z      Anthropic's

`requests` and `tokens` mean the same in both and cross; what one of them counts alone (tokens of input or output, of a
day, of an hour) has no name in the other and is left out, as all of it is for Gemini's callers, whose API tells nothing of
the kind.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from pointsman.wire.pace import LIMIT_HEADER, LIMIT_PREFIXES, from_now_s

_KINDS = frozenset((b"requests", b"tokens"))
_OF_OPENAI, _OF_ANTHROPIC = LIMIT_PREFIXES
_PREFIXES = {
    "openai-chat": _OF_OPENAI,
    "openai-responses": _OF_OPENAI,
    "anthropic-messages": _OF_ANTHROPIC,
}

Headers = Sequence[tuple[bytes, bytes]]


def limits_told(headers: Headers, dialect: str, now_s: float) -> Headers:
    """All of `headers`, with those of limits as callers of `dialect` know them. `now_s` is Unix time."""
    theirs = _PREFIXES.get(dialect)
    told: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if not name.startswith(LIMIT_PREFIXES) or (theirs is not None and name.startswith(theirs)):
            told.append((name, value))
        elif theirs is not None and (other := _in_other_words(name, value, now_s)) is not None:
            told.append(other)
    return told


def _in_other_words(name: bytes, value: bytes, now_s: float) -> tuple[bytes, bytes] | None:
    is_openais = name.startswith(_OF_OPENAI)
    found = LIMIT_HEADER.fullmatch(name)
    if found is None:
        return None
    kind, field = found["kind"] or found["kind_before"] or b"", found["field"] or found["field_behind"]
    if kind not in _KINDS:
        return None
    if field == b"reset":
        wait_s = from_now_s(value.decode("latin-1").strip(), now_s)
        if wait_s is None:
            return None
        value = _time(now_s + wait_s) if is_openais else b"%ds" % math.ceil(wait_s)
    if is_openais:
        return b"anthropic-ratelimit-%b-%b" % (kind, field), value
    return b"x-ratelimit-%b-%b" % (field, kind), value


def _time(at_s: float) -> bytes:
    """RFC 3339, in whole seconds: the next one, so that nobody comes back too early."""
    return datetime.fromtimestamp(math.ceil(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
