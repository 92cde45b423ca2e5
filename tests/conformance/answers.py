"""Judges answers: what a recorded answer means must be what the SDK of a caller of another dialect understands."""

import base64
import binascii
import re
from dataclasses import replace
from typing import NamedTuple

from conformance import framing
from conformance.corpus import Record
from conformance.gateway import Sent, translated
from conformance.meaning import Failure, Meaning, Tokens, bare
from conformance.recorded import meaning_of
from conformance.sdks import CALLERS, Unreadable, understood
from pointsman.wire.dialect import Dialect


class Case(NamedTuple):
    """One record for one caller who asks for a stream or not."""

    record: Record
    caller: str
    stream: bool

    @property
    def name(self) -> str:
        return f"{self.record.id} -> {self.caller} {'streamed' if self.stream else 'whole'}"


def cases(records: list[Record], dialects: dict[str, Dialect]) -> list[Case]:
    return [
        Case(record, caller, stream)
        for record in records
        for caller in CALLERS
        for stream in (False, True)
        if record.has_answer
        and record.dialect in dialects
        and caller != record.dialect
        and hasattr(dialects.get(caller), "encode_reply")
    ]


def faults(case: Case, dialects: dict[str, Dialect]) -> list[str]:
    """What is wrong with what the caller understood; nothing for a right answer."""
    record = case.record
    try:
        sent = translated(record, dialects[record.dialect], dialects[case.caller], stream=case.stream)
    except Exception as error:  # noqa: BLE001 - whatever it is, the gateway fell over
        return [f"crash: {type(error).__name__}: {error}"]
    return faults_in(case, sent)


def faults_in(case: Case, sent: Sent) -> list[str]:
    expected = meaning_of(case.record)
    try:
        found = understood(case.caller, sent, stream=case.stream)
    except Unreadable as error:
        return [f"unreadable: {error}"]
    grammar = framing.faults(case.caller, sent.body) if sent.is_stream else []
    return differences(expected, found, case.caller) + [f"grammar: {fault}" for fault in grammar]


def _without_cut_calls(expected: Meaning) -> Meaning:
    """A call that was cut short need not be told: nobody could make it."""
    whole = [call for call in expected.calls if isinstance(call.arguments, dict)]
    order = [kind for kind in expected.order if kind != "call" or whole]
    return replace(expected, calls=whole, order=order)


# what a caller's dialect has no place for at all
_NO_IMAGES = frozenset({"openai-chat", "anthropic-messages"})
_NO_LOGPROBS = frozenset({"anthropic-messages"})
_UNORDERED = frozenset({"openai-chat"})
_STATUS_RANGE_OF_AUTH = range(500, 600)


def differences(expected: Meaning, found: Meaning, caller: str) -> list[str]:
    if expected.failure is not None or found.failure is not None:
        return _failures(expected, found, caller)
    wrong = []
    if expected.explanation and found.text + found.refusal == expected.explanation:
        expected = replace(expected, refusal=expected.explanation, order=["text"])  # a caller may be told why
    elif expected.stop == "blocked" and not expected.order and not found.text:
        expected = replace(expected, refusal=found.refusal, order=found.order)  # or that it is a refusal
    if expected.stop == "length" and len(found.calls) < len(expected.calls):
        expected = _without_cut_calls(expected)
    if expected.stop == "pause" and caller != "anthropic-messages":
        expected = replace(expected, stop="length")  # no other API knows of pauses: the answer is not whole
    if expected.foreign:
        wrong.append(f"lost what the caller must act on: {', '.join(expected.foreign)}")
    if expected.text + expected.refusal != found.text + found.refusal:
        wrong.append(_differ("text", expected.text + expected.refusal, found.text + found.refusal))
    if caller in {"openai-chat", "openai-responses"} and bool(expected.refusal) != bool(found.refusal):
        wrong.append("refusal: not told as one" if expected.refusal else "refusal: invented")
    if bare(expected.reasoning) != bare(found.reasoning):
        wrong.append(_differ("reasoning", expected.reasoning, found.reasoning))
    wrong += _calls(expected, found)
    if expected.stop != found.stop:
        wrong.append(f"stop: {expected.stop} became {found.stop}")
    if caller == "anthropic-messages" and expected.stop_sequence != found.stop_sequence:
        wrong.append(f"stop sequence: {expected.stop_sequence!r} became {found.stop_sequence!r}")
    wrong += _usage(expected.usage, found.usage, caller)
    if [_picture(image) for image in expected.images] != [_picture(image) for image in found.images]:
        wrong.append(f"images: {len(expected.images)} became {len(found.images)}")
    if caller not in _NO_LOGPROBS and bool(expected.logprobs) != bool(found.logprobs):
        wrong.append(f"logprobs: {expected.logprobs} became {found.logprobs}")
    if set(found.cited) - set(expected.cited):
        wrong.append("citations: invented")
    if caller not in _UNORDERED and expected.order != found.order:
        wrong.append(f"order: {expected.order} became {found.order}")
    return wrong


def _differ(what: str, expected: str, found: str) -> str:
    place = next(
        (n for n, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b),
        min(len(expected), len(found)),
    )
    return f"{what}: {expected[place : place + 30]!r} became {found[place : place + 30]!r} at {place}"


def _calls(expected: Meaning, found: Meaning) -> list[str]:
    if len(expected.calls) != len(found.calls):
        return [f"calls: {len(expected.calls)} became {len(found.calls)}"]
    wrong = []
    for one, other in zip(expected.calls, found.calls, strict=True):
        if one.name != other.name:
            wrong.append(f"call name: {one.name} became {other.name}")
        is_cut = expected.stop == "length" and not isinstance(one.arguments, dict)
        if one.arguments != other.arguments and not is_cut:
            wrong.append(f"call arguments: {one.arguments!r:.60} became {other.arguments!r:.60}")
    told = [call.id for call in found.calls if call.id is not None]
    if len(set(told)) != len(told):
        wrong.append("call ids: not unique")
    return wrong


def _usage(expected: Tokens | None, found: Tokens | None, caller: str) -> list[str]:
    if caller == "anthropic-messages" and expected is None:
        expected = Tokens(0, 0)  # it has no way to say that nobody counted
    if found is None and expected is not None and None in {expected.input, expected.output}:
        return []  # half a count is told nowhere
    if expected is None or found is None:
        return [] if expected == found else [f"usage: {expected} became {found}"]
    if caller == "anthropic-messages" and found.reasoning is None:
        expected = replace(expected, reasoning=None)
    if caller == "anthropic-messages" and (expected.input or 0) < (expected.cached or 0):
        expected = replace(
            expected, input=expected.cached
        )  # its input is what is beside the cache: at least 0
    kinds = ("input", "output", "cached", "reasoning", *(() if caller == "gemini" else ("written",)))
    one, other = ([getattr(t, n) or 0 for n in kinds] for t in (expected, found))
    return [] if one == other else [f"usage: {one} became {other}"]


def _picture(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except binascii.Error:
        return data.encode()


def _failures(expected: Meaning, found: Meaning, caller: str) -> list[str]:
    if found.failure is None:
        return ["a failure became an answer"]
    if expected.failure is None:
        # What a caller cannot be told in its dialect may be refused, but never lost.
        is_refusable = (
            expected.foreign or (expected.images and caller in _NO_IMAGES) or _has_no_json(expected)
        )
        return [] if is_refusable else [f"an answer became a failure: {found.failure.message:.80}"]
    told, wanted = found.failure, expected.failure
    wrong = []
    if not told.message:
        wrong.append("error without a message")
    elif not wanted.is_auth and not _is_said(
        wanted.message, told.message
    ):  # whose key it was is nobody's business
        wrong.append(_differ("error message", wanted.message, told.message))
    if wanted.status is not None and not _is_right_status(wanted, told.status):
        wrong.append(f"error status: {wanted.status} became {told.status}")
    return wrong


_SAID_CHARACTERS = 400
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")


def _is_said(wanted: str, told: str) -> bool:
    """True if the provider's words are in it. A key or a URL's query may be masked, and a very long message cut."""
    words = _QUERY.sub(r"\1", wanted)[:_SAID_CHARACTERS].split()
    likely = [r"\S+" if "*" in word else re.escape(word) for word in words]
    return re.search(r"\s+".join(likely[:-1] if len(wanted) > _SAID_CHARACTERS else likely), told) is not None


def _has_no_json(expected: Meaning) -> bool:
    """Arguments that are not JSON can be told only where they are a string."""
    return any(not isinstance(call.arguments, dict) for call in expected.calls)


def _is_right_status(wanted: Failure, told: int | None) -> bool:
    assert wanted.status is not None
    if told is None:
        return False
    if wanted.is_auth:
        return told >= 500  # the caller's own key is not at fault
    # The caller did not name the provider's model: that it is unknown there is the operator's to mend.
    is_unknown = wanted.status == 404 or _NO_SUCH_MODEL.search(wanted.message) is not None
    if wanted.status >= 500 or (is_unknown and told >= 500):
        return told >= 500
    if wanted.status == 413 and "per minute" in wanted.message:
        return told in {413, 429}
    if wanted.status == 408:
        return told in {408, 504}  # it was the provider that did not get on
    return told == wanted.status


_NO_SUCH_MODEL = re.compile(r"[Mm]odel.* (?:does not exist|not found)|Invalid model")
