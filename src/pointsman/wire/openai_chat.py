"""The OpenAI Chat Completions dialect. What each part does is written in the openai_chat_* modules; here is
only which of them answers to which noun of the contract."""

from collections.abc import Sequence

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.events import ReplyEvent
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.wire import (
    openai_chat_answer,
    openai_chat_errors,
    openai_chat_outgoing,
    openai_chat_prompt,
    openai_chat_reply,
    openai_chat_request,
    openai_chat_stream_usage,
    openai_chat_watch,
)
from pointsman.wire.dialect import (
    Dialect,
    EncodedError,
    EncodedRequest,
    Forwarded,
    Headers,
    ReplyContext,
    ReplyDecoder,
    ReplyEncoder,
    ReplyWatch,
)
from pointsman.wire.envelope import Envelope


class OpenAIChat:
    """Spoken by OpenAI and by everyone who calls itself compatible."""

    name = "openai-chat"
    endpoint = "/chat/completions"
    keepalive = b": keepalive\n\n"
    # Organization and project headers belong to a credential and stay behind with it.
    passed_headers = frozenset((b"user-agent", b"openai-beta", b"idempotency-key", b"x-client-request-id"))
    passed_header_prefixes: tuple[bytes, ...] = ()
    default_headers: tuple[tuple[bytes, bytes], ...] = ()

    def require_messages(self, envelope: Envelope) -> None:
        openai_chat_prompt.require_messages(envelope)

    def read_prompt(self, envelope: Envelope) -> Prompt:
        return openai_chat_prompt.read_prompt(envelope)

    def decode_request(self, envelope: Envelope) -> Request:
        return openai_chat_request.decode_request(envelope)

    def encode_reply(self, events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
        return openai_chat_answer.encode_reply(events, context)

    def reply_encoder(self, context: ReplyContext) -> ReplyEncoder:
        return openai_chat_answer.ReplyEncoder(context)

    def encode_error(self, error: PointsmanError, request_id: str) -> EncodedError:
        return openai_chat_errors.encode_error(error, request_id)

    def encode_stream_error(self, error: PointsmanError, request_id: str) -> bytes:
        return openai_chat_errors.encode_stream_error(error, request_id)

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        return openai_chat_outgoing.encode_request(request, card)

    def decode_reply(self, body: bytes) -> list[ReplyEvent]:
        return openai_chat_reply.decode_reply(body)

    def reply_decoder(self) -> ReplyDecoder:
        return openai_chat_reply.ReplyDecoder()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return openai_chat_errors.decode_error(status, headers, body)

    def forwarded(self, envelope: Envelope, model: str, *, tell_usage: bool = False) -> Forwarded:
        asking = openai_chat_stream_usage.asking(envelope) if tell_usage and envelope.stream else None
        if asking is not None:
            return Forwarded(asking.with_model(model), openai_chat_stream_usage.withhold)
        return Forwarded(envelope.body if model == envelope.model else envelope.with_model(model))

    def wants_stream_usage(self, envelope: Envelope) -> bool:
        return openai_chat_stream_usage.is_asked(envelope)

    def reply_watch(self) -> ReplyWatch:
        return openai_chat_watch.ReplyWatch()

    def read_usage(self, body: bytes) -> Usage | None:
        return openai_chat_watch.read_usage(body)


OPENAI_CHAT: Dialect = OpenAIChat()
