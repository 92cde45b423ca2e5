"""The lab sees fallbacks that do not work."""

from pathlib import Path

import pytest

from pointsman.config.load import load
from pointsman.lab.faults import FAULTS
from pointsman.lab.trials import COMMON, Heard, Lab, Trial
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said

CONFIG = """
providers:
  one: {dialect: openai-chat, base_url: "https://one.example/v1", api_key: $KEY}
  two: {dialect: gemini, base_url: "https://two.example/v1beta", api_key: $KEY}
models:
  first: {provider: one, id: up-1, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}
  second: {provider: two, id: up-2, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}
"""


async def tried(folder: Path, *faults: str, yaml: str = CONFIG) -> list[Trial]:
    file = folder / "pointsman.yaml"
    file.write_text(yaml)
    settings = load(file, {"KEY": "sk-1", "POINTSMAN_STATE_DIR": str(folder)}, {}).settings
    async with Lab(settings) as lab:
        return [
            trial
            for route in lab.routes()
            for trial in await lab.try_route(route, [FAULTS[name] for name in faults])
        ]


async def test_each_place_of_a_chain_is_tried(tmp_path: Path) -> None:
    trials = await tried(tmp_path, "500")

    routed = [trial for trial in trials if trial.route.name.startswith("auto, ") and trial.stream]
    assert [(trial.failing, trial.wanted, trial.answered, trial.wrong) for trial in routed] == [
        ((), "first", "first", None),
        (("first",), "second", "second", None),
        (("first", "second"), None, None, None),
    ]
    pinned = [trial for trial in trials if trial.route.asked == ("second",) and not trial.stream]
    assert [(trial.failing, trial.wanted, trial.status) for trial in pinned] == [
        ((), "second", 200),
        (("second",), None, 502),
    ]


async def test_a_fallback_that_does_not_answer_is_wrong(tmp_path: Path) -> None:
    """A request that is itself at fault is no reason to ask anybody else: as a fault it shows what a fallback that
    does not work looks like."""
    trials = await tried(tmp_path, "400")
    assert all(trial.fault is None for trial in trials)  # so it is not tried: no fallback should work

    file = tmp_path / "pointsman.yaml"
    settings = load(file, {"KEY": "sk-1", "POINTSMAN_STATE_DIR": str(tmp_path)}, {}).settings
    async with Lab(settings) as lab:
        route = next(route for route in lab.routes() if "auto" in route.asked)
        place = list(lab._places(route))[1]
        trial = await lab._try(route, place, FAULTS["400"], stream=True)

    assert (trial.failing, trial.wanted, trial.path, trial.answered) == (
        ("first",),
        "second",
        ("first",),
        None,
    )
    assert trial.wrong == "the caller was told 400"


async def test_a_broken_answer_is_no_answer(tmp_path: Path) -> None:
    said = Said("up-1", ("up-1", " says"), {})
    opening, content, closing = VOICES["openai-chat"].stream(said)
    heard = Heard()
    heard.start(200, b"")
    for piece in (*opening, *content):
        heard.write(piece)
    heard.finish()

    assert heard.text(stream=True) is None
    for piece in closing:
        heard.write(piece)
    assert heard.text(stream=True) == "up-1 says"


@pytest.mark.parametrize("name", COMMON)
def test_common_faults_strike_before_the_first_word(name: str) -> None:
    assert FAULTS[name].stream == FAULTS[name].plain == "early"


async def test_no_key_reaches_the_labs_provider(tmp_path: Path) -> None:
    """Neither a key nor a header of the configuration, which may hold one."""
    yaml = CONFIG.replace("api_key: $KEY}", "api_key: $KEY, headers: {x-team: $TEAM}}")
    file = tmp_path / "pointsman.yaml"
    file.write_text(yaml)
    environ = {"KEY": "sk-secret-1", "TEAM": "secret-team", "POINTSMAN_STATE_DIR": str(tmp_path)}
    async with Lab(load(file, environ, {}).settings) as lab:
        for route in lab.routes():
            await lab.try_route(route, [FAULTS["500"]])
        sent = [call.received for case in lab.upstream.cases for call in case.calls if call.received]

    assert len(sent) > 10
    for received in sent:
        told = b" ".join(value for _, value in received.headers) + received.query.encode() + received.body
        assert b"secret" not in told


async def test_drafts_and_opinions_are_left_out(tmp_path: Path) -> None:
    """They are calls too, and the path is to show who was asked for the answer."""
    yaml = f"{CONFIG}cascade: {{drafts: {{second: first}}}}\njudge: {{model: first, when: always}}\n"

    trials = await tried(tmp_path, "401", yaml=yaml)

    healthy = {(trial.route.asked[0], trial.path) for trial in trials if not trial.failing}
    assert healthy >= {("first", ("first",)), ("second", ("second",))}
    assert all(len(path) == 1 for _, path in healthy)


async def test_a_chain_that_is_written_down_is_walked_to_its_end(tmp_path: Path) -> None:
    yaml = f"{CONFIG}chains: {{tiers: {{simple: [second, first]}}}}\n"

    trials = await tried(tmp_path, "401", yaml=yaml)

    written = [trial for trial in trials if trial.route.is_written_down and len(trial.route.chain) == 2]
    assert {trial.wrong for trial in written} == {None}
    assert [trial.path for trial in written if trial.stream] == [
        ("second",),
        ("second", "first"),
        ("second", "first"),
    ]


async def test_what_a_ceiling_withholds_is_not_waited_for(tmp_path: Path) -> None:
    yaml = (
        CONFIG
        + """\
  dear: {provider: two, id: up-3, tier: simple, usd_per_million_input: 9, usd_per_million_output: 9}
chains: {tiers: {simple: [first, dear, second]}}
consent: {price_multiple_max: 3}
"""
    )
    trials = await tried(tmp_path, "500", yaml=yaml)
    routed = [trial for trial in trials if "simple" in trial.route.tiers and trial.stream]

    assert [tuple(each) for each in routed[0].route.withheld] == [("dear", "price")]
    assert [(trial.failing, trial.answered, trial.wrong) for trial in routed] == [
        ((), "first", None),
        (("first",), "second", None),
        (("first", "second"), None, None),
    ]


async def test_backends_at_one_provider_are_told_apart(tmp_path: Path) -> None:
    yaml = """
providers:
  one: {dialect: openai-chat, base_url: "https://one.example/v1", api_key: $KEY}
models:
  first: {backends: [{provider: one, id: x}, {provider: one, id: y}], tier: simple}
"""
    trials = await tried(tmp_path, "500", yaml=yaml)

    assert {trial.failing for trial in trials} == {(), ("first@one/x",), ("first@one/y",), ("first",)}
    assert {trial.wrong for trial in trials} == {None}
