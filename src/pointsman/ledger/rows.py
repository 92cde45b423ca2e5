"""What an entry looks like in the database: column names and values, in one order. It computes what the entry
only refers to (cost, baseline, texts), in the writer's thread, and writes nothing.

The columns are named here a second time, beside schema.py, because importing SQLAlchemy takes half a second
and 30 MB that a running gateway does not need; a test holds the two together.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from pointsman.core.decision import Share
from pointsman.core.usage import Price, Rates, Usage, cost_usd
from pointsman.ledger.entry import Attempt, Entry, SideCall
from pointsman.ledger.money import to_picodollars

Value = str | int | float | None
Row = tuple[Value, ...]

REQUEST_COLUMNS = (
    "request_id",
    "started_at_s",
    "caller",
    "dialect",
    "requested_model",
    "profile",
    "tier",
    "score",
    "reasons",
    "rules",
    "chosen_model",
    "chosen_provider",
    "model",
    "provider",
    "stream",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "cost_picodollars",
    "baseline_picodollars",
    "price_source",
    "rates",
    "first_token_ms",
    "total_ms",
    "status",
    "outcome",
    "fault",
    "dropped",
    "category",
    "confidence",
)

ATTEMPT_COLUMNS = (
    "request_id",
    "number",
    "model",
    "provider",
    "started_ms",
    "status",
    "outcome",
    "fault",
    "first_byte_ms",
    "total_ms",
)

SIDE_CALL_COLUMNS = (
    "request_id",
    "number",
    "kind",
    "model",
    "provider",
    "outcome",
    "fault",
    "input_tokens",
    "output_tokens",
    "cost_picodollars",
    "total_ms",
)

_REQUESTED_MAX = 200  # characters; the caller may have written anything there

_NO_DECISION: Row = (None,) * 7
_NO_USAGE: Row = (None,) * 10

_encode = msgspec.json.Encoder().encode


def request_row(entry: Entry) -> Row:
    decision, usage = entry.decision, entry.usage
    if decision is None:
        chosen = _NO_DECISION
    else:
        card = decision.card
        chosen = (
            decision.profile,
            decision.tier,
            decision.score,
            _shares(decision.shares),
            _names(decision.rules),
            card.name,
            card.provider,
        )
    used = _NO_USAGE if usage is None else _used(usage, entry.price, entry.baseline)
    return (
        entry.request_id,
        entry.started_at_s,
        entry.caller,
        entry.dialect,
        entry.requested_model[:_REQUESTED_MAX],
        *chosen,
        entry.model,
        entry.provider,
        1 if entry.stream else 0,  # sqlite3 looks for an adapter, slowly, for whatever is not exactly an int
        *used,
        entry.first_token_ms,
        entry.total_ms,
        entry.status,
        entry.outcome,
        entry.fault,
        _names(entry.dropped),
        None if decision is None else decision.category,
        None if decision is None else decision.confidence,
    )


def attempt_row(request_id: str, attempt: Attempt) -> Row:
    return (request_id, *attempt)


def side_call_row(request_id: str, number: int, call: SideCall) -> Row:
    usage = call.usage
    cost = None if usage is None else cost_usd(usage, call.price)
    return (
        request_id,
        number,
        call.kind,
        call.model,
        call.provider,
        call.outcome,
        call.fault,
        None if usage is None else usage.input_tokens,
        None if usage is None else usage.output_tokens,
        None if cost is None else to_picodollars(cost),
        call.total_ms,
    )


def _used(usage: Usage, price: Price | None, baseline: Price | None) -> Row:
    charged = None if price is None else _charge_of(price.rates_for(usage.input_tokens or 0))
    cost = _cost(usage, price, charged)
    compared = None if baseline is None else _charge_of(baseline.rates_for(usage.input_tokens or 0))
    return (
        *usage,
        cost,
        _cost(usage, baseline, compared),
        None if price is None else price.source,
        None if charged is None or cost is None else charged.text,
    )


class _Charge(NamedTuple):
    """Rates as rows need them: as text, and in picodollars per token where those are whole numbers."""

    rates: Rates
    text: str
    input: int | None
    output: int | None


def cost_picodollars(usage: Usage, price: Price | None) -> int | None:
    """What a row says it cost. For the ledger's thread."""
    return _cost(
        usage, price, None if price is None else _charge_of(price.rates_for(usage.input_tokens or 0))
    )


def _cost(usage: Usage, price: Price | None, charge: _Charge | None) -> int | None:
    """In picodollars. Whole numbers take a tenth of the time of decimals, and are as exact."""
    tokens_in, tokens_out, read, written, _, _ = usage
    if charge is None or tokens_in is None or tokens_out is None:
        return None
    if charge.input is not None and charge.output is not None and not (read or written):
        return tokens_in * charge.input + tokens_out * charge.output
    cost = cost_usd(usage, price)
    return None if cost is None else to_picodollars(cost)


_charges: dict[int, _Charge] = {}
_CHARGES_MAX = 4096


def _charge_of(rates: Rates) -> _Charge:
    # By identity: hashing decimals would take longer than all else here. What is kept keeps its identity to itself.
    charge = _charges.get(id(rates))
    if charge is None:
        if len(_charges) >= _CHARGES_MAX:
            _charges.clear()
        charge = _charges[id(rates)] = _Charge(
            rates,
            _text_of(rates),
            _per_token(rates.usd_per_million_input),
            _per_token(rates.usd_per_million_output),
        )
    return charge


def _per_token(usd_per_million: Decimal) -> int | None:
    picodollars = usd_per_million.scaleb(6)
    return int(picodollars) if picodollars == picodollars.to_integral_value() else None


def _shares(shares: Sequence[Share]) -> str | None:
    """[[signal, value, share], ...]"""
    return _encode(shares).decode() if shares else None


def _names(names: Sequence[str]) -> str | None:
    return _encode(names).decode() if names else None


def _text_of(rates: Rates) -> str:
    """The US dollars per million tokens that were charged, by kind of token; the ones not known are left out."""
    texts = {
        "input": rates.usd_per_million_input,
        "output": rates.usd_per_million_output,
        "cache_read": rates.usd_per_million_cache_read,
        "cache_write": rates.usd_per_million_cache_write,
        "cache_write_1h": rates.usd_per_million_cache_write_1h,
    }
    return _encode({kind: str(usd) for kind, usd in texts.items() if usd is not None}).decode()
