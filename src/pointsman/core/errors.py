"""The whole error tree, split by whose fault it is. It does not decide how an error looks on the wire.

PointsmanError
├── ClientError            what the caller sent
│   ├── BadRequest             400: malformed, wrong type, missing
│   ├── Unsupported            400: well formed, but the chosen target cannot express it
│   ├── Unauthorized           401: no or wrong gateway key
│   ├── Forbidden              403: this caller may not do this
│   ├── UnknownModel           404: no such model name; carries the nearest names
│   ├── NotFound               404: no such path
│   ├── WrongMethod            405
│   ├── TooLarge               413: body over the configured limit
│   └── WrongMediaType         415: a content encoding nobody here reads
├── UpstreamError          what a provider did (see UpstreamFault for the kinds)
├── ExhaustedError         every attempt failed; holds each of them
├── Unavailable            the gateway itself cannot take the request now (too busy, shutting down)
└── ConfigError            what an operator wrote: every problem at once

Messages are written for the one who can fix the cause and never contain keys or prompt text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, NamedTuple


class PointsmanError(Exception):
    """The root: everything this program raises on purpose."""

    @property
    def message(self) -> str:
        return str(self)


class ClientError(PointsmanError):
    """The caller can fix this. `param` names the field, `code` is a word for programs."""

    status: ClassVar[int] = 400

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class BadRequest(ClientError):
    """The body or a parameter is malformed, missing or of the wrong type."""


class Unsupported(ClientError):
    """The request is well formed, but the model it is sent to cannot express `param`."""


class Unauthorized(ClientError):
    """The gateway key is missing or wrong."""

    status = 401


class Forbidden(ClientError):
    """The caller is known, or known to be nobody, and may not do this."""

    status = 403


class UnknownModel(ClientError):
    """Nobody serves a model of this name."""

    status = 404


class NotFound(ClientError):
    """There is no such path."""

    status = 404


class WrongMethod(ClientError):
    """The path exists, the method does not."""

    status = 405


class TooLarge(ClientError):
    """The body is over `server.max_body_bytes`."""

    status = 413


class WrongMediaType(ClientError):
    """The body is encoded in a way that is not read here."""

    status = 415


class UpstreamFault(StrEnum):
    """What went wrong at a provider; the value is what the ledger stores."""

    UNREACHABLE = "unreachable"  # no connection: refused, DNS, TLS
    TIMED_OUT = "timed_out"  # a deadline passed, ours or the provider's own
    AUTH = "auth"  # the provider refused our credential, or our account lacks the right
    QUOTA = "quota"  # our account has no money or no allowance left: waiting does not help
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    REJECTED = "rejected"  # the provider finds fault with the request itself: the caller's to fix
    CONTENT_FILTER = "content_filter"  # the provider's policy forbids to answer this
    NO_SUCH_MODEL = "no_such_model"  # the provider does not serve it, or not to us: another model may do
    TOO_LONG = "too_long"  # the prompt is over this model's context size: a larger model may take it
    BAD_REPLY = "bad_reply"  # not the protocol: HTML, broken JSON, an error inside a 200
    BROKEN = "broken"  # the reply ended before its end


OF_THE_REQUEST = frozenset(
    {
        UpstreamFault.REJECTED,
        UpstreamFault.CONTENT_FILTER,
        UpstreamFault.TOO_LONG,
        UpstreamFault.NO_SUCH_MODEL,
    }
)
"""Faults that say nothing about whether the provider works."""

OF_THE_ACCOUNT = frozenset({UpstreamFault.AUTH, UpstreamFault.QUOTA, UpstreamFault.RATE_LIMITED})
"""Faults that say something about whoever's key it was."""

Deadline = Literal["connect", "first_byte", "first_content", "rate", "idle", "total"]
"""Which of a provider's deadlines passed."""


class UpstreamError(PointsmanError):
    """A provider failed one attempt.

    `status` is the provider's HTTP status, None where there was none. `body` is the provider's own error
    body, kept only for faults of the request so that a caller of the same dialect sees it unchanged. `code` and `param`
    are the provider's own words for programs, where it gave some. `deadline` is which of ours passed, None for any
    other failure. It `is_slip` where the model blundered: another may do better, and its provider works as before.
    """

    def __init__(
        self,
        fault: UpstreamFault,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        code: str | None = None,
        param: str | None = None,
        body: bytes | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
        deadline: Deadline | None = None,
        is_slip: bool = False,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.is_slip = is_slip
        self.deadline = deadline
        self.status = status
        self.retry_after_s = retry_after_s
        self.code = code
        self.param = param
        self.body = body
        self.headers = headers


def broken_call(name: str) -> UpstreamError:
    """The model called the tool `name` with what is no JSON object."""
    message = f"the model called the tool {name} with arguments that are not a JSON object"
    return UpstreamError(UpstreamFault.BAD_REPLY, message, is_slip=True)


class Withheld(NamedTuple):
    """A model that was not asked, since it would have passed a ceiling without consent."""

    target: str
    ceiling: str


CONSENT_REQUIRED = "consent_required"
"""The code of an error that consent to a ceiling would have avoided."""


class ExhaustedError(PointsmanError):
    """Every attempt failed. `failures` pairs the model tried with its error, in order; `withheld` are the models that
    might have answered, had there been consent."""

    def __init__(
        self, failures: Sequence[tuple[str, UpstreamError]], withheld: Sequence[Withheld] = ()
    ) -> None:
        told = [f"{model}: {error.message}" for model, error in failures]
        told += [f"{model}: not asked without consent ({ceiling})" for model, ceiling in withheld]
        super().__init__("; ".join(told))
        self.failures = tuple(failures)
        self.withheld = tuple(withheld)

    @property
    def told(self) -> UpstreamError:
        """The one failure that stands for all of them, by which status and code are chosen.

        What is wrong with the request is told as it is. Else the failure that says most about when to come again:
        a pace (429) only if that was all, then being busy (503), a deadline (504), and any other (502).
        """
        errors = [error for _, error in self.failures]
        last = errors[-1]
        if last.fault in {UpstreamFault.REJECTED, UpstreamFault.CONTENT_FILTER}:
            return last
        if any(error.fault in _BUSY for error in errors):
            return _soonest(errors)
        for faults in _TOLD_FIRST:
            found = [error for error in errors if error.fault in faults]
            if found:
                return found[-1]
        return last


_BUSY = frozenset({UpstreamFault.RATE_LIMITED, UpstreamFault.OVERLOADED})
_TOLD_FIRST = (
    frozenset({UpstreamFault.TIMED_OUT}),
    frozenset({UpstreamFault.TOO_LONG}),
    frozenset(UpstreamFault) - OF_THE_REQUEST - {UpstreamFault.AUTH, UpstreamFault.QUOTA},
)


def _soonest(errors: Sequence[UpstreamError]) -> UpstreamError:
    """All of them as one, to be tried again when the first of those who said when is ready."""
    is_pace = all(error.fault is UpstreamFault.RATE_LIMITED for error in errors)
    busy = [error for error in errors if error.fault in _BUSY]
    waits = [error.retry_after_s for error in busy if error.retry_after_s is not None]
    return UpstreamError(
        UpstreamFault.RATE_LIMITED if is_pace else UpstreamFault.OVERLOADED,
        busy[-1].message,
        status=busy[-1].status,
        code=busy[-1].code,
        retry_after_s=min(waits, default=None),
        headers=busy[-1].headers if len(busy) == 1 else (),
    )


class Unavailable(PointsmanError):
    """The gateway cannot take the request now; the same request may work in `retry_after_s`."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the configuration.

    `path` is dotted (`models.tiny.tier`), `value` what stands there (masked for secrets, None when nothing
    does), `expected` what would be right, `nearest` the closest valid spelling where there is one.
    """

    path: str
    value: str | None
    expected: str
    nearest: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path} (line {self.line})"
        found = "" if self.value is None else f" is {self.value};"
        hint = "" if self.nearest is None else f" (did you mean {self.nearest!r}?)"
        return f"{where}:{found} expected {self.expected}{hint}"


class ConfigError(PointsmanError):
    """The configuration cannot be used. Holds all problems, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
