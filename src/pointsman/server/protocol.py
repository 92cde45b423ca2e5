"""HTTP/1.1 towards clients: uvicorn's protocol, except that the endpoints that reach a model are answered
before any ASGI scope is built. Everything else falls through to the ASGI application unchanged."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pointsman.core.errors import TooLarge
from pointsman.server.exchange import Endpoint, Exchange
from pointsman.server.paths import normal_path

_DISCARD_S = 2.0
"""How long the rest of a refused body is read and thrown away: closing at once would reset the connection,
and the client would never see why."""


class GatewayProtocol(HttpToolsProtocol):
    """`endpoints` maps a raw path to what answers a POST to it."""

    def __init__(
        self, *args: Any, endpoints: Mapping[bytes, Endpoint], max_body_bytes: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._endpoints = endpoints
        self._max_body_bytes = max_body_bytes
        self._reading: Exchange | None = None  # the request that is being read, if it is one of ours
        self._answering: Exchange | None = None  # the one whose answer is being written
        self._before: Any = None  # what the connection was answering when `_reading` began
        self._is_discarding = False

    def data_received(self, data: bytes) -> None:
        if not self._is_discarding:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        answering = self._answering
        if answering is not None and not answering.response_complete:
            answering.disconnected = True
            answering.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        self._reading = None
        if self.parser.get_method() == b"POST":
            path, _, query = self.url.partition(b"?")
            endpoint = self._endpoints.get(path) or self._endpoints.get(normal_path(path))
            if endpoint is not None:
                self._begin(endpoint, query)
                return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _begin(self, endpoint: Endpoint, query: bytes) -> None:
        version = self.parser.get_http_version()
        self._before = self.cycle
        exchange = Exchange(
            self.transport,
            endpoint,
            self.headers,
            query,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            version=version,
            on_response=self.on_response_complete,
        )
        self._reading = exchange
        self.cycle = cast("RequestResponseCycle", exchange)  # it stands in for one
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self._max_body_bytes:
                self._refuse_body(exchange, endpoint)
                return
        if self.expect_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        exchange = self._reading
        if exchange is None:
            super().on_body(body)
            return
        if exchange.response_complete:
            return
        exchange.size += len(body)
        if exchange.size > self._max_body_bytes:
            self._refuse_body(exchange, exchange.endpoint)
            return
        exchange.parts.append(body)

    def on_message_complete(self) -> None:
        exchange = self._reading
        if exchange is None:
            super().on_message_complete()
            return
        if exchange.response_complete:
            return
        parts = exchange.parts
        exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
        exchange.parts = []
        exchange.more_body = False
        before, self._before = self._before, None
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            # A pipelined request waits for the answer before it.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        started: object = cycle
        self._answering = started if isinstance(started, Exchange) else None
        super()._start_asgi_task(cycle, app)

    def _refuse_body(self, exchange: Exchange, endpoint: Endpoint) -> None:
        exchange.parts = []
        exchange.keep_alive = False
        exchange.lingers = True
        endpoint.refuse(exchange, TooLarge(f"the body is over {self._max_body_bytes} bytes"))
        self._is_discarding = True
        self._unset_keepalive_if_required()
        self.loop.call_later(_DISCARD_S, self.transport.close)

    def timeout_keep_alive_handler(self) -> None:
        # A slow upload that began before the last answer was out is not an idle connection.
        if self.cycle.response_complete:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._answering is not None:
            self._answering.pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answering is not None:
            self._answering.resume_writing()


def protocol_factory(
    endpoints: Mapping[bytes, Endpoint], max_body_bytes: int
) -> Callable[..., GatewayProtocol]:
    """What uvicorn's `http` setting takes: makes one protocol for each connection."""

    def make(*args: Any, **kwargs: Any) -> GatewayProtocol:
        return GatewayProtocol(*args, endpoints=endpoints, max_body_bytes=max_body_bytes, **kwargs)

    return make
