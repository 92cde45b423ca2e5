"""The score a running gateway gives a prompt, for many prompts at once: the same reading, rules and learned part. It
decides for no model."""

import importlib.resources
from collections.abc import Sequence

import numpy as np

from pointsman.core.prompt import Prompt, Turn
from pointsman.learning.metrics import Floats
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import Learned
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import Reading, read
from pointsman.routing.scorer import Scorer
from pointsman.routing.tiers import Ladder


class Production:
    """One policy with the shipped words."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy or default_policy()
        text = importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
        self._ladder = Ladder(self._policy, Profile("auto"))
        self._keywords = Keywords.parse(text).and_also(self._policy.keyword_lists)

    def reading(self, prompt: str) -> Reading:
        """Of a request that is nothing but this text."""
        size = len(prompt.encode("utf-8", "replace"))
        return read(Prompt("", (Turn("user", prompt),), size), self._keywords)

    def scores(self, readings: Sequence[Reading], learned: Learned | None) -> Floats:
        """Without `learned` those of the rules alone."""
        scorer = Scorer(self._policy, learned)
        return np.array([scorer.score(reading)[0] for reading in readings])

    def tiers(self, prompts: Sequence[str], learned: Learned | None) -> list[int]:
        """The position of the tier that each would get, rules and floors included."""
        scorer = Scorer(self._policy, learned)
        readings = [self.reading(prompt) for prompt in prompts]
        return [self._ladder.place(scorer.score(reading)[0], reading.measures).place for reading in readings]


def opinions(readings: Sequence[Reading], learned: Learned) -> Floats:
    """What the learned part says by itself, -1..1."""
    return np.array([learned.read(reading.asked).value for reading in readings])
