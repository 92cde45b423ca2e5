"""A vendor with the chat API, as strict as OpenAI with the thoughts of DeepSeek: shown in `reasoning_content`, unsealed,
and wanted back within a tool loop."""

import json
from collections.abc import Iterator
from typing import Any

from clients.vendors.script import Answer, Asked, Brain, Call, RefusedError, Say, Think, Turn
from clients.vendors.vendor import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Vendor,
    bearer,
    failed,
    image_of,
    only,
    pieces,
    posted,
    require,
    sse,
)
from pointsman.testing import Received, Scripted, scripted

FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls",
        "response_format", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed",
        "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "n", "user",
        "reasoning_effort", "metadata", "store", "service_tier", "prompt_cache_key", "safety_identifier",
        "verbosity",
    }
)  # fmt: skip
USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
}


class ChatVendor(Vendor):
    """`foreign` are the thoughts of others that it was given: it takes them, but a gateway that knows whose they are
    keeps them."""

    dialect = "openai-chat"
    model = "deepseek-reasoner"
    base_path = "/chat/v1"

    def __init__(self, brain: Brain) -> None:
        super().__init__(brain)
        self.foreign: list[str] = []
        self._thought_before: dict[str, str] = {}  # by the id of the call

    def forget(self) -> None:
        super().forget()
        self.foreign = []

    def check_head(self, request: Received) -> None:
        posted(request, f"{self.base_path}/chat/completions")
        bearer(request, self.key)

    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        only(body, "body", FIELDS, ("model", "messages"))
        require(body["model"] == self.model, f"no such model: {body['model']}")
        require("stream_options" not in body or body.get("stream") is True, "stream_options without stream")
        tools = {}
        for tool in body.get("tools", ()):
            only(tool, "tools", {"type", "function"}, ("type", "function"))
            function = tool["function"]
            only(function, "tools.function", {"name", "description", "parameters", "strict"}, ("name",))
            tools[function["name"]] = function.get("parameters")
        require("tools" not in body or bool(tools), "tools: [] is too short")
        return Asked(
            body["model"],
            body.get("stream") is True,
            self._turns(body["messages"]),
            tools,
            forced=_forced(body.get("tool_choice"), tools),
            schema=_schema(body.get("response_format")),
            thinks="reasoning_effort" in body,
            seals=[each["reasoning_content"] for each in body["messages"] if each.get("reasoning_content")],
            raw=body,
        )

    def _turns(self, messages: list[dict[str, Any]]) -> list[Turn]:
        require(bool(messages), "messages: [] is too short")
        turns: list[Turn] = []
        calls: list[str] = []
        results: dict[str, str] = {}
        last_user = max((at for at, each in enumerate(messages) if each["role"] == "user"), default=-1)
        for at, message in enumerate(messages):
            where = f"messages.{at}"
            if message["role"] == "tool":
                only(message, where, {"role", "tool_call_id", "content"}, ("tool_call_id", "content"))
                id_ = message["tool_call_id"]
                require(id_ in calls and id_ not in results, f"{where}: answers no call before it")
                results[id_] = _text(message["content"], where)
                if len(results) == len(calls):
                    turns.append(Turn("tool", results=[results[call] for call in calls]))
                    calls, results = [], {}
                continue
            require(not calls, f"{where}: tool calls without results: {set(calls) - set(results)}")
            turns.append(self._turn(message, where, in_loop=at > last_user))
            calls = [call["id"] for call in message.get("tool_calls", ())]
        require(not calls, f"tool calls without results: {set(calls) - set(results)}")
        return turns

    def _turn(self, message: dict[str, Any], where: str, *, in_loop: bool) -> Turn:
        role = message["role"]
        if role in {"system", "user"}:
            only(message, where, {"role", "content", "name"}, ("content",))
            turn = Turn(role, _text(message["content"], where))
            if isinstance(message["content"], list):
                turn.images = [
                    image_of(part["image_url"]["url"])
                    for part in message["content"]
                    if part["type"] == "image_url"
                ]
            return turn
        require(role == "assistant", f"{where}: the role {role} is not known here")
        only(message, where, {"role", "content", "tool_calls", "reasoning_content", "refusal"})
        calls = message.get("tool_calls", ())
        require(bool(calls) or bool(message.get("content")), f"{where}: an assistant that says nothing")
        turn = Turn(role, _text(message.get("content") or "", where))
        for call in calls:
            only(call, f"{where}.tool_calls", {"id", "type", "function"}, ("id", "type", "function"))
            only(call["function"], where, {"name", "arguments"}, ("name", "arguments"))
            require(len(call["id"]) <= 40, f"{where}: the id {call['id']} is too long")
            turn.calls.append(Call(call["function"]["name"], json.loads(call["function"]["arguments"])))
        self._check_thought(message, calls, where, in_loop=in_loop)
        return turn

    def _check_thought(self, message: dict[str, Any], calls: Any, where: str, *, in_loop: bool) -> None:
        thought = message.get("reasoning_content")
        if thought and thought not in self.given:
            self.foreign.append(thought)
        ours = {self._thought_before[call["id"]] for call in calls if call["id"] in self._thought_before}
        if in_loop and ours:
            require(thought in ours, f"{where}: Missing `reasoning_content` of the thinking before the call")

    # replies

    def reply(self, asked: Asked, answer: Answer) -> Scripted:
        assert isinstance(answer, list)
        message: dict[str, Any] = {"role": "assistant", "content": None}
        for part in answer:
            match part:
                case Think(text):
                    message["reasoning_content"] = text
                    self.given[text] = "thought"
                case Say(text):
                    message["content"] = text
                case Call(name, arguments):
                    calls = message.setdefault("tool_calls", [])
                    function = {"name": name, "arguments": json.dumps(arguments)}
                    calls.append(
                        {"id": self.new_id("call_", len(calls)), "type": "function", "function": function}
                    )
                    if "reasoning_content" in message:
                        self._thought_before[calls[-1]["id"]] = message["reasoning_content"]
        finish = "tool_calls" if "tool_calls" in message else "stop"
        head = {"id": self.new_id("chatcmpl-"), "created": 1_790_000_000, "model": self.model}
        if asked.is_stream:
            wants_usage = asked.raw.get("stream_options", {}).get("include_usage") is True
            return scripted(sse=list(_chunks(head, message, finish, wants_usage=wants_usage)))
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return scripted(json={**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        kind = "invalid_request_error" if status < 500 else "server_error"
        return failed(status, {"error": {"message": message, "type": kind, "param": None, "code": None}})


def _chunks(
    head: dict[str, Any], message: dict[str, Any], finish: str, *, wants_usage: bool
) -> Iterator[bytes]:
    head = {**head, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(message.get("reasoning_content") or ""):
        yield chunk({"reasoning_content": piece})
    for piece in pieces(message["content"] or ""):
        yield chunk({"content": piece})
    for index, call in enumerate(message.get("tool_calls", ())):
        started = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        yield chunk({"tool_calls": [started]})
        for piece in pieces(call["function"]["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, finish)
    if wants_usage:
        yield sse({**head, "choices": [], "usage": USAGE})
    yield b"data: [DONE]\n\n"


def _text(content: Any, where: str) -> str:
    if isinstance(content, str):
        return content
    require(bool(content), f"{where}.content: empty")
    texts = []
    for part in content:
        match part["type"]:
            case "text":
                only(part, where, {"type", "text"}, ("text",))
                texts.append(part["text"])
            case "image_url":
                only(part, where, {"type", "image_url"})
                only(part["image_url"], where, {"url", "detail"}, ("url",))
            case kind:
                raise RefusedError(f"{where}: unknown part {kind}")
    return "\n".join(texts)


def _forced(choice: Any, tools: dict[str, Any]) -> str | None:
    if choice is None or choice in {"auto", "none"} if isinstance(choice, str | None) else False:
        return None
    require(bool(tools), "tool_choice without tools")
    if choice == "required":
        return "*"
    only(choice, "tool_choice", {"type", "function"}, ("type", "function"))
    name: str = choice["function"]["name"]
    require(name in tools, f"tool_choice: {name} is not a tool")
    return name


def _schema(wanted: Any) -> Any:
    if wanted is None or wanted["type"] != "json_schema":
        return None
    only(
        wanted["json_schema"],
        "response_format",
        {"name", "schema", "strict", "description"},
        ("name", "schema"),
    )
    return wanted["json_schema"]["schema"]
