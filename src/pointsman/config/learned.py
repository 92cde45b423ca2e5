"""The setting of the learned score, and the weights it names. It trains nothing."""

import importlib.resources
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from pointsman.config.section import Section
from pointsman.core.errors import ConfigError, Problem
from pointsman.routing.learned import LEARNED, Learned


class LearnedSettings(Section):
    """A score learned from prompts on which strong and cheap models were compared. It adds to the score of the rules,
    as much as `routing.weights.learned` says; of texts in words it does not know it says little or nothing."""

    enabled: bool = Field(default=True, description="Whether it has a say.")
    path: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Weights that `pointsman train` wrote. A relative path counts from the configuration file. Default: those"
            " that ship."
        ),
    )


def weights_of(settings: LearnedSettings) -> Learned | None:
    """None where it is switched off. Raises ConfigError for a file that cannot be used."""
    if not settings.enabled:
        return None
    if settings.path is None:
        return Learned(shipped_weights())
    try:
        return Learned(Path(settings.path).read_bytes())
    except OSError as error:
        why = f"not readable ({error.strerror})"
    except ValueError as error:
        why = str(error)
    problem = Problem(
        "routing.learned.path", f"{settings.path}: {why}", "a file that `pointsman train` wrote"
    )
    raise ConfigError([problem])


def shipped_weights() -> bytes:
    return importlib.resources.files("pointsman.routing").joinpath(f"{LEARNED}.bin").read_bytes()


def problems(settings: LearnedSettings) -> Iterator[Problem]:
    try:
        weights_of(settings)
    except ConfigError as error:
        yield from error.problems
