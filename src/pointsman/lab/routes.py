"""The ways a request can take through a configuration: for each name that a caller may ask for, which models are tried and
in which order. It sends nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from pointsman.control.runtime import Brain
from pointsman.core.decision import Decision
from pointsman.core.errors import ClientError, Withheld
from pointsman.core.model_card import ModelCard
from pointsman.fleet.consent import Ceilings
from pointsman.gateway.pipeline import Pipeline
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

_encode = msgspec.json.Encoder().encode

PROMPTS: tuple[str, ...] = (
    "What is the capital of France?",
    "Write a SQL query that joins customers with their orders of the last month and explain each line of it.",
    "Design the architecture of a distributed job queue: compare three approaches and plan the migration in steps.",
    "Prove that the square root of 2 is irrational, step by step, and derive from the proof which other roots are.",
)
"""From easy to hard, so that profiles send them to different tiers."""

_PINNED = "pinned"
_WRITTEN = "chain of "
"""How a decision says that its order was written down."""


@dataclass(frozen=True, slots=True)
class Route:
    """`asked` are the names that lead here, `prompt` what is said. `chain` is the order of models; `tiers` are those of
    the requests that get it, none where nothing was scored. A chain that was chosen for the request may be longer than the attempts it gets;
    one that was written down for a name may not. `withheld` are
    the models that the order names and a ceiling keeps from answering: they are not in `chain`."""

    asked: tuple[str, ...]
    prompt: str
    tiers: tuple[str, ...]
    chain: tuple[ModelCard, ...]
    is_written_down: bool
    withheld: tuple[Withheld, ...] = ()

    @property
    def name(self) -> str:
        asked, tiers = ", ".join(self.asked), ", ".join(self.tiers)
        return f"{asked} ({tiers})" if tiers else asked


def body_of(model: str, prompt: str, *, stream: bool) -> bytes:
    """A request as a caller of OpenAI's chat API sends it."""
    messages = [{"role": "user", "content": prompt}]
    return _encode({"model": model, "messages": messages, "stream": stream})


def routes_of(brain: Brain, pipeline: Pipeline) -> list[Route]:
    """Each different one once, in the order of the configuration's names."""
    found: dict[tuple[bool, tuple[str, ...]], Route] = {}
    for name, prompt, decision in _decisions(brain, pipeline):
        is_written = decision.profile == _PINNED or any(rule.startswith(_WRITTEN) for rule in decision.rules)
        key = (is_written, tuple(card.name for card in decision.chain))
        known = found.get(key) or Route((), prompt, (), decision.chain, is_written)
        tiers = () if decision.tier is None else (decision.tier,)
        found[key] = replace(
            known,
            asked=tuple(dict.fromkeys((*known.asked, name))),
            tiers=tuple(dict.fromkeys((*known.tiers, *tiers))),
        )
    return list(found.values())


def less_what_is_withheld(route: Route, ceilings: Ceilings) -> Route:
    """The same way as a caller goes it who gives no consent."""
    told = [(card, ceilings.withholds(card, route.chain[0])) for card in route.chain]
    return replace(
        route,
        chain=tuple(card for card, ceiling in told if ceiling is None),
        withheld=tuple(Withheld(card.name, ceiling) for card, ceiling in told if ceiling is not None),
    )


def tiers_missed(routes: Sequence[Route], brain: Brain) -> list[str]:
    """Tiers that have models, and that none of the prompts asks for."""
    reached = {tier for route in routes for tier in route.tiers}
    used = dict.fromkeys(card.tier for card in brain.cards if card.tier is not None)
    return [tier for tier in used if tier not in reached]


def _decisions(brain: Brain, pipeline: Pipeline) -> Iterator[tuple[str, str, Decision]]:
    for name in brain.names.profile_names:
        for prompt in PROMPTS:
            yield from _decision(pipeline, name, prompt)
    for card in brain.cards:
        yield from _decision(pipeline, card.name, PROMPTS[0])


def _decision(pipeline: Pipeline, name: str, prompt: str) -> Iterator[tuple[str, str, Decision]]:
    envelope: Envelope = read_envelope(body_of(name, prompt, stream=False))
    try:
        yield name, prompt, pipeline.preview(OPENAI_CHAT, envelope)
    except ClientError:
        return  # no model is able: `free` where none is free
