"""The committed recordings: what each answer means, streamed or not, through the dialect and the official SDK."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai_responses_checks import (
    CONTEXT,
    check_grammar,
    decoded,
    meaning_of_reply,
    meaning_of_sdk,
    outcome,
    sdk_response,
    sdk_streamed,
)
from recordings import golden, request_body, streamed_answer, whole_answer

from pointsman.core.errors import UpstreamError
from pointsman.core.events import Failed, ReplyEvent, fold
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

VECTORS = golden("openai_responses")
STREAMS = [path for path in VECTORS if path.stem.endswith("_streamed")]
ERRORS = [path for path in VECTORS if path.stem.startswith("error_")]
REPLIES = [path for path in VECTORS if path not in ERRORS]


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def events_of(record: dict[str, Any]) -> list[ReplyEvent]:
    stream = streamed_answer(record)
    if stream is not None:
        return decoded([stream])
    return OPENAI_RESPONSES.decode_reply(whole_answer(record), "openai")


def as_expected(record: dict[str, Any], meaning: Any) -> None:
    assert json.loads(json.dumps(vars(meaning))) == record["expected"]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_recorded_answer_is_read_and_written_with_its_meaning(path):
    record = load(path)
    events = events_of(record)
    as_expected(record, meaning_of_reply(fold(events)))
    as_expected(record, meaning_of_sdk(sdk_response(OPENAI_RESPONSES.encode_reply(events, CONTEXT))))
    stream = OPENAI_RESPONSES.reply_encoder(CONTEXT).feed(events)
    check_grammar(stream)
    as_expected(record, meaning_of_sdk(sdk_streamed(stream)))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_recorded_stream_cut_at_any_byte_gives_the_same_events(path):
    stream = streamed_answer(load(path))
    expected = outcome([stream])
    assert outcome(stream[i : i + 1] for i in range(len(stream))) == expected
    for cut in range(0, len(stream), 97):
        assert outcome([stream[:cut], stream[cut:]]) == expected


@pytest.mark.parametrize("path", [path for path in STREAMS if path not in ERRORS], ids=lambda path: path.stem)
def test_the_watch_reads_the_same_usage_however_the_stream_is_cut(path):
    stream = streamed_answer(load(path))
    usage = fold(decoded([stream])).usage
    for size in (1, 7, 200, len(stream)):
        watch = OPENAI_RESPONSES.reply_watch()
        for start in range(0, len(stream), size):
            watch.feed(stream[start : start + size])
        assert (watch.is_complete, watch.error) == (True, None)
        assert watch.usage == usage or (watch.usage is None and usage.input_tokens is None)


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_a_recorded_failure_is_understood(path):
    record = load(path)
    response = record["response"]
    if "sse" in response:
        last = decoded([streamed_answer(record)])[-1]
        assert isinstance(last, Failed)
        assert last.error.fault == record["expected"]["fault"]
    elif response["status"] == 200:
        with pytest.raises(UpstreamError) as caught:
            OPENAI_RESPONSES.decode_reply(whole_answer(record), "openai")
        assert caught.value.fault == record["expected"]["fault"]
    else:
        error = OPENAI_RESPONSES.decode_error(response["status"], (), whole_answer(record))
        assert error.fault == record["expected"]["fault"]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_recorded_request_is_read(path):
    body = request_body(load(path))
    if body is None:
        return
    envelope = read_envelope(body)
    assert OPENAI_RESPONSES.read_prompt(envelope).turns
    request = OPENAI_RESPONSES.decode_request(envelope)
    assert request.messages
    assert request.must_not_drop == ({"tools[0].web_search"} if path.stem == "citations_streamed" else set())
