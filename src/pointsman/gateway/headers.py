"""The response headers in which a request tells what became of it."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from pointsman.gateway.booking import Booking

NONE = b"none"
"""What a header says where there is nothing to say: a pinned request has no score."""


def answer_headers(booking: Booking, content_type: bytes) -> list[tuple[bytes, bytes]]:
    """All headers of an answer. They are the same on every one; what is not known, or never was, is `none`."""
    request_id = booking.call.request_id.encode()
    headers = [
        (b"content-type", content_type),
        (b"x-pointsman-request-id", request_id),
        (b"x-request-id", request_id),  # the OpenAI SDKs show this one
        (b"request-id", request_id),  # and the Anthropic SDKs this one
    ]
    if content_type == b"text/event-stream":
        headers += _STREAM
    decision = booking.decision
    if decision is None:
        headers += _UNDECIDED
    else:
        card = booking.card or decision.card
        tier = decision.tier or card.tier
        headers += _chosen(card.name, card.provider, tier, decision.profile)
        headers += (
            (b"x-pointsman-score", NONE if decision.score is None else b"%.3f" % decision.score),
            (b"x-pointsman-attempts", b"%d" % len(booking.attempts)),
            (b"x-pointsman-dropped", _listed(booking.dropped) if booking.dropped else b""),
        )
    return headers


ESTIMATED = (b"x-pointsman-estimated", b"true")
"""The answer is the gateway's own estimate."""

_UNDECIDED = (
    (b"x-pointsman-model", NONE),
    (b"x-pointsman-provider", NONE),
    (b"x-pointsman-tier", NONE),
    (b"x-pointsman-profile", NONE),
    (b"x-pointsman-score", NONE),
    (b"x-pointsman-attempts", b"0"),
    (b"x-pointsman-dropped", b""),
)

_DROPPED_CHARS_MAX = 2048
"""Common HTTP clients give up at header lines of 8 to 64 KB; a caller may have sent thousands of fields."""

_STREAM = (
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx in front of us would hold events back
)


@lru_cache(maxsize=4096)  # there are few models, and this is asked for every answer
def _chosen(model: str, provider: str, tier: str | None, profile: str) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"x-pointsman-model", ascii_value(model)),
        (b"x-pointsman-provider", ascii_value(provider)),
        (b"x-pointsman-tier", ascii_value(tier) if tier else NONE),
        (b"x-pointsman-profile", ascii_value(profile)),
    )


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
