"""Style that is law. What the linter, the type checker and the import contracts cannot see is checked here."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

PURE = ("core", "wire", "routing", "fleet")
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "base", "misc"}
IMPURE_NAMES = {"open", "input", "print", "exec", "eval", "__import__"}
IMPURE_METHODS = {"now", "today", "utcnow", "read_text", "read_bytes", "write_text", "write_bytes", "urandom"}
ENTRY_POINTS = {"pointsman", "pointsman.__main__", "pointsman.testing"}
MIGRATION = re.compile(r"pointsman\.ledger\.migrations\.")  # found by Alembic, by folder

# Written so that no pattern finds itself.
LEFTOVERS = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HAC[K])\b")
FOREIGN_WORDS = re.compile(
    r"/wor[k]/|/tmp/[w]\b|\bissue #?\d+\b|helper agen[t]|\b(this|previous|earlier|next) sessio[n]\b"
    r"|\bthe lea[d]\b|\bcolleagu[e]|POINTSMAN_SHARE[D]=/",
    re.IGNORECASE,
)
NOT_OURS = re.compile(r"\.lock$|package-lock\.json$|^LICENSE$|^tests/golden/")
TEXT = re.compile(r"(\.(py|md|toml|yaml|yml|json|sh|c|lua|mjs|html|css|js|txt)|/run|^Makefile|^\.gitignore)$")


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def at(path: Path, root: Path, node: ast.expr | ast.stmt) -> str:
    return f"{path.relative_to(root)}:{node.lineno}"


def test_module_names_say_something(root: Path) -> None:
    found = [path for path in (root / "src").rglob("*") if path.stem.strip("_") in BANNED_NAMES]

    assert found == []


def test_only_the_command_line_prints(root: Path) -> None:
    found = [
        at(path, root, node)
        for path in python_files(root, "src")
        if "cli" not in path.relative_to(root / "src/pointsman").parts
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert found == []


def test_pure_rooms_touch_no_file_and_no_clock(root: Path) -> None:
    def is_impure(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        called = node.func
        return (isinstance(called, ast.Name) and called.id in IMPURE_NAMES) or (
            isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS
        )

    found = [
        at(path, root, node)
        for path in python_files(root, *(f"src/pointsman/{room}" for room in PURE))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.expr) and is_impure(node)
    ]

    assert found == []


def test_nothing_is_mocked_or_patched(root: Path, git_files: list[str]) -> None:
    def patches(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return any(name.name.startswith(("unittest.mock", "mock")) for name in node.names)
        if isinstance(node, ast.ImportFrom):
            return node.module in {"unittest.mock", "mock"} or (
                node.module == "unittest" and any(name.name == "mock" for name in node.names)
            )
        return (
            isinstance(node, ast.Attribute)
            and node.attr in {"setattr", "delattr", "setitem", "patch"}
            and (isinstance(node.value, ast.Name) and node.value.id in {"monkeypatch", "mocker"})
        )

    found = [
        f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
        for path in (root / name for name in git_files if name.endswith(".py"))
        for node in ast.walk(tree_of(path))
        if patches(node)
    ]

    assert found == []


def test_every_module_opens_with_what_it_is_for(root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in python_files(root, "src")
        if ast.get_docstring(tree_of(path)) is None
    ]

    assert found == []


def test_every_module_is_used(root: Path) -> None:
    graph = grimp.build_graph("pointsman", cache_dir=None)
    by_scripts = {
        name
        for path in python_files(root, "scripts")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for name in (node.module, *(f"{node.module}.{imported.name}" for imported in node.names))
    }
    unused = {
        module
        for module in graph.modules - ENTRY_POINTS - by_scripts
        if not graph.find_modules_that_directly_import(module) and not graph.find_children(module)
    }

    assert {name for name in unused if not MIGRATION.match(name)} == set()


def test_nothing_is_left_to_do(root: Path, git_files: list[str]) -> None:
    assert lines_with(LEFTOVERS, root, git_files) == []


def test_project_speaks_of_itself_alone(root: Path, git_files: list[str]) -> None:
    assert lines_with(FOREIGN_WORDS, root, git_files) == []


def lines_with(pattern: re.Pattern[str], root: Path, names: list[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in names
        if TEXT.search(name) and not NOT_OURS.search(name)
        for number, line in enumerate((root / name).read_text().splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_room_is_on_the_map(root: Path) -> None:
    text = (root / "ARCHITECTURE.md").read_text()
    rooms = {
        path.stem for path in (root / "src/pointsman").iterdir() if not path.stem.startswith(("_", "py"))
    }

    assert {room for room in rooms if f"`{room}`" not in text} == set()


def test_decisions_are_numbered_without_gaps(root: Path) -> None:
    names = sorted(path.name for path in (root / "docs/decisions").glob("*.md") if path.name != "README.md")

    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_what_the_project_needs(root: Path, lock: str) -> None:
    wanted = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {
        re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-").replace(".", "-") for line in wanted
    }

    assert names - pins(root / lock).keys() == set()


def test_both_locks_hold_the_same_versions(root: Path) -> None:
    runtime, development = pins(root / "requirements.lock"), pins(root / "requirements-dev.lock")

    assert {name: version for name, version in runtime.items() if development.get(name) != version} == {}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE))
