"""What is known of Gemini models by the version in their name. Names without one are taken for the newest. It knows no
prices and no limits of context."""

import re
from collections.abc import Mapping
from typing import Any

from pointsman.core.request import Reasoning

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")

_BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,
    "max": 24576,
}
"""Thinking tokens for an effort, as Google's own OpenAI-compatible endpoint counts them."""

_LEVELS: Mapping[str, str] = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}

_PRO_BUDGET_MIN, _PRO_BUDGET_MAX = 128, 32768
_LITE_BUDGET_MIN, _BUDGET_MAX = 512, 24576


def version(model: str) -> tuple[int, int] | None:
    """(2, 5) for gemini-2.5-pro; None for a name that says none, such as gemini-flash-latest."""
    found = _VERSION.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def is_at_least_3(model: str) -> bool:
    """From Gemini 3 on calls must be given back with their signatures, results may hold pictures, and a schema for
    the answer goes together with tools."""
    found = version(model)
    return "gemini" in model and (found is None or found >= (3, 0))


def thinking_config(reasoning: Reasoning, model: str) -> tuple[dict[str, Any], bool]:
    """`thinkingConfig`, and whether it says less than was asked for: not every model can stop thinking."""
    found, is_pro = version(model), "pro" in model
    config: dict[str, Any] = {}
    is_exact = True
    effort = reasoning.effort
    if reasoning.budget_tokens is not None:
        config["thinkingBudget"] = budget = _clamped(reasoning.budget_tokens, found, model)
        is_exact = budget == reasoning.budget_tokens
    elif effort is None:
        if found is not None and found < (3, 0):
            config["thinkingBudget"] = -1
    elif found is not None and found >= (3, 0):
        level = _LEVELS.get(effort, "high")
        config["thinkingLevel"] = "low" if is_pro and level == "minimal" else level
        is_exact = config["thinkingLevel"] == effort
    elif effort == "none":
        config["thinkingBudget"] = _PRO_BUDGET_MIN if is_pro else 0
        is_exact = not is_pro
    else:
        config["thinkingBudget"] = _BUDGETS.get(effort, _BUDGETS["high"])
    if reasoning.is_shown and effort != "none":
        config["includeThoughts"] = True
    return config, is_exact


def _clamped(budget: int, found: tuple[int, int] | None, model: str) -> int:
    if found is None:
        return budget
    if "pro" in model:
        return min(max(budget, _PRO_BUDGET_MIN), _PRO_BUDGET_MAX)
    least = _LITE_BUDGET_MIN if "lite" in model and budget else 0
    return min(max(budget, least), _BUDGET_MAX)
