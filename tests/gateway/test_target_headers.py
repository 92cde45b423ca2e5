"""What a provider is sent besides the body: which of the caller's headers, whose key, to which URL."""

from typing import Any

import pytest
from calls_made import call
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import Unauthorized
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import HeaderList, Incoming, Outgoing
from pointsman.gateway.call import Credential
from pointsman.gateway.target import Target
from pointsman.upstream.provider import Provider
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.openai_chat import OPENAI_CHAT

CARD = ModelCard("opus", "p", "opus-1")
DIALECTS = [OPENAI_CHAT, ANTHROPIC_MESSAGES]


async def send_nothing(outgoing: Outgoing) -> Incoming:
    raise AssertionError(outgoing)


def target(dialect: Dialect = ANTHROPIC_MESSAGES, foreign: tuple[str, ...] = (), **more: Any) -> Target:
    provider = Provider("p", dialect.name, "https://api.example.com/v1", **more)
    return Target(CARD, provider, dialect, send_nothing, foreign)


def key(header: bytes, value: str) -> Credential:
    bare = value.removeprefix("Bearer ")
    return Credential(header, value.encode(), bare)


def sent(to: Target, asked: Dialect, headers: HeaderList = (), own: Credential | None = None) -> HeaderList:
    made = to.outgoing(call(asked, headers=headers), asked.endpoint("m", stream=False), b"{}", own).headers
    assert made[0] == (b"content-type", b"application/json")
    return list(made[1:])


@pytest.mark.parametrize(
    ("dialect", "query", "url"),
    [
        (OPENAI_CHAT, "", "https://api.example.com/v1/chat/completions"),
        (ANTHROPIC_MESSAGES, "", "https://api.example.com/v1/messages"),
        (ANTHROPIC_MESSAGES, "beta=true", "https://api.example.com/v1/messages?beta=true"),
    ],
)
def test_the_query_follows_within_a_dialect(dialect: Dialect, query: str, url: str) -> None:
    assert (
        target(dialect)
        .outgoing(call(dialect, query=query), dialect.endpoint("m", stream=False), b"{}", None)
        .url
        == url
    )


def test_the_query_stays_behind_when_the_dialect_changes() -> None:
    outgoing = target().outgoing(call(OPENAI_CHAT, query="api-version=1"), "/messages", b"body", None)
    assert outgoing.url == "https://api.example.com/v1/messages"
    assert outgoing.body == b"body"


SIGNS = (
    (b"anthropic-beta", b"a,b"),
    (b"anthropic-version", b"2023-06-01"),
    (b"x-claude-code-session-id", b"7"),
    (b"x-stainless-os", b"Linux"),
    (b"user-agent", b"me/1"),
)
SECRETS = (
    (b"authorization", b"Bearer master"),
    (b"x-api-key", b"theirs"),
    (b"x-goog-api-key", b"theirs"),
    (b"api-key", b"theirs"),
    (b"cookie", b"c"),
    (b"host", b"gateway"),
    (b"x-forwarded-for", b"10.0.0.1"),
    (b"content-length", b"2"),
    (b"accept-encoding", b"zstd"),
    (b"openai-organization", b"org"),
    (b"x-openwebui-user-email", b"e"),
)


def test_only_headers_that_mean_something_to_the_dialect_are_passed() -> None:
    assert tuple(sent(target(), ANTHROPIC_MESSAGES, SECRETS + SIGNS)) == SIGNS
    assert sent(target(), OPENAI_CHAT, SECRETS + SIGNS) == [(b"anthropic-version", b"2023-06-01")]
    assert sent(target(OPENAI_CHAT), OPENAI_CHAT, SECRETS + SIGNS) == [(b"user-agent", b"me/1")]
    assert sent(target(OPENAI_CHAT), ANTHROPIC_MESSAGES, SECRETS + SIGNS) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from([name for name, _ in SIGNS + SECRETS]) | st.binary(max_size=9).map(bytes.lower),
            st.binary(max_size=9),
        )
    ),
    st.sampled_from(DIALECTS),
    st.sampled_from(DIALECTS),
)
def test_no_credential_of_a_caller_ever_crosses(
    headers: list[tuple[bytes, bytes]], asked: Dialect, spoken: Dialect
) -> None:
    made = sent(target(spoken, api_key="ours", credential_header="x-api-key"), asked, headers)
    secrets = {name for name, _ in SECRETS}
    assert [header for header in made if header[0] in secrets] == [(b"x-api-key", b"ours")]


class Careless(type(ANTHROPIC_MESSAGES)):  # type: ignore[misc]
    passed_header_prefixes = (b"",)


def test_no_dialect_can_let_a_credential_cross() -> None:
    careless = Careless()
    made = sent(target(careless), careless, SECRETS + SIGNS)
    credentials = {b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie", b"host"}
    assert len(made) > len(SIGNS)
    assert not credentials & {name for name, _ in made}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("bearer", [(b"authorization", b"Bearer ours")]),
        ("x-api-key", [(b"x-api-key", b"ours")]),
        ("none", []),
    ],
)
def test_our_key_is_sent_as_the_provider_wants_it(how: Any, expected: HeaderList) -> None:
    made = sent(target(OPENAI_CHAT, api_key="ours", credential_header=how), OPENAI_CHAT)
    assert made == expected


def test_a_provider_without_a_key_is_sent_none() -> None:
    assert sent(target(OPENAI_CHAT), OPENAI_CHAT) == []


def test_configured_headers_replace_the_callers_but_add_to_lists() -> None:
    to = target(headers={"Anthropic-Version": "2024-01-01", "anthropic-beta": "c", "X-Team": "größe"})
    assert sent(to, ANTHROPIC_MESSAGES, SIGNS) == [
        (b"anthropic-beta", b"a,b"),
        (b"x-claude-code-session-id", b"7"),
        (b"x-stainless-os", b"Linux"),
        (b"user-agent", b"me/1"),
        (b"anthropic-version", b"2024-01-01"),
        (b"anthropic-beta", b"c"),
        (b"x-team", "größe".encode()),
    ]


# A caller's own key

OURS = ("sk-ant-",)


def own(to: Target, *credentials: Credential) -> Credential | None:
    return to.own_credential(call(credentials=credentials))


def test_a_callers_key_is_used_only_where_that_is_switched_on() -> None:
    mine = key(b"x-api-key", "sk-ant-1")
    assert own(target(caller_key_prefixes=OURS), mine) is None
    assert own(target(caller_key_prefixes=OURS, pass_through_caller_key=True), mine) is mine


@pytest.mark.parametrize(
    ("header", "value", "is_ours"),
    [
        (b"x-api-key", "sk-ant-1", True),
        (b"authorization", "Bearer sk-ant-oat01-1", True),
        (b"x-api-key", "sk-1", False),
        (b"x-api-key", "SK-ANT-1", False),
        (b"x-api-key", " sk-ant-1", False),
        (b"x-api-key", "", False),
        (b"?key", "sk-ant-1", False),
    ],
)
def test_only_a_key_of_the_providers_kind_is_its_own(header: bytes, value: str, is_ours: bool) -> None:
    mine = key(header, value)
    to = target(caller_key_prefixes=OURS, pass_through_caller_key=True)
    assert own(to, mine) is (mine if is_ours else None)
    assert own(to, key(b"authorization", "Bearer other"), mine) is (mine if is_ours else None)


def test_a_key_of_another_provider_that_begins_alike_is_not_its_own() -> None:
    to = target(
        OPENAI_CHAT, ("sk-ant-", "sk-or-"), caller_key_prefixes=("sk-",), pass_through_caller_key=True
    )
    assert own(to, key(b"authorization", "Bearer sk-ant-1")) is None
    assert own(to, key(b"authorization", "Bearer sk-or-1")) is None
    assert own(to, key(b"authorization", "Bearer sk-1")) is not None


def test_a_provider_without_a_kind_of_key_takes_none() -> None:
    assert own(target(pass_through_caller_key=True), key(b"x-api-key", "anything")) is None


def test_a_callers_key_takes_the_place_of_ours_everywhere() -> None:
    to = target(
        api_key="ours",
        credential_header="x-api-key",
        headers={"Authorization": "Bearer ours", "api-key": "ours", "x-team": "blue"},
        pass_through_caller_key=True,
    )
    oauth = key(b"authorization", "Bearer sk-ant-oat01-1")
    made = sent(to, ANTHROPIC_MESSAGES, own=oauth)
    assert made == [
        (b"anthropic-version", b"2023-06-01"),
        (b"authorization", b"Bearer sk-ant-oat01-1"),
        (b"x-team", b"blue"),
    ]


def test_a_callers_key_changes_its_header_only_with_the_dialect() -> None:
    to = target(credential_header="x-api-key", pass_through_caller_key=True)
    mine = key(b"authorization", "Bearer sk-ant-1")
    assert (b"x-api-key", b"sk-ant-1") in sent(to, OPENAI_CHAT, own=mine)
    assert (b"authorization", b"Bearer sk-ant-1") in sent(to, ANTHROPIC_MESSAGES, own=mine)


def test_without_any_key_the_caller_is_told_whose_is_missing() -> None:
    to = target(pass_through_caller_key=True)
    with pytest.raises(Unauthorized, match="the model opus is reached with your own p key") as caught:
        sent(to, ANTHROPIC_MESSAGES)
    assert caught.value.code == "provider_key_required"
