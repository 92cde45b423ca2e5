"""What providers answer, with all their habits, and what a chat client is answered."""

import json
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_chat_checks import (
    CONTEXT,
    decoded,
    meaning_of_chunks,
    meaning_of_completion,
    meaning_of_reply,
    outcome,
    sdk_chunks,
    sdk_completion,
    shown,
)

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    Failed,
    Finished,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.request import Seal, Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire import sse
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_chat import OPENAI_CHAT

DONE = b"data: [DONE]\n\n"
QUIET = ReplyContext("abc", "tiny", 1)


def chunk(delta: dict[str, Any] | None = None, finish: Any = None, **extra: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        **extra,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def stream(*chunks: bytes, done: bytes = DONE) -> list[ReplyEvent]:
    return decoded([b"".join(chunks) + done])


def whole(message: dict[str, Any], finish: Any = "stop", **extra: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"id": "c1", "model": "m", "choices": [choice], **extra}).encode()


def calls_of(events: list[ReplyEvent]) -> list[tuple[str, str, str]]:
    return [(part.id, part.name, part.arguments) for part in fold(events).parts if isinstance(part, ToolCall)]


def tool(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    part = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    if index is None:
        del part["index"]
    return {"tool_calls": [part]}


# Reading streams


def test_a_stream_is_events_in_order_with_its_end_last():
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    events = stream(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "He"}),
        chunk({"content": "y"}),
        chunk({}, "stop"),
        chunk(usage=usage),
    )
    assert events == [
        ReplyStarted("c1", "m"),
        TextDelta("He"),
        TextDelta("y"),
        UsageReported(Usage(3, 2)),
        Finished("stop"),
    ]


@pytest.mark.parametrize("done", [b"data: [DONE] \n", b"data:[DONE]\n\n", b"data: [DONE]", b"", b": bye\n\n"])
def test_the_end_may_be_spelled_in_many_ways_or_left_out(done):
    assert stream(chunk({"content": "a"}), chunk({}, "length"), done=done)[-1] == Finished("length")


def test_done_without_a_finish_reason_is_an_end():
    assert stream(chunk({"content": "a"}))[-1] == Finished("stop")


@pytest.mark.parametrize("tail", [b"", b'data: {"choices":[{"ind', b": keepalive\n\n"])
def test_a_stream_without_an_end_is_broken(tail):
    decoder = OPENAI_CHAT.reply_decoder("openai")
    decoder.feed(chunk({"content": "a"}) + tail)
    with pytest.raises(UpstreamError) as caught:
        decoder.finish()
    assert caught.value.fault is UpstreamFault.BROKEN


def test_a_stream_of_nothing_is_no_reply():
    with pytest.raises(UpstreamError) as caught:
        stream()
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    with pytest.raises(UpstreamError) as caught:
        decoded([])
    assert caught.value.fault is UpstreamFault.BROKEN


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'"text"', b"<html>", b'{"choices":7}', b'{"choices":[{"delta":[]}]}', b"\xff\xfe"]
)
def test_data_that_is_no_chunk_is_never_skipped(data):
    with pytest.raises(UpstreamError) as caught:
        fold(stream(chunk({"content": "a"}), b"data: " + data + b"\n\n"))
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_comments_names_empty_data_and_empty_choices_are_no_part_of_the_reply():
    events = stream(
        b": OPENROUTER PROCESSING\n\n",
        b"event: ping\ndata:\n\n",
        chunk(prompt_filter_results=[], id="", model=""),
        chunk({"content": "a"}),
        b'data: {"id":"c1","choices":[{"index":0,"content_filter_results":{},"finish_reason":null}]}\n\n',
        chunk({}, "stop"),
    )
    assert events == [ReplyStarted("c1", "m"), TextDelta("a"), Finished("stop")]


def test_only_the_first_of_several_choices_is_read():
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": "length"}
    first = {"index": 0, "delta": {"content": "this"}, "finish_reason": "stop"}
    body = {"id": "c1", "model": "m", "choices": [second, first]}
    events = stream(b"data: " + json.dumps(body).encode() + b"\n\n")
    assert events[1:] == [TextDelta("this"), Finished("stop")]


def test_the_whole_message_beside_its_delta_is_not_said_twice():
    choice = {"index": 0, "message": {"content": "ab"}, "delta": {"content": "b"}, "finish_reason": "stop"}
    body = {"id": "c1", "model": "m", "choices": [choice]}
    assert TextDelta("b") in stream(b"data: " + json.dumps(body).encode() + b"\n\n")


@pytest.mark.parametrize(
    "where",
    [
        {"usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        {"x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
        {"choices": [{"index": 0, "delta": {}, "usage": {"prompt_tokens": 3.0, "completion_tokens": 2.0}}]},
    ],
)
def test_usage_is_found_wherever_it_stands(where):
    data = b"data: " + json.dumps({"id": "c1", **where}).encode() + b"\n\n"
    events = stream(chunk({"content": "a"}), chunk({}, "stop"), data)
    assert fold(events).usage == Usage(3, 2)
    watch = OPENAI_CHAT.reply_watch()
    watch.feed(data)
    assert watch.usage == Usage(3, 2)


def test_usage_on_every_chunk_counts_once():
    events = stream(
        chunk({"content": "a"}, usage={"prompt_tokens": 3, "completion_tokens": None}),
        chunk({"content": "b"}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
        chunk({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 2}),
    )
    assert fold(events).usage == Usage(3, 2)


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (
            {
                "prompt_tokens": 12,
                "completion_tokens": 1,
                "total_tokens": 303,
                "completion_tokens_details": {"reasoning_tokens": 290},
            },
            Usage(12, 291, reasoning_tokens=290),
        ),
        ({"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}, Usage(35, 74)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 8, reasoning_tokens=5),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 8, "prompt_cache_hit_tokens": 4}, Usage(9, 8, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 8, "cached_tokens": 4}, Usage(9, 8, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 8, "num_cached_tokens": 4}, Usage(9, 8, 4)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 2,
            },
            Usage(9, 8, 4, 2),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 3},
            },
            Usage(9, 8, 0, 3),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9)),
        ({}, Usage()),
    ],
)
def test_usage_counts_everything_that_went_in_and_came_out(reported, expected):
    body = whole({"content": "a"}, usage=reported)
    assert OPENAI_CHAT.read_usage(body) == expected
    assert fold(OPENAI_CHAT.decode_reply(body, "openai")).usage == expected


def test_missing_usage_is_unknown_and_never_zero():
    assert OPENAI_CHAT.read_usage(whole({"content": "a"})) is None
    assert OPENAI_CHAT.read_usage(whole({"content": "a"}, usage="none of it")) is None
    assert fold(OPENAI_CHAT.decode_reply(whole({"content": "a"}), "openai")).usage == Usage()


# Tool calls


def test_a_call_in_one_chunk_has_its_arguments():
    events = stream(chunk(tool(0, "call_1", "f", '{"a":1}')), chunk({}, "tool_calls"))
    assert events[1:3] == [ToolCallStarted(0, "call_1", "f"), ToolCallDelta(0, '{"a":1}')]


def test_later_pieces_without_id_or_name_belong_to_their_call():
    events = stream(
        chunk(tool(0, "a", "f", "")),
        chunk(tool(0, None, None, '{"a"')),
        chunk(tool(0, "", None, ":")),
        chunk(tool(0, "a", None, "1")),
        chunk(tool(0, "a", "f", "}")),
        chunk(tool(0, None, "f", "")),
        chunk({}, "tool_calls"),
    )
    assert calls_of(events) == [("a", "f", '{"a":1}')]


def test_parallel_calls_stay_apart():
    events = stream(
        chunk(tool(0, "a", "f", "")),
        chunk(tool(0, None, None, '{"n":1}')),
        chunk(tool(1, "b", "f", "")),
        chunk(tool(1, None, None, '{"n":')),
        chunk(tool(1, None, None, "2}")),
        chunk({}, "tool_calls"),
    )
    assert calls_of(events) == [("a", "f", '{"n":1}'), ("b", "f", '{"n":2}')]
    assert [event.index for event in events if isinstance(event, ToolCallStarted)] == [0, 1]


def test_calls_without_an_index_are_told_apart():
    events = stream(
        chunk(
            {
                "tool_calls": [
                    tool(None, "a", "f", "{}")["tool_calls"][0],
                    tool(None, "b", "g", '{"x"')["tool_calls"][0],
                ]
            }
        ),
        chunk(tool(None, "b", None, ":")),
        chunk(tool(None, None, None, "1}")),
        chunk(tool(None, None, "h", "{}")),
        chunk({}, "tool_calls"),
    )
    assert [(name, arguments) for _, name, arguments in calls_of(events)] == [
        ("f", "{}"),
        ("g", '{"x":1}'),
        ("h", "{}"),
    ]


def test_calls_that_share_an_index_are_told_apart_by_their_ids():
    events = stream(chunk(tool(0, "a", "f", "{}")), chunk(tool(0, "b", "g", "{}")), chunk({}, "tool_calls"))
    assert calls_of(events) == [("a", "f", "{}"), ("b", "g", "{}")]


def test_a_name_may_come_after_the_first_arguments():
    events = stream(
        chunk(tool(0, "a", None, '{"n"')), chunk(tool(0, None, "f", ":1}")), chunk({}, "tool_calls")
    )
    assert calls_of(events) == [("a", "f", '{"n":1}')]


def test_a_call_that_never_gets_a_name_is_a_bad_reply():
    with pytest.raises(UpstreamError) as caught:
        fold(stream(chunk(tool(0, "a", None, "{}")), chunk({}, "tool_calls")))
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_ids_that_are_not_given_are_made_and_differ_between_calls_and_replies():
    made = [
        call_id
        for reply in ("c1", "c2")
        for call_id, _, _ in calls_of(
            stream(chunk(tool(0, "", "f", "{}"), id=reply), chunk(tool(1, None, "f", "{}")))
        )
    ]
    assert len(set(made)) == 4
    assert all(call_id.isalnum() and len(call_id) <= 40 for call_id in made)


@pytest.mark.parametrize("arguments", ["", None, {}])
def test_a_call_without_arguments_ends_as_an_empty_object(arguments):
    events = stream(chunk(tool(0, "a", "f", arguments)), chunk({}, "tool_calls"))
    assert calls_of(events) == [("a", "f", "{}")]
    written = meaning_of_chunks(sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events)))
    assert written.calls == [("f", "{}")]


def test_arguments_given_as_an_object_are_written_once():
    assert calls_of(stream(chunk(tool(0, "a", "f", {"x": "ü"})))) == [("a", "f", '{"x":"ü"}')]


def test_broken_arguments_reach_the_caller_as_they_are():
    events = stream(chunk(tool(0, "a", "f", '{"x":')), chunk({}, "tool_calls"))
    completion = sdk_completion(OPENAI_CHAT.encode_reply(events, CONTEXT))
    assert meaning_of_completion(completion).calls == [("f", '{"x":')]


def test_an_empty_argument_delta_does_not_end_the_stream():
    events = stream(
        chunk(tool(0, "a", "f", "")),
        chunk(tool(0, None, None, "")),
        chunk(tool(0, None, None, "{}")),
        chunk({}, "stop"),
    )
    assert calls_of(events) == [("a", "f", "{}")]


def test_the_legacy_function_call_is_a_tool_call():
    events = stream(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk({}, "function_call"),
    )
    assert [call[1:] for call in calls_of(events)] == [("f", "{}")]
    assert events[-1] == Finished("tool_calls")


@pytest.mark.parametrize(
    ("raw", "with_call", "reason"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("length", True, "length"),
        ("length", False, "length"),
        ("content_filter", False, "content_filter"),
        ("tool_calls", False, "stop"),
        ("function_call", True, "tool_calls"),
        ("eos", False, "stop"),
        ("eos", True, "tool_calls"),
        ("", False, "stop"),
        ("from_the_future", False, "stop"),
        (1, False, "stop"),
        (None, True, "tool_calls"),
    ],
)
def test_the_reason_of_the_end_is_one_a_client_knows(raw, with_call, reason):
    message = tool(0, "a", "f", "{}") if with_call else {"content": "a"}
    streamed = stream(chunk(message), chunk({}, raw))
    assert streamed[-1].reason == reason
    assert OPENAI_CHAT.decode_reply(whole(message, raw), "openai")[-1].reason == reason


# Thinking, refusals, odd contents


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {"reasoning_content": "Hm.", "reasoning": "Hm."},
        {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
        {"content": [{"type": "thinking", "thinking": "Hm."}]},
        {
            "content": [
                {"type": "thinking", "thinking": [7, {"type": "text", "text": "Hm."}, {"type": "new"}]}
            ]
        },
    ],
)
def test_thinking_is_found_in_every_spelling_and_once(delta):
    """Rule 24: and it ends with its maker's name, though nobody signed it."""
    seal = Seal("", "openai")
    expected = [
        ReplyStarted("c1", "m"),
        ThinkingDelta("Hm."),
        ThinkingSealed(seal),
        TextDelta("Yes"),
        Finished("stop"),
    ]
    assert stream(chunk(delta), chunk({"content": "Yes"}), chunk({}, "stop")) == expected
    assert fold(OPENAI_CHAT.decode_reply(whole(delta), "openai")).parts == (Thinking("Hm.", seal),)


SIGNED = {"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0}
ENCRYPTED = [
    {"type": "reasoning.summary", "summary": "Hm.", "index": 0},
    {"type": "reasoning.encrypted", "data": "x", "index": 0},
]


@pytest.mark.parametrize("details", [[SIGNED], ENCRYPTED])
def test_sealed_details_are_kept_whole_for_their_maker(details):
    events = OPENAI_CHAT.decode_reply(whole({"content": "Yes", "reasoning_details": details}), "openrouter")
    thought, answer = fold(events).parts
    assert isinstance(thought, Thinking)
    assert thought.text == "Hm."
    assert thought.seal is not None
    assert thought.seal.maker == "openrouter"
    assert json.loads(thought.seal.data) == details
    assert answer == Text("Yes")


def test_details_in_pieces_are_put_together():
    """As OpenRouter streams Claude: text in pieces, the signature apart, all of one index."""
    pieces = [
        {"type": "reasoning.text", "text": "H", "index": 0, "format": "f", "signature": ""},
        {"type": "reasoning.text", "text": "m.", "index": 0, "format": "f"},
        {"type": "reasoning.text", "signature": "s", "index": 0, "format": "f"},
    ]
    chunks = [
        chunk({"reasoning": piece.get("text"), "reasoning_details": [piece], "content": ""})
        for piece in pieces
    ]
    thought, answer = fold(stream(*chunks, chunk({"content": "Yes"}), chunk({}, "stop"))).parts
    assert isinstance(thought, Thinking)
    assert (thought.text, answer) == ("Hm.", Text("Yes"))
    assert thought.seal is not None
    assert json.loads(thought.seal.data) == [{**SIGNED, "format": "f"}]


def test_details_that_come_behind_the_answer_are_kept():
    late = [{"type": "reasoning.encrypted", "data": "x", "id": "a"}]
    events = stream(chunk({"content": "Yes"}), chunk({"reasoning_details": late}), chunk({}, "stop"))
    text, thought = fold(events).parts
    assert (text, thought) == (
        Text("Yes"),
        Thinking("", Seal(json.dumps(late, separators=(",", ":")), "openai")),
    )


def test_googles_signatures_are_seals_of_calls_and_messages():
    """Rule 31: as Gemini's compatible endpoint writes them."""
    signed = {"google": {"thought_signature": "c2ln"}}
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": signed}
    events = stream(chunk({"tool_calls": [call]}), chunk({}, "tool_calls"))
    assert fold(events).parts == (ToolCall("a", "f", "{}", Seal("c2ln", "openai")),)
    events = OPENAI_CHAT.decode_reply(whole({"content": "Hi", "extra_content": signed}), "gemini")
    assert fold(events).parts == (Text("Hi", seal=Seal("c2ln", "gemini")),)
    odd = {"content": "Hi", "extra_content": {"google": {"thought": True}}}
    assert fold(OPENAI_CHAT.decode_reply(whole(odd), "gemini")).parts == (Text("Hi"),)


@pytest.mark.parametrize(
    "odd",
    [
        {"reasoning": {"a": 1}},
        {"reasoning_content": None},
        {"reasoning_details": []},
        {"reasoning_details": "x"},
        {"refusal": ""},
    ],
)
def test_odd_values_of_extra_fields_break_nothing(odd):
    assert fold(stream(chunk({"content": "a", **odd}), chunk({}, "stop"))).parts == (Text("a"),)


def test_thinking_between_texts_keeps_its_place():
    events = stream(
        chunk({"content": "a"}), chunk({"reasoning": "b"}), chunk({"content": "c"}), chunk({}, "stop")
    )
    assert fold(events).parts == (Text("a"), Thinking("b", Seal("", "openai")), Text("c"))


def test_a_list_of_content_is_read_in_order():
    content = [
        {"type": "text", "text": "a"},
        {"type": "reference", "reference_ids": [1]},
        "junk",
        {"type": "text", "text": "b"},
    ]
    assert fold(OPENAI_CHAT.decode_reply(whole({"content": content}), "openai")).parts == (Text("ab"),)


def test_content_that_a_provider_parsed_is_json_text_again():
    assert fold(OPENAI_CHAT.decode_reply(whole({"content": {"a": [1]}}), "openai")).parts == (
        Text('{"a":[1]}'),
    )


def test_a_refusal_is_told_and_written_back_as_one():
    events = stream(chunk({"refusal": "I "}), chunk({"refusal": "won't."}), chunk({}, "stop"))
    assert fold(events).parts == (Text("I won't.", is_refusal=True),)
    assert events[-1] == Finished("refusal")
    assert (
        meaning_of_completion(sdk_completion(OPENAI_CHAT.encode_reply(events, CONTEXT))).finish_reason
        == "stop"
    )
    written = meaning_of_chunks(sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events)))
    assert (written.refusal, written.finish_reason) == ("I won't.", "stop")


def test_a_message_that_a_filter_removed_is_an_empty_answer():
    body = json.dumps({"id": "c", "choices": [{"finish_reason": "content_filter", "index": 0}]}).encode()
    assert OPENAI_CHAT.decode_reply(body, "openai") == [
        ReplyStarted("c", ""),
        Finished("content_filter"),
    ]


# Errors inside an answer


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"message": "Slow down", "code": "rate_limit_exceeded"}, UpstreamFault.RATE_LIMITED),
        ({"message": "Slow down", "code": 429}, UpstreamFault.RATE_LIMITED),
        ({"message": "Full", "type": "overloaded_error"}, UpstreamFault.OVERLOADED),
        ({"message": "No", "type": "invalid_request_error"}, UpstreamFault.REJECTED),
        ({"message": "No", "code": "502"}, UpstreamFault.SERVER_ERROR),
        ({"message": "No", "status_code": 400}, UpstreamFault.REJECTED),
        ({"message": "Boom", "type": "server_error"}, UpstreamFault.SERVER_ERROR),
        ({"message": "Odd"}, UpstreamFault.BAD_REPLY),
        ("Odd", UpstreamFault.BAD_REPLY),
    ],
)
def test_an_error_inside_a_200_is_an_error(error, fault):
    for data in (
        chunk(error=error),
        chunk({"content": ""}, error=error),
        b"event: error\n" + chunk(error=error),
    ):
        events = stream(chunk({"content": "a"}), data, chunk({"content": "lost"}))
        assert events[:2] == [ReplyStarted("c1", "m"), TextDelta("a")]
        assert isinstance(events[2], Failed)
        assert events[2].error.fault is fault
        assert len(events) == 3
        watch = OPENAI_CHAT.reply_watch()
        watch.feed(chunk({"content": "a"}) + data)
        assert watch.error.fault is fault
        assert not watch.is_complete
    for read in (lambda reply: OPENAI_CHAT.decode_reply(reply, "openai"), OPENAI_CHAT.read_usage):
        with pytest.raises(UpstreamError) as caught:
            read(json.dumps({"error": error}).encode())
        assert caught.value.fault is fault


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"id":"x","choices":',
        b"\xff",
        b'{"choices":3}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_reply_is_a_bad_reply(body):
    with pytest.raises(UpstreamError) as caught:
        OPENAI_CHAT.decode_reply(body, "openai")
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    if body != b'{"choices":3}':
        with pytest.raises(UpstreamError) as caught:
            OPENAI_CHAT.read_usage(body)
        assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_an_answer_that_only_holds_a_message_says_it():
    with pytest.raises(UpstreamError, match="Service tier capacity exceeded"):
        OPENAI_CHAT.decode_reply(
            b'{"object":"error","message":"Service tier capacity exceeded","code":"3505"}', "openai"
        )


# The watch


def watched(*pieces: bytes) -> Any:
    watch = OPENAI_CHAT.reply_watch()
    for piece in pieces:
        watch.feed(piece)
    return watch


@pytest.mark.parametrize(
    "ending",
    [
        DONE,
        b"data: [DONE] \n",
        b"data:[DONE]",
        chunk({}, "stop"),
        chunk({}, "stop")[:-1],
        chunk({}, "stop")[:-2],
    ],
)
def test_the_watch_sees_the_end_however_it_is_spelled(ending):
    assert watched(chunk({"content": "a"}), ending).is_complete
    assert watched(chunk({"content": "a"}) + ending).is_complete
    assert not watched(chunk({"content": "a"}), ending[: len(ending) // 2]).is_complete


def test_the_watch_is_not_fooled_by_text():
    text = 'data: [DONE]\n\n{"finish_reason":"stop","usage":{"prompt_tokens":1},"error":{"message":"x"}}'
    watch = watched(chunk({"content": text}), chunk({"content": "[DONE]"}))
    assert (watch.usage, watch.is_complete, watch.error) == (None, False, None)


def test_the_watch_waits_for_the_first_choice():
    other = {"index": 1, "delta": {}, "finish_reason": "stop"}
    assert not watched(b"data: " + json.dumps({"choices": [other]}).encode() + b"\n\n").is_complete


def test_the_watch_reports_broken_data_it_had_to_read():
    assert watched(b'data: {"usage":{\n\n').error.fault is UpstreamFault.BAD_REPLY
    assert watched(b'data: {"usage":"odd"}\n\n').error is None


def test_the_watch_reports_an_event_without_an_end():
    watch = OPENAI_CHAT.reply_watch()
    piece = b"x" * (sse.EVENT_BYTES_MAX // 2)
    for data in (b"data: ", piece, piece, b"more"):
        watch.feed(data)
    assert watch.error.fault is UpstreamFault.BAD_REPLY


# Writing


def test_the_chunks_have_exactly_the_shape_of_the_original():
    events = [
        ReplyStarted("x", "y"),
        TextDelta("Hi"),
        UsageReported(Usage(3, 2, 1, reasoning_tokens=1)),
        Finished("stop"),
    ]
    written = OPENAI_CHAT.reply_encoder(ReplyContext("abc", "tiny", 7, stream_usage=True)).feed(events)
    *lines, last = written.decode().split("\n\n")[:-1]
    assert last == "data: [DONE]"
    head = {
        "id": "chatcmpl-abc",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "tiny",
        "system_fingerprint": None,
    }
    deltas = [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        ({"content": "Hi"}, None),
        ({}, "stop"),
    ]
    assert [json.loads(line.removeprefix("data: ")) for line in lines] == [
        *(
            {
                **head,
                "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
                "usage": None,
            }
            for delta, finish in deltas
        ),
        {
            **head,
            "choices": [],
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 2,
                "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 1},
            },
        },
    ]


def test_usage_is_streamed_only_to_those_who_asked():
    events = [ReplyStarted("x", "y"), UsageReported(Usage(3, 2)), Finished("stop")]
    assert b"usage" not in OPENAI_CHAT.reply_encoder(QUIET).feed(events)
    chunks = sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events))
    assert [bool(each.usage) for each in chunks] == [False, False, True]
    assert chunks[-1].choices == []


def test_unknown_usage_is_not_written_as_zero():
    events = [
        ReplyStarted("x", "y"),
        TextDelta("Hi"),
        UsageReported(Usage(output_tokens=3)),
        Finished("stop"),
    ]
    assert all(each.usage is None for each in sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events)))
    assert sdk_completion(OPENAI_CHAT.encode_reply(events, CONTEXT)).usage is None


def test_a_reply_is_started_and_ended_once():
    encoder = OPENAI_CHAT.reply_encoder(QUIET)
    written = encoder.feed([ReplyStarted("x", "y")]) + encoder.feed(
        [ReplyStarted("x", "y"), TextDelta("a"), Finished("stop")]
    )
    written += encoder.feed([TextDelta("late"), Finished("stop")])
    assert written.count(b'"role"') == 1
    assert written.count(b"[DONE]") == 1
    assert b"late" not in written
    assert b'"role"' in OPENAI_CHAT.reply_encoder(QUIET).feed([TextDelta("no start")])


def test_an_answer_of_calls_only_has_null_content_and_an_empty_one_has_empty_text():
    call = [ReplyStarted("x", "y"), ToolCallStarted(0, "a", "f"), Finished("tool_calls")]
    assert sdk_completion(OPENAI_CHAT.encode_reply(call, CONTEXT)).choices[0].message.content is None
    nothing = [ReplyStarted("x", "y"), ThinkingDelta("Hm"), Finished("length")]
    assert sdk_completion(OPENAI_CHAT.encode_reply(nothing, CONTEXT)).choices[0].message.content == ""


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop_sequence", "stop"),
        ("refusal", "content_filter"),
        ("pause", "length"),
        ("length", "length"),
        ("content_filter", "content_filter"),
    ],
)
def test_reasons_of_other_dialects_are_written_as_ones_of_chat(reason, finish):
    events = [ReplyStarted("x", "y"), TextDelta("a"), Finished(reason)]
    assert (
        meaning_of_completion(sdk_completion(OPENAI_CHAT.encode_reply(events, CONTEXT))).finish_reason
        == finish
    )
    assert (
        meaning_of_chunks(sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events))).finish_reason == finish
    )


def test_a_failure_in_the_middle_makes_the_sdk_raise():
    failed = Failed(UpstreamError(UpstreamFault.OVERLOADED, "no capacity"))
    written = OPENAI_CHAT.reply_encoder(CONTEXT).feed(
        [ReplyStarted("x", "y"), TextDelta("Hi"), failed, Finished("stop")]
    )
    assert b"[DONE]" not in written
    with pytest.raises(openai.APIError, match="no capacity"):
        sdk_chunks(written)
    with pytest.raises(UpstreamError, match="no capacity"):
        OPENAI_CHAT.encode_reply([ReplyStarted("x", "y"), failed], CONTEXT)


def test_an_id_that_is_one_already_stays():
    context = ReplyContext("chatcmpl-1", "tiny", 1)
    assert sdk_completion(OPENAI_CHAT.encode_reply([Finished("stop")], context)).id == "chatcmpl-1"


texts = st.text(max_size=6)
blocks = st.one_of(
    st.lists(texts.map(TextDelta), min_size=1, max_size=3),
    st.lists(texts.map(ThinkingDelta), min_size=1, max_size=3),
    st.just([ThinkingDelta("x"), ThinkingSealed(Seal("sig", "maker")), BlockEnded()]),
    st.just([RedactedThinkingBlock(Seal("data", "maker"))]),
    st.just([BlockEnded()]),
)
counts = st.none() | st.integers(0, 10**6)
usages = st.builds(Usage, counts, counts, counts, st.none(), st.none(), counts)


@st.composite
def replies(draw):
    body = [event for block in draw(st.lists(blocks, max_size=5)) for event in block]
    calls = draw(st.lists(st.lists(texts, max_size=3), max_size=3))
    for index, pieces in enumerate(calls):
        body.append(ToolCallStarted(index, f"id{index}", "f"))
        body += [ToolCallDelta(index, piece) for piece in pieces]
    if draw(st.booleans()):
        body.append(UsageReported(draw(usages)))
    reason = draw(
        st.sampled_from(["tool_calls", "length"] if calls else ["stop", "length", "content_filter"])
    )
    return [ReplyStarted("x", "y"), *body, Finished(reason)]


@given(replies())
def test_any_reply_streams_what_it_says_whole_and_reads_back_the_same(events):
    expected = shown(meaning_of_reply(fold(events)))
    body = OPENAI_CHAT.encode_reply(events, CONTEXT)
    written = OPENAI_CHAT.reply_encoder(CONTEXT).feed(events)
    assert meaning_of_completion(sdk_completion(body)) == expected
    assert meaning_of_chunks(sdk_chunks(written)) == expected
    assert meaning_of_reply(fold(OPENAI_CHAT.decode_reply(body, "openai"))) == expected
    assert meaning_of_reply(fold(decoded([written]))) == expected


@given(
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from([b"data: ", b"\n\n", b"{}", b"[DONE]", chunk({"content": "a"}), chunk({}, "stop")]),
        max_size=8,
    )
)
def test_no_bytes_crash_the_readers(pieces):
    watch = OPENAI_CHAT.reply_watch()
    for piece in pieces:
        watch.feed(piece)
    result = outcome(pieces)
    assert isinstance(result, list) or result[0] in {UpstreamFault.BAD_REPLY, UpstreamFault.BROKEN}


def test_a_token_counted_as_read_and_as_written_counts_once():
    usage = {
        "prompt_tokens": 2168,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 2161, "cache_write_tokens": 2161},
    }
    told = fold(OPENAI_CHAT.decode_reply(whole({"content": "a"}, usage=usage), "openrouter")).usage
    assert (told.input_tokens, told.cache_read_tokens, told.cache_write_tokens) == (2168, 2161, 7)


def test_what_was_spoken_is_told_in_its_words():
    spoken = {"content": None, "audio": {"id": "a", "data": "QUJD", "transcript": "Hello"}}
    assert fold(OPENAI_CHAT.decode_reply(whole(spoken), "openai")).parts == (Text("Hello"),)
    pieces = [
        {"audio": {"id": "a"}},
        {"audio": {"transcript": "Hel"}},
        {"audio": {"data": "QQ"}},
        {"audio": {"transcript": "lo"}},
    ]
    assert fold(stream(*map(chunk, pieces), chunk({}, "stop"))).parts == (Text("Hello"),)


def test_sound_without_words_is_no_empty_answer():
    with pytest.raises(UpstreamError) as caught:
        OPENAI_CHAT.decode_reply(whole({"content": None, "audio": {"data": "QUJD"}}), "openai")
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_a_message_can_be_sent_back_as_it_came():
    """Groq refuses `annotations`: an empty one is not written."""
    body = OPENAI_CHAT.encode_reply([ReplyStarted("x", "y"), TextDelta("a"), Finished("stop")], CONTEXT)
    assert json.loads(body)["choices"][0]["message"] == {"role": "assistant", "content": "a", "refusal": None}
