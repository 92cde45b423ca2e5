"""Replies as targets: whole, streamed and cut anywhere, watched beside a relay, and the errors of providers."""

import random
from collections.abc import Sequence
from typing import Any

from fuzz import holding
from fuzz.target import CLIENTS, MAKERS, Run, Target, card_of, cut, outcome
from fuzz.told import context_of, told
from pointsman.app import DIALECTS
from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import Failed, ReplyEvent, fold
from pointsman.wire.openai_responses import items
from pointsman.wire.sse import EventSplitter

_STATUSES = (400, 401, 403, 404, 408, 413, 422, 429, 500, 503, 529, 200, 302, 418, 599)
_HEADERS = (b"0", b"-1", b"nan", b"inf", b"1e999", b"\xff", b"", b"Wed, 21 Oct 2026 07:28:00 GMT", b"7")


def targets() -> list[Target]:
    return [
        target
        for name, provider in DIALECTS.items()
        for target in (
            Target(f"reply:{name}", _reply(provider), name, "reply"),
            Target(f"stream:{name}", _stream(provider), name, "stream"),
            Target(f"error:{name}", _error(provider), name, "error"),
        )
    ]


def _reply(provider: Any) -> Run:
    def run(data: bytes, rng: random.Random) -> str:
        words = []
        if provider.name in CLIENTS:
            try:
                provider.read_usage(data)
            except UpstreamError as error:
                words.append(outcome(error))
        try:
            events = provider.decode_reply(data, rng.choice(MAKERS))
        except UpstreamError as error:
            return " ".join([*words, outcome(error)])
        holding.order_holds(events)
        if not isinstance(events[-1], Failed):
            fold(events)
        items.answer(data)
        return " ".join([*words, *told(events, len(data), rng)])

    return run


def _error(provider: Any) -> Run:
    def run(data: bytes, rng: random.Random) -> str:
        status = rng.choice(_STATUSES)
        headers = [
            (name, rng.choice(_HEADERS)) for name in (b"retry-after", b"retry-after-ms", b"content-type")
        ]
        error = provider.decode_error(status, headers, data)
        holding.hold(isinstance(error, UpstreamError), "error: something else")
        for client in CLIENTS.values():
            encoded = client.encode_error(error, "req_1")
            holding.json_of(encoded.body, f"error as {client.name}")
            holding.hold(400 <= encoded.status < 600, f"error as {client.name}: status {encoded.status}")
            for name, value in encoded.headers:
                holding.hold(not {*name, *value} & {0, 10, 13}, f"error as {client.name}: a broken header")
            holding.events_hold(client.encode_stream_error(error, "req_1"), f"stream error as {client.name}")
            holding.bounded(len(encoded.body), len(data), f"error as {client.name}")
        return f"{outcome(error)} {error.code if error.code and len(error.code) < 20 else ''}"

    return run


def _decoded(provider: Any, pieces: Sequence[bytes], maker: str) -> list[ReplyEvent]:
    """An error that is raised counts as one that is told."""
    decoder = provider.reply_decoder(maker)
    events: list[ReplyEvent] = []
    try:
        for piece in pieces:
            events += decoder.feed(piece)
            if events and isinstance(events[-1], Failed):
                return events
        return events + decoder.finish()
    except UpstreamError as error:
        return [*events, Failed(error)]


def _stream(provider: Any) -> Run:
    def run(data: bytes, rng: random.Random) -> str:
        maker, pieces = rng.choice(MAKERS), cut(data, rng)
        events = _decoded(provider, pieces, maker)
        holding.order_holds(events)
        whole = _decoded(provider, [data], maker)
        holding.hold(_end(events) == _end(whole), "stream: cutting changes how it ends")
        holding.hold(holding.said(events) == holding.said(whole), "stream: cutting changes what it says")
        words = [_end(events), *told(events, len(data), rng)]
        if provider.name in CLIENTS:
            words.append(_watched(provider, pieces, rng))
        return " ".join(words)

    return run


def _watched(dialect: Any, pieces: Sequence[bytes], rng: random.Random) -> str:
    """Beside a stream that is relayed, and what the relay makes of it."""
    context = context_of(dialect, rng)
    assert context.envelope is not None
    watch = dialect.reply_watch(context.envelope)
    relay = dialect.forwarded(context.envelope, card_of(dialect.name, rng), tell_usage=True).relay
    splitter = EventSplitter()
    relayed = []
    for block in [*(splitter.split(piece) for piece in pieces), splitter.rest()]:
        if not block:
            continue
        watch.feed(block)
        relayed.append(block if relay is None else relay.feed(block))
    if relay is not None:
        relayed.append(relay.finish())
    holding.bounded(sum(map(len, relayed)), sum(map(len, pieces)), "relayed")
    return f"{watch.is_complete} {_fault(watch.error)}"


def _end(events: Sequence[ReplyEvent]) -> str:
    last = events[-1]
    return outcome(last.error) if isinstance(last, Failed) else str(last)


def _fault(error: UpstreamError | None) -> UpstreamFault | None:
    return None if error is None else error.fault
