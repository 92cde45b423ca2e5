"""The part of a Gemini URL that names the model and what to do with it, read and written. It knows no server."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

_OWNER = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?publishers/google/")
_WHOLE_NAMES = ("models/", "tunedModels/", "publishers/", "projects/")
_DOTS = frozenset({".", ".."})


class ModelPath(NamedTuple):
    """`verb` is what follows the last colon (generateContent), empty where there is none."""

    model: str
    verb: str


def read_path(tail: str) -> ModelPath:
    """What stands behind the API's version: `models/NAME:VERB`, percent-encoded or not; with or without `models/`,
    or below a Vertex project. A name may hold slashes and colons."""
    name, colon, verb = tail.strip("/").rpartition(":")
    if not colon or "/" in verb:
        name, verb = tail.strip("/"), ""
    name = unquote(name)
    if owner := _OWNER.match(name):
        name = name[owner.end() :]
    return ModelPath(name.removeprefix("models/"), unquote(verb))


def endpoint(model: str, *, stream: bool) -> str:
    return model_path(model, "streamGenerateContent?alt=sse" if stream else "generateContent")


def model_path(model: str, verb: str) -> str:
    """Below a provider's base URL. A name that says itself where it belongs (`tunedModels/x`) is used as it is."""
    name = quote(model) if _is_whole(model) else f"models/{quote(model, safe='')}"
    return f"/{name}:{verb}"


def resource(model: str) -> str:
    """The model's name as bodies write it: models/NAME."""
    return model if _is_whole(model) else f"models/{model}"


def _is_whole(model: str) -> bool:
    return model.startswith(_WHOLE_NAMES) and _DOTS.isdisjoint(model.split("/"))
