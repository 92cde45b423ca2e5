"""Which endpoint answers a POST that reaches a model: one with a path of its own, or one whose path names the model.
It answers nothing itself."""

import re
from collections.abc import Callable, Iterator, Mapping

from pointsman.server.exchange import Endpoint
from pointsman.wire.gemini.paths import ModelPath, read_path

# Google's paths: the public API's, Vertex AI's with a project and a publisher, and those of tuned models.
_ADDRESSED = re.compile(rb"/v1(?:alpha|beta1?)?/((?:models|tunedModels|publishers|projects)/.+:[A-Za-z]+)")

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
        named = model_path(path)
        make = None if named is None else self._addressed.get(named.verb)
        return default if named is None or make is None else make(named.model)

    def __getitem__(self, path: bytes) -> Endpoint:
        endpoint = self.get(path)
        if endpoint is None:
            raise KeyError(path)
        return endpoint

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._fixed)

    def __len__(self) -> int:
        return len(self._fixed)


def model_path(path: bytes) -> ModelPath | None:
    """The model and the verb in a path that names both."""
    found = _ADDRESSED.fullmatch(path)
    return None if found is None else read_path(found[1].decode("latin-1"))
