"""Drives a configuration through the lab: each fault at each place of each chain, and whether the model behind it answered.
Every provider is replaced by the lab's: no key is sent, and nobody else is spoken to."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import NamedTuple, Self

from pydantic import SecretStr

from pointsman.app import Lasting, build, build_brain
from pointsman.config.cards import served_of
from pointsman.config.cascade import CascadeSettings
from pointsman.config.opinions import JudgeSettings, SidecarSettings
from pointsman.config.schema import ProviderSettings, Settings
from pointsman.config.values import ceilings_of
from pointsman.control.runtime import Runtime
from pointsman.core.errors import UpstreamError
from pointsman.core.events import Finished, ReplyEvent, TextDelta
from pointsman.core.ports import Answer, Deadlines, Incoming
from pointsman.gateway.call import Call, new_request_id
from pointsman.lab.faults import Fault
from pointsman.lab.routes import Route, body_of, less_what_is_withheld, routes_of
from pointsman.lab.upstream import FaultUpstream, answer_text
from pointsman.ledger.entry import Attempt, Entry
from pointsman.upstream.client import Client
from pointsman.wire.openai_chat import OPENAI_CHAT

COMMON: tuple[str, ...] = (
    "refused",
    "slow_head",
    "401",
    "404",
    "429_retry_after",
    "500",
    "503",
    "html_200",
    "error_in_200",
    "bad_json",
    "cut_before_content",
    "stall_before_content",
)
"""The faults that are seen most, all of them before the first word of an answer."""

_IMPATIENT = Deadlines(connect_s=5.0, first_byte_s=0.6, idle_s=0.6, total_s=3.0)
"""What never goes on is not waited for as long as the configuration says."""

_WITHOUT_OPINIONS = {
    "judge": JudgeSettings(),
    "sidecar": SidecarSettings(),
    "cascade": CascadeSettings(),
}
"""Who is asked beside those who answer would only blur the path."""

_STAND_IN = "lab"
_AT_ONCE = 8
_PATIENCE_S = 60.0
_CALLERS_OWN = frozenset({401, 402, 403})


@dataclass(frozen=True, slots=True)
class Trial:
    """One request. `failing` are the models that were made to fail, from the front of the chain, or one backend of
    the first; `wanted` the model that should have answered, None where all fail. `path` says who
    was asked, in order.
    `answered` is the model whose whole answer the caller got. `wrong` says what is, None where nothing is. Out of
    reach is a model whose turn never comes, for a request has not so many attempts: not wrong, unless it is the
    first fallback, or somebody wrote the chain down."""

    route: Route
    fault: str | None
    stream: bool
    failing: tuple[str, ...]
    wanted: str | None
    path: tuple[str, ...]
    status: int | None
    answered: str | None
    wrong: str | None
    is_out_of_reach: bool = False


class _Place(NamedTuple):
    """What fails, as it is shown and as provider/model id, and which model should answer then."""

    failing: tuple[str, ...]
    targets: frozenset[str]
    wanted: str | None


class Heard:
    """What the caller of a trial is sent. Implements `core.ports.Answer`."""

    def __init__(self) -> None:
        self.is_started = False
        self.disconnected = False
        self.status: int | None = None
        self.body = b""
        self.is_finished = False

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        self.is_started = True
        self.status = status

    def write(self, data: bytes) -> None:
        self.body += data

    def finish(self) -> None:
        self.is_finished = True

    def break_off(self) -> None:
        self.disconnected = True

    def throttle(self, source: Incoming | None) -> None:
        """It always keeps up."""

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        """It needs no patience asked of it."""

    def text(self, *, stream: bool) -> str | None:
        """The text of a whole answer, None where it is none."""
        if self.status != 200 or not self.is_finished:
            return None
        try:
            events = _streamed(self.body) if stream else OPENAI_CHAT.decode_reply(self.body, _STAND_IN)
        except UpstreamError:
            return None
        if not any(isinstance(event, Finished) for event in events):
            return None
        return "".join(event.text for event in events if isinstance(event, TextDelta))


def _streamed(body: bytes) -> list[ReplyEvent]:
    decoder = OPENAI_CHAT.reply_decoder(_STAND_IN)
    return [*decoder.feed(body), *decoder.finish()]


class Lab:
    """One configuration in the lab. To be entered before use."""

    def __init__(self, settings: Settings) -> None:
        settings = settings.model_copy(update=_WITHOUT_OPINIONS)
        self.brain = build_brain(settings)  # prices go by where a provider really is
        self.upstream = FaultUpstream()
        self._client = Client()
        self._send = self.upstream.through(self._client.send, _IMPATIENT)
        self._settings = settings
        served = served_of(settings)
        self._ceilings = ceilings_of(settings, served)
        self._model_of = {f"{card.provider}/{card.id}": card.name for _, card in served}
        self._backends: dict[str, list[str]] = {}
        for target, model in self._model_of.items():
            self._backends.setdefault(model, []).append(target)
        self._shown = {
            f"{card.provider}/{card.id}": card.name if len(self._backends[card.name]) == 1 else backend.name
            for backend, card in served
        }
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.upstream)
        self._stack.push_async_callback(self._client.close)
        providers = {
            name: self._replaced(name, provider) for name, provider in self._settings.providers.items()
        }
        self._settings = self._settings.model_copy(update={"providers": providers})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._stack.aclose()

    def routes(self) -> list[Route]:
        routes = routes_of(self.brain, self._runtime().pipeline)
        ceilings = self._ceilings
        return routes if ceilings is None else [less_what_is_withheld(route, ceilings) for route in routes]

    async def try_route(self, route: Route, faults: Sequence[Fault]) -> list[Trial]:
        """Every model of the chain in turn has to answer when all before it fail; in the end all of them do. Behind a
        model that is never asked nobody else can be."""
        trials: list[Trial] = []
        for place in self._places(route):
            found = await self._try_place(route, place, faults)
            if place.wanted is not None and not self._was_asked(place.wanted, found):
                is_promised = len(place.failing) == 1 or route.is_written_down
                return trials + [_out_of_reach(trial, is_promised=is_promised) for trial in found]
            trials += found
        return trials

    def _places(self, route: Route) -> Iterator[_Place]:
        """What fails, from nobody to everybody: first each single backend of a model that has several."""
        names = [card.name for card in route.chain]
        yield _Place((), frozenset(), names[0])
        for target in self._backends[names[0]] if len(self._backends[names[0]]) > 1 else ():
            yield _Place((self._shown[target],), frozenset({target}), names[0])
        for count in range(1, len(names) + 1):
            failing = frozenset(target for name in names[:count] for target in self._backends[name])
            yield _Place(tuple(names[:count]), failing, names[count] if count < len(names) else None)

    def _was_asked(self, model: str, trials: Sequence[Trial]) -> bool:
        shown = {self._shown[target] for target in self._backends[model]}
        return any(not shown.isdisjoint(trial.path) for trial in trials)

    async def _try_place(self, route: Route, place: _Place, faults: Sequence[Fault]) -> list[Trial]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def tried(fault: Fault | None, stream: bool) -> Trial:
            async with room:
                return await self._try(route, place, fault, stream=stream)

        return await asyncio.gather(*(tried(fault, stream) for fault, stream in _ways(place, faults)))

    async def _try(self, route: Route, place: _Place, fault: Fault | None, *, stream: bool) -> Trial:
        case = self.upstream.case({} if fault is None else dict.fromkeys(place.targets, fault.name))
        heard = Heard()
        started_s, now_s = time.perf_counter(), time.time()
        call = Call(
            request_id=new_request_id(now_s),
            dialect=OPENAI_CHAT,
            headers=(),
            query="",
            body=body_of(route.asked[0], f"{route.prompt} ({case.mark})", stream=stream),
            caller=_STAND_IN,
            credentials=(),
            started_at_s=now_s,
            clock=time.perf_counter,
            started_clock_s=started_s,
        )
        has_ended = True
        try:
            # A pipeline of its own: what one trial does to a breaker is not felt by the next.
            await asyncio.wait_for(self._runtime().pipeline.handle(call, heard), _PATIENCE_S)
        except TimeoutError:
            has_ended = False
        calls = case.calls
        has_answer = bool(calls) and heard.text(stream=stream) == answer_text(calls[-1].model)
        answered = self._model_of[calls[-1].target] if has_answer else None
        return Trial(
            route=route,
            fault=None if fault is None else fault.name,
            stream=stream,
            failing=place.failing,
            wanted=place.wanted,
            path=tuple(self._shown[asked.target] for asked in calls),
            status=heard.status,
            answered=answered,
            wrong=_wrong(place.wanted, answered, heard.status) if has_ended else "it has no end",
        )

    def _replaced(self, name: str, provider: ProviderSettings) -> ProviderSettings:
        """The same provider in the lab, without anything that is secret."""
        return provider.model_copy(
            update={
                "base_url": self.upstream.base_url(name),
                "api_key": SecretStr(_STAND_IN) if provider.api_key is not None else None,
                "headers": {},
                "pass_through_caller_key": False,
            }
        )

    def _runtime(self) -> Runtime:
        return build(self._settings, Lasting(self._send, _unbooked), now_s=time.time(), brain=self.brain)


def _ways(place: _Place, faults: Sequence[Fault]) -> Iterator[tuple[Fault | None, bool]]:
    """What is tried at one place. Where nobody fails there is nothing to choose."""
    for stream in (True, False):
        if not place.failing:
            yield None, stream
            continue
        for fault in faults:
            if fault.phase(stream=stream) == "early":
                yield fault, stream


def _wrong(wanted: str | None, answered: str | None, status: int | None) -> str | None:
    if answered is not None:
        return None if answered == wanted else f"{answered} answered"
    if wanted is None and status is not None and status >= 400 and status not in _CALLERS_OWN:
        return None
    return "the caller got a broken answer" if status == 200 else f"the caller was told {status}"


def _out_of_reach(trial: Trial, *, is_promised: bool) -> Trial:
    reason = f"{trial.wanted} is never asked, {trial.wrong}" if is_promised else None
    return replace(trial, is_out_of_reach=True, wrong=reason)


def _unbooked(entry: Entry, attempts: tuple[Attempt, ...]) -> None:
    """Trials are nobody's requests."""
