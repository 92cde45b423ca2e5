"""Files that hold nothing but text, for APIs that take no such file. It reads no other."""

from base64 import b64decode

from pointsman.core.errors import BadRequest
from pointsman.core.request import Document


def text_in(document: Document) -> str | None:
    """None for a file of anything else. Raises BadRequest for one that says it is text and is none."""
    if document.text is not None or not (document.media_type or "").startswith("text/"):
        return document.text
    try:
        return None if document.data is None else b64decode(document.data, validate=True).decode()
    except ValueError:
        raise BadRequest("A text file in 'messages' is not base64 of UTF-8.", param="messages") from None
