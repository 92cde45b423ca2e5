"""What operators see and do of backends and providers over HTTP. The state itself is the fleet's; who may ask is
checked before (access.py)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman.core.errors import NotFound
from pointsman.core.model_card import ModelCard
from pointsman.fleet.place import Figures, Status
from pointsman.fleet.pool import Fleet
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.upstream.provider import Provider


@dataclass(frozen=True, slots=True)
class ShownProvider:
    """`origin` is scheme and host alone: what follows may hold a key. `is_configured` says that there is a key, or
    that none is needed."""

    name: str
    dialect: str
    origin: str
    is_configured: bool


def shown_provider(provider: Provider) -> ShownProvider:
    parts = urlsplit(provider.base_url)
    needs_key = provider.credential_header != "none" and not provider.embedded
    is_configured = provider.api_key is not None or provider.pass_through_caller_key or not needs_key
    return ShownProvider(provider.name, provider.dialect, f"{parts.scheme}://{parts.netloc}", is_configured)


class BackendEndpoints:
    """`cards` by backend. `card_called` finds the model that a name means. `clock` is the fleet's, `wall_clock` tells
    Unix time."""

    def __init__(
        self,
        fleet: Fleet,
        cards: Mapping[str, ModelCard],
        providers: Sequence[ShownProvider],
        card_called: Callable[[str], ModelCard | None],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._cards = cards
        self._providers = providers
        self._card_called = card_called
        self._clock = clock
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        return [
            ReadingRoute("/v1/backends", self.list_backends, methods=["GET"]),
            ReadingRoute("/v1/backends/{name:path}", self.show_backend, methods=["GET"]),
            ReadingRoute("/providers", self.list_providers, methods=["GET"]),
            ChangingRoute("/v1/backends/{name:path}/drain", self.drain, methods=["POST"]),
            ChangingRoute("/v1/backends/{name:path}/resume", self.resume, methods=["POST"]),
            ChangingRoute("/circuit-breaker/reset-all", self.reset_all, methods=["POST"]),
            ChangingRoute("/circuit-breaker/reset/{name:path}", self.reset, methods=["POST"]),
        ]

    async def list_backends(self, request: Request) -> Response:
        return self._list_of(tuple(self._fleet.places))

    async def show_backend(self, request: Request) -> Response:
        """One as itself, those of a model as a list."""
        names = self._meant(request)
        if names == (request.path_params["name"],):
            return JSONResponse(self._shown(names)[0])
        return self._list_of(names)

    async def list_providers(self, request: Request) -> Response:
        figures = self._fleet.figures(self._clock())
        return JSONResponse(
            {"object": "list", "data": [self._provider(one, figures) for one in self._providers]}
        )

    async def drain(self, request: Request) -> Response:
        names = self._meant(request)
        for name in names:
            self._fleet.drain(name)
        return self._list_of(names)

    async def resume(self, request: Request) -> Response:
        names = self._meant(request)
        for name in names:
            self._fleet.resume(name)
        return self._list_of(names)

    async def reset(self, request: Request) -> Response:
        names = self._meant(request)
        self._fleet.reset(names, self._clock())
        return self._list_of(names)

    async def reset_all(self, request: Request) -> Response:
        self._fleet.reset_all(self._clock())
        return self._list_of(tuple(self._fleet.places))

    def _meant(self, request: Request) -> tuple[str, ...]:
        """The backend of that name, or all those of the model of that name."""
        name = request.path_params["name"]
        if name in self._fleet.places:
            return (name,)
        card = self._card_called(name)
        if card is None:
            raise NotFound(f"there is no backend and no model {name[:200]!r}", code="backend_not_found")
        return self._fleet.backends_of(card.name)

    def _list_of(self, names: Sequence[str]) -> Response:
        return JSONResponse({"object": "list", "data": self._shown(names)})

    def _shown(self, names: Mapping[str, object] | Sequence[str]) -> list[dict[str, Any]]:
        now_s = self._clock()
        unix_s = self._wall_clock() - now_s
        figures = sorted(self._fleet.figures(now_s), key=lambda one: one.backend.name)
        return [self._backend(one, unix_s) for one in figures if one.backend.name in names]

    def _backend(self, figures: Figures, unix_s: float) -> dict[str, Any]:
        """`unix_s` makes a Unix time of a time of the clock."""
        backend = figures.backend
        card = self._cards[backend.name]
        rates = None if card.price is None else card.price.rates
        return {
            "object": "backend",
            "name": backend.name,
            "model": backend.model,
            "provider": backend.provider,
            "provider_model": card.id,
            "region": backend.region,
            "tier": card.tier,
            "weight": backend.weight,
            "usd_per_million_input": None if rates is None else float(rates.usd_per_million_input),
            "usd_per_million_output": None if rates is None else float(rates.usd_per_million_output),
            "status": figures.status,
            "circuit": figures.circuit,
            "open_because": figures.why,
            "open_until": _rounded(figures.open_until_s, unix_s),
            "in_flight": figures.in_flight,
            "total_requests": figures.requests,
            "total_successes": figures.successes,
            "total_errors": sum(figures.failures.values()),
            "errors": {str(fault): count for fault, count in sorted(figures.failures.items())},
            "last_error": figures.last_fault,
            "last_error_at": _rounded(figures.last_fault_s, unix_s),
            "latency_ms": None if figures.latency_s is None else round(figures.latency_s * 1000, 1),
        }

    @staticmethod
    def _provider(shown: ShownProvider, figures: Sequence[Figures]) -> dict[str, Any]:
        mine = [one for one in figures if one.backend.provider == shown.name]
        return {
            "object": "provider",
            "name": shown.name,
            "dialect": shown.dialect,
            "origin": shown.origin,
            "configured": shown.is_configured,
            "models": sorted({one.backend.model for one in mine}),
            "backends": {one.backend.name: one.status for one in mine},
            "open_circuits": sum(one.status is Status.DOWN for one in mine),
            "in_flight": sum(one.in_flight for one in mine),
        }


def _rounded(time_s: float | None, unix_s: float) -> float | None:
    return None if time_s is None else round(time_s + unix_s, 3)
