"""The application on Starlette: every endpoint that does not reach a model, put together by `build_app`. Those that do (`INFERENCE_PATHS`) are
answered below ASGI by server/protocol.py."""

from collections.abc import Mapping, Sequence
from typing import Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pointsman import __version__
from pointsman.core.errors import BadRequest, NotFound
from pointsman.gateway.completion import COMPLETE
from pointsman.gateway.counting import COUNT_ANTHROPIC, COUNT_GEMINI, COUNT_RESPONSES
from pointsman.gateway.embedding import EMBED_GEMINI, EMBED_GEMINI_BATCH, EMBED_OPENAI
from pointsman.gateway.explain import explain
from pointsman.gateway.feedback import Feedback
from pointsman.gateway.operation import Operation
from pointsman.gateway.pipeline import Pipeline
from pointsman.gateway.slots import Slots
from pointsman.gateway.wishes import read_wishes
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.server.admin import AdminEndpoints
from pointsman.server.auth import Door
from pointsman.server.body import read_body
from pointsman.server.categories import CategoryEndpoints
from pointsman.server.control import Control
from pointsman.server.entrance import Entrance
from pointsman.server.feedback import FeedbackEndpoints
from pointsman.server.models import ListedModel, ModelList
from pointsman.server.responses import ResponseEndpoints
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

INFERENCE_PATHS: Mapping[bytes, Dialect] = {
    b"/v1/chat/completions": OPENAI_CHAT,
    b"/chat/completions": OPENAI_CHAT,
    b"/v1/responses": OPENAI_RESPONSES,
    b"/responses": OPENAI_RESPONSES,
    b"/v1/messages": ANTHROPIC_MESSAGES,
    b"/v1/messages/count_tokens": ANTHROPIC_MESSAGES,
    b"/v1/responses/input_tokens": OPENAI_RESPONSES,
    b"/responses/input_tokens": OPENAI_RESPONSES,
    b"/v1/completions": OPENAI_CHAT,
    b"/completions": OPENAI_CHAT,
    b"/v1/embeddings": OPENAI_CHAT,
    b"/embeddings": OPENAI_CHAT,
}
"""POST to these reaches a model, and to Gemini's paths, which name it (`server/endpoints.py`)."""

OPERATIONS: Mapping[bytes, Operation] = {
    b"/v1/messages/count_tokens": COUNT_ANTHROPIC,
    b"/v1/responses/input_tokens": COUNT_RESPONSES,
    b"/responses/input_tokens": COUNT_RESPONSES,
    b"/v1/completions": COMPLETE,
    b"/completions": COMPLETE,
    b"/v1/embeddings": EMBED_OPENAI,
    b"/embeddings": EMBED_OPENAI,
}
"""What is wanted there, where it is not a reply."""

GEMINI_VERBS: Mapping[str, Operation | None] = {
    "generateContent": None,
    "streamGenerateContent": None,
    "countTokens": COUNT_GEMINI,
    "embedContent": EMBED_GEMINI,
    "batchEmbedContents": EMBED_GEMINI_BATCH,
}
"""What is wanted of the model that a path of Gemini's names."""

_ROUTED = Address("auto", stream=False)
_MODEL, _CONTENTS = b'"model"', b'"contents"'

_ANTHROPIC_ONLY_FIELDS = frozenset(
    {"system", "stop_sequences", "thinking", "top_k", "mcp_servers", "container"}
)


class Endpoints:
    """The functions behind the routes, with what they need."""

    def __init__(
        self,
        pipeline: Pipeline,
        models: ModelList,
        slots: Slots,
        max_body_bytes: int,
        admin: AdminEndpoints,
    ) -> None:
        self._pipeline = pipeline
        self._slots = slots
        self._models = models
        self._max_body_bytes = max_body_bytes
        self._admin = admin

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/v1/models", self.list_models, methods=["GET"]),
            Route("/models", self.list_models, methods=["GET"]),
            Route("/v1beta/models", self.list_models, methods=["GET"]),
            Route("/v1alpha/models", self.list_models, methods=["GET"]),
            Route("/v1/models/{name:path}", self.show_model, methods=["GET"]),
            Route("/v1beta/models/{name:path}", self.show_model, methods=["GET"]),
            Route("/v1alpha/models/{name:path}", self.show_model, methods=["GET"]),
            Route("/models/{name:path}", self.show_model, methods=["GET"]),
            Route("/v1/route", self.route, methods=["POST"]),
            ReadingRoute("/admin/reload", self._admin.show_reload, methods=["GET"]),
            ChangingRoute("/admin/reload", self._admin.reload, methods=["POST"]),
            ReadingRoute("/admin/discovery", self._admin.show_discovery, methods=["GET"]),
            ChangingRoute("/admin/discovery/refresh", self._admin.refresh_discovery, methods=["POST"]),
            ChangingRoute("/config/reload", self._admin.reload, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        if self._slots.is_closed:
            # For balancers that ask on a kept connection: the answers under way go on, no new request is taken.
            return JSONResponse({"status": "draining", "version": __version__}, 503, {"retry-after": "1"})
        return JSONResponse({"status": "ok", "version": __version__})

    async def list_models(self, request: Request) -> Response:
        query = request.query_params
        match family_of(request):
            case "anthropic":
                limit = _page_size(request, "limit", 20)
                after, before = query.get("after_id"), query.get("before_id")
                return JSONResponse(self._models.anthropic(limit, after, before))
            case "gemini":
                size = _page_size(request, "pageSize", 50)
                return JSONResponse(self._models.gemini(size, query.get("pageToken")))
            case _:
                return JSONResponse(self._models.openai())

    async def show_model(self, request: Request) -> Response:
        name = request.path_params["name"]
        model = self._models.find(name)
        if model is None and (card := self._pipeline.card_called(name)) is not None:
            model = ListedModel(name, card.provider, card.name)
        if model is None:
            raise NotFound(f"the model {name} does not exist", param="model", code="model_not_found")
        match family_of(request):
            case "anthropic":
                return JSONResponse(self._models.anthropic_item(model))
            case "gemini":
                return JSONResponse(self._models.gemini_item(model))
            case _:
                return JSONResponse(self._models.openai_item(model))

    async def route(self, request: Request) -> Response:
        """The decision about a chat or messages body; nothing is sent anywhere."""
        body = await read_body(request, self._max_body_bytes)
        envelope = read_envelope(body, _ROUTED if _MODEL not in body and _CONTENTS in body else None)
        decision = self._pipeline.preview(
            _dialect_of_body(request, envelope), envelope, read_wishes(request.headers.raw)
        )
        return JSONResponse(explain(decision))


def family_of(request: Request) -> Literal["openai", "anthropic", "gemini"]:
    """Whose client asks, for paths that several APIs have."""
    headers = request.headers
    if "anthropic-version" in headers:
        return "anthropic"
    is_google = "x-goog-api-key" in headers or "x-goog-api-client" in headers or "key" in request.query_params
    return "gemini" if is_google or request.url.path.startswith(("/v1beta/", "/v1alpha/")) else "openai"


def _page_size(request: Request, name: str, default: int) -> int:
    try:
        size = int(request.query_params.get(name, default))
    except ValueError:
        size = 0
    if not 1 <= size <= 1000:
        raise BadRequest(f"{name}: must be a number from 1 to 1000", param=name)
    return size


def _dialect_of_body(request: Request, envelope: Envelope) -> Dialect:
    """Messages and chat bodies look alike; these are what only one of them has."""
    if "contents" in envelope.fields:
        return GEMINI
    if "input" in envelope.fields:
        return OPENAI_RESPONSES
    if "anthropic-version" in request.headers or not _ANTHROPIC_ONLY_FIELDS.isdisjoint(envelope.fields):
        return ANTHROPIC_MESSAGES
    tools = envelope.fields.get("tools")
    if tools is not None and b'"input_schema"' in bytes(tools):
        return ANTHROPIC_MESSAGES
    return OPENAI_CHAT


def build_app(
    pipeline: Pipeline,
    models: ModelList,
    door: Door,
    slots: Slots,
    max_body_bytes: int,
    control: Control,
    feedback: Feedback | None = None,
    more: Sequence[Route] = (),
) -> ASGIApp:
    """The ASGI application. `more` are endpoints that look at the gateway itself, or change it."""
    admin = AdminEndpoints(control)
    routes = Endpoints(pipeline, models, slots, max_body_bytes, admin).routes()
    routes += ResponseEndpoints(pipeline).routes()
    routes += [*FeedbackEndpoints(feedback).routes(), *CategoryEndpoints(control).routes(), *more]
    return Entrance(Starlette(routes=routes), door, slots, INFERENCE_PATHS, GEMINI_VERBS)
