"""What is gathered of one request, and the rows it becomes; the headers that tell of it."""

import json

import pytest
from calls_made import HandClock, call
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.errors import Unsupported, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.gateway.booking import Booking
from pointsman.gateway.headers import answer_headers, ascii_value
from pointsman.gateway.relayed import SameDialect
from pointsman.routing.decide import pin
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from replies import completion

FIRST = ModelCard("first", "one", "first-1", "simple")
SECOND = ModelCard("second", "two", "second-1", "medium")
ENVELOPE = read_envelope(b'{"model":"auto","messages":[{"role":"user","content":"Hi"}]}')
ROUTED = Decision(
    "auto", "auto", (FIRST, SECOND), score=0.12345, tier="simple", category="code", confidence=0.876
)


def crossing() -> SameDialect:
    return SameDialect(OPENAI_CHAT, ENVELOPE, FIRST, ReplyContext("pm_1", "first-1", 1))


def begun(clock: HandClock | None = None) -> Booking:
    booking = Booking(call(clock=clock))
    booking.read(ENVELOPE)
    booking.decision = ROUTED
    return booking


def test_a_request_that_nobody_finished_is_our_own_fault() -> None:
    entry, attempts = Booking(call()).entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("failed", 500, "internal")
    assert (entry.requested_model, entry.decision, entry.model, attempts) == ("", None, None, ())


def test_a_complete_request_has_the_times_of_its_attempts() -> None:
    clock = HandClock()
    booking = begun(clock)
    clock.now_s += 0.010
    failed = booking.begin_attempt(FIRST, crossing())
    clock.now_s += 0.020
    failed.fail(UpstreamError(UpstreamFault.OVERLOADED, "busy", status=503), partial=False)
    way = crossing()
    good = booking.begin_attempt(SECOND, way)
    good.status = 200
    clock.now_s += 0.030
    booking.first_byte(good)
    way.whole(json.dumps(completion()).encode())
    clock.now_s += 0.040
    good.end("complete")
    booking.complete()
    entry, (one, two) = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("failed_over", 200, None)
    assert (entry.model, entry.provider, entry.decision) == ("second", "two", ROUTED)
    assert entry.usage == Usage(30, 7, 10)
    assert (entry.first_token_ms, entry.total_ms) == pytest.approx((60, 100))
    assert (one.number, one.started_ms, one.total_ms) == pytest.approx((1, 10, 20))
    assert (one.outcome, one.fault, one.status, one.first_byte_ms) == ("failed", "overloaded", None, None)
    assert (two.number, two.started_ms, two.first_byte_ms, two.total_ms) == pytest.approx((2, 30, 30, 70))
    assert (two.outcome, two.fault, two.status) == ("complete", None, 200)


def test_a_status_is_the_one_on_the_line_not_one_told_within() -> None:
    booking = begun()
    attempt = booking.begin_attempt(FIRST, crossing())
    attempt.status = 200
    attempt.fail(UpstreamError(UpstreamFault.REJECTED, "told in a 200", status=400), partial=False)
    _, (row,) = booking.entries(None)
    assert row.status == 200


def test_a_caller_who_leaves_before_the_first_byte_was_answered_by_nobody() -> None:
    booking = begun()
    booking.begin_attempt(FIRST, crossing()).end("cancelled")
    booking.cancel(caller_left=True)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("cancelled", 499, None)
    assert (entry.model, entry.usage, entry.first_token_ms) == (None, None, None)


def test_a_caller_who_leaves_later_has_had_a_part() -> None:
    booking = begun()
    booking.first_byte(booking.begin_attempt(FIRST, crossing()))
    booking.cancel(caller_left=True)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.model) == ("cancelled", 200, "first")


def test_a_shutdown_is_not_a_caller_who_left() -> None:
    booking = begun()
    attempt = booking.begin_attempt(FIRST, crossing())
    booking.cancel(caller_left=False)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("failed", 503, "shut_down")
    booking.first_byte(attempt)
    booking.cancel(caller_left=False)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("partial", 200, "shut_down")


def test_a_caller_who_leaves_behind_the_end_has_had_it_all() -> None:
    booking = begun()
    booking.first_byte(booking.begin_attempt(FIRST, crossing()))
    booking.complete()
    booking.cancel(caller_left=True)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("complete", 200, None)


def test_a_list_of_dropped_fields_has_a_bound() -> None:
    booking = begun()
    booking.begin_attempt(FIRST, crossing()).crossing.dropped = tuple(f"field_{n}" for n in range(3000))
    value = told(booking)[b"x-pointsman-dropped"]
    assert len(value) < 2200
    assert value.endswith(b" more")


def test_a_fault_of_our_own_behind_the_first_byte_is_a_part() -> None:
    booking = begun()
    booking.first_byte(booking.begin_attempt(FIRST, crossing()))
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("partial", 200, "internal")


def test_a_broken_answer_is_a_part() -> None:
    booking = begun()
    booking.first_byte(booking.begin_attempt(FIRST, crossing()))
    booking.break_off(UpstreamError(UpstreamFault.TIMED_OUT, "silence"))
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault, entry.model) == ("partial", 200, "timed_out", "first")


def test_a_refusal_is_booked_by_its_name() -> None:
    booking = begun()
    booking.refuse(Unsupported("n cannot be expressed", param="n"), 400)
    entry, _ = booking.entries(None)
    assert (entry.outcome, entry.status, entry.fault) == ("refused", 400, "Unsupported")
    booking.refuse(UpstreamError(UpstreamFault.RATE_LIMITED, "slow down"), 429)
    assert booking.entries(None)[0].fault == "rate_limited"


# Headers


def told(booking: Booking, kind: bytes = b"application/json") -> dict[bytes, bytes]:
    *lines, behind = answer_headers(booking, kind).split(b"\r\n")
    assert behind == b""
    headers = dict(line.split(b": ", 1) for line in lines)
    assert len(headers) == len(lines)
    return headers


def test_headers_tell_of_the_decision() -> None:
    booking = begun()
    assert told(booking) == {
        b"content-type": b"application/json",
        b"x-pointsman-request-id": b"pm_1",
        b"x-request-id": b"pm_1",
        b"request-id": b"pm_1",
        b"x-pointsman-model": b"first",
        b"x-pointsman-provider": b"one",
        b"x-pointsman-tier": b"simple",
        b"x-pointsman-category": b"code",
        b"x-pointsman-score": b"0.123",
        b"x-pointsman-confidence": b"0.88",
        b"x-pointsman-profile": b"auto",
        b"x-pointsman-attempts": b"0",
        b"x-pointsman-dropped": b"",
        b"x-pointsman-outcome": b"none",
        b"x-pointsman-path": b"none",
        b"x-pointsman-substituted": b"none",
        b"x-pointsman-withheld": b"none",
    }
    way = crossing()
    way.dropped = ("seed", "messages[].größe", "a\r\nb: c")
    booking.begin_attempt(FIRST, crossing())
    booking.begin_attempt(SECOND, way)
    headers = told(booking, b"text/event-stream")
    assert (headers[b"x-pointsman-model"], headers[b"x-pointsman-attempts"]) == (b"second", b"2")
    assert headers[b"x-pointsman-tier"] == b"simple"
    assert headers[b"x-pointsman-dropped"] == b"seed,messages[].gr%C3%B6%C3%9Fe,a%0D%0Ab: c"
    assert headers[b"cache-control"] == b"no-cache"


def test_headers_of_a_pin_tell_that_nothing_was_scored() -> None:
    booking = Booking(call())
    booking.decision = pin("x", ModelCard("größe", "one", "x"))
    headers = told(booking)
    assert headers[b"x-pointsman-model"] == b"gr%C3%B6%C3%9Fe"
    assert (headers[b"x-pointsman-score"], headers[b"x-pointsman-tier"]) == (b"none", b"none")
    assert headers[b"x-pointsman-profile"] == b"pinned"
    assert (headers[b"x-pointsman-category"], headers[b"x-pointsman-confidence"]) == (b"none", b"none")


def test_headers_before_a_decision_say_that_there_was_none() -> None:
    headers = told(Booking(call()))
    assert headers[b"x-pointsman-request-id"] == headers[b"request-id"] == b"pm_1"
    names = ("model", "provider", "tier", "profile", "score", "attempts", "dropped")
    found = [headers[f"x-pointsman-{name}".encode()] for name in names]
    assert found == [b"none"] * 5 + [b"0", b""]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_is_a_header_value(text: str) -> None:
    value = ascii_value(text)
    assert all(0x20 <= byte < 0x7F for byte in value)
    if text.isascii() and text.isprintable():
        assert value.decode() == text
