"""The official JavaScript clients of OpenAI and Anthropic, each against providers of both dialects."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.testing import FakeUpstream, Received, Scripted, scripted

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("npm")]

KEY = "gateway-key-of-the-test"
TEXT = "The lamp is blue."
WORDS = ["The", " lamp", " is", " blue."]
CALLS = [("call1", "bird"), ("call2", "tree")]
CONFIG = """\
server:
  master_key: $GATEWAY_KEY
providers:
  chatty:
    dialect: openai-chat
    base_url: {url}/v1
    api_key: $UPSTREAM_KEY
  wordy:
    dialect: anthropic-messages
    base_url: {url}/v1
    api_key: $UPSTREAM_KEY
models:
  via-chat: {{provider: chatty, id: chat-1, tier: simple, abilities: [tools]}}
  via-messages: {{provider: wordy, id: messages-1, tier: complex, abilities: [tools]}}
"""

Run = Callable[..., dict[str, Any]]


# What the providers answer ---------------------------------------------------------------------------------


def provider(request: Received) -> Scripted:
    asked = request.json()
    wants_tools, streams = bool(asked.get("tools")), asked.get("stream") is True
    if request.path == "/v1/chat/completions":
        return (
            scripted(sse=list(chat_events(wants_tools)))
            if streams
            else scripted(json=chat_answer(wants_tools))
        )
    assert request.path == "/v1/messages", request.path
    if streams:
        return scripted(sse=list(messages_events(wants_tools)))
    return scripted(json=messages_answer(wants_tools))


CHAT_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
CHAT_CALLS = [
    {
        "id": call,
        "type": "function",
        "function": {"name": "lookup_word", "arguments": json.dumps({"key": key})},
    }
    for call, key in CALLS
]


def chat_answer(wants_tools: bool) -> dict[str, Any]:
    said = {"content": None, "tool_calls": CHAT_CALLS} if wants_tools else {"content": TEXT}
    choice = {"index": 0, "message": {"role": "assistant", **said}}
    choice["finish_reason"] = "tool_calls" if wants_tools else "stop"
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "chat-1",
        "choices": [choice], "usage": CHAT_USAGE,
    }  # fmt: skip


def chat_events(wants_tools: bool) -> Iterator[bytes]:
    def chunk(**fields: Any) -> bytes:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "chat-1"}
        return b"data: " + json.dumps(head | fields).encode() + b"\n\n"

    def delta(finish: str | None = None, **said: Any) -> bytes:
        return chunk(choices=[{"index": 0, "delta": said, "finish_reason": finish}])

    yield delta(role="assistant", content=None if wants_tools else "")
    if wants_tools:
        for index, call in enumerate(CHAT_CALLS):
            named = {"name": call["function"]["name"], "arguments": ""}
            yield delta(
                tool_calls=[{"index": index, "id": call["id"], "type": "function", "function": named}]
            )
            arguments = call["function"]["arguments"]
            for piece in (arguments[:5], arguments[5:]):
                yield delta(tool_calls=[{"index": index, "function": {"arguments": piece}}])
    else:
        yield from (delta(content=word) for word in WORDS)
    yield delta(finish="tool_calls" if wants_tools else "stop")
    yield chunk(choices=[], usage=CHAT_USAGE)
    yield b"data: [DONE]\n\n"


MESSAGES_USAGE = {"input_tokens": 11, "output_tokens": 7}
MESSAGES_CALLS = [
    {"type": "tool_use", "id": call, "name": "lookup_word", "input": {"key": key}} for call, key in CALLS
]


def messages_answer(wants_tools: bool) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "messages-1",
        "content": MESSAGES_CALLS if wants_tools else [{"type": "text", "text": TEXT}],
        "stop_reason": "tool_use" if wants_tools else "end_turn", "stop_sequence": None, "usage": MESSAGES_USAGE,
    }  # fmt: skip


def messages_events(wants_tools: bool) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    empty = {**messages_answer(wants_tools), "content": [], "stop_reason": None}
    yield event("message_start", message={**empty, "usage": {"input_tokens": 11, "output_tokens": 1}})
    blocks = MESSAGES_CALLS if wants_tools else [{"type": "text", "text": ""}]
    for index, block in enumerate(blocks):
        started = {**block, "input": {}} if wants_tools else block
        yield event("content_block_start", index=index, content_block=started)
        if wants_tools:
            arguments = json.dumps(block["input"])
            for piece in (arguments[:5], arguments[5:]):
                delta = {"type": "input_json_delta", "partial_json": piece}
                yield event("content_block_delta", index=index, delta=delta)
        else:
            for word in WORDS:
                yield event("content_block_delta", index=index, delta={"type": "text_delta", "text": word})
        yield event("content_block_stop", index=index)
    reason = "tool_use" if wants_tools else "end_turn"
    yield event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=MESSAGES_USAGE)
    yield event("message_stop")


# The clients and the server --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clients(
    root: Path,
    newcomer: Mapping[str, str],
    need: Callable[[bool, str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder with the locked clients installed beside the scripts that call them."""
    npm = shutil.which("npm")
    need(npm is not None and shutil.which("node") is not None, "node and npm")
    folder = tmp_path_factory.mktemp("npm") / "clients"
    shutil.copytree(root / "tests/npm", folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    ran = subprocess.run(command, cwd=folder, env=newcomer, capture_output=True, text=True, check=False)
    if ran.returncode != 0 and any(
        word in ran.stderr for word in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")
    ):
        need(False, "the npm registry")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture
def server(start_server: Callable[..., str], newcomer: Mapping[str, str], tmp_path: Path) -> Iterator[str]:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(provider)
        config = tmp_path / "pointsman.yaml"
        config.write_text(CONFIG.format(url=upstream.origin))
        command = [Path(sys.executable).with_name("pointsman"), "serve", "--config", config, "--port", "0"]
        yield start_server(command, env={**newcomer, "GATEWAY_KEY": KEY, "UPSTREAM_KEY": "sk-upstream"})


@pytest.fixture
def run(clients: Path, server: str, newcomer: Mapping[str, str]) -> Run:
    def run(client: str, case: str, model: str, *, key: str = KEY) -> dict[str, Any]:
        url = f"{server}/v1" if client == "openai" else server
        ran = subprocess.run(
            ["node", f"{client}.mjs", case, url, key, model],
            cwd=clients, env={**newcomer, "NODE_NO_WARNINGS": "1"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    return run


# The tests -------------------------------------------------------------------------------------------------

MODELS = pytest.mark.parametrize("model", ["via-chat", "via-messages"])


@MODELS
def test_openai_client_gets_text(run: Run, model: str) -> None:
    for case in ("chat", "chat-stream"):
        answer = run("openai", case, model)

        assert answer["text"] == TEXT
        assert answer["finish"] == "stop"
        assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (11, 7)


@MODELS
def test_openai_client_gets_parallel_tool_calls(run: Run, model: str) -> None:
    for case in ("chat-tools", "chat-tools-stream"):
        answer = run("openai", case, model)

        assert [(call["name"], call["arguments"]) for call in answer["calls"]] == expected_calls()
        assert answer["finish"] == "tool_calls"


@MODELS
def test_anthropic_client_gets_text(run: Run, model: str) -> None:
    for case in ("messages", "messages-stream"):
        answer = run("anthropic", case, model)

        assert answer["text"] == TEXT
        assert answer["finish"] == "end_turn"
        assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (11, 7)


@MODELS
def test_anthropic_client_gets_parallel_tool_calls(run: Run, model: str) -> None:
    for case in ("messages-tools", "messages-tools-stream"):
        answer = run("anthropic", case, model)

        assert [(call["name"], call["arguments"]) for call in answer["calls"]] == expected_calls()
        assert answer["finish"] == "tool_use"


def expected_calls() -> list[tuple[str, dict[str, str]]]:
    return [("lookup_word", {"key": key}) for _, key in CALLS]


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_clients_list_models_with_virtual_ones_first(run: Run, client: str) -> None:
    ids = run(client, "models", "-")["ids"]

    assert ids[0] == "auto"
    assert {"via-chat", "via-messages"} <= set(ids)


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_clients_raise_their_own_errors(run: Run, client: str) -> None:
    unknown = run(client, "error", "no-such-model")
    locked_out = run(client, "error", "via-chat", key="wrong")

    assert (unknown["class"], unknown["status"]) == ("NotFoundError", 404)
    assert (locked_out["class"], locked_out["status"]) == ("AuthenticationError", 401)
