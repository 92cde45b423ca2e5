"""Composition root: settings become a running gateway. Everything is built and checked before the first
connection is accepted; a reload builds all of it anew."""

import asyncio
import errno
import gc
import importlib.resources
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from pointsman import __version__
from pointsman.config.advice import cascade_of, consult_of, feedback_of, panel_of, staying_of
from pointsman.config.cards import baseline_of, cards_of, served_of
from pointsman.config.deadlines import deadlines_of
from pointsman.config.learned import weights_of
from pointsman.config.limits import LimitsSettings, TargetLimitsSettings
from pointsman.config.loaded import Loaded
from pointsman.config.schema import ServerSettings, Settings
from pointsman.config.values import (
    breaker_policy_of,
    ceilings_of,
    chains_of,
    limits_of,
    policy_of,
    providers_of,
    retry_budget_of,
    retry_policy_of,
    target_limits_of,
)
from pointsman.config.watching import watching_of
from pointsman.control.backend_watch import BackendWatch
from pointsman.control.running import Running
from pointsman.control.runtime import Brain, Runtime
from pointsman.core.ports import Limits, Send
from pointsman.fleet.pool import Fleet
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.hedge import Hedging
from pointsman.gateway.memory import Memory
from pointsman.gateway.model_call import Reach
from pointsman.gateway.pipeline import Pipeline, Record
from pointsman.gateway.slot_book import SlotBook
from pointsman.gateway.slots import Slots
from pointsman.gateway.target import Target
from pointsman.ledger.store import Ledger
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.names import Names
from pointsman.server.auth import Door
from pointsman.server.models import ListedModel, ModelList
from pointsman.server.protocol import protocol_factory
from pointsman.server.shutdown import Server
from pointsman.server.sockets import (
    BACKLOG,
    allow_files,
    connections_within,
    files_wanted,
    listen,
    url_of,
)
from pointsman.upstream.client import Client, PoolLimits
from pointsman.upstream.demo import send_demo
from pointsman.upstream.known_providers import KNOWN_PROVIDERS
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ProviderDialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

log = logging.getLogger("pointsman.app")

_SPOKEN: tuple[ProviderDialect, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI, OLLAMA)
DIALECTS: Mapping[str, ProviderDialect] = {dialect.name: dialect for dialect in _SPOKEN}
"""What providers may speak."""

_GARBAGE_OBJECTS_MAX = 100_000  # some 10 to 20 MB
_KEEP_ALIVE_S = 75  # longer than the idle time after which common clients and balancers reuse a connection
_KILLED_BY = 128  # what shells add a signal's number to


@cache
def _shipped_keywords() -> Keywords:
    """They never change, take a tenth of a second and hold some megabytes: whatever is configured anew finds them here."""
    text = importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
    return Keywords.parse(text)


def build_brain(settings: Settings) -> Brain:
    """Raises ConfigError."""
    cards = cards_of(settings)
    policy = policy_of(settings)
    keywords = _shipped_keywords()
    learned = weights_of(settings.routing.learned)
    names = Names(
        cards,
        policy.profiles,
        settings.aliases,
        settings.unknown_model,
        learned.score_at if learned is not None else None,
    )
    return Brain(cards, names, Router(cards, policy, keywords, panel_of(settings), learned))


@dataclass(frozen=True, slots=True)
class Lasting:
    """What goes on while configurations come and go: `send` reaches providers, `record` takes ledger rows, `ledger` is
    what `/metrics` tells of requests."""

    send: Send
    record: Record
    ledger: Ledger | None = None
    memory: Memory = field(default_factory=Memory)
    book: SlotBook = field(default_factory=SlotBook)


def build(settings: Settings, lasting: Lasting, *, now_s: float, brain: Brain | None = None) -> Runtime:
    """Nothing of what lasts is changed by it. `brain` is that of the same settings, where it is there already: it keeps
    nothing of any request. Raises ConfigError."""
    brain = brain or build_brain(settings)
    send = lasting.send
    limits: dict[str, Limits] = {}

    def slots_of(name: str, given: Limits) -> Slots:
        limits[name] = given
        return lasting.book.of(name, given)

    def slots_within(name: str, settings: TargetLimitsSettings) -> tuple[Slots, ...]:
        given = target_limits_of(settings)
        return () if given is None else (slots_of(name, given),)

    providers = providers_of(settings)
    key_prefixes = {prefix for known in KNOWN_PROVIDERS.values() for prefix in known.caller_key_prefixes}
    of_providers = {
        name: slots_within(f"the provider {name}", provider.limits)
        for name, provider in settings.providers.items()
    }
    served = served_of(settings)
    of_models = {
        name: slots_within(f"the model {name}", model.limits) for name, model in settings.models.items()
    }
    targets: dict[str, Target] = {}
    for backend, card in served:
        provider = providers[card.provider]
        own = provider.caller_key_prefixes
        target = Target(
            card,
            provider,
            DIALECTS[provider.dialect],
            send_demo if provider.embedded else send,
            tuple(sorted(prefix for prefix in key_prefixes if prefix not in own and prefix.startswith(own))),
            slots=(*of_models[card.name], *of_providers[card.provider]),
            deadlines=deadlines_of(
                settings.models[card.name].deadlines,
                settings.providers[card.provider].deadlines,
                settings.deadlines,
            ),
        )
        others = {name: replace(target, dialect=DIALECTS[name]) for name in provider.also_speaks}
        targets[backend.name] = replace(target, others=others)
    fleet = Fleet([backend for backend, _ in served], breaker_policy_of(settings))
    asked_first = {card.name: targets[fleet.backends_of(card.name)[0]] for card in brain.cards}
    baseline = baseline_of(settings, brain.cards)
    feedback = feedback_of(settings, brain.cards, policy_of(settings).boundaries)
    reach = Reach(fleet, targets, breaker_policy_of(settings))
    dispatch = Dispatch(
        targets,
        lasting.memory,
        fleet,
        retry_policy_of(settings),
        retry_budget_of(settings),
        ceilings_of(settings, served),
        _hedging_of(settings),
        staying_of(settings, targets),
    )
    pipeline = Pipeline(
        brain.names,
        brain.router,
        dispatch,
        lasting.record,
        baseline.price if baseline is not None else None,
        consult_of(settings, brain.router, asked_first, reach, send, feedback),
        cascade_of(settings, asked_first, reach, dispatch),
        chains_of(settings, brain.cards),
        tells_routing=settings.routing.told_in_answers,
    )
    if feedback is not None:
        feedback.use = partial(_calibrate, pipeline, brain.router)
        feedback.restore()
    slots = slots_of("the gateway", limits_of(settings.limits))
    return Runtime(
        brain,
        pipeline,
        fleet,
        ModelList(_listed(settings, brain), int(now_s)),
        _door(settings.server),
        slots,
        lasting.book,
        limits,
        watching_of(settings, fleet, served, targets, pipeline, slots, lasting.ledger),
        feedback,
    )


def _calibrate(pipeline: Pipeline, router: Router, boundaries: tuple[float, ...]) -> None:
    pipeline.use(router.with_boundaries(boundaries))


def _hedging_of(settings: Settings) -> Hedging | None:
    hedging = settings.reliability.hedging
    if not hedging.models and not hedging.profiles:
        return None
    budget = RetryBudget(hedging.budget_share, hedging.budget_burst)
    return Hedging(hedging.models, hedging.profiles, budget)


def _door(settings: ServerSettings) -> Door:
    master, admin = settings.master_key, settings.admin_key
    return Door(
        None if master is None else master.get_secret_value(),
        frozenset(settings.cors_origins),
        None if admin is None else admin.get_secret_value(),
    )


def _listed(settings: Settings, brain: Brain) -> list[ListedModel]:
    virtual = [ListedModel(name, "pointsman", f"{name} (routed)") for name in brain.names.profile_names]
    aliases = [
        ListedModel(name, "pointsman", f"{name} ({target})") for name, target in settings.aliases.items()
    ]
    real = [
        ListedModel(card.name, card.provider, card.name, card.context_tokens, card.max_output_tokens)
        for card in brain.cards
    ]
    return [*virtual, *aliases, *real]


class Stopper:
    """Asks a running gateway to stop, or to read its configuration again, from a signal or from any thread."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.cut_by: int | None = None
        """The signal that ended the grace."""
        self._is_stopped = False
        self._running: Running | None = None
        self._is_reload_wanted = False
        self._had_terminal = _has_terminal()

    def attach(self, server: Server, running: Running) -> None:
        self.server = server
        self._running = running
        if self._is_reload_wanted:
            running.reload_soon("SIGHUP")
        server.should_exit = self._is_stopped
        server.force_exit = self.cut_by is not None

    def stop(self) -> None:
        self._is_stopped = True
        if self.server is not None:
            self.server.should_exit = True

    def on_signal(self, number: int, _frame: FrameType | None = None) -> None:
        """The first one asks for an orderly end, the next for one at once."""
        if self._is_stopped:
            self.cut_by = number
            if self.server is not None:
                self.server.force_exit = True
        self.stop()

    def on_hangup(self, number: int, _frame: FrameType | None = None) -> None:
        """The configuration is read again, unless a terminal was closed: that is the end."""
        if self._had_terminal and not _has_terminal():
            self.on_signal(number)
        elif self._running is not None:
            self._running.reload_soon("SIGHUP")
        self._is_reload_wanted = True


def _has_terminal() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


async def run(
    loaded: Loaded,
    listener: socket.socket,
    record: Record,
    stopper: Stopper,
    connections_max: int | None = None,
    ledger: Ledger | None = None,
) -> None:
    """Builds a gateway that reaches its providers over the network, and lets it answer. `connections_max` is how many clients may be connected, where that is not as configured; `ledger` is
    what `/metrics` tells of requests. Raises ConfigError."""
    limits = loaded.settings.limits
    client = Client(limits=PoolLimits(open_max=max(limits.in_flight, PoolLimits().open_max)))
    lasting = Lasting(client.send, record, ledger)
    watch = BackendWatch(client.send, loaded.settings.ledger.path)
    try:
        await answer(
            loaded,
            lambda settings: build(settings, lasting, now_s=time.time()),
            listener,
            stopper,
            limits.connections if connections_max is None else connections_max,
            watch,
        )
    finally:
        await watch.close()  # first: connections that are cut now are no fault of any backend
        await client.close()


async def answer(
    loaded: Loaded,
    prepare: Callable[[Settings], Runtime],
    listener: socket.socket,
    stopper: Stopper,
    connections_max: int,
    watch: BackendWatch | None = None,
) -> None:
    """Answers connections until it is asked to stop; then lets what is under way finish, bounded. `prepare` makes what
    answers, now and at every reload; `watch` looks after its backends. Raises ConfigError."""
    running = Running(loaded, prepare, connections_max, watch)
    config = uvicorn.Config(
        running.asgi,
        interface="asgi3",
        http=protocol_factory(running.service),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    # What is alive now stays alive: the collector need not look at it again. Requests leave no cycles behind
    # (a test holds them to it), so looking for some after every few requests is time lost: up to a fifth of it.
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(_GARBAGE_OBJECTS_MAX, 10, 10)
    server = Server(config, running.runtime.slots, loaded.settings.server.shutdown_grace_s)
    running.attach(server)
    stopper.attach(server, running)
    with running.watching():
        await server.serve(sockets=[listener])


def serve(loaded: Loaded) -> int:
    """Runs until SIGTERM or SIGINT; a second one cuts what is still under way. Returns the exit code: 0 after an orderly
    end, else 128 and the number of the signal that cut it. Raises ConfigError and LedgerError before anything
    is answered."""
    settings = loaded.settings
    logging.basicConfig(
        level=settings.server.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    # From here on a signal means an orderly end, however early it comes, and the ledger is closed in any case.
    connections = _connections_within_open_files(settings.limits)
    stopper = Stopper()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopper.on_signal)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, stopper.on_hangup)
    try:
        listener = listen(settings.server.host, settings.server.port)
    except OSError as error:
        where = f"{settings.server.host}:{settings.server.port}"
        hint = "; choose another with --port" if error.errno == errno.EADDRINUSE else ""
        sys.stderr.write(f"pointsman: cannot listen on {where}: {error.strerror or error}{hint}\n")
        return 1
    ledger = Ledger(Path(settings.ledger.path) if settings.ledger.enabled and settings.ledger.path else None)
    ledger.open()
    sys.stdout.write(f"pointsman {__version__} listening on {url_of(listener)}\n")
    sys.stdout.flush()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(loaded, listener, ledger.record, stopper, connections, ledger))
    finally:
        ledger.close()
    return 0 if stopper.cut_by is None else _KILLED_BY + stopper.cut_by


def _connections_within_open_files(limits: LimitsSettings) -> int:
    """No more connections than this process may have files open: one too many would stop it from accepting any."""
    files = allow_files(files_wanted(limits.connections, limits.in_flight))
    connections = connections_within(files, limits.connections, limits.in_flight)
    if connections < limits.connections:
        log.warning(
            "at most %d connections, not %d (limits.connections): this process may have %d files open (ulimit -n)",
            connections,
            limits.connections,
            files,
        )
    return connections
