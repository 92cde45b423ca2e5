"""What Ollama answers, recorded and made up, as events."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import golden, recorded, whole_answer

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import Failed, Finished, ReplyEvent, ThinkingSealed, ToolCallStarted, fold
from pointsman.core.request import Seal, Text, Thinking, ToolCall
from pointsman.wire.ollama import OLLAMA

NOT_OF_THIS_API = {
    "ollama-chat-8a9ac4fee25b": "answered by the compatible endpoint",
    "ollama-chat-b5be1d3806a1": "answered by the compatible endpoint",
}
VECTORS = [(path.stem, json.loads(path.read_text("utf-8"))) for path in golden("ollama")]
REPLIES = [pytest.param(record, id=name) for name, record in VECTORS if not name.startswith("error_")]
STREAMS = [pytest.param(record, id=name) for name, record in VECTORS if record["streaming"]]


def stream_of(record: dict[str, Any]) -> bytes | None:
    lines = record["response"].get("lines")
    return None if lines is None else "".join(lines).encode()


def decoded(pieces: Iterable[bytes]) -> list[ReplyEvent]:
    decoder = OLLAMA.reply_decoder("ollama")
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


def events_of(record: dict[str, Any]) -> list[ReplyEvent]:
    stream = stream_of(record)
    if stream is not None:
        return decoded([stream])
    return OLLAMA.decode_reply(whole_answer(record) or b"", "ollama")


def meaning(events: list[ReplyEvent]) -> dict[str, Any]:
    reply = fold(events)
    usage = reply.usage
    return {
        "text": "".join(part.text for part in reply.parts if isinstance(part, Text)),
        "thinking": "".join(part.text for part in reply.parts if isinstance(part, Thinking)),
        "calls": [[part.name, part.arguments] for part in reply.parts if isinstance(part, ToolCall)],
        "finish_reason": reply.finished.reason,
        "usage": None if usage.output_tokens is None else [usage.input_tokens, usage.output_tokens],
    }


def line(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "created_at": "2025-01-01T00:00:00Z", **fields}).encode() + b"\n"


def saying(text: str, **message: Any) -> bytes:
    return line(message={"role": "assistant", "content": text, **message}, done=False)


def calling(*calls: dict[str, Any]) -> bytes:
    return saying("", tool_calls=[{"function": call} for call in calls])


DONE = line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop")


@pytest.mark.parametrize("record", REPLIES)
def test_a_recorded_answer_means_what_it_says(record):
    assert meaning(events_of(record)) == record["expected"]


@pytest.mark.parametrize("record", STREAMS)
def test_a_recorded_stream_cut_at_every_byte_gives_the_same_events(record):
    stream = stream_of(record) or b""
    assert decoded(stream[at : at + 1] for at in range(len(stream))) == decoded([stream])
    assert decoded([stream.replace(b"\n", b"\r\n")]) == decoded([stream])
    assert decoded([stream.removesuffix(b"\n")]) == decoded([stream])


def test_every_recorded_answer_is_read(shared: Path):
    count = 0
    for record in recorded(shared, "ollama", "ollama.chat"):
        if record["id"] in NOT_OF_THIS_API:
            with pytest.raises(UpstreamError) as failed:
                events_of(record)
            assert failed.value.fault is UpstreamFault.BAD_REPLY
            continue
        stream = stream_of(record)
        told = (
            [record["response"]["body"]] if stream is None else [json.loads(x) for x in stream.splitlines()]
        )
        found = meaning(events_of(record))
        assert found["text"] == "".join(each["message"].get("content") or "" for each in told)
        assert found["thinking"] == "".join(each["message"].get("thinking") or "" for each in told)
        calls = [call["function"] for each in told for call in each["message"].get("tool_calls") or ()]
        assert [(name, json.loads(text)) for name, text in found["calls"]] == [
            (call["name"], call["arguments"]) for call in calls
        ]
        assert found["usage"] in (None, [told[-1].get("prompt_eval_count"), told[-1].get("eval_count")])
        count += 1
    assert count == 26


def test_arguments_keep_their_numbers_and_order():
    call = b'{"function":{"name":"f","arguments":{"b":1.10,"a":12345678901234567890}}}'
    stream = b'{"model":"m","message":{"tool_calls":[' + call + b"]}}\n" + DONE
    assert meaning(decoded([stream]))["calls"] == [["f", '{"b":1.10,"a":12345678901234567890}']]


@pytest.mark.parametrize("arguments", [{}, None, "", "{}"])
def test_a_call_without_arguments_has_an_empty_object(arguments):
    assert meaning(decoded([calling({"name": "f", "arguments": arguments}), DONE]))["calls"] == [["f", "{}"]]


def test_calls_get_ids_of_their_own():
    twice = {"name": "f", "arguments": {"a": 1}}
    events = decoded([calling(twice, twice), calling(twice), DONE])
    ids = [event.id for event in events if isinstance(event, ToolCallStarted)]
    assert len(set(ids)) == 3
    assert all(call_id.isalnum() and len(call_id) <= 40 for call_id in ids)
    assert [event.index for event in events if isinstance(event, ToolCallStarted)] == [0, 1, 2]


def test_an_id_that_the_server_gives_is_kept():
    with_id = saying("", tool_calls=[{"id": "call_1", "function": {"name": "f", "arguments": {}}}])
    assert next(e.id for e in decoded([with_id, DONE]) if isinstance(e, ToolCallStarted)) == "call_1"


def test_thinking_is_sealed_with_its_maker_and_nothing_else():
    events = decoded([saying("", thinking="hm"), saying("", thinking=" so"), saying("yes"), DONE])
    assert events[1:4] != events[2:5]
    assert events[3] == ThinkingSealed(Seal("", "ollama"))


def test_a_reply_that_only_thinks_is_sealed_before_its_end():
    events = decoded([saying("", thinking="hm"), line(done=True, done_reason="length")])
    assert events[-2:] == [ThinkingSealed(Seal("", "ollama")), Finished("length")]


def test_log_probabilities_come_with_their_text():
    told = {"token": "yes", "logprob": -0.1}
    stream = line(message={"content": "yes"}, logprobs=[told]) + DONE
    # what it leaves out where there is nothing of it, others count on
    assert fold(decoded([stream])).logprobs == ({**told, "bytes": [121, 101, 115], "top_logprobs": []},)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"error": "an error was encountered while running the model"}, UpstreamFault.SERVER_ERROR),
        ({"error": "slow down", "status_code": 429}, UpstreamFault.RATE_LIMITED),
        ({"error": {"message": "no"}}, UpstreamFault.SERVER_ERROR),
    ],
)
def test_an_error_line_ends_the_reply(error, fault):
    events = decoded([saying("Hel"), json.dumps(error).encode() + b"\n", DONE])
    assert isinstance(events[-1], Failed)
    assert events[-1].error.fault is fault
    with pytest.raises(UpstreamError) as failed:
        OLLAMA.decode_reply(json.dumps(error).encode(), "ollama")
    assert failed.value.fault is fault


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (saying("Hel"), UpstreamFault.BROKEN),
        (b"", UpstreamFault.BROKEN),
        (saying("Hel") + DONE[:30], UpstreamFault.BROKEN),
        (saying("Hel") + b"nonsense\n" + DONE, UpstreamFault.BAD_REPLY),
        (b'{"choices":[]}\n', UpstreamFault.BAD_REPLY),
        (b'{"message":{"content":7}}\n', UpstreamFault.BAD_REPLY),
        (
            b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":"\xff"}}]}}\n',
            UpstreamFault.BAD_REPLY,
        ),
        (b"[" * 5000 + b"\n", UpstreamFault.BAD_REPLY),
    ],
)
def test_a_stream_that_is_not_whole_is_never_taken_for_one(stream, fault):
    with pytest.raises(UpstreamError) as failed:
        fold(decoded([stream]))
    assert failed.value.fault is fault


@given(st.lists(st.binary(max_size=30) | st.sampled_from([saying("x"), DONE, b"\n"]), max_size=8))
def test_any_bytes_are_events_or_an_upstreams_fault(pieces):
    try:
        decoded(pieces)
        OLLAMA.decode_reply(b"".join(pieces), "ollama")
    except UpstreamError:
        pass


@pytest.mark.parametrize(
    ("status", "body", "fault", "code", "message"),
    [
        (404, b'{"error":"model \'x\' not found"}', UpstreamFault.NO_SUCH_MODEL, "model_not_found", "model 'x' not found"),
        (400, b'{"error":"m does not support tools"}', UpstreamFault.REJECTED, None, "m does not support tools"),
        (503, b'{"error":"server busy"}', UpstreamFault.OVERLOADED, None, "server busy"),
        (500, b'{"error":{"message":"no"}}', UpstreamFault.SERVER_ERROR, None, "no"),
        (502, b"<html>", UpstreamFault.SERVER_ERROR, None, "the provider answered with status 502"),
        (302, b"", UpstreamFault.BAD_REPLY, None, "the provider answered with status 302"),
        (401, b"unauthorized", UpstreamFault.AUTH, None, "unauthorized"),
        (
            400,
            b'{"error":"the input length exceeds the context length"}',
            UpstreamFault.TOO_LONG,
            "context_length_exceeded",
            "the input length exceeds the context length",
        ),
    ],
)  # fmt: skip
def test_errors_are_read(status, body, fault, code, message):
    """A model that is not pulled, or too small, is no fault of the request: another may take it."""
    error = OLLAMA.decode_error(status, (), body)
    assert (error.fault, error.code, error.message, error.status) == (fault, code, message, status)
