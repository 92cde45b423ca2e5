"""Settings of how much goes on at once. Who waits for whom is decided elsewhere."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Seconds, Section

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Places = Annotated[int, Field(ge=0, le=1_000_000)]


class LimitsSettings(Section):
    """How much this process does at once. Requests beyond it wait for their turn, first come first served; beyond that
    they are told to come again: 503 with `Retry-After`, 529 in Anthropic's dialect."""

    connections: Count = Field(
        default=10_000,
        description=(
            "Connections of clients. From three quarters of them on idle ones are closed soon; one too many is told to come"
            " again. Fewer where the process may not have as many files open."
        ),
    )
    in_flight: Count = Field(default=1000, description="Requests that are being answered.")
    queue: Places = Field(default=1000, description="Requests that wait until one of those is done.")
    queue_timeout_s: Seconds = Field(default=30.0, description="How long each of them waits.")
    body_bytes: int = Field(
        default=512 * 1024 * 1024,
        ge=1024,
        le=2**50,
        description=(
            "Bodies of requests that are held in all, from their first bytes to the end of the answer. At least"
            " `server.max_body_bytes`. Bodies of up to 16 KiB are taken all the same."
        ),
    )


class TargetLimitsSettings(Section):
    """How many requests a provider or a model gets at once. While it is full, a request goes to the next model of
    its order; where there is none, it waits for its turn."""

    in_flight: Count | None = Field(
        default=None, description="Requests that it is answering. Default: as many as come."
    )
    queue: Places = Field(default=100, description="Requests that wait until one of those is done.")
    queue_timeout_s: Seconds = Field(default=30.0, description="How long each of them waits.")
