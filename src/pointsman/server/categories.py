"""The endpoints that show the configuration and set categories while the gateway runs. What holds is decided and kept
elsewhere (control.py)."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman.core.errors import ConfigError, NotFound
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.server.admin import refused, reload_status
from pointsman.server.body import read_json
from pointsman.server.control import Control

_BODY_BYTES_MAX = 1024 * 1024


class _Category(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    models: list[str]
    keywords: list[str] | None = None
    description: str | None = None


class _Mapping(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    models: list[str]


class CategoryEndpoints:
    """The functions behind the routes."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[Route]:
        return [
            ReadingRoute("/config", self.show, methods=["GET"]),
            ChangingRoute("/config/category", self.set_category, methods=["POST"]),
            ChangingRoute("/config/model-mapping", self.set_models, methods=["POST"]),
            ChangingRoute("/config/category/{name:path}", self.delete, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        return JSONResponse(
            {**self._control.config(), "reload": reload_status(self._control.reload_status())}
        )

    async def set_category(self, request: Request) -> Response:
        body = await read_json(request, _BODY_BYTES_MAX, _Category)
        given: dict[str, Any] = {"models": body.models}
        if body.keywords is not None:
            given["keywords"] = body.keywords
        if body.description is not None:
            given["description"] = body.description
        return await self._set(body.name, given)

    async def set_models(self, request: Request) -> Response:
        body = await read_json(request, _BODY_BYTES_MAX, _Mapping)
        known = self._control.category(body.category)
        if known is None:
            raise NotFound(f"there is no category {body.category[:100]!r}", param="category")
        return await self._set(body.category, {**known, "models": body.models})

    async def delete(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            await self._control.delete_category(name)
        except ConfigError as error:
            return refused(error, "nothing was changed")
        return JSONResponse({"status": "deleted", "category": name})

    async def _set(self, name: str, category: dict[str, Any]) -> Response:
        try:
            await self._control.set_category(name, category)
        except ConfigError as error:
            return refused(error, "nothing was changed")
        return JSONResponse({"status": "ok", "category": name, "models": category["models"]})
