"""Dollars as whole picodollars (1e-12 USD), the form in which money is stored and summed. It knows no prices.

A price of up to six decimals per million tokens makes every token a whole number of picodollars, so sums of
them are exact in any order; SQLite would add decimals as binary floats. 64 bits hold 9.2 million dollars.
"""

from decimal import Decimal

_DIGITS = 12


def to_picodollars(usd: Decimal) -> int:
    """Finer amounts are rounded half to even, so that many roundings do not lean to one side."""
    return round(usd.scaleb(_DIGITS))


def from_picodollars(picodollars: int) -> Decimal:
    return Decimal(picodollars).scaleb(-_DIGITS)
