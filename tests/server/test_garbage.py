"""A request must not refer to itself: what only the garbage collector can free is paid for by every request."""

import asyncio
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from pointsman.app import Lasting, build
from pointsman.config.load import load
from pointsman.core.ports import Outgoing
from pointsman.ledger.entry import Attempt, Entry
from pointsman.server.asgi import INFERENCE_PATHS
from pointsman.server.inference import InferenceEndpoint
from pointsman.server.protocol import GatewayProtocol, Service, protocol_factory
from pointsman.wire.sse import frame

YAML = """
providers:
  local: {dialect: openai-chat, base_url: "http://127.0.0.1:9/v1"}
models:
  tiny: {provider: local, tier: simple}
"""
REQUESTS = 20


class Wire:
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        self.written = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...


class Reply:
    """A provider's answer that is there at once."""

    status = 200
    headers = ((b"content-type", b"application/json"),)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def first(self) -> bytes:
        return self._body

    async def read(self, limit_bytes: int) -> bytes:
        return self._body

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        deliver(self._body)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...


WHOLE = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "model": "tiny",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
CHUNK = {"id": "1", "object": "chat.completion.chunk", "model": "tiny"}
STREAM = (
    frame(
        json.dumps(
            {**CHUNK, "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
        ).encode()
    )
    + frame(json.dumps({**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode())
    + frame(b"[DONE]")
)


async def send(outgoing: Outgoing) -> Reply:
    return Reply(STREAM if b'"stream":true' in outgoing.body else WHOLE)


def forget(entry: Entry, attempts: tuple[Attempt, ...]) -> None:
    """No ledger."""


def connection(folder: Path) -> tuple[GatewayProtocol, Wire]:
    (folder / "pointsman.yaml").write_text(YAML)
    settings = load(folder / "pointsman.yaml", {"POINTSMAN_STATE_DIR": str(folder)}, {}).settings
    runtime = build(settings, Lasting(send, forget), now_s=0.0)
    limit = settings.server.max_body_bytes
    endpoints = {
        path: InferenceEndpoint(dialect, runtime.door, runtime.slots, runtime.pipeline, limit)
        for path, dialect in INFERENCE_PATHS.items()
    }

    service = Service(endpoints, limit)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nothing here is for the application")

    config = uvicorn.Config(app, http=protocol_factory(service), lifespan="off", log_config=None)
    config.load()
    wire = Wire()
    protocol = protocol_factory(service)(
        config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop()
    )
    protocol.connection_made(wire)
    return protocol, wire


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("model", ["tiny", "auto"])
@pytest.mark.parametrize("stream", [False, True])
async def test_requests_leave_nothing_for_the_garbage_collector(
    tmp_path: Path, path: str, model: str, *, stream: bool
) -> None:
    protocol, wire = connection(tmp_path)
    asked = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    body = json.dumps(asked | {"stream": stream}, separators=(",", ":")).encode()
    request = b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (path.encode(), len(body), body)

    async def ask(times: int) -> None:
        for _ in range(times):
            protocol.data_received(request)
            while not protocol.cycle.response_complete:  # noqa: ASYNC110 - the protocol has no event for it
                await asyncio.sleep(0)
            await asyncio.sleep(0)

    await ask(2)
    gc.collect()
    gc.disable()
    try:
        await ask(REQUESTS)
        found = gc.collect()
    finally:
        gc.enable()
        protocol.connection_lost(None)

    assert wire.written.count(b"HTTP/1.1 200") == REQUESTS + 2
    assert found < REQUESTS
