"""The lab's provider: what it says without a fault is understood by the official SDKs, and what it keeps of each call is
true. What comes of its faults is the matrix's to show."""

from collections.abc import Iterator

import pytest

from faults.heard import CLIENTS, Callers
from pointsman.core.events import Finished, TextDelta, UsageReported
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.lab.faults import FAULTS
from pointsman.lab.upstream import FaultUpstream, answer_text
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said
from pointsman.lab.ways import ELSEWHERE, WORDS
from pointsman.upstream.client import Client
from pointsman.wire.ollama import OLLAMA

IMPATIENT = Deadlines(connect_s=5, first_byte_s=0.5, idle_s=0.5, total_s=5)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultUpstream]:
    with FaultUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def callers() -> Iterator[Callers]:
    with Callers() as callers:
        yield callers


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_is_understood_by_the_official_sdk(
    upstream: FaultUpstream, callers: Callers, client: str, stream: bool
) -> None:
    case = upstream.case({})

    heard = callers.ask(upstream.origin, client, "some-model", f"Hello, {case.mark}.", stream=stream)

    assert (heard.raised, heard.status, heard.finished) == (None, 200, True)
    assert heard.text == answer_text("some-model")
    [call] = case.calls
    assert (call.model, call.dialect, call.stream, call.fault) == ("some-model", client, stream, None)


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_of_ollama_is_understood(stream: bool) -> None:
    """It has no official SDK among the callers, for nobody calls the gateway in it."""
    said = Said("m", ("m", *WORDS), {"model": "m"})
    voice = VOICES["ollama"]
    if stream:
        decoder = OLLAMA.reply_decoder("lab")
        events = [
            event
            for line in b"".join(sum(voice.stream(said), ())).split(b"\n")
            for event in decoder.feed(line + b"\n")
        ]
    else:
        import json

        events = OLLAMA.decode_reply(json.dumps(voice.whole(said)).encode(), "lab")

    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == answer_text("m")
    assert [event.usage.output_tokens for event in events if isinstance(event, UsageReported)] == [
        len(WORDS) + 1
    ]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("status", ["401", "429_retry_after", "503", "529"])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_is_understood_by_the_official_sdk(
    upstream: FaultUpstream, callers: Callers, client: str, status: str
) -> None:
    case = upstream.case({"v1/some-model": status, "v1beta/some-model": status})

    heard = callers.ask(upstream.origin, client, "some-model", f"Hello, {case.mark}.", stream=True)

    assert heard.is_sdks_own
    assert heard.raised_status == int(status[:3])
    assert "retry-after" in heard.headers if status == "429_retry_after" else True


def test_cases_are_told_apart_by_a_word_in_the_prompt(upstream: FaultUpstream, callers: Callers) -> None:
    failing, fine = upstream.case({"v1/m": "500"}), upstream.case({})

    heard = [
        callers.ask(upstream.origin, "openai-chat", "m", f"{case.mark}!", stream=False)
        for case in (failing, fine)
    ]

    assert [one.status for one in heard] == [500, 200]
    assert failing.path == fine.path == ["m"]


async def test_what_cannot_be_reached_is_no_call_that_arrived() -> None:
    client = Client()
    async with FaultUpstream() as upstream:
        send = upstream.through(client.send, IMPATIENT)
        for name in ("refused", "tls"):
            case = upstream.case({"p/m": name})
            body = b'{"model": "m", "messages": [{"role": "user", "content": "%b"}]}' % case.mark.encode()
            with pytest.raises(Exception, match="cannot connect"):
                await send(Outgoing(f"{upstream.base_url('p')}/chat/completions", (), body, Deadlines()))
            [call] = case.calls
            assert (call.fault, call.provider, call.received) == (name, "p", None)
        await client.close()


async def test_a_provider_that_falls_silent_notes_when_it_is_left() -> None:
    client = Client()
    async with FaultUpstream() as upstream:
        case = upstream.case({"p/m": "slow_head"})
        body = b'{"model": "m", "messages": [{"role": "user", "content": "%b"}]}' % case.mark.encode()
        send = upstream.through(client.send, IMPATIENT)
        with pytest.raises(Exception, match="first_byte_s"):
            await send(Outgoing(f"{upstream.base_url('p')}/chat/completions", (), body, Deadlines()))
        received = case.calls[0].received
        assert received is not None
        await received.until_hung_up()
        assert received.hung_up_at_s is not None
        await client.close()


def test_a_path_of_no_dialect_is_noted_as_a_stray(upstream: FaultUpstream) -> None:
    import http.client

    connection = http.client.HTTPConnection(upstream.origin.removeprefix("http://"))
    connection.request("POST", ELSEWHERE, b"{}")

    assert connection.getresponse().status == 404
    assert upstream.strays == [ELSEWHERE]
    connection.close()


def test_faults_are_many_and_say_what_they_mean() -> None:
    assert len(FAULTS) >= 25
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.means
        assert fault.stream or fault.plain
