"""What a body of Gemini asks."""

import json

from conformance.asked.ask import Ask, Fields, Json, show


def read(ask: Ask, body: Fields) -> None:
    body.ignore("model")
    system = body.take("systemInstruction", "system_instruction") or {}
    for part in [{"text": system}] if isinstance(system, str) else system.get("parts") or []:
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
    if names and mode == "VALIDATED":
        ask.choice = f"subset:auto:{','.join(sorted(names))}"
    elif names:
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
            ask.shown_by_model = ask.shown_by_model or role == "assistant"
    call = part.take("functionCall", "function_call")
    if call:
        ask.call(call["name"], call.get("args") or {}, call.get("id"))
    result = part.take("functionResponse", "function_response")
    if result:
        answer = result.get("response") or {}
        ask.errors += set(answer) == {"error"}
        texts: list[str] = []
        for each in result.get("parts") or []:
            _gemini_medium(ask, next(iter(each.values())), texts)
        ask.answer(json.dumps([answer, *texts] if texts else answer), result.get("id"))


def _gemini_medium(ask: Ask, medium: Json, texts: list[str] | None = None) -> None:
    url = medium.get("fileUri") or medium.get("file_uri")
    if url is not None and "/files/" in url:
        url = f"file:{url}"  # only where it was uploaded
    kind = medium.get("mimeType") or medium.get("mime_type") or ""
    show(ask, data=medium.get("data"), url=url, kind=kind, texts=texts)


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
