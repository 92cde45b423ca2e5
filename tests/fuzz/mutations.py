"""Spoils recorded bytes the way clients, providers and attackers do: in their structure, so that what is spoiled gets
far into a decoder, and as bytes, so that it does not. Everything follows from the random numbers handed in."""

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from fuzz.trees import Fields, Written, any_slot, copied, lists, read_tree, slots, words_of, write_tree
from pointsman.core.request import Seal
from pointsman.wire.seals import Kind, tag

NUMBERS = (
    "0", "-0", "-1", "1", "0.5", "1.0", "1e2", "1E400", "-1e400", "1e-400", "2147483648", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" * 400, "9" * 5000, "0." + "3" * 400,
)  # fmt: skip
NOT_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "+1",
    ".5",
    "1.",
    "0x10",
    "--1",
    "1e",
    "tru",
    "nul",
    "'a'",
)
TEXTS = (
    "", " ", "\0", "\x1f", "\x7f", "\u2028", "\ufeff", "ß", "é" * 3, "🎉", "👩‍👩‍👧", "\u202eabc", "a\nb", "a\r\nb", '"', "\\",
    "[DONE]", "data: {}", "\n\ndata: {}\n\n", "null", "true", "{}", "[]", "{", '{"a":1}', '{"a":', "[" * 40, "0", "-1",
    "data:", "data:image/png;base64,", "data:image/png;base64,iVBORw0KGgo=", "data:text/plain,abc", "data:;base64,@@@",
    "https://example.com/a.png", "http://[", "file:///etc/passwd", "gs://bucket/a", "//", "a" * 65, "x" * 300, "a.b/c-d",
    "../..", "%00", "%", "{{", "<think>", "</think>", "__proto__", "$ref", "#/$defs/a", "base64", "image/png", "text/plain",
)  # fmt: skip
ESCAPES = (
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\ud83c\udf89"',
    r'"a\ud800b"',
    r'"\u0000"',
    r'"\/"',
    r'"\x41"',
    r'"\u12"',
    '"',
)
SEALS = tuple(
    tag(Seal(data, maker), kind)
    for kind in Kind
    for data, maker in (("", "here"), ("sealed", "here"), ("x", "there"), ("é", ""))
)
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_ENDS = (b"\n", b"\r\n", b"\r")
_DEPTHS = (2, 30, 100, 300, 490, 900, 960, 985, 1000, 3000)


class Mutator:
    """`words` are the keys and enumerations of all dialects, `others` bytes of the same form to take pieces of."""

    def __init__(self, rng: random.Random, words: Sequence[str], others: Sequence[bytes]) -> None:
        self._rng = rng
        self._words = words
        self._others = others

    def mutated(self, data: bytes, *, is_stream: bool) -> bytes:
        rng = self._rng
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 9))):
            if rng.random() < 0.08:
                data = self._bytes(data)
            elif is_stream:
                data = self._stream(data)
            else:
                data = self._document(data)
        return data

    # one JSON document

    def _document(self, data: bytes) -> bytes:
        try:
            tree = read_tree(data)
        except ValueError:
            return self._bytes(data)
        if not isinstance(tree, list):
            return write_tree(self._value())
        self._tree(tree)
        return write_tree(tree, self._rng.choice(("", "", "", " ", "\n\t")))

    def _tree(self, tree: list[Any]) -> None:
        change: Callable[[list[Any]], None] = self._rng.choice((
            self._replace, self._replace, self._replace, self._retype, self._delete, self._delete, self._duplicate,
            self._rename, self._take_over, self._take_over, self._nest, self._shuffle, self._multiply, self._inside,
            self._add, self._add,
        ))  # fmt: skip
        change(tree)

    def _value(self) -> Any:
        rng = self._rng
        match rng.randrange(12):
            case 0:
                return Written(rng.choice(NUMBERS))
            case 1:
                return Written(rng.choice(NOT_NUMBERS if rng.random() < 0.2 else NUMBERS))
            case 2 | 3:
                return rng.choice(TEXTS)
            case 4:
                return Written(rng.choice(ESCAPES))
            case 5 | 6:
                return rng.choice(self._words)
            case 7:
                return rng.choice(SEALS)
            case 8:
                return rng.choice(([], Fields(), [None], [[]], [Fields()], ["a"], [1]))
            case 9:
                return Fields([[rng.choice(self._words), rng.choice((None, "a", 1, [], True))]])
            case 10:
                return rng.choice((True, False))
            case _:
                return None

    def _replace(self, tree: list[Any]) -> None:
        if slot := any_slot(tree, self._rng):
            slot[0][slot[1]] = self._value()

    def _retype(self, tree: list[Any]) -> None:
        slot = any_slot(tree, self._rng)
        if slot is None:
            return
        holder, place = slot
        value = holder[place]
        match value:
            case str():
                holder[place] = self._rng.choice(
                    ([value], [Fields([["type", "text"], ["text", value]])], Written(value or "0"))
                )
            case Fields():
                holder[place] = self._rng.choice(([value], write_tree(value).decode("utf-8", "replace")))
            case list():
                holder[place] = self._rng.choice((value[0] if value else None, Fields([["0", value]])))
            case _:
                holder[place] = self._rng.choice((str(value), [value]))

    def _delete(self, tree: list[Any]) -> None:
        holder = self._rng.choice(lists(tree))
        if holder:
            del holder[self._rng.randrange(len(holder))]

    def _duplicate(self, tree: list[Any]) -> None:
        holder = self._rng.choice(lists(tree))
        if holder:
            chosen = copied(self._rng.choice(holder))
            if isinstance(holder, Fields):
                chosen = [chosen[0], copied(chosen[1])]
            holder.insert(self._rng.randrange(len(holder) + 1), chosen)

    def _rename(self, tree: list[Any]) -> None:
        objects = [node for node in lists(tree) if isinstance(node, Fields) and node]
        if objects:
            pair = self._rng.choice(self._rng.choice(objects))
            pair[0] = self._rng.choice(
                (self._rng.choice(self._words), self._rng.choice(TEXTS), Written('"\\u0061"'))
            )

    def _take_over(self, tree: list[Any]) -> None:
        """Something of another recording, or of elsewhere in this one."""
        slot, source = any_slot(tree, self._rng), tree
        if self._others and self._rng.random() < 0.6:
            source = self._other_tree() or tree
        taken = any_slot(source, self._rng)
        if slot and taken:
            value = copied(taken[0][taken[1]])
            if len(slots(value)) < 200:
                slot[0][slot[1]] = value

    def _other_tree(self) -> list[Any] | None:
        other = self._rng.choice(self._others)
        if b"data:" in other[:200]:
            other = self._rng.choice(other.split(b"\n")).removeprefix(b"data:")
        try:
            tree = read_tree(other)
        except ValueError:
            return None
        return tree if isinstance(tree, list) else None

    def _nest(self, tree: list[Any]) -> None:
        if slot := any_slot(tree, self._rng):
            depth = max(1, self._rng.choice(_DEPTHS) + self._rng.randint(-12, 12))
            inner = write_tree(slot[0][slot[1]]).decode("utf-8", "surrogatepass") if depth < 900 else "1"
            key = self._rng.choice(("a", "properties", "items", "content", self._rng.choice(self._words)))
            left, right = self._rng.choice((("[", "]"), (f'{{"{key}":', "}")))
            slot[0][slot[1]] = Written(
                left * depth + inner + right * (depth if self._rng.random() < 0.97 else depth - 1)
            )

    def _shuffle(self, tree: list[Any]) -> None:
        self._rng.shuffle(self._rng.choice(lists(tree)))

    def _multiply(self, tree: list[Any]) -> None:
        holder = self._rng.choice(lists(tree))
        if 0 < len(holder) < 100:
            place = self._rng.randrange(len(holder))
            times = self._rng.choice((2, 3, 10, 40)) if len(write_tree(holder[place])) < 2000 else 2
            holder[place:place] = [copied(holder[place]) for _ in range(times)]

    def _inside(self, tree: list[Any]) -> None:
        """JSON that stands as text in JSON: arguments of a call, partial or whole."""
        texts = [
            (holder, place)
            for holder, place in slots(tree)
            if isinstance(holder[place], str) and holder[place][:1] in {"{", "["}
        ]
        if not texts:
            self._replace(tree)
            return
        holder, place = self._rng.choice(texts)
        holder[place] = self._document(holder[place].encode("utf-8", "surrogatepass")).decode(
            "utf-8", "surrogateescape"
        )

    def _add(self, tree: list[Any]) -> None:
        """A field that may mean something here, with what it holds elsewhere."""
        objects = [node for node in lists(tree) if isinstance(node, Fields)]
        if not objects:
            return
        source = self._other_tree() if self._others else None
        known = [pair for node in lists(source or []) if isinstance(node, Fields) for pair in node]
        pair = (
            self._rng.choice(known)
            if known and self._rng.random() < 0.7
            else [self._rng.choice(self._words), self._value()]
        )
        if len(slots(pair)) < 200:
            self._rng.choice(objects).append([pair[0], copied(pair[1])])

    # a stream of events or lines

    def _stream(self, data: bytes) -> bytes:
        rng = self._rng
        is_sse = b"data:" in data or b"event:" in data
        pieces = _EVENT_END.split(data) if is_sse else data.split(b"\n")
        end = b"\n\n" if is_sse else b"\n"
        place = rng.randrange(len(pieces))
        match rng.randrange(14):
            case 0:
                del pieces[place]
            case 1:
                pieces.insert(rng.randrange(len(pieces) + 1), pieces[place])
            case 2:
                other = rng.randrange(len(pieces))
                pieces[place], pieces[other] = pieces[other], pieces[place]
            case 3 if self._others:
                other_pieces = _EVENT_END.split(rng.choice(self._others))
                start = rng.randrange(len(other_pieces))
                pieces[place:place] = other_pieces[start : start + rng.choice((1, 2, 5, 50))]
            case 4:
                pieces[place : place + 2] = [b"\n".join(pieces[place : place + 2])]
            case 5:
                del pieces[place:]
            case 6:
                pieces.insert(place, rng.choice((b": comment", b"", b"data: [DONE]", b"event: error", b"data:", b"data: {}",
                    b"data: null", b"data: []", b"id: 1\nretry: 5", b"\xef\xbb\xbf", b'data: {"error":{"message":"m"}}',
                    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}')))  # fmt: skip
            case 7:
                return self._with_line_ends(data)
            case _:
                pieces[place] = self._event(pieces[place])
        return end.join(pieces)

    def _with_line_ends(self, data: bytes) -> bytes:
        plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._rng.random() < 0.7:
            return plain.replace(b"\n", self._rng.choice(_LINE_ENDS))
        return b"".join(line + self._rng.choice(_LINE_ENDS) for line in plain.split(b"\n"))

    def _event(self, event: bytes) -> bytes:
        head, mark, text = event.partition(b"data:")
        if self._rng.random() < 0.05:
            head = b"event: " + self._rng.choice(self._words).encode("utf-8", "replace") + b"\n"
        space = b" " if text.startswith(b" ") else b""
        changed = self._document(text.removeprefix(b" ") if mark else head)
        if self._rng.random() < 0.05:
            changed = changed.replace(b",", b",\ndata:", 3)
        return head + mark + space + changed if mark else changed

    # bytes

    def _bytes(self, data: bytes) -> bytes:
        rng = self._rng
        start = rng.randint(0, len(data))
        size = rng.choice((0, 1, 1, 2, 8, 64))
        match rng.randrange(5):
            case 0:
                return data[:start]
            case 1:
                return data[:start] + data[start + size :]
            case 2:
                return data[:start] + rng.randbytes(size) + data[start + size :]
            case 3:
                return data[:start] + data[start : start + size] * rng.choice((2, 30)) + data[start + size :]
            case _:
                spice = rng.choice(
                    (
                        b"\xff",
                        b"\xc3",
                        b"\xed\xa0\x80",
                        b"\0",
                        b'"',
                        b"\\",
                        b"{",
                        b"]",
                        b",",
                        b"\r",
                        b"\n\n",
                        b"\xf0\x9f",
                    )
                )
                return data[:start] + spice + data[start:]


def vocabulary(seeds: Sequence[bytes]) -> list[str]:
    """Keys and short strings of the recordings, each once."""
    found: dict[str, None] = {}
    for data in seeds:
        for line in data.split(b"\n") if b"data:" in data[:400] else [data]:
            try:
                found.update(dict.fromkeys(words_of(read_tree(line.removeprefix(b"data:")))))
            except ValueError:
                continue
    return [*found]
