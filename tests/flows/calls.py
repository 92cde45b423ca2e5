"""A caller that sees every byte: raw HTTP over one kept connection. And how to wait for what is booked."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from gateways import Gateway
from pointsman.ledger.entry import Attempt, Entry

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
GatewayFactory = Callable[..., Gateway]
"""What the fixture `gateway` is: settings as YAML in, and the environment as keywords."""

_PATIENCE_S = 10.0


@dataclass
class Answered:
    """`headers` in lower case; a repeated one keeps its last value."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One client of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = http.client.HTTPConnection(*gateway.address, timeout=_PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = {}) -> Answered:
        self.send(path, body, headers)
        return self._answered()

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answered:
        self._connection.request("GET", path, headers=dict(headers))
        return self._answered()

    def send(self, path: str, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = {}) -> None:
        """Asks, and waits for no answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request("POST", path, data, {"content-type": "application/json", **headers})

    def _answered(self) -> Answered:
        response = self._connection.getresponse()
        return Answered(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )


def booked(gateway: Gateway, count: int = 1) -> tuple[Entry, tuple[Attempt, ...]]:
    """The rows of request number `count`: it is booked behind its answer, so they may still be on their way."""
    until = time.monotonic() + _PATIENCE_S
    while len(gateway.booked) < count:
        assert time.monotonic() < until, f"only {len(gateway.booked)} requests were booked, not {count}"
        time.sleep(0.001)
    assert len(gateway.booked) == count, "something was booked twice"
    return gateway.booked[count - 1]


def settle(gateway: Gateway) -> None:
    """Returns when nothing is under way, and so everything before is booked."""
    until = time.monotonic() + _PATIENCE_S
    while gateway.tasks_under_way() > 0:
        assert time.monotonic() < until, "something does not end"
        time.sleep(0.001)
