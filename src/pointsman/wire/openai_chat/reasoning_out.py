"""OpenAI chat: how hard to think, in the words of the provider. Which words it has is in profiles."""

from collections.abc import Callable
from typing import Any

from pointsman.core.model_card import ModelCard
from pointsman.core.request import Reasoning
from pointsman.wire.effort import effort_of
from pointsman.wire.openai_chat.profiles import ALL_EFFORTS, EFFORTS, Profile
from pointsman.wire.openai_models import GPT_5, GPT_5_POINT, REASONS

_BUDGET_OF_EFFORT = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 32768,
}
_BUDGET_TOKENS_MIN = 1024


def is_reasoning_model(card: ModelCard, profile: Profile) -> bool:
    return profile.names_openai_models and REASONS.search(card.id) is not None


def may_tell_logprobs(card: ModelCard, profile: Profile, reasoning: Reasoning | None) -> bool:
    """OpenAI's reasoning models do not, but for those that think only when told to."""
    if not is_reasoning_model(card, profile):
        return profile.logprobs
    is_told_to = reasoning is not None and reasoning.effort != "none"
    return GPT_5_POINT.search(card.id) is not None and not is_told_to


def reasoning_fields(
    reasoning: Reasoning, card: ModelCard, profile: Profile, drop: Callable[[str], None]
) -> dict[str, Any]:
    """The fields that say it, none where the model thinks as it likes. `drop` is told what was changed or left out."""
    name = "thinking" if reasoning.effort is None else "reasoning_effort"
    if not (card.can("thinking") or is_reasoning_model(card, profile)):
        if reasoning.effort != "none":
            drop(name)
        return {}
    wants_none = reasoning.effort == "none"
    match profile.reasoning:
        case "effort":
            return _effort(reasoning, card, profile, drop, name)
        case "object":
            return {"reasoning": _object(reasoning, profile)}
        case "thinking":
            fields: dict[str, Any] = {"thinking": {"type": "disabled" if wants_none else "enabled"}}
            effort = reasoning.effort or effort_of(reasoning.budget_tokens)
            if not wants_none and effort is not None:
                fields |= _named_effort(effort, _efforts_of(card, profile), drop, name)
            return fields
        case "budget":
            if wants_none:
                return {}
            budget = _budget(reasoning)
            if budget is None:
                drop(name)
                return {}
            return {"thinking": {"type": "enabled", "budget_tokens": budget}}
        case "enable":
            fields = {"enable_thinking": not wants_none}
            if not wants_none and (budget := _budget(reasoning)) is not None:
                fields["thinking_budget"] = budget
            return fields
        case "template":
            if not wants_none and not reasoning.adaptive:
                drop(name)  # it can be switched on, but not measured out
            return {"chat_template_kwargs": {"enable_thinking": not wants_none}}
        case _:
            if not wants_none:
                drop(name)
            return {}


def _budget(reasoning: Reasoning) -> int | None:
    if reasoning.budget_tokens is not None:
        return max(reasoning.budget_tokens, _BUDGET_TOKENS_MIN)
    return _BUDGET_OF_EFFORT.get(reasoning.effort or "")


def _object(reasoning: Reasoning, profile: Profile) -> dict[str, Any]:
    said: dict[str, Any]
    if reasoning.effort == "none" and "none" not in profile.efforts:
        said = {"enabled": False}
    elif reasoning.effort is not None:
        said = {"effort": nearest(reasoning.effort, profile.efforts)}
    elif reasoning.budget_tokens is not None:
        said = {"max_tokens": reasoning.budget_tokens}
    else:
        said = {"enabled": True}
    if not reasoning.is_shown:
        said["exclude"] = True
    return said


def _effort(
    reasoning: Reasoning, card: ModelCard, profile: Profile, drop: Callable[[str], None], name: str
) -> dict[str, Any]:
    effort = reasoning.effort or effort_of(reasoning.budget_tokens)
    known = _known_efforts(card, profile)
    if effort == "none" and "none" not in known and not is_reasoning_model(card, profile):
        # What thinks only when told to is not told; naming the least effort would begin it.
        if known:
            drop(name)
        return {}
    if effort is not None:
        return _named_effort(effort, known, drop, name)
    if reasoning.adaptive and not known:
        drop(name)
    return {}


def _named_effort(
    effort: str, known: tuple[str, ...], drop: Callable[[str], None], name: str
) -> dict[str, Any]:
    chosen = nearest(effort, known)
    if chosen != effort:
        drop(name)
    return {} if chosen is None else {"reasoning_effort": chosen}


def nearest(effort: str, known: tuple[str, ...]) -> str | None:
    """The effort among the known ones that comes closest, None where there is none. Only the least there is may
    become no thinking at all."""
    if effort in known:
        return effort
    if effort not in ALL_EFFORTS:
        return None
    if effort not in {"none", "minimal"}:
        known = tuple(other for other in known if other != "none")
    place = ALL_EFFORTS.index(effort)
    return min(known, key=lambda other: abs(ALL_EFFORTS.index(other) - place), default=None)


def _efforts_of(card: ModelCard, profile: Profile) -> tuple[str, ...]:
    of_model = (efforts for word, efforts in profile.efforts_of_models if word in card.id)
    return next(of_model, profile.efforts)


def _known_efforts(card: ModelCard, profile: Profile) -> tuple[str, ...]:
    if not is_reasoning_model(card, profile):
        # A model not known to think may refuse the field, and then answer nothing at all.
        if card.abilities is None or "thinking" not in card.abilities:
            return ()
        return _efforts_of(card, profile)
    if GPT_5_POINT.search(card.id):
        return (*EFFORTS, "none")
    return (*EFFORTS, "minimal") if GPT_5.search(card.id) else EFFORTS
