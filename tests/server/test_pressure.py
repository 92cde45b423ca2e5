"""A client that reads slowly holds back its provider, not the memory of the gateway; and gets every byte in the end."""

import hashlib
import json
import time

import pytest
from callers import StartBehind
from raw_http import CHAT, MESSAGES, Client, chat_body, post

from pointsman.testing import FakeUpstream, scripted
from waiting import wait_until

PIECE = (
    b"data: "
    + json.dumps(
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "x" * 64_000}, "finish_reason": None}]}
    ).encode()
    + b"\n\n"
)
END = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
PIECES = 800
MB = 1024 * 1024

ON_THE_WAY = 16 * MB
"""What the kernel keeps in four socket buffers, and ours between them."""


def is_held(upstream: FakeUpstream, number: int) -> bool:
    """True once the provider has begun to answer and cannot go on."""
    if len(upstream.requests) <= number or not upstream.requests[number].sent_bytes:
        return False
    before = upstream.requests[number].sent_bytes
    time.sleep(0.2)
    return upstream.requests[number].sent_bytes == before


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_provider_is_held_back_by_a_client_that_does_not_read(
    upstream: FakeUpstream, behind: StartBehind, path: str
) -> None:
    upstream.answer(sse=[*[PIECE] * PIECES, END])
    with Client(behind(), receive_buffer=65536) as client:
        client.send(post(path, chat_body(stream=True)))
        wait_until(lambda: is_held(upstream, 0))
        assert upstream.requests[0].sent_bytes < ON_THE_WAY

        body = client.reply().body

    wait_until(lambda: upstream.requests[0].sent_bytes > len(PIECE) * PIECES)
    if path == CHAT:
        sent = hashlib.sha256(PIECE * PIECES + END)
        assert hashlib.sha256(body).digest() == sent.digest()
    else:
        assert body.count(b"x" * 64_000) == PIECES
        assert body.endswith(b'data: {"type":"message_stop"}\n\n')


def test_client_that_pipelines_without_end_is_held_back(upstream: FakeUpstream, behind: StartBehind) -> None:
    quick = scripted(json={"id": "1", "choices": []})
    upstream.answer_with(
        lambda request: quick if len(upstream.requests) <= 100 else scripted(body=b"{}", delay_s=60)
    )
    requests = post(CHAT, chat_body()) * 200
    sent = 0
    with Client(behind(grace_s=0.1), timeout_s=1) as client:
        is_held = False
        while not is_held and sent < 4 * ON_THE_WAY:
            try:
                sent += client.socket.send(requests[sent % len(requests) :])
            except TimeoutError:
                is_held = (
                    len(upstream.requests) > 100
                )  # else it has not come to the one that is never answered

    assert sent < ON_THE_WAY


def test_answer_behind_one_that_is_not_read_is_held_back_from_its_beginning(
    upstream: FakeUpstream, behind: StartBehind
) -> None:
    message = {"role": "assistant", "content": "y" * (24 * MB)}
    upstream.answer(json={"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    upstream.answer(sse=[*[PIECE] * PIECES, END])
    with Client(behind(), receive_buffer=65536) as client:
        client.send(post(CHAT, chat_body()) + post(CHAT, chat_body(stream=True)))
        wait_until(lambda: is_held(upstream, 1))
        assert upstream.requests[1].sent_bytes < ON_THE_WAY

        assert len(client.reply().body) > 24 * MB
        assert client.reply().body == PIECE * PIECES + END
