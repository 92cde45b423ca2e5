"""What was made of a text is known again, and nothing of one request shows in another."""

from hypothesis import given
from hypothesis import strategies as st
from routing_values import PROMPTS

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.routing.decide import Router
from pointsman.routing.kept import kept
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile


class Counted:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def length(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


def test_text_that_comes_again_is_worked_on_once() -> None:
    counted = Counted()
    length = kept(counted.length, 2)

    assert [length(text) for text in ("one", "three", "one", "three")] == [3, 5, 3, 5]
    assert counted.texts == ["one", "three"]


def test_of_many_texts_those_asked_for_last_are_known() -> None:
    counted = Counted()
    length = kept(counted.length, 2)

    for text in ("a", "b", "a", "c", "a", "b"):
        length(text)

    assert counted.texts == ["a", "b", "c", "b"]


def test_long_text_is_not_kept() -> None:
    counted = Counted()
    length = kept(counted.length, 2)

    assert length("x" * 100_000) == length("x" * 100_000) == 100_000
    assert len(counted.texts) == 2


def test_nothing_is_kept_where_nothing_is_to_be() -> None:
    counted = Counted()
    length = kept(counted.length, 0)

    assert length("a") == length("a") == 1
    assert counted.texts == ["a", "a"]


@given(st.lists(PROMPTS, min_size=1, max_size=4))
def test_requests_before_change_nothing(
    keywords: Keywords, policy: Policy, four_cards: tuple[ModelCard, ...], prompts: list[Prompt]
) -> None:
    knowing = Router(four_cards, policy, keywords, wishes_kept=2)
    forgetful = Router(four_cards, policy, keywords, wishes_kept=0)
    auto = policy.profiles[0]

    for prompt in prompts * 2:
        assert _decided(knowing, prompt, auto) == _decided(forgetful, prompt, auto)


def _decided(router: Router, prompt: Prompt, profile: Profile) -> object:
    try:
        return router.decide(prompt, profile, "auto")
    except Unsupported as error:
        return str(error)
