"""Composition root: settings become a running gateway. Everything is built and checked before the first
connection is accepted, and nothing of it changes afterwards."""

import asyncio
import errno
import gc
import importlib.resources
import logging
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from pointsman import __version__
from pointsman.config.advice import consult_of, feedback_of, panel_of
from pointsman.config.cards import baseline_of, cards_of, served_of
from pointsman.config.limits import TargetLimitsSettings
from pointsman.config.load import Loaded
from pointsman.config.schema import ServerSettings, Settings
from pointsman.config.values import (
    breaker_policy_of,
    limits_of,
    policy_of,
    providers_of,
    retry_budget_of,
    retry_policy_of,
    target_limits_of,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Send
from pointsman.fleet.pool import Fleet
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.feedback import Feedback
from pointsman.gateway.memory import Memory
from pointsman.gateway.operation import Operation
from pointsman.gateway.pipeline import Pipeline, Record
from pointsman.gateway.slots import Slots
from pointsman.gateway.target import Target
from pointsman.ledger.entry import Attempt, Entry
from pointsman.ledger.store import Ledger
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.names import Names
from pointsman.server.asgi import GEMINI_VERBS, INFERENCE_PATHS, OPERATIONS, build_app
from pointsman.server.auth import Door
from pointsman.server.endpoints import EndpointTable
from pointsman.server.inference import InferenceEndpoint
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
from pointsman.wire.dialect import Dialect, ProviderDialect
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


@dataclass(frozen=True, slots=True)
class Brain:
    """What decides, without anything that sends: enough for a dry run."""

    cards: tuple[ModelCard, ...]
    names: Names
    router: Router


@dataclass(frozen=True, slots=True)
class Runtime:
    """A whole gateway, ready to be given at most `connections` of them at once."""

    brain: Brain
    pipeline: Pipeline
    fleet: Fleet
    models: ModelList
    door: Door
    slots: Slots
    connections: int
    feedback: Feedback | None = None


def build_brain(settings: Settings) -> Brain:
    """Raises ConfigError."""
    cards = cards_of(settings)
    policy = policy_of(settings)
    keywords = Keywords.parse(
        importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
    )
    names = Names(cards, policy.profiles, settings.aliases, settings.unknown_model)
    return Brain(cards, names, Router(cards, policy, keywords, panel_of(settings)))


def build(
    settings: Settings, *, send: Send, record: Record, now_s: float, brain: Brain | None = None
) -> Runtime:
    """`send` reaches providers, `record` takes ledger rows. `brain` is that of the same settings, where it is there
    already: it keeps nothing of any request. Raises ConfigError."""
    brain = brain or build_brain(settings)
    providers = providers_of(settings)
    key_prefixes = {prefix for known in KNOWN_PROVIDERS.values() for prefix in known.caller_key_prefixes}
    of_providers = {
        name: _slots(f"the provider {name}", provider.limits) for name, provider in settings.providers.items()
    }
    served = served_of(settings)
    of_models = {name: _slots(f"the model {name}", model.limits) for name, model in settings.models.items()}
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
        )
        others = {name: replace(target, dialect=DIALECTS[name]) for name in provider.also_speaks}
        targets[backend.name] = replace(target, others=others)
    fleet = Fleet([backend for backend, _ in served], breaker_policy_of(settings))
    asked_first = {card.name: targets[fleet.backends_of(card.name)[0]] for card in brain.cards}
    baseline = baseline_of(settings, brain.cards)
    feedback = feedback_of(settings, brain.cards, policy_of(settings).boundaries)
    dispatch = Dispatch(targets, Memory(), fleet, retry_policy_of(settings), retry_budget_of(settings))
    pipeline = Pipeline(
        brain.names,
        brain.router,
        dispatch,
        record,
        baseline.price if baseline is not None else None,
        consult_of(settings, brain.router, asked_first, send, feedback),
    )
    if feedback is not None:
        feedback.use = partial(_calibrate, pipeline, brain.router)
        feedback.restore()
    return Runtime(
        brain,
        pipeline,
        fleet,
        ModelList(_listed(settings, brain), int(now_s)),
        _door(settings.server),
        Slots("the gateway", limits_of(settings.limits)),
        settings.limits.connections,
        feedback,
    )


def _calibrate(pipeline: Pipeline, router: Router, boundaries: tuple[float, ...]) -> None:
    pipeline.use(router.with_boundaries(boundaries))


def _door(settings: ServerSettings) -> Door:
    master, admin = settings.master_key, settings.admin_key
    return Door(
        None if master is None else master.get_secret_value(),
        frozenset(settings.cors_origins),
        None if admin is None else admin.get_secret_value(),
    )


def _slots(of: str, settings: TargetLimitsSettings) -> tuple[Slots, ...]:
    limits = target_limits_of(settings)
    return () if limits is None else (Slots(of, limits),)


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
    """Asks a running gateway to stop, from a signal or from any thread."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.cut_by: int | None = None
        """The signal that ended the grace."""
        self._is_stopped = False

    def attach(self, server: Server) -> None:
        self.server = server
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


async def run(settings: Settings, listener: socket.socket, record: Record, stopper: Stopper) -> None:
    """Builds a gateway that reaches its providers over the network, and lets it answer."""
    client = Client(limits=PoolLimits(open_max=max(settings.limits.in_flight, PoolLimits().open_max)))
    try:
        runtime = build(settings, send=client.send, record=record, now_s=time.time())
        await answer(runtime, settings.server, listener, stopper)
    finally:
        await client.close()


def endpoint_table(runtime: Runtime, max_body_bytes: int) -> EndpointTable:
    """What answers a POST that reaches a model."""

    def speaking(dialect: Dialect, operation: Operation | None) -> InferenceEndpoint:
        return InferenceEndpoint(
            dialect, runtime.door, runtime.slots, runtime.pipeline, max_body_bytes, operation=operation
        )

    return EndpointTable(
        {path: speaking(dialect, OPERATIONS.get(path)) for path, dialect in INFERENCE_PATHS.items()},
        {
            verb: partial(speaking(GEMINI, operation).at, stream=verb == "streamGenerateContent")
            for verb, operation in GEMINI_VERBS.items()
        },
    )


async def answer(
    runtime: Runtime, settings: ServerSettings, listener: socket.socket, stopper: Stopper
) -> None:
    """Answers connections until it is asked to stop; then lets what is under way finish, bounded."""
    limit = settings.max_body_bytes
    endpoints = endpoint_table(runtime, limit)
    config = uvicorn.Config(
        build_app(runtime.pipeline, runtime.models, runtime.door, runtime.slots, limit, runtime.feedback),
        http=protocol_factory(  # type: ignore[arg-type]
            endpoints, limit, settings.keepalive_after_s, runtime.connections
        ),
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
    gc.set_threshold(_GARBAGE_OBJECTS_MAX, 10, 10)
    server = Server(config, runtime.slots, settings.shutdown_grace_s)
    stopper.attach(server)
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
    settings = _within_open_files(settings)
    stopper = Stopper()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopper.on_signal)
    try:
        listener = listen(settings.server.host, settings.server.port)
    except OSError as error:
        where = f"{settings.server.host}:{settings.server.port}"
        hint = "; choose another with --port" if error.errno == errno.EADDRINUSE else ""
        sys.stderr.write(f"pointsman: cannot listen on {where}: {error.strerror or error}{hint}\n")
        return 1
    ledger = Ledger(Path(settings.ledger.path)) if settings.ledger.enabled and settings.ledger.path else None
    if ledger is not None:
        ledger.open()
    sys.stdout.write(f"pointsman {__version__} listening on {url_of(listener)}\n")
    sys.stdout.flush()
    record = ledger.record if ledger is not None else _nowhere
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, listener, record, stopper))
    finally:
        if ledger is not None:
            ledger.close()
    return 0 if stopper.cut_by is None else _KILLED_BY + stopper.cut_by


def _within_open_files(settings: Settings) -> Settings:
    """With no more connections than this process may have files open: one too many would stop it from accepting any."""
    limits = settings.limits
    files = allow_files(files_wanted(limits.connections, limits.in_flight))
    connections = connections_within(files, limits.connections, limits.in_flight)
    if connections < limits.connections:
        log.warning(
            "at most %d connections, not %d (limits.connections): this process may have %d files open (ulimit -n)",
            connections,
            limits.connections,
            files,
        )
    return settings.model_copy(update={"limits": limits.model_copy(update={"connections": connections})})


def _nowhere(entry: Entry, attempts: tuple[Attempt, ...]) -> None:
    """The ledger is switched off."""
