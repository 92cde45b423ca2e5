"""What the HTTP of a provider's failure says, whatever its dialect. Bodies are the dialects' own to read."""

import math
from collections.abc import Mapping

from pointsman.core.errors import UpstreamFault
from pointsman.wire.dialect import Headers

FAULT_OF_STATUS: Mapping[int, UpstreamFault] = {
    401: UpstreamFault.AUTH,
    402: UpstreamFault.AUTH,
    403: UpstreamFault.AUTH,
    408: UpstreamFault.TIMED_OUT,
    429: UpstreamFault.RATE_LIMITED,
    503: UpstreamFault.OVERLOADED,
    504: UpstreamFault.TIMED_OUT,
    529: UpstreamFault.OVERLOADED,
}


def retry_after_s(headers: Headers) -> float | None:
    """Only as a number: a date would need a clock. The finer of the two headers counts."""
    found = dict(headers)
    for name, per_second in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        try:
            seconds = float(found[name]) / per_second
        except (KeyError, ValueError):  # absent, or a date
            continue
        if 0 <= seconds < math.inf:
            return seconds
    return None
