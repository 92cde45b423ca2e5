"""What the tests of the responses dialect hold replies against: the official SDK, the grammar of a stream, and a
reading of a recorded answer that shares nothing with the dialect."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from openai.types.responses import Response

from pointsman.core.errors import UpstreamError
from pointsman.core.events import Failed, Reply, ReplyEvent, fold
from pointsman.core.request import Image, Text, Thinking, ToolCall
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

CONTEXT = ReplyContext("req_0190test", "tiny", 1_700_000_000)

Usage = tuple[int, int, int, int]
"""Input, output, cached and reasoning tokens; a detail that was not told counts 0, as it is written."""


@dataclass
class Meaning:
    """An answer without its packaging."""

    text: str = ""
    refusal: str = ""
    thinking: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    images: int = 0
    citations: int = 0
    finish_reason: str = ""
    usage: Usage | None = None


def envelope(**fields: Any) -> Envelope:
    return read_envelope(json.dumps({"model": "tiny", "input": "Hi", **fields}).encode())


# A plain reading of what was recorded


def sse_data(stream: str) -> list[dict[str, Any]]:
    lines = stream.replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def recorded_end(stream: str) -> dict[str, Any]:
    """The response of the first end (some recordings hold several replies), with what its items said where it repeats
    none of them."""
    events = sse_data(stream)
    ends = {"response.completed", "response.incomplete"}
    end = next(place for place, event in enumerate(events) if event["type"] in ends)
    events = events[: end + 1]
    response = dict(events[-1]["response"])
    if not response.get("output"):
        response["output"] = [
            event["item"] for event in events if event["type"] == "response.output_item.done"
        ]
    return response


def meaning_of_response(response: dict[str, Any]) -> Meaning:
    meaning = Meaning()
    for item in response.get("output") or []:
        match item:
            case {"type": "function_call"}:
                names = dict.fromkeys((item.get("namespace") or item["name"], item["name"]))
                meaning.calls.append((item["call_id"], "__".join(names), item["arguments"] or "{}"))
            case {"type": "custom_tool_call"}:
                arguments = json.dumps({"input": item["input"]}, ensure_ascii=False, separators=(",", ":"))
                meaning.calls.append((item["call_id"], item["name"], arguments))
            case {"type": "reasoning"}:
                pieces = item.get("summary") or item.get("content") or []
                meaning.thinking += "\n\n".join(piece["text"] for piece in pieces)
            case {"type": "image_generation_call", "result": str()}:
                meaning.images += 1
            case {"role": "assistant", "content": content}:
                for part in content:
                    meaning.text += part.get("text") or ""
                    meaning.refusal += part.get("refusal") or ""
                    told = part.get("annotations") or []
                    meaning.citations += sum(each["type"] == "url_citation" for each in told)
    why = (response.get("incomplete_details") or {}).get("reason")
    if response.get("status") == "incomplete":
        meaning.finish_reason = "content_filter" if why == "content_filter" else "length"
    if not meaning.finish_reason:
        meaning.finish_reason = "tool_calls" if meaning.calls else "refusal" if meaning.refusal else "stop"
    if usage := response.get("usage"):
        of_input, of_output = (usage.get(f"{kind}_tokens_details") or {} for kind in ("input", "output"))
        meaning.usage = (
            usage["input_tokens"],
            usage["output_tokens"],
            of_input.get("cached_tokens", 0),
            of_output.get("reasoning_tokens", 0),
        )
    return meaning


# A reading of events


def meaning_of_reply(reply: Reply) -> Meaning:
    texts = [part for part in reply.parts if isinstance(part, Text)]
    usage = reply.usage
    return Meaning(
        text="".join(text.text for text in texts if not text.is_refusal),
        refusal="".join(text.text for text in texts if text.is_refusal),
        thinking="".join(part.text for part in reply.parts if isinstance(part, Thinking)),
        calls=[(part.id, part.name, part.arguments) for part in reply.parts if isinstance(part, ToolCall)],
        images=sum(isinstance(part, Image) for part in reply.parts),
        citations=sum(len(text.citations) for text in texts),
        finish_reason=reply.finished.reason,
        usage=None
        if usage.input_tokens is None or usage.output_tokens is None
        else (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens or 0,
            usage.reasoning_tokens or 0,
        ),
    )


def comparable(events: Iterable[ReplyEvent]) -> list[object]:
    """Errors are equal when they say the same."""
    return [
        ("failed", event.error.fault, event.error.message) if isinstance(event, Failed) else event
        for event in events
    ]


def decoded(pieces: Iterable[bytes], maker: str = "openai") -> list[ReplyEvent]:
    decoder = OPENAI_RESPONSES.reply_decoder(maker)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


def outcome(pieces: Iterable[bytes]) -> object:
    """An error is the same whether it is raised or told behind events of the same bytes."""
    try:
        events = decoded(pieces)
        fold(events)
    except UpstreamError as error:
        return error.fault, error.message
    return comparable(events)


def folded(stream: bytes) -> Reply:
    return fold(decoded([stream]))


# What a stream written here must be


def check_grammar(stream: bytes) -> list[dict[str, Any]]:
    """One start, one end, numbers without gaps, items that open once, grow and end whole. Gives the events."""
    blocks = stream.decode().removesuffix("\n\n").split("\n\n")
    events = []
    for block in blocks:
        name, data = block.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    kinds = [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert kinds[:2] == ["response.created", "response.in_progress"]
    ends = {"response.completed", "response.incomplete", "response.failed"}
    assert [kind in ends for kind in kinds] == [False] * (len(kinds) - 1) + [True]
    items: list[dict[str, Any]] = []
    grown: dict[tuple[int, str], str] = {}
    done: dict[int, dict[str, Any]] = {}
    for event in events[2:-1]:
        if event["type"] == "error":
            continue
        index = event["output_index"]
        if event["type"] == "response.output_item.added":
            assert index == len(items)
            items.append(event["item"])
            continue
        assert index not in done, "an event behind the end of its item"
        if event["type"] == "response.output_item.done":
            done[index] = event["item"]
            assert event["item"]["id"] == items[index]["id"]
            continue
        assert event["item_id"] == items[index]["id"]
        kind = event["type"].removeprefix("response.").rpartition(".")
        if kind[2] == "delta":
            grown[index, kind[0]] = grown.get((index, kind[0]), "") + event["delta"]
        elif kind[2] == "done" and kind[0] in {
            "output_text",
            "refusal",
            "function_call_arguments",
            "custom_tool_call_input",
            "reasoning_summary_text",
        }:
            whole = next(event[key] for key in ("text", "refusal", "arguments", "input") if key in event)
            assert grown.get((index, kind[0]), "") == whole
    response = events[-1]["response"]
    if response["status"] != "failed":
        assert len(done) == len(items)
        assert response["output"] == [done[index] for index in range(len(items))]
    for event in (events[0], events[1], events[-1]):
        assert event["response"]["id"] == response["id"]
    return events


# The official SDK reading what the dialect writes


class _Gateway:
    """An SDK client whose every call is answered with what was set last. Nothing leaves the process."""

    def __init__(self) -> None:
        self.answer = httpx2.Response(500)
        self.client = openai.OpenAI(
            api_key="test",
            base_url="http://gateway.test/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=httpx2.MockTransport(lambda _: self.answer)),
        )

    def answering(self, status: int, content_type: str, body: bytes) -> openai.OpenAI:
        self.answer = httpx2.Response(status, headers={"content-type": content_type}, content=body)
        return self.client


_GATEWAY = _Gateway()
_ASK: Any = {"model": "tiny", "input": "Hi"}


def sdk_response(body: bytes) -> Response:
    response = _GATEWAY.answering(200, "application/json", body).responses.create(**_ASK)
    return Response.model_validate(response.model_dump(exclude_unset=True))


def sdk_streamed(stream: bytes) -> Response:
    """What the SDK's accumulator makes of a stream."""
    client = _GATEWAY.answering(200, "text/event-stream", stream)
    last = None
    with client.responses.stream(**_ASK) as events:
        for event in events:
            if event.type in {"response.completed", "response.incomplete"}:
                last = event.response
    assert last is not None
    return last


def sdk_error(status: int, body: bytes) -> openai.APIStatusError:
    try:
        _GATEWAY.answering(status, "application/json", body).responses.create(**_ASK)
    except openai.APIStatusError as error:
        return error
    raise AssertionError("the SDK saw no error")


def sdk_stream_error(stream: bytes) -> openai.APIError:
    client = _GATEWAY.answering(200, "text/event-stream", stream)
    try:
        with client.responses.create(**_ASK, stream=True) as events:
            for _ in events:
                pass
    except openai.APIError as error:
        return error
    raise AssertionError("the SDK saw no error")


def meaning_of_sdk(response: Response) -> Meaning:
    return meaning_of_response(json.loads(response.model_dump_json()))
