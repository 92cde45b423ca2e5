"""A vendor with the Messages API, as strict as Anthropic: blocks in order, results behind their calls, thoughts with
their own signatures and nobody else's."""

import json
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from clients.vendors.messages_rules import (
    BLOCK_FIELDS,
    check_begins_with_thought,
    check_thinking,
    forced_tool,
    image_of,
    joined_texts,
    result_of,
    tools_of,
    turns_of,
    wanted_schema,
)
from clients.vendors.script import Answer, Asked, Brain, Call, RefusedError, Say, Think, Turn
from clients.vendors.vendor import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Vendor,
    failed,
    only,
    pieces,
    posted,
    require,
    sse,
)
from pointsman.testing import Received, Scripted, scripted

FIELDS = frozenset(
    {
        "model", "messages", "max_tokens", "system", "stream", "tools", "tool_choice", "thinking", "output_config",
        "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier", "context_management",
        "thread",
    }
)  # fmt: skip
VERSIONS = {"2023-06-01", "2026-10-21"}
USAGE = {
    "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
    "cache_read_input_tokens": CACHED_TOKENS,
    "cache_creation_input_tokens": 0,
    "output_tokens": OUTPUT_TOKENS,
}


class MessagesVendor(Vendor):
    dialect = "anthropic-messages"
    model = "claude-sonnet-4-5"
    base_path = "/messages/v1"
    counts = MappingProxyType({f"{base_path}/messages/count_tokens": {"input_tokens": INPUT_TOKENS}})

    def __init__(self, brain: Brain) -> None:
        super().__init__(brain)
        self._threads: dict[
            str, dict[str, Any]
        ] = {}  # what the next request goes on from, by the id of the reply

    def check_head(self, request: Received) -> None:
        posted(request, f"{self.base_path}/messages")
        require(request.header("x-api-key") == self.key, "not the key of this vendor")
        require(request.header("authorization") is None, "a second credential")
        require(request.header("anthropic-version") in VERSIONS, "anthropic-version: header is required")

    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        only(body, "body", FIELDS, ("model", "messages", "max_tokens"))
        require(body["model"] == self.model, f"no such model: {body['model']}")
        require(
            "context_management" not in body
            or "context-management" in (request.header("anthropic-beta") or ""),
            "context_management: Extra inputs are not permitted",
        )
        if body.get("thread"):
            body = self._threaded(body, request.header("anthropic-beta") or "")
        tools = tools_of(body)
        forced = forced_tool(body.get("tool_choice"), tools)
        thinking = body.get("thinking", {"type": "disabled"})
        check_thinking(thinking, body, forced)
        turns, seals = self._turns(body["messages"])
        if thinking["type"] == "enabled":
            check_begins_with_thought(body["messages"])
        system = body.get("system")
        if system is not None:
            turns.insert(
                0, Turn("system", system if isinstance(system, str) else joined_texts(system, "system"))
            )
        return Asked(
            body["model"],
            body.get("stream") is True,
            turns,
            tools,
            forced,
            schema=wanted_schema(body.get("output_config", {})),
            thinks=thinking["type"] != "disabled",
            seals=seals,
            raw=body,
        )

    def _threaded(self, body: dict[str, Any], betas: str) -> dict[str, Any]:
        """The whole request, of which a thread's later turns send only what is new."""
        require("message-threads-" in betas, "thread: Extra inputs are not permitted")
        unsupported = [name for name in ("thinking", "context_management") if name in body]
        if unsupported:
            details = {"error_code": "thread_unsupported_request", "unsupported": unsupported}
            raise RefusedError(f"thread cannot be combined with {unsupported}", details)
        match body["thread"]:
            case {"type": "create"}:
                return body
            case {"type": "continue", "previous_message_id": id_} if id_ in self._threads:
                require(
                    not {"system", "tools"} & set(body), "thread: takes system and tools from its first turn"
                )
                before = self._threads[id_]
                return {**before, **body, "messages": [*before["messages"], *body["messages"]]}
            case thread:
                raise RefusedError(f"no usable thread: {thread}")

    def _turns(self, messages: list[dict[str, Any]]) -> tuple[list[Turn], list[str]]:
        require(bool(messages), "messages: at least one message is required")
        turns: list[Turn] = []
        seals: list[str] = []
        seen: set[str] = set()
        unanswered: list[str] = []
        for role, blocks, where in turns_of(messages):
            turn = Turn(role)
            if role == "user":
                answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
                ids = f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after"
                require(set(unanswered) <= set(answered), f"{ids}: {unanswered}")
                require(
                    sorted(answered) == sorted(unanswered), f"{where}: unexpected `tool_use_id`: {answered}"
                )
                kinds = [block["type"] for block in blocks[: len(answered)]]
                require(set(kinds) <= {"tool_result"}, f"{where}: tool results must come first")
            results: dict[str, str] = {}
            called, unanswered = unanswered, []
            for block in blocks:
                require(block["type"] in BLOCK_FIELDS, f"{where}: unknown block {block['type']}")
                only(block, where, BLOCK_FIELDS[block["type"]])
                match block["type"]:
                    case "text":
                        require(
                            bool(block["text"].strip()), f"{where}: text content blocks must be non-empty"
                        )
                        turn.text += block["text"] + "\n"
                    case "image":
                        turn.images.append(image_of(block["source"]))
                    case "thinking" | "redacted_thinking":
                        require(role == "assistant", f"{where}: a user does not think")
                        seal = block["signature"] if block["type"] == "thinking" else block["data"]
                        text = self.opened(seal, f"{where}: Invalid `signature` in `thinking` block")
                        require(text == block.get("thinking"), f"{where}: thinking blocks cannot be modified")
                        seals.append(seal)
                    case "tool_use":
                        require(role == "assistant", f"{where}: a user calls no tools")
                        require(re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]) is not None, f"{where}: bad id")
                        require(block["id"] not in seen, f"{where}: `tool_use` ids must be unique")
                        require(isinstance(block["input"], dict), f"{where}: input: not an object")
                        seen.add(block["id"])
                        unanswered.append(block["id"])
                        turn.calls.append(Call(block["name"], block["input"]))
                    case _:
                        text, images = result_of(block.get("content", ""), where)
                        results[block["tool_use_id"]] = text
                        turn.images += images
            turn.results = [results[call] for call in called]
            turns.append(turn)
        require(not unanswered, f"`tool_use` ids were found without `tool_result` blocks: {unanswered}")
        require(turns[-1].role == "user", "This model does not support assistant message prefill")
        return turns, seals

    # replies

    def reply(self, asked: Asked, answer: Answer) -> Scripted:
        assert isinstance(answer, list)
        content: list[dict[str, Any]] = []
        for part in answer:
            match part:
                case Think(text):
                    signature = self.seal(text, "EqQB")
                    content.append({"type": "thinking", "thinking": text, "signature": signature})
                case Say(text):
                    content.append({"type": "text", "text": text})
                case Call(name, arguments):
                    id_ = self.new_id("toolu_01", len(content))
                    content.append({"type": "tool_use", "id": id_, "name": name, "input": arguments})
        has_calls = any(block["type"] == "tool_use" for block in content)
        message = {
            "id": self.new_id("msg_01"), "type": "message", "role": "assistant", "model": self.model,
            "content": content, "stop_reason": "tool_use" if has_calls else "end_turn", "stop_sequence": None,
            "usage": USAGE,
        }  # fmt: skip
        if asked.raw.get("thread"):
            turn = {"role": "assistant", "content": content}
            self._threads[message["id"]] = {**asked.raw, "messages": [*asked.raw["messages"], turn]}
        return scripted(sse=list(_events(message))) if asked.is_stream else scripted(json=message)

    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        kind = {400: "invalid_request_error", 429: "rate_limit_error", 529: "overloaded_error"}
        error = {"type": kind.get(status, "api_error"), "message": message}
        error |= {} if details is None else {"details": details}
        return failed(status, {"type": "error", "error": error, "request_id": "req_1"})


def _events(message: dict[str, Any]) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, **fields}, kind)

    empty = {**message, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    yield event("message_start", message=empty)
    yield event("ping")
    for index, block in enumerate(message["content"]):
        deltas: list[dict[str, Any]] = []
        match block["type"]:
            case "thinking":
                started = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": each} for each in pieces(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case "text":
                started = {"type": "text", "text": ""}
                deltas = [{"type": "text_delta", "text": each} for each in pieces(block["text"])]
            case _:
                started = {**block, "input": {}}
                text = json.dumps(block["input"])
                parts = ["", *pieces(text)]
                deltas = [{"type": "input_json_delta", "partial_json": each} for each in parts]
        yield event("content_block_start", index=index, content_block=started)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=ending, usage={"output_tokens": OUTPUT_TOKENS})
    yield event("message_stop")
