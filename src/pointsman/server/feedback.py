"""The endpoints for reports on answers: POST /v1/feedback, what was learned, and taking a calibration back. What a
report means is decided elsewhere."""

import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman.core.errors import BadRequest, NotFound
from pointsman.gateway.feedback import Feedback
from pointsman.ledger.feedback import Report
from pointsman.server.access import ChangingRoute, ReadingRoute
from pointsman.server.body import read_json

_BODY_BYTES_MAX = 64 * 1024
_COMMENT_CHARS_MAX = 10_000
_NAME_CHARS_MAX = 200


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    request_id: str | None = None
    quality: float | None = None
    thumbs: Literal["up", "down"] | None = None
    comment: str | None = None
    score: float | None = None
    tier: str | int | None = None
    category: str | None = None
    model: str | None = None
    request_hash: str | None = None


class FeedbackEndpoints:
    """`feedback` is None where nothing is booked."""

    def __init__(self, feedback: Feedback | None) -> None:
        self._feedback = feedback

    def routes(self) -> list[Route]:
        return [
            Route("/v1/feedback", self.report, methods=["POST"]),
            ReadingRoute("/v1/feedback/stats", self.stats, methods=["GET"]),
            ChangingRoute("/v1/feedback/calibration", self.revoke, methods=["DELETE"]),
        ]

    async def report(self, request: Request) -> Response:
        feedback = self._required()
        body = await read_json(request, _BODY_BYTES_MAX, _Body)
        caller: str = request.scope["caller"]
        quality = _quality(body)
        if body.request_id is not None:
            for name in ("score", "tier", "category", "model", "request_hash"):
                if getattr(body, name) is not None:
                    raise BadRequest(f"{name}: is known of a request that is named by its id", param=name)
            taken = await feedback.about_request(body.request_id, caller, quality, body.comment)
        else:
            taken = await feedback.plain(_plain(body, caller, quality, feedback.tiers))
        kept = taken.report
        return JSONResponse(
            {
                "id": kept.feedback_id,
                "replaced": taken.replaced,
                "quality": kept.quality,
                "score": kept.score,
                "tier": kept.tier,
                "category": kept.category,
                "model": kept.model,
                "comment_kept": kept.comment is not None,
            }
        )

    async def stats(self, request: Request) -> Response:
        return JSONResponse(await self._required().stats())

    async def revoke(self, request: Request) -> Response:
        """The configured boundaries hold again."""
        return JSONResponse({"revoked": await self._required().revoke()})

    def _required(self) -> Feedback:
        if self._feedback is None:
            raise NotFound("reports are kept in the ledger, which is switched off (ledger.enabled)")
        return self._feedback


def _plain(body: _Body, caller: str, quality: float, tiers: Sequence[str]) -> Report:
    if body.score is None or body.tier is None:
        missing = "score" if body.score is None else "tier"
        raise BadRequest("give request_id, or score and tier beside the quality", param=missing)
    if body.comment is not None:
        raise BadRequest("comment: belongs to a request that is named by its id", param="comment")
    score = _from_0_to_1("score", body.score)
    for name in ("category", "model", "request_hash"):
        if len(getattr(body, name) or "") > _NAME_CHARS_MAX:
            raise BadRequest(f"{name}: is over {_NAME_CHARS_MAX} characters", param=name)
    # The same hash of the same caller is the same request: whoever reports twice is counted once.
    own = f"{caller}/{body.request_hash}" if body.request_hash else str(uuid.uuid4())
    return Report(
        f"fb_{own}", 0.0, caller, quality, score, _tier(body.tier, tiers), body.category, None, body.model
    )


def _tier(named: str | int, tiers: Sequence[str]) -> str:
    """By name, or counted from 1."""
    if isinstance(named, str) and named in tiers:
        return named
    if isinstance(named, int) and 1 <= named <= len(tiers):
        return tiers[named - 1]
    raise BadRequest(
        f"tier: must be one of {', '.join(tiers)}, or its number from 1 to {len(tiers)}",
        param="tier",
    )


def _quality(body: _Body) -> float:
    if (body.quality is None) == (body.thumbs is None):
        raise BadRequest("give either quality (0 to 1) or thumbs (up or down)", param="quality")
    if len(body.comment or "") > _COMMENT_CHARS_MAX:
        raise BadRequest(f"comment: is over {_COMMENT_CHARS_MAX} characters", param="comment")
    if body.quality is None:
        return 1.0 if body.thumbs == "up" else 0.0
    return _from_0_to_1("quality", body.quality)


def _from_0_to_1(name: str, number: float) -> float:
    if not 0 <= number <= 1:
        raise BadRequest(f"{name}: must be a number from 0 to 1, not {number:g}", param=name)
    return float(number)
