"""A public part of the library, for whoever tests SIP: virtual time, a lossy wire, scripted agents."""

from sipcore.testing.agent import ScriptedAgent
from sipcore.testing.call import Call
from sipcore.testing.clock import Clock, Scheduler
from sipcore.testing.script import CallState, Ending, Kind, Record, Script, Step
from sipcore.testing.wire import Address, Fate, Faults, Passage, Wire

__all__ = [
    "Address",
    "Call",
    "CallState",
    "Clock",
    "Ending",
    "Fate",
    "Faults",
    "Kind",
    "Passage",
    "Record",
    "Scheduler",
    "Script",
    "ScriptedAgent",
    "Step",
    "Wire",
]
