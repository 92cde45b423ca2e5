"""Every recorded exchange, judged for every other dialect. Here a sample; `make conformance` judges them all."""

from functools import cache
from typing import Any

import pytest

from conformance import recent, strange
from conformance.corpus import DIALECT_OF_ENDPOINT, Record, records
from conformance.judgement import JUDGES, judge, listed, sample
from pointsman.app import DIALECTS

ONE_IN = {"answers": 16, "requests": 4, "same": 1}
SOURCES = sorted(set(DIALECT_OF_ENDPOINT.values()))


@cache
def corpus() -> list[Record]:
    return [*records(), *strange.records(), *recent.records()]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", JUDGES)
def test_recorded_exchange_judged_has_no_fault(name: str, source: str) -> None:
    of_source = [record for record in corpus() if record.dialect == source]
    cases = sample(name, JUDGES[name].cases(of_source, DIALECTS), one_in=ONE_IN[name])
    judgement = judge(name, cases, DIALECTS)
    assert not judgement.faults, str(judgement)
    assert not judgement.unneeded, "listed as exceptions, and right"


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.usefixtures("shared")  # most exceptions are of recordings
def test_exceptions_name_cases_and_reasons(name: str) -> None:
    known: set[str] = {record.id for record in corpus()}
    strays: list[Any] = [
        key for key, why in listed(name).items() if key.partition(" -> ")[0] not in known or not why
    ]
    assert not strays
