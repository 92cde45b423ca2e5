"""Every way in which the lab's provider can fail, by name, with what a caller must notice of it. It opens no socket.

whole     nothing is wrong that a caller should notice: the answer arrives
early     it fails before the first word of an answer: another model may still answer, unnoticed
late      it fails behind the first word: the caller has part of an answer and must be told that the rest is missing
refusal   the request itself is at fault: no other model is asked
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from pointsman.core.ports import HeaderList
from pointsman.lab.scripted import Scripted, scripted
from pointsman.lab.voices.voice import Said, Voice

Phase = Literal["whole", "early", "late", "refusal"]
Reach = Literal["served", "refused", "not_tls"]
Waits = Literal["silence", "total"]
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
_PAGE = (
    b"<!doctype html>\n<html><head><title>Sign in</title></head>\n\n<body><h1>Sign in</h1></body></html>\n"
)
_JSON = (b"content-type", b"application/json")
_HTML = (b"content-type", b"text/html; charset=utf-8")
_SSE = (b"content-type", b"text/event-stream")

_TOLD_UNUSABLE = frozenset({502})
_TOLD_LATE = frozenset({504})
_TOLD_RATE_LIMITED = frozenset({429})
_TOLD_OVERLOADED = frozenset({503, 529})


@dataclass(frozen=True, slots=True)
class Fault:
    """`stream` and `plain` say when it strikes, None where it cannot. `told` are the statuses that a caller may
    be told when there is no other way out. `reach` is how far a connection gets. With `waits` nothing happens
    any more until a deadline has passed: one for silence, or the one for the whole answer. `retry_after_s` stands
    in the provider's own answer. `is_large` is one that takes a hundred megabytes."""

    name: str
    means: str
    stream: Phase | None
    plain: Phase | None
    make: Make
    told: frozenset[int] = _TOLD_UNUSABLE
    reach: Reach = "served"
    waits: Waits | None = None
    retry_after_s: int | None = None
    is_large: bool = False

    def phase(self, *, stream: bool) -> Phase | None:
        return self.stream if stream else self.plain


def answer_well(voice: Voice, said: Said, stream: bool) -> Scripted:
    """No fault at all."""
    if not stream:
        return scripted(json=voice.whole(said))
    opening, content, closing = voice.stream(said)
    return _stream(voice, (*opening, *content, *closing))


def _stream(voice: Voice, pieces: tuple[bytes, ...]) -> Scripted:
    return Scripted(headers=((b"content-type", voice.stream_type),), pieces=pieces, framing="chunked")


def _opening(voice: Voice, said: Said) -> tuple[bytes, ...]:
    return voice.stream(said).opening


def _part(voice: Voice, said: Said) -> tuple[bytes, ...]:
    """A stream up to behind its third word."""
    opening, content, _ = voice.stream(said)
    return (*opening, *content[:_WORDS_BEFORE_LATE])


def _body(voice: Voice, said: Said) -> bytes:
    return b"".join(answer_well(voice, said, stream=False).pieces)


def _error(status: int, message: str, retry_after_s: int | None = None) -> Make:
    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        words = voice.model_missing(said.model) if status == 404 else message
        headers: HeaderList = () if retry_after_s is None else ((b"retry-after", b"%d" % retry_after_s),)
        return scripted(json=voice.error(status, words), status=status, headers=headers)

    return make


def _raw(*pieces: bytes, ending: Literal["close", "reset", "stall"] = "close") -> Make:
    return lambda voice, said, stream: scripted(raw=pieces, ending=ending)


def _in_200(body: bytes, *headers: tuple[bytes, bytes]) -> Make:
    return lambda voice, said, stream: scripted(body=body, headers=headers)


def _error_in_200(voice: Voice, said: Said, stream: bool) -> Scripted:
    return scripted(json=voice.error(500, "The server had an error while processing your request."))


def _broken_json(voice: Voice, said: Said, stream: bool) -> Scripted:
    if not stream:
        body = _body(voice, said)
        return scripted(body=body[: len(body) // 2] + b'"}', headers=(_JSON,))
    return _stream(voice, (*_opening(voice, said), voice.unreadable()))


def _bad_line(voice: Voice, said: Said, stream: bool) -> Scripted:
    _, content, closing = voice.stream(said)
    rest = content[_WORDS_BEFORE_LATE:]
    return _stream(voice, (*_part(voice, said), voice.unreadable(), *rest, *closing))


def _error_event(voice: Voice, said: Said, stream: bool) -> Scripted:
    return _stream(voice, (*_opening(voice, said), voice.stream_error("The server had an error.")))


def _late_error_event(voice: Voice, said: Said, stream: bool) -> Scripted:
    return _stream(voice, (*_part(voice, said), voice.stream_error("The server had an error.")))


def _ends(where: Literal["before", "within"], how: Literal["close", "reset", "stall"]) -> Make:
    """The answer ends before its first word, or within it."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        if stream:
            pieces = _opening(voice, said) if where == "before" else _part(voice, said)
            return replace(_stream(voice, pieces), ending=how)
        whole = answer_well(voice, said, stream=False)
        cut = 0 if where == "before" else len(whole.pieces[0]) // 2
        return replace(whole, cut_after_bytes=cut, ending=how)

    return make


def _heartbeats(where: Literal["before", "within"]) -> Make:
    """It goes on to say that it is there, and nothing else."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        start = _opening(voice, said) if where == "before" else _part(voice, said)
        # What it begins with comes at once, and in one piece.
        beats = (b"".join(start) or voice.heartbeat, *[voice.heartbeat] * _HEARTBEATS)
        return replace(_stream(voice, beats), pause_s=_HEARTBEAT_PAUSE_S, ending="stall")

    return make


def _oversized(voice: Voice, said: Said, stream: bool) -> Scripted:
    kind = voice.stream_type if stream else _JSON[1]
    body = _bomb(voice.unreadable().strip(), stream=stream)
    return scripted(body=body, headers=((b"content-type", kind), (b"content-encoding", b"gzip")))


@lru_cache
def _bomb(start: bytes, *, stream: bool) -> bytes:
    """One event, or one answer, over the largest that is taken."""
    size = (64 if stream else 128) * 1024 * 1024
    return gzip.compress(start + b" " * size, 1, mtime=0)


def _without_end(voice: Voice, said: Said, stream: bool) -> Scripted:
    opening, content, _ = voice.stream(said)
    return _stream(voice, (*opening, *content))


def _trickle(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    data = b"".join(whole.pieces)
    size = max(len(data) // _TRICKLE_PIECES, 1)
    pieces = tuple(data[at : at + size] for at in range(0, len(data), size))
    return replace(whole, pieces=pieces, pause_s=_TRICKLE_PAUSE_S)


def _wrong_type(voice: Voice, said: Said, stream: bool) -> Scripted:
    lie = _JSON if stream else (b"content-type", b"text/plain")
    return replace(answer_well(voice, said, stream), headers=(lie,))


def _length_too_long(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    length = sum(map(len, whole.pieces))
    return replace(whole, framing="length", declared_length=length + 100, ending="close")


def _length_too_short(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    length = len(b"".join(_part(voice, said))) if stream else len(body) // 2
    # In one piece: the surplus is there before the connection could be used again.
    return replace(whole, pieces=(body,), framing="length", declared_length=length)


def _bad_chunk(voice: Voice, said: Said, stream: bool) -> Scripted:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"
    return scripted(raw=[head % (voice.stream_type if stream else _JSON[1]), b"not a length\r\n"])


def _bad_gzip(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"content-encoding", b"gzip")))


def _framed(*lines: bytes, chunked: bool = False, version: bytes = b"1.1") -> Make:
    """A whole answer behind a head with these lines, and what else is told of its end."""

    def make(voice: Voice, said: Said, stream: bool) -> Scripted:
        whole = answer_well(voice, said, stream)
        body = b"".join(whole.pieces)
        if chunked:
            body = b"%x;why=not\r\n%b\r\n0\r\nx-lab: behind it\r\n\r\n" % (len(body), body)
        head = [b"HTTP/%b 200 OK" % version, *(b"%b: %b" % header for header in whole.headers), *lines]
        return scripted(raw=b"\r\n".join([*head, b"", body]), ending="clean" if lines else "close")

    return make


def _packed(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    # Two members, which together are one file.
    packed = gzip.compress(body[:50], mtime=0) + gzip.compress(body[50:], mtime=0)
    return scripted(body=packed, headers=(*whole.headers, (b"content-encoding", b"gzip")))


def _unknown_packing(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"content-encoding", b"br")))


def _half(voice: Voice, said: Said, stream: bool) -> Scripted:
    body = _body(voice, said)
    return replace(scripted(body=body[: len(body) // 2], headers=(_JSON,)), framing="close")


def _not_text(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, pieces=tuple(piece.replace(b" four", b" f\xff\xfeur") for piece in whole.pieces))


def _error_goes_on(voice: Voice, said: Said, stream: bool) -> Scripted:
    _, content, closing = voice.stream(said)
    error = voice.stream_error("The server had an error.")
    return _stream(voice, (*_part(voice, said), error, *content[_WORDS_BEFORE_LATE:], *closing))


def _error_with_date(voice: Voice, said: Said, stream: bool) -> Scripted:
    dates = (
        (b"date", b"Wed, 21 Oct 2026 07:28:00 GMT"),
        (b"retry-after", b"Wed, 21 Oct 2026 07:28:%d GMT" % RETRY_AFTER_S),
    )
    return scripted(json=voice.error(503, "Overloaded."), status=503, headers=dates)


def _behind_end(how: Literal["reset", "stall"]) -> Make:
    return lambda voice, said, stream: replace(answer_well(voice, said, stream), ending=how)


def _early_hints(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    body = b"".join(whole.pieces)
    lines = b"".join(b"%b: %b\r\n" % header for header in whole.headers)
    head = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n" % (lines, len(body))
    noise = (
        b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    return scripted(raw=[noise, head + body])


def _huge_head(voice: Voice, said: Said, stream: bool) -> Scripted:
    whole = answer_well(voice, said, stream)
    return replace(whole, headers=(*whole.headers, (b"x-lab", b"x" * _HUGE_HEADER_BYTES)))


def _redirect(voice: Voice, said: Said, stream: bool) -> Scripted:
    return scripted(body=b"", status=307, headers=[(b"location", ELSEWHERE.encode())])


_NOT_REACHED = _raw()
_AUTH = "Your key or account may not do this."

_ALL: tuple[Fault, ...] = (
    Fault("refused", "nobody listens at its port", "early", "early", _NOT_REACHED, reach="refused"),
    Fault("tls", "its port does not speak TLS", "early", "early", _NOT_REACHED, reach="not_tls"),
    Fault("closed", "it closes the connection without a word", "early", "early", _raw()),
    Fault("reset", "it resets the connection", "early", "early", _raw(ending="reset")),
    Fault("not_http", "it answers as a mail server", "early", "early", _raw(b"220 mail ESMTP\r\n")),
    Fault(
        "slow_head",
        "it takes the request and says nothing",
        "early",
        "early",
        _raw(ending="stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "400",
        "the request is malformed",
        "refusal",
        "refusal",
        _error(400, "Invalid value."),
        frozenset({400}),
    ),
    Fault("401", "our key is wrong", "early", "early", _error(401, _AUTH)),
    Fault("402", "our account has no money", "early", "early", _error(402, _AUTH)),
    Fault("403", "our account may not do this", "early", "early", _error(403, _AUTH)),
    Fault("404", "it does not serve the model", "early", "early", _error(404, ""), frozenset({404, 502})),
    Fault(
        "408", "it took too long to read us", "early", "early", _error(408, "Request timeout."), _TOLD_LATE
    ),
    Fault(
        "413",
        "the request is too large",
        "refusal",
        "refusal",
        _error(413, "Request exceeds the maximum size."),
        frozenset({413}),
    ),
    Fault("429", "too many requests", "early", "early", _error(429, "Slow down."), _TOLD_RATE_LIMITED),
    Fault(
        "429_retry_after",
        f"the same, with `Retry-After: {RETRY_AFTER_S}`",
        "early",
        "early",
        _error(429, "Slow down.", RETRY_AFTER_S),
        _TOLD_RATE_LIMITED,
        retry_after_s=RETRY_AFTER_S,
    ),
    Fault("500", "an error of its own", "early", "early", _error(500, "Internal error.")),
    Fault("503", "it is overloaded", "early", "early", _error(503, "Overloaded."), _TOLD_OVERLOADED),
    Fault(
        "503_retry_after",
        f"the same, with `Retry-After: {RETRY_AFTER_S}`",
        "early",
        "early",
        _error(503, "Overloaded.", RETRY_AFTER_S),
        _TOLD_OVERLOADED,
        retry_after_s=RETRY_AFTER_S,
    ),
    Fault(
        "503_date",
        f"the same, with a date in `Retry-After`, {RETRY_AFTER_S} s from the answer's own",
        "early",
        "early",
        _error_with_date,
        _TOLD_OVERLOADED,
        retry_after_s=RETRY_AFTER_S,
    ),
    Fault(
        "529",
        "Anthropic's word for overloaded",
        "early",
        "early",
        _error(529, "Overloaded."),
        _TOLD_OVERLOADED,
    ),
    Fault(
        "html_error",
        "a proxy's error page",
        "early",
        "early",
        lambda voice, said, stream: scripted(body=_PAGE, status=502, headers=(_HTML,)),
    ),
    Fault(
        "empty_error",
        "status 500 and nothing else",
        "early",
        "early",
        lambda *_: scripted(body=b"", status=500),
    ),
    Fault(
        "error_stalls",
        "status 503, and it falls silent within the error",
        "early",
        "early",
        lambda *_: scripted(body=b'{"error": {', status=503, declared_length=500, ending="stall"),
        _TOLD_OVERLOADED,
        waits="silence",
    ),
    Fault("html_200", "a sign-in page with status 200", "early", "early", _in_200(_PAGE, _HTML)),
    Fault("error_in_200", "an error's body with status 200", "early", "early", _error_in_200),
    Fault(
        "other_json",
        "JSON of something else with status 200",
        "early",
        "early",
        _in_200(b'{"ok": true}', _JSON),
    ),
    Fault("empty", "status 200 and nothing else", "early", "early", _in_200(b"", _JSON)),
    Fault("no_content", "status 204", "early", "early", lambda *_: scripted(body=b"", status=204)),
    Fault(
        "switching",
        "it wants to speak another protocol",
        "early",
        "early",
        _raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
    ),
    Fault(
        "only_continue",
        "it says 100, and nothing behind it",
        "early",
        "early",
        _raw(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ),
    Fault(
        "http2",
        "it answers in HTTP/2",
        "early",
        "early",
        _raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d"),
    ),
    Fault("redirect", "it wants us to go elsewhere", "early", "early", _redirect),
    Fault("bad_json", "JSON that breaks off, in the first event of a stream", "early", "early", _broken_json),
    Fault("half_answer", "half of a JSON answer, and a proper end", "early", "early", _half),
    Fault("not_text", "bytes that are not UTF-8", "late", "early", _not_text),
    Fault("only_done", "a stream of nothing but `[DONE]`", "early", None, _in_200(b"data: [DONE]\n\n", _SSE)),
    Fault(
        "events_instead",
        "a stream where none was asked for",
        None,
        "early",
        lambda voice, said, stream: answer_well(voice, said, stream=True),
    ),
    Fault("bad_line", "an event in the middle that nobody can read", "late", None, _bad_line),
    Fault("bad_chunk", "a chunk without a length", "early", "early", _bad_chunk),
    Fault("bad_gzip", "it calls gzip what is none", "early", "early", _bad_gzip),
    Fault("unknown_packing", "an encoding that nobody asked for", "early", "early", _unknown_packing),
    Fault(
        "two_lengths",
        "two lengths that differ",
        "early",
        "early",
        _framed(b"content-length: 9", b"content-length: 5"),
    ),
    Fault(
        "length_and_chunks",
        "a length beside chunks",
        "early",
        "early",
        _framed(b"content-length: 9", b"transfer-encoding: chunked", chunked=True),
    ),
    Fault(
        "endless_length",
        "a length of twenty digits",
        "early",
        "early",
        _framed(b"content-length: 99999999999999999999"),
    ),
    Fault("huge_head", "a header of 256 KB", "early", "early", _huge_head),
    Fault("error_event", "an error event in front of the first word", "early", None, _error_event),
    Fault("late_error_event", "an error event behind some words", "late", None, _late_error_event),
    Fault(
        "first_error_event",
        "an error event before anything else",
        "early",
        None,
        lambda voice, said, stream: _stream(voice, (voice.stream_error("The server had an error."),)),
    ),
    Fault(
        "error_goes_on",
        "an error event behind some words, and the rest behind that",
        "late",
        None,
        _error_goes_on,
    ),
    Fault(
        "cut_before_content",
        "the connection ends before the first word",
        "early",
        "early",
        _ends("before", "close"),
    ),
    Fault(
        "cut_in_content", "the connection ends behind some words", "late", "early", _ends("within", "close")
    ),
    Fault(
        "reset_in_content",
        "the connection is reset behind some words",
        "late",
        "early",
        _ends("within", "reset"),
    ),
    Fault(
        "stall_before_content",
        "it falls silent before the first word",
        "early",
        "early",
        _ends("before", "stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "stall_in_content",
        "it falls silent behind some words",
        "late",
        "early",
        _ends("within", "stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "heartbeats",
        "it says that it is there, and never a word",
        "early",
        None,
        _heartbeats("before"),
        _TOLD_LATE,
        waits="total",
    ),
    Fault(
        "late_heartbeats",
        "some words, and then only that it is there",
        "late",
        None,
        _heartbeats("within"),
        waits="total",
    ),
    Fault(
        "oversized",
        "an answer over every limit, small on the wire",
        "early",
        "early",
        _oversized,
        is_large=True,
    ),
    Fault("no_end", "every word, but not the event that ends an answer", "late", None, _without_end),
    Fault("length_too_long", "a content-length that promises more", "whole", "early", _length_too_long),
    Fault("length_too_short", "a content-length that cuts the answer", "late", "early", _length_too_short),
    Fault(
        "until_close",
        "HTTP/1.0, and an end that only the connection tells",
        "whole",
        "whole",
        _framed(version=b"1.0"),
    ),
    Fault(
        "trailers",
        "chunks with extensions, and headers behind them",
        "whole",
        "whole",
        _framed(b"transfer-encoding: chunked", chunked=True),
    ),
    Fault("packed", "gzip in two members, unasked", "whole", "whole", _packed),
    Fault(
        "reset_behind_end",
        "the connection is reset behind the last event",
        "whole",
        None,
        _behind_end("reset"),
    ),
    Fault(
        "stall_behind_end",
        "the last event, and not the end of its answer",
        "whole",
        None,
        _behind_end("stall"),
        waits="silence",
    ),
    Fault("wrong_type", "a content type that is not true", "whole", "whole", _wrong_type),
    Fault("early_hints", "1xx answers in front of the real one", "whole", "whole", _early_hints),
    Fault("trickle", "a few bytes at a time", "whole", "whole", _trickle),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""By name."""
