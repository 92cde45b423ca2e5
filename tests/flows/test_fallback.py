"""The first model fails, the second answers; or both fail, or nothing may be tried again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, GatewayFactory, booked, settle

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import (
    chat_error,
    chat_event,
    chat_stream,
    completion,
    message,
    messages_error,
    messages_event,
    messages_stream,
)

SECRET = "sk-ours-0123456789abcdef"
PROMPT = "the prompt nobody else may see"
ORDERS = [("openai-chat", "anthropic-messages"), ("anthropic-messages", "openai-chat")]
ASK: dict[str, Any] = {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": PROMPT}]}


class Pair:
    """A gateway with two models of one tier, `first` the cheaper one, each with a provider of its own; and one like it
    which is `impatient` with the first, for providers that say nothing more."""

    def __init__(
        self, gateway: Gateway, impatient: Gateway, upstream: FakeUpstream, dialects: tuple[str, str]
    ) -> None:
        self.patient = gateway
        self.impatient = impatient
        self.upstream = upstream
        self.dialects = dict(zip(("first", "second"), dialects, strict=True))
        self.answers: dict[str, Scripted] = {}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        return self.answers[request.json()["model"]]

    def ask(self, path: str, *, stream: bool, first: Scripted, **more: Any) -> tuple[Answered, Any, Any]:
        """The answer, and what was booked. Unless said otherwise the second model answers well."""
        self.answers = {"first": first, "second": self.good("second", stream=stream)}
        self.answers |= {name: more.pop(name) for name in ("second",) if name in more}
        gateway = self.impatient if first.ending == "stall" else self.patient
        settle(gateway)
        count = len(gateway.booked) + 1
        with Caller(gateway) as caller:
            answered = caller.post(path, {**ASK, "stream": stream, **more})
        return answered, *booked(gateway, count)

    def good(self, name: str, *, stream: bool) -> Scripted:
        if self.dialects[name] == "openai-chat":
            return (
                scripted(sse=chat_stream(f"by {name}")) if stream else scripted(json=completion(f"by {name}"))
            )
        return scripted(sse=messages_stream(f"by {name}")) if stream else scripted(json=message(f"by {name}"))

    def error(self, name: str, status: int, words: str = "no") -> Scripted:
        error = (
            chat_error(words) if self.dialects[name] == "openai-chat" else messages_error(words, "api_error")
        )
        return scripted(json=error, status=status)


@pytest.fixture(scope="module", params=ORDERS, ids=[" then ".join(order) for order in ORDERS])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with FakeUpstream.in_thread() as upstream:
        yaml = f"""
        providers:
          one:
            dialect: {request.param[0]}
            base_url: {upstream.base_url}
            api_key: $KEY
            deadlines: {{first_byte_s: DEADLINE_S, idle_s: DEADLINE_S}}
          two: {{dialect: {request.param[1]}, base_url: {upstream.base_url}, api_key: $KEY}}
          gone: {{dialect: openai-chat, base_url: "http://127.0.0.1:1/v1?and=hidden", api_key: $KEY}}
        models:
          first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
          second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
          gone: {{provider: gone}}
        """.replace("?and=hidden", "")
        folder, environ = tmp_path_factory.mktemp("pair"), {"KEY": SECRET}
        with (
            running_gateway(yaml.replace("DEADLINE_S", "60"), folder, environ) as patient,
            running_gateway(yaml.replace("DEADLINE_S", "0.3"), folder, environ) as impatient,
        ):
            yield Pair(patient, impatient, upstream, request.param)


@pytest.fixture
def pair(stage: Pair) -> Pair:
    stage.upstream.requests.clear()
    return stage


def text_of(answered: Answered, path: str, *, stream: bool) -> str:
    """The text of a whole, clean answer."""
    if path == CHAT:
        if not stream:
            return answered.json()["choices"][0]["message"]["content"]
        events = answered.body.decode().split("\n\n")
        assert events.pop() == ""
        assert events.pop() == "data: [DONE]"
        chunks = [json.loads(event.removeprefix("data: ")) for event in events]
        assert (
            sum(
                chunk["choices"][0]["delta"].get("role") == "assistant"
                for chunk in chunks
                if chunk["choices"]
            )
            == 1
        )
        return "".join(
            choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
        )
    if not stream:
        return "".join(block["text"] for block in answered.json()["content"])
    events = [json.loads(event.partition("data: ")[2]) for event in answered.body.decode().split("\n\n")[:-1]]
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    assert (kinds[0], kinds[-1], kinds.count("message_start")) == ("message_start", "message_stop", 1)
    return "".join(
        event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"
    )


EVENTS = [(b"content-type", b"text/event-stream")]
JSON = [(b"content-type", b"application/json")]
ANYWHERE: dict[str, tuple[Scripted, str, int | None]] = {
    "cut before the head": (scripted(raw=b"", ending="close"), "unreachable", None),
    "reset before the head": (scripted(raw=b"", ending="reset"), "unreachable", None),
    "cut in the head": (scripted(raw=b"HTTP/1.1 200 OK\r\ncontent-", ending="close"), "broken", None),
    "not HTTP": (scripted(raw=b"220 mail.example.com ESMTP\r\n", ending="close"), "bad_reply", None),
    "silence": (scripted(raw=b"", ending="stall"), "timed_out", None),
    "silence behind the head": (scripted(body=b"{}", cut_after_bytes=0, ending="stall"), "timed_out", 200),
    "cut behind the head": (scripted(body=b"{}", cut_after_bytes=0, ending="close"), "broken", 200),
    "a web page": (scripted(body=b"<html>\n\n<p>Sign in</p></html>"), "bad_reply", 200),
    "a web page that says it is JSON": (scripted(body=b" <!doctype html>", headers=JSON), "bad_reply", 200),
    "broken JSON": (scripted(body=b'{"id":"x","choices":[', headers=JSON), "bad_reply", 200),
    "JSON of something else": (scripted(json={"ok": True}), "bad_reply", 200),
    "nothing": (scripted(body=b"", headers=JSON), "", 200),
    "an error that is no error": (scripted(json=chat_error("odd", "odd")), "", 200),
}
STREAMED: dict[str, tuple[Scripted, str, int | None]] = {
    "an empty stream": (scripted(sse=[]), "broken", 200),
    "only comments missing their end": (scripted(sse=[b": wait\n"]), "broken", 200),
    "half an event": (scripted(sse=[b'data: {"id":"x","cho']), "broken", 200),
    "an event stream that is a JSON error": (
        scripted(body=json.dumps(chat_error("odd", "odd")).encode(), headers=EVENTS),
        "",
        200,
    ),
    "an event stream that is a web page": (
        scripted(body=b"<html>\n\n<body>\n\n</html>\n\n", headers=EVENTS),
        "bad_reply",
        200,
    ),
}
STATUSES = {
    401: "auth",
    402: "quota",
    403: "auth",
    408: "timed_out",
    429: "rate_limited",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timed_out",
    529: "overloaded",
}


def assert_second_answered(pair: Pair, answered: Answered, entry: Any, path: str, *, stream: bool) -> None:
    assert answered.status == 200, answered.body
    assert text_of(answered, path, stream=stream) == "by second"
    assert answered.headers["x-pointsman-attempts"] == "2"
    assert answered.headers["x-pointsman-model"] == "second"
    assert answered.headers["x-pointsman-provider"] == "two"
    assert (entry.outcome, entry.model, entry.fault, entry.status) == ("failed_over", "second", None, 200)
    assert answered.headers["x-pointsman-outcome"] == ("none" if stream else "failed_over")
    assert answered.headers["x-pointsman-path"].startswith("first=")
    assert answered.headers["x-pointsman-substituted"] == "second for first"
    assert entry.decision.card.name == "first"
    assert entry.usage.output_tokens == 7


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", [*ANYWHERE, *STREAMED])
def test_the_second_model_answers_when_the_first_fails(
    pair: Pair, case: str, stream: bool, path: str
) -> None:
    if case in STREAMED and not stream:
        return
    first, fault, status = (ANYWHERE | STREAMED)[case]
    answered, entry, attempts = pair.ask(path, stream=stream, first=first)
    assert_second_answered(pair, answered, entry, path, stream=stream)
    failed, good = attempts
    assert (failed.model, failed.provider, failed.outcome, failed.status) == (
        "first",
        "one",
        "failed",
        status,
    )
    assert failed.fault == fault or (not fault and failed.fault in {"bad_reply", "broken", "server_error"})
    assert failed.first_byte_ms is None
    assert (good.model, good.number, good.outcome, good.status, good.fault) == (
        "second",
        2,
        "complete",
        200,
        None,
    )
    assert good.started_ms >= failed.started_ms + failed.total_ms


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_model_answers_for_every_status_that_is_not_the_requests_fault(
    pair: Pair, stream: bool
) -> None:
    for path in (CHAT, MESSAGES):
        for status, fault in STATUSES.items():
            answered, entry, (failed, _) = pair.ask(path, stream=stream, first=pair.error("first", status))
            assert_second_answered(pair, answered, entry, path, stream=stream)
            assert (failed.fault, failed.status) == (fault, status)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_stream_that_begins_with_an_error_is_answered_by_the_second_model(pair: Pair, path: str) -> None:
    if pair.dialects["first"] == "openai-chat":
        error = b"data: " + json.dumps(chat_error("busy", "overloaded")).encode() + b"\n\n"
    else:
        error = messages_event("error", error={"type": "overloaded_error", "message": "busy"})
    answered, entry, (failed, _) = pair.ask(path, stream=True, first=scripted(sse=[error]))
    assert_second_answered(pair, answered, entry, path, stream=True)
    assert (failed.fault, failed.status, failed.outcome) == ("overloaded", 200, "failed")


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
def test_when_both_fail_the_caller_gets_one_error_and_no_secrets(pair: Pair, stream: bool, path: str) -> None:
    pages = "see https://internal.example.com/a?token=hidden-123"
    first = pair.error("first", 500, f"Incorrect API key provided: {SECRET}. {pages}")
    second = pair.error("second", 429, f"Bearer {SECRET} is over its limit")
    answered, entry, attempts = pair.ask(path, stream=stream, first=first, second=second)
    assert answered.status == (529 if path == MESSAGES else 503), "429 only if pace was all that was wrong"
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["x-pointsman-attempts"] == "2"
    error = answered.json()["error"]
    assert error["type"] == ("overloaded_error" if path == MESSAGES else "server_error")
    assert ("type" in answered.json()) == (path == MESSAGES)
    assert "first" in error["message"]
    assert "second" in error["message"]
    for secret in (SECRET, SECRET[8:], "hidden-123", PROMPT):
        assert secret not in answered.body.decode()
        assert secret not in repr(entry) + repr(attempts)
    assert (entry.outcome, entry.fault, entry.status, entry.model) == (
        "failed",
        "overloaded",
        answered.status,
        None,
    )
    assert (entry.usage, entry.price, entry.first_token_ms) == (None, None, None)
    assert [attempt.fault for attempt in attempts] == ["server_error", "rate_limited"]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_request_the_provider_finds_fault_with_is_asked_once(
    pair: Pair, status: int, stream: bool, path: str
) -> None:
    first = pair.error("first", status, "max_tokens: 7 is odd")
    answered, entry, attempts = pair.ask(path, stream=stream, first=first)
    assert len(pair.upstream.requests) == 1
    assert answered.status == status
    assert answered.headers["x-pointsman-attempts"] == "1"
    assert "max_tokens: 7 is odd" in answered.json()["error"]["message"]
    is_same_dialect = (pair.dialects["first"] == "openai-chat") == (path == CHAT)
    assert (answered.body == first.pieces[0]) == is_same_dialect
    assert (entry.outcome, entry.fault, entry.status, len(attempts)) == ("refused", "rejected", status, 1)


def test_an_error_page_of_the_same_dialect_is_not_passed_on(pair: Pair) -> None:
    path = CHAT if pair.dialects["first"] == "openai-chat" else MESSAGES
    page = scripted(body=b"<html>404 nginx</html>", status=404)
    answered, _, _ = pair.ask(path, stream=False, first=page)
    assert answered.status == 404
    assert "404" in answered.json()["error"]["message"]
    assert b"nginx" not in answered.body


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("status", [401, 403])
def test_a_provider_that_refuses_our_key_is_never_the_callers_fault(
    pair: Pair, status: int, path: str
) -> None:
    """A 401 would tell callers that their own key is wrong."""
    answered, entry, _ = pair.ask(path, stream=False, first=pair.error("first", status), model="first")
    assert answered.status == 502
    assert answered.headers["x-should-retry"] == "false"
    assert (entry.fault, entry.status) == ("auth", 502)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_pinned_model_has_no_second(pair: Pair, path: str) -> None:
    answered, _, attempts = pair.ask(path, stream=False, first=pair.error("first", 500), model="first")
    assert (answered.status, answered.headers["x-pointsman-attempts"], len(attempts)) == (502, "1", 1)
    answered, _, _ = pair.ask(path, stream=False, first=pair.error("first", 500), model="gone")
    assert answered.status == 502
    assert "127.0.0.1:1" in answered.json()["error"]["message"]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("ending", ["clean", "close", "reset", "stall"])
def test_a_stream_that_breaks_behind_its_first_words_is_not_tried_again(
    pair: Pair, ending: Any, path: str
) -> None:
    """The caller has had a part: it is told that the rest does not come, and by nobody else."""
    is_chat = pair.dialects["first"] == "openai-chat"
    events = chat_stream("one ", "two ")[:3] if is_chat else messages_stream("one ", "two ")[:5]
    torn = [*events, b'data: {"half":"an ev']
    cut = None if ending == "clean" else sum(map(len, torn))
    first = scripted(sse=torn, cut_after_bytes=cut, ending=ending)
    answered, entry, attempts = pair.ask(path, stream=True, first=first)
    assert len(pair.upstream.requests) == 1
    assert answered.status == 200
    body = answered.body.decode()
    assert b"half" not in answered.body
    assert "one " in body
    assert "[DONE]" not in body
    assert "event: message_stop" not in body
    *_, last, rest = body.split("\n\n")
    assert rest == ""
    told = json.loads(last.partition("data: ")[2])
    assert told["error"]["message"]
    assert last.startswith("event: error" if path == MESSAGES else "data: ")
    fault = "timed_out" if ending == "stall" else "broken"
    assert (entry.outcome, entry.fault, entry.status, entry.model) == ("partial", fault, 200, "first")
    assert [(attempt.outcome, attempt.fault) for attempt in attempts] == [("partial", fault)]
    assert entry.first_token_ms is not None


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_an_error_behind_the_first_words_is_told_once(pair: Pair, path: str) -> None:
    is_chat = pair.dialects["first"] == "openai-chat"
    if is_chat:
        events = [
            *chat_stream("one ")[:2],
            b"data: " + json.dumps(chat_error("busy", "overloaded")).encode() + b"\n\n",
        ]
    else:
        error = messages_event("error", error={"type": "overloaded_error", "message": "busy"})
        events = [*messages_stream("one ")[:4], error]
    answered, entry, _ = pair.ask(path, stream=True, first=scripted(sse=events))
    assert b"one " in answered.body
    assert answered.body.count(b"busy") == 1
    assert answered.body.count(b'"error":') == 1 or is_chat == (path == CHAT)
    if is_chat == (path == CHAT):
        assert answered.body == b"".join(events), "the provider's own words"
    assert (entry.outcome, entry.fault, len(pair.upstream.requests)) == ("partial", "overloaded", 1)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_whole_answer_where_a_stream_was_asked_becomes_a_stream(pair: Pair, path: str) -> None:
    for headers in (JSON, EVENTS, []):
        whole = pair.good("first", stream=False)
        first = scripted(body=b" \n" + whole.pieces[0], headers=headers)
        answered, entry, _ = pair.ask(path, stream=True, first=first, stream_options={"include_usage": True})
        assert answered.headers["content-type"] == "text/event-stream"
        assert text_of(answered, path, stream=True) == "by first"
        assert (entry.outcome, entry.usage.input_tokens, entry.usage.output_tokens) == ("complete", 30, 7)
        if path == CHAT:
            assert answered.body.count(b'"prompt_tokens":30') == 1


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_stream_that_says_it_is_something_else_is_a_stream(pair: Pair, path: str) -> None:
    """Rule 44."""
    for headers in (JSON, [], [(b"content-type", b"text/plain")]):
        good = pair.good("first", stream=True)
        answered, entry, _ = pair.ask(
            path, stream=True, first=scripted(body=b"".join(good.pieces), headers=headers)
        )
        assert text_of(answered, path, stream=True) == "by first"
        assert entry.outcome == "complete"


def test_a_model_that_cannot_be_told_is_passed_over(pair: Pair) -> None:
    """Two answers at once can only be had from a chat provider, whichever place it has in the order."""
    first = pair.good("first", stream=False)
    answered, entry, attempts = pair.ask(CHAT, stream=False, first=first, n=2)
    able = next(name for name, dialect in pair.dialects.items() if dialect == "openai-chat")
    assert answered.headers["x-pointsman-model"] == able
    assert answered.headers["x-pointsman-attempts"] == "1"
    assert [attempt.model for attempt in attempts] == [able]
    assert entry.model == able


def test_a_chat_stream_that_is_broken_data_fails_for_the_caller(pair: Pair) -> None:
    if pair.dialects["first"] != "openai-chat":
        return
    events = [chat_event({"content": "one "}), b'data: {"usage": not JSON\n\n']
    answered, entry, _ = pair.ask(CHAT, stream=True, first=scripted(sse=events))
    assert answered.body.startswith(events[0])
    assert events[1] not in answered.body
    assert (
        json.loads(answered.body.split(b"\n\n")[-2].removeprefix(b"data: "))["error"]["code"]
        == "upstream_bad_reply"
    )
    assert (entry.outcome, entry.fault) == ("partial", "bad_reply")


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_provider_that_is_not_there_is_passed_over(gateway: GatewayFactory, path: str) -> None:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(json=completion("by second"))
        yaml = f"""
        providers:
          gone: {{dialect: openai-chat, base_url: "http://127.0.0.1:1/v1"}}
          nameless: {{dialect: openai-chat, base_url: "http://nobody.invalid/v1"}}
          here: {{dialect: openai-chat, base_url: {upstream.base_url}}}
        models:
          first: {{provider: gone, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
          second: {{provider: here, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
          nameless: {{provider: nameless}}
        """
        running = gateway(yaml)
        with Caller(running) as caller:
            answered = caller.post(path, ASK)
            assert text_of(answered, path, stream=False) == "by second"
            _, (failed, _) = booked(running, 1)
            assert (failed.fault, failed.status, failed.outcome) == ("unreachable", None, "failed")
            for model in ("first", "nameless"):
                answered = caller.post(path, {**ASK, "model": model})
                assert answered.status == 502
                assert "cannot connect to" in answered.json()["error"]["message"]
