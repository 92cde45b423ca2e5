"""Every way in which the lab's provider can fail, by name, with what a caller must notice of it. It opens no socket.

whole     nothing is wrong that a caller should notice: the answer arrives
early     it fails before the first word of an answer: another model may still answer, unnoticed
late      it fails behind the first word: the caller has part of an answer and must be told that the rest is missing
refusal   the request itself is at fault: no other model is asked
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pointsman.lab import ways
from pointsman.lab.scripted import scripted
from pointsman.lab.ways import Make

Phase = Literal["whole", "early", "late", "refusal"]
Reach = Literal["served", "refused", "not_tls"]
Waits = Literal["silence", "total"]

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


_NOT_REACHED = ways.raw()
_AUTH = "Your key or account may not do this."

_ALL: tuple[Fault, ...] = (
    Fault("refused", "nobody listens at its port", "early", "early", _NOT_REACHED, reach="refused"),
    Fault("tls", "its port does not speak TLS", "early", "early", _NOT_REACHED, reach="not_tls"),
    Fault("closed", "it closes the connection without a word", "early", "early", ways.raw()),
    Fault("reset", "it resets the connection", "early", "early", ways.raw(ending="reset")),
    Fault("not_http", "it answers as a mail server", "early", "early", ways.raw(b"220 mail ESMTP\r\n")),
    Fault(
        "slow_head",
        "it takes the request and says nothing",
        "early",
        "early",
        ways.raw(ending="stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "400",
        "the request is malformed",
        "refusal",
        "refusal",
        ways.error(400, "Invalid value."),
        frozenset({400}),
    ),
    Fault("401", "our key is wrong", "early", "early", ways.error(401, _AUTH)),
    Fault("402", "our account has no money", "early", "early", ways.error(402, _AUTH)),
    Fault("403", "our account may not do this", "early", "early", ways.error(403, _AUTH)),
    Fault("404", "it does not serve the model", "early", "early", ways.error(404, ""), frozenset({404, 502})),
    Fault(
        "408",
        "it took too long to read us",
        "early",
        "early",
        ways.error(408, "Request timeout."),
        _TOLD_LATE,
    ),
    Fault(
        "413",
        "the request is too large",
        "refusal",
        "refusal",
        ways.error(413, "Request exceeds the maximum size."),
        frozenset({413}),
    ),
    Fault("429", "too many requests", "early", "early", ways.error(429, "Slow down."), _TOLD_RATE_LIMITED),
    Fault(
        "429_retry_after",
        f"the same, with `Retry-After: {ways.RETRY_AFTER_S}`",
        "early",
        "early",
        ways.error(429, "Slow down.", ways.RETRY_AFTER_S),
        _TOLD_RATE_LIMITED,
        retry_after_s=ways.RETRY_AFTER_S,
    ),
    Fault("500", "an error of its own", "early", "early", ways.error(500, "Internal error.")),
    Fault("503", "it is overloaded", "early", "early", ways.error(503, "Overloaded."), _TOLD_OVERLOADED),
    Fault(
        "503_retry_after",
        f"the same, with `Retry-After: {ways.RETRY_AFTER_S}`",
        "early",
        "early",
        ways.error(503, "Overloaded.", ways.RETRY_AFTER_S),
        _TOLD_OVERLOADED,
        retry_after_s=ways.RETRY_AFTER_S,
    ),
    Fault(
        "503_date",
        f"the same, with a date in `Retry-After`, {ways.RETRY_AFTER_S} s from the answer's own",
        "early",
        "early",
        ways.error_with_date,
        _TOLD_OVERLOADED,
        retry_after_s=ways.RETRY_AFTER_S,
    ),
    Fault(
        "529",
        "Anthropic's word for overloaded",
        "early",
        "early",
        ways.error(529, "Overloaded."),
        _TOLD_OVERLOADED,
    ),
    Fault(
        "html_error",
        "a proxy's error page",
        "early",
        "early",
        lambda voice, said, stream: scripted(body=ways.PAGE, status=502, headers=(ways.HTML,)),
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
    Fault("html_200", "a sign-in page with status 200", "early", "early", ways.in_200(ways.PAGE, ways.HTML)),
    Fault("error_in_200", "an error's body with status 200", "early", "early", ways.error_in_200),
    Fault(
        "other_json",
        "JSON of something else with status 200",
        "early",
        "early",
        ways.in_200(b'{"ok": true}', ways.JSON),
    ),
    Fault("empty", "status 200 and nothing else", "early", "early", ways.in_200(b"", ways.JSON)),
    Fault("no_content", "status 204", "early", "early", lambda *_: scripted(body=b"", status=204)),
    Fault(
        "switching",
        "it wants to speak another protocol",
        "early",
        "early",
        ways.raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
    ),
    Fault(
        "only_continue",
        "it says 100, and nothing behind it",
        "early",
        "early",
        ways.raw(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ),
    Fault(
        "http2",
        "it answers in HTTP/2",
        "early",
        "early",
        ways.raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d"),
    ),
    Fault("redirect", "it wants us to go elsewhere", "early", "early", ways.redirect),
    Fault(
        "bad_json", "JSON that breaks off, in the first event of a stream", "early", "early", ways.broken_json
    ),
    Fault("half_answer", "half of a JSON answer, and a proper end", "early", "early", ways.half),
    Fault("not_text", "bytes that are not UTF-8", "late", "early", ways.not_text),
    Fault(
        "only_done",
        "a stream of nothing but `[DONE]`",
        "early",
        None,
        ways.in_200(b"data: [DONE]\n\n", ways.SSE),
    ),
    Fault(
        "events_instead",
        "a stream where none was asked for",
        None,
        "early",
        lambda voice, said, stream: ways.answer_well(voice, said, stream=True),
    ),
    Fault("bad_line", "an event in the middle that nobody can read", "late", None, ways.bad_line),
    Fault("bad_chunk", "a chunk without a length", "early", "early", ways.bad_chunk),
    Fault("bad_gzip", "it calls gzip what is none", "early", "early", ways.bad_gzip),
    Fault("unknown_packing", "an encoding that nobody asked for", "early", "early", ways.unknown_packing),
    Fault(
        "two_lengths",
        "two lengths that differ",
        "early",
        "early",
        ways.framed(b"content-length: 9", b"content-length: 5"),
    ),
    Fault(
        "length_and_chunks",
        "a length beside chunks",
        "early",
        "early",
        ways.framed(b"content-length: 9", b"transfer-encoding: chunked", chunked=True),
    ),
    Fault(
        "endless_length",
        "a length of twenty digits",
        "early",
        "early",
        ways.framed(b"content-length: 99999999999999999999"),
    ),
    Fault("huge_head", "a header of 256 KB", "early", "early", ways.huge_head),
    Fault("error_event", "an error event in front of the first word", "early", None, ways.error_event),
    Fault("late_error_event", "an error event behind some words", "late", None, ways.late_error_event),
    Fault(
        "first_error_event",
        "an error event before anything else",
        "early",
        None,
        lambda voice, said, stream: ways.streamed(voice, (voice.stream_error("The server had an error."),)),
    ),
    Fault(
        "error_goes_on",
        "an error event behind some words, and the rest behind that",
        "late",
        None,
        ways.error_goes_on,
    ),
    Fault(
        "cut_before_content",
        "the connection ends before the first word",
        "early",
        "early",
        ways.ends("before", "close"),
    ),
    Fault(
        "cut_in_content",
        "the connection ends behind some words",
        "late",
        "early",
        ways.ends("within", "close"),
    ),
    Fault(
        "reset_in_content",
        "the connection is reset behind some words",
        "late",
        "early",
        ways.ends("within", "reset"),
    ),
    Fault(
        "stall_before_content",
        "it falls silent before the first word",
        "early",
        "early",
        ways.ends("before", "stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "stall_in_content",
        "it falls silent behind some words",
        "late",
        "early",
        ways.ends("within", "stall"),
        _TOLD_LATE,
        waits="silence",
    ),
    Fault(
        "heartbeats",
        "it says that it is there, and never a word",
        "early",
        None,
        ways.heartbeats("before"),
        _TOLD_LATE,
        waits="total",
    ),
    Fault(
        "late_heartbeats",
        "some words, and then only that it is there",
        "late",
        None,
        ways.heartbeats("within"),
        waits="total",
    ),
    Fault(
        "oversized",
        "an answer over every limit, small on the wire",
        "early",
        "early",
        ways.oversized,
        is_large=True,
    ),
    Fault("no_end", "every word, but not the event that ends an answer", "late", None, ways.without_end),
    Fault("length_too_long", "a content-length that promises more", "whole", "early", ways.length_too_long),
    Fault(
        "length_too_short", "a content-length that cuts the answer", "late", "early", ways.length_too_short
    ),
    Fault(
        "until_close",
        "HTTP/1.0, and an end that only the connection tells",
        "whole",
        "whole",
        ways.framed(version=b"1.0"),
    ),
    Fault(
        "trailers",
        "chunks with extensions, and headers behind them",
        "whole",
        "whole",
        ways.framed(b"transfer-encoding: chunked", chunked=True),
    ),
    Fault("packed", "gzip in two members, unasked", "whole", "whole", ways.packed),
    Fault(
        "reset_behind_end",
        "the connection is reset behind the last event",
        "whole",
        None,
        ways.behind_end("reset"),
    ),
    Fault(
        "stall_behind_end",
        "the last event, and not the end of its answer",
        "whole",
        None,
        ways.behind_end("stall"),
        waits="silence",
    ),
    Fault("wrong_type", "a content type that is not true", "whole", "whole", ways.wrong_type),
    Fault("early_hints", "1xx answers in front of the real one", "whole", "whole", ways.early_hints),
    Fault("trickle", "a few bytes at a time", "whole", "whole", ways.trickle),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""By name."""
