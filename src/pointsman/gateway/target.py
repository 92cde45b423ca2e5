"""Where a model is reached: its provider, ready to send to. Built once; holds everything about a provider that
does not depend on the request."""

from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.core.errors import Unauthorized
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import HeaderList, Outgoing, Send
from pointsman.gateway.call import Call, Credential
from pointsman.upstream.provider import Provider
from pointsman.wire.dialect import Dialect

_NEVER_PASSED = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"cookie", b"host"})


@dataclass(frozen=True, slots=True)
class Target:
    """One model at one provider. `foreign_key_prefixes` are key prefixes of other providers that begin with
    one of this provider's own (`sk-ant-` begins with `sk-`): such keys are not its kind."""

    card: ModelCard
    provider: Provider
    dialect: Dialect
    send: Send
    foreign_key_prefixes: tuple[str, ...] = ()

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

    def outgoing(self, call: Call, body: bytes, own: Credential | None) -> Outgoing:
        """The HTTP request. Only headers that mean something to this dialect cross, and only within it."""
        provider = self.provider
        headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        same_dialect = call.dialect is self.dialect
        if same_dialect:
            headers += self._passed(call.headers)
        present = {name for name, _ in headers}
        headers += [header for header in self.dialect.default_headers if header[0] not in present]
        headers += self._credential(own)
        headers += [(name.lower().encode(), value.encode()) for name, value in provider.headers.items()]
        url = provider.base_url + self.dialect.endpoint
        if same_dialect and call.query:
            url = f"{url}?{call.query}"
        return Outgoing(url, headers, body, provider.deadlines)

    def _passed(self, headers: HeaderList) -> Iterable[tuple[bytes, bytes]]:
        passed, prefixes = self.dialect.passed_headers, self.dialect.passed_header_prefixes
        return [
            header
            for header in headers
            if (header[0] in passed or (prefixes and header[0].startswith(prefixes)))
            and header[0] not in _NEVER_PASSED
        ]

    def _credential(self, own: Credential | None) -> Iterable[tuple[bytes, bytes]]:
        if own is not None:
            return ((own.header, own.value),)
        provider = self.provider
        if provider.api_key is None:
            if provider.pass_through_caller_key:
                raise Unauthorized(
                    f"the model {self.card.name} is reached with your own {provider.name} key, and none was sent",
                    code="provider_key_required",
                )
            return ()
        match provider.credential_header:
            case "bearer":
                return ((b"authorization", b"Bearer " + provider.api_key.encode()),)
            case "x-api-key":
                return ((b"x-api-key", provider.api_key.encode()),)
            case "none":
                return ()
