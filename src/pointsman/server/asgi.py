"""Every endpoint that does not reach a model, in one list, on Starlette. Those that do (`INFERENCE_PATHS`) are
answered below ASGI by server/protocol.py."""

import difflib
import logging
import time
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointsman import __version__
from pointsman.core.errors import BadRequest, ClientError, NotFound, PointsmanError, TooLarge, WrongMethod
from pointsman.gateway.call import new_request_id
from pointsman.gateway.explain import explain
from pointsman.gateway.pipeline import Pipeline
from pointsman.server.auth import Door
from pointsman.server.inference import inflate, place_of
from pointsman.server.models import ModelList
from pointsman.server.paths import normal_path
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

log = logging.getLogger("pointsman.server")

INFERENCE_PATHS: Mapping[bytes, Dialect] = {
    b"/v1/chat/completions": OPENAI_CHAT,
    b"/chat/completions": OPENAI_CHAT,
    b"/v1/messages": ANTHROPIC_MESSAGES,
}
"""POST to these reaches a model."""

_ANTHROPIC_ONLY_FIELDS = frozenset(
    {"system", "stop_sequences", "thinking", "top_k", "mcp_servers", "container"}
)


class Endpoints:
    """The functions behind the routes, with what they need."""

    def __init__(self, pipeline: Pipeline, models: ModelList, max_body_bytes: int) -> None:
        self._pipeline = pipeline
        self._models = models
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/v1/models", self.list_models, methods=["GET"]),
            Route("/models", self.list_models, methods=["GET"]),
            Route("/v1/models/{name:path}", self.show_model, methods=["GET"]),
            Route("/v1/route", self.route, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def list_models(self, request: Request) -> Response:
        if "anthropic-version" not in request.headers:
            return JSONResponse(self._models.openai())
        query = request.query_params
        try:
            limit = int(query.get("limit", "20"))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 1000:
            raise BadRequest("limit: must be a number from 1 to 1000", param="limit")
        return JSONResponse(self._models.anthropic(limit, query.get("after_id"), query.get("before_id")))

    async def show_model(self, request: Request) -> Response:
        name = request.path_params["name"]
        model = self._models.find(name)
        if model is None:
            raise NotFound(f"the model {name} does not exist", param="model", code="model_not_found")
        if "anthropic-version" in request.headers:
            return JSONResponse(self._models.anthropic_item(model))
        return JSONResponse(self._models.openai_item(model))

    async def route(self, request: Request) -> Response:
        """The decision about a chat or messages body; nothing is sent anywhere."""
        body = await _read(request, self._max_body_bytes)
        envelope = read_envelope(body)
        decision = self._pipeline.decide(_dialect_of_body(request, envelope), envelope)
        return JSONResponse(explain(decision))


async def _read(request: Request, max_body_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > max_body_bytes:
            raise TooLarge(f"the body is over {max_body_bytes} bytes")
        pieces.append(piece)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    return inflate(b"".join(pieces), encoding.encode("latin-1"), max_body_bytes)


def _dialect_of_body(request: Request, envelope: Envelope) -> Dialect:
    """Messages and chat bodies look alike; these are what only one of them has."""
    if "anthropic-version" in request.headers or not _ANTHROPIC_ONLY_FIELDS.isdisjoint(envelope.fields):
        return ANTHROPIC_MESSAGES
    tools = envelope.fields.get("tools")
    if tools is not None and b'"input_schema"' in bytes(tools):
        return ANTHROPIC_MESSAGES
    return OPENAI_CHAT


def build_app(pipeline: Pipeline, models: ModelList, door: Door, max_body_bytes: int) -> ASGIApp:
    """The ASGI application."""
    endpoints = Endpoints(pipeline, models, max_body_bytes)
    app = Starlette(
        routes=endpoints.routes(),
        exception_handlers={
            PointsmanError: _as_answer,
            HTTPException: _as_answer,
            Exception: _as_answer,
        },
    )
    app.router.redirect_slashes = False
    return _Entrance(app, door)


class _Entrance:
    """What comes before every route: forgiving paths, preflights, the key."""

    def __init__(self, app: Starlette, door: Door) -> None:
        self._app = app
        self._door = door
        self._methods = {
            route.path: route.methods or set() for route in app.routes if isinstance(route, Route)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = normal_path(scope["path"].encode()).decode()
        scope["path"], scope["raw_path"] = path, path.encode()
        match scope["method"]:
            case "OPTIONS":
                response: Response | None = self._preflight(scope, path)
            case "HEAD":
                response = self._probe(path)
            case _:
                response = await self._answer(scope, receive, send, path)
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, path: str) -> Response | None:
        page = None
        if path != "/health":
            try:
                page = self._door.admit(scope["headers"], scope["query_string"]).page
            except ClientError as error:
                return await _as_answer(Request(scope), error)

        async def send_readable(message: Message) -> None:
            if page is not None and message["type"] == "http.response.start":
                headers = [(b"access-control-allow-origin", page), (b"vary", b"origin")]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        try:
            await self._app(scope, receive, send_readable)
        except Exception as error:  # answered by _as_answer already; Starlette raises it again for the log
            log.error("%s %s failed: %s at %s", scope["method"], path, type(error).__name__, place_of(error))
        return None

    def _allowed(self, path: str) -> list[str]:
        methods = set(self._methods.get(path, ()))
        if path.encode() in INFERENCE_PATHS:
            methods.add("POST")
        if path.startswith("/v1/models/"):
            methods.add("GET")
        return sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))

    def _preflight(self, scope: Scope, path: str) -> Response:
        headers = {"allow": ", ".join(self._allowed(path))}
        origin = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None
        )
        if origin in self._door.origins:
            headers |= {
                "access-control-allow-origin": origin,
                "access-control-allow-methods": headers["allow"],
                "access-control-allow-headers": "authorization, content-type, x-api-key, x-goog-api-key,"
                " anthropic-version, anthropic-beta, x-stainless-os, x-stainless-lang, x-stainless-arch,"
                " x-stainless-runtime, x-stainless-runtime-version, x-stainless-package-version,"
                " x-stainless-retry-count, x-stainless-timeout, x-stainless-helper-method",
                "access-control-max-age": "600",
                "vary": "origin",
            }
        return Response(status_code=204, headers=headers)

    def _probe(self, path: str) -> Response:
        """HEAD tells that somebody is here; clients probe the base URL before their first call."""
        allowed = self._allowed(path)
        if path in {"/", "/v1"} or "GET" in allowed:
            return Response(status_code=200)
        if "POST" in allowed:
            return Response(status_code=405, headers={"allow": ", ".join(allowed)})
        return Response(status_code=404)


async def _as_answer(request: Request, error: Exception) -> Response:
    """An error in the dialect of whoever asks."""
    fault: PointsmanError
    headers: dict[str, str] = {}
    if isinstance(error, PointsmanError):
        fault = error
    elif isinstance(error, HTTPException) and error.status_code == 405:
        fault = WrongMethod(f"{request.method} is not for {request.url.path}")
        headers = dict(error.headers or {})
    elif isinstance(error, HTTPException) and error.status_code == 404:
        fault = _not_found(request)
    else:
        fault = PointsmanError("internal error")
    request_id = new_request_id(time.time())
    encoded = _dialect_of_caller(request).encode_error(fault, request_id)
    headers["x-pointsman-request-id"] = request_id
    headers.update({name.decode(): value.decode() for name, value in encoded.headers})
    return Response(encoded.body, encoded.status, headers, media_type="application/json")


def _not_found(request: Request) -> PointsmanError:
    path = request.url.path
    if path.encode() in INFERENCE_PATHS:
        return WrongMethod(f"{request.method} is not for {path}; POST a request to it")
    known = [*(known.decode() for known in INFERENCE_PATHS), "/v1/models", "/v1/route", "/health"]
    near = difflib.get_close_matches(path, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    return NotFound(f"there is no {path}{hint}")


def _dialect_of_caller(request: Request) -> Dialect:
    if "anthropic-version" in request.headers or request.url.path.startswith("/v1/messages"):
        return ANTHROPIC_MESSAGES
    return OPENAI_CHAT
