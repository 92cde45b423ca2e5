"""Answers over every limit, which the matrix leaves out: each takes a hundred megabytes."""

from pathlib import Path

import pytest

from faults.cells import Cell
from faults.heard import CLIENTS
from faults.judges import judge
from faults.stage import stage
from pointsman.lab.faults import FAULTS


@pytest.mark.slow
def test_an_oversized_answer_is_a_failure_that_the_next_model_mends(tmp_path: Path) -> None:
    fault = FAULTS["oversized"]
    with stage(tmp_path) as here:
        wrong = {
            cell.name: judge(here.play(cell))
            for client in CLIENTS
            for stream in (True, False)
            for cell in (Cell(fault, client, stream, "well", client, "ollama", None),)
        }

    assert [name for name, found in wrong.items() if found] == []
    assert len(wrong) == 2 * len(CLIENTS)
