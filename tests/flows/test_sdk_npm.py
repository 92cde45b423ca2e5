"""The JavaScript SDKs have whole conversations with vendors of every dialect, each as strict as the real one."""

import os
from collections.abc import Iterator

import pytest

from clients.conversations import Conversations, Stage
from clients.sdks.npm import CLIENTS, WITH_OWN_LOOP, NpmClient, Pipe, UnavailableError, installed, running
from clients.talk import Client, Failure, Manner
from clients.vendors import DIALECTS, running_vendors
from clients.vendors.script import lamp
from gateways import Gateway, running_gateway

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("npm")]

LISTS_MODELS = [client for client in CLIENTS if not client.name.startswith("ai-")]


@pytest.fixture(scope="module")
def pipe() -> Iterator[Pipe]:
    try:
        folder = installed()
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"needs {error}")
    with running(folder) as pipe:
        yield pipe


@pytest.fixture(scope="module")
def stage(pipe: Pipe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("sdk_npm")
    with (
        running_vendors(lamp) as vendors,
        running_gateway(vendors.yaml(), folder, vendors.environ()) as gateway,
    ):
        yield vendors, {client.name: client(pipe, gateway.url) for client in CLIENTS}


@pytest.fixture(params=[client.name for client in CLIENTS])
def client(request: pytest.FixtureRequest, stage: Stage) -> Client:
    return stage[1][request.param]


@pytest.fixture(params=WITH_OWN_LOOP)
def looping(request: pytest.FixtureRequest, stage: Stage) -> Client:
    return stage[1][request.param]


class TestNpmSdks(Conversations):
    pass


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that wants a key."""
    yaml = "server: {master_key: $GATEWAY_KEY}\n"
    folder = tmp_path_factory.mktemp("sdk_npm_locked")
    with running_vendors(lamp) as vendors:
        environ = {**vendors.environ(), "GATEWAY_KEY": "key-of-the-locked-one"}
        with running_gateway(yaml + vendors.yaml(), folder, environ) as gateway:
            yield gateway


@pytest.mark.parametrize("kind", LISTS_MODELS)
def test_models_are_listed_in_the_clients_own_shape(
    pipe: Pipe, locked: Gateway, kind: type[NpmClient]
) -> None:
    names = kind(pipe, locked.url, "key-of-the-locked-one").talk(Manner()).models()
    assert names[0] == "auto"
    assert set(DIALECTS) <= set(names)


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_wrong_key_is_the_clients_own_error(pipe: Pipe, locked: Gateway, kind: type[NpmClient]) -> None:
    with pytest.raises(Failure) as caught:
        kind(pipe, locked.url, "wrong").talk(Manner()).ask("openai-chat", "say hello")
    assert caught.value.status == 401
