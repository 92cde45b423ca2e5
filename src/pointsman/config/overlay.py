"""What was set by the API while the gateway ran: a small file beside the ledger, laid over the configuration file. It
says what the file holds, not what that means."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointsman.core.errors import ConfigError, Problem

Overlay = Mapping[str, Mapping[str, Any] | None]
"""Categories by name, as the configuration file writes them; None is one that was taken away."""

_VERSION = 1


def overlay_path(ledger: Path) -> Path:
    """Beside the ledger, and named after it."""
    return ledger.with_name(f"{ledger.stem}.categories.json")


def read_overlay(path: Path) -> Overlay:
    """Empty when there is no such file. Raises ConfigError."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, f"not readable ({error.strerror})") from None
    except ValueError:
        raise _unusable(path, "not JSON") from None
    categories = found.get("categories") if isinstance(found, dict) else None
    if not isinstance(categories, dict) or found.get("version") != _VERSION:
        raise _unusable(path, f"not of version {_VERSION}")
    if not all(one is None or isinstance(one, dict) for one in categories.values()):
        raise _unusable(path, "not a file of categories")
    return categories


def write_overlay(path: Path, overlay: Overlay) -> None:
    """All of it or nothing, also when the power fails: written beside, flushed to the disk, put in place. Raises
    OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    text = json.dumps({"version": _VERSION, "categories": overlay}, indent=2, ensure_ascii=False) + "\n"
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError([Problem(str(path), why, "what POST /config/category writes, or no such file")])
