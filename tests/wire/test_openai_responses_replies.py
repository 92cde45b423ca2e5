"""Replies of the responses dialect: read from providers, written to clients, whole and as a stream."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_responses_checks import (
    CONTEXT,
    check_grammar,
    comparable,
    decoded,
    envelope,
    folded,
    meaning_of_reply,
    meaning_of_sdk,
    outcome,
    sdk_response,
    sdk_streamed,
)

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    ImageMade,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.request import (
    Citation,
    Image,
    RedactedThinking,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from pointsman.core.usage import Usage
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.openai_responses.sealed import own_id
from pointsman.wire.seals import Kind, Tagged, untag
from pointsman.wire.sse import frame

STARTED = ReplyStarted("resp_1", "tiny-1")
USED = UsageReported(Usage(10, 20, 4, None, None, 5))
SEAL = Seal("sig", "claude")


def reply_of(*events: ReplyEvent, reason: Any = "stop", **asked: Any) -> dict[str, Any]:
    """The response, whole and streamed the same."""
    context = CONTEXT._replace(envelope=envelope(**asked))
    told = [STARTED, *events, USED, Finished(reason)]
    whole = json.loads(OPENAI_RESPONSES.encode_reply(told, context))
    stream = OPENAI_RESPONSES.reply_encoder(context).feed(told)
    assert check_grammar(stream)[-1]["response"] == whole
    encoder = OPENAI_RESPONSES.reply_encoder(context)
    assert b"".join(encoder.feed([event]) for event in told) == stream
    return whole


def kinds_of(*events: ReplyEvent, reason: Any = "stop", **asked: Any) -> list[str]:
    context = CONTEXT._replace(envelope=envelope(**asked))
    stream = OPENAI_RESPONSES.reply_encoder(context).feed([STARTED, *events, Finished(reason)])
    return [event["type"].removeprefix("response.") for event in check_grammar(stream)]


# Written: the response


def test_a_response_repeats_what_its_caller_asked_for():
    asked = {
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "tools": [{"type": "function", "name": "look", "parameters": {}}],
        "tool_choice": "required",
        "text": {"format": {"type": "json_object"}},
        "max_output_tokens": 50,
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "store": False,
        "user": None,
    }
    response = reply_of(TextDelta("Hi"), **asked)
    assert {name: response[name] for name in asked} == asked
    assert (response["id"], response["object"]) == ("resp_req_0190test", "response")
    assert (response["created_at"], response["model"]) == (1_700_000_000, "tiny")
    assert (response["status"], response["error"], response["incomplete_details"]) == (
        "completed",
        None,
        None,
    )
    assert (response["truncation"], response["top_p"], response["background"]) == ("disabled", None, False)


def test_usage_has_every_detail_that_clients_insist_on():
    assert reply_of(TextDelta("Hi"))["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 30,
    }


def test_unknown_usage_is_not_zero():
    assert json.loads(OPENAI_RESPONSES.encode_reply([STARTED, Finished("stop")], CONTEXT))["usage"] is None


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_calls", "completed", None),
        ("pause", "incomplete", "max_output_tokens"),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
def test_every_end_has_its_status(reason, status, why):
    response = reply_of(TextDelta("Hi"), reason=reason)
    assert response["status"] == status
    assert response["incomplete_details"] == (None if why is None else {"reason": why})
    assert response["output"][0]["status"] == status


# Written: items


def test_a_text_goes_through_every_step():
    assert kinds_of(TextDelta("Hel"), TextDelta("lo")) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_reasoning_goes_through_every_step_and_carries_its_seal():
    events = (ThinkingDelta("H"), ThinkingDelta("m."), ThinkingSealed(SEAL))
    assert kinds_of(*events)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    (item,) = reply_of(*events)["output"]
    assert item["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert untag(item["encrypted_content"]) == Tagged(Kind.THINKING, SEAL)


def test_reasoning_without_a_seal_has_no_sealed_content():
    (item,) = reply_of(ThinkingDelta("Hm."))["output"]
    assert "encrypted_content" not in item


@pytest.mark.parametrize(
    ("events", "kind", "kinds"),
    [
        ([RedactedThinkingBlock(SEAL)], Kind.REDACTED, ["reasoning"]),
        ([ThinkingSealed(SEAL)], Kind.THINKING, ["reasoning"]),
        ([ToolCallStarted(0, "a", "look", SEAL)], Kind.CALL, ["reasoning", "function_call"]),
        ([TextDelta("Hi"), TextSealed(SEAL)], Kind.TEXT, ["message", "reasoning"]),
        ([TextSealed(SEAL)], Kind.TEXT, ["reasoning"]),
    ],
)
def test_a_seal_without_words_travels_in_an_empty_reasoning_item(events, kind, kinds):
    output = reply_of(*events)["output"]
    assert [item["type"] for item in output] == kinds
    (reasoning,) = (item for item in output if item["type"] == "reasoning")
    assert reasoning["summary"] == []
    assert untag(reasoning["encrypted_content"]) == Tagged(kind, SEAL)


def test_a_reply_that_returns_as_input_is_the_turn_it_was():
    output = reply_of(
        ThinkingDelta("Hm."),
        ThinkingSealed(SEAL),
        RedactedThinkingBlock(SEAL),
        TextDelta("I look."),
        TextSealed(SEAL),
        ToolCallStarted(0, "a", "look", SEAL),
        ToolCallDelta(0, '{"x":1}'),
    )["output"]
    items = [{"role": "user", "content": "Hi"}, *output]
    items.append({"type": "function_call_output", "call_id": "a", "output": "seen"})
    assert OPENAI_RESPONSES.decode_request(envelope(input=items)).messages[1].parts == (
        Thinking("Hm.", SEAL),
        RedactedThinking(SEAL),
        Text("I look.", seal=SEAL),
        ToolCall("a", "look", '{"x":1}', SEAL),
    )


def test_parallel_calls_are_items_of_their_own():
    events = (
        ToolCallStarted(0, "a", "look"),
        ToolCallStarted(1, "b", "look"),
        ToolCallDelta(1, '{"x":'),
        ToolCallDelta(0, '{"y":2}'),
        ToolCallDelta(1, "1}"),
    )
    output = reply_of(*events, reason="tool_calls")["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [("a", '{"y":2}'), ("b", '{"x":1}')]


def test_a_whole_call_ends_before_the_next_item_begins():
    kinds = kinds_of(ToolCallStarted(0, "a", "look"), ToolCallDelta(0, "{}"), TextDelta("Hi"))
    assert kinds[2:7] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
    ]


def test_a_call_without_arguments_has_an_empty_object():
    assert reply_of(ToolCallStarted(0, "a", "look"), reason="tool_calls")["output"][0]["arguments"] == "{}"


def test_a_call_cut_by_the_limit_is_incomplete():
    (item,) = reply_of(ToolCallStarted(0, "a", "look"), ToolCallDelta(0, '{"x'), reason="length")["output"]
    assert (item["status"], item["arguments"]) == ("incomplete", '{"x')


def test_a_call_is_told_in_the_callers_own_words_for_the_tool():
    tools = [
        {"type": "custom", "name": "patch"},
        {
            "type": "namespace",
            "name": "agents",
            "tools": [{"type": "function", "name": "close"}, {"type": "custom", "name": "say"}],
        },
    ]
    events = (
        ToolCallStarted(0, "a", "patch"),
        ToolCallDelta(0, '{"input":'),
        ToolCallDelta(0, '"*** \\"x\\"\\n"}'),
        ToolCallStarted(1, "b", "agents__close"),
        ToolCallDelta(1, '{"x":1}'),
        ToolCallStarted(2, "c", "agents__say"),
        ToolCallDelta(2, "not an object"),
    )
    custom, function, said = reply_of(*events, reason="tool_calls", tools=tools)["output"]
    assert (custom["type"], custom["name"], custom["input"]) == ("custom_tool_call", "patch", '*** "x"\n')
    assert "arguments" not in custom
    assert (function["type"], function["namespace"], function["name"]) == ("function_call", "agents", "close")
    assert (said["type"], said["namespace"], said["name"]) == ("custom_tool_call", "agents", "say")
    assert said["input"] == "not an object"
    kinds = kinds_of(*events[:3], tools=tools)
    assert kinds[3:5] == ["custom_tool_call_input.delta", "custom_tool_call_input.done"]


def test_tools_that_were_added_later_have_their_own_words_too():
    added = {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "patch"}]}
    events = (ToolCallStarted(0, "a", "patch"), ToolCallDelta(0, '{"input":"x"}'))
    (item,) = reply_of(*events, input=[{"role": "user", "content": "Hi"}, added])["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "x")


@pytest.mark.parametrize("asked", [{"tools": "custom"}, {"input": [7, "additional_tools"]}])
def test_tools_that_cannot_be_read_are_plain_functions(asked):
    (item,) = reply_of(ToolCallStarted(0, "a", "patch"), **asked)["output"]
    assert item["type"] == "function_call"


def test_a_refusal_is_one():
    assert kinds_of(TextDelta("No.", is_refusal=True), reason="refusal")[4:6] == [
        "refusal.delta",
        "refusal.done",
    ]
    response = reply_of(TextDelta("No.", is_refusal=True), reason="refusal")
    assert response["status"] == "completed"
    assert response["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_sources_and_probabilities_stand_at_their_text():
    probable = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
    events = (
        TextDelta("Hi", logprobs=(probable,)),
        CitationAdded(Citation("https://example.com", "Example", start=0, end=2)),
        CitationAdded(Citation("https://example.org")),
        CitationAdded(Citation(title="a book")),
    )
    assert "output_text.annotation.added" in kinds_of(*events)
    (part,) = reply_of(*events)["output"][0]["content"]
    assert part["logprobs"] == [probable]
    assert part["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://example.com",
            "title": "Example",
            "start_index": 0,
            "end_index": 2,
        },
        {"type": "url_citation", "url": "https://example.org", "title": "", "start_index": 2, "end_index": 2},
    ]


def test_an_image_is_a_call_that_made_it():
    (item,) = reply_of(ImageMade("image/webp", "AAAA"))["output"]
    assert (item["type"], item["status"]) == ("image_generation_call", "completed")
    assert (item["result"], item["output_format"]) == ("AAAA", "webp")


def test_ids_are_stable_short_and_unlike():
    output = reply_of(ThinkingDelta("Hm."), TextDelta("Hi"), ToolCallStarted(0, "a", "look"))["output"]
    ids = [item["id"] for item in output]
    assert [each.partition("_")[0] for each in ids] == ["rs", "msg", "fc"]
    assert len({each.partition("_")[2] for each in ids}) == 3
    assert all(len(each) <= 40 for each in ids)


def test_a_failure_ends_a_stream_and_is_raised_of_a_whole_reply():
    error = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    told = [STARTED, TextDelta("Hi"), Failed(error)]
    events = check_grammar(OPENAI_RESPONSES.reply_encoder(CONTEXT).feed(told))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert events[-1]["response"]["error"] == {"code": "upstream_overloaded", "message": "busy"}
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.encode_reply(told, CONTEXT)
    assert caught.value is error


def test_nothing_follows_the_end():
    encoder = OPENAI_RESPONSES.reply_encoder(CONTEXT)
    encoder.feed([STARTED, Finished("stop")])
    assert encoder.feed([TextDelta("more"), Finished("stop")]) == b""


def test_events_without_an_end_are_no_reply():
    with pytest.raises(ValueError, match="no end"):
        OPENAI_RESPONSES.encode_reply([STARTED, TextDelta("Hi")], CONTEXT)


# Read


def stream_of(*events: dict[str, Any]) -> bytes:
    return b"".join(frame(json.dumps(event).encode(), event["type"]) for event in events)


CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "tiny-1", "output": []}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}


def item(index: int, word: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.output_item.{word}", "output_index": index, "item": fields}


MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
CALL = {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"x":1}'}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"text": "A"}, {"text": "B"}],
    "encrypted_content": "E",
}


@pytest.mark.parametrize("at_the_end", [False, True])
def test_items_that_come_whole_are_told_once(at_the_end):
    items = [REASONING, MESSAGE, CALL]
    if at_the_end:
        response = {**COMPLETED["response"], "output": items}
        stream = stream_of(CREATED, {**COMPLETED, "response": response})
    else:
        stream = stream_of(CREATED, *(item(at, "done", **each) for at, each in enumerate(items)), COMPLETED)
    reply = folded(stream)
    assert reply.parts == (
        Thinking("A\n\nB", Seal("rs_1 E", "openai")),
        Text("Hi"),
        ToolCall("a", "look", '{"x":1}'),
    )
    assert (reply.id, reply.model, reply.finished.reason) == ("resp_1", "tiny-1", "tool_calls")


def test_pieces_are_not_told_again_by_the_whole():
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0}
    stream = stream_of(
        CREATED,
        item(0, "added", type="message", role="assistant", content=[]),
        {**delta, "delta": "H"},
        {**delta, "delta": "i"},
        item(0, "done", **MESSAGE),
        {**COMPLETED, "response": {**COMPLETED["response"], "output": [MESSAGE]}},
    )
    assert folded(stream).parts == (Text("Hi"),)


def test_parts_of_a_summary_are_apart():
    delta = {"type": "response.reasoning_summary_text.delta", "output_index": 0}
    stream = stream_of(
        CREATED,
        {**delta, "summary_index": 0, "delta": "A"},
        {**delta, "summary_index": 1, "delta": "B"},
        {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "the same"},
        item(0, "done", **REASONING),
        COMPLETED,
    )
    assert folded(stream).parts == (Thinking("A\n\nB", Seal("rs_1 E", "openai")),)


def test_open_reasoning_is_marked_with_its_maker():
    reasoning = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    assert folded(stream_of(CREATED, item(0, "done", **reasoning), COMPLETED)).parts == (
        Thinking("Hm.", Seal("", "openai")),
    )


def test_the_pieces_of_a_custom_tools_text_are_one_argument():
    delta = {"type": "response.custom_tool_call_input.delta", "output_index": 0}
    whole = 'say "x"\n'
    custom = {"type": "custom_tool_call", "call_id": "a", "name": "patch"}
    stream = stream_of(
        CREATED,
        item(0, "added", **custom, input=""),
        *({**delta, "delta": letter} for letter in whole),
        item(0, "done", **custom, input=whole),
        COMPLETED,
    )
    (call,) = folded(stream).parts
    assert json.loads(call.arguments) == {"input": whole}
    (call,) = folded(stream_of(CREATED, item(0, "done", **custom, input=whole), COMPLETED)).parts
    assert json.loads(call.arguments) == {"input": whole}


def test_what_the_provider_runs_itself_is_passed_over():
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    future = {"type": "future_call", "id": "x", "content": {"odd": 1}, "summary": 7}
    stream = stream_of(
        CREATED,
        item(0, "added", **search),
        {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"},
        {"type": "response.future", "output_index": None, "logprobs": 3},
        item(0, "done", **search),
        item(1, "done", **future),
        item(2, "done", **MESSAGE),
        COMPLETED,
    )
    assert folded(stream).parts == (Text("Hi"),)


@pytest.mark.parametrize(
    "call",
    [
        {"type": "apply_patch_call", "call_id": "a"},
        {"type": "local_shell_call", "call_id": "a"},
        {"type": "shell_call", "call_id": "a"},
        {"type": "tool_search_call", "execution": "client"},
        {"type": "mcp_approval_request", "id": "a"},
    ],
)
def test_a_call_that_nobody_could_make_is_no_success(call):
    body = json.dumps({"id": "r", "status": "completed", "output": [call]}).encode()
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.decode_reply(body, "openai")
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_a_made_image_is_told():
    made = {"type": "image_generation_call", "id": "ig_1", "result": "AAAA", "output_format": "jpeg"}
    assert folded(stream_of(CREATED, item(0, "done", **made), COMPLETED)).parts == (
        Image("image/jpeg", "AAAA"),
    )


def test_probabilities_are_in_the_form_of_chat():
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "é"}
    told = {"token": "é", "logprob": -0.5, "top_logprobs": []}
    reply = folded(stream_of(CREATED, {**delta, "logprobs": [told]}, COMPLETED))
    assert reply.logprobs == ({**told, "bytes": [195, 169]},)


def test_nothing_is_told_until_something_was_said():
    """A provider looks at limits only behind its first events, and another model could still answer."""
    decoder = OPENAI_RESPONSES.reply_decoder("openai")
    assert decoder.feed(stream_of(CREATED, {"type": "response.in_progress", "response": {}})) == []
    assert decoder.feed(stream_of(item(0, "added", **MESSAGE))) == []
    assert decoder.feed(stream_of(item(0, "done", **MESSAGE)))[0] == STARTED


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}, "rate_limited"),
        ({"type": "error", "error": {"code": "server_error", "message": "oops"}}, "server_error"),
        ({"type": "error", "error": "text"}, "bad_reply"),
        ({"type": "response.failed", "response": {"error": {"code": "insufficient_quota"}}}, "quota"),
        ({"type": "response.failed", "response": {"status": "failed"}}, "bad_reply"),
        ({"type": "response.completed", "response": {"status": "cancelled"}}, "bad_reply"),
        ({"type": "response.failed", "response": {"error": {"code": "invalid_prompt"}}}, "rejected"),
    ],
)
def test_every_form_of_failure_within_a_stream_is_one(event, fault):
    last = decoded([stream_of(CREATED, event)])[-1]
    assert isinstance(last, Failed)
    assert last.error.fault == fault
    watch = OPENAI_RESPONSES.reply_watch()
    if event["type"] != "response.completed":
        watch.feed(stream_of(CREATED, event))
        assert watch.error.fault == fault


@pytest.mark.parametrize(
    ("why", "reason"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("steered", "length")],
)
def test_an_incomplete_reply_is_never_done(why, reason):
    response = {"id": "r", "status": "incomplete", "incomplete_details": {"reason": why}, "output": [MESSAGE]}
    events = OPENAI_RESPONSES.decode_reply(json.dumps(response).encode(), "openai")
    assert events[-1] == Finished(reason)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"output":7}', b'{"output":[{"type":"function_call"}]}', b'{"choices":[]}'],
)
def test_what_is_no_response_is_a_bad_reply(body):
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.decode_reply(body, "openai")
    assert caught.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[1]",
        b'{"type":"response.output_text.delta","output_index":"x"}',
        b'{"type":"response.output_text.delta","delta":5}',
        b"\xff",
    ],
)
def test_an_event_that_cannot_be_read_is_a_bad_reply(data):
    decoder = OPENAI_RESPONSES.reply_decoder("openai")
    with pytest.raises(UpstreamError) as caught:
        decoder.feed(frame(data))
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    with pytest.raises(UpstreamError):
        decoder.finish()


def test_a_stream_without_its_end_is_broken():
    assert outcome([stream_of(CREATED, item(0, "done", **MESSAGE))])[0] is UpstreamFault.BROKEN
    assert outcome([b"data: [DONE]\n\n"])[0] is UpstreamFault.BROKEN


def test_the_end_counts_without_its_blank_line():
    stream = stream_of(CREATED, item(0, "done", **MESSAGE), COMPLETED).rstrip()
    assert folded(stream).parts == (Text("Hi"),)
    watch = OPENAI_RESPONSES.reply_watch()
    watch.feed(stream)
    assert watch.is_complete


# Any reply


_WORDS = st.sampled_from(["a", "é", "\n", '"', "\\", "𝄞", "{}", "data: x\n\n"])
_SEALS = st.sampled_from([Seal("sig", "claude"), Seal("", "local")])
_BLOCKS = st.one_of(
    st.builds(lambda words: [TextDelta(word) for word in words], st.lists(_WORDS, min_size=1, max_size=3)),
    st.builds(lambda word: [TextDelta(word, is_refusal=True)], _WORDS),
    st.builds(lambda word, seal: [ThinkingDelta(word), ThinkingSealed(seal)], _WORDS, _SEALS),
    st.builds(lambda seal: [RedactedThinkingBlock(seal)], _SEALS),
    st.builds(lambda word: [ThinkingDelta(word), BlockEnded()], _WORDS),
    st.builds(lambda word: ["call", word], _WORDS),
    st.just([ImageMade("image/png", "AAAA")]),
)


def events_of(blocks: Sequence[list[Any]]) -> list[ReplyEvent]:
    events: list[ReplyEvent] = [STARTED]
    calls = 0
    for block in blocks:
        if block[0] == "call":
            arguments = json.dumps({"x": block[1]})
            events += [ToolCallStarted(calls, f"c{calls}", "look")]
            events += [ToolCallDelta(calls, piece) for piece in (arguments[:3], arguments[3:])]
            calls += 1
        else:
            events += block
        events.append(BlockEnded())
    has_refused = any(isinstance(event, TextDelta) and event.is_refusal for event in events)
    return [*events, USED, Finished("tool_calls" if calls else "refusal" if has_refused else "stop")]


@settings(deadline=None, max_examples=50)
@given(st.lists(_BLOCKS, max_size=5), st.data())
def test_any_reply_is_read_back_as_it_was_meant(blocks, data):
    events = events_of(blocks)
    meant = meaning_of_reply(fold(events))
    stream = OPENAI_RESPONSES.reply_encoder(CONTEXT).feed(events)
    check_grammar(stream)
    cut = data.draw(st.integers(0, len(stream)))
    assert meaning_of_reply(fold(decoded([stream[:cut], stream[cut:]]))) == meant
    crlf = b": comment\r\n\r\n" + stream.replace(b"\n", b"\r\n")
    assert comparable(decoded([crlf[:cut], crlf[cut:]])) == comparable(decoded([stream]))
    whole = OPENAI_RESPONSES.encode_reply(events, CONTEXT)
    assert meaning_of_sdk(sdk_response(whole)) == meant
    assert meaning_of_sdk(sdk_streamed(stream)) == meant


_EVENTS = [
    CREATED,
    COMPLETED,
    item(0, "added", **MESSAGE),
    item(0, "done", **CALL),
    item(1, "added", **CALL),
    item(1, "done", **REASONING),
    {"type": "response.output_text.delta", "output_index": 1, "delta": "x"},
    {"type": "response.function_call_arguments.delta", "delta": 5},
    {"type": "error"},
    {"type": "response.completed"},
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(_EVENTS), max_size=6))
def test_any_order_of_events_is_a_reply_or_a_failure_of_the_provider(events):
    match outcome([stream_of(*events)]):
        case [*told, Finished() | ("failed", _, _)]:
            check_grammar(OPENAI_RESPONSES.reply_encoder(CONTEXT).feed([*told, Finished("length")]))
        case fault, _:
            assert fault in {UpstreamFault.BAD_REPLY, UpstreamFault.BROKEN}


def test_a_call_without_an_id_is_given_one_that_no_other_reply_has():
    nameless = {key: value for key, value in CALL.items() if key != "call_id"}

    def call_id(reply_id: str) -> str:
        body = json.dumps({"id": reply_id, "status": "completed", "output": [nameless]}).encode()
        (call,) = fold(OPENAI_RESPONSES.decode_reply(body, "openai")).parts
        return call.id

    assert call_id("resp_1") == call_id("resp_1") != call_id("resp_2")
    assert call_id("resp_1").isalnum()
    assert len(call_id("resp_1")) <= 40


def test_the_ids_of_a_replys_items_sort_by_their_places():
    """Haystack puts the calls of a stream in the order of their ids."""
    ids = [own_id("fc", "resp_1", place) for place in range(300)]
    assert ids == sorted(ids)
    assert len({*ids, own_id("fc", "resp_2", 0)}) == 301
