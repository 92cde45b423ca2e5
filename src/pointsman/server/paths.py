"""Forgiving spelling of paths: a slash at the end, and the `/v1` that a client adds to a base URL that
already ends in it."""


def normal_path(path: bytes) -> bytes:
    """The path that was meant: `/v1/v1/messages/` is `/v1/messages`."""
    while path.startswith(b"/v1/v1/"):
        path = path[3:]
    if len(path) > 1 and path.endswith(b"/"):
        path = path.rstrip(b"/") or b"/"
    return path
