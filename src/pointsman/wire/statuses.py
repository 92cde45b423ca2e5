"""What the HTTP of a provider's failure says, and its words, whatever the dialect. Bodies are the dialects' own to read."""

import math
import re
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.dialect import Headers
from pointsman.wire.pace import reset_s

_TOO_MANY = 429

FAULT_OF_STATUS: Mapping[int, UpstreamFault] = {
    401: UpstreamFault.AUTH,
    402: UpstreamFault.QUOTA,
    403: UpstreamFault.AUTH,
    408: UpstreamFault.TIMED_OUT,
    429: UpstreamFault.RATE_LIMITED,
    503: UpstreamFault.OVERLOADED,
    504: UpstreamFault.TIMED_OUT,
    529: UpstreamFault.OVERLOADED,
}

_PASSED_BYTES_MAX = 32
_PASSED_ON = frozenset({b"retry-after-ms", b"x-should-retry"})


def retry_headers(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """What the official SDKs obey beside `retry-after`, to be passed on as it came."""
    return tuple(
        header for header in headers if header[0] in _PASSED_ON and len(header[1]) <= _PASSED_BYTES_MAX
    )


_NO_SUCH_MODEL = re.compile(
    r"\bmodels?[ :/`'\"]+\w[\w./:@-]{0,200}[`'\"]* (?:does not exist|(?:is |was )?not (?:found|available)|has been (?:deprecated|decom))"
    r"|(?:unknown|no such|invalid) model\b|no endpoints found|deployment .{0,60}does not exist|^model: ",
    re.IGNORECASE,
)


def no_such_model(message: str) -> bool:
    """True if a provider's refusal means that it does not serve the model, in whatever words."""
    return _NO_SUCH_MODEL.search(message) is not None


def wait_s(status: int | None, headers: Headers) -> float | None:
    """How long a provider wants to be left alone: `Retry-After`, and where a 429 has none, until its limit is reset."""
    asked_s = retry_after_s(headers)
    if asked_s is None and status == _TOO_MANY:
        return reset_s(headers, _unix_s(dict(headers).get(b"date")))
    return asked_s


def retry_after_s(headers: Headers) -> float | None:
    """The finer of the two headers counts. A date is read against the answer's own `Date`: nobody's clock is asked, and
    the provider's may be wrong."""
    found = dict(headers)
    for name, per_second in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        try:
            seconds = float(found[name]) / per_second
        except (KeyError, ValueError):  # absent, or a date
            continue
        if 0 <= seconds < math.inf:
            return seconds
    until_s, now_s = _unix_s(found.get(b"retry-after")), _unix_s(found.get(b"date"))
    return None if until_s is None or now_s is None else max(until_s - now_s, 0.0)


def _unix_s(date: bytes | None) -> float | None:
    """Of an HTTP date (RFC 9110, 5.6.7), which is always in GMT; None for what is none."""
    found = parsedate_tz((date or b"").decode("latin-1"))
    try:
        return None if found is None else float(mktime_tz((*found[:9], found[9] or 0)))
    except (ValueError, OverflowError):
        return None


def status_of_rejected(error: UpstreamError) -> int:
    """What a caller is told of a request that a provider refused: the provider's own status, unless it would seem to be
    about the caller's key, account or pace."""
    status = error.status or 400
    return status if 400 <= status < 500 and status not in {401, 402, 403, 407, 408, 429} else 400
