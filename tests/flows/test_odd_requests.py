"""What callers send that no client of theirs would: refused in words their SDK reads, never a fault of the gateway."""

import json
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Caller, GatewayFactory

YAML = """
providers:
  demo: {}
models:
  demo-simple: {provider: demo}
"""
GEMINI = "/v1beta/models/demo-simple:generateContent"
HI = [{"role": "user", "content": "Hi"}]
BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"model": "demo-simple", "messages": HI},
    MESSAGES: {"model": "demo-simple", "max_tokens": 9, "messages": HI},
    "/v1/responses": {"model": "demo-simple", "input": "Hi"},
    GEMINI: {"contents": [{"parts": [{"text": "Hi"}]}]},
}
NUMBERS = (b"1e999", b"-1e999", b"9" * 5000)
"""JSON, but neither a float nor an integer of a usual size."""


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("path", BODIES)
def test_a_number_that_nothing_can_hold_is_refused(gateway: GatewayFactory, path: str, number: bytes) -> None:
    body = json.dumps(BODIES[path]).encode()[:-1] + b',"surprise":' + number + b"}"
    with Caller(gateway(YAML)) as caller:
        assert caller.post(path, body).status == 400
