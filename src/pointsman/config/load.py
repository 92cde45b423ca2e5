"""From a file, the environment and the command line to Settings, or to the list of everything that is wrong.

The order: the file (or what discover finds), its references replaced, POINTSMAN_* over it, flags over that;
then each value by itself (schema), then all of them against one another (checks).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from pointsman.config.awaited import left_out
from pointsman.config.checks import CHECKS
from pointsman.config.discover import discover, key_variable
from pointsman.config.discovery import written_models
from pointsman.config.files import digest, find_file, ledger_file, read_file
from pointsman.config.loaded import DEFAULT, Lists, Loaded, Origin
from pointsman.config.overlay import Overlay, overlay_path, read_overlay
from pointsman.config.problems import explain, nearest
from pointsman.config.references import is_secret, resolve
from pointsman.config.salvage import what_is_right
from pointsman.config.schema import Settings
from pointsman.config.source import Source, Where, at, dotted
from pointsman.config.view import View
from pointsman.core.errors import ConfigError, Problem
from pointsman.routing.policy import default_policy
from pointsman.routing.presets import DEFAULT_TIERS
from pointsman.upstream.known_providers import KNOWN_PROVIDERS


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


def load(
    path: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    folder: Path = Path(),
    lists: Lists = MappingProxyType({}),
    overlay: Overlay | None = None,
) -> Loaded:
    """What a start with this file, environment and command line means. `folder` is the working directory, `lists` what
    providers that are asked for their models have answered so far, `overlay` what was set by the API (None: what is kept
    of that).

    Raises ConfigError with every problem there is.
    """
    loading = _Loading(environ)
    file = find_file(path, environ, folder)
    # Before it is read: what comes later is another file.
    files = {} if file is None else {file: digest(file)}
    if file is None:
        loading.discover()
    else:
        loading.read(file)
    loading.override(flags)
    loading.fill_keys()
    loading.fill_ledger_path(file)
    loading.anchor(("judge", "routes_file"), file)
    loading.anchor(("routing", "learned", "path"), file)
    loading.lay_over(overlay)
    loading.add_listed(lists)
    loading.leave_out_awaited(lists)
    settings = loading.validate()
    again = partial(load, file if file is not None else path, environ, flags, folder)
    if settings.judge.routes_file is not None:
        table = Path(settings.judge.routes_file)
        files[table] = digest(table)
    if settings.routing.learned.path is not None:
        weights = Path(settings.routing.learned.path)
        files[weights] = digest(weights)
    warnings = tuple(loading.warnings(settings))
    return Loaded(settings, loading.origins, file, warnings, loading.notes, files, again)


@dataclass(slots=True)
class _Loading:
    """One load, step by step. `named` gives places whose value came from a variable or flag that name; `kept` is
    the file of what the API set, with what it holds."""

    environ: Mapping[str, str]
    source: Source = field(default_factory=Source)
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    named: dict[Where, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ignored: list[str] = field(default_factory=list)
    kept: tuple[Path, Overlay] | None = None

    def read(self, file: Path) -> None:
        self.source = source = read_file(file)
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
        ledger["path"] = str(ledger_file(written, file, self.environ))
        if written is None:
            variable = "POINTSMAN_STATE_DIR"
            named = self.environ.get(variable, "").strip()
            self.origins["ledger.path"] = Origin("environment", variable) if named else DEFAULT

    def anchor(self, where: Where, file: Path | None) -> None:
        """A relative path there counts from the file."""
        section, written = at(self.tree, where[:-1]), at(self.tree, where)
        if isinstance(section, dict) and isinstance(written, str) and written:
            folder = file.parent if file is not None else Path()
            section[where[-1]] = str(folder / Path(written).expanduser())

    def lay_over(self, overlay: Overlay | None) -> None:
        """Categories that were set by the API stand in the place of those in the file."""
        path = at(self.tree, ("ledger", "path"))
        if overlay is None:
            overlay = {}
            if isinstance(path, str) and Path(path).name:
                file = overlay_path(Path(path))
                overlay = read_overlay(file)
                self.kept = file, overlay
        if not overlay:
            return
        if self.tree.get("categories") is None:
            self.tree["categories"] = {}
        categories = self.tree["categories"]
        if not isinstance(categories, dict):
            return
        for name, category in overlay.items():
            categories.pop(name, None)
            if category is not None:
                categories[name] = dict(category)
                for where in _leaves(category, ("categories", name)):
                    self.origins[dotted(where)] = Origin("api")

    def add_listed(self, lists: Lists) -> None:
        """Models that nobody wrote down. Of one that is written down only what is not said there is added."""
        if self.tree.get("models") is None:
            self.tree["models"] = {}
        models, providers = self.tree["models"], self.tree.get("providers")
        if not isinstance(models, dict) or not isinstance(providers, dict):
            return
        taken = {name.lower() for name in (*models, *_virtual(self.tree))}
        by_id = {
            (str(model.get("provider")), str(model.get("id") or name)): name
            for name, model in models.items()
            if isinstance(model, dict)
        }
        for provider, listed in lists.items():
            if not _discovers(providers.get(provider)):
                continue
            tiers = self.tree.get("tiers")
            known = tiers if isinstance(tiers, list) and tiers else DEFAULT_TIERS
            for model_id, facts in written_models(provider, listed, self.tree, known).items():
                own = by_id.get((provider, model_id))
                if own is not None:
                    self.add_facts(own, facts)
                    continue
                name = model_id if model_id.lower() not in taken else f"{provider}/{model_id}"
                if name.lower() not in taken:
                    taken.add(name.lower())
                    models[name] = {**facts, "id": model_id}
                    for key in models[name]:
                        self.origins[f"models.{name}.{key}"] = Origin("discovered", provider)

    def add_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Tiers are decisions, and those of a model that is written down are its writer's."""
        written = self.tree["models"][name]
        is_priced = any(key.startswith("usd_") for key in written)
        for key, value in facts.items():
            if key not in written and key != "tier" and not (is_priced and key.startswith("usd_")):
                written[key] = value
                self.origins[f"models.{name}.{key}"] = Origin("discovered", facts["provider"])

    def leave_out_awaited(self, lists: Lists) -> None:
        """What names a model that a provider may still list, where one is asked for its models."""
        providers = self.tree.get("providers")
        asked = (
            [name for name, one in providers.items() if _discovers(one)]
            if isinstance(providers, dict)
            else []
        )
        for where, name in left_out(self.tree) if asked else ():
            told = f"{dotted(where)}: {name} is left out"
            if all(provider in lists for provider in asked):
                self.ignored.append(f"{told}: it is neither in `models` nor listed by {', '.join(asked)}")
            else:
                self.notes += (f"{told} until one of the providers that are asked for their models lists it",)

    def missing_models(self) -> Iterator[Problem]:
        if self.tree.get("models") != {}:
            return
        providers = self.tree.get("providers")
        if not isinstance(providers, dict) or not any(map(_discovers, providers.values())):
            expected = "at least one model by the name that callers use, or a provider with `discover: true`"
            yield Problem("models", None, expected, line=self.source.line(("models",)))

    def validate(self) -> Settings:
        problems = [*self.source.problems, *self.missing_models()]
        try:
            settings: Settings | None = Settings.model_validate(self.tree)
        except ValidationError as error:
            problems += explain(error, self.source, self.named)
            settings = what_is_right(self.tree, error)
        if settings is not None:
            view = View(settings, self.tree, self.source, self.named)
            problems += [problem for check in CHECKS for problem in check(view)]
        if problems or settings is None:
            problems = [self._placed(problem) for problem in problems]
            raise ConfigError(sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0)))
        return settings

    def _placed(self, problem: Problem) -> Problem:
        """With the file that it stands in, where that is not the one that somebody wrote."""
        if self.kept is None:
            return problem
        file, overlay = self.kept
        is_kept = any(problem.path.startswith(f"categories.{name}.") for name in overlay)
        return replace(problem, path=f"{file}: {problem.path}", line=None) if is_kept else problem

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


def _discovers(provider: object) -> bool:
    discover = provider.get("discover") if isinstance(provider, dict) else None
    return discover is not None and discover is not False


def _virtual(tree: Mapping[str, Any]) -> Iterator[str]:
    """Names that are no models'."""
    yield from (profile.name for profile in default_policy(DEFAULT_TIERS).profiles)
    for section in ("aliases", "profiles", "categories"):
        found = tree.get(section)
        yield from map(str, found) if isinstance(found, dict) else ()


def _leaves(tree: Any, where: Where = ()) -> Iterator[Where]:
    """Every place with a value of its own; a list counts as one."""
    if isinstance(tree, dict) and (tree or not where):
        for key, value in tree.items():
            yield from _leaves(value, (*where, key))
    else:
        yield where
