"""Every way in which a provider fails, for callers of every dialect, streamed and not, with a model behind it that is well,
fails too, or is not there: the contract of docs/reliability.md holds in each cell, and docs/fault-matrix.md says what was
seen."""

from pathlib import Path

import pytest

from faults import page
from faults.cells import SPOKEN, cells, cells_in_ways
from faults.heard import CLIENTS
from faults.judges import judge
from faults.stage import play_all


@pytest.mark.parametrize("client", CLIENTS)
def test_the_contract_holds_in_every_cell(client: str, tmp_path: Path) -> None:
    played = play_all(list(cells(client)), tmp_path)

    wrong = {one.cell.name: found for one in played if (found := judge(one))}
    assert wrong == {}
    text = page.PAGE.read_text("utf-8")
    assert page.written(text, client, page.section(client, played)) == text, "run `make faults`"


@pytest.mark.parametrize("client", CLIENTS)
def test_the_contract_holds_whatever_else_is_going_on(client: str, tmp_path: Path) -> None:
    played = play_all(cells_in_ways(client), tmp_path)

    wrong = {one.cell.name: found for one in played if (found := judge(one))}
    assert wrong == {}
    text = page.PAGE.read_text("utf-8")
    assert page.written(text, f"{client} in other ways", page.ways(client, played)) == text, (
        "run `make faults`"
    )


def test_the_page_says_what_each_fault_is() -> None:
    text = page.PAGE.read_text("utf-8")

    assert page.written(text, "faults", page.faults()) == text, "run `make faults`"


def test_the_matrix_is_whole() -> None:
    every = [cell for client in CLIENTS for cell in cells(client)]

    assert len(every) >= 800
    assert len({cell.name for cell in every}) == len(every)
    for client in CLIENTS:
        of_client = [cell for cell in every if cell.client == client]
        # Each client meets providers of every dialect, in front and behind, in every way of asking.
        for stream in (True, False):
            for behind in ("well", "none", "failing"):
                met = [cell for cell in of_client if (cell.stream, cell.behind) == (stream, behind)]
                assert {cell.first for cell in met} == set(SPOKEN)
                assert {cell.second for cell in met} == set(SPOKEN)
                assert {cell.first == client for cell in met} == {True, False}
