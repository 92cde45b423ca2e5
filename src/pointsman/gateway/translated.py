"""An exchange whose provider speaks another dialect than the caller: everything crosses as requests and events of no
dialect."""

from collections.abc import Callable

from pointsman.core.errors import PointsmanError
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
from pointsman.gateway.crossing import Streamable, ended_too_early, usage_of
from pointsman.gateway.seal_memory import Sealed, SealMemory
from pointsman.wire.dialect import ClientDialect, ProviderDialect, ReplyContext, ReplyDecoder, ReplyEncoder
from pointsman.wire.undo import NOTHING_TO_UNDO, Undoing


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
        self._undoing = None if encoded.undo == NOTHING_TO_UNDO else Undoing(encoded.undo, context.reply_id)

    def whole(self, reply: bytes) -> bytes:
        events = self._meant(self._target.decode_reply(reply, self._maker))
        self._usage = usage_of(events)
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
            raise ended_too_early()
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
        is_end = False
        for place, event in enumerate(events):
            if isinstance(event, UsageReported):
                self._usage = merge_usage(self._usage, event.usage)
            elif isinstance(event, Failed):
                self._unsaid = self._encoder.feed(events[:place])
                raise event.error
            elif isinstance(event, Finished):
                is_end = True
        out = self._encoder.feed(events)
        if is_end:  # not before: what cannot be said to the caller has no end
            self._is_finished = True
            self._remember()
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
