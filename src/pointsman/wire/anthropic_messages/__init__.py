"""The Anthropic Messages dialect, put together: each of its directions is a module of its own. Here is only
which of them answers to which noun of the contract."""

from collections.abc import Sequence

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.events import ReplyEvent
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages import content as content
from pointsman.wire.anthropic_messages import errors as errors
from pointsman.wire.anthropic_messages import forward as forward
from pointsman.wire.anthropic_messages import prompt as prompt
from pointsman.wire.anthropic_messages import reply_in as reply_in
from pointsman.wire.anthropic_messages import reply_out as reply_out
from pointsman.wire.anthropic_messages import request_in as request_in
from pointsman.wire.anthropic_messages import request_out as request_out
from pointsman.wire.anthropic_messages import watch as watch
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


class AnthropicMessages:
    """Implements Dialect."""

    name = "anthropic-messages"
    framing: Framing = "sse"
    keepalive = b'event: ping\ndata: {"type": "ping"}\n\n'
    passed_headers = frozenset(
        {
            b"anthropic-version",
            b"anthropic-beta",
            b"anthropic-dangerous-direct-browser-access",
            b"idempotency-key",
            b"user-agent",
            b"x-app",
        }
    )
    passed_header_prefixes: tuple[bytes, ...] = (b"x-claude-code-", b"x-stainless-")
    default_headers: tuple[tuple[bytes, bytes], ...] = ((b"anthropic-version", b"2023-06-01"),)

    def stream_type(self, envelope: Envelope) -> bytes:
        return b"text/event-stream"

    def require_messages(self, envelope: Envelope) -> None:
        prompt.require_messages(envelope)

    def read_prompt(self, envelope: Envelope) -> Prompt:
        return prompt.read_prompt(envelope)

    def decode_request(self, envelope: Envelope) -> Request:
        return request_in.decode_request(envelope)

    def encode_reply(self, events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
        return reply_out.encode_reply(events, context)

    def reply_encoder(self, context: ReplyContext) -> reply_out.AnthropicReplyEncoder:
        return reply_out.AnthropicReplyEncoder(context)

    def encode_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> EncodedError:
        return errors.encode_error(error, request_id)

    def encode_stream_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> bytes:
        return errors.encode_stream_error(error, request_id)

    def endpoint(self, model: str, *, stream: bool) -> str:
        return "/messages"

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        return request_out.encode_request(request, card)

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        return reply_in.decode_reply(body, maker)

    def reply_decoder(self, maker: str) -> reply_in.AnthropicReplyDecoder:
        return reply_in.AnthropicReplyDecoder(maker)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return errors.decode_error(status, headers, body)

    def forwarded(self, envelope: Envelope, card: ModelCard, *, tell_usage: bool = False) -> Forwarded:
        return Forwarded(forward.forwarded(envelope, card.id, card.provider))  # its streams always tell usage

    def has_content(self, events: bytes) -> bool:
        return content.has_content(events)

    def wants_stream_usage(self, envelope: Envelope) -> bool:
        return True

    def reply_watch(self, envelope: Envelope | None = None) -> watch.AnthropicReplyWatch:
        return watch.AnthropicReplyWatch()

    def read_usage(self, body: bytes) -> Usage | None:
        return reply_in.read_usage(body)


ANTHROPIC_MESSAGES: Dialect = AnthropicMessages()
