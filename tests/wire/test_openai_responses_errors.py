"""Errors of the responses dialect: what a provider's mean, and what a client is told, whole and within a stream."""

import json

import pytest
from openai_responses_checks import sdk_error, sdk_stream_error, sse_data

from pointsman.core.errors import (
    BadRequest,
    ExhaustedError,
    PointsmanError,
    Unauthorized,
    Unavailable,
    UnknownModel,
    UpstreamError,
    UpstreamFault,
)
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.sse import frame


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (BadRequest("no", param="input", code="invalid_type"), 400, "invalid_request_error", "invalid_type"),
        (UnknownModel("no"), 400, "invalid_request_error", "model_not_found"),
        (Unauthorized("no"), 401, "invalid_request_error", "invalid_api_key"),
        (Unavailable("no"), 503, "server_error", "service_unavailable"),
        (UpstreamError(UpstreamFault.AUTH, "no", status=401), 502, "server_error", "upstream_auth"),
        (UpstreamError(UpstreamFault.RATE_LIMITED, "no"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (UpstreamError(UpstreamFault.REJECTED, "no", code="x"), 400, "invalid_request_error", "x"),
        (UpstreamError(UpstreamFault.BROKEN, "no"), 502, "server_error", "upstream_broken"),
        (RuntimeError("a secret"), 500, "server_error", None),
    ],
)
def test_every_error_is_one_the_sdk_understands(error, status, kind, code):
    encoded = OPENAI_RESPONSES.encode_error(error, "req_1")
    assert encoded.status == status
    told = sdk_error(encoded.status, encoded.body)
    assert (told.status_code, told.type, told.code) == (status, kind, code)
    assert "secret" not in told.message


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 128000 tokens.",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Your input exceeds the context window of this model.",
        "the request exceeds the available context size",
    ],
)
def test_a_prompt_that_is_too_long_is_named_so_that_agents_shorten_it(message):
    error = UpstreamError(UpstreamFault.REJECTED, message, status=400, code="invalid_request_error")
    assert (
        json.loads(OPENAI_RESPONSES.encode_error(error, "r").body)["error"]["code"]
        == "context_length_exceeded"
    )
    (_, failed) = sse_data(OPENAI_RESPONSES.encode_stream_error(error, "r").decode())
    assert failed["response"]["error"]["code"] == "context_length_exceeded"


def stream_error(error: PointsmanError) -> dict[str, str]:
    stream = OPENAI_RESPONSES.encode_stream_error(error, "req_1").decode()
    assert [line for line in stream.split("\n") if line.startswith("event:")] == [
        "event: error",
        "event: response.failed",
    ]
    error_event, failed = sse_data(stream)
    assert (error_event["type"], failed["type"]) == ("error", "response.failed")
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_req_1", "failed")
    assert failed["response"]["error"]["message"] == error_event["message"] == error_event["error"]["message"]
    return failed["response"]["error"]


def test_codex_is_told_in_words_it_acts_on():
    limited = UpstreamError(UpstreamFault.RATE_LIMITED, "Slow down.", retry_after_s=1.5)
    assert stream_error(limited) == {
        "code": "rate_limit_exceeded",
        "message": "Slow down. Please try again in 1.5s.",
    }
    broke = UpstreamError(UpstreamFault.QUOTA, "No money.", status=429, code="insufficient_quota")
    assert stream_error(ExhaustedError([("tiny", broke)]))["code"] == "insufficient_quota"
    assert stream_error(UpstreamError(UpstreamFault.BROKEN, "It broke."))["code"] == "upstream_broken"


def test_the_sdk_raises_what_a_stream_tells():
    error = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    told = sdk_stream_error(OPENAI_RESPONSES.encode_stream_error(error, "req_1"))
    assert (told.message, told.code) == ("busy", "upstream_overloaded")


@pytest.mark.parametrize(
    ("status", "body", "fault", "message"),
    [
        (400, b'{"error":{"message":"no","code":"x"}}', UpstreamFault.REJECTED, "no"),
        (400, b'{"code":"invalid-argument","error":"no"}', UpstreamFault.REJECTED, "no"),
        (400, b'{"error":"Incorrect API key provided: xai-abcdefgh123"}', UpstreamFault.AUTH, "Incorrect"),
        (401, b'{"error":{"code":"401","message":"no"}}', UpstreamFault.AUTH, "no"),
        (429, b'{"error":{"message":"no","code":"insufficient_quota"}}', UpstreamFault.QUOTA, "no"),
        (429, b'{"error":{"message":"no"}}', UpstreamFault.RATE_LIMITED, "no"),
        (422, b'{"detail":"no"}', UpstreamFault.REJECTED, "no"),
        (502, b"<html>", UpstreamFault.SERVER_ERROR, "the provider answered with status 502"),
        (503, b"busy", UpstreamFault.OVERLOADED, "busy"),
        (400, b'[{"error":{"message":"no"}}]', UpstreamFault.REJECTED, "no"),
        (400, b'{"errors":[{"message":"no"}]}', UpstreamFault.REJECTED, "no"),
        (400, b'{"error":{"message":{"a":1}}}', UpstreamFault.REJECTED, '{"a":1}'),
        (
            429,
            b'{"error":{"message":"no","metadata":{"raw":"slow"}}}',
            UpstreamFault.RATE_LIMITED,
            "no: slow",
        ),
        (400, b"7", UpstreamFault.REJECTED, "the provider answered with status 400"),
    ],
)
def test_every_shape_of_a_providers_error_is_read(status, body, fault, message):
    error = OPENAI_RESPONSES.decode_error(status, [(b"retry-after", b"2")], body)
    assert error.fault is fault
    assert error.message.startswith(message)
    assert (error.status, error.retry_after_s) == (status, 2)
    assert "abcdefgh" not in error.message


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"error":{"message":"no","code":"model_not_found"}}', UpstreamFault.NO_SUCH_MODEL),
        (
            b'{"status":"failed","error":{"code":"server_error","message":"no"},"output":[]}',
            UpstreamFault.SERVER_ERROR,
        ),
        (b'{"choices":[]}', UpstreamFault.BAD_REPLY),
        (b"<html>", UpstreamFault.BAD_REPLY),
        (b"[]", UpstreamFault.BAD_REPLY),
    ],
)
def test_a_200_that_is_no_reply_is_an_error_beside_it_too(body, fault):
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.read_usage(body)
    assert caught.value.fault is fault


def test_an_odd_usage_is_no_reason_to_withhold_a_reply():
    assert OPENAI_RESPONSES.read_usage(b'{"output":[],"usage":{"input_tokens":"many"}}') is None
    watch = OPENAI_RESPONSES.reply_watch()
    watch.feed(b'data: {"type":"response.completed","response":{"usage":{"input_tokens":"many"}}}\n\n')
    assert (watch.usage, watch.is_complete, watch.error) == (None, True, None)


@pytest.mark.parametrize("told", [{"message": "slow", "code": "rate_limit_exceeded"}, "out of memory"])
def test_an_error_that_is_no_event_ends_a_relayed_stream(told: object) -> None:
    watch = OPENAI_RESPONSES.reply_watch()
    watch.feed(b"data: " + json.dumps({"error": told}).encode() + b"\n\n")
    assert watch.error is not None


def test_the_error_of_an_item_is_none_of_the_stream() -> None:
    watch = OPENAI_RESPONSES.reply_watch()
    item = {"type": "mcp_call", "error": {"message": "no such tool"}}
    watch.feed(frame(json.dumps({"type": "response.output_item.done", "item": item}).encode()))
    assert watch.error is None
