"""Token counts as the Messages API writes them, to and from Usage: its `input_tokens` leaves out both caches."""

from typing import Any

import msgspec

from pointsman.core.usage import Usage


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class Counts(msgspec.Struct, gc=False):
    """`usage` as it is on the wire."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None

    def update(self, later: "Counts") -> None:
        """A later report of one stream is cumulative: what it has replaces what was known, field by field."""
        for name in self.__struct_fields__:
            value = getattr(later, name)
            if value is not None:
                setattr(self, name, value)

    def at_start(self) -> "Counts":
        """As `message_start` reports: its `output_tokens` is a first guess, and no count of what was written
        before the stream broke."""
        return msgspec.structs.replace(self, output_tokens=None)

    def usage(self) -> Usage:
        total = self.input_tokens
        if total is not None:
            total += (self.cache_read_input_tokens or 0) + (self.cache_creation_input_tokens or 0)
        cache, output = self.cache_creation, self.output_tokens_details
        return Usage(
            input_tokens=total,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_input_tokens,
            cache_write_tokens=self.cache_creation_input_tokens,
            cache_write_1h_tokens=None if cache is None else cache.ephemeral_1h_input_tokens,
            reasoning_tokens=None if output is None else output.thinking_tokens,
        )


def write_usage(usage: Usage) -> dict[str, Any]:
    """What a client is shown. The SDKs insist on numbers, so here what is unknown is 0; the books keep None."""
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    counts: dict[str, Any] = {
        "input_tokens": max((usage.input_tokens or 0) - read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
    }
    if usage.cache_write_1h_tokens is not None:
        counts["cache_creation"] = {
            "ephemeral_5m_input_tokens": max(written - usage.cache_write_1h_tokens, 0),
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        }
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts
