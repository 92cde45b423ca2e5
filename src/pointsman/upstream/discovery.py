"""Asks one provider for its list of models. It blocks, so it is for threads and for commands; with a bound for all of it.

The standard library's HTTP client, not the gateway's own: that one belongs to an event loop and only ever posts.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pointsman.core.errors import PointsmanError
from pointsman.fleet.listed import Listed
from pointsman.upstream.listings import NotAList, read_litellm, read_ollama, read_ollama_shown, read_openai
from pointsman.upstream.provider import Provider

if TYPE_CHECKING:
    from http.client import HTTPConnection

_LONGEST_BYTES = 32 * 1024 * 1024
_SHOWN_MAX = 200
"""So many of Ollama's models are looked at one by one."""


class NoList(PointsmanError):
    """The provider gave no list, and why. Holds no key."""


@dataclass(slots=True)
class _Asking:
    provider: Provider
    until_s: float

    def ask(self, path: str, body: object = None, *, base_url: str | None = None) -> Any:
        """The JSON of a 200. Raises NoList."""
        from http.client import HTTPException  # noqa: PLC0415 - a start that asks nobody need not wait for it

        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise NoList("it took too long")
        parts = urlsplit((self.provider.base_url if base_url is None else base_url) + path)
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, left_s)
        try:
            data = None if body is None else json.dumps(body).encode()
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET" if data is None else "POST", target, data, self._headers())
            response = connection.getresponse()
            if response.status != 200:
                raise NoList(f"{path} answered {response.status}")
            read = b""
            while piece := response.read1(65536):
                read += piece
                if len(read) > _LONGEST_BYTES or time.monotonic() > self.until_s:
                    raise NoList(f"{path} is too long, or takes too long")
            return json.loads(read)
        except (OSError, HTTPException) as error:
            raise NoList(f"{path} cannot be asked: {type(error).__name__}") from None
        except ValueError:
            raise NoList(f"{path} answered something else than JSON") from None
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        provider = self.provider
        headers = {"accept": "application/json", "accept-encoding": "identity", **provider.headers}
        if provider.api_key is not None and provider.credential_header != "none":
            bearer = provider.credential_header == "bearer"
            name = "authorization" if bearer else provider.credential_header
            headers[name] = f"Bearer {provider.api_key}" if bearer else provider.api_key
        return headers


def list_models(provider: Provider, timeout_s: float) -> tuple[Listed, ...]:
    """In the provider's order. Raises NoList."""
    asking = _Asking(provider, time.monotonic() + timeout_s)
    try:
        if provider.dialect == "ollama":
            return _of_ollama(asking)
        if "litellm" in {provider.name, provider.profile}:
            return _of_litellm(asking)
        return read_openai(asking.ask("/models"))
    except NotAList as error:
        raise NoList(f"it answered {error}") from None


def _of_ollama(asking: _Asking) -> tuple[Listed, ...]:
    listed = read_ollama(asking.ask("/api/tags"))
    return tuple(_shown(asking, one) if place < _SHOWN_MAX else one for place, one in enumerate(listed))


def _shown(asking: _Asking, listed: Listed) -> Listed:
    try:
        return read_ollama_shown(listed, asking.ask("/api/show", {"model": listed.id}))
    except NoList:
        return listed  # an older server, or a model that was just removed: the list says enough


def _of_litellm(asking: _Asking) -> tuple[Listed, ...]:
    """What it knows of its models, as far as our key may ask; else their names."""
    root = asking.provider.base_url.removesuffix("/v1")
    try:
        known = {one.id: one for one in read_litellm(asking.ask("/model/info", base_url=root))}
    except (NoList, NotAList):
        known = {}
    return tuple(known.get(one.id, one) for one in read_openai(asking.ask("/models")))


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> "HTTPConnection":
    import ssl  # noqa: PLC0415 - as above
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

    import certifi  # noqa: PLC0415

    if scheme != "https":
        return HTTPConnection(host, port, timeout=timeout_s)
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return HTTPSConnection(host, port, timeout=timeout_s, context=context)


Lister = Callable[[Provider, float], tuple[Listed, ...]]
"""What `list_models` is."""
