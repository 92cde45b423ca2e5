"""How a provider's opaque state travels through a client that knows nothing of it: as one string that names its
maker, so that it can be given back to the maker, byte for byte, and to nobody else. It keeps nothing.

A tagged string is plain base64, which every dialect's field for such state accepts, of

    b"pointsman" + one byte of Kind + the maker's name + NUL + the data

Nine bytes make twelve characters without padding, so every tagged string begins with MARK.
"""

import base64
import binascii
from enum import StrEnum
from typing import NamedTuple

from pointsman.core.request import Seal

_PREFIX = b"pointsman"

MARK = base64.b64encode(_PREFIX).decode()
"""What every tagged string begins with: no provider's own state does."""

NOBODYS = Seal("", "")
"""Opens nothing, for clients that insist on a seal where there was none."""


_FROM_URLS = str.maketrans("-_", "+/")


class Kind(StrEnum):
    """What the state was put on, for dialects whose one place for it stands for several."""

    THINKING = "t"
    REDACTED = "r"
    CALL = "c"  # the tool call that follows
    TEXT = "x"


class Tagged(NamedTuple):
    kind: Kind
    seal: Seal


def tag(seal: Seal, kind: Kind) -> str:
    """The string that a client is given in place of the maker's own."""
    whole = b"".join((_PREFIX, kind.encode(), seal.maker.encode(), b"\0", seal.data.encode()))
    return base64.b64encode(whole).decode()


def untag(text: str | None) -> Tagged | None:
    """What stands behind a string that came back; None for one that was not tagged here."""
    if not text or not text.startswith(MARK):
        return None
    try:
        # Google's SDKs read the field as bytes and write it in the alphabet for URLs; some drop the padding.
        bare = text.translate(_FROM_URLS).rstrip("=")
        whole = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        maker, _, data = whole[len(_PREFIX) + 1 :].partition(b"\0")
        kind = Kind(whole[len(_PREFIX) : len(_PREFIX) + 1].decode())
        return Tagged(kind, Seal(data.decode(), maker.decode()))
    except (binascii.Error, ValueError):
        return None  # somebody cut it: it opens nothing any more
