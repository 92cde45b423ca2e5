"""A fixed part of what `make fuzz` goes on with: the same executions every time, some for each decoder. And that the
instruments find what they are for."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.campaign import Campaign, Failure, tried
from fuzz.corpus import Seed, read_seeds
from fuzz.growth import grower
from fuzz.holding import Violation, bounded, events_hold, is_deep, json_of, order_holds
from fuzz.hostile import HOSTILE
from fuzz.minimise import minimised
from fuzz.mutations import Mutator, vocabulary
from fuzz.target import Target
from fuzz.targets import all_targets
from fuzz.trees import Fields, Written, read_tree, write_tree
from pointsman.core.events import Finished, ReplyStarted, ToolCallDelta

TARGETS = {target.name: target for target in all_targets()}
FIXED = settings(
    max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
)


@pytest.fixture(scope="module")
def seeds() -> list[Seed]:
    """The recordings too, where they are; the committed ones are enough to run."""
    folder = Path(os.environ.get("POINTSMAN_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    return read_seeds(folder if (folder / "wire").is_dir() else None)


@pytest.fixture(scope="module")
def words(seeds: list[Seed]) -> list[str]:
    return vocabulary([seed.data for seed in seeds])


def told(target: Target, failure: Failure) -> str:
    small = minimised(target, failure)
    return f"{small.place}\n{small.data[:2000]!r} with random seed {small.random_seed}\n{small.told}"


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_recordings_raise_nothing_but_what_is_documented(
    name: str, seeds: list[Seed], words: list[str]
) -> None:
    target = TARGETS[name]

    @FIXED
    @given(random_seed=st.integers(0, 2**32))
    def holds(random_seed: int) -> None:
        failure = next(Campaign([target], seeds, random_seed, words).run(12), None)
        assert failure is None, told(target, failure)

    holds()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_raises_nothing_but_what_is_documented(name: str) -> None:
    target, _, made = HOSTILE[name]
    for random_seed in range(3):
        outcome = tried(TARGETS[target], made(20), random_seed)
        assert isinstance(outcome, str), told(TARGETS[target], outcome)


# the instruments


def fails_on_a_deep_key(data: bytes, rng: random.Random) -> str:
    if '"needle": 7' in json.dumps(json.loads(data)):
        raise KeyError
    return "holds"


def test_failures_are_made_as_small_as_they_can_be():
    target = Target("example", fails_on_a_deep_key, None, "request")
    data = json.dumps(
        {"a": [1, {"b": "x" * 500, "c": [{"needle": 7, "d": 8}]}], "e": list(range(50))}
    ).encode()
    failure = tried(target, data, 1)
    assert isinstance(failure, Failure)
    small = minimised(target, failure)
    assert small.place == failure.place
    assert len(small.data) <= len('{"a":[{"c":[{"needle":7}]}]}')


def test_a_campaign_finds_what_mutations_can_reach_and_is_the_same_each_time():
    def run(data: bytes, rng: random.Random) -> str:
        try:
            read = json.loads(data)
        except (ValueError, RecursionError):
            return "no JSON"
        if isinstance(read, dict) and isinstance(read.get("model"), list):
            raise TypeError("a model is no list")
        return "holds"

    seeds = [Seed("openai-chat", "request", b'{"model":"m","messages":[{"role":"user","content":"a"}]}')]
    found = [
        [
            failure.data
            for failure in Campaign([Target("example", run, "openai-chat", "request")], seeds, 5).run(400)
        ]
        for _ in range(2)
    ]
    assert found[0]
    assert found[0] == found[1]


@FIXED
@given(st.integers(0, 2**32))
def test_mutations_reach_parsers_far_more_often_than_not(random_seed: int):
    data = b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"tools":[]}'
    mutator = Mutator(random.Random(random_seed), ["role", "type"], [data])
    spoiled = [mutator.mutated(data, is_stream=False) for _ in range(60)]
    assert len(set(spoiled)) > 50
    assert sum(_is_json(each) for each in spoiled) > 25


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_trees_are_written_as_they_were_read(value):
    assert json.loads(write_tree(read_tree(json.dumps(value)))) == value


def test_trees_hold_what_json_must_not():
    tree = read_tree('{"a":1,"a":2}')
    assert tree == Fields([["a", 1], ["a", 2]])
    tree[0][1] = Written("1E400")
    assert write_tree(tree) == b'{"a":1E400,"a":2}'
    with pytest.raises(ValueError):
        read_tree("[" * 500 + "]" * 500)


@pytest.mark.parametrize(
    "broken",
    [
        lambda: json_of(b"NaN", "it"),
        lambda: json_of(b'{"a":"\xff"}', "it"),
        lambda: events_hold(b"data: {}\n", "it"),
        lambda: events_hold(b"data: {\n\n", "it"),
        lambda: events_hold(b"data: 1\nmore\n\n", "it"),
        lambda: bounded(10_000_000, 10, "it"),
        lambda: order_holds([ReplyStarted("", "")]),
        lambda: order_holds([ReplyStarted("", ""), ToolCallDelta(0, ""), Finished("stop")]),
        lambda: order_holds([ReplyStarted("", ""), Finished("stop"), Finished("stop")]),
    ],
)
def test_what_does_not_hold_is_seen(broken):
    with pytest.raises(Violation):
        broken()


def test_depth_is_that_of_the_deepest_bracket():
    assert not is_deep(b"[]" * 1000)
    assert is_deep(b'{"a":' * 500)


@FIXED
@given(st.integers(0, 2**32))
def test_what_grows_grows_by_the_same_each_time(random_seed: int):
    data = b'data: {"type":"a","list":[{"b":"c"}],"text":"d"}\n\ndata: {"e":{}}\n\n'
    _, grow = grower(data, random.Random(random_seed), is_stream=random_seed % 2 == 0)
    once, twice, thrice = (len(grow(times)) for times in (4, 5, 6))
    assert twice - once == thrice - twice
