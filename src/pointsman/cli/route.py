"""`pointsman route`: the decision about one prompt, explained. Nothing is sent to anyone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from pointsman.app import build_brain
from pointsman.cli.models import profile_called
from pointsman.cli.tables import table
from pointsman.config.advice import feedback_of
from pointsman.config.load import load
from pointsman.config.schema import Settings
from pointsman.config.values import chains_of, policy_of
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.gateway.explain import explain
from pointsman.routing.decide import Router


def run(
    text: str,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    system: str,
    profile: str,
    tools: int,
    as_json: bool,
) -> int:
    settings = load(path, environ, {}).settings
    chosen = profile_called(profile, policy_of(settings))
    prompt = Prompt(
        system=system,
        turns=(Turn("user", text),),
        input_bytes=len(text.encode("utf-8", "replace")) + len(system.encode("utf-8", "replace")),
        tool_count=tools,
    )
    brain = build_brain(settings)
    router = _as_calibrated(brain.router, settings, brain.cards, policy_of(settings).boundaries)
    decided = router.decide(prompt, chosen, profile)
    chains = chains_of(settings, brain.cards)
    decision = explain(decided if chains is None else chains.order(decided))
    typer.echo(json.dumps(decision, indent=2) if as_json else "\n".join(_lines(decision)))
    return 0


def _as_calibrated(
    router: Router, settings: Settings, cards: Sequence[ModelCard], configured: tuple[float, ...]
) -> Router:
    """With the boundaries that reports have moved, where those are in force at a gateway with this ledger."""
    feedback = feedback_of(settings, cards, configured)
    if feedback is None or settings.ledger.path is None or not Path(settings.ledger.path).exists():
        return router
    moved: list[tuple[float, ...]] = []
    feedback.use = moved.append
    feedback.restore()
    return router.with_boundaries(moved[-1]) if moved else router


def _lines(decision: Mapping[str, Any]) -> Iterator[str]:
    yield f"model     {decision['model']} at {decision['provider']}"
    yield f"tier      {decision['tier']}"
    yield f"category  {decision['category']}"
    yield f"score     {decision['score']:.3f} (confidence {decision['confidence']:.2f})"
    yield f"profile   {decision['profile']}"
    yield f"estimate  {_dollars(decision['estimated_cost_usd'])}"
    yield f"saving    {_saving(decision)}"
    for rule in decision["rules"]:
        yield f"rule      {rule}"
    yield ""
    yield table(
        ("signal", "value", "share", "what it saw"),
        [
            (reason["signal"], f"{reason['value']:+.2f}", f"{reason['share']:+.3f}", reason["detail"])
            for reason in decision["reasons"]
        ],
    )
    yield ""
    yield from _tipping(decision["tipping"])
    yield ""
    yield table(
        ("candidate", "provider", "tier", "estimate", ""),
        [
            (
                candidate["model"],
                candidate["provider"],
                candidate["tier"] or "-",
                _dollars(candidate["estimated_cost_usd"]),
                f"out: {candidate['excluded']}" if candidate["excluded"] else "",
            )
            for candidate in decision["candidates"]
        ],
    )


def _tipping(tipping: Mapping[str, Any]) -> Iterator[str]:
    """How far away the other tiers were, and what held this one."""
    for edge in tipping["boundaries"]:
        distance = edge["distance"]
        how_far = f"{distance:.3f} more" if distance > 0 else f"passed by {-distance:.3f}"
        yield f"{edge['tier']} begins at {edge['at']:.3f}: {how_far}"
    for tip in tipping["without"]:
        yield f"without {' and '.join(tip['signals'])}: {tip['tier']}"
    if tipping["would_ask"]:
        yield f"a request that is sent would first ask: {', '.join(tipping['would_ask'])}"


def _saving(decision: Mapping[str, Any]) -> str:
    saving, cost, dearest = (
        decision["saving_usd"],
        decision["estimated_cost_usd"],
        decision["dearest_model"],
    )
    if saving is None:
        return "not known, for a price is missing"
    if dearest == decision["model"]:
        return "none: this is the dearest model"
    whole = saving + cost
    share = f" ({100 * saving / whole:.0f} %)" if whole else ""
    return f"{_dollars(saving)}{share} against {dearest}"


def _dollars(amount: float | None) -> str:
    return "not known" if amount is None else f"${amount:.6f}"
