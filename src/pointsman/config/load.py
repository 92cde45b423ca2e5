"""From a file, the environment and the command line to Settings, or to the list of everything that is wrong.

The order: the file (or what discover finds), its references replaced, POINTSMAN_* over it, flags over that;
then each value by itself (schema), then all of them against one another (checks).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from pointsman.config.checks import CHECKS
from pointsman.config.discover import discover, key_variable
from pointsman.config.problems import explain, nearest, where_of
from pointsman.config.references import is_secret, resolve
from pointsman.config.schema import Settings
from pointsman.config.source import Source, Where, at, dotted, read_yaml
from pointsman.config.view import View
from pointsman.core.errors import ConfigError, Problem
from pointsman.upstream.known_providers import KNOWN_PROVIDERS

DEFAULT_FILE = "pointsman.yaml"
"""Looked for in the working directory when no other is named."""


@dataclass(frozen=True, slots=True)
class Override:
    """A setting that the environment or the command line may give as well. `flag` is the name in `flags`."""

    variable: str
    where: Where
    read: Callable[[str], object]
    flag: str | None


def _number_or_text(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return text


OVERRIDES: tuple[Override, ...] = (
    Override("POINTSMAN_HOST", ("server", "host"), str, "host"),
    Override("POINTSMAN_PORT", ("server", "port"), _number_or_text, "port"),
    Override("POINTSMAN_LOG_LEVEL", ("server", "log_level"), str.lower, "log_level"),
    Override("POINTSMAN_MASTER_KEY", ("server", "master_key"), str, None),
    Override("POINTSMAN_ADMIN_KEY", ("server", "admin_key"), str, None),
)
OTHER_VARIABLES: Mapping[str, str] = {
    "POINTSMAN_CONFIG": "The configuration file, as `--config` names it.",
    "POINTSMAN_STATE_DIR": "The directory for what Pointsman writes: the ledger.",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; `detail` names the line, variable or flag."""

    kind: Literal["default", "file", "environment", "flag"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})" if self.detail else self.kind


DEFAULT = Origin("default")


def _once_only() -> "Loaded":
    raise ConfigError([Problem("the configuration", "made by hand", "one that can be read again")])


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that may be used. `origins` knows every dotted path that is not at its default; `path` is None
    without a file. `warnings` is for the log, `notes` tells someone at a terminal what was found."""

    settings: Settings
    origins: Mapping[str, Origin]
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[Path, bytes | None] = field(default_factory=dict)
    """Every file that was read, with its `digest`."""
    again: Callable[[], "Loaded"] = field(default=_once_only, repr=False)  # it holds the environment
    """Reads everything once more. From the same file, and if it is gone that is a problem. Raises ConfigError."""

    def origin(self, where: str) -> Origin:
        return self.origins.get(where, DEFAULT)


def load(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object], folder: Path = Path()
) -> Loaded:
    """What a start with this file, environment and command line means. `folder` is the working directory.

    Raises ConfigError with every problem there is.
    """
    loading = _Loading(environ)
    file = find_file(path, environ, folder)
    files = (
        {} if file is None else {file: digest(file)}
    )  # before it is read: what comes later is another file
    if file is None:
        loading.discover()
    else:
        loading.read(file)
    loading.override(flags)
    loading.fill_keys()
    loading.fill_ledger_path(file)
    loading.fill_routes_path(file)
    settings = loading.validate()
    again = partial(load, file if file is not None else path, environ, flags, folder)
    if settings.judge.routes_file is not None:
        table = Path(settings.judge.routes_file)
        files[table] = digest(table)
    warnings = tuple(loading.warnings(settings))
    return Loaded(settings, loading.origins, file, warnings, loading.notes, files, again)


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
    source = Source() if file is None else _read(file)
    return _ledger_file(at(source.tree, ("ledger", "path")), file, environ)


def _ledger_file(written: object, file: Path | None, environ: Mapping[str, str]) -> Path:
    if isinstance(written, str) and written:
        return (file.parent if file is not None else Path()) / Path(written).expanduser()
    return state_dir(environ) / "ledger.db"


@dataclass(slots=True)
class _Loading:
    """One load, step by step. `named` gives places whose value came from a variable or flag that name."""

    environ: Mapping[str, str]
    source: Source = field(default_factory=Source)
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    named: dict[Where, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ignored: list[str] = field(default_factory=list)

    def read(self, file: Path) -> None:
        self.source = source = _read(file)
        resolved = resolve(source, self.environ)
        self.tree = resolved.tree
        for where in _leaves(self.tree):
            line = f"line {source.line(where)}"
            names = resolved.names.get(where)
            self.origins[dotted(where)] = Origin("file", f"{line}, {names}" if names else line)

    def discover(self) -> None:
        found = discover(self.environ)
        self.tree = found.tree
        self.notes = found.notes
        for name, because in found.because.items():
            self.origins[f"providers.{name}"] = Origin("environment", because)
        for where in _leaves(self.tree):
            provider = str(where[1]) if where[0] == "providers" else at(self.tree, (*where[:2], "provider"))
            self.origins[dotted(where)] = Origin("environment", found.because[provider])

    def override(self, flags: Mapping[str, object]) -> None:
        for override in OVERRIDES:
            text = self.environ.get(override.variable, "").strip()
            if override.variable == "POINTSMAN_PORT" and "://" in text:
                # Kubernetes gives every pod NAME_PORT=tcp://... for a service called "name".
                self.ignored.append("POINTSMAN_PORT is ignored: it holds a service address of Kubernetes")
            elif not text and is_secret(override.where) and override.variable in self.environ:
                # A secret that failed to arrive would leave the door open.
                self.source.problems.append(
                    Problem(override.variable, "set to nothing", "a key, or not to be set at all")
                )
            elif text:
                self.put(override.where, override.read(text), Origin("environment", override.variable))
            given = flags.get(override.flag) if override.flag is not None else None
            if given is not None:
                name = f"--{override.flag}".replace("_", "-")
                self.put(override.where, given, Origin("flag", name))

    def put(self, where: Where, value: object, origin: Origin) -> None:
        section = self.tree.get(str(where[0]))
        if section is None:
            section = self.tree[str(where[0])] = {}
        if isinstance(section, dict):  # anything else is a problem that is reported as such
            section[where[1]] = value
            self.origins[dotted(where)] = origin
            self.named[where] = origin.detail

    def fill_keys(self) -> None:
        """A known provider's key is found in its usual variable. One that was given another address does not
        get it by itself: the key would go to whoever listens there. Nor does one whose callers bring their
        own: those without one would spend ours."""
        providers = self.tree.get("providers")
        if not isinstance(providers, dict):
            return
        for name, provider in providers.items():
            if name not in KNOWN_PROVIDERS or not isinstance(provider, dict | None):
                continue
            variable = key_variable(name, self.environ)
            written = provider or {}
            if variable is None or {"api_key", "base_url"} & written.keys():
                continue
            if written.get("credential_header") == "none" or written.get("pass_through_caller_key") is True:
                continue
            providers[name] = {**written, "api_key": self.environ[variable].strip()}
            where = ("providers", name, "api_key")
            self.origins[dotted(where)] = Origin("environment", f"${variable}")
            self.named[where] = variable

    def fill_ledger_path(self, file: Path | None) -> None:
        ledger = self.tree.setdefault("ledger", {})
        if ledger is None:
            ledger = self.tree["ledger"] = {}
        if not isinstance(ledger, dict):
            return
        written = ledger.get("path")
        if written is not None and not (isinstance(written, str) and written):
            return  # reported as what it is
        ledger["path"] = str(_ledger_file(written, file, self.environ))
        if written is None:
            variable = "POINTSMAN_STATE_DIR"
            named = self.environ.get(variable, "").strip()
            self.origins["ledger.path"] = Origin("environment", variable) if named else DEFAULT

    def fill_routes_path(self, file: Path | None) -> None:
        judge = self.tree.get("judge")
        written = judge.get("routes_file") if isinstance(judge, dict) else None
        if isinstance(judge, dict) and isinstance(written, str) and written:
            folder = file.parent if file is not None else Path()
            judge["routes_file"] = str(folder / Path(written).expanduser())

    def validate(self) -> Settings:
        problems = list(self.source.problems)
        try:
            settings: Settings | None = Settings.model_validate(self.tree)
        except ValidationError as error:
            problems += explain(error, self.source, self.named)
            settings = _what_is_right(self.tree, error)
        if settings is not None:
            view = View(settings, self.tree, self.source, self.named)
            problems += [problem for check in CHECKS for problem in check(view)]
        if problems or settings is None:
            raise ConfigError(sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0)))
        return settings

    def warnings(self, settings: Settings) -> Iterator[str]:
        yield from self.ignored
        server = settings.server
        for name, key in (("master_key", server.master_key), ("admin_key", server.admin_key)):
            if key is not None and len(key.get_secret_value()) < 16:
                yield f"server.{name} is short: 16 characters or more are hard to guess"
        known = [override.variable for override in OVERRIDES] + list(OTHER_VARIABLES)
        for name in sorted(self.environ):
            if name.startswith("POINTSMAN_") and name not in known:
                short = name.removeprefix("POINTSMAN_")
                near = nearest(short, [one.removeprefix("POINTSMAN_") for one in known])
                if near is not None:
                    yield f"{name} is not read; did you mean POINTSMAN_{near}?"


def _read(file: Path) -> Source:
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


def _leaves(tree: Any, where: Where = ()) -> Iterator[Where]:
    """Every place with a value of its own; a list counts as one."""
    if isinstance(tree, dict) and (tree or not where):
        for key, value in tree.items():
            yield from _leaves(value, (*where, key))
    else:
        yield where


def _what_is_right(tree: dict[str, Any], error: ValidationError) -> Settings | None:
    """The settings without what is wrong with them, so that the rest is checked in the same run. None when
    too little is left."""
    for _ in range(4):
        for where in sorted({_to_drop(details) for details in error.errors()}, key=str, reverse=True):
            if not where:
                return None
            tree = _without(tree, where)
        try:
            return Settings.model_validate(tree)
        except ValidationError as another:
            error = another
    return None


def _to_drop(details: Any) -> Where:
    where = where_of(details)
    return where[:-1] if details["type"] == "missing" else where


def _without(tree: Any, where: Where) -> Any:
    """`tree` less what stands at `where`; a copy as far as it differs."""
    step, rest = where[0], where[1:]
    if isinstance(tree, dict) and step in tree:
        changed = dict(tree)
        if rest:
            changed[step] = _without(tree[step], rest)
        else:
            del changed[step]
        return changed
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree) and not rest:
        return tree[:step] + tree[step + 1 :]
    return tree
