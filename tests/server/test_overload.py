"""More requests than are answered at once: some wait for their turn, the rest are told to come again; models that are
full are passed over while another can answer."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from raw_http import CHAT, MESSAGES, Client, Reply, ask, chat_body, head, post

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import completion
from waiting import wait_until

RESPONSES = "/v1/responses"
GEMINI = "/v1beta/models/tiny:generateContent"
BODIES = {
    CHAT: chat_body(),
    MESSAGES: chat_body(),
    RESPONSES: b'{"model":"tiny","input":"hi"}',
    GEMINI: b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
}
BUSY = {
    CHAT: (503, '"code":"service_unavailable"'),
    MESSAGES: (529, '"type":"overloaded_error"'),
    RESPONSES: (503, '"code":"service_unavailable"'),
    GEMINI: (503, '"status":"UNAVAILABLE"'),
}

Start = Callable[..., Gateway]


class Slow:
    """A provider that answers when it is told to, and remembers who was asked in which order."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.holds = {"tiny-1"}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        model = request.json()["model"]
        if model in self.holds:
            return scripted(sse=[b": wait\n\n"], ending="stall")
        return scripted(json=completion(f"by {model}"))

    @property
    def asked(self) -> list[str]:
        return [request.json()["model"] for request in self.upstream.requests]

    @property
    def said(self) -> list[str]:
        """What each caller said who got through."""
        return [request.json()["messages"][0]["content"] for request in self.upstream.requests]


@pytest.fixture
def slow(upstream: FakeUpstream) -> Slow:
    return Slow(upstream)


@pytest.fixture
def start(slow: Slow, tmp_path: Path) -> Iterator[Start]:
    """A gateway with two models of one tier, the cheaper one `tiny`."""
    with ExitStack() as stack:

        def start(limits: str = "{}", *, provider: str = "{}", model: str = "{}") -> Gateway:
            yaml = f"""
            limits: {limits}
            providers:
              local: {{dialect: openai-chat, base_url: {slow.upstream.base_url}, limits: {provider}}}
              other: {{dialect: openai-chat, base_url: {slow.upstream.base_url}}}
            models:
              tiny: {{provider: local, id: tiny-1, tier: simple, limits: {model},
                      usd_per_million_input: 1, usd_per_million_output: 1}}
              twin: {{provider: local, id: twin-1, usd_per_million_input: 1, usd_per_million_output: 1}}
              spare: {{provider: other, id: spare-1, tier: simple,
                       usd_per_million_input: 2, usd_per_million_output: 2}}
            """
            return stack.enter_context(running_gateway(yaml, tmp_path))

        yield start


@pytest.fixture
def crowd() -> Iterator[Callable[..., Client]]:
    """`crowd(gateway, request)` sends one request on a connection of its own, which stays open."""
    with ExitStack() as stack:

        def join(gateway: Gateway, request: bytes) -> Client:
            client = stack.enter_context(Client(gateway))
            client.send(request)
            return client

        yield join


Crowd = Callable[..., Client]


def waiting(gateway: Gateway) -> int:
    """Requests under way in the gateway, those in a queue included."""
    return gateway.tasks_under_way()


def says(number: int, model: str = "tiny", **more: object) -> bytes:
    return post(CHAT, chat_body(model, f"{number}", **more))


@pytest.mark.parametrize("path", BODIES)
def test_request_beyond_all_room_is_told_to_come_again(
    slow: Slow, start: Start, crowd: Crowd, path: str
) -> None:
    gateway = start("{in_flight: 1, queue: 0}")
    crowd(gateway, says(1, stream=True)).until(b"200")
    reply = ask(gateway, post(path, BODIES[path]))

    status, mark = BUSY[path]
    assert reply.status == status
    assert mark in reply.body.decode().replace('": ', '":')
    assert int(reply.headers["retry-after"]) >= 1
    assert "at its limit: 1 request is under way" in reply.body.decode()
    assert len(slow.asked) == 1


def test_request_beyond_all_room_is_refused_before_its_body_comes(start: Start, crowd: Crowd) -> None:
    gateway = start("{in_flight: 1, queue: 0}")
    crowd(gateway, says(1, stream=True)).until(b"200")

    with Client(gateway) as client:
        client.send(head("POST", CHAT, "content-length: 10000000"))
        assert client.reply().status == 503
    with Client(gateway) as client:
        client.send(head("POST", CHAT, "content-length: 100", "expect: 100-continue"))
        assert client.reply().status == 503


def test_stranger_is_told_nothing_of_how_busy_it_is(slow: Slow, tmp_path: Path, crowd: Crowd) -> None:
    yaml = f"""
    server: {{master_key: $KEY}}
    limits: {{in_flight: 1, queue: 0}}
    providers: {{local: {{dialect: openai-chat, base_url: {slow.upstream.base_url}}}}}
    models: {{tiny: {{provider: local, id: tiny-1}}}}
    """
    with running_gateway(yaml, tmp_path, {"KEY": "the-key"}) as gateway:
        first = crowd(gateway, post(CHAT, chat_body(stream=True), "x-api-key: the-key"))
        first.until(b"200")

        assert ask(gateway, says(2)).status == 401
        first.socket.close()


def test_requests_wait_for_their_turn_first_come_first_served(slow: Slow, start: Start, crowd: Crowd) -> None:
    gateway = start("{in_flight: 1, queue: 10}")
    first = crowd(gateway, says(0, stream=True))
    first.until(b"200")
    later: list[Client] = []
    for number in range(1, 6):
        later.append(crowd(gateway, says(number)))
        wait_until(lambda: waiting(gateway) == len(later) + 1)
    slow.holds.clear()
    assert slow.said == ["0"]
    first.socket.close()

    assert [client.reply().status for client in later] == [200] * 5
    assert slow.said == [str(number) for number in range(6)]


def test_caller_who_leaves_the_queue_costs_nothing(slow: Slow, start: Start, crowd: Crowd) -> None:
    gateway = start("{in_flight: 1, queue: 10}")
    first = crowd(gateway, says(0, stream=True))
    first.until(b"200")
    leaver, stayer = crowd(gateway, says(1)), crowd(gateway, says(2))
    wait_until(lambda: waiting(gateway) == 3)
    leaver.socket.close()
    wait_until(lambda: waiting(gateway) == 2)
    slow.holds.clear()
    first.socket.close()

    assert stayer.reply().status == 200
    assert slow.said == ["0", "2"]
    wait_until(lambda: waiting(gateway) == 0)


def test_caller_who_waited_too_long_is_told_to_come_again(slow: Slow, start: Start, crowd: Crowd) -> None:
    gateway = start("{in_flight: 1, queue: 10, queue_timeout_s: 0.05}")
    crowd(gateway, says(0, stream=True)).until(b"200")
    reply = ask(gateway, says(1))

    assert (reply.status, reply.error["code"]) == (503, "service_unavailable")
    assert "none became free within 0.05 s" in reply.error["message"]
    assert slow.said == ["0"]


@pytest.mark.parametrize("of", ["process", "model"])
def test_caller_waits_no_longer_than_its_own_deadline(
    slow: Slow, start: Start, crowd: Crowd, of: str
) -> None:
    narrow = "{in_flight: 1, queue: 10, queue_timeout_s: 600}"
    gateway = start(narrow) if of == "process" else start(model=narrow)
    crowd(gateway, says(0, stream=True))
    wait_until(lambda: slow.said == ["0"])
    reply = ask(gateway, post(CHAT, chat_body("tiny", "1"), "x-pointsman-deadline-s: 0.9"))

    assert (reply.status, reply.error["code"]) == (503, "service_unavailable")
    assert "none became free within 0." in reply.error["message"]
    assert slow.said == ["0"]


def test_backend_that_is_full_is_passed_over_for_one_of_the_same_model(
    slow: Slow, tmp_path: Path, crowd: Crowd
) -> None:
    """Else one caller in two would wait, as long as the first backend's turns come."""
    yaml = f"""
    server: {{shutdown_grace_s: 0.1}}
    providers:
      full: {{dialect: openai-chat, base_url: {slow.upstream.base_url}, limits: {{in_flight: 1}}}}
      free: {{dialect: openai-chat, base_url: {slow.upstream.base_url}}}
    models:
      tiny: {{backends: [{{provider: full, id: tiny-1, weight: 9}}, {{provider: free, id: free-1}}]}}
    """
    with running_gateway(yaml, tmp_path) as gateway:
        crowd(gateway, says(0, stream=True))
        wait_until(lambda: slow.said == ["0"])
        assert [ask(gateway, says(number)).status for number in range(1, 6)] == [200] * 5
    assert slow.asked == ["tiny-1"] + ["free-1"] * 5


def test_model_whose_only_free_backend_takes_no_calls_is_full(
    slow: Slow, tmp_path: Path, crowd: Crowd
) -> None:
    """Its request goes to the next model, and does not wait before the one that is full."""
    url = slow.upstream.base_url
    yaml = f"""
    server: {{admin_key: $ADMIN, shutdown_grace_s: 0.1}}
    providers:
      full: {{dialect: openai-chat, base_url: {url}, limits: {{in_flight: 1}}}}
      free: {{dialect: openai-chat, base_url: {url}}}
    models:
      tiny: {{backends: [{{provider: full, id: tiny-1}}, {{provider: free, id: free-1}}], tier: simple,
             usd_per_million_input: 1, usd_per_million_output: 1}}
      spare: {{provider: free, id: spare-1, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
    """
    with running_gateway(yaml, tmp_path, {"ADMIN": "the-admin-key-of-this-gateway"}) as gateway:
        drain = head(
            "POST", "/v1/backends/tiny@free/drain", "authorization: Bearer the-admin-key-of-this-gateway"
        )
        assert ask(gateway, drain.replace(b"host:", b"content-length: 0\r\nhost:")).status == 200
        crowd(gateway, says(0, stream=True))
        wait_until(lambda: slow.said == ["0"])
        assert ask(gateway, says(1, model="auto")).status == 200
    assert slow.asked == ["tiny-1", "spare-1"]


def test_what_is_left_of_a_deadline_after_waiting_is_what_the_provider_gets(
    slow: Slow, start: Start, crowd: Crowd
) -> None:
    gateway = start(model="{in_flight: 1}")
    first = crowd(gateway, says(0, stream=True))
    wait_until(lambda: slow.said == ["0"])
    request = post(CHAT, chat_body("tiny", "1"), "x-pointsman-deadline-s: 3")
    second = crowd(gateway, request)
    wait_until(lambda: waiting(gateway) == 2)
    time.sleep(0.3)
    first.socket.close()
    reply = second.reply()
    told = re.search(r"within ([0-9.]+) s \(total_s\)", reply.error["message"])

    assert reply.status == 504
    assert told is not None
    assert float(told[1]) <= 2.7


def test_what_does_not_reach_a_model_is_answered_all_the_same(start: Start, crowd: Crowd) -> None:
    gateway = start("{in_flight: 1, queue: 0}")
    crowd(gateway, says(1, stream=True)).until(b"200")

    assert ask(gateway, head("GET", "/health")).status == 200
    assert ask(gateway, head("GET", "/v1/models")).status == 200
    assert ask(gateway, post(CHAT, b"{}", "origin: https://elsewhere.example")).status == 403


@pytest.mark.parametrize("where", ["provider", "model"])
def test_full_model_is_passed_over_while_another_can_answer(
    slow: Slow, start: Start, crowd: Crowd, where: str
) -> None:
    gateway = start(**{where: "{in_flight: 1}"})
    crowd(gateway, says(0, "auto", stream=True))
    wait_until(lambda: slow.asked == ["tiny-1"])
    reply = ask(gateway, says(1, "auto"))

    assert reply.status == 200
    assert slow.asked == ["tiny-1", "spare-1"]
    assert (reply.headers["x-pointsman-model"], reply.headers["x-pointsman-attempts"]) == ("spare", "1")


@pytest.mark.parametrize("where", ["provider", "model"])
@pytest.mark.parametrize("asked", ["tiny", "twin"])
def test_full_model_without_another_is_waited_for(
    slow: Slow, start: Start, crowd: Crowd, where: str, asked: str
) -> None:
    gateway = start(**{where: "{in_flight: 1}"})
    first = crowd(gateway, says(0, stream=True))
    wait_until(lambda: slow.said == ["0"])
    second = crowd(gateway, says(1, asked))
    if where == "provider" or asked == "tiny":
        wait_until(lambda: waiting(gateway) == 2)
        assert slow.said == ["0"]
    slow.holds.clear()
    first.socket.close()

    assert second.reply().status == 200
    wait_until(lambda: waiting(gateway) == 0)


def test_full_model_without_room_to_wait_is_told_as_such(slow: Slow, start: Start, crowd: Crowd) -> None:
    gateway = start(model="{in_flight: 1, queue: 0}")
    crowd(gateway, says(0, stream=True))
    wait_until(lambda: slow.said == ["0"])
    reply = ask(gateway, says(1))

    assert reply.status == 503
    assert "the model tiny is at its limit" in reply.error["message"]
    assert int(reply.headers["retry-after"]) >= 1
    entry, attempts = gateway.booked[0]
    assert (entry.status, entry.fault, attempts) == (503, "Unavailable", ())


def test_slot_comes_back_after_every_kind_of_end(slow: Slow, start: Start, upstream: FakeUpstream) -> None:
    gateway = start("{in_flight: 1, queue: 0}", provider="{in_flight: 1, queue: 0}")
    ends = {
        "complete": scripted(json=completion("fine")),
        "refused": scripted(json={"error": {"message": "no"}}, status=400),
        "failed": scripted(body=b"no", status=500),
        "no answer": scripted(raw=b"what is this"),
        "broken": scripted(
            sse=[b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'], ending="reset"
        ),
        "silent": scripted(sse=[b": wait\n\n"], ending="stall"),
    }
    for name, answer in ends.items():
        upstream.answer_with(lambda _, answer=answer: answer)  # type: ignore[misc]
        for stream in (False, True):
            with Client(gateway) as client:
                before = len(upstream.requests)
                client.send(says(0, stream=stream))
                wait_until(lambda before=before: len(upstream.requests) > before)
                if name != "silent":
                    client.some()
            wait_until(lambda: waiting(gateway) == 0)
    upstream.answer_with(lambda _: ends["complete"])

    assert ask(gateway, says(1)).status == 200
    assert ask(gateway, post(CHAT, b"{")).status == 400
    assert ask(gateway, says(1)).status == 200


def test_two_hundred_callers_at_once_all_get_their_turn(slow: Slow, start: Start) -> None:
    slow.holds.clear()
    gateway = start("{in_flight: 3, queue: 200}", provider="{in_flight: 2, queue: 200}")
    replies: list[Reply] = []

    def call(number: int) -> None:
        replies.append(ask(gateway, says(number)))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(200)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert [reply.status for reply in replies] == [200] * 200
    assert slow.upstream.connections_opened <= 4
