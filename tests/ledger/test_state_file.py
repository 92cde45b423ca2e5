"""The file that keeps the state of backends."""

import json
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import Circuit
from pointsman.fleet.place import Mark
from pointsman.ledger.state_file import StateFileError, encode_state, read_state, state_path, write_state

OPEN = Mark(False, Circuit.OPEN, UpstreamFault.UNREACHABLE, 500.0, 3)
DRAINED = Mark(True, Circuit.CLOSED, None, -inf, 0)


def test_what_was_written_is_read_again_by_another_clock(tmp_path: Path) -> None:
    path = state_path(tmp_path / "sub" / "ledger.db")
    write_state(path, encode_state({"m@a": OPEN, "m@b": DRAINED}, offset_s=-1000.0))

    assert path == tmp_path / "sub" / "ledger.backends.json"
    assert json.loads(path.read_bytes())["backends"]["m@a"]["until_unix_s"] == 1500.0
    assert read_state(path, offset_s=-2000.0) == {"m@a": OPEN._replace(until_s=-500.0), "m@b": DRAINED}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@given(
    st.dictionaries(
        st.text(max_size=40),
        st.builds(
            Mark,
            st.booleans(),
            st.sampled_from([Circuit.OPEN, Circuit.COOLING]),
            st.sampled_from(UpstreamFault),
            st.integers(-(10**9), 10**9).map(float),
            st.integers(0, 50),
        ),
        max_size=5,
    )
)
def test_every_state_survives(tmp_path_factory: pytest.TempPathFactory, marks: dict[str, Mark]) -> None:
    path = tmp_path_factory.mktemp("state") / "state.json"
    write_state(path, encode_state(marks, offset_s=0.0))

    assert read_state(path, offset_s=0.0) == marks


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "none.json", offset_s=0.0) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[]",
        b'{"version": 1}',
        b'{"version": 99, "backends": {}}',
        b'{"version": 1, "backends": {"a": {"circuit": "ajar"}}}',
        b'{"version": 1, "backends": {"a": {"circuit": "open", "until_unix_s": "soon"}}}',
        b"\xff\xfe",
    ],
)
def test_a_file_that_cannot_be_used_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)

    with pytest.raises(StateFileError, match=r"state\.json"):
        read_state(path, offset_s=0.0)


def test_a_write_that_fails_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    taken = tmp_path / "a-folder"
    taken.mkdir()
    for path in (taken, tmp_path / "a-file" / "state.json"):
        (tmp_path / "a-file").touch()
        with pytest.raises(StateFileError, match="cannot be written"):
            write_state(path, b"something")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a-file", "a-folder"]
