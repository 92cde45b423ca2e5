"""The rules of translation, counted: every one of them has a test that names it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
RULES = set(range(1, 49))
_NAMED = re.compile(r"Rules? (\d+(?:(?:,| and| to) ?\d+|, \d+)*)")


def rules_named(text: str) -> Iterator[int]:
    for listed in _NAMED.findall(text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", listed):
            yield from range(int(first), int(last or first) + 1)


def docstrings() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module | ast.ClassDef):
                yield ast.get_docstring(node) or ""


def test_every_rule_has_a_test() -> None:
    named = {rule for text in docstrings() for rule in rules_named(text)}
    assert named >= RULES, f"no test names {sorted(RULES - named)}"
