import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.config.source import at, read_yaml


def test_numbers_keep_the_digits_they_were_written_with():
    source = read_yaml("a: 0.10\nb: 1e-3\nc: 1_000\nd: 0x10\ne: -0.5\n", "f")
    assert source.problems == []
    assert source.tree == {
        "a": Decimal("0.10"),
        "b": Decimal("1e-3"),
        "c": 1000,
        "d": 16,
        "e": Decimal("-0.5"),
    }
    assert str(source.tree["a"]) == "0.10"


def test_yaml_is_1_2_and_not_1_1():
    tree = read_yaml("a: on\nb: no\nc: 012\nd: 1:30\ne: 1e3\nf: 2024-05-13\n", "f").tree
    assert tree == {"a": "on", "b": "no", "c": 12, "d": "1:30", "e": Decimal("1e3"), "f": "2024-05-13"}


def test_every_value_knows_its_line():
    source = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f")
    assert source.line(("a",)) == 1
    assert source.line(("a", "b")) == 2
    assert source.line(("a", "c", 1)) == 5
    assert source.line(("a", "b", "not there")) == 2
    assert source.line(("nowhere",)) is None


def test_every_repeated_key_is_a_problem_with_both_lines():
    source = read_yaml("a: 1\nb: 2\na: 3\nb: 4\n", "f")
    assert [(problem.path, problem.line) for problem in source.problems] == [("a", 3), ("b", 4)]
    assert "line 1" in source.problems[0].expected
    assert source.tree == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1,\n", 2),
        ("ok: 1\na: b: c\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("\ta: 1\n", 1),
        ("a: !secret x\n", 1),
        ("a: 1\nb: &x [*x]\n", 2),
        ("- 1\n- 2\n", 1),
        ("just words\n", 1),
        ("? [a]\n: 1\n", 1),
        ("? \n: 1\n", 1),
    ],
)
def test_what_is_not_a_mapping_in_yaml_is_one_problem_with_its_line(text, line):
    (problem,) = read_yaml(text, "the-file").problems
    assert problem.line == line


def test_deep_nesting_is_a_problem_and_not_a_crash():
    (problem,) = read_yaml("[" * 600, "f").problems
    assert "nested" in problem.expected


def test_control_characters_are_a_problem():
    (problem,) = read_yaml("a: \x00", "f").problems
    assert problem.path == "f"


def test_aliases_of_aliases_are_bounded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    source = read_yaml("\n".join(lines), "f")
    assert len(source.problems) == 1


def test_an_alias_stands_for_its_value():
    assert read_yaml("a: &x {b: 1}\nc: *x\n", "f").tree == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_empty_file_is_an_empty_tree():
    source = read_yaml("# nothing\n", "f")
    assert (source.tree, source.problems) == ({}, [])


def test_at_finds_a_value_or_none():
    tree = {"a": [{"b": 1}]}
    assert at(tree, ("a", 0, "b")) == 1
    assert at(tree, ("a", 1)) is None
    assert at(tree, ("a", 0, "b", "c")) is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="ascii"), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc :#-'", min_size=1), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), json_values, max_size=5))
@settings(max_examples=60, deadline=None)
def test_json_is_read_as_json(tree):
    source = read_yaml(json.dumps(tree), "f")
    assert source.problems == []
    assert source.tree == tree


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_a_tree_or_problems_but_no_exception(text):
    source = read_yaml(text, "f")
    assert isinstance(source.tree, dict)
    assert all(problem.expected for problem in source.problems)
