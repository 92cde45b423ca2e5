"""When a limit of a provider's has room again, as its rate-limit headers say it. For answers without `Retry-After`, which
is read in statuses; what becomes of the time is decided elsewhere.

    x-ratelimit-reset-requests: 6m0s           OpenAI, Groq and those like them: a span
    x-ratelimit-reset-tokens-minute: 11.38     Cerebras, Together: seconds
    x-ratelimit-reset: 1760000000000           OpenRouter and others: Unix time, in seconds or milliseconds
    anthropic-ratelimit-tokens-reset: 2026-...Z  Anthropic: RFC 3339
"""

import math
import re
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass

LIMIT_HEADER = re.compile(
    rb"x-ratelimit-(?P<field>limit|remaining|reset)(?:-(?P<kind>.+))?"
    rb"|anthropic-ratelimit-(?P<kind_before>.+)-(?P<field_behind>limit|remaining|reset)"
)
LIMIT_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SPAN = re.compile(rf"(?:{_PART.pattern})+")
_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>\d\d):(?P<minutes>\d\d))"
)
_HIT_SHARE_MAX = 0.9
_UNIX_S_MIN, _UNIX_MS_MIN = 1e9, 1e12
"""No limit is reset in thirty years: a number as large as this is a time, not a span."""


@dataclass(slots=True)
class _Limit:
    """`reset_s` from now; `remaining` and `limit` in whatever is counted. None for what is not told."""

    reset_s: float | None = None
    remaining: float | None = None
    limit: float | None = None

    @property
    def share_left(self) -> float | None:
        if self.remaining is None:
            return None
        if self.remaining <= 0:
            return 0.0
        return self.remaining / self.limit if self.limit else None


def reset_s(headers: Sequence[tuple[bytes, bytes]], now_s: float | None) -> float | None:
    """Seconds until the limit that was hit has room; None where no header says so. `now_s` is the Unix time at which
    the answer was written, None where that is not known: times are read against it alone.

    The longest wait of the limits that have nothing left; where none says so, that of the one with the least left, unless
    that is nearly all: then it is another limit that was hit, of which nothing is told. Where nobody tells what is left,
    the shortest."""
    limits: dict[bytes, _Limit] = {}
    for name, value in headers:
        found = LIMIT_HEADER.fullmatch(name) if name.startswith(LIMIT_PREFIXES) else None
        if found is not None:
            kind = found["kind"] or found["kind_before"] or b""
            limit = limits.setdefault(kind, _Limit())
            _note(limit, found["field"] or found["field_behind"], value.decode("latin-1").strip(), now_s)
    told = [(limit.share_left, limit.reset_s) for limit in limits.values() if limit.reset_s is not None]
    spent = [wait_s for share, wait_s in told if share == 0]
    if spent:
        return max(spent)
    shares = [(share, wait_s) for share, wait_s in told if share is not None]
    if not shares:
        return min((wait_s for _, wait_s in told), default=None)
    least, wait_s = min(shares)
    return wait_s if least <= _HIT_SHARE_MAX else None


def _note(limit: _Limit, field: bytes, value: str, now_s: float | None) -> None:
    if field == b"reset":
        limit.reset_s = from_now_s(value, now_s)
    elif field == b"remaining":
        limit.remaining = _number(value)
    else:
        limit.limit = _number(value)


def from_now_s(value: str, now_s: float | None) -> float | None:
    """Seconds until what a `reset` header says, None where that cannot be told."""
    if _SPAN.fullmatch(value):
        return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(value))
    at_s = _number(value)
    if at_s is None:
        at_s = _unix_s_of(value)
    elif at_s < 0:
        return None
    elif at_s < _UNIX_S_MIN:
        return at_s
    elif at_s >= _UNIX_MS_MIN:
        at_s /= 1000
    if at_s is None or now_s is None:
        return None
    return max(at_s - now_s, 0.0)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unix_s_of(value: str) -> float | None:
    found = _TIME.fullmatch(value)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    try:
        at_s = timegm((year, month, day, hour, minute, second)) + float(f"0.{found['fraction'] or 0}")
    except ValueError:
        return None
    sign, hours, minutes = found["sign"], found["hours"], found["minutes"]
    return at_s if sign is None else at_s - float(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)
