"""Which endpoint answers a POST that reaches a model: one with a path of its own, or one whose path names the model.
It answers nothing itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from pointsman.server.exchange import Endpoint

# Google's paths: the public API's, Vertex AI's with a project and a publisher, and those of tuned models.
_ADDRESSED = re.compile(
    rb"/v1(?:alpha|beta1?)?/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?(?:models|tunedModels)"
    rb"/([^?]+):([A-Za-z]+)"
)

Addressed = Callable[[str], Endpoint]
"""Makes the endpoint for one model's name."""


class EndpointTable(Mapping[bytes, Endpoint]):
    """`fixed` by path, `addressed` by the verb behind the model: `/v1beta/models/MODEL:VERB`."""

    def __init__(self, fixed: Mapping[bytes, Endpoint], addressed: Mapping[str, Addressed]) -> None:
        self._fixed = fixed
        self._addressed = addressed

    def get(self, path: bytes, default: Endpoint | None = None) -> Endpoint | None:  # type: ignore[override]
        # Looked up for every request, so without the exception that Mapping.get would catch.
        endpoint = self._fixed.get(path)
        if endpoint is not None:
            return endpoint
        named = split_address(path)
        make = None if named is None else self._addressed.get(named[1])
        return default if named is None or make is None else make(named[0])

    def __getitem__(self, path: bytes) -> Endpoint:
        endpoint = self.get(path)
        if endpoint is None:
            raise KeyError(path)
        return endpoint

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._fixed)

    def __len__(self) -> int:
        return len(self._fixed)


def split_address(path: bytes) -> tuple[str, str] | None:
    """The model and the verb in a path that names both."""
    found = _ADDRESSED.fullmatch(path)
    return (
        None if found is None else (unquote(found[1].decode("latin-1"), errors="replace"), found[2].decode())
    )
