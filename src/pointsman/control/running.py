"""What answers now, and how another takes its place. It builds nothing and opens no socket."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pointsman.config.loaded import Loaded
from pointsman.config.overlay import Overlay
from pointsman.config.schema import Settings
from pointsman.control.backend_watch import BackendWatch
from pointsman.control.discoverer import Discoverer
from pointsman.control.effective import effective
from pointsman.control.reload import Reloads
from pointsman.control.runtime import Runtime
from pointsman.control.watch import FileWatch, WatchThread
from pointsman.core.errors import BadRequest, NotFound
from pointsman.gateway.operation import Operation
from pointsman.routing.categories import BUILT_IN
from pointsman.server.asgi import GEMINI_VERBS, INFERENCE_PATHS, OPERATIONS, build_app
from pointsman.server.control import DiscoveryStatus, Reloaded, ReloadStatus
from pointsman.server.endpoints import EndpointTable
from pointsman.server.inference import InferenceEndpoint
from pointsman.server.protocol import Service
from pointsman.server.shutdown import Server
from pointsman.wire.dialect import Dialect
from pointsman.wire.gemini import GEMINI


class Running:
    """The gateway that runs; the `Control` of its admin endpoints. To be made in its event loop."""

    def __init__(
        self,
        loaded: Loaded,
        prepare: Callable[[Settings], Runtime],
        connections_max: int,
        watch: BackendWatch | None = None,
    ) -> None:
        """Raises ConfigError."""
        self._loop = asyncio.get_running_loop()
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._app: ASGIApp
        self.runtime = prepare(loaded.settings)
        self.service = Service({}, 0, connections_max=connections_max)
        self._watch = watch
        self.runtime.take_over(None)
        self._serve(self.runtime, loaded.settings)
        self._discoverer = Discoverer(self._models_changed)
        self._discoverer.follow(loaded.settings)
        self._reloads = Reloads(loaded, prepare, self._install, self._discoverer.lists)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application of this moment."""
        await self._app(scope, receive, send)

    def attach(self, server: Server) -> None:
        self._server = server

    # Control

    async def reload(self) -> Reloaded:
        return await self._reloads.reload("POST /admin/reload")

    def reload_status(self) -> ReloadStatus:
        return self._reloads.status()

    def discovery_status(self) -> tuple[DiscoveryStatus, ...]:
        return self._discoverer.status()

    def refresh_discovery(self) -> None:
        self._discoverer.refresh()

    def config(self) -> dict[str, Any]:
        return effective(self._reloads.loaded)

    def category(self, name: str) -> dict[str, Any] | None:
        found = self._reloads.loaded.settings.categories.get(name)
        if found is not None:
            return found.model_dump(mode="json", exclude_unset=True)
        return {} if name in BUILT_IN else None

    async def set_category(self, name: str, category: dict[str, Any]) -> None:
        await self._reloads.change(f"the category {name} was set", lambda old: {**old, name: category})

    async def delete_category(self, name: str) -> None:
        if name in BUILT_IN:
            raise BadRequest(f"{name} is built in and cannot be deleted; give it other models instead")

        def delete(old: Overlay) -> Overlay:
            if name not in self._reloads.loaded.settings.categories:
                raise NotFound(f"there is no category {name[:100]!r}")
            return {**old, name: None}

        await self._reloads.change(f"the category {name} was deleted", delete)

    # what asks by itself

    def reload_soon(self, trigger: str) -> None:
        """From any thread, and from a signal."""
        self._loop.call_soon_threadsafe(self._begin_reload, trigger)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks after the files of the configuration, and after the providers' models, meanwhile."""
        watch = FileWatch(self._reloads.files)
        thread = WatchThread(watch, self._reloads.poll_s, self._files_changed)
        thread.start()
        self._discoverer.start()
        try:
            yield
        finally:
            thread.stop()
            self._discoverer.stop()

    def _files_changed(self, files: tuple[Path, ...]) -> None:
        self.reload_soon(f"{', '.join(file.name for file in files)} changed")

    def _models_changed(self, provider: str) -> None:
        self.reload_soon(f"the provider {provider} lists other models")

    def _begin_reload(self, trigger: str) -> None:
        task = self._loop.create_task(self._reloads.try_reload(trigger))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # what a reload changes

    def _install(self, runtime: Runtime, settings: Settings) -> None:
        runtime.take_over(self.runtime)
        self.runtime = runtime
        self._serve(runtime, settings)
        if self._server is not None:
            self._server.grace_s = settings.server.shutdown_grace_s
        self._discoverer.follow(settings)
        logging.getLogger().setLevel(settings.server.log_level.upper())

    def _serve(self, runtime: Runtime, settings: Settings) -> None:
        limit = settings.server.max_body_bytes
        self._app = build_app(
            runtime.pipeline,
            runtime.models,
            runtime.door,
            runtime.slots,
            limit,
            self,
            runtime.feedback,
            runtime.watching.routes,
        )
        self.service.endpoints = endpoint_table(runtime, limit)
        self.service.max_body_bytes = limit
        self.service.bodies.most = settings.limits.body_bytes
        self.service.keepalive_after_s = settings.server.keepalive_after_s
        if self._watch is not None:
            self._watch.follow(runtime.fleet, runtime.watching)


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
