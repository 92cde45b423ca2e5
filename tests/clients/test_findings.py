"""What real clients were seen to do that a gateway must know, each as a test: bodies and headers as they send them, cut
down to what matters, towards vendors of every dialect."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from clients.talk import COLOUR_SCHEMA, PIXEL, TOOL_SCHEMA
from clients.vendors import DIALECTS, Vendors, running_vendors
from clients.vendors.script import COLOUR, FACTS, THOUGHT, TOOL, lamp
from gateways import Gateway, running_gateway

pytestmark = pytest.mark.xdist_group("findings")

KEY = "key-of-the-gateway"
BEARER = {"authorization": f"Bearer {KEY}"}
VERSION = {"anthropic-version": "2023-06-01"}
NEW_VERSION = {"anthropic-version": "2026-10-21"}
GOOGLE = {"x-goog-api-key": KEY}
LOOK_UP = "look up bird and tree"
FOUND = "I found a robin, an oak."

each_vendor = pytest.mark.parametrize("vendor", DIALECTS)


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        assert self.status == 200, self.body
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        lines = self.body.decode().replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


@dataclass
class Scene:
    gateway: Gateway
    vendors: Vendors

    def ask(
        self, path: str, body: object | None = None, headers: Mapping[str, str] = BEARER, method: str = "POST"
    ) -> Answered:
        connection = http.client.HTTPConnection(*self.gateway.address, timeout=60)
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, path, sent, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        answered = Answered(response.status, told, response.read())
        connection.close()
        return answered

    def get(self, path: str, headers: Mapping[str, str]) -> Answered:
        return self.ask(path, None, headers, "GET")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yaml = "server: {master_key: $GATEWAY_KEY}\n"
    folder = tmp_path_factory.mktemp("findings")
    with running_vendors(lamp) as vendors:
        environ = {**vendors.environ(), "GATEWAY_KEY": KEY}
        with running_gateway(yaml + vendors.yaml(), folder, environ) as gateway:
            yield Scene(gateway, vendors)


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    stage.vendors.forget()
    yield stage
    assert stage.vendors.refused == []


def messages(vendor: str, *turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    said = turns or ({"role": "user", "content": "say hello"},)
    return {"model": vendor, "max_tokens": 32_000, "messages": said, **fields}


def chat(vendor: str, *turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": vendor, "messages": turns or ({"role": "user", "content": "say hello"},), **fields}


MESSAGES_TOOL = {"name": TOOL, "description": "Looks up.", "input_schema": TOOL_SCHEMA}
CHAT_TOOL = {
    "type": "function",
    "function": {"name": TOOL, "description": "Looks up.", "parameters": TOOL_SCHEMA},
}
ORDER: dict[str, Any] = {"role": "user", "content": LOOK_UP}


# 1 to 3: how the Anthropic SDKs knock


@each_vendor
@pytest.mark.parametrize("credential", [BEARER, {"x-api-key": KEY}], ids=["bearer", "x-api-key"])
def test_messages_take_a_key_in_either_header(
    scene: Scene, vendor: str, credential: Mapping[str, str]
) -> None:
    told = scene.ask("/v1/messages", messages(vendor), {**VERSION, **credential}).json()
    assert told["content"] == [{"type": "text", "text": "hello"}]


def test_a_wrong_bearer_key_on_messages_is_told_as_anthropic_tells_it(scene: Scene) -> None:
    told = scene.ask("/v1/messages", messages("gemini"), {**NEW_VERSION, "authorization": "Bearer wrong"})
    assert told.status == 401
    assert json.loads(told.body)["error"]["type"] == "authentication_error"


@each_vendor
def test_the_anthropic_version_of_2026_is_as_good_as_the_old_one(scene: Scene, vendor: str) -> None:
    assert scene.ask("/v1/messages", messages(vendor), {**NEW_VERSION, **BEARER}).json()["type"] == "message"


@each_vendor
@pytest.mark.parametrize("query", ["", "?beta=true"])
def test_beta_messages_come_with_and_without_the_query(scene: Scene, vendor: str, query: str) -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    headers = {**NEW_VERSION, **BEARER, "anthropic-beta": "context-management-2025-06-27"}
    told = scene.ask(f"/v1/messages{query}", messages(vendor, context_management=edits), headers)
    assert told.json()["stop_reason"] == "end_turn"


# 4: Google's paths, and the list of three shapes


@each_vendor
@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse"])
def test_gemini_is_spoken_on_both_versions(scene: Scene, vendor: str, version: str, verb: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "say hello"}]}], "generationConfig": {}}
    told = scene.ask(f"/{version}/models/{vendor}:{verb}", body, GOOGLE)
    chunks = told.events() if "stream" in verb else [told.json()]
    parts = [part for chunk in chunks for part in chunk["candidates"][0].get("content", {}).get("parts", [])]
    assert "".join(part["text"] for part in parts) == "hello"


@pytest.mark.parametrize(
    ("path", "headers", "names"),
    [
        ("/v1/models", BEARER, "data"),
        ("/v1/models?limit=1000", {**VERSION, **BEARER, "user-agent": "claude-code/2.1.329"}, "data"),
        ("/v1/models", {**NEW_VERSION, **BEARER}, "data"),
        ("/v1/models", GOOGLE, "models"),
        ("/v1/models", {**BEARER, "x-goog-api-client": "google-genai-sdk/3.4.0"}, "models"),
        (f"/v1/models?key={KEY}", {}, "models"),
        ("/v1beta/models", GOOGLE, "models"),
    ],
)
def test_one_path_lists_models_in_three_shapes(
    scene: Scene, path: str, headers: Mapping[str, str], names: str
) -> None:
    told = scene.get(path, headers).json()
    ids = [model.get("id") or model["name"].removeprefix("models/") for model in told[names]]
    assert ids[0] == "auto"
    assert set(DIALECTS) <= set(ids)
    assert ("has_more" in told) == ("anthropic-version" in headers)
    assert (told.get("object") == "list") == (headers == BEARER)


@each_vendor
@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        (
            "/v1/messages/count_tokens?beta=true",
            {"messages": [{"role": "user", "content": "Hi"}]},
            "input_tokens",
        ),
        ("/v1/responses/input_tokens", {"input": "Hi"}, "input_tokens"),
        ("/v1/models/{}:countTokens", {"contents": [{"parts": [{"text": "Hi"}]}]}, "totalTokens"),
        ("/v1beta/models/{}:countTokens", {"contents": [{"parts": [{"text": "Hi"}]}]}, "totalTokens"),
    ],
)
def test_tokens_can_be_counted_for_every_model(
    scene: Scene, vendor: str, path: str, body: dict[str, Any], name: str
) -> None:
    """Behind another gateway this was a 404 or a 500."""
    asked = body if "{}" in path else {"model": vendor, **body}
    told = scene.ask(path.format(vendor), asked, {**VERSION, **BEARER} if "messages" in path else BEARER)
    assert told.json()[name] > 0


# 5: two spellings in one body


SNAKE_TOOL = {
    "function_declarations": [{"name": TOOL, "description": "Looks up.", "parameters": TOOL_SCHEMA}]
}
MIXED_TOOL = {"functionDeclarations": [{"name": TOOL, "parameters_json_schema": TOOL_SCHEMA}]}


@each_vendor
@pytest.mark.parametrize("tool", [SNAKE_TOOL, MIXED_TOOL], ids=["snake", "mixed"])
def test_tools_of_gemini_clients_arrive_in_either_spelling(
    scene: Scene, vendor: str, tool: dict[str, Any]
) -> None:
    """Tools or their parameters got lost behind another gateway, and the model answered without them."""
    user = {"role": "user", "parts": [{"text": LOOK_UP}]}
    asked: dict[str, Any] = {"contents": [user], "tools": [tool]}
    content = scene.ask(f"/v1beta/models/{vendor}:generateContent", asked, GOOGLE).json()["candidates"][0][
        "content"
    ]
    calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    assert [call["args"] for call in calls] == [{"key": "bird"}, {"key": "tree"}]
    snake = [
        {"function_call": {"name": TOOL, "args": part["functionCall"]["args"]}}
        | ({"thoughtSignature": part["thoughtSignature"]} if "thoughtSignature" in part else {})
        for part in content["parts"]
        if "functionCall" in part
    ]
    results = [
        {"function_response": {"name": TOOL, "response": {"result": FACTS[key]}}} for key in ("bird", "tree")
    ]
    asked["contents"] = [user, {"role": "model", "parts": snake}, {"role": "user", "parts": results}]
    told = scene.ask(f"/v1beta/models/{vendor}:generateContent", asked, GOOGLE).json()
    assert told["candidates"][0]["content"]["parts"][-1]["text"] == FOUND


@each_vendor
def test_what_pydantic_ai_says_to_gemini_is_understood(scene: Scene, vendor: str) -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "say hello"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        "tools": [MIXED_TOOL],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
        "generationConfig": {"responseModalities": ["TEXT"]},
    }
    told = scene.ask(f"/v1beta/models/{vendor}:generateContent", body, GOOGLE).json()
    assert told["candidates"][0]["finishReason"] == "STOP"


@each_vendor
def test_ids_that_a_gemini_client_makes_up_match_its_results(scene: Scene, vendor: str) -> None:
    """Gemini CLI and OpenClaw give calls ids of their own; two calls of one function must stay apart."""
    calls = [
        {"functionCall": {"name": TOOL, "args": {"key": key}, "id": f"own-{key}"}} for key in ("bird", "tree")
    ]
    calls[0]["thoughtSignature"] = "skip_thought_signature_validator"
    results = [
        {"functionResponse": {"name": TOOL, "id": f"own-{key}", "response": {"output": FACTS[key]}}}
        for key in ("tree", "bird")
    ]
    if vendor == "gemini":
        results.reverse()  # its own API goes by order
    contents = [
        {"role": "user", "parts": [{"text": LOOK_UP}]},
        {"role": "model", "parts": calls},
        {"role": "user", "parts": results},
    ]
    body = {"contents": contents, "tools": [MIXED_TOOL]}
    told = scene.ask(f"/v1beta/models/{vendor}:generateContent", body, GOOGLE).json()
    assert told["candidates"][0]["content"]["parts"][-1]["text"] == FOUND


# 6: what OpenClaw does to ids and turns


@each_vendor
@pytest.mark.parametrize("thinks", [False, True], ids=["at_once", "thinking"])
def test_seals_are_found_by_ids_without_their_punctuation(scene: Scene, vendor: str, thinks: bool) -> None:
    effort = {"reasoning_effort": "high"} if thinks else {}
    asked = chat(vendor, ORDER, tools=[CHAT_TOOL], **effort)
    said = scene.ask("/v1/chat/completions", asked).json()["choices"][0]["message"]
    calls = [{**call, "id": re.sub(r"[^A-Za-z0-9]", "", call["id"])} for call in said["tool_calls"]]
    turn = {"role": "assistant", "content": "", "tool_calls": calls}
    if "reasoning_content" in said and vendor == "openai-chat":
        turn["reasoning_content"] = said["reasoning_content"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": fact}
        for call, fact in zip(calls, (FACTS["bird"], FACTS["tree"]), strict=True)
    ]
    told = scene.ask("/v1/chat/completions", {**asked, "messages": [ORDER, turn, *results]}).json()
    assert told["choices"][0]["message"]["content"] == FOUND
    home = scene.vendors[vendor]
    assert set(home.sealed_with_calls) <= set(home.served[-1].seals)


@each_vendor
def test_ids_of_calls_are_short_and_carry_nothing(scene: Scene, vendor: str) -> None:
    """OpenClaw cuts long ids and strips what is neither letter nor digit; ids made here survive that."""
    asked = chat(vendor, ORDER, tools=[CHAT_TOOL])
    calls = scene.ask("/v1/chat/completions", asked).json()["choices"][0]["message"]["tool_calls"]
    ids = [call["id"] for call in calls]
    assert len(set(ids)) == 2
    assert all(len(id_) <= 40 and re.fullmatch(r"[A-Za-z0-9_-]+", id_) for id_ in ids), ids


BIRD_AND_TREE = [("call1", "bird"), ("call2", "tree")]
AFTERTHOUGHT = "And be brief about it."


@each_vendor
def test_a_user_may_speak_again_behind_the_results_of_tools(scene: Scene, vendor: str) -> None:
    calls = [
        {"id": id_, "type": "function", "function": {"name": TOOL, "arguments": json.dumps({"key": key})}}
        for id_, key in BIRD_AND_TREE
    ]
    results = [{"role": "tool", "tool_call_id": id_, "content": FACTS[key]} for id_, key in BIRD_AND_TREE]
    turns = [ORDER, {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    again = {"role": "user", "content": AFTERTHOUGHT}
    told = scene.ask("/v1/chat/completions", chat(vendor, *turns, again, tools=[CHAT_TOOL])).json()
    assert told["choices"][0]["message"]["content"] == FOUND
    assert AFTERTHOUGHT in scene.vendors[vendor].served[-1].texts


@each_vendor
def test_two_user_messages_in_a_row_are_heard_on_messages(scene: Scene, vendor: str) -> None:
    calls = [
        {"type": "tool_use", "id": id_, "name": TOOL, "input": {"key": key}} for id_, key in BIRD_AND_TREE
    ]
    results = [
        {"type": "tool_result", "tool_use_id": id_, "content": FACTS[key]} for id_, key in BIRD_AND_TREE
    ]
    turns = [
        ORDER,
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
        {"role": "user", "content": AFTERTHOUGHT},
    ]
    told = scene.ask(
        "/v1/messages", messages(vendor, *turns, tools=[MESSAGES_TOOL]), {**VERSION, **BEARER}
    ).json()
    assert told["content"] == [{"type": "text", "text": FOUND}]
    assert AFTERTHOUGHT in scene.vendors[vendor].served[-1].texts


@each_vendor
def test_a_user_item_may_stand_before_a_call_on_responses(scene: Scene, vendor: str) -> None:
    calls = [
        {"type": "function_call", "call_id": id_, "name": TOOL, "arguments": json.dumps({"key": key})}
        for id_, key in BIRD_AND_TREE
    ]
    outputs = [
        {"type": "function_call_output", "call_id": id_, "output": FACTS[key]} for id_, key in BIRD_AND_TREE
    ]
    again = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": AFTERTHOUGHT}]}
    tool = {"type": "function", "name": TOOL, "parameters": TOOL_SCHEMA, "strict": False}
    body = {"model": vendor, "input": [ORDER, again, *calls, *outputs], "tools": [tool], "store": False}
    told = scene.ask("/v1/responses", body).json()
    assert told["output"][-1]["content"][0]["text"] == FOUND
    assert AFTERTHOUGHT in scene.vendors[vendor].served[-1].texts


@each_vendor
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_every_thought_is_signed_towards_messages_clients(scene: Scene, vendor: str, streams: bool) -> None:
    """Of thoughts without a signature OpenClaw makes words of the assistant when it sends its history."""
    thinking = {"type": "enabled", "budget_tokens": 2048}
    body = messages(vendor, ORDER, tools=[MESSAGES_TOOL], thinking=thinking, stream=streams)
    told = scene.ask("/v1/messages", body, {**VERSION, "x-api-key": KEY})
    blocks = gathered(told.events()) if streams else told.json()["content"]
    signatures = [block["signature"] for block in blocks if block["type"] == "thinking"]
    assert signatures
    assert all(signatures)


# 7: Codex


def codex(vendor: str, words: str, *items: dict[str, Any]) -> dict[str, Any]:
    def item(role: str, text: str) -> dict[str, Any]:
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}

    close = {"type": "function", "name": "close_agent", "parameters": TOOL_SCHEMA, "strict": False}
    return {
        "model": vendor,
        "stream": True,
        "input": [item("developer", "Rules."), item("developer", "More rules."), item("user", words), *items],
        "tools": [
            {
                "type": "function",
                "name": TOOL,
                "description": "Looks up.",
                "parameters": TOOL_SCHEMA,
                "strict": False,
            },
            {"type": "namespace", "name": "multi_agent_v1", "description": "Agents.", "tools": [close]},
            {"type": "web_search", "external_web_access": False},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01a1f8b0-2510-7231-beba-61afcc78e4d5",
        "client_metadata": {"session_id": "s", "turn_id": "t"},
    }


@each_vendor
def test_codex_is_understood_with_namespaces_and_its_own_items(scene: Scene, vendor: str) -> None:
    first = scene.ask("/v1/responses", codex(vendor, LOOK_UP)).events()[-1]
    assert first["type"] == "response.completed"
    items = []
    for item in first["response"]["output"]:
        if item["type"] == "reasoning":
            kept = {name: item[name] for name in ("type", "summary", "encrypted_content") if item.get(name)}
            items.append({"summary": [], **kept, "content": None})
        else:
            items.append({name: item[name] for name in ("type", "call_id", "name", "arguments")})
    calls = [item for item in items if item["type"] == "function_call"]
    outputs = [
        {"type": "function_call_output", "id": f"fco_{at}", "call_id": call["call_id"], "output": fact}
        for at, (call, fact) in enumerate(zip(calls, (FACTS["bird"], FACTS["tree"]), strict=True))
    ]
    second = scene.ask("/v1/responses", codex(vendor, LOOK_UP, *items, *outputs)).events()[-1]
    (said,) = (item for item in second["response"]["output"] if item["type"] == "message")
    assert said["content"][0]["text"] == FOUND
    asked = scene.vendors[vendor].served[-1]
    assert "Rules.\n" in asked.texts
    assert "More rules." in asked.texts
    if vendor != "openai-responses":
        assert any("close_agent" in name for name in asked.tools)


# 8: Claude Code

BILLING = "x-anthropic-billing-header: cc_version=2.1.329.abc; cc_entrypoint=sdk-cli;"
CLAUDE_CODE = {
    **VERSION,
    **BEARER,
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
    "x-app": "cli",
    "user-agent": "claude-cli/2.1.329 (external, sdk-cli)",
}


def claude_code(vendor: str, *turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TOOL_SCHEMA,
        "additionalProperties": False,
    }
    return messages(
        vendor,
        *(turns or [{"role": "user", "content": [{"type": "text", "text": "say hello"}]}]),
        stream=True,
        system=[
            {"type": "text", "text": BILLING},
            {
                "type": "text",
                "text": "You are an agent.",
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            },
        ],
        tools=[
            {"name": TOOL, "description": "Looks up.", "input_schema": schema},
            {"name": "Placeholder", "description": "Later.", "input_schema": schema, "defer_loading": True},
        ],
        metadata={"user_id": json.dumps({"device_id": "d" * 64, "account_uuid": "", "session_id": "s" * 36})},
        **fields,
    )


@each_vendor
@pytest.mark.parametrize(
    "thinking",
    [
        {"thinking": {"type": "enabled", "budget_tokens": 31_999, "display": "omitted"}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    ],
    ids=["budget", "adaptive"],
)
def test_claude_code_has_a_loop_with_everything_it_sends(
    scene: Scene, vendor: str, thinking: dict[str, Any]
) -> None:
    edits = {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}
    order = {"role": "user", "content": [{"type": "text", "text": LOOK_UP}]}
    first = scene.ask("/v1/messages?beta=true", claude_code(vendor, order, **thinking, **edits), CLAUDE_CODE)
    blocks = gathered(first.events())
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    results: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": call, "content": FACTS[key]}
        for call, key in zip(calls, ("bird", "tree"), strict=True)
    ]
    results[-1]["cache_control"] = {"type": "ephemeral"}
    results.reverse()  # they come as the tools finish
    turns = [order, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}]
    second = scene.ask(
        "/v1/messages?beta=true", claude_code(vendor, *turns, **thinking, **edits), CLAUDE_CODE
    )
    assert text_of(gathered(second.events())) == FOUND


def gathered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks of a stream, as an accumulator makes them."""
    blocks: list[dict[str, Any]] = []
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(blocks)
            blocks.append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            kind = delta["type"].removesuffix("_delta")
            name = {"input_json": "partial"}.get(kind, kind)
            piece = delta["partial_json"] if kind == "input_json" else delta[kind]
            blocks[event["index"]][name] = blocks[event["index"]].get(name, "") + piece
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = json.loads(block.pop("partial", "{}") or "{}")
    assert events[-1]["type"] == "message_stop"
    return blocks


def text_of(blocks: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in blocks if block["type"] == "text")


@each_vendor
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_an_answer_on_messages_ends_with_its_words(scene: Scene, vendor: str, streams: bool) -> None:
    """Claude Code prints the last block and nothing else."""
    thinking = {"type": "enabled", "budget_tokens": 2048}
    told = scene.ask("/v1/messages", messages(vendor, thinking=thinking, stream=streams), CLAUDE_CODE)
    blocks = gathered(told.events()) if streams else told.json()["content"]
    assert blocks[-1] == {"type": "text", "text": "hello"}


@each_vendor
def test_a_deferred_tool_survives_or_is_named_as_left_out(scene: Scene, vendor: str) -> None:
    told = scene.ask("/v1/messages", claude_code(vendor), CLAUDE_CODE)
    assert told.status == 200
    asked = scene.vendors[vendor].served[-1]
    if vendor == "anthropic-messages":
        assert asked.raw["tools"][1]["defer_loading"] is True
    else:
        assert "defer_loading" in told.headers["x-pointsman-dropped"]


@each_vendor
def test_a_cache_hint_stays_a_hint(scene: Scene, vendor: str) -> None:
    told = scene.ask("/v1/messages", claude_code(vendor), CLAUDE_CODE)
    assert text_of(gathered(told.events())) == "hello"
    sent = json.dumps(scene.vendors[vendor].served[-1].raw)
    assert ("cache_control" in sent) == (vendor == "anthropic-messages")


# 9 to 12: the others


@each_vendor
def test_a_stream_is_booked_with_its_usage_though_nobody_asked(scene: Scene, vendor: str) -> None:
    """Open WebUI sends no stream_options."""
    before = len(scene.gateway.booked)
    told = scene.ask("/v1/chat/completions", chat(vendor, stream=True))
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in told.events()) == "hello"
    entry, _ = scene.gateway.booked[before]
    if vendor != "openai-chat":
        assert entry.usage is not None
        assert (entry.usage.input_tokens, entry.usage.output_tokens) == (30, 7)


@each_vendor
@pytest.mark.parametrize("content", ["", None])
def test_calls_without_words_are_calls_without_words(scene: Scene, vendor: str, content: str | None) -> None:
    """opencode and Continue write "" beside tool calls, others null."""
    calls = [
        {"id": id_, "type": "function", "function": {"name": TOOL, "arguments": json.dumps({"key": key})}}
        for id_, key in BIRD_AND_TREE
    ]
    results = [{"role": "tool", "tool_call_id": id_, "content": FACTS[key]} for id_, key in BIRD_AND_TREE]
    turn = {"role": "assistant", "content": content, "tool_calls": calls}
    told = scene.ask(
        "/v1/chat/completions", chat(vendor, ORDER, turn, *results, tools=[CHAT_TOOL], stream=False)
    )
    assert told.json()["choices"][0]["message"]["content"] == FOUND


@each_vendor
def test_one_call_at_a_time_may_be_asked_of_everyone(scene: Scene, vendor: str) -> None:
    """llama-index says so always; who cannot be told has it named as left out."""
    body = chat(vendor, tools=[CHAT_TOOL], tool_choice="auto", parallel_tool_calls=False, temperature=0.1)
    if vendor == "openai-responses":
        del body["temperature"]
    told = scene.ask("/v1/chat/completions", body)
    assert told.status == 200, told.body


@each_vendor
def test_schemas_with_a_dialect_of_their_own_reach_everyone(scene: Scene, vendor: str) -> None:
    """ai-sdk writes $schema into every schema."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **TOOL_SCHEMA,
        "additionalProperties": False,
    }
    tool = {**MESSAGES_TOOL, "input_schema": schema}
    told = scene.ask(
        "/v1/messages", messages(vendor, ORDER, tools=[tool]), {**VERSION, "x-api-key": KEY}
    ).json()
    calls = [block["input"] for block in told["content"] if block["type"] == "tool_use"]
    assert calls == [{"key": "bird"}, {"key": "tree"}]


@each_vendor
def test_streams_are_not_compressed_for_clients_that_would_take_it(scene: Scene, vendor: str) -> None:
    headers = {**BEARER, "accept-encoding": "gzip, deflate, br, zstd"}
    told = scene.ask("/v1/chat/completions", chat(vendor, stream=True), headers)
    assert "content-encoding" not in told.headers
    assert b'"finish_reason"' in told.body


@each_vendor
def test_parallel_calls_of_one_function_stay_apart_in_a_stream(scene: Scene, vendor: str) -> None:
    """Behind another gateway both calls' arguments ran together in one block."""
    body = messages(vendor, ORDER, tools=[MESSAGES_TOOL], stream=True)
    blocks = gathered(scene.ask("/v1/messages", body, {**NEW_VERSION, **BEARER}).events())
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert [call["input"] for call in calls] == [{"key": "bird"}, {"key": "tree"}]
    assert len({call["id"] for call in calls}) == 2


@each_vendor
def test_thoughts_are_never_words_of_an_answer(scene: Scene, vendor: str) -> None:
    told = scene.ask("/v1/chat/completions", chat(vendor, reasoning_effort="high", stream=True))
    words = "".join(
        event["choices"][0]["delta"].get("content") or "" for event in told.events() if event["choices"]
    )
    assert words == "hello"
    assert THOUGHT not in words


@each_vendor
def test_a_picture_in_a_tools_result_is_seen(scene: Scene, vendor: str) -> None:
    """Agents look at screenshots this way; behind other gateways the picture was lost without a word."""
    order = {"role": "user", "content": "look up bird"}
    call = {"type": "tool_use", "id": "call1", "name": TOOL, "input": {"key": "bird"}}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    content = [{"type": "text", "text": FACTS["bird"]}, picture]
    result = {"type": "tool_result", "tool_use_id": "call1", "content": content}
    turns = [order, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    told = scene.ask("/v1/messages", messages(vendor, *turns, tools=[MESSAGES_TOOL]), {**VERSION, **BEARER})
    if vendor != "openai-chat":
        assert text_of(told.json()["content"]) == "I found a robin."
    images = [image for turn in scene.vendors[vendor].served[-1].turns for image in turn.images]
    assert images == [("image/png", PIXEL)]


# 13: frameworks, which have answers in a form as a call that must be made

COLOUR_TOOL = {"name": "final_result", "description": "The final result.", "parameters": COLOUR_SCHEMA}
OTHER_TOOL = {"name": TOOL, "description": "Looks up.", "parameters": TOOL_SCHEMA}
DESCRIBE = {"role": "user", "content": "describe"}


@each_vendor
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([COLOUR_TOOL], {"type": "function", "function": {"name": "final_result"}}),
        ([COLOUR_TOOL], "required"),
        ([COLOUR_TOOL, OTHER_TOOL], "required"),
        ([OTHER_TOOL, COLOUR_TOOL], {"type": "function", "function": {"name": "final_result"}}),
    ],
    ids=["named", "only", "any", "one of two"],
)
def test_a_call_that_must_be_made_is_made_on_chat(
    scene: Scene, vendor: str, tools: list[dict[str, Any]], choice: object, streams: bool
) -> None:
    """Instructor and LangChain name the one tool, pydantic-ai and smolagents leave the choice among theirs."""
    declared = [{"type": "function", "function": tool} for tool in tools]
    body = chat(vendor, DESCRIBE, tools=declared, tool_choice=choice, stream=streams)
    told = scene.ask("/v1/chat/completions", body)
    if streams:
        choices = [event["choices"][0] for event in told.events() if event["choices"]]
        pieces = [call for each in choices for call in each["delta"].get("tool_calls") or ()]
        finish = [each["finish_reason"] for each in choices if each["finish_reason"]]
    else:
        (answered,) = told.json()["choices"]
        pieces, finish = answered["message"]["tool_calls"], [answered["finish_reason"]]
    assert [piece["function"]["name"] for piece in pieces if piece["function"].get("name")] == [
        "final_result"
    ]
    assert json.loads("".join(piece["function"].get("arguments") or "" for piece in pieces)) == COLOUR
    assert finish == ["tool_calls"]


@each_vendor
@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "final_result"}])
def test_a_call_that_must_be_made_is_made_on_messages(
    scene: Scene, vendor: str, choice: dict[str, Any]
) -> None:
    tools = [
        {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
        for tool in (COLOUR_TOOL, OTHER_TOOL)
    ]
    told = scene.ask(
        "/v1/messages", messages(vendor, DESCRIBE, tools=tools, tool_choice=choice), {**VERSION, **BEARER}
    ).json()
    assert [block["input"] for block in told["content"] if block["type"] == "tool_use"] == [COLOUR]
    assert told["stop_reason"] == "tool_use"


@each_vendor
@pytest.mark.parametrize("then", ["the same", "openai-responses"])
def test_reasoning_that_is_only_referred_to_is_remembered(scene: Scene, vendor: str, then: str) -> None:
    """The AI SDK gives reasoning back as a reference where it does not forbid to store."""
    tool = {"type": "function", "name": TOOL, "parameters": TOOL_SCHEMA}
    body = {"model": vendor, "input": [ORDER], "tools": [tool]}
    output = scene.ask("/v1/responses", body).json()["output"]
    items = [
        {"type": "item_reference", "id": item["id"]}
        if item["type"] == "reasoning"
        else {name: item[name] for name in ("type", "call_id", "name", "arguments")}
        for item in output
    ]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    outputs = [
        {"type": "function_call_output", "call_id": call, "output": FACTS[key]}
        for call, key in zip(calls, ("bird", "tree"), strict=True)
    ]
    model = vendor if then == "the same" else then
    told = scene.ask("/v1/responses", {**body, "model": model, "input": [ORDER, *items, *outputs]}).json()
    assert told["output"][-1]["content"][0]["text"] == FOUND
    if then == "the same":
        home = scene.vendors[vendor]
        assert set(home.sealed_with_calls) <= set(home.served[-1].seals)
