"""Undoes gzip and deflate piece by piece, never more at once than asked for. It decides no limit."""

import zlib

from pointsman.core.errors import UpstreamError, UpstreamFault

_GZIP_WBITS = 16 + zlib.MAX_WBITS
_ZLIB_WBITS = zlib.MAX_WBITS
_BARE_WBITS = -zlib.MAX_WBITS
_METHOD_DEFLATE = 8


class Inflater:
    """Give it encoded bytes with `feed`, take decoded ones with `take` until it has none."""

    __slots__ = ("_encoded", "_is_gzip", "_stream")

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._encoded = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> None:
        self._encoded += data

    def take(self, bytes_max: int) -> bytes:
        """Up to `bytes_max` decoded bytes; b"" when more must be fed first. Raises UpstreamError."""
        while True:
            stream = self._stream
            if stream is None or stream.eof:
                if not self._encoded:
                    return b""
                stream = self._stream = self._next_stream(stream)
            # Also without input: zlib may still hold output that did not fit the last time.
            try:
                decoded = stream.decompress(self._encoded, bytes_max)
            except zlib.error as error:
                raise _broken(str(error)) from None
            self._encoded = stream.unused_data if stream.eof else stream.unconsumed_tail
            if decoded or not self._encoded:
                return decoded

    def is_whole(self) -> bool:
        """True before the first byte and at the end of a compressed stream: the body may end here."""
        return not self._encoded and (self._stream is None or self._stream.eof)

    def _next_stream(self, finished: "zlib._Decompress | None") -> "zlib._Decompress":
        if self._is_gzip:
            # RFC 1952 section 2.2: a gzip file is a series of members.
            return zlib.decompressobj(_GZIP_WBITS)
        if finished is not None:
            raise _broken("it goes on behind its end")
        return zlib.decompressobj(_deflate_wbits(self._encoded[0]))


def inflater_for(content_encoding: bytes) -> Inflater | None:
    """None for a body that is sent as it is. Raises UpstreamError (BAD_REPLY) for an unknown encoding."""
    match content_encoding.strip().lower():
        case b"" | b"identity":
            return None
        case b"gzip" | b"x-gzip":
            return Inflater(is_gzip=True)
        case b"deflate":
            return Inflater(is_gzip=False)
        case other:
            shown = other[:40].decode("latin-1")
            raise UpstreamError(
                UpstreamFault.BAD_REPLY, f"the answer has a content encoding nobody asked for: {shown!r}"
            )


def _deflate_wbits(first_byte: int) -> int:
    # HTTP's deflate is zlib's format (RFC 9110, 8.4.1.2), but some servers send it bare. A zlib stream
    # begins with method 8; a bare one would need a stored block with its unused padding bit set.
    return _ZLIB_WBITS if first_byte & 0x0F == _METHOD_DEFLATE else _BARE_WBITS


def _broken(why: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, f"the answer's compression is broken: {why}")
