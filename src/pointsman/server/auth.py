"""Who may call, and who may change things: two keys, four places where clients put them. It knows nothing of providers' keys except
that whatever is not ours may be the caller's own."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from pointsman.core.errors import Forbidden, Unauthorized
from pointsman.core.ports import HeaderList
from pointsman.gateway.call import Credential

_KNOWN_MAX = 256
_KEY_HEADERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})


class Admitted(NamedTuple):
    """`caller` is a name for the ledger, never a key."""

    caller: str
    credentials: tuple[Credential, ...]


_Shown = tuple[tuple[Credential, ...], bytes | None]
"""All keys that a request shows, and the page it comes from."""


def _shown(headers: HeaderList, query: bytes = b"") -> _Shown:
    found: list[Credential] = []
    page: bytes | None = None
    for name, value in headers:
        if name in _KEY_HEADERS:
            found.append(Credential(name, value, _bare(value)))
        elif name == b"origin":
            page = value
    if b"key=" in query:
        found.extend(_from_query(query))
    return tuple(found), page


@dataclass(frozen=True, slots=True)
class Door:
    """`master_key` None lets everyone in; `admin_key` None lets nobody change anything. `origins` are the web pages
    that may call from a browser."""

    master_key: str | None = field(repr=False)
    origins: frozenset[str] = frozenset()
    admin_key: str | None = field(default=None, repr=False)
    _known: dict[tuple[tuple[bytes, bytes], ...], _Shown] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def page(self, headers: HeaderList) -> bytes | None:
        """The web page that asks, if it may read the answer, whatever the answer is."""
        if not self.origins:
            return None
        return next((value for name, value in headers if name == b"origin" and self._is_listed(value)), None)

    def admit(self, headers: HeaderList, query: bytes = b"") -> Admitted:
        """Raises Unauthorized without the gateway's key, Forbidden for a page from elsewhere.

        Clients disagree about where a key goes and some send two; any one that matches opens, and the
        others are kept as the caller's own.
        """
        found, page = self._shown(headers, query)
        if self.master_key is None:
            if page is not None and not self._is_listed(page):
                # Without a key any web page the user visits could spend their money through localhost.
                raise Forbidden(
                    f"a page from {page.decode('latin-1')} may not call this gateway; list it in server.cors_origins or set a"
                    " master key",
                    code="origin_not_allowed",
                )
            return Admitted("anonymous", found)
        expected = self.master_key.encode()
        others: list[Credential] = []
        is_admitted = False
        for credential in found:
            if hmac.compare_digest(credential.key.encode(), expected):
                is_admitted = True
            else:
                others.append(credential)
        if not is_admitted:
            word = "wrong" if found else "missing"
            raise Unauthorized(
                f"the gateway key is {word}: send it as Authorization: Bearer, x-api-key, x-goog-api-key or ?key=",
                code="invalid_api_key",
            )
        return Admitted("master", tuple(others))

    def _shown(self, headers: HeaderList, query: bytes) -> _Shown:
        if query or not isinstance(headers, tuple):
            return _shown(headers, query)
        shown = self._known.get(headers)
        if shown is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            shown = self._known[headers] = _shown(headers)
        return shown

    def admit_admin(self, headers: HeaderList, query: bytes = b"") -> Admitted:
        """Whoever may change the gateway. Raises Unauthorized for a stranger, and Forbidden for a caller who may only
        ask models and where there is no admin key at all."""
        if self.admin_key is None:
            self.admit(headers, query)
            raise Forbidden(
                "nobody may change this gateway: it has no admin key. Set POINTSMAN_ADMIN_KEY, or server.admin_key in the"
                " configuration file, and start it again",
                code="admin_key_not_configured",
            )
        found = _credentials(headers, query)
        if _holds(found, self.admin_key):
            return Admitted("admin", ())
        if self.master_key is not None and _holds(found, self.master_key):
            raise Forbidden(
                "the gateway key does not open this, only the admin key does", code="admin_key_required"
            )
        raise Unauthorized(
            f"the admin key is {'wrong' if found else 'missing'}: send it where the gateway key goes, such as"
            " Authorization: Bearer",
            code="invalid_admin_key",
        )

    def admit_reader(self, headers: HeaderList, query: bytes = b"") -> Admitted:
        """Whoever may look at the gateway: those who may change it, and those who may call. Raises what `admit`
        raises."""
        if self.admin_key is not None and _holds(_credentials(headers, query), self.admin_key):
            return Admitted("admin", ())
        return self.admit(headers, query)

    def _is_listed(self, origin: bytes) -> bool:
        return origin.decode("latin-1") in self.origins


def _credentials(headers: HeaderList, query: bytes) -> list[Credential]:
    found = [Credential(name, value, _bare(value)) for name, value in headers if name in _KEY_HEADERS]
    return [*found, *_from_query(query)]


def _holds(found: Iterable[Credential], key: str) -> bool:
    expected = key.encode()
    return any(hmac.compare_digest(credential.key.encode(), expected) for credential in found)


def _bare(value: bytes) -> str:
    text = value.decode("latin-1").strip()
    scheme, _, rest = text.partition(" ")
    return rest.strip() if rest and scheme.lower() == "bearer" else text


def _from_query(query: bytes) -> Iterable[Credential]:
    pairs: Sequence[tuple[str, str]] = parse_qsl(query.decode("latin-1"))
    return (Credential(b"?key", value.encode(), value) for name, value in pairs if name == "key")
