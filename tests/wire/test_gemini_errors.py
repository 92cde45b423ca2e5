"""Errors of the Gemini API, read from providers and written for Google's SDK."""

import json
from typing import Any

import pytest
from gemini_checks import sdk_error
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import golden

from pointsman.core.errors import (
    BadRequest,
    ExhaustedError,
    Forbidden,
    PointsmanError,
    Unauthorized,
    Unavailable,
    UnknownModel,
    Unsupported,
    UpstreamError,
    UpstreamFault,
)
from pointsman.wire.envelope import Address
from pointsman.wire.gemini import GEMINI
from pointsman.wire.gemini.framing import ArrayRelay

JSON = ((b"content-type", b"application/json"),)
INFO = "type.googleapis.com/google.rpc."


def decode(status: int, said: Any, *headers: tuple[bytes, bytes]) -> UpstreamError:
    return GEMINI.decode_error(status, (*JSON, *headers), json.dumps(said).encode())


def google(code: int, word: str, message: str = "m", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": word, "details": list(details)}}


def told(error: PointsmanError) -> tuple[int, dict[str, Any]]:
    encoded = GEMINI.encode_error(error, "pm_1")
    seen = sdk_error(encoded.status, encoded.body)
    said = json.loads(encoded.body)["error"]
    assert seen.code == said["code"] == encoded.status
    assert (seen.status, seen.message) == (said["status"], said["message"])
    return encoded.status, said


@pytest.mark.parametrize(
    ("status", "word", "message", "fault"),
    [
        (400, "INVALID_ARGUMENT", "no", UpstreamFault.REJECTED),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", UpstreamFault.AUTH),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", UpstreamFault.AUTH),
        (401, "UNAUTHENTICATED", "no", UpstreamFault.AUTH),
        (403, "PERMISSION_DENIED", "no", UpstreamFault.AUTH),
        (404, "NOT_FOUND", "no", UpstreamFault.REJECTED),
        (429, "RESOURCE_EXHAUSTED", "no", UpstreamFault.RATE_LIMITED),
        (500, "INTERNAL", "no", UpstreamFault.SERVER_ERROR),
        (503, "UNAVAILABLE", "no", UpstreamFault.OVERLOADED),
        (504, "DEADLINE_EXCEEDED", "no", UpstreamFault.TIMED_OUT),
    ],
)
def test_fault_of_a_provider(status: int, word: str, message: str, fault: UpstreamFault) -> None:
    said = google(status, word, message)
    for body in (said, [said]):
        error = decode(status, body)
        assert (error.fault, error.status, error.code, error.message) == (fault, status, word, message)


def test_details_say_why_and_how_long_to_wait() -> None:
    details = (
        {"@type": f"{INFO}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
        {"@type": f"{INFO}RetryInfo", "retryDelay": "34.4s"},
        {"@type": f"{INFO}BadRequest", "fieldViolations": [{"field": "contents", "description": "x"}]},
    )
    error = decode(400, google(400, "INVALID_ARGUMENT", "m", *details))
    assert (error.fault, error.code, error.retry_after_s, error.param) == (
        UpstreamFault.AUTH, "API_KEY_INVALID", 34.4, "contents",
    )  # fmt: skip
    assert decode(429, google(429, "x", "m", *details), (b"retry-after", b"7")).retry_after_s == 7


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":"plain words"}', "plain words"),
        (b'{"message":"elsewhere"}', "elsewhere"),
        (b"<html>Bad gateway</html>", "the provider answered with status 502"),
        (b"[]", "the provider answered with status 502"),
        (b"", "the provider answered with status 502"),
        (b'{"error":{"message":"key=AIzaSyA1234567890abcdef wrong"}}', "key=*** wrong"),
    ],
)
def test_bodies_of_any_shape_are_read(body: bytes, message: str) -> None:
    error = GEMINI.decode_error(502, JSON, body)
    assert (error.fault, error.message) == (UpstreamFault.SERVER_ERROR, message)


@pytest.mark.parametrize(
    "path", [p for p in golden("gemini") if p.stem.startswith("error_")], ids=lambda p: p.stem
)
def test_recorded_errors(path: Any) -> None:
    response = json.loads(path.read_text())["response"]
    error = decode(response["status"], response["body"])
    said = response["body"]["error"]
    assert error.message == said["message"]
    if response["status"] == 429:
        assert (error.fault, error.retry_after_s) == (UpstreamFault.RATE_LIMITED, 34.4)
    elif response["status"] == 404:
        assert error.fault is UpstreamFault.NO_SUCH_MODEL  # another model may still answer
    else:
        assert error.fault is UpstreamFault.REJECTED
        encoded = GEMINI.encode_error(error, "pm_1")
        assert (encoded.status, json.loads(encoded.body)) == (response["status"], response["body"])


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (BadRequest("m", param="contents"), 400, "INVALID_ARGUMENT"),
        (Unsupported("m", param="tools[0]"), 400, "INVALID_ARGUMENT"),
        (Unauthorized("m"), 401, "UNAUTHENTICATED"),
        (Forbidden("m"), 403, "PERMISSION_DENIED"),
        (UnknownModel("m"), 404, "NOT_FOUND"),
        (Unavailable("m"), 503, "UNAVAILABLE"),
        (UpstreamError(UpstreamFault.AUTH, "m", status=401), 502, "INTERNAL"),
        (UpstreamError(UpstreamFault.RATE_LIMITED, "m", status=429), 429, "RESOURCE_EXHAUSTED"),
        (UpstreamError(UpstreamFault.OVERLOADED, "m", status=529), 503, "UNAVAILABLE"),
        (UpstreamError(UpstreamFault.TIMED_OUT, "m"), 504, "DEADLINE_EXCEEDED"),
        (UpstreamError(UpstreamFault.UNREACHABLE, "m"), 502, "INTERNAL"),
        (UpstreamError(UpstreamFault.REJECTED, "m", status=422), 422, "FAILED_PRECONDITION"),
        (UpstreamError(UpstreamFault.REJECTED, "m", status=401), 400, "INVALID_ARGUMENT"),
    ],
)
def test_errors_are_told_as_google_does(error: PointsmanError, status: int, word: str) -> None:
    seen, said = told(error)
    assert (seen, said["status"], said["message"]) == (status, word, "m")
    assert {"@type": f"{INFO}RequestInfo", "requestId": "pm_1"} in said["details"]


def test_place_and_waiting_time_are_told() -> None:
    _, said = told(BadRequest("m", param="contents[0]", code="x"))
    assert said["details"][0] == {"@type": f"{INFO}ErrorInfo", "reason": "x", "domain": "pointsman"}
    assert said["details"][1]["fieldViolations"] == [{"field": "contents[0]", "description": "m"}]
    failed = UpstreamError(UpstreamFault.RATE_LIMITED, "m", retry_after_s=1.5)
    encoded = GEMINI.encode_error(ExhaustedError([("a", failed)]), "pm_1")
    assert encoded.headers == ((b"retry-after", b"2"),)
    said = json.loads(encoded.body)["error"]
    assert {"@type": f"{INFO}RetryInfo", "retryDelay": "1.5s"} in said["details"]
    assert said["message"] == "a: m"


def test_internal_errors_say_nothing() -> None:
    status, said = told(PointsmanError("a secret"))
    assert (status, said["message"]) == (500, "internal error")


def test_errors_in_a_stream_keep_to_its_framing() -> None:
    error = UpstreamError(UpstreamFault.BROKEN, "m")
    sent = GEMINI.encode_stream_error(error, "pm_1")
    assert sent.startswith(b"data: {")
    assert sent.endswith(b"\r\n\r\n")
    assert json.loads(sent[6:])["error"]["status"] == "INTERNAL"


def test_errors_in_an_array_close_it() -> None:
    address = Address("m", stream=True, as_array=True)
    error = UpstreamError(UpstreamFault.BROKEN, "m")
    (only,) = json.loads(GEMINI.encode_stream_error(error, "pm_1", address))
    relay = ArrayRelay()
    first, last = json.loads(relay.feed(b'data: {"a":1}\r\n\r\n') + relay.broken(error, "pm_1"))
    assert first == {"a": 1}
    assert only == last
    assert last["error"]["code"] == 502
    assert relay.finish() == b""


@settings(deadline=None)
@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_answer_becomes_an_error(status: int, body: bytes) -> None:
    error = GEMINI.decode_error(status, JSON, body)
    assert error.message
    assert json.loads(GEMINI.encode_error(error, "pm_1").body)["error"]["message"]
