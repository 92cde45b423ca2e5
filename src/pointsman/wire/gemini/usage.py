"""Token counts as Gemini writes them, to and from Usage: its candidates leave out the thoughts, its prompt the text
that tools of its own brought in."""

from typing import Any

import msgspec

from pointsman.core.usage import Usage


class Counts(msgspec.Struct, gc=False, rename="camel"):
    """`usageMetadata` as it is on the wire."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None

    def usage(self, *, is_final: bool = True) -> Usage | None:
        """None where it counts nothing. Each report counts from the start, so that the last one holds. Before the end of a stream a missing count is not known; at the end it is the
        zero that was left out."""
        read = self.prompt_token_count
        if read is not None:
            read += self.tool_use_prompt_token_count or 0
        written = self.candidates_token_count
        if written is not None:
            written += self.thoughts_token_count or 0
        elif is_final and read is not None and self.total_token_count is not None:
            written = max(self.total_token_count - read, self.thoughts_token_count or 0)
        elif is_final:
            written = self.thoughts_token_count
        if read is None and written is None:
            return None
        return Usage(
            input_tokens=read,
            output_tokens=written,
            cache_read_tokens=self.cached_content_token_count,
            reasoning_tokens=self.thoughts_token_count,
        )


def write_usage(usage: Usage) -> dict[str, Any] | None:
    """What a client is shown; None where nothing is known."""
    counts: dict[str, Any] = {}
    if usage.input_tokens is not None:
        counts["promptTokenCount"] = usage.input_tokens
    if usage.output_tokens is not None:
        counts["candidatesTokenCount"] = max(usage.output_tokens - (usage.reasoning_tokens or 0), 0)
    if usage.reasoning_tokens is not None:
        written = usage.reasoning_tokens if usage.output_tokens is None else usage.output_tokens
        counts["thoughtsTokenCount"] = min(usage.reasoning_tokens, written)  # the total is a sum here
    if usage.cache_read_tokens is not None:
        counts["cachedContentTokenCount"] = usage.cache_read_tokens
    if usage.input_tokens is not None and usage.output_tokens is not None:
        counts["totalTokenCount"] = usage.input_tokens + usage.output_tokens
    return counts or None
