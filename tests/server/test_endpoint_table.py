"""Paths that name the model: which they are, and which model they name."""

import pytest

from pointsman.server.endpoints import EndpointTable, model_path
from pointsman.server.exchange import Endpoint, Exchange


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def admit(self, exchange: Exchange) -> None:
        raise AssertionError(exchange)

    async def __call__(self, exchange: Exchange) -> None:
        raise AssertionError(exchange)


FIXED: Endpoint = Named("fixed")
TABLE = EndpointTable({b"/v1/chat/completions": FIXED}, {"generateContent": Named})


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1beta/models/auto:generateContent", "auto"),
        ("/v1/models/auto:generateContent", "auto"),
        ("/v1/models/org/big:generateContent", "org/big"),
        ("/v1/models/org%2Fbig:generateContent", "org/big"),
        ("/v1beta/models/qwen3:8b:generateContent", "qwen3:8b"),
        ("/v1beta/models/qwen3%3A8b:generateContent", "qwen3:8b"),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", "m"),
        ("/v1beta1/publishers/google/models/m:generateContent", "m"),
        ("/v1beta/tunedModels/mine:generateContent", "tunedModels/mine"),
    ],
)
def test_path_names_its_model(path: str, model: str) -> None:
    found = TABLE.get(path.encode())
    assert isinstance(found, Named)
    assert found.name == model
    assert TABLE[path.encode()] is not None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/auto",
        "/v1beta/models/auto:nothing",
        "/v1beta/models/:generateContent",
        "/v2/models/auto:generateContent",
        "/models/auto:generateContent",
        "/v1beta/files/auto:generateContent",
    ],
)
def test_other_paths_are_no_endpoints(path: str) -> None:
    assert TABLE.get(path.encode()) is None
    with pytest.raises(KeyError):
        TABLE[path.encode()]


def test_fixed_paths_come_first() -> None:
    assert TABLE.get(b"/v1/chat/completions") is FIXED
    assert list(TABLE) == [b"/v1/chat/completions"]
    assert len(TABLE) == 1
    assert model_path(b"/v1/chat/completions") is None
