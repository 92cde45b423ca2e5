"""Whose API, where, how to prove who we are: one provider as a value. It sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pointsman.core.ports import Deadlines

CredentialHeader = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "none"]


@dataclass(frozen=True, slots=True)
class Provider:
    """`base_url` is what the dialect's endpoint is added to, without a slash at its end.

    `also_speaks` are further dialects at the same URL, for callers who speak them too.

    `pass_through_caller_key` lets a caller's own credential replace ours, if it is this provider's kind of
    key (`caller_key_prefixes`). `embedded` is the demo provider, answered inside the process. `profile` names how
    its API departs from its dialect.
    """

    name: str
    dialect: str
    base_url: str
    also_speaks: tuple[str, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    credential_header: CredentialHeader = "bearer"
    headers: Mapping[str, str] = field(default_factory=dict)
    caller_key_prefixes: tuple[str, ...] = ()
    pass_through_caller_key: bool = False
    include_stream_usage: bool = False
    deadlines: Deadlines = field(default_factory=Deadlines)
    embedded: bool = False
    profile: str = ""


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """What a provider's name brings with it, so that the configuration need not say it.

    `key_variables` are the environment variables its key is found in, in order. `prices_as` is its name in
    the bundled price data, None when it has none. A `base_url` that holds capitals (https://HOST/v1) is only the form
    of one: the real one is each account's own.
    """

    dialect: str
    base_url: str
    key_variables: tuple[str, ...]
    also_speaks: tuple[str, ...] = ()
    credential_header: CredentialHeader = "bearer"
    caller_key_prefixes: tuple[str, ...] = ()
    prices_as: str | None = None

    @property
    def is_at_own_address(self) -> bool:
        """Every account is reached at an address of its own, which has to be told."""
        return self.base_url != self.base_url.lower()
