"""A whole gateway as one value: what a reload builds anew and puts in place of the one before. How it is built: app.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.config.watching import Watching
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Limits
from pointsman.fleet.pool import Fleet
from pointsman.gateway.feedback import Feedback
from pointsman.gateway.pipeline import Pipeline
from pointsman.gateway.slot_book import SlotBook
from pointsman.gateway.slots import Slots
from pointsman.routing.decide import Router
from pointsman.routing.names import Names
from pointsman.server.auth import Door
from pointsman.server.models import ModelList


@dataclass(frozen=True, slots=True)
class Brain:
    """What decides, without anything that sends: enough for a dry run."""

    cards: tuple[ModelCard, ...]
    names: Names
    router: Router


@dataclass(frozen=True, slots=True)
class Runtime:
    """A whole gateway, ready to be given connections. `slots` are its own; `limits` are those of everything in `book`, by
    name."""

    brain: Brain
    pipeline: Pipeline
    fleet: Fleet
    models: ModelList
    door: Door
    slots: Slots
    book: SlotBook
    limits: Mapping[str, Limits]
    watching: Watching
    feedback: Feedback | None = None

    def take_over(self, predecessor: "Runtime | None") -> None:
        """Comes into force: what is known of backends and of conversations, and what is under way, goes on here."""
        self.book.adjust(self.limits)
        if predecessor is not None:
            self.fleet.take_over(predecessor.fleet)
            self.pipeline.take_over(predecessor.pipeline)
