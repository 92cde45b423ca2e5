"""A provider's answer on its way to whoever asked: buffered, decoded, delivered. It knows no framing.

    waiting for the head -> body arriving -> ended (whole, or with an error)

The connection feeds it (`take_head`, `take_body`, `end`) and then lets whoever waits go on (`settle`); the gateway
holds it as `core.ports.Incoming`. What is buffered is still encoded, so a compression bomb unfolds only as fast as it
is consumed.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import HeaderList
from pointsman.upstream.content_encoding import Inflater
from pointsman.upstream.waiter import Waiter

BUFFER_BYTES_MAX = 64 * 1024
"""What may lie here before anybody takes it; beyond it the provider is not read any more."""

_DECODED_PIECE_BYTES_MAX = 64 * 1024


class Response:
    """One consumer at a time. `last_at` is the loop's time at which the provider was last heard, or last
    began to be listened to. With `has_news` there is something to `settle`."""

    # What most answers leave as it is stands here: setting it for each would cost a microsecond.
    status = 0
    headers: HeaderList = ()
    is_ended = False
    is_reading = True
    expects_content = False
    _buffered_bytes = 0
    _inflater: Inflater | None = None
    _inflater_holds_more = False
    _deliver: Callable[[bytes], None] | None = None
    _is_delivering = False
    _is_paused = False
    _first: bytes | None = None
    _error: BaseException | None = None
    _waiter: Waiter | None = None
    has_news = False

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, now: float) -> None:
        self.last_at = now
        self._loop = loop
        self._transport = transport
        self._buffer: deque[bytes] = deque()

    # from the connection

    def take_head(self, status: int, headers: HeaderList, inflater: Inflater | None) -> None:
        self.status = status
        self.headers = headers
        if inflater is not None:
            self._inflater = inflater
        self.has_news = True

    def take_body(self, data: bytes) -> None:
        deliver = self._deliver
        if deliver is not None and not (self.is_ended or self._is_paused or self._inflater):
            try:
                deliver(data)
            except BaseException as error:  # noqa: BLE001 - comes out of `pump`, where `deliver` went in
                self._drop(error)
            return
        if self.is_ended:
            return
        self._buffer.append(data)
        self._buffered_bytes += len(data)
        if deliver is not None:
            self._unload(deliver)
        else:
            self.has_news = True
            if self._buffered_bytes >= BUFFER_BYTES_MAX:
                self._adjust_reading()

    def end(self, error: UpstreamError | None) -> None:
        """Nothing more comes: the body is whole, or `error` says why it is not."""
        if self.is_ended:
            return
        self._error = error
        if error is not None:
            # Whoever does not take what is here, a client that stands still, must hear of it all the same.
            self._buffer.clear()
            self._buffered_bytes = 0
            self._inflater_holds_more = False
        if not self.is_reading:
            self._listen(reading=True)
        self.is_ended = self.has_news = True

    def settle(self) -> None:
        """Lets whoever waits go on, if there is news. To be called last: what they do may be anything, the next
        request on this very connection included."""
        if self.has_news:
            self.has_news = False
            waiter = self._waiter
            if waiter is not None:
                self._waiter = None
                waiter.wake()

    # for the gateway

    async def head(self) -> None:
        """Returns when `status` and `headers` are there."""
        while not self.status:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def first(self) -> bytes:
        if self._first is None:
            while not (piece := self._next_piece()) and not self.is_ended:
                self._adjust_reading()
                await self._wait()
            if not piece:
                self._raise_unless_whole()
            self._first = piece
        return self._first

    async def read(self, limit_bytes: int) -> bytes:
        if self.is_ended and len(self._buffer) == 1 and self._inflater is None and self._first is None:
            whole = self._pop()  # small answers come in one piece, head and all
            if len(whole) <= limit_bytes:
                return whole
            raise _too_large(limit_bytes)
        pieces: list[bytes] = []
        size = 0

        def collect(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            pieces.append(piece)

        if self._first:
            collect(self._first)
        await self.pump(collect)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        self._deliver = deliver
        if self._buffer or self._inflater_holds_more or not self.is_reading:
            self._unload(deliver)
        while not self.is_ended or self._buffer or self._inflater_holds_more:
            await self._wait()
        self._raise_unless_whole()

    def fail(self, error: UpstreamError) -> None:
        self._drop(error)
        self.settle()

    def pause(self) -> None:
        self._is_paused = True
        self._adjust_reading()

    def resume(self) -> None:
        self._is_paused = False
        if self._deliver is not None:
            self._unload(self._deliver)
        self._adjust_reading()
        self.settle()

    def abort(self) -> None:
        if not self.is_ended or self._buffer or self._inflater_holds_more:
            self._drop(UpstreamError(UpstreamFault.BROKEN, "the answer was dropped before its end"))
            self.settle()

    # inside

    def _unload(self, deliver: Callable[[bytes], None]) -> None:
        """Delivers what is buffered, as far as the consumer takes it."""
        if self._is_delivering:
            # `deliver` itself paused and resumed: the loop below goes on when it returns.
            return
        self._is_delivering = True
        try:
            while not self._is_paused and (piece := self._next_piece()):
                deliver(piece)
        except BaseException as error:  # noqa: BLE001 - comes out of `pump`, where `deliver` went in
            self._drop(error)
        finally:
            self._is_delivering = False
        self._adjust_reading()
        if self.is_ended:
            self.has_news = True

    def _next_piece(self) -> bytes:
        """Decoded bytes; b"" when there are none at the moment, or never again."""
        inflater = self._inflater
        if inflater is None:
            return self._pop() if self._buffer else b""
        try:
            while not (piece := inflater.take(_DECODED_PIECE_BYTES_MAX)) and self._buffer:
                inflater.feed(self._pop())
        except UpstreamError as error:
            self._drop(error)
            return b""
        self._inflater_holds_more = bool(piece)
        return piece

    def _pop(self) -> bytes:
        piece = self._buffer.popleft()
        self._buffered_bytes -= len(piece)
        return piece

    def _adjust_reading(self) -> None:
        wanted = not self._is_paused and (
            self._deliver is not None or self._buffered_bytes < BUFFER_BYTES_MAX
        )
        if wanted is not self.is_reading:
            self._listen(reading=wanted)

    def _listen(self, *, reading: bool) -> None:
        if self.is_ended or self._transport.is_closing():
            return
        self.is_reading = reading
        if reading:
            self.last_at = self._loop.time()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _drop(self, error: BaseException) -> None:
        """Ends the answer here: nothing that still lies in the buffer is delivered."""
        self._error = error
        self._buffer.clear()
        self._buffered_bytes = 0
        self._inflater = None
        self._inflater_holds_more = False
        if not self.is_ended:
            self.is_ended = True
            self._transport.abort()
        self.has_news = True

    def _raise_unless_whole(self) -> None:
        if self._error is not None:
            raise self._error
        if self._inflater is not None and not self._inflater.is_whole():
            raise UpstreamError(UpstreamFault.BROKEN, "the compressed answer ends before its end")

    async def _wait(self) -> None:
        self.has_news = False
        self._waiter = waiter = Waiter(self._loop)
        try:
            await waiter
        except BaseException:
            self.abort()  # whoever waited has gone: so has the reason for the provider to go on
            raise


def _too_large(limit_bytes: int) -> UpstreamError:
    return UpstreamError(
        UpstreamFault.BAD_REPLY, f"the answer is larger than the {limit_bytes} bytes allowed"
    )
