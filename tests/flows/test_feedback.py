"""Reports on answers over HTTP, into the file and back into decisions: idempotent, a caller's own, and reversible."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvloop
from calls import CHAT, Answered, Caller

from gateways import Gateway
from pointsman.app import Stopper, run
from pointsman.config.load import load
from pointsman.ledger.feedback import FeedbackStore, Report
from pointsman.ledger.store import Ledger
from pointsman.server.sockets import listen, url_of
from pointsman.testing import FakeUpstream
from replies import completion

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
models:
  tiny: {{provider: chats, tier: simple, usd_per_million_input: 0.1, usd_per_million_output: 0.4}}
  twin: {{provider: chats, tier: simple, usd_per_million_input: 0.2, usd_per_million_output: 0.4}}
  big: {{provider: chats, tier: medium, usd_per_million_input: 3, usd_per_million_output: 15}}
"""
EASY_TO_HALF = "routing: {boundaries: [0.5, 0.8, 0.9]}\n"
"""So that what is asked here is easy, whatever the signals say of it in detail."""
HELLO = {
    "model": "auto",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Explain how the garden grows."}],
}
ADMIN = "the-key-that-opens-everything"
START = Callable[..., "Office"]


class Office:
    """A gateway that books into a real file."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        self.gateway = gateway
        self.path = path

    def ask(self) -> Answered:
        with Caller(self.gateway) as caller:
            answered = caller.post(CHAT, HELLO)
        assert answered.status == 200, answered.body
        return answered

    def report(self, **body: Any) -> Answered:
        with Caller(self.gateway) as caller:
            return caller.post("/v1/feedback", body)

    def call(self, method: str, path: str, **headers: str) -> Any:
        with closing(HTTPConnection(*self.gateway.address, timeout=60)) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return json.loads(response.read())

    def stats(self) -> Any:
        return self.call("GET", "/v1/feedback/stats")

    def revoke(self) -> Any:
        return self.call("DELETE", "/v1/feedback/calibration", authorization=f"Bearer {ADMIN}")

    def rows(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path)) as file:
            file.row_factory = sqlite3.Row
            return [dict(row) for row in file.execute("SELECT * FROM feedback ORDER BY rowid")]


@contextmanager
def open_office(yaml: str, folder: Path) -> Iterator[Office]:
    file = folder / "pointsman.yaml"
    file.write_text(yaml)
    environ = {"POINTSMAN_STATE_DIR": str(folder), "POINTSMAN_ADMIN_KEY": ADMIN}
    loaded = load(file, environ, {"port": 0})
    settings = loaded.settings
    assert settings.ledger.path is not None
    path = Path(settings.ledger.path)
    ledger = Ledger(path)
    ledger.open()
    listener = listen(settings.server.host, settings.server.port)
    gateway = Gateway(url_of(listener), Stopper(), file)

    def work() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(loaded, listener, ledger.record, gateway.stopper))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Office(gateway, path)
    finally:
        gateway.stopper.stop()
        thread.join(60)
        assert ledger.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[START]:
    """`start(more)` opens an office; the one before it is closed, and its file stays."""
    with FakeUpstream.in_thread() as upstream, ExitStack() as stack:
        upstream.answer(json=completion())

        def open_it(more: str = "", routing: str = EASY_TO_HALF) -> Office:
            stack.close()
            yaml = YAML.format(url=upstream.base_url) + routing + more
            return stack.enter_context(open_office(yaml, tmp_path))

        yield open_it


def labels(path: Path, tier: str, low: float, high: float, quality: float, model: str | None = None) -> None:
    """A hundred reports from before."""
    store = FeedbackStore(path, 10_000)
    for number in range(100):
        score = low + (high - low) * number / 100
        report = Report(
            f"fb_{tier}{number}{model}", 1000.0 + number, "anonymous", quality, score, tier, None, None, model
        )
        store.put(report)


def test_a_request_is_judged_by_its_id_right_after_its_answer(start: START) -> None:
    office = start()
    answered = office.ask()
    request_id = answered.headers["x-pointsman-request-id"]
    taken = office.report(request_id=request_id, quality=0.8, comment="nice words")
    assert taken.status == 200, taken.body
    assert taken.json() == {
        "id": request_id,
        "replaced": False,
        "quality": 0.8,
        "score": pytest.approx(float(answered.headers["x-pointsman-score"]), abs=0.001),
        "tier": "simple",
        "category": answered.headers["x-pointsman-category"],
        "model": "tiny",
        "comment_kept": False,
    }
    (row,) = office.rows()
    assert (row["feedback_id"], row["quality"], row["model"], row["profile"]) == (
        request_id,
        0.8,
        "tiny",
        "auto",
    )
    assert row["comment"] is None
    assert b"nice words" not in office.path.read_bytes()


def test_one_request_counts_once_and_the_last_word_holds(start: START) -> None:
    office = start("feedback: {keep_comments: true}\n")
    request_id = office.ask().headers["x-pointsman-request-id"]
    assert office.report(request_id=request_id, thumbs="down").json()["quality"] == 0.0
    again = office.report(request_id=request_id, thumbs="up", comment="after all").json()
    assert (again["quality"], again["replaced"], again["comment_kept"]) == (1.0, True, True)
    (row,) = office.rows()
    assert (row["quality"], row["comment"]) == (1.0, "after all")
    stats = office.stats()
    assert (stats["total_feedback"], stats["avg_quality"]) == (1, 1.0)
    (model,) = stats["models"]
    assert (model["model"], model["reports"], model["quality"]) == ("tiny", pytest.approx(1, abs=1e-3), 1.0)


def test_score_tier_and_quality_are_enough(start: START) -> None:
    office = start()
    assert office.report(score=0.3, tier="medium", quality=1).status == 200
    assert office.report(score=0.3, tier=2, quality=0.5, request_hash="abc").json()["tier"] == "medium"
    assert office.report(score=0.3, tier=2, quality=0.25, request_hash="abc").json()["replaced"] is True
    assert [(row["score"], row["tier"], row["quality"]) for row in office.rows()] == [
        (0.3, "medium", 1.0),
        (0.3, "medium", 0.25),
    ]
    assert office.stats()["by_tier"] == {"medium": {"reports": 2, "quality": 0.625}}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"score": 30, "tier": "simple", "quality": 1}, 400, "score"),
        ({"score": 0.3, "tier": "simple", "quality": 80}, 400, "quality"),
        ({"score": 0.3, "tier": "simple", "quality": -0.1}, 400, "quality"),
        ({"score": 0.3, "tier": "huge", "quality": 1}, 400, "tier"),
        ({"score": 0.3, "tier": 5, "quality": 1}, 400, "tier"),
        ({"score": 0.3, "quality": 1}, 400, "tier"),
        ({"quality": 1}, 400, "score"),
        ({"score": 0.3, "tier": "simple"}, 400, "quality"),
        ({"score": 0.3, "tier": "simple", "quality": 1, "thumbs": "up"}, 400, "quality"),
        ({"score": 0.3, "tier": "simple", "quality": 1, "comment": "x"}, 400, "comment"),
        ({"request_id": "pm_1", "quality": 1, "score": 0.3}, 400, "score"),
        ({"request_id": "pm_1", "quality": 1}, 404, "request_id"),
        ({"request_id": "pm_00000000001000000000000000a", "quality": 1}, 404, "request_id"),
        ({"quality": True, "score": 0.3, "tier": "simple"}, 400, None),
        ({"quality": 1, "score": 0.3, "tier": "simple", "colour": "red"}, 400, None),
    ],
)
def test_what_is_wrong_with_a_report_is_said(
    office_of_all: Office, body: dict[str, Any], status: int, param: str | None
) -> None:
    refused = office_of_all.report(**body)
    assert refused.status == status
    assert refused.json()["error"]["param"] == param
    assert office_of_all.rows() == []


@pytest.fixture(scope="module")
def office_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(YAML.format(url="http://127.0.0.1:1/v1"), tmp_path_factory.mktemp("office")) as office:
        yield office


def test_the_request_of_another_caller_is_none_of_ones_own(start: START) -> None:
    office = start()
    request_id = office.ask().headers["x-pointsman-request-id"]
    assert office.report(request_id=request_id, quality=1).status == 200
    with closing(sqlite3.connect(office.path)) as file, file:
        file.execute("UPDATE requests SET caller = 'somebody else'")
    refused = office.report(request_id=request_id, quality=0)
    assert refused.status == 404
    assert office.rows()[0]["quality"] == 1


def test_boundaries_are_only_suggested_unless_told_otherwise(start: START) -> None:
    office = start()
    labels(office.path, "simple", 0, 0.28, 0.2)
    labels(office.path, "medium", 0.28, 0.45, 0.9)
    assert office.report(score=0.1, tier="simple", quality=0.2).status == 200
    told = office.stats()["calibration"]
    assert (told["mode"], told["labels"], told["labels_needed"]) == ("suggest", 201, 200)
    assert told["in_force"] == told["configured"]
    assert told["suggested"][0]["boundary"] < told["configured"][0]
    assert office.ask().headers["x-pointsman-tier"] == "simple"


def test_applied_boundaries_act_outlive_a_restart_and_can_be_taken_back(start: START) -> None:
    """Answers of the lowest tier were poor whatever the score: more goes to the next one."""
    more = "feedback: {calibrate: apply, calibrate_every: 1, shift_max: 0.3}\n"
    score = float(start().ask().headers["x-pointsman-score"])
    end = round(score + 0.05, 3)  # of the lowest tier, just above what is asked
    routing = f"routing: {{boundaries: [{end}, 0.8, 0.9]}}\n"
    office = start(more, routing)
    before = office.ask().headers
    labels(office.path, "simple", 0, end, 0.1)
    labels(office.path, "medium", end, 0.8, 0.9)
    for number in range(4):  # those that bring the calibration, and more of them to be believed
        assert office.report(score=0.01 * number, tier="simple", quality=0.1).status == 200
    told = office.stats()["calibration"]
    assert told["in_force"][0] < told["configured"][0] - 0.05
    with closing(sqlite3.connect(office.path)) as file:
        assert file.execute("SELECT count(*) FROM calibrations").fetchone()[0] >= 1
    after = office.ask().headers
    assert before["x-pointsman-tier"] == "simple"
    assert told["in_force"][0] < float(before["x-pointsman-score"]) < told["configured"][0]
    assert after["x-pointsman-tier"] == "medium"

    office = start(more, routing)
    assert office.ask().headers["x-pointsman-tier"] == "medium"
    refused = office.call("DELETE", "/v1/feedback/calibration")
    assert refused["error"]["code"] == "invalid_admin_key"
    assert office.revoke() == {"revoked": True}
    assert office.ask().headers["x-pointsman-tier"] == "simple"
    assert office.revoke() == {"revoked": False}
    assert office.report(score=0.1, tier="simple", quality=0.1).status == 200
    told = office.stats()["calibration"]
    assert (told["labels"], told["suggested"]) == (1, None)  # what was taken back is not learned again
    office = start(more, routing)
    assert office.ask().headers["x-pointsman-tier"] == "simple"


def test_proven_models_come_first_where_that_is_wanted(start: START) -> None:
    office = start("feedback: {prefer_proven: true}\n")
    answered = office.ask().headers
    assert answered["x-pointsman-model"] == "tiny"
    for _ in range(12):
        request_id = office.ask().headers["x-pointsman-request-id"]
        if office.ask().headers["x-pointsman-model"] == "twin":
            break
        assert office.report(request_id=request_id, thumbs="down").status == 200
    assert office.ask().headers["x-pointsman-model"] == "twin"
    with Caller(office.gateway) as caller:
        assert caller.post(CHAT, {**HELLO, "model": "tiny"}).headers["x-pointsman-model"] == "tiny"
    office = start("feedback: {prefer_proven: true}\n")
    assert office.ask().headers["x-pointsman-model"] == "twin"
    office = start()
    assert office.ask().headers["x-pointsman-model"] == "tiny"


def test_exploration_reaches_the_other_models_of_a_tier(start: START) -> None:
    office = start("feedback: {exploration_rate: 0.5}\n")
    models = {office.ask().headers["x-pointsman-model"] for _ in range(60)}
    assert models == {"tiny", "twin"}


def test_without_a_ledger_there_is_nothing_to_report_to(start: START) -> None:
    office = start("ledger: {enabled: false}\n")
    refused = office.report(score=0.1, tier="simple", quality=1)
    assert refused.status == 404
    assert "ledger.enabled" in refused.json()["error"]["message"]
