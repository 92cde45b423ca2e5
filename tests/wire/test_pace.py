"""When a limit has room again, as rate-limit headers say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamFault
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ProviderDialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.pace import reset_s

NOW_S = 1_790_000_000.0
DATE = (b"date", b"Mon, 21 Sep 2026 14:13:20 GMT")  # the same moment


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("6m0s", 360.0),
        ("6ms", 0.006),
        ("1s", 1.0),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3723.0),
        ("1d", 86_400.0),
        ("11.38", 11.38),
        ("0", 0.0),
        ("1790000030", 30.0),
        ("1790000030500", 30.5),
        ("1789999990", 0.0),
        ("2026-09-21T14:14:20Z", 60.0),
        ("2026-09-21T16:14:20+02:00", 60.0),
        ("2026-09-21T14:14:20", None),
        ("9999-12-31T23:59:59.9+00:00", 251_612_343_599.9),
        ("-1", None),
        ("soon", None),
        ("6m0", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_reset_is_read_as_span_seconds_or_time(value: str, wait_s: float | None) -> None:
    assert reset_s([(b"x-ratelimit-reset-requests", value.encode())], NOW_S) == (
        None if wait_s is None else pytest.approx(wait_s)
    )


def test_a_time_is_not_read_against_a_clock_of_ours() -> None:
    assert reset_s([(b"x-ratelimit-reset", b"1790000030")], None) is None
    assert reset_s([(b"x-ratelimit-reset", b"30")], None) == 30.0


def openai(**more: str) -> list[tuple[bytes, bytes]]:
    return [
        (f"x-ratelimit-{name.replace('_', '-')}".encode(), value.encode()) for name, value in more.items()
    ]


def test_the_limit_that_was_hit_says_how_long() -> None:
    both = {"reset_requests": "12ms", "reset_tokens": "7s"}
    assert reset_s(openai(**both, remaining_requests="0", remaining_tokens="100"), NOW_S) == 0.012
    assert reset_s(openai(**both, remaining_requests="0", remaining_tokens="0"), NOW_S) == 7.0
    few = {
        "limit_requests": "500",
        "limit_tokens": "30000",
        "remaining_requests": "499",
        "remaining_tokens": "149",
    }
    assert reset_s(openai(**both, **few), NOW_S) == 7.0
    plenty = {**few, "remaining_tokens": "29000"}
    assert reset_s(openai(**both, **plenty), NOW_S) is None, "what was hit is another limit"
    assert reset_s(openai(**both), NOW_S) == 0.012
    assert reset_s([], NOW_S) is None


def test_anthropics_limits_are_read_too() -> None:
    headers = [
        (b"anthropic-ratelimit-requests-limit", b"50"),
        (b"anthropic-ratelimit-requests-remaining", b"49"),
        (b"anthropic-ratelimit-requests-reset", b"2026-09-21T14:13:22Z"),
        (b"anthropic-ratelimit-input-tokens-limit", b"30000"),
        (b"anthropic-ratelimit-input-tokens-remaining", b"0"),
        (b"anthropic-ratelimit-input-tokens-reset", b"2026-09-21T14:14:00Z"),
    ]
    assert reset_s(headers, NOW_S) == 40.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["limit", "remaining", "reset"]),
            st.sampled_from(["", "-a", "-b"]),
            st.text(max_size=12),
        )
    )
)
def test_whatever_the_headers_hold_there_is_a_wait_or_none(parts: list[tuple[str, str, str]]) -> None:
    headers = [(f"x-ratelimit-{field}{kind}".encode(), value.encode()) for field, kind, value in parts]
    wait_s = reset_s(headers, NOW_S)
    assert wait_s is None or wait_s >= 0


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI, OLLAMA])
def test_a_429_without_retry_after_says_it_by_its_limits(dialect: ProviderDialect) -> None:
    limits = [DATE, (b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-reset-requests", b"1790000005")]
    error = dialect.decode_error(429, limits, b"")
    assert (error.fault, error.retry_after_s) == (UpstreamFault.RATE_LIMITED, 5.0)
    assert dialect.decode_error(429, [*limits, (b"retry-after", b"2")], b"").retry_after_s == 2.0
    assert dialect.decode_error(503, limits, b"").retry_after_s is None
