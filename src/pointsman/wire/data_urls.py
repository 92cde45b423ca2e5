"""Pictures and files as OpenAI's dialects write them: an address on the web, or the data itself in a `data:` URL."""

import re

from pointsman.core.errors import BadRequest
from pointsman.core.request import Document, Image

DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.=+-]+)*;base64,", re.ASCII)
"""What stands in front of the base64; its group is the media type."""

URLS = ("https://", "http://")


def image_at(url: str, path: str, detail: str | None = None) -> Image:
    """Raises BadRequest, naming the `path`, for an address of any other kind."""
    if found := DATA_URL.match(url):
        return Image(media_type=(found[1] or "image/png").lower(), data=url[found.end() :], detail=detail)
    if url.startswith(URLS):
        return Image(url=url, detail=detail)
    raise BadRequest(
        f"Invalid '{path}': expected a base64 data URL or an https URL.", param=path, code="invalid_image_url"
    )


def name_of(document: Document) -> str:
    """Its own name, else one with an ending that says what it is: providers go by it."""
    if document.name:
        return document.name
    kind = (document.media_type or "application/pdf").lower()
    return f"document.{_ENDINGS.get(kind, 'txt' if kind.startswith('text/') else 'pdf')}"


_ENDINGS = {
    "text/markdown": "md",
    "text/html": "html",
    "text/csv": "csv",
    "application/json": "json",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}


def file_of(data: str, name: str | None) -> Document:
    """A file from a data URL, or from bare base64: a PDF, unless it says what it is."""
    if found := DATA_URL.match(data):
        return Document(
            media_type=(found[1] or "application/pdf").lower(), data=data[found.end() :], name=name
        )
    return Document(media_type="application/pdf", data=data, name=name)
