"""Doubles for tests, ours and yours: a provider that answers what a script says, and one that fails in every way
providers were seen to fail. It only gathers what the lab is made of."""

from pointsman.lab.faults import FAULTS, Fault
from pointsman.lab.scripted import FakeUpstream, Received, Script, Scripted, scripted
from pointsman.lab.upstream import FaultUpstream

__all__ = [
    "FAULTS",
    "FakeUpstream",
    "Fault",
    "FaultUpstream",
    "Received",
    "Script",
    "Scripted",
    "scripted",
]
