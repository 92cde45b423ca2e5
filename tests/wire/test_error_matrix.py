"""Every shape of error that providers were seen to answer, and every failure as clients of both dialects are told it."""

import json
from pathlib import Path
from typing import Any

import anthropic_checks as messages_side
import openai_chat_checks as chat_side
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import recorded

from pointsman.core.errors import (
    BadRequest,
    ExhaustedError,
    Forbidden,
    NotFound,
    PointsmanError,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnknownModel,
    Unsupported,
    UpstreamError,
    UpstreamFault,
    WrongMediaType,
    WrongMethod,
)
from pointsman.core.errors import UpstreamFault as F
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.context_limit import as_anthropic_says, is_exceeded
from pointsman.wire.dialect import Dialect
from pointsman.wire.openai_chat import OPENAI_CHAT

# what providers say

SHAPES: list[tuple[str, int, Any, UpstreamFault, str]] = [
    ("openai", 400, {"error": {"message": "No", "type": "invalid_request_error", "param": "n", "code": None}}, F.REJECTED, "No"),
    ("openai", 401, {"error": {"message": "No", "code": "invalid_api_key"}}, F.AUTH, "No"),
    ("openai", 404, {"error": {"message": "No", "code": "model_not_found"}}, F.NO_SUCH_MODEL, "No"),
    ("openai", 429, {"error": {"message": "No", "code": "insufficient_quota"}}, F.QUOTA, "No"),
    ("openai", 429, {"error": {"message": "No", "code": "rate_limit_exceeded"}}, F.RATE_LIMITED, "No"),
    ("openai", 500, {"error": {"message": "No", "type": "server_error"}}, F.SERVER_ERROR, "No"),
    ("openai", 503, {"error": {"message": "No", "type": "service_unavailable"}}, F.OVERLOADED, "No"),
    ("azure", 401, {"error": {"code": "401", "message": "No"}}, F.AUTH, "No"),
    ("azure", 404, {"error": {"code": "DeploymentNotFound", "message": "No"}}, F.NO_SUCH_MODEL, "No"),
    ("azure", 400, {"error": {"code": "content_filter", "message": "No", "innererror": {"code": "x"}}}, F.CONTENT_FILTER, "No"),
    ("mistral", 422, {"object": "error", "message": "No", "type": "invalid_request", "code": "1500"}, F.REJECTED, "No"),
    ("mistral", 422, {"detail": [{"loc": ["body", "x"], "msg": "No"}]}, F.REJECTED, '[{"loc":["body","x"],"msg":"No"}]'),
    ("mistral", 401, {"detail": "Unauthorized"}, F.AUTH, "Unauthorized"),
    ("xai", 400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***."}, F.AUTH, "Incorrect API key"),
    ("xai", 404, {"code": "not-found", "error": "No"}, F.REJECTED, "No"),
    ("venice", 402, {"error": "No"}, F.QUOTA, "No"),
    ("cohere", 400, {"message": "No"}, F.REJECTED, "No"),
    ("bedrock", 400, {"message": "No"}, F.REJECTED, "No"),
    ("bedrock", 424, {"Message": "No"}, F.REJECTED, "the provider answered with status 424"),
    ("openrouter", 429, {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "slow"}}}, F.RATE_LIMITED, "Provider returned error: slow"),
    ("openrouter", 402, {"error": {"code": 402, "message": "No"}}, F.QUOTA, "No"),
    ("groq", 400, {"error": {"message": "No", "code": "tool_use_failed", "failed_generation": "x"}}, F.REJECTED, "No"),
    ("groq", 413, {"error": {"message": "Request too large for model on tokens per minute (TPM)", "code": "rate_limit_exceeded"}}, F.RATE_LIMITED, "Request too large"),
    ("llamacpp", 400, {"error": {"code": 400, "message": "No", "type": "exceed_context_size_error"}}, F.TOO_LONG, "No"),
    ("llamacpp", 500, {"error": {"code": 500, "message": "image input is not supported", "type": "server_error"}}, F.SERVER_ERROR, "image"),
    ("gemini", 400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}], F.AUTH, "API key"),
    ("gemini", 503, [{"error": {"code": 503, "message": "No", "status": "UNAVAILABLE"}}], F.OVERLOADED, "No"),
    ("cloudflare", 400, {"success": False, "errors": [{"code": 5007, "message": "No"}]}, F.REJECTED, "No"),
    ("anthropic", 529, {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}, F.OVERLOADED, "No"),
    ("anyone", 502, "<html><h1>Bad gateway</h1></html>", F.SERVER_ERROR, "the provider answered with status 502"),
    ("anyone", 504, "", F.TIMED_OUT, "the provider answered with status 504"),
    ("anyone", 418, "null", F.REJECTED, "the provider answered with status 418"),
    ("anyone", 302, "", F.BAD_REPLY, "the provider answered with status 302"),
]  # fmt: skip


def bytes_of(body: object) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@pytest.mark.parametrize(("who", "status", "body", "fault", "said"), SHAPES)
def test_every_shape_of_error_is_read(
    who: str, status: int, body: Any, fault: UpstreamFault, said: str
) -> None:
    error = OPENAI_CHAT.decode_error(status, [], bytes_of(body))
    assert (error.fault, error.status) == (fault, status)
    assert error.message.startswith(said)


MESSAGES_SHAPES: list[tuple[int, Any, UpstreamFault]] = [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}, F.REJECTED),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}}, F.TOO_LONG),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}, F.QUOTA),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}}, F.CONTENT_FILTER),
    (401, {"type": "error", "error": {"type": "authentication_error", "message": "No"}}, F.AUTH),
    (403, {"error": {"type": "forbidden", "message": "No"}}, F.AUTH),
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "No"}}, F.REJECTED),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "No"}}, F.REJECTED),
    (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "No"}}, F.RATE_LIMITED),
    (500, {"type": "error", "error": {"type": "api_error", "message": "No"}}, F.SERVER_ERROR),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}, F.OVERLOADED),
    (400, {"error": {"code": "1261", "message": "No"}}, F.REJECTED),
    (400, {"message": "Input is too long for requested model."}, F.TOO_LONG),
    (502, "<html>", F.SERVER_ERROR),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "fault"), MESSAGES_SHAPES)
def test_every_shape_of_error_of_messages_is_read(status: int, body: Any, fault: UpstreamFault) -> None:
    assert ANTHROPIC_MESSAGES.decode_error(status, [], bytes_of(body)).fault is fault


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "message", "detail", "errors", "code", "type", "metadata", "status"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from([200, 400, 401, 413, 429, 500, 529]),
)
def test_no_error_body_breaks_its_reader(body: Any, status: int) -> None:
    for dialect in (OPENAI_CHAT, ANTHROPIC_MESSAGES):
        assert dialect.decode_error(status, [], json.dumps(body).encode()).message


# what clients are told

ANSWERS: list[tuple[PointsmanError, int, str | None, str, int, str]] = [
    # error, then for chat: status, code, type; for Messages: status, type
    (BadRequest("x", code="c"), 400, "c", "invalid_request_error", 400, "invalid_request_error"),
    (Unsupported("x", param="n"), 400, None, "invalid_request_error", 400, "invalid_request_error"),
    (Unauthorized("x"), 401, "invalid_api_key", "invalid_request_error", 401, "authentication_error"),
    (Forbidden("x"), 403, None, "invalid_request_error", 403, "permission_error"),
    (UnknownModel("x"), 404, "model_not_found", "invalid_request_error", 404, "not_found_error"),
    (NotFound("x"), 404, None, "invalid_request_error", 404, "not_found_error"),
    (WrongMethod("x"), 405, None, "invalid_request_error", 405, "invalid_request_error"),
    (TooLarge("x"), 413, None, "invalid_request_error", 413, "request_too_large"),
    (WrongMediaType("x"), 415, None, "invalid_request_error", 415, "invalid_request_error"),
    (Unavailable("x"), 503, "service_unavailable", "server_error", 529, "overloaded_error"),
    (UpstreamError(F.UNREACHABLE, "x"), 502, "upstream_unreachable", "server_error", 502, "api_error"),
    (UpstreamError(F.TIMED_OUT, "x"), 504, "upstream_timeout", "server_error", 504, "timeout_error"),
    (UpstreamError(F.AUTH, "x", status=401), 502, "upstream_auth", "server_error", 502, "api_error"),
    (UpstreamError(F.AUTH, "x", status=403), 502, "upstream_auth", "server_error", 502, "api_error"),
    (UpstreamError(F.QUOTA, "x", status=402), 502, "upstream_quota", "server_error", 502, "api_error"),
    (UpstreamError(F.CONTENT_FILTER, "x", status=400), 400, "content_filter", "invalid_request_error", 400, "invalid_request_error"),
    (UpstreamError(F.RATE_LIMITED, "x"), 429, "rate_limit_exceeded", "rate_limit_error", 429, "rate_limit_error"),
    (UpstreamError(F.OVERLOADED, "x"), 503, "upstream_overloaded", "server_error", 529, "overloaded_error"),
    (UpstreamError(F.SERVER_ERROR, "x", status=500), 502, "upstream_server_error", "server_error", 502, "api_error"),
    (UpstreamError(F.REJECTED, "x", status=404), 404, "upstream_rejected", "invalid_request_error", 404, "not_found_error"),
    (UpstreamError(F.REJECTED, "x", status=422), 422, "upstream_rejected", "invalid_request_error", 422, "invalid_request_error"),
    (UpstreamError(F.NO_SUCH_MODEL, "x", status=404), 502, "upstream_no_such_model", "server_error", 502, "api_error"),
    (UpstreamError(F.TOO_LONG, "x", status=413), 400, "context_length_exceeded", "invalid_request_error", 400, "invalid_request_error"),
    (UpstreamError(F.BAD_REPLY, "x"), 502, "upstream_bad_reply", "server_error", 502, "api_error"),
    (UpstreamError(F.BROKEN, "x"), 502, "upstream_broken", "server_error", 502, "api_error"),
    (PointsmanError("secret"), 500, None, "server_error", 500, "api_error"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "code", "kind", "messages_status", "messages_kind"), ANSWERS)
def test_every_failure_has_its_status_in_both_dialects(
    error: PointsmanError, status: int, code: str | None, kind: str, messages_status: int, messages_kind: str
) -> None:
    encoded = OPENAI_CHAT.encode_error(error, "pm_1")
    seen = chat_side.sdk_error(encoded.status, encoded.body, encoded.headers)
    assert (seen.status_code, seen.code, seen.type) == (status, code, kind)
    encoded = ANTHROPIC_MESSAGES.encode_error(error, "pm_1")
    told = messages_side.sdk_error(encoded.status, encoded.body)
    assert told.status_code == messages_status
    assert told.body["error"]["type"] == messages_kind  # type: ignore[index, call-overload]
    for body in (OPENAI_CHAT.encode_error(error, "pm_1").body, encoded.body):
        assert b"secret" not in body


def test_every_fault_is_in_the_matrix() -> None:
    assert {error.fault for error, *_ in ANSWERS if isinstance(error, UpstreamError)} == set(UpstreamFault)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("target", [OPENAI_CHAT, ANTHROPIC_MESSAGES], ids=["chat", "messages"])
@pytest.mark.parametrize("source", [OPENAI_CHAT, ANTHROPIC_MESSAGES], ids=["chat", "messages"])
def test_a_providers_refusal_of_our_key_is_never_the_callers(
    source: Dialect, target: Dialect, status: int
) -> None:
    error = source.decode_error(status, [], b'{"error":{"message":"bad key sk-abcdefgh12345"}}')
    for told in (error, ExhaustedError([("m", error)])):
        encoded = target.encode_error(told, "pm_1")
        assert encoded.status == 502
        assert b"sk-abcdefgh12345" not in encoded.body
        assert (b"x-should-retry", b"false") in encoded.headers


# a model that its provider does not serve


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "The model `gpt-x` does not exist or you do not have access to it."),
        (404, "The model `gpt-3.5-turbo-0613` has been deprecated, learn more here"),
        (400, "The model `mixtral` has been decommissioned and is no longer supported."),
        (404, "model: claude-sonet-4-5"),
        (400, "Invalid model: mistral-huge"),
        (404, "No endpoints found for foo/bar."),
        (400, "foo/bar is not a valid model ID: no such model"),
        (404, "The API deployment for this resource does not exist."),
        (
            404,
            "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.",
        ),
    ],
)
def test_a_model_that_is_not_served_may_be_had_elsewhere(status: int, message: str) -> None:
    """And the caller, who may have asked for no model by name, is not told that its name is wrong."""
    for dialect in (OPENAI_CHAT, ANTHROPIC_MESSAGES):
        error = dialect.decode_error(status, [], json.dumps({"error": {"message": message}}).encode())
        assert error.fault is F.NO_SUCH_MODEL
        encoded = dialect.encode_error(error, "pm_1")
        assert encoded.status == 502
        assert (b"x-should-retry", b"false") in encoded.headers


@pytest.mark.parametrize(
    "message",
    ["This tool is not supported with this model", "image input is not supported", "404 page not found"],
)
def test_other_refusals_are_not_about_the_model(message: str) -> None:
    error = OPENAI_CHAT.decode_error(404, [], json.dumps({"error": {"message": message}}).encode())
    assert error.fault is F.REJECTED


# a prompt that does not fit

TOO_LONG = [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 10005 tokens.",
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "Please reduce the length of the messages or completion.",
    "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "the request exceeds the available context size",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "The input (33000 tokens) is longer than the model's context length (32769 tokens).",
    "The prompt is too long: 200000, model maximum context length: 131071",
    "Invalid request: Your request exceeded model token limit: 8192",
    "Prompt exceeds max length",
    "Range of input length should be [1, 30720]",
    "Input is too long for requested model.",
    "too many tokens: size limit exceeded by 11326 tokens",
    "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192)",
    "prompt token count of 130000 exceeds the limit of 128000",
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of 4096 tokens",
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens",
]  # fmt: skip
NOT_TOO_LONG = [
    "temperature: range: 0..1",
    "max_tokens is too large: 50000. This model supports at most 16384 completion tokens",
    "Rate limit reached: too many tokens per minute",
    "Request too large for gpt-4.1 on tokens per min (TPM): Limit 30000, Requested 40000",
    "Invalid 'user': string too long. Expected a string with maximum length 64",
    "The model `context-length` does not exist",
    "messages: at least one message is required",
]


@pytest.mark.parametrize("message", TOO_LONG)
def test_a_prompt_over_the_context_size_is_known_in_all_its_wordings(message: str) -> None:
    assert is_exceeded(message, None)
    error = OPENAI_CHAT.decode_error(400, [], json.dumps({"error": {"message": message}}).encode())
    assert error.fault is F.TOO_LONG
    assert json.loads(ANTHROPIC_MESSAGES.encode_error(error, "pm_1").body)["error"]["message"].startswith(
        "prompt is too long"
    )
    assert (
        json.loads(OPENAI_CHAT.encode_error(error, "pm_1").body)["error"]["code"] == "context_length_exceeded"
    )


@pytest.mark.parametrize("message", NOT_TOO_LONG)
def test_other_refusals_are_not_taken_for_it(message: str) -> None:
    assert not is_exceeded(message, None)
    assert not is_exceeded(message, "rate_limit_exceeded")


def test_a_code_says_it_without_words() -> None:
    assert is_exceeded("", "context_length_exceeded")
    assert is_exceeded("", None, "exceed_context_size_error")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "limit 8,192, got 10005",
            "prompt is too long: 10005 tokens > 8192 maximum (limit 8,192, got 10005)",
        ),
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
        ("8192 of 8192", "prompt is too long: 8192 of 8192"),
        ("too big", "prompt is too long: too big"),
    ],
)
def test_it_is_told_in_the_words_that_agents_wait_for(said: str, told: str) -> None:
    assert as_anthropic_says(said) == told


def test_the_providers_own_words_are_shown_where_they_say_enough() -> None:
    """A caller of the same dialect sees the provider's body, unless an agent would not understand it."""
    known = b'{"error":{"message":"too long","code":"context_length_exceeded"}}'
    assert OPENAI_CHAT.decode_error(400, [], known).body == known
    assert (
        OPENAI_CHAT.decode_error(400, [], b'{"error":{"message":"Prompt exceeds max length"}}').body is None
    )
    said = (
        b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens"}}'
    )
    assert ANTHROPIC_MESSAGES.decode_error(400, [], said).body == said
    other = b'{"type":"error","error":{"type":"invalid_request_error","message":"Prompt exceeds max length"}}'
    assert ANTHROPIC_MESSAGES.decode_error(400, [], other).body is None


def test_it_is_known_within_a_stream_too() -> None:
    decoder = OPENAI_CHAT.reply_decoder("p")
    (failed,) = decoder.feed(b'data: {"error":{"message":"Prompt exceeds max length","code":400}}\n\n')
    assert failed.error.fault is F.TOO_LONG  # type: ignore[union-attr]
    body = (
        b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens"}}'
    )
    (failed,) = ANTHROPIC_MESSAGES.reply_decoder("p").feed(b"event: error\ndata: %b\n\n" % body)
    assert failed.error.fault is F.TOO_LONG  # type: ignore[union-attr]


def test_recorded_errors_are_read_as_someones_fault(shared: Path) -> None:
    seen: set[tuple[int, UpstreamFault]] = set()
    for file in ("openai_chat", "openai_compat_chat"):
        for record in recorded(shared, file, "openai.chat"):
            answer = record["response"]
            if answer["status"] >= 400:
                error = OPENAI_CHAT.decode_error(answer["status"], [], json.dumps(answer["body"]).encode())
                seen.add((answer["status"], error.fault))
    assert seen == {(400, F.REJECTED), (401, F.AUTH), (404, F.NO_SUCH_MODEL), (429, F.RATE_LIMITED)}


@pytest.mark.parametrize("message", ["model" + ":" * 300_000, "model 'a" + ":" * 300_000 + "' was not here"])
def test_an_endless_message_is_read_at_once(message: str) -> None:
    """A provider may quote what it was sent; the search is linear in it."""
    error = OPENAI_CHAT.decode_error(404, [], json.dumps({"error": {"message": message}}).encode())
    assert error.fault is F.REJECTED
