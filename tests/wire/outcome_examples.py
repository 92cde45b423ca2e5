"""One example for every field of every client dialect that a target may not be able to express: what is added to a
plain request. `None` as a key path means the example replaces the whole conversation."""

import json
from typing import Any

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0Y="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

CHAT_TOOL = {
    "type": "function",
    "function": {"name": "look_up", "description": "Looks up.", "parameters": SCHEMA},
}
CHAT_OTHER = {"type": "function", "function": {"name": "other", "parameters": SCHEMA}}


def _said(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


CHAT: dict[str, dict[str, Any]] = {
    "max_tokens": {"max_tokens": 2000},
    "max_completion_tokens": {"max_completion_tokens": 2000},
    "temperature": {"temperature": 0.5},
    "temperature above 1": {"temperature": 1.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 40},
    "stop": {"stop": ["END"]},
    "seed": {"seed": 7},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "presence_penalty": {"presence_penalty": 0.5},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "n": {"n": 2},
    "response_format json_object": {"response_format": {"type": "json_object"}},
    "response_format json_schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": SCHEMA, "strict": True},
        }
    },
    "reasoning_effort": {"reasoning_effort": "high"},
    "reasoning (OpenRouter)": {"reasoning": {"max_tokens": 2000}},
    "thinking (DeepSeek)": {"thinking": {"type": "enabled"}},
    "tools": {"tools": [CHAT_TOOL]},
    "tools[].function.strict": {
        "tools": [{"type": "function", "function": {**CHAT_TOOL["function"], "strict": True}}]
    },
    "tools of type custom": {
        "tools": [{"type": "custom", "custom": {"name": "shell", "description": "Runs."}}]
    },
    "tool_choice none": {"tools": [CHAT_TOOL], "tool_choice": "none"},
    "tool_choice required": {"tools": [CHAT_TOOL], "tool_choice": "required"},
    "tool_choice one function": {
        "tools": [CHAT_TOOL, CHAT_OTHER],
        "tool_choice": {"type": "function", "function": {"name": "look_up"}},
    },
    "tool_choice allowed_tools": {
        "tools": [CHAT_TOOL, CHAT_OTHER],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [{"type": "function", "function": {"name": "look_up"}}],
            },
        },
    },
    "parallel_tool_calls": {"tools": [CHAT_TOOL], "parallel_tool_calls": False},
    "functions (legacy)": {"functions": [CHAT_TOOL["function"]], "function_call": "auto"},
    "web_search_options": {"web_search_options": {}},
    "modalities audio": {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    "prediction": {"prediction": {"type": "content", "content": "x"}},
    "user": {"user": "u-1"},
    "safety_identifier": {"safety_identifier": "u-1"},
    "metadata": {"metadata": {"a": "b"}},
    "store": {"store": True},
    "service_tier": {"service_tier": "flex"},
    "verbosity": {"verbosity": "low"},
    "prompt_cache_key": {"prompt_cache_key": "k"},
    "prompt_cache_retention": {"prompt_cache_retention": "24h"},
    "prompt_cache_options": {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
    "messages[].name": {"messages": [{"role": "user", "name": "ada", "content": "Hi"}]},
    "system message": {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    },
    "developer message": {
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    },
    "later system message": {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Go on"},
        ]
    },
    "image by data": _said({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}),
    "image by URL": _said({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
    "image_url.detail": _said(
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}}
    ),
    "file by data (PDF)": _said(
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
    ),
    "file by id": _said({"type": "file", "file": {"file_id": "file-1"}}),
    "input_audio": _said({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}),
    "cache_control": _said({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}),
    "tool result": {
        "tools": [CHAT_TOOL],
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "call1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "call1", "content": "found"},
        ],
    },
}

MESSAGES_TOOL = {"name": "look_up", "description": "Looks up.", "input_schema": SCHEMA}
MESSAGES_OTHER = {"name": "other", "input_schema": SCHEMA}
CALLED = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}]},
]


def _result(**more: Any) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found", **more}
    return {"tools": [MESSAGES_TOOL], "messages": [*CALLED, {"role": "user", "content": [result]}]}


MESSAGES: dict[str, dict[str, Any]] = {
    "max_tokens": {"max_tokens": 2001},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 40},
    "stop_sequences": {"stop_sequences": ["END"]},
    "system": {"system": "Be brief."},
    "system blocks": {"system": [{"type": "text", "text": "Be brief."}]},
    "cache_control": {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    },
    "thinking enabled": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 8000},
    "thinking adaptive": {"thinking": {"type": "adaptive"}},
    "thinking.display": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "output_config.effort": {"output_config": {"effort": "high"}},
    "output_config.format": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "tools": {"tools": [MESSAGES_TOOL]},
    "tools[].strict": {"tools": [{**MESSAGES_TOOL, "strict": True}]},
    "tools[].defer_loading": {"tools": [MESSAGES_TOOL, {**MESSAGES_OTHER, "defer_loading": True}]},
    "tools that the caller runs (bash, text_editor, memory)": {
        "tools": [
            {"type": "bash_20250124", "name": "bash"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            {"type": "memory_20250818", "name": "memory"},
        ]
    },
    "web_search beside other tools": {
        "tools": [MESSAGES_TOOL, {"type": "web_search_20250305", "name": "web_search"}]
    },
    "web_search alone": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "code_execution, computer": {
        "tools": [
            MESSAGES_TOOL,
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": "computer_20250124", "name": "computer", "display_width_px": 1, "display_height_px": 1},
        ]
    },
    "tool_choice none": {"tools": [MESSAGES_TOOL], "tool_choice": {"type": "none"}},
    "tool_choice any": {"tools": [MESSAGES_TOOL], "tool_choice": {"type": "any"}},
    "tool_choice tool": {
        "tools": [MESSAGES_TOOL, MESSAGES_OTHER],
        "tool_choice": {"type": "tool", "name": "look_up"},
    },
    "disable_parallel_tool_use": {
        "tools": [MESSAGES_TOOL],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "metadata.user_id": {"metadata": {"user_id": "u-1"}},
    "service_tier": {"service_tier": "standard_only"},
    "mcp_servers": {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "m"}]},
    "thread": {"thread": {"type": "create"}},
    "container": {"container": "c-1"},
    "context_management": {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
    "inference_geo": {"inference_geo": "us"},
    "image by data": _said(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    ),
    "image by URL": _said({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
    "image.transformations": _said(
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
            "transformations": {"oversized_image": "error"},
        }
    ),
    "document by data (PDF)": _said(
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
    ),
    "document by URL": _said(
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    ),
    "document of text": _said(
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Once"}}
    ),
    "document by file_id": _said({"type": "document", "source": {"type": "file", "file_id": "file-1"}}),
    "document.citations": _said(
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Once"},
            "citations": {"enabled": True},
        }
    ),
    "search_result": _said(
        {
            "type": "search_result",
            "source": "https://example.com/a",
            "title": "A",
            "content": [{"type": "text", "text": "Once"}],
        }
    ),
    "tool_result": _result(),
    "tool_result.is_error": _result(is_error=True),
    "tool_result with an image": _result(
        content=[{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]
    ),
    "later system message": {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Go on"},
        ]
    },
}

RESPONSES_TOOL = {"type": "function", "name": "look_up", "description": "Looks up.", "parameters": SCHEMA}
RESPONSES_OTHER = {"type": "function", "name": "other", "parameters": SCHEMA}


def _item(*content: Any) -> dict[str, Any]:
    return {"input": [{"type": "message", "role": "user", "content": list(content)}]}


RESPONSES: dict[str, dict[str, Any]] = {
    "instructions": {"instructions": "Be brief."},
    "max_output_tokens": {"max_output_tokens": 2000},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_logprobs": {"top_logprobs": 2, "include": ["message.output_text.logprobs"]},
    "text.format json_object": {"text": {"format": {"type": "json_object"}}},
    "text.format json_schema": {
        "text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}}
    },
    "text.verbosity": {"text": {"verbosity": "low"}},
    "reasoning.effort": {"reasoning": {"effort": "high"}},
    "reasoning.summary": {"reasoning": {"effort": "high", "summary": "detailed"}},
    "tools": {"tools": [RESPONSES_TOOL]},
    "tools of type custom": {"tools": [{"type": "custom", "name": "shell", "description": "Runs."}]},
    "tools of type namespace": {
        "tools": [{"type": "namespace", "name": "agents", "description": "A", "tools": [RESPONSES_TOOL]}]
    },
    "tools[].output_schema, defer_loading, allowed_callers": {
        "tools": [
            {
                **RESPONSES_TOOL,
                "output_schema": SCHEMA,
                "defer_loading": True,
                "allowed_callers": ["programmatic"],
            }
        ]
    },
    "tools of type web_search": {"tools": [RESPONSES_TOOL, {"type": "web_search"}]},
    "tools of type image_generation": {"tools": [RESPONSES_TOOL, {"type": "image_generation"}]},
    "tools of type file_search": {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    "tools of type code_interpreter": {
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]
    },
    "tools of type computer, mcp": {
        "tools": [
            RESPONSES_TOOL,
            {"type": "computer"},
            {"type": "mcp", "server_label": "m", "server_url": "https://example.com"},
        ]
    },
    "tools that the caller runs (local_shell, shell, apply_patch)": {
        "tools": [{"type": "local_shell"}, {"type": "shell"}, {"type": "apply_patch"}]
    },
    "tool_choice none": {"tools": [RESPONSES_TOOL], "tool_choice": "none"},
    "tool_choice required": {"tools": [RESPONSES_TOOL], "tool_choice": "required"},
    "tool_choice one function": {
        "tools": [RESPONSES_TOOL, RESPONSES_OTHER],
        "tool_choice": {"type": "function", "name": "look_up"},
    },
    "tool_choice allowed_tools": {
        "tools": [RESPONSES_TOOL, RESPONSES_OTHER],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "look_up"}],
        },
    },
    "parallel_tool_calls": {"tools": [RESPONSES_TOOL], "parallel_tool_calls": False},
    "max_tool_calls": {"tools": [RESPONSES_TOOL], "max_tool_calls": 3},
    "previous_response_id": {"previous_response_id": "resp_1"},
    "conversation": {"conversation": "conv_1"},
    "prompt": {"prompt": {"id": "pmpt_1"}},
    "background": {"background": True},
    "truncation": {"truncation": "auto"},
    "store": {"store": True},
    "metadata": {"metadata": {"a": "b"}},
    "service_tier": {"service_tier": "flex"},
    "user": {"user": "u-1"},
    "safety_identifier": {"safety_identifier": "u-1"},
    "prompt_cache_key": {"prompt_cache_key": "k"},
    "client_metadata": {"client_metadata": {"a": "b"}},
    "developer item": {
        "input": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    },
    "input_image by data": _item({"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}),
    "input_image by URL": _item({"type": "input_image", "image_url": "https://example.com/a.png"}),
    "input_image.detail": _item(
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "low"}
    ),
    "input_image by file_id": _item({"type": "input_image", "file_id": "file-1"}),
    "input_file by data (PDF)": _item(
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    ),
    "input_file by URL": _item({"type": "input_file", "file_url": "https://example.com/a.pdf"}),
    "input_file by id": _item({"type": "input_file", "file_id": "file-1"}),
    "input_file.detail": _item(
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": f"data:application/pdf;base64,{PDF}",
            "detail": "high",
        }
    ),
    "input_audio": _item({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}),
    "item_reference": {"input": [{"type": "item_reference", "id": "msg_1"}]},
    "function_call_output": {
        "tools": [RESPONSES_TOOL],
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "call1", "name": "look_up", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call1", "output": "found"},
        ],
    },
    "function_call_output with an image": {
        "tools": [RESPONSES_TOOL],
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "call1", "name": "look_up", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "call1",
                "output": [{"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}],
            },
        ],
    },
    "function_call.async": {
        "tools": [RESPONSES_TOOL],
        "input": [
            {"role": "user", "content": "Hi"},
            {
                "type": "function_call",
                "call_id": "call1",
                "name": "look_up",
                "arguments": "{}",
                "async": True,
            },
            {"type": "function_call_output", "call_id": "call1", "output": "found"},
        ],
    },
}

DECLARED = {
    "functionDeclarations": [
        {
            "name": "look_up",
            "description": "Looks up.",
            "parameters": {
                "type": "OBJECT",
                "properties": {"city": {"type": "STRING"}},
                "required": ["city"],
            },
        }
    ]
}
DECLARED_TWO = {"functionDeclarations": [*DECLARED["functionDeclarations"], {"name": "other"}]}


def _contents(*parts: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": list(parts)}]}


def _config(**settings: Any) -> dict[str, Any]:
    return {"generationConfig": settings}


GEMINI: dict[str, dict[str, Any]] = {
    "systemInstruction": {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
    "maxOutputTokens": _config(maxOutputTokens=2000),
    "temperature": _config(temperature=0.5),
    "temperature above 1": _config(temperature=1.5),
    "topP": _config(topP=0.5),
    "topK": _config(topK=40),
    "stopSequences": _config(stopSequences=["END"]),
    "seed": _config(seed=7),
    "frequencyPenalty": _config(frequencyPenalty=0.5),
    "presencePenalty": _config(presencePenalty=0.5),
    "candidateCount": _config(candidateCount=2),
    "responseLogprobs": _config(responseLogprobs=True, logprobs=2),
    "responseMimeType": _config(responseMimeType="application/json"),
    "responseSchema": _config(
        responseMimeType="application/json",
        responseSchema={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
    ),
    "responseJsonSchema": _config(responseMimeType="application/json", responseJsonSchema=SCHEMA),
    "responseModalities IMAGE": _config(responseModalities=["TEXT", "IMAGE"]),
    "speechConfig": _config(speechConfig={"voiceConfig": {}}),
    "mediaResolution": _config(mediaResolution="MEDIA_RESOLUTION_LOW"),
    "thinkingBudget": _config(thinkingConfig={"thinkingBudget": 2000}),
    "thinkingBudget 0": _config(thinkingConfig={"thinkingBudget": 0}),
    "thinkingLevel": _config(thinkingConfig={"thinkingLevel": "HIGH"}),
    "thinkingLevel XHIGH": _config(thinkingConfig={"thinkingLevel": "XHIGH"}),
    "functionDeclarations": {"tools": [DECLARED]},
    "googleSearch": {"tools": [{"googleSearch": {}}]},
    "googleSearch beside functions": {"tools": [DECLARED, {"googleSearch": {}}]},
    "codeExecution": {"tools": [{"codeExecution": {}}]},
    "urlContext": {"tools": [{"urlContext": {}}]},
    "functionCallingConfig NONE": {
        "tools": [DECLARED],
        "toolConfig": {"functionCallingConfig": {"mode": "NONE"}},
    },
    "functionCallingConfig ANY": {
        "tools": [DECLARED],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    },
    "allowedFunctionNames": {
        "tools": [DECLARED_TWO],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look_up"]}},
    },
    "safetySettings": {
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    },
    "cachedContent": {"cachedContent": "cachedContents/1"},
    "labels": {"labels": {"a": "b"}},
    "inlineData image": _contents({"inlineData": {"mimeType": "image/png", "data": PIXEL}}),
    "inlineData image that the model made": {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"inlineData": {"mimeType": "image/png", "data": PIXEL}}]},
            {"role": "user", "parts": [{"text": "Bluer"}]},
        ]
    },
    "inlineData PDF": _contents({"inlineData": {"mimeType": "application/pdf", "data": PDF}}),
    "inlineData audio": _contents({"inlineData": {"mimeType": "audio/wav", "data": WAV}}),
    "inlineData video": _contents({"inlineData": {"mimeType": "video/mp4", "data": WAV}}),
    "fileData by URL": _contents(
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}}
    ),
    "fileData of the Files API": _contents(
        {
            "fileData": {
                "mimeType": "image/png",
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
            }
        }
    ),
    "functionResponse": {
        "tools": [DECLARED],
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "look_up", "args": {}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "look_up", "response": {"result": "found"}}}],
            },
        ],
    },
    "partMetadata": {"contents": [{"role": "user", "parts": [{"text": "Hi", "partMetadata": {"k": "v"}}]}]},
}

PLAIN: dict[str, dict[str, Any]] = {
    "openai-chat": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "openai-responses": {"model": "m", "input": [{"role": "user", "content": "Hi"}], "store": False},
    "anthropic-messages": {"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hi"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
EXAMPLES = {
    "openai-chat": CHAT,
    "openai-responses": RESPONSES,
    "anthropic-messages": MESSAGES,
    "gemini": GEMINI,
}


def body_of(source: str, field: str) -> bytes:
    """A request in a dialect with one field added to the plain one."""
    return json.dumps({**PLAIN[source], **EXAMPLES[source][field]}).encode()
