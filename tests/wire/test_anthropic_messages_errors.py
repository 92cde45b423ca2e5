"""Errors of the Messages API: what a provider's answer means, and what a caller of the gateway is told."""

import json
from typing import Any

import anthropic
import pytest
from anthropic_checks import sdk_error
from recordings import golden

from pointsman.core.errors import (
    BadRequest,
    ExhaustedError,
    NotFound,
    PointsmanError,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnknownModel,
    Unsupported,
    UpstreamError,
    UpstreamFault,
    WrongMethod,
)
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import EncodedError
from pointsman.wire.envelope import read_envelope

JSON = ((b"content-type", b"application/json"),)


def body(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


def decode(status: int, said: bytes = b"", *headers: tuple[bytes, bytes]) -> UpstreamError:
    return ANTHROPIC_MESSAGES.decode_error(status, (*JSON, *headers), said)


def encode(error: PointsmanError) -> tuple[EncodedError, dict[str, Any]]:
    encoded = ANTHROPIC_MESSAGES.encode_error(error, "pm_1")
    return encoded, json.loads(encoded.body)


def upstream(fault: UpstreamFault, message: str = "it failed", **more: Any) -> UpstreamError:
    return UpstreamError(fault, message, **more)


# what a provider said


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, UpstreamFault.REJECTED),
        (401, UpstreamFault.AUTH),
        (402, UpstreamFault.QUOTA),
        (403, UpstreamFault.AUTH),
        (404, UpstreamFault.REJECTED),
        (408, UpstreamFault.TIMED_OUT),
        (413, UpstreamFault.REJECTED),
        (422, UpstreamFault.REJECTED),
        (429, UpstreamFault.RATE_LIMITED),
        (500, UpstreamFault.SERVER_ERROR),
        (502, UpstreamFault.SERVER_ERROR),
        (503, UpstreamFault.OVERLOADED),
        (504, UpstreamFault.TIMED_OUT),
        (529, UpstreamFault.OVERLOADED),
        (302, UpstreamFault.BAD_REPLY),
    ],
)
def test_status_decides_the_fault(status: int, fault: UpstreamFault) -> None:
    error = decode(status, body("some_error", "Sorry"))
    assert (error.fault, error.status, error.message, error.code) == (fault, status, "Sorry", "some_error")
    assert (error.body is None) == (fault is not UpstreamFault.REJECTED)


def test_empty_account_is_not_the_callers_fault() -> None:
    said = "Your credit balance is too low to access the Anthropic API."
    assert decode(400, body("invalid_request_error", said)).fault is UpstreamFault.QUOTA


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b'{"error":"text"}', "text"),
        (b'{"message":"text"}', "text"),
        (b'{"detail":"text"}', "text"),
        (b'{"error":{"message":"text","code":"x"}}', "text"),
        (b"<html>Bad Gateway</html>", "the provider answered with status 500"),
        (b"", "the provider answered with status 500"),
        (b'["text"]', "the provider answered with status 500"),
        (b'{"error":{"message":{"a":1}}}', "the provider answered with status 500"),
    ],
)
def test_message_is_found_in_bodies_of_any_shape(said: bytes, message: str) -> None:
    assert decode(500, said).message == message


def test_message_is_short_and_holds_no_key() -> None:
    said = "Key sk-ant-api03-abcdefgh1234 or Bearer abc.def.ghi or AIzaSyA1234567890 is wrong. " + "x" * 1000
    message = decode(401, body("authentication_error", said)).message
    assert len(message) == 500
    assert "abcdefgh" not in message
    assert "abc.def" not in message
    assert "AIza" not in message


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ([(b"retry-after", b"12")], 12.0),
        ([(b"retry-after", b"0.5")], 0.5),
        ([(b"retry-after", b"12"), (b"retry-after-ms", b"1500")], 1.5),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], None),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"inf")], None),
        ([], None),
    ],
)
def test_wait_is_read(headers: list[tuple[bytes, bytes]], wait_s: float | None) -> None:
    assert decode(429, b"", *headers).retry_after_s == wait_s


def test_only_headers_about_retrying_are_kept() -> None:
    kept = decode(529, b"", (b"x-should-retry", b"true"), (b"anthropic-organization-id", b"org")).headers
    assert kept == ((b"x-should-retry", b"true"),)


@pytest.mark.parametrize(
    "record",
    [
        record
        for path in golden("anthropic_messages")
        if (record := json.loads(path.read_text()))["response"]["status"] != 200
    ],
    ids=lambda record: record["id"],
)
def test_recorded_error_is_read(record: dict[str, Any]) -> None:
    answer = record["response"]
    error = decode(answer["status"], json.dumps(answer["body"]).encode())
    assert error.message == answer["body"]["error"]["message"]
    assert error.code == answer["body"]["error"]["type"]
    faults = {401: UpstreamFault.AUTH, 404: UpstreamFault.NO_SUCH_MODEL}
    assert error.fault is faults.get(answer["status"], UpstreamFault.REJECTED)


# what the caller is told

DISTINCT = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    404: anthropic.NotFoundError,
    413: anthropic.APIStatusError,
    429: anthropic.RateLimitError,
}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequest("messages: Field required", param="messages"), 400, "invalid_request_error"),
        (Unsupported("n cannot be expressed", param="n"), 400, "invalid_request_error"),
        (Unauthorized("the key is wrong"), 401, "authentication_error"),
        (UnknownModel("no model gpt-9"), 404, "not_found_error"),
        (NotFound("no such path"), 404, "not_found_error"),
        (WrongMethod("use POST"), 405, "invalid_request_error"),
        (TooLarge("the body is too large"), 413, "request_too_large"),
        (upstream(UpstreamFault.RATE_LIMITED), 429, "rate_limit_error"),
        (upstream(UpstreamFault.OVERLOADED), 529, "overloaded_error"),
        (upstream(UpstreamFault.TIMED_OUT), 504, "timeout_error"),
        (upstream(UpstreamFault.UNREACHABLE), 502, "api_error"),
        (upstream(UpstreamFault.SERVER_ERROR), 502, "api_error"),
        (upstream(UpstreamFault.BAD_REPLY), 502, "api_error"),
        (upstream(UpstreamFault.BROKEN), 502, "api_error"),
        (upstream(UpstreamFault.AUTH, status=401), 502, "api_error"),
        (upstream(UpstreamFault.REJECTED, status=400), 400, "invalid_request_error"),
        (upstream(UpstreamFault.REJECTED, status=404), 404, "not_found_error"),
        (upstream(UpstreamFault.REJECTED, status=422), 422, "invalid_request_error"),
        (upstream(UpstreamFault.REJECTED, status=401), 400, "invalid_request_error"),
        (upstream(UpstreamFault.REJECTED), 400, "invalid_request_error"),
        (Unavailable("shutting down"), 529, "overloaded_error"),
        (PointsmanError("a secret of ours"), 500, "api_error"),
    ],
)
def test_error_is_told_in_the_callers_dialect(error: PointsmanError, status: int, kind: str) -> None:
    encoded, said = encode(error)
    message = "internal error" if status == 500 else error.message
    assert encoded.status == status
    assert said == {"type": "error", "error": {"type": kind, "message": message}, "request_id": "pm_1"}
    seen = sdk_error(status, encoded.body)
    assert isinstance(seen, DISTINCT.get(status, anthropic.APIStatusError))
    assert seen.status_code == status
    frame = ANTHROPIC_MESSAGES.encode_stream_error(error, "pm_1")
    assert frame == b"event: error\ndata: " + encoded.body + b"\n\n"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (upstream(UpstreamFault.RATE_LIMITED, retry_after_s=1.2), ((b"retry-after", b"2"),)),
        (upstream(UpstreamFault.RATE_LIMITED), ()),
        (upstream(UpstreamFault.OVERLOADED, retry_after_s=30), ((b"retry-after", b"30"),)),
        (Unavailable("shutting down", retry_after_s=5), ((b"retry-after", b"5"),)),
        (upstream(UpstreamFault.AUTH), ((b"x-should-retry", b"false"),)),
        (upstream(UpstreamFault.REJECTED), ((b"x-should-retry", b"false"),)),
        (upstream(UpstreamFault.SERVER_ERROR), ()),
        (
            upstream(
                UpstreamFault.OVERLOADED,
                retry_after_s=1.25,
                headers=((b"x-should-retry", b"true"), (b"retry-after-ms", b"1250")),
            ),
            ((b"retry-after", b"2"), (b"x-should-retry", b"true"), (b"retry-after-ms", b"1250")),
        ),
        (BadRequest("no"), ((b"x-should-retry", b"false"),)),
        (PointsmanError("no"), ((b"x-should-retry", b"false"),)),
    ],
)
def test_caller_is_told_whether_to_try_again(error: PointsmanError, headers: object) -> None:
    assert encode(error)[0].headers == headers


def test_rejection_of_the_same_dialect_is_passed_on_as_it_is() -> None:
    said = body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    encoded = ANTHROPIC_MESSAGES.encode_error(decode(400, said), "pm_1")
    assert (encoded.status, encoded.body) == (400, said)


@pytest.mark.parametrize(
    ("message", "code", "told"),
    [
        (
            "This model's maximum context length is 8,192 tokens. However, your messages resulted in 10005 tokens.",
            "context_length_exceeded",
            "prompt is too long: 10005 tokens > 8192 maximum (",
        ),
        (
            "request (5000 tokens) exceeds the available context size (4096 tokens)",
            None,
            "prompt is too long: 5000 ",
        ),
        ("Input is too long for requested model.", None, "prompt is too long: Input is too long"),
        ("too big", "context_length_exceeded", "prompt is too long: too big"),
        ("prompt is too long: 9 tokens > 8 maximum", None, "prompt is too long: 9 tokens > 8 maximum"),
    ],
)
def test_context_errors_of_others_are_worded_so_that_agents_understand(
    message: str, code: str | None, told: str
) -> None:
    error = upstream(
        UpstreamFault.TOO_LONG, message, status=400, code=code, body=b'{"error":{"message":"x"}}'
    )
    assert encode(error)[1]["error"]["message"].startswith(told)


def test_exhausted_attempts_are_all_named_and_the_last_decides() -> None:
    failures = [
        ("small", upstream(UpstreamFault.SERVER_ERROR, "boom")),
        ("big", upstream(UpstreamFault.OVERLOADED, "busy")),
    ]
    encoded, said = encode(ExhaustedError(failures))
    assert encoded.status == 529
    assert said["error"] == {"type": "overloaded_error", "message": "small: boom; big: busy"}


def test_body_that_is_no_error_of_ours_is_not_passed_on() -> None:
    for said in (b'{"error":{"message":"x"}}', b"<html>", b'{"type":"error","error":"x"}'):
        encoded, told = encode(upstream(UpstreamFault.REJECTED, "no", status=400, body=said))
        assert encoded.status == 400
        assert told["error"]["message"] == "no"


def test_a_thread_that_cannot_be_held_is_told_so_that_sdks_send_all_of_it() -> None:
    fields = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}
    for thread in ({"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}):
        envelope = read_envelope(json.dumps({**fields, "thread": thread}).encode())
        with pytest.raises(Unsupported) as caught:
            ANTHROPIC_MESSAGES.decode_request(envelope)
        encoded, said = encode(caught.value)
        assert encoded.status == 400
        assert said["error"]["details"] == {"error_code": "thread_unsupported_request"}
    assert ANTHROPIC_MESSAGES.decode_request(read_envelope(json.dumps({**fields, "thread": None}).encode()))
