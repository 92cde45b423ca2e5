"""Which path means what: forgiving spelling, probes, preflights, other protocols, and errors in the caller's dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_http import CHAT, MESSAGES, Client, ask, chat_body, head, post

from gateways import Gateway
from pointsman.server.paths import normal_path

ALL_PATHS = [
    "/",
    "/v1",
    "/v1/",
    CHAT,
    MESSAGES,
    "/v1/models",
    "/v1/models/tiny",
    "/v1/route",
    "/health",
    "/nothing/here",
]


@pytest.mark.parametrize(
    "target",
    [
        "/v1/chat/completions",
        "/v1/chat/completions/",
        "/v1/v1/chat/completions",
        "/v1/v1/v1/chat/completions//",
        "/chat/completions",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions?api-version=2026-01-01",
        "/v1/chat/completions?",
        "/v1/%63hat/completions",
        "/v1/chat/completions#part",
        "http://gateway.example/v1/chat/completions",
        "http://gateway.example:80/v1/v1/chat/completions/?beta=true",
    ],
)
def test_chat_path_however_spelled_reaches_a_model(demo: Gateway, target: str) -> None:
    reply = ask(demo, post(target, chat_body()))

    assert (reply.status, reply.json()["object"]) == (200, "chat.completion")


@pytest.mark.parametrize(
    "target", ["/v1/messages", "/v1/messages?beta=true", "/v1/messages/?beta=true&x=%zz", "/v1/v1/messages"]
)
def test_messages_path_however_spelled_reaches_a_model(demo: Gateway, target: str) -> None:
    reply = ask(demo, post(target, chat_body()))

    assert (reply.status, reply.json()["type"]) == (200, "message")


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/messages", "/v1/messages"),
        ("/v1/chat/completion", "/v1/chat/completions"),
        ("/v1/health", "/health"),
        ("/v1/model", "/v1/models"),
        ("/V1/Chat/Completions", "/v1/chat/completions"),
    ],
)
def test_path_nearly_right_is_told_the_right_one(demo: Gateway, target: str, named: str) -> None:
    reply = ask(demo, post(target, chat_body()))

    assert reply.status == 404
    assert f"did you mean {named}?" in reply.error["message"]


def test_unknown_path_is_told_all_there_are(demo: Gateway) -> None:
    reply = ask(demo, post("/api/event_logging/batch", b"{}"))

    assert (reply.status, reply.headers["content-type"]) == (404, "application/json")
    assert all(path in reply.error["message"] for path in (CHAT, MESSAGES, "/v1/models", "/health"))


@pytest.mark.parametrize(
    "path", ["/v1beta/models/tiny", "/v1/projects/p/locations/l/publishers/google/models/tiny"]
)
def test_a_verb_that_no_model_has_is_not_found(demo: Gateway, path: str) -> None:
    reply = ask(demo, post(f"{path}:predict", b"{}"))

    assert (reply.status, reply.error["status"]) == (404, "NOT_FOUND")
    assert "predict" in reply.error["message"]
    assert "generateContent" in reply.error["message"]


def test_unknown_path_is_answered_in_the_dialect_of_the_caller(demo: Gateway) -> None:
    openai = ask(demo, head("GET", "/nothing"), to="GET")
    anthropic = ask(demo, head("GET", "/nothing", "anthropic-version: 2026-10-21"), to="GET")
    below = ask(demo, post("/v1/messages/batches", b"{}"))

    assert openai.error["type"] == "invalid_request_error"
    assert (anthropic.json()["type"], anthropic.error["type"]) == ("error", "not_found_error")
    assert below.error["type"] == "not_found_error"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_method_is_answered_in_the_dialect_of_the_path(demo: Gateway, method: str) -> None:
    chat = ask(demo, head(method, CHAT), to=method)
    messages = ask(demo, head(method, MESSAGES), to=method)

    assert (chat.status, chat.headers["allow"]) == (405, "OPTIONS, POST")
    assert chat.error["type"] == "invalid_request_error"
    assert (messages.status, messages.headers["allow"]) == (405, "OPTIONS, POST")
    assert messages.json()["type"] == "error"


def test_wrong_method_elsewhere_says_what_is_allowed(demo: Gateway) -> None:
    models = ask(demo, post("/v1/models", b"{}"))
    route = ask(demo, head("GET", "/v1/route"), to="GET")

    assert (models.status, models.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (route.status, route.headers["allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize(
    ("path", "status"),
    list(zip(ALL_PATHS, [200, 200, 200, 405, 405, 200, 200, 405, 200, 404], strict=True)),
)
def test_head_is_answered_everywhere_without_a_key(locked: Gateway, path: str, status: int) -> None:
    with Client(locked) as client:
        for _ in range(2):  # nothing of the first is left over for the second
            client.send(head("HEAD", path))
            reply = client.reply(to="HEAD")
            assert reply.status == status
            assert "content-length" not in reply.headers


@pytest.mark.parametrize("path", [*ALL_PATHS, "*"])
def test_options_is_answered_everywhere_without_a_key(locked: Gateway, path: str) -> None:
    reply = ask(locked, head("OPTIONS", path), to="OPTIONS")

    assert reply.status == 204
    assert "OPTIONS" in reply.headers["allow"]
    assert "access-control-allow-origin" not in reply.headers


def test_every_answer_has_an_id(demo: Gateway) -> None:
    replies = [
        ask(demo, post(CHAT, chat_body())),
        ask(demo, post(CHAT, b"{")),
        ask(demo, post("/v1/route", chat_body())),
        ask(demo, head("GET", "/v1/models"), to="GET"),
        ask(demo, head("GET", "/nothing"), to="GET"),
        ask(demo, head("HEAD", "/"), to="HEAD"),
    ]

    ids = {reply.headers["x-pointsman-request-id"] for reply in replies}
    assert len(ids) == len(replies)
    assert all(reply.headers["x-request-id"] == reply.headers["request-id"] for reply in replies)
    assert all("date" in reply.headers for reply in replies)


WEBSOCKET = (
    "connection: keep-alive, Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize("path", ["/v1/responses", CHAT])
def test_websocket_attempt_is_refused_at_once_and_the_connection_lives(demo: Gateway, path: str) -> None:
    with Client(demo) as client:
        client.send(head("GET", path, *WEBSOCKET))
        assert 400 <= client.reply().status < 500
        client.send(post(CHAT, chat_body()))
        assert client.reply().status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/route"])
def test_offer_of_http2_is_passed_over_and_the_body_is_read(demo: Gateway, path: str) -> None:
    """Java's own client offers HTTP/2 with every first request."""
    offer = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__")
    request = post(path, chat_body(), *offer)
    with Client(demo) as client:
        client.send(request * 2)
        assert [client.reply().status, client.reply().status] == [200, 200]
        for place in range(0, len(request), 7):
            client.send(request[place : place + 7])
        assert client.reply().status == 200


def test_offer_with_connection_close_is_closed(demo: Gateway) -> None:
    with Client(demo) as client:
        client.send(post(CHAT, chat_body(), "connection: close, upgrade", "upgrade: h2c"))
        assert client.reply().status == 200
        assert client.is_closed()


@pytest.mark.parametrize("target", ["example.org:443", CHAT])
def test_connect_is_refused_and_closed(demo: Gateway, target: str) -> None:
    with Client(demo) as client:
        client.send(head("CONNECT", target) + b"\x16\x03\x01")
        assert client.reply().status == 405
        assert client.is_closed()


@given(st.lists(st.sampled_from([b"/", b"v1", b"v1/", b"messages", b"x", b"%"])).map(b"".join))
def test_normal_path_of_a_normal_path_is_itself(path: bytes) -> None:
    normal = normal_path(b"/" + path)

    assert normal_path(normal) == normal
    assert normal.startswith(b"/")
    assert b"//" not in normal
    assert not normal.startswith(b"/v1/v1/")


@pytest.mark.parametrize("version", [b"/v1", b"/v1beta", b"/v1alpha"])
@pytest.mark.parametrize("base", [b"/v1", b"/v1beta", b"/v1alpha"])
def test_a_version_behind_that_of_the_base_url_is_the_one_that_counts(base: bytes, version: bytes) -> None:
    assert normal_path(base + version + b"/models") == version + b"/models"
