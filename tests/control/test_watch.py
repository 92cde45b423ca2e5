"""A change of a file is noticed once, when it is whole."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.files import digest
from pointsman.control.watch import FileWatch


def watch(*files: Path) -> FileWatch:
    """Of files that were read just now."""
    read = {file: digest(file) for file in files}
    return FileWatch(lambda: read)


def test_change_is_told_once_and_only_when_it_has_settled(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    looking = watch(file)
    assert looking.look() == ()

    file.write_text("two")
    assert looking.look() == ()
    assert looking.look() == (file,)
    assert looking.look() == ()


def test_file_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    looking = watch(file)

    for length in range(1, 5):
        file.write_text("x" * length)
        assert looking.look() == ()
    assert looking.look() == (file,)


def test_touched_file_is_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    looking = watch(file)

    os.utime(file, (1, 1))
    file.write_text("one")

    assert [looking.look() for _ in range(3)] == [(), (), ()]


def test_change_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    os.utime(file, (1, 1))
    looking = watch(file)

    file.write_text("two")
    os.utime(file, (1, 1))

    assert [looking.look(), looking.look()] == [(), (file,)]


def test_file_put_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    """As editors write, and as Kubernetes exchanges what it mounts: by a link."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(name)
    link = tmp_path / "data"
    link.symlink_to(tmp_path / "old")
    looking = watch(link / "a.yaml")

    link.unlink()
    link.symlink_to(tmp_path / "new")

    assert [looking.look(), looking.look()] == [(), (link / "a.yaml",)]


def test_file_that_goes_and_comes_back_is_noticed_both_times(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    looking = watch(file)

    file.unlink()
    assert [looking.look(), looking.look(), looking.look()] == [(), (file,), ()]
    file.write_text("one")
    assert [looking.look(), looking.look(), looking.look()] == [(), (file,), ()]


def test_file_named_later_is_looked_after_from_then_on(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    read = {first: digest(first)}
    looking = FileWatch(lambda: read)
    second.write_text("one")
    read[second] = digest(second)
    assert looking.look() == ()

    second.write_text("two")

    assert [looking.look(), looking.look()] == [(), (second,)]


def test_change_between_reading_and_the_first_look_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    looking = watch(file)
    file.write_text("two")

    assert [looking.look(), looking.look(), looking.look()] == [(), (file,), ()]


def test_what_was_read_meanwhile_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    read = {file: digest(file)}
    looking = FileWatch(lambda: read)
    assert looking.look() == ()

    file.write_text("two")
    assert looking.look() == ()
    read[file] = digest(file)

    assert [looking.look(), looking.look()] == [(), ()]


@given(st.lists(st.sampled_from(["one", "two", None]), max_size=12))
def test_after_two_looks_at_rest_what_is_known_is_what_is_there(texts: list[str | None]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a"
        looking = watch(file)
        told: str | None = None
        for text in texts:
            if text is None:
                file.unlink(missing_ok=True)
            else:
                file.write_text(text)
            for _ in range(2):
                if looking.look():
                    told = text
            assert told == text
