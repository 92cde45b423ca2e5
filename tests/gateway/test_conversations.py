"""Replies that are come back to by their id: kept for their caller, for a while, within bounds."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from calls_made import HandClock, call

from pointsman.core.errors import BadRequest
from pointsman.gateway.call import Call
from pointsman.gateway.conversations import KEPT_BYTES_MAX, KEPT_S, Conversations
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES


def by(caller: str, dialect: Dialect = OPENAI_RESPONSES) -> Call:
    return call(dialect, caller=caller)


def asking(text: str, previous: str | None = None) -> Envelope:
    body: dict[str, Any] = {"model": "auto", "input": text}
    if previous is not None:
        body["previous_response_id"] = previous
    return read_envelope(json.dumps(body).encode())


def reply(reply_id: str, text: str) -> bytes:
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return json.dumps({"id": reply_id, "output": [said]}).encode()


def texts(envelope: Envelope) -> list[str]:
    """What is said in a request, in order."""
    items = msgspec.json.decode(envelope.fields["input"])
    contents = [item["content"] for item in items]
    return [content if isinstance(content, str) else content[0]["text"] for content in contents]


def test_conversation_is_written_out_from_its_beginning() -> None:
    kept = Conversations()
    kept.keep("ada", asking("one"), reply("resp_1", "first"))
    kept.keep("ada", asking("two", "resp_1"), reply("resp_2", "second"))

    whole = kept.continued(by("ada"), asking("three", "resp_2"))

    assert texts(whole) == ["one", "first", "two", "second", "three"]
    assert "previous_response_id" not in whole.fields
    assert json.loads(whole.body).keys() == {"model", "input"}


def test_one_reply_may_be_continued_in_two_ways() -> None:
    kept = Conversations()
    kept.keep("ada", asking("one"), reply("resp_1", "first"))

    assert texts(kept.continued(by("ada"), asking("this", "resp_1"))) == ["one", "first", "this"]
    assert texts(kept.continued(by("ada"), asking("that", "resp_1"))) == ["one", "first", "that"]


def test_a_call_in_another_dialect_is_not_continued() -> None:
    kept = Conversations()
    kept.keep("ada", asking("one"), reply("resp_1", "first"))
    envelope = asking("two", "resp_1")

    assert kept.continued(by("ada", OPENAI_CHAT), envelope) is envelope


def test_unknown_id_is_left_for_its_provider() -> None:
    envelope = asking("on", "resp_of_a_provider")
    assert Conversations().continued(by("ada"), envelope) is envelope


def test_reply_is_its_callers_alone() -> None:
    kept = Conversations()
    kept.keep("ada", asking("one"), reply("resp_1", "first"))
    envelope = asking("two", "resp_1")

    assert kept.continued(by("eve"), envelope) is envelope
    assert kept.find("resp_1", "eve") is None
    assert not kept.forget("resp_1", "eve")
    assert kept.forget("resp_1", "ada")
    assert kept.find("resp_1", "ada") is None


def test_conversation_without_its_beginning_is_refused() -> None:
    kept = Conversations()
    kept.keep("ada", asking("one"), reply("resp_1", "first"))
    kept.keep("ada", asking("two", "resp_1"), reply("resp_2", "second"))
    kept.forget("resp_1", "ada")

    with pytest.raises(BadRequest) as caught:
        kept.continued(by("ada"), asking("three", "resp_2"))

    assert caught.value.code == "previous_response_not_found"


def test_replies_are_forgotten_in_time() -> None:
    clock = HandClock()
    kept = Conversations(clock)
    kept.keep("ada", asking("one"), reply("resp_1", "first"))

    clock.now_s += KEPT_S - 1
    assert kept.find("resp_1", "ada") is not None
    clock.now_s += 1
    assert kept.find("resp_1", "ada") is None


def test_those_not_needed_for_the_longest_make_room() -> None:
    kept = Conversations()
    large = "x" * (KEPT_BYTES_MAX // 9)
    kept.keep("ada", asking("one"), reply("resp_1", large))
    kept.keep("ada", asking("other"), reply("resp_2", large))
    kept.continued(by("ada"), asking("two", "resp_1"))
    for number in range(3, 6):
        kept.keep("ada", asking("more"), reply(f"resp_{number}", large))

    assert kept.find("resp_1", "ada") is not None
    assert kept.find("resp_2", "ada") is None


def test_what_a_request_held_besides_its_items_is_not_kept() -> None:
    kept = Conversations()
    tracemalloc.start()
    try:
        for number in range(8):
            body = b'{"model":"auto","input":[{"role":"user","content":"one"}],"surprise":"%b"}' % (
                b"x" * 1_000_000
            )
            kept.keep("ada", read_envelope(body), reply(f"resp_{number}", "first"))
            del body
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 1_000_000
