"""How hard to think, in words where a budget was given, for dialects that know words alone. It knows no model."""

_BUDGETS = ((4096, "low"), (16384, "medium"))
"""A thinking budget below so many tokens is this effort; above them all it is high."""


def effort_of(budget_tokens: int | None) -> str | None:
    if budget_tokens is None:
        return None
    if budget_tokens == 0:
        return "none"
    return next((effort for below, effort in _BUDGETS if budget_tokens < below), "high")
