"""What is known of backends, in a small file beside the ledger, so that a restart forgets no open circuit and no
operator's word. Times in it are Unix times. It decides nothing and keeps no thread."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import Circuit
from pointsman.fleet.place import Mark

_VERSION = 1


class _Kept(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    circuit: Circuit
    is_draining: bool = False
    why: UpstreamFault | None = None
    until_unix_s: float | None = None
    openings: int = 0


class _File(msgspec.Struct):
    version: int
    backends: dict[str, _Kept]


class StateFileError(Exception):
    """The file is there and cannot be used. Says why."""


def state_path(ledger: Path) -> Path:
    """Beside the ledger, and named after it: two gateways that share a folder share no state."""
    return ledger.with_name(f"{ledger.stem}.backends.json")


def read_state(path: Path, *, offset_s: float) -> dict[str, Mark]:
    """`offset_s` is what a Unix time must be given to become a time of the clock that marks are in. Empty when there
    is no such file. Raises StateFileError."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise StateFileError(f"{path} cannot be read: {error}") from error
    if found.version != _VERSION:
        raise StateFileError(f"{path} is of version {found.version}, not {_VERSION}")
    return {
        name: Mark(
            kept.is_draining,
            kept.circuit,
            kept.why,
            float("-inf") if kept.until_unix_s is None else kept.until_unix_s + offset_s,
            kept.openings,
        )
        for name, kept in found.backends.items()
    }


def encode_state(marks: Mapping[str, Mark], *, offset_s: float) -> bytes:
    """The whole file. `offset_s` as in `read_state`."""
    backends = {
        name: _Kept(
            mark.circuit,
            mark.is_draining,
            mark.why,
            None if mark.why is None else round(mark.until_s - offset_s, 3),
            mark.openings,
        )
        for name, mark in marks.items()
    }
    return msgspec.json.format(msgspec.json.encode(_File(_VERSION, backends))) + b"\n"


def write_state(path: Path, content: bytes) -> None:
    """At once or not at all: whoever reads it finds the old or the new. Raises StateFileError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # where it could not be made either
            draft.unlink()
        raise StateFileError(f"{path} cannot be written: {error.strerror}") from error
