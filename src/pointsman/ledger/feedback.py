"""What callers report of answers, and the calibrations drawn from it, in the ledger's file. It judges nothing. Its
functions wait for the disk: call them from a thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from pointsman.ledger.database import WRITER_PATIENCE_S, connect, prepare, refusals
from pointsman.ledger.writer import migrate_quietly

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[float, ...]).decode


class Asked(NamedTuple):
    """A booked request, as far as a report on it needs to know. `model` is the one that answered, None where
    none did."""

    caller: str
    score: float | None
    tier: str | None
    category: str | None
    profile: str | None
    model: str | None


class Report(NamedTuple):
    """What somebody thought of one answer: `quality` 0..1. `feedback_id` is the request's id where it is about one.
    `score`, `tier` and the rest are the request's, None where they are not known."""

    feedback_id: str
    at_s: float
    caller: str
    quality: float
    score: float | None = None
    tier: str | None = None
    category: str | None = None
    profile: str | None = None
    model: str | None = None
    comment: str | None = None


class StoredCalibration(NamedTuple):
    """Boundaries found from so many `labels` reports, and those they started from."""

    number: int
    at_s: float
    labels: int
    configured: tuple[float, ...]
    boundaries: tuple[float, ...]
    revoked_at_s: float | None


class FeedbackStore:
    """One ledger's file, which is created and migrated as the ledger's writer does it. Raises LedgerError."""

    def __init__(self, path: Path, reports_max: int) -> None:
        self._path = path
        self._reports_max = reports_max

    def asked(self, request_id: str) -> Asked | None:
        with self._open() as file:
            found = file.execute(
                "SELECT caller, score, tier, category, profile, model FROM requests WHERE request_id = ?",
                (request_id,),
            ).fetchone()
        return None if found is None else Asked(*found)

    def put(self, report: Report) -> bool:
        """True where it took the place of an earlier report of the same id. Beyond the limit the oldest go."""
        with self._open() as file:
            file.execute("BEGIN IMMEDIATE")
            replaced = file.execute(
                "SELECT 1 FROM feedback WHERE feedback_id = ?", (report.feedback_id,)
            ).fetchone()
            places = ", ".join("?" * len(report))
            file.execute(
                f"INSERT OR REPLACE INTO feedback ({', '.join(Report._fields)}) VALUES ({places})",  # noqa: S608  our own names
                report,
            )
            file.execute(
                "DELETE FROM feedback WHERE feedback_id IN"
                " (SELECT feedback_id FROM feedback ORDER BY at_s DESC LIMIT -1 OFFSET ?)",
                (self._reports_max,),
            )
            file.execute("COMMIT")
        return replaced is not None

    def reports(self) -> list[Report]:
        """All of them, oldest first."""
        with self._open() as file:
            rows = file.execute(
                f"SELECT {', '.join(Report._fields)} FROM feedback ORDER BY at_s, feedback_id"  # noqa: S608  our own names
            ).fetchall()
        return [Report(*row) for row in rows]

    def calibration(self) -> StoredCalibration | None:
        """The latest, revoked or not."""
        with self._open() as file:
            row = file.execute(
                "SELECT number, at_s, labels, configured, boundaries, revoked_at_s FROM calibrations"
                " ORDER BY number DESC LIMIT 1"
            ).fetchone()
        if row is None:
            return None
        number, at_s, labels, configured, boundaries, revoked_at_s = row
        return StoredCalibration(number, at_s, labels, _decode(configured), _decode(boundaries), revoked_at_s)

    def calibrate(
        self, at_s: float, labels: int, configured: tuple[float, ...], boundaries: tuple[float, ...]
    ) -> None:
        with self._open() as file:
            file.execute(
                "INSERT INTO calibrations (at_s, labels, configured, boundaries) VALUES (?, ?, ?, ?)",
                (at_s, labels, _encode(configured).decode(), _encode(boundaries).decode()),
            )

    def revoke(self, at_s: float) -> bool:
        """No calibration is in force any more. False where none was."""
        with self._open() as file:
            done = file.execute(
                "UPDATE calibrations SET revoked_at_s = ? WHERE revoked_at_s IS NULL", (at_s,)
            )
            return done.rowcount > 0

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with refusals(self._path):
            if prepare(self._path, WRITER_PATIENCE_S):
                migrate_quietly(self._path)
            with closing(connect(self._path, WRITER_PATIENCE_S)) as file:
                yield file
