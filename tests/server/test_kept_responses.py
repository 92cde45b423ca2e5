"""`GET` and `DELETE /v1/responses/{id}` and the items of one, as the official SDK reads them."""

import openai
import pytest
from callers import openai_client
from openai.types.responses import (
    EasyInputMessageParam,
    Response,
    ResponseInputMessageItem,
    ResponseInputText,
    ResponseItem,
)

from gateways import Gateway

SAID: list[EasyInputMessageParam] = [{"role": "user", "content": text} for text in ("one", "two", "three")]


def text_of(item: ResponseItem) -> str:
    assert isinstance(item, ResponseInputMessageItem)
    assert isinstance(item.content[0], ResponseInputText)
    return item.content[0].text


def answered(client: openai.OpenAI) -> Response:
    return client.responses.create(model="tiny", input=[*SAID])


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_items_come_in_pages(demo: Gateway, order: str, limit: int) -> None:
    with openai_client(demo) as client:
        kept = answered(client)
        pages = client.responses.input_items.list(kept.id, limit=limit, order=order)  # type: ignore[arg-type]
        items = list(pages)
    texts = [text_of(item) for item in items]
    assert texts == [said["content"] for said in (SAID if order == "asc" else reversed(SAID))]
    assert len({item.id for item in items}) == len(SAID)


def test_items_are_twenty_unless_told_otherwise_and_the_newest_first(demo: Gateway) -> None:
    with openai_client(demo) as client:
        said: list[EasyInputMessageParam] = [{"role": "user", "content": str(place)} for place in range(30)]
        kept = client.responses.create(model="tiny", input=[*said])
        page = client.responses.input_items.list(kept.id)
    assert [text_of(item) for item in page.data] == [str(place) for place in range(29, 9, -1)]
    assert page.has_more


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "-1"}, {"order": "up"}, {"after": "item_nobody"}]
)
def test_a_page_that_does_not_exist_is_refused(demo: Gateway, query: dict[str, str]) -> None:
    with openai_client(demo) as client:
        kept = answered(client)
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.input_items.list(kept.id, extra_query=query)
    assert caught.value.param == next(iter(query))


def test_a_kept_response_is_not_streamed_again(demo: Gateway) -> None:
    with openai_client(demo) as client:
        kept = answered(client)
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.retrieve(kept.id, stream=True)
        assert client.responses.retrieve(kept.id).output_text == kept.output_text
    assert caught.value.param == "stream"


def test_a_reply_is_found_below_either_path(demo: Gateway) -> None:
    with openai_client(demo) as client:
        kept = answered(client)
    bare = openai.OpenAI(base_url=demo.url, api_key="any", max_retries=0)
    assert bare.responses.retrieve(kept.id).output_text == kept.output_text
    assert len(bare.responses.input_items.list(kept.id).data) == len(SAID)
    bare.responses.delete(kept.id)
    with pytest.raises(openai.NotFoundError):
        bare.responses.retrieve(kept.id)
