"""JSON as a tree that can also hold what JSON must not: keys that stand twice, numbers and strings that no parser
likes, whole subtrees as the text they are written with."""

import json
import random
from collections.abc import Iterator
from typing import Any


class Written(str):
    """Text that stands for itself where a value would."""

    __slots__ = ()


class Fields(list[list[Any]]):
    """An object: its keys and values in their order, each pair a list of two."""


Slot = tuple[list[Any], int]
"""A list and a place in it. The value of a field is place 1 of its pair."""


DEPTH_MAX = 60


def read_tree(text: str | bytes) -> Any:
    """Raises ValueError for what is not JSON, or nested so deeply that walking it takes care."""
    try:
        tree = json.loads(text, object_pairs_hook=lambda pairs: Fields([list(pair) for pair in pairs]))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [tree]
    for _ in range(DEPTH_MAX):
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return tree
    raise ValueError("nested too deeply")


def _inside(node: Any) -> list[Any]:
    if isinstance(node, Fields):
        return [value for _, value in node]
    return node if isinstance(node, list) else []


def write_tree(tree: Any, gap: str = "") -> bytes:
    """`gap` is white space, put behind commas and colons."""
    return "".join(_pieces(tree, gap)).encode("utf-8", "surrogatepass")


def _pieces(tree: Any, gap: str) -> Iterator[str]:
    if isinstance(tree, Written):
        yield tree
    elif isinstance(tree, Fields):
        yield "{"
        for place, (key, value) in enumerate(tree):
            yield f",{gap}" if place else ""
            yield key if isinstance(key, Written) else json.dumps(key, ensure_ascii=False)
            yield f":{gap}"
            yield from _pieces(value, gap)
        yield "}"
    elif isinstance(tree, list):
        yield "["
        for place, value in enumerate(tree):
            yield f",{gap}" if place else ""
            yield from _pieces(value, gap)
        yield "]"
    else:
        yield json.dumps(tree, ensure_ascii=False)


def slots(tree: Any) -> list[Slot]:
    """Every place that holds a value, those further down behind those above. Keys are no values."""
    found: list[Slot] = []
    waiting = [tree]
    for node in waiting:
        if isinstance(node, Fields):
            places: list[Slot] = [(pair, 1) for pair in node]
        elif isinstance(node, list):
            places = [(node, place) for place in range(len(node))]
        else:
            continue
        found += places
        waiting += [holder[place] for holder, place in places]
    return found


def lists(tree: Any) -> list[list[Any]]:
    """Every array and object, the tree itself first."""
    return [
        node for node in [tree, *(holder[place] for holder, place in slots(tree))] if isinstance(node, list)
    ]


def copied(tree: Any) -> Any:
    if isinstance(tree, Fields):
        return Fields([[key, copied(value)] for key, value in tree])
    if isinstance(tree, list):
        return [copied(value) for value in tree]
    return tree


def words_of(tree: Any) -> Iterator[str]:
    """Keys and short strings: what the dialects' enumerations and fields are called."""
    for node in lists(tree):
        if isinstance(node, Fields):
            yield from (key for key, _ in node)
    for holder, place in slots(tree):
        value = holder[place]
        if isinstance(value, str) and 0 < len(value) <= 40 and " " not in value:
            yield value


def any_slot(tree: Any, rng: random.Random) -> Slot | None:
    found = slots(tree)
    return rng.choice(found) if found else None
