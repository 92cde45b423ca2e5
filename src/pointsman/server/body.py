"""The body of a request that reaches no model, whole and bounded. What such a body means is known elsewhere."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from pointsman.core.errors import BadRequest, TooLarge
from pointsman.server.content_encoding import inflate

Body = TypeVar("Body")


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Without its content encoding. Raises TooLarge, BadRequest, WrongMediaType."""
    too_large = TooLarge(f"the body is over {max_bytes} bytes")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > max_bytes:
            raise too_large
        pieces.append(piece)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    return inflate(b"".join(pieces), encoding.encode("latin-1"), max_bytes)


async def read_json(request: Request, max_bytes: int, kind: type[Body]) -> Body:
    """Raises BadRequest for what is not JSON of this kind, and what `read_body` raises."""
    try:
        return msgspec.json.decode(await read_body(request, max_bytes), type=kind)
    except msgspec.DecodeError as error:
        raise BadRequest(f"the body is not as it should be: {error}") from None
