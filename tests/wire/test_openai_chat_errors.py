"""Errors: what a provider's refusal means, and how every error of ours looks to a chat client."""

import json
from typing import Any

import openai
import pytest
from openai_chat_checks import sdk_chunks, sdk_error

from pointsman.core.errors import (
    BadRequest,
    ConfigError,
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
from pointsman.wire.openai_chat import OPENAI_CHAT

F = UpstreamFault


def understood(status: int, body: Any, *headers: tuple[bytes, bytes]) -> UpstreamError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return OPENAI_CHAT.decode_error(status, headers, content)


# From a provider


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, F.REJECTED),
        (401, F.AUTH),
        (402, F.QUOTA),
        (403, F.AUTH),
        (404, F.REJECTED),
        (408, F.TIMED_OUT),
        (413, F.REJECTED),
        (422, F.REJECTED),
        (429, F.RATE_LIMITED),
        (500, F.SERVER_ERROR),
        (502, F.SERVER_ERROR),
        (503, F.OVERLOADED),
        (504, F.TIMED_OUT),
        (529, F.OVERLOADED),
        (302, F.BAD_REPLY),
    ],
)
def test_the_status_decides_the_fault(status, fault):
    error = understood(status, {"error": {"message": "No"}})
    assert (error.fault, error.status, error.message) == (fault, status, "No")


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (429, {"error": {"message": "Pay", "code": "insufficient_quota"}}, F.QUOTA),
        (429, {"error": {"message": "Pay", "type": "insufficient_quota"}}, F.QUOTA),
        (
            429,
            {"error": {"message": "Slow", "code": "rate_limit_exceeded", "type": "tokens"}},
            F.RATE_LIMITED,
        ),
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***."}, F.AUTH),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
            F.AUTH,
        ),
        (400, {"error": {"message": "No", "code": "invalid_api_key"}}, F.AUTH),
        (400, {"error": {"message": "Too long", "code": "context_length_exceeded"}}, F.TOO_LONG),
        (500, {"error": {"message": "image input is not supported", "type": "server_error"}}, F.SERVER_ERROR),
    ],
)
def test_the_content_corrects_the_status(status, body, fault):
    assert understood(status, body).fault is fault


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "M", "type": "t", "param": "p", "code": "c"}}, "M", "c"),
        ({"object": "error", "message": "M", "type": "t", "code": "1500"}, "M", "1500"),
        ({"detail": "M"}, "M", None),
        ({"detail": [{"loc": ["body"], "msg": "M"}]}, '[{"loc":["body"],"msg":"M"}]', None),
        ({"code": "invalid-argument", "error": "M"}, "M", "invalid-argument"),
        ({"error": "M"}, "M", None),
        ({"message": "M"}, "M", None),
        (
            {"error": {"code": 400, "message": "M", "metadata": {"raw": "R", "provider_name": "P"}}},
            "M: R",
            None,
        ),
        ({"error": {"code": "401", "message": "M"}}, "M", "401"),
        ({"error": {"code": 400, "message": "M", "type": "exceed_context_size_error"}}, "M", None),
        ([{"error": {"message": "M"}}], "M", None),
        ({"success": False, "errors": [{"code": 7000, "message": "M"}]}, "M", None),
        ("M", "M", None),
        (b"upstream connect error", "upstream connect error", None),
        (b"<html><h1>Bad Gateway</h1></html>", "the provider answered with status 400", None),
        (b"", "the provider answered with status 400", None),
        ({}, "the provider answered with status 400", None),
        ([], "the provider answered with status 400", None),
        (None, "the provider answered with status 400", None),
        ({"error": {}}, "the provider answered with status 400", None),
        (b"\xff\xfe", "\ufffd\ufffd", None),
    ],
)
def test_the_message_is_found_wherever_it_stands(body, message, code):
    error = understood(400, body)
    assert (error.message, error.code) == (message, code)


def test_a_rejection_keeps_the_providers_own_words_for_its_own_dialect():
    body = b'{"error":{"message":"No","param":"messages[0].role","code":"unsupported_value"}}'
    error = understood(400, body)
    assert (error.body, error.param, error.code) == (body, "messages[0].role", "unsupported_value")
    assert understood(500, body).body is None
    assert understood(401, body).body is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([(b"retry-after", b"7")], 7),
        ([(b"retry-after", b"1.5")], 1.5),
        ([(b"retry-after", b"2"), (b"retry-after-ms", b"1250")], 1.25),
        ([(b"retry-after-ms", b"1250"), (b"retry-after", b"2")], 1.25),
        ([(b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT")], None),
        (
            [(b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT"), (b"date", b"Fri, 31 Dec 1999 23:59:29 GMT")],
            30,
        ),
        (
            [
                (b"date", b"Fri, 31 Dec 1999 23:59:29 GMT"),
                (b"retry-after", b"Friday, 31-Dec-99 23:59:59 GMT"),
            ],
            30,
        ),
        (
            [(b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT"), (b"date", b"Sat, 01 Jan 2000 00:00:00 GMT")],
            0,
        ),
        ([(b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT"), (b"date", b"now")], None),
        ([(b"retry-after", b"soon"), (b"date", b"Sat, 01 Jan 2000 00:00:00 GMT")], None),
        ([(b"retry-after", b"Fri, 31 Dec 99999999999 23:59:59 GMT"), (b"date", b"\xff")], None),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"nan")], None),
        ([(b"retry-after", b"inf")], None),
        ([(b"retry-after", b"")], None),
    ],
)
def test_how_long_to_wait_is_read_as_a_number_only(headers, seconds):
    assert understood(429, {}, *headers).retry_after_s == seconds


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop",
        "sk-ant-api03-abcdefghijkl",
        "gsk_abcdefghijklmnop1234",
        "xai-abcdefghijklmnop",
        "AIzaSyD-abcdefghijklmno",
        "0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.abc",
    ],
)
def test_what_looks_like_a_key_is_masked(secret):
    error = understood(401, {"error": {"message": f"Bad key {secret} given, Authorization: Bearer {secret}"}})
    assert secret not in error.message
    assert "***" in error.message
    raw = UpstreamError(F.UNREACHABLE, f"GET https://x.test/v1?key={secret} failed for {secret}")
    for told in (raw, ExhaustedError([("a", raw)])):
        assert secret.encode() not in OPENAI_CHAT.encode_error(told, "r").body


def test_ordinary_words_are_not_masked():
    text = "The model `us.anthropic.claude-3-7-sonnet-20250219-v1:0` (req_0123456789abcdef0123456789abcdef) is not here."
    assert understood(404, {"error": {"message": text}}).message == text


def test_a_long_message_is_cut():
    assert len(understood(400, {"error": {"message": "x " * 5000}}).message) == 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"error":' * 50_000,
        b'{"error":{"message":{"a":1}}}',
        b'{"errors":[]}',
        b'{"errors":[3]}',
    ],
)
def test_no_error_body_crashes_the_reader(body):
    assert understood(500, body).fault is F.SERVER_ERROR


# To a client


def up(fault: UpstreamFault, message: str = "No", **facts: Any) -> UpstreamError:
    return UpstreamError(fault, message, **facts)


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "retries"),
    [
        (
            BadRequest("No", param="messages", code="empty_array"),
            400,
            "invalid_request_error",
            "empty_array",
            False,
        ),
        (Unsupported("No", param="n"), 400, "invalid_request_error", None, False),
        (Unauthorized("No"), 401, "invalid_request_error", "invalid_api_key", False),
        (UnknownModel("No"), 404, "invalid_request_error", "model_not_found", False),
        (NotFound("No"), 404, "invalid_request_error", None, False),
        (WrongMethod("No"), 405, "invalid_request_error", None, False),
        (TooLarge("No"), 413, "invalid_request_error", None, False),
        (up(F.UNREACHABLE), 502, "server_error", "upstream_unreachable", True),
        (up(F.TIMED_OUT), 504, "server_error", "upstream_timeout", True),
        (up(F.AUTH, status=401, code="invalid_api_key"), 502, "server_error", "upstream_auth", False),
        (up(F.RATE_LIMITED, status=429), 429, "rate_limit_error", "rate_limit_exceeded", True),
        (up(F.OVERLOADED, status=529), 503, "server_error", "upstream_overloaded", True),
        (up(F.SERVER_ERROR, status=500), 502, "server_error", "upstream_server_error", True),
        (up(F.REJECTED, status=422, code="odd"), 422, "invalid_request_error", "odd", False),
        (up(F.REJECTED), 400, "invalid_request_error", "upstream_rejected", False),
        (up(F.BAD_REPLY), 502, "server_error", "upstream_bad_reply", True),
        (up(F.BROKEN), 502, "server_error", "upstream_broken", True),
        (Unavailable("No"), 503, "server_error", "service_unavailable", True),
        (ConfigError([]), 500, "server_error", None, True),
        (PointsmanError("a secret of ours"), 500, "server_error", None, True),
    ],
)
def test_every_error_has_its_status_and_shape(error, status, kind, code, retries):
    encoded = OPENAI_CHAT.encode_error(error, "req_1")
    assert encoded.status == status
    content = json.loads(encoded.body)
    assert content.keys() == {"error"}
    assert content["error"].keys() == {"message", "type", "param", "code"}
    assert (content["error"]["type"], content["error"]["code"]) == (kind, code)
    assert content["error"]["param"] == getattr(error, "param", None)
    assert ((b"x-should-retry", b"false") in encoded.headers) != retries
    seen = sdk_error(encoded.status, encoded.body, encoded.headers)
    assert (seen.status_code, seen.code, seen.type) == (status, code, kind)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (429, {b"retry-after": b"2", b"retry-after-ms": b"1250", b"x-should-retry": b"true"}),
        (500, {b"retry-after-ms": b"1250", b"x-should-retry": b"true"}),
        (400, {b"x-should-retry": b"false"}),
        (401, {b"x-should-retry": b"false"}),
    ],
)
def test_what_a_provider_says_about_retrying_reaches_the_caller(status, told):
    said = [(b"retry-after-ms", b"1250"), (b"x-should-retry", b"true"), (b"x-ratelimit-limit-tokens", b"9")]
    error = understood(status, {"error": {"message": "No"}}, *said)
    assert dict(OPENAI_CHAT.encode_error(error, "req_1").headers) == told


def test_the_tree_of_errors_is_covered_to_its_leaves():
    def leaves(kind: type[PointsmanError]) -> set[type[PointsmanError]]:
        return {kind}.union(*(leaves(each) for each in kind.__subclasses__()))

    for kind in leaves(PointsmanError):
        error = kind.__new__(kind)
        Exception.__init__(error, "x")
        if isinstance(error, UpstreamError | ExhaustedError | Unavailable):
            continue
        error.param = error.code = None
        assert 400 <= OPENAI_CHAT.encode_error(error, "r").status <= 500


def test_the_sdk_raises_the_class_of_its_status():
    def seen(error: PointsmanError) -> type[openai.APIStatusError]:
        encoded = OPENAI_CHAT.encode_error(error, "r")
        return type(sdk_error(encoded.status, encoded.body, encoded.headers))

    assert seen(Unauthorized("No")) is openai.AuthenticationError
    assert seen(up(F.AUTH, status=401)) is openai.InternalServerError
    assert seen(UnknownModel("No")) is openai.NotFoundError
    assert seen(up(F.RATE_LIMITED)) is openai.RateLimitError
    assert seen(BadRequest("No")) is openai.BadRequestError


def test_how_long_to_wait_is_told_in_whole_seconds():
    for error in (
        up(F.RATE_LIMITED, retry_after_s=1.2),
        up(F.OVERLOADED, retry_after_s=2),
        Unavailable("No", retry_after_s=1.5),
    ):
        assert (b"retry-after", b"2") in OPENAI_CHAT.encode_error(error, "r").headers
    assert OPENAI_CHAT.encode_error(up(F.RATE_LIMITED), "r").headers == ()


def test_a_fault_of_ours_tells_the_request_and_nothing_else():
    body = OPENAI_CHAT.encode_error(PointsmanError("a secret of ours"), "req_1").body
    assert json.loads(body)["error"]["message"] == "internal error (request req_1)"


def test_when_all_failed_every_attempt_is_told_and_only_one_that_was_busy_asks_to_wait():
    error = ExhaustedError(
        [("tiny", up(F.SERVER_ERROR, "boom")), ("opus", up(F.RATE_LIMITED, "slow", retry_after_s=3))]
    )
    encoded = OPENAI_CHAT.encode_error(error, "r")
    assert encoded.status == 503
    assert (b"retry-after", b"3") in encoded.headers
    assert json.loads(encoded.body)["error"]["message"] == "every model failed: tiny: boom; opus: slow"


def test_an_error_in_a_stream_makes_the_sdk_raise():
    start = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'
    written = OPENAI_CHAT.encode_stream_error(up(F.BROKEN, "the reply ended before its end"), "r")
    assert written.startswith(b'data: {"error":{')
    assert b"[DONE]" not in written
    with pytest.raises(openai.APIError, match="ended before its end"):
        sdk_chunks(start + b": keepalive\n\n" + written)


def test_an_error_of_ours_in_a_stream_is_understood_by_ourselves():
    decoder = OPENAI_CHAT.reply_decoder("openai")
    (failed,) = decoder.feed(OPENAI_CHAT.encode_stream_error(up(F.RATE_LIMITED, "slow"), "r"))
    assert failed.error.fault is F.RATE_LIMITED
    assert decoder.finish() == []
