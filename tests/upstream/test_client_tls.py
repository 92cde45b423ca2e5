"""TLS is verified, always; certificates are those of tls/, which no system trusts by itself."""

import ssl
from pathlib import Path

import pytest

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.testing import FakeUpstream

CERTIFICATES = Path(__file__).parent / "tls"


def server_context(name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))


async def unreachable(client, url: str) -> str:
    with pytest.raises(UpstreamError) as caught:
        await client.send(Outgoing(url, ((b"authorization", b"secret"),), b"", Deadlines()))
    assert caught.value.fault is UpstreamFault.UNREACHABLE
    return str(caught.value)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_trusted_server_is_spoken_to_on_a_kept_connection(trusted, client, framing):
    async with FakeUpstream(tls=server_context("server")) as upstream:
        upstream.answer(body=b"0123456789" * 100_000, framing=framing)
        for _ in range(2):
            response = await client.send(
                Outgoing(f"{upstream.base_url}/x", (), b"a" * 1_000_000, Deadlines())
            )
            assert len(await response.read(1_000_000)) == 1_000_000
        assert [len(request.body) for request in upstream.requests] == [1_000_000] * 2
        assert upstream.connections_opened == (2 if framing == "close" else 1)


async def test_name_and_address_of_the_certificate_are_both_accepted(trusted, client):
    async with FakeUpstream(tls=server_context("server")) as upstream:
        upstream.answer(body=b"ok")
        for host in ("localhost", "127.0.0.1"):
            url = f"https://{host}:{upstream.port}/x"
            assert await (await client.send(Outgoing(url, (), b"", Deadlines()))).read(10) == b"ok"


async def test_unknown_authority_is_refused(client):
    async with FakeUpstream(tls=server_context("server")) as upstream:
        message = await unreachable(client, f"{upstream.base_url}/x?key=secret")
        assert f"127.0.0.1:{upstream.port}" in message
        assert "certificate is not trusted" in message
        assert "secret" not in message
        assert upstream.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_certificate_of_another_host_is_refused(trusted, client, host):
    async with FakeUpstream(tls=server_context("elsewhere")) as upstream:
        message = await unreachable(client, f"https://{host}:{upstream.port}/x")
        assert "certificate is not trusted" in message
        assert "mismatch" in message
        assert upstream.requests == []


async def test_https_to_a_plain_server_is_unreachable(client, upstream):
    upstream.answer(body=b"ok")
    assert "cannot connect" in await unreachable(client, f"https://127.0.0.1:{upstream.port}/x")
    upstream.failures.clear()


async def test_cut_close_delimited_body_is_broken_not_short(trusted, client):
    # Without TLS's own farewell an end could be anybody's doing.
    async with FakeUpstream(tls=server_context("server")) as upstream:
        upstream.answer(body=b"0123456789", framing="close", cut_after_bytes=5, ending="reset")
        response = await client.send(Outgoing(f"{upstream.base_url}/x", (), b"", Deadlines()))
        with pytest.raises(UpstreamError) as caught:
            await response.read(100)
        assert caught.value.fault is UpstreamFault.BROKEN


async def test_abort_hangs_up_under_tls(trusted, client):
    async with FakeUpstream(tls=server_context("server")) as upstream:
        upstream.answer(sse=[b"one"], ending="stall")
        response = await client.send(Outgoing(f"{upstream.base_url}/x", (), b"", Deadlines()))
        assert await response.first() == b"one"
        response.abort()
        await upstream.requests[0].until_hung_up()
