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
    score, shares = Scorer(default_policy()).score(read(prompt, keywords))

    total = sum(share for _, _, share in shares)
    assert 0 <= score <= 1
    assert score == pytest.approx(min(max(total, 0), 1))
    assert all(-1 <= value <= 1 for _, value, _ in shares)


def test_base_comes_first_and_words_last(keywords: Keywords, ask: Ask, policy: Policy) -> None:
    _, shares = Scorer(policy).score(read(ask("Prove by induction that the sum is odd"), keywords))

    signals = [signal for signal, _, _ in shares]
    assert shares[0] == ("base", policy.base, policy.base)
    assert signals.index("size") < signals.index("reasoning")


def test_share_is_weight_times_value(keywords: Keywords, ask: Ask, policy: Policy) -> None:
    _, shares = Scorer(policy).score(read(ask("Prove it with tools", tool_count=3), keywords))

    assert {signal for signal, _, _ in shares} == {"base", "size", "tools", "proof", "reasoning"}
    for signal, value, share in shares[1:]:
        assert share == policy.weights[signal] * value


def test_signal_without_weight_is_not_asked(keywords: Keywords, ask: Ask) -> None:
    policy = Policy(("a",), (), (), (), weights={"size": 0.5})

    _, shares = Scorer(policy).score(read(ask("Prove it"), keywords))

    assert [signal for signal, _, _ in shares] == ["base", "size"]


def test_reasons_are_the_shares_with_what_was_seen(keywords: Keywords, ask: Ask, policy: Policy) -> None:
    scorer, reading = Scorer(policy), read(ask("Prove it with tools", tool_count=3), keywords)
    _, shares = scorer.score(reading)

    reasons = scorer.reasons(reading, shares)

    assert [reason[:3] for reason in reasons] == list(shares)
    assert all(reason.detail for reason in reasons)
