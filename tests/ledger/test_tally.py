"""What is counted of requests for /metrics."""

from ledger_samples import attempt, entry

from pointsman.core.usage import Usage
from pointsman.ledger.store import Ledger
from pointsman.ledger.tally import Histogram, Tally

TINY = ("tiny", "local")


def test_requests_attempts_tokens_and_cost_are_summed() -> None:
    tally = Tally()
    failed = attempt(outcome="failed", fault="overloaded", first_byte_ms=None)
    tally.add([(entry(1), [attempt(1)]), (entry(2), [failed, attempt(2, model="big")])])
    counts = tally.counts()

    assert counts.requests == {(*TINY, "openai-chat", "complete", "none"): 2}
    assert counts.attempts == {
        (*TINY, "complete", "none"): 1,
        (*TINY, "failed", "overloaded"): 1,
        ("big", "local", "complete", "none"): 1,
    }
    assert counts.tokens == {(*TINY, "input"): 2000, (*TINY, "output"): 200}
    assert counts.cost_picodollars[TINY] == 2 * (1000 * 100_000 + 100 * 400_000)
    assert counts.baseline_picodollars[TINY] == 2 * (1000 * 15_000_000 + 100 * 75_000_000)
    assert counts.unpriced == {}
    assert counts.durations[TINY].counts[4] == 2, "789 ms are up to a second"
    assert counts.first_bytes[TINY].counts[3] == 1


def test_a_request_that_nobody_answered_is_counted_too() -> None:
    tally = Tally()
    tally.add([(entry(model=None, provider=None, usage=None, outcome="failed", fault="BadRequest"), [])])

    assert tally.counts().requests == {("none", "none", "openai-chat", "failed", "BadRequest"): 1}
    assert tally.counts().cost_picodollars == {}


def test_an_answer_without_a_price_is_unpriced_and_not_free() -> None:
    tally = Tally()
    tally.add([(entry(price=None), []), (entry(usage=Usage(5, None)), [])])
    counts = tally.counts()

    assert counts.unpriced[TINY] == 2
    assert TINY not in counts.cost_picodollars
    assert counts.tokens == {(*TINY, "input"): 1005, (*TINY, "output"): 100}


def test_a_copy_does_not_change_any_more() -> None:
    tally = Tally()
    tally.add([(entry(), [attempt()])])
    before = tally.counts()
    tally.add([(entry(), [attempt()])])

    assert sum(before.requests.values()) == 1
    assert sum(before.durations[TINY].counts) == 1
    assert sum(tally.counts().durations[TINY].counts) == 2


def test_a_value_on_a_bound_belongs_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 99.0):
        histogram.add(value)

    assert histogram.counts == [2, 2, 1]
    assert histogram.total == 104.0


def test_a_ledger_without_a_file_counts_all_the_same() -> None:
    ledger = Ledger(None)
    ledger.open()
    for number in range(50):
        ledger.record(entry(number), [attempt()])

    assert ledger.flush()
    assert ledger.close()
    assert sum(ledger.tally.counts().requests.values()) == 50
    assert ledger.counters() == {"written": 50, "dropped": 0, "refused": 0, "failures": 0}


def test_what_cannot_be_counted_does_not_stop_the_ledger() -> None:
    ledger = Ledger(None)
    ledger.open()
    ledger.record(entry(1, usage=Usage("many", 1)), [])
    assert ledger.flush()
    ledger.record(entry(2), [])
    assert ledger.flush()
    assert ledger.close()

    assert ledger.tally.counts().tokens[(*TINY, "input")] == 1000
