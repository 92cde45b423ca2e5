"""What a reply's events become for every kind of caller, whole and streamed."""

import random
from typing import Any

from fuzz import holding
from fuzz.target import CLIENTS, address_of, between, outcome, places
from pointsman.core.errors import UpstreamError
from pointsman.core.events import Finished, ReplyEvent
from pointsman.gateway.seal_memory import Sealed
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import read_envelope
from pointsman.wire.undo import Undo, Undoing


def context_of(client: Any, rng: random.Random) -> ReplyContext:
    body = b'{"model":"m","stream":true,"input":"Hi","messages":[],"contents":[],"tools":[]}'
    envelope = read_envelope(body, address_of(client, rng))
    return ReplyContext("pm_1", "m", 1_700_000_000, stream_usage=rng.random() < 0.5, envelope=envelope)


def told(events: list[ReplyEvent], read: int, rng: random.Random) -> list[str]:
    """To every kind of caller, whole and streamed."""
    if rng.random() < 0.5:
        name = next((event.name for event in events if hasattr(event, "name")), None)
        undo = rng.choice(
            (Undo({"get_weather": "get.weather"}), Undo({}, name), Undo({}, None, ("e", "\n\n")))
        )
        events = Undoing(undo).feed(events)
    Sealed().feed(events)
    words = []
    for client in CLIENTS.values():
        context = context_of(client, rng)
        try:
            body = client.encode_reply(events, context)
            holding.json_of(body, f"reply as {client.name}")
            holding.bounded(len(body), read, f"reply as {client.name}")
            words.append("whole")
        except UpstreamError as error:
            words.append(outcome(error))
        words.append(_streamed(client, events, context, read, rng))
    return words


def _streamed(
    client: Any, events: list[ReplyEvent], context: ReplyContext, read: int, rng: random.Random
) -> str:
    encoder = client.reply_encoder(context)
    what = f"stream as {client.name}"
    try:
        written = b"".join(
            encoder.feed(piece) for piece in between(events, places(len(events), rng.choice((0, 1, 3)), rng))
        )
    except UpstreamError as error:
        return outcome(error)
    holding.bounded(len(written), read, what)
    is_ended = any(isinstance(event, Finished) for event in events)
    if client.stream_type(context.envelope) == b"application/json":
        if is_ended:
            holding.json_of(written, what)
        return "array"
    datas = holding.events_hold(written, what)
    if is_ended:
        decoder = client.reply_decoder("here")
        try:
            again = [*decoder.feed(written), *decoder.finish()]
        except UpstreamError as error:
            if holding.is_deep(written):
                return "deep"
            raise holding.Violation(f"{what} is not read by its own decoder: {outcome(error)}") from None
        holding.order_holds(again)
    return f"{min(len(datas), 3)} events"
