"""Reads the configuration again and puts what comes of it in the place of what runs. How that is built, and what it
means to put it there, it is told; it keeps no connection and answers nobody.

    asked -> read and built, in a thread, while everything goes on -> put in place, between two events of the loop
                                                                   -> or refused, and nothing has happened
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pointsman.config.loaded import Lists, Loaded
from pointsman.config.overlay import Overlay, overlay_path, read_overlay, write_overlay
from pointsman.config.schema import Settings
from pointsman.control.changes import held, model_changes, models_by_tier, waiting_for_restart
from pointsman.core.errors import ConfigError, PointsmanError, Problem
from pointsman.server.control import FailedReload, Reloaded, ReloadStatus

log = logging.getLogger("pointsman.control")

Made = TypeVar("Made")


class Reloads(Generic[Made]):
    """`prepare` builds from settings, in any thread, and raises ConfigError; `install` puts it in place, in the loop, and
    does not fail; `lists` are the models that providers list. One at a time: whoever asks meanwhile waits, and then everything is read once more."""

    def __init__(
        self,
        loaded: Loaded,
        prepare: Callable[[Settings], Made],
        install: Callable[[Made, Settings], None],
        lists: Callable[[], Lists] = dict,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.loaded = loaded
        self._started_with = loaded.settings
        self._prepare = prepare
        self._install = install
        self._lists = lists
        self._clock = clock
        self._turn = asyncio.Lock()
        self._running_since_s = clock()
        self._count = 0
        self._last: Reloaded | None = None
        self._last_error: FailedReload | None = None

    async def reload(self, trigger: str) -> Reloaded:
        """Raises ConfigError, and then everything is as it was."""
        async with self._turn:
            try:
                loaded, made = await asyncio.to_thread(self._read)
            except ConfigError as error:
                self._note_failure(trigger, error)
                raise
            return self._put_in_place(trigger, loaded, made)

    async def change(self, trigger: str, edit: Callable[[Overlay], Overlay]) -> None:
        """Puts what `edit` makes of what was set by the API in force, and keeps it. Raises what `edit` raises, and
        ConfigError, and then everything is as it was."""
        async with self._turn:
            loaded, made = await asyncio.to_thread(self._changed, edit)
            self._put_in_place(trigger, loaded, made)

    async def try_reload(self, trigger: str) -> None:
        """For whoever waits for no answer; what is wrong is in the log."""
        with contextlib.suppress(ConfigError):  # logged where it is noted
            await self.reload(trigger)

    def status(self) -> ReloadStatus:
        watch = self.loaded.settings.reload
        return ReloadStatus(
            running_since_s=self._running_since_s,
            reloads=self._count,
            last=self._last,
            last_error=self._last_error,
            needs_restart=waiting_for_restart(self._started_with, self.loaded.settings),
            watched=tuple(map(str, self.loaded.files)) if watch.watch else (),
            poll_s=watch.poll_s if watch.watch else None,
        )

    def files(self) -> Mapping[Path, bytes | None]:
        """What was read last, as the configuration that runs has it."""
        return self.loaded.files

    def poll_s(self) -> float | None:
        """How often to look at the files; None is never."""
        settings = self.loaded.settings.reload
        return settings.poll_s if settings.watch else None

    def _put_in_place(self, trigger: str, loaded: Loaded, made: Made) -> Reloaded:
        old, self.loaded = self.loaded, loaded
        self._install(made, loaded.settings)
        return self._note_success(trigger, old.settings)

    def _changed(self, edit: Callable[[Overlay], Overlay]) -> tuple[Loaded, Made]:
        path = overlay_path(Path(self._started_with.ledger.path or ""))
        overlay = edit(read_overlay(path))
        found = self._read(overlay)
        try:
            write_overlay(path, overlay)
        except OSError as error:
            problem = Problem(str(path), f"not writable ({error.strerror})", "a file that can be written")
            raise ConfigError([problem]) from None
        return found

    def _read(self, overlay: Overlay | None = None) -> tuple[Loaded, Made]:
        try:
            loaded = self.loaded.again(lists=self._lists(), overlay=overlay)
            return loaded, self._prepare(held(self._started_with, loaded.settings))
        except PointsmanError as error:
            raise (error if isinstance(error, ConfigError) else _as_problem(error)) from None

    def _note_failure(self, trigger: str, error: ConfigError) -> None:
        self._last_error = FailedReload(trigger, self._clock(), error.problems)
        log.error("not reloaded (%s): the configuration that runs stays; what is wrong:", trigger)
        for problem in error.problems:
            log.error("  %s", problem)

    def _note_success(self, trigger: str, old: Settings) -> Reloaded:
        settings = self.loaded.settings
        changes = model_changes(old, settings)
        reloaded = Reloaded(
            trigger=trigger,
            at_s=self._clock(),
            models_by_tier=models_by_tier(settings),
            added=changes.added,
            removed=changes.removed,
            changed=changes.changed,
            needs_restart=waiting_for_restart(self._started_with, settings),
            warnings=self.loaded.warnings,
        )
        self._count += 1
        self._last, self._last_error = reloaded, None
        log.info(
            "reloaded (%s): %d models; added %s; removed %s; changed %s",
            trigger,
            len(settings.models),
            ", ".join(changes.added) or "none",
            ", ".join(changes.removed) or "none",
            ", ".join(changes.changed) or "none",
        )
        for waiting in reloaded.needs_restart:
            log.warning(
                "%s stays %s until a restart; configured is %s",
                waiting.setting,
                waiting.running,
                waiting.configured,
            )
        for warning in reloaded.warnings:
            log.warning("%s", warning)
        return reloaded


def _as_problem(error: PointsmanError) -> ConfigError:
    """What is not the configuration's fault, but is in its way: a ledger that cannot be read."""
    return ConfigError([Problem("the gateway", None, f"to be built with it, but {error.message}")])
