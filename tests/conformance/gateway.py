"""Takes an answer of a provider through the gateway's own way between two dialects, without a network: what the caller
is sent, and with which status. It follows `gateway/dispatch.py` and judges nothing."""

import json
import random
from typing import Any, NamedTuple

from conformance.corpus import Record, compact
from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.events import Failed
from pointsman.core.model_card import ModelCard
from pointsman.gateway.crossing import Crossing
from pointsman.gateway.memory import SealMemory
from pointsman.gateway.relayed import SameDialect
from pointsman.gateway.translated import Translated
from pointsman.wire.dialect import Dialect, ReplyContext
from pointsman.wire.envelope import Address, Envelope, read_envelope

MODEL = "their-model"
REQUEST_ID = "pm_0190conformance"
_CREATED_S = 1_700_000_000
_CUTS = (1, 1, 2, 3, 5, 17, 64, 400, 1500, 5000)


class Sent(NamedTuple):
    """What the caller of a gateway receives."""

    status: int
    is_stream: bool
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


def envelope_of(dialect: str, body: dict[str, Any], model: str, *, stream: bool) -> Envelope:
    if dialect == "gemini":
        return read_envelope(compact(body), Address(model, stream))
    return read_envelope(compact({**body, "model": model, "stream": stream}))


def small_request(dialect: str, *, stream: bool) -> Envelope:
    """The least that a caller of this dialect may ask, who wants to see what is thought and what it used."""
    turn = {"role": "user", "content": "Hi"}
    body: dict[str, Any]
    match dialect:
        case "openai-chat":
            body = {"messages": [turn]}
            if stream:
                body["stream_options"] = {"include_usage": True}
        case "openai-responses":
            body = {"input": "Hi"}
        case "anthropic-messages":
            body = {"max_tokens": 4096, "messages": [turn]}
        case "gemini":
            shown = {"thinkingConfig": {"includeThoughts": True}}
            body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": shown}
        case _:
            body = {"messages": [turn]}
    return envelope_of(dialect, body, "auto", stream=stream)


def translated(record: Record, provider: Dialect, caller: Dialect, *, stream: bool) -> Sent:
    """What a caller of another dialect is sent for this answer."""
    envelope = small_request(caller.name, stream=stream)
    request = caller.decode_request(envelope)
    card = ModelCard("name", record.provider, MODEL)
    context = ReplyContext(
        REQUEST_ID, MODEL, _CREATED_S, stream_usage=request.stream_usage, envelope=envelope
    )
    try:
        if record.status >= 400:
            raise provider.decode_error(record.status, record.headers, record.answer)
        way = Translated(caller, provider, request, card, context, SealMemory())
        if stream:
            return _streamed(way, caller, pieces(record.answer, record.random("cuts")))
        if record.stream is None:
            return Sent(200, is_stream=False, body=way.whole(record.answer))
        return Sent(200, is_stream=False, body=_gathered(record, provider, caller, context))
    except PointsmanError as error:
        return _refused(caller, error)


def _gathered(record: Record, provider: Dialect, caller: Dialect, context: ReplyContext) -> bytes:
    """The events of a stream as one whole answer."""
    decoder = provider.reply_decoder(record.provider)
    events = [*decoder.feed(record.answer), *decoder.finish()]
    for event in events:
        if isinstance(event, Failed):
            raise event.error
    return caller.encode_reply(events, context)


def relayed(record: Record, dialect: Dialect, envelope: Envelope) -> bytes:
    """The answer as a caller of the same dialect gets it. Raises UpstreamError where the gateway does."""
    card = ModelCard("name", record.provider, record.model)
    way = SameDialect(dialect, envelope, card, ReplyContext(REQUEST_ID, record.model, _CREATED_S))
    if record.stream is None:
        return way.whole(record.answer)
    told = [way.piece(piece) for piece in pieces(record.answer, record.random("cuts"))]
    return b"".join([*told, way.end()])


def _streamed(way: Crossing, caller: Dialect, answer: list[bytes]) -> Sent:
    told: list[bytes] = []
    try:
        told += [out for piece in answer if (out := way.piece(piece))]
        told.append(way.end())
    except UpstreamError as error:
        if not told:
            return _refused(caller, error)
        if not way.is_finished:
            told.append(way.last_words(error, REQUEST_ID))
    return Sent(200, is_stream=True, body=b"".join(told))


def _refused(caller: Dialect, error: PointsmanError) -> Sent:
    encoded = caller.encode_error(error, REQUEST_ID)
    json.loads(encoded.body)
    return Sent(encoded.status, is_stream=False, body=encoded.body, headers=encoded.headers)


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    """Cut at places nobody would choose."""
    cut: list[bytes] = []
    start = 0
    while start < len(data):
        end = start + rng.choice(_CUTS)
        cut.append(data[start:end])
        start = end
    return cut
