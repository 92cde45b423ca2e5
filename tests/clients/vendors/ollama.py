"""A vendor with Ollama's own chat API, stricter than Ollama, which ignores what it does not know: its wrong fields would
never be noticed."""

import base64
import json
from typing import Any

from clients.vendors.script import Answer, Asked, Call, Say, Think, Turn
from clients.vendors.vendor import INPUT_TOKENS, OUTPUT_TOKENS, Vendor, failed, only, pieces, posted, require
from pointsman.testing import Received, Scripted, scripted

FIELDS = {"model", "messages", "tools", "format", "options", "stream", "think", "keep_alive"}
OPTIONS = {
    "num_predict", "num_ctx", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "repeat_penalty",
    "presence_penalty", "frequency_penalty",
}  # fmt: skip
MESSAGE_FIELDS = {
    "system": {"role", "content"},
    "user": {"role", "content", "images"},
    "assistant": {"role", "content", "thinking", "tool_calls"},
    "tool": {"role", "content", "tool_name", "tool_call_id", "images"},
}
_PNG = b"\x89PNG"


class OllamaVendor(Vendor):
    dialect = "ollama"
    model = "qwen3:8b"
    base_path = "/ollama"

    def check_head(self, request: Received) -> None:
        posted(request, f"{self.base_path}/api/chat")

    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        only(body, "body", FIELDS, ("model", "messages"))
        require(body["model"] == self.model, f"model '{body['model']}' not found")
        only(body.get("options", {}), "options", OPTIONS)
        require(
            body.get("think") in {None, True, False, "low", "medium", "high"}, f"think: {body.get('think')}"
        )
        tools = {}
        for tool in body.get("tools", ()):
            only(tool, "tools", {"type", "function"}, ("type", "function"))
            only(
                tool["function"],
                "tools.function",
                {"name", "description", "parameters"},
                ("name", "parameters"),
            )
            tools[tool["function"]["name"]] = tool["function"]["parameters"]
        wanted = body.get("format")
        require(wanted is None or wanted == "json" or isinstance(wanted, dict), f"format: {wanted}")
        said = _said_calls(wanted)
        return Asked(
            body["model"],
            body.get("stream", True),
            _turns(body["messages"]),
            said or tools,
            forced="*" if said else None,
            schema=wanted if isinstance(wanted, dict) and not said else None,
            thinks=bool(body.get("think")),
            raw=body,
        )

    def reply(self, asked: Asked, answer: Answer) -> Scripted:
        assert isinstance(answer, list)
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        for part in answer:
            match part:
                case Think(text):
                    message["thinking"] = text
                case Say(text):
                    message["content"] = text
                case Call(name, arguments) if asked.forced:
                    message["content"] = json.dumps({"name": name, "arguments": arguments})
                case Call(name, arguments):
                    calls = message.setdefault("tool_calls", [])
                    calls.append({"function": {"name": name, "arguments": arguments}})
        head = {"model": self.model, "created_at": f"2026-11-28T12:00:00.{self._replies:09}Z"}
        ending = {
            "done": True, "done_reason": "stop", "total_duration": 5_000_000, "load_duration": 1_000_000,
            "prompt_eval_count": INPUT_TOKENS, "prompt_eval_duration": 1_000_000, "eval_count": OUTPUT_TOKENS,
            "eval_duration": 3_000_000,
        }  # fmt: skip
        if not asked.is_stream:
            return scripted(json={**head, "message": message, **ending})
        said: list[dict[str, Any]] = [
            {"content": "", "thinking": piece} for piece in pieces(message.get("thinking", ""))
        ]
        said += [{"content": piece} for piece in pieces(message["content"])]
        said += [{"content": "", "tool_calls": [call]} for call in message.get("tool_calls", ())]
        lines = [{**head, "message": {"role": "assistant", **each}, "done": False} for each in said]
        lines.append({**head, "message": {"role": "assistant", "content": ""}, **ending})
        kind = [(b"content-type", b"application/x-ndjson")]
        whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return scripted(body=whole, headers=kind)

    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        return failed(status, {"error": message})


def _said_calls(wanted: Any) -> dict[str, Any]:
    """The tools of a format whose answer names one of them and says its arguments."""
    forms = [form["properties"] for form in wanted.get("anyOf", ())] if isinstance(wanted, dict) else []
    return {form["name"]["const"]: form["arguments"] for form in forms}


def _turns(messages: list[dict[str, Any]]) -> list[Turn]:
    require(bool(messages), "messages: empty")
    turns: list[Turn] = []
    expected: list[str] = []
    for at, message in enumerate(messages):
        where = f"messages[{at}]"
        role = message["role"]
        require(role in MESSAGE_FIELDS, f"{where}: the role {role} is not known here")
        only(message, where, MESSAGE_FIELDS[role])
        require(isinstance(message.get("content", ""), str), f"{where}.content: not a string")
        turn = Turn(
            role, message.get("content", ""), images=[_image(data) for data in message.get("images", ())]
        )
        if role == "tool":
            require(bool(expected), f"{where}: answers no call")
            require(message.get("tool_name") == expected.pop(0), f"{where}: not the name of its call")
            turn.text, turn.results = "", [message["content"]]
        else:
            require(not expected, f"{where}: calls without results: {expected}")
        for call in message.get("tool_calls", ()):
            only(call, f"{where}.tool_calls", {"function", "id", "type"}, ("function",))
            only(call["function"], where, {"name", "arguments", "index"}, ("name", "arguments"))
            require(isinstance(call["function"]["arguments"], dict), f"{where}: arguments: not an object")
            turn.calls.append(Call(call["function"]["name"], call["function"]["arguments"]))
            expected.append(call["function"]["name"])
        turns.append(turn)
    require(not expected, f"calls without results: {expected}")
    return turns


def _image(data: str) -> tuple[str, str]:
    require(base64.b64decode(data, validate=True).startswith(_PNG), "illegal base64 data")
    return "image/png", data
