"""The shape of a Gemini reply, whole or one piece of a stream: only the fields that are read. It interprets nothing."""

from typing import Any

import msgspec

from pointsman.wire.gemini.usage import Counts
from pointsman.wire.json_bytes import NOTHING


class FunctionCall(msgspec.Struct, gc=False, rename="camel"):
    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = NOTHING
    partial_args: list[dict[str, Any]] | None = None
    will_continue: bool | None = None


class Blob(msgspec.Struct, gc=False, rename="camel"):
    mime_type: str = ""
    data: str = ""


class Part(msgspec.Struct, gc=False, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None


class Content(msgspec.Struct, gc=False):
    parts: list[Part] | None = None


class LogprobCandidate(msgspec.Struct, gc=False, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class TopCandidates(msgspec.Struct, gc=False):
    candidates: list[LogprobCandidate] | None = None


class LogprobsResult(msgspec.Struct, gc=False, rename="camel"):
    chosen_candidates: list[LogprobCandidate] | None = None
    top_candidates: list[TopCandidates] | None = None


class Web(msgspec.Struct, gc=False):
    uri: str | None = None
    title: str | None = None
    text: str | None = None


class GroundingChunk(msgspec.Struct, gc=False, rename="camel"):
    web: Web | None = None
    retrieved_context: Web | None = None
    maps: Web | None = None


class Segment(msgspec.Struct, gc=False, rename="camel"):
    start_index: int = 0
    end_index: int | None = None


class GroundingSupport(msgspec.Struct, gc=False, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class GroundingMetadata(msgspec.Struct, gc=False, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class CitationSource(msgspec.Struct, gc=False, rename="camel"):
    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class CitationMetadata(msgspec.Struct, gc=False, rename="camel"):
    citation_sources: list[CitationSource] | None = None
    citations: list[CitationSource] | None = None  # Vertex


class Candidate(msgspec.Struct, gc=False, rename="camel"):
    content: Content | None = None
    index: int | None = None
    finish_reason: str | int | None = None
    logprobs_result: LogprobsResult | None = None
    grounding_metadata: GroundingMetadata | None = None
    citation_metadata: CitationMetadata | None = None


class PromptFeedback(msgspec.Struct, gc=False, rename="camel"):
    block_reason: str | int | None = None
    block_reason_message: str | None = None


class Chunk(msgspec.Struct, gc=False, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Counts | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


class WatchedCandidate(msgspec.Struct, gc=False, rename="camel"):
    index: int | None = None
    finish_reason: str | int | None = None


class WatchedChunk(msgspec.Struct, gc=False, rename="camel"):
    """A piece as it is looked at beside a stream that is relayed."""

    candidates: list[WatchedCandidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Counts | None = None
    error: Any = None
