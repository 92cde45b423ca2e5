"""What the tests of the Messages dialect hold replies against: the official SDK, a checker of the stream's
grammar, and a reading of a recorded answer that shares nothing with the dialect."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2

from pointsman.core.events import Reply, ReplyEvent, fold
from pointsman.core.request import RedactedThinking, Text, Thinking, ToolCall
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.seals import Kind, untag

CONTEXT = ReplyContext("pm_0190test", "opus", 1_700_000_000, stream_usage=True)


@dataclass
class Meaning:
    """An answer without its packaging. Every tool input as a value, thinking as (text, signature), sources as
    (address, title, quote). `seals` are those of texts and calls."""

    text: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    thinking: list[tuple[str, str]] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)
    sources: list[tuple[str, str | None, str]] = field(default_factory=list)
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, int] = field(default_factory=dict)


_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def _sealed(text: str) -> str:
    """What the provider itself had written, whether or not it was tagged on its way out."""
    tagged = untag(text)
    return text if tagged is None else tagged.seal.data


def _read_block(meaning: Meaning, block: dict[str, Any]) -> None:
    match block["type"]:
        case "text":
            meaning.text += block["text"]
            for cited in block.get("citations") or []:
                if "url" in cited:
                    meaning.sources.append((cited["url"], cited.get("title"), cited["cited_text"]))
        case "tool_use":
            meaning.calls.append((block["id"], block["name"], block["input"]))
        case "thinking" if (tagged := untag(block["signature"])) and tagged.kind in {Kind.CALL, Kind.TEXT}:
            meaning.seals.append(tagged.seal.data)
        case "thinking" if block["thinking"] or block["signature"]:
            meaning.thinking.append((block["thinking"], _sealed(block["signature"])))
        case "redacted_thinking":
            meaning.redacted.append(_sealed(block["data"]))


def meaning_of_body(body: dict[str, Any]) -> Meaning:
    meaning = Meaning(stop_reason=body["stop_reason"], stop_sequence=body["stop_sequence"])
    for block in body["content"]:
        _read_block(meaning, block)
    meaning.text += (body.get("stop_details") or {}).get("explanation") or ""
    meaning.usage = {name: body["usage"].get(name) or 0 for name in _COUNTS}
    return meaning


def events_of(stream: bytes) -> list[dict[str, Any]]:
    lines = stream.decode().replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


def body_of_stream(stream: bytes) -> dict[str, Any]:
    """The message of a recorded stream, assembled as the documentation says; its first message only."""
    body: dict[str, Any] = {}
    pieces: dict[int, list[str]] = {}
    for event in events_of(stream):
        match event["type"]:
            case "message_start":
                body = event["message"]
                body["content"] = []
            case "content_block_start":
                body["content"].append(event["content_block"])
                pieces[event["index"]] = []
            case "content_block_delta":
                block, delta = body["content"][event["index"]], event["delta"]
                for name in ("text", "thinking"):
                    if name in delta:
                        block[name] += delta[name]
                if "signature" in delta:
                    block["signature"] = delta["signature"]
                if "citation" in delta:
                    block["citations"] = [*(block.get("citations") or []), delta["citation"]]
                if "partial_json" in delta:
                    pieces[event["index"]].append(delta["partial_json"])
            case "content_block_stop":
                block = body["content"][event["index"]]
                if "".join(pieces[event["index"]]):
                    block["input"] = json.loads("".join(pieces[event["index"]]))
                if block["type"] == "thinking":
                    block.setdefault("signature", "")
            case "message_delta":
                body["stop_reason"] = event["delta"]["stop_reason"]
                body["stop_sequence"] = event["delta"]["stop_sequence"]
                body["stop_details"] = event["delta"].get("stop_details")
                body["usage"].update({k: v for k, v in event["usage"].items() if v is not None})
            case "message_stop":
                break
    return body


_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "pause": "pause_turn"}


def meaning_of_events(events: list[ReplyEvent]) -> Meaning:
    return meaning_of_reply(fold(events))


def meaning_of_reply(reply: Reply) -> Meaning:
    reason = reply.finished.reason
    meaning = Meaning(stop_reason=_REASONS.get(reason, reason), stop_sequence=reply.finished.stop_sequence)
    for part in reply.parts:
        match part:
            case Text(text, _, seal, citations):
                meaning.text += text
                meaning.seals += [seal.data] if seal else []
                meaning.sources += [
                    (each.url, each.title, each.quote or "") for each in citations if each.url
                ]
            case ToolCall(call_id, name, arguments, seal):
                meaning.seals += [seal.data] if seal else []
                meaning.calls.append((call_id, name, json.loads(arguments)))
            case Thinking(text, seal):
                meaning.thinking.append((text, _sealed(seal.data) if seal else ""))
            case RedactedThinking(seal):
                meaning.redacted.append(_sealed(seal.data))
            case _:
                raise AssertionError(part)
    usage = reply.usage
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    meaning.usage = {
        # at least 0: one provider counts more tokens as cached than as input
        "input_tokens": max((usage.input_tokens or 0) - read - written, 0),
        "output_tokens": usage.output_tokens or 0,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    return meaning


# the official SDK


class _Gateway:
    """Answers every request of the one SDK client with what it was last told to."""

    def __init__(self) -> None:
        self.answer = httpx2.Response(500)
        self.client = anthropic.Anthropic(
            api_key="test",
            base_url="http://gateway.test",
            max_retries=0,
            http_client=httpx2.Client(transport=httpx2.MockTransport(lambda _: self.answer)),
        )

    def answering(self, status: int, content_type: str, body: bytes, **headers: str) -> anthropic.Anthropic:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = httpx2.Response(status, headers={"content-type": content_type, **named}, content=body)
        return self.client


_GATEWAY = _Gateway()
_ASK: Any = {"model": "opus", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def sdk_message(body: bytes) -> anthropic.types.Message:
    return _GATEWAY.answering(200, "application/json", body).messages.create(**_ASK)


def sdk_stream(stream: bytes) -> anthropic.types.Message:
    with _GATEWAY.answering(200, "text/event-stream", stream).messages.stream(**_ASK) as answer:
        return answer.get_final_message()


def sdk_error(status: int, body: bytes, **headers: str) -> anthropic.APIStatusError:
    try:
        _GATEWAY.answering(status, "application/json", body, **headers).messages.create(**_ASK)
    except anthropic.APIStatusError as error:
        return error
    raise AssertionError("the SDK saw no error")


def meaning_of_message(message: anthropic.types.Message) -> Meaning:
    # strict: what the SDK only constructs must also be what its types say
    strict = anthropic.types.Message.model_validate(message.model_dump(warnings="error"), strict=True)
    return meaning_of_body(strict.model_dump())


# the grammar of a stream

_DELTA_OF = {
    "text": {"text_delta", "citations_delta"},
    "tool_use": {"input_json_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set(),
}


def check_grammar(stream: bytes) -> None:
    """Raises AssertionError unless the stream is one whole, well-formed reply."""
    assert stream.endswith(b"\n\n")
    frames = [frame.split("\n") for frame in stream.decode().removesuffix("\n\n").split("\n\n")]
    kinds = []
    state, index, block, seen = "before", 0, "", []
    for frame in frames:
        assert len(frame) == 2, frame
        assert frame[0].startswith("event: ")
        assert frame[1].startswith("data: ")
        name, event = frame[0][7:], json.loads(frame[1][6:])
        assert event["type"] == name
        kinds.append(name)
        match state, name:
            case _, "ping":
                pass
            case "before", "message_start":
                message = event["message"]
                assert message["id"].startswith("msg_")
                assert message["type"] == "message"
                assert message["role"] == "assistant"
                assert message["content"] == []
                assert message["stop_reason"] is None
                assert message["stop_sequence"] is None
                assert isinstance(message["usage"]["input_tokens"], int)
                assert isinstance(message["usage"]["output_tokens"], int)
                state = "between"
            case "between", "content_block_start":
                assert event["index"] == index
                block, seen = event["content_block"]["type"], []
                if block == "tool_use":
                    assert event["content_block"]["input"] == {}
                state = "within"
            case "within", "content_block_delta":
                assert event["index"] == index
                kind = event["delta"]["type"]
                assert kind in _DELTA_OF[block]
                assert seen[-1:] != ["signature_delta"], "nothing follows a signature"
                seen.append(kind)
            case "within", "content_block_stop":
                assert event["index"] == index
                if block == "tool_use":
                    assert seen, "a call is given arguments at least once"
                if block == "thinking":
                    assert seen[-1:] == ["signature_delta"], "a thinking block ends with its signature"
                index += 1
                state = "between"
            case "between", "message_delta":
                assert event["delta"]["stop_reason"] is not None
                assert "stop_sequence" in event["delta"]
                assert isinstance(event["usage"]["output_tokens"], int)
                state = "counted"
            case "counted", "message_stop":
                state = "ended"
            case _:
                raise AssertionError(f"{name} while {state}")
    assert state == "ended", kinds


# the rules of a request


def check_request_rules(body: dict[str, Any]) -> None:
    """Raises AssertionError where the API is known to refuse the request."""
    assert body["max_tokens"] >= 1
    for block in body["system"] if isinstance(body.get("system"), list) else ():
        assert block["text"].strip()
    calls: set[str] = set()
    last_role = ""
    for message in body["messages"]:
        assert message["role"] in {"user", "assistant"}
        assert message["role"] != last_role, "turns alternate"
        last_role = message["role"]
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert blocks
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert set(results) == calls, "every call is answered in the next message"
        assert len(results) == len(calls)
        kinds = [block["type"] for block in blocks]
        assert kinds[: len(results)] == ["tool_result"] * len(results), "results come first"
        calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
        assert len(calls) == kinds.count("tool_use")
        for block in blocks:
            match block["type"]:
                case "text":
                    assert block["text"].strip()
                case "tool_use":
                    assert re.fullmatch("[a-zA-Z0-9_-]+", block["id"])
                    assert isinstance(block["input"], dict)
                case "thinking":
                    assert block["signature"]
                case "image":
                    assert block["source"]["type"] in {"base64", "url"}
    assert not calls, "every call is answered"
    assert "temperature" not in body or 0 <= body["temperature"] <= 1
    assert not {"temperature", "top_p"} <= body.keys()
    names = [tool["name"] for tool in body.get("tools", [])]
    for tool in body.get("tools", []):
        assert tool["input_schema"]["type"] == "object"
        assert re.fullmatch("[a-zA-Z0-9_-]{1,128}", tool["name"])
    choice = body.get("tool_choice", {"type": "auto"})
    assert choice["type"] in {"auto", "any", "none", "tool"}
    assert "tool_choice" not in body or names
    assert choice["type"] != "tool" or choice["name"] in names
    thinking = body.get("thinking", {})
    if thinking.get("type") == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]
        assert choice["type"] in {"auto", "none"}
