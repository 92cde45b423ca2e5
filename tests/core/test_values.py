"""The small values: what they say of themselves."""

import dataclasses

import msgspec
import pytest

from pointsman.core import errors, events, request
from pointsman.core.decision import Candidate, Decision
from pointsman.core.errors import (
    ClientError,
    ConfigError,
    ExhaustedError,
    PointsmanError,
    Problem,
    UpstreamError,
    UpstreamFault,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Message, Request, Text

CARD = ModelCard("tiny", "local", "tiny-1")


def test_parts_messages_and_events_cannot_be_changed() -> None:
    for module in (request, events):
        for value in vars(module).values():
            if dataclasses.is_dataclass(value):
                assert value.__dataclass_params__.frozen
                assert hasattr(value, "__slots__")
            elif isinstance(value, type) and issubclass(value, msgspec.Struct):
                assert value.__struct_config__.frozen


def test_request_says_nothing_its_caller_did_not() -> None:
    asked = Request("auto", (Message("user", (Text("Hi"),)),))
    assert asked.foreign == {}
    assert asked.must_not_drop == frozenset()
    assert asked.sampling == request.Sampling()


def test_unknown_abilities_are_tried() -> None:
    assert CARD.can("vision")
    assert not dataclasses.replace(CARD, abilities=frozenset({"tools"})).can("vision")


def test_decision_is_for_the_first_of_its_chain() -> None:
    other = dataclasses.replace(CARD, name="big")
    assert Decision("auto", "auto", (CARD, other), candidates=(Candidate(CARD, None),)).card is CARD


def test_every_client_error_has_its_status() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ClientError)
    ]
    assert all(400 <= kind.status < 500 for kind in kinds)
    assert issubclass(ClientError, PointsmanError)


def test_exhausted_names_every_attempt() -> None:
    last = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    error = ExhaustedError([("a", UpstreamError(UpstreamFault.BROKEN, "cut")), ("b", last)])
    assert error.message == "a: cut; b: busy"
    assert error.told.fault is UpstreamFault.OVERLOADED


F = UpstreamFault


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([F.RATE_LIMITED, F.RATE_LIMITED], F.RATE_LIMITED),
        ([F.RATE_LIMITED, F.SERVER_ERROR], F.OVERLOADED),
        ([F.AUTH, F.OVERLOADED], F.OVERLOADED),
        ([F.TIMED_OUT, F.SERVER_ERROR], F.TIMED_OUT),
        ([F.SERVER_ERROR, F.AUTH], F.SERVER_ERROR),
        ([F.TOO_LONG, F.UNREACHABLE], F.TOO_LONG),
        ([F.TOO_LONG, F.OVERLOADED], F.OVERLOADED),
        ([F.AUTH, F.QUOTA], F.QUOTA),
        ([F.OVERLOADED, F.REJECTED], F.REJECTED),
    ],
)
def test_one_failure_stands_for_all(faults: list[UpstreamFault], told: UpstreamFault) -> None:
    error = ExhaustedError([(f"m{place}", UpstreamError(kind, "x")) for place, kind in enumerate(faults)])
    assert error.told.fault is told


def test_of_several_pauses_the_shortest_is_told() -> None:
    failures = [
        ("a", UpstreamError(F.RATE_LIMITED, "x", retry_after_s=9)),
        ("b", UpstreamError(F.RATE_LIMITED, "x", retry_after_s=4)),
    ]
    assert ExhaustedError(failures).told.retry_after_s == 4


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem("models.tiny.tier", "'simpel'", "a tier", "simple", 4),
            "models.tiny.tier (line 4): is 'simpel'; expected a tier (did you mean 'simple'?)",
        ),
        (Problem("providers", None, "at least one"), "providers: expected at least one"),
    ],
)
def test_problem_says_where_what_and_what_would_be_right(problem: Problem, text: str) -> None:
    assert str(problem) == text
    assert ConfigError([problem, problem]).message == f"{text}\n{text}"
