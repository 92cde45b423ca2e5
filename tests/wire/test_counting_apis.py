"""Counting requests of each API: what is counted, what a provider is sent, what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from recordings import recorded, request_body, whole_answer

from pointsman.core.errors import BadRequest, UpstreamError
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.counting import ANTHROPIC_TOKENS, GEMINI_TOKENS, RESPONSES_TOKENS, CountingApi
from pointsman.wire.envelope import Address, Envelope, read_envelope

TURN = {"role": "user", "parts": [{"text": "Hi"}]}


def google(body: bytes) -> Envelope:
    return read_envelope(body, Address("small", stream=False))


@pytest.mark.parametrize(
    ("api", "path", "answer"),
    [
        (ANTHROPIC_TOKENS, "/messages/count_tokens", {"input_tokens": 7}),
        (RESPONSES_TOKENS, "/responses/input_tokens", {"object": "response.input_tokens", "input_tokens": 7}),
        (GEMINI_TOKENS, "/models/small-1:countTokens", {"totalTokens": 7}),
    ],
)
def test_each_api_has_its_path_and_its_answer(api: CountingApi, path: str, answer: dict[str, Any]):
    assert api.endpoint("small-1") == path
    assert json.loads(api.encode_count(7)) == answer
    api.require_count(api.encode_count(7))


@pytest.mark.parametrize("api", [ANTHROPIC_TOKENS, RESPONSES_TOKENS, GEMINI_TOKENS])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"<html>", b'{"input_tokens":"7"}', b'{"error":{}}', b"[" * 9999]
)
def test_an_answer_that_is_no_count_is_an_upstreams_fault(api: CountingApi, body: bytes):
    with pytest.raises(UpstreamError):
        api.require_count(body)


def test_the_limit_that_only_a_generation_needs_may_be_missing():
    envelope = read_envelope(b'{"model":"small","messages":[{"role":"user","content":"Hi"}]}')
    assert ANTHROPIC_MESSAGES.read_prompt(ANTHROPIC_TOKENS.asked(envelope)).turns[0].text == "Hi"
    assert ANTHROPIC_TOKENS.forwarded(envelope, "small-1") == envelope.body.replace(b"small", b"small-1")


@pytest.mark.parametrize("name", ["generateContentRequest", "generate_content_request"])
def test_a_whole_gemini_request_is_counted_and_forwarded_with_its_model(name: str):
    inner = {"model": "models/small", "contents": [TURN], "systemInstruction": TURN}
    envelope = google(json.dumps({name: inner}).encode())
    asked = GEMINI_TOKENS.asked(envelope)
    assert json.loads(asked.body) == inner
    assert set(asked.fields) == set(inner)
    assert GEMINI_TOKENS.forwarded(envelope, "small-1") == envelope.body.replace(
        b"models/small", b"models/small-1"
    )


def test_bare_contents_are_what_is_counted():
    envelope = google(json.dumps({"contents": [TURN]}).encode())
    assert GEMINI_TOKENS.asked(envelope) is envelope
    assert GEMINI_TOKENS.forwarded(envelope, "small-1") is envelope.body


def test_a_whole_request_that_is_none_is_the_callers_to_mend():
    with pytest.raises(BadRequest):
        GEMINI_TOKENS.asked(google(b'{"generateContentRequest":7}'))


@pytest.mark.parametrize(
    ("api", "file", "endpoint", "count"),
    [
        (ANTHROPIC_TOKENS, "anthropic", "anthropic.count_tokens", 9),
        (RESPONSES_TOKENS, "openai_responses", "openai.responses_other", 6),
        (GEMINI_TOKENS, "gemini", "gemini.countTokens", 5),
    ],
)
def test_every_recorded_count_is_read(shared: Path, api: CountingApi, file: str, endpoint: str, count: int):
    seen = 0
    for record in recorded(shared, file, endpoint):
        is_count = endpoint != "openai.responses_other" or record["request"]["path"].endswith("/input_tokens")
        if is_count and record["response"]["status"] == 200:
            api.require_count(whole_answer(record) or b"")
            body = request_body(record) or b""
            envelope = google(body) if api is GEMINI_TOKENS else read_envelope(body)
            assert api.forwarded(envelope, envelope.model) == body
            seen += 1
    assert seen == count
