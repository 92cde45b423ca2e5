"""System messages towards every dialect: all of their text is said, and nothing else is lost without a word."""

import pytest

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Image, Message, Request, Text
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ProviderDialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

CARD = ModelCard("tiny", "p", "m")
HI = Message("user", (Text("Hi"),))
TARGETS = pytest.mark.parametrize(
    "target",
    [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI, OLLAMA],
    ids=lambda target: target.name,
)


@TARGETS
@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_text_is_refused(target: ProviderDialect, role: str, place: int) -> None:
    messages = [HI]
    messages.insert(place, Message(role, (Text("Look"), Image(media_type="image/png", data="AAAA"))))
    with pytest.raises(Unsupported, match=r"image content in a system message .* model tiny"):
        target.encode_request(Request("m", tuple(messages)), CARD)


@TARGETS
@pytest.mark.parametrize("profile", ["openai", "groq", "vllm"])
@pytest.mark.parametrize("roles", [("system",) * 3, ("developer",) * 3, ("system", "developer", "system")])
def test_those_that_lead_are_all_said_in_their_order(
    target: ProviderDialect, profile: str, roles: tuple[str, ...]
) -> None:
    leading = tuple(Message(role, (Text(f"rule {number}"),)) for number, role in enumerate(roles))
    card = ModelCard("tiny", profile, "gpt-5.2", profile=profile)
    sent = target.encode_request(Request("m", (*leading, HI)), card).body
    places = [sent.index(b"rule %d" % number) for number in range(3)]
    assert places == sorted(places)
    assert [sent.count(b"rule %d" % number) for number in range(3)] == [1, 1, 1]
