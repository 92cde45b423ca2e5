"""What a reply holds beside text and calls, and how it ends, through to clients of both dialects: sources, pictures,
log probabilities, refusals."""

import json
from pathlib import Path
from typing import Any

import anthropic_checks as messages_side
import openai_chat_checks as chat_side
import pytest
from recordings import recorded, streamed_answer, whole_answer

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Finished,
    FinishReason,
    ImageMade,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallStarted,
    fold,
)
from pointsman.core.request import Citation, Image, Text
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.openai_chat import OPENAI_CHAT

DONE = b"data: [DONE]\n\n"


def chat_body(message: dict[str, Any], finish: str = "stop", **extra: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps(
        {"id": "c", "model": "m", "choices": [choice | extra.pop("choice", {})], **extra}
    ).encode()


def chat_stream(*deltas: dict[str, Any], finish: str = "stop", **extra: Any) -> bytes:
    chunks = [
        *({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, **extra}]} for delta in deltas),
        {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
    ]
    return b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks) + DONE


def read_chat(stream: bytes) -> list[ReplyEvent]:
    decoder = OPENAI_CHAT.reply_decoder("provider")
    return decoder.feed(stream) + decoder.finish()


def read_messages(body: dict[str, Any]) -> list[ReplyEvent]:
    return ANTHROPIC_MESSAGES.decode_reply(json.dumps(body).encode(), "anthropic")


def shown_in_messages(events: list[ReplyEvent]) -> list[dict[str, Any]]:
    """The blocks, which are the same whole and streamed."""
    whole = messages_side.sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT))
    encoder = ANTHROPIC_MESSAGES.reply_encoder(messages_side.CONTEXT)
    stream = b"".join(encoder.feed([event]) for event in events)
    messages_side.check_grammar(stream)
    streamed = messages_side.sdk_stream(stream)
    assert streamed.model_dump(exclude_none=True)["content"] == whole.model_dump(exclude_none=True)["content"]
    assert streamed.stop_reason == whole.stop_reason
    blocks: list[dict[str, Any]] = whole.model_dump(exclude_none=True)["content"]
    return blocks


def shown_in_chat(events: list[ReplyEvent], name: str) -> Any:
    """One field of the message; its deltas put together are the same."""
    completion = chat_side.sdk_completion(OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT))
    whole = completion.choices[0].message.model_dump().get(name)
    encoder = OPENAI_CHAT.reply_encoder(chat_side.CONTEXT)
    chunks = chat_side.sdk_chunks(b"".join(encoder.feed([event]) for event in events))
    deltas = [choice.delta.model_dump().get(name) for chunk in chunks for choice in chunk.choices]
    pieces = [delta for delta in deltas if delta]
    if isinstance(whole, str):
        assert "".join(pieces) == whole
    else:
        told = [each for piece in pieces for each in piece]
        assert [each["index"] for each in told] == list(range(len(told))), "SDKs gather a list by its indexes"
        assert [unnumbered(each) for each in told] == [unnumbered(each) for each in whole or []]
    return whole


def unnumbered(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "index"}


# sources

CITED: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    TextDelta("Grass is "),
    BlockEnded(),
    TextDelta("green"),
    CitationAdded(Citation("https://a.org", "A", "The grass is green.")),
    CitationAdded(Citation(None, "a.pdf", "Green, page 2.")),
    BlockEnded(),
    TextDelta(", see [1]"),
    CitationAdded(Citation("https://b.org", start=6, end=9)),
    Finished("stop"),
]


def test_sources_are_annotations_of_the_text_they_stand_behind() -> None:
    annotations = shown_in_chat(CITED, "annotations")
    cited = [annotation["url_citation"] for annotation in annotations]
    text = "Grass is green, see [1]"
    assert [
        (each["url"], each["title"], text[each["start_index"] : each["end_index"]]) for each in cited
    ] == [
        ("https://a.org", "A", "green"),
        ("https://b.org", "https://b.org", "[1]"),
    ]
    assert cited[0]["content"] == "The grass is green."


def test_sources_of_the_web_are_citations_of_their_block() -> None:
    blocks = shown_in_messages(CITED)
    assert [block["text"] for block in blocks] == ["Grass is ", "green", ", see [1]"]
    assert [[each["url"] for each in block.get("citations", [])] for block in blocks] == [
        [],
        ["https://a.org"],
        ["https://b.org"],
    ]
    assert blocks[1]["citations"][0]["type"] == "web_search_result_location"
    assert (blocks[1]["citations"][0]["title"], blocks[1]["citations"][0]["cited_text"]) == (
        "A",
        "The grass is green.",
    )


def test_annotations_of_chat_are_read_whole_and_streamed() -> None:
    annotation = {"url": "https://a.org", "title": "A", "start_index": 0, "end_index": 2}
    odd = [{"type": "file", "file": {}}, {"type": "url_citation"}, 3, None]
    said = {"annotations": [{"type": "url_citation", "url_citation": annotation}, *odd]}
    wanted = (Text("Hi", citations=(Citation("https://a.org", "A", None, 0, 2),)),)
    assert fold(OPENAI_CHAT.decode_reply(chat_body({"content": "Hi", **said}), "openai")).parts == wanted
    assert fold(read_chat(chat_stream({"content": "Hi"}, {"content": "", **said}))).parts == wanted


def test_sources_beside_the_reply_are_read_once() -> None:
    """Perplexity repeats them in every chunk."""
    found = [{"title": "A", "url": "https://a.org", "snippet": "x"}, {"title": "B"}]
    bare = {"citations": ["https://a.org"]}
    for extra, title in ((bare | {"search_results": found}, "A"), (bare, None)):
        chunks = chat_stream({"content": "H"}, {"content": "i"}).replace(
            b'{"id"', json.dumps(extra)[:-1].encode() + b', "id"'
        )
        for events in (
            read_chat(chunks),
            OPENAI_CHAT.decode_reply(chat_body({"content": "Hi"}, **extra), "p"),
        ):
            assert fold(events).parts == (Text("Hi", citations=(Citation("https://a.org", title),)),)


LOCATIONS = {
    "char_location": {"document_title": "T", "cited_text": "q", "document_index": 0, "start_char_index": 0},
    "page_location": {"document_title": "T", "cited_text": "q", "document_index": 0, "start_page_number": 1},
    "content_block_location": {"document_title": "T", "cited_text": "q", "start_block_index": 0},
    "search_result_location": {"source": "https://a.org", "title": "T", "cited_text": "q"},
    "web_search_result_location": {
        "url": "https://a.org",
        "title": "T",
        "cited_text": "q",
        "encrypted_index": "E",
    },
}


@pytest.mark.parametrize("kind", LOCATIONS)
def test_every_kind_of_location_is_read(kind: str) -> None:
    block = {"type": "text", "text": "Hi", "citations": [{"type": kind, **LOCATIONS[kind]}]}
    (part,) = fold(read_messages({"type": "message", "content": [block], "stop_reason": "end_turn"})).parts
    url = "https://a.org" if kind.endswith("search_result_location") else None
    assert part == Text("Hi", citations=(Citation(url, "T", "q"),))


def test_recorded_sources_reach_a_chat_client(shared: Path) -> None:
    count = 0
    for record in recorded(shared, "anthropic", "anthropic.messages"):
        stream, body = streamed_answer(record), whole_answer(record)
        if record["response"]["status"] != 200 or not (stream or body):
            continue
        decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
        try:
            events = (
                decoder.feed(stream) + decoder.finish() if stream else read_messages(json.loads(body or b""))
            )
        except UpstreamError:
            continue
        citations = [event.citation for event in events if isinstance(event, CitationAdded)]
        if not citations:
            continue
        count += 1
        text = "".join(part.text for part in fold(events).parts if isinstance(part, Text))
        cited = [each["url_citation"] for each in shown_in_chat(events, "annotations") or []]
        assert [each["url"] for each in cited] == [each.url for each in citations if each.url]
        assert all(0 <= each["start_index"] < each["end_index"] <= len(text) for each in cited)
    assert count >= 15


# pictures

PICTURE: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    TextDelta("Here:"),
    ImageMade("image/png", "QUJD"),
    Finished("stop"),
]


def test_pictures_reach_a_chat_client_and_are_read_as_such() -> None:
    images = shown_in_chat(PICTURE, "images")
    assert [image["image_url"]["url"] for image in images] == ["data:image/png;base64,QUJD"]
    wanted = (Text("Here:"), Image("image/png", "QUJD"))
    body = OPENAI_CHAT.encode_reply(PICTURE, chat_side.CONTEXT)
    assert fold(OPENAI_CHAT.decode_reply(body, "openrouter")).parts == wanted
    stream = OPENAI_CHAT.reply_encoder(chat_side.CONTEXT).feed(PICTURE)
    assert fold(read_chat(stream)).parts == wanted


def test_a_picture_is_not_lost_on_a_messages_client() -> None:
    for write in (
        lambda: ANTHROPIC_MESSAGES.encode_reply(PICTURE, messages_side.CONTEXT),
        lambda: ANTHROPIC_MESSAGES.reply_encoder(messages_side.CONTEXT).feed(PICTURE),
    ):
        with pytest.raises(UpstreamError, match="picture") as caught:
            write()
        assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_a_picture_by_its_address_is_no_picture() -> None:
    linked = {"content": "", "images": [{"image_url": {"url": "https://example.com/a.png"}}]}
    with pytest.raises(UpstreamError) as caught:
        OPENAI_CHAT.decode_reply(chat_body(linked), "openrouter")
    assert caught.value.fault is UpstreamFault.BAD_REPLY


# log probabilities

TOKENS = [
    {
        "token": "H",
        "logprob": -0.5,
        "bytes": [72],
        "top_logprobs": [{"token": "h", "logprob": -2, "bytes": [104]}],
    },
    {"token": "i", "logprob": -0.25, "bytes": [105], "top_logprobs": []},
]


def told_logprobs(events: list[ReplyEvent], key: str = "content") -> list[dict[str, Any]]:
    body = json.loads(OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT))
    whole: list[dict[str, Any]] = body["choices"][0]["logprobs"][key]
    chunks = chat_side.recorded_chunks(OPENAI_CHAT.reply_encoder(chat_side.CONTEXT).feed(events).decode())
    streamed = [choice["logprobs"] for chunk in chunks for choice in chunk["choices"] if choice["logprobs"]]
    assert [token for each in streamed for token in each[key]] == whole
    return whole


def test_log_probabilities_are_read_and_written_whole_and_streamed() -> None:
    body = chat_body({"content": "Hi"}, choice={"logprobs": {"content": TOKENS, "refusal": None}})
    assert told_logprobs(OPENAI_CHAT.decode_reply(body, "openai")) == TOKENS
    pieces = b"".join(
        chat_stream({"content": token["token"]}, logprobs={"content": [token], "refusal": None}).split(
            b"\n\n"
        )[0]
        + b"\n\n"
        for token in TOKENS
    )
    events = read_chat(pieces + chat_stream())
    assert [event.logprobs for event in events if isinstance(event, TextDelta)] == [
        (token,) for token in TOKENS
    ]
    assert told_logprobs(events) == TOKENS


def test_log_probabilities_of_a_refusal_stay_with_it() -> None:
    probabilities = {"content": None, "refusal": TOKENS}
    body = chat_body({"content": None, "refusal": "Hi"}, choice={"logprobs": probabilities})
    assert told_logprobs(OPENAI_CHAT.decode_reply(body, "openai"), "refusal") == TOKENS


def test_a_token_without_text_keeps_its_probability() -> None:
    events = read_chat(chat_stream({"content": ""}, logprobs={"content": TOKENS[:1], "refusal": None}))
    assert told_logprobs(events) == TOKENS[:1]


def test_recorded_log_probabilities_come_through(shared: Path) -> None:
    told = 0
    for record in recorded(shared, "openai_chat", "openai.chat"):
        stream = streamed_answer(record)
        if stream is not None and record["request"]["body"] and record["request"]["body"].get("logprobs"):
            chunks = chat_side.recorded_chunks(stream.decode())
            wanted = [
                token
                for chunk in chunks
                for choice in chunk["choices"]
                for token in (choice.get("logprobs") or {}).get("content") or []
            ]
            if wanted:
                told += 1
                assert told_logprobs(read_chat(stream)) == wanted
    assert told >= 1


# refusals


@pytest.mark.parametrize("reason", ["refusal", "content_filter"])
@pytest.mark.parametrize("thought", [[], [ThinkingDelta("Hm.")]], ids=["at once", "after thinking"])
def test_a_refusal_without_words_is_no_empty_answer(reason: FinishReason, thought: list[ReplyEvent]) -> None:
    events = [ReplyStarted("r", "m"), *thought, Finished(reason)]
    assert shown_in_chat(events, "refusal") == chat_side.REFUSED
    completion = chat_side.sdk_completion(OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT))
    assert completion.choices[0].finish_reason == "content_filter"
    body = ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT)
    assert messages_side.sdk_message(body).stop_reason == "refusal"


def test_a_filter_that_cut_an_answer_leaves_what_was_said() -> None:
    events: list[ReplyEvent] = [ReplyStarted("r", "m"), TextDelta("Well"), Finished("content_filter")]
    assert shown_in_chat(events, "refusal") is None
    called: list[ReplyEvent] = [
        ReplyStarted("r", "m"),
        ToolCallStarted(0, "a", "f"),
        Finished("content_filter"),
    ]
    assert shown_in_chat(called, "refusal") is None


def test_why_a_provider_refused_is_the_refusal() -> None:
    said = {"type": "refusal", "category": "cyber", "explanation": "Blocked."}
    body = {"type": "message", "content": [], "stop_reason": "refusal", "stop_details": said}
    events = read_messages(body)
    assert events[-2:] == [TextDelta("Blocked.", is_refusal=True), Finished("refusal")]
    assert shown_in_chat(events, "refusal") == "Blocked."
    assert shown_in_messages(events) == [{"type": "text", "text": "Blocked."}]
