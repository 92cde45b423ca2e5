"""Replies that a caller comes back to by their id: those that are kept here are shown, listed and deleted here, those that
their own provider keeps there. It makes none."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman.core.errors import BadRequest
from pointsman.gateway.conversations import Kept
from pointsman.gateway.elsewhere import Told
from pointsman.gateway.pipeline import Pipeline
from pointsman.server.input_items import page_of_items


class ResponseEndpoints:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def routes(self) -> list[Route]:
        return [
            route
            for start in ("/v1/responses", "/responses")
            for route in (
                Route(f"{start}/{{id}}", self.show, methods=["GET"]),
                Route(f"{start}/{{id}}", self.delete, methods=["DELETE"]),
                Route(f"{start}/{{id}}/input_items", self.list_input_items, methods=["GET"]),
                Route(f"{start}/{{id}}/cancel", self.cancel, methods=["POST"]),
            )
        ]

    async def show(self, request: Request) -> Response:
        """Whole: nobody keeps the events that it came in."""
        if request.query_params.get("stream", "false").lower() not in {"false", "0"}:
            raise BadRequest("A kept response is not streamed again.", param="stream", code="unsupported")
        if (kept := self._kept(request)) is not None:
            return Response(kept.body, media_type="application/json")
        return _told(await self._pipeline.keepers.ask("GET", *_named(request), _query(request)))

    async def list_input_items(self, request: Request) -> Response:
        if (kept := self._kept(request)) is not None:
            asked = kept.items[: kept.asked]
            page = page_of_items(request.path_params["id"], asked, request.query_params)
            return Response(page, media_type="application/json")
        ending = f"/input_items{_query(request)}"
        return _told(await self._pipeline.keepers.ask("GET", *_named(request), ending))

    async def delete(self, request: Request) -> Response:
        reply_id, caller = _named(request)
        if self._pipeline.conversations.forget(reply_id, caller):
            return JSONResponse({"id": reply_id, "object": "response", "deleted": True})
        return _told(await self._pipeline.keepers.ask("DELETE", reply_id, caller))

    async def cancel(self, request: Request) -> Response:
        """What its provider makes in the background."""
        if self._kept(request) is not None:
            raise BadRequest("Only a response that is made in the background can be cancelled.", param="id")
        return _told(await self._pipeline.keepers.ask("POST", *_named(request), "/cancel"))

    def _kept(self, request: Request) -> Kept | None:
        return self._pipeline.conversations.find(*_named(request))


def _named(request: Request) -> tuple[str, str]:
    """The reply's id and the caller."""
    return request.path_params["id"], request.scope["caller"]


def _query(request: Request) -> str:
    """What the provider is asked with: all but the gateway's own key."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "key"]
    return f"?{urlencode(asked)}" if asked else ""


def _told(told: Told) -> Response:
    return Response(told.body, told.status, media_type="application/json")
