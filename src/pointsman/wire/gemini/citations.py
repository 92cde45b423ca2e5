"""The sources of a text, to and from the way Gemini tells them: its places count bytes of UTF-8. It moves no text."""

from collections.abc import Sequence
from typing import Any

from pointsman.core.request import Citation
from pointsman.wire.gemini.chunks import Candidate, GroundingMetadata, Web


def citations_of(candidate: Candidate, text: str) -> list[Citation]:
    """`text` is the whole text so far, which the places are in."""
    found: list[Citation] = []
    if candidate.grounding_metadata is not None:
        found += _grounded(candidate.grounding_metadata, text)
    cited = candidate.citation_metadata
    if cited is not None:
        encoded = text.encode()
        found += [
            Citation(
                url=source.uri,
                title=source.title,
                start=_characters(encoded, source.start_index or 0),
                end=_characters(encoded, source.end_index),
            )
            for source in (*(cited.citation_sources or ()), *(cited.citations or ()))
            if source.uri
        ]
    return found


def _grounded(metadata: GroundingMetadata, text: str) -> list[Citation]:
    sources = [
        chunk.web or chunk.retrieved_context or chunk.maps or Web()
        for chunk in metadata.grounding_chunks or ()
    ]
    encoded = text.encode()
    found: list[Citation] = []
    used: set[int] = set()
    for support in metadata.grounding_supports or ():
        segment = support.segment
        start = None if segment is None else _characters(encoded, segment.start_index)
        end = None if segment is None else _characters(encoded, segment.end_index)
        for number in support.grounding_chunk_indices or ():
            if 0 <= number < len(sources):
                used.add(number)
                found.append(_citation(sources[number], start, end))
    found += [_citation(source) for number, source in enumerate(sources) if number not in used]
    return found


def _citation(source: Web, start: int | None = None, end: int | None = None) -> Citation:
    return Citation(url=source.uri, title=source.title, quote=source.text, start=start, end=end)


def _characters(encoded: bytes, place: int | None) -> int | None:
    return None if place is None else len(encoded[: max(place, 0)].decode("utf-8", "ignore"))


def grounding(cited: Sequence[tuple[Citation, str]]) -> dict[str, Any]:
    """GroundingMetadata for citations, each with the text that its places are in."""
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for citation, text in cited:
        web = {"uri": citation.url, "title": citation.title}
        chunk = {"web": {name: value for name, value in web.items() if value is not None}}
        if chunk not in chunks:
            chunks.append(chunk)
        if citation.end is not None:
            start, end = citation.start or 0, citation.end
            segment = {
                "startIndex": len(text[:start].encode()),
                "endIndex": len(text[:end].encode()),
                "text": text[start:end],
            }
            supports.append({"segment": segment, "groundingChunkIndices": [chunks.index(chunk)]})
    written: dict[str, Any] = {"groundingChunks": chunks}
    if supports:
        written["groundingSupports"] = supports
    return written
