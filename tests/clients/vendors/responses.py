"""A vendor with the Responses API without a store, as strict as OpenAI: items of known types, an output for each call,
reasoning in front of what it led to and with its own encrypted content."""

import json
from collections.abc import Iterator
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from clients.vendors.script import Answer, Asked, Call, RefusedError, Say, Think, Turn
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
        "model", "input", "instructions", "stream", "tools", "tool_choice", "parallel_tool_calls", "text", "include",
        "reasoning", "store", "max_output_tokens", "metadata", "service_tier", "prompt_cache_key", "user",
        "safety_identifier", "truncation", "client_metadata", "stream_options",
    }
)  # fmt: skip
ITEM_FIELDS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
}
PART_FIELDS = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url", "detail", "file_id"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
}
INCLUDES = {"reasoning.encrypted_content", "message.output_text.logprobs"}
ID_PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs", "function_call_output": "fc"}
USAGE = {
    "input_tokens": INPUT_TOKENS,
    "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
    "output_tokens": OUTPUT_TOKENS,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


class ResponsesVendor(Vendor):
    dialect = "openai-responses"
    model = "gpt-5.2"
    base_path = "/responses/v1"
    counts = MappingProxyType(
        {
            f"{base_path}/responses/input_tokens": {
                "object": "response.input_tokens",
                "input_tokens": INPUT_TOKENS,
            }
        }
    )

    def check_head(self, request: Received) -> None:
        posted(request, f"{self.base_path}/responses")
        bearer(request, self.key)

    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        only(body, "body", FIELDS, ("model", "input"))
        require(body["model"] == self.model, f"no such model: {body['model']}")
        require(set(body.get("include") or ()) <= INCLUDES, f"include: {body.get('include')}")
        require(body.get("max_output_tokens", 16) >= 16, "max_output_tokens: below the minimum")
        reasoning = body.get("reasoning") or {}
        only(reasoning, "reasoning", {"effort", "summary"})
        tools = _tools(body)
        items = body["input"]
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        turns, seals = self._turns(items)
        if body.get("instructions"):
            turns.insert(0, Turn("system", body["instructions"]))
        return Asked(
            body["model"],
            body.get("stream") is True,
            turns,
            tools,
            _forced(body.get("tool_choice"), tools),
            schema=_schema(body.get("text") or {}),
            thinks=reasoning.get("effort", "none") != "none" or "summary" in reasoning,
            seals=seals,
            raw=body,
        )

    def _turns(self, items: list[dict[str, Any]]) -> tuple[list[Turn], list[str]]:
        require(bool(items), "input: at least one item is required")
        turns: list[Turn] = []
        seals: list[str] = []
        outputs: dict[int, Turn] = {}
        called = [item["call_id"] for item in items if item.get("type") == "function_call"]
        answered = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        require(len(set(called)) == len(called), f"input: call ids must be unique: {called}")
        for call in called:
            require(answered.count(call) == 1, f"No tool output found for function call {call}.")
        for at, item in enumerate(items):
            where = f"input[{at}]"
            kind = item.get("type", "message")
            require(kind in ITEM_FIELDS, f"{where}.type: {kind}")
            only(item, where, ITEM_FIELDS[kind])
            prefix = ID_PREFIXES[kind]
            require(str(item.get("id") or prefix).startswith(prefix), f"{where}.id: begins with {prefix}")
            if kind != "function_call_output":
                outputs = {}
            match kind:
                case "message":
                    turns.append(_message(item, where))
                case "function_call":
                    require(len(item["call_id"]) <= 64, f"{where}.call_id: too long")
                    call = Call(item["name"], json.loads(item["arguments"]))
                    turns.append(Turn("assistant", calls=[call]))
                case "function_call_output":
                    before = [each["call_id"] for each in items[:at] if each.get("type") == "function_call"]
                    no_call = f"No tool call found for function call output with call_id {item['call_id']}."
                    require(item["call_id"] in before, no_call)
                    output = _result(item["output"], where)
                    # Outputs in a row are one turn, in the order of their calls.
                    if not outputs:
                        turns.append(Turn("tool"))
                    outputs[before.index(item["call_id"])] = output
                    turns[-1].results = [
                        text
                        for _, each in sorted(outputs.items(), key=itemgetter(0))
                        for text in each.results
                    ]
                    turns[-1].images += output.images
                case _:
                    following = items[at + 1] if at + 1 < len(items) else {}
                    self._check_reasoning(item, following, where)
                    seals.append(item["encrypted_content"])
        return turns, seals

    def _check_reasoning(self, item: dict[str, Any], following: dict[str, Any], where: str) -> None:
        require(bool(item.get("encrypted_content")), f"{where}: Item with id {item.get('id')} not found.")
        sealed = self.opened(
            item["encrypted_content"], f"{where}: The encrypted content could not be verified"
        )
        if item.get("id"):
            require(
                item["id"] == sealed["id"],
                f"{where}: Encrypted content item_id did not match the target item id",
            )
        is_own = following.get("type") == "function_call" or following.get("role") == "assistant"
        require(is_own, f"{where}: 'reasoning' was provided without its required following item")

    # replies

    def reply(self, asked: Asked, answer: Answer) -> Scripted:
        assert isinstance(answer, list)
        output: list[dict[str, Any]] = []
        for part in answer:
            place = len(output)
            match part:
                case Think(text):
                    item = {"type": "reasoning", "id": self.new_id("rs_", place)}
                    item["summary"] = [{"type": "summary_text", "text": text}]
                    if "reasoning.encrypted_content" in (asked.raw.get("include") or ()):
                        item["encrypted_content"] = self.seal(dict(item), "gAAAAAB", url_safe=True)
                case Say(text):
                    content = [{"type": "output_text", "text": text, "annotations": []}]
                    item = {"type": "message", "id": self.new_id("msg_", place), "role": "assistant"}
                    item |= {"status": "completed", "content": content}
                case Call(name, arguments):
                    item = {"type": "function_call", "id": self.new_id("fc_", place), "status": "completed"}
                    item |= {
                        "call_id": self.new_id("call_", place),
                        "name": name,
                        "arguments": json.dumps(arguments),
                    }
            output.append(item)
        response = {
            "id": self.new_id("resp_"), "object": "response", "created_at": 1_790_000_000, "status": "completed",
            "error": None, "incomplete_details": None, "model": self.model, "output": output,
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE, "store": False,
        }  # fmt: skip
        return scripted(sse=_events(response)) if asked.is_stream else scripted(json=response)

    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        kind = "invalid_request_error" if status < 500 else "server_error"
        return failed(status, {"error": {"message": message, "type": kind, "param": None, "code": None}})


def _events(response: dict[str, Any]) -> list[bytes]:
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
    ]
    for index, item in enumerate(response["output"]):
        events += _item_events(index, item)
    events.append(("response.completed", {"response": response}))
    return [
        sse({"type": kind, "sequence_number": number, **fields}, kind)
        for number, (kind, fields) in enumerate(events)
    ]


def _item_events(index: int, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    at = {"item_id": item["id"], "output_index": index}
    empty: dict[str, Any] = {
        "reasoning": {"summary": []},
        "message": {"content": []},
        "function_call": {"arguments": ""},
    }
    started = {**item, **empty[item["type"]]}
    if "status" in item:
        started["status"] = "in_progress"
    yield "response.output_item.added", {"output_index": index, "item": started}
    match item["type"]:
        case "reasoning":
            (part,) = item["summary"]
            within = {**at, "summary_index": 0}
            yield "response.reasoning_summary_part.added", {**within, "part": {**part, "text": ""}}
            for piece in pieces(part["text"]):
                yield "response.reasoning_summary_text.delta", {**within, "delta": piece}
            yield "response.reasoning_summary_text.done", {**within, "text": part["text"]}
            yield "response.reasoning_summary_part.done", {**within, "part": part}
        case "message":
            (part,) = item["content"]
            within = {**at, "content_index": 0}
            yield "response.content_part.added", {**within, "part": {**part, "text": ""}}
            for piece in pieces(part["text"]):
                yield "response.output_text.delta", {**within, "delta": piece, "logprobs": []}
            yield "response.output_text.done", {**within, "text": part["text"], "logprobs": []}
            yield "response.content_part.done", {**within, "part": part}
        case _:
            for piece in pieces(item["arguments"]):
                yield "response.function_call_arguments.delta", {**at, "delta": piece}
            yield (
                "response.function_call_arguments.done",
                {**at, "arguments": item["arguments"], "name": item["name"]},
            )
    yield "response.output_item.done", {"output_index": index, "item": item}


def _message(item: dict[str, Any], where: str) -> Turn:
    role = item["role"]
    require(role in {"system", "developer", "user", "assistant"}, f"{where}.role: {role}")
    if isinstance(item["content"], str):
        return Turn(role, item["content"])
    require(bool(item["content"]), f"{where}.content: empty")
    own = {"output_text", "refusal"}
    turn = Turn(role)
    for part in item["content"]:
        require((part["type"] in own) == (role == "assistant"), f"{where}: {part['type']} by {role}")
        _read_part(part, turn, where)
    return turn


def _result(output: Any, where: str) -> Turn:
    if isinstance(output, str):
        return Turn("tool", results=[output])
    said = Turn("tool")
    for part in output:
        require(part["type"] in {"input_text", "input_image"}, f"{where}: {part['type']} in an output")
        _read_part(part, said, where)
    return Turn("tool", images=said.images, results=[said.text])


def _read_part(part: dict[str, Any], turn: Turn, where: str) -> None:
    require(part["type"] in PART_FIELDS, f"{where}: unknown part {part['type']}")
    only(part, where, PART_FIELDS[part["type"]])
    if part["type"] == "input_image":
        turn.images.append(image_of(part["image_url"]))
    else:
        turn.text += (part.get("text") or part.get("refusal") or "") + "\n"


def _tools(body: dict[str, Any]) -> dict[str, Any]:
    tools = {}
    for at, tool in enumerate(body.get("tools") or ()):
        where = f"tools[{at}]"
        if tool["type"] == "web_search":
            continue
        if tool["type"] == "namespace":
            only(tool, where, {"type", "name", "description", "tools"}, ("name", "tools"))
            continue
        require(tool["type"] == "function", f"{where}.type: {tool['type']}")
        only(tool, where, {"type", "name", "description", "parameters", "strict"}, ("name", "parameters"))
        schema = tool["parameters"] or {}
        if tool.get("strict") is True:  # left out, the API sees what it can do
            is_strict = schema.get("additionalProperties") is False
            require(
                is_strict,
                f"Invalid schema for function '{tool['name']}': 'additionalProperties' must be false",
            )
        tools[tool["name"]] = schema
    return tools


def _forced(choice: Any, tools: dict[str, Any]) -> str | None:
    if choice in {"auto", "none"} if isinstance(choice, str) else choice is None:
        return None
    require(bool(tools), "tool_choice without tools")
    if choice == "required":
        return "*"
    only(choice, "tool_choice", {"type", "name"}, ("type", "name"))
    require(choice["name"] in tools, f"tool_choice: {choice['name']} is not a tool")
    return str(choice["name"])


def _schema(text: dict[str, Any]) -> Any:
    only(text, "text", {"format", "verbosity"})
    wanted = text.get("format") or {"type": "text"}
    match wanted["type"]:
        case "text" | "json_object":
            return None
        case "json_schema":
            only(
                wanted, "text.format", {"type", "name", "schema", "strict", "description"}, ("name", "schema")
            )
            return wanted["schema"]
        case kind:
            raise RefusedError(f"text.format.type: {kind}")
