"""What the Messages API insists on, for single fields of a request; the order of turns is checked by the vendor."""

import re
from typing import Any

from clients.vendors.script import RefusedError
from clients.vendors.vendor import checked_image, only, require

TOOL_FIELDS = frozenset(
    {
        "name", "description", "input_schema", "type", "strict", "cache_control", "defer_loading",
        "eager_input_streaming", "input_examples",
    }
)  # fmt: skip
BLOCK_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
}


def turns_of(messages: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]], str]]:
    """Messages in a row of one role are one turn; words alone are one block."""
    turns: list[tuple[str, list[dict[str, Any]], str]] = []
    for at, message in enumerate(messages):
        only(message, f"messages.{at}", {"role", "content"}, ("role", "content"))
        require(message["role"] in {"user", "assistant"}, f"messages.{at}.role: {message['role']}")
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        require(bool(blocks), f"messages.{at}: all messages must have non-empty content")
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], list(blocks), f"messages.{at}"))
    return turns


def joined_texts(blocks: list[dict[str, Any]], where: str) -> str:
    for block in blocks:
        only(block, where, BLOCK_FIELDS["text"], ("type", "text"))
        require(bool(block["text"].strip()), f"{where}: text content blocks must be non-empty")
    return "\n".join(block["text"] for block in blocks)


def image_of(source: dict[str, Any]) -> tuple[str, str]:
    only(source, "source", {"type", "media_type", "data"}, ("type", "media_type", "data"))
    return checked_image(source["media_type"], source["data"])


def result_of(content: Any, where: str) -> tuple[str, list[tuple[str, str]]]:
    if isinstance(content, str):
        return content, []
    texts = [block for block in content if block["type"] == "text"]
    images = [image_of(block["source"]) for block in content if block["type"] == "image"]
    require(len(texts) + len(images) == len(content), f"{where}: a block that no result may hold")
    return joined_texts(texts, where), images


def tools_of(body: dict[str, Any]) -> dict[str, Any]:
    tools = {}
    for at, tool in enumerate(body.get("tools", ())):
        require(tool.get("type", "custom") == "custom", f"tools.{at}: {tool.get('type')} is not run here")
        only(tool, f"tools.{at}", TOOL_FIELDS, ("name", "input_schema"))
        require(
            tool["input_schema"].get("type") == "object",
            f"tools.{at}.custom.input_schema.type: Field required",
        )
        require(re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]) is not None, f"tools.{at}.name")
        require(tool["name"] not in tools, f"tools.{at}.name: must be unique")
        tools[tool["name"]] = tool["input_schema"]
    return tools


def forced_tool(choice: Any, tools: dict[str, Any]) -> str | None:
    if choice is None:
        return None
    only(choice, "tool_choice", {"type", "name", "disable_parallel_tool_use"}, ("type",))
    require(bool(tools), "tool_choice: may only be specified while providing tools")
    match choice["type"]:
        case "auto" | "none":
            return None
        case "any":
            return "*"
        case "tool":
            require(choice["name"] in tools, f"tool_choice: {choice['name']} is not a tool")
            return str(choice["name"])
        case kind:
            raise RefusedError(f"tool_choice.type: {kind}")


def wanted_schema(config: dict[str, Any]) -> Any:
    only(config, "output_config", {"effort", "format"})
    if "format" not in config:
        return None
    only(config["format"], "output_config.format", {"type", "schema"}, ("type", "schema"))
    schema = config["format"]["schema"]
    require(
        schema.get("additionalProperties") is False,
        "For 'object' type, 'additionalProperties' must be explicitly set to false",
    )
    return schema


def check_thinking(thinking: dict[str, Any], body: dict[str, Any], forced: str | None) -> None:
    only(thinking, "thinking", {"type", "budget_tokens", "display"}, ("type",))
    if thinking["type"] != "enabled":
        return
    budget = thinking["budget_tokens"]
    require(
        1024 <= budget < body["max_tokens"], f"`max_tokens` must be greater than {budget}, and that than 1023"
    )
    require(forced is None, "Thinking may not be enabled when tool_choice forces tool use")
    require(body.get("temperature", 1) == 1, "`temperature` may only be set to 1 when thinking is enabled")
    require("top_k" not in body, "`top_k` must be unset when thinking is enabled")


def check_begins_with_thought(messages: list[dict[str, Any]]) -> None:
    last = next((turn for turn in reversed(messages) if turn["role"] == "assistant"), None)
    if last is None or isinstance(last["content"], str):
        return
    kinds = [block["type"] for block in last["content"]]
    require(
        "tool_use" not in kinds or kinds[0] in {"thinking", "redacted_thinking"},
        "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final"
        " `assistant` message must start with a thinking block",
    )
