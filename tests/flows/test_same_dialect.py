"""Caller and provider speak one dialect: every recorded exchange crosses the gateway as the bytes it is."""

import base64
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, booked, settle
from exchanges import Exchange, golden, recorded, usage_of

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_stream, completion, messages_event, messages_stream

GATEWAY_KEY = "gateway-key-0123456789"
SECRETS = {
    "authorization": f"Bearer {GATEWAY_KEY}",
    "x-api-key": "sk-the-callers-own-0123456789",
    "x-goog-api-key": "AIza-the-callers-too",
    "cookie": "session=the-callers",
    "openai-organization": "org-the-callers",
    "x-openwebui-user-email": "somebody@example.com",
}
SIGNS = {
    "anthropic-beta": "interleaved-thinking-2025-05-14,new-2031-01-01",
    "anthropic-version": "2099-01-01",
    "user-agent": "an-agent/7.1",
}
PATHS = {"openai_chat": CHAT, "anthropic_messages": f"{MESSAGES}?beta=true&x=%20y"}
MODELS = {"openai_chat": "chatty", "anthropic_messages": "wordy"}
KEYS = {
    "openai_chat": ("authorization", "Bearer sk-ours-chat-0123"),
    "anthropic_messages": ("x-api-key", "sk-ours-msgs"),
}


class Replay:
    """A gateway between a caller and a provider that plays one exchange after the other."""

    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.caller = caller
        self.played = 0
        self._next: Scripted | None = None

    def _answer(self, _: Received) -> Scripted:
        assert self._next is not None
        return self._next

    def send(
        self, answer: Scripted, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Answered, Received]:
        self._next = answer
        self.upstream.answer_with(self._answer)
        self.played += 1
        answered = self.caller.post(path, body, headers)
        return answered, self.upstream.requests[-1]

    def play(self, dialect: str, exchange: Exchange, body: bytes) -> tuple[Answered, Received]:
        answer = exchange.answered(cuts=random.Random(exchange.id).choice([0, 1, 9]))
        return self.send(answer, PATHS[dialect], body, SECRETS | SIGNS)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    with FakeUpstream.in_thread() as upstream:
        yaml = f"""
        server: {{master_key: $POINTSMAN_MASTER_KEY}}
        providers:
          chats: {{dialect: openai-chat, base_url: {upstream.base_url}, api_key: $CHAT_KEY}}
          messages: {{dialect: anthropic-messages, base_url: {upstream.base_url}, api_key: $MESSAGES_KEY}}
        models:
          chatty: {{provider: chats, id: "provider's/\\"own\\" name-4ö"}}
          wordy: {{provider: messages, id: claude-wordy-4-2}}
        """
        environ = {
            "POINTSMAN_MASTER_KEY": GATEWAY_KEY,
            "CHAT_KEY": "sk-ours-chat-0123",
            "MESSAGES_KEY": "sk-ours-msgs",
        }
        with (
            running_gateway(yaml, tmp_path_factory.mktemp("replay"), environ) as gateway,
            Caller(gateway) as caller,
        ):
            yield Replay(gateway, upstream, caller)


IDS = {"openai_chat": 'provider\'s/"own" name-4ö', "anthropic_messages": "claude-wordy-4-2"}


def spelled(exchange: Exchange, model: str) -> bytes:
    """The recorded request with another model, in one of the many spellings of JSON, a field nobody knows in it."""
    dice = random.Random(exchange.id)
    body = {name: value for name, value in exchange.request.items() if name != "model"}
    items = [*body.items(), ("x_unknown", {"z": [1, {"model": "m"}], "a": 1.5})]
    dice.shuffle(items)
    items.insert(dice.randrange(len(items) + 1), ("model", model))
    return json.dumps(
        dict(items),
        ensure_ascii=dice.random() < 0.5,
        indent=dice.choice([None, None, 2]),
        separators=dice.choice([(",", ":"), (", ", ": ")]),
    ).encode()


def check(replay: Replay, dialect: str, exchanges: Iterable[Exchange]) -> int:
    count = 0
    for exchange in exchanges:
        sent = spelled(exchange, MODELS[dialect])
        answered, received = replay.play(dialect, exchange, sent)
        entry, (attempt,) = booked(replay.gateway, replay.played)
        what = f"{exchange.id}: {answered.body[:300]!r}"

        # what the provider got
        name = json.dumps(IDS[dialect], ensure_ascii=False).encode()
        assert received.body == _with_model(sent, MODELS[dialect], name), what
        assert dict(received.headers)[KEYS[dialect][0].encode()].decode() == KEYS[dialect][1]
        told = b"\n".join(b"%b: %b" % header for header in received.headers)
        for header, secret in SECRETS.items():
            assert secret.removeprefix("Bearer ").encode() not in told, header
        expected_signs = set(SIGNS) if dialect == "anthropic_messages" else {"user-agent"}
        assert {sign for sign, value in SIGNS.items() if received.header(sign) == value} == expected_signs
        assert received.query == PATHS[dialect].partition("?")[2]

        # what the caller got
        failure = _failure(exchange)
        if failure == 200 and answered.status == 400:
            failure = 400  # it came before any content: told as what it is, before anything was begun
        if failure in {None, 200}:
            assert (answered.status, answered.body) == (exchange.status, exchange.answer), what
        else:
            assert answered.status == failure, what
        assert answered.headers["x-pointsman-attempts"] == "1"
        assert answered.headers["x-pointsman-dropped"] == ""
        assert answered.headers["x-pointsman-model"] == MODELS[dialect]
        is_event_stream = answered.headers["content-type"] == "text/event-stream"
        assert is_event_stream == (exchange.is_stream and failure in {None, 200}), what

        # what was booked
        assert (entry.status, attempt.status) == (answered.status, exchange.status)
        assert entry.stream == exchange.wants_stream
        if exchange.status == 200 and failure is None:
            assert (entry.outcome, entry.fault) == ("complete", None), what
            assert entry.usage == usage_of(dialect, exchange), what
        else:
            is_refusal = entry.fault in {"rejected", "content_filter", "too_long"}
            ended = "refused" if is_refusal else "failed"
            assert entry.outcome == ("partial" if is_event_stream else ended), what
            assert entry.fault is not None
        assert attempt.outcome == ("failed" if entry.outcome == "refused" else entry.outcome)
        count += 1
    return count


def _with_model(body: bytes, old: str, new: bytes) -> bytes:
    """By plain text: the first spelling of the key that is not inside another value."""
    for key in (b'"model":"', b'"model": "'):
        if (whole := key + old.encode() + b'"') in body:
            return body.replace(whole, whole[: len(key) - 1] + new)
    raise AssertionError(body)


def _failure(exchange: Exchange) -> int | None:
    """The status a caller gets for an answer that is none, None for a good one and for one passed on as it is."""
    if exchange.status in {400, 404}:
        return None
    if exchange.status in {401, 403}:
        return 502
    if exchange.status != 200:
        return exchange.status
    events = exchange.events()
    if any(event.get("error") for event in events) and not exchange.is_stream:
        return 502 if "API key" in str(events[0]) else 400
    if any(event.get("error") for event in events):
        return 200
    return (
        None
        if exchange.is_stream or events[0].get("choices") or events[0].get("content") is not None
        else 502
    )


@pytest.mark.parametrize("dialect", PATHS)
def test_committed_exchanges_cross_unchanged(replay: Replay, dialect: str) -> None:
    assert check(replay, dialect, golden(dialect)) >= 12


@pytest.mark.parametrize(("dialect", "count"), [("openai_chat", 505), ("anthropic_messages", 245)])
def test_recorded_exchanges_cross_unchanged(replay: Replay, shared: Path, dialect: str, count: int) -> None:
    assert check(replay, dialect, recorded(shared, dialect)) == count


CHAT_ASK = b'{"model":"chatty","messages":[{"role":"user","content":"Hi"}]}'
STREAM_ASK = CHAT_ASK[:-1] + b',"stream":true}'
KEY = {"authorization": f"Bearer {GATEWAY_KEY}"}


def test_a_compressed_answer_is_plain_for_the_caller(replay: Replay) -> None:
    """Rule 43."""
    for ask, answer in (
        (CHAT_ASK, scripted(json=completion("Hi"), gzip=True)),
        (STREAM_ASK, scripted(sse=chat_stream("Hi"), gzip=True)),
    ):
        answered, received = replay.send(answer, CHAT, ask, KEY | {"accept-encoding": "gzip, zstd"})
        assert answered.body == (
            json.dumps(completion("Hi")).encode() if ask is CHAT_ASK else b"".join(chat_stream("Hi"))
        )
        assert "content-encoding" not in answered.headers
        assert received.header("accept-encoding") == "identity"


def test_events_that_nobody_knows_yet_are_passed_on(replay: Replay) -> None:
    events = messages_stream("Hi")
    events.insert(3, messages_event("block_of_2031", index=0, anything={"z": 1, "a": [None]}))
    events.insert(4, b": a comment\r\n\r\nretry: 7\n\n")
    body = b'{"model":"wordy","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]}'
    answered, _ = replay.send(scripted(sse=events), MESSAGES, body, KEY)
    assert answered.body == b"".join(events)


def test_a_body_of_many_megabytes_crosses_unchanged(replay: Replay) -> None:
    image = base64.b64encode(random.Random(1).randbytes(6_000_000)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    body = json.dumps({"messages": [{"role": "user", "content": [part]}], "model": "chatty"}).encode()
    answer = scripted(json=completion("y" * 3_000_000))
    answered, received = replay.send(answer, CHAT, body, KEY)
    name = json.dumps(IDS["openai_chat"], ensure_ascii=False).encode()
    assert hashlib.sha256(received.body).digest() == hashlib.sha256(body.replace(b'"chatty"', name)).digest()
    assert answered.body == answer.pieces[0]


def test_answers_under_way_at_once_do_not_mix(replay: Replay) -> None:
    """Every caller gets its own words back, whole or streamed, over connections that are used again."""

    def echo(request: Received) -> Scripted:
        said = request.json()["messages"][0]["content"]
        if request.json().get("stream"):
            return scripted(sse=chat_stream(*[f"{said}-{place} " for place in range(8)]))
        return scripted(json=completion(said))

    def converse(who: int) -> list[str]:
        wrong = []
        with Caller(replay.gateway) as caller:
            for turn in range(12):
                said = f"caller-{who}-{turn}"
                ask = {
                    "model": "chatty",
                    "messages": [{"role": "user", "content": said}],
                    "stream": turn % 2 == 0,
                }
                answered = caller.post(CHAT, ask, KEY)
                good = echo(Received("POST", "", "", (), json.dumps(ask).encode(), 0))
                if answered.body != b"".join(good.pieces):
                    wrong.append(said)
        return wrong

    settle(replay.gateway)
    replay.upstream.answer_with(echo)
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(converse, range(12))) == [[]] * 12
    settle(replay.gateway)
    replay.played = len(replay.gateway.booked)
