"""HTTP/1.1 towards clients: uvicorn's protocol, except that the endpoints that reach a model are answered
before any ASGI scope is built. Everything else falls through to the ASGI application unchanged.

A client that closes its side has left, and what is under way for it stops: the end of a connection and of
its sending half look the same from here, and an answer that nobody reads costs money. How long a client may be
silent, slow or deaf is looked after by a sweep (sweep.py), not by a timer of each connection.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pointsman.core.errors import TooLarge, Unavailable
from pointsman.server.body_memory import BodyMemory
from pointsman.server.exchange import Endpoint, Exchange
from pointsman.server.pace import Arrival, Departure
from pointsman.server.request_head import (
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    BadMessage,
    Head,
    Heads,
    head_bytes,
    head_without_offer,
    path_and_query,
    too_many_connections,
    too_many_headers,
    too_much_head,
)
from pointsman.server.sweep import Sweep

log = logging.getLogger("pointsman.server")

_SILENCE_S = 60.0
"""How long a client may say nothing in the middle of its request."""

_REFUSED_BYTES_MAX = 64 * 1024
"""How much of a body is waited for whose request is refused already. The connection survives it."""

_LINGER_S = 30.0
_LINGER_SILENCE_S = 2.0
"""How long what follows a refusal is read and thrown away: closing at once would reset the connection, and the
client would never see why."""

_LINGERING_MAX = 100
"""How many connections beyond the limit are told so before they are closed."""

_CROWDED = 0.75
_CROWDED_SILENCE_S = 5.0

_Cycle = RequestResponseCycle | Exchange


@dataclass(slots=True)
class Service:
    """What every connection serves, from its next request on when it is changed. `endpoints` maps a raw path to what
    answers a POST to it. `bodies` is what requests hold in all."""

    endpoints: Mapping[bytes, Endpoint]
    max_body_bytes: int
    keepalive_after_s: float = 1.0
    connections_max: int = 10_000
    heads: Heads = field(default_factory=Heads)
    bodies: BodyMemory = field(default_factory=BodyMemory)


class GatewayProtocol(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(
        self,
        *args: Any,
        service: Service,
        sweep: Sweep,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False  # whatever the loggers are set to: a query may hold a key
        self._service = service
        self._sweep = sweep
        self._reading: Exchange | None = None  # the request that is being read, if it is one of ours
        self._answering: _Cycle | None = None  # the one whose answer is being written
        self._before: _Cycle | None = None  # what was being answered when `_reading` began
        self._turn: Exchange | None = None  # the one that is to be answered next
        self._is_taking_turns = False
        self._is_in_head = False
        self._is_midway = False  # between the first and the last byte of a request
        self._is_upgrading = False
        self._is_discarding = False
        self._is_draining = False
        self._linger_until_s = 0.0
        self._silent_until_s = math.inf
        self._overhead_bytes = 0
        self._length = b""  # of the body, where its head says so
        self._arrival = Arrival()
        self._departure = Departure()

    # from the loop

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._close_when_silent(self.timeout_keep_alive)
        self._sweep.begin(self.loop, self.connections)
        if len(self.connections) > self._service.connections_max:
            self._refuse_connection()

    def data_received(self, data: bytes) -> None:
        self._silent_until_s = math.inf
        if self._is_discarding:
            self._linger()
            return
        self._overhead_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._pass_over(offer, memoryview(data))
        except httptools.HttpParserError as error:
            self._refuse_message(error)
        if self._is_midway and not self._is_discarding:
            if self._overhead_bytes > HEAD_BYTES_MAX:
                self._refuse_message(too_much_head())
            else:
                self._close_when_silent(_SILENCE_S)
                self._arrival.add(len(data), self.loop.time())
        if self._turn is not None:
            self._take_turns()

    def connection_lost(self, exc: Exception | None) -> None:
        answering = self._answering
        if answering is not None and not answering.response_complete:
            answering.disconnected = True
            answering.message_event.set()
        super().connection_lost(exc)
        # They refer back to this connection: cycles are work for the garbage collector.
        self.pipeline.clear()
        self._reading = self._answering = self._before = self._turn = None
        self.cycle = None  # type: ignore[assignment]

    def pause_writing(self) -> None:
        super().pause_writing()
        if isinstance(self._answering, Exchange):
            self._answering.pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if isinstance(self._answering, Exchange):
            self._answering.resume_writing()

    # from the parser

    def on_message_begin(self) -> None:
        if self._is_discarding:
            raise BadMessage(400, "nothing more is answered on this connection")
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._length = b""
        self._is_in_head = self._is_midway = True
        self._arrival.restart()

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind a body is not part of the head: it could say who calls after that was decided.
        if self._is_in_head:
            name = name.lower()
            if name == b"content-length":
                self._length = value
            else:
                self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._overhead_bytes > HEAD_BYTES_MAX and head_bytes(self.url, self.headers) > HEAD_BYTES_MAX:
            raise too_much_head()
        if len(self.headers) + bool(self._length) > HEADERS_MAX:
            raise too_many_headers()
        self._is_in_head = False
        self._overhead_bytes = 0
        self._reading = None
        if self.parser.should_upgrade():
            self._is_upgrading = True
            return
        head = self._service.heads.read(self.headers)
        self.expect_100_continue = head.expects_continue
        if self.parser.get_method() == b"POST":
            path, _, query = self.url.partition(b"?")
            endpoints = self._service.endpoints
            endpoint = endpoints.get(path)
            if endpoint is None:
                path, query = path_and_query(self.url)
                endpoint = endpoints.get(path)
            if endpoint is not None:
                self._begin(endpoint, query, head)
                return
        url, headers, expects = self.url, self._all_headers(), self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()
        if self._is_draining:
            self.cycle.keep_alive = False

    def _all_headers(self) -> list[tuple[bytes, bytes]]:
        return [*self.headers, (b"content-length", self._length)] if self._length else self.headers

    def on_body(self, body: bytes) -> None:
        self._overhead_bytes = 0
        exchange = self._reading
        if exchange is None:
            super().on_body(body)
        elif exchange.more_body:
            exchange.room -= len(body)
            if exchange.room < 0 and not exchange.gets_more_room():
                self._refuse_body(exchange)
            elif exchange.refusal is None:
                exchange.parts.append(body)

    def on_message_complete(self) -> None:
        if self._is_upgrading:
            return
        self._is_midway = False
        self._overhead_bytes = 0
        exchange = self._reading
        if exchange is None:
            super().on_message_complete()
        elif exchange.more_body:
            parts = exchange.parts
            exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
            exchange.parts = []
            self._await_turn(exchange)

    # one of our requests

    def _begin(self, endpoint: Endpoint, query: bytes, head: Head) -> None:
        version = self.parser.get_http_version()
        exchange = self._reading = Exchange(
            self.transport,
            endpoint,
            head,
            query,
            self._service.max_body_bytes,
            version != "1.0" and not self._is_draining and self.parser.should_keep_alive(),
            version,
            self.server_state,
            self.on_response_complete,
            self._service.bodies,
        )
        self._before = self.cycle
        self.cycle = cast("RequestResponseCycle", exchange)  # it stands in for one
        endpoint.admit(exchange)
        if exchange.refusal is not None:
            exchange.room = 0 if self.expect_100_continue else _REFUSED_BYTES_MAX
        if self._length and (length := int(self._length)) > exchange.room and not exchange.may_come(length):
            self._refuse_body(exchange)
        elif self.expect_100_continue and version != "1.0" and self._is_my_turn():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _is_my_turn(self) -> bool:
        return self._before is None or self._before.response_complete

    def _await_turn(self, exchange: Exchange) -> None:
        """Nothing more is read of this request: it is answered once those before it are."""
        exchange.more_body = False
        if self._is_my_turn():
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
        self._before = None

    def _refuse_body(self, exchange: Exchange) -> None:
        if exchange.refusal is None:
            exchange.refusal = TooLarge(f"the body is over {self._service.max_body_bytes} bytes")
        exchange.parts, exchange.share = [], None
        exchange.keep_alive = False
        exchange.lingers = True
        self._is_discarding = True
        self._await_turn(exchange)

    # answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = answering = cast("_Cycle", cycle)
        if isinstance(answering, Exchange):
            answering.is_write_paused = self.flow.write_paused
            self._turn = answering
        else:
            super()._start_asgi_task(cycle, app)

    def _take_turns(self) -> None:
        """Not within the parser, and not within one another: many requests may have come at once."""
        if self._is_taking_turns:
            return
        self._is_taking_turns = True
        while (exchange := self._turn) is not None:
            self._turn = None
            if not exchange.disconnected:
                exchange.run(self.loop)
        self._is_taking_turns = False

    def on_response_complete(self) -> None:
        # In place of uvicorn's own, which sets a timer for every answer.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        answered = self._answering
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            if self.pipeline:
                self.flow.pause_reading()  # one packet of requests at a time is enough to wait
            self._take_turns()
        elif isinstance(answered, Exchange) and answered.lingers:
            self._begin_to_linger()
        else:
            self._close_when_silent(self.timeout_keep_alive)

    # the end of the server

    @property
    def is_busy(self) -> bool:
        """A request is being read or answered, or part of an answer is still here."""
        return self._under_way() is not None or self.transport.get_write_buffer_size() > 0

    def shutdown(self) -> None:
        """From here on every answer ends its connection. One that is idle is kept as long as others are busy: a
        request that is on its way to it already is better answered than lost."""
        self._is_draining = True
        last = self._under_way()
        if last is not None and not (isinstance(last, Exchange) and last.is_started):
            last.keep_alive = False  # else its head has said otherwise

    def end(self) -> None:
        """The time to finish is over. Answers under way are cut by their tasks."""
        exchange = self._reading
        if exchange is not None and exchange.more_body:
            exchange.refusal = exchange.refusal or Unavailable("the gateway is shutting down")
            self._refuse_body(exchange)
            self._take_turns()
        elif (last := self._under_way()) is None:
            self.transport.close()
        else:
            last.keep_alive = False

    def _under_way(self) -> _Cycle | None:
        """The last request whose head has come, unless it is answered."""
        cycle: _Cycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    # silence, noise and offers

    def _close_when_silent(self, after_s: float) -> None:
        self._silent_until_s = self.loop.time() + after_s

    def _unset_keepalive_if_required(self) -> None:
        self._silent_until_s = math.inf

    def look(self, now_s: float, *, is_crowded: bool = False) -> None:
        """Called by the sweep: nothing may go on for ever, and in a crowd there is less patience with those who have
        not even said what they want."""
        answering = self._answering
        is_answering = answering is not None and not answering.response_complete
        is_growing = is_answering and not self.flow.write_paused
        if self._departure.is_stuck(self.transport.get_write_buffer_size(), now_s, is_growing=is_growing):
            self.transport.abort()
        elif answering is not None and is_answering and not answering.more_body:
            # While a model thinks its caller has nothing to say.
            if isinstance(answering, Exchange):
                answering.look(now_s, self._service.keepalive_after_s)
        elif (
            now_s >= self._silent_until_s
            or (self._is_midway and self._arrival.is_too_slow(now_s))
            or (is_crowded and self._has_said_nothing(now_s))
        ):
            self.timeout_keep_alive_handler()

    def _has_said_nothing(self, now_s: float) -> bool:
        """For some seconds, where there is still no head of a request."""
        if self._is_midway:
            return self._is_in_head and self._arrival.has_taken(_CROWDED_SILENCE_S, now_s)
        return now_s >= self._silent_until_s - self.timeout_keep_alive + _CROWDED_SILENCE_S

    def _refuse_connection(self) -> None:
        if len(self.connections) > self._service.connections_max + _LINGERING_MAX:
            self.transport.abort()
            return
        log.debug("refused a connection: there are %d", self._service.connections_max)
        self._is_discarding = True
        self.transport.write(too_many_connections().answer())
        self._begin_to_linger()

    def _begin_to_linger(self) -> None:
        if self.transport.is_closing():
            return
        self.transport.write_eof()
        self._linger_until_s = self.loop.time() + _LINGER_S
        self._linger()

    def _linger(self) -> None:
        if self._linger_until_s:
            self._close_when_silent(min(_LINGER_SILENCE_S, self._linger_until_s - self.loop.time()))

    def _refuse_message(self, error: Exception) -> None:
        """Nothing after it can be made sense of. What came before it is still answered."""
        self._is_discarding = True
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
        if isinstance(cause, httptools.HttpParserError | UnicodeDecodeError):
            cause = BadMessage(400, "this is not a valid HTTP/1.1 request")
        if not isinstance(cause, BadMessage):
            raise error
        log.info("refused what a client sent: %s", cause)
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()  # the broken one itself
        last = cast("_Cycle | None", self.pipeline[0][0]) if self.pipeline else self._answering
        if last is not None and not last.response_complete:
            if not last.more_body:
                last.keep_alive = False
                if isinstance(last, Exchange):
                    last.lingers = True
                return
            last.disconnected = True  # the broken one itself, which its endpoint has begun to read
            last.message_event.set()
        self.transport.write(cause.answer())
        self._begin_to_linger()

    def _pass_over(self, offer: httptools.HttpParserUpgrade, data: memoryview) -> None:
        """A request may offer to go on in another protocol (WebSocket, HTTP/2); it need not be taken up. The
        parser stops there all the same, so a new one is given the head without the offer."""
        while True:
            self._is_upgrading = False
            data = data[offer.args[0] :]
            old, self.parser = self.parser, httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets its own
            try:
                self.parser.feed_data(head_without_offer(old, self.url, self._all_headers()))
                if data:
                    self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as another:
                offer = another
            except (httptools.HttpParserError, BadMessage) as error:
                self._refuse_message(error)
                return
            else:
                return


def protocol_factory(service: Service) -> Callable[..., GatewayProtocol]:
    """What uvicorn's `http` setting takes: makes one protocol for each connection."""
    sweep = Sweep(_CROWDED * service.connections_max)

    def make(*args: Any, **kwargs: Any) -> GatewayProtocol:
        return GatewayProtocol(
            *args,
            service=service,
            sweep=sweep,
            **kwargs,
        )

    return make
