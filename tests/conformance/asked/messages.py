"""What a body of the Messages API asks."""

from conformance.asked.ask import Ask, Fields, show


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    system = body.take("system")
    for at, block in enumerate(
        [{"type": "text", "text": system}] if isinstance(system, str) else system or []
    ):
        _block(ask, Fields(ask, block, f"system.{at}."), "system", None)
    for message in body.each("messages"):
        role = message.take("role")
        content = message.take("content")
        for at, block in enumerate(
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        ):
            _block(ask, Fields(ask, block, f"{message.path}content.{at}."), role, None)
        message.close()
    for tool in body.each("tools"):
        kind = tool.take("type") or "custom"
        if kind.startswith(("bash_", "text_editor_", "memory_")):  # of Anthropic's making, run by the caller
            ask.tools[tool.take("name")] = {
                "description": None,
                "schema": None,
                "strict": None,
                "custom": True,
            }
            tool.close()
            continue
        if kind != "custom":
            tool.keep_whole(str(kind))
            continue
        name = tool.take("name")
        ask.tools[name] = {
            "description": tool.take("description"),
            "schema": tool.take("input_schema"),
            "strict": tool.take("strict"),
            "deferred": tool.take("defer_loading"),
        }
        tool.close()
    choice = body.take("tool_choice") or {}
    ask.choice = {"any": "required", "tool": f"tool:{choice.get('name')}"}.get(
        choice.get("type"), choice.get("type")
    )
    ask.parallel = False if choice.get("disable_parallel_tool_use") else None
    config = body.sub("output_config")
    ask.set("effort", config.take("effort"))
    wanted = config.take("format") or body.take("output_format")
    if wanted:
        ask.schema = wanted["schema"]
    config.close()
    thinking = body.sub("thinking")
    ask.set("budget", thinking.take("budget_tokens"))
    ask.set("adaptive", {"adaptive": True, "disabled": False}.get(thinking.take("type")))
    thinking.close()
    for name in ("max_tokens", "temperature", "top_p", "top_k"):
        ask.set(name, body.take(name))
    ask.set("stop", body.take("stop_sequences"))
    metadata = body.sub("metadata")
    ask.set("user", metadata.take("user_id"))
    metadata.close()
    ask.set("stream", body.take("stream") or None)


def _block(ask: Ask, block: Fields, role: str, texts: list[str] | None) -> None:
    """`texts` collects what a tool answered; otherwise a role says it."""
    kind = block.take("type")
    match kind:
        case "text":
            text = block.take("text")
            if texts is None:
                ask.say(role, text)
            else:
                texts.append(text)
            block.ignore("citations")
        case "image":
            _source(ask, block, texts, "image/any")
        case "search_result":
            told = [
                block.take("title"),
                block.take("source"),
                *(part["text"] for part in block.take("content")),
            ]
            if texts is None:
                for text in told:
                    ask.say(role, text)
            else:
                texts += told
        case "document":
            ask.say("name", block.take("title"))
            ask.say(role, block.take("context"))
            _source(ask, block, texts, "application/pdf")
        case "thinking":
            ask.thoughts.append(block.take("thinking"))
            block.ignore("signature")
        case "redacted_thinking":
            block.ignore("data")
        case "tool_use":
            ask.call(block.take("name"), block.take("input"), block.take("id"))
            block.ignore("caller")
        case "tool_result":
            content = block.take("content")
            answer: list[str] = []
            inner = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
            for at, part in enumerate(inner):
                _block(ask, Fields(ask, part, f"{block.path}content.{at}."), "result", answer)
            ask.answer("\n".join(answer), block.take("tool_use_id"))
            ask.errors += bool(block.take("is_error"))
        case "tool_reference":
            ask.loaded.append(block.take("tool_name"))
        case "tool_addition":
            ask.loaded.append(block.take("tool")["name"])
        case _:
            block.keep_whole(str(kind))
    block.close()


def _source(ask: Ask, block: Fields, texts: list[str] | None, kind: str) -> None:
    source = block.take("source")
    match source["type"]:
        case "text":
            if texts is None:
                ask.say("user", source["data"])
            else:
                texts.append(source["data"])
        case "content":
            inner = source["content"]
            for part in [{"text": inner}] if isinstance(inner, str) else inner:
                ask.say("user", part["text"])
        case "base64":
            show(ask, data=source["data"], kind=source.get("media_type") or kind, texts=texts)
        case "url":
            show(ask, url=source["url"], kind=kind)
        case "file":
            show(ask, url=f"file:{source['file_id']}", kind=kind)
        case other:
            block.keep_whole(f"source.{other}")
