"""The sources of a text, to and from the way Gemini tells them: its places count bytes of UTF-8. It moves no text."""

from collections.abc import Sequence
from typing import Any

from pointsman.core.request import Citation
from pointsman.wire.gemini.chunks import Candidate, GroundingMetadata, Web
from pointsman.wire.gemini.places import Places

QUOTED_TIMES_MAX = 4
"""So many times a text is repeated in the segments of its citations; those behind tell only their places."""

_QUOTED_FREE_CHARS = 20_000


def citations_of(candidate: Candidate, text: Places) -> list[Citation]:
    """`text` is the whole text so far, which the places are in."""
    found: list[Citation] = []
    if candidate.grounding_metadata is not None:
        found += _grounded(candidate.grounding_metadata, text)
    cited = candidate.citation_metadata
    if cited is not None:
        found += [
            Citation(
                url=source.uri,
                title=source.title,
                start=_characters(text, source.start_index or 0),
                end=_characters(text, source.end_index),
            )
            for source in (*(cited.citation_sources or ()), *(cited.citations or ()))
            if source.uri
        ]
    return found


def _grounded(metadata: GroundingMetadata, text: Places) -> list[Citation]:
    sources = [
        chunk.web or chunk.retrieved_context or chunk.maps or Web()
        for chunk in metadata.grounding_chunks or ()
    ]
    found: list[Citation] = []
    used: set[int] = set()
    for support in metadata.grounding_supports or ():
        segment = support.segment
        start = None if segment is None else _characters(text, segment.start_index)
        end = None if segment is None else _characters(text, segment.end_index)
        for number in support.grounding_chunk_indices or ():
            if 0 <= number < len(sources):
                used.add(number)
                found.append(_citation(sources[number], start, end))
    found += [_citation(source) for number, source in enumerate(sources) if number not in used]
    return found


def _citation(source: Web, start: int | None = None, end: int | None = None) -> Citation:
    return Citation(url=source.uri, title=source.title, quote=source.text, start=start, end=end)


def _characters(text: Places, place: int | None) -> int | None:
    return None if place is None else text.characters(place)


def grounding(cited: Sequence[tuple[Citation, Places]]) -> dict[str, Any]:
    """GroundingMetadata for citations, each with the text that its places are in."""
    chunks: list[dict[str, Any]] = []
    numbers: dict[tuple[str | None, str | None], int] = {}
    supports: list[dict[str, Any]] = []
    texts: dict[Places, str] = {}
    for _, places in cited:
        if places not in texts:
            texts[places] = places.text()
    quotable = _QUOTED_FREE_CHARS + QUOTED_TIMES_MAX * sum(map(len, texts.values()))
    for citation, places in cited:
        number = numbers.setdefault((citation.url, citation.title), len(chunks))
        if number == len(chunks):
            web = {"uri": citation.url, "title": citation.title}
            chunks.append({"web": {name: value for name, value in web.items() if value is not None}})
        if citation.end is None:
            continue
        start, end = citation.start or 0, citation.end
        segment: dict[str, Any] = {"startIndex": places.bytes(start), "endIndex": places.bytes(end)}
        quotable -= max(min(end, len(texts[places])) - max(start, 0), 0)
        if quotable >= 0:
            segment["text"] = texts[places][max(start, 0) : max(end, 0)]
        supports.append({"segment": segment, "groundingChunkIndices": [number]})
    written: dict[str, Any] = {"groundingChunks": chunks}
    if supports:
        written["groundingSupports"] = supports
    return written
