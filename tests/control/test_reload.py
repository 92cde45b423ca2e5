"""The configuration changes while the gateway runs: nobody who is being answered notices, and a broken one changes
nothing."""

import http.client
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from operators import ADMIN, Operator, Told

from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_stream, completion
from waiting import wait_until

Operated = Callable[..., Operator]

YAML = """
reload: {{watch: {watch}, poll_s: 0.05}}
providers:
  local: {{dialect: openai-chat, base_url: "{url}"}}
models:
"""
KEPT, GOES, COMES = (
    "  kept: {provider: local, tier: simple}\n",
    "  goes: {provider: local, tier: complex}\n",
    "  comes: {provider: local, tier: medium}\n",
)


def yaml(upstream: FakeUpstream, *models: str, watch: bool = False) -> str:
    return YAML.format(url=upstream.base_url, watch=str(watch).lower()) + "".join(models)


def answer(request: Received) -> Scripted:
    if request.json().get("stream"):
        return scripted(sse=chat_stream("Hel", "lo"))
    return scripted(json=completion())


def test_reload_takes_effect_on_the_next_request(operated: Operated, upstream: FakeUpstream) -> None:
    upstream.answer_with(answer)
    operator = operated(yaml(upstream, KEPT, GOES))
    assert operator.chat("goes").status == 200

    told = operator.reload(yaml(upstream, KEPT, COMES))

    assert told.status == 200
    assert told.body["status"] == "reloaded"
    assert (told.body["added_models"], told.body["removed_models"]) == (["comes"], ["goes"])
    assert told.body["models_by_tier"] == {"simple": ["kept"], "medium": ["comes"]}
    assert operator.models() == {"kept", "comes"}
    assert operator.chat("goes").status == 404
    assert operator.chat("comes").status == 200


def test_model_set_otherwise_is_told_as_changed(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT, GOES))

    told = operator.reload(yaml(upstream, KEPT, GOES.replace("complex", "medium")))

    assert (told.body["changed_models"], told.body["added_models"]) == (["goes"], [])


def test_reload_needs_the_admin_key(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT))
    operator.write(yaml(upstream, KEPT, COMES))

    for path in ("/admin/reload", "/config/reload"):
        assert operator.ask("POST", path, key="wrong").status == 401
        assert operator.ask("POST", path, key=None).status == 401
    assert operator.models() == {"kept"}
    assert operator.ask("POST", "/config/reload").status == 200
    assert operator.models() == {"kept", "comes"}


def test_keys_of_a_new_configuration_hold_at_once(operated: Operated, upstream: FakeUpstream) -> None:
    upstream.answer_with(answer)
    operator = operated(yaml(upstream, KEPT), GATE="the-new-gateway-key", NEXT="the-next-admin-key")

    assert operator.reload(yaml(upstream, KEPT) + "server: {master_key: $GATE}\n").status == 200

    assert operator.chat("kept").status == 401
    assert operator.ask("GET", "/v1/models", key="the-new-gateway-key").status == 200


def test_broken_file_changes_nothing_and_tells_every_problem(
    operated: Operated, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.answer_with(answer)
    operator = operated(yaml(upstream, KEPT))
    broken = yaml(upstream, "  a: {provider: lokal}\n", "  b: {provider: local, tier: huge}\n")

    with caplog.at_level(logging.ERROR):
        told = operator.reload(broken)

    assert told.status == 422
    error = told.body["error"]
    assert error["code"] == "invalid_configuration"
    assert {problem["path"] for problem in error["problems"]} == {"models.a.provider", "models.b.tier"}
    assert {problem["line"] for problem in error["problems"]} == {6, 7}
    assert "models.a.provider" in caplog.text
    assert "models.b.tier" in caplog.text
    assert operator.chat("kept").status == 200
    status = operator.ask("GET", "/admin/reload").body
    assert len(status["last_error"]["problems"]) == 2
    assert status["reloads"] == 0
    operator.reload(yaml(upstream, KEPT))
    assert operator.ask("GET", "/admin/reload").body["last_error"] is None


@pytest.mark.parametrize("text", ["models: [", "", "\t", "providers: 5"])
def test_file_that_is_no_configuration_changes_nothing(
    operated: Operated, upstream: FakeUpstream, text: str
) -> None:
    operator = operated(yaml(upstream, KEPT))

    assert operator.reload(text).status == 422
    assert operator.models() == {"kept"}


def test_file_that_is_gone_changes_nothing(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT))
    operator.gateway.file.unlink()

    told = operator.reload()

    assert told.status == 422
    assert "not there" in told.body["error"]["message"]
    assert operator.models() == {"kept"}


def test_secret_of_a_broken_file_is_told_to_nobody(
    operated: Operated, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    operator = operated(yaml(upstream, KEPT))

    told = operator.reload(yaml(upstream, KEPT) + "server: {admin_key: sk-secret-in-the-file}\n")

    assert told.status == 422
    assert "sk-secret-in-the-file" not in json.dumps(told.body) + caplog.text


def test_what_waits_for_a_restart_is_named(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT))

    told = operator.reload(yaml(upstream, KEPT) + "server: {host: 127.0.0.2}\nledger: {path: other.db}\n")

    waiting = {one["setting"]: (one["running"], one["configured"]) for one in told.body["needs_restart"]}
    assert waiting["server.host"] == ("'127.0.0.1'", "'127.0.0.2'")
    assert waiting.keys() == {"server.host", "ledger.path"}
    assert len(operator.ask("GET", "/admin/reload").body["needs_restart"]) == 2


def test_changed_file_is_taken_over_by_itself(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT, watch=True))
    operator.write(yaml(upstream, KEPT, COMES, watch=True))

    wait_until(lambda: operator.models() == {"kept", "comes"})

    status = operator.ask("GET", "/admin/reload").body
    assert status["last_reload"]["trigger"] == "pointsman.yaml changed"
    assert status["watched_files"] == [str(operator.gateway.file)]


def test_changed_file_that_is_broken_is_left_and_mended(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT, watch=True))
    operator.write("models: [")
    wait_until(lambda: operator.ask("GET", "/admin/reload").body["last_error"] is not None)
    assert operator.models() == {"kept"}

    operator.write(yaml(upstream, COMES, watch=True))

    wait_until(lambda: operator.models() == {"comes"})


def test_watching_can_be_switched_off_and_on(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT, watch=True))
    operator.write(yaml(upstream, KEPT, watch=False))
    wait_until(lambda: operator.ask("GET", "/admin/reload").body["watched_files"] == [])

    operator.reload(yaml(upstream, KEPT, GOES, watch=True))
    operator.write(yaml(upstream, COMES, watch=True))

    wait_until(lambda: operator.models() == {"comes"})


def test_connections_to_an_unchanged_provider_are_kept(operated: Operated, upstream: FakeUpstream) -> None:
    upstream.answer_with(answer)
    operator = operated(yaml(upstream, KEPT))
    for _ in range(3):
        assert operator.chat("kept").status == 200
        assert operator.reload(yaml(upstream, KEPT, COMES)).status == 200

    assert operator.chat("comes").status == 200
    assert upstream.connections_opened == 1


def test_conversation_goes_on_behind_a_reload(operated: Operated, upstream: FakeUpstream) -> None:
    upstream.answer_with(answer)
    operator = operated(yaml(upstream, KEPT))
    first = operator.ask("POST", "/v1/responses", {"model": "kept", "input": "Hello"}).body

    operator.reload(yaml(upstream, KEPT, COMES))
    body = {"model": "comes", "input": "And?", "previous_response_id": first["id"]}
    second = operator.ask("POST", "/v1/responses", body)

    assert second.status == 200
    assert len(upstream.requests[-1].json()["messages"]) == 3
    assert operator.ask("GET", f"/v1/responses/{first['id']}").status == 200


def test_limits_go_on_counting_behind_a_reload(operated: Operated, upstream: FakeUpstream) -> None:
    """One request may be under way and none may wait: the one that began before the reload still counts."""
    one = "limits: {in_flight: 1, queue: 0}\n"
    upstream.answer(sse=chat_stream("Hel"), ending="stall")
    operator = operated(yaml(upstream, KEPT) + one)
    stream = http.client.HTTPConnection(*operator.gateway.address, timeout=60)
    body = {"model": "kept", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    stream.request("POST", "/v1/chat/completions", json.dumps(body))
    assert stream.getresponse().read(10)
    upstream.answer_with(answer)

    assert operator.reload(yaml(upstream, KEPT, COMES) + one).status == 200
    assert operator.chat("kept").status == 503
    assert operator.reload(yaml(upstream, KEPT, COMES)).status == 200
    assert operator.chat("kept").status == 200
    stream.close()


def test_model_that_goes_while_it_streams_streams_to_its_end(
    operated: Operated, upstream: FakeUpstream
) -> None:
    go_on = threading.Event()
    pieces = chat_stream("one ", "two ", "three")

    def slowly(request: Received) -> Scripted:
        return scripted(sse=pieces, pause_s=0.05)

    upstream.answer_with(slowly)
    operator = operated(yaml(upstream, KEPT, GOES))
    read: list[bytes] = []

    def caller() -> None:
        connection = http.client.HTTPConnection(*operator.gateway.address, timeout=60)
        body = {"model": "goes", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        response = connection.getresponse()
        read.append(response.read(20))
        go_on.set()
        read.append(response.read())
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(caller)
        assert go_on.wait(20)
        assert operator.reload(yaml(upstream, KEPT)).status == 200
        assert operator.chat("goes").status == 404
        calling.result(60)

    text = b"".join(read).decode()
    assert "three" in text
    assert text.endswith("data: [DONE]\n\n")


def test_reloads_under_load_fail_no_request(operated: Operated, upstream: FakeUpstream) -> None:
    """Some hundred requests over kept connections, every second one a stream, while the configuration changes again
    and again."""
    upstream.answer_with(answer)
    both = [yaml(upstream, KEPT, GOES), yaml(upstream, KEPT, COMES) + "server: {keepalive_after_s: 2}\n"]
    operator = operated(both[0])
    is_over = threading.Event()

    def calls(number: int) -> list[Told | bytes]:
        found: list[Told | bytes] = []
        connection = http.client.HTTPConnection(*operator.gateway.address, timeout=60)
        while not is_over.is_set() or len(found) < 50:
            stream = len(found) % 2 == number % 2
            body = {
                "model": ("kept", "auto")[number % 2],
                "messages": [{"role": "user", "content": "Hello"}],
                "stream": stream,
            }
            connection.request("POST", "/v1/chat/completions", json.dumps(body))
            response = connection.getresponse()
            data = response.read()
            found.append(
                data if stream and response.status == 200 else Told(response.status, json.loads(data))
            )
        connection.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        calling = [pool.submit(calls, number) for number in range(8)]
        reloads = [operator.reload(both[(count + 1) % 2]) for count in range(6)]
        is_over.set()
        found = [one for call in calling for one in call.result(300)]

    assert {told.status for told in reloads} == {200}
    assert len(found) >= 400
    for one in found:
        if isinstance(one, bytes):
            assert one.endswith(b"data: [DONE]\n\n")
        else:
            assert one.status == 200, one.body
            assert one.body["choices"][0]["message"]["content"] == "Hello"


def test_master_key_only_may_look_but_not_change(operated: Operated, upstream: FakeUpstream) -> None:
    operator = operated(yaml(upstream, KEPT), POINTSMAN_MASTER_KEY="the-master-key-here")

    assert operator.ask("GET", "/admin/reload", key="the-master-key-here").status == 200
    assert operator.ask("GET", "/admin/reload", key=ADMIN).status == 200
    assert operator.ask("GET", "/admin/reload", key="wrong").status == 401
    assert operator.ask("POST", "/admin/reload", key="the-master-key-here").status == 403
