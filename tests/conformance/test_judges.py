"""The judges themselves: each must find a fault that is planted, and none where there is none."""

import json
from typing import Any

import pytest

from conformance import answers, requests, same
from conformance.corpus import Record, compact
from conformance.gateway import Sent, translated
from conformance.sdks import CALLERS
from pointsman.app import DIALECTS
from pointsman.wire.dialect import EncodedRequest, Forwarded
from pointsman.wire.envelope import Envelope
from replies import chat_event, chat_stream, completion

CALL = ("call_1", "wordtool", {"place": "wordargument"})
USAGE = {
    "prompt_tokens": 4321,
    "completion_tokens": 765,
    "total_tokens": 5086,
    "prompt_tokens_details": {"cached_tokens": 1234},
    "completion_tokens_details": {"reasoning_tokens": 567},
}


def record(
    dialect: str, answer: bytes, request: dict[str, Any] | None = None, *, stream: bool = False
) -> Record:
    return Record(
        id="planted",
        dialect=dialect,
        provider="provider",
        model="their-model",
        is_stream=stream,
        request=None if request is None else compact(request),
        status=200,
        headers=(),
        body=None if stream else answer,
        stream=answer if stream else None,
    )


def whole_reply() -> Record:
    said = completion("wordsaid", calls=[CALL])
    said["choices"][0]["message"]["reasoning_content"] = "wordthought"
    return record("openai-chat", compact({**said, "usage": USAGE}))


def streamed_reply() -> Record:
    events = chat_stream("wordsaid", calls=[CALL])
    events.insert(1, chat_event({"reasoning_content": "wordthought"}))
    events[-2] = chat_event(None, usage=USAGE)
    return record("openai-chat", b"".join(events), stream=True)


REPLIES = {False: whole_reply(), True: streamed_reply()}
LISTENERS = [
    caller for caller in CALLERS if caller != "openai-chat" and hasattr(DIALECTS.get(caller), "encode_reply")
]
WORDS = {
    "text": (b"wordsaid", b"word"),
    "reasoning": (b"wordthought", b"thought"),
    "call": (b"wordtool", b"othertool"),
    "arguments": (b"wordargument", b"another"),
    "usage": (b"765", b"766"),
    "cached": (b"1234", b"1235"),
}
STOPS = {
    "anthropic-messages": (b'"stop_reason":"tool_use"', b'"stop_reason":"end_turn"'),
    "openai-responses": (b'"status":"completed"', b'"status":"incomplete"'),
    "gemini": (b'"STOP"', b'"MAX_TOKENS"'),
}


def told(caller: str, *, stream: bool) -> tuple[answers.Case, Sent]:
    case = answers.Case(REPLIES[stream], caller, stream)
    return case, translated(case.record, DIALECTS["openai-chat"], DIALECTS[caller], stream=stream)


listening = pytest.mark.parametrize("caller", LISTENERS)
either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@listening
@either_way
def test_right_answer_has_no_fault(caller: str, stream: bool) -> None:
    case, sent = told(caller, stream=stream)
    assert answers.faults_in(case, sent) == []


@listening
@either_way
@pytest.mark.parametrize("word", WORDS)
def test_changed_word_of_an_answer_is_found(caller: str, stream: bool, word: str) -> None:
    case, sent = told(caller, stream=stream)
    old, new = WORDS[word]
    if word == "usage" and caller == "gemini":
        old, new = b"198", b"199"  # what is said beside what is thought
    assert old in sent.body
    assert answers.faults_in(case, sent._replace(body=sent.body.replace(old, new)))


@listening
@either_way
def test_another_stop_reason_is_found(caller: str, stream: bool) -> None:
    case, sent = told(caller, stream=stream)
    old, new = STOPS[caller]
    assert old in sent.body
    assert answers.faults_in(case, sent._replace(body=sent.body.replace(old, new)))


@listening
def test_lost_frame_of_a_stream_is_found(caller: str) -> None:
    """Whichever frame it is: nothing in a stream is superfluous but what keeps a connection alive."""
    case, sent = told(caller, stream=True)
    frames = sent.body.replace(b"\r\n", b"\n").removesuffix(b"\n\n").split(b"\n\n")
    for at, frame in enumerate(frames):
        if b"ping" in frame:
            continue
        rest = b"\n\n".join([*frames[:at], *frames[at + 1 :], b""])
        assert answers.faults_in(case, sent._replace(body=rest)), frame


@listening
def test_failure_told_as_an_answer_is_found(caller: str) -> None:
    _, sent = told(caller, stream=False)
    broken = record("openai-chat", compact({"error": {"message": "no such luck"}}))
    assert answers.faults_in(answers.Case(broken, caller, stream=False), sent)


@listening
def test_error_in_other_words_is_found(caller: str) -> None:
    failed = record("openai-chat", compact({"error": {"message": "no such luck", "type": "server_error"}}))
    case = answers.Case(failed, caller, stream=False)
    sent = translated(failed, DIALECTS["openai-chat"], DIALECTS[caller], stream=False)
    assert answers.faults_in(case, sent) == []
    assert answers.faults_in(case, sent._replace(body=sent.body.replace(b"luck", b"thing")))


ASKED = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "worldwide rules"},
        {"role": "user", "content": [
            {"type": "text", "text": "what is this"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ]},
        {"role": "assistant", "content": "let me see", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":"corner"}'}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "a small cat"},
    ],
    "tools": [{"type": "function", "function": {
        "name": "look",
        "description": "looks closely",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]},
    }}],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "max_tokens": 3000,
    "temperature": 0.5,
}  # fmt: skip
TARGETS = [target for target in requests.MODELS if target != "openai-chat" and target in DIALECTS]
asking = pytest.mark.parametrize("target", TARGETS)


def sent_to(target: str) -> tuple[requests.Case, Any, EncodedRequest]:
    case = requests.Case(record("openai-chat", b"{}", ASKED), target, requests.MODELS[target][0])
    return case, requests.asked("openai-chat", ASKED), requests.translate(case, DIALECTS)


def judged(target: str, old: bytes, new: bytes) -> list[str]:
    case, source, encoded = sent_to(target)
    assert old in encoded.body
    return requests.faults_in(case, source, encoded._replace(body=encoded.body.replace(old, new)))


@asking
def test_right_request_has_no_fault(target: str) -> None:
    case, source, encoded = sent_to(target)
    assert requests.faults_in(case, source, encoded) == []


@asking
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"worldwide", b"local"),
        (b"what is", b"what was"),
        (b"let me see", b"let me see more of it"),
        (b"iVBORw0KGgo", b"iVBORw0KGgp"),
        (b"corner", b"edge"),
        (b"small cat", b"big cat"),
        (b"looks closely", b""),
        (b'"look"', b'"peek"'),
        (b'"at":{', b'"on":{'),
        (b"3000", b"3001"),
        (b"0.5", b"0.25"),
    ],
)
def test_changed_word_of_a_request_is_found(target: str, old: bytes, new: bytes) -> None:
    assert judged(target, old, new)


@asking
def test_every_lost_field_of_a_request_is_found(target: str) -> None:
    """A field may go if it is what the API does without it; everything else is missed."""
    case, source, encoded = sent_to(target)
    body = json.loads(encoded.body)
    optional = {"model", "stream", "store", "include", "toolConfig", "tool_choice", "stream_options"}
    for name in body.keys() - optional:
        rest = {key: value for key, value in body.items() if key != name}
        try:
            wrong = requests.faults_in(case, source, encoded._replace(body=compact(rest)))
        except (KeyError, TypeError):
            continue  # what must be there cannot even be read
        assert wrong, name


@asking
def test_unknown_field_of_a_request_is_found(target: str) -> None:
    case, source, encoded = sent_to(target)
    body = compact({**json.loads(encoded.body), "made_up": 1})
    assert requests.faults_in(case, source, encoded._replace(body=body))


class _Sinful:
    """A dialect that cannot leave well alone."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialect, name)


class _TouchesRequests(_Sinful):
    def forwarded(self, envelope: Envelope, *args: Any, **more: Any) -> Forwarded:
        forwarded = self._dialect.forwarded(envelope, *args, **more)
        return forwarded._replace(body=forwarded.body.replace(b"0.5", b"0.50"))


class _TouchesAnswers(_Sinful):
    def forwarded(self, envelope: Envelope, *args: Any, **more: Any) -> Forwarded:
        return self._dialect.forwarded(envelope, *args, **more)._replace(relay=_Upper())


class _Upper:
    def feed(self, events: bytes) -> bytes:
        return events.replace(b"wordsaid", b"WORDSAID")

    def finish(self) -> bytes:
        return b""


def test_touched_bytes_of_the_same_dialect_are_found() -> None:
    chat = DIALECTS["openai-chat"]
    asked = same.Case(record("openai-chat", REPLIES[False].answer, ASKED))
    assert same.faults(asked, {"openai-chat": chat}) == []
    assert same.faults(asked, {"openai-chat": _TouchesRequests(chat)})
    streamed = same.Case(REPLIES[True])
    assert same.faults(streamed, {"openai-chat": chat}) == []
    assert same.faults(streamed, {"openai-chat": _TouchesAnswers(chat)})
