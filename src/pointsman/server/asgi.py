"""Every endpoint that does not reach a model, in one list, on Starlette. The endpoints that do are answered
below ASGI (server/protocol.py) from the same table of paths: `INFERENCE_PATHS`."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pointsman import __version__
from pointsman.core.errors import ClientError, NotFound, PointsmanError, TooLarge, WrongMethod
from pointsman.gateway.call import new_request_id
from pointsman.gateway.explain import explain
from pointsman.gateway.pipeline import Pipeline
from pointsman.server.auth import Door
from pointsman.server.models import ModelList
from pointsman.server.paths import normal_path
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
