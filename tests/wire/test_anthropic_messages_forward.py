"""A Messages body forwarded to a model of the same dialect: as it came, but without unsigned thinking."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.model_card import ModelCard
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import Envelope, read_envelope


def forwarded(asked: Envelope, model: str) -> bytes:
    body, relay = ANTHROPIC_MESSAGES.forwarded(asked, ModelCard(model, "anthropic", model), tell_usage=True)
    assert relay is None, "a Messages stream is relayed as it is: it always tells usage"
    return body


def envelope(messages: str) -> Envelope:
    return read_envelope(
        b'{"max_tokens": 5, "model":"auto",  "messages": %b, "new": 1.50}' % messages.encode()
    )


def test_body_is_forwarded_byte_for_byte() -> None:
    asked = envelope('[{"role":"user","content":"Hi"}]')
    assert forwarded(asked, "auto") is asked.body
    assert forwarded(asked, "opus") == asked.body.replace(b'"auto"', b'"opus"')


def test_unsigned_thinking_is_taken_out_and_nothing_else() -> None:
    """Rule 29: the API refuses thinking without its signature, and with it the whole conversation."""
    mine = '{"signature":"EqQB","type":"thinking","thinking":"mine","zeta": 1}'
    foreign = '{"type":"thinking","thinking":"foreign","signature": ""}'
    text = '{"type":"text","text":"say \\"signature\\":\\"\\""}'
    body = forwarded(
        envelope(
            '[{"role":"user","content":"Hi"},'
            f'{{"role":"assistant","content":[{foreign},{mine},{text}]}},'
            '{"role":"user","content":"a"},'
            f'{{"role":"assistant","content":[{foreign}]}},'
            '{"role":"user","content":"b"}]'
        ),
        "opus",
    )
    assert json.loads(body) == {
        "max_tokens": 5,
        "model": "opus",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [json.loads(mine), json.loads(text)]},
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
        ],
        "new": 1.5,
    }
    assert mine.encode() in body, "a signed block keeps its bytes"
    assert b'"new": 1.50' in body, "what stands around the history keeps its bytes"


@pytest.mark.parametrize(
    "messages",
    [
        '[{"role":"user","content":"\\"signature\\":\\"\\""}]',
        '[{"role":"user","content":[{"type":"tool_result","content":"x","signature":""}]}]',
        '[{"role":"user","content":3,"signature":""}]',
        '[{"role":"user","content":"Hi","signature":""}]',
        '[{"role":"user","content":[],"signature":""}]',
    ],
)
def test_history_without_unsigned_thinking_keeps_its_bytes(messages: str) -> None:
    asked = envelope(messages)
    assert forwarded(asked, "opus") == asked.body.replace(b'"auto"', b'"opus"')


@given(st.text(max_size=20), st.booleans())
def test_any_text_survives(text: str, is_signed: bool) -> None:
    thinking = {"type": "thinking", "thinking": text, "signature": "x" if is_signed else ""}
    messages = [{"role": "assistant", "content": [thinking, {"type": "text", "text": text}]}]
    body = json.loads(forwarded(envelope(json.dumps(messages)), "opus"))
    kept = [block["type"] for block in body["messages"][0]["content"]]
    assert kept == (["thinking", "text"] if is_signed else ["text"])
    assert body["messages"][0]["content"][-1]["text"] == text


FOREIGN = '{"type":"thinking","thinking":"x","signature":""}'
CALL = '{"type":"tool_use","id":"a","name":"f","input":{}}'
RESULT = '{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"b"}]}'
MINE = '{"type":"thinking","thinking":"y","signature":"EqQB"}'


def loop(blocks: str, thinking: str, more: str = "") -> Envelope:
    messages = f'[{{"role":"user","content":"Hi"}},{{"role":"assistant","content":[{blocks}]}},{RESULT}]'
    return read_envelope(
        f'{{"model":"auto","max_tokens":5000,"messages":{messages},"thinking":{thinking}{more}}}'.encode()
    )


BUDGET = '{"type":"enabled","budget_tokens":2000}'


@pytest.mark.parametrize(
    ("blocks", "thinking", "kept"),
    [
        (f"{FOREIGN},{CALL}", BUDGET, {"type": "disabled"}),
        (f"{FOREIGN},{CALL}", '{"type":"adaptive"}', {"type": "adaptive"}),
        (f"{FOREIGN},{MINE},{CALL}", BUDGET, json.loads(BUDGET)),
        (f'{FOREIGN},{{"type":"text","text":"t"}},{CALL}', BUDGET, {"type": "disabled"}),
        (f"{CALL}", BUDGET, json.loads(BUDGET)),
    ],
)
def test_a_loop_begun_elsewhere_goes_on_without_a_budget_for_thinking(
    blocks: str, thinking: str, kept: dict[str, object]
) -> None:
    """Rule 21: the API refuses a turn that calls without the thinking before it. Nothing was taken out of the last
    one, so it is the API's to judge."""
    assert json.loads(forwarded(loop(blocks, thinking), "opus"))["thinking"] == kept


def test_edits_about_thinking_go_with_it() -> None:
    edits = '[{"type":"clear_thinking_20251015","keep":"all"},{"type":"clear_tool_uses_20250919"}]'
    asked = loop(f"{FOREIGN},{CALL}", BUDGET, f',"context_management":{{"edits":{edits}}}')
    body = json.loads(forwarded(asked, "opus"))
    assert body["context_management"] == {"edits": [{"type": "clear_tool_uses_20250919"}]}
    kept = loop(f"{FOREIGN},{MINE},{CALL}", BUDGET, f',"context_management":{{"edits":{edits}}}')
    assert json.loads(forwarded(kept, "opus"))["context_management"] == {"edits": json.loads(edits)}
