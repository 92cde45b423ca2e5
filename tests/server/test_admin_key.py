"""Who may change the gateway: the admin key and nothing else. The endpoints here are a test's own; the door and the
entrance are the real ones."""

import asyncio
import json

import pytest
from callers import KEY
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from pointsman.core.errors import Forbidden, Unauthorized
from pointsman.core.ports import Limits
from pointsman.gateway.slots import Slots
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.server.auth import Door
from pointsman.server.entrance import Entrance

ADMIN = "admin-key-for-the-tests"
BOTH = Door(KEY, frozenset({"https://chat.example.org"}), ADMIN)


async def tell_caller(request: Request) -> Response:
    return JSONResponse({"caller": request.scope["caller"]})


def ask(
    door: Door, path: str, headers: list[tuple[bytes, bytes]] | None = None, query: bytes = b""
) -> tuple[int, dict[str, object]]:
    """Status and body of a POST."""
    app = Starlette(
        routes=[
            Route("/call", tell_caller, methods=["POST"]),
            ReadingRoute("/look", tell_caller, methods=["POST"]),
            ChangingRoute("/change/{name:path}", tell_caller, methods=["POST"]),
        ]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers or [],
        "root_path": "",
    }
    asyncio.run(Entrance(app, door, Slots("the gateway", Limits(8, 8, 1.0)), {}, ())(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


def key(value: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {value}".encode())]


@pytest.mark.parametrize(
    ("path", "held", "status", "caller"),
    [
        ("/call", KEY, 200, "master"),
        ("/call", ADMIN, 401, None),
        ("/call", "wrong", 401, None),
        ("/look", KEY, 200, "master"),
        ("/look", ADMIN, 200, "admin"),
        ("/look", "wrong", 401, None),
        ("/change/it", KEY, 403, None),
        ("/change/it", ADMIN, 200, "admin"),
        ("/change/it", "wrong", 401, None),
        ("/nothing", KEY, 404, None),
        ("/nothing", ADMIN, 404, None),
        ("/nothing", "wrong", 401, None),
    ],
)
def test_each_key_opens_what_is_its_own(path: str, held: str, status: int, caller: str | None) -> None:
    answered, body = ask(BOTH, path, key(held))

    assert answered == status
    assert body.get("caller") == caller


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", f"Bearer {ADMIN}".encode())],
        [(b"authorization", ADMIN.encode())],
        [(b"x-api-key", ADMIN.encode())],
        [(b"x-goog-api-key", ADMIN.encode())],
        [(b"api-key", ADMIN.encode())],
        [(b"authorization", f"Bearer {KEY}".encode()), (b"x-api-key", ADMIN.encode())],
    ],
)
def test_admin_key_opens_wherever_it_stands(headers: list[tuple[bytes, bytes]]) -> None:
    assert ask(BOTH, "/change/it", headers)[0] == 200


def test_admin_key_opens_in_the_query() -> None:
    assert ask(BOTH, "/change/it", query=f"key={ADMIN}".encode())[0] == 200


def test_path_spelt_otherwise_is_guarded_all_the_same() -> None:
    for path in ("/change/it/", "//change//it", "/change/openai/gpt-4o"):
        assert ask(BOTH, path, key(KEY))[0] == 403


@pytest.mark.parametrize("headers", [[], key("wrong"), [(b"origin", b"https://chat.example.org")]])
def test_without_an_admin_key_nothing_can_be_changed_and_the_answer_says_how_to_set_one(
    headers: list[tuple[bytes, bytes]],
) -> None:
    status, body = ask(Door(None, frozenset({"https://chat.example.org"})), "/change/it", headers)

    assert status == 403
    assert "POINTSMAN_ADMIN_KEY" in str(body["error"])


def test_stranger_is_not_told_whether_there_is_an_admin_key() -> None:
    status, body = ask(Door(KEY), "/change/it", key("wrong"))

    assert status == 401
    assert "admin" not in str(body["error"])


def test_refusals_hold_no_key() -> None:
    for held in (KEY, "wrong-and-secret", ADMIN):
        assert held not in str(ask(Door(KEY, admin_key="another"), "/change/it", key(held))[1])
    assert ADMIN not in repr(BOTH)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"x-api-key", b"origin", b"x"]),
            st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n\0")),
        ),
        max_size=4,
    ),
    st.binary(max_size=40),
)
def test_no_bytes_open_what_changes_things(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    for door in (BOTH, Door(None), Door(KEY), Door(None, admin_key=ADMIN)):
        with pytest.raises((Unauthorized, Forbidden)):
            door.admit_admin(headers, query)
