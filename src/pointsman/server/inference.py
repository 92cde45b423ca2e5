"""The endpoints that reach a model, one for each dialect: from an exchange on the connection to a call for
the pipeline. It decides nothing about the request itself."""

import asyncio
import logging
import string
import time
import traceback
from urllib.parse import quote, unquote_to_bytes

from pointsman.core.errors import ClientError, PointsmanError, Unavailable
from pointsman.gateway.call import Call, new_request_id
from pointsman.gateway.headers import header_lines
from pointsman.gateway.operation import Operation
from pointsman.gateway.pipeline import Pipeline
from pointsman.gateway.slots import Slots
from pointsman.gateway.wishes import patience_s
from pointsman.server.auth import Door
from pointsman.server.content_encoding import inflate
from pointsman.server.exchange import Exchange
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Address

log = logging.getLogger("pointsman.server")


class InferenceEndpoint:
    """POST in one dialect, for a reply or for another `operation`. `address` is what the path says of the model, in dialects that say it there."""

    def __init__(
        self,
        dialect: Dialect,
        door: Door,
        slots: Slots,
        pipeline: Pipeline,
        max_body_bytes: int,
        address: Address | None = None,
        operation: Operation | None = None,
    ) -> None:
        self._dialect = dialect
        self._address = address
        self._operation = operation
        self._door = door
        self._slots = slots
        self._pipeline = pipeline
        self._max_body_bytes = max_body_bytes

    def at(self, model: str, *, stream: bool) -> "InferenceEndpoint":
        """The same endpoint at a path that names the model."""
        address = Address(model, stream)
        limit = self._max_body_bytes
        return InferenceEndpoint(
            self._dialect, self._door, self._slots, self._pipeline, limit, address, self._operation
        )

    def admit(self, exchange: Exchange) -> None:
        door = self._door
        if door.origins:
            exchange.page = door.page(exchange.headers)
        try:
            exchange.admitted = door.admit(exchange.headers, exchange.query)
        except ClientError as error:
            exchange.refusal = error
            return
        if self._slots.has_no_room:
            exchange.refusal = self._slots.refusal()

    async def __call__(self, exchange: Exchange) -> None:
        clock = time.perf_counter
        started_clock_s, started_at_s = clock(), time.time()
        request_id = new_request_id(started_at_s)
        if exchange.refusal is not None:
            self._refuse(exchange, exchange.refusal, request_id)
            return
        assert exchange.admitted is not None
        caller, credentials = exchange.admitted
        body = exchange.body
        encoding = exchange.head.content_encoding
        if encoding:
            try:
                body = inflate(body, encoding, self._max_body_bytes)
                exchange.hold(len(body))
            except (ClientError, Unavailable) as error:
                self._refuse(exchange, error, request_id)
                return
        # By position: half the time of building it by name, and this is done for every request.
        call = Call(
            request_id,
            self._dialect,
            exchange.headers,
            _forwarded_query(exchange.query) if exchange.query else "",
            body,
            caller,
            credentials,
            started_at_s,
            clock,
            started_clock_s,
            self._framed_address(exchange),
            self._operation,
        )
        slots = self._slots
        has_slot = slots.try_enter()
        try:
            if not has_slot:
                await slots.wait(patience_s(exchange.headers))
                has_slot = True
            await self._pipeline.handle(call, exchange)
        except Unavailable as error:  # no turn for it: what goes wrong further on is answered there
            self._refuse(exchange, error, request_id)
        except asyncio.CancelledError:
            if not exchange.disconnected:
                # It is the server that ends, not the client that left.
                self._break(exchange, Unavailable("the gateway is shutting down"), request_id)
            raise
        except Exception as error:  # the server's border: a fault of ours must still be an answer
            log.error("request %s failed: %s at %s", request_id, type(error).__name__, place_of(error))
            self._break(exchange, PointsmanError("internal error"), request_id)
        finally:
            if has_slot:
                slots.leave()

    def _framed_address(self, exchange: Exchange) -> Address | None:
        """Google's API streams one JSON array unless it is asked for events."""
        address = self._address
        if address is None:
            return None
        return address._replace(as_array=address.stream and b"alt=sse" not in exchange.query.split(b"&"))

    def _refuse(self, exchange: Exchange, error: PointsmanError, request_id: str) -> None:
        encoded = self._dialect.encode_error(error, request_id, self._framed_address(exchange))
        headers = ((b"content-type", b"application/json"), *id_headers(request_id), *encoded.headers)
        exchange.start(encoded.status, header_lines(headers), length=len(encoded.body))
        exchange.write(encoded.body)
        exchange.finish()

    def _break(self, exchange: Exchange, error: PointsmanError, request_id: str) -> None:
        if not exchange.is_started:
            self._refuse(exchange, error, request_id)
        elif not exchange.response_complete:
            # Only streams take long enough to be broken. Without its last chunk none looks whole.
            said = self._dialect.encode_stream_error(error, request_id, self._framed_address(exchange))
            exchange.write(said)
            exchange.break_off()


def id_headers(request_id: str) -> tuple[tuple[bytes, bytes], ...]:
    """By which a caller can tell an operator which request went wrong."""
    value = request_id.encode()
    return (b"x-pointsman-request-id", value), (b"x-request-id", value), (b"request-id", value)


_NOT_FORWARDED = frozenset({b"key", b"alt"})
"""The gateway's key, and how the caller wants its stream framed: providers are asked for what is read here."""


def _forwarded_query(query: bytes) -> str:
    """As it came, less what is for the gateway alone; what no URL may hold is percent-encoded."""
    pairs = [
        pair for pair in query.split(b"&") if unquote_to_bytes(pair.partition(b"=")[0]) not in _NOT_FORWARDED
    ]
    return quote(b"&".join(pairs), safe=string.punctuation)


def place_of(error: Exception) -> str:
    """Where it happened, without the message: that could hold part of a prompt."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-4:]))
