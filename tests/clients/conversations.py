"""The conversations that every SDK must be able to have with vendors of every dialect, as tests. A module that collects
them subclasses Conversations and says which SDKs, by the fixtures `stage`, `client` and `looping`, which calls tools by itself."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from clients.talk import PIXEL, Client, Failure, Heard, Manner, Talk
from clients.vendors import DIALECTS, Vendors
from clients.vendors.script import COLOUR, FACTS, THOUGHT, TOOL
from clients.vendors.vendor import INPUT_TOKENS, OUTPUT_TOKENS

Stage = tuple[Vendors, dict[str, Client]]
"""The vendors behind a gateway, and the clients in front of it by name."""

each_vendor = pytest.mark.parametrize("vendor", DIALECTS)
each_way = pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])

# Each pair one way here and the other way there: half the time, and hardly less found.
PAIRS = [
    (home, away, bool((number + place) % 2))
    for number, home in enumerate(DIALECTS)
    for place, away in enumerate(DIALECTS)
    if home != away
]
each_pair = pytest.mark.parametrize(("home", "away", "streams"), PAIRS)
each_pair_the_other_way = pytest.mark.parametrize(
    ("home", "away", "streams"), [(home, away, not streams) for home, away, streams in PAIRS]
)


class Conversations:
    @pytest.fixture
    def vendors(self, stage: Stage) -> Iterator[Vendors]:
        vendors, _ = stage
        vendors.forget()
        yield vendors
        assert vendors.refused == []

    @each_way
    @each_vendor
    def test_words_are_heard(self, client: Client, vendors: Vendors, vendor: str, streams: bool) -> None:
        talk = client.talk(Manner(streams=streams))
        first = talk.ask(vendor, "say The lamp is blue.")
        assert first == Heard("The lamp is blue.", ended="done", usage=(INPUT_TOKENS, OUTPUT_TOKENS))
        second = talk.ask(vendor, "say Still “blau” … 青い 🔵.")
        assert second.text == "Still “blau” … 青い 🔵."
        last = vendors[vendor].served[-1]
        assert [(turn.role, turn.text.strip()) for turn in last.turns] == [
            ("user", "say The lamp is blue."),
            ("assistant", "The lamp is blue."),
            ("user", "say Still “blau” … 青い 🔵."),
        ]
        assert last.is_stream == streams

    @pytest.mark.parametrize("thinks", [False, True], ids=["at_once", "thinking"])
    @each_way
    @each_vendor
    def test_tools_are_called_and_answered(
        self, client: Client, vendors: Vendors, vendor: str, streams: bool, thinks: bool
    ) -> None:
        """Two calls at once, then a third; thoughts before each."""
        heard = look_up(client.talk(Manner(streams=streams, tools=True, thinks=thinks)), [vendor] * 3)
        check_what_was_sealed(client, vendors, vendor)
        if thinks:
            assert all(asked.thinks for asked in vendors[vendor].served)
            assert all(answer.thinking.startswith(THOUGHT) for answer in heard)

    @pytest.mark.parametrize("thinks", [False, True], ids=["at_once", "thinking"])
    @each_way
    @each_vendor
    def test_the_sdks_own_loop_comes_to_its_end(
        self, looping: Client, vendors: Vendors, vendor: str, streams: bool, thinks: bool
    ) -> None:
        thinks = thinks and not (looping.loses_thoughts and vendor == looping.dialect)
        talk: Any = looping.talk(Manner(streams=streams, tools=True, thinks=thinks))
        assert talk.run(vendor, "look up bird and tree then stone") == "I found a robin, an oak, a flint."
        check_what_was_sealed(looping, vendors, vendor)

    @each_way
    @each_vendor
    def test_a_picture_is_seen(self, client: Client, vendors: Vendors, vendor: str, streams: bool) -> None:
        talk = client.talk(Manner(streams=streams))
        heard = talk.ask(vendor, "what is on the picture", picture=PIXEL)
        assert heard.text == "Pictures: image/png"
        assert vendors[vendor].served[-1].turns[-1].images == [("image/png", PIXEL)]

    @each_way
    @each_vendor
    def test_an_answer_has_the_form_that_was_asked(
        self, client: Client, vendors: Vendors, vendor: str, streams: bool
    ) -> None:
        assert client.talk(Manner(streams=streams)).describe(vendor) == COLOUR
        asked = vendors[vendor].served[-1]
        assert "colour" in json.dumps(asked.schema or asked.tools)

    @each_pair
    def test_seals_are_back_after_a_turn_at_another_vendor(
        self, client: Client, vendors: Vendors, home: str, away: str, streams: bool
    ) -> None:
        """A turn at one vendor, the next at another, the third at the first again: what it sealed is back, and the
        other was shown none of it."""
        talk = client.talk(Manner(streams=streams, tools=True, thinks=True))
        for vendor in (home, away, home):
            look_up(talk, [vendor] * 3)
        check_what_was_sealed(client, vendors, home)

    @each_pair_the_other_way
    def test_a_loop_goes_on_at_another_vendor(
        self, client: Client, vendors: Vendors, home: str, away: str, streams: bool
    ) -> None:
        """The tools' results go to another vendor than the one that called them, and the next ones back."""
        look_up(client.talk(Manner(streams=streams, tools=True, thinks=True)), [home, away, home])
        check_what_was_sealed(client, vendors, home)

    @each_way
    @each_vendor
    def test_a_vendors_refusal_is_the_clients_own_error(
        self, client: Client, vendors: Vendors, vendor: str, streams: bool
    ) -> None:
        with pytest.raises(Failure) as caught:
            client.talk(Manner(streams=streams)).ask(vendor, "fail 400 the lamp is broken")
        assert caught.value.status == 400
        assert "the lamp is broken" in caught.value.message


def look_up(talk: Talk, models: Sequence[str]) -> list[Heard]:
    """One whole loop of three answers, each asked of its own model."""
    first = talk.ask(models[0], "look up bird and tree then stone")
    assert first.calls == [(TOOL, {"key": "bird"}), (TOOL, {"key": "tree"})]
    assert first.ended == "calls"
    second = talk.give(models[1], [FACTS["bird"], FACTS["tree"]])
    assert second.calls == [(TOOL, {"key": "stone"})]
    assert second.ended == "calls"
    third = talk.give(models[2], [FACTS["stone"]])
    assert (third.text, third.calls) == ("I found a robin, an oak, a flint.", [])
    assert third.ended == "done"
    return [first, second, third]


def check_what_was_sealed(client: Client, vendors: Vendors, home: str) -> None:
    """Everything that a vendor sealed with a call came back to it with its last request. What others sealed it would
    have refused; thoughts without a seal it cannot tell apart."""
    vendor = vendors[home]
    missing = [seal for seal in vendor.sealed_with_calls if seal not in vendor.served[-1].seals]
    assert not missing, f"{len(missing)} of {len(vendor.sealed_with_calls)} seals did not come back"
    chat: Any = vendors["openai-chat"]
    # In its own dialect thoughts are bytes like others.
    assert chat.foreign == [] or client.dialect == chat.dialect, "thoughts were given to another vendor"
