"""One page of what a kept reply was asked (`GET /v1/responses/{id}/input_items`). It keeps nothing."""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.core.errors import BadRequest

_LIMIT, _LIMIT_MAX = 20, 100

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_id = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


def page_of_items(reply_id: str, items: Sequence[msgspec.Raw], query: Mapping[str, str]) -> bytes:
    """`items` in the order they were sent; `query` as OpenAI's endpoint takes it: `order` (the newest first unless
    told otherwise), `limit`, and `after`, the id of the last item that was seen. Raises BadRequest."""
    named = [_listed(item, f"item_{reply_id}_{place}") for place, item in enumerate(items)]
    order = query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise BadRequest("order: must be asc or desc", param="order")
    if order == "desc":
        named.reverse()
    start, limit = _start(named, query.get("after")), _limit(query)
    page = named[start : start + limit]
    return _encode(
        {
            "object": "list",
            "data": [item for _, item in page],
            "first_id": page[0][0] if page else None,
            "last_id": page[-1][0] if page else None,
            "has_more": start + limit < len(named),
        }
    )


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_LIMIT))
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_LIMIT_MAX)) else 0
    if not 1 <= limit <= _LIMIT_MAX:
        raise BadRequest(f"limit: must be a number from 1 to {_LIMIT_MAX}", param="limit")
    return limit


def _start(named: Sequence[tuple[str, msgspec.Raw]], after: str | None) -> int:
    if after is None:
        return 0
    places = [place for place, (item_id, _) in enumerate(named) if item_id == after]
    if not places:
        raise BadRequest(f"after: there is no item {after[:100]!r}", param="after")
    return places[0] + 1


def _listed(item: msgspec.Raw, otherwise: str) -> tuple[str, msgspec.Raw]:
    """The item's id, and the item as it is listed: with an id, by which pages are turned, and a message whole, of
    which a caller may have written no more than its text."""
    fields = _decode_fields(item)
    more: dict[str, object] = {}
    try:
        item_id = _decode_id(fields["id"])
    except (KeyError, msgspec.DecodeError):
        item_id = more["id"] = otherwise
    if "role" in fields:
        content = fields.get("content", msgspec.Raw(b"[]"))
        if bytes(content).startswith(b'"'):
            kind = "output_text" if bytes(fields["role"]) == b'"assistant"' else "input_text"
            part = {"type": kind, "text": content}
            more["content"] = [part if kind == "input_text" else {**part, "annotations": []}]
        more |= {"type": "message", "status": fields.get("status", "completed")}
    return item_id, msgspec.Raw(_encode({**fields, **more})) if more else item
