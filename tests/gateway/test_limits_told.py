"""What is left of an account, in the words of the caller's API."""

import pytest

from pointsman.gateway.limits_told import limits_told

NOW_S = 1_790_000_000.25  # 2026-09-21T14:13:20.25Z
OPENAI = [
    (b"content-type", b"text/plain"),
    (b"x-ratelimit-limit-requests", b"500"),
    (b"x-ratelimit-remaining-tokens", b"29000"),
    (b"x-ratelimit-reset-requests", b"1m0.5s"),
    (b"x-ratelimit-remaining-tokens-day", b"9"),
]
ANTHROPIC = [
    (b"request-id", b"req_1"),
    (b"anthropic-ratelimit-requests-limit", b"50"),
    (b"anthropic-ratelimit-tokens-remaining", b"1000"),
    (b"anthropic-ratelimit-tokens-reset", b"2026-09-21T14:13:50Z"),
    (b"anthropic-ratelimit-input-tokens-remaining", b"700"),
]


def test_openais_limits_are_told_as_anthropics() -> None:
    assert limits_told(OPENAI, "anthropic-messages", NOW_S) == [
        (b"content-type", b"text/plain"),
        (b"anthropic-ratelimit-requests-limit", b"500"),
        (b"anthropic-ratelimit-tokens-remaining", b"29000"),
        (b"anthropic-ratelimit-requests-reset", b"2026-09-21T14:14:21Z"),
    ]


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
def test_anthropics_limits_are_told_as_openais(dialect: str) -> None:
    assert limits_told(ANTHROPIC, dialect, NOW_S) == [
        (b"request-id", b"req_1"),
        (b"x-ratelimit-limit-requests", b"50"),
        (b"x-ratelimit-remaining-tokens", b"1000"),
        (b"x-ratelimit-reset-tokens", b"30s"),
    ]


def test_openais_two_apis_tell_them_alike() -> None:
    assert limits_told(OPENAI, "openai-responses", NOW_S) == OPENAI
    assert limits_told(ANTHROPIC, "anthropic-messages", NOW_S) == ANTHROPIC


def test_geminis_callers_are_told_none() -> None:
    assert limits_told(OPENAI, "gemini", NOW_S) == OPENAI[:1]
    assert limits_told(ANTHROPIC, "gemini", NOW_S) == ANTHROPIC[:1]


@pytest.mark.parametrize("value", [b"soon", b"", b"-3"])
def test_a_reset_that_nobody_can_read_is_left_out(value: bytes) -> None:
    assert limits_told([(b"x-ratelimit-reset-tokens", value)], "anthropic-messages", NOW_S) == []
