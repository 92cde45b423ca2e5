"""The official Python SDKs have whole conversations with vendors of every dialect, each as strict as the real one."""

from collections.abc import Iterator

import pytest

from clients.conversations import Conversations, Stage
from clients.sdks.python import CLIENTS, WITH_OWN_LOOP
from clients.talk import Client
from clients.vendors import running_vendors
from clients.vendors.script import lamp
from gateways import running_gateway

pytestmark = pytest.mark.xdist_group("sdk_python")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("sdk_python")
    with (
        running_vendors(lamp) as vendors,
        running_gateway(vendors.yaml(), folder, vendors.environ()) as gateway,
    ):
        clients = {client.name: client(gateway.url) for client in CLIENTS}
        yield vendors, clients
        for client in clients.values():
            client.close()


@pytest.fixture(params=[client.name for client in CLIENTS])
def client(request: pytest.FixtureRequest, stage: Stage) -> Client:
    return stage[1][request.param]


@pytest.fixture(params=WITH_OWN_LOOP)
def looping(request: pytest.FixtureRequest, stage: Stage) -> Client:
    return stage[1][request.param]


class TestPythonSdks(Conversations):
    pass
