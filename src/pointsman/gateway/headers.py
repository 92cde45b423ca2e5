"""The response headers in which a request tells what became of it, as they stand on the wire."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote

from pointsman.gateway.booking import Booking
from pointsman.wire.pace import LIMIT_PREFIXES

NONE = b"none"
"""What a header says where there is nothing to say: a pinned request has no score."""


def answer_headers(booking: Booking, content_type: bytes) -> bytes:
    """All headers of an answer. They are the same on every one; what is not known, or never was, is `none`."""
    request_id = booking.call.request_id.encode()
    decision = booking.decision
    if decision is None:
        told: tuple[bytes, ...] = (_UNDECIDED,)
    else:
        attempt = booking.shown
        card = decision.card if attempt is None else attempt.card
        dropped = () if attempt is None else attempt.crossing.dropped
        told = (
            _chosen(
                card.name, card.provider, decision.tier or card.tier, decision.profile, decision.category
            ),
            _NOT_SCORED
            if decision.score is None or decision.confidence is None
            else b"%.3f\r\nx-pointsman-confidence: %.2f" % (decision.score, decision.confidence),
            b"\r\nx-pointsman-attempts: %d\r\nx-pointsman-dropped: " % len(booking.attempts),
            _listed(dropped) if dropped else b"",
            b"\r\n",
            _STRAIGHT[booking.has_ended] if booking.is_straight else _story(booking),
            b"" if attempt is None else attempt.told_by_provider,
        )
    return b"".join(
        (
            b"content-type: ",
            content_type,
            b"\r\n" if content_type != b"text/event-stream" else _STREAM,
            b"x-pointsman-request-id: ",
            request_id,
            b"\r\nx-request-id: ",  # the OpenAI SDKs show this one
            request_id,
            b"\r\nrequest-id: ",  # and the Anthropic SDKs this one
            request_id,
            b"\r\n",
            *told,
            booking.more_headers,
        )
    )


_NOT_SCORED = b"none\r\nx-pointsman-confidence: none"


def _story(booking: Booking) -> bytes:
    """What became of the request so far: how it ended where that is known before its answer begins, the targets in the
    order in which they were asked, and whether another one answers than the one that was chosen."""
    path = [
        attempt.card.name
        if attempt is booking.answering
        else f"{attempt.card.name}={attempt.fault or 'asked'}"
        for attempt in booking.attempts
    ]
    decision, attempt = booking.decision, booking.answering
    substituted = NONE
    if decision is not None and attempt is not None and booking.is_substituted:
        substituted = ascii_value(f"{attempt.card.name} for {decision.card.name}")
    withheld = ",".join(f"{target}={ceiling}" for target, ceiling in booking.withheld)
    return header_lines(
        (
            (b"x-pointsman-outcome", booking.outcome.encode() if booking.has_ended else NONE),
            (b"x-pointsman-path", ascii_value(",".join(path)) if path else NONE),
            (b"x-pointsman-substituted", substituted),
            (b"x-pointsman-withheld", ascii_value(withheld) if withheld else NONE),
        )
    )


_TOLD_BYTES_MAX = 256
"""Of a header: there are clients that take 16 KB of all, and what a provider says must not cost them the answer."""
_REQUEST_IDS = frozenset({b"x-request-id", b"request-id", b"apim-request-id"})


def told_by_provider(headers: Iterable[tuple[bytes, bytes]], *, account_is_callers: bool) -> bytes:
    """What of a provider's own headers its answer is passed on with: the id by which the provider's support finds
    the request, and how much is left of an account that is the caller's own (limits_told.py puts it in the caller's
    words). What is left of ours is nobody's business."""
    lines = b""
    for name, value in headers:
        if len(value) > _TOLD_BYTES_MAX:
            continue
        if name in _REQUEST_IDS:
            if not lines.startswith(_THEIR_ID):
                lines = b"%b%b\r\n%b" % (_THEIR_ID, value, lines)
        elif account_is_callers and name.startswith(LIMIT_PREFIXES):
            lines += b"%b: %b\r\n" % (name, value)
    return lines


_THEIR_ID = b"x-pointsman-upstream-request-id: "

ESTIMATED = b"x-pointsman-estimated: true\r\n"
"""The answer is the gateway's own estimate."""


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


_STRAIGHT = tuple(
    header_lines(
        (
            (b"x-pointsman-outcome", outcome),
            (b"x-pointsman-path", NONE),
            (b"x-pointsman-substituted", NONE),
            (b"x-pointsman-withheld", NONE),
        )
    )
    for outcome in (NONE, b"complete")
)
"""Of a request that the first target asked answers: a stream, which may still break, and a whole answer."""

_UNDECIDED = header_lines(
    (
        (b"x-pointsman-model", NONE),
        (b"x-pointsman-provider", NONE),
        (b"x-pointsman-tier", NONE),
        (b"x-pointsman-profile", NONE),
        (b"x-pointsman-category", NONE),
        (b"x-pointsman-score", NONE),
        (b"x-pointsman-confidence", NONE),
        (b"x-pointsman-attempts", b"0"),
        (b"x-pointsman-dropped", b""),
        (b"x-pointsman-outcome", b"refused"),
        (b"x-pointsman-path", NONE),
        (b"x-pointsman-substituted", NONE),
        (b"x-pointsman-withheld", NONE),
    )
)

# nginx in front of us would hold events back
_STREAM = b"\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"

_DROPPED_CHARS_MAX = 2048
"""Common HTTP clients give up at header lines of 8 to 64 KB; a caller may have sent thousands of fields."""


@lru_cache(maxsize=4096)  # there are few models, and this is asked for every answer
def _chosen(model: str, provider: str, tier: str | None, profile: str, category: str | None) -> bytes:
    """Up to where the score is told."""
    lines = header_lines(
        (
            (b"x-pointsman-model", ascii_value(model)),
            (b"x-pointsman-provider", ascii_value(provider)),
            (b"x-pointsman-tier", ascii_value(tier) if tier else NONE),
            (b"x-pointsman-profile", ascii_value(profile)),
            (b"x-pointsman-category", ascii_value(category) if category else NONE),
        )
    )
    return lines + b"x-pointsman-score: "


def _listed(names: Sequence[str]) -> bytes:
    text = ",".join(names)
    if len(text) > _DROPPED_CHARS_MAX:
        kept = text[:_DROPPED_CHARS_MAX].rpartition(",")[0]
        text = f"{kept},and {len(names) - kept.count(',') - 1} more"
    return ascii_value(text)


@lru_cache(maxsize=4096)
def ascii_value(text: str) -> bytes:
    """A header value: what is not plain ASCII is percent-encoded."""
    if text.isascii() and text.isprintable():
        return text.encode()
    return quote(text, safe=" ,:/()[]").encode()
