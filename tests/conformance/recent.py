"""What vendors send by their references and their SDKs' types of late 2026, and nobody has recorded: answers, each with
what it means written beside it, and requests. Each is a record like any other."""

import json
from pathlib import Path
from typing import Any

from conformance.corpus import Record, compact

_FOLDER = Path(__file__).resolve().parent.parent / "golden" / "recent"
_JSON = (b"content-type", b"application/json")


def answers() -> list[tuple[Record, dict[str, Any]]]:
    """Records, each with the fields of a Meaning that are not as they are at first."""
    return [(_answer(row), row["means"]) for row in _rows("answers")]


def records() -> list[Record]:
    return [*(record for record, _ in answers()), *(_request(row) for row in _rows("requests"))]


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]


def _answer(row: dict[str, Any]) -> Record:
    stream, body = row.get("stream"), row.get("body")
    whole = body.encode() if isinstance(body, str) else compact(body)
    return Record(
        id=f"recent-{row['dialect']}-{row['name']}",
        dialect=row["dialect"],
        provider=row["provider"],
        model="their-model",
        is_stream=stream is not None,
        request=None,
        status=row["status"],
        headers=(_JSON,),
        body=whole if stream is None else None,
        stream=None if stream is None else stream.encode(),
    )


def _request(row: dict[str, Any]) -> Record:
    """One whose answer is not known."""
    return Record(
        id=f"recent-asked-{row['source']}-{row['name'].replace(' ', '-')}",
        dialect=row["source"],
        provider="other",
        model="their-model",
        is_stream=bool(row.get("stream")),
        request=compact(row["body"]),
        status=200,
        headers=(),
        body=None,
        stream=None,
    )
