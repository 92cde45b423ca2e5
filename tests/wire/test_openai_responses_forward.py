"""A responses request that stays in its dialect, and the items of conversations that are kept on this side."""

import json
from typing import Any

import pytest
from openai_responses_checks import CONTEXT, envelope

from pointsman.core.events import Finished, ReplyStarted, TextDelta, ThinkingDelta
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Seal
from pointsman.wire.dialect import Relay
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.openai_responses.items import (
    Answer,
    answer,
    continued,
    input_items,
)
from pointsman.wire.seals import Kind, tag
from pointsman.wire.sse import frame

CARD = ModelCard("tiny", "openai", "gpt-4.1")
USER = {"role": "user", "content": "Hi"}
BODY = b"""{ "model":"tiny", "store" : false,"input":[ {"type":"reasoning","id":"rs_1","encrypted_content":"gAAAA"},
 {"content":"Hi","role":"user"} ], "unknown":1.50 }"""


def sent(*items: Any, **fields: Any) -> list[Any]:
    body = OPENAI_RESPONSES.forwarded(envelope(input=list(items), **fields), CARD).body
    return json.loads(body)["input"]


def sealed(data: str, kind: Kind = Kind.THINKING, maker: str = "openai", **fields: Any) -> dict[str, Any]:
    content = tag(Seal(data, maker), kind)
    return {"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": content, **fields}


# Forwarded


def test_every_byte_but_the_model_stays():
    assert OPENAI_RESPONSES.forwarded(read_envelope(BODY), CARD).body == BODY.replace(b'"tiny"', b'"gpt-4.1"')
    card = ModelCard("tiny", "openai", "tiny")
    assert OPENAI_RESPONSES.forwarded(read_envelope(BODY), card).body == BODY


def test_what_the_provider_sealed_returns_in_its_own_form():
    assert sent(sealed("rs_1 gAAAA"), sealed(" gBBBB", Kind.REDACTED), USER) == [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA", "id": "rs_1"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gBBBB"},
        USER,
    ]


def test_open_reasoning_returns_as_it_stood():
    summary = [{"type": "summary_text", "text": "Hm."}]
    assert sent(sealed("", summary=summary), USER)[0] == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_what_another_provider_sealed_is_left_out(kind):
    assert sent(USER, sealed("sig", kind, "claude")) == [USER]


def test_reasoning_that_was_only_shown_here_is_left_out():
    shown = OPENAI_RESPONSES.encode_reply(
        [ReplyStarted("r", "m"), ThinkingDelta("Hm."), TextDelta("Hi"), Finished("stop")], CONTEXT
    )
    reasoning, message = json.loads(shown)["output"]
    assert sent(USER, reasoning, message) == [USER, message]


def test_a_mark_within_a_text_changes_nothing():
    text = {"role": "user", "content": tag(Seal("x", "claude"), Kind.THINKING)}
    body = json.dumps({"model": "gpt-4.1", "input": [text]}).encode()
    assert OPENAI_RESPONSES.forwarded(read_envelope(body), CARD).body == body


@pytest.mark.parametrize(
    "value", ['"cG9pbnRzbWFu"', '["cG9pbnRzbWFu"]', '[{"type":7,"x":"cG9pbnRzbWFu"}]', "7"]
)
def test_an_input_that_cannot_be_read_is_the_providers_to_judge(value):
    body = f'{{"model":"gpt-4.1","input":{value},"user":"cG9pbnRzbWFu"}}'.encode()
    assert OPENAI_RESPONSES.forwarded(read_envelope(body), CARD).body == body


# Relayed

CREATED = b'{"type":"response.created","response":{"id":"resp_1"}}'
PROGRESS = b'{"type": "response.in_progress","response":{}}'
KEEPALIVE = b'{"type":"keepalive","sequence_number":2}'
DELTA = b'{"type":"response.output_text.delta","delta":"Hi"}'
ERROR = b'{"type":"error","message":"slow"}'
COMPLETED = b'{"type":"response.completed","response":{"id":"resp_1","output":[{"type":"message"}]}}'


def relay() -> Relay:
    opening = OPENAI_RESPONSES.forwarded(envelope(stream=True), CARD).relay
    assert opening is not None
    return opening


def test_the_opening_of_a_stream_waits_for_a_word_of_substance():
    opening = relay()
    assert opening.feed(frame(CREATED)) == b""
    assert opening.feed(frame(PROGRESS) + frame(KEEPALIVE)) == b""
    assert opening.feed(frame(KEEPALIVE)) == b""
    held = frame(CREATED) + frame(PROGRESS) + frame(KEEPALIVE) * 2
    assert opening.feed(frame(DELTA)) == held + frame(DELTA)
    assert opening.feed(frame(CREATED)) == frame(CREATED)
    assert opening.finish() == b""


@pytest.mark.parametrize("event", [DELTA, ERROR, COMPLETED, b"[DONE]"])
def test_anything_else_opens_the_stream(event):
    assert relay().feed(frame(CREATED) + frame(event)) == frame(CREATED) + frame(event)


def test_an_opening_with_nothing_behind_it_is_still_told():
    opening = relay()
    opening.feed(frame(CREATED))
    assert opening.finish() == frame(CREATED)


def test_a_whole_reply_needs_no_relay():
    assert OPENAI_RESPONSES.forwarded(envelope(), CARD).relay is None


# Kept conversations


def written(items: list[Any]) -> list[Any]:
    return [json.loads(bytes(item)) for item in items]


def test_a_string_is_an_item_of_its_user():
    assert written(input_items(envelope(input="Hi"))) == [
        {"type": "message", "role": "user", "content": "Hi"}
    ]


def test_items_are_kept_byte_for_byte():
    raws = input_items(read_envelope(BODY))
    assert [bytes(raw) for raw in raws] == [
        b'{"type":"reasoning","id":"rs_1","encrypted_content":"gAAAA"}',
        b'{"content":"Hi","role":"user"}',
    ]


@pytest.mark.parametrize(
    "body", [b'{"model":"m"}', b'{"model":"m","input":7}', b'{"model":"m","input":null}']
)
def test_an_input_that_is_none_has_no_items(body):
    assert input_items(read_envelope(body)) == []


def test_a_request_that_goes_on_holds_all_that_was_said():
    first = envelope(input="Hi")
    reply = OPENAI_RESPONSES.encode_reply(
        [ReplyStarted("r", "m"), TextDelta("Ho"), Finished("stop")], CONTEXT
    )
    second = envelope(input="Again", previous_response_id="resp_req_0190test", temperature=0.5)
    whole = continued(second, [*input_items(first), *answer(reply).items])
    assert whole == read_envelope(whole.body)
    assert "previous_response_id" not in whole.fields
    assert (whole.model, json.loads(whole.body)["temperature"]) == ("tiny", 0.5)
    request = OPENAI_RESPONSES.decode_request(whole)
    assert [(message.role, message.parts[0].text) for message in request.messages] == [
        ("user", "Hi"),
        ("assistant", "Ho"),
        ("user", "Again"),
    ]


def test_reasoning_that_only_its_provider_knows_does_not_go_on():
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": "Ho"},
    ]
    kept = answer(json.dumps({"id": "resp_1", "output": output}).encode()).items
    items = written(input_items(continued(envelope(input="Again"), kept)))
    assert items[0] == {"type": "message", "role": "assistant", "content": "Ho"}
    sealed_output = [{**output[0], "encrypted_content": "gAAAA"}, output[1]]
    kept = answer(json.dumps({"id": "resp_1", "output": sealed_output}).encode()).items
    assert written(input_items(continued(envelope(input="Again"), kept)))[:2] == sealed_output


def test_what_is_no_reply_has_no_items():
    assert answer(b"<html>") == Answer("", [])
