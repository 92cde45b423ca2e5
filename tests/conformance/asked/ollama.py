"""What a body of Ollama asks."""

import json
import re
from typing import Any

from conformance.asked.ask import Ask, Fields, show
from conformance.asked.chat import read_tool

_FORCED = re.compile(r"(?:^|\n\n)Answer with nothing but [^\n]*:\n(\[.*\])$")
"""How a call that must be made is told in words; its form is in the format."""


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    for message in body.each("messages"):
        role = message.take("role")
        content = message.take("content")
        if role == "tool":
            ask.answer(content)
            message.ignore("tool_name", "tool_call_id")
        else:
            forced = _FORCED.search(content) if role == "system" and not ask.tools else None
            if forced is not None:
                content = content[: forced.start()]
                _force(ask, json.loads(forced[1]))
            if content or forced is None:
                ask.say(role, content)
        thought = message.take("thinking")
        if thought:
            ask.thoughts.append(thought)
        for image in message.take("images") or []:
            show(ask, data=image)
        for call in message.each("tool_calls"):
            function = call.take("function")
            ask.call(function["name"], function["arguments"])
            call.ignore("id", "type")
            call.close()
        message.close()
    for tool in body.each("tools"):
        tool.ignore("type")
        read_tool(ask, tool.sub("function"))
        tool.close()
    wanted = body.take("format")
    ask.wants_json = wanted == "json"
    ask.schema = wanted if isinstance(wanted, dict) and ask.choice is None else None
    options = body.sub("options")
    ask.set("max_tokens", options.take("num_predict"))
    for name in ("temperature", "top_p", "top_k", "seed", "stop", "frequency_penalty", "presence_penalty"):
        ask.set(name, options.take(name))
    options.close()
    ask.set("logprobs", body.take("logprobs"))
    ask.set("top_logprobs", body.take("top_logprobs"))
    think = body.take("think")
    ask.set("effort", think if isinstance(think, str) else None)
    ask.set("adaptive", think if isinstance(think, bool) else None)
    ask.set("stream", body.take("stream") or None)


def _force(ask: Ask, tools: list[dict[str, Any]]) -> None:
    for tool in tools:
        read_tool(ask, Fields(ask, {**tool, "strict": True}, "tools"))
    ask.choice = f"tool:{tools[0]['name']}" if len(tools) == 1 else "required"
    ask.parallel = False
