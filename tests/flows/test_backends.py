"""Several backends, their breakers and what operators see of them, over real sockets."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from calls import CHAT, Answered, Caller, GatewayFactory
from prometheus_client.parser import text_string_to_metric_families

from gateways import Gateway, running_gateway
from pointsman.app import Lasting, build
from pointsman.config.schema import Settings
from pointsman.control.runtime import Runtime
from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Incoming, Outgoing
from pointsman.gateway.pipeline import Record
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from pointsman.upstream.demo import send_demo
from replies import completion
from waiting import wait_until

ADMIN = {"authorization": "Bearer the-admin-key-of-this-gateway"}
KEYS = {"ADMIN": "the-admin-key-of-this-gateway", "A": "key-of-account-a", "B": "key-of-account-b"}
YAML = """
server: {{admin_key: $ADMIN}}
providers:
  a: {{dialect: openai-chat, base_url: {base_url}, api_key: $A}}
  b: {{dialect: openai-chat, base_url: {base_url}, api_key: $B}}
models:
  pair: {{backends: [{{provider: a, region: eu}}, {{provider: b}}], id: pair-1}}
  org/alone:
    provider: a
    id: alone-1
    usd_per_million_input: 1
    usd_per_million_output: 2
breaker: {{consecutive_failures: 3, open_s: {open_s}, growth: 1, probe_expires_s: 600}}
"""
GOOD = scripted(json=completion("fine"))
BROKEN = scripted(json={"error": {"message": "broken"}}, status=500)
REFUSED = scripted(json={"error": {"message": "no such key", "code": "invalid_api_key"}}, status=401)


class Vendor:
    """Two accounts at one address; `answers` says what each gets."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.answers: dict[str, Scripted] = {"a": GOOD, "b": GOOD}
        upstream.answer_with(lambda received: self.answers[self.account(received)])

    @staticmethod
    def account(received: Received) -> str:
        return (received.header("authorization") or "")[-1]

    @property
    def calls(self) -> Counter[str]:
        return Counter(self.account(received) for received in self.upstream.requests)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with FakeUpstream.in_thread() as upstream:
        yield Vendor(upstream)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GatewayFactory]:
    """`guarded(yaml, **environment)` starts a gateway whose circuits open."""
    with ExitStack() as stack:
        yield lambda yaml, **environ: stack.enter_context(
            running_gateway(yaml, tmp_path, environ, is_guarded=True)
        )


def yaml_for(vendor: Vendor, open_s: float = 60.0) -> str:
    return YAML.format(base_url=vendor.upstream.base_url, open_s=open_s)


def ask(gateway: Gateway, model: str = "org/alone") -> Answered:
    with Caller(gateway) as caller:
        return caller.post(CHAT, {"model": model, "messages": [{"role": "user", "content": "hi"}]})


def get(gateway: Gateway, path: str) -> Any:
    with Caller(gateway) as caller:
        answered = caller.get(path)
    assert answered.status == 200, answered.body
    return answered.json()


def shown(gateway: Gateway, name: str) -> dict[str, Any]:
    found: dict[str, Any] = get(gateway, f"/v1/backends/{name}")
    return found


def change(gateway: Gateway, path: str) -> Answered:
    with Caller(gateway) as caller:
        return caller.post(path, b"", ADMIN)


def test_after_the_last_failure_the_next_request_calls_nobody(
    guarded: GatewayFactory, vendor: Vendor
) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = BROKEN
    for _ in range(3):
        assert ask(running).status == 502
    answered = ask(running)

    assert answered.status == 503
    assert 0 < int(answered.headers["retry-after"]) <= 60
    assert vendor.calls == {"a": 3}
    backend = shown(running, "org/alone@a")
    assert (backend["status"], backend["circuit"], backend["open_because"]) == (
        "down",
        "open",
        "server_error",
    )
    assert (backend["total_requests"], backend["total_errors"]) == (3, 3)
    assert backend["errors"] == {"server_error": 3}
    assert backend["open_until"] > backend["last_error_at"]
    assert shown(running, "pair@a")["circuit"] == "closed", "the scope is the model at that provider"


def test_what_callers_do_wrong_closes_nothing(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = scripted(json={"error": {"message": "bad field"}}, status=400)
    for _ in range(10):
        assert ask(running).status == 400
    vendor.answers["a"] = scripted(json={"error": {"message": "no", "code": "model_not_found"}}, status=404)
    for _ in range(10):
        ask(running)
    vendor.answers["a"] = GOOD

    assert ask(running).status == 200
    assert vendor.calls == {"a": 21}
    assert shown(running, "org/alone@a")["circuit"] == "closed"


def test_callers_who_hang_up_close_nothing(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = scripted(json={}, ending="stall", cut_after_bytes=0)
    for count in range(1, 6):
        with Caller(running) as caller:
            caller.send(CHAT, {"model": "org/alone", "messages": [{"role": "user", "content": "hi"}]})
            wait_until(lambda count=count: vendor.calls["a"] == count)
    wait_until(lambda: shown(running, "org/alone@a")["in_flight"] == 0)

    backend = shown(running, "org/alone@a")
    assert (backend["circuit"], backend["total_errors"], backend["total_requests"]) == ("closed", 0, 5)


def test_a_refused_key_moves_the_model_to_its_other_key(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = REFUSED
    answers = [ask(running, "pair") for _ in range(10)]

    assert [answered.status for answered in answers] == [200] * 10
    assert vendor.calls == {"a": 1, "b": 10}
    assert {answered.headers["x-pointsman-provider"] for answered in answers} == {"b"}
    assert shown(running, "pair@a")["open_because"] == "auth"
    assert all(
        "key-of-account" not in json.dumps(get(running, path)) for path in ("/v1/backends", "/providers")
    )


def test_callers_own_keys_close_a_backend_only_when_it_is_down(
    guarded: GatewayFactory, vendor: Vendor
) -> None:
    yaml = yaml_for(vendor).replace(
        "api_key: $A", "pass_through_caller_key: true, caller_key_prefixes: [own-]"
    )
    running = guarded(yaml, **KEYS)

    def ask_with(key: str) -> int:
        with Caller(running) as caller:
            body = {"model": "org/alone", "messages": [{"role": "user", "content": "hi"}]}
            return caller.post(CHAT, body, {"authorization": f"Bearer {key}"}).status

    vendor.answers["a"] = REFUSED
    assert [ask_with("own-key-a") for _ in range(5)] == [401] * 5
    vendor.answers["a"] = BROKEN
    assert [ask_with("own-key-a") for _ in range(3)] == [502] * 3
    assert ask_with("own-key-a") == 503
    assert vendor.calls == {"a": 8}


def test_calls_are_shared_between_backends_and_each_is_booked_as_its_own(
    guarded: GatewayFactory, vendor: Vendor
) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    for _ in range(20):
        assert ask(running, "pair").status == 200
    wait_until(lambda: len(running.booked) == 20)

    assert set(vendor.calls) == {"a", "b"}, "how many each gets is a matter of how fast it was"
    assert Counter(entry.provider for entry, _ in running.booked) == vendor.calls
    assert shown(running, "pair@a")["latency_ms"] > 0


class Gate:
    """A provider that fails, and then holds every call until it is opened."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_broken = True
        self.opened = asyncio.Event()

    async def send(self, outgoing: Outgoing) -> Incoming:
        self.calls += 1
        if self.is_broken:
            raise UpstreamError(UpstreamFault.SERVER_ERROR, "broken", status=500)
        await self.opened.wait()
        return await send_demo(outgoing)


def test_a_hundred_callers_are_one_probe(tmp_path: Path) -> None:
    gate = Gate()
    yaml = """
    providers: {far: {dialect: openai-chat, base_url: "http://127.0.0.1:1/v1"}}
    models: {org/alone: {provider: far, id: demo-simple}}
    breaker: {open_s: 0.05, growth: 1, probe_expires_s: 600}
    """

    def make(settings: Settings, record: Record) -> Runtime:
        return build(settings, Lasting(gate.send, record), now_s=time.time())

    with running_gateway(yaml, tmp_path, make=make, is_guarded=True) as running:
        for _ in range(3):
            assert ask(running).status == 502
        wait_until(lambda: shown(running, "org/alone@far")["circuit"] == "half_open")
        gate.is_broken = False
        with ThreadPoolExecutor(100) as pool:
            asked = [pool.submit(ask, running) for _ in range(100)]
            wait_until(lambda: sum(one.done() for one in asked) == 99)
            assert gate.calls == 4
            running.in_loop(gate.opened.set)
            statuses = Counter(one.result().status for one in asked)

        assert statuses == {200: 1, 503: 99}
        assert gate.calls == 4
        assert shown(running, "org/alone@far")["circuit"] == "closed"
        assert ask(running).status == 200


def test_a_failed_probe_keeps_it_open(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor, open_s=0.05), **KEYS)
    vendor.answers["a"] = BROKEN
    for count in range(3, 6):
        while vendor.calls["a"] < count:
            ask(running)
        wait_until(lambda: shown(running, "org/alone@a")["circuit"] == "half_open")

    assert shown(running, "org/alone@a")["total_errors"] == 5


def test_an_open_circuit_outlives_a_restart(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["a"] = BROKEN
    with running_gateway(yaml_for(vendor), tmp_path, KEYS, is_guarded=True) as first:
        for _ in range(3):
            ask(first)
        change(first, "/v1/backends/pair@b/drain")
        was_open_until = shown(first, "org/alone@a")["open_until"]
    vendor.answers["a"] = GOOD
    vendor.upstream.requests.clear()
    with running_gateway(yaml_for(vendor), tmp_path, KEYS, is_guarded=True) as second:
        assert ask(second).status == 503
        assert vendor.calls == {}
        assert shown(second, "org/alone@a")["open_until"] == pytest.approx(was_open_until, abs=20)
        assert shown(second, "pair@b")["status"] == "draining"
        assert change(second, "/circuit-breaker/reset-all").status == 200
        assert ask(second).status == 200
    with running_gateway(yaml_for(vendor), tmp_path, KEYS, is_guarded=True) as third:
        assert shown(third, "org/alone@a")["circuit"] == "closed"
        assert shown(third, "pair@b")["status"] == "draining", "a reset is no word about draining"


def test_state_is_written_while_the_gateway_runs(vendor: Vendor, tmp_path: Path) -> None:
    """A process that is killed writes nothing any more."""
    with running_gateway(yaml_for(vendor), tmp_path, KEYS, is_guarded=True) as running:
        vendor.answers["a"] = REFUSED
        ask(running)
        file = tmp_path / "ledger.backends.json"
        wait_until(file.exists)
        assert list(json.loads(file.read_bytes())["backends"]) == ["org/alone@a"]


def test_a_reload_changes_no_circuit(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = REFUSED
    ask(running)
    vendor.answers["a"] = GOOD
    change(running, "/v1/backends/pair@b/drain")
    running.file.write_text(yaml_for(vendor).replace("region: eu", "region: us, weight: 7"))
    assert change(running, "/admin/reload").status == 200

    assert ask(running).status == 503
    assert vendor.calls == {"a": 1}
    assert shown(running, "org/alone@a")["total_requests"] == 1
    assert shown(running, "pair@b")["status"] == "draining"
    assert (shown(running, "pair@a")["region"], shown(running, "pair@a")["weight"]) == ("us", 7.0)
    assert change(running, "/circuit-breaker/reset-all").status == 200
    assert ask(running).status == 200


def test_a_damaged_state_file_stops_nobody(vendor: Vendor, tmp_path: Path) -> None:
    (tmp_path / "ledger.backends.json").write_text("{")
    with running_gateway(yaml_for(vendor), tmp_path, KEYS, is_guarded=True) as running:
        assert ask(running).status == 200


@pytest.mark.parametrize("name", ["org/alone", "org/alone@a", "a/alone-1", "org%2Falone"])
def test_a_circuit_is_reset_by_any_name_of_its_model(
    guarded: GatewayFactory, vendor: Vendor, name: str
) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    vendor.answers["a"] = REFUSED
    ask(running)
    assert ask(running).status == 503
    vendor.answers["a"] = GOOD
    answered = change(running, f"/circuit-breaker/reset/{name}")

    assert answered.status == 200
    assert [one["name"] for one in answered.json()["data"]] == ["org/alone@a"]
    assert ask(running).status == 200


def test_a_drained_backend_gets_nothing_new(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    assert change(running, "/v1/backends/pair@a/drain").json()["data"][0]["status"] == "draining"
    for _ in range(10):
        ask(running, "pair")
    assert vendor.calls == {"b": 10}
    assert change(running, "/v1/backends/pair/drain").status == 200
    assert ask(running, "pair").status == 503
    assert change(running, "/v1/backends/pair@a/resume").json()["data"][0]["status"] == "healthy"
    assert ask(running, "pair").headers["x-pointsman-provider"] == "a"


def test_the_backends_of_a_model_are_looked_at_by_its_name(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)

    assert [one["name"] for one in get(running, "/v1/backends/pair")["data"]] == ["pair@a", "pair@b"]
    assert [one["name"] for one in get(running, "/v1/backends/org/alone")["data"]] == ["org/alone@a"]
    assert get(running, "/v1/backends/org/alone@a")["name"] == "org/alone@a"


@pytest.mark.parametrize(
    "path",
    [
        "/circuit-breaker/reset/nobody",
        "/v1/backends/nobody@a/drain",
        "/v1/backends/nobody@a/resume",
        "/v1/backends/auto/drain",
    ],
)
def test_a_name_that_means_nothing_is_not_found(guarded: GatewayFactory, vendor: Vendor, path: str) -> None:
    running = guarded(yaml_for(vendor), **KEYS)

    assert change(running, path).status == 404
    with Caller(running) as caller:
        assert caller.get("/v1/backends/nobody@a").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/circuit-breaker/reset/org/alone",
        "/circuit-breaker/reset-all",
        "/v1/backends/pair@a/drain",
        "/v1/backends/pair@a/resume",
    ],
)
def test_changes_need_the_admin_key(guarded: GatewayFactory, vendor: Vendor, path: str) -> None:
    yaml = yaml_for(vendor).replace("admin_key:", "master_key: $MASTER, admin_key:")
    running = guarded(yaml, **KEYS, MASTER="the-master-key-of-this-gateway")
    with Caller(running) as caller:
        assert caller.post(path, b"").status == 401
        master = {"authorization": "Bearer the-master-key-of-this-gateway"}
        assert caller.post(path, b"", master).status == 403
        assert caller.post(path, b"", ADMIN).status == 200
        for looked_at in ("/v1/backends", "/v1/backends/pair@a", "/providers", "/metrics"):
            assert caller.get(looked_at).status == 401
            assert caller.get(looked_at, master).status == 200
            assert caller.get(looked_at, ADMIN).status == 200


def test_backends_and_providers_are_listed(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    listed = get(running, "/v1/backends")["data"]

    assert [one["name"] for one in listed] == ["org/alone@a", "pair@a", "pair@b"]
    assert [one["region"] for one in listed] == [None, "eu", None]
    assert [one["usd_per_million_output"] for one in listed] == [2.0, None, None]
    assert {one["status"] for one in listed} == {"healthy"}
    first = get(running, "/providers")["data"][0]
    assert first == {
        "object": "provider",
        "name": "a",
        "dialect": "openai-chat",
        "origin": vendor.upstream.origin,
        "configured": True,
        "models": ["org/alone", "pair"],
        "backends": {"org/alone@a": "healthy", "pair@a": "healthy"},
        "open_circuits": 0,
        "in_flight": 0,
    }


class Told:
    """The samples of one scrape. `told(name, **labels)` is the value of the only one with these labels."""

    def __init__(self, running: Gateway, accept: str = "") -> None:
        with Caller(running) as caller:
            answered = caller.get("/metrics", {"accept": accept})
        assert answered.status == 200
        self.content_type = answered.headers["content-type"]
        self.samples = [
            sample
            for family in text_string_to_metric_families(answered.body.decode())
            for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float:
        (found,) = [
            sample.value
            for sample in self.samples
            if sample.name == f"pointsman_{name}" and labels.items() <= sample.labels.items()
        ]
        return float(found)


def test_metrics_tell_what_happened(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    for _ in range(3):
        ask(running)
    vendor.answers["a"] = REFUSED
    ask(running)
    wait_until(lambda: len(running.booked) == 4)
    told = Told(running)

    assert told.content_type.startswith("text/plain; version=0.0.4")
    assert told("requests_total", model="org/alone", provider="a", outcome="complete", fault="none") == 3
    assert told("requests_total", model="none", dialect="openai-chat", outcome="failed", fault="auth") == 1
    assert told("attempts_total", model="org/alone", fault="auth") == 1
    assert told("backend_requests_total", backend="org/alone@a") == 4
    assert told("backend_failures_total", backend="org/alone@a", fault="auth") == 1
    assert told("backend_circuit", backend="org/alone@a", state="open") == 1
    assert told("backend_circuit", backend="org/alone@a", state="closed") == 0
    assert told("backend_status", backend="org/alone@a", status="down") == 1
    assert told("backend_in_flight", backend="pair@a", region="eu") == 0
    assert told("request_duration_seconds_count", model="org/alone") == 3
    assert told("request_duration_seconds_bucket", model="org/alone", le="+Inf") == 3
    assert told("first_byte_seconds_count", model="org/alone") == 3
    usage = [entry.usage for entry, _ in running.booked if entry.usage is not None]
    read, written = (sum(getattr(one, kind) for one in usage) for kind in ("input_tokens", "output_tokens"))
    assert told("tokens_total", model="org/alone", kind="input") == read > 0
    assert told("tokens_total", model="org/alone", kind="output") == written > 0
    assert told("cost_usd_total", model="org/alone") == pytest.approx((read + 2 * written) / 1e6)
    assert told("in_flight") == 0


def test_metrics_come_as_openmetrics_where_that_is_asked_for(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    with Caller(running) as caller:
        answered = caller.get("/metrics", {"accept": "application/openmetrics-text; version=1.0.0"})

    assert answered.headers["content-type"].startswith("application/openmetrics-text")
    assert answered.body.endswith(b"# EOF\n")


def test_metrics_hold_nothing_that_callers_wrote(guarded: GatewayFactory, vendor: Vendor) -> None:
    running = guarded(yaml_for(vendor), **KEYS)
    ask(running, "made-up-by-a-caller")
    wait_until(lambda: len(running.booked) == 1)
    with Caller(running) as caller:
        assert b"made-up" not in caller.get("/metrics").body


def test_a_probe_lets_an_open_backend_be_tried_before_its_time(
    guarded: GatewayFactory, vendor: Vendor
) -> None:
    yaml = yaml_for(vendor, open_s=600).replace(
        "api_key: $A", "api_key: $A, probe: {path: /models, every_s: 1}"
    )
    vendor.answers["a"] = BROKEN
    running = guarded(yaml, **KEYS)
    for _ in range(3):
        ask(running)
    assert ask(running).status == 503
    vendor.answers["a"] = GOOD
    wait_until(lambda: shown(running, "org/alone@a")["circuit"] == "half_open")

    assert ask(running).status == 200
    probes = [received for received in vendor.upstream.requests if received.method == "GET"]
    assert {(received.path, received.header("authorization")) for received in probes} == {
        ("/v1/models", "Bearer key-of-account-a")
    }
