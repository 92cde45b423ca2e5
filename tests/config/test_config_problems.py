"""What is wrong is said: where, what stands there, what was expected, and all of it at once."""

import pytest

from pointsman.core.errors import ConfigError

RIGHT = """\
providers:
  local:
    dialect: openai-chat
    base_url: http://127.0.0.1:9001/v1
models:
  tiny:
    provider: local
    tier: simple
"""


def in_provider(line: str) -> str:
    return RIGHT.replace("    dialect: openai-chat\n", f"    dialect: openai-chat\n    {line}\n")


def in_model(line: str) -> str:
    return RIGHT + f"    {line}\n"


def with_(text: str) -> str:
    return RIGHT + text + "\n"


PROBLEMS = {
    "unknown key at the top": (with_("sever: {}"), "sever", 9, "server", "not a known key"),
    "unknown key in a section": (with_("server: {prot: 1}"), "server.prot", 9, "port", "not a known key"),
    "unknown key of a model": (in_model("teir: simple"), "models.tiny.teir", 9, "tier", "not a known key"),
    "number as text": (with_("server: {port: '4000'}"), "server.port", 9, None, "a whole number"),
    "broken number": (with_("server: {port: 1.5}"), "server.port", 9, None, "a whole number"),
    "true is no number": (with_("server: {port: true}"), "server.port", 9, None, "a whole number"),
    "port too high": (with_("server: {port: 65536}"), "server.port", 9, None, "at most 65535"),
    "host with a port": (with_("server: {host: 'localhost:1/x'}"), "server.host", 9, None, "a host name"),
    "text as number": (in_model("id: 5"), "models.tiny.id", 9, None, "text"),
    "yes is not true": (
        in_provider("pass_through_caller_key: yes"),
        "providers.local.pass_through_caller_key",
        4,
        None,
        "true or false",
    ),
    "word not in the list": (
        with_("unknown_model: rejct"),
        "unknown_model",
        9,
        "reject",
        "one of reject, route",
    ),
    "profile": (in_provider("profile: groc"), "providers.local.profile", 4, "groq", "one of alibaba, azure"),
    "own address": (
        "providers:\n  azure: {api_key: $K}\nmodels:\n  tiny: {provider: azure}\n",
        "providers.azure.base_url",
        2,
        None,
        "your own address, such as https://RESOURCE.openai.azure.com",
    ),
    "ability": (in_model("abilities: [tool]"), "models.tiny.abilities.0", 9, "tools", "one of tools"),
    "abilities as text": (in_model("abilities: tools"), "models.tiny.abilities", 9, None, "a list"),
    "section as value": (with_("server: 5"), "server", 9, None, "keys with values"),
    "list as section": (with_("tiers: {a: b}"), "tiers", 9, None, "a section of its own a list"),
    "text as list": (in_model("id: [x]"), "models.tiny.id", 9, None, "a list text"),
    "endless text": (with_(f"unknown_model: {'x' * 500}"), "unknown_model", 9, None, "xxx..."),
    "no requests at once": (with_("limits: {in_flight: 0}"), "limits.in_flight", 9, None, "at least 1"),
    "queue before nothing": (
        in_provider("limits: {queue: 5}"),
        "providers.local.limits",
        4,
        None,
        "in_flight: how many requests it may get at once",
    ),
    "queue before a model": (
        in_model("limits: {queue_timeout_s: 5}"),
        "models.tiny.limits",
        9,
        None,
        "in_flight: how many requests it may get at once",
    ),
    "ledger as value": (with_("ledger: 5"), "ledger", 9, None, "keys with values"),
    "ledger path as number": (with_("ledger: {path: 5}"), "ledger.path", 9, None, "text"),
    "empty ledger path": (with_("ledger: {path: ''}"), "ledger.path", 9, None, "some text"),
    "price as truth": (
        in_model("usd_per_million_input: true\n    usd_per_million_output: 1"),
        "models.tiny.usd_per_million_input",
        9,
        None,
        "a number",
    ),
    "literal key of a known provider": (
        RIGHT.replace("local", "openai")
        .replace("    dialect: openai-chat\n", "    api_key: abcdef\n")
        .replace("    base_url: http://127.0.0.1:9001/v1\n", ""),
        "providers.openai.api_key",
        3,
        None,
        "$OPENAI_API_KEY",
    ),
    "whole number too long": (
        in_model("context_tokens: " + "9" * 5000),
        "models.tiny.context_tokens",
        9,
        None,
        "a whole number",
    ),
    "section as list": (with_("server: [1]"), "server", 9, None, "keys with values"),
    "deadline": (
        in_provider("deadlines: {connect_s: 0}"),
        "providers.local.deadlines.connect_s",
        4,
        None,
        "more than 0",
    ),
    "deadline in words": (
        in_provider("deadlines: {connect_s: soon}"),
        "providers.local.deadlines.connect_s",
        4,
        None,
        "a number",
    ),
    "infinite deadline": (
        in_provider("deadlines: {idle_s: .inf}"),
        "providers.local.deadlines.idle_s",
        4,
        None,
        "a number",
    ),
    "provider name": (
        RIGHT.replace("local", "lo cal"),
        "providers.lo cal",
        2,
        None,
        "letters, digits, dots, dashes",
    ),
    "model name": (with_("").replace("  tiny:", "  ti ny:"), "models.ti ny", 6, None, "without spaces"),
    "provider that does not exist": (
        RIGHT.replace("provider: local", "provider: locl"),
        "models.tiny.provider",
        7,
        "local",
        "one of the providers: local",
    ),
    "model without provider": (with_("  more: {tier: simple}"), "models.more.provider", 9, None, "required"),
    "backend at no provider": (
        with_("  more: {backends: [{provider: local}, {provider: lokal}]}"),
        "models.more.backends.1.provider",
        9,
        "local",
        "one of the providers: local",
    ),
    "backend without provider": (
        with_("  more: {backends: [{id: x}]}"),
        "models.more.backends.0.provider",
        9,
        None,
        "required",
    ),
    "backends beside a provider": (
        with_("  more: {provider: local, backends: [{provider: local, id: x}]}"),
        "models.more.backends",
        9,
        None,
        "one of the two",
    ),
    "no backends": (
        with_("  more: {backends: []}"),
        "models.more.backends",
        9,
        None,
        "at least one place",
    ),
    "the same backend twice": (
        with_("  more: {backends: [{provider: local}, {provider: local, id: more}]}"),
        "models.more.backends.1",
        9,
        None,
        "each place once",
    ),
    "half a price of a backend": (
        with_("  more: {backends: [{provider: local, usd_per_million_output: 1}]}"),
        "models.more.backends.0.usd_per_million_input",
        9,
        None,
        "both or neither",
    ),
    "weight below nothing": (
        with_("  more: {backends: [{provider: local, weight: -1}]}"),
        "models.more.backends.0.weight",
        9,
        None,
        "at least 0",
    ),
    "probe of no path": (
        in_provider("probe: {path: models}"),
        "providers.local.probe.path",
        4,
        None,
        "a path",
    ),
    "probe without a rest": (
        in_provider("probe: {every_s: 0.1}"),
        "providers.local.probe.every_s",
        4,
        None,
        "at least 1",
    ),
    "breaker that opens at nothing": (
        with_("breaker: {consecutive_failures: 0}"),
        "breaker.consecutive_failures",
        9,
        None,
        "at least 1",
    ),
    "tier that does not exist": (
        RIGHT.replace("tier: simple", "tier: simpel"),
        "models.tiny.tier",
        8,
        "simple",
        "one of the tiers",
    ),
    "tier twice": (with_("tiers: [simple, simple]"), "tiers.1", 9, None, "each tier once"),
    "no tiers": (with_("tiers: []"), "tiers", 9, None, "at least one entry"),
    "negative price": (
        in_model("usd_per_million_input: -0.1\n    usd_per_million_output: 1"),
        "models.tiny.usd_per_million_input",
        9,
        None,
        "at least 0",
    ),
    "price per token instead of per million": (
        in_model("usd_per_million_input: 1\n    usd_per_million_output: 100000"),
        "models.tiny.usd_per_million_output",
        10,
        None,
        "less than 100000",
    ),
    "price in words": (
        in_model("usd_per_million_input: cheap\n    usd_per_million_output: 1"),
        "models.tiny.usd_per_million_input",
        9,
        None,
        "a number",
    ),
    "half a price": (
        in_model("usd_per_million_input: 1"),
        "models.tiny.usd_per_million_output",
        6,
        None,
        "both or neither",
    ),
    "alias to nothing": (with_("aliases: {gpt: tyny}"), "aliases.gpt", 9, "tiny", "a model or a profile"),
    "alias that hides a model": (
        with_("aliases: {tiny: auto}"),
        "aliases.tiny",
        9,
        None,
        "a name of its own",
    ),
    "alias that hides a profile": (
        with_("aliases: {Auto: tiny}"),
        "aliases.Auto",
        9,
        None,
        "a name of its own",
    ),
    "model named like a profile": (
        with_("  eco: {provider: local}"),
        "models.eco",
        9,
        None,
        "name of its own",
    ),
    "baseline that does not exist": (
        with_("baseline_model: tny"),
        "baseline_model",
        9,
        "tiny",
        "one of the models",
    ),
    "boundaries too few": (with_("routing: {boundaries: [0.5]}"), "routing.boundaries", 9, None, "one less"),
    "boundaries falling": (
        with_("routing: {boundaries: [0.5, 0.4, 0.6]}"),
        "routing.boundaries.1",
        9,
        None,
        "no less than",
    ),
    "boundary out of range": (
        with_("routing: {boundaries: [0.5, 0.6, 1.5]}"),
        "routing.boundaries.2",
        9,
        None,
        "from 0 to 1",
    ),
    "weight of no signal": (
        with_("routing: {weights: {cod: 0.1}}"),
        "routing.weights.cod",
        9,
        "code",
        "a signal",
    ),
    "weight in words": (
        with_("routing: {weights: {code: much}}"),
        "routing.weights.code",
        9,
        None,
        "a number",
    ),
    "provider without a model": (
        with_("").replace("models:", "  ollama: {}\nmodels:"),
        "providers.ollama",
        5,
        None,
        "a model that it serves",
    ),
    "compatible address of Ollama": (
        with_("").replace("openai-chat", "ollama"),
        "providers.local.base_url",
        4,
        None,
        "Ollama's address without /v1",
    ),
    "provider nobody knows": (
        RIGHT.replace(
            "  local:\n    dialect: openai-chat\n    base_url: http://127.0.0.1:9001/v1", "  opnai: {}"
        ).replace("local", "opnai"),
        "providers.opnai",
        2,
        "openai",
        "dialect and base_url, or one of",
    ),
    "provider without address": (
        RIGHT.replace("    base_url: http://127.0.0.1:9001/v1\n", ""),
        "providers.local",
        2,
        None,
        "base_url, or one of",
    ),
    "dialect": (
        RIGHT.replace("openai-chat", "openai"),
        "providers.local.dialect",
        3,
        "openai-chat",
        "one of openai-chat, openai-responses, anthropic-messages, gemini, ollama",
    ),
    "known provider without key": (
        RIGHT.replace("  local:", "  openai:")
        .replace("    dialect: openai-chat\n    base_url: http://127.0.0.1:9001/v1\n", "")
        .replace("local", "openai"),
        "providers.openai.api_key",
        2,
        None,
        "set $OPENAI_API_KEY",
    ),
    "key where none is sent": (
        in_provider("credential_header: none\n    api_key: $K"),
        "providers.local.api_key",
        5,
        None,
        "no key where none is sent",
    ),
    "key with a space": (
        in_provider("api_key: $SPACED"),
        "providers.local.api_key",
        4,
        None,
        "visible ASCII",
    ),
    "callers' keys of an unknown kind": (
        in_provider("pass_through_caller_key: true"),
        "providers.local.caller_key_prefixes",
        2,
        None,
        "what this provider's keys begin with",
    ),
    "prefixes nobody reads": (
        in_provider("caller_key_prefixes: [sk-]"),
        "providers.local.caller_key_prefixes",
        4,
        None,
        "pass_through_caller_key",
    ),
    "stream usage nobody reads": (
        in_provider("include_stream_usage: true").replace("openai-chat", "anthropic-messages"),
        "providers.local.include_stream_usage",
        4,
        None,
        "openai-chat",
    ),
    "header of ours": (
        in_provider("headers: {Content-Length: '5'}"),
        "providers.local.headers.Content-Length",
        4,
        None,
        "another header",
    ),
    "header name": (
        in_provider("headers: {a b: c}"),
        "providers.local.headers.a b",
        4,
        None,
        "letters, digits",
    ),
    "header that splits": (
        in_provider('headers: {x-a: "b\\r\\nc: d"}'),
        "providers.local.headers.x-a",
        4,
        None,
        "on one line",
    ),
    "secret header in the open": (
        in_provider("headers: {Authorization: Bearer abcdef}"),
        "providers.local.headers.Authorization",
        4,
        None,
        "Bearer $NAME",
    ),
    "origin": (with_("server: {cors_origins: [example.org]}"), "server.cors_origins.0", 9, None, "https://"),
    "open to others without a key": (
        with_("server: {host: 0.0.0.0}"),
        "server.host",
        9,
        None,
        "export POINTSMAN_MASTER_KEY=",
    ),
    "open by name": (
        with_("server: {host: gateway.example.org}"),
        "server.host",
        9,
        None,
        "POINTSMAN_MASTER_KEY",
    ),
    "missing variable": (
        in_provider("api_key: $NOT_SET"),
        "providers.local.api_key",
        4,
        None,
        "NOT_SET to hold",
    ),
    "empty variable": (in_provider("api_key: $EMPTY"), "providers.local.api_key", 4, None, "EMPTY to hold"),
    "literal key": (in_provider("api_key: abcdef"), "providers.local.api_key", 4, None, "$LOCAL_API_KEY"),
    "literal key as number": (in_provider("api_key: 12345"), "providers.local.api_key", 4, None, "reference"),
    "key within text": (in_provider("api_key: a$EMPTY"), "providers.local.api_key", 4, None, "reference"),
    "literal master key": (
        with_("server: {master_key: abcdef}"),
        "server.master_key",
        9,
        None,
        "$POINTSMAN_MASTER_KEY",
    ),
    "reference where none may stand": (in_model("id: $NAME"), "models.tiny.id", 9, None, "a plain value"),
    "key twice": (with_("tiers: [simple]\ntiers: [simple]"), "tiers", 10, None, "each key once"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_problem_names_place_line_and_what_is_expected(name, problems_of):
    text, path, line, nearest, expected = PROBLEMS[name]

    (problem,) = problems_of(text, EMPTY="", SPACED="a b", K="k")

    assert problem.path == path
    assert problem.line == line
    assert problem.nearest == nearest
    assert expected in f"{problem.value} {problem.expected}"
    assert str(problem).startswith(f"{path} (line {line}):")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "127.0.0.1:9001/v1",
        "/v1",
        "http://",
        "http://host:99999/v1",
        "http://host:port/v1",
        "http://[::1/v1",
        "http://host/v1?key=1",
        "http://host/v1#x",
        "http://user:word@host/v1",
        "http://ho st/v1",
        "http://hôte/v1",
    ],
)
def test_base_url_that_is_not_a_plain_http_address_is_a_problem(url, problems_of):
    (problem,) = problems_of(RIGHT.replace("http://127.0.0.1:9001/v1", f'"{url}"'))
    assert (problem.path, problem.line) == ("providers.local.base_url", 4)
    assert "word" not in str(problem)


def test_all_problems_are_listed_at_once_in_the_order_of_the_file(problems_of):
    found = problems_of(
        """\
server:
  port: many
  prot: 1
providers:
  local:
    dialect: openai
    base_url: http://127.0.0.1:9001/v1
    api_key: literal
  unused: {dialect: openai-chat, base_url: "http://127.0.0.1:1"}
models:
  tiny:
    provider: local
    tier: simpel
    abilities: [tools, fly]
  other:
    provider: nobody
aliases:
  x: nothing
""",
    )
    assert [problem.path for problem in found] == [
        "server.port",
        "server.prot",
        "providers.local.dialect",
        "providers.local.api_key",
        "providers.unused",
        "models.tiny.tier",
        "models.tiny.abilities.1",
        "models.other.provider",
        "aliases.x",
    ]


def test_one_mistake_is_told_once(problems_of):
    """A model that cannot be read still uses its provider and is still the target of an alias."""
    text = RIGHT + "    context_tokens: lots\naliases: {small: tiny}\nbaseline_model: tiny\n"
    (problem,) = problems_of(text)
    assert problem.path == "models.tiny.context_tokens"


def test_a_model_without_a_provider_is_still_the_target_of_an_alias(problems_of):
    text = RIGHT + "  other: {tier: simple}\naliases: {small: other}\nbaseline_model: other\n"
    (problem,) = problems_of(text)
    assert problem.path == "models.other.provider"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "providers"),
        ("providers: {}\nmodels: {}\n", "providers"),
        ("server: {port: 1}\n", "models"),
        ("providers:\nmodels:\n", "providers"),
        ("models: 5\nproviders: [1]\n", "models"),
    ],
)
def test_a_file_without_models_is_a_problem(text, path, problems_of):
    assert path in {problem.path for problem in problems_of(text)}


def test_secrets_are_in_no_message(problems_of):
    text = (
        in_provider(
            'api_key: sk-very-secret\n    headers: {Authorization: Bearer very-secret, x-a: "a\\nvery-secret"}'
        )
        + "server: {master_key: [very-secret]}\n"
    )
    found = problems_of(text)
    assert len(found) == 4
    assert "very-secret" not in str(ConfigError(found))


def test_a_secret_from_the_environment_is_in_no_message(problems_of):
    found = problems_of(in_provider("api_key: $K"), K="very secret", POINTSMAN_MASTER_KEY="also secret")
    assert len(found) == 2
    assert "secret" not in str(ConfigError(found)).replace("secrets", "")


def test_a_flag_over_a_broken_section_leaves_the_section_to_be_told_of(problems_of):
    (problem,) = problems_of(with_("server: [1]"), {"port": 5})
    assert problem.path == "server"
