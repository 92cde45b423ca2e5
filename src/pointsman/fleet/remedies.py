"""What is done about each way in which an attempt can fail, as data. docs/reliability.md is made of it, and a test
holds the engine to each row. It carries nothing out: that is for attempts.

All of it holds until the first content has reached the caller. Behind that nothing is ever tried again.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pointsman.core.errors import UpstreamError, UpstreamFault


class Remedy(StrEnum):
    """What comes after a failure."""

    RETRY = "retry"  # the next target at once; when there is none left, this one again, after a while
    NEXT = "next"  # the next target at once; this one not again
    LARGER = "larger"  # the next target that takes more tokens than this one
    STOP = "stop"  # nobody else is asked


class Row(NamedTuple):
    """`outcome` is an UpstreamFault's value, a deadline's name behind it where that makes a difference."""

    outcome: str
    remedy: Remedy
    what: str


TABLE: tuple[Row, ...] = (
    Row("unreachable", Remedy.RETRY, "no connection, or closed before a byte of an answer"),
    Row("timed_out.connect", Remedy.RETRY, "no connection within `connect_s`"),
    Row("timed_out.first_byte", Remedy.NEXT, "no byte of an answer within `first_byte_s`"),
    Row("timed_out.first_content", Remedy.NEXT, "no content within `first_content_s`"),
    Row("timed_out.rate", Remedy.NEXT, "the first content came slower than `pieces_per_s_min`"),
    Row("timed_out.idle", Remedy.NEXT, "silence for `idle_s` before any content"),
    Row("timed_out.total", Remedy.NEXT, "no end within `total_s`"),
    Row("timed_out", Remedy.RETRY, "the provider's own 408 or 504"),
    Row("overloaded", Remedy.RETRY, "503, 529, or an error event that says so"),
    Row("rate_limited", Remedy.RETRY, "429"),
    Row("server_error", Remedy.RETRY, "500, 502 and the like"),
    Row("broken", Remedy.RETRY, "the answer ended before its end"),
    Row("bad_reply", Remedy.RETRY, "not the protocol: a web page, broken JSON, an error in a 200"),
    Row("auth", Remedy.NEXT, "401, 403: the provider refuses the gateway's own key"),
    Row("quota", Remedy.NEXT, "402, or a 429 that means money: the gateway's own account is empty"),
    Row("no_such_model", Remedy.NEXT, "the provider does not serve the model"),
    Row("too_long", Remedy.LARGER, "the prompt is over the model's context size"),
    Row("content_filter", Remedy.STOP, "the provider's policy forbids an answer"),
    Row("rejected", Remedy.STOP, "400, 413, 422 and the like: the request itself is wrong"),
)

FIXED = frozenset({"rejected"})
"""What no configuration changes: a request that is wrong is wrong everywhere."""

Remedies = Mapping[str, Remedy]
DEFAULT_REMEDIES: Remedies = {row.outcome: row.remedy for row in TABLE}

_OF_DEADLINE = {row.outcome.partition(".")[2]: row.outcome for row in TABLE if "." in row.outcome}


def outcome_of(error: UpstreamError) -> str:
    """Which row of the table `error` falls under."""
    if error.fault is UpstreamFault.TIMED_OUT and error.deadline is not None:
        return _OF_DEADLINE[error.deadline]
    return error.fault.value
