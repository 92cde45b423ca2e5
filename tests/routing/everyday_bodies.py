"""Everyday requests as clients send them, with system texts, tools, pastes and what was said before, and what became of
them: `python tests/routing/everyday_bodies.py` prints it.

A line of everyday_bodies_*.jsonl is the body of a request, its API, and the thirds in which a careful person would place
it: easy, middle or hard, two where one would hesitate. They were placed before anything was measured. Those held back were
not looked at while words and weights were chosen.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from everyday import THIRDS, default_router, third_of

from pointsman.core.prompt import Prompt
from pointsman.routing.decide import Router
from pointsman.routing.policy import default_policy
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

_DIALECTS = {"chat": OPENAI_CHAT, "messages": ANTHROPIC_MESSAGES, "responses": OPENAI_RESPONSES}


class EverydayBody(NamedTuple):
    thirds: tuple[str, ...]
    kind: str
    language: str
    prompt: Prompt

    def off_by(self, third: str) -> int:
        """How many thirds `third` is away from the nearest of its own."""
        return min(abs(THIRDS.index(own) - THIRDS.index(third)) for own in self.thirds)


def _load(name: str) -> list[EverydayBody]:
    rows = [json.loads(line) for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]
    return [
        EverydayBody(
            tuple(row["thirds"]),
            row["kind"],
            row["language"],
            _DIALECTS[row["api"]].read_prompt(read_envelope(json.dumps(row["body"]).encode())),
        )
        for row in rows
    ]


TUNED = _load("everyday_bodies_tuned.jsonl")
HELD_BACK = _load("everyday_bodies_held_back.jsonl")


def off(bodies: Sequence[EverydayBody], router: Router) -> list[int]:
    """How many thirds each of them lands away from where it belongs."""
    auto = default_policy().profiles[0]
    return [
        body.off_by(third_of(router.decide(body.prompt, auto, "auto", explain=False).tier or ""))
        for body in bodies
    ]


def main() -> None:
    router = default_router()
    for name, bodies in (("tuned on", TUNED), ("held back", HELD_BACK)):
        landed = off(bodies, router)
        sys.stdout.write(
            f"{name}: {landed.count(0)} of {len(bodies)} right, {landed.count(2)} at the other end\n"
        )
        for of in ("language", "kind"):
            every = Counter(getattr(body, of) for body in bodies)
            wrong = Counter(getattr(body, of) for body, by in zip(bodies, landed, strict=True) if by)
            told = ", ".join(f"{one} {every[one] - wrong[one]}/{every[one]}" for one in sorted(every))
            sys.stdout.write(f"  by {of}: {told}\n")


if __name__ == "__main__":
    main()
