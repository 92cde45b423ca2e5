"""Settings of how long a provider may take. Each is looked up at the model, then at its provider, then at the top. Nothing
is timed here."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Number, Seconds, Section
from pointsman.core.ports import Deadlines

_DEFAULT = Deadlines()


class DeadlineSettings(Section):
    """How long a provider may take. What a model does not say, its provider says; what that does not, `deadlines` at the
    top; else the default in brackets holds."""

    connect_s: Seconds | None = Field(
        default=None, description=f"To accept the connection ({_DEFAULT.connect_s:g})."
    )
    first_byte_s: Seconds | None = Field(
        default=None, description=f"To send the first byte of its answer ({_DEFAULT.first_byte_s:g})."
    )
    first_content_s: Seconds | None = Field(
        default=None,
        description=(
            "To send the first content of a stream, counted from the request: pings and what else opens a stream are"
            f" none ({_DEFAULT.first_content_s:g})."
        ),
    )
    pieces_per_s_min: Annotated[Number, Field(gt=0, le=10_000)] | None = Field(
        default=None,
        description=(
            "How fast the first pieces of a stream have to come; most providers send one for each token. They are"
            " held back until enough have come, so that another model can still answer (no limit)."
        ),
    )
    rate_window_s: Seconds | None = Field(
        default=None, description=f"How long that is watched at most ({_DEFAULT.rate_window_s:g})."
    )
    idle_s: Seconds | None = Field(
        default=None, description=f"Between two pieces of an answer ({_DEFAULT.idle_s:g})."
    )
    total_s: Seconds | None = Field(default=None, description=f"For the whole answer ({_DEFAULT.total_s:g}).")


def deadlines_of(*sections: DeadlineSettings) -> Deadlines:
    """What the first of them says of each that says anything, else the default."""
    said: dict[str, float] = {}
    for section in reversed(sections):
        said |= {name: value for name, value in section.model_dump().items() if value is not None}
    return Deadlines(**said)
