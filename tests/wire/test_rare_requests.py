"""Fields and shapes that no recording shows, at every dialect: each is carried, named or refused by its name, and nothing
of what was sent is lost in silence."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.app import DIALECTS
from pointsman.core.errors import ClientError
from pointsman.core.model_card import ModelCard
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "golden" / "rare_requests.jsonl").read_text("utf-8").splitlines()
]
CALLERS = {dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)}
CARDS = {
    "openai-chat": ModelCard("m", "openai", "gpt-5.1", profile="openai"),
    "openai-responses": ModelCard("m", "openai", "gpt-5.1"),
    "anthropic-messages": ModelCard("m", "anthropic", "claude-opus-4-6"),
    "gemini": ModelCard("m", "gemini", "gemini-3-pro-preview"),
    "ollama": ModelCard("m", "ollama", "qwen3"),
}
PLAIN: dict[str, dict[str, Any]] = {
    "openai-chat": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "openai-responses": {"model": "m", "input": [{"role": "user", "content": "Hi"}]},
    "anthropic-messages": {
        "model": "m",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Hi"}],
    },
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
HAPPENS_ANYWAY = {
    ("openai-chat", "effort none", "anthropic-messages"),  # nobody thinks there unless asked to
    ("openai-chat", "thinking zai", "anthropic-messages"),
    ("openai-responses", "reasoning none", "anthropic-messages"),
    ("openai-chat", "stream_options", "gemini"),  # where a stream is another address
    ("openai-responses", "stream obf", "gemini"),
    ("openai-chat", "choice none", "ollama"),  # the tools are not sent
    ("openai-responses", "reasoning gen summary", "openai-chat"),  # thoughts are shown where there are any
    ("openai-responses", "reasoning gen summary", "ollama"),
    ("anthropic-messages", "tier", "gemini"),
}


def sent(source: str, target: str, body: dict[str, Any]) -> EncodedRequest:
    address = Address("m", stream=False) if source == "gemini" else None
    request = CALLERS[source].decode_request(read_envelope(json.dumps(body).encode(), address))
    return DIALECTS[target].encode_request(request, CARDS[target])


PAIRS = [(row, target) for row in ROWS for target in DIALECTS if target != row["source"]]


@pytest.mark.parametrize(
    ("row", "target"), PAIRS, ids=[f"{row['source']}-{row['name']}-{target}" for row, target in PAIRS]
)
def test_nothing_rare_is_lost_in_silence(row: dict[str, Any], target: str) -> None:
    source, name = row["source"], row["name"]
    try:
        encoded = sent(source, target, row["body"])
    except ClientError as refused:
        told = (refused.status, bool(refused.param))
    else:
        told = None
    if told is not None:
        assert told == (400, True)
        return
    plain = sent(source, target, PLAIN[source])
    is_carried = json.loads(encoded.body) != json.loads(plain.body) or encoded.undo != plain.undo
    is_named = bool(set(encoded.dropped) - set(plain.dropped))
    if row.get("asks_nothing") or (source, name, target) in HAPPENS_ANYWAY:
        assert not is_named
    else:
        assert is_carried or is_named


def test_there_are_many_of_each() -> None:
    for source in CALLERS:
        assert sum(row["source"] == source for row in ROWS) > 35


def test_what_a_search_found_is_named_and_placed_for_every_model() -> None:
    (row,) = (row for row in ROWS if row["name"] == "search_result")
    for target in DIALECTS.keys() - {"anthropic-messages"}:
        body = json.dumps(json.loads(sent("anthropic-messages", target, row["body"]).body))
        assert "S\\nhttps://s" in body
        assert "body" in body


@pytest.mark.parametrize(
    ("name", "target", "dropped"),
    [
        ("citations doc", "openai-responses", "messages[].document.title"),
        ("citations doc", "ollama", "messages[].document.title"),
        ("fr willContinue", "openai-chat", "contents[].parts[].functionResponse.willContinue"),
        ("fc willContinue", "openai-chat", "contents[].parts[].functionCall.willContinue"),
        ("enable_thinking", "gemini", "enable_thinking"),
    ],
)
def test_what_is_left_out_is_named(name: str, target: str, dropped: str) -> None:
    (row,) = (row for row in ROWS if row["name"] == name)
    assert dropped in sent(row["source"], target, row["body"]).dropped


@pytest.mark.parametrize("target", ["openai-chat", "openai-responses", "anthropic-messages", "ollama"])
def test_geminis_newer_way_to_ask_for_a_schema_is_one(target: str) -> None:
    (row,) = (row for row in ROWS if row["name"] == "responseFormat")
    config = {
        "responseMimeType": "application/json",
        "responseJsonSchema": row["body"]["generationConfig"]["responseFormat"][0]["text"]["jsonSchema"],
    }
    older = sent("gemini", target, {**PLAIN["gemini"], "generationConfig": config})
    assert sent("gemini", target, row["body"]) == older


def test_kinds_of_files_are_known_in_capitals_too() -> None:
    (row,) = (row for row in ROWS if row["name"] == "image webp upper")
    assert b'"media_type":"image/jpeg"' in sent("openai-chat", "anthropic-messages", row["body"]).body
