"""The OpenAI Responses dialect, put together: each of its directions is a module of its own. Here is only which of
them answers to which noun of the contract."""

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
    ReplyDecoder,
    ReplyEncoder,
    ReplyWatch,
)
from pointsman.wire.envelope import Address, Envelope
from pointsman.wire.openai_responses import (
    content,
    errors,
    forward,
    prompt,
    reply_in,
    reply_out,
    request_in,
    request_out,
    watch,
)


class OpenAIResponses:
    """Spoken by OpenAI, Azure, xAI and others; the only dialect of Codex."""

    name = "openai-responses"
    framing: Framing = "sse"
    keepalive = b": keepalive\n\n"
    # Organization and project headers belong to a credential and stay behind with it.
    passed_headers = frozenset(
        (
            b"user-agent",
            b"openai-beta",
            b"idempotency-key",
            b"x-client-request-id",
            b"originator",
            b"session-id",
            b"session_id",
            b"thread-id",
        )
    )
    passed_header_prefixes: tuple[bytes, ...] = (b"x-codex-",)
    default_headers: tuple[tuple[bytes, bytes], ...] = ()

    def stream_type(self, envelope: Envelope) -> bytes:
        return b"text/event-stream"

    def require_messages(self, envelope: Envelope) -> None:
        prompt.require_input(envelope)

    def read_prompt(self, envelope: Envelope) -> Prompt:
        return prompt.read_prompt(envelope)

    def decode_request(self, envelope: Envelope) -> Request:
        return request_in.decode_request(envelope)

    def encode_reply(self, events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
        return reply_out.encode_reply(events, context)

    def reply_encoder(self, context: ReplyContext) -> ReplyEncoder:
        return reply_out.ReplyEncoder(context)

    def encode_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> EncodedError:
        return errors.encode_error(error, request_id)

    def encode_stream_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> bytes:
        return errors.encode_stream_error(error, request_id)

    def endpoint(self, model: str, *, stream: bool) -> str:
        return "/responses"

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        return request_out.encode_request(request, card)

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        return reply_in.decode_reply(body, maker)

    def reply_decoder(self, maker: str) -> ReplyDecoder:
        return reply_in.ReplyDecoder(maker)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return errors.decode_error(status, headers, body)

    def forwarded(self, envelope: Envelope, card: ModelCard, *, tell_usage: bool = False) -> Forwarded:
        return forward.forwarded(envelope, card)  # its streams always tell usage

    def has_content(self, events: bytes) -> bool:
        return content.has_content(events)

    def wants_stream_usage(self, envelope: Envelope) -> bool:
        return True

    def reply_watch(self, envelope: Envelope | None = None) -> ReplyWatch:
        return watch.ReplyWatch()

    def read_usage(self, body: bytes) -> Usage | None:
        return watch.read_usage(body)


OPENAI_RESPONSES: Dialect = OpenAIResponses()
