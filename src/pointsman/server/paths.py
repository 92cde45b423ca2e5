"""Forgiving spelling of paths: a slash at the end, slashes too many, and the `/v1` that a client adds to a base
URL that already ends in it."""

import re

_SLASHES = re.compile(rb"/{2,}")


def normal_path(path: bytes) -> bytes:
    """The path that was meant: `//v1/v1/messages/` is `/v1/messages`."""
    path = _SLASHES.sub(b"/", path)
    while path.startswith(b"/v1/v1/"):
        path = path[3:]
    return path.rstrip(b"/") or b"/"
