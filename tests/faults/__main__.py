"""Plays the whole matrix and writes docs/fault-matrix.md: python -m faults. Says 1 where a cell is wrong, and what is."""

import sys
import tempfile
from pathlib import Path

from faults import page
from faults.cells import cells, cells_in_ways
from faults.heard import CLIENTS
from faults.judges import judge
from faults.stage import play_all


def main() -> int:
    text = page.written(page.PAGE.read_text("utf-8"), "faults", page.faults())
    is_well = True
    for client in CLIENTS:
        with tempfile.TemporaryDirectory() as folder:
            played = play_all(list(cells(client)), Path(folder))
        text = page.written(text, client, page.section(client, played))
        with tempfile.TemporaryDirectory() as folder:
            in_ways = play_all(cells_in_ways(client), Path(folder))
        text = page.written(text, f"{client} in other ways", page.ways(client, in_ways))
        played += in_ways
        for one in played:
            for wrong in judge(one):
                is_well = False
                sys.stdout.write(f"{one.cell.name}: {wrong}\n")
    page.PAGE.write_text(text, "utf-8")
    return 0 if is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
