"""Conversations that go on at the backend that answered them, over real sockets, and what moves them away."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Caller, GatewayFactory

from gateways import Gateway
from pointsman.gateway.homes import Homes
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import completion, message

RESPONSES = "/v1/responses"
YAML = """
providers:
  a: {{dialect: {dialect}, base_url: {url}, api_key: $A}}
  b: {{dialect: {dialect}, base_url: {url}, api_key: $B}}
models:
  pair: {{backends: [{{provider: a}}, {{provider: b}}], id: pair-1, tier: simple,
          usd_per_million_input: 1, usd_per_million_output: 2}}
affinity: {affinity}
"""
KEYS = {"A": "key-of-a", "B": "key-of-b"}
SESSION = {"x-session-id": "one"}


class Accounts:
    """Two accounts at one address."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.failing = ""
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        if self.account(request) == self.failing:
            return scripted(json={"error": {"message": "busy"}}, status=503)
        if request.path.endswith("/responses"):
            number = len(self.upstream.requests)
            return scripted(
                json={"id": f"resp_{number}", "object": "response", "status": "completed", "output": []}
            )
        return scripted(json=message() if request.path.endswith("/messages") else completion())

    @staticmethod
    def account(request: Received) -> str:
        return (request.header("authorization") or request.header("x-api-key") or "")[-1]

    @property
    def last(self) -> str:
        return self.account(self.upstream.requests[-1])


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    with FakeUpstream.in_thread() as upstream:
        yield Accounts(upstream)


def yaml_for(accounts: Accounts, dialect: str = "openai-chat", affinity: str = "{}") -> str:
    return YAML.format(url=accounts.upstream.base_url, dialect=dialect, affinity=affinity)


class Conversation:
    def __init__(self, gateway: Gateway, accounts: Accounts, first: str, path: str = CHAT) -> None:
        self.gateway = gateway
        self.accounts = accounts
        self.path = path
        self.messages = [{"role": "user", "content": first}]

    def turn(self, model: str = "pair", headers: Mapping[str, str] = {}) -> str:
        """The account that answers the next turn."""
        body: dict[str, Any] = {"model": model, "max_tokens": 9, "messages": self.messages}
        with Caller(self.gateway) as caller:
            answered = caller.post(self.path, body, headers)
        assert answered.status == 200, answered.body
        self.messages += [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}]
        return self.accounts.last


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("model", ["pair", "auto"])
@pytest.mark.parametrize("affinity", ["{}", "{enabled: true}"])
def test_every_turn_goes_to_the_account_that_answered_the_first(
    gateway: GatewayFactory, accounts: Accounts, path: str, model: str, affinity: str
) -> None:
    running = gateway(yaml_for(accounts, affinity=affinity), **KEYS)
    talks = [Conversation(running, accounts, f"Conversation {number}", path) for number in range(4)]
    rounds = [[talk.turn(model) for talk in talks] for _ in range(4)]
    assert set(rounds[0]) == {"a", "b"}, "new ones are shared among both"
    assert rounds[1:] == rounds[:1] * 3


def test_first_turns_that_are_alike_are_shared_among_all(gateway: GatewayFactory, accounts: Accounts) -> None:
    running = gateway(yaml_for(accounts), **KEYS)
    assert {Conversation(running, accounts, "Hi").turn() for _ in range(20)} == {"a", "b"}


def test_a_conversation_that_has_a_name_stays_whatever_is_said(
    gateway: GatewayFactory, accounts: Accounts
) -> None:
    running = gateway(yaml_for(accounts), **KEYS)
    said = [Conversation(running, accounts, f"Line {number}").turn(headers=SESSION) for number in range(4)]
    assert len(set(said)) == 1


def test_a_conversation_whose_account_fails_moves_and_stays_there(
    gateway: GatewayFactory, accounts: Accounts
) -> None:
    running = gateway(yaml_for(accounts), **KEYS)
    talk = Conversation(running, accounts, "Hello")
    accounts.failing = talk.turn()
    home = talk.turn()
    assert home != accounts.failing
    accounts.failing = ""
    assert {talk.turn() for _ in range(5)} == {home}


def test_a_conversation_is_at_home_as_long_as_its_cache_lives(
    gateway: GatewayFactory, accounts: Accounts
) -> None:
    running = gateway(yaml_for(accounts, affinity="{kept_s: {a: 0.001, b: 0.001}}"), **KEYS)
    talk = Conversation(running, accounts, "Hello")
    assert {talk.turn() for _ in range(20)} == {"a", "b"}


def test_staying_can_be_switched_off(gateway: GatewayFactory, accounts: Accounts) -> None:
    running = gateway(yaml_for(accounts, affinity="{backends: false}"), **KEYS)
    talk = Conversation(running, accounts, "Hello")
    assert {talk.turn() for _ in range(20)} == {"a", "b"}


def test_what_follows_a_kept_reply_goes_to_the_account_that_keeps_it(
    gateway: GatewayFactory, accounts: Accounts
) -> None:
    """The next request says no more of the conversation than the reply's id, which no other account knows."""
    running = gateway(yaml_for(accounts, "openai-responses"), **KEYS)
    with Caller(running) as caller:
        homes = set()
        for _ in range(8):
            reply_id = caller.post(RESPONSES, {"model": "pair", "input": "Hi"}).json()["id"]
            home = accounts.last
            homes.add(home)
            for _ in range(3):
                body = {"model": "pair", "input": "More", "previous_response_id": reply_id}
                reply_id = caller.post(RESPONSES, body).json()["id"]
                assert accounts.last == home
    assert homes == {"a", "b"}


def test_only_so_many_homes_are_known() -> None:
    homes = Homes()
    for number in range(10):
        homes.put(number, "m", "m@a", 10.0, most=4)
    assert len(homes) == 4
    assert homes.find(9, "m", 0.0) == "m@a"
    assert homes.find(0, "m", 0.0) is None
    assert homes.find(9, "m", 10.0) is None
