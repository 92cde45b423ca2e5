"""Forgiving spelling of paths: a slash at the end, slashes too many, and the version (`/v1`, `/v1alpha`, `/v1beta`)
that a client adds to a base URL that already ends in one."""

import re

_SLASHES = re.compile(rb"/{2,}")
_VERSIONS = re.compile(rb"(?:/v1(?:alpha|beta)?)+(?=/v1(?:alpha|beta)?/)")


def normal_path(path: bytes) -> bytes:
    """The path that was meant: `//v1/v1/messages/` is `/v1/messages`."""
    path = _SLASHES.sub(b"/", path)
    if repeated := _VERSIONS.match(path):
        path = path[repeated.end() :]
    return path.rstrip(b"/") or b"/"
