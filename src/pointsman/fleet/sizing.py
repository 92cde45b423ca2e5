"""How many parameters a model has, as far as its name tells: all of them, and those at work for one token. Facts of a
name only; what follows from a size is decided elsewhere.

Numbers behind models that say no size in their names are their makers' own (model cards on Hugging Face).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Size(NamedTuple):
    """In billions of parameters. `active` is None for a dense model: all of them."""

    total: float
    active: float | None = None


_EDGE, _END = r"(?<![a-z0-9.])", r"(?![a-z0-9.]*[a-z0-9])"

KNOWN: tuple[tuple[str, Size], ...] = (
    # What a name does not say, or says in another sense. The first pattern found counts.
    (r"mixtral[-:]?8x22b", Size(141, 39)),
    (r"mixtral", Size(46.7, 12.9)),
    (r"gpt-oss[-:]120b", Size(116.8, 5.1)),
    (r"gpt-oss[-:]20b", Size(20.9, 3.6)),
    (r"llama-?4-scout", Size(109, 17)),
    (r"llama-?4-maverick", Size(400, 17)),
    (r"gemma-?3n.*e2b", Size(5.4, 2)),
    (r"gemma-?3n.*e4b", Size(7.9, 4)),
    (r"deepseek-(v3|r1|chat|reasoner)(?!.*distill)(?!.*\db)", Size(671, 37)),
    (r"deepseek-v2-lite|deepseek-coder-v2-lite", Size(15.7, 2.4)),
    (r"deepseek-(coder-)?v2(?!.*\db)", Size(236, 21)),
    (r"kimi-k2", Size(1000, 32)),
    (r"glm-4\.5-air", Size(106, 12)),
    (r"glm-4\.[56](?!.*\db)", Size(355, 32)),
    (r"minimax-m2", Size(230, 10)),
    (r"minimax-m1", Size(456, 45.9)),
    (r"dbrx", Size(132, 36)),
    (r"grok-1(?![\d.])", Size(314, 86)),
    (r"jamba(-1\.\d)?-large", Size(398, 94)),
    (r"jamba(-1\.\d)?-mini", Size(52, 12)),
    (r"qwen1\.5-moe", Size(14.3, 2.7)),
    (r"phi-?3\.5-moe", Size(41.9, 6.6)),
    (r"phi-?3(\.5)?-mini", Size(3.8)),
    (r"phi-?3-small", Size(7)),
    (r"phi-?3(\.5)?-(medium)", Size(14)),
    (r"phi-?3\.5-vision|phi-?3-vision", Size(4.2)),
    (r"phi-?4-mini", Size(3.8)),
    (r"phi-?4-multimodal", Size(5.6)),
    (r"phi-?4(?!.*\db)", Size(14)),
    (r"phi-?2(?![\d.])", Size(2.7)),
    (r"mistral-nemo(?!.*\db)", Size(12.2)),
    (r"mistral-small-?(3|24|25)", Size(23.6)),
    (r"mistral-large", Size(123)),
    (r"ministral-3b", Size(3)),
    (r"codestral(?!.*mamba)(?!.*\db)", Size(22.2)),
    (r"devstral(?!.*\db)", Size(23.6)),
    (r"pixtral-large", Size(124)),
    (r"command-r-?plus", Size(104)),
    (r"command-r(?!.*\db)", Size(35)),
    (r"command-a", Size(111)),
)
_KNOWN = tuple((re.compile(rf"(?<![a-z0-9]){pattern}"), size) for pattern, size in KNOWN)

_EXPERTS = re.compile(rf"{_EDGE}(\d+)x(\d+(?:\.\d+)?)b{_END}")
_BILLIONS = re.compile(rf"(?<![a-z0-9.])(\d+(?:\.\d+)?)b{_END}")
_ACTIVE = re.compile(rf"{_EDGE}a(\d+(?:\.\d+)?)b{_END}")
_TRILLIONS = re.compile(rf"{_EDGE}(\d+(?:\.\d+)?)t{_END}")
_MILLIONS = re.compile(rf"{_EDGE}(\d{{2,4}}(?:\.\d+)?)m{_END}")
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMBT])\s*", re.IGNORECASE)
_UNITS = {"K": 1e-6, "M": 1e-3, "B": 1.0, "T": 1e3}

_SHARED = 0.83
"""Experts share what is not feed-forward: 8x7B has 46.7 billion parameters, not 56, and 8x22B has 141, not 176."""
_ACTIVE_EXPERTS = 2
_LARGEST = 100_000.0


def size_in_name(name: str) -> Size | None:
    """None where the name tells no size. Knows `Qwen3-30B-A3B`, `8x7B`, `llama3.1:8b-instruct-q4_K_M`, `smollm-135m`;
    quantisation (`q4`, `4bit`, `awq`), versions (`v0.3`) and dates (`2507`) are no sizes."""
    plain = name.lower().rpartition("/")[2].replace("_", "-").replace(" ", "-").removesuffix(".gguf")
    for pattern, size in _KNOWN:
        if pattern.search(plain):
            return size
    found = _EXPERTS.search(plain)
    if found is not None:
        experts, each = int(found[1]), float(found[2])
        total = round(experts * each * _SHARED, 1)
        return _checked(total, round(min(_ACTIVE_EXPERTS, experts) * each * _SHARED, 1))
    active = _ACTIVE.search(plain)
    totals = [float(number) for number in _BILLIONS.findall(plain)]
    totals += [float(number) * 1e3 for number in _TRILLIONS.findall(plain)]
    if not totals and active is None:
        totals = [float(number) / 1e3 for number in _MILLIONS.findall(plain)]
    return _checked(max(totals), None if active is None else float(active[1])) if totals else None


def size_as_written(text: str) -> float | None:
    """Billions, of a size that stands by itself: `8.0B`, `134.52M`, `1T`."""
    found = _WRITTEN.fullmatch(text)
    return None if found is None else float(found[1]) * _UNITS[found[2].upper()]


def tier_for_size(billions: float | None, tiers: Sequence[str], boundaries: Sequence[float]) -> str:
    """The tier of a model by all its parameters: the boundaries are the sizes, in billions, at which the next tier
    begins. Unknown counts as the second tier: neither trusted with the hardest nor wasted on the easiest."""
    if billions is None:
        return tiers[min(1, len(tiers) - 1)]
    return tiers[min(sum(billions >= boundary for boundary in boundaries), len(tiers) - 1)]


def _checked(total: float, active: float | None) -> Size | None:
    if not 0 < total <= _LARGEST:
        return None
    return Size(total, active if active is not None and active < total else None)
