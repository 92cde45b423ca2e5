"""Whoever runs a gateway: writes its file, and calls its admin endpoints."""

import http.client
import json
from typing import Any, NamedTuple, Self

from gateways import Gateway
from waiting import PATIENCE_S

ADMIN = "admin-key-for-the-tests"


class Told(NamedTuple):
    status: int
    body: Any


class Operator:
    """One kept connection to one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._connection = http.client.HTTPConnection(*gateway.address, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def write(self, yaml: str) -> None:
        self.gateway.file.write_text(yaml)

    def ask(self, method: str, path: str, body: object = None, *, key: str | None = ADMIN) -> Told:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        return Told(response.status, json.loads(response.read()))

    def reload(self, yaml: str | None = None) -> Told:
        if yaml is not None:
            self.write(yaml)
        return self.ask("POST", "/admin/reload")

    def models(self) -> set[str]:
        """The names on the list, less those of profiles."""
        listed = self.ask("GET", "/v1/models").body["data"]
        return {model["id"] for model in listed if model["owned_by"] != "pointsman"}

    def chat(self, model: str, **more: Any) -> Told:
        messages = [{"role": "user", "content": "Hello"}]
        return self.ask("POST", "/v1/chat/completions", {"model": model, "messages": messages, **more})
