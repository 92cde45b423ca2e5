"""Ollama's own API as a provider speaks it, put together: each of its directions is a module of its own. It is spoken
upstream only: nobody's requests are read in it."""

from pointsman.core.errors import UpstreamError
from pointsman.core.events import ReplyEvent
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Request
from pointsman.wire.dialect import EncodedRequest, Framing, Headers, ProviderDialect, ReplyDecoder
from pointsman.wire.ollama import errors, reply_in, request_out


class Ollama:
    """`/api/chat`, which says more than the compatible endpoint beside it: thinking apart from the answer, how long
    the context is, grammars for any schema."""

    name = "ollama"
    framing: Framing = "lines"
    passed_headers: frozenset[bytes] = frozenset()
    passed_header_prefixes: tuple[bytes, ...] = ()
    default_headers: tuple[tuple[bytes, bytes], ...] = ()

    def endpoint(self, model: str, *, stream: bool) -> str:
        return "/api/chat"

    def encode_request(self, request: Request, card: ModelCard) -> EncodedRequest:
        return request_out.encode_request(request, card)

    def decode_reply(self, body: bytes, maker: str) -> list[ReplyEvent]:
        return reply_in.decode_reply(body, maker)

    def reply_decoder(self, maker: str) -> ReplyDecoder:
        return reply_in.ReplyDecoder(maker)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return errors.decode_error(status, headers, body)


OLLAMA: ProviderDialect = Ollama()
