"""Keeps the lists of models of the providers that are asked for them: now and then, in threads, off every request's path.
What a list becomes is config's."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.config.load import load
from pointsman.config.loaded import Lists, Loaded
from pointsman.config.schema import Settings
from pointsman.config.values import providers_of
from pointsman.fleet.listed import Listed
from pointsman.server.control import DiscoveryStatus
from pointsman.upstream.discovery import Lister, NoList, list_models
from pointsman.upstream.provider import Provider

log = logging.getLogger("pointsman.control")

_COMMAND_WAITS_S = 5.0


@dataclass(slots=True)
class _Known:
    """One provider. `listed` is the latest list there was, whatever came of asking since."""

    provider: Provider
    listed: tuple[Listed, ...] | None = None
    is_asking: bool = False
    due_s: float = 0.0
    answered_at_s: float | None = None
    error: str | None = None


class Discoverer:
    """`on_change` is called, from a thread, with the name of a provider whose list is another one than before. A provider
    is asked once at a time, however often somebody wants it asked."""

    def __init__(self, on_change: Callable[[str], None], lister: Lister = list_models) -> None:
        self._on_change = on_change
        self._lister = lister
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._refresh_s = self._timeout_s = 1.0
        self._wake = threading.Event()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="discover-models", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Does not wait for who is being asked."""
        self._is_stopped = True
        self._wake.set()

    def follow(self, settings: Settings) -> None:
        """From now on these providers are asked; those that are new, or reached otherwise, at once."""
        with self._lock:
            self._refresh_s = settings.discovery.refresh_s
            self._timeout_s = settings.discovery.timeout_s
            old, self._known = self._known, {}
            for name, provider in discovering(settings).items():
                known = old.get(name)
                self._known[name] = (
                    known
                    if known is not None and known.provider == provider
                    else _Known(provider, known.listed if known is not None else None)
                )
        self._wake.set()

    def refresh(self) -> None:
        """Everybody is asked at once."""
        with self._lock:
            for known in self._known.values():
                known.due_s = 0.0
        self._wake.set()

    def lists(self) -> Lists:
        with self._lock:
            return {name: known.listed for name, known in self._known.items() if known.listed is not None}

    def status(self) -> tuple[DiscoveryStatus, ...]:
        with self._lock:
            return tuple(
                DiscoveryStatus(
                    provider=name,
                    listed=None if known.listed is None else len(known.listed),
                    answered_at_s=known.answered_at_s,
                    error=known.error,
                )
                for name, known in self._known.items()
            )

    def _run(self) -> None:
        while not self._is_stopped:
            wait_s = self._ask_those_due(time.monotonic())
            self._wake.wait(wait_s)
            self._wake.clear()

    def _ask_those_due(self, now_s: float) -> float:
        """How long nobody will be due."""
        with self._lock:
            due = [known for known in self._known.values() if known.due_s <= now_s and not known.is_asking]
            for known in due:
                known.is_asking, known.due_s = True, now_s + self._refresh_s
            next_s = min((known.due_s for known in self._known.values()), default=now_s + self._refresh_s)
        for known in due:
            threading.Thread(target=self._ask, args=(known,), name="discover-models", daemon=True).start()
        return max(next_s - now_s, 0.05)

    def _ask(self, known: _Known) -> None:
        name = known.provider.name
        try:
            listed = self._lister(known.provider, self._timeout_s)
        except NoList as error:
            kept = "no models of it are known yet" if known.listed is None else "the models it had are kept"
            with self._lock:
                is_news, known.error = known.error != error.message, error.message
                known.is_asking = False
            if is_news:
                log.warning("the provider %s gave no list of its models: %s; %s", name, error.message, kept)
            return
        with self._lock:
            is_changed = known.listed != listed
            known.listed, known.error, known.is_asking = listed, None, False
            known.answered_at_s = time.time()
            is_changed = is_changed and self._known.get(name) is known
        if is_changed and not self._is_stopped:
            self._on_change(name)


def discovering(settings: Settings) -> dict[str, Provider]:
    """The providers that are to be asked."""
    return {
        name: provider
        for name, provider in providers_of(settings).items()
        if settings.providers[name].discover is not None
    }


def load_with_models(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Loaded:
    """For commands: everything as it is once all providers have been asked. Who does not answer soon is named in the
    warnings. Raises ConfigError."""
    loaded = load(path, environ, flags)
    lists: dict[str, Sequence[Listed]] = {}
    failed: dict[str, str] = {}
    timeout_s = min(loaded.settings.discovery.timeout_s, _COMMAND_WAITS_S)

    def ask(name: str, provider: Provider) -> None:
        try:
            lists[name] = list_models(provider, timeout_s)
        except NoList as error:
            failed[name] = error.message

    threads = [
        threading.Thread(target=ask, args=one, daemon=True) for one in discovering(loaded.settings).items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * timeout_s)
    return (
        loaded.again(lists=dict(lists)).warned(
            f"the provider {name} gave no list of its models: {why}" for name, why in failed.items()
        )
        if threads
        else loaded
    )
