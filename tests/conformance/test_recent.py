"""The independent readers of the judge are judged by what stands beside the answers."""

from dataclasses import asdict
from typing import Any

import pytest

from conformance import recent
from conformance.corpus import Record
from conformance.judgement import JUDGES, judge
from conformance.meaning import Call, Failure, Meaning, Tokens
from conformance.recorded import meaning_of
from pointsman.app import DIALECTS

ANSWERS = recent.answers()


def _written(means: dict[str, Any]) -> Meaning:
    told = dict(means)
    if "failure" in told:
        told["failure"] = Failure(**{"status": None, **told["failure"]})
    if "usage" in told:
        told["usage"] = Tokens(**told["usage"])
    told["calls"] = [Call(**call) for call in told.get("calls", [])]
    return Meaning(**told)


def _without_ids(meaning: Meaning) -> dict[str, Any]:
    told = asdict(meaning)
    for call in told["calls"]:
        del call["id"]
    return told


@pytest.mark.parametrize(("record", "means"), ANSWERS, ids=[record.id for record, _ in ANSWERS])
def test_answer_means_what_is_written_beside_it(record: Record, means: dict[str, Any]) -> None:
    assert _without_ids(meaning_of(record)) == _without_ids(_written(means))


@pytest.mark.parametrize("name", JUDGES)
def test_recent_exchange_judged_has_no_fault(name: str) -> None:
    judgement = judge(name, JUDGES[name].cases(recent.records(), DIALECTS), DIALECTS)
    assert not judgement.faults, str(judgement)


def test_there_are_many_of_each() -> None:
    dialects = [record.dialect for record, _ in ANSWERS]
    sources = [record.dialect for record in recent.records() if record.request is not None]
    assert min(dialects.count(dialect) for dialect in set(dialects)) > 30
    assert min(sources.count(source) for source in set(sources)) > 50
