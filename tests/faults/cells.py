"""The cells of the matrix: which fault meets which caller, how, and what is behind it. It runs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from pointsman.lab.faults import FAULTS, Fault, Phase

Behind = Literal["well", "none", "failing"]
"""What is behind the model that fails: one that answers, nothing, or one that fails too."""

BEHIND: tuple[Behind, ...] = ("well", "none", "failing")
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

    @property
    def phase(self) -> Phase:
        phase = self.fault.phase(stream=self.stream)
        assert phase is not None
        return phase

    @property
    def name(self) -> str:
        way = "stream" if self.stream else "plain"
        return f"{self.fault.name} {self.client} {way} {self.behind} ({self.first}, {self.second})"


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
