from decimal import Decimal

from pointsman.core.decision import Candidate, Decision, Reason
from pointsman.core.model_card import ModelCard
from pointsman.gateway.explain import explain
from pointsman.routing.decide import pin

CHEAP = ModelCard("cheap", "p", "cheap-1", "simple")
DEAR = ModelCard("dear", "p", "dear-1", "complex")
BLIND = ModelCard("blind", "q", "blind-1", "reasoning")


def decision(*candidates: Candidate, score: float | None = 0.25) -> Decision:
    return Decision(
        requested="smart/auto",
        profile="auto",
        chain=tuple(candidate.card for candidate in candidates if candidate.excluded is None),
        score=score,
        tier="simple",
        reasons=(Reason("code", 0.5, 0.1, "one block"),),
        rules=("a rule",),
        candidates=candidates,
        category="code",
        confidence=0.75,
    )


def test_explanation_is_flat_and_in_order():
    told = explain(
        decision(
            Candidate(CHEAP, Decimal("0.0000001")),
            Candidate(DEAR, Decimal("0.0000030")),
            Candidate(BLIND, Decimal(1), excluded="it cannot see images"),
        )
    )
    assert told == {
        "requested": "smart/auto",
        "profile": "auto",
        "score": 0.25,
        "tier": "simple",
        "confidence": 0.75,
        "category": "code",
        "model": "cheap",
        "provider": "p",
        "id": "cheap-1",
        "estimated_cost_usd": 1e-07,
        "dearest_model": "dear",
        "saving_usd": 2.9e-06,
        "rules": ["a rule"],
        "candidates": [
            {
                "model": "cheap",
                "provider": "p",
                "tier": "simple",
                "estimated_cost_usd": 1e-07,
                "excluded": None,
            },
            {
                "model": "dear",
                "provider": "p",
                "tier": "complex",
                "estimated_cost_usd": 3e-06,
                "excluded": None,
            },
            {
                "model": "blind",
                "provider": "q",
                "tier": "reasoning",
                "estimated_cost_usd": 1.0,
                "excluded": "it cannot see images",
            },
        ],
        "reasons": [{"signal": "code", "value": 0.5, "share": 0.1, "detail": "one block"}],
        "tipping": None,
    }


def test_nothing_is_saved_where_no_price_is_known():
    told = explain(decision(Candidate(CHEAP, None), Candidate(DEAR, Decimal(1))))
    assert told["estimated_cost_usd"] is None
    assert told["saving_usd"] is None
    assert explain(decision(Candidate(CHEAP, None)))["dearest_model"] is None


def test_the_dearest_choice_saves_nothing():
    told = explain(decision(Candidate(DEAR, Decimal(2)), Candidate(CHEAP, Decimal(1))))
    assert (told["saving_usd"], told["dearest_model"]) == (0.0, "dear")


def test_a_pin_has_no_score_and_no_saving():
    told = explain(pin("cheap", CHEAP, Decimal("0.5")))
    assert (told["score"], told["profile"], told["tier"], told["model"]) == (
        None,
        "pinned",
        "simple",
        "cheap",
    )
    assert (told["estimated_cost_usd"], told["saving_usd"], told["reasons"]) == (0.5, None, [])
