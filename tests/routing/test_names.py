import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_values import MakeCard

from pointsman.core.errors import ConfigError, UnknownModel
from pointsman.core.model_card import ModelCard
from pointsman.routing.names import Names, NearNames
from pointsman.routing.policy import default_policy
from pointsman.routing.profiles import Profile

PROFILES = default_policy().profiles
CARDS = (
    ModelCard("tiny", "local", "tiny-1", "simple"),
    ModelCard("opus", "anthropic", "claude-opus-4-6", "complex"),
    ModelCard("router-opus", "openrouter", "anthropic/claude-opus-4-6", "complex"),
    ModelCard("copy", "backup", "tiny-1", "simple"),
)


def meaning(requested: str, **fields) -> str:
    resolved = Names(CARDS, PROFILES, **fields).resolve(requested)
    return f"profile {resolved.name}" if isinstance(resolved, Profile) else resolved.name


@pytest.mark.parametrize("profile", ["auto", "eco", "premium", "agentic", "free"])
@pytest.mark.parametrize("form", ["{}", "smart/{}", "pointsman/{}", "SMART/{}", "Pointsman/{}"])
def test_virtual_names_are_profiles_in_any_case(profile: str, form: str) -> None:
    assert meaning(form.format(profile)) == f"profile {profile}"
    assert meaning(form.format(profile.upper())) == f"profile {profile}"


@pytest.mark.parametrize(
    ("requested", "card"),
    [
        ("tiny", "tiny"),
        ("claude-opus-4-6", "opus"),
        ("anthropic:claude-opus-4-6", "opus"),
        ("openrouter/anthropic/claude-opus-4-6", "router-opus"),
        ("openrouter:anthropic/claude-opus-4-6", "router-opus"),
        ("local/tiny-1", "tiny"),
        ("backup/tiny-1", "copy"),
        ("backup:tiny-1", "copy"),
    ],
)
def test_model_is_found_by_its_names(requested: str, card: str) -> None:
    assert meaning(requested) == card


def test_of_two_models_with_one_id_the_first_is_meant() -> None:
    assert meaning("tiny-1") == "tiny"


def test_provider_and_id_win_over_the_same_text_as_a_bare_id() -> None:
    assert meaning("anthropic/claude-opus-4-6") == "opus"


@pytest.mark.parametrize(
    ("requested", "found"),
    [
        ("claude-opus-4-6[1m]", "opus"),
        ("tiny[1M]", "tiny"),
        ("auto[1m]", "profile auto"),
        ("AUTO[1m]", "profile auto"),
    ],
)
def test_suffix_in_brackets_is_ignored(requested: str, found: str) -> None:
    assert meaning(requested) == found


def test_suffix_that_belongs_to_a_name_is_kept() -> None:
    cards = (ModelCard("opus", "p", "o"), ModelCard("opus[1m]", "p", "o-1m"))

    resolved = Names(cards, PROFILES).resolve("opus[1m]")

    assert resolved.name == "opus[1m]"


@pytest.mark.parametrize(
    ("requested", "found"),
    [("gpt-4o", "profile auto"), ("GPT-4o", "profile auto"), ("best", "opus"), ("tiny-1", "profile eco")],
)
def test_alias_comes_before_everything(requested: str, found: str) -> None:
    aliases = {"gpt-4o": "smart/auto", "best": "claude-opus-4-6", "tiny-1": "Eco"}

    assert meaning(requested, aliases=aliases) == found


def test_alias_to_nowhere_is_a_problem_of_the_configuration() -> None:
    with pytest.raises(ConfigError) as caught:
        Names(CARDS, PROFILES, {"good": "tiny", "bad": "opsu", "worse": "zzz"})

    assert [(each.path, each.value, each.nearest) for each in caught.value.problems] == [
        ("aliases.bad", "opsu", "opus"),
        ("aliases.worse", "zzz", None),
    ]


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownModel) as caught:
        meaning("opuss")

    assert caught.value.message == "there is no model 'opuss'; the nearest are opus, router-opus"
    assert (caught.value.status, caught.value.param, caught.value.code) == (404, "model", "model_not_found")


def test_unlike_anything_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownModel, match=r"^there is no model 'qqq'; there are auto, eco, premium, "):
        meaning("qqq")


@pytest.mark.parametrize("requested", ["gpt-9", "", "x" * 10_000])
def test_unknown_name_is_routed_where_the_rule_says_so(requested: str) -> None:
    assert meaning(requested, unknown_model="route") == "profile auto"


def test_long_wrong_name_is_shown_in_part() -> None:
    with pytest.raises(UnknownModel) as caught:
        meaning("x" * 1_000_000)

    assert len(caught.value.message) < 400


def test_profile_names_are_listed_in_order() -> None:
    assert Names(CARDS, PROFILES).profile_names == ("auto", "eco", "premium", "agentic", "free")


@given(st.text(max_size=40))
def test_any_name_is_found_or_refused(requested: str) -> None:
    routed = Names(CARDS, PROFILES, unknown_model="route").resolve(requested)
    try:
        found = Names(CARDS, PROFILES).resolve(requested)
    except UnknownModel:
        found = PROFILES[0]

    assert found is routed


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, unique=True))
def test_known_name_is_nearest_to_itself(known: list[str]) -> None:
    near = NearNames(known)

    for name in known:
        nearest = near.near(name)
        assert name in nearest or len(nearest) == 3


def test_at_most_three_are_named(make_card: MakeCard) -> None:
    assert len(NearNames(f"model-{number}" for number in range(50)).near("model-x")) == 3
