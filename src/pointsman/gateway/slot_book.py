"""The slots of everything that has a limit, by name, while configurations come and go: what is under way goes on
counting. It lets nobody in."""

from collections.abc import Mapping

from pointsman.core.ports import Limits
from pointsman.gateway.slots import Slots


class SlotBook:
    """A configuration is built while another is in force, and may be thrown away: what exists is changed by `adjust`
    only, when it comes into force."""

    def __init__(self) -> None:
        self._known: dict[str, Slots] = {}

    def of(self, name: str, limits: Limits) -> Slots:
        """Those that are there already, with the limits they have, or new ones."""
        return self._known.get(name) or self._known.setdefault(name, Slots(name, limits))

    def adjust(self, limits: Mapping[str, Limits]) -> None:
        """From now on these hold. Slots without a limit are forgotten, those who are in them are not bothered."""
        self._known = {name: self._known[name] for name in limits}
        for name, slots in self._known.items():
            slots.adjust(limits[name])
