"""Models whose opinion is asked go the way of all others: those that are dead, full or always late are left alone, and no
request waits for them again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from calls import CHAT, Caller, booked

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, completion
from waiting import wait_until

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  judges: {{dialect: openai-chat, base_url: {url}, api_key: $A, limits: {limits}}}
  others: {{dialect: openai-chat, base_url: {url}, api_key: $B}}
models:
  tiny: {{provider: chats, tier: simple, usd_per_million_input: 0.1, usd_per_million_output: 0.4}}
  big: {{provider: chats, tier: complex, usd_per_million_input: 3, usd_per_million_output: 15}}
  spare: {{provider: others}}
  small: {{backends: {backends}, usd_per_million_input: 1, usd_per_million_output: 1}}
breaker: {{consecutive_failures: 3, open_s: 600}}
"""
HANGS = scripted(body=b"", ending="stall", declared_length=9)
GOOD = scripted(json=completion('{"level": "complex", "good": true}'))


def judge(deadline_s: float = 600) -> str:
    return f"judge: {{model: small, when: always, deadline_s: {deadline_s}, pause_after_failures: 1000}}\n"


def checker(deadline_s: float = 600) -> str:
    return (
        f"cascade: {{profiles: [auto], judge: small, judge_deadline_s: {deadline_s}}}\n"
        "routing: {boundaries: [0, 0, 0.99]}\n"
    )


def patience_s(verdict: Scripted) -> float:
    """With one that hangs there is little; any other has all the time that this machine needs."""
    return 0.2 if verdict is HANGS else 600


ONE, TWO = "[{provider: judges}]", "[{provider: judges}, {provider: others}]"


class Court:
    """What each account of the judge's says, and who was asked."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.url = upstream.base_url
        self.verdicts: dict[str, Scripted] = {}
        self.asked: list[str] = []
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        if request.json()["model"] != "small":
            return scripted(json=completion("An answer"))
        account = (request.header("authorization") or "")[-1]
        self.asked.append(account)
        return self.verdicts.get(account, GOOD)


@pytest.fixture
def court() -> Iterator[Court]:
    with FakeUpstream.in_thread() as upstream:
        yield Court(upstream)


Start = Callable[..., Gateway]


@pytest.fixture
def start(court: Court, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(more: str, backends: str = ONE, limits: str = "{}") -> Gateway:
            yaml = YAML.format(url=court.url, backends=backends, limits=limits) + more
            keys = {"A": "key-of-a", "B": "key-of-b"}
            return stack.enter_context(running_gateway(yaml, tmp_path, keys, is_guarded=True))

        yield start


def ask(gateway: Gateway, number: int) -> str:
    """The rules of the decision, of a question that nobody has asked before."""
    body = {
        "model": "auto",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": f"Hello, number {number}!"}],
    }
    with Caller(gateway) as caller:
        answered = caller.post(CHAT, body)
    assert answered.status == 200, answered.body
    entry, _ = booked(gateway, number)
    assert entry.decision is not None
    return " ".join(entry.decision.rules)


REFUSES = scripted(json=chat_error("no", code="invalid_api_key"), status=401)
BUSY = scripted(json=chat_error("slow down"), status=429, headers=[(b"retry-after", b"600")])
BROKEN = scripted(json=chat_error("oops"), status=500)


@pytest.mark.parametrize(
    ("verdict", "times", "why"),
    [
        (REFUSES, 1, "is open (auth)"),
        (BUSY, 1, "is cooling (rate_limited)"),
        (BROKEN, 3, "is open (server_error)"),
        (HANGS, 3, "took more than 0.2 s again and again"),
    ],
)
def test_a_judge_that_is_dead_is_not_asked_again(
    start: Start, court: Court, verdict: Scripted, times: int, why: str
) -> None:
    gateway = start(judge(patience_s(verdict)))
    court.verdicts["a"] = verdict
    rules = [ask(gateway, number) for number in range(1, 6)]
    assert len(court.asked) == times
    assert "not asked: small" in rules[-1]
    assert why in rules[-1]
    assert [len(entry.side_calls) for entry, _ in gateway.booked] == [1] * times + [0] * (5 - times)


@pytest.mark.parametrize(("verdict", "times"), [(REFUSES, 1), (HANGS, 3)])
def test_a_judge_of_drafts_that_is_dead_is_not_asked_again(
    start: Start, court: Court, verdict: Scripted, times: int
) -> None:
    gateway = start(checker(patience_s(verdict)))
    court.verdicts["a"] = verdict
    for number in range(1, 6):
        ask(gateway, number)
    assert len(court.asked) == times


def test_a_judge_with_two_accounts_is_asked_at_the_one_that_is_well(start: Start, court: Court) -> None:
    gateway = start(judge(), TWO)
    court.verdicts["a"] = REFUSES
    for number in range(1, 7):
        ask(gateway, number)
    assert court.asked.count("a") == 1
    assert court.asked.count("b") == 5
    assert sum(entry.decision.card.name == "big" for entry, _ in gateway.booked if entry.decision) == 5


def test_what_a_judge_does_is_seen_where_backends_are(start: Start, court: Court) -> None:
    gateway = start(judge())
    ask(gateway, 1)
    with Caller(gateway) as caller:
        shown = caller.get("/v1/backends/small@judges").json()
    assert (shown["total_requests"], shown["in_flight"]) == (1, 0)


def test_a_judge_whose_limit_is_reached_is_not_waited_for(start: Start, court: Court) -> None:
    gateway = start(judge(), limits="{in_flight: 1, queue: 100}")
    court.verdicts["a"] = HANGS
    with Caller(gateway) as waiting:
        messages = [{"role": "user", "content": "Hello, first of all!"}]
        waiting.send(CHAT, {"model": "auto", "messages": messages})
        wait_until(lambda: court.asked)
        assert "not asked: small@judges is at its limit" in ask(gateway, 1)
    assert court.asked == ["a"]
