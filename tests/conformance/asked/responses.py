"""What a body of the Responses API asks."""

import json
from typing import Any

from conformance.asked.ask import Ask, Fields, parsed, show


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    ask.say("system", body.take("instructions"))
    given = body.take("input")
    for at, item in enumerate(
        [{"role": "user", "content": given}] if isinstance(given, str) else given or []
    ):
        fields = Fields(ask, item, f"input.{at}.")
        _responses_item(ask, fields)
        fields.close()
    _responses_tools(ask, body)
    choice = body.take("tool_choice")
    if isinstance(choice, dict):
        if choice.get("type") == "allowed_tools":
            names = [t.get("name", t["type"]) for t in choice["tools"]]
            ask.choice = f"subset:{choice['mode']}:{','.join(sorted(names))}"
        elif choice.get("type") in {"function", "custom"}:
            ask.choice = f"tool:{choice['name']}"
        else:
            ask.others[f"tool_choice.{choice.get('type')}"] = True
    else:
        ask.choice = choice
    ask.parallel = body.take("parallel_tool_calls")
    text = body.sub("text")
    match text.take("format"):
        case {"type": "json_schema", "schema": schema}:
            ask.schema = schema
        case {"type": "json_object"}:
            ask.wants_json = True
        case _:
            pass
    text.close()
    ask.set("max_tokens", body.take("max_output_tokens"))
    for name in ("temperature", "top_p", "top_logprobs"):
        ask.set(name, body.take(name))
    reasoning = body.sub("reasoning")
    ask.set("effort", reasoning.take("effort"))
    ask.set("shown", reasoning.take("summary", "generate_summary"))
    reasoning.close()
    include = body.take("include") or []
    ask.set("logprobs", "message.output_text.logprobs" in include or None)
    for name in include:
        if name not in {"message.output_text.logprobs", "reasoning.encrypted_content"}:
            ask.others[f"include.{name}"] = True
    ask.set("user", body.take("safety_identifier", "user"))
    ask.set("stream", body.take("stream") or None)


class _Whatever(dict):  # type: ignore[type-arg]
    """What a tool of the API's own is called with, however its arguments are spread elsewhere."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        wanted = {name: value for name, value in self.items() if value is not None and name != "type"}
        return isinstance(other, dict) and wanted.items() <= other.items()


def _caller(item: Fields) -> None:
    """That the model called by itself happens anyway."""
    if (item.left.get("caller") or {}).get("type") == "direct":
        item.ignore("caller")


_OWN_TOOLS = ("shell", "local_shell", "apply_patch")
"""Of OpenAI's making, run by the caller."""


def _responses_tools(ask: Ask, body: Fields, space: str = "") -> None:
    for tool in body.each("tools"):
        if tool.left.get("type") == "namespace":
            tool.take("type")
            _responses_tools(ask, tool, f"{tool.take('name')}__")
            tool.close()
            continue
        kind = tool.take("type") or "function"
        if kind == "function":
            ask.tools[space + tool.take("name")] = {
                "description": tool.take("description"),
                "schema": tool.take("parameters"),
                "strict": tool.take("strict"),
            }
            tool.close()
        elif kind == "custom":
            ask.tools[space + tool.take("name")] = {
                "description": tool.take("description"), "schema": None, "strict": None, "custom": True
            }  # fmt: skip
            if (tool.left.get("format") or {}).get("type") == "text":
                tool.take("format")
            tool.close()
        elif kind in _OWN_TOOLS and not tool.left:
            ask.tools[kind] = {"description": None, "schema": None, "strict": None, "custom": True}
        else:
            tool.keep_whole(str(kind))


def _responses_item(ask: Ask, item: Fields) -> None:
    kind = item.take("type") or "message"
    item.ignore("id", "phase")
    if kind != "apply_patch_call_output":
        item.ignore("status")
    match kind:
        case "message":
            role = item.take("role")
            role = "system" if role in {"system", "developer"} else role
            content = item.take("content")
            texts: list[str] = []
            for at, part in enumerate([content] if isinstance(content, str) else content or []):
                _responses_part(ask, part, f"{item.path}content.{at}.", texts)
            for text in texts:
                ask.say(role, text)
        case "function_call":
            space, name = item.take("namespace"), item.take("name")
            name = name if space in {None, name} else f"{space}__{name}"
            ask.call(name, parsed(item.take("arguments")), item.take("call_id"))
            _caller(item)
        case "custom_tool_call":
            ask.call(item.take("name"), {"input": item.take("input")}, item.take("call_id"))
            _caller(item)
        case "function_call_output" | "custom_tool_call_output":
            output = item.take("output")
            texts = []
            for at, part in enumerate([output] if isinstance(output, str) else output or []):
                _responses_part(ask, part, f"{item.path}output.{at}.", texts)
            ask.answer("\n".join(texts), item.take("call_id"))
            _caller(item)
        case "local_shell_call" | "shell_call":
            name = "shell" if kind == "shell_call" else "local_shell"
            ask.call(name, _Whatever(item.take("action")), item.take("call_id"))
        case "apply_patch_call":
            ask.call("apply_patch", _Whatever(item.take("operation")), item.take("call_id"))
        case "local_shell_call_output" | "shell_call_output" | "apply_patch_call_output":
            output = item.take("output")
            ask.errors += item.left.get("status") == "failed"
            told = output if isinstance(output, str) else "\n".join(json.dumps(each) for each in output or [])
            ask.answer(told, item.take("call_id"))
            item.ignore("max_output_length", "status")
        case "additional_tools":
            item.ignore("role")
            _responses_tools(ask, item)
        case "reasoning":
            for part in [*(item.take("summary") or []), *(item.take("content") or [])]:
                ask.thoughts.append(part["text"])
            item.ignore("encrypted_content")
        case _:
            item.keep_whole(str(kind))


def _responses_part(ask: Ask, part: Any, path: str, texts: list[str]) -> None:
    if isinstance(part, str):
        texts.append(part)
        return
    fields = Fields(ask, part, path)
    fields.ignore("annotations", "logprobs")
    kind = fields.take("type")
    match kind:
        case "input_text" | "output_text" | "refusal" | "text":
            texts.append(fields.take("text", "refusal"))
        case "input_audio":
            show(ask, data=fields.take("input_audio")["data"], kind="audio/any")
        case "input_image":
            url = fields.take("image_url")
            show(ask, url=url or f"file:{fields.take('file_id')}")
            fields.ignore("file_id")
        case "input_file":
            found = fields.take("file_data") or fields.take("file_url") or f"file:{fields.take('file_id')}"
            is_bare = ":" not in found[:12]
            show(
                ask,
                data=found if is_bare else None,
                url=None if is_bare else found,
                kind="application/pdf",
                texts=texts,
            )
            ask.say("name", fields.take("filename"))
        case _:
            fields.keep_whole(str(kind))
    fields.close()
