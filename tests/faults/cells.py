"""The cells of the matrix: which fault meets which caller, how, and what is behind it. It runs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from pointsman.lab.faults import FAULTS, Fault, Phase

Behind = Literal["well", "none", "failing"]
"""What is behind the model that fails: one that answers, nothing, or one that fails too."""

BEHIND: tuple[Behind, ...] = ("well", "none", "failing")

Way = Literal["straight", "hedged", "ceiling", "consent", "patience"]
"""What else is going on: a second model may be asked beside the first; a ceiling withholds the one behind; its caller
consents to that one; its caller was told to be patient before the model that fails was even reached."""

COLUMNS: tuple[tuple[Way, bool, Behind], ...] = (
    ("hedged", True, "well"),
    ("hedged", False, "well"),
    ("ceiling", True, "well"),
    ("ceiling", False, "well"),
    ("consent", True, "well"),
    ("consent", False, "well"),
    ("patience", True, "well"),
    ("patience", True, "none"),
)
"""Of the second table: how, whether a stream is asked for, what is behind."""

IN_WAYS = (
    "400",
    "401",
    "429_retry_after",
    "500",
    "slow_head",
    "html_200",
    "error_event",
    "cut_before_content",
    "stall_before_content",
    "heartbeats",
    "late_error_event",
    "cut_in_content",
    "until_close",
    "trickle",
)
"""The faults of that table: some of each kind."""
SPOKEN = ("openai-chat", "openai-responses", "anthropic-messages", "gemini", "ollama")
SECOND_FAULTS = ("500", "cut_before_content", "429_retry_after", "html_200", "503", "refused", "error_in_200")
"""How the model behind fails, in turn: all of them before any content."""


@dataclass(frozen=True)
class Cell:
    """`first` and `second` are the dialects of the two models; `second_fault` is that of the one behind."""

    fault: Fault
    client: str
    stream: bool
    behind: Behind
    first: str
    second: str
    second_fault: Fault | None
    way: Way = "straight"

    @property
    def phase(self) -> Phase:
        phase = self.fault.phase(stream=self.stream)
        assert phase is not None
        return phase

    @property
    def name(self) -> str:
        way = "stream" if self.stream else "plain"
        return f"{self.fault.name} {self.client} {way} {self.behind} {self.way} ({self.first}, {self.second})"

    @property
    def is_hedged_for_real(self) -> bool:
        """The second is asked while the first is silent. Elsewhere it could be and is not: else it would depend on the
        machine who is faster."""
        return self.way == "hedged" and self.fault.waits is not None and self.phase == "early"

    @property
    def is_withheld(self) -> bool:
        """Nobody may answer in the place of the first."""
        return self.way == "ceiling" and self.phase == "early"


def cells(client: str) -> Iterator[Cell]:
    """All cells of one caller: each fault by a provider of the caller's own dialect and by one of another, in turn."""
    others = cycle([dialect for dialect in SPOKEN if dialect != client])
    seconds, again = cycle(SPOKEN), cycle(SECOND_FAULTS)
    for fault in FAULTS.values():
        for stream in (True, False):
            if fault.phase(stream=stream) is None or fault.is_large:
                continue
            for behind in BEHIND:
                for first in (client, next(others)):
                    second_fault = FAULTS[next(again)] if behind == "failing" else None
                    yield Cell(fault, client, stream, behind, first, next(seconds), second_fault)


def cells_in_ways(client: str) -> Iterator[Cell]:
    """The cells of one caller in which more is going on than a failure."""
    others = cycle([dialect for dialect in SPOKEN if dialect != client])
    seconds = cycle(SPOKEN)
    for fault in (FAULTS[name] for name in IN_WAYS):
        for way, stream, behind in COLUMNS:
            if fault.phase(stream=stream) is not None:
                for first in (client, next(others)):
                    yield Cell(fault, client, stream, behind, first, next(seconds), None, way)
