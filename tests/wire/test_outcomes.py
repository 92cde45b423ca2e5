"""The table of outcomes is true: every field of every client dialect at every provider dialect, cell by cell."""

import json
from pathlib import Path

import pytest
from outcome_examples import EXAMPLES, PLAIN, body_of

from pointsman.app import DIALECTS
from pointsman.core.errors import ClientError
from pointsman.core.model_card import ModelCard
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.outcomes import MEANINGS, OUTCOMES, TARGETS

CALLERS = {dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)}
MODELS = {
    "openai-chat": "gpt-4.1",
    "openai-responses": "gpt-4.1",
    "anthropic-messages": "claude-opus-4-6",
    "gemini": "gemini-2.5-pro",
    "ollama": "gpt-oss:20b",
}
MODELS_THAT_THINK = {**MODELS, "openai-chat": "gpt-5", "openai-responses": "gpt-5"}
IS_ABOUT_THINKING = ("reason", "think", "effort")

CELLS = [
    (source, field, target, letter)
    for source, fields in OUTCOMES.items()
    for field, row in fields.items()
    for target, letter in zip(TARGETS, row, strict=True)
    if letter != "="
]


def sent(source: str, target: str, body: bytes, model: str) -> EncodedRequest:
    address = Address("m", stream=False) if source == "gemini" else None
    request = CALLERS[source].decode_request(read_envelope(body, address))
    profile = "openai" if target == "openai-chat" else ""
    return DIALECTS[target].encode_request(request, ModelCard("m", "p", model, profile=profile))


@pytest.mark.parametrize(("source", "field", "target", "letter"), CELLS)
def test_field_meets_its_outcome(source: str, field: str, target: str, letter: str) -> None:
    thinks = any(word in field.lower() for word in IS_ABOUT_THINKING)
    model = (MODELS_THAT_THINK if thinks else MODELS)[target]
    plain = sent(source, target, json.dumps(PLAIN[source]).encode(), model)
    if letter == "R":
        with pytest.raises(ClientError) as caught:
            sent(source, target, body_of(source, field), model)
        assert caught.value.status == 400
        assert caught.value.param
        return
    encoded = sent(source, target, body_of(source, field), model)
    is_carried = (encoded.body, encoded.undo) != (plain.body, plain.undo)
    is_named = bool(set(encoded.dropped) - set(plain.dropped))
    assert (is_carried, is_named) == {
        "C": (True, False),
        "E": (encoded.body != plain.body or is_carried, False),
        "P": (True, True),
        "D": (False, True),
        ".": (False, False),
    }[letter]


def test_every_example_has_its_row() -> None:
    assert {source: list(fields) for source, fields in OUTCOMES.items()} == {
        source: list(fields) for source, fields in EXAMPLES.items()
    }
    assert {letter for fields in OUTCOMES.values() for row in fields.values() for letter in row} == set(
        MEANINGS
    )


def test_same_dialect_is_the_same_bytes() -> None:
    for source, fields in OUTCOMES.items():
        assert {row[TARGETS.index(source)] for row in fields.values()} == {"="}


def test_page_shows_every_field() -> None:
    page = Path(__file__).parents[2].joinpath("docs/translation.md").read_text("utf-8")
    assert all(f"| `{field}` |" in page for fields in OUTCOMES.values() for field in fields)
