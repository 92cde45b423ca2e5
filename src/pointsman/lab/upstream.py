"""The lab's provider: one server that speaks every dialect, answers truthfully, and fails where a case says so. It
decides nothing about what should come of it.

Cases are told apart by a word in the prompt (`Case.mark`), so any number of them may be under way at once.
"""

import asyncio
import itertools
import re
import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import msgspec

from pointsman.core.ports import Deadlines, Incoming, Outgoing, Send
from pointsman.lab.faults import FAULTS, Fault
from pointsman.lab.own_thread import in_own_thread
from pointsman.lab.scripted import FakeUpstream, Received, Scripted
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said
from pointsman.lab.ways import WORDS, answer_well

MARK = re.compile(rb"lab-case-(\d+)\b")
"""By which a call says whose case it is."""

_GEMINI = re.compile(r"/models/([^/]+):(stream)?[gG]enerateContent$")
_PATHS: Mapping[str, str] = {
    "/chat/completions": "openai-chat",
    "/responses": "openai-responses",
    "/messages": "anthropic-messages",
    "/api/chat": "ollama",
}
_TAKEN_BYTES_MAX = 64 * 1024


def answer_text(model: str) -> str:
    """What a model says when nothing fails."""
    return model + "".join(WORDS)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as the provider got it. `received` is None where the connection did not come about; its
    `hung_up_at_s` tells whether the gateway left before the answer's end."""

    model: str
    provider: str
    dialect: str
    stream: bool
    fault: str | None
    received: Received | None = None

    @property
    def target(self) -> str:
        return f"{self.provider}/{self.model}"


def fault_of(asked: Asked) -> Fault | None:
    return None if asked.fault is None else FAULTS[asked.fault]


@dataclass(slots=True)
class Case:
    """One request and what happens to it. `faults` gives the name of a fault by target (provider/model id); others
    answer well. `calls` is what arrived, in order."""

    number: int
    faults: Mapping[str, str]
    calls: list[Asked] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """To be said somewhere in the prompt."""
        return f"lab-case-{self.number}"

    @property
    def path(self) -> list[str]:
        """The models that were asked, in order."""
        return [call.model for call in self.calls]


class FaultUpstream:
    """To be entered before use. A call without a case is answered well. `strays` are calls that no dialect knows, a
    redirect that was followed among them."""

    def __init__(self) -> None:
        self.strays: list[str] = []
        self.unmarked = Case(0, {})
        self._cases: dict[int, Case] = {0: self.unmarked}
        self._numbers = itertools.count(1)
        self._fake = FakeUpstream()
        self._fake.answer_with(self._answer)
        self._stack = AsyncExitStack()
        self._refused = socket.socket()
        self._not_tls = 0

    def case(self, faults: Mapping[str, str]) -> Case:
        """A new case."""
        number = next(self._numbers)
        case = self._cases[number] = Case(number, faults)
        return case

    @property
    def origin(self) -> str:
        return self._fake.origin

    def base_url(self, provider: str) -> str:
        """Where a provider of this name is to be found."""
        return f"{self.origin}/{provider}"

    @property
    def cases(self) -> list[Case]:
        """All there are, in order."""
        return list(self._cases.values())

    @property
    def connections_open(self) -> int:
        return self._fake.connections_open

    def through(self, send: Send, impatient: Deadlines) -> Send:
        """`send`, made to fail where a case wants no connection, and with `impatient` deadlines where it wants
        nothing to happen until one passes."""

        async def sent(outgoing: Outgoing) -> Incoming:
            call = self._read(urlsplit(outgoing.url).path, outgoing.body)
            if call is None:
                return await send(outgoing)
            case, asked = call
            fault = fault_of(asked)
            if fault is not None and fault.waits:
                is_late = fault.phase(stream=asked.stream) == "late"
                deadlines = _impatient(fault, outgoing.deadlines, impatient, is_late=is_late)
                outgoing = outgoing._replace(deadlines=deadlines)
            if fault is not None and fault.reach != "served":
                case.calls.append(asked)
                outgoing = outgoing._replace(url=self._unreachable(fault, outgoing.url))
            return await send(outgoing)

        return sent

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._fake)
        self._refused.bind(("127.0.0.1", 0))  # and never listens
        self._stack.callback(self._refused.close)
        server = await asyncio.start_server(_speak_plainly, "127.0.0.1", 0)
        self._stack.push_async_callback(server.wait_closed)
        self._stack.callback(server.close)
        self._not_tls = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._stack.aclose()

    @classmethod
    def in_thread(cls) -> AbstractContextManager[Self]:
        """The provider with an event loop of its own in a thread of its own."""
        return in_own_thread(cls())

    # inside

    def _answer(self, received: Received) -> Scripted:
        call = self._read(received.path, received.body, received)
        if call is None:
            self.strays.append(received.path)
            return Scripted(status=404)
        case, asked = call
        case.calls.append(asked)
        said = Said(
            asked.model, (asked.model, *WORDS), msgspec.json.decode(received.body, type=dict[str, Any])
        )
        fault = fault_of(asked)
        make = answer_well if fault is None else fault.make
        return make(VOICES[asked.dialect], said, asked.stream)

    def _read(self, path: str, body: bytes, received: Received | None = None) -> tuple[Case, Asked] | None:
        """Which case a call belongs to and what it asks; None for what no dialect would send."""
        provider = path.lstrip("/").partition("/")[0]
        found = MARK.search(body)
        case = self._cases[int(found[1]) if found else 0]
        if gemini := _GEMINI.search(path):
            model = unquote(gemini[1])
            return case, _asked(case, model, provider, "gemini", bool(gemini[2]), received)
        dialect = next((dialect for end, dialect in _PATHS.items() if path.endswith(end)), None)
        if dialect is None:
            return None
        told: dict[str, Any] = msgspec.json.decode(body)
        stream = told.get("stream", dialect == "ollama") is True
        return case, _asked(case, str(told["model"]), provider, dialect, stream, received)

    def _unreachable(self, fault: Fault, url: str) -> str:
        if fault.reach == "refused":
            return url.replace(self._fake.origin, f"http://127.0.0.1:{self._refused.getsockname()[1]}")
        return url.replace(self._fake.origin, f"https://127.0.0.1:{self._not_tls}")


def _asked(
    case: Case, model: str, provider: str, dialect: str, stream: bool, received: Received | None
) -> Asked:
    return Asked(model, provider, dialect, stream, case.faults.get(f"{provider}/{model}"), received)


def _impatient(fault: Fault, own: Deadlines, impatient: Deadlines, *, is_late: bool) -> Deadlines:
    """The deadlines that a fault runs into. Words in front of it must have the time to arrive."""
    if fault.waits == "total":
        return replace(own, total_s=impatient.total_s if is_late else impatient.idle_s)
    return replace(own, idle_s=impatient.idle_s) if is_late else impatient


async def _speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a client that begins with TLS does not understand."""
    await reader.read(_TAKEN_BYTES_MAX)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
    writer.close()
