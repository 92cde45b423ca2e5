"""The embedded demo provider: simulated models, answered inside the process, so that everything can be tried
without an account. It speaks OpenAI chat, always says that it is simulated, and the same request always gets
the same answer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import HeaderList, Outgoing
from pointsman.wire.sse import frame

PIECE_PAUSE_S = 0.01
"""Between two words of a stream: slow enough to be seen, fast enough not to be waited for."""

_CHAT = "/chat/completions"
_JSON = [(b"content-type", b"application/json")]
_SSE = [(b"content-type", b"text/event-stream")]


async def send_demo(outgoing: Outgoing) -> "DemoReply":
    """A `Send` that answers by itself."""
    if not outgoing.url.partition("?")[0].endswith(_CHAT):
        return _refusal("the simulated models only chat")
    try:
        body = msgspec.json.decode(outgoing.body, type=dict[str, Any])
        reply = _Reply(body)
        return DemoReply(reply.pieces() if body.get("stream") is True else [reply.whole()], body)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        return _refusal(f"the simulated model cannot read this request ({type(error).__name__})")


def _refusal(message: str) -> "DemoReply":
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return DemoReply([json.dumps({"error": error}).encode()], {}, status=400)


class DemoReply:
    """An `Incoming` whose bytes are known from the start."""

    def __init__(self, pieces: list[bytes], body: Mapping[str, Any], status: int = 200) -> None:
        self.status = status
        self.headers: HeaderList = _SSE if body.get("stream") is True and status == 200 else _JSON
        self._pieces = pieces
        self._taken = 0
        self._is_aborted = False
        self.expects_content = False
        self._error: UpstreamError | None = None
        self._may_run = asyncio.Event()
        self._may_run.set()

    async def first(self) -> bytes:
        self._taken = 1
        return self._pieces[0]

    async def read(self, limit_bytes: int) -> bytes:
        data = b"".join(self._pieces)
        if len(data) > limit_bytes:
            raise UpstreamError(UpstreamFault.BAD_REPLY, f"the answer is over {limit_bytes} bytes")
        return data

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        for piece in self._pieces[self._taken :]:
            await self._may_run.wait()
            if self._error is not None:
                raise self._error
            if self._is_aborted:
                return
            deliver(piece)
            await asyncio.sleep(PIECE_PAUSE_S)

    def pause(self) -> None:
        self._may_run.clear()

    def resume(self) -> None:
        self._may_run.set()

    def fail(self, error: UpstreamError) -> None:
        self._error = error
        self._may_run.set()

    def abort(self) -> None:
        self._is_aborted = True
        self._may_run.set()


class _Reply:
    """What a simulated model says to one request."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.model = str(body["model"])
        self.messages: list[Mapping[str, Any]] = body["messages"]
        self.body = body
        digest = crc32(json.dumps([self.model, self.messages], sort_keys=True).encode())
        self.id = f"chatcmpl-demo{digest:08x}"
        self.tool = _forced_tool(body)
        self.text = "" if self.tool else self._text()

    def _text(self) -> str:
        form = self.body.get("response_format") or {}
        if form.get("type") == "json_schema":
            return json.dumps(_example(form["json_schema"].get("schema") or {}))
        if form.get("type") == "json_object":
            return json.dumps({"simulated": True, "model": self.model})
        last = self.messages[-1]
        words = len(_text_of(last).split())
        said = "a tool result" if last.get("role") == "tool" else f"{words} word{'' if words == 1 else 's'}"
        return (
            f"This is a simulated answer by {self.model}: no real model was asked. Your last message held {said},"
            f" and the conversation has {len(self.messages)} message{'' if len(self.messages) == 1 else 's'}."
            " Add a provider key to get real answers."
        )

    def usage(self) -> dict[str, int]:
        read = sum(len(_text_of(message)) for message in self.messages) // 4 + 3 * len(self.messages)
        written = max(len(self.text or json.dumps(self.tool)) // 4, 1)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    def whole(self) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None, "refusal": None}
        if self.tool:
            message["tool_calls"] = [self._call()]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish()}
        return self._json("chat.completion", [choice], usage=self.usage())

    def pieces(self) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if self.text else None}]
        if self.tool:
            deltas.append({"tool_calls": [{"index": 0, **self._call()}]})
        else:
            deltas += [{"content": word} for word in _words(self.text)]
        frames = [self._chunk(delta, None) for delta in deltas]
        if (self.body.get("stream_options") or {}).get("include_usage"):
            frames.append(self._chunk({}, self._finish()))
            frames.append(frame(self._json("chat.completion.chunk", [], usage=self.usage())))
        else:
            # Unasked, as several providers do it: then the books of a first try show tokens.
            frames.append(self._chunk({}, self._finish(), self.usage()))
        frames.append(frame(b"[DONE]"))
        return frames

    def _call(self) -> dict[str, Any]:
        assert self.tool is not None
        arguments = json.dumps(_example(self.tool.get("parameters") or {}))
        return {
            "id": f"call_demo{crc32(self.id.encode()):08x}",
            "type": "function",
            "function": {"name": self.tool["name"], "arguments": arguments},
        }

    def _finish(self) -> str:
        return "tool_calls" if self.tool else "stop"

    def _chunk(
        self, delta: Mapping[str, Any], finish_reason: str | None, usage: Mapping[str, int] | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return frame(self._json("chat.completion.chunk", [choice], usage))

    def _json(self, kind: str, choices: list[Any], usage: Mapping[str, int] | None = None) -> bytes:
        body = {"id": self.id, "object": kind, "created": 0, "model": self.model, "choices": choices}
        if usage is not None:
            body["usage"] = usage
        return json.dumps(body).encode()


def _forced_tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The function the caller insists on, until its result is there."""
    if body["messages"] and body["messages"][-1].get("role") == "tool":
        return None
    functions: list[Mapping[str, Any]] = [tool["function"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        wanted = choice["function"]["name"]
        return next((function for function in functions if function["name"] == wanted), None)
    return functions[0] if functions and choice == "required" else None


def _example(schema: Mapping[str, Any]) -> Any:
    """The smallest value that fits the common part of a JSON Schema."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for branch in ("anyOf", "oneOf", "allOf"):
        if schema.get(branch):
            return _example(schema[branch][0])
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties") or {}
            return {
                name: _example(properties[name])
                for name in schema.get("required") or properties
                if name in properties
            }
        case "array":
            return [_example(schema.get("items") or {})] if schema.get("minItems") else []
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "simulated"


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(" " + word for word in rest)]
