"""A YAML 1.2 file as plain values, each with the line it stands on. It knows nothing of what the keys mean.

Works on ruamel's node graph rather than on its constructed values: nodes know their lines, repeated keys are
all reported instead of the first one only, and a number keeps the digits it was written with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from pointsman.core.errors import Problem

Where = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top."""

_TAG = "tag:yaml.org,2002:"
_BASES = {"0x": 16, "0o": 8, "0b": 2}
_MOST_VALUES = 100_000
"""More than any real file has; aliases of aliases can stand for billions."""


def dotted(where: Where) -> str:
    return ".".join(str(step) for step in where)


@dataclass(slots=True)
class Source:
    """A file that was read. `tree` holds dict, list, str, int, Decimal, bool and None."""

    tree: dict[str, Any] = field(default_factory=dict)
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, where: Where) -> int | None:
        """The line of the value, or of the nearest thing around it that stands in the file."""
        while where:
            if where in self.lines:
                return self.lines[where]
            where = where[:-1]
        return None


def read_yaml(text: str, name: str) -> Source:
    """What `text` says. Nothing is raised: whatever is wrong stands in `problems`; `name` is the file's."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - not every start reads a file
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    source = Source()
    try:
        top = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        source.problems.append(
            Problem(name, None, f"valid YAML, but {said}", line=None if mark is None else mark.line + 1)
        )
    except YAMLError as error:
        source.problems.append(Problem(name, None, f"valid YAML, but {str(error).splitlines()[0]}"))
    except RecursionError:
        source.problems.append(Problem(name, None, "YAML that is not nested hundreds of levels deep"))
    else:
        if top is not None:
            reading = _Reading(source)
            tree = reading.value(top, ())
            if isinstance(tree, dict):
                source.tree = tree
            elif tree is not None:
                source.problems.append(Problem(name, f"a {_kind(tree)}", "keys with values", line=1))
    return source


def _kind(value: object) -> str:
    return "list" if isinstance(value, list) else "single value"


class _Reading:
    """One walk over the node graph."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.open: set[int] = set()
        self.seen = 0

    def value(self, node: Any, where: Where) -> Any:
        if where:
            self.source.lines.setdefault(where, node.start_mark.line + 1)
        self.seen += 1
        if self.seen > _MOST_VALUES:
            if self.seen == _MOST_VALUES + 1:
                self.complain((), node, f"at most {_MOST_VALUES} values, aliases included")
            return None
        if node.id == "scalar":
            return self.scalar(node, where)
        if id(node) in self.open:
            self.complain(where, node, "a value that does not contain itself")
            return None
        self.open.add(id(node))
        if node.id == "sequence":
            found: Any = [self.value(item, (*where, place)) for place, item in enumerate(node.value)]
        else:
            found = self.mapping(node, where)
        self.open.discard(id(node))
        return found

    def mapping(self, node: Any, where: Where) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar" or key_node.tag == _TAG + "null":
                self.complain(where, key_node, "keys that are plain words")
                continue
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in found:
                self.source.problems.append(
                    Problem(
                        dotted((*where, key)),
                        "given twice",
                        f"each key once (the first is on line {first_line[key]})",
                        line=line,
                    )
                )
                continue
            first_line[key] = line
            self.source.lines[*where, key] = line
            found[key] = self.value(value_node, (*where, key))
        return found

    def scalar(self, node: Any, where: Where) -> Any:
        text = str(node.value)
        tag = str(node.tag)
        match tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return _whole_number(text)
            case "float":
                return _number(text)
            case "str" | "timestamp" | "value" | "merge" | "yaml":
                return text
            case _:
                self.complain(where, node, f"a plain value (the tag {tag} is not supported)")
                return None

    def complain(self, where: Where, node: Any, expected: str) -> None:
        self.source.problems.append(
            Problem(dotted(where) or "the file", None, expected, line=node.start_mark.line + 1)
        )


def _whole_number(text: str) -> int | str:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        return sign * int(digits, _BASES.get(digits[:2], 10))
    except ValueError:
        return text


def _number(text: str) -> Decimal | str:
    """Infinity and not-a-number stay words: no setting takes them."""
    try:
        return Decimal(text.replace("_", ""))
    except InvalidOperation:
        return text


def at(tree: Any, where: Where) -> Any:
    """The value at `where`, None when there is none."""
    for step in where:
        if isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree
