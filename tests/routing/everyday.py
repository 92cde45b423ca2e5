"""The everyday requests and what became of them: `python tests/routing/everyday.py` prints it.

A line of everyday.jsonl is a request and the third in which a careful person would place it: easy, middle or hard.
Every second line was held back while words and weights were chosen.
"""

import importlib.resources
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import Learned
from pointsman.routing.policy import default_policy

THIRDS = ("easy", "middle", "hard")
_TURN_BYTES = 32
_TOOL_BYTES = 400


class Everyday(NamedTuple):
    third: str
    kind: str
    language: str
    prompt: Prompt


def _load() -> list[Everyday]:
    rows = [
        json.loads(line)
        for line in Path(__file__).with_name("everyday.jsonl").read_text("utf-8").splitlines()
    ]
    return [Everyday(row["third"], row["kind"], row["language"], prompt_of(row)) for row in rows]


def prompt_of(row: dict) -> Prompt:
    turns = tuple(
        Turn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(row["turns"])
    )
    tools = row.get("tools", 0)
    size = sum(len(turn.text.encode()) + _TURN_BYTES for turn in turns) + tools * _TOOL_BYTES
    return Prompt(
        row.get("system", ""),
        turns,
        size,
        tool_count=tools,
        output_format=row.get("format", "text"),
        image_count=row.get("images", 0),
    )


EVERYDAY = _load()
TUNED, HELD_BACK = EVERYDAY[::2], EVERYDAY[1::2]


def default_router(tiers: Sequence[str] | None = None) -> Router:
    policy = default_policy(tiers) if tiers else default_policy()
    text = importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
    cards = tuple(ModelCard(tier, "p", tier, tier) for tier in policy.tiers)
    learned = importlib.resources.files("pointsman.routing").joinpath("learned.bin").read_bytes()
    return Router(cards, policy, Keywords.parse(text), learned=Learned(learned))


def third_of(tier: str) -> str:
    return {"simple": "easy", "medium": "middle", "complex": "hard", "reasoning": "hard"}[tier]


def placed(requests: Sequence[Everyday], router: Router) -> list[str]:
    """The third in which each of them lands."""
    auto = default_policy().profiles[0]
    return [third_of(router.decide(each.prompt, auto, "auto").tier or "") for each in requests]


def main() -> None:
    router = default_router()
    for name, requests in (("tuned on", TUNED), ("held back", HELD_BACK)):
        landed = placed(requests, router)
        right = sum(each.third == third for each, third in zip(requests, landed, strict=True))
        sys.stdout.write(f"{name}: {right} of {len(requests)} in the right third\n")
        table = Counter((each.third, third) for each, third in zip(requests, landed, strict=True))
        for third in THIRDS:
            told = ", ".join(f"{other} {table[third, other]}" for other in THIRDS)
            sys.stdout.write(f"  {third:6} -> {told}\n")


if __name__ == "__main__":
    main()
