"""An external classifier over HTTP: it is sent `{"prompt": text}` and says `{"strong_win_rate": 0..1}`, how likely a
strong model would give the better answer. When to ask it, and what to make of its opinion, is decided elsewhere."""

from urllib.parse import urlsplit

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, HeaderList, Outgoing, Send

_ANSWER_BYTES_MAX = 64 * 1024
_HEADERS: HeaderList = ((b"content-type", b"application/json"), (b"accept", b"application/json"))


class _Answer(msgspec.Struct, gc=False):
    strong_win_rate: float


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class Sidecar:
    """One classifier at one address, which comes from the configuration and from nowhere else."""

    def __init__(self, url: str, send: Send, deadline_s: float) -> None:
        self.host = urlsplit(url).netloc
        self._url = url
        self._send = send
        self._deadlines = Deadlines(deadline_s, deadline_s, deadline_s, deadline_s)

    async def strong_win_rate(self, text: str) -> float:
        """0..1. Raises UpstreamError."""
        body = _encode({"prompt": text})
        incoming = await self._send(Outgoing(self._url, _HEADERS, body, self._deadlines))
        try:
            if not 200 <= incoming.status < 300:
                fault = UpstreamFault.SERVER_ERROR if incoming.status >= 500 else UpstreamFault.REJECTED
                raise UpstreamError(fault, f"answered {incoming.status}", status=incoming.status)
            answer = await incoming.read(_ANSWER_BYTES_MAX)
        finally:
            incoming.abort()
        try:
            rate = _decode(answer).strong_win_rate
        except msgspec.DecodeError:
            rate = -1.0
        if not 0 <= rate <= 1:  # NaN included
            raise UpstreamError(UpstreamFault.BAD_REPLY, "answered without a strong_win_rate from 0 to 1")
        return rate
