"""Judges what stays in its dialect: requests unchanged but for the model, answers byte for byte."""

import json
from typing import Any, NamedTuple

from conformance.corpus import Record
from conformance.gateway import envelope_of, relayed, small_request
from conformance.recorded import meaning_of
from pointsman.core.errors import UpstreamError
from pointsman.core.model_card import ModelCard
from pointsman.wire.dialect import Dialect


class Case(NamedTuple):
    """One record for a caller of its own dialect."""

    record: Record

    @property
    def name(self) -> str:
        return f"{self.record.id} -> {self.record.dialect}"


def cases(records: list[Record], dialects: dict[str, Dialect]) -> list[Case]:
    return [Case(record) for record in records if hasattr(dialects.get(record.dialect), "forwarded")]


def faults(case: Case, dialects: dict[str, Dialect]) -> list[str]:
    record, dialect = case.record, dialects[case.record.dialect]
    try:
        return _request(record, dialect) + _answer(record, dialect)
    except Exception as error:  # noqa: BLE001 - whatever it is, the gateway fell over
        return [f"crash: {type(error).__name__}: {error}"]


def _request(record: Record, dialect: Dialect) -> list[str]:
    if record.request is None:
        return []
    sent = record.request
    if dialect.name != "gemini":
        body: dict[str, Any] = json.loads(sent)
        if not isinstance(body.get("model"), str) or body.get("stream") not in {None, True, False}:
            return []
    envelope = envelope_of(dialect.name, json.loads(sent), "auto", stream=record.is_stream)
    card = ModelCard("name", record.provider, "the-model")
    body = dialect.forwarded(envelope, card).body
    wanted = envelope.body
    if dialect.name != "gemini":
        wanted = wanted.replace(b'"model":"auto"', b'"model":"the-model"', 1)
    return [] if body == wanted else [f"the request changed: {len(wanted)} bytes became {len(body)}"]


def _answer(record: Record, dialect: Dialect) -> list[str]:
    if record.status >= 400 or not record.has_answer:
        return []
    expected = meaning_of(record)
    try:
        told = relayed(record, dialect, small_request(dialect.name, stream=record.stream is not None))
    except UpstreamError as error:
        return [] if expected.failure is not None else [f"an answer became a failure: {error.message:.80}"]
    if expected.failure is not None and record.stream is not None and dialect.name != "gemini":
        return ["a broken answer passed for a whole one"]
    return [] if told == record.answer else ["the answer changed"]
