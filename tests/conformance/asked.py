"""Reads request bodies of every dialect into what they ask, as the APIs are documented and with nothing of the gateway.
Whatever is not understood is kept by its path, so that nobody can lose it without being seen."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Ask:
    """`said` pairs a role (system, user, assistant) with a text, `media` holds a mark for each picture or file,
    `results` the text of what tools answered, `course` what was said, called and
    answered one after the other, `loaded` the deferred tools that the conversation has brought in. `others` is what has no place here, by path."""

    said: list[tuple[str, str]] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    course: list[tuple[str, str]] = field(default_factory=list)
    errors: int = 0
    thoughts: list[str] = field(default_factory=list)
    tools: dict[str, Json] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)
    choice: str | None = None
    parallel: bool | None = None
    schema: Any = None
    wants_json: bool = False
    params: Json = field(default_factory=dict)
    others: Json = field(default_factory=dict)

    def say(self, role: str, text: str | None) -> None:
        if text:
            self.said.append((role, text))
            if role in {"user", "assistant"}:
                self.course.append((role, text))

    def call(self, name: str, arguments: Any) -> None:
        self.calls.append((name, arguments))
        self.course.append(("call", json.dumps(arguments, sort_keys=True)))

    def answer(self, text: str) -> None:
        self.results.append(text)
        self.course.append(("result", text))

    def set(self, name: str, value: Any) -> None:
        if value is not None and value not in ([], ()):
            self.params[name] = value


class Fields:
    """A JSON object that is emptied as it is read; what is left at the end was not understood."""

    def __init__(self, ask: Ask, value: Json, path: str = "") -> None:
        self.ask = ask
        self.left = dict(value)
        self.path = path

    def take(self, *names: str) -> Any:
        found = [self.left.pop(name) for name in names if name in self.left]
        return found[0] if found else None

    def sub(self, *names: str) -> "Fields":
        name = next((name for name in names if name in self.left), names[0])
        value = self.take(*names)
        return Fields(self.ask, value if isinstance(value, dict) else {}, f"{self.path}{name}.")

    def each(self, *names: str) -> Iterator["Fields"]:
        name = next((name for name in names if name in self.left), names[0])
        value = self.take(*names)
        for at, one in enumerate([value] if isinstance(value, dict) else value or []):
            yield Fields(self.ask, one, f"{self.path}{name}.{at}.")

    def ignore(self, *names: str) -> None:
        for name in names:
            self.left.pop(name, None)

    def close(self) -> None:
        for name, value in self.left.items():
            self.ask.others[self.path + name] = value
        self.left = {}

    def keep_whole(self, word: str) -> None:
        """The object as a whole is not understood."""
        self.ask.others[f"{self.path}{word}"] = True
        self.left = {}


def asked(dialect: str, body: Json) -> Ask:
    ask = Ask()
    fields = Fields(ask, json.loads(json.dumps(body)))
    {
        "openai-chat": _chat,
        "openai-responses": _responses,
        "anthropic-messages": _messages,
        "gemini": _gemini,
        "ollama": _ollama,
    }[dialect](ask, fields)
    fields.close()
    return ask


def _medium(
    ask: Ask,
    *,
    data: str | None = None,
    url: str | None = None,
    kind: str = "",
    texts: list[str] | None = None,
) -> None:
    """Notes what is shown, in a way that it is recognised by wherever it goes: its bytes or its address. A file of
    text is what it says. Sound, moving pictures and files of other programs are marked: few can take them."""
    if url is not None and url.startswith("data:"):
        head, _, data = url.partition(",")
        kind, url = head[5:].partition(";")[0], None
    family, _, sort = kind.partition("/")
    if data is not None and family == "text":
        text = base64.b64decode(data).decode()
        if texts is None:
            ask.say("user", text)
        else:
            texts.append(text)
        return
    mark = f"url:{url}"
    if data is not None:
        same = data.replace("-", "+").replace("_", "/").rstrip("=")
        mark = "data:" + hashlib.sha256(same.encode()).hexdigest()[:16]
    if family in {"audio", "video"}:
        mark = f"{family}:{mark}"
    elif family == "application" and data is None:
        mark = f"document:{mark}"
    elif family == "application" and sort != "pdf":
        mark = f"other:{mark}"
    ask.media.append(mark)


def _object(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text or "{}")
    except json.JSONDecodeError:
        return text


# chat


def _chat(ask: Ask, body: Fields) -> None:
    body.ignore("model", "stream_options")
    for message in body.each("messages"):
        _chat_message(ask, message)
        message.close()
    for tool in body.each("tools"):
        kind = tool.take("type") or "function"
        if kind != "function":
            tool.keep_whole(str(kind))
            continue
        _chat_tool(ask, tool.sub("function"))
        tool.close()
    for function in body.each("functions"):
        _chat_tool(ask, function)
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
        ask.answer("\n".join(texts))
        message.ignore("tool_call_id", "name")
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
            ask.call(custom["name"], {"input": custom["input"]})
        else:
            function = call.take("function")
            ask.call(function["name"], _object(function.get("arguments")))
        call.ignore("id", "index", "extra_content")
        call.close()
    old = message.take("function_call")
    if old:
        ask.call(old["name"], _object(old["arguments"]))


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
            _medium(ask, url=image.pop("url"))
            part.left |= image
        case "document_url":
            _medium(ask, url=part.take("document_url"), kind="application/pdf")
        case "file":
            file = part.take("file")
            _medium(
                ask,
                url=file.pop("file_data", None) or f"file:{file.pop('file_id', None)}",
                kind="application/pdf",
                texts=texts,
            )
            ask.say("name", file.pop("filename", None))
            part.left |= file
        case "input_audio":
            _medium(ask, data=part.take("input_audio")["data"], kind="audio/any")
        case _:
            part.keep_whole(str(kind))
    part.close()


def _chat_tool(ask: Ask, function: Fields) -> None:
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


# responses


def _responses(ask: Ask, body: Fields) -> None:
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


def _responses_tools(ask: Ask, body: Fields) -> None:
    for tool in body.each("tools"):
        kind = tool.take("type") or "function"
        if kind == "function":
            ask.tools[tool.take("name")] = {
                "description": tool.take("description"),
                "schema": tool.take("parameters"),
                "strict": tool.take("strict"),
            }
            tool.close()
        elif kind == "custom":
            ask.tools[tool.take("name")] = {
                "description": tool.take("description"), "schema": None, "strict": None, "custom": True
            }  # fmt: skip
            if (tool.left.get("format") or {}).get("type") == "text":
                tool.take("format")
            tool.close()
        else:
            tool.keep_whole(str(kind))


def _responses_item(ask: Ask, item: Fields) -> None:
    kind = item.take("type") or "message"
    item.ignore("id", "status", "phase")
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
            ask.call(name if space in {None, name} else f"{space}__{name}", _object(item.take("arguments")))
            item.ignore("call_id")
        case "custom_tool_call":
            ask.call(item.take("name"), {"input": item.take("input")})
            item.ignore("call_id")
        case "function_call_output" | "custom_tool_call_output":
            output = item.take("output")
            texts = []
            for at, part in enumerate([output] if isinstance(output, str) else output or []):
                _responses_part(ask, part, f"{item.path}output.{at}.", texts)
            ask.answer("\n".join(texts))
            item.ignore("call_id")
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
        case "input_image":
            url = fields.take("image_url")
            _medium(ask, url=url or f"file:{fields.take('file_id')}")
            fields.ignore("file_id")
        case "input_file":
            found = fields.take("file_data") or fields.take("file_url") or f"file:{fields.take('file_id')}"
            is_bare = ":" not in found[:12]
            _medium(
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


# messages


def _messages(ask: Ask, body: Fields) -> None:
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
        case "document":
            ask.say("name", block.take("title"))
            _source(ask, block, texts, "application/pdf")
        case "thinking":
            ask.thoughts.append(block.take("thinking"))
            block.ignore("signature")
        case "redacted_thinking":
            block.ignore("data")
        case "tool_use":
            ask.call(block.take("name"), block.take("input"))
            block.ignore("id", "caller")
        case "tool_result":
            content = block.take("content")
            answer: list[str] = []
            inner = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
            for at, part in enumerate(inner):
                _block(ask, Fields(ask, part, f"{block.path}content.{at}."), "result", answer)
            ask.answer("\n".join(answer))
            ask.errors += bool(block.take("is_error"))
            block.ignore("tool_use_id")
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
        case "base64":
            _medium(ask, data=source["data"], kind=source.get("media_type") or kind, texts=texts)
        case "url":
            _medium(ask, url=source["url"], kind=kind)
        case "file":
            _medium(ask, url=f"file:{source['file_id']}", kind=kind)
        case other:
            block.keep_whole(f"source.{other}")


# Gemini


def _gemini(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    system = body.take("systemInstruction", "system_instruction") or {}
    for part in system.get("parts") or []:
        ask.say("system", part["text"])
    for content in body.each("contents"):
        role = {"model": "assistant"}.get(content.take("role"), "user")
        for part in content.each("parts"):
            _gemini_part(ask, part, role)
            part.close()
        content.close()
    for tool in body.each("tools"):
        for function in tool.each("functionDeclarations", "function_declarations"):
            ask.tools[function.take("name")] = {
                "description": function.take("description"),
                "schema": function.take("parameters", "parametersJsonSchema", "parameters_json_schema"),
                "strict": None,
            }
            function.close()
        for kind in list(tool.left):
            tool.take(kind)
            ask.others[f"{tool.path}{kind}"] = True  # empty or not, it is asked for
    config = body.sub("toolConfig", "tool_config")
    calling = config.sub("functionCallingConfig", "function_calling_config")
    mode = str(calling.take("mode") or "").upper()
    names = calling.take("allowedFunctionNames", "allowed_function_names")
    ask.choice = {"AUTO": "auto", "NONE": "none", "ANY": "required"}.get(mode)
    if names:
        ask.choice = f"tool:{names[0]}" if len(names) == 1 else f"subset:required:{','.join(sorted(names))}"
    calling.close()
    config.close()
    _gemini_config(ask, body.sub("generationConfig", "generation_config"))


def _gemini_part(ask: Ask, part: Fields, role: str) -> None:
    part.ignore("thoughtSignature", "thought_signature")
    thought = part.take("thought")
    text = part.take("text")
    if thought:
        ask.thoughts.append(text or "")
    else:
        ask.say(role, text)
    for names in (("inlineData", "inline_data"), ("fileData", "file_data")):
        medium = part.take(*names)
        if medium:
            _gemini_medium(ask, medium)
    call = part.take("functionCall", "function_call")
    if call:
        ask.call(call["name"], call.get("args") or {})
    result = part.take("functionResponse", "function_response")
    if result:
        answer = result.get("response") or {}
        ask.errors += set(answer) == {"error"}
        texts: list[str] = []
        for each in result.get("parts") or []:
            _gemini_medium(ask, next(iter(each.values())), texts)
        ask.answer(json.dumps([answer, *texts] if texts else answer))


def _gemini_medium(ask: Ask, medium: Json, texts: list[str] | None = None) -> None:
    url = medium.get("fileUri") or medium.get("file_uri")
    if url is not None and "/files/" in url:
        url = f"file:{url}"  # only where it was uploaded
    kind = medium.get("mimeType") or medium.get("mime_type") or ""
    _medium(ask, data=medium.get("data"), url=url, kind=kind, texts=texts)


def _gemini_config(ask: Ask, config: Fields) -> None:
    names = {
        "max_tokens": ("maxOutputTokens", "max_output_tokens"),
        "temperature": ("temperature",),
        "top_p": ("topP", "top_p"),
        "top_k": ("topK", "top_k"),
        "seed": ("seed",),
        "frequency_penalty": ("frequencyPenalty", "frequency_penalty"),
        "presence_penalty": ("presencePenalty", "presence_penalty"),
        "stop": ("stopSequences", "stop_sequences"),
        "n": ("candidateCount", "candidate_count"),
        "logprobs": ("responseLogprobs", "response_logprobs"),
        "top_logprobs": ("logprobs",),
    }
    for name, spelled in names.items():
        ask.set(name, config.take(*spelled))
    kind = config.take("responseMimeType", "response_mime_type")
    ask.schema = config.take(
        "responseJsonSchema", "response_json_schema", "responseSchema", "response_schema"
    )
    ask.wants_json = kind == "application/json" and ask.schema is None
    if kind not in {None, "application/json", "text/plain"}:
        ask.others["generationConfig.responseMimeType"] = kind
    thinking = config.sub("thinkingConfig", "thinking_config")
    ask.set("budget", thinking.take("thinkingBudget", "thinking_budget"))
    level = thinking.take("thinkingLevel", "thinking_level")
    ask.set("effort", level.lower() if level else None)
    ask.set("shown", thinking.take("includeThoughts", "include_thoughts"))
    thinking.close()
    config.close()


# Ollama


def _ollama(ask: Ask, body: Fields) -> None:
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
            _medium(ask, data=image)
        for call in message.each("tool_calls"):
            function = call.take("function")
            ask.call(function["name"], function["arguments"])
            call.ignore("id", "type")
            call.close()
        message.close()
    for tool in body.each("tools"):
        tool.ignore("type")
        _chat_tool(ask, tool.sub("function"))
        tool.close()
    wanted = body.take("format")
    ask.wants_json = wanted == "json"
    ask.schema = wanted if isinstance(wanted, dict) else None
    options = body.sub("options")
    ask.set("max_tokens", options.take("num_predict"))
    for name in ("temperature", "top_p", "top_k", "seed", "stop", "frequency_penalty", "presence_penalty"):
        ask.set(name, options.take(name))
    options.close()
    think = body.take("think")
    ask.set("effort", think if isinstance(think, str) else None)
    ask.set("adaptive", think if isinstance(think, bool) else None)
    ask.set("stream", body.take("stream") or None)
