"""OpenAI chat: the shapes of what providers answer, and the usage in them. It makes no events.

Compatible providers differ in where they put things; every leniency here was seen in real traffic.
"""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.usage import Usage
from pointsman.wire.openai_errors import error_within_reply

_Count = int | float | None  # some providers write token counts as 12.0

FAILED_REASONS = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""Of OpenRouter, vLLM, Z.ai and DeepSeek: the answer was broken off, and what was said is not all of it."""


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    cache_creation_input_tokens: _Count = None  # Qwen


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count = None


class ReportedUsage(msgspec.Struct, gc=False):
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count = None  # DeepSeek
    cached_tokens: _Count = None  # Moonshot
    num_cached_tokens: _Count = None  # Mistral
    cache_read_input_tokens: _Count = None  # Databricks
    cache_creation_input_tokens: _Count = None


class GroqExtra(msgspec.Struct):
    usage: ReportedUsage | None = None
    error: Any = None


class FunctionPart(msgspec.Struct):
    name: str | None = None
    arguments: Any = None  # a string; from some servers an object


class CustomPart(msgspec.Struct):
    name: str | None = None
    input: str | None = None


class CallPart(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: FunctionPart | None = None
    custom: CustomPart | None = None
    extra_content: Any = None  # Gemini: its signature


class Delta(msgspec.Struct):
    """What a chunk adds, or the whole message of a reply that is not streamed."""

    content: Any = None  # a string; a list from Mistral; an object from Cloudflare
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    tool_calls: list[CallPart] | None = None
    function_call: FunctionPart | None = None
    annotations: Any = None
    images: Any = None  # OpenRouter
    audio: Any = None
    extra_content: Any = None  # Gemini


class Logprobs(msgspec.Struct):
    content: list[dict[str, Any]] | None = None
    refusal: list[dict[str, Any]] | None = None


class _FinishDetails(msgspec.Struct):
    type: str | None = None


class Choice(msgspec.Struct):
    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | int | None = None
    finish_details: _FinishDetails | None = None
    logprobs: Logprobs | None = None
    usage: ReportedUsage | None = None  # Moonshot
    error: Any = None  # OpenRouter


class Chunk(msgspec.Struct):
    id: str | int | None = None
    created: Any = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: ReportedUsage | None = None
    error: Any = None
    x_groq: GroqExtra | None = None
    citations: Any = None  # Perplexity: addresses, or what is known of them
    search_results: Any = None
    message: Any = None  # vLLM: what it has to complain of
    code: Any = None


class _End(msgspec.Struct):
    """The parts of a choice that a watch reads."""

    index: int | None = None
    finish_reason: str | int | None = None
    usage: ReportedUsage | None = None
    error: Any = None  # OpenRouter


class WatchedChunk(msgspec.Struct):
    choices: list[_End] | None = None
    usage: ReportedUsage | None = None
    error: Any = None
    x_groq: GroqExtra | None = None
    message: Any = None
    code: Any = None


class _GoingOn(msgspec.Struct, gc=False):
    finish_reason: None = None
    usage: None = None


class QuietChunk(msgspec.Struct, gc=False):
    """A chunk with nothing for a watch to read. Any other is not of this type: one decoding tells, and that it is
    JSON."""

    choices: list[_GoingOn] | None = None
    usage: None = None
    error: None = None
    x_groq: None = None
    message: None = None


def usage_from(reported: ReportedUsage) -> Usage:
    prompt, completion, total = reported.prompt_tokens, reported.completion_tokens, reported.total_tokens
    of_prompt, of_completion = reported.prompt_tokens_details, reported.completion_tokens_details
    reasoning = None if of_completion is None else of_completion.reasoning_tokens
    if (
        prompt is not None
        and completion is not None
        and total is not None
        and total - prompt - completion > 0
        and (reasoning is None or reasoning == total - prompt - completion)
    ):
        # xAI and Gemini count hidden reasoning in the total only; it is generated and charged all the same.
        completion = total - prompt
    cached = None if of_prompt is None else of_prompt.cached_tokens
    if cached is None:
        cached = reported.prompt_cache_hit_tokens
    if cached is None:
        cached = reported.cached_tokens
    if cached is None:
        cached = reported.num_cached_tokens
    if cached is None:
        cached = reported.cache_read_input_tokens
    written = None if of_prompt is None else of_prompt.cache_write_tokens
    if written is None and of_prompt is not None:
        written = of_prompt.cache_creation_input_tokens
    if written is None:
        written = reported.cache_creation_input_tokens
    if written is not None and prompt is not None:
        written = max(
            min(written, prompt - (cached or 0)), 0
        )  # OpenRouter may count a token as read and as written
    counts = (prompt, completion, cached, written, None, reasoning)
    return Usage(*[None if count is None else int(count) for count in counts])


def error_of(chunk: Chunk | WatchedChunk) -> Any:
    if chunk.message and chunk.choices is None:
        return {"message": chunk.message, "code": chunk.code}
    return chunk.error or (None if chunk.x_groq is None else chunk.x_groq.error)


def failed_end(reason: str | int, error: Any) -> UpstreamError:
    """What one of FAILED_REASONS means, with what was said of it, if anything was."""
    if error:
        return error_within_reply({"error": error})
    return UpstreamError(UpstreamFault.BROKEN, f"the provider broke off its answer: {reason}")


def usage_of(chunk: Chunk | WatchedChunk) -> Usage | None:
    reported = chunk.usage
    if reported is None and chunk.x_groq is not None:
        reported = chunk.x_groq.usage
    if reported is None:
        for choice in chunk.choices or ():
            reported = reported or choice.usage
    return None if reported is None else usage_from(reported)
