"""What a body of chat completions asks."""

from conformance.asked.ask import Ask, Fields, parsed, show


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model", "stream_options")
    for message in body.each("messages"):
        _chat_message(ask, message)
        message.close()
    for tool in body.each("tools"):
        kind = tool.take("type") or "function"
        if kind == "custom":
            custom = tool.sub("custom")
            ask.tools[custom.take("name")] = {
                "description": custom.take("description"), "schema": None, "strict": None, "custom": True
            }  # fmt: skip
            if (custom.left.get("format") or {}).get("type") == "text":
                custom.take("format")
            custom.close()
            tool.close()
            continue
        if kind != "function":
            tool.keep_whole(str(kind))
            continue
        read_tool(ask, tool.sub("function"))
        tool.close()
    for function in body.each("functions"):
        read_tool(ask, function)
    choice = body.take("tool_choice", "function_call")
    if isinstance(choice, dict):
        if "allowed_tools" in choice:
            names = [t["function"]["name"] for t in choice["allowed_tools"]["tools"]]
            ask.choice = f"subset:{choice['allowed_tools']['mode']}:{','.join(sorted(names))}"
        else:
            ask.choice = f"tool:{(choice.get('function') or choice.get('custom') or choice).get('name')}"
    else:
        ask.choice = "required" if choice == "any" else choice
    ask.parallel = body.take("parallel_tool_calls")
    _chat_format(ask, body)
    ask.set("max_tokens", body.take("max_completion_tokens", "max_tokens"))
    ask.set("seed", body.take("random_seed"))
    for name in ("temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty", "n"):
        ask.set(name, body.take(name))
    stop = body.take("stop")
    ask.set("stop", [stop] if isinstance(stop, str) else stop)
    ask.set("effort", body.take("reasoning_effort"))
    reasoning = body.take("reasoning") or {}
    ask.set("effort", reasoning.get("effort"))
    ask.set("budget", reasoning.get("max_tokens"))
    ask.set("adaptive", reasoning.get("enabled") or None)
    thinking = body.take("thinking") or {}
    ask.set("budget", thinking.get("budget_tokens"))
    ask.set("adaptive", {"enabled": True, "adaptive": True, "disabled": False}.get(thinking.get("type")))
    ask.set("user", body.take("safety_identifier", "user"))
    ask.set("logprobs", body.take("logprobs") or None)
    ask.set("top_logprobs", body.take("top_logprobs"))
    ask.set("stream", body.take("stream") or None)


def _chat_message(ask: Ask, message: Fields) -> None:
    role = message.take("role")
    kind = "system" if role in {"system", "developer"} else role
    content = message.take("content")
    texts: list[str] = []
    for at, part in enumerate([content] if isinstance(content, str) else content or []):
        if isinstance(part, str):
            texts.append(part)
        else:
            _chat_part(ask, Fields(ask, part, f"{message.path}content.{at}."), texts)
    if kind in {"tool", "function"}:
        ask.answer("\n".join(texts), message.take("tool_call_id"))
        message.ignore("name")
    else:
        for text in texts:
            ask.say(kind, text)
    ask.say("assistant", message.take("refusal"))
    thought = message.take("reasoning_content", "reasoning")
    if thought:
        ask.thoughts.append(str(thought))
    message.ignore("reasoning_content", "reasoning", "reasoning_details", "annotations", "id")
    for call in message.each("tool_calls"):
        if call.take("type") == "custom":
            custom = call.take("custom")
            ask.call(custom["name"], {"input": custom["input"]}, call.take("id"))
        else:
            function = call.take("function")
            ask.call(function["name"], parsed(function.get("arguments")), call.take("id"))
        call.ignore("id", "index", "extra_content")
        call.close()
    old = message.take("function_call")
    if old:
        ask.call(old["name"], parsed(old["arguments"]))


def _chat_part(ask: Ask, part: Fields, texts: list[str]) -> None:
    kind = part.take("type")
    match kind:
        case "text" | "refusal":
            texts.append(part.take("text", "refusal"))
        case "thinking":
            ask.thoughts += [piece["text"] for piece in part.take("thinking")]
        case "image_url":
            image = part.take("image_url")
            image = {"url": image} if isinstance(image, str) else image
            show(ask, url=image.pop("url"))
            part.left |= image
        case "document_url":
            show(ask, url=part.take("document_url"), kind="application/pdf")
        case "file":
            file = part.take("file")
            found = file.pop("file_data", None) or f"file:{file.pop('file_id', None)}"
            show(
                ask,
                data=None if ":" in found[:12] else found,
                url=found if ":" in found[:12] else None,
                kind="application/pdf",
                texts=texts,
            )
            ask.say("name", file.pop("filename", None))
            part.left |= file
        case "input_audio":
            show(ask, data=part.take("input_audio")["data"], kind="audio/any")
        case _:
            part.keep_whole(str(kind))
    part.close()


def read_tool(ask: Ask, function: Fields) -> None:
    ask.tools[function.take("name")] = {
        "description": function.take("description"),
        "schema": function.take("parameters"),
        "strict": function.take("strict"),
    }
    function.close()


def _chat_format(ask: Ask, body: Fields) -> None:
    wanted = body.take("response_format")
    match wanted:
        case {"type": "json_schema", "json_schema": dict(inner)}:
            ask.schema = inner["schema"]
        case {"type": "json_object"}:
            ask.wants_json = True
        case None | {"type": "text"}:
            pass
        case _:
            ask.others["response_format"] = wanted
