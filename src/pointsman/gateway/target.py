"""Where a model is reached: its provider, ready to send to. Built once; holds everything about a provider that
does not depend on the request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.core.errors import Unauthorized
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Deadlines, HeaderList, Outgoing, Send
from pointsman.gateway.call import Call, Credential
from pointsman.gateway.slots import Slots
from pointsman.upstream.provider import CredentialHeader, Provider
from pointsman.wire.dialect import ClientDialect, ProviderDialect

_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})
_NEVER_PASSED = _CREDENTIALS | {b"cookie", b"host"}
_LISTS = frozenset({b"anthropic-beta", b"openai-beta"})
"""Headers that may stand several times: what the caller asks for and what the configuration adds both count. Of
any other, what the configuration says replaces what the caller said."""

_QUOTABLE_CHARS_MIN = 6
"""A key as short as a word of JSON ("x", "error") is no secret, and cannot be told from it."""

_Headers = tuple[tuple[bytes, bytes], ...]
_ONCE = frozenset({b"idempotency-key", b"x-client-request-id"})
_KNOWN_MAX = 256


def _comes_again(headers: _Headers) -> bool:
    return all(name not in _ONCE for name, _ in headers)


@dataclass(frozen=True, slots=True)
class Target:
    """One model at one provider. `foreign_key_prefixes` are key prefixes of other providers that begin with
    one of this provider's own (`sk-ant-` begins with `sk-`): such keys are not its kind.
    `deadlines` are the model's own, None where those of its provider hold.
    `others` are the same model in the further dialects that its provider speaks. `slots` are those of the model and
    those of its provider, where they have a limit: a request holds one of each."""

    card: ModelCard
    provider: Provider
    dialect: ProviderDialect
    send: Send
    foreign_key_prefixes: tuple[str, ...] = ()
    others: Mapping[str, "Target"] = field(default_factory=dict)
    slots: tuple[Slots, ...] = ()
    deadlines: Deadlines | None = None
    _known: dict[_Headers, _Headers] = field(default_factory=dict, init=False, repr=False, compare=False)
    """All headers of a request with our own key, by those that the caller sent."""

    def for_caller(self, dialect: ClientDialect) -> "Target":
        """The same model, in the caller's own dialect if its provider speaks it."""
        return self.others.get(dialect.name, self) if self.others else self

    def own_credential(self, call: Call) -> Credential | None:
        """The caller's own key for this provider, if the provider takes callers' keys."""
        if not self.provider.pass_through_caller_key:
            return None
        for credential in call.credentials:
            if credential.header != b"?key" and self._is_our_kind(credential.key):
                return credential
        return None

    def _is_our_kind(self, key: str) -> bool:
        return key.startswith(self.provider.caller_key_prefixes) and not (
            self.foreign_key_prefixes and key.startswith(self.foreign_key_prefixes)
        )

    def outgoing(self, call: Call, path: str, body: bytes, own: Credential | None) -> Outgoing:
        """The HTTP request to `path` below the provider's base URL. Only headers that mean something to this dialect cross, and only within it. Raises
        Unauthorized when there is no key to send."""
        provider = self.provider
        is_same_dialect = call.dialect is self.dialect
        theirs: HeaderList = call.headers if is_same_dialect else ()
        headers: HeaderList | None = None
        if own is None and isinstance(theirs, tuple):
            headers = self._known.get(theirs)
        if headers is None:
            passed = self._passed(theirs)
            headers = self._headers(passed, own, is_same_dialect=is_same_dialect)
            if own is None and isinstance(theirs, tuple) and _comes_again(passed):
                if len(self._known) >= _KNOWN_MAX:
                    self._known.clear()
                headers = self._known[theirs] = tuple(headers)
        url = provider.base_url + path
        if is_same_dialect and call.query:
            url = f"{url}{'&' if '?' in path else '?'}{call.query}"
        return Outgoing(url, headers, body, self.deadlines or provider.deadlines)

    def question(self, path: str, deadlines: Deadlines) -> Outgoing:
        """A GET of our own below the provider's base URL, with our key if we have one."""
        configured = self._configured(None)
        present = {name for name, _ in configured}
        headers = [header for header in self.dialect.default_headers if header[0] not in present]
        key = self.provider.api_key
        if key is not None:
            headers += _credential(self.provider.credential_header, key)
        return Outgoing(self.provider.base_url + path, headers + configured, b"", deadlines, "GET")

    def without_our_key(self, body: bytes) -> bytes:
        """What a provider says, with our own key masked wherever it is quoted."""
        key = self.provider.api_key
        if key is None or len(key) < _QUOTABLE_CHARS_MIN:
            return body
        return body.replace(key.encode(), b"***")

    def _passed(self, headers: HeaderList) -> _Headers:
        names, prefixes = self.dialect.passed_headers, self.dialect.passed_header_prefixes
        passed: _Headers = ()
        for header in headers:
            name = header[0]
            if (name in names or (prefixes and name.startswith(prefixes))) and name not in _NEVER_PASSED:
                passed += (header,)
        return passed

    def _headers(
        self, passed: _Headers, own: Credential | None, *, is_same_dialect: bool
    ) -> list[tuple[bytes, bytes]]:
        configured = self._configured(own)
        replaced = {name for name, _ in configured} - _LISTS
        headers = [(b"content-type", b"application/json")]
        headers += [header for header in passed if header[0] not in replaced]
        present = {name for name, _ in (*headers, *configured)}
        headers += [header for header in self.dialect.default_headers if header[0] not in present]
        headers += self._ours() if own is None else self._of_caller(own, is_same_dialect)
        return headers + configured

    def _configured(self, own: Credential | None) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower().encode(), value.encode()) for name, value in self.provider.headers.items()]
        # Two credentials would leave it to the provider whose account is charged.
        return headers if own is None else [header for header in headers if header[0] not in _CREDENTIALS]

    def _of_caller(self, own: Credential, is_same_dialect: bool) -> Iterable[tuple[bytes, bytes]]:
        if is_same_dialect:
            return ((own.header, own.value),)  # as it came: a subscription's token is sent like nothing else
        return _credential(self.provider.credential_header, own.key)

    def _ours(self) -> Iterable[tuple[bytes, bytes]]:
        provider = self.provider
        if provider.api_key is not None:
            return _credential(provider.credential_header, provider.api_key)
        if provider.pass_through_caller_key:
            raise Unauthorized(
                f"the model {self.card.name} is reached with your own {provider.name} key, and none was sent",
                code="provider_key_required",
            )
        return ()


def _credential(header: CredentialHeader, key: str) -> Iterable[tuple[bytes, bytes]]:
    match header:
        case "bearer":
            return ((b"authorization", b"Bearer " + key.encode()),)
        case "none":
            return ()
        case _:
            return ((header.encode(), key.encode()),)
