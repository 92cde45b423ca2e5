"""Requests as targets: read for routing, decoded, written for every provider, forwarded, gone on with."""

import random
from typing import Any

import msgspec

from fuzz import holding
from fuzz.target import CLIENTS, Run, Target, address_of, card_of, outcome
from pointsman.app import DIALECTS
from pointsman.core.errors import ClientError
from pointsman.core.request import Request
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_responses import items


def targets() -> list[Target]:
    found = [
        Target(f"request:{name}", _request(dialect), name, "request") for name, dialect in CLIENTS.items()
    ]
    return [*found, Target("continued", _continued, "openai-responses", "request")]


def _envelope_holds(envelope: Envelope, data: bytes, rng: random.Random) -> None:
    """One field is another, everything else is as it was."""
    name, value = rng.choice((("model", b'"other \xc3\xa9"'), ("stream", b"true"), ("x", b"[]")))
    try:
        changed = envelope.with_field(name, value)
    except ClientError:
        return
    again = msgspec.json.decode(changed.body, type=dict[str, msgspec.Raw])
    holding.hold(bytes(again[name]) == value, "envelope: the field was not set")
    others = {key: bytes(raw) for key, raw in envelope.fields.items() if key != name}
    holding.hold(
        {key: bytes(raw) for key, raw in again.items() if key != name} == others,
        "envelope: another field changed",
    )
    holding.hold(len(changed.body) <= len(data) + len(name) + len(value) + 6, "envelope: the body grew")


def _prompt_holds(dialect: Any, envelope: Envelope) -> str:
    try:
        prompt = dialect.read_prompt(envelope)
    except ClientError as error:
        return outcome(error)
    msgspec.json.encode(prompt)
    texts = len(prompt.system) + sum(len(turn.text) for turn in prompt.turns)
    holding.hold(texts <= 2 * len(envelope.body), "prompt: more text than came")
    holding.hold(0 <= prompt.media_bytes <= len(envelope.body), "prompt: more media than came")
    return "read"


def _request(dialect: Any) -> Run:
    def run(data: bytes, rng: random.Random) -> str:
        try:
            envelope = read_envelope(data, address_of(dialect, rng))
        except ClientError as error:
            return outcome(error)
        _envelope_holds(envelope, data, rng)
        words = [_prompt_holds(dialect, envelope)]
        try:
            dialect.require_messages(envelope)
            request = dialect.decode_request(envelope)
        except ClientError as error:
            words.append(outcome(error))
        else:
            words += _encoded(request, len(data), rng)
        words.append(_forwarded(dialect, envelope, rng))
        return " ".join(words)

    return run


def _encoded(request: Request, read: int, rng: random.Random) -> list[str]:
    words = []
    for provider in DIALECTS.values():
        try:
            encoded = provider.encode_request(request, card_of(provider.name, rng))
        except ClientError as error:
            words.append(outcome(error))
            continue
        what = f"{request.source} as {provider.name}"
        holding.json_of(encoded.body, what)
        holding.bounded(len(encoded.body), read, what)
        holding.hold(
            sum(map(len, encoded.dropped)) <= 8 * read + 1000, f"{what}: more names dropped than came"
        )
        words.append(f"{len(encoded.dropped)} dropped")
    return words


def _forwarded(dialect: Any, envelope: Envelope, rng: random.Random) -> str:
    try:
        forwarded = dialect.forwarded(envelope, card_of(dialect.name, rng), tell_usage=rng.random() < 0.5)
    except ClientError as error:
        return outcome(error)
    # What the caller wrote twice or oddly is its provider's to judge: it is JSON, and no more is known.
    try:
        msgspec.json.decode(forwarded.body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise holding.Violation(f"forwarded is not JSON: {error}") from None
    holding.bounded(len(forwarded.body), len(envelope.body), "forwarded")
    dialect.wants_stream_usage(envelope)
    dialect.stream_type(envelope)
    return "forwarded"


def _continued(data: bytes, rng: random.Random) -> str:
    """A conversation that is kept here goes on."""
    try:
        envelope = read_envelope(data)
    except ClientError as error:
        return outcome(error)
    said = items.input_items(envelope)
    earlier = [msgspec.Raw(b'{"type":"reasoning","id":"rs_1"}'), *said]
    continued = items.continued(envelope, rng.choice(([], said, earlier)))
    holding.hold("previous_response_id" not in continued.fields, "continued: an id is left")
    msgspec.json.decode(continued.body, type=dict[str, msgspec.Raw])
    holding.bounded(len(continued.body), len(data), "continued")
    return f"continued {min(len(said), 3)}"
