"""Every recorded responses exchange, in and out, against a plain reading of the recording and the official SDK."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_responses_checks import (
    CONTEXT,
    check_grammar,
    decoded,
    meaning_of_reply,
    meaning_of_response,
    meaning_of_sdk,
    outcome,
    recorded_end,
    sdk_response,
    sdk_streamed,
)
from recordings import recorded, request_body, streamed_answer, whole_answer

from pointsman.core.errors import BadRequest, Unsupported, UpstreamError, UpstreamFault
from pointsman.core.events import Failed, Finished, fold
from pointsman.core.model_card import ModelCard
from pointsman.core.request import RedactedThinking, Request, Thinking
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

NO_MODEL = {
    "openai-responses-2dcab9bed155": "a stored prompt names the model",
    "openai-responses-cb58fe2584be": "a stored prompt names the model",
    "openai-responses-0e40f280b340": "a stored prompt names the model",
    "openai-responses-5378ecc2de41": "a stored prompt names the model",
}

REFUSED = {
    "a file known to its own provider only": 5,
    "previous_response_not_found": 6,
    "'background' cannot": 8,
    "'conversation' cannot": 2,
    ".compaction' cannot": 3,
    ".code_interpreter' cannot": 7,
    ".file_search' cannot": 6,
    ".image_generation' cannot": 7,
    ".mcp' cannot": 5,
    ".tool_search' cannot": 27,
    ".web_search' cannot": 18,
    ".web_search_preview' cannot": 4,
}
"""What only the provider itself has or runs, and how many of the recorded requests ask for it. A number may only fall."""

NOT_A_REPLY = {
    "openai-responses-09029faa66e0": (UpstreamFault.BAD_REPLY, "Azure: a chat completion"),
    "openai-responses-78bd3159f882": (UpstreamFault.NO_SUCH_MODEL, "an error in a 200"),
    "openai-responses-1fd0816629d9": (UpstreamFault.BAD_REPLY, "queued in the background"),
    "openai-responses-36086906b3ec": (UpstreamFault.BAD_REPLY, "queued in the background"),
    "openai-responses-aa45873ea43d": (UpstreamFault.BAD_REPLY, "queued in the background"),
    "openai-responses-cff040f162c4": (UpstreamFault.BAD_REPLY, "queued in the background"),
    "openai-responses-f0497c439c79": (UpstreamFault.BAD_REPLY, "queued in the background"),
}
WAITS_FOR_ITS_CALLER = {
    "openai-responses-0dfb926f8d8e": "apply_patch_call",
    "openai-responses-1bce7ba828dc": "apply_patch_call",
    "openai-responses-439c0a8726fc": "apply_patch_call",
    "openai-responses-a88b23c66295": "local_shell_call",
    "openai-responses-fba8bae88b94": "local_shell_call",
    "openai-responses-14935d33a5b4": "mcp_approval_request",
    "openai-responses-45f3229a9e41": "mcp_approval_request",
    "openai-responses-4729b8ea8af6": "mcp_approval_request",
    "openai-responses-74b18e2c2cb4": "mcp_approval_request",
    "openai-responses-76a4b4124b65": "shell_call",
    "openai-responses-bcf2acd820de": "shell_call",
    "openai-responses-1bc0d3024c0a": "tool_search_call",
    "openai-responses-77538cf268e9": "tool_search_call",
    "openai-responses-8c51cd739953": "tool_search_call",
    "openai-responses-d8fe35e4ab4b": "tool_search_call",
}
"""Calls of a kind that no other dialect has, which the caller of the recording was to make."""

FAILED = {
    "openai-responses-5dcd098501f1": UpstreamFault.RATE_LIMITED,
    "openai-responses-36e3e5bf76ec": UpstreamFault.QUOTA,
}

SHORTENED = {
    "openai-responses-608feb34a7f6": "its publisher left pieces of the text out, but not of the whole"
}

CARD = ModelCard("tiny", "openai", "tiny-1")


@pytest.fixture(scope="module")
def records(shared: Path) -> list[dict[str, Any]]:
    return list(recorded(shared, "openai_responses", "openai.responses"))


def envelopes(records: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Envelope]]:
    for record in records:
        if (body := request_body(record)) and record["id"] not in NO_MODEL:
            yield record, read_envelope(body)


def streams(records: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
    for record in records:
        if stream := streamed_answer(record):
            yield record, stream


def wholes(records: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
    for record in records:
        if record["response"]["status"] == 200 and (body := whole_answer(record)):
            yield record, body


def refusal_of(error: BadRequest | Unsupported) -> str:
    said = f"{error.code} {error.message}"
    return next(why for why in REFUSED if why in said)


def test_every_recorded_request_is_read(records):
    count = 0
    for record, envelope in envelopes(records):
        OPENAI_RESPONSES.require_messages(envelope)
        prompt = OPENAI_RESPONSES.read_prompt(envelope)
        asked = record["request"]["body"]
        given = asked["input"] if isinstance(asked["input"], list) else [{"role": "user"}]
        assert len(prompt.turns) == sum(
            item.get("role") in {"user", "assistant"} or item.get("type", "").endswith("_output")
            for item in given
        )
        assert (prompt.tool_count > 0) == bool(asked.get("tools"))
        assert prompt.media_bytes <= prompt.input_bytes < len(envelope.body)
        count += 1
    assert count == 308


def test_every_recorded_request_is_translated_or_says_why_not(records):
    refused = dict.fromkeys(REFUSED, 0)
    translated = 0
    for record, envelope in envelopes(records):
        try:
            request = OPENAI_RESPONSES.decode_request(envelope)
            OPENAI_RESPONSES.encode_request(request, CARD)
        except (BadRequest, Unsupported) as error:
            refused[refusal_of(error)] += 1
            continue
        assert request.messages, record["id"]
        translated += 1
    assert refused == REFUSED
    assert translated == 308 - sum(REFUSED.values())


def without_reasoning(request: Request) -> list[object]:
    return [
        [part for part in message.parts if not isinstance(part, Thinking | RedactedThinking)]
        for message in request.messages
    ]


def test_every_recorded_request_survives_being_written_and_read_again(records):
    for record, envelope in envelopes(records):
        try:
            request = OPENAI_RESPONSES.decode_request(envelope)
            encoded = OPENAI_RESPONSES.encode_request(request, CARD)
        except (BadRequest, Unsupported):
            continue
        again = OPENAI_RESPONSES.decode_request(read_envelope(encoded.body))
        assert [message.role for message in again.messages] == [message.role for message in request.messages]
        assert without_reasoning(again) == without_reasoning(request), record["id"]
        assert again.tools == request.tools
        assert (again.tool_choice, again.parallel_tools) == (request.tool_choice, request.parallel_tools)
        assert again.output_format == request.output_format
        assert again.sampling.max_output_tokens == request.sampling.max_output_tokens
        assert again.stream == request.stream
        assert set(request.foreign) - set(again.foreign) == set(encoded.dropped) - {"reasoning"}, record["id"]


def test_every_recorded_answer_means_what_it_says(records):
    count = 0
    for record, body in wholes(records):
        if record["id"] in NOT_A_REPLY or record["id"] in WAITS_FOR_ITS_CALLER:
            with pytest.raises(UpstreamError) as caught:
                OPENAI_RESPONSES.decode_reply(body, "openai")
            assert caught.value.fault is NOT_A_REPLY.get(record["id"], (UpstreamFault.BAD_REPLY,))[0]
            continue
        reply = fold(OPENAI_RESPONSES.decode_reply(body, "openai"))
        assert meaning_of_reply(reply) == meaning_of_response(record["response"]["body"]), record["id"]
        count += 1
    assert count == 262


def test_every_recorded_stream_means_what_it_says(records):
    for record, stream in streams(records):
        if record["id"] in WAITS_FOR_ITS_CALLER:
            assert outcome([stream])[0] is UpstreamFault.BAD_REPLY
            continue
        events = decoded([stream])
        if record["id"] in FAILED:
            assert isinstance(events[-1], Failed)
            assert events[-1].error.fault is FAILED[record["id"]]
            continue
        meant, said = meaning_of_reply(fold(events)), meaning_of_response(recorded_end(stream.decode()))
        if record["id"] in SHORTENED:
            said.text = meant.text
        assert meant == said, record["id"]


def test_every_recorded_answer_is_written_with_its_meaning(records):
    """Whole and streamed, read back by the SDK and by the dialect itself."""
    answers = [(record, OPENAI_RESPONSES.decode_reply, body) for record, body in wholes(records)]
    answers += [(record, lambda stream, _: decoded([stream]), stream) for record, stream in streams(records)]
    for record, read, answer in answers:
        if {record["id"]} & (NOT_A_REPLY.keys() | FAILED.keys() | WAITS_FOR_ITS_CALLER.keys()):
            continue
        events = read(answer, "openai")
        expected = meaning_of_reply(fold(events))
        # The caller's tools are not those of the recording: its names are flat.
        whole = OPENAI_RESPONSES.encode_reply(events, CONTEXT)
        stream = OPENAI_RESPONSES.reply_encoder(CONTEXT).feed(events)
        check_grammar(stream)
        assert json.loads(whole) == recorded_end(stream.decode())
        assert meaning_of_sdk(sdk_response(whole)) == expected, record["id"]
        assert meaning_of_sdk(sdk_streamed(stream)) == expected, record["id"]
        assert meaning_of_reply(fold(OPENAI_RESPONSES.decode_reply(whole, "us"))) == expected
        assert meaning_of_reply(fold(decoded([stream]))) == expected


def test_a_recorded_stream_cut_anywhere_gives_the_same_events(records):
    for record, stream in streams(records):
        expected = outcome([stream])
        dice = random.Random(record["id"])
        cuts = sorted(dice.sample(range(len(stream)), min(25, len(stream))))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert outcome(pieces) == expected, record["id"]


def test_a_short_recorded_stream_cut_at_every_byte_gives_the_same_events(records):
    short = sorted((stream for _, stream in streams(records)), key=len)[:4]
    for stream in short:
        expected = outcome([stream])
        assert outcome(stream[i : i + 1] for i in range(len(stream))) == expected


def test_the_watch_reads_the_usage_of_every_recorded_stream_however_it_is_cut(records):
    for record, stream in streams(records):
        if record["id"] in WAITS_FOR_ITS_CALLER:
            continue
        events = decoded([stream])
        failed = isinstance(events[-1], Failed)
        usage = fold([*events[:-1], Finished("stop")] if failed else events).usage
        dice = random.Random(record["id"])
        for count in (0, 3, 40):
            cuts = sorted(dice.sample(range(len(stream)), min(count, len(stream))))
            watch = OPENAI_RESPONSES.reply_watch()
            for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True):
                watch.feed(stream[a:b])
            assert watch.is_complete != failed, record["id"]
            assert (watch.error is not None) == failed, record["id"]
            assert watch.usage == usage or (watch.usage is None and usage.input_tokens is None), record["id"]


def test_the_usage_of_every_recorded_answer_is_read_beside_it(records):
    for record, body in wholes(records):
        told = record["response"]["body"].get("usage")
        if record["id"] in NOT_A_REPLY and "output" not in record["response"]["body"]:
            with pytest.raises(UpstreamError):
                OPENAI_RESPONSES.read_usage(body)
            continue
        usage = OPENAI_RESPONSES.read_usage(body)
        assert (usage is None) == (told is None)
        assert usage is None or usage.output_tokens == told["output_tokens"]


def test_a_recorded_stream_that_breaks_is_never_a_clean_end(records):
    for record, stream in streams(records):
        if record["id"] in FAILED or record["id"] in WAITS_FOR_ITS_CALLER:
            continue
        end = stream.index(
            b'"type":"response.incomplete"' if b"response.incomplete" in stream else b"response.completed"
        )
        half = stream[: end // 2]
        assert outcome([half])[0] is UpstreamFault.BROKEN, record["id"]
        watch = OPENAI_RESPONSES.reply_watch()
        watch.feed(half)
        assert not watch.is_complete


def test_every_recorded_error_is_understood(records):
    of_request = {UpstreamFault.REJECTED, UpstreamFault.NO_SUCH_MODEL}
    faults = {400: of_request, 401: {UpstreamFault.AUTH}, 429: {UpstreamFault.QUOTA}}
    count = 0
    for record in records:
        status = record["response"]["status"]
        if status == 200:
            continue
        error = OPENAI_RESPONSES.decode_error(status, (), whole_answer(record))
        said = record["response"]["body"]["error"]
        assert error.fault in faults[status], record["id"]
        assert error.message.startswith(said["message"][:24])
        assert (error.code, error.param) == (said["code"], said["param"])
        assert (error.body is None) == (error.fault not in of_request)
        count += 1
    assert count == 18
