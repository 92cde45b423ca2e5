"""The endpoints that reach a model, one for each dialect: from an exchange on the connection to a call for
the pipeline. It decides nothing about the request itself."""

import logging
import time
import traceback
import zlib
from urllib.parse import parse_qsl, urlencode

from pointsman.core.errors import BadRequest, ClientError, PointsmanError, TooLarge, WrongMediaType
from pointsman.gateway.call import Call, new_request_id
from pointsman.gateway.pipeline import Pipeline
from pointsman.server.auth import Door
from pointsman.server.exchange import Exchange
from pointsman.wire.dialect import Dialect

log = logging.getLogger("pointsman.server")


class InferenceEndpoint:
    """POST in one dialect."""

    def __init__(self, dialect: Dialect, door: Door, pipeline: Pipeline, max_body_bytes: int) -> None:
        self._dialect = dialect
        self._door = door
        self._pipeline = pipeline
        self._max_body_bytes = max_body_bytes

    async def __call__(self, exchange: Exchange) -> None:
        clock = time.perf_counter
        started_clock_s, started_at_s = clock(), time.time()
        try:
            admitted = self._door.admit(exchange.headers, exchange.query)
            exchange.page = admitted.page
            body = self._plain_body(exchange)
        except ClientError as error:
            self.refuse(exchange, error)
            return
        call = Call(
            request_id=new_request_id(started_at_s),
            dialect=self._dialect,
            headers=exchange.headers,
            query=_without_key(exchange.query) if exchange.query else "",
            body=body,
            caller=admitted.caller,
            credentials=admitted.credentials,
            started_at_s=started_at_s,
            clock=clock,
            started_clock_s=started_clock_s,
        )
        try:
            await self._pipeline.handle(call, exchange)
        except Exception as error:  # the server's border: a fault of ours must still be an answer
            log.error("request %s failed: %s at %s", call.request_id, type(error).__name__, place_of(error))
            self._fail(exchange, call.request_id)

    def refuse(self, exchange: Exchange, error: PointsmanError) -> None:
        request_id = new_request_id(time.time())
        encoded = self._dialect.encode_error(error, request_id)
        headers = [
            (b"content-type", b"application/json"),
            (b"x-pointsman-request-id", request_id.encode()),
            *encoded.headers,
        ]
        exchange.start(encoded.status, headers, length=len(encoded.body))
        exchange.write(encoded.body)
        exchange.finish()

    def _fail(self, exchange: Exchange, request_id: str) -> None:
        fault = PointsmanError(f"internal error (request {request_id})")
        if exchange.is_started:
            exchange.write(self._dialect.encode_stream_error(fault, request_id))
            exchange.break_off()
        else:
            self.refuse(exchange, fault)

    def _plain_body(self, exchange: Exchange) -> bytes:
        for name, value in exchange.headers:
            if name == b"content-encoding":
                return inflate(exchange.body, value.strip().lower(), self._max_body_bytes)
        return exchange.body


def inflate(body: bytes, encoding: bytes, max_body_bytes: int) -> bytes:
    """The body without its content encoding; never more than `max_body_bytes` of it is unpacked."""
    if encoding in {b"", b"identity"}:
        return body
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        name = encoding.decode("latin-1")
        raise WrongMediaType(f"the content encoding {name} is not read here; send gzip or none")
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, told apart by the header
    try:
        plain = unpacker.decompress(body, max_body_bytes + 1)
    except zlib.error:
        raise BadRequest("the body is not valid gzip") from None
    if len(plain) > max_body_bytes:
        raise TooLarge(f"the body is over {max_body_bytes} bytes")
    if not unpacker.eof:
        raise BadRequest("the gzip body ends before its end")
    return plain


def _without_key(query: bytes) -> str:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name != "key"])


def place_of(error: Exception) -> str:
    """Where it happened, without the message: that could hold part of a prompt."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-4:]))
