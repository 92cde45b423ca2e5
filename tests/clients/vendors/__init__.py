"""Vendors of every dialect behind one port, and the configuration that makes a gateway use them."""

from collections.abc import Iterator
from contextlib import contextmanager

from clients.vendors.chat import ChatVendor
from clients.vendors.gemini import GeminiVendor
from clients.vendors.messages import MessagesVendor
from clients.vendors.ollama import OllamaVendor
from clients.vendors.responses import ResponsesVendor
from clients.vendors.script import Brain
from clients.vendors.vendor import Vendor, failed
from pointsman.testing import FakeUpstream, Received, Scripted

VENDORS: tuple[type[Vendor], ...] = (
    ChatVendor,
    ResponsesVendor,
    MessagesVendor,
    GeminiVendor,
    OllamaVendor,
)
DIALECTS = tuple(kind.dialect for kind in VENDORS)


class Vendors:
    """All of them, by dialect."""

    def __init__(self, upstream: FakeUpstream, brain: Brain) -> None:
        self.by_dialect = {kind.dialect: kind(brain) for kind in VENDORS}
        self._origin = upstream.origin
        upstream.answer_with(self._answer)

    def __getitem__(self, dialect: str) -> Vendor:
        return self.by_dialect[dialect]

    @property
    def refused(self) -> list[str]:
        """What any of them did not take, and why."""
        return [why for vendor in self.by_dialect.values() for why in vendor.refused]

    def forget(self) -> None:
        for vendor in self.by_dialect.values():
            vendor.forget()

    def yaml(self) -> str:
        """The providers and models sections: one provider and one model for each, both called as the dialect."""
        vendors = self.by_dialect.values()
        providers = (
            f"  {vendor.name}: {{dialect: {vendor.dialect}, base_url: {self._origin}{vendor.base_path},"
            f" api_key: ${_variable(vendor)}}}"
            for vendor in vendors
        )
        models = (
            f"  {vendor.name}: {{provider: {vendor.name}, id: {vendor.model}, tier: complex,"
            f" max_output_tokens: 32000, abilities: [{', '.join(vendor.abilities)}]}}"
            for vendor in vendors
        )
        return "\n".join(["providers:", *providers, "models:", *models, ""])

    def environ(self) -> dict[str, str]:
        """The keys that the configuration names."""
        return {_variable(vendor): vendor.key for vendor in self.by_dialect.values()}

    def _answer(self, request: Received) -> Scripted:
        for vendor in self.by_dialect.values():
            if request.path.startswith(vendor.base_path + "/"):
                return vendor.answer(request)
        return failed(404, {"error": f"nobody is at {request.path}"})


@contextmanager
def running_vendors(brain: Brain) -> Iterator[Vendors]:
    with FakeUpstream.in_thread() as upstream:
        yield Vendors(upstream, brain)


def _variable(vendor: Vendor) -> str:
    return f"KEY_OF_{vendor.dialect.upper().replace('-', '_')}"
