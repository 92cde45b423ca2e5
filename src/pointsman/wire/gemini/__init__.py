"""The Gemini dialect (generateContent of AI Studio and Vertex), put together: each of its directions is a module of its
own. Here is only which of them answers to which noun of the contract."""

from collections.abc import Sequence

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.events import ReplyEvent
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.wire.dialect import (
    Dialect,
    EncodedError,
    EncodedRequest,
    Forwarded,
    Framing,
    Headers,
    ReplyContext,
)
from pointsman.wire.envelope import Address, Envelope
from pointsman.wire.gemini import content as content
from pointsman.wire.gemini import errors as errors
from pointsman.wire.gemini import forward as forward
from pointsman.wire.gemini import paths as paths
from pointsman.wire.gemini import prompt as prompt
from pointsman.wire.gemini import reply_in as reply_in
from pointsman.wire.gemini import reply_out as reply_out
from pointsman.wire.gemini import request_in as request_in
from pointsman.wire.gemini import request_out as request_out
from pointsman.wire.gemini import watch as watch
from pointsman.wire.gemini.framing import KEEPALIVE, ArrayRelay, SseFraming, array_of


class Gemini:
    """Implements Dialect."""

    name = "gemini"
    framing: Framing = "sse"
    keepalive = KEEPALIVE
    passed_headers = frozenset({b"user-agent", b"x-goog-api-client", b"x-server-timeout"})
    passed_header_prefixes: tuple[bytes, ...] = ()
    default_headers: tuple[tuple[bytes, bytes], ...] = ()

    def stream_type(self, envelope: Envelope) -> bytes:
        return b"application/json" if _wants_array(envelope) else b"text/event-stream"

    def require_messages(self, envelope: Envelope) -> None:
        prompt.require_messages(envelope)

    def read_prompt(self, envelope: Envelope) -> Prompt:
        return prompt.read_prompt(envelope)

    def decode_request(self, envelope: Envelope) -> Request:
        return request_in.decode_request(envelope)

    def encode_reply(self, events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
        return reply_out.encode_reply(events, context)

    def reply_encoder(self, context: ReplyContext) -> reply_out.GeminiReplyEncoder:
        return reply_out.GeminiReplyEncoder(context)

    def encode_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> EncodedError:
        encoded = errors.encode_error(error, request_id)
        if address is None or not address.as_array:
            return encoded
        return encoded._replace(body=b"[%b]" % encoded.body)

    def encode_stream_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> bytes:
        said = errors.stream_error(error, request_id)
        if address is not None and address.as_array:
            return array_of(said)
        return SseFraming().piece(said)

    def endpoint(self, model: str, *, stream: bool) -> str:
        return paths.endpoint(model, stream=stream)

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        return request_out.encode_request(request, card)

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        return reply_in.decode_reply(body, maker)

    def reply_decoder(self, maker: str) -> reply_in.GeminiReplyDecoder:
        return reply_in.GeminiReplyDecoder(maker)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return errors.decode_error(status, headers, body)

    def forwarded(self, envelope: Envelope, card: ModelCard, *, tell_usage: bool = False) -> Forwarded:
        # Its streams always tell usage.
        relay = ArrayRelay() if _wants_array(envelope) else None
        return Forwarded(forward.forwarded(envelope, card), relay)

    def has_content(self, events: bytes) -> bool:
        return content.has_content(events)

    def wants_stream_usage(self, envelope: Envelope) -> bool:
        return True

    def reply_watch(self, envelope: Envelope | None = None) -> watch.GeminiReplyWatch:
        return watch.GeminiReplyWatch(watch.candidates_asked(envelope))

    def read_usage(self, body: bytes) -> Usage | None:
        return reply_in.read_usage(body)


def _wants_array(envelope: Envelope) -> bool:
    return envelope.address is not None and envelope.address.as_array


GEMINI: Dialect = Gemini()
