"""Settings of the cascade: who drafts for whom, and how drafts are looked at."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Name, Number, Seconds, Section


class CascadeSettings(Section):
    """A cheaper model answers first, and the chosen one is asked only where that answer is empty, cut off, refused, not in
    the form that was demanded, unsure or, if there is a judge, not good. Both are paid for then. Streams and
    requests with tools are left alone."""

    profiles: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(),
        description="The profiles whose requests begin with a draft by the next lower tier that can take them.",
    )
    drafts: dict[Name, Name] = Field(
        default_factory=dict,
        description="MODEL: MODEL. Who drafts where the former was chosen, in any profile.",
    )
    mean_logprob_min: Annotated[Number, Field(ge=-20, le=0)] | None = Field(
        default=None,
        description=(
            "How sure a draft has to be: the least mean log-probability of its tokens (natural logarithm; -0.3 is 74 %)."
            " Asked of openai-chat providers for callers of that API. Without one nobody asks."
        ),
    )
    judge: Name | None = Field(
        default=None,
        description="Which of `models` is asked whether a draft is good. Without one nobody is asked.",
    )
    judge_deadline_s: Seconds = Field(
        default=10.0, description="How long a draft waits for that; without a verdict it counts as good."
    )
