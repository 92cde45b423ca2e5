import pytest
from hypothesis import given
from routing_values import PROMPTS, Ask

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.reading import read
from pointsman.routing.scorer import Scorer


@given(PROMPTS)
def test_score_stays_within_bounds_and_shares_add_up_to_it(keywords: Keywords, prompt: Prompt) -> None:
    score, reasons = Scorer(default_policy()).score(read(prompt, keywords))

    total = sum(reason.share for reason in reasons)
    assert 0 <= score <= 1
    assert score == pytest.approx(min(max(total, 0), 1))
    assert all(-1 <= reason.value <= 1 for reason in reasons)


def test_base_comes_first_and_words_last(keywords: Keywords, ask: Ask, policy: Policy) -> None:
    _, reasons = Scorer(policy).score(read(ask("Prove by induction that the sum is odd"), keywords))

    assert (reasons[0].signal, reasons[0].share) == ("base", policy.base)
    assert [reason.signal for reason in reasons].index("size") < [reason.signal for reason in reasons].index(
        "reasoning"
    )


def test_share_is_weight_times_value(keywords: Keywords, ask: Ask, policy: Policy) -> None:
    _, reasons = Scorer(policy).score(read(ask("Prove it with tools", tool_count=3), keywords))

    for reason in reasons[1:]:
        assert reason.share == policy.weights[reason.signal] * reason.value


def test_signal_without_weight_is_not_asked(keywords: Keywords, ask: Ask) -> None:
    policy = Policy(("a",), (), (), (), weights={"size": 0.5})

    _, reasons = Scorer(policy).score(read(ask("Prove it"), keywords))

    assert [reason.signal for reason in reasons] == ["base", "size"]
