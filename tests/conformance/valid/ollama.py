"""What Ollama would not take."""

from collections.abc import Iterator

from conformance.valid.rules import Json

_OLLAMA_FIELDS = frozenset(
    [
        "model",
        "messages",
        "tools",
        "format",
        "options",
        "stream",
        "think",
        "keep_alive",
        "logprobs",
        "top_logprobs",
    ]
)
_OLLAMA_OPTIONS = frozenset(
    [
        "num_predict",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "repeat_penalty",
        "repeat_last_n",
        "num_ctx",
    ]
)


def faults(body: Json) -> Iterator[str]:
    yield from (f"{name}: unknown" for name in body if name not in _OLLAMA_FIELDS)
    yield from (
        f"options.{name}: unknown" for name in body.get("options") or {} if name not in _OLLAMA_OPTIONS
    )
    if not isinstance(body.get("stream"), bool):
        yield "stream: it streams unless told not to"
    for at, message in enumerate(body["messages"]):
        if message["role"] not in {"system", "user", "assistant", "tool"}:
            yield f"messages.{at}: the role {message['role']}"
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            yield f"messages.{at}: content is no string"
        if message["role"] == "tool" and not message.get("tool_name"):
            yield f"messages.{at}: a result of no tool"
        for call in message.get("tool_calls") or []:
            if not isinstance(call["function"]["arguments"], dict):
                yield f"messages.{at}: arguments are no object"
        if any(image.startswith(("data:", "http")) for image in message.get("images") or []):
            yield f"messages.{at}: a picture that is not bare base64"
    for tool in body.get("tools") or []:
        if tool.get("type") != "function" or not tool["function"].get("name"):
            yield "tools: no function"
