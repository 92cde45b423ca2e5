"""Unpacks request bodies that came compressed, never further than the limit for bodies. Answers are not packed
here."""

import zlib

from pointsman.core.errors import BadRequest, TooLarge, WrongMediaType

_GZIP_OR_ZLIB = 47  # zlib's window bits; it tells the two apart by their first bytes


def inflate(body: bytes, encoding: bytes, max_body_bytes: int) -> bytes:
    """The body without its content encoding. Raises BadRequest, TooLarge, WrongMediaType."""
    if encoding in {b"", b"identity"}:
        return body
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        name = encoding.decode("latin-1")
        raise WrongMediaType(f"the content encoding {name} is not read here; send gzip or none")
    unpacker = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(body, max_body_bytes + 1)
    except zlib.error:
        raise BadRequest(f"the body is not valid {encoding.decode('latin-1')}") from None
    if len(plain) > max_body_bytes:
        raise TooLarge(f"the body is over {max_body_bytes} bytes")
    if not unpacker.eof:
        raise BadRequest("the compressed body ends before its end")
    if unpacker.unused_data:
        raise BadRequest("something follows the end of the compressed body")
    return plain
