"""A caller that sees every byte: raw HTTP over one kept connection. And how to wait for what is booked."""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from gateways import Gateway
from pointsman.ledger.entry import Attempt, Entry
from waiting import PATIENCE_S, wait_until

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
GatewayFactory = Callable[..., Gateway]
"""What the fixture `gateway` is: settings as YAML in, and the environment as keywords."""


@dataclass
class Answered:
    """`headers` in lower case; a repeated one keeps its last value."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: http.client.HTTPResponse, body: bytes) -> Self:
        return cls(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One client of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = http.client.HTTPConnection(*gateway.address, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = {}) -> Answered:
        self.send(path, body, headers)
        return self._answered()

    def response(self) -> http.client.HTTPResponse:
        """Its head has come."""
        return self._connection.getresponse()

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answered:
        self._connection.request("GET", path, headers=dict(headers))
        return self._answered()

    def send(self, path: str, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = {}) -> None:
        """Asks, and waits for no answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request("POST", path, data, {"content-type": "application/json", **headers})

    def _answered(self) -> Answered:
        response = self.response()
        return Answered.of(response, response.read())


def booked(gateway: Gateway, count: int = 1) -> tuple[Entry, tuple[Attempt, ...]]:
    """The rows of request number `count`: it is booked behind its answer, so they may still be on their way."""
    wait_until(lambda: len(gateway.booked) >= count)
    assert len(gateway.booked) == count, "something was booked twice"
    return gateway.booked[count - 1]


def settle(gateway: Gateway) -> None:
    """Returns when nothing is under way, and so everything before is booked."""
    wait_until(lambda: gateway.tasks_under_way() == 0)
