"""How one exchange crosses between the caller's dialect and the provider's: as bytes when they are the same,
through events when they are not. No network here: what to send, and what becomes of what comes back.

Whole replies and streams use one object, so that they cannot differ: the same decoder, the same usage. What a
caller is given of a stream always ends between two events, so that there is a clean place to say that it broke.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    Failed,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    UsageReported,
    merge_usage,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.gateway.seal_memory import Sealed, SealMemory
from pointsman.wire.dialect import (
    ClientDialect,
    Dialect,
    Framing,
    ProviderDialect,
    ReplyContext,
    ReplyDecoder,
    ReplyEncoder,
    ReplyWatch,
)
from pointsman.wire.envelope import Envelope
from pointsman.wire.lines import LineSplitter
from pointsman.wire.sse import EVENT_BYTES_MAX, EventSplitter
from pointsman.wire.undo import NOTHING_TO_UNDO, Undoing


class Crossing(ABC):
    """One attempt's way there and back. `body` is what the provider is sent, at `path` below its base URL; `dropped`
    what it cannot express, `usage` what the reply said it used, as far as it came."""

    speaks_callers_dialect = False
    """The provider's own words for an error are the caller's too."""

    _usage: Usage | None = None

    def __init__(self, path: str, body: bytes, dropped: tuple[str, ...] = ()) -> None:
        self.path = path
        self.body = body
        self.dropped = dropped

    @property
    def usage(self) -> Usage | None:
        return self._usage

    @property
    def is_finished(self) -> bool:
        """The caller was given the reply's end; what breaks behind it is nothing to them."""
        return False

    @abstractmethod
    def whole(self, reply: bytes) -> bytes:
        """A complete reply that was not streamed, for the caller. Raises UpstreamError."""

    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        """What tells a caller who has part of a reply that the rest will not come: nobody has part of a whole one."""
        return b""


class Streamable(Crossing):
    """A crossing whose reply may come in pieces.

    A streamed reply is known by its first byte that is no white space, for content types lie:

        waiting --`{` or `[`-->   a whole reply, or an error: kept, and told as a stream at its end
        waiting --`<`-->          a web page: refused
        waiting --any other-->    a stream of events

    A stream of lines needs no such care: a whole reply is a stream of one line.

    What comes before the first content is held back: until then another model could still give the answer.
    """

    # What a whole reply leaves as it is stands here: setting it for each would cost time.
    _is_stream = False
    _first = b""
    _kept: list[bytes] | None = None
    _kept_bytes = 0
    _has_begun = False
    _held: list[bytes] | None = None
    _held_bytes = 0
    _splitter: EventSplitter | LineSplitter

    def __init__(self, path: str, body: bytes, framing: Framing, dropped: tuple[str, ...] = ()) -> None:
        super().__init__(path, body, dropped)
        self._framing = framing

    @property
    @abstractmethod
    def is_finished(self) -> bool: ...

    def piece(self, data: bytes) -> bytes:
        """What a piece of a streamed reply becomes; may be empty. Raises UpstreamError; a caller who has part of
        the reply by then is told in `last_words`."""
        if not self._is_stream and not (data := self._begin(data)):
            return b""
        events = self._splitter.split(data)
        return self._relay(events) if events else b""

    def end(self) -> bytes:
        """What is left to say at the end of the stream. Raises UpstreamError if the reply is not whole."""
        if self._is_stream:
            return self._relay_last(self._splitter.rest())
        kept = b"".join(self._kept or ())
        if not kept.strip():
            raise _ended_too_early()
        return self._as_stream(kept)

    @abstractmethod
    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        """What tells a caller who has part of a stream that the rest will not come."""

    def _begin(self, data: bytes) -> bytes:
        """What can be read as a stream by now."""
        kept = self._kept
        if kept is None:
            kept = self._kept = []
        kept.append(data)
        self._kept_bytes += len(data)
        if self._kept_bytes > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the reply is too large")
        self._first = self._first or data.lstrip()[:1]
        if self._first == b"<":
            raise UpstreamError(UpstreamFault.BAD_REPLY, "answered with a web page")
        if not self._first or (self._framing == "sse" and self._first in {b"{", b"["}):
            return b""
        self._is_stream = True
        self._splitter = EventSplitter() if self._framing == "sse" else LineSplitter()
        self._open()
        self._kept = None
        return kept[0] if len(kept) == 1 else b"".join(kept)

    def _hold(self, out: bytes) -> bytes:
        """Nothing of an answer yet."""
        if self._held is None:
            self._held = []
        self._held.append(out)
        self._held_bytes += len(out)
        if self._held_bytes > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream begins without end")
        return b""

    def _release(self, out: bytes) -> bytes:
        """The content begins, with what was held back before it."""
        self._has_begun = True
        held, self._held = self._held, None
        return out if held is None else b"".join((*held, out))

    @abstractmethod
    def _open(self) -> None:
        """A stream begins."""

    @abstractmethod
    def _relay(self, events: bytes) -> bytes: ...

    @abstractmethod
    def _relay_last(self, rest: bytes) -> bytes:
        """`rest` is what came behind the last whole event."""

    @abstractmethod
    def _as_stream(self, reply: bytes) -> bytes:
        """A complete reply for a caller who asked for a stream."""


class SameDialect(Streamable):
    """Bytes in, the same bytes out; a watch reads beside them. With `tell_usage` the provider is asked for usage
    in a stream whose caller has not asked."""

    speaks_callers_dialect = True

    _watch: ReplyWatch
    _plain: EventSplitter | None = None
    _their_last_words = b""

    def __init__(
        self,
        dialect: Dialect,
        envelope: Envelope,
        card: ModelCard,
        context: ReplyContext,
        *,
        tell_usage: bool = False,
    ) -> None:
        body, self._relay_of_dialect = dialect.forwarded(envelope, card, tell_usage=tell_usage)
        super().__init__(dialect.endpoint(card.id, stream=envelope.stream), body, dialect.framing)
        self._dialect = dialect
        self._maker = card.provider
        self._envelope = envelope
        self._context = context

    def whole(self, reply: bytes) -> bytes:
        self._usage = self._dialect.read_usage(reply)
        return reply

    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        if self.is_finished:
            return b""
        if self._their_last_words:
            return self._their_last_words
        relay = self._relay_of_dialect
        if relay is not None:
            return relay.broken(error, request_id)
        return self._dialect.encode_stream_error(error, request_id, self._envelope.address)

    @property
    def is_finished(self) -> bool:
        return self._is_stream and self._watch.is_complete and self._watch.error is None

    @property
    def usage(self) -> Usage | None:
        return self._watch.usage if self._is_stream else self._usage

    def piece(self, data: bytes) -> bytes:
        # Most pieces of most streams are whole events that go on as they are.
        plain = self._plain
        if plain is not None and data.endswith(b"\n\n") and not plain.pending:
            watch = self._watch
            watch.feed(data)
            if watch.error is not None:
                self._break(watch.error, data)
            return data
        return super().piece(data)

    def _open(self) -> None:
        self._watch = self._dialect.reply_watch(self._envelope)

    def _relay(self, events: bytes) -> bytes:
        if not self._has_begun and b"data" not in events:
            return self._hold(events)  # comments: ": OPENROUTER PROCESSING"
        watch = self._watch
        watch.feed(events)
        if watch.error is not None:
            self._break(watch.error, events)
        relay = self._relay_of_dialect
        if self._has_begun:
            return events if relay is None else relay.feed(events)
        is_content = self._dialect.has_content(events) or watch.is_complete
        if relay is not None:
            events = relay.feed(events)
        if not is_content:
            return self._hold(events)
        if relay is None and isinstance(self._splitter, EventSplitter):
            self._plain = self._splitter
        return self._release(events)

    def _break(self, error: UpstreamError, events: bytes) -> NoReturn:
        # Data that nobody can read would break the caller's reader before it is told why.
        if self._has_begun and error.fault is not UpstreamFault.BAD_REPLY:
            relay = self._relay_of_dialect
            self._their_last_words = events if relay is None else relay.feed(events)
        raise error

    def _relay_last(self, rest: bytes) -> bytes:
        watch = self._watch
        watch.feed(rest)
        if watch.error is not None:
            raise watch.error
        if not watch.is_complete:
            raise _ended_too_early()
        relay = self._relay_of_dialect
        return self._release(rest if relay is None else relay.feed(rest) + relay.finish())

    def _as_stream(self, reply: bytes) -> bytes:
        events = self._dialect.decode_reply(reply, self._maker)
        self._usage = _usage_of(events)
        wants_usage = self._dialect.wants_stream_usage(self._envelope)
        return self._dialect.reply_encoder(self._context._replace(stream_usage=wants_usage)).feed(events)


class Translated(Streamable):
    """Provider's bytes to events to the caller's bytes. `memory` keeps what the provider sealed where the caller's
    dialect has no place for it; `keep` is given the whole reply, where the caller may come back to it."""

    _decoder: ReplyDecoder
    _encoder: ReplyEncoder
    _unsaid = b""
    _is_finished = False

    def __init__(
        self,
        source: ClientDialect,
        target: ProviderDialect,
        request: Request,
        card: ModelCard,
        context: ReplyContext,
        memory: SealMemory,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        encoded = target.encode_request(request, card)
        path = target.endpoint(card.id, stream=request.stream)
        super().__init__(path, encoded.body, target.framing, encoded.dropped)
        self._source = source
        self._target = target
        self._context = context
        self._maker = card.provider
        self._memory = memory
        self._sealed = Sealed()
        self._keep = keep
        self._kept_events: list[ReplyEvent] = []
        self._undoing = None if encoded.undo == NOTHING_TO_UNDO else Undoing(encoded.undo)

    def whole(self, reply: bytes) -> bytes:
        events = self._meant(self._target.decode_reply(reply, self._maker))
        self._usage = _usage_of(events)
        self._sealed.feed(events)
        self._sealed.leave_in(self._memory)
        encoded = self._source.encode_reply(events, self._context)
        if self._keep is not None:
            self._keep(encoded)
        return encoded

    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        if self._is_finished:
            return b""  # it broke behind its end
        # The encoder knows where the stream stands, so the end it writes fits what was said before.
        return self._unsaid + self._encoder.feed([Failed(error)])

    @property
    def is_finished(self) -> bool:
        return self._is_finished

    def _open(self) -> None:
        self._decoder = self._target.reply_decoder(self._maker)
        self._encoder = self._source.reply_encoder(self._context)

    def _relay(self, events: bytes) -> bytes:
        return self._write(self._decoder.feed(events))

    def _relay_last(self, rest: bytes) -> bytes:
        out = self._write([*self._decoder.feed(rest), *self._decoder.finish()])
        if not self._is_finished:
            self._unsaid = out
            raise _ended_too_early()
        return out

    def _as_stream(self, reply: bytes) -> bytes:
        self._open()
        return self._write(self._target.decode_reply(reply, self._maker))

    def _remember(self) -> None:
        self._sealed.leave_in(self._memory)
        if self._keep is not None:
            self._keep(self._source.encode_reply(self._kept_events, self._context))

    def _meant(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        return events if self._undoing is None else self._undoing.feed(events)

    def _write(self, events: list[ReplyEvent]) -> bytes:
        events = self._meant(events)
        self._sealed.feed(events)
        if self._keep is not None:
            self._kept_events += events
        for place, event in enumerate(events):
            if isinstance(event, UsageReported):
                self._usage = merge_usage(self._usage, event.usage)
            elif isinstance(event, Failed):
                self._unsaid = self._encoder.feed(events[:place])
                raise event.error
            elif isinstance(event, Finished):
                self._is_finished = True
                self._remember()
        out = self._encoder.feed(events)
        if self._has_begun:
            return out
        return self._release(out) if any(map(_is_content, events)) else self._hold(out)


def _is_content(event: ReplyEvent) -> bool:
    match event:
        case TextDelta(text) | ThinkingDelta(text):
            return bool(text)
        case ReplyStarted() | BlockEnded() | UsageReported():
            return False
        case _:
            return True


def _usage_of(events: list[ReplyEvent]) -> Usage | None:
    usage: Usage | None = None
    for event in events:
        if isinstance(event, UsageReported):
            usage = merge_usage(usage, event.usage)
    return usage


def _ended_too_early() -> UpstreamError:
    return UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end")
