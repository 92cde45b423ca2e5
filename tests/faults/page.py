"""docs/fault-matrix.md, written from what was played. The same run always gives the same page."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from faults.cells import BEHIND, COLUMNS, IN_WAYS, Behind, Cell, Way
from faults.judges import Played, judge
from pointsman.lab.faults import FAULTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fault-matrix.md"
HEADINGS = {"well": "next is well", "none": "no next", "failing": "next fails too"}

_BEGIN = "<!-- {client}: written by `make faults` -->"
_END = "<!-- end of {client} -->"
_NOTHING = "-"
_WRONG = "**wrong**"


def section(client: str, played: Sequence[Played]) -> str:
    """The table of one caller. An entry stands for the cells that differ in nothing but the providers' dialects."""
    wrong = sum(bool(judge(one)) for one in played)
    found = {key: list(ones) for key, ones in groupby(played, key=lambda one: _key(one.cell))}
    lines = [
        f"## {client}",
        "",
        f"{len(played)} cells, {wrong} wrong.",
        "",
        f"| | {' | '.join(f'{way}, {HEADINGS[behind]}' for way in ('stream', 'plain') for behind in BEHIND)} |",
        "| --- |" + " --- |" * (2 * len(BEHIND)),
    ]
    for name in (name for name, fault in FAULTS.items() if not fault.is_large):
        entries = [
            _entry(found.get((name, stream, behind), ())) for stream in (True, False) for behind in BEHIND
        ]
        lines.append(f"| `{name}` | {' | '.join(entries)} |")
    return "\n".join(lines)


def ways(client: str, played: Sequence[Played]) -> str:
    """The second table of one caller."""
    wrong = sum(bool(judge(one)) for one in played)
    found: dict[tuple[str, Way, bool, Behind], list[Played]] = {}
    for one in played:
        cell = one.cell
        found.setdefault((cell.fault.name, cell.way, cell.stream, cell.behind), []).append(one)
    headings = [
        f"{way}, {'stream' if stream else 'plain'}, {HEADINGS[behind]}" for way, stream, behind in COLUMNS
    ]
    lines = [
        f"{client}: {len(played)} cells, {wrong} wrong.",
        "",
        f"| | {' | '.join(headings)} |",
        "| --- |" + " --- |" * len(headings),
    ]
    for name in IN_WAYS:
        entries = [_entry(found.get((name, *column), ())) for column in COLUMNS]
        lines.append(f"| `{name}` | {' | '.join(entries)} |")
    return "\n".join(lines)


def faults() -> str:
    """What each name means and when it strikes."""
    lines = ["| fault | what the provider does | in a stream | else |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{fault.name}` | {fault.means} | {fault.stream or _NOTHING} | {fault.plain or _NOTHING} |"
        for fault in FAULTS.values()
    ]
    return "\n".join(lines)


def written(page: str, part: str, text: str) -> str:
    """`page` with this part replaced. Raises ValueError where it has no place for it."""
    begin, end = _BEGIN.format(client=part), _END.format(client=part)
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"{PAGE} has no place for {part}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _key(cell: Cell) -> tuple[str, bool, str]:
    return cell.fault.name, cell.stream, cell.behind


def _entry(played: Iterable[Played]) -> str:
    return " / ".join(dict.fromkeys(_word(one) for one in played)) or _NOTHING


def _word(played: Played) -> str:
    if judge(played):
        return _WRONG
    if played.answers is not None:
        return "answer" if played.answers == "first" else "next answers"
    if played.cell.phase == "late":
        return "broken off"
    return "told in it" if played.is_told_in_stream else str(played.heard.status)
