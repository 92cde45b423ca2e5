"""What makes two requests turns of one conversation."""

import json
from typing import Any

import pytest
from calls_made import call

from pointsman.gateway.sessions import session_key
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

FIRST = {"role": "user", "content": "Find the bug"}
ANSWER = {"role": "assistant", "content": "Where?"}
NEXT = {"role": "user", "content": "In main.c"}
SYSTEM = {"role": "system", "content": "You are a coder"}


def key(messages: list[dict[str, str]], caller: str = "a", headers: Any = (), **more: Any) -> bytes | None:
    envelope = read_envelope(json.dumps({"model": "auto", "messages": messages, **more}).encode())
    made = call(caller=caller, headers=headers)
    return session_key(made, envelope, OPENAI_CHAT.read_prompt(envelope))


def test_next_turn_is_of_the_same_conversation() -> None:
    assert key([SYSTEM, FIRST]) == key([SYSTEM, FIRST, ANSWER, NEXT]) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [SYSTEM, NEXT]},
        {"messages": [{"role": "system", "content": "You are a cook"}, FIRST]},
        {"messages": [SYSTEM, FIRST], "caller": "b"},
        {"messages": [SYSTEM, FIRST], "headers": ((b"x-session-id", b"1"),)},
        {"messages": [SYSTEM, FIRST], "metadata": {"session_id": "1"}},
    ],
)
def test_anything_else_is_another_one(other: dict[str, Any]) -> None:
    assert key(**other) != key([SYSTEM, FIRST])


@pytest.mark.parametrize(
    "named",
    [
        {"headers": ((b"x-pointsman-session", b"7"),)},
        {"headers": ((b"accept", b"*/*"), (b"x-session-id", b"7"))},
        {"metadata": {"session_id": "7"}},
        {"metadata": {"user_id": "user_abc_session_7"}},
    ],
)
def test_a_named_conversation_is_one_whatever_its_first_turn(named: dict[str, Any]) -> None:
    assert key([SYSTEM, FIRST], **named) == key([NEXT], **named)
    assert key([SYSTEM, FIRST], **named) != key([SYSTEM, FIRST], caller="b", **named)


def test_name_of_a_user_is_no_conversation() -> None:
    assert key([FIRST], metadata={"user_id": "bob"}) == key([FIRST])
    assert key([FIRST], metadata="odd") == key([FIRST])


def test_request_that_nobody_began_has_no_key() -> None:
    assert key([SYSTEM]) is None


def test_lengths_are_part_of_the_key() -> None:
    one = key([{"role": "system", "content": "ab"}, {"role": "user", "content": "c"}])
    assert one != key([{"role": "system", "content": "a"}, {"role": "user", "content": "bc"}])
