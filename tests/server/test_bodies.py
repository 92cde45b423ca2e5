"""Bodies that are not what they should be: each gets its 400 in its caller's dialect, none a 500."""

import json
from typing import Any

import pytest
from raw_http import CHAT, MESSAGES, ask, chat_body, post

from gateways import Gateway

SAID = [{"role": "user", "content": "hi"}]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "auto", "max_tokens": 50, "messages": SAID} | fields).encode()


def without(*names: str) -> bytes:
    fields = {"model": "auto", "max_tokens": 50, "messages": SAID}
    return json.dumps({name: value for name, value in fields.items() if name not in names}).encode()


DEEP = 100_000
BROKEN = {
    "nothing": b"",
    "white space": b" \r\n ",
    "half an object": b'{"model":"auto"',
    "an array": b"[]",
    "null": b"null",
    "a number": b"17",
    "a string": b'"hi"',
    "a bomb of brackets": b"[" * DEEP,
    "a bomb of objects": b'{"a":' * DEEP,
    "deep messages": b'{"model":"auto","messages":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep content": b'{"model":"auto","messages":[{"role":"user","content":'
    + b"[" * DEEP
    + b"]" * DEEP
    + b"}]}",
    "a deep unknown field": body()[:-1] + b',"x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "a lone surrogate": body(messages=[{"role": "user", "content": "\ud800"}]),
    "a lone surrogate in a name": body(model="\ud800"),
    "a lone surrogate in a key": body(**{"\ud800": 1}),
    "not UTF-8": b'{"model":"auto","messages":[{"role":"user","content":"\xff"}]}',
    "UTF-8 of a surrogate": b'{"model":"auto","messages":[{"role":"user","content":"\xed\xa0\x80"}]}',
    "UTF-16": body().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + body(),
    "something behind": body() + b"{}",
    "a NUL behind": body() + b"\0",
    "a raw line break": b'{"model":"auto","messages":[{"role":"user","content":"a\nb"}]}',
    "NaN": body(temperature=float("nan")),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_what_is_no_json_object_is_refused(demo: Gateway, path: str, name: str) -> None:
    reply = ask(demo, post(path, BROKEN[name]))

    assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
    assert (reply.json().get("type") == "error") is (path == MESSAGES)
    assert "Traceback" not in reply.body.decode()


WRONG = [
    (without("model"), 400, "model"),
    (body(model=None), 400, "model"),
    (body(model=7), 400, "model"),
    (body(model=["auto"]), 400, "model"),
    (body(model={}), 400, "model"),
    (body(model=""), 404, "model"),
    (body(model="autoo"), 404, "model"),
    (body(model="a\r\nset-cookie: x"), 404, "model"),
    (body(model="模型"), 404, "model"),
    (body(model="m" * 100_000), 404, "model"),
    (body(stream="yes"), 400, "stream"),
    (body(stream=1), 400, "stream"),
    (body(stream=[]), 400, "stream"),
    (without("messages"), 400, "messages"),
    (body(messages=None), 400, "messages"),
    (body(messages="hi"), 400, "messages"),
    (body(messages={}), 400, "messages"),
    (body(messages=[]), 400, "messages"),
    (body(messages=["hi"]), 400, "messages"),
    (body(messages=[None]), 400, "messages"),
    (body(messages=[[]]), 400, "messages"),
    (body(messages=[{"content": "hi"}]), 400, "messages"),
    (body(messages=[{"role": 1, "content": "hi"}]), 400, "messages"),
    (body(messages=[{"role": "wizard", "content": "hi"}]), 400, "messages"),
    (body(messages=[{"role": "user", "content": 5}]), 400, "messages"),
    (body(messages=[{"role": "user", "content": {}}]), 400, "messages"),
    (body(messages=[{"role": "user", "content": [1]}]), 400, "messages"),
    (body(tools="x"), 400, "tools"),
    (body(max_tokens="5"), 400, "max_tokens"),
    (body()[:-1] + b',"max_tokens":1e999}', 400, "max_tokens"),
    (body()[:-1] + b',"max_tokens":' + b"9" * 5000 + b"}", 400, "max_tokens"),
]


@pytest.mark.parametrize(("sent", "status", "param"), WRONG, ids=[sent[:60].decode() for sent, _, _ in WRONG])
def test_wrong_field_is_named(demo: Gateway, sent: bytes, status: int, param: str) -> None:
    chat, messages, route = (ask(demo, post(path, sent)) for path in (CHAT, MESSAGES, "/v1/route"))

    assert (chat.status, messages.status, route.status) == (status, status, status)
    assert chat.error["param"].startswith(param)
    assert messages.json()["type"] == "error"
    assert param in messages.error["message"]
    assert route.error["param"].startswith(param)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_wrong_message_to_a_pinned_model_is_refused_too(demo: Gateway, path: str) -> None:
    for messages in (None, "hi", [], {}):
        reply = ask(demo, post(path, body(model="tiny", messages=messages)))
        assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")


def test_field_given_twice_is_refused_where_its_meaning_would_be_guessed(demo: Gateway) -> None:
    twice = b'{"model":"gone","model":"tiny","messages":[{"role":"user","content":"hi"}]}'

    assert ask(demo, post(CHAT, twice)).error["code"] == "duplicate_field"


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "-1e-999", "0." + "3" * 400, "9" * 100_000])
def test_unknown_field_with_a_huge_number_does_no_harm(demo: Gateway, number: str) -> None:
    sent = body()[:-1] + b',"something":' + number.encode() + b"}"

    assert ask(demo, post("/v1/route", sent)).status == 200
    assert ask(demo, post(CHAT, sent)).status in {200, 400}


def test_unknown_model_is_told_the_nearest(demo: Gateway) -> None:
    reply = ask(demo, post(CHAT, chat_body("tinny")))

    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert "tiny" in reply.error["message"]


def test_unknown_fields_and_parts_do_no_harm(demo: Gateway) -> None:
    sent = body(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": None}], "x": 1}
        ],
        metadata={"a": [1, {"b": None}]},
        params={},
        stream=None,
    )

    assert ask(demo, post(CHAT, sent)).status == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-16"]
)
def test_content_type_does_not_matter(demo: Gateway, kind: str) -> None:
    assert ask(demo, post(CHAT, chat_body(), f"content-type: {kind}")).status == 200
