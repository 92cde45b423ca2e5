"""What comes before and behind every route of the ASGI application: forgiving paths, preflights and probes, the
key, and errors in the dialect of whoever asks. It knows no endpoint but by its path and methods."""

import asyncio
import difflib
import logging
import time
from collections.abc import Collection, Mapping

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from pointsman.core.errors import ClientError, NotFound, PointsmanError, Unavailable, WrongMethod
from pointsman.gateway.call import new_request_id
from pointsman.gateway.slots import Slots
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.server.auth import Admitted, Door
from pointsman.server.endpoints import model_path
from pointsman.server.inference import id_headers, place_of
from pointsman.server.paths import normal_path
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT

log = logging.getLogger("pointsman.server")

_KEYLESS = frozenset({"/health"})
_NEAR = 0.75
"""How alike a path must be to be taken for a misspelling: /v1/responses is not /v1/messages."""


class Entrance:
    """`inference` are the paths that are answered elsewhere when something is posted to them, and `verbs` what may
    be posted for a model that the path names."""

    def __init__(
        self,
        app: Starlette,
        door: Door,
        slots: Slots,
        inference: Mapping[bytes, Dialect],
        verbs: Collection[str],
    ) -> None:
        self._app = app
        self._door = door
        self._slots = slots
        self._verbs = verbs
        self._inference = {path.decode(): dialect for path, dialect in inference.items()}
        self._routes = [route for route in app.routes if isinstance(route, Route)]
        app.router.redirect_slashes = False
        app.add_exception_handler(PointsmanError, self._answer_error)
        app.add_exception_handler(HTTPException, self._answer_error)
        app.add_exception_handler(Exception, self._answer_error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = normal_path(scope["path"].encode()).decode()
        scope["path"], scope["raw_path"] = path, path.encode()
        scope["request_id"] = new_request_id(time.time())
        more = list(id_headers(scope["request_id"]))
        page = self._door.page(scope["headers"])
        if page is not None:
            more += [
                (b"access-control-allow-origin", page),
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"origin"),
            ]

        async def send_with_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        match scope["method"]:
            case "OPTIONS":
                await self._preflight(scope, page)(scope, receive, send_with_more)
            case "HEAD":
                await self._probe(scope)(scope, receive, send_with_more)
            case _:
                await self._answer(scope, receive, send_with_more)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        try:
            if path not in _KEYLESS:
                scope["caller"] = self._admit(scope).caller
                self._slots.require_open()
            await self._app(scope, receive, send)
        except (ClientError, Unavailable) as error:
            await (await self._answer_error(Request(scope), error))(scope, receive, send)
        except ClientDisconnect:
            log.debug("the caller of %s left before its request was read", path)
        except asyncio.CancelledError:  # by the server that ends; uvicorn would log it as a fault
            ending = Unavailable("the gateway is shutting down")
            await (await self._answer_error(Request(scope), ending))(scope, receive, send)
        except Exception as error:  # answered already; Starlette raises it again for the log
            log.error(
                "request %s failed: %s at %s", scope["request_id"], type(error).__name__, place_of(error)
            )

    def _admit(self, scope: Scope) -> Admitted:
        route = next((route for route in self._routes if route.matches(scope)[0] is Match.FULL), None)
        match route:
            case ChangingRoute():
                admit = self._door.admit_admin
            case ReadingRoute() | None:  # where nothing is, either key may be told so
                admit = self._door.admit_reader
            case _:
                admit = self._door.admit
        return admit(scope["headers"], scope["query_string"])

    def _preflight(self, scope: Scope, page: bytes | None) -> Response:
        headers = {"allow": self._allowed(scope)}
        if page is not None:
            asked = Headers(scope=scope).get("access-control-request-headers")
            headers |= {
                "access-control-allow-methods": headers["allow"],
                "access-control-allow-headers": asked or "authorization, content-type",
                "access-control-max-age": "600",
            }
        return Response(status_code=204, headers=headers)

    def _probe(self, scope: Scope) -> Response:
        """HEAD tells that somebody is here; clients probe the base URL before their first call."""
        allowed = self._allowed(scope)
        if scope["path"] in {"/", "/v1"} or "HEAD" in allowed:
            response = Response()
        elif "POST" in allowed:
            response = Response(status_code=405, headers={"allow": allowed})
        else:
            response = Response(status_code=404)
        del response.headers["content-length"]  # it would have to be that of a GET
        return response

    def _allowed(self, scope: Scope) -> str:
        """What may be done with a path, as the Allow header says it."""
        methods = {"OPTIONS"}
        named = model_path(scope["raw_path"])
        if scope["path"] in self._inference or (named is not None and named.verb in self._verbs):
            methods.add("POST")
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                methods |= route.methods or set()
        return ", ".join(sorted(methods))

    async def _answer_error(self, request: Request, error: Exception) -> Response:
        """An error in the dialect of whoever asks."""
        scope = request.scope
        headers: dict[str, str] = {}
        fault = error if isinstance(error, PointsmanError) else PointsmanError("internal error")
        if isinstance(error, HTTPException):
            allowed = self._allowed(scope)
            named = model_path(scope["raw_path"]) if request.method == "POST" else None
            if named is not None:
                verbs = ", ".join(self._verbs)
                fault = NotFound(f"there is no {named.verb} for a model; there are {verbs}")
            elif allowed == "OPTIONS":
                fault = self._not_found(scope["path"])
            else:
                headers["allow"] = allowed
                fault = WrongMethod(f"{request.method} is not for {scope['path']}, which takes {allowed}")
        encoded = self._dialect(request).encode_error(fault, scope["request_id"])
        headers |= {name.decode(): value.decode() for name, value in encoded.headers}
        return Response(encoded.body, encoded.status, headers, media_type="application/json")

    def _not_found(self, path: str) -> NotFound:
        known = [*self._inference, *(route.path for route in self._routes if "{" not in route.path)]
        near = difflib.get_close_matches(path, known, n=1, cutoff=_NEAR)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return NotFound(f"there is no {path}; {hint}")

    def _dialect(self, request: Request) -> Dialect:
        path = request.scope["path"]
        if "anthropic-version" in request.headers:
            return ANTHROPIC_MESSAGES
        if (
            path.startswith(("/v1beta", "/v1alpha"))
            or model_path(request.scope["raw_path"])
            or "x-goog-api-key" in request.headers
        ):
            return GEMINI
        return next(
            (dialect for known, dialect in self._inference.items() if path.startswith(known)), OPENAI_CHAT
        )
