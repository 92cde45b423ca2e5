"""`include_stream_usage`: the books know what a stream used although its caller has not asked, and neither the
caller nor anything else of the exchange notices."""

import json
from collections.abc import Iterator

import pytest
from calls import CHAT, Caller, booked, settle

from gateways import Gateway, running_gateway
from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import CHAT_USAGE, chat_event, chat_stream, completion

BOOKED = Usage(30, 7, 10)


class Provider:
    """Tells usage in a stream only when it is asked, as OpenAI does: in a chunk without choices."""

    def __init__(self) -> None:
        self.cuts: list[int] = []
        self.line_end = b"\n"

    def stream(self, *, with_usage: bool) -> bytes:
        events = [
            event for event in chat_stream("one ", "two") if with_usage or b'"choices": []' not in event
        ]
        return b": hello\n\n".replace(b"\n", self.line_end) + b"".join(events).replace(b"\n", self.line_end)

    def __call__(self, request: Received) -> Scripted:
        body = request.json()
        if not body.get("stream"):
            return scripted(json=completion())
        is_asked = (body.get("stream_options") or {}).get("include_usage") is True
        stream = self.stream(with_usage=is_asked)
        return scripted(
            sse=[stream[a:b] for a, b in zip([0, *self.cuts], [*self.cuts, len(stream)], strict=True)]
        )


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def running(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, FakeUpstream]]:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(provider)
        yaml = f"""
        providers:
          told: {{dialect: openai-chat, base_url: {upstream.base_url}, include_stream_usage: true}}
          silent: {{dialect: openai-chat, base_url: {upstream.base_url}}}
        models:
          told: {{provider: told, id: told-1}}
          silent: {{provider: silent, id: silent-1}}
        """
        with running_gateway(yaml, tmp_path_factory.mktemp("usage")) as gateway:
            yield gateway, upstream


@pytest.fixture
def caller(running: tuple[Gateway, FakeUpstream], provider: Provider) -> Iterator[Caller]:
    provider.cuts = []
    provider.line_end = b"\n"
    settle(running[0])
    with Caller(running[0]) as caller:
        yield caller


def body(model: str, more: str = "") -> bytes:
    return (
        f'{{"messages":[{{"role":"user","content":"Hi"}}],"model":"{model}", "stream":true{more}}}'.encode()
    )


def test_usage_is_booked_although_nobody_asked(
    caller: Caller, running: tuple[Gateway, FakeUpstream], provider: Provider
) -> None:
    gateway, upstream = running
    count = len(gateway.booked) + 1
    answered = caller.post(CHAT, body("told"))
    assert answered.body == provider.stream(with_usage=False)
    assert upstream.requests[-1].body == body("told-1", ',"stream_options":{"include_usage":true}')
    entry, _ = booked(gateway, count)
    assert (entry.usage, entry.outcome) == (BOOKED, "complete")


def test_without_the_option_the_books_stay_empty(
    caller: Caller, running: tuple[Gateway, FakeUpstream], provider: Provider
) -> None:
    gateway, upstream = running
    count = len(gateway.booked) + 1
    answered = caller.post(CHAT, body("silent"))
    assert answered.body == provider.stream(with_usage=False)
    assert upstream.requests[-1].body == body("silent-1")
    assert booked(gateway, count)[0].usage is None


@pytest.mark.parametrize("model", ["told", "silent"])
def test_a_caller_who_asks_gets_its_usage(
    caller: Caller, running: tuple[Gateway, FakeUpstream], provider: Provider, model: str
) -> None:
    gateway, upstream = running
    count = len(gateway.booked) + 1
    more = ',"stream_options":{"include_usage":true}'
    answered = caller.post(CHAT, body(model, more))
    assert answered.body == provider.stream(with_usage=True)
    assert upstream.requests[-1].body == body(f"{model}-1", more)
    assert booked(gateway, count)[0].usage == BOOKED


def test_other_stream_options_stay(caller: Caller, running: tuple[Gateway, FakeUpstream]) -> None:
    caller.post(
        CHAT, body("told", ',"stream_options" : {"include_obfuscation": false, "include_usage":false}')
    )
    expected = ',"stream_options" : {"include_obfuscation": false, "include_usage":true}'
    assert running[1].requests[-1].body == body("told-1", expected)


def test_what_is_no_stream_is_left_alone(caller: Caller, running: tuple[Gateway, FakeUpstream]) -> None:
    asked = b'{"model":"told-1","messages":[{"role":"user","content":"Hi"}]}'
    assert caller.post(CHAT, asked).json()["usage"] == CHAT_USAGE
    assert running[1].requests[-1].body == asked


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_caller_gets_the_same_bytes_wherever_the_stream_is_cut(
    caller: Caller, running: tuple[Gateway, FakeUpstream], provider: Provider, line_end: bytes
) -> None:
    gateway, _ = running
    provider.line_end = line_end
    told, expected = provider.stream(with_usage=True), provider.stream(with_usage=False)
    start = told.index(b'"finish_reason": "stop"')
    for cut in [*range(1, start, 29), *range(start, len(told), 3)]:
        count = len(gateway.booked) + 1
        provider.cuts = [cut]
        assert caller.post(CHAT, body("told")).body == expected, cut
        assert booked(gateway, count)[0].usage == BOOKED
    provider.cuts = list(range(1, len(told)))
    assert caller.post(CHAT, body("told")).body == expected


def test_usage_is_held_back_from_a_whole_answer_that_becomes_a_stream(
    caller: Caller, running: tuple[Gateway, FakeUpstream]
) -> None:
    """The provider does not stream: what a caller is told still depends on what it asked for."""
    gateway, upstream = running
    upstream.answer_with(lambda _: scripted(json=completion()))
    for more, is_told in (("", False), (',"stream_options":{"include_usage":true}', True)):
        count = len(gateway.booked) + 1
        answered = caller.post(CHAT, body("told", more))
        assert (b'"prompt_tokens":30' in answered.body) == is_told
        assert answered.body.endswith(b"data: [DONE]\n\n")
        assert booked(gateway, count)[0].usage == BOOKED


def test_usage_that_breaks_off_is_never_shown(caller: Caller, running: tuple[Gateway, FakeUpstream]) -> None:
    gateway, upstream = running
    events = [chat_event({"content": "one"}), chat_event(None, usage=CHAT_USAGE)]
    upstream.answer_with(lambda _: scripted(sse=events))
    count = len(gateway.booked) + 1
    answered = caller.post(CHAT, body("told"))
    content, error, rest = answered.body.split(b"\n\n")
    assert content + b"\n\n" == events[0]
    assert json.loads(error.removeprefix(b"data: "))["error"]["code"] == "upstream_broken"
    assert rest == b""
    entry, _ = booked(gateway, count)
    assert (entry.usage, entry.outcome) == (BOOKED, "partial")
