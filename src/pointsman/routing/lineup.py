"""The order of models for each kind of request, worked out once per kind. What the order is, chain knows."""

from msgspec.structs import replace

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.routing.chain import NO_PREFERENCE, Preference, Shelf, need_of
from pointsman.routing.profiles import Profile

_KINDS_MAX = 2048

_Chain = tuple[ModelCard, ...]
_Kind = tuple[int, int, int, bool, bool, bool, bool, bool, bool, Preference]
"""Tier, size of the input and of its limit for the answer, both as powers of two, what is asked for, and what is
preferred."""


class Lineup:
    """A shelf as one profile sees it.

    To compare every card's price with every other's costs more than all the rest of a decision, and hardly ever
    depends on the exact number of tokens. Cost rises in a straight line with the tokens that go in and with those
    that may come out, and so does what has to fit into a model: an order that holds at the corners of a range of
    sizes holds everywhere within. Only where it does not is it worked out request by request.
    """

    def __init__(self, shelf: Shelf, profile: Profile, expected_output_tokens: int) -> None:
        self._shelf = shelf
        self._profile = profile
        self._expected_output_tokens = expected_output_tokens
        self._known: dict[_Kind, _Chain | None] = {}

    def order(
        self, wanted: int, prompt: Prompt, input_tokens: int, preference: Preference = NO_PREFERENCE
    ) -> _Chain:
        """The cards that can take the request, in the order they are tried; `wanted` is the tier's position.
        Raises Unsupported when there is none."""
        limit = prompt.max_output_tokens
        kind = (
            wanted,
            input_tokens.bit_length(),
            limit.bit_length() if limit and limit > 0 else 0,
            prompt.tool_count > 0,
            prompt.image_count > 0,
            prompt.document_count > 0,
            prompt.audio_count > 0,
            prompt.output_format == "json_schema",
            prompt.wants_thinking,
            preference,
        )
        try:
            chain = self._known[kind]
        except KeyError:
            if len(self._known) >= _KINDS_MAX:
                self._known.clear()
            chain = self._known[kind] = self._for_all(kind, prompt)
        return chain or self._exact(wanted, prompt, input_tokens, preference)

    def _exact(self, wanted: int, prompt: Prompt, input_tokens: int, preference: Preference) -> _Chain:
        need = need_of(prompt, input_tokens, self._profile, self._expected_output_tokens)
        return self._shelf.order(wanted, need, self._profile, preference)

    def _for_all(self, kind: _Kind, prompt: Prompt) -> _Chain | None:
        """The order of every request of that kind, None where they differ."""
        wanted, input_bits, limit_bits, *_, preference = kind
        smallest, largest = _range(input_bits)
        if self._shelf.changes_price_within(smallest, largest):
            return None
        limits = _range(limit_bits) if limit_bits else (None,)
        corners = (
            (replace(prompt, max_output_tokens=limit), tokens)
            for limit in limits
            for tokens in (smallest, largest)
        )
        try:
            orders = {self._exact(wanted, asking, tokens, preference) for asking, tokens in corners}
        except Unsupported:
            return None
        return orders.pop() if len(orders) == 1 else None


def _range(bits: int) -> tuple[int, int]:
    """The smallest and the largest number of so many bits."""
    return 1 << bits >> 1, (1 << bits) - 1
