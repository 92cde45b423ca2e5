"""Everything that reads bytes from outside."""

from fuzz import bytes_in, operations, replies_in, requests_in
from fuzz.target import Target


def all_targets() -> list[Target]:
    return [*requests_in.targets(), *replies_in.targets(), *bytes_in.targets(), *operations.targets()]
