"""The real keyword tables, read once, and what routing tests build over and over."""

import importlib.resources
from decimal import Decimal
from typing import Any

import pytest
from routing_values import Ask, MakeCard, Route

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.core.usage import Price, Rates
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.profiles import Profile


@pytest.fixture(scope="session")
def keyword_text() -> str:
    return importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")


@pytest.fixture(scope="session")
def keywords(keyword_text: str) -> Keywords:
    return Keywords.parse(keyword_text)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return default_policy()


@pytest.fixture(scope="session")
def ask() -> Ask:
    """A prompt of one user turn, or of several texts: user, assistant, user ..."""

    def build(*texts: str, **fields: Any) -> Prompt:
        turns = tuple(
            Turn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(texts)
        )
        size = sum(len(text.encode("utf-8", "replace")) for text in texts) + 32 * len(texts) + 60
        return Prompt(
            **{"system": "", "turns": turns, "input_bytes": size + fields.get("media_bytes", 0), **fields}
        )

    return build


@pytest.fixture(scope="session")
def make_card() -> MakeCard:
    """A card; `usd` is its input and output price per million tokens, None when not known."""

    def build(
        name: str, tier: str | None = "simple", usd: tuple[str, str] | None = None, **fields: Any
    ) -> ModelCard:
        price = Price(Rates(Decimal(usd[0]), Decimal(usd[1])), "test") if usd else None
        return ModelCard(
            **{"name": name, "provider": "local", "id": f"{name}-1", "tier": tier, "price": price, **fields}
        )

    return build


@pytest.fixture(scope="session")
def four_cards(make_card: MakeCard) -> tuple[ModelCard, ...]:
    """One per tier, dearer as they get stronger."""
    return (
        make_card("tiny", "simple", ("0.1", "0.4")),
        make_card("mid", "medium", ("1", "4")),
        make_card("big", "complex", ("3", "15")),
        make_card("deep", "reasoning", ("10", "40")),
    )


@pytest.fixture(scope="session")
def route(keywords: Keywords, policy: Policy, four_cards: tuple[ModelCard, ...]) -> Route:
    """Decides under the default policy, as the profile of that name, among four_cards or the ones given."""
    default = Router(four_cards, policy, keywords)
    profiles: dict[str, Profile] = {profile.name: profile for profile in policy.profiles}

    def decide(prompt: Prompt, profile: str = "auto", cards: tuple[ModelCard, ...] | None = None) -> Decision:
        router = default if cards is None else Router(cards, policy, keywords)
        return router.decide(prompt, profiles[profile], profile)

    return decide
