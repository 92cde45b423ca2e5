"""Files as OpenAI's dialects write them."""

import pytest

from pointsman.core.request import Document
from pointsman.wire.data_urls import name_of


@pytest.mark.parametrize(
    ("media_type", "name", "written"),
    [
        ("application/pdf", "report.pdf", "report.pdf"),
        ("application/pdf", None, "document.pdf"),
        (None, None, "document.pdf"),
        ("text/plain", None, "document.txt"),
        ("text/x-python", None, "document.txt"),
        ("text/csv", "", "document.csv"),
        ("application/json", None, "document.json"),
    ],
)
def test_a_file_without_a_name_gets_one_that_says_what_it_is(
    media_type: str | None, name: str | None, written: str
) -> None:
    assert name_of(Document(media_type=media_type, data="QQ==", name=name)) == written
