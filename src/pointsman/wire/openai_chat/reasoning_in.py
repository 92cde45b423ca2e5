"""OpenAI chat: how hard a client wants to have thought, in the words of any compatible provider: OpenAI's effort,
OpenRouter's `reasoning`, and the `thinking` of DeepSeek, Z.ai and Moonshot."""

from typing import Any

from pointsman.core.request import Reasoning
from pointsman.wire.left_out import LeftOut

_EFFORTS = frozenset(("none", "minimal", "low", "medium", "high", "xhigh", "max"))


def read_reasoning(effort: str | None, reasoning: Any, thinking: Any, left_out: LeftOut) -> Reasoning | None:
    if effort is not None:
        if effort in _EFFORTS:
            return Reasoning(effort=effort)
        left_out.note("reasoning_effort", effort)
    return _of_openrouter(reasoning, left_out) or _of_thinking(thinking, left_out)


def _of_openrouter(asked: Any, left_out: LeftOut) -> Reasoning | None:
    is_shown = not (isinstance(asked, dict) and asked.get("exclude") is True)
    match asked:
        case None:
            return None
        case {"effort": str(effort)} if effort in _EFFORTS:
            read = Reasoning(effort=effort, is_shown=is_shown)
        case {"max_tokens": int(budget)}:
            read = Reasoning(budget_tokens=budget, is_shown=is_shown)
        case {"enabled": False}:
            read = Reasoning(effort="none")
        case {"enabled": True}:
            read = Reasoning(adaptive=True, is_shown=is_shown)
        case other:
            left_out.note("reasoning", other)
            return None
    for name in asked.keys() - {"effort", "max_tokens", "enabled", "exclude"}:
        left_out.note(f"reasoning.{name}", asked[name])
    return read


def _of_thinking(asked: Any, left_out: LeftOut) -> Reasoning | None:
    match asked:
        case None:
            return None
        case {"type": "enabled", "budget_tokens": int(budget)}:
            read = Reasoning(budget_tokens=budget)
        case {"type": "enabled" | "adaptive"}:
            read = Reasoning(adaptive=True)
        case {"type": "disabled"}:
            read = Reasoning(effort="none")
        case other:
            left_out.note("thinking", other)
            return None
    for name in asked.keys() - {"type", "budget_tokens"}:
        left_out.note(f"thinking.{name}", asked[name])
    return read
