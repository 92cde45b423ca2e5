"""The one way in: a prompt and a profile to a decision. It knows no provider's state, reads no clock, sends
nothing; the same input always gives the same decision."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple, overload

from pointsman.core.decision import Candidate, Decision, Reason, Share
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.routing.categories import Category, Sorter
from pointsman.routing.chain import (
    NO_PREFERENCE,
    Preference,
    Shelf,
    cards_by_name,
    estimate_usd,
    need_of,
)
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import Learned
from pointsman.routing.lineup import Lineup
from pointsman.routing.opinions import Ask, Opinions, Question, Seat, may_matter, middles
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import Reader, Reading, read
from pointsman.routing.scorer import Scorer
from pointsman.routing.tiers import Ladder
from pointsman.routing.tipping import tipping

PINNED = "pinned"
_WISHES_KEPT = 128
"""Of as many conversations that go on at once."""

_CODER = Preference(coder=True)


class _Road(NamedTuple):
    """What is settled beforehand for one profile."""

    profile: Profile
    ladder: Ladder
    lineup: Lineup
    own_models: tuple[tuple[str, ...], ...]
    """The profile's own, by the position of the tier."""

    def preference(self, place: int, category: Category, about_code: bool, model: str | None) -> Preference:
        first = self.own_models[place]
        if category.models and self.profile.follows_categories:
            first = category.models + first
        if model is not None:
            first = (model, *first)
        if not first:
            return _CODER if about_code else NO_PREFERENCE
        return Preference(first, about_code)


class _Heard(NamedTuple):
    """What opinions added to the score, who had none, and the former with what they said."""

    shares: tuple[Share, ...]
    rules: tuple[str, ...]
    reasons: tuple[Reason, ...]


_NOTHING_HEARD = _Heard((), (), ())


class Router:
    """Decides for one set of cards under one policy. Build it when either changes. `panel` are those whose opinion
    may be asked, in the order in which they are; `wishes_kept` is how many wishes it knows again."""

    def __init__(
        self,
        cards: Sequence[ModelCard],
        policy: Policy,
        keywords: Keywords,
        panel: Sequence[Seat] = (),
        learned: Learned | None = None,
        wishes_kept: int = _WISHES_KEPT,
    ) -> None:
        self._policy = policy
        self._cards = cards
        self._own_keywords = keywords
        self._panel = tuple(panel)
        self._keywords = keywords.and_also(policy.keyword_lists)
        self._sorter = Sorter(policy.categories)
        self._learned = learned
        self._reader = Reader(self._keywords, wishes_kept)
        self._wishes_kept = wishes_kept
        self._scorer = Scorer(policy, learned, wishes_kept)
        self._middles = middles(policy.tiers, policy.boundaries)
        self._shelf = Shelf(cards, policy.tiers)
        self._roads = {profile.name: self._road(profile) for profile in policy.profiles}

    @overload
    def decide(
        self, prompt: Prompt, profile: Profile, requested: str, *, explain: bool = True
    ) -> Decision: ...

    @overload
    def decide(
        self, prompt: Prompt, profile: Profile, requested: str, opinions: Opinions, *, explain: bool = True
    ) -> Decision | Ask: ...

    def decide(
        self,
        prompt: Prompt,
        profile: Profile,
        requested: str,
        opinions: Opinions | None = None,
        *,
        explain: bool = True,
    ) -> Decision | Ask:
        """`profile` is what `requested` was resolved to. Without `opinions` the rules decide alone; with those that
        there are, somebody else may have to be asked first. `explain` adds the reasons and the candidates, which
        only a dry run needs; the choice is the same. Raises Unsupported when no model can take it."""
        road = self._roads.get(profile.name)
        if road is None or road.profile is not profile:
            road = self._roads[profile.name] = self._road(profile)
        reading = self._reader.read(prompt)
        input_tokens = int(reading.measures["input_tokens"])
        score, shares = self._scorer.score(reading)
        heard = _NOTHING_HEARD
        if opinions is not None:
            said = self._hear(opinions, road.ladder, reading, score)
            if isinstance(said, Ask):
                return said
            heard = said
            shares += heard.shares
            score = min(max(score + sum(share[2] for share in heard.shares), 0.0), 1.0)
        placed = road.ladder.place(score, reading.measures)
        category, about_code = self._sorter.sort(reading.measures)
        place, rules = placed.place, heard.rules + placed.rules
        preference = road.preference(place, category, about_code, placed.model)
        chain = road.lineup.order(place, prompt, input_tokens, preference)
        tier, chosen = self._policy.tiers[place], chain[0]
        if chosen.tier != tier:
            rules = (*rules, _why_another_tier(chosen, tier, preference))
        confidence = road.ladder.confidence(score, shares, placed)
        if not explain:
            return Decision(
                requested, profile.name, chain, score, tier, shares, rules, (), (), category.name, confidence
            )
        need = need_of(prompt, input_tokens, profile, self._policy.expected_output_tokens)
        own = shares[: len(shares) - len(heard.shares)]
        reasons = (*self._scorer.reasons(reading, own), *heard.reasons)
        candidates = self._shelf.explain(chain, need)
        return Decision(
            requested,
            profile.name,
            chain,
            score,
            tier,
            shares,
            rules,
            reasons,
            candidates,
            category.name,
            confidence,
            tipping(road.ladder, score, shares, reading.measures)._replace(
                asks=tuple(
                    seat.judge
                    for seat in self._panel
                    if seat.judge not in (opinions or ())
                    and may_matter(seat, road.ladder, score, reading.measures)
                )
            ),
        )

    def with_boundaries(self, boundaries: tuple[float, ...]) -> "Router":
        """The same, with other boundaries between its tiers."""
        policy = replace(self._policy, boundaries=boundaries)
        return Router(self._cards, policy, self._own_keywords, self._panel, self._learned, self._wishes_kept)

    def _hear(self, opinions: Opinions, ladder: Ladder, reading: Reading, score: float) -> "_Heard | Ask":
        """What the opinions add to `score`, or who is still to be asked."""
        reasons: list[Reason] = []
        rules: list[str] = []
        for seat in self._panel:
            opinion = opinions.get(seat.judge)
            if opinion is None:
                if may_matter(seat, ladder, score, reading.measures):
                    return Ask(seat.judge, Question(reading.prompt, reading.asked))
                continue
            value = opinion.value if opinion.tier is None else self._middles[opinion.tier]
            if value is None:
                rules.append(f"{seat.judge}: no opinion, {opinion.detail}")
            else:
                added = seat.weight * (value - score)
                score += added
                reasons.append(Reason(seat.judge, value, added, opinion.detail))
        if not (reasons or rules):
            return _NOTHING_HEARD
        return _Heard(tuple(reason[:3] for reason in reasons), tuple(rules), tuple(reasons))

    def price_pin(self, prompt: Prompt, card: ModelCard, requested: str) -> Decision:
        """`pin` with an estimate of its cost: for a dry run, since a request that is sent needs none."""
        input_tokens = int(read(prompt, self._keywords).measures["input_tokens"])
        need = need_of(prompt, input_tokens, Profile(PINNED), self._policy.expected_output_tokens)
        return pin(requested, card, estimate_usd(card, need.input_tokens, need.output_tokens))

    def _road(self, profile: Profile) -> _Road:
        lineup = Lineup(self._shelf, profile, self._policy.expected_output_tokens)
        own = dict(profile.models)
        own_models = tuple(own.get(tier, ()) for tier in self._policy.tiers)
        return _Road(profile, Ladder(self._policy, profile), lineup, own_models)


def _why_another_tier(chosen: ModelCard, tier: str, preference: Preference) -> str:
    of = "of no tier" if chosen.tier is None else f"of {chosen.tier}"
    if not cards_by_name((chosen,)).keys().isdisjoint(preference.first):
        return f"tried before those of {tier}: {chosen.name} {of}"
    return f"no model of {tier} can take it: {chosen.name} {of}"


def pin(requested: str, card: ModelCard, estimated_cost_usd: Decimal | None = None) -> Decision:
    """The decision for a model asked for by name: that one, nothing scored, no fallback."""
    return Decision(
        requested=requested,
        profile=PINNED,
        chain=(card,),
        candidates=(Candidate(card, estimated_cost_usd),),
    )
