"""OpenAI responses: the counts of tokens, in both directions."""

from typing import Any

import msgspec

from pointsman.core.usage import Usage

_Count = int | float | None


class _InputDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class _OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count = None


class Counts(msgspec.Struct, gc=False):
    input_tokens: _Count = None
    output_tokens: _Count = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def usage(self) -> Usage:
        of_input = self.input_tokens_details or _InputDetails()
        of_output = self.output_tokens_details or _OutputDetails()
        return Usage(
            input_tokens=_whole(self.input_tokens),
            output_tokens=_whole(self.output_tokens),
            cache_read_tokens=_whole(of_input.cached_tokens),
            cache_write_tokens=_whole(of_input.cache_write_tokens),
            reasoning_tokens=_whole(of_output.reasoning_tokens),
        )


def _whole(count: _Count) -> int | None:
    return None if count is None else int(count)


def write_usage(usage: Usage | None) -> dict[str, Any] | None:
    """None unless both counts are known: a client would take a missing one for 0. The details are all there, for
    there are clients that insist on them."""
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
