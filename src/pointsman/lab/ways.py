"""How the answers of the lab's provider go wrong: each way makes the answer to one request. Which of them are a fault by
which name, and what a caller must notice, stands in faults.py. It opens no socket."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pointsman.core.ports import HeaderList
from pointsman.lab.scripted import Scripted, scripted
from pointsman.lab.voices.voice import Said, Voice

Make = Callable[[Voice, Said, bool], Scripted]
"""The answer to one request; the last argument says whether a stream is wanted."""

WORDS = (" says", " one", " two", " three", " four", " five", " six", " seven")
"""What follows the model's name in every answer."""

RETRY_AFTER_S = 30
ELSEWHERE = "/elsewhere"
"""The path that a redirect points to. Nobody may come there."""

_WORDS_BEFORE_LATE = 3
_NEVER_S = 3600.0
_TRICKLE_PIECES = 40
_TRICKLE_PAUSE_S = 0.002
_HEARTBEATS = 600
_HEARTBEAT_PAUSE_S = 0.05
_HUGE_HEADER_BYTES = 256 * 1024
PAGE = b"<!doctype html>\n<html><head><title>Sign in</title></head>\n\n<body><h1>Sign in</h1></body></html>\n"
JSON = (b"content-type", b"application/json")
HTML = (b"content-type", b"text/html; charset=utf-8")
SSE = (b"content-type", b"text/event-stream")


def answer_well(voice: Voice, said: Said, stream: bool) -> Scripted:
    """No fault at all."""
    if not stream:
        return scripted(json=voice.whole(said))
    opening, content, closing = voice.stream(said)
    return streamed(voice, (*opening, *content, *closing))


def streamed(voice: Voice, pieces: tuple[bytes, ...]) -> Scripted:
    return Scripted(headers=((b"content-type", voice.stream_type),), pieces=pieces, framing="chunked")


def _opening(voice: Voice, said: Said) -> tuple[bytes, ...]:
    return voice.stream(said).opening


def _part(voice: Voice, said: Said) -> tuple[bytes, ...]:
    """A stream up to behind its third word."""
    opening, content, _ = voice.stream(said)
    return (*opening, *content[:_WORDS_BEFORE_LATE])


def _body(voice: Voice, said: Said) -> bytes:
    return b"".join(answer_well(voice, said, stream=False).pieces)


def error(status: int, message: str, retry_after_s: int | None = None) -> Make:
    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        words = voice.model_missing(said.model) if status == 404 else message
        headers: HeaderList = () if retry_after_s is None else ((b"retry-after", b"%d" % retry_after_s),)
        return scripted(json=voice.error(status, words), status=status, headers=headers)

    return make


def raw(*pieces: bytes, ending: Literal["close", "reset", "stall"] = "close") -> Make:
    return lambda voice, said, stream: scripted(raw=pieces, ending=ending)


def in_200(body: bytes, *headers: tuple[bytes, bytes]) -> Make:
    return lambda voice, said, stream: scripted(body=body, headers=headers)


def error_in_200(voice: Voice, said: Said, stream: bool) -> Scripted:
    return scripted(json=voice.error(500, "The server had an error while processing your request."))


def broken_json(voice: Voice, said: Said, stream: bool) -> Scripted:
    if not stream:
        body = _body(voice, said)
        return scripted(body=body[: len(body) // 2] + b'"}', headers=(JSON,))
    return streamed(voice, (*_opening(voice, said), voice.unreadable()))


def bad_line(voice: Voice, said: Said, stream: bool) -> Scripted:
    _, content, closing = voice.stream(said)
    rest = content[_WORDS_BEFORE_LATE:]
    return streamed(voice, (*_part(voice, said), voice.unreadable(), *rest, *closing))


def error_event(voice: Voice, said: Said, stream: bool) -> Scripted:
    return streamed(voice, (*_opening(voice, said), voice.stream_error("The server had an error.")))


def late_error_event(voice: Voice, said: Said, stream: bool) -> Scripted:
    return streamed(voice, (*_part(voice, said), voice.stream_error("The server had an error.")))


def ends(where: Literal["before", "within"], how: Literal["close", "reset", "stall"]) -> Make:
    """The answer ends before its first word, or within it."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        if stream:
            pieces = _opening(voice, said) if where == "before" else _part(voice, said)
            return replace(streamed(voice, pieces), ending=how)
        whole = answer_well(voice, said, stream=False)
        cut = 0 if where == "before" else len(whole.pieces[0]) // 2
        return replace(whole, cut_after_bytes=cut, ending=how)

    return make


def heartbeats(where: Literal["before", "within"]) -> Make:
    """It goes on to say that it is there, and nothing else."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        start = _opening(voice, said) if where == "before" else _part(voice, said)
        # What it begins with comes at once, and in one piece.
        beats = (b"".join(start) or voice.heartbeat, *[voice.heartbeat] * _HEARTBEATS)
        return replace(streamed(voice, beats), pause_s=_HEARTBEAT_PAUSE_S, ending="stall")

    return make


def oversized(voice: Voice, said: Said, stream: bool) -> Scripted:
    kind = voice.stream_type if stream else JSON[1]
    body = _bomb(voice.unreadable().strip(), stream=stream)
    return scripted(body=body, headers=((b"content-type", kind), (b"content-encoding", b"gzip")))


@lru_cache
def _bomb(start: bytes, *, stream: bool) -> bytes:
    """One event, or one answer, over the largest that is taken."""
    size = (64 if stream else 128) * 1024 * 1024
    return gzip.compress(start + b" " * size, 1, mtime=0)


def without_end(voice: Voice, said: Said, stream: bool) -> Scripted:
    opening, content, _ = voice.stream(said)
    return streamed(voice, (*opening, *content))


def trickle(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    data = b"".join(whole.pieces)
    size = max(len(data) // _TRICKLE_PIECES, 1)
    pieces = tuple(data[at : at + size] for at in range(0, len(data), size))
    return replace(whole, pieces=pieces, pause_s=_TRICKLE_PAUSE_S)


def wrong_type(voice: Voice, said: Said, stream: bool) -> Scripted:
    lie = JSON if stream else (b"content-type", b"text/plain")
    return replace(answer_well(voice, said, stream), headers=(lie,))


def length_too_long(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    length = sum(map(len, whole.pieces))
    return replace(whole, framing="length", declared_length=length + 100, ending="close")


def length_too_short(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    length = len(b"".join(_part(voice, said))) if stream else len(body) // 2
    # In one piece: the surplus is there before the connection could be used again.
    return replace(whole, pieces=(body,), framing="length", declared_length=length)


def bad_chunk(voice: Voice, said: Said, stream: bool) -> Scripted:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"
    return scripted(raw=[head % (voice.stream_type if stream else JSON[1]), b"not a length\r\n"])


def bad_gzip(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"content-encoding", b"gzip")))


def framed(*lines: bytes, chunked: bool = False, version: bytes = b"1.1") -> Make:
    """A whole answer behind a head with these lines, and what else is told of its end."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        whole = answer_well(voice, said, stream)
        body = b"".join(whole.pieces)
        if chunked:
            body = b"%x;why=not\r\n%b\r\n0\r\nx-lab: behind it\r\n\r\n" % (len(body), body)
        head = [b"HTTP/%b 200 OK" % version, *(b"%b: %b" % header for header in whole.headers), *lines]
        return scripted(raw=b"\r\n".join([*head, b"", body]), ending="clean" if lines else "close")

    return make


def packed(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    # Two members, which together are one file.
    packed = gzip.compress(body[:50], mtime=0) + gzip.compress(body[50:], mtime=0)
    return scripted(body=packed, headers=(*whole.headers, (b"content-encoding", b"gzip")))


def unknown_packing(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"content-encoding", b"br")))


def half(voice: Voice, said: Said, stream: bool) -> Scripted:
    body = _body(voice, said)
    return replace(scripted(body=body[: len(body) // 2], headers=(JSON,)), framing="close")


def not_text(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, pieces=tuple(piece.replace(b" four", b" f\xff\xfeur") for piece in whole.pieces))


def error_goes_on(voice: Voice, said: Said, stream: bool) -> Scripted:
    _, content, closing = voice.stream(said)
    error = voice.stream_error("The server had an error.")
    return streamed(voice, (*_part(voice, said), error, *content[_WORDS_BEFORE_LATE:], *closing))


def error_with_date(voice: Voice, said: Said, stream: bool) -> Scripted:
    dates = (
        (b"date", b"Wed, 21 Oct 2026 07:28:00 GMT"),
        (b"retry-after", b"Wed, 21 Oct 2026 07:28:%d GMT" % RETRY_AFTER_S),
    )
    return scripted(json=voice.error(503, "Overloaded."), status=503, headers=dates)


def behind_end(how: Literal["reset", "stall"]) -> Make:
    return lambda voice, said, stream: replace(answer_well(voice, said, stream), ending=how)


def early_hints(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    lines = b"".join(b"%b: %b\r\n" % header for header in whole.headers)
    head = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n" % (lines, len(body))
    noise = (
        b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    return scripted(raw=[noise, head + body])


def huge_head(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"x-lab", b"x" * _HUGE_HEADER_BYTES)))


def redirect(voice: Voice, said: Said, stream: bool) -> Scripted:
    return scripted(body=b"", status=307, headers=[(b"location", ELSEWHERE.encode())])
