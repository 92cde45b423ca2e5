"""The Dialect contract: request, reply, stream and error, each in two directions. No dialect lives here.

Facing the client a dialect reads requests and writes replies (`ClientDialect`); facing a provider it writes requests
and reads replies (`ProviderDialect`). A `Dialect` does both, so that a request whose caller and model speak it is not
translated at all: its bytes are forwarded (`Forwarded`) and the reply is relayed while a `ReplyWatch` reads usage
beside it.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.events import ReplyEvent
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.request import Request
from pointsman.core.usage import Usage
from pointsman.wire.envelope import Address, Envelope
from pointsman.wire.undo import NOTHING_TO_UNDO, Undo

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case."""


Framing = Literal["sse", "lines"]
"""How a provider's stream is cut into pieces: server-sent events, or one JSON value per line."""


class EncodedRequest(NamedTuple):
    """A request in a provider's dialect. `dropped` names, in the caller's words, the fields that this
    dialect or model cannot express and that were left out. `undo` is what has to be taken back in the reply."""

    body: bytes
    dropped: tuple[str, ...] = ()
    undo: Undo = NOTHING_TO_UNDO


class Relay(Protocol):
    """Makes of whole events of a provider's stream what a caller of the same dialect sees."""

    def feed(self, events: bytes) -> bytes: ...

    def finish(self) -> bytes:
        """What is left to say when the stream has come to its end."""
        ...

    def broken(self, error: PointsmanError, request_id: str) -> bytes:
        """What tells a caller who has part of the stream that the rest will not come."""
        ...


class Forwarded(NamedTuple):
    """A caller's own body for a model that speaks its dialect. Without a `relay` the caller sees the stream as it
    comes."""

    body: bytes
    relay: Relay | None = None


class EncodedError(NamedTuple):
    """An error in the caller's dialect."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ReplyContext(NamedTuple):
    """What an encoder needs to know besides the events. `created_s` is a Unix time, handed in because the
    pure rooms read no clock. `model` is what the caller is told answered. `envelope` is the request: some replies
    repeat parts of it, or answer in the caller's own words for a tool."""

    reply_id: str
    model: str
    created_s: int
    stream_usage: bool = False
    envelope: Envelope | None = None


class ReplyDecoder(Protocol):
    """Reads a provider's stream. Cutting the bytes anywhere gives the same events."""

    def feed(self, data: bytes) -> list[ReplyEvent]:
        """Events completed by `data`. Raises UpstreamError (BAD_REPLY) for what is not the protocol; behind events of
        the same `data` it is the last of them instead, as Failed."""
        ...

    def finish(self) -> list[ReplyEvent]:
        """The stream ended. Raises UpstreamError (BROKEN) unless a Finished or Failed was produced."""
        ...


class ReplyEncoder(Protocol):
    """Writes a client's stream: exactly one start and one end, blocks opened and closed in order."""

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        """The bytes that these events become; may be empty."""
        ...


class ReplyWatch(Protocol):
    """Reads beside a relayed stream, cheaply: what was used, and whether the reply came to its end."""

    usage: Usage | None
    is_complete: bool
    """The terminal event was seen."""
    error: UpstreamError | None
    """The stream carried an error event."""

    def feed(self, data: bytes) -> None: ...


class ClientDialect(Protocol):
    """What callers speak: their requests are read, their replies written."""

    name: str
    """As the ledger writes it: openai-chat, anthropic-messages."""

    keepalive: bytes
    """What a caller of a stream may be sent between two events, and reads over."""

    def stream_type(self, envelope: Envelope) -> bytes:
        """The content type of a streamed answer."""
        ...

    def require_messages(self, envelope: Envelope) -> None:
        """Raises BadRequest unless `messages` is a list that holds something. What it holds is not decoded:
        a request that stays in its dialect is its provider's to judge."""
        ...

    def read_prompt(self, envelope: Envelope) -> Prompt:
        """What routing reads. Raises BadRequest for wrong types, naming the path."""
        ...

    def decode_request(self, envelope: Envelope) -> Request: ...

    def encode_reply(self, events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
        """A reply that is not streamed. Raises the UpstreamError of a Failed event."""
        ...

    def reply_encoder(self, context: ReplyContext) -> ReplyEncoder: ...

    def encode_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> EncodedError:
        """`address` as in `encode_stream_error`: Google's API puts an error in an array where a stream would be one."""
        ...

    def encode_stream_error(
        self, error: PointsmanError, request_id: str, address: Address | None = None
    ) -> bytes:
        """What tells a client who waits for a stream that nothing will come. `address` is the request's, which may say
        how the stream is framed. Where pieces of a stream are not counted or joined it fits behind some too."""
        ...


class ProviderDialect(Protocol):
    """What a provider speaks: its requests are written, its replies read."""

    name: str
    """As the configuration writes it: openai-chat, ollama."""

    framing: Framing

    passed_headers: frozenset[bytes]
    """Request headers of the caller that mean something to a provider of this dialect."""

    passed_header_prefixes: tuple[bytes, ...]

    default_headers: tuple[tuple[bytes, bytes], ...]
    """Headers a provider of this dialect insists on, sent when the caller gave none."""

    def endpoint(self, model: str, *, stream: bool) -> str:
        """The path below a provider's base URL: /chat/completions, /models/MODEL:generateContent. It may hold a
        query."""
        ...

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        """Raises Unsupported where leaving a field out would change what the caller may rely on."""
        ...

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        """A reply that was not streamed, as the events it would have been. `maker` is the provider, whose name
        goes on the seals. Raises UpstreamError (BAD_REPLY), also for a 200 whose body is an error."""
        ...

    def reply_decoder(self, maker: str) -> ReplyDecoder: ...

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError: ...


class Dialect(ClientDialect, ProviderDialect, Protocol):
    """One wire format, spoken on both sides. Implementations are stateless; streams get their own small objects."""

    def forwarded(self, envelope: Envelope, card: ModelCard, *, tell_usage: bool = False) -> Forwarded:
        """The body as it came but for the model, and for state that another provider sealed. With `tell_usage` a stream tells what was used even if its
        caller has not asked, and the caller does not notice."""
        ...

    def has_content(self, events: bytes) -> bool:
        """True if these whole events of a provider's stream hold some of its content, or its end: all before that may
        be kept from the caller without loss. Raises UpstreamError (BAD_REPLY) for data that cannot be read."""
        ...

    def wants_stream_usage(self, envelope: Envelope) -> bool:
        """True if the caller expects usage in its stream."""
        ...

    def reply_watch(self, envelope: Envelope | None = None) -> ReplyWatch:
        """`envelope` is the request, which may ask for more than one answer."""
        ...

    def read_usage(self, body: bytes) -> Usage | None:
        """Usage of a reply that was not streamed. Raises UpstreamError (BAD_REPLY) when the body is not a
        reply of this dialect (not JSON, or an error in a 200)."""
        ...
