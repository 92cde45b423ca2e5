"""OpenAI chat: what a reply holds beside its text: the sources it names and the pictures it made."""

from collections.abc import Iterator
from typing import Any

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import ImageMade
from pointsman.core.request import Citation
from pointsman.wire.data_urls import DATA_URL


def citations_from(sources: Any) -> Iterator[Citation]:
    """From `annotations`, or from Perplexity's lists of addresses and of search results."""
    for source in sources if isinstance(sources, list) else ():
        match source:
            case str(url):
                yield Citation(url=url)
            case {"url_citation": {"url": str(url)} as cited}:
                yield _citation(url, cited)
            case {"url": str(url)}:
                yield _citation(url, source)
            case _:
                pass  # a file that was read, or of a kind that is still to come


def _citation(url: str, cited: dict[str, Any]) -> Citation:
    start, end = cited.get("start_index"), cited.get("end_index")
    if not (isinstance(start, int) and isinstance(end, int) and start < end):
        start = end = None  # OpenRouter writes 0 and 0
    return Citation(url, _text(cited.get("title")), _text(cited.get("content")), start, end)


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None


def images_from(images: Any) -> Iterator[ImageMade]:
    """Raises UpstreamError for a picture that is only an address: it may be gone when somebody looks."""
    for image in images if isinstance(images, list) else ():
        match image:
            case {"image_url": {"url": str(url)}} if found := DATA_URL.match(url):
                yield ImageMade(found[1] or "image/png", url[found.end() :])
            case _:
                raise UpstreamError(
                    UpstreamFault.BAD_REPLY, "the reply holds a picture that is not a data URL"
                )
