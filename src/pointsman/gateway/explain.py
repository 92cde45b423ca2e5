"""A decision as flat JSON: what was chosen, what it will cost, what each signal added, why others fell out."""

from decimal import Decimal
from typing import Any

from pointsman.core.decision import Candidate, Decision, Tipping

_DIGITS = 12
"""A millionth of a cent has eight."""


def explain(decision: Decision) -> dict[str, Any]:
    """Money is in US dollars, None where a price is not known. The saving is counted against the dearest model
    that could have taken the request."""
    card = decision.card
    chosen = next((candidate for candidate in decision.candidates if candidate.card == card), None)
    cost = chosen.estimated_cost_usd if chosen is not None else None
    dearest = _dearest(decision) if decision.score is not None else None
    saving = None
    if cost is not None and dearest is not None and dearest.estimated_cost_usd is not None:
        saving = dearest.estimated_cost_usd - cost
    return {
        "requested": decision.requested,
        "profile": decision.profile,
        "score": None if decision.score is None else round(decision.score, _DIGITS),
        "tier": decision.tier or card.tier,
        "confidence": None if decision.confidence is None else round(decision.confidence, _DIGITS),
        "category": decision.category,
        "model": card.name,
        "provider": card.provider,
        "id": card.id,
        "estimated_cost_usd": _number(cost),
        "dearest_model": None if dearest is None else dearest.card.name,
        "saving_usd": _number(saving),
        "rules": list(decision.rules),
        "candidates": [
            {
                "model": candidate.card.name,
                "provider": candidate.card.provider,
                "tier": candidate.card.tier,
                "estimated_cost_usd": _number(candidate.estimated_cost_usd),
                "excluded": candidate.excluded,
            }
            for candidate in decision.candidates
        ],
        "reasons": [
            {
                "signal": reason.signal,
                "value": round(reason.value, _DIGITS),
                "share": round(reason.share, _DIGITS),
                "detail": reason.detail,
            }
            for reason in sorted(decision.reasons, key=lambda reason: -abs(reason.share))
        ],
        "tipping": None if decision.tipping is None else _tipping(decision.tipping),
    }


def _tipping(tipping: Tipping) -> dict[str, Any]:
    return {
        "boundaries": [
            {"tier": tier, "at": round(at, _DIGITS), "distance": round(distance, _DIGITS)}
            for tier, at, distance in tipping.edges
        ],
        "without": [{"signals": list(tip.without), "tier": tip.tier} for tip in tipping.tips],
        "would_ask": list(tipping.asks),
    }


def _dearest(decision: Decision) -> Candidate | None:
    priced = [
        (candidate.estimated_cost_usd, candidate)
        for candidate in decision.candidates
        if candidate.excluded is None and candidate.estimated_cost_usd is not None
    ]
    return max(priced, key=lambda pair: pair[0])[1] if priced else None


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else round(float(amount), _DIGITS)
