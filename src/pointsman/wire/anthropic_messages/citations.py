"""The sources that a text of the Messages API names, to and from Citation. Here a citation belongs to its whole block.

The API gives each source from the web an `encrypted_index` and wants it back. For a source that it never saw there is
none: what stands there instead is a tag, by which the citation is taken out again before the API sees the history.
"""

from typing import Any

from pointsman.core.request import Citation
from pointsman.wire.seals import NOBODYS, Kind, tag

_NOT_THEIRS = tag(NOBODYS, Kind.TEXT)


def citation_from(said: Any) -> Citation | None:
    """From a location of any kind: characters, pages or blocks of a document, a search result, a page of the web."""
    if not isinstance(said, dict):
        return None
    url = said.get("url")
    if url is None and str(source := said.get("source")).startswith(("https://", "http://")):
        url = source
    title = said.get("title") or said.get("document_title")
    return Citation(url=_text(url), title=_text(title), quote=_text(said.get("cited_text")))


def written_citation(citation: Citation) -> dict[str, Any] | None:
    """None for a source without an address: which document of the request it was in cannot be told."""
    if citation.url is None:
        return None
    return {
        "type": "web_search_result_location",
        "cited_text": citation.quote or "",
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": _NOT_THEIRS,
    }


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None
