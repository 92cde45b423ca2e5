"""How many retries one process may add to the load of its providers, as a token bucket without a clock: each request
fills it a little, each retry takes one token. In an outage, when every request would be sent several times, the
providers see at most `share` more of them. A first try at another target is no retry: it moves load, and adds none.
"""


class RetryBudget:
    """`share` is the retries a request earns, 0 to 1; `burst` how many may be saved up, so that a quiet gateway can
    retry at all."""

    __slots__ = ("_burst", "_share", "tokens")

    def __init__(self, share: float = 0.2, burst: int = 10) -> None:
        self._share = share
        self._burst = float(burst)
        self.tokens = float(burst)

    def earn(self) -> None:
        """A request has come."""
        tokens = self.tokens + self._share
        self.tokens = min(self._burst, tokens)

    def take(self) -> bool:
        """True if one more retry is allowed; it is then counted."""
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True
