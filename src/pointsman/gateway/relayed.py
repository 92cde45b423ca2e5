"""An exchange whose provider speaks the caller's dialect: bytes cross as they are."""

from typing import NoReturn

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.gateway.crossing import Streamable, ended_too_early, usage_of
from pointsman.wire.dialect import Dialect, ReplyContext, ReplyWatch
from pointsman.wire.envelope import Envelope
from pointsman.wire.sse import EventSplitter, is_text


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
        if not reply.isascii() and not is_text(reply):
            raise _not_text()
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
            if not data.isascii() and not is_text(data):
                self._break(_not_text(), data)
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
        if not events.isascii() and not is_text(events):
            self._break(_not_text(), events)
        relay = self._relay_of_dialect
        if self._has_begun:
            return events if relay is None else relay.feed(events)
        is_content = self._dialect.has_content(events)
        if watch.is_complete and not is_content:
            raise ended_too_early()
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
        if not watch.is_complete or not (self._has_begun or self._dialect.has_content(rest + b"\n\n")):
            raise ended_too_early()
        relay = self._relay_of_dialect
        return self._release(rest if relay is None else relay.feed(rest) + relay.finish())

    def _as_stream(self, reply: bytes) -> bytes:
        events = self._dialect.decode_reply(reply, self._maker)
        self._usage = usage_of(events)
        wants_usage = self._dialect.wants_stream_usage(self._envelope)
        return self._dialect.reply_encoder(self._context._replace(stream_usage=wants_usage)).feed(events)


def _not_text() -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, "the reply is not UTF-8")
