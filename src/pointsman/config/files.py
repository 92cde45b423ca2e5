"""Where the configuration and what is written beside it lie, and what a file says. It makes no settings."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pointsman.config.source import Source, at, read_yaml
from pointsman.core.errors import ConfigError, Problem

DEFAULT_FILE = "pointsman.yaml"
"""Looked for in the working directory when no other is named."""


def digest(file: Path) -> bytes | None:
    """What tells one content of a file from another; None for a file that cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return None


def find_file(path: Path | None, environ: Mapping[str, str], folder: Path = Path()) -> Path | None:
    """The configuration file to read: the one named, else `POINTSMAN_CONFIG`, else pointsman.yaml here."""
    if path is not None:
        return path
    named = environ.get("POINTSMAN_CONFIG", "").strip()
    if named:
        return Path(named).expanduser()
    here = folder / DEFAULT_FILE
    return here if here.is_file() else None


def state_dir(environ: Mapping[str, str]) -> Path:
    """Where Pointsman keeps what it writes."""
    own = environ.get("POINTSMAN_STATE_DIR", "").strip()
    if own:
        return Path(own).expanduser()
    xdg = environ.get("XDG_STATE_HOME", "").strip()
    if xdg:
        return Path(xdg) / "pointsman"
    home = environ.get("HOME", "").strip()
    return (Path(home) if home else Path.home()) / ".local" / "state" / "pointsman"


def ledger_path(path: Path | None, environ: Mapping[str, str], folder: Path = Path()) -> Path:
    """Where the ledger is. Of the configuration nothing else is looked at: whoever wants to read the books need
    not hold the keys. Raises ConfigError for a file that is not there or not YAML."""
    file = find_file(path, environ, folder)
    source = Source() if file is None else read_file(file)
    return ledger_file(at(source.tree, ("ledger", "path")), file, environ)


def ledger_file(written: object, file: Path | None, environ: Mapping[str, str]) -> Path:
    if isinstance(written, str) and written:
        return (file.parent if file is not None else Path()) / Path(written).expanduser()
    return state_dir(environ) / "ledger.db"


def read_file(file: Path) -> Source:
    """Raises ConfigError for a file of which nothing can be read."""
    source = read_yaml(_text(file), str(file))
    if source.problems and not source.tree:
        raise ConfigError(source.problems)
    return source


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        problem = Problem(str(file), "not there", "a configuration file; `pointsman init` writes one")
    except UnicodeDecodeError:
        problem = Problem(str(file), "not UTF-8", "a text file in UTF-8")
    except OSError as error:
        problem = Problem(str(file), f"not readable ({error.strerror})", "a configuration file")
    raise ConfigError([problem])
