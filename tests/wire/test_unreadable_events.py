"""An event that is no JSON is noticed in a stream that is relayed as it is, however it was cut on its way."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamFault
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said
from pointsman.lab.ways import WORDS
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

RELAYED: tuple[Dialect, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
BROKEN = (
    b'data: {"choices": [{"delta": \n\n',
    b"data: <html>\n\n",
    b'data: {"text": "a} \n\n',
    b"data: lost\n\n",
)


def events_of(dialect: Dialect) -> list[bytes]:
    return [event for part in VOICES[dialect.name].stream(Said("m", WORDS, {})) for event in part]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("dialect", RELAYED, ids=lambda dialect: dialect.name)
def test_an_event_that_is_no_json_is_a_bad_reply(dialect: Dialect, broken: bytes) -> None:
    events = events_of(dialect)
    for place in range(len(events) - 1):
        watch = dialect.reply_watch()
        for event in events[:place]:
            watch.feed(event)
        assert watch.error is None
        watch.feed(broken)
        assert watch.error is not None
        assert watch.error.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize("dialect", RELAYED, ids=lambda dialect: dialect.name)
@given(cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_a_sound_stream_has_no_error_wherever_it_is_cut(dialect: Dialect, cuts: list[int]) -> None:
    stream = b"".join(events_of(dialect))
    places = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    watch = dialect.reply_watch()
    for start, end in pairwise(places):
        watch.feed(stream[start:end])
    assert watch.error is None
    assert watch.is_complete


@pytest.mark.parametrize("dialect", RELAYED, ids=lambda dialect: dialect.name)
def test_an_event_of_several_lines_is_read_as_one(dialect: Dialect) -> None:
    first, *rest = events_of(dialect)
    several = first.replace(b'"model', b'\ndata: "model', 1)
    watch = dialect.reply_watch()
    for event in (several, *rest):
        watch.feed(event)
    assert watch.error is None
    assert watch.is_complete
