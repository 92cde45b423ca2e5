"""What tells the generations of Claude apart, by their names, wherever they are served. A name that says no version is
taken for one of the older, which refuse nothing that the newer take from them."""

import re

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?!\d)")
_ADAPTIVE, _ADAPTIVE_ONLY = (4, 6), (4, 7)

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Of those that think adaptively only; the one before them has no xhigh."""


def version(model: str) -> tuple[int, int] | None:
    """(4, 7) for claude-opus-4-7, (3, 5) for claude-3-5-haiku-20241022, (4, 0) for claude-sonnet-4-20250514."""
    found = _VERSION.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def thinks_adaptively(model: str) -> bool:
    """It takes thinking of type adaptive, with an effort instead of a budget."""
    return (version(model) or (0, 0)) >= _ADAPTIVE


def is_adaptive_only(model: str) -> bool:
    """From 4.7 on models refuse a budget for thinking, and any temperature, top_p and top_k of their caller's."""
    return (version(model) or (0, 0)) >= _ADAPTIVE_ONLY


def nearest_effort(effort: str, model: str) -> str:
    if effort == "minimal":
        return "low"
    if effort == "xhigh" and not is_adaptive_only(model):
        return "high"
    return effort if effort in _EFFORTS else "high"
