"""What a body of Ollama asks."""

from conformance.asked.ask import Ask, Fields, show
from conformance.asked.chat import read_tool


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    for message in body.each("messages"):
        role = message.take("role")
        content = message.take("content")
        if role == "tool":
            ask.answer(content)
            message.ignore("tool_name", "tool_call_id")
        else:
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
    ask.schema = wanted if isinstance(wanted, dict) else None
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
