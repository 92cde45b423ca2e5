"""More connections than there may be, clients that vanish without a word, and a thousand streams that nobody reads."""

import contextlib
import socket
import sys
import time
from pathlib import Path

import pytest
from callers import StartBehind
from raw_http import CHAT, MESSAGES, Broken, Client, chat_body, head, post

from gateways import Gateway, running_gateway
from pointsman.server.sockets import allow_files, connections_within, files_wanted, listen
from pointsman.testing import FakeUpstream
from waiting import wait_until

CROWD = """
limits: {connections: 8}
providers: {demo: {}}
models: {tiny: {provider: demo, id: demo-simple}}
"""
HEALTH = head("GET", "/health")


def connections(gateway: Gateway) -> int:
    server = gateway.stopper.server
    assert server is not None
    return gateway.in_loop(lambda: len(server.server_state.connections))


def test_one_connection_too_many_is_told_to_come_again(tmp_path: Path) -> None:
    with running_gateway(CROWD, tmp_path) as gateway, contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Client(gateway)) for _ in range(8)]
        for client in crowd:
            client.send(HEALTH)
            assert client.reply().status == 200
        with Client(gateway) as another:
            another.send(post(CHAT, chat_body()))
            reply = another.reply()
            assert (reply.status, reply.error["type"]) == (503, "server_error")
            assert (reply.headers["retry-after"], reply.headers["connection"]) == ("1", "close")
            assert another.is_closed()
        for client in crowd:
            client.send(HEALTH)
            assert client.reply().status == 200
        crowd[0].socket.close()
        wait_until(lambda: connections(gateway) < 8)
        with Client(gateway) as another:
            another.send(post(CHAT, chat_body()))
            assert another.reply().status == 200


def test_flood_of_connections_is_bounded(tmp_path: Path) -> None:
    with running_gateway(CROWD, tmp_path) as gateway, contextlib.ExitStack() as stack:
        flood = [stack.enter_context(Client(gateway)) for _ in range(300)]
        refused = 0
        for client in flood:
            with contextlib.suppress(Broken, OSError):
                client.send(HEALTH)
                refused += client.reply().status == 503
        assert connections(gateway) <= 8 + 100
        assert refused > 0


def test_idle_connections_make_room_in_a_crowd(tmp_path: Path) -> None:
    with running_gateway(CROWD, tmp_path) as gateway, contextlib.ExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(Client(gateway))
            client.send(HEALTH)
            client.reply()

        assert connections(gateway) == 6
        wait_until(lambda: connections(gateway) < 6)  # a minute and more without a crowd


def test_connection_notices_a_client_that_vanished(demo: Gateway) -> None:
    if not hasattr(socket, "TCP_KEEPIDLE"):
        pytest.skip("this system does not say")
    with Client(demo) as client:
        client.send(HEALTH)
        client.reply()
        server = demo.stopper.server
        assert server is not None
        port = client.socket.getsockname()[1]

        def options() -> list[int]:
            ours = next(
                connection.transport.get_extra_info("socket")
                for connection in server.server_state.connections
                if connection.transport.get_extra_info("peername")[1] == port
            )
            return [
                ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            ]

        assert demo.in_loop(options) == [1, 30, 10, 4, 120_000]


def test_fewer_connections_are_taken_than_files_may_be_open() -> None:
    assert files_wanted(10_000, 1000) == 11_100
    assert connections_within(11_100, 10_000, 1000) == 10_000
    assert connections_within(1024, 10_000, 1000) == 462
    assert connections_within(1, 10_000, 1000) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_limit_of_open_files_is_only_ever_raised() -> None:
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allow_files(10) == 10
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before, most)
    assert allow_files(most + 1 if most > 0 else before) >= before
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_address_in_use_leaves_no_socket_behind() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])


STUCK_MB = 300
"""Of the 64 GB that they would be sent. Measured: 55."""


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_thousand_streams_that_nobody_reads_take_little_memory(
    upstream: FakeUpstream, behind: StartBehind, path: str
) -> None:
    """Each provider would send 64 MB. The fake provider lives in this process too, so it is counted with the gateway."""
    allow_files(files_wanted(1000, 1000) + 1000)
    piece = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 16_000)
    upstream.answer(sse=[piece] * 4000)
    gateway = behind()
    with contextlib.ExitStack() as stack:
        before_mb = resident_mb()
        for _ in range(1000):
            client = stack.enter_context(Client(gateway, receive_buffer=4096))
            client.send(post(path, chat_body(stream=True)))
        wait_until(lambda: len(upstream.requests) == 1000, within_s=300)
        sent = -1

        def is_held() -> bool:
            nonlocal sent
            time.sleep(0.2)
            before, sent = sent, sum(request.sent_bytes for request in upstream.requests)
            return sent == before

        wait_until(is_held, within_s=300)
        taken_mb = resident_mb() - before_mb
        assert taken_mb < STUCK_MB, f"{taken_mb:.0f} MB"
    wait_until(lambda: gateway.tasks_under_way() == 0, within_s=300)
    wait_until(lambda: upstream.connections_open == 0)
