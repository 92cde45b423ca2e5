"""Web pages: those that are listed may read every answer, those that are not get none."""

import pytest
from callers import KEY
from raw_http import CHAT, MESSAGES, ask, chat_body, head, post

from gateways import Gateway

LISTED = "origin: https://chat.example.org"
FOREIGN = "origin: https://evil.example"
OPEN = f"x-api-key: {KEY}"


@pytest.mark.parametrize(
    "origin", [FOREIGN, "origin: null", "origin: http://127.0.0.1:4000", "origin:", b"origin: \xff"]
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route", "/v1/models"])
def test_unlisted_page_may_not_call_a_gateway_without_a_key(
    demo: Gateway, path: str, origin: str | bytes
) -> None:
    reply = ask(demo, post(path, chat_body(), origin))

    assert reply.status == 403
    assert "access-control-allow-origin" not in reply.headers
    assert "cors_origins" in reply.error["message"]


def test_program_without_a_page_may_call(demo: Gateway) -> None:
    assert ask(demo, post(CHAT, chat_body())).status == 200


def test_unlisted_page_with_the_key_is_answered_but_may_not_read(locked: Gateway) -> None:
    reply = ask(locked, post(CHAT, chat_body(), OPEN, FOREIGN))

    assert reply.status == 200
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(CHAT, chat_body(), OPEN, LISTED), 200),
        (post(CHAT, chat_body(stream=True), OPEN, LISTED), 200),
        (post(MESSAGES, chat_body(stream=True), OPEN, LISTED), 200),
        (post(CHAT, b"{", OPEN, LISTED), 400),
        (post(CHAT, chat_body("gone"), OPEN, LISTED), 404),
        (post(CHAT, chat_body(), LISTED), 401),
        (post("/v1/models", b"", LISTED), 401),
        (head("GET", "/v1/models", OPEN, LISTED), 200),
        (head("GET", "/nothing", OPEN, LISTED), 404),
        (head("GET", CHAT, OPEN, LISTED), 405),
        (post("/v1/route", chat_body(), OPEN, LISTED), 200),
        (head("POST", CHAT, OPEN, LISTED, "content-length: 300000"), 413),
        (head("GET", "/health", LISTED), 200),
    ],
)
def test_listed_page_may_read_every_answer(locked: Gateway, request_: bytes, status: int) -> None:
    reply = ask(locked, request_)

    assert reply.status == status
    assert reply.headers["access-control-allow-origin"] == "https://chat.example.org"
    assert reply.headers["access-control-expose-headers"] == "*"
    assert reply.headers["vary"] == "origin"


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/models", "/v1/models/tiny", "/v1/route"])
def test_preflight_of_a_listed_page_allows_what_it_asks(locked: Gateway, path: str) -> None:
    asked = "authorization,content-type,x-stainless-os,anthropic-dangerous-direct-browser-access"
    reply = ask(
        locked,
        head(
            "OPTIONS",
            path,
            LISTED,
            "access-control-request-method: POST",
            f"access-control-request-headers: {asked}",
        ),
        to="OPTIONS",
    )

    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "https://chat.example.org"
    assert reply.headers["access-control-allow-headers"] == asked
    assert reply.headers["access-control-allow-methods"] == reply.headers["allow"]
    assert ("POST" in reply.headers["allow"]) is ("models" not in path)


def test_preflight_of_an_unlisted_page_allows_nothing(locked: Gateway) -> None:
    reply = ask(locked, head("OPTIONS", CHAT, FOREIGN, "access-control-request-method: POST"), to="OPTIONS")

    assert reply.status == 204
    assert not [name for name in reply.headers if name.startswith("access-control")]
