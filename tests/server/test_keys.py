"""Who may call: where a key may stand, what happens to others, and that none is ever told to anyone."""

import inspect
import logging
import secrets

import anthropic
import openai
import pytest
from callers import KEY, anthropic_client, openai_client
from hypothesis import given
from hypothesis import strategies as st
from raw_http import CHAT, MESSAGES, Client, ask, chat_body, head, post

from gateways import Gateway
from pointsman.core.errors import Forbidden, Unauthorized
from pointsman.server import auth
from pointsman.server.auth import Door

RIGHT = [
    f"authorization: Bearer {KEY}",
    f"Authorization: bearer   {KEY}  ",
    f"authorization: {KEY}",
    f"x-api-key: {KEY}",
    f"x-goog-api-key: {KEY}",
]


@pytest.mark.parametrize("header", RIGHT)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_key_opens_wherever_it_stands(locked: Gateway, path: str, header: str) -> None:
    assert ask(locked, post(path, chat_body(), header)).status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route", "/v1/models"])
def test_key_opens_in_the_query(locked: Gateway, path: str) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    request = (
        head("GET", f"{path}?a=1&key={KEY}") if method == "GET" else post(f"{path}?key={KEY}", chat_body())
    )

    assert ask(locked, request, to=method).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("authorization: Bearer wrong",),
        ("authorization: Bearer",),
        ("authorization:",),
        (f"authorization: Basic {KEY}",),
        (f"authorization: Bearer {KEY}x",),
        (f"authorization: Bearer {KEY[:-1]}",),
        (f"x-api-key: {KEY.upper()}",),
        (f"cookie: key={KEY}",),
        (b"authorization: Bearer \xff\xfe\xc3\xa9",),
        (b"x-api-key: \xe2\x82\xac",),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route", "/v1/models", "/nothing"])
def test_any_other_key_is_refused_in_the_dialect_of_the_caller(
    locked: Gateway, path: str, headers: tuple[str | bytes, ...]
) -> None:
    reply = ask(locked, post(path, chat_body(), *headers))

    assert reply.status == 401
    if path == MESSAGES:
        assert (reply.json()["type"], reply.error["type"]) == ("error", "authentication_error")
    else:
        assert reply.error["code"] == "invalid_api_key"
    assert KEY not in reply.body.decode()


@pytest.mark.parametrize(
    "query", ["key=", "key=wrong", f"key={KEY}x", f"KEY={KEY}", f"x=key={KEY}", "key=%ff", "%"]
)
def test_any_other_query_is_refused(locked: Gateway, query: str) -> None:
    assert ask(locked, post(f"{CHAT}?{query}", chat_body())).status == 401


def test_of_two_keys_one_right_is_enough(locked: Gateway) -> None:
    for pair in (
        (f"authorization: Bearer {KEY}", "x-api-key: sk-ant-another"),
        ("authorization: Bearer another", f"x-api-key: {KEY}"),
        ("authorization: Bearer another", f"authorization: Bearer {KEY}"),
    ):
        assert ask(locked, post(MESSAGES, chat_body(), *pair)).status == 200


def test_both_sdks_raise_an_authentication_error(locked: Gateway) -> None:
    with openai_client(locked, "wrong") as client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.code == "invalid_api_key"
    with anthropic_client(locked, "wrong") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="tiny", max_tokens=5, messages=[{"role": "user", "content": "x"}])


def test_both_sdks_get_in_with_the_key(locked: Gateway) -> None:
    with openai_client(locked, KEY) as client:
        assert client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x"}]).id
    with anthropic_client(locked, KEY) as client:
        message = client.messages.create(
            model="tiny", max_tokens=5, messages=[{"role": "user", "content": "x"}]
        )
        assert message.id


def test_refused_key_leaves_the_connection_open(locked: Gateway) -> None:
    with Client(locked) as client:
        client.send(post(CHAT, chat_body()))
        assert client.reply().status == 401
        client.send(post(CHAT, chat_body(), f"x-api-key: {KEY}"))
        assert client.reply().status == 200


def test_body_of_a_stranger_is_not_waited_for(locked: Gateway) -> None:
    with Client(locked) as client:
        client.send(head("POST", CHAT, "content-length: 190000"))
        assert client.reply().status == 401
    with Client(locked) as client:
        client.send(head("POST", CHAT, "content-length: 10", "expect: 100-continue"))
        assert client.reply().status == 401
    with Client(locked) as client:
        client.send(head("POST", CHAT, "transfer-encoding: chunked") + b"fffff\r\n" + b"x" * 70_000)
        assert client.reply().status == 401


def test_keys_are_compared_in_constant_time() -> None:
    assert "compare_digest" in inspect.getsource(Door.admit)
    assert "== expected" not in inspect.getsource(auth)


def test_key_is_told_to_nobody(locked: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    wrong = f"sk-{secrets.token_hex(16)}"
    with caplog.at_level(logging.DEBUG):
        replies = [
            ask(locked, post(f"{path}?key={key}", body, f"authorization: Bearer {key}", f"x-api-key: {key}"))
            for path in (CHAT, MESSAGES, "/v1/route", "/nothing", "/v1/models")
            for key in (KEY, wrong)
            for body in (chat_body(), b"{", chat_body("gone"))
        ]

    told = caplog.text + "".join(f"{reply.headers}{reply.body!r}" for reply in replies)
    assert KEY not in told
    assert wrong not in told
    assert KEY not in repr(Door(KEY))


def test_booked_caller_is_no_key(locked: Gateway) -> None:
    ask(locked, post(CHAT, chat_body(), f"x-api-key: {KEY}"))

    assert KEY not in repr([entry for entry, _ in locked.booked])
    assert {entry.caller for entry, _ in locked.booked} == {"master"}


header_value = st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n\0"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"x-api-key", b"x-goog-api-key", b"origin", b"x"]),
            header_value,
        ),
        max_size=4,
    ),
    st.binary(max_size=40),
)
def test_no_bytes_open_the_door_or_break_it(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    with pytest.raises(Unauthorized):
        Door(KEY).admit(headers, query)
    try:
        assert Door(None).admit(headers, query).caller == "anonymous"
    except Forbidden:
        assert b"origin" in dict(headers)


def test_what_opened_is_not_passed_on_and_the_rest_is() -> None:
    admitted = Door(KEY).admit(
        [(b"authorization", b"Bearer sk-ant-own"), (b"x-api-key", KEY.encode())],
        f"key={KEY}&key=AIza-own".encode(),
    )

    assert [(credential.header, credential.key) for credential in admitted.credentials] == [
        (b"authorization", "sk-ant-own"),
        (b"?key", "AIza-own"),
    ]
