"""How one exchange crosses between the caller's dialect and the provider's: as bytes when they are the same,
through events when they are not. No network here: what to send, and what becomes of what comes back.

Whole replies and streams use one object, so that they cannot differ: the same decoder, the same usage.
"""

from typing import Protocol

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import Failed, ReplyEvent, UsageReported, merge_usage
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.wire.dialect import Dialect, ReplyContext
from pointsman.wire.envelope import Envelope


class Crossing(Protocol):
    """One attempt's translation. `body` is what the provider is sent, `dropped` what it cannot express."""

    body: bytes
    dropped: tuple[str, ...]

    @property
    def usage(self) -> Usage | None:
        """What the reply said it used, as far as it came."""
        ...

    def whole(self, reply: bytes) -> bytes:
        """A complete reply that was not streamed, for the caller."""
        ...

    def whole_as_stream(self, reply: bytes) -> bytes:
        """The same for a caller who asked for a stream from a provider that does not stream."""
        ...

    def piece(self, data: bytes) -> bytes:
        """What a piece of a streamed reply becomes; may be empty. Raises UpstreamError."""
        ...

    def end(self) -> bytes:
        """What is left to say at the end of the stream. Raises UpstreamError if the reply is not whole."""
        ...


class SameDialect:
    """Bytes in, the same bytes out; a watch reads beside them."""

    __slots__ = ("_context", "_dialect", "_usage", "_watch", "body", "dropped")

    def __init__(self, dialect: Dialect, envelope: Envelope, card: ModelCard, context: ReplyContext) -> None:
        self._dialect = dialect
        self._context = context
        self._watch = dialect.reply_watch() if envelope.stream else None
        self._usage: Usage | None = None
        self.body = envelope.body if card.id == envelope.model else envelope.with_model(card.id)
        self.dropped: tuple[str, ...] = ()

    @property
    def usage(self) -> Usage | None:
        if self._usage is None and self._watch is not None:
            return self._watch.usage
        return self._usage

    def whole(self, reply: bytes) -> bytes:
        self._usage = self._dialect.read_usage(reply)
        return reply

    def whole_as_stream(self, reply: bytes) -> bytes:
        events = self._dialect.decode_reply(reply)
        self._usage = _usage_of(events, None)
        return self._dialect.reply_encoder(self._context).feed(events)

    def piece(self, data: bytes) -> bytes:
        watch = self._watch
        assert watch is not None
        watch.feed(data)
        return data

    def end(self) -> bytes:
        watch = self._watch
        assert watch is not None
        if watch.error is not None:
            raise watch.error
        if not watch.is_complete:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end")
        return b""


class Translated:
    """Provider's bytes to events to the caller's bytes."""

    __slots__ = ("_context", "_decoder", "_encoder", "_source", "_target", "body", "dropped", "usage")

    def __init__(
        self, source: Dialect, target: Dialect, request: Request, card: ModelCard, context: ReplyContext
    ) -> None:
        encoded = target.encode_request(request, card)
        self._source = source
        self._target = target
        self._context = context
        self._decoder = target.reply_decoder() if request.stream else None
        self._encoder = source.reply_encoder(context) if request.stream else None
        self.body = encoded.body
        self.dropped = encoded.dropped
        self.usage: Usage | None = None

    def whole(self, reply: bytes) -> bytes:
        events = self._target.decode_reply(reply)
        self.usage = _usage_of(events, None)
        return self._source.encode_reply(events, self._context)

    def whole_as_stream(self, reply: bytes) -> bytes:
        return self._write(self._target.decode_reply(reply))

    def piece(self, data: bytes) -> bytes:
        assert self._decoder is not None
        return self._write(self._decoder.feed(data))

    def end(self) -> bytes:
        assert self._decoder is not None
        return self._write(self._decoder.finish())

    def _write(self, events: list[ReplyEvent]) -> bytes:
        if not events:
            return b""
        assert self._encoder is not None
        self.usage = _usage_of(events, self.usage)
        for event in events:
            if isinstance(event, Failed):
                raise event.error
        return self._encoder.feed(events)


def _usage_of(events: list[ReplyEvent], usage: Usage | None) -> Usage | None:
    for event in events:
        if isinstance(event, UsageReported):
            usage = merge_usage(usage, event.usage)
    return usage
