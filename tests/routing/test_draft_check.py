"""What speaks against giving an answer to its caller."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.events import Finished, FinishReason, Reply
from pointsman.core.request import Part, Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.routing.answer_judge import is_good, question_text
from pointsman.routing.draft_check import Wanted, complaint
from pointsman.routing.json_shape import mismatch

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"]},
        "kind": {"enum": ["cat", "dog"]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
    "$defs": {"tag": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
}


def reply(*parts: Part | str, reason: FinishReason = "stop", logprobs: tuple[float, ...] = ()) -> Reply:
    made = tuple(Text(part) if isinstance(part, str) else part for part in parts)
    told = tuple({"token": "a", "logprob": number} for number in logprobs)
    return Reply("r", "m", made, Finished(reason), Usage(), told)


@pytest.mark.parametrize(
    ("answer", "wanted", "why"),
    [
        (reply("Lima."), Wanted(), None),
        (reply(), Wanted(), "it is empty"),
        (reply(" \n"), Wanted(), "it is empty"),
        (reply(Thinking("hm")), Wanted(), "it is empty"),
        (reply(ToolCall("1", "f", "{}")), Wanted(), None),
        (reply("Lim", reason="length"), Wanted(), "it was cut off"),
        (reply("No.", reason="content_filter"), Wanted(), "it refused"),
        (reply(Text("No.", is_refusal=True)), Wanted(), "it refused"),
        (reply("I\u2019m sorry, but I can\u2019t help with that."), Wanted(), "it reads like a refusal"),
        (reply("Es tut mir leid, aber ich kann das nicht."), Wanted(), "it reads like a refusal"),
        (reply("I cannot overstate it. " + "It is long. " * 80), Wanted(), None),
        (reply('{"a": 1}'), Wanted(is_json=True), None),
        (reply('```json\n{"a": 1}\n```'), Wanted(is_json=True), "it is not JSON"),
        (reply("Sure!"), Wanted(is_json=True), "it is not JSON"),
        (
            reply('{"name": "Tom"}'),
            Wanted(is_json=True, schema=SCHEMA),
            "it has not the shape that was asked for",
        ),
        (reply("x", logprobs=(-0.1, -0.3)), Wanted(mean_logprob_min=-0.5), None),
        (
            reply("x", logprobs=(-1.0, -2.0)),
            Wanted(mean_logprob_min=-0.5),
            "it is unsure: a mean log-probability of -1.50",
        ),
        (reply("x", logprobs=(-9.0,)), Wanted(), None),
        (reply("x"), Wanted(mean_logprob_min=-0.5), None),
    ],
)
def test_complaints_about_an_answer(answer: Reply, wanted: Wanted, why: str | None) -> None:
    assert complaint(answer, wanted) == why


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"name": "Tom", "age": 3, "kind": "cat", "tags": ["a", 1.5]}, None),
        ({"name": "Tom", "age": None}, None),
        ({"name": "Tom", "age": 3.0}, None),
        ({"name": "Tom", "age": 3.5}, "age: not of type integer or null"),
        ({"name": "Tom", "age": True}, "age: not of type integer or null"),
        ({"name": 1, "age": 3}, "name: not of type string"),
        ({"name": "Tom", "age": 3, "secret": 1}, "a key that is not allowed"),
        ({"name": "Tom", "age": 3, "kind": "cow"}, "kind: none of the values it may have"),
        ({"name": "Tom", "age": 3, "tags": ["a", None]}, "tags: [1]: none of the 2 shapes it may have"),
        ([], "not of type object"),
    ],
)
def test_shape_of_a_value(value: Any, wrong: str | None) -> None:
    assert mismatch(value, SCHEMA) == wrong


def test_schema_that_refers_to_itself_ends() -> None:
    tree: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert mismatch({"next": {"next": {"next": 1}}}, tree) == "next: next: next: not of type object"
    assert mismatch({}, {"$ref": "#"}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_schema_is_looked_at_without_a_fault(value: Any, schema: Any) -> None:
    told = mismatch(value, schema)
    assert told is None or isinstance(told, str)
    assert mismatch(value, {}) is None
    assert mismatch(value, {"const": value}) is None


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ('{"good": true}', True),
        ('```json\n{"good": false}\n```', False),
        ('<think>{"good": true}?</think>{"good": false}', False),
        ('{"good": "yes"}', None),
        ("It is good.", None),
        ("true", None),
        ("", None),
    ],
)
def test_verdict_on_an_answer(said: str, good: bool | None) -> None:
    assert is_good(said) is good


@given(st.text())
def test_answer_is_quoted_whatever_it_says(answer: str) -> None:
    text = question_text('{"turns":[]}', answer)
    quoted = text.split("\n\n")[3]
    assert json.loads(quoted) == answer.encode("utf-8", "replace").decode()
