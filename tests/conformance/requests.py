"""Judges translated requests: whatever a recorded request asks for must be asked of the other API too, or be refused or
named as left out; and the other API must take it. Nothing is lost in silence, nothing is invented."""

import json
from typing import Any, NamedTuple

from conformance import valid
from conformance.asked import Ask, asked
from conformance.corpus import Record
from conformance.gateway import envelope_of
from conformance.hindrances import hindrances_of
from conformance.losses import losses
from pointsman.core.errors import ClientError
from pointsman.core.model_card import ABILITIES, ModelCard
from pointsman.wire.dialect import Dialect, EncodedRequest

MODELS = {
    "openai-chat": ("gpt-4.1", "gpt-5.1", "deepseek-chat"),
    "openai-responses": ("gpt-4.1", "gpt-5.1"),
    "anthropic-messages": ("claude-sonnet-4-5",),
    "gemini": ("gemini-2.5-flash", "gemini-3-pro"),
    "ollama": ("qwen3:8b",),
}
"""Of each API a model that thinks and one that does not, by the names they are known by."""


class Case(NamedTuple):
    """One recorded request for one model of another API."""

    record: Record
    target: str
    model: str

    @property
    def name(self) -> str:
        return f"{self.record.id} -> {self.target} {self.model}"


def cases(records: list[Record], dialects: dict[str, Dialect]) -> list[Case]:
    """Requests that their own provider took; what it refused need not be valid anywhere."""
    return [
        Case(record, target, model)
        for record in records
        for target, models in MODELS.items()
        for model in models
        if record.request is not None
        and record.status < 300
        and target in dialects
        and record.dialect in dialects
        and hasattr(dialects[record.dialect], "decode_request")
        and target != record.dialect
    ]


def body_of(record: Record) -> dict[str, Any]:
    assert record.request is not None
    body: dict[str, Any] = json.loads(record.request)
    return body


def translate(case: Case, dialects: dict[str, Dialect]) -> EncodedRequest:
    """Raises ClientError for what is refused."""
    record = case.record
    envelope = envelope_of(record.dialect, body_of(record), "auto", stream=record.is_stream)
    card = ModelCard("name", "another", case.model, abilities=frozenset(ABILITIES))
    return dialects[case.target].encode_request(dialects[record.dialect].decode_request(envelope), card)


def faults(case: Case, dialects: dict[str, Dialect]) -> list[str]:
    """What is wrong with what the provider would be sent; nothing where it is right, or rightly refused."""
    source = asked(case.record.dialect, body_of(case.record))
    if case.record.is_stream:
        source.params["stream"] = True
    hindrances = hindrances_of(source, case.target)
    try:
        encoded = translate(case, dialects)
    except ClientError as error:
        if error.status != 400:
            return [f"refused with {error.status}"]
        return [] if hindrances else [f"refused without need: {error.param}: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever it is, the gateway fell over
        return [f"crash: {type(error).__name__}: {error}"]
    return faults_in(case, source, encoded)


def faults_in(case: Case, source: Ask, encoded: EncodedRequest) -> list[str]:
    body = json.loads(encoded.body)
    if case.target == "gemini" and source.params.get("stream"):
        body["stream"] = True  # it is said in the path
    is_strict = b'"strict":true' in (case.record.request or b"")  # then its own provider took the schema so
    wrong = [
        f"invalid: {fault}"
        for fault in valid.faults(
            case.target,
            {k: v for k, v in body.items() if case.target != "gemini" or k not in {"stream", "model"}},
        )
    ]
    target = asked(case.target, body)
    if encoded.undo.answer_tool in target.tools:
        target.schema = target.tools.pop(encoded.undo.answer_tool)[
            "schema"
        ]  # the answer comes as its arguments
        target.choice = source.choice
    target.set(
        "stop", list(getattr(encoded.undo, "stop", ())) or target.params.get("stop")
    )  # cut by the gateway
    if case.target == "gemini":
        target.params["stream"] = source.params.get("stream")
        target.others.pop("stream", None)
    names = encoded.undo.tool_names
    wrong = [fault for fault in wrong if not (is_strict and fault.endswith("strict, and not closed"))]
    return wrong + [f"lost: {what}" for what in losses(source, target, encoded.dropped, names, case.target)]
