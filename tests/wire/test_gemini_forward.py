"""Bodies that stay in the Gemini dialect: every byte as it came, but for seals that were tagged on their way out."""

import json
from typing import Any

import pytest

from pointsman.core.model_card import ModelCard
from pointsman.core.request import Seal
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.gemini.contents_out import SKIP_VALIDATOR
from pointsman.wire.gemini.fields import _camel
from pointsman.wire.seals import MARK, Kind, tag

NEW = ModelCard("m", "gemini", "gemini-3.8-flash")
OLD = ModelCard("m", "gemini", "gemini-2.5-flash")
MINE, OTHER, NOBODY = Seal("CgYB/+8=", "gemini"), Seal("EqQB", "anthropic"), Seal("", "")


def envelope(body: bytes) -> Envelope:
    return read_envelope(body, Address("flash", stream=True))


def forwarded(parts: list[Any], card: ModelCard = NEW) -> list[Any]:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": parts}]}
    made = GEMINI.forwarded(envelope(json.dumps(body).encode()), card)
    assert made.relay is None
    contents = json.loads(made.body)["contents"]
    return contents[1]["parts"] if len(contents) > 1 else []


def call(seal: Seal | None, name: str = "thoughtSignature") -> dict[str, Any]:
    written = {"functionCall": {"name": "f", "args": {}}}
    return written if seal is None else {**written, name: tag(seal, Kind.CALL)}


def signatures(parts: list[Any]) -> list[str | None]:
    return [part.get("thoughtSignature", part.get("thought_signature")) for part in parts]


@pytest.mark.parametrize(
    "body",
    [
        b'{ "contents" : [ {"parts":[{"text":"Hi","thought_signature": "c2ln"}]} ],\n "x": 1.0 }',
        b'{"contents":"Hi"}',
        b'{"x":1}',
        b'{"contents":[{"parts":[{"text":"' + MARK.encode() + b'"}]}]}',
        b'{"contents":"' + MARK.encode() + b'"}',
        b'{"contents":[{"parts":' + MARK.encode().join([b'"', b'"']) + b"}]}",
    ],
)
def test_body_stays_byte_for_byte(body: bytes) -> None:
    made = json.loads(GEMINI.forwarded(envelope(body), NEW).body)
    assert made == json.loads(body)
    if MARK.encode() not in body:
        assert GEMINI.forwarded(envelope(body), NEW).body == body


@pytest.mark.parametrize("name", ["thoughtSignature", "thought_signature"])
@pytest.mark.parametrize("card", [NEW, OLD])
def test_own_seals_are_restored(name: str, card: ModelCard) -> None:
    in_url_alphabet = {
        "text": "x",
        "thought": True,
        name: tag(MINE, Kind.THINKING).replace("+", "-").replace("/", "_").rstrip("="),
    }
    parts = forwarded([call(MINE, name), in_url_alphabet, {"text": "", name: tag(MINE, Kind.TEXT)}], card)
    assert signatures(parts) == [MINE.data] * 3


def test_seals_of_others_go_and_thoughts_with_them() -> None:
    parts = forwarded(
        [
            {"text": "hm", "thought": True, "thoughtSignature": tag(OTHER, Kind.THINKING)},
            {"text": "", "thought": True, "thoughtSignature": tag(OTHER, Kind.REDACTED)},
            {"text": "Hi", "thoughtSignature": tag(OTHER, Kind.TEXT)},
            {"text": "", "thoughtSignature": tag(OTHER, Kind.TEXT)},
            {"text": "kept", "thoughtSignature": "dW50YWdnZWQ="},
        ]
    )
    assert parts == [{"text": "Hi"}, {"text": "kept", "thoughtSignature": "dW50YWdnZWQ="}]


def test_turn_of_which_nothing_is_left_goes() -> None:
    assert forwarded([{"text": "hm", "thought": True, "thoughtSignature": tag(OTHER, Kind.THINKING)}]) == []


def test_first_call_of_another_model_is_marked_for_gemini_3() -> None:
    calls = [call(OTHER), call(NOBODY), call(MINE)]
    assert signatures(forwarded(calls)) == [SKIP_VALIDATOR, None, MINE.data]
    assert signatures(forwarded(calls, OLD)) == [None, None, MINE.data]


def test_everything_beside_a_seal_stays_byte_for_byte() -> None:
    sealed = tag(MINE, Kind.CALL).encode()
    start = b'{"contents":[{"role":"user","parts":[{"text":"a\\u00f6"}]},{"role":"model","parts":[{"functionCall":'
    middle = b'{"name":"f","args":{"n":1.0,"big":123456789012345678901234567890}},"thoughtSignature":"'
    end = b'"}]}], "generationConfig" : {"x": 1e5}}'
    made = GEMINI.forwarded(envelope(start + middle + sealed + end), NEW).body
    assert made == start + middle + MINE.data.encode() + end


def test_long_names_of_fields_are_not_remembered():
    """They are the callers' to choose, and nothing of a body may outlive it."""
    before = _camel.cache_info().currsize
    seal = tag(OTHER, Kind.TEXT)
    forwarded([{"text": "a", "thoughtSignature": seal, f"{number}_{'x' * 80}": 1} for number in range(50)])
    assert _camel.cache_info().currsize <= before + 2
