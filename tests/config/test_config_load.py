from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.config.cards import cards_of
from pointsman.config.load import load
from pointsman.config.loaded import Origin
from pointsman.config.values import providers_of
from pointsman.core.errors import ConfigError

DEMO = """\
providers:
  demo:
models:
  demo-simple: {provider: demo, tier: simple}
"""
ROOT = Path(__file__).resolve().parents[2]


def test_documented_file_loads_as_it_stands(documented_yaml, load_text):
    loaded = load_text(documented_yaml, ANTHROPIC_API_KEY="sk-ant-1")
    tiny, opus = cards_of(loaded.settings)
    providers = providers_of(loaded.settings)

    assert (tiny.id, tiny.tier, tiny.context_tokens, tiny.abilities) == ("tiny-1", "simple", 32000, {"tools"})
    assert tiny.price is not None
    assert tiny.price.rates.usd_per_million_input == Decimal("0.10")
    assert tiny.price.source == "config"
    assert (opus.id, opus.tier) == ("claude-opus-4-6", "complex")
    assert opus.price is not None
    assert opus.price.rates.usd_per_million_output == Decimal(25)
    assert opus.context_tokens == 1_000_000
    assert providers["anthropic"].dialect == "anthropic-messages"
    assert providers["anthropic"].base_url == "https://api.anthropic.com/v1"
    assert providers["anthropic"].credential_header == "x-api-key"
    assert providers["anthropic"].api_key == "sk-ant-1"
    assert providers["local"].base_url == "http://127.0.0.1:9001/v1"
    assert providers["local"].api_key is None
    assert loaded.settings.tiers == ("simple", "medium", "complex", "reasoning")
    assert loaded.warnings == ()


@pytest.mark.parametrize("document", ["README.md", "docs/configuration.md"])
def test_documents_show_a_file_that_loads(document, load_text):
    blocks = (ROOT / document).read_text("utf-8").split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        load_text(block.partition("```")[0], ANTHROPIC_API_KEY="sk-ant-1")


def test_flag_beats_environment_beats_file_beats_default(load_text):
    text = "server: {port: 1111, host: 127.0.0.2}\n" + DEMO
    loaded = load_text(text, {"port": 3333, "host": None}, POINTSMAN_PORT="2222", POINTSMAN_LOG_LEVEL="DEBUG")
    server = loaded.settings.server

    assert (server.port, server.host, server.log_level, server.max_body_bytes) == (
        3333,
        "127.0.0.2",
        "debug",
        64 * 1024 * 1024,
    )
    assert loaded.origin("server.port") == Origin("flag", "--port")
    assert loaded.origin("server.host") == Origin("file", "line 1")
    assert loaded.origin("server.log_level") == Origin("environment", "POINTSMAN_LOG_LEVEL")
    assert loaded.origin("server.max_body_bytes") == Origin("default")
    assert str(loaded.origin("server.port")) == "flag (--port)"


def test_environment_is_read_where_no_flag_is_given(load_text):
    loaded = load_text(DEMO, {}, POINTSMAN_PORT="2222")
    assert loaded.settings.server.port == 2222


def test_bad_variable_or_flag_is_reported_by_its_own_name(problems_of):
    (problem,) = problems_of(DEMO, POINTSMAN_PORT="many")
    assert (problem.path, problem.value, problem.expected) == ("POINTSMAN_PORT", "'many'", "a whole number")
    (problem,) = problems_of(DEMO, {"port": 70000})
    assert (problem.path, problem.expected) == ("--port", "at most 65535")
    (problem,) = problems_of(DEMO, {"log_level": "loud"})
    assert problem.path == "--log-level"


def test_empty_variable_counts_as_not_given(load_text):
    loaded = load_text(DEMO, POINTSMAN_PORT="")
    assert loaded.settings.server.port == 4000


def test_kubernetes_service_address_is_not_a_port(load_text):
    loaded = load_text(DEMO, POINTSMAN_PORT="tcp://10.0.0.1:4000")
    assert loaded.settings.server.port == 4000
    assert "Kubernetes" in loaded.warnings[0]


def test_misspelt_variable_is_warned_of(load_text):
    loaded = load_text(DEMO, POINTSMAN_PROT="1", POINTSMAN_SERVICE_HOST="10.0.0.1", OTHER="x")
    assert loaded.warnings == ("POINTSMAN_PROT is not read; did you mean POINTSMAN_PORT?",)


def test_references_are_replaced_where_they_may_stand(load_text):
    loaded = load_text(
        """\
server: {master_key: "${GATE}"}
providers:
  mine:
    dialect: openai-chat
    base_url: https://$HOST_NAME/v1/
    api_key: $MINE
    headers: {Authorization: Bearer $TOKEN, X-Plain: costs $$5}
models:
  m: {provider: mine}
""",
        GATE="gate-key-gate-key",
        HOST_NAME="example.org",
        MINE="  mine-key\n",
        TOKEN="t0ken",
    )
    provider = providers_of(loaded.settings)["mine"]
    assert provider.base_url == "https://example.org/v1"
    assert provider.api_key == "mine-key"
    assert provider.headers == {"Authorization": "Bearer t0ken", "X-Plain": "costs $5"}
    assert loaded.settings.server.master_key is not None
    assert loaded.settings.server.master_key.get_secret_value() == "gate-key-gate-key"
    assert loaded.origin("providers.mine.api_key") == Origin("file", "line 6, $MINE")


def test_settings_and_providers_do_not_show_secrets(documented_yaml, load_text):
    loaded = load_text(documented_yaml, ANTHROPIC_API_KEY="sk-ant-1", POINTSMAN_MASTER_KEY="m" * 20)
    shown = repr(loaded) + repr(providers_of(loaded.settings))
    assert "sk-ant-1" not in shown
    assert "m" * 20 not in shown


def test_known_provider_finds_its_key(load_text):
    text = "providers:\n  gemini:\nmodels:\n  m: {provider: gemini}\n"
    loaded = load_text(text, GOOGLE_API_KEY="AIza1")
    assert providers_of(loaded.settings)["gemini"].api_key == "AIza1"
    assert loaded.origin("providers.gemini.api_key") == Origin("environment", "$GOOGLE_API_KEY")


@pytest.mark.parametrize(
    "settings",
    ["base_url: http://127.0.0.1:1/v1", "pass_through_caller_key: true", "credential_header: none"],
)
def test_key_is_not_taken_for_another_address_or_for_callers(settings, load_text):
    text = f"providers:\n  openai: {{{settings}}}\nmodels:\n  m: {{provider: openai}}\n"
    loaded = load_text(text, OPENAI_API_KEY="sk-1")
    assert providers_of(loaded.settings)["openai"].api_key is None


def test_short_master_key_is_warned_of(load_text):
    assert "short" in load_text(DEMO, POINTSMAN_MASTER_KEY="short").warnings[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_master_key(host, load_text):
    assert load_text(DEMO, {"host": host}).settings.server.host == host


def test_other_addresses_take_a_master_key(load_text):
    loaded = load_text(DEMO, {"host": "0.0.0.0"}, POINTSMAN_MASTER_KEY="k" * 20)
    assert loaded.settings.server.host == "0.0.0.0"


def test_ledger_path_counts_from_the_file(load_text, tmp_path):
    loaded = load_text(DEMO + "ledger: {path: data/l.db}\n")
    assert loaded.settings.ledger.path == str(tmp_path / "data" / "l.db")


def test_empty_sections_have_their_defaults(load_text):
    settings = load_text(DEMO + "server:\nledger:\nrouting:\n").settings
    assert (settings.server.port, settings.ledger.enabled) == (4000, True)
    assert settings.ledger.path == "/home/somebody/.local/state/pointsman/ledger.db"


def test_a_variable_fills_an_empty_section(load_text):
    assert load_text(DEMO + "server:\n", POINTSMAN_PORT="5").settings.server.port == 5


def test_ledger_is_found_without_the_keys(nothing_there, tmp_path):
    from pointsman.config.files import ledger_path

    path = tmp_path / "c.yaml"
    path.write_text("providers: {openai: {api_key: $NOT_SET}}\nledger: {path: books.db}\n")
    assert ledger_path(path, nothing_there) == tmp_path / "books.db"
    assert ledger_path(None, nothing_there | {"POINTSMAN_STATE_DIR": "/s"}, tmp_path) == Path("/s/ledger.db")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"POINTSMAN_STATE_DIR": "/var/lib/p"}, "/var/lib/p/ledger.db"),
        ({"XDG_STATE_HOME": "/state"}, "/state/pointsman/ledger.db"),
        ({}, "/home/somebody/.local/state/pointsman/ledger.db"),
    ],
)
def test_ledger_has_a_place_by_default(variables, expected, load_text):
    assert load_text(DEMO, **variables).settings.ledger.path == expected


def test_file_is_found_by_argument_variable_or_name(nothing_there, tmp_path):
    named, other = tmp_path / "named.yaml", tmp_path / "other.yaml"
    for number, path in enumerate((named, other, tmp_path / "pointsman.yaml")):
        path.write_text(f"server: {{port: {number + 1}}}\n{DEMO}")
    environ = nothing_there | {"POINTSMAN_CONFIG": str(other)}

    assert load(named, environ, {}, tmp_path).settings.server.port == 1
    assert load(None, environ, {}, tmp_path).settings.server.port == 2
    found = load(None, nothing_there, {}, tmp_path)
    assert found.settings.server.port == 3
    assert found.path == tmp_path / "pointsman.yaml"


def test_a_byte_order_mark_does_no_harm(nothing_there, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + DEMO.encode())
    assert load(path, nothing_there, {}).settings.models


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", "folder"])
def test_a_file_that_cannot_be_read_is_one_problem(nothing_there, content, tmp_path):
    path = tmp_path / "c.yaml"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, nothing_there, {})
    (problem,) = caught.value.problems
    assert problem.path == str(path)


def test_weights_and_boundaries_reach_the_policy(load_text):
    from pointsman.config.values import policy_of

    text = DEMO + "tiers: [simple, hard]\nrouting: {boundaries: [0.6], weights: {code: 0.33}}\n"
    policy = policy_of(load_text(text).settings)
    assert policy.boundaries == (0.6,)
    assert policy.weights["code"] == 0.33
    assert policy.weights["size"] > 0


def test_admin_key_comes_from_the_file_or_the_environment(load_text):
    written = load_text(DEMO + "server: {admin_key: $ADMIN}\n", ADMIN="a" * 20)
    given = load_text(DEMO, POINTSMAN_ADMIN_KEY="b" * 20)

    assert written.settings.server.admin_key.get_secret_value() == "a" * 20
    assert given.settings.server.admin_key.get_secret_value() == "b" * 20
    assert str(given.origin("server.admin_key")) == "environment (POINTSMAN_ADMIN_KEY)"
    assert "short" in load_text(DEMO, POINTSMAN_ADMIN_KEY="short").warnings[0]


def test_admin_key_that_is_the_master_key_is_a_problem(load_text):
    with pytest.raises(
        ConfigError, match=r"POINTSMAN_ADMIN_KEY: is \*+; expected another key than master_key"
    ):
        load_text(DEMO, POINTSMAN_MASTER_KEY="k" * 20, POINTSMAN_ADMIN_KEY="k" * 20)


def test_two_keys_that_are_not_set_are_not_told_to_be_the_same(load_text):
    with pytest.raises(ConfigError) as caught:
        load_text(DEMO + "server: {master_key: $MASTER, admin_key: $ADMIN}\n")

    assert [problem.path for problem in caught.value.problems] == ["server.master_key", "server.admin_key"]


def test_empty_admin_key_is_a_problem(load_text):
    with pytest.raises(ConfigError, match="POINTSMAN_ADMIN_KEY: is set to nothing"):
        load_text(DEMO, POINTSMAN_ADMIN_KEY=" ")


def test_empty_master_key_is_a_problem(tmp_path):
    file = tmp_path / "pointsman.yaml"
    file.write_text("providers: {demo: }\nmodels: {small: {provider: demo, id: demo-simple}}\n")
    with pytest.raises(ConfigError, match="POINTSMAN_MASTER_KEY: is set to nothing"):
        load(file, {"POINTSMAN_MASTER_KEY": " "}, {})


def test_empty_key_in_the_file_opens_no_door_to_others(tmp_path):
    file = tmp_path / "pointsman.yaml"
    file.write_text(
        "server: {host: 0.0.0.0, master_key: }\n"
        "providers: {demo: }\nmodels: {small: {provider: demo, id: demo-simple}}\n"
    )
    with pytest.raises(ConfigError, match="others can reach"):
        load(file, {}, {})
